"""dag-cbor: what is refused, by which rule and at which byte; limits at the limit and one beyond."""

from __future__ import annotations

from collections import UserDict
from collections.abc import Callable
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Any

import pytest

from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.codec.dagcbor import Profile, decode, decode_object, decode_reference, encode
from hitp2p.errors import DecodeError, UsageError
from hitp2p.limits import BLOCK_BYTES, IPLD_DEPTH, MAP_ENTRIES, OBJECT_DEPTH

LINK = Cid.of(DAG_CBOR, b"")
LINK_HEX = "d82a582500" + bytes(LINK).hex()
V0_HEX = "1220" + LINK.digest.hex()

# Each is refused in both profiles. The rule, and the offset where the decoder says that it is broken.
REFUSED: list[tuple[str, str, int]] = [
    # ENC-1: shortest form
    ("1817", "ENC-1", 0),
    ("1900ff", "ENC-1", 0),
    ("1a0000ffff", "ENC-1", 0),
    ("1b00000000ffffffff", "ENC-1", 0),
    ("3800", "ENC-1", 0),
    ("3900ff", "ENC-1", 0),
    ("5801aa", "ENC-1", 0),
    ("780161", "ENC-1", 0),
    ("59000161", "ENC-1", 0),
    ("980100", "ENC-1", 0),
    ("9a0000000100", "ENC-1", 0),
    ("b8016161f6", "ENC-1", 0),
    ("a1780161f6", "ENC-1", 1),
    ("8200780161", "ENC-1", 2),
    ("d82a5800", "ENC-1", 2),
    ("1c", "ENC-1", 0),
    ("1d", "ENC-1", 0),
    ("1e", "ENC-1", 0),
    ("1f", "ENC-1", 0),
    ("3f", "ENC-1", 0),
    ("5c", "ENC-1", 0),
    ("7e", "ENC-1", 0),
    # ENC-2: definite lengths
    ("5f4161ff", "ENC-2", 0),
    ("7f6161ff", "ENC-2", 0),
    ("9f00ff", "ENC-2", 0),
    ("bf6161f6ff", "ENC-2", 0),
    ("a17f6161fff6", "ENC-2", 1),
    ("ff", "ENC-2", 0),
    # ENC-3: map keys
    ("a10000", "ENC-3", 1),
    ("a12000", "ENC-3", 1),
    ("a1416100", "ENC-3", 1),
    ("a18000", "ENC-3", 1),
    ("a1a000", "ENC-3", 1),
    ("a1f600", "ENC-3", 1),
    ("a1" + LINK_HEX + "00", "ENC-3", 1),
    ("a2616200616100", "ENC-3", 4),
    ("a2616100616100", "ENC-3", 4),
    ("a262616100616200", "ENC-3", 5),
    ("a2616100a26062006000", "ENC-3", 4),
    ("a2" + "7818" + "61" * 24 + "00" + "6162" + "00", "ENC-3", 28),
    ("a2" + "7818" + "61" * 24 + "00" + "7818" + "61" * 24 + "00", "ENC-3", 28),
    # ENC-4: tags
    ("c000", "ENC-4", 0),
    ("c249010000000000000000", "ENC-4", 0),
    ("d82b4100", "ENC-4", 0),
    ("d9002a" + LINK_HEX[4:], "ENC-4", 0),
    ("da0000002a" + LINK_HEX[4:], "ENC-4", 0),
    ("db000000000000002a" + LINK_HEX[4:], "ENC-4", 0),
    ("d82a00", "ENC-4", 0),
    ("d82a6100", "ENC-4", 0),
    ("d82ad82a4100", "ENC-4", 0),
    ("d82a40", "ENC-4", 0),
    ("d82a4100", "ENC-4", 4),
    ("d82a4101", "ENC-4", 0),
    ("d82a5824" + bytes(LINK).hex(), "ENC-4", 0),
    ("d82a582600" + bytes(LINK).hex() + "00", "ENC-4", 5),
    ("d82a582400" + bytes(LINK).hex()[:-2], "ENC-4", 5),
    ("d82a582600" + "0171" + "9200" + bytes(LINK).hex()[6:], "ENC-4", 5),
    # ENC-5: floats
    ("f90000", "ENC-5", 0),
    ("f97e00", "ENC-5", 0),
    ("fa00000000", "ENC-5", 0),
    # ENC-6: simple values
    ("e0", "ENC-6", 0),
    ("f3", "ENC-6", 0),
    ("f7", "ENC-6", 0),
    ("f814", "ENC-6", 0),
    ("f8ff", "ENC-6", 0),
    ("fc", "ENC-6", 0),
    ("fe", "ENC-6", 0),
    # ENC-7: UTF-8
    ("61ff", "ENC-7", 0),
    ("62c080", "ENC-7", 0),
    ("63eda080", "ENC-7", 0),
    ("64f4908080", "ENC-7", 0),
    ("7818" + "61" * 23 + "c3", "ENC-7", 0),
    ("a161fff6", "ENC-7", 1),
    ("a1781861" + "61" * 22 + "c3f6", "ENC-7", 1),
    # ENC-8: exactly one item
    ("", "ENC-8", 0),
    ("0000", "ENC-8", 1),
    ("f6ff", "ENC-8", 1),
    ("a0a0", "ENC-8", 1),
    ("18", "ENC-8", 1),
    ("19ff", "ENC-8", 0),
    ("1bffffff", "ENC-8", 0),
    ("61", "ENC-8", 0),
    ("7818", "ENC-8", 0),
    ("4261", "ENC-8", 0),
    ("81", "ENC-8", 0),
    ("8200", "ENC-8", 0),
    ("a16161", "ENC-8", 3),
    ("a1636161", "ENC-8", 1),
    ("a1781861f6", "ENC-8", 1),
    ("d8", "ENC-8", 0),
    ("d82a", "ENC-8", 2),
    ("d82a58", "ENC-8", 3),
    (LINK_HEX[:-2], "ENC-8", 0),
    ("fb00", "ENC-8", 0),
    ("9bffffffffffffffff", "ENC-8", 0),
    ("5bffffffffffffffff", "ENC-8", 0),
    ("7bffffffffffffffff", "ENC-8", 0),
]


@pytest.mark.parametrize(("encoded", "rule", "offset"), REFUSED, ids=[case[0] for case in REFUSED])
def test_enc_1_to_8_refuse_each_wrong_form_at_its_byte(
    encoded: str, rule: str, offset: int
) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_reference(bytes.fromhex(encoded))
    assert (caught.value.rule, caught.value.offset) == (rule, offset)


@pytest.mark.parametrize("encoded", [case[0] for case in REFUSED])
def test_enc_1_to_8_hold_in_the_object_profile_too(encoded: str) -> None:
    with pytest.raises(DecodeError):
        decode_object(bytes.fromhex(encoded))


@pytest.mark.parametrize(
    "bits",
    [
        "7ff8000000000000",
        "fff8000000000000",
        "7ff0000000000001",
        "7ff0000000000000",
        "fff0000000000000",
        "8000000000000000",
    ],
)
def test_enc_5_refuses_nan_infinity_and_negative_zero(bits: str) -> None:
    with pytest.raises(DecodeError, match="ENC-5"):
        decode_reference(bytes.fromhex("fb" + bits))


# The object profile refuses these, the IPLD profile reads them.
NARROWER = [
    ("fb0000000000000000", "ENC-10"),
    ("a16161fb3ff8000000000000", "ENC-10"),
    ("1b8000000000000000", "ENC-11"),
    ("1bffffffffffffffff", "ENC-11"),
    ("3b8000000000000000", "ENC-11"),
    ("3bffffffffffffffff", "ENC-11"),
    ("d82a582300" + V0_HEX, "ENC-16"),
    ("d82a450001551200", "ENC-16"),
    ("d82a58250001711e20" + LINK.digest.hex(), "ENC-16"),
    ("d82a58250001721220" + LINK.digest.hex(), "ENC-16"),
]


@pytest.mark.parametrize(("encoded", "rule"), NARROWER)
def test_enc_10_11_and_16_narrow_the_object_profile_only(encoded: str, rule: str) -> None:
    data = bytes.fromhex(encoded)
    value = decode_reference(data)
    assert encode(value) == data
    with pytest.raises(DecodeError) as caught:
        decode_object(data)
    assert caught.value.rule == rule
    with pytest.raises(UsageError, match=rule):
        encode(value, profile=Profile.OBJECT)


def test_every_kind_of_value_survives_the_round_trip() -> None:
    value: Any = {
        "": None,
        "a": True,
        "b": False,
        "text": "ä" * 200,
        "bytes": bytes(70000),
        "links": [LINK, [], {}],
        "integers": [0, 23, 24, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**63 - 1],
        "negative": [-1, -24, -25, -256, -257, -65536, -65537, -(2**32), -(2**32) - 1, -(2**63)],
        "k" * 24: {"k": {"k": "v"}},
    }
    for profile in Profile:
        data = encode(value, profile=profile)
        assert decode(data, profile=profile) == value
        assert decode_reference(data, profile=profile) == value


def test_keys_are_written_by_length_first_then_by_bytes() -> None:
    value = {"b": 1, "aa": 2, "a": 3, "": 4, "ä": 5, "z" * 30: 6}
    decoded = decode_reference(encode(value))
    assert list(decoded) == ["", "a", "b", "aa", "ä", "z" * 30]  # type: ignore[arg-type]


def nested(levels: int, inner: bytes = b"\x80") -> bytes:
    """`inner` inside `levels - 1` arrays."""
    return b"\x81" * (levels - 1) + inner


BOUNDS = [(Profile.IPLD, IPLD_DEPTH, "ENC-9"), (Profile.OBJECT, OBJECT_DEPTH, "ENC-12")]


@pytest.mark.parametrize(("profile", "levels", "rule"), BOUNDS)
@pytest.mark.parametrize("inner", [b"\x80", b"\xa0", b"\x81\x00", b"\xa1\x60\x00"])
def test_enc_9_and_12_allow_just_so_many_levels_of_arrays_and_maps(
    profile: Profile, levels: int, rule: str, inner: bytes
) -> None:
    data = nested(levels, inner)
    assert encode(decode(data, profile=profile), profile=profile) == data
    with pytest.raises(DecodeError) as caught:
        decode(nested(levels + 1, inner), profile=profile)
    assert (caught.value.rule, caught.value.offset) == (rule, levels)


@pytest.mark.parametrize(("profile", "levels", "rule"), BOUNDS)
def test_enc_9_and_12_count_a_tag_as_a_level(profile: Profile, levels: int, rule: str) -> None:
    data = nested(levels, bytes.fromhex(LINK_HEX))
    assert encode(decode(data, profile=profile), profile=profile) == data
    with pytest.raises(DecodeError, match=rule):
        decode(nested(levels + 1, bytes.fromhex(LINK_HEX)), profile=profile)
    if profile is Profile.IPLD:
        with pytest.raises(DecodeError, match=rule):
            decode(nested(levels + 1, bytes.fromhex("d82a582300" + V0_HEX)), profile=profile)


@pytest.mark.parametrize(("profile", "levels", "rule"), BOUNDS)
@pytest.mark.parametrize("inner", [[], {}, LINK])
def test_enc_9_and_12_bound_what_is_written(
    profile: Profile, levels: int, rule: str, inner: Any
) -> None:
    value = inner
    for _ in range(levels - 1):
        value = [value]
    data = encode(value, profile=profile)
    assert data == nested(levels, encode(inner))
    assert encode(decode(data, profile=profile), profile=profile) == data
    with pytest.raises(UsageError, match=rule):
        encode([value], profile=profile)


def test_leaving_a_deep_container_makes_room_again() -> None:
    deep: Any = []
    for _ in range(OBJECT_DEPTH - 2):
        deep = [deep]
    value = [deep, deep, LINK, {"a": deep[0], "b": LINK}]
    assert decode_reference(encode(value), profile=Profile.OBJECT) == value


def test_enc_9_allows_a_block_of_2_mib_and_not_a_byte_more() -> None:
    head = b"\x5a" + (BLOCK_BYTES - 5).to_bytes(4, "big")
    whole = head + bytes(BLOCK_BYTES - 5)
    for profile in Profile:
        assert decode(whole, profile=profile) == whole[5:]
        assert encode(whole[5:], profile=profile) == whole
        with pytest.raises(DecodeError, match="ENC-9"):
            decode(whole + b"\0", profile=profile)
        with pytest.raises(UsageError, match="ENC-9"):
            encode(whole[4:], profile=profile)


def test_enc_13_allows_256_entries_in_an_object() -> None:
    full: dict[str, int] = {f"{n:03}": n for n in range(MAP_ENTRIES)}
    data = encode(full)
    assert decode_object(data) == full
    assert encode(full, profile=Profile.OBJECT) == data
    more = full | {"more": 1}
    assert decode_reference(encode(more)) == more
    with pytest.raises(DecodeError, match="ENC-13"):
        decode_object(encode(more))
    with pytest.raises(UsageError, match="ENC-13"):
        encode(more, profile=Profile.OBJECT)


@pytest.mark.parametrize("key", ["k" * 64, "😀" * 16, "ä" * 32])
def test_enc_13_allows_keys_of_64_bytes_in_an_object(key: str) -> None:
    assert decode_object(encode({key: 1}, profile=Profile.OBJECT)) == {key: 1}
    longer = {key + "k": 1}
    assert decode_reference(encode(longer)) == longer
    with pytest.raises(DecodeError, match="ENC-13"):
        decode_object(encode(longer))
    with pytest.raises(UsageError, match="ENC-13"):
        encode(longer, profile=Profile.OBJECT)


def itself() -> Any:
    value: list[Any] = []
    value.append(value)
    return value


def itself_in_a_map() -> Any:
    value: dict[str, Any] = {}
    value["self"] = [value]
    return value


def doubling() -> Any:
    """Few bytes of memory, 2^900 bytes as a block."""
    value: Any = "x"
    for _ in range(900):
        value = [value, value]
    return value


UNWRITABLE: list[tuple[str, Callable[[], Any], str]] = [
    ("NaN", lambda: float("nan"), "ENC-5"),
    ("infinity", lambda: [float("-inf")], "ENC-5"),
    ("negative zero", lambda: -0.0, "ENC-5"),
    ("lone surrogate", lambda: "a\ud800b", "ENC-7"),
    ("lone surrogate in a key", lambda: {"\udfff": 1}, "ENC-7"),
    ("lone surrogate in a long key", lambda: {"k" * 30 + "\udfff": 1}, "ENC-7"),
    ("integer key", lambda: {1: 1}, "ENC-3"),
    ("bytes key", lambda: {b"a": 1}, "ENC-3"),
    ("integer above 64 bits", lambda: 1 << 64, "ENC-4"),
    ("integer below 64 bits", lambda: -(1 << 64) - 1, "ENC-4"),
    ("list in itself", itself, "contains itself"),
    ("map in itself", itself_in_a_map, "contains itself"),
    ("doubling", doubling, "ENC-9"),
    ("many times one text", lambda: ["x" * 1_000_000] * 1000, "ENC-9"),
    ("set", lambda: {1, 2}, "set"),
    ("object", object, "object"),
    ("bytearray", lambda: bytearray(b"a"), "bytearray"),
    ("complex", lambda: 1j, "complex"),
]


@pytest.mark.parametrize(
    ("make", "words"), [case[1:] for case in UNWRITABLE], ids=[case[0] for case in UNWRITABLE]
)
@pytest.mark.parametrize("profile", list(Profile))
def test_what_dag_cbor_can_not_hold_is_refused_in_words(
    profile: Profile, make: Callable[[], Any], words: str
) -> None:
    if profile is Profile.OBJECT:
        words = {"ENC-4": "ENC-11", "ENC-5": "ENC-10"}.get(words, words)
        words = "ENC-12" if make is doubling else words
    with pytest.raises(UsageError, match=words) as caught:
        encode(make(), profile=profile)
    assert len(str(caught.value)) < 300


def test_stand_ins_are_written_as_what_they_stand_for() -> None:
    class Word(StrEnum):
        A = "a"

    class Old(str):
        def __str__(self) -> str:
            return "something else"

    class Number(IntEnum):
        ONE = 1

    value: Any = (
        Word.A,
        Old("b"),
        Number.ONE,
        MappingProxyType({Word.A: (1, 2)}),
        UserDict({"k": True}),
    )
    plain: Any = ["a", "b", 1, {"a": [1, 2]}, {"k": True}]
    assert encode(value) == encode(plain)
    assert decode_reference(encode([(i,) for i in range(100_000)])) == [[i] for i in range(100_000)]


def test_buffers_are_decoded_like_bytes() -> None:
    data = encode({"a": b"b", "link": LINK})
    for buffer in (bytearray(data), memoryview(data)):
        assert decode_reference(buffer) == decode_reference(data)  # type: ignore[arg-type]
        assert decode_object(buffer) == decode_reference(data)  # type: ignore[arg-type]
