"""The typed body of a project: what it is, and under which terms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass

__all__ = ["Action", "ForkedFrom", "Project", "ProjectRules", "Recovery", "threshold_rules"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """How many people with a role it takes to do something."""

    role: str
    """One of the roles of the rules."""
    threshold: int
    """1 to the number of identities with that role."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """Who may take over once those with roles are gone."""

    who: tuple[Cid, ...]
    """Identities, sorted as text."""
    threshold: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectRules:
    """Who may speak for a project."""

    roles: Mapping[str, tuple[Cid, ...]]
    """Name of a role to identities, sorted as text."""
    actions: Mapping[str, Action]
    """`accept`, `decline`, `feature`, `close`, `release` or `rules`."""
    recovery: Recovery | None = None

    @staticmethod
    def from_body(body: Mapping[str, Any]) -> ProjectRules:
        """Of a map whose shape is checked."""
        recovery = body.get("recovery")
        return ProjectRules(
            roles={name: _cids(who) for name, who in body["roles"].items()},
            actions={
                name: Action(role=action["role"], threshold=action["threshold"])
                for name, action in body["actions"].items()
                if name in _ACTIONS
            },
            recovery=None
            if recovery is None
            else Recovery(who=_cids(recovery["who"]), threshold=recovery["threshold"]),
        )

    def to_body(self) -> dict[str, Any]:
        """Plain values for a body."""
        body: dict[str, Any] = {
            "roles": {name: _refs(who) for name, who in self.roles.items()},
            "actions": {
                name: {"role": action.role, "threshold": action.threshold}
                for name, action in self.actions.items()
            },
        }
        if self.recovery is not None:
            body["recovery"] = {
                "who": _refs(self.recovery.who),
                "threshold": self.recovery.threshold,
            }
        return body


_ACTIONS = frozenset({"accept", "decline", "feature", "close", "release", "rules"})


def threshold_rules(who: tuple[Cid, ...], threshold: int = 1) -> ProjectRules:
    """Simple first rules: one role, `curator`, and every action takes `threshold` of them."""
    action = Action(role="curator", threshold=threshold)
    return ProjectRules(roles={"curator": who}, actions=dict.fromkeys(sorted(_ACTIONS), action))


@dataclass(frozen=True, slots=True, kw_only=True)
class ForkedFrom:
    """Where a project continues another."""

    project: Cid
    heads: tuple[Cid, ...]
    """The works of the other project that were its heads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The body of a project."""

    title: str
    """Single-line, at most 256 bytes."""
    rules: ProjectRules
    """The first rules; later ones are objects of kind `rules`."""
    nonce: bytes
    """16 random bytes: two projects with the same words are two projects."""
    purpose: str | None = None
    """Multi-line, at most 1,024 bytes."""
    purpose_block: Cid | None = None
    """Raw block with a longer purpose, instead of `purpose`."""
    license: str | None = None
    """SPDX expression: the default of its works."""
    accepts: tuple[str, ...] = ()
    """SPDX expressions that works may have."""
    forked_from: ForkedFrom | None = None
    languages: tuple[str, ...] = ()
    """BCP 47 tags."""
    tags: tuple[str, ...] = ()

    @staticmethod
    def from_body(body: Mapping[str, Any]) -> Project:
        """Of a body whose shape is checked."""
        forked = body.get("forked_from")
        return Project(
            title=body["title"],
            rules=ProjectRules.from_body(body["rules"]),
            nonce=body["nonce"],
            purpose=body.get("purpose"),
            purpose_block=body.get("purpose_block"),
            license=body.get("license"),
            accepts=tuple(body.get("accepts", ())),
            forked_from=None
            if forked is None
            else ForkedFrom(project=Cid.parse(forked["project"]), heads=_cids(forked["heads"])),
            languages=tuple(body.get("language", ())),
            tags=tuple(body.get("tags", ())),
        )

    def to_body(self) -> dict[str, Any]:
        """Plain values for `sign_object`."""
        forked = self.forked_from
        body: dict[str, Any] = {
            "title": self.title,
            "rules": self.rules.to_body(),
            "nonce": self.nonce,
            "purpose": self.purpose,
            "purpose_block": self.purpose_block,
            "license": self.license,
            "accepts": list(self.accepts) or None,
            "forked_from": None
            if forked is None
            else {"project": str(forked.project), "heads": [str(head) for head in forked.heads]},
            "language": list(self.languages) or None,
            "tags": list(self.tags) or None,
        }
        return {name: value for name, value in body.items() if value is not None}


def _cids(refs: list[str]) -> tuple[Cid, ...]:
    return tuple(Cid.parse(ref) for ref in refs)


def _refs(cids: tuple[Cid, ...]) -> list[str]:
    return sorted({str(cid) for cid in cids})  # [KND-4]
