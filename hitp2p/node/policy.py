"""What an operator wants of a node: what it follows, what it keeps out, what waits for a look. Data and pure functions.

Of several rules that say something about one object, a block counts before an allow, and an allow before a review. What the
operator says of an object itself, by its CID, counts before all others, then what deny lists say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import IntEnum, StrEnum
from typing import Final, NamedTuple

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass, field
from hitp2p.node.denylist import DenyList, DenyRule
from hitp2p.node.quotas import Quotas
from hitp2p.objects.contribution import MediaEntry
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.known import known_field

__all__ = [
    "NO_RULE",
    "Follow",
    "MediaLevel",
    "Policy",
    "Ruling",
    "Verdict",
    "describe_media",
    "find_denied",
    "is_blocked",
    "judge",
    "type_verdict",
    "wants_file",
]


class MediaLevel(IntEnum):
    """Which media of a topic are fetched; the numbers go over the wire."""

    NONE = 0
    PREVIEW = 1
    """Files whose role is `preview`."""
    FULL = 2


class Verdict(StrEnum):
    """What becomes of an object."""

    ALLOW = "allow"
    REVIEW = "review"
    """It waits, outside of the store, until the operator has looked at it."""
    BLOCK = "block"
    """It is neither stored nor handed on."""


class Ruling(NamedTuple):
    """What a policy says about one object."""

    verdict: Verdict
    reason: str
    """Which rule said so; empty where none did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """A topic that is kept in step."""

    topic: Cid
    """A project, or the genesis of an identity."""
    scope: int = 1
    """0 accepted, 1 all."""
    media: int = MediaLevel.PREVIEW


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """All that an operator has decided."""

    follows: tuple[Follow, ...] = ()
    default: Verdict = Verdict.ALLOW
    """For objects that no rule speaks of. REVIEW lets those of unknown authors wait."""
    objects: Mapping[Cid, Verdict] = field(default_factory=dict[Cid, Verdict])
    """By the CID of an object; a CID of other content may stand here to be blocked."""
    projects: Mapping[Cid, Verdict] = field(default_factory=dict[Cid, Verdict])
    authors: Mapping[Cid, Verdict] = field(default_factory=dict[Cid, Verdict])
    """By the genesis of an identity."""
    keys: Mapping[bytes, Verdict] = field(default_factory=dict[bytes, Verdict])
    """By the 32-byte key that signed."""
    licenses: Mapping[str, Verdict] = field(default_factory=dict[str, Verdict])
    """By an identifier in a work's licence expression; a trailing `*` stands for any end."""
    media_types: Mapping[str, Verdict] = field(default_factory=dict[str, Verdict])
    """By `type/subtype` or `type/*`. A block keeps the files out and the work in."""
    moderators: Mapping[Cid, Mapping[str, Verdict]] = field(
        default_factory=dict[Cid, Mapping[str, Verdict]]
    )
    """By the identity of a moderator, what the values of their labels mean here."""
    deny: tuple[DenyList, ...] = ()
    """Lists of others; where two disagree, the later one holds. They speak of blocks: of objects, and with a project or the
    genesis of an identity of all that belongs to these."""
    quotas: Quotas = field(default_factory=Quotas)
    """How much of others' works is kept."""
    own: frozenset[Cid] = frozenset()
    """Identities of the operator; what they made isn't counted."""
    pinned: frozenset[Cid] = frozenset()
    """Topics that are kept in any case; they aren't counted."""


NO_RULE: Final = "no rule speaks of its author"
"""The reason where the default holds."""
_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9.+:-]+")
_OPERATORS: Final = frozenset(("AND", "OR", "WITH"))


def judge(policy: Policy, obj: SignedObject, labels: Mapping[Cid, Verdict] | None = None) -> Ruling:
    """What becomes of an object.

    Args:
        policy: what the operator wants.
        obj: as received.
        labels: what moderators say of it, its project or its author.
    """
    if not labels and not _has_rules(policy):
        return _by_default(policy)
    own = policy.objects.get(obj.cid)
    if own is not None:
        return Ruling(own, f"the rule on {obj.cid}")
    for cid in {obj.cid, obj.project_cid or obj.cid, obj.identity} if policy.deny else ():
        if cid not in policy.objects and (rule := find_denied(policy, cid)):
            return Ruling(Verdict.BLOCK, f"line {rule.line} of a deny list, on {cid}")
    found = dict(_rules_on(policy, obj))
    for cid in (obj.cid, obj.project_cid or obj.cid, obj.identity) if labels else ():
        if (verdict := (labels or {}).get(cid)) is not None:
            found.setdefault(verdict, f"a moderator's label on {cid}")
    for verdict in (Verdict.BLOCK, Verdict.ALLOW, Verdict.REVIEW):
        if verdict in found:
            return Ruling(verdict, found[verdict])
    return _by_default(policy)


def _has_rules(policy: Policy) -> bool:
    return bool(
        policy.objects
        or policy.projects
        or policy.authors
        or policy.keys
        or policy.licenses
        or policy.media_types
        or policy.deny
    )


def _by_default(policy: Policy) -> Ruling:
    return Ruling(policy.default, "" if policy.default is Verdict.ALLOW else NO_RULE)


def _rules_on(policy: Policy, obj: SignedObject) -> Iterator[tuple[Verdict, str]]:
    if (verdict := policy.keys.get(obj.signer)) is not None:
        yield verdict, f"the rule on key {obj.signer.hex()}"
    if (verdict := policy.authors.get(obj.identity)) is not None:
        yield verdict, f"the rule on author {obj.identity}"
    project = obj.project_cid
    if project is not None and (verdict := policy.projects.get(project)) is not None:
        yield verdict, f"the rule on project {project}"
    if policy.licenses:
        yield from _license_rules(policy, known_field(obj, "license"))
    if policy.media_types:
        for entry in known_field(obj, "media") or ():
            verdict = type_verdict(policy, entry["type"])
            if verdict is Verdict.REVIEW:
                yield verdict, f"the rule on type {entry['type']}"


def _license_rules(policy: Policy, expression: str | None) -> Iterator[tuple[Verdict, str]]:
    for name in _IDENTIFIER.findall(expression or ""):
        for pattern, verdict in policy.licenses.items():
            if name not in _OPERATORS and _fits(name.lower(), pattern.lower()):
                yield verdict, f"the rule on licence {pattern}"


def _fits(name: str, pattern: str) -> bool:
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


def type_verdict(policy: Policy, media_type: str) -> Verdict | None:
    """What is said of a media type; the full name counts before `type/*`."""
    family = media_type.partition("/")[0] + "/*"
    return policy.media_types.get(media_type, policy.media_types.get(family))


def wants_file(policy: Policy, entry: MediaEntry, level: int) -> bool:
    """Whether a file of a work is to be fetched, by its role and type."""
    wanted = level >= MediaLevel.FULL or (level == MediaLevel.PREVIEW and entry.role == "preview")
    return wanted and type_verdict(policy, entry.type) is not Verdict.BLOCK


def describe_media(policy: Policy, level: int) -> str:
    """Which files are wanted, as a text that is another one whenever others are."""
    blocked = sorted(name for name, verdict in policy.media_types.items() if verdict == "block")
    return " ".join([str(level), *blocked])


def find_denied(policy: Policy, cid: Cid) -> DenyRule | None:
    """The rule of a deny list that blocks a CID; None where none does."""
    for denied in reversed(policy.deny):
        rule = denied.decide(cid)
        if rule is not None:
            return None if rule.is_allow else rule
    return None


def is_blocked(policy: Policy, cid: Cid) -> bool:
    """Whether a block is neither fetched nor served, whatever it is."""
    own = policy.objects.get(cid)
    return own is Verdict.BLOCK if own is not None else find_denied(policy, cid) is not None
