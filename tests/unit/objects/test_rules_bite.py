"""With any one rule or row of a table taken out, something wrong gets through."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from rule_sets import take_out
from spec_vectors import Vector, load_all

from hitp2p.codec.cid import Cid
from hitp2p.errors import InvalidError, RuleError
from hitp2p.objects import kinds, parts, shape
from hitp2p.objects.envelope import verify_object
from hitp2p.objects.envelope_rules import ENVELOPE_RULES
from hitp2p.objects.identity import IDENTITY_RULES
from hitp2p.objects.references import OBJECT_RULES
from hitp2p.objects.text import TEXT_RULES, parse_text
from hitp2p.rules import RuleSet

RULE_SETS: dict[str, RuleSet[Any]] = {
    "envelope": ENVELOPE_RULES,
    "object": OBJECT_RULES,
    "identity": IDENTITY_RULES,
    "text": TEXT_RULES,
    "list": shape.LIST_RULES,
    "use": parts.USE_RULES,
    "source": parts.SOURCE_RULES,
    "person": parts.PERSON_RULES,
    "split": parts.SPLIT_RULES,
    "rules": parts.RULES_RULES,
    "prose": parts.PROSE_RULES,
    "witness": kinds.WITNESS_RULES,
    "speaking": kinds.SPEAKING_RULES,
    "tags": parts.TAGS.rules[0],
    "languages": parts.LANGUAGES.rules[0],
    "works": parts.UNIQUE_REFS.rules[0],
    "witnessed": parts.WITNESSED_REFS.rules[0],
    "identities": parts.IDENTITIES.rules[0],
}


def ask(vector: Vector) -> None:
    if vector.check == "text-block":
        parse_text(vector.data)
        return
    cid = vector.fields.get("cid")
    verify_object(vector.data, cid=cid and Cid.from_bytes(bytes.fromhex(cid)))


def slips_through(vector: Vector) -> bool:
    try:
        ask(vector)
    except (InvalidError, KeyError):  # KeyError: a later rule relies on the one that is out
        return False
    return True


def wrong_ones(rule_id: str) -> list[Vector]:
    return [
        vector
        for file in ("objects.json", "identity.json")
        for vector in load_all(file)
        if vector.rule == rule_id
        and vector.expect == "invalid"
        and vector.check in ("object", "text-block")
    ]


@pytest.mark.parametrize(
    ("name", "rule_id"), [(name, rule_id) for name, rules in RULE_SETS.items() for rule_id in rules]
)
def test_a_rule_that_is_taken_out_is_missed(
    name: str, rule_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = wrong_ones(rule_id)
    assert wrong, f"no vector breaks {rule_id}"
    assert not any(map(slips_through, wrong))
    take_out(monkeypatch, RULE_SETS[name], rule_id)
    assert any(map(slips_through, wrong))


def rows() -> Iterator[tuple[str, shape.Record, str]]:
    """Every row of every table: where it stands, the record, the field."""
    seen: set[int] = set()
    waiting: list[tuple[str, Any]] = [(name, kind.body) for name, kind in kinds.KINDS.items()]
    while waiting:
        path, found = waiting.pop()
        if isinstance(found, shape.Record) and id(found) not in seen:
            seen.add(id(found))
            for name, inner in found.fields.items():
                yield f"{path}.{name}", found, name
                waiting.append((f"{path}.{name}", inner))
        elif isinstance(found, shape.ListOf | shape.MapOf):
            waiting.append((path, found.entry))


ROWS = list(rows())


@pytest.mark.parametrize(
    ("record", "name"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_knd_1_each_row_of_a_table_bites(
    record: shape.Record, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = shape.Record(record.fields, rule=record.rule)
    wrong = {name: None}  # null is the type of no field
    with pytest.raises(RuleError, match=f"{name}: null"):
        alone.check(wrong)
    monkeypatch.delitem(alone.checks, name)
    alone.check(wrong)


def test_the_tables_have_all_kinds_of_the_spec() -> None:
    assert len(kinds.KINDS) == 21
    assert len(ROWS) > 100
