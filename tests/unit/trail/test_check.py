"""Whether an object fits those that it links to, and what a set is worth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rule_sets import take_out
from trail_maker import Person, World, commitment, key_of

from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.errors import MissingBlocksError, RuleError
from hitp2p.objects.contribution import Use
from hitp2p.objects.envelope import SignedObject, sign_object
from hitp2p.trail.check import EVENT_RULES, TRAIL_RULES, audit_set, verify_in_trail

ANA, BO = Person("Ana"), Person("Bo")
PROJECT, OTHER = ANA.project("Night Bus"), BO.project("Day Tram")
VERSE = ANA.work(PROJECT, "Verse")
CALL = ANA.work(PROJECT, "Sing this", kind="call")
STRANGE = BO.work(PROJECT, "?", kind="x-stage")
COMMENT = BO.sign(
    "comment",
    {"target": {"object": str(VERSE.cid)}, "text": "Oh!"},
    project=PROJECT.cid,
    parents=[PROJECT.cid],
)
RULES_BODY: dict[str, Any] = {
    "roles": {"curator": [str(ANA.cid)]},
    "actions": {"accept": {"role": "curator", "threshold": 1}},
}
RULES = ANA.sign("rules", RULES_BODY, project=PROJECT.cid, parents=[PROJECT.cid])
FOREIGN = BO.work(OTHER, "Elsewhere")
LATER = ANA.rotate(
    signer="Ana 1",
    keys=["Ana 1"],
    next_keys=["Ana 2"],
    after=[ANA.genesis],
    dropped={"Ana 0": ()},
)
BO_LATER = BO.rotate(signer="Bo 1", keys=["Bo 0", "Bo 1"], next_keys=["Bo 2"], after=[BO.genesis])
ALL = [
    *(ANA.genesis, BO.genesis, PROJECT, OTHER, VERSE, CALL, STRANGE, COMMENT, RULES, FOREIGN),
    *(LATER, BO_LATER),
]  # fmt: skip
WORLD = World(*ALL)


def work(*parents: SignedObject, **more: Any) -> SignedObject:
    return ANA.work(PROJECT, "Song", parents=parents, **more)


def statement(*parents: SignedObject) -> SignedObject:
    return ANA.sign("claim", {"call": str(CALL.cid)}, project=PROJECT.cid, parents=_cids(parents))


def rules(*parents: SignedObject) -> SignedObject:
    return ANA.sign("rules", RULES_BODY, project=PROJECT.cid, parents=_cids(parents))


def event(*parents: SignedObject, signer: str = "Ana 1", **more: Any) -> SignedObject:
    return ANA.rotate(
        signer=signer, after=parents, **{"keys": ["Ana 0"], "next_keys": ["Ana 3"], **more}
    )


def use(of: SignedObject, project: SignedObject | None = None) -> dict[str, Any]:
    return Use(relation="remix", work=of.cid, project=project and project.cid).to_body()


def by(author: SignedObject, at: SignedObject, key: str) -> SignedObject:
    return sign_object(
        kind="contribution",
        body={"title": "Song"},
        signer=key_of(key),
        time=1,
        author=author.cid,
        event=at.cid,
        project=PROJECT.cid,
        parents=[PROJECT.cid],
    )


def _cids(objects: tuple[SignedObject, ...]) -> list[Cid]:
    return [obj.cid for obj in objects]


GOOD: dict[str, Callable[[], SignedObject]] = {
    "genesis": lambda: Person("Cy").genesis,
    "project": lambda: ANA.project("New"),
    "work on the project": work,
    "work on works": lambda: work(VERSE, CALL),
    "work on an unknown kind": lambda: work(STRANGE),
    "work that uses its parent": lambda: work(VERSE, uses=[use(VERSE)]),
    "work that uses another project": lambda: work(uses=[use(FOREIGN, OTHER)]),
    "work that uses what is not here": lambda: work(uses=[use(Person("Cy").genesis, OTHER)]),
    "rules on the project": lambda: rules(PROJECT),
    "rules on rules": lambda: rules(RULES),
    "statement in a project": lambda: statement(PROJECT),
    "statement without a project": lambda: ANA.sign("claim", {"call": str(CALL.cid)}),
    "unknown kind on anything": lambda: work(RULES, COMMENT, VERSE, kind="x-own"),
    "event": lambda: LATER,
    "event that keeps keys": lambda: BO_LATER,
    "event on an event": lambda: event(
        LATER, signer="Ana 2", keys=["Ana 2"], dropped={"Ana 1": ()}
    ),
    "work under a later event": lambda: by(ANA.genesis, LATER, "Ana 1"),
    "work under an earlier event": lambda: by(ANA.genesis, ANA.genesis, "Ana 0"),
}
BAD: dict[str, tuple[str, Callable[[], SignedObject]]] = {
    "parent in another project": ("TRL-1", lambda: work(VERSE, FOREIGN)),
    "another project as parent": ("TRL-1", lambda: work(OTHER, kind="x-own")),
    "genesis as parent": ("TRL-1", lambda: work(ANA.genesis, kind="x-own")),
    "work on a statement": ("TRL-2", lambda: work(COMMENT)),
    "work on rules": ("TRL-2", lambda: work(RULES)),
    "work on work and project": ("TRL-2", lambda: work(VERSE, PROJECT)),
    "rules on a work": ("TRL-3", lambda: rules(VERSE)),
    "rules on an unknown kind": ("TRL-3", lambda: rules(STRANGE)),
    "rules on rules and project": ("TRL-3", lambda: rules(RULES, PROJECT)),
    "statement on a work": ("TRL-4", lambda: statement(VERSE)),
    "statement on an unknown kind": ("TRL-4", lambda: statement(STRANGE)),
    "statement on project and work": ("TRL-4", lambda: statement(PROJECT, VERSE)),
    "a work as project": (
        "TRL-5",
        lambda: ANA.sign("x-own", {}, project=VERSE.cid, parents=[VERSE.cid]),
    ),
    "key of someone else": ("TRL-6", lambda: by(ANA.genesis, ANA.genesis, "Bo 0")),
    "dropped key": ("TRL-6", lambda: by(ANA.genesis, LATER, "Ana 0")),
    "event of someone else": ("TRL-6", lambda: by(ANA.genesis, BO.genesis, "Bo 0")),
    "later event as author": ("TRL-6", lambda: by(LATER, LATER, "Ana 1")),
    "a work as author": ("TRL-6", lambda: by(VERSE, ANA.genesis, "Ana 0")),
    "a work as event": ("TRL-6", lambda: by(ANA.genesis, VERSE, "Ana 0")),
    "use of what is no parent": ("TRL-7", lambda: work(VERSE, uses=[use(CALL)])),
    "second use of what is no parent": ("TRL-7", lambda: work(VERSE, uses=[use(VERSE), use(CALL)])),
}
BAD_EVENTS: dict[str, tuple[str, Callable[[], SignedObject]]] = {
    "a work as author of an event": (
        "TRL-6",
        lambda: sign_object(
            kind="identity",
            body={"keys": [key_of("Ana 0").public], "next": [bytes(32)]},
            signer=key_of("Ana 1"),
            time=1,
            author=VERSE.cid,
            parents=[ANA.genesis.cid],
        ),
    ),
    "event of someone else as parent": (
        "TRL-8",
        lambda: event(ANA.genesis, BO.genesis, keys=["Ana 0", "Bo 0"]),
    ),
    "a work as parent of an event": ("TRL-8", lambda: event(VERSE)),
    "key without a commitment": ("IDN-3", lambda: event(ANA.genesis, signer="Ana 0")),
    "key that one parent did not commit to": (
        "IDN-3",
        lambda: event(ANA.genesis, LATER, keys=["Ana 0", "Ana 1"]),
    ),
    "key that vanishes": ("IDN-6", lambda: event(ANA.genesis, keys=["Ana 1"])),
    "key of one parent that vanishes": (
        "IDN-6",
        lambda: event(LATER, signer="Ana 2", keys=["Ana 0"]),
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_fits_is_returned(name: str) -> None:
    obj = GOOD[name]()
    assert verify_in_trail(obj, WORLD.lookup) is obj


@pytest.mark.parametrize("name", [*BAD, *BAD_EVENTS])
def test_what_does_not_fit_is_refused_by_its_rule(name: str) -> None:
    rule, make = {**BAD, **BAD_EVENTS}[name]
    obj = make()
    with pytest.raises(RuleError) as caught:
        verify_in_trail(obj, WORLD.lookup)
    assert (caught.value.rule, caught.value.cid) == (rule, obj.cid)


@pytest.mark.parametrize("rule", list(TRAIL_RULES))
def test_a_rule_that_is_taken_out_is_missed(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    take_out(monkeypatch, TRAIL_RULES, rule)
    assert any(_slips_through(make()) for broken, make in BAD.values() if broken == rule)


@pytest.mark.parametrize("rule", list(EVENT_RULES))
def test_a_rule_on_events_that_is_taken_out_is_missed(
    rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No valid event has a work's CID or another's genesis as identity, and nobody commits to the keys of
    # others; so behind these two rules stands another, which would refuse the same objects later.
    behind = {"TRL-6": ["TRL-8"], "TRL-8": ["IDN-3"]}.get(rule, [])
    take_out(monkeypatch, EVENT_RULES, rule, *behind)
    assert any(_slips_through(make()) for broken, make in BAD_EVENTS.values() if broken == rule)


def _slips_through(obj: SignedObject) -> bool:
    try:
        verify_in_trail(obj, WORLD.lookup)
    except (RuleError, KeyError):
        return False
    return True


def test_all_that_is_missing_is_named_once() -> None:
    song = work(VERSE, CALL)
    with pytest.raises(MissingBlocksError) as caught:
        verify_in_trail(song, World(PROJECT, CALL).lookup)
    assert set(caught.value.cids) == {ANA.cid, VERSE.cid}
    assert len(caught.value.cids) == 2
    with pytest.raises(MissingBlocksError) as caught:
        verify_in_trail(song, World().lookup)
    assert sorted(caught.value.cids) == sorted(song.required)


def test_a_missing_object_is_no_verdict_even_if_a_rule_is_broken() -> None:
    with pytest.raises(MissingBlocksError):
        verify_in_trail(work(VERSE, FOREIGN), WORLD.without(VERSE.cid).lookup)


# --- sets -----------------------------------------------------------------------------------------
def test_trl_9_a_set_is_sorted_into_valid_incomplete_and_invalid() -> None:
    song = work(VERSE)
    mix = work(song, STRANGE)
    wrong = work(COMMENT)
    after = work(wrong)
    here = WORLD.without(VERSE.cid)
    report = audit_set([*here.objects.values(), song, mix, wrong, after])
    assert set(report.valid) == set(here.objects)
    assert report.incomplete == {song.cid: (VERSE.cid,), mix.cid: (song.cid,)}
    assert report.missing == {VERSE.cid}
    assert {cid: error.rule for cid, error in report.invalid.items()} == {
        wrong.cid: "TRL-2",
        after.cid: "TRL-9",
    }
    assert report.invalid[after.cid].cid == after.cid
    assert str(wrong.cid) in report.invalid[after.cid].message


def test_trl_9_a_link_to_an_invalid_object_is_final() -> None:
    wrong = work(COMMENT)
    both = work(wrong, VERSE)
    with_gap = audit_set([*WORLD.without(VERSE.cid).objects.values(), wrong, both])
    whole = audit_set([*WORLD.objects.values(), wrong, both])
    assert with_gap.invalid[both.cid].rule == whole.invalid[both.cid].rule == "TRL-9"


def test_valid_objects_stand_after_those_they_link_to() -> None:
    seen: set[Cid] = set()
    for cid, obj in audit_set(reversed(ALL)).valid.items():
        assert seen.issuperset(obj.required)
        seen.add(cid)
    assert len(seen) == len(ALL)


def test_an_empty_set_has_an_empty_report_and_no_truth_value() -> None:
    report = audit_set([])
    assert (report.valid, report.incomplete, report.invalid) == ({}, {}, {})
    with pytest.raises(TypeError, match="no truth value"):
        bool(report)


def test_a_chain_of_any_depth_is_judged_without_recursion() -> None:
    chain = [VERSE]
    for number in range(3000):  # three times the depth at which Python stops
        chain.append(ANA.work(PROJECT, str(number), parents=[chain[-1]]))
    chain.reverse()
    report = audit_set([*chain, ANA.genesis, PROJECT])
    assert len(report.valid) == len(chain) + 2
    gap = audit_set([*chain[:-1], ANA.genesis, PROJECT])
    assert gap.missing == {VERSE.cid}
    assert len(gap.incomplete) == 3000


def test_a_commitment_is_the_hash_of_a_key() -> None:
    assert ANA.genesis.body["next"] == [commitment(key_of("Ana 1"))]
    assert Cid.of(DAG_CBOR, LATER.block) == LATER.cid
