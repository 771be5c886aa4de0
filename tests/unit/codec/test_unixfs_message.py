"""The UnixFS message: every field comes back, and nothing but the canonical form is read."""

from __future__ import annotations

import pytest

from hitp2p.codec.unixfs import NodeType, UnixFs, decode_unixfs, encode_unixfs
from hitp2p.errors import DecodeError


def test_every_field_comes_back() -> None:
    message = UnixFs(
        type=NodeType.FILE,
        data=b"abc",
        file_size=10,
        block_sizes=(3, 0, 4),
        hash_type=0x22,
        fanout=256,
        mode=0o644,
        time=b"\x08\x01",
    )
    assert decode_unixfs(encode_unixfs(message)) == message


def test_absent_and_zero_are_two_messages() -> None:
    absent = UnixFs(type=NodeType.FILE)
    zero = UnixFs(
        type=NodeType.FILE, data=b"", file_size=0, hash_type=0, fanout=0, mode=0, time=b""
    )
    assert decode_unixfs(encode_unixfs(absent)) == absent
    assert decode_unixfs(encode_unixfs(zero)) == zero
    assert encode_unixfs(absent) != encode_unixfs(zero)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("no type", b""),
        ("no type but a size", b"\x18\x01"),
        ("a type nobody knows", b"\x08\x06"),
        ("a type twice", b"\x08\x02\x08\x02"),
        ("a type after the data", b"\x12\x00\x08\x02"),
        ("data twice", b"\x08\x02\x12\x00\x12\x00"),
        ("block sizes before the size", b"\x08\x02\x20\x01\x18\x01"),
        ("packed block sizes", b"\x08\x02\x22\x01\x01"),
        ("a field nobody knows", b"\x08\x02\x48\x01"),
        ("a size in two bytes that fits one", b"\x08\x02\x18\x81\x00"),
        ("a size of ten bytes", b"\x08\x02\x18" + b"\xff" * 9 + b"\x01"),
        ("a time one byte too long", b"\x08\x02\x42\x11" + bytes(17)),
        ("data past the end", b"\x08\x02\x12\x01"),
    ],
)
def test_med_9_refuses_what_is_not_canonical(name: str, data: bytes) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_unixfs(data)
    assert caught.value.rule == "MED-9", name


def test_med_9_takes_a_time_at_the_limit() -> None:
    assert decode_unixfs(b"\x08\x02\x42\x10" + bytes(16)).time == bytes(16)
