"""Vectors of chapter 07."""

from __future__ import annotations

import pytest
from spec_vectors import Vector, by_id, load

from hitp2p.objects.parts import LICENSE
from hitp2p.trail.license_terms import judge_edge, obligations_of


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
