"""Every rule of the specification is in the code and in a test or vector, and every id that is cited is a rule."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest
from spec_vectors import FOLDER, Vector, load_all

ROOT = Path(__file__).resolve().parents[2]
PREFIXES = "ENC|CAR|KEY|IDN|OBJ|KND|TRL|CRD|MED|SNP|BND|LIC|VER|IPN|STA|NET"
DEFINED = re.compile(rf"^- \*\*((?:{PREFIXES})-\d+)\*\*(.*(?:\n  .*)*)", re.MULTILINE)
CITED = re.compile(rf"\b({PREFIXES})-(\d+)(?:(?: to |\.\.| ?- ?)(?:\1-)?(\d+))?")
IN_TEST_NAMES = re.compile(rf"_({PREFIXES.lower()})_(\d+)(?=_|\b)")

UNTRACKED = "NET-"
"""Rules of a chapter whose code isn't whole yet; goes when PREFIXES has them."""

NO_INVALID_VECTOR = {
    "IDN-10": "a way to compute; its vectors say what comes out",
    "IDN-11": "a way to compute",
    "KND-10": "says what must not be refused",
    "KND-11": "says what must not be refused",
    "TRL-10": "a way to compute",
    "TRL-11": "a way to compute",
    "CRD-1": "a way to compute",
    "CRD-2": "a way to compute",
    "CRD-3": "a way to compute",
    "CRD-4": "a way to compute",
    "CRD-5": "a way to compute",
    "CRD-6": "a way to compute",
    "LIC-1": "a way to compute",
    "LIC-2": "a way to compute",
    "LIC-3": "a way to compute",
    "LIC-4": "a way to compute",
    "LIC-5": "a way to compute",
    "LIC-6": "a way to compute",
    **dict.fromkeys((f"VER-{n}" for n in range(1, 10)), "a way to judge, told in stories"),
    "MED-10": "a way to compute; what breaks a format's rule has a vector there",
    "MED-11": "a way to compute",
    **dict.fromkeys((f"STA-{n}" for n in range(1, 6)), "a way to judge, told in stories"),
    "NET-1": "a way to compute",
    "NET-2": "a way to compute",
    "NET-3": "of certificates; tests make wrong ones",
    **dict.fromkeys(
        (f"NET-{n}" for n in (*range(9, 15), *range(17, 20), 21, 22, 23)),
        "of what two nodes say one after the other; tests speak for one",
    ),
    "IPN-6": "says how to write",
    "IPN-7": "a way to compute",
    "MED-30": "what isn't a pointer is passed over",
}
"""Rules that no bytes can break, and why."""


@cache
def rules() -> tuple[tuple[str, str], ...]:
    """(id, text) of every rule, in the order of the chapters."""
    chapters = sorted((ROOT / "spec").glob("[0-9]*.md"))
    return tuple(
        (found[1], found[2])
        for chapter in chapters
        for found in DEFINED.finditer(chapter.read_text(encoding="utf-8"))
    )


RULES = [rule for rule, _ in rules()]


def cited_in(text: str) -> Iterator[str]:
    """Ids in a text, ranges such as `KEY-1 to KEY-4` or `CAR-1..4` spelled out."""
    for prefix, first, last in CITED.findall(text):
        for number in range(int(first), int(last or first) + 1):
            yield f"{prefix}-{number}"


def files(folder: str, suffixes: Iterable[str] = (".py",)) -> Iterator[Path]:
    for path in sorted((ROOT / folder).rglob("*")):
        if path.suffix in suffixes and "__pycache__" not in path.parts:
            yield path


@cache
def in_code() -> frozenset[str]:
    return frozenset(
        rule for path in files("hitp2p") for rule in cited_in(path.read_text(encoding="utf-8"))
    )


@cache
def vectors() -> tuple[Vector, ...]:
    return tuple(v for path in sorted(FOLDER.glob("*.json")) for v in load_all(path.name))


@cache
def in_tests() -> frozenset[str]:
    found = {rule for v in vectors() for rule in (v.rule, *v.covers)}
    for path in files("tests"):
        text = path.read_text(encoding="utf-8")
        found.update(cited_in(text))
        found.update(f"{prefix.upper()}-{n}" for prefix, n in IN_TEST_NAMES.findall(text))
    return frozenset(found)


def test_the_specification_has_rules() -> None:
    assert len(RULES) > 90


def test_no_id_is_used_twice() -> None:
    assert [rule for rule, n in Counter(RULES).items() if n > 1] == []


def test_every_rule_says_must() -> None:
    assert [rule for rule, text in rules() if "MUST" not in text] == []


def test_every_must_outside_the_introduction_has_an_id() -> None:
    loose = []
    for chapter in sorted((ROOT / "spec").glob("0[1-9]*.md")):
        rest = DEFINED.sub("", chapter.read_text(encoding="utf-8"))
        loose += [f"{chapter.name}: {line}" for line in rest.splitlines() if "MUST" in line]
    assert loose == []


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_is_in_the_code(rule: str) -> None:
    assert rule in in_code(), f"no file in hitp2p/ cites {rule}"


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_is_in_a_test_or_a_vector(rule: str) -> None:
    assert rule in in_tests(), f"no test and no vector cites {rule}"


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_that_bytes_can_break_is_broken_by_a_vector(rule: str) -> None:
    broken = {r for v in vectors() if v.expect == "invalid" for r in (v.rule, *v.covers)}
    assert (rule in broken) is (rule not in NO_INVALID_VECTOR)


def test_every_cited_id_is_a_rule() -> None:
    known = set(RULES)
    places = [*files("hitp2p"), *files("tests"), *files("examples", (".py", ".md"))]
    places += [*files("benchmarks"), *files("spec", (".py", ".md", ".cddl"))]
    unknown = {
        f"{path.relative_to(ROOT)}: {rule}"
        for path in places
        for rule in cited_in(path.read_text(encoding="utf-8"))
        if rule not in known
    }
    unknown |= {
        v.id
        for v in vectors()
        if not {v.rule, *v.allowed, *v.covers} <= known and not v.rule.startswith(UNTRACKED)
    }
    assert sorted(unknown) == []


def test_vector_ids_are_unique_and_start_with_their_rule() -> None:
    ids = [v.id for v in vectors()]
    assert [name for name, n in Counter(ids).items() if n > 1] == []
    assert [v.id for v in vectors() if not v.id.startswith(f"{v.rule.lower()}-")] == []
