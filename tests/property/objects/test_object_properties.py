"""Laws that hold for every object, whatever its kind."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hitp2p.codec.dagcbor import Profile, decode_object, encode
from hitp2p.errors import InvalidError
from hitp2p.objects.contribution import Contribution
from hitp2p.objects.envelope import SignedObject, parse_object, verify_object
from hitp2p.objects.identity import IdentityEvent
from hitp2p.objects.kinds import KINDS
from hitp2p.objects.project import Project
from hitp2p.testing.strategies import bodies, signed_objects


@pytest.mark.parametrize("kind", [*KINDS, "x-own"])
def test_objects_of_every_kind_are_drawn_and_read_back(kind: str) -> None:
    @settings(max_examples=30)
    @given(signed_objects(kind))
    def reads_back(obj: SignedObject) -> None:
        again = verify_object(obj.block, cid=obj.cid)
        assert (again.cid, again.body, again.refs) == (obj.cid, obj.body, obj.refs)
        assert again.kind == kind

    reads_back()


@given(signed_objects(), st.integers(min_value=0), st.integers(1, 255))
def test_obj_6_any_changed_byte_is_noticed(obj: SignedObject, position: int, mask: int) -> None:
    data = bytearray(obj.block)
    data[position % len(data)] ^= mask
    with pytest.raises(InvalidError):
        verify_object(bytes(data))


@given(signed_objects(), st.integers(min_value=0), st.binary(max_size=3))
def test_a_cut_or_longer_block_is_noticed(obj: SignedObject, length: int, more: bytes) -> None:
    changed = obj.block[: length % len(obj.block)] + more
    assume(changed != obj.block)
    with pytest.raises(InvalidError):
        verify_object(changed)


@given(st.binary(max_size=300))
def test_random_bytes_raise_invalid_error_only(data: bytes) -> None:
    with pytest.raises(InvalidError):
        parse_object(data)


@given(signed_objects(), st.data())
def test_random_values_in_an_envelope_raise_invalid_error_only(
    obj: SignedObject, data: st.DataObject
) -> None:
    fields: Any = decode_object(obj.block)
    where = data.draw(st.sampled_from([fields, fields["body"]]))
    name = data.draw(st.sampled_from(sorted(where) or ["new"]))
    leaf = st.none() | st.booleans() | st.integers(-2, 2**53) | st.text("ab", max_size=3)
    where[name] = data.draw(leaf | st.lists(leaf, max_size=2) | st.dictionaries(st.text("a"), leaf))
    refusal = _refusal(encode(fields, profile=Profile.OBJECT))
    assert refusal is None or (refusal.rule and refusal.cid is not None)


def _refusal(block: bytes) -> InvalidError | None:
    try:
        parse_object(block)
    except InvalidError as error:
        return error
    return None


@given(signed_objects())
def test_links_and_refs_are_those_of_the_block(obj: SignedObject) -> None:
    assert list(obj.links) == list(dict.fromkeys(_links(decode_object(obj.block))))
    assert set(obj.required) <= set(obj.links)
    for ref in obj.refs:
        assert str(ref).encode() in obj.block


def _links(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [link for item in value.values() for link in _links(item)]
    if isinstance(value, list):
        return [link for item in value for link in _links(item)]
    return [value] if type(value).__name__ == "Cid" else []


@given(signed_objects())
def test_an_object_is_copied_and_pickled_as_its_block(obj: SignedObject) -> None:
    for again in (copy.copy(obj), copy.deepcopy(obj), pickle.loads(pickle.dumps(obj))):
        assert again == obj
        assert again.body == obj.body
        assert hash(again) == hash(obj)


@pytest.mark.parametrize(
    ("kind", "typed"),
    [("contribution", Contribution), ("project", Project)],
    ids=["contribution", "project"],
)
def test_typed_bodies_give_known_fields_back(kind: str, typed: Any) -> None:
    @given(bodies(kind))
    def gives_back(body: dict[str, Any]) -> None:
        assert typed.from_body(body).to_body() == _known(body, KINDS[kind].body)

    gives_back()


@given(signed_objects("identity"))
def test_typed_identity_events_give_known_fields_back(obj: SignedObject) -> None:
    assert isinstance(obj.content, IdentityEvent)
    assert obj.content.to_body() == obj.body


def _known(value: Any, shape: Any) -> Any:
    """Without the unknown fields, which typed bodies leave out."""
    fields = getattr(shape, "fields", None)
    if fields is not None:
        return {name: _known(item, fields[name]) for name, item in value.items() if name in fields}
    entry = getattr(shape, "entry", None)
    if entry is None:
        return value
    if isinstance(value, list):
        return [_known(item, entry) for item in value]
    return {name: _known(item, entry) for name, item in value.items()}
