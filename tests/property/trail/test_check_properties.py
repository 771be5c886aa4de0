"""Validity is a function of a set: not of order, repetition, or what is missing besides."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hitp2p.codec.cid import Cid
from hitp2p.codec.dagcbor import Profile, encode
from hitp2p.errors import MissingBlocksError, RuleError
from hitp2p.keys.ed25519 import SigningKey
from hitp2p.objects.envelope import SignedObject, sign_object
from hitp2p.testing.strategies import trails
from hitp2p.trail.check import SetReport, audit_set, verify_in_trail

STRANGER = SigningKey.from_seed(b"\xee" * 32)


@st.composite
def mixed_sets(draw: st.DrawFn) -> list[SignedObject]:
    """A valid trail with some wrong objects, and some that follow those."""
    objects = draw(trails())
    project = next(obj for obj in objects if obj.kind == "project")
    for number in range(draw(st.integers(0, 3))):
        wrong = sign_object(
            kind="contribution",
            body={"title": f"Wrong {number}"},
            signer=STRANGER if draw(st.booleans()) else SigningKey.from_seed(bytes(32)),
            time=number,
            author=objects[0].cid,
            event=objects[0].cid,
            project=project.cid,
            parents=[draw(st.sampled_from(objects)).cid],
        )
        objects.append(wrong)
    return objects


def summary(report: SetReport) -> Any:
    """The report as bytes."""
    return encode(
        {
            "valid": list(report.valid),
            "incomplete": [[cid, *cids] for cid, cids in report.incomplete.items()],
            "invalid": [[cid, str(error)] for cid, error in report.invalid.items()],
            "missing": sorted(report.missing),
        },
        profile=Profile.IPLD,
    )


@given(trails())
def test_drawn_trails_are_valid_one_after_the_other(objects: list[SignedObject]) -> None:
    seen: dict[Cid, SignedObject] = {}
    for obj in objects:
        seen[verify_in_trail(obj, seen.get).cid] = obj
    assert set(audit_set(objects).valid) == set(seen)


@settings(max_examples=60)
@given(mixed_sets(), st.integers(), st.integers(0, 20))
def test_trl_9_any_order_and_repetition_gives_the_same_report(
    objects: list[SignedObject], seed: int, n_repeated: int
) -> None:
    report = audit_set(objects)
    chance = random.Random(seed)
    delivered = objects + chance.choices(objects, k=n_repeated)
    chance.shuffle(delivered)
    assert summary(audit_set(delivered)) == summary(report)
    parts = (set(report.valid), set(report.incomplete), set(report.invalid))
    assert sum(map(len, parts)) == len({obj.cid for obj in objects})
    assert set.union(*parts) == {obj.cid for obj in objects}
    assert report.missing == frozenset()


@settings(max_examples=60)
@given(mixed_sets(), st.data())
def test_trl_9_a_verdict_changes_only_from_incomplete(
    objects: list[SignedObject], data: st.DataObject
) -> None:
    some = data.draw(st.lists(st.sampled_from(objects), unique=True))
    before, after = audit_set(some), audit_set(objects)
    assert before.valid.keys() <= after.valid.keys()
    assert before.invalid.keys() <= after.invalid.keys()
    assert bool(before.missing) == bool(before.incomplete)
    here = {obj.cid for obj in some}
    assert here.isdisjoint(before.missing)
    for cid, waiting_for in before.incomplete.items():
        assert set(waiting_for) <= before.missing | before.incomplete.keys()
        assert cid not in before.valid


@settings(max_examples=60)
@given(mixed_sets(), st.integers())
def test_delivery_one_by_one_ends_where_the_audit_does(
    objects: list[SignedObject], seed: int
) -> None:
    random.Random(seed).shuffle(objects)
    valid: dict[Cid, SignedObject] = {}
    waiting, n_before = objects, -1
    while len(valid) != n_before:
        n_before = len(valid)
        still_waiting = []
        for obj in waiting:
            try:
                valid[verify_in_trail(obj, valid.get).cid] = obj
            except MissingBlocksError:
                still_waiting.append(obj)
            except RuleError:
                continue
        waiting = still_waiting
    assert valid.keys() == audit_set(objects).valid.keys()
