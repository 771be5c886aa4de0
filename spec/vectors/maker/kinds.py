"""Every kind of chapter 03 as data: its shape, the least body, and one with all its fields."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from maker.fields import (
    BLOCK,
    CREDIT,
    CREDITED,
    FULL_RULES,
    HERE,
    LANGUAGES,
    LICENSE,
    LINE,
    MAX,
    MEDIA,
    MEDIA_ENTRY,
    NAME,
    PAGES,
    PART,
    PROSE,
    REF,
    RELATIONS,
    ROLE,
    RULES_FIELDS,
    TAGS,
    TARGET,
    THERE,
    TITLE,
    URL,
    USE,
    USE_ELSEWHERE,
    USE_SOURCE,
    WHO,
)
from maker.shapes import (
    FILE,
    PAGE,
    Bool,
    Bytes,
    Choice,
    FaultsOnly,
    Int,
    ListOf,
    Map,
)
from maker.sign import RULES, ref


@dataclass
class Kind:
    """One row of the table, and bodies of it; `place` says where in the graph it stands."""

    shape: Map
    least: dict[str, Any]
    most: list[dict[str, Any]] = field(default_factory=list)
    place: str = "project"


KINDS: dict[str, Kind] = {
    "profile": Kind(
        Map(
            name=NAME,
            links=ListOf(Map(label=LINE, _url=URL), 128),
            payees=ListOf(Map(_scheme=LINE, _value=LINE), 128),
            proofs=ListOf(Map(_scheme=LINE, _value=LINE), 128),
        ),
        {},
        [
            {
                "name": "Alice",
                "links": [{"label": "home", "url": "https://example.org/~alice"}],
                "payees": [{"scheme": "btc", "value": "x"}],
                "proofs": [{"scheme": "dns", "value": "example.org"}],
            }
        ],
        "none",
    ),
    "project": Kind(
        Map(
            _title=TITLE,
            purpose=PROSE,
            purpose_block=BLOCK,
            license=LICENSE,
            accepts=ListOf(LICENSE, 128),
            _rules=Map(**RULES_FIELDS),
            forked_from=Map(_project=REF, _heads=ListOf(REF, 128)),
            language=LANGUAGES,
            tags=TAGS,
            _nonce=Bytes(16, 16),
        ),
        {"title": "A song", "rules": RULES, "nonce": bytes(16)},
        [
            {
                "title": "A song",
                "purpose": "To sing.\nTogether.",
                "license": "CC-BY-SA-4.0",
                "accepts": ["CC0-1.0", "CC-BY-4.0"],
                "rules": FULL_RULES,
                "forked_from": {"project": ref("elsewhere"), "heads": [ref("head")]},
                "language": ["en", "fr-CA"],
                "tags": ["folk", "river"],
                "nonce": bytes(range(16)),
            },
            {"title": "A song", "purpose_block": FILE, "rules": RULES, "nonce": bytes(16)},
        ],
        "none",
    ),
    "contribution": Kind(
        Map(
            _title=TITLE,
            media=ListOf(MEDIA, 64),
            uses=ListOf(USE, 128),
            uses_pages=PAGES,
            credits=ListOf(CREDIT, 256),
            credits_pages=PAGES,
            license=LICENSE,
            call=REF,
            language=LANGUAGES,
            tags=TAGS,
            note=PROSE,
            note_block=BLOCK,
            made_with_ai=Choice(("no", "part", "whole")),
            unchecked=PROSE,
        ),
        {"title": "A work"},
        [
            {
                "title": "A work",
                "media": [MEDIA_ENTRY],
                "uses": [USE_ELSEWHERE, USE_SOURCE],
                "uses_pages": [PAGE],
                "credits": [CREDITED, {"name": "Uncle", "role": "whistling"}],
                "credits_pages": [PAGE],
                "license": "CC-BY-4.0",
                "call": ref("call"),
                "language": ["en"],
                "tags": ["folk"],
                "note": "First take.\nThe door creaks.",
                "made_with_ai": "no",
                "unchecked": "the source's licence\nwas not found",
            },
            {"title": "A work", "note_block": FILE, "uses": [USE_SOURCE]},
        ],
    ),
    "call": Kind(
        Map(
            _title=TITLE,
            prompt=PROSE,
            prompt_block=BLOCK,
            wants=ListOf(Map(media=LINE, role=ROLE), 128),
            material=ListOf(TARGET, 128),
            license=LICENSE,
            reward=LINE,
            deadline=LINE,
            limits=LINE,
            language=LANGUAGES,
            tags=TAGS,
        ),
        {"title": "Wanted: a chorus"},
        [
            {
                "title": "Wanted: a chorus",
                "prompt": "Eight bars.\nNo drums.",
                "wants": [{"media": "audio", "role": "sng"}],
                "material": [THERE],
                "license": "CC-BY-4.0",
                "reward": "a cake",
                "deadline": "by midsummer",
                "limits": "two minutes",
                "language": ["en"],
                "tags": ["chorus"],
            },
            {"title": "Wanted: a chorus", "prompt_block": FILE},
        ],
    ),
    "claim": Kind(
        Map(_call=REF, note=PROSE, until=LINE),
        {"call": ref("call")},
        [{"call": ref("call"), "note": "On it.\nSoon.", "until": "Friday"}],
    ),
    "rules": Kind(
        Map(**RULES_FIELDS, keep=ListOf(REF, 128), keep_pages=PAGES),
        RULES,
        [FULL_RULES | {"keep": [ref("kept")], "keep_pages": [PAGE]}],
    ),
    "decision": Kind(
        Map(
            _target=TARGET,
            _verdict=Choice(("accept", "feature", "close", "enact")),
            reason=PROSE,
            _rules=REF,
        ),
        {"target": HERE, "verdict": "accept", "rules": ref("rules")},
        [
            {
                "target": THERE,
                "verdict": "decline",
                "reason": "The key is another.\nSorry.",
                "rules": ref("rules"),
            }
        ],
    ),
    "release": Kind(
        Map(
            _title=TITLE,
            _version=LINE,
            _works=ListOf(REF, 128),
            media=ListOf(MEDIA, 64),
            credits=ListOf(CREDIT, 256),
            credits_pages=PAGES,
            license=LICENSE,
            split=Map(
                _method=LINE,
                _parts=FaultsOnly(
                    ListOf(Map(who=REF, name=NAME, _points=Int(0, 10_000, "KND-5")), 128)
                ),
            ),
            supersedes=ListOf(REF, 128),
            note=PROSE,
            note_block=BLOCK,
        ),
        {"title": "The song", "version": "1", "works": [ref("work")]},
        [
            {
                "title": "The song",
                "version": "1.0",
                "works": [ref("work"), ref("another")],
                "media": [MEDIA_ENTRY],
                "credits": [CREDITED],
                "credits_pages": [PAGE],
                "license": "CC-BY-4.0",
                "split": {
                    "method": "equal",
                    "parts": [{"who": WHO, "points": 5000}, {"name": "Uncle", "points": 5000}],
                },
                "supersedes": [ref("older")],
                "note": "Out now.\nEnjoy.",
            },
            {"title": "The song", "version": "1", "works": [ref("work")], "note_block": FILE},
        ],
    ),
    "answer": Kind(
        Map(
            _target=TARGET,
            _about=Choice(("credit", "split", "source")),
            _line=Int(0, 65_535),
            _answer=Choice(("accept", "deny", "amend")),
            role=ROLE,
            name=NAME,
            reason=PROSE,
        ),
        {"target": HERE, "about": "credit", "line": 0, "answer": "accept"},
        [
            {
                "target": THERE,
                "about": "split",
                "line": 1,
                "answer": "amend",
                "role": "arr",
                "name": "Al",
                "reason": "I arranged it.\nTwice.",
            }
        ],
    ),
    "grant": Kind(
        Map(_work=TARGET, grantee=REF, license=LICENSE, terms=PROSE, terms_block=BLOCK),
        {"work": HERE},
        [
            {"work": THERE, "grantee": WHO, "license": "CC-BY-4.0", "terms": "for one concert"},
            {"work": HERE, "terms_block": FILE},
        ],
    ),
    "comment": Kind(
        Map(_target=TARGET, part=PART, reply_to=REF, text=PROSE, text_block=BLOCK),
        {"target": HERE, "text": "Lovely."},
        [
            {"target": THERE, "part": "t=3", "reply_to": ref("comment"), "text": "Lovely.\nAgain."},
            {"target": HERE, "text_block": FILE},
        ],
    ),
    "highlight": Kind(
        Map(_target=TARGET, _reason=PROSE, list=LINE),
        {"target": HERE, "reason": "The bridge."},
        [{"target": THERE, "reason": "The bridge.\nHear it.", "list": "spring"}],
    ),
    "thanks": Kind(
        Map(_target=TARGET, _text=PROSE),
        {"target": HERE, "text": "Thank you."},
        [{"target": THERE, "text": "Thank you.\nAll."}],
    ),
    "withdrawal": Kind(
        Map(
            _target=TARGET, _scope=Choice(("work", "media", "name")), reason=PROSE, replacement=REF
        ),
        {"target": HERE, "scope": "media"},
        [
            {
                "target": THERE,
                "scope": "work",
                "reason": "Not mine to give.\nMy fault.",
                "replacement": ref("better"),
            }
        ],
    ),
    "dispute": Kind(
        Map(_target=TARGET, own=TARGET, _reason=PROSE),
        {"target": HERE, "reason": "It is mine."},
        [{"target": HERE, "own": THERE, "reason": "It is mine.\nListen."}],
    ),
    "claim_ancestor": Kind(
        Map(_target=TARGET, _own=TARGET, relation=Choice(RELATIONS), reason=PROSE),
        {"target": HERE, "own": THERE},
        [{"target": HERE, "own": THERE, "relation": "sample", "reason": "At 0:12.\nThe drum."}],
    ),
    "label": Kind(
        Map(_target=TARGET, _value=LINE, reason=PROSE, negate=Bool()),
        {"target": HERE, "value": "loud"},
        [{"target": THERE, "value": "loud", "reason": "Very.\nIndeed.", "negate": True}],
    ),
    "witness": Kind(
        Map(refs=ListOf(REF, 500), snapshot=REF, _seen=Int(0, MAX)),
        {"refs": [ref("seen")], "seen": 1_767_225_600_000},
        [{"snapshot": ref("snapshot"), "seen": 1_767_225_600_000}],
    ),
    "seal": Kind(Map(_hash=Bytes(32, 32)), {"hash": bytes(range(32))}),
    "reveal": Kind(
        Map(_seal=REF, _salt=Bytes(16, 64), _target=TARGET),
        {"seal": ref("seal"), "salt": bytes(range(16)), "target": HERE},
        [{"seal": ref("seal"), "salt": bytes(range(64)), "target": THERE}],
    ),
}
"""Kind -> what spec/03-objects.md says of it. `identity` has a file of its own."""
