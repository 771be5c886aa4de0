"""What is seen of a contribution at one glance is what the rules read, and what they refuse is not seen."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spec_vectors import load_all
from trail_maker import Person

from hitp2p.codec.cid import DAG_CBOR, DAG_PB, RAW, Cid
from hitp2p.codec.dagcbor import Profile, decode_reference, encode
from hitp2p.errors import InvalidError
from hitp2p.objects import envelope, glance
from hitp2p.objects.envelope import SignedObject, parse_object
from hitp2p.objects.kinds import KINDS
from hitp2p.testing.strategies import signed_objects

SEE = glance._make_see()
ANA = Person("Ana")
PROJECT = ANA.project()
FIRST, OTHER = (ANA.work(PROJECT, title) for title in ("first", "other"))
ENTRY: dict[str, Any] = {
    "file": Cid.of(RAW, b"1"),
    "size": 70_000,
    "sha256": b"\x01" + bytes(31),
    "type": "audio/ogg",
    "role": "master",
}
RICH: dict[str, Any] = {
    "title": "A title of more than twenty-three bytes",
    "media": [
        ENTRY | {"name": "take.ogg", "alt": "A drum"},
        ENTRY
        | {
            "file": Cid.of(DAG_PB, b"1"),
            "size": 2**32,
            "essence": {"algorithm": "ogg-packets", "digest": b"\x12 " + bytes(30)},
        },
    ],
    "uses": [
        {
            "work": str(FIRST.cid),
            "relation": "remix",
            "part": "t=1,2",
            "note": f"dworkx;{OTHER.cid}"[:63],
        },
        {"work": str(OTHER.cid), "relation": "inspired-by", "into": "t=5"},
    ],
    "credits": [
        {"who": str(ANA.genesis.cid), "role": "prf"},
        {"who": str(ANA.genesis.cid), "role": "mus", "name": "A.", "part": "t=1"},
        {"name": "Bo", "role": "cmp"},
    ],
    "license": "CC-BY-SA-4.0 OR MIT",
    "tags": ["drum", "loop"],
    "language": ["en"],
    "note": "Short",
    "made_with_ai": "part",
}


def work(body: dict[str, Any]) -> bytes:
    parents = sorted((FIRST.cid, OTHER.cid))
    fields = decode_reference(ANA.work(PROJECT, "x", parents=[FIRST]).block)
    assert isinstance(fields, dict)
    return encode(fields | {"body": body, "parents": list(parents)}, profile=Profile.OBJECT)


def agrees(block: bytes) -> bool:
    """Whether the block was seen, and then the same as the rules read."""
    seen = SEE(block)
    if seen is None:
        return False
    fields, uses_here = seen
    cid = Cid.of(DAG_CBOR, block)
    quick = SignedObject(cid, block, fields, KINDS["contribution"].object_class)
    slow = envelope._parse_by_rules(block, cid)
    for name in ("kind", "time", "signer", "author", "event", "project", "parents", "object_class"):
        assert getattr(quick, name) == getattr(slow, name), name
        assert type(getattr(quick, name)) is type(getattr(slow, name)), name
    assert uses_here == envelope._uses_here(slow.body)
    assert quick.body == slow.body
    return True


def test_a_work_with_many_fields_is_seen() -> None:
    assert agrees(work(RICH))


@pytest.mark.parametrize("dropped", [name for name in RICH if name != "title"])
def test_a_work_without_a_field_is_seen(dropped: str) -> None:
    assert agrees(work({name: value for name, value in RICH.items() if name != dropped}))


def test_the_least_work_is_seen() -> None:
    assert agrees(ANA.work(PROJECT, "x").block)


@pytest.mark.parametrize("size", [0, 23, 24, 255, 256, 65_535, 65_536, 2**32 - 1, 2**53 - 1])
def test_each_form_of_an_integer_is_seen(size: int) -> None:
    assert agrees(work(RICH | {"media": [ENTRY | {"size": size}]}))


@pytest.mark.parametrize("length", [1, 23, 24, 63])
def test_each_length_of_a_short_text_is_seen(length: int) -> None:
    assert agrees(work(RICH | {"title": "d" * length}))


@pytest.mark.parametrize("number", [1, 2, 23])
def test_short_lists_are_seen(number: int) -> None:
    assert agrees(work(RICH | {"credits": [{"name": "Bo", "role": "cmp"}] * number}))


@pytest.mark.parametrize(
    "body",
    [
        RICH | {"title": "d" * 64},
        RICH | {"title": "zw\u00f6lf"},
        RICH | {"credits": [{"name": "Bo", "role": "cmp"}] * 24},
        RICH | {"uses": [{"source": {"title": "x"}, "relation": "remix"}]},
        RICH | {"own": 1},
        RICH | {"tags": ["a", "note"]},
    ],
)
def test_what_is_right_but_rare_is_left_to_others(body: dict[str, Any]) -> None:
    block = work(body)
    assert SEE(block) is None
    assert parse_object(block).kind == "contribution"


@pytest.mark.parametrize(
    "body",
    [
        RICH | {"license": "MIT OR"},
        RICH | {"tags": ["a", "a"]},
        RICH | {"tags": []},
        RICH | {"language": ["e"]},
        RICH | {"uses": [{"relation": "remix"}]},
        RICH | {"credits": [{"role": "prf"}]},
        RICH | {"media": [ENTRY | {"name": ".."}]},
        RICH | {"media": [ENTRY | {"name": "a/b"}]},
        RICH | {"media": [ENTRY | {"type": "audio"}]},
        RICH | {"note": "x", "note_block": Cid.of(RAW, b"1")},
    ],
)
def test_what_a_rule_refuses_is_not_seen(body: dict[str, Any]) -> None:
    assert SEE(work(body)) is None


def test_a_changed_byte_is_seen_only_as_the_rules_read_it() -> None:
    block = work(RICH)
    found = {True: 0, False: 0}
    for position, byte in enumerate(block):
        for other in {byte ^ 1 << bit for bit in range(8)} | {byte - 1 & 255, byte + 1 & 255}:
            changed = block[:position] + bytes((other,)) + block[position + 1 :]
            found[agrees(changed)] += 1
    assert min(found.values()) > 1000


def test_bytes_that_are_missing_or_too_many_are_seen_only_as_the_rules_read_them() -> None:
    block = work(RICH)
    for position in range(len(block)):
        assert not agrees(block[:position] + block[position + 1 :])
        assert not agrees(block[:position] + block[position : position + 1] + block[position:])


LEAVES = st.sampled_from(
    [None, True, 0, -1, 2**53, "", "a", "\n", "dworkx;", b"", bytes(32), bytes(64), FIRST.cid]
) | st.text(max_size=3)
ANYTHING = (
    LEAVES | st.lists(LEAVES, max_size=2) | st.dictionaries(st.text("ab"), LEAVES, max_size=2)
)


def containers(value: Any) -> list[Any]:
    """The maps and lists in a value, itself included."""
    found = [value]
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, dict | list):
            found += containers(item)
    return found


@settings(max_examples=150)
@given(st.data())
def test_what_was_changed_anywhere_is_seen_only_as_the_rules_read_it(data: st.DataObject) -> None:
    fields: Any = decode_reference(work(RICH), profile=Profile.OBJECT)
    for _ in range(data.draw(st.integers(1, 3))):
        where = data.draw(st.sampled_from(containers(fields)))
        known = sorted(where) if isinstance(where, dict) else list(range(len(where)))
        act = data.draw(st.sampled_from(["put", "drop", "copy"])) if known else "add"
        if act == "drop":
            del where[data.draw(st.sampled_from(known))]
        elif act == "put":
            where[data.draw(st.sampled_from(known))] = data.draw(ANYTHING)
        elif isinstance(where, list):
            where.append(where[data.draw(st.sampled_from(known))] if known else None)
        else:
            name = st.sampled_from(["project", "source", "name", "part", "note", "alt", "call"])
            where[data.draw(name)] = data.draw(ANYTHING)
    agrees(encode(fields, profile=Profile.OBJECT))


@settings(max_examples=100)
@given(signed_objects("contribution"))
def test_what_is_seen_passes_by_the_rules(obj: SignedObject) -> None:
    agrees(obj.block)


def test_no_other_kind_and_no_invalid_vector_is_seen() -> None:
    wrong = [
        vector.data
        for file in ("objects.json", "identity.json")
        for vector in load_all(file)
        if vector.check == "object" and vector.expect == "invalid"
    ]
    assert len(wrong) > 200
    for block in [*wrong, ANA.genesis.block, PROJECT.block, b""]:
        try:
            envelope._parse_by_rules(block, Cid.of(DAG_CBOR, block))
        except InvalidError:
            assert SEE(block) is None
    assert SEE(PROJECT.block) is None


def test_glances_begin_once_many_works_were_met(monkeypatch: pytest.MonkeyPatch) -> None:
    block = work(RICH)
    monkeypatch.setattr(glance, "_see", None)
    monkeypatch.setattr(glance, "_met", iter(range(511, 520)))
    assert glance.see_contribution(block) is None
    seen, again = glance.see_contribution(block), glance.see_contribution(block)
    assert seen is not None
    assert again is not None
    assert seen[1] == again[1] == (str(FIRST.cid), str(OTHER.cid))
