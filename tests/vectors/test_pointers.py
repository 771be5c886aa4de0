"""Vectors of chapter 05: which texts hold pointers [MED-30]."""

from __future__ import annotations

import pytest
from spec_vectors import Vector, by_id, load

from hitp2p.media.pointer import find_pointers


@pytest.mark.parametrize("vector", load("essence-images.json", "pointers"), ids=by_id)
def test_a_text_holds_the_pointers_of_the_vector(vector: Vector) -> None:
    found = find_pointers([vector.data.decode()])
    assert [str(cid) for cid in found] == vector.fields["cids"]
