"""Laws of the codec: one spelling a value, the accelerator never disagrees, foreign bytes raise nothing but `DecodeError`."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from hashlib import blake2b
from itertools import pairwise
from typing import Any, TypeVar

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from hitp2p.codec import fast
from hitp2p.codec.car import CarBlock, CarReader, CarWriter
from hitp2p.codec.cid import DAG_CBOR, DAG_PB, RAW, Cid
from hitp2p.codec.dagcbor import Profile, decode, decode_object, decode_reference, encode
from hitp2p.codec.varint import encode_varint
from hitp2p.errors import DecodeError

T = TypeVar("T")

object_links = st.builds(
    Cid.of, st.sampled_from([DAG_CBOR, RAW, DAG_PB]), st.integers(0, 3).map(lambda n: bytes([n]))
)
any_cids = (
    object_links
    | st.binary(min_size=32, max_size=32).map(lambda digest: Cid.from_bytes(b"\x12\x20" + digest))
    | st.builds(
        lambda codec, code, digest: Cid.from_bytes(
            b"\x01" + encode_varint(codec) + encode_varint(code) + bytes([len(digest)]) + digest
        ),
        st.integers(0, 2**63 - 1),
        st.integers(0, 2**63 - 1),
        st.binary(max_size=64),
    )
)
# Bytes that libipld takes for a CID, or nearly.
cid_like = any_cids.map(bytes) | st.binary(max_size=3).map(
    lambda tail: bytes(Cid.of(RAW, b"")) + tail
)
texts = st.text(max_size=30)
keys = st.text(max_size=9) | st.text(min_size=20, max_size=30).filter(
    lambda key: len(key.encode()) <= 64
)


def containers(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(children, max_size=5) | st.dictionaries(keys, children, max_size=5)


object_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | texts
    | st.binary(max_size=70)
    | object_links,
    containers,
    max_leaves=25,
)
plain_floats = st.floats(allow_nan=False, allow_infinity=False).map(lambda x: x + 0.0)
ipld_values = st.recursive(
    object_values | st.integers(-(2**64), 2**64 - 1) | plain_floats | any_cids | cid_like,
    containers,
    max_leaves=15,
)


def attempt(read: Callable[[], T]) -> T | DecodeError:
    """What `read` gives; a `DecodeError`, and no other, is an answer as well."""
    try:
        return read()
    except DecodeError as error:
        return error


def outcome(data: bytes, profile: Profile, *, accelerated: bool) -> str:
    """The value with the type of every part, or the broken rule and its place."""
    try:
        with fast.forced(accelerated) if fast.available else nullcontext():
            return repr(decode(data, profile=profile))
    except DecodeError as error:
        return f"{error.rule} at {error.offset}"


@given(object_values)
def test_objects_survive_the_round_trip(value: Any) -> None:
    data = encode(value, profile=Profile.OBJECT)
    assert decode_object(data) == value
    assert encode(value) == data


@given(ipld_values)
def test_ipld_values_survive_the_round_trip(value: Any) -> None:
    data = encode(value)
    assert repr(decode_reference(data)) == repr(decode_reference(encode(decode_reference(data))))
    assert decode_reference(data) == value


@given(st.binary(max_size=60))
@example(b"\xa1\x60\xd8\x2a\x58\x25\x00" + bytes(Cid.of(RAW, b"")))
def test_random_bytes_decode_to_something_that_encodes_to_them_or_raise(data: bytes) -> None:
    for profile in Profile:
        value = attempt(partial(decode, data, profile=profile))
        if isinstance(value, DecodeError):
            assert value.rule.startswith("ENC-")
            assert value.offset is not None
            assert 0 <= value.offset <= len(data)
        else:
            assert encode(value, profile=profile) == data


@given(object_values, st.integers(0), st.integers(1, 255))
def test_any_changed_byte_gives_another_value_or_an_error(
    value: Any, position: int, mask: int
) -> None:
    data = bytearray(encode(value))
    data[position % len(data)] ^= mask
    try:
        changed = decode_object(bytes(data))
    except DecodeError:
        return
    assert encode(changed) == data != encode(value)


@given(object_values, st.integers(0), st.binary(min_size=1, max_size=3))
def test_a_block_cut_short_or_with_bytes_behind_it_is_refused(
    value: Any, position: int, tail: bytes
) -> None:
    data = encode(value)
    for wrong in (data[: position % len(data)], data + tail):
        with pytest.raises(DecodeError):
            decode_object(wrong)


@st.composite
def mutated_blocks(draw: st.DrawFn) -> bytes:
    """A block with a few edits, each of a kind that tries the edges of the format."""
    data = bytearray(encode(draw(ipld_values)))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(data)))
        match draw(st.integers(0, 4)):
            case 0:
                data[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
            case 1:
                data[at:at] = draw(st.binary(max_size=3) | cid_like)
            case 2:
                del data[at : at + draw(st.integers(1, 4))]
            case 3:
                data[at:at] = encode(draw(ipld_values))
            case _:
                data[at:at] = bytes([draw(st.sampled_from([0x18, 0x58, 0x78, 0x81, 0xA1, 0xD8]))])
    return bytes(data)


@pytest.mark.skipif(not fast.available, reason="the extra `fast` is not installed")
@given(mutated_blocks())
@example(encode(bytes(Cid.of(RAW, b""))))
@example(encode([b"\x01" * 64, b"\x12" * 64]))
@example(encode([bytes.fromhex("0155001c") + bytes(28)]))
@example(bytes.fromhex("d82a582600") + bytes(Cid.of(RAW, b"")) + b"\0")
def test_the_accelerator_gives_the_verdict_and_value_of_the_reference(data: bytes) -> None:
    assert outcome(data, Profile.OBJECT, accelerated=True) == outcome(
        data, Profile.OBJECT, accelerated=False
    )
    value = fast.decode_object(data)
    if value is not fast.UNDECIDED:
        assert repr(value) == repr(decode_reference(data, profile=Profile.OBJECT))


@pytest.mark.skipif(not fast.available, reason="the extra `fast` is not installed")
def test_the_accelerator_decides_for_an_ordinary_object_and_can_be_switched() -> None:
    value: Any = {
        "sig": b"\x80" * 64,
        "author": Cid.of(DAG_CBOR, b""),
        "time": 1,
        "body": {"a": [True]},
    }
    data = encode(value)
    assert fast.decode_object(data) == value
    before = fast.is_enabled()
    with fast.forced(False):
        assert not fast.is_enabled()
        assert decode_object(data) == value
    assert fast.is_enabled() == before


@given(any_cids)
def test_cids_have_one_spelling_as_bytes_and_one_as_text(cid: Cid) -> None:
    assert Cid.from_bytes(bytes(cid)) == cid
    assert Cid.parse(str(cid)) == cid


@given(cid_like | st.binary(max_size=50))
def test_bytes_are_a_cid_only_as_that_cid_writes_them(raw: bytes) -> None:
    cid = attempt(lambda: Cid.from_bytes(raw))
    if isinstance(cid, DecodeError):
        assert cid.rule == "ENC-14"
    else:
        assert bytes(cid) == raw
        assert len(cid.digest) <= 64


@given(any_cids, st.integers(0), st.characters() | st.sampled_from("abz234567"))
def test_text_is_a_cid_only_as_that_cid_prints_it(cid: Cid, position: int, char: str) -> None:
    text = str(cid)
    at = position % len(text)
    for changed in (text[:at] + char + text[at + 1 :], text[:at] + char + text[at:], text[:at]):
        found = attempt(partial(Cid.parse, changed))
        if isinstance(found, DecodeError):
            assert found.rule == "ENC-15"
        else:
            assert str(found) == changed


@given(st.lists(any_cids))
def test_cids_are_ordered_by_their_bytes(cids: list[Cid]) -> None:
    assert [bytes(cid) for cid in sorted(cids)] == sorted(map(bytes, cids))


def name(data: bytes, kind: int) -> Cid:
    digest = blake2b(data, digest_size=32).digest()
    return [
        Cid.of(RAW, data),
        Cid.of(0x0129, data),
        Cid.from_bytes(b"\x12\x20" + Cid.of(RAW, data).digest),
        Cid.from_bytes(b"\x01\x55\xa0\xe4\x02\x20" + digest),
        Cid.from_bytes(b"\x01\x55\x00" + bytes([len(data[:64])]) + data[:64]),
    ][kind if kind < 4 or len(data) <= 64 else 0]


car_blocks = st.lists(
    st.builds(
        lambda data, kind: CarBlock(name(data, kind), data, True),
        st.binary(max_size=200),
        st.integers(0, 4),
    ),
    max_size=6,
)


def write_car(blocks: list[CarBlock]) -> bytes:
    out = io.BytesIO()
    writer = CarWriter(out, [Cid.of(RAW, b"")])
    for block in blocks:
        writer.write(block.cid, block.data)
    return out.getvalue()


@given(car_blocks, st.lists(st.integers(0, 1500), max_size=8))
def test_a_car_gives_the_same_blocks_however_it_is_cut(
    blocks: list[CarBlock], cuts: list[int]
) -> None:
    data = write_car(blocks)
    edges = [0, *sorted(cuts), len(data)]
    pieces = [data[a:b] for a, b in pairwise(edges)]
    assert list(CarReader(pieces)) == blocks
    assert list(CarReader(io.BytesIO(data))) == blocks


@given(car_blocks, st.integers(0), st.integers(1, 255))
def test_any_changed_byte_of_a_car_is_noticed(
    blocks: list[CarBlock], position: int, mask: int
) -> None:
    """It either is refused, or names other roots, or no longer can be checked."""
    data = bytearray(write_car(blocks))
    data[position % len(data)] ^= mask
    try:
        reader = CarReader(io.BytesIO(data))
        found = list(reader)
    except DecodeError:
        return
    if reader.roots == (Cid.of(RAW, b""),):
        changed = [block for block, was in zip(found, blocks, strict=True) if block != was]
        assert len(changed) == 1
        # Another codec, hash function or identity: another CID, so never the old one with other bytes.
        assert changed[0].cid not in {block.cid for block in blocks} or not changed[0].checked


@given(st.binary(max_size=80), st.booleans())
def test_random_bytes_in_place_of_a_car_raise_nothing_but_decode_errors(
    tail: bytes, with_header: bool
) -> None:
    data = write_car([]) + tail if with_header else tail
    verdicts = []
    for pieces in ([data], [data[i : i + 1] for i in range(len(data))]):
        try:
            verdicts.append(repr(list(CarReader(pieces))))
        except DecodeError as error:
            verdicts.append(str(error))
    assert verdicts[0] == verdicts[1]


@given(st.binary(max_size=120))
def test_a_cid_at_the_front_of_bytes_is_found_where_it_ends(data: bytes) -> None:
    try:
        cid, end = Cid.parse_prefix(data)
    except DecodeError:
        return
    assume(end <= len(data))
    assert bytes(cid) == data[:end]
