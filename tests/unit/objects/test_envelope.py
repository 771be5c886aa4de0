"""Parsing, verifying and signing one object."""

from __future__ import annotations

from typing import Any

import pytest
from trail_maker import Person, key_of

from hitp2p import limits
from hitp2p.codec.cid import DAG_CBOR, DAG_PB, RAW, Cid
from hitp2p.codec.dagcbor import Profile, decode_object, encode
from hitp2p.errors import (
    DecodeError,
    InvalidError,
    NewerVersionError,
    RuleError,
    SignatureError,
    UsageError,
)
from hitp2p.keys.ed25519 import OBJECT_DOMAIN
from hitp2p.objects.contribution import Contribution, Credit, Use
from hitp2p.objects.envelope import (
    ObjectClass,
    SignedObject,
    parse_object,
    sign_object,
    verify_object,
    verify_signature,
)
from hitp2p.objects.identity import IdentityEvent
from hitp2p.objects.kinds import KINDS
from hitp2p.objects.project import Project

ANA = Person("Ana")
PROJECT = ANA.project()
VERSE = ANA.work(PROJECT, "Verse")


def resign(obj: SignedObject, **changes: Any) -> bytes:
    """The block with other fields (None takes one out), and a signature that fits."""
    fields: Any = decode_object(obj.block)
    fields |= changes
    fields = {name: value for name, value in fields.items() if value is not None}
    draft = encode(fields, profile=Profile.OBJECT)
    message = bytes((draft[0] - 1,)) + draft[71:]
    return draft[:7] + key_of("Ana 0").sign(OBJECT_DOMAIN, message) + draft[71:]


def rule_of(block: bytes) -> str:
    with pytest.raises(InvalidError) as caught:
        verify_object(block)
    return caught.value.rule


def test_an_object_reads_back_as_it_was_signed() -> None:
    again = verify_object(VERSE.block, cid=VERSE.cid)
    assert again == VERSE
    assert again.cid == Cid.of(DAG_CBOR, again.block)
    assert (again.kind, again.time, again.signer) == (VERSE.kind, VERSE.time, VERSE.signer)
    assert (again.author, again.event) == (ANA.cid, ANA.cid)
    assert (again.project, again.parents) == (PROJECT.cid, (PROJECT.cid,))
    assert again.body == {"title": "Verse"}
    assert again != VERSE.cid


def test_signing_the_same_gives_the_same_object() -> None:
    assert ANA.work(PROJECT, "Verse") == VERSE


def test_parents_are_sorted_and_repeated_ones_dropped() -> None:
    works = [ANA.work(PROJECT, str(number)) for number in range(4)]
    mixed = ANA.work(PROJECT, "Mix", parents=[*reversed(works), works[1]])
    assert mixed.parents == tuple(sorted(work.cid for work in works))


def test_identity_and_project_are_what_an_object_belongs_to() -> None:
    assert ANA.genesis.is_genesis
    assert ANA.genesis.identity == VERSE.identity == ANA.cid
    assert ANA.genesis.project_cid is None
    assert PROJECT.project_cid == VERSE.project_cid == PROJECT.cid
    assert ANA.genesis.required == ()
    assert VERSE.required == (ANA.cid, PROJECT.cid)


@pytest.mark.parametrize(
    ("kind", "object_class"),
    [
        ("identity", ObjectClass.EVENT),
        ("project", ObjectClass.PROJECT),
        ("contribution", ObjectClass.WORK),
        ("rules", ObjectClass.RULES),
        ("comment", ObjectClass.STATEMENT),
    ],
)
def test_a_kind_has_a_class(kind: str, object_class: ObjectClass) -> None:
    assert KINDS[kind].object_class is object_class


def test_content_is_typed_where_there_is_a_type() -> None:
    assert isinstance(ANA.genesis.content, IdentityEvent)
    assert isinstance(PROJECT.content, Project)
    assert isinstance(VERSE.content, Contribution)
    assert VERSE.content is VERSE.content
    comment = ANA.sign("comment", {"target": {"object": str(VERSE.cid)}, "text": "Oh!"})
    content: Any = comment.content
    assert content == comment.body
    with pytest.raises(TypeError):
        content["text"] = "Ah!"


def test_links_are_all_of_the_block_and_refs_those_in_known_fields() -> None:
    page, hidden = Cid.of(DAG_CBOR, b"page"), Cid.of(DAG_PB, b"hidden")
    elsewhere, other = Cid.of(DAG_CBOR, b"elsewhere"), Cid.of(DAG_CBOR, b"other")
    work = ANA.work(
        PROJECT,
        "Song",
        parents=[VERSE],
        credits_pages=[page],
        x_new={"deep": [hidden], "text": str(other)},
        uses=[
            Use(relation="remix", work=VERSE.cid).to_body(),
            Use(relation="sample", work=elsewhere, project=other).to_body(),
        ],
        credits=[Credit(role="cmp", who=ANA.cid).to_body()],
    )
    # In the order of the encoding: shorter names first.
    assert work.links == (hidden, page, ANA.cid, VERSE.cid, PROJECT.cid)
    assert work.refs == (VERSE.cid, elsewhere, other, ANA.cid)


def test_knd_10_an_unknown_kind_is_kept_and_judged_by_its_envelope() -> None:
    body = {"title": 7, "target": {"object": "?", "project": str(PROJECT.cid)}, "empty": []}
    strange = ANA.sign("x-stage", body, project=PROJECT.cid, parents=[PROJECT.cid])
    assert strange.object_class is ObjectClass.UNKNOWN
    assert verify_object(strange.block).body == body
    assert strange.refs == ()
    assert dict(strange.content) == body  # type: ignore[arg-type]
    assert rule_of(resign(strange, project=None)) == "OBJ-9"


def test_unknown_fields_are_kept() -> None:
    work = ANA.work(PROJECT, "Verse", x_mood=["blue", -1, None, {"deep": b"\0"}])
    assert verify_object(work.block).body["x_mood"] == ["blue", -1, None, {"deep": b"\0"}]


def test_obj_2_refuses_more_than_64_kib() -> None:
    def of_size(size: int) -> SignedObject:
        rest = len(ANA.work(PROJECT, "Big", x_new=bytes(60_000)).block) - 60_000
        return ANA.work(PROJECT, "Big", x_new=bytes(size - rest))

    assert len(of_size(limits.OBJECT_BYTES).block) == limits.OBJECT_BYTES
    with pytest.raises(RuleError) as caught:
        of_size(limits.OBJECT_BYTES + 1)
    assert caught.value.rule == "OBJ-2"


def test_obj_3_a_later_version_is_newer_and_not_wrong() -> None:
    with pytest.raises(NewerVersionError) as caught:
        verify_object(resign(VERSE, spec=2, wings=b"two"))
    assert caught.value.rule == "OBJ-3"


def test_obj_6_refuses_a_signature_of_something_else() -> None:
    block = bytearray(VERSE.block)
    block[7:71] = PROJECT.signature
    received = parse_object(bytes(block))  # parsing doesn't look at it
    with pytest.raises(SignatureError) as caught:
        verify_signature(received)
    assert (caught.value.rule, caught.value.cid) == ("OBJ-6", received.cid)


def test_key_1_a_malformed_signature_keeps_its_own_rule() -> None:
    block = VERSE.block[:39] + b"\xff" * 32 + VERSE.block[71:]
    with pytest.raises(SignatureError) as caught:
        verify_object(block)
    assert caught.value.rule == "KEY-1"
    assert caught.value.cid == Cid.of(DAG_CBOR, block)


def test_obj_7_takes_128_parents_and_refuses_129() -> None:
    parents = [Cid.of(DAG_CBOR, bytes((number,))) for number in range(129)]
    full = ANA.sign("x-many", {}, project=PROJECT.cid, parents=parents[:128])
    assert len(full.parents) == 128
    with pytest.raises(RuleError, match="129 parents; at most 128 allowed") as caught:
        ANA.sign("x-many", {}, project=PROJECT.cid, parents=parents)
    assert caught.value.rule == "OBJ-7"


def test_obj_7_refuses_parents_out_of_order_or_twice() -> None:
    mixed = ANA.work(PROJECT, "Mix", parents=[VERSE, ANA.work(PROJECT, "Other")])
    assert rule_of(resign(mixed, parents=[*reversed(mixed.parents)])) == "OBJ-7"
    assert rule_of(resign(mixed, parents=[VERSE.cid, VERSE.cid])) == "OBJ-7"


def test_obj_10_takes_512_references_and_refuses_513() -> None:
    def speak_of(n_refs: int) -> SignedObject:
        links = [Cid.of(RAW, bytes((number % 7,))) for number in range(n_refs - 4)]
        return ANA.work(PROJECT, "Many", x_new=links)  # and author, event, project, parent

    assert len(speak_of(512).links) == 7 + 2
    with pytest.raises(RuleError, match="513") as caught:
        speak_of(513)
    assert caught.value.rule == "OBJ-10"


def test_obj_11_and_car_3_an_object_has_one_name() -> None:
    with pytest.raises(RuleError) as caught:
        parse_object(VERSE.block, cid=Cid.of(RAW, VERSE.block))
    assert caught.value.rule == "OBJ-11"
    with pytest.raises(DecodeError) as mismatch:
        parse_object(VERSE.block, cid=PROJECT.cid)
    assert (mismatch.value.rule, mismatch.value.cid) == ("CAR-3", PROJECT.cid)


@pytest.mark.parametrize("name", ["author", "event", "project", "parents"])
def test_obj_11_envelope_links_name_objects(name: str) -> None:
    file = Cid.of(RAW, b"file")
    assert rule_of(resign(VERSE, **{name: [file] if name == "parents" else file})) == "OBJ-11"


def test_obj_17_and_knd_2_a_target_here_has_one_spelling() -> None:
    own = {"object": str(VERSE.cid), "project": str(PROJECT.cid)}
    place: dict[str, Any] = {"project": PROJECT.cid, "parents": [PROJECT.cid]}
    for kind, body, rule in [
        ("comment", {"target": own, "text": "Oh!"}, "OBJ-17"),
        ("grant", {"work": own}, "OBJ-17"),
        ("dispute", {"target": {"object": own["object"]}, "own": own, "reason": "mine"}, "OBJ-17"),
        ("call", {"title": "Sing", "material": [own]}, "OBJ-17"),
        (
            "contribution",
            {
                "title": "Song",
                "uses": [{"work": own["object"], "project": own["project"], "relation": "remix"}],
            },
            "KND-2",
        ),
    ]:
        with pytest.raises(RuleError) as caught:
            ANA.sign(kind, body, **place)
        assert caught.value.rule == rule
    ANA.sign("comment", {"target": own, "text": "from outside"})


def test_an_error_says_where_what_and_which_object() -> None:
    block = resign(VERSE, body={"title": "Verse", "credits": [{"name": "Bo", "role": "x" * 65}]})
    with pytest.raises(RuleError) as caught:
        verify_object(block)
    assert str(caught.value) == (
        "contribution: credits: entry 0: role: text of 65 bytes; at most 64 allowed "
        f"in {Cid.of(DAG_CBOR, block)} [OBJ-20]"
    )


def test_a_body_that_is_kept_is_the_one_that_would_be_read_again() -> None:
    body: dict[str, Any] = {
        "uses": [{"work": str(VERSE.cid), "relation": "remix"}],
        "title": "Song",
        "credits_pages": [Cid.of(DAG_CBOR, b"page")],
    }
    made = sign_object(
        kind="contribution",
        body=body,
        signer=key_of("Ana 0"),
        time=0,
        author=ANA.cid,
        event=ANA.cid,
        project=PROJECT.cid,
        parents=[VERSE.cid],
        keep_body=True,
    )
    again = verify_object(made.block)
    assert made.body == again.body
    assert list(made.body) == list(again.body) == ["uses", "title", "credits_pages"]
    assert (made.links, made.refs, made.uses_here) == (again.links, again.refs, again.uses_here)


def test_sign_object_says_what_can_not_be_written() -> None:
    with pytest.raises(UsageError):
        ANA.work(PROJECT, "Verse", x_new=1.5)
    with pytest.raises(UsageError):
        ANA.work(PROJECT, "\ud800")
    with pytest.raises(RuleError):
        sign_object(kind="Verse", body={}, signer=key_of("Ana 0"), time=0)
