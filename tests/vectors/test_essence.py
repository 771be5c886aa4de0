"""Vectors of chapter 05: the essence of files of every format."""

from __future__ import annotations

from importlib import import_module

import pytest
from spec_vectors import FOLDER, Vector, by_id, load, refused_as

from hitp2p.media.essence import FoundEssence, scan_essence
from hitp2p.media.source import MediaSource

FILES = [v for path in sorted(FOLDER.glob("essence-*.json")) for v in load(path.name, "essence")]


def read_as_said(vector: Vector) -> FoundEssence:
    """Read by the parser that the vector names; what the first bytes say is another question."""
    format = import_module(f"hitp2p.media.formats.{vector.fields['algorithm'].split('/')[0]}")
    found = format.scan(MediaSource.of_bytes(vector.data))
    assert isinstance(found, FoundEssence)
    return found


@pytest.mark.parametrize("vector", FILES, ids=by_id)
def test_a_file_gets_the_essence_of_the_vector(vector: Vector) -> None:
    if vector.expect == "invalid":
        refused_as(vector, lambda: read_as_said(vector))
        return
    found = read_as_said(vector)
    assert found.algorithm == vector.fields["algorithm"]
    assert found.digest.hex() == vector.fields["digest"]
    assert (found.display and found.display.hex()) == vector.fields.get("display")
    assert bool(found.display_notes) is ("display" in vector.fields)
    assert scan_essence(MediaSource.of_bytes(vector.data)) == found
