"""The quick route through one object or one trail says nothing that the rules don't."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spec_vectors import load_all
from trail_maker import Person

from hitp2p.codec import fast
from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.codec.dagcbor import Profile, decode_reference, encode
from hitp2p.errors import InvalidError, MissingBlocksError
from hitp2p.keys.ed25519 import SigningKey
from hitp2p.objects import envelope
from hitp2p.objects.envelope import SignedObject, parse_object, sign_object
from hitp2p.objects.kinds import KINDS
from hitp2p.objects.quick import QUICK_KINDS, is_surely_right
from hitp2p.testing.strategies import signed_objects, trails
from hitp2p.trail import check
from hitp2p.trail.check import verify_in_trail

SLOTS = ("cid", "block", "kind", "time", "signer", "author", "event", "project", "parents",
         "object_class")  # fmt: skip
DECODERS = [False, *([True] if fast.available else [])]


@pytest.fixture(params=DECODERS, ids=lambda on: "libipld" if on else "reference")
def accelerated(request: pytest.FixtureRequest) -> Iterator[bool]:
    """Each test runs with every decoder that is installed."""
    with fast.forced(request.param) if fast.available else nullcontext():
        yield request.param


def quickly(block: bytes, *, whole: bool = False) -> SignedObject | None:
    return envelope._parse_quickly(block, Cid.of(DAG_CBOR, block), whole=whole)


def by_rules(block: bytes) -> SignedObject | str:
    """The object, or the rule that it breaks."""
    try:
        return envelope._parse_by_rules(block, Cid.of(DAG_CBOR, block))
    except InvalidError as error:
        return error.rule


def agrees(block: bytes) -> bool:
    """Whether the quick route had an answer, which then is that of the rules; likewise where the body is kept."""
    found = [quick for whole in (False, True) if (quick := quickly(block, whole=whole)) is not None]
    for quick in found:
        compare(quick, by_rules(block))
    return bool(found)


def compare(quick: SignedObject, slow: SignedObject | str) -> None:
    block = quick.block
    assert isinstance(slow, SignedObject), slow
    for name in SLOTS:
        assert getattr(quick, name) == getattr(slow, name), name
        assert type(getattr(quick, name)) is type(getattr(slow, name)), name
    assert parse_object(block).body == slow.body
    assert envelope._uses_here(quick.body) == envelope._uses_here(slow.body)


@pytest.mark.parametrize("kind", sorted(QUICK_KINDS))
def test_what_passes_quickly_passes_by_the_rules(kind: str, accelerated: bool) -> None:
    @settings(max_examples=20)
    @given(signed_objects(kind))
    def passes(obj: SignedObject) -> None:
        agrees(obj.block)

    passes()


def test_common_objects_need_no_rules(accelerated: bool) -> None:
    ana = Person("Ana")
    project = ana.project()
    first = ana.work(project, "first", tags=["a", "b"], license="CC0-1.0")
    uses = [{"work": str(first.cid), "relation": "remix"}]
    second = ana.work(project, "zw\u00f6lf", parents=[first], uses=uses, note="a\nb")
    comment = ana.sign("comment", {"target": {"object": str(first.cid)}, "text": "Good"})
    assert all(agrees(obj.block) for obj in (first, second, comment))


@pytest.mark.parametrize("kind", [*sorted(KINDS.keys() - QUICK_KINDS), "x-own"])
def test_other_kinds_are_left_to_the_rules(kind: str, accelerated: bool) -> None:
    @settings(max_examples=5)
    @given(signed_objects(kind))
    def is_left(obj: SignedObject) -> None:
        assert quickly(obj.block) is None

    is_left()


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2**53)
    | st.text(max_size=3)
    | st.binary(max_size=3)
    | st.sampled_from([b"\x01" + bytes(31), b"\x12 " + bytes(32), bytes(32), bytes(64)])
    | st.binary(max_size=2).map(lambda data: Cid.of(DAG_CBOR, data))
)
ANYTHING = (
    LEAVES | st.lists(LEAVES, max_size=2) | st.dictionaries(st.text("ab"), LEAVES, max_size=2)
)


def containers(value: Any) -> list[Any]:
    """The maps and lists in a value, itself included."""
    inner = list(value.values()) if isinstance(value, dict) else value
    found = [value]
    for item in inner:
        if isinstance(item, dict | list):
            found += containers(item)
    return found


@settings(max_examples=150)
@given(signed_objects(), st.data())
def test_what_was_changed_anywhere_passes_only_as_by_the_rules(
    obj: SignedObject, data: st.DataObject
) -> None:
    fields: Any = decode_reference(obj.block, profile=Profile.OBJECT)
    where = data.draw(st.sampled_from(containers(fields)))
    known = sorted(where) if isinstance(where, dict) else list(range(len(where)))
    act = data.draw(st.sampled_from(["put", "drop", "add"])) if known else "add"
    if act == "add" and isinstance(where, list):
        where.append(data.draw(st.sampled_from(where) | ANYTHING) if where else None)
    elif act == "add":
        name = st.sampled_from(["project", "note_block", "uses", "name", "part"]) | st.text("ab")
        where[data.draw(name)] = data.draw(ANYTHING)
    elif act == "drop":
        del where[data.draw(st.sampled_from(known))]
    else:
        where[data.draw(st.sampled_from(known))] = data.draw(ANYTHING)
    block = encode(fields, profile=Profile.OBJECT)
    for on in DECODERS:
        with fast.forced(on) if fast.available else nullcontext():
            agrees(block)


@settings(max_examples=100)
@given(signed_objects(), st.integers(min_value=0), st.integers(1, 255))
def test_a_changed_byte_passes_only_as_by_the_rules(
    obj: SignedObject, position: int, mask: int
) -> None:
    block = bytearray(obj.block)
    block[position % len(block)] ^= mask
    for on in DECODERS:
        with fast.forced(on) if fast.available else nullcontext():
            agrees(bytes(block))


def test_no_invalid_vector_passes_quickly(accelerated: bool) -> None:
    wrong = [
        vector
        for file in ("objects.json", "identity.json")
        for vector in load_all(file)
        if vector.check == "object" and vector.expect == "invalid"
    ]
    assert len(wrong) > 200
    for vector in wrong:
        if isinstance(by_rules(vector.data), str):  # else it is its name or signature that is wrong
            assert quickly(vector.data) is None, vector.id


@pytest.mark.parametrize("value", [None, 1, [], {}, {"kind": []}, {"kind": "contribution"}])
def test_what_is_no_object_is_not_surely_right(value: Any) -> None:
    assert not is_surely_right(value, links_are_bytes=True)
    assert not is_surely_right(value, links_are_bytes=False)


# --- what is signed -------------------------------------------------------------------------------
KEY = SigningKey.from_seed(bytes(32))


def signed(obj: SignedObject, body: dict[str, Any], on: bool, *, keep_body: bool) -> Any:
    """What signing such an object with this body gives: all of it, or the error."""
    with fast.forced(on):
        try:
            made = sign_object(
                kind=obj.kind,
                body=body,
                signer=KEY,
                time=obj.time,
                author=obj.author,
                event=obj.event,
                project=obj.project,
                parents=obj.parents,
                keep_body=keep_body,
            )
        except Exception as error:
            return type(error), str(error)
    kept = made._body is not None
    return made.block, made.uses_here, made.body, kept, [getattr(made, name) for name in SLOTS]


@pytest.mark.skipif(not fast.available, reason="libipld isn't installed")
@pytest.mark.parametrize("keep_body", [False, True])
@pytest.mark.parametrize("kind", [*sorted(KINDS), "x-own"])
def test_signing_gives_the_same_with_and_without_libipld(kind: str, keep_body: bool) -> None:
    @settings(max_examples=10)
    @given(signed_objects(kind))
    def same(obj: SignedObject) -> None:
        quick, slow = (signed(obj, obj.body, on, keep_body=keep_body) for on in (True, False))
        assert quick == slow

    same()


@pytest.mark.skipif(not fast.available, reason="libipld isn't installed")
@settings(max_examples=200)
@given(signed_objects(), st.data())
def test_signing_what_was_changed_anywhere_gives_the_same_with_and_without_libipld(
    obj: SignedObject, data: st.DataObject
) -> None:
    body = obj.body
    where = data.draw(st.sampled_from(containers(body)))
    known = sorted(where) if isinstance(where, dict) else list(range(len(where)))
    odd = ANYTHING | st.sampled_from([(), ("a",), 1.0, bytes(cid_of(b"")), cid_of(b""), "\ud800"])
    if known:
        where[data.draw(st.sampled_from(known))] = data.draw(odd)
    else:
        body["title"] = data.draw(odd)
    assert signed(obj, body, True, keep_body=True) == signed(obj, body, False, keep_body=True)


@pytest.mark.skipif(not fast.available, reason="libipld isn't installed")
def test_common_works_are_signed_without_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelope, "_parse", None)
    ana, project_cid = cid_of(b"Ana"), cid_of(b"project")
    uses = [{"work": str(project_cid), "relation": "remix"}]
    made = sign_object(
        kind="contribution",
        body={"title": "zw\u00f6lf", "uses": uses, "tags": ["a"]},
        signer=KEY,
        time=1,
        author=ana,
        event=ana,
        project=project_cid,
        parents=[project_cid],
    )
    assert made.uses_here == (str(project_cid),)


def cid_of(data: bytes) -> Cid:
    return Cid.of(DAG_CBOR, data)


# --- in a trail -----------------------------------------------------------------------------------
def judged(obj: SignedObject, known: dict[Cid, SignedObject]) -> str:
    try:
        verify_in_trail(obj, known.get)
    except (InvalidError, MissingBlocksError) as error:
        return f"{type(error).__name__} {error}"
    return "fits"


@settings(max_examples=100)
@given(trails(), st.data())
def test_a_trail_is_judged_quickly_as_by_the_rules(
    objects: list[SignedObject], data: st.DataObject
) -> None:
    known = {obj.cid: obj for obj in objects}
    if data.draw(st.booleans()):
        del known[data.draw(st.sampled_from(objects)).cid]
    works = [obj for obj in objects if obj.kind == "contribution"]
    for work in works:
        fields: Any = decode_reference(work.block, profile=Profile.OBJECT)
        other = data.draw(st.sampled_from(objects))
        name = data.draw(st.sampled_from(["author", "event", "project", "parents", "uses", ""]))
        if name == "parents":
            others = {other.cid, data.draw(st.sampled_from(objects)).cid}
            fields["parents"] = sorted(others)
        elif name == "uses":
            fields["body"]["uses"] = [{"work": str(other.cid), "relation": "remix"}]
        elif name:
            fields[name] = other.cid
        changed = parse_object(encode(fields, profile=Profile.OBJECT))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(check, "_surely_fits", lambda _obj, _lookup: False)
            slowly = judged(changed, known)
        assert judged(changed, known) == slowly


def test_works_among_works_need_no_rules() -> None:
    ana = Person("Ana")
    project = ana.project()
    first = ana.work(project, "first")
    second = ana.work(project, "second", parents=[first])
    known = {obj.cid: obj for obj in (ana.genesis, project, first, second)}
    assert check._surely_fits(first, known.get)
    assert check._surely_fits(second, known.get)
    del known[first.cid]
    assert not check._surely_fits(second, known.get)
