"""What an operator wants, as data and pure functions."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from hitp2p.codec.cid import RAW, Cid
from hitp2p.dataclass import replace
from hitp2p.node.denylist import parse_denylist
from hitp2p.node.policy import (
    Policy,
    Verdict,
    describe_media,
    find_denied,
    is_blocked,
    judge,
    wants_file,
)
from hitp2p.objects.contribution import MediaEntry
from hitp2p.testing.people import Person

ALLOW, REVIEW, BLOCK = Verdict.ALLOW, Verdict.REVIEW, Verdict.BLOCK
ANA = Person("Ana")
PROJECT = ANA.project()
FILE = Cid.of(RAW, b"x")
MEDIA: list[dict[str, Any]] = [
    {
        "file": FILE,
        "size": 1,
        "sha256": sha256(b"x").digest(),
        "type": "video/mp4",
        "role": "preview",
    }
]
SONG = ANA.work(PROJECT, "Song", license="CC-BY-NC-4.0 OR MIT", media=MEDIA)
WHO, KEY = ANA.genesis.cid, ANA.key.public


def test_without_a_rule_the_default_holds() -> None:
    assert judge(Policy(), SONG) == (ALLOW, "")
    assert judge(Policy(default=REVIEW), SONG).verdict is REVIEW


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        ({"objects": {SONG.cid: BLOCK}}, "the rule on"),
        ({"projects": {PROJECT.cid: BLOCK}}, "project"),
        ({"authors": {WHO: BLOCK}}, "author"),
        ({"keys": {KEY: BLOCK}}, "key"),
        ({"licenses": {"mit": BLOCK}}, "licence"),
        ({"licenses": {"CC-BY-NC-*": BLOCK}}, "licence"),
        ({"deny": (parse_denylist(f"/ipfs/{SONG.cid}"),)}, "deny list"),
        ({"deny": (parse_denylist(f"/ipfs/{PROJECT.cid}"),)}, "deny list"),
        ({"deny": (parse_denylist(f"/ipfs/{WHO}"),)}, "deny list"),
    ],
)
def test_each_sort_of_rule_blocks_and_says_so(rules: dict[str, Any], reason: str) -> None:
    ruling = judge(Policy(**rules), SONG)
    assert ruling.verdict is BLOCK
    assert reason in ruling.reason


@pytest.mark.parametrize("pattern", ["CC-BY", "CC-BY-NC", "OR", "MIT-*", "GPL-3.0*"])
def test_other_licenses_are_let_in(pattern: str) -> None:
    assert judge(Policy(licenses={pattern: BLOCK}), SONG).verdict is ALLOW


def test_a_block_counts_before_an_allow_and_that_before_a_review() -> None:
    policy = Policy(authors={WHO: ALLOW}, projects={PROJECT.cid: REVIEW})
    assert judge(policy, SONG).verdict is ALLOW
    assert judge(replace(policy, keys={KEY: BLOCK}), SONG).verdict is BLOCK


def test_what_is_said_of_the_object_itself_counts_first() -> None:
    denied = (parse_denylist(f"/ipfs/{SONG.cid}"),)
    policy = Policy(authors={WHO: BLOCK}, deny=denied, objects={SONG.cid: ALLOW})
    assert judge(policy, SONG).verdict is ALLOW
    assert not is_blocked(policy, SONG.cid)


def test_of_two_lists_the_later_one_holds() -> None:
    one, other = parse_denylist(f"/ipfs/{FILE}"), parse_denylist(f"!/ipfs/{FILE}")
    assert find_denied(Policy(deny=(one, other)), FILE) is None
    assert find_denied(Policy(deny=(other, one)), FILE) is not None
    assert is_blocked(Policy(deny=(one,)), FILE)


def test_a_type_keeps_files_out_and_the_work_in() -> None:
    entry = MediaEntry.from_body(MEDIA[0])
    for pattern in ("video/mp4", "video/*"):
        policy = Policy(media_types={pattern: BLOCK})
        assert judge(policy, SONG).verdict is ALLOW
        assert not wants_file(policy, entry, 2)
    assert judge(Policy(media_types={"video/*": REVIEW}), SONG).verdict is REVIEW
    assert wants_file(Policy(media_types={"video/*": BLOCK, "video/mp4": ALLOW}), entry, 2)


@pytest.mark.parametrize(("role", "wanted"), [("preview", [1, 2]), ("master", [2]), ("stem", [2])])
def test_the_level_says_which_roles_are_wanted(role: str, wanted: list[int]) -> None:
    entry = replace(MediaEntry.from_body(MEDIA[0]), role=role)
    assert [level for level in range(3) if wants_file(Policy(), entry, level)] == wanted


def test_what_is_wanted_of_media_is_described_in_one_way() -> None:
    one = Policy(media_types={"a/b": BLOCK, "c/*": BLOCK, "d/e": REVIEW})
    other = Policy(media_types={"c/*": BLOCK, "a/b": BLOCK})
    assert describe_media(one, 1) == describe_media(other, 1) != describe_media(one, 2)
    assert describe_media(one, 1) != describe_media(Policy(), 1)
