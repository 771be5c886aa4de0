"""Vectors of chapter 07."""

from __future__ import annotations

from typing import Any

import pytest
from spec_vectors import Vector, by_id, load
from trail_maker import Person, World

from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.parts import LICENSE
from hitp2p.trail.credits import credit_sheet
from hitp2p.trail.license_terms import judge_edge, obligations_of
from hitp2p.trail.licenses import audit_licenses


@pytest.mark.parametrize("vector", load("license.json", "license-edge"), ids=by_id)
def test_an_edge_is_judged_as_the_vector_says(vector: Vector) -> None:
    edge = vector.fields["input"]
    for license in filter(None, (edge["source"], edge["work"])):
        LICENSE.check(license)
    found = judge_edge(edge["source"], edge["work"], edge["relation"])
    assert found.permission.value == vector.expect, found.reason


@pytest.mark.parametrize("vector", load("license.json", "license-obligations"), ids=by_id)
def test_a_license_asks_what_the_vector_says(vector: Vector) -> None:
    found = [one.value for one in obligations_of(vector.fields["input"])]
    assert found == vector.fields["obligations"]


@pytest.mark.parametrize("vector", load("license.json", "license-conflicts"), ids=by_id)
def test_a_work_has_the_conflicts_that_the_vector_says(vector: Vector) -> None:
    told = vector.fields["input"]
    owner = Person("owner")
    project = owner.project()
    world = World(owner.genesis, project)
    made: dict[str, SignedObject] = {}
    for name, license in told["works"].items():
        uses = [(source, how) for work, how, source in told["uses"] if work == name]
        body: dict[str, Any] = {} if license is None else {"license": license}
        if uses:
            body["uses"] = [{"work": str(made[one].cid), "relation": how} for one, how in uses]
        parents = [made[source] for source, _ in uses]
        who = Person(name)
        made[name] = who.work(project, name, parents=parents, **body)
        world.add(who.genesis, made[name])
    sheet = credit_sheet(made[name], lookup=world.lookup)
    report = audit_licenses(sheet, lookup=world.lookup)
    titles = {obj.cid: title for title, obj in made.items()}
    found = [[titles[e.work], e.relation, e.title] for e in report.conflicts]
    assert sorted(found, key=str) == vector.fields["conflicts"]
