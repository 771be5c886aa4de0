"""The file `policy.json` of a node: whom it follows and what it keeps out. Verbs write it, whole; a running node reads it again.

{"default": "allow",
 "follows": [{"topic": CID, "scope": "all", "media": "preview"}],
 "rules": [{"on": "author", "what": CID, "verdict": "block"}],
 "quotas": {"project_bytes": 1000000}, "own": [CID], "pinned": [CID],
 "moderators": {CID: {"spam": "block"}}}

The last four may be left out. Deny lists aren't in it: they are the files `*.deny` in the folder `denylists` beside it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import replace
from hitp2p.errors import InvalidError, UsageError
from hitp2p.node.denylist import DenyList, parse_denylist
from hitp2p.node.policy import Follow, MediaLevel, Policy, Verdict
from hitp2p.node.quotas import Quotas
from hitp2p.whole_file import whole_file

__all__ = [
    "DENYLISTS",
    "POLICY_FILE",
    "QUOTAS",
    "RULES_ON",
    "SCOPES",
    "encode_policy",
    "parse_policy",
    "read_denylists",
    "read_policy",
    "with_rule",
    "write_policy",
]

POLICY_FILE: Final = "policy.json"
DENYLISTS: Final = "denylists"
"""Name of the folder of deny lists in the node's folder."""
QUOTAS: Final = tuple(Quotas.__slots__)
"""Names of the quotas."""
SCOPES: Final = ("accepted", "all")
"""Names of the scopes, by their number."""
_FIELD: Final = {
    "cid": "objects",
    "project": "projects",
    "author": "authors",
    "key": "keys",
    "license": "licenses",
    "type": "media_types",
}
RULES_ON: Final = tuple(_FIELD)
"""What a rule may be about."""


def _parse_key(text: str) -> bytes:
    key = bytes.fromhex(text)
    if len(key) != 32:
        raise ValueError
    return key


def _parse_line(text: str) -> str:
    if not text or not text.isprintable():
        raise ValueError
    return text


_PARSE: Final[Mapping[str, tuple[Callable[[str], Any], str]]] = {
    "cid": (Cid.parse, "a CID"),
    "project": (Cid.parse, "the CID of a project"),
    "author": (Cid.parse, "the CID of an identity"),
    "key": (_parse_key, "32 bytes in hexadecimal"),
    "license": (_parse_line, "an SPDX identifier, or its start and *"),
    "type": (_parse_line, "type/subtype or type/*"),
}


def with_rule(policy: Policy, on: str, what: str, verdict: Verdict | None) -> Policy:
    """A policy with one more rule, or without the rule on `what` where `verdict` is None.

    Raises:
        UsageError: no such sort of rule, or `what` isn't what such a rule is about.
    """
    if on not in _PARSE:
        raise UsageError(f"a rule on {on!r}; rules are on {', '.join(RULES_ON)}")
    parse, allowed = _PARSE[on]
    try:
        key = parse(what)
    except (ValueError, InvalidError) as error:
        raise UsageError(f"a rule on {on} names {what!r}; allowed is {allowed}") from error
    rules = dict(getattr(policy, _FIELD[on]))
    rules.pop(key, None)
    if verdict is not None:
        rules[key] = verdict
    changed: dict[str, Any] = {_FIELD[on]: rules}
    return replace(policy, **changed)


def encode_policy(policy: Policy) -> str:
    """The text of the file; the same policy gives the same text."""
    rules = [
        {"on": on, "what": what.hex() if isinstance(what, bytes) else str(what), "verdict": verdict}
        for on, field in _FIELD.items()
        for what, verdict in getattr(policy, field).items()
    ]
    record = {
        "default": policy.default,
        "follows": [
            {
                "topic": str(one.topic),
                "scope": SCOPES[one.scope],
                "media": MediaLevel(one.media).name.lower(),
            }
            for one in policy.follows
        ],
        "rules": rules,
        **_encode_rest(policy),
    }
    return json.dumps(record, indent=1) + "\n"


def _encode_rest(policy: Policy) -> dict[str, Any]:
    quotas = {name: most for name in QUOTAS if (most := getattr(policy.quotas, name))}
    moderators = {str(who): dict(means) for who, means in policy.moderators.items()}
    found: dict[str, Any] = {
        "quotas": quotas,
        "own": sorted(map(str, policy.own)),
        "pinned": sorted(map(str, policy.pinned)),
        "moderators": moderators,
    }
    return {name: value for name, value in found.items() if value}


def _parse_rest(record: Mapping[str, Any]) -> dict[str, Any]:
    quotas: dict[str, int] = record.get("quotas", {})
    for name, most in quotas.items():
        if name not in QUOTAS or type(most) is not int or most < 0:
            raise ValueError(f"quotas are {', '.join(QUOTAS)}, each an integer from 0")
    moderators: dict[str, dict[str, str]] = record.get("moderators", {})
    return {
        "quotas": Quotas(**quotas),
        "own": frozenset(map(Cid.parse, record.get("own", ()))),
        "pinned": frozenset(map(Cid.parse, record.get("pinned", ()))),
        "moderators": {
            Cid.parse(who): {
                _parse_line(value): Verdict(verdict) for value, verdict in means.items()
            }
            for who, means in moderators.items()
        },
    }


def parse_policy(text: str) -> Policy:
    """A policy from the text of the file.

    Raises:
        UsageError: it isn't such a file; says what is wrong.
    """
    try:
        record = json.loads(text)
        policy = Policy(
            default=Verdict(record["default"]),
            follows=tuple(
                Follow(
                    topic=Cid.parse(one["topic"]),
                    scope=SCOPES.index(one["scope"]),
                    media=MediaLevel[one["media"].upper()],
                )
                for one in record["follows"]
            ),
            **_parse_rest(record),
        )
        for rule in record["rules"]:
            policy = with_rule(policy, rule["on"], rule["what"], Verdict(rule["verdict"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, InvalidError) as error:
        found = f"{type(error).__name__}: {error}"
        raise UsageError(f"{POLICY_FILE} is no policy of a node ({found})") from error
    return policy


def read_policy(folder: Path) -> Policy:
    """The policy of the node whose folder this is; that which follows nothing, where there is none yet.

    Raises:
        UsageError: the file is damaged.
    """
    try:
        text = (folder / POLICY_FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return Policy(deny=read_denylists(folder))
    except UnicodeDecodeError as error:
        raise UsageError(f"{POLICY_FILE} is no policy of a node ({error})") from error
    return replace(parse_policy(text), deny=read_denylists(folder))


def read_denylists(folder: Path) -> tuple[DenyList, ...]:
    """The deny lists of the node whose folder this is, by the names of their files.

    Raises:
        UsageError: one can't be read, or its header is damaged.
    """
    found: list[DenyList] = []
    for path in sorted((folder / DENYLISTS).glob("*.deny")):
        try:
            found.append(parse_denylist(path.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError, UsageError) as error:
            raise UsageError(f"{path}: {error}") from error
    return tuple(found)


def write_policy(folder: Path, policy: Policy) -> None:
    """Replace the file, whole or not at all."""
    with whole_file(folder / POLICY_FILE) as file:
        file.write(encode_policy(policy).encode())
