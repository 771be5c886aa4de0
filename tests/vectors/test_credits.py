"""Vectors of chapter 04 on credits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from spec_vectors import Vector, by_id, load

from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.objects.envelope import SignedObject, verify_object
from hitp2p.trail.check import audit_set
from hitp2p.trail.credits import CreditLine, credit_sheet


def plain(line: CreditLine) -> dict[str, Any]:
    """A line as the vectors write it."""
    if line.source is not None:
        given = {"url": line.source.url, "title": line.source.title}
        source = {name: value for name, value in given.items() if value is not None}
        return {"source": source, "distance": line.distance, "missing": False}
    if line.missing:
        return {"work": str(line.cid), "distance": line.distance, "missing": True}
    people = [
        [str(p.identity) if p.identity else p.name, list(p.roles), str(p.claim)]
        for p in line.people
    ]
    return {
        "work": str(line.cid),
        "distance": line.distance,
        "people": people,
        "license": line.license,
        "license_from_project": line.license_from_project,
        "missing": False,
    }


def answers_among(objects: Iterable[SignedObject], work: Cid) -> Iterator[SignedObject]:
    for obj in objects:
        if obj.kind == "answer" and obj.body["target"]["object"] == str(work):
            yield obj


@pytest.mark.parametrize("vector", load("credits.json", "credits"), ids=by_id)
def test_a_work_has_the_credits_of_the_vector(vector: Vector) -> None:
    blocks = map(bytes.fromhex, vector.fields["input"]["objects"])
    valid = audit_set(verify_object(block) for block in blocks).valid
    pages = {
        Cid.of(DAG_CBOR, page): page for page in map(bytes.fromhex, vector.fields["input"]["pages"])
    }
    sheet = credit_sheet(
        valid[Cid.parse(vector.fields["work"])],
        lookup=valid.get,
        blocks=pages,
        answers=lambda work: answers_among(valid.values(), work),
    )
    assert [plain(line) for line in sheet.lines] == vector.fields["lines"]
