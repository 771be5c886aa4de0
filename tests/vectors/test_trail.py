"""Vectors of chapters 02 and 04 on sets of objects."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest
from spec_vectors import Vector, by_id, load

from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.objects.envelope import SignedObject, verify_object
from hitp2p.trail.check import audit_set
from hitp2p.trail.graph import Graph
from hitp2p.trail.line import Place, identity_line
from hitp2p.trail.standing import audit_standing


def objects_of(blocks: Iterable[str]) -> list[SignedObject]:
    return [verify_object(bytes.fromhex(block)) for block in blocks]


def texts(cids: Iterable[Cid]) -> list[str]:
    return sorted(map(str, cids))


@pytest.mark.parametrize("vector", load("trail.json", "set"), ids=by_id)
def test_a_set_gets_the_report_of_the_vector_in_any_order(vector: Vector) -> None:
    objects = objects_of(vector.fields["input"])
    wanted = vector.fields["report"]
    for seed in range(3):
        random.Random(seed).shuffle(objects)
        report = audit_set(objects + objects[:2])
        assert texts(report.valid) == wanted["valid"]
        assert texts(report.incomplete) == wanted["incomplete"]
        assert texts(report.invalid) == sorted(wanted["invalid"])
        assert texts(report.missing) == wanted["missing"]
        for cid, error in report.invalid.items():
            assert error.rule in wanted["invalid"][str(cid)]


@pytest.mark.parametrize(
    "vector", [v for v in load("trail.json", "set") if "heads" in v.fields["report"]], ids=by_id
)
def test_a_set_has_the_heads_and_generations_of_the_vector(vector: Vector) -> None:
    graph = Graph(audit_set(objects_of(vector.fields["input"])).valid.values())
    wanted = vector.fields["report"]
    for project, heads in wanted["heads"].items():
        assert texts(graph.heads(Cid.parse(project))) == heads
    for cid, generation in wanted.get("generations", {}).items():
        assert graph.generation(Cid.parse(cid)) == generation


@pytest.mark.parametrize("vector", load("identity.json", "line"), ids=by_id)
def test_a_log_has_the_line_of_the_vector_in_any_order(vector: Vector) -> None:
    genesis = Cid.from_bytes(bytes.fromhex(vector.fields["input"]["genesis"]))
    events = objects_of(vector.fields["input"]["events"])
    assert texts(audit_set(events).valid) == texts(e.cid for e in events)
    for seed in range(3):
        random.Random(seed).shuffle(events)
        line = identity_line(genesis, events + events[:1])
        for name, place in (("line", Place.LINE), ("tied", Place.TIED), ("lost", Place.LOST)):
            found = texts(e.cid for e in events if line.place(e.cid) is place)
            assert found == vector.fields[name]
        assert (line.forked_at and str(line.forked_at)) == vector.fields["forked_at"]


@pytest.mark.parametrize("vector", load("standing.json", "standing"), ids=by_id)
def test_an_object_has_the_standing_of_the_vector_in_any_order(vector: Vector) -> None:
    objects = objects_of(vector.fields["input"]["objects"])
    pages = {
        Cid.of(DAG_CBOR, page): page for page in map(bytes.fromhex, vector.fields["input"]["pages"])
    }
    about = Cid.parse(vector.fields["object"])
    for seed in range(3):
        random.Random(seed).shuffle(objects)
        valid = audit_set(objects + objects[:2]).valid
        report = audit_standing(
            valid[about],
            events=[obj for obj in valid.values() if obj.kind == "identity"],
            lookup=valid.get,
            blocks=pages,
        )
        assert report.standing == vector.expect, report
