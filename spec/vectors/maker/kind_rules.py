"""The part of objects.json on rules over several fields of a kind."""

from __future__ import annotations

from typing import Any

from maker import wire
from maker.drafts import Objects, with_body
from maker.fields import (
    BOTH,
    FULL_RULES,
    HERE,
    MEDIA_ENTRY,
    RULES,
    THERE,
    USE_ELSEWHERE,
    USE_SOURCE,
    WHO,
)
from maker.kinds import KINDS
from maker.shapes import FILE
from maker.sign import ALICE, PROJECT_CID, in_project, ref


def kind_rules(book: Objects) -> None:
    """Rules over several fields."""
    both_rules = RULES | {
        "roles": {"curator": BOTH},
        "actions": {"accept": {"role": "curator", "threshold": 2}},
    }
    use = {"work": ref("x"), "relation": "remix"}
    for name, fields, rule, why in (
        ("use-of-nothing", {"uses": [{"relation": "remix"}]}, "KND-2", "neither work nor source"),
        ("use-of-both", {"uses": [use | USE_SOURCE]}, "KND-2", "work and source"),
        (
            "use-project-beside-source",
            {"uses": [USE_SOURCE | {"project": ref("x")}]},
            "KND-2",
            "project beside a source",
        ),
        (
            "use-of-own-project",
            {"uses": [use | {"project": wire.cid_text(PROJECT_CID)}]},
            "KND-2",
            "a use that names its own project, past TRL-7",
        ),
        (
            "source-empty",
            {"uses": [{"source": {}, "relation": "remix"}]},
            "KND-2",
            "a source of which nothing is known",
        ),
        (
            "source-author-only",
            {"uses": [{"source": {"author": "A", "license": "MIT"}, "relation": "remix"}]},
            "KND-2",
            "a source without url, title and sha256",
        ),
        ("credit-of-nobody", {"credits": [{"role": "cmp"}]}, "KND-3", "neither who nor name"),
        ("note-twice", {"note": "a", "note_block": FILE}, "OBJ-24", "note and note_block"),
        ("tags-twice", {"tags": ["a", "b", "a"]}, "KND-9", "a tag twice"),
        ("language-twice", {"language": ["en", "en"]}, "KND-9", "a language twice"),
    ):
        book.bad(name, rule, why, with_body(**fields))
    for name, source in {
        "url": {"url": "x"},
        "title": {"title": "x"},
        "sha256": {"sha256": bytes(32)},
    }.items():
        book.good(
            f"source-{name}",
            "KND-2",
            f"a source with {name} alone",
            with_body(uses=[{"source": source, "relation": "remix"}]),
        )
    for name, body, rule, why in (
        ("role-unknown", RULES | {"actions": {"close": {"role": "owner", "threshold": 1}}}, "KND-4", "an action of a role that is not there"),
        ("threshold-0", RULES | {"actions": {"accept": {"role": "curator", "threshold": 0}}}, "KND-4", "a threshold of 0"),
        ("threshold-2-of-1", RULES | {"actions": {"accept": {"role": "curator", "threshold": 2}}}, "KND-4", "a threshold of 2 for 1 identity"),
        ("recovery-3-of-2", RULES | {"recovery": {"who": BOTH, "threshold": 3}}, "KND-4", "recovery by 3 of 2"),
        ("curators-swapped", both_rules | {"roles": {"curator": BOTH[::-1]}}, "KND-4", "identities in descending order"),
        ("curators-twice", both_rules | {"roles": {"curator": [WHO, WHO]}}, "KND-4", "an identity twice"),
        ("recovery-swapped", RULES | {"recovery": {"who": BOTH[::-1], "threshold": 1}}, "KND-4", "identities in descending order"),
        ("roles-none", RULES | {"roles": {}, "actions": {}}, "KND-1", "no role at all"),
        ("roles-17", RULES | {"roles": RULES["roles"] | {f"role {n}": [WHO] for n in range(16)}}, "KND-1", "17 roles"),
    ):  # fmt: skip
        book.bad(f"rules-{name}", rule, why, in_project(kind="rules", body=body))
    book.good(
        "rules-2-of-2", "KND-4", "a threshold of all", in_project(kind="rules", body=both_rules)
    )
    book.good(
        "rules-roles-16",
        "KND-1",
        "16 roles",
        in_project(
            kind="rules",
            body=RULES | {"roles": RULES["roles"] | {f"role {n}": [WHO] for n in range(15)}},
        ),
    )
    book.good(
        "rules-actions-empty",
        "KND-1",
        "a map of actions that is empty",
        in_project(kind="rules", body=RULES | {"actions": {}}),
    )
    book.good(
        "rules-unknown-action",
        "KND-10",
        "an action nobody knows",
        in_project(kind="rules", body=RULES | {"actions": RULES["actions"] | {"dance": 1}}),
    )
    book.bad(
        "project-rules-threshold",
        "KND-4",
        "in a project's first rules",
        ALICE.sign(
            "project",
            {
                "title": "A song",
                "nonce": bytes(16),
                "rules": FULL_RULES | {"recovery": {"who": BOTH, "threshold": 3}},
            },
        ),
    )
    release = KINDS["release"].least
    parts = [{"who": WHO, "points": 5000}, {"name": "Uncle", "points": 4999}]

    def split(parts: list[dict[str, Any]]) -> bytes:
        return in_project(
            kind="release", body=release | {"split": {"method": "equal", "parts": parts}}
        )

    book.good("split-10000", "KND-5", "one share", split([{"who": WHO, "points": 10_000}]))
    book.bad("split-9999", "KND-5", "9,999 points", split(parts))
    book.bad(
        "split-10001",
        "KND-5",
        "10,001 points",
        split([parts[0], {"name": "Uncle", "points": 5001}]),
    )
    book.bad(
        "split-negative",
        "KND-5",
        "a negative share, 10,000 points together",
        split([{"who": WHO, "points": 10_001}, {"name": "Uncle", "points": -1}]),
    )
    book.good(
        "split-0",
        "KND-5",
        "a share of 0 points",
        split([{"who": WHO, "points": 10_000}, {"name": "Uncle", "points": 0}]),
    )
    book.bad("split-of-nobody", "KND-3", "a share of nobody", split([parts[0], {"points": 5000}]))
    many = sorted(ref(f"witnessed {n}") for n in range(501))
    book.good(
        "witness-500",
        "OBJ-18",
        "500 refs",
        in_project(kind="witness", body={"refs": many[1:], "seen": 0}),
    )
    book.bad(
        "witness-501",
        "OBJ-18",
        "501 refs",
        in_project(kind="witness", body={"refs": many, "seen": 0}),
    )
    refs = sorted([ref("a"), ref("b")])
    for name, body, rule, why in (
        ("witness-nothing", {"seen": 0}, "KND-6", "neither refs nor snapshot"),
        (
            "witness-both",
            {"refs": refs, "snapshot": ref("x"), "seen": 0},
            "KND-6",
            "refs and snapshot",
        ),
        ("witness-swapped", {"refs": refs[::-1], "seen": 0}, "KND-6", "refs in descending order"),
        ("witness-twice", {"refs": [refs[0]] * 2, "seen": 0}, "KND-6", "a ref twice"),
        (
            "decision-decline-silent",
            {"target": HERE, "verdict": "decline", "rules": ref("rules")},
            "KND-7",
            "a decline without a reason",
        ),
        ("comment-silent", {"target": HERE}, "KND-7", "a comment without text"),
        (
            "comment-twice",
            {"target": HERE, "text": "a", "text_block": FILE},
            "OBJ-24",
            "text and text_block",
        ),
        (
            "call-prompt-twice",
            {"title": "a", "prompt": "a", "prompt_block": FILE},
            "OBJ-24",
            "prompt and prompt_block",
        ),
        (
            "grant-terms-twice",
            {"work": THERE, "terms": "a", "terms_block": FILE},
            "OBJ-24",
            "terms and terms_block",
        ),
        ("release-works-twice", release | {"works": [refs[0]] * 2}, "KND-8", "a work twice"),
        (
            "release-supersedes-twice",
            release | {"supersedes": [refs[0]] * 2},
            "KND-8",
            "an older release twice",
        ),
    ):
        book.bad(name, rule, why, in_project(kind=name.split("-")[0], body=body))
    book.bad(
        "project-purpose-twice",
        "OBJ-24",
        "purpose and purpose_block",
        ALICE.sign("project", KINDS["project"].least | {"purpose": "a", "purpose_block": FILE}),
    )
    book.good(
        "release-works-unsorted",
        "KND-8",
        "works in an order of their own",
        in_project(kind="release", body=release | {"works": refs[::-1]}),
    )
    book.good(
        "media-essence-16",
        "MED-1",
        "a digest of 16 bytes",
        with_body(media=[MEDIA_ENTRY | {"essence": {"algorithm": "x", "digest": bytes(16)}}]),
    )
    book.good(
        "uses-same-twice",
        "KND-2",
        "two uses of one work, of different parts",
        with_body(uses=[USE_ELSEWHERE, USE_ELSEWHERE | {"part": "t=40,50"}]),
    )
