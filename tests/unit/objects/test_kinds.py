"""The table of kinds: the one of spec 03, and closed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hitp2p.objects.kinds import KINDS

CHAPTER = Path(__file__).resolve().parents[3] / "spec" / "03-objects.md"
ROW = re.compile(r"^\| (\w+) \| (event|work|statement|project|rules) \| (.*) \|$", re.MULTILINE)
ROWS = {kind: (class_, body) for kind, class_, body in ROW.findall(CHAPTER.read_text("utf-8"))}

CLOSED = {
    "event": "identity",
    "project": "project",
    "rules": "rules",
    "work": "contribution call release",
    "statement": "profile claim decision answer grant comment highlight thanks withdrawal dispute "
    "claim_ancestor label witness seal reveal",
}
"""What programs have judged by since `spec` 1 began."""


def top_level(body: str) -> set[str]:
    """The names of fields in a cell of the table, without those of maps and lists inside."""
    while (shorter := re.sub(r"\{[^{}]*\}|\[[^\[\]]*\]|\([^()]*\)|`[^`]*`", "", body)) != body:
        body = shorter
    parts = re.split(r", | or ", re.sub(r":[^,]*", "", body))
    return {part.strip(" *") for part in parts if part.strip(" *")}


def test_knd_11_no_kind_is_added_and_none_changes_its_class() -> None:
    """A later kind gets a table of its own: here it would change verdicts that older programs have given."""
    classes = {kind: class_ for class_, kinds in CLOSED.items() for kind in kinds.split()}
    assert {name: str(kind.object_class) for name, kind in KINDS.items()} == classes
    assert {name: class_ for name, (class_, _) in ROWS.items()} == classes


@pytest.mark.parametrize("kind", sorted(set(ROWS) - {"identity"}))
def test_knd_11_the_known_fields_are_those_of_the_chapter(kind: str) -> None:
    assert top_level(ROWS[kind][1]) == set(KINDS[kind].body.fields)
