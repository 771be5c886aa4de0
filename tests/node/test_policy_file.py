"""What an operator has decided, as a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitp2p.errors import UsageError
from hitp2p.node.policy import Follow, MediaLevel, Policy, Verdict
from hitp2p.node.policy_file import (
    DENYLISTS,
    POLICY_FILE,
    QUOTAS,
    RULES_ON,
    encode_policy,
    parse_policy,
    read_policy,
    with_rule,
    write_policy,
)
from hitp2p.node.quotas import Quotas
from hitp2p.testing.strategies import cids

lines = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)
verdicts = st.sampled_from(Verdict)
policies = st.builds(
    Policy,
    default=verdicts,
    follows=st.lists(
        st.builds(
            Follow,
            topic=cids(),
            scope=st.integers(0, 1),
            media=st.sampled_from(MediaLevel),
        ),
        max_size=3,
    ).map(tuple),
    objects=st.dictionaries(cids(), verdicts, max_size=3),
    projects=st.dictionaries(cids(), verdicts, max_size=3),
    authors=st.dictionaries(cids(), verdicts, max_size=3),
    keys=st.dictionaries(st.binary(min_size=32, max_size=32), verdicts, max_size=3),
    licenses=st.dictionaries(lines, verdicts, max_size=3),
    media_types=st.dictionaries(lines, verdicts, max_size=3),
    quotas=st.builds(Quotas, **dict.fromkeys(QUOTAS, st.integers(0, 10**12))),
    own=st.frozensets(cids(), max_size=2),
    pinned=st.frozensets(cids(), max_size=2),
    moderators=st.dictionaries(cids(), st.dictionaries(lines, verdicts), max_size=2),
)


@given(policies)
def test_a_policy_comes_back_as_it_was_written(policy: Policy) -> None:
    assert parse_policy(encode_policy(policy)) == policy


def test_without_a_file_nothing_is_followed(tmp_path: Path) -> None:
    assert read_policy(tmp_path) == Policy()


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    first = with_rule(Policy(), "license", "CC-BY-NC*", Verdict.BLOCK)
    second = with_rule(first, "type", "video/*", Verdict.REVIEW)
    for policy in (first, second):
        write_policy(tmp_path, policy)
        assert read_policy(tmp_path) == policy
    assert [path.name for path in tmp_path.iterdir()] == [POLICY_FILE]


def test_a_rule_is_taken_away() -> None:
    policy = with_rule(Policy(), "key", "ab" * 32, Verdict.BLOCK)
    assert policy.keys == {b"\xab" * 32: Verdict.BLOCK}
    assert with_rule(policy, "key", "AB" * 32, None) == Policy()


@pytest.mark.parametrize(
    ("on", "what", "said"),
    [
        ("colour", "red", f"rules are on {', '.join(RULES_ON)}"),
        ("cid", "red", "allowed is a CID"),
        ("author", "", "allowed is the CID of an identity"),
        ("key", "ab" * 31, "allowed is 32 bytes in hexadecimal"),
        ("license", "", "allowed is an SPDX identifier"),
        ("type", "a\nb", "allowed is type/subtype"),
    ],
)
def test_a_rule_that_can_not_be_is_refused(on: str, what: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        with_rule(Policy(), on, what, Verdict.BLOCK)


@given(st.text(max_size=40) | st.from_type(dict).map(json.dumps))
def test_any_other_file_is_refused_with_its_name(text: str) -> None:
    with pytest.raises(UsageError, match=r"policy\.json is no policy of a node"):
        parse_policy(text)


@pytest.mark.parametrize("hole", ["default", "follows", "rules"])
def test_a_part_that_is_missing_is_named(hole: str) -> None:
    record = json.loads(encode_policy(Policy()))
    del record[hole]
    with pytest.raises(UsageError, match=f"KeyError: '{hole}'"):
        parse_policy(json.dumps(record))


@pytest.mark.parametrize(
    "rest",
    [
        {"quotas": {"all_bytes": -1}},
        {"quotas": {"all_bytes": True}},
        {"quotas": {"apples": 1}},
        {"own": ["x"]},
        {"moderators": {"x": {}}},
        {"moderators": []},
    ],
)
def test_what_stands_wrong_in_the_rest_of_a_file_is_refused(rest: dict[str, object]) -> None:
    record = json.loads(encode_policy(Policy())) | rest
    with pytest.raises(UsageError, match="is no policy"):
        parse_policy(json.dumps(record))


def test_deny_lists_lie_beside_the_file(tmp_path: Path) -> None:
    lists = tmp_path / DENYLISTS
    lists.mkdir()
    for name in ("b.deny", "a.deny", "c.txt"):
        (lists / name).write_text(f"name: {name}\n---\n")
    assert [one.name for one in read_policy(tmp_path).deny] == ["a.deny", "b.deny"]
    write_policy(tmp_path, Policy())
    assert [one.name for one in read_policy(tmp_path).deny] == ["a.deny", "b.deny"]
    (lists / "bad.deny").write_bytes(b"\xff")
    with pytest.raises(UsageError, match=r"bad\.deny"):
        read_policy(tmp_path)
