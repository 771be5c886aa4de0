"""Licence expressions: read as SPDX's own library reads them, and judged by laws that hold for any two of them [LIC-2, LIC-3]."""

from __future__ import annotations

from typing import Any

import license_expression
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from trail_maker import Person

from hitp2p.errors import RuleError
from hitp2p.trail import license_terms
from hitp2p.trail.license_expressions import AllOf, AnyOf, Expression, parse_expression
from hitp2p.trail.license_terms import (
    ADAPTING,
    Permission,
    fitting_licenses,
    judge_edge,
    obligations_of,
)

ANA = Person("Ana")
ORACLE: Any = license_expression.Licensing()
KNOWN = (
    "CC0-1.0", "CC-BY-2.0", "CC-BY-4.0", "CC-BY-SA-1.0", "CC-BY-SA-3.0-DE", "CC-BY-SA-4.0", "CC-BY-NC-4.0",
    "CC-BY-NC-SA-4.0", "CC-BY-ND-4.0", "CC-BY-NC-ND-4.0", "GPL-2.0-only", "GPL-3.0-or-later", "GPL-3.0-only",
    "LAL-1.3", "MIT", "NONE", "LicenseRef-Odd", "DocumentRef-a:LicenseRef-b",
)  # fmt: skip
identifiers = st.sampled_from(KNOWN)
RANK = {permission: rank for rank, permission in enumerate(Permission)}


def joined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def join(word: str) -> st.SearchStrategy[str]:
        return st.lists(inner, min_size=2, max_size=3).map(f" {word} ".join)

    return st.one_of(join("AND"), join("OR"), inner.map(lambda text: f"({text})"))


exceptions = identifiers.map(lambda text: f"{text} WITH Classpath-exception-2.0")


def n_identifiers(text: str) -> int:
    return sum(text.count(word) for word in (" AND ", " OR ")) + 1


drawn = st.recursive(st.one_of(identifiers, exceptions), joined, max_leaves=6)
expressions = drawn.filter(lambda text: n_identifiers(text) <= 8 and len(text) <= 256)
few = drawn.filter(lambda text: n_identifiers(text) <= 4 and len(text) <= 120)
"""Two of which are judged by their parts."""


def is_accepted(text: str) -> bool:
    """By OBJ-22, in an object that is signed."""
    try:
        ANA.project(license=text)
    except RuleError:
        return False
    return True


def shape(expression: Expression) -> Any:
    """Nested tuples, as the oracle's below."""
    if isinstance(expression, AnyOf):
        return _flat("OR", map(shape, expression.options))
    if isinstance(expression, AllOf):
        return _flat("AND", map(shape, expression.parts))
    return expression.id or "NONE"


def oracle_shape(expression: Any) -> Any:
    if isinstance(expression, license_expression.LicenseWithExceptionSymbol):
        return str(expression.license_symbol.key)
    if isinstance(expression, license_expression.LicenseSymbol):
        return str(expression.key)
    word = "OR" if isinstance(expression, ORACLE.OR) else "AND"
    return _flat(word, map(oracle_shape, expression.args))


def _flat(word: str, parts: Any) -> Any:
    """One level where the same word stands in the other, for `A OR (B OR C)` is `A OR B OR C`."""
    out: list[Any] = [word]
    for part in parts:
        out.extend(part[1:] if isinstance(part, tuple) and part[0] == word else [part])
    return tuple(out)


@settings(max_examples=300)
@given(expressions)
def test_expressions_are_read_as_the_library_of_spdx_reads_them(text: str) -> None:
    assert is_accepted(text)
    assert shape(parse_expression(text)) == oracle_shape(ORACLE.parse(text))


@settings(max_examples=300)
@given(
    st.lists(
        st.sampled_from(["MIT", "CC-BY-4.0", "AND", "OR", "WITH", "(", ")", " ", "  ", "+"]),
        max_size=9,
    ).map("".join)
)
@example("MIT WITH MIT WITH MIT")
@example("(MIT) WITH MIT")
@example("()")
@example("((((((((((MIT))))))))))")
def test_obj_22_what_is_accepted_is_read_by_both(text: str) -> None:
    """A spelling of ours is no wider than SPDX's, so no licence tool stumbles over what is signed.

    But for one: OBJ-22 takes an identifier that is called `and`, which no licence is.
    """
    if is_accepted(text):
        assert shape(parse_expression(text)) == oracle_shape(ORACLE.parse(text))


@pytest.mark.parametrize(
    "text", ["MIT and MIT", "MIT or MIT", "MIT with MIT", "MIT  AND MIT", "( MIT)"]
)
def test_obj_22_the_words_are_capital_and_spaces_single(text: str) -> None:
    assert not is_accepted(text)


@pytest.mark.parametrize("text", ["(" * 127 + "MIT" + ")" * 126, "(" * 126 + "MIT" + ")" * 127])
def test_obj_22_parentheses_are_balanced_at_any_depth(text: str) -> None:
    assert not is_accepted(text)


def test_the_deepest_expression_is_read_and_judged() -> None:
    text = "(" * 126 + "MIT" + ")" * 126
    assert is_accepted(text)
    assert judge_edge(text, text, "remix").permission is Permission.ALLOWED


@pytest.mark.parametrize(("n", "permission"), [(8, Permission.ALLOWED), (9, Permission.UNKNOWN)])
def test_lic_3_an_expression_of_8_identifiers_is_judged_and_a_longer_one_is_not(
    n: int, permission: Permission
) -> None:
    """Else 256 bytes on each side of every use keep a reader busy for half an hour."""
    text = " AND ".join(["(MIT WITH x)"] + ["MIT"] * (n - 1))
    assert judge_edge(text, "MIT", "remix").permission is permission
    assert judge_edge("MIT", text, "remix").permission is not Permission.FORBIDDEN


def test_what_fits_is_found_among_few_licences_however_many_sources_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str | None] = []
    judge = license_terms.judge_edge

    def counted(source: str | None, work: str | None, relation: str) -> license_terms.Judgement:
        asked.append(work)
        return judge(source, work, relation)

    monkeypatch.setattr(license_terms, "judge_edge", counted)
    fitting_licenses([(f"CC0-1.0 OR LicenseRef-{n}", "remix") for n in range(300)])
    assert len(asked) <= 24 * 300


relations = st.sampled_from(sorted(ADAPTING))


@settings(max_examples=200)
@given(few, few, few, relations)
def test_lic_3_more_duties_in_the_source_never_allow_more(
    source: str, more: str, work: str, relation: str
) -> None:
    one = RANK[judge_edge(source, work, relation).permission]
    both = RANK[judge_edge(f"({source}) AND ({more})", work, relation).permission]
    choice = RANK[judge_edge(f"({source}) OR ({more})", work, relation).permission]
    assert choice <= one <= both


@settings(max_examples=200)
@given(few, few, few, relations)
def test_lic_3_more_choice_for_the_reader_never_allows_more(
    source: str, work: str, more: str, relation: str
) -> None:
    one = RANK[judge_edge(source, work, relation).permission]
    assert RANK[judge_edge(source, f"({work}) OR ({more})", relation).permission] >= one


@settings(max_examples=100)
@given(st.lists(st.tuples(expressions, relations), min_size=1, max_size=3))
def test_what_fits_is_allowed_by_every_source(sources: list[tuple[str, str]]) -> None:
    for license in fitting_licenses(sources):
        assert all(
            judge_edge(source, license, relation).permission is Permission.ALLOWED
            for source, relation in sources
        )


CREATIVE_COMMONS = ("CC0-1.0", "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", "CC-BY-ND-4.0",
                    "CC-BY-NC-ND-4.0", None)  # fmt: skip
CHART = """
CC0-1.0          ok   ok ok ok ok ok   ok   warn
CC-BY-4.0        -    ok ok ok ok warn warn warn
CC-BY-SA-4.0     -    -  ok -  -  -    -    -
CC-BY-NC-4.0     -    -  -  ok ok -    warn -
CC-BY-NC-SA-4.0  -    -  -  -  ok -    -    -
CC-BY-ND-4.0     -    -  -  -  -  -    -    -
CC-BY-NC-ND-4.0  -    -  -  -  -  -    -    -
none             -    -  -  -  -  -    -    -
"""
"""Which licence an adaptation may have, by the one of its source: the chart in Creative Commons' FAQ, and all rights reserved."""


def test_lic_2_agrees_with_the_chart_of_creative_commons() -> None:
    words = {"ok": Permission.ALLOWED, "warn": Permission.WARNED, "-": Permission.FORBIDDEN}
    for row in CHART.strip().splitlines():
        name, *cells = row.split()
        source = None if name == "none" else name
        found = [judge_edge(source, work, "remix").permission for work in CREATIVE_COMMONS]
        assert found == [words[cell] for cell in cells], name


@given(few, few)
def test_obligations_of_a_choice_are_those_of_every_option(one: str, other: str) -> None:
    choice = set(obligations_of(f"({one}) OR ({other})"))
    assert choice == set(obligations_of(one)) & set(obligations_of(other))
