"""Who speaks for a project, and what it accepts: a function of the set of its valid objects [STA-1 to STA-4]."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Final, NoReturn

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass
from hitp2p.errors import InvalidError, UsageError
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.pages import ListPage, parse_list_page
from hitp2p.objects.project import ProjectRules
from hitp2p.ports import BlockSource
from hitp2p.trail.standing import Standing

__all__ = ["STATE_KINDS", "ProjectState", "Votes", "judge_project"]

STATE_KINDS: Final = frozenset({"rules", "decision", "withdrawal"})
"""Kinds of objects on which the state of a project rests, beside the project itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Votes:
    """What counts about one target, under the rules in force."""

    by_verdict: Mapping[str, frozenset[Cid]]
    """Who says `accept`, `decline`, `feature` or `close`; nobody who says both of the first two [STA-2]."""
    cancelled: frozenset[Cid] = frozenset()
    """Who says both."""
    reached: frozenset[str] = frozenset()
    """Verdicts whose threshold is met; not `accept` and `decline` where both are [STA-3]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectState:
    """What the decisions in a set come to."""

    in_force: Cid
    """The rules in force; the project stands for its first rules [STA-4]."""
    chain: tuple[Cid, ...]
    """The project, and all rules that came into force, in their order; the last is `in_force`."""
    rivals: tuple[Cid, ...]
    """Followers of the rules in force that are enacted beside each other, by CID; else empty."""
    rules: ProjectRules
    """The rules in force."""
    votes: Mapping[Cid, Votes]
    """By target."""
    counting: frozenset[Cid]
    """Decisions that count under one of `chain`, or enact a rival."""

    @property
    def speakers(self) -> frozenset[Cid]:
        """The identities with a role in the rules in force."""
        return frozenset(who for people in self.rules.roles.values() for who in people)

    def targets(self, verdict: str) -> frozenset[Cid]:
        """What is accepted, declined, featured or closed."""
        return frozenset(cid for cid, votes in self.votes.items() if verdict in votes.reached)

    def __bool__(self) -> NoReturn:
        raise TypeError("the state of a project is neither true nor false; look at its fields")


def judge_project(
    project: SignedObject,
    objects: Iterable[SignedObject],
    *,
    standing: Callable[[SignedObject], Standing],
    blocks: BlockSource,
) -> ProjectState:
    """The state of a project.

    Args:
        project: an object of kind project.
        objects: valid objects of that project; those that are no rules, decisions and withdrawals are passed over.
        standing: of a valid object.
        blocks: list pages that are here.

    Raises:
        UsageError: `project` is none.
    """
    if project.kind != "project":
        raise UsageError(f"{project.cid} is of kind {project.kind}; only a project has a state")
    return _Judgement(project, objects, standing, blocks).run()


class _Judgement:
    def __init__(
        self,
        project: SignedObject,
        objects: Iterable[SignedObject],
        standing: Callable[[SignedObject], Standing],
        blocks: BlockSource,
    ) -> None:
        self._project = project
        self._standing = standing
        self._blocks = blocks
        self._rules: dict[Cid, SignedObject] = {}
        self._decisions: dict[Cid, SignedObject] = {}
        withdrawals: list[SignedObject] = []
        for obj in objects:
            if obj.kind == "rules":
                self._rules[obj.cid] = obj
            elif obj.kind == "decision":
                self._decisions[obj.cid] = obj
            elif obj.kind == "withdrawal" and obj.body["scope"] == "work":
                withdrawals.append(obj)
        self._withdrawn = self._taken_back(withdrawals)
        self._good: dict[Cid, bool] = {}
        self._under: defaultdict[str, list[SignedObject]] = defaultdict(list)
        """Decisions by the ref of the rules that they name, by CID."""
        for cid in sorted(self._decisions):
            decision = self._decisions[cid]
            self._under[decision.body["rules"]].append(decision)

    def _taken_back(self, withdrawals: Iterable[SignedObject]) -> set[Cid]:
        found: set[Cid] = set()
        for obj in withdrawals:
            target = self._decisions.get(_target_of(obj))
            is_own = target is not None and target.identity == obj.identity
            if target is not None and is_own and self._standing(obj) is Standing.GOOD:
                found.add(target.cid)
        return found

    def run(self) -> ProjectState:
        chain, rivals = self._line()
        in_force = chain[-1]
        counting = {d.cid for cid in chain for d in self._counting(cid)}
        counting |= {d.cid for d in self._enacting(in_force) if _target_of(d) in rivals}
        return ProjectState(
            in_force=in_force,
            chain=tuple(chain),
            rivals=rivals,
            rules=self._rules_of(in_force),
            votes=self._votes(in_force),
            counting=frozenset(counting),
        )

    # --- rules in force [STA-4] -------------------------------------------------------------------

    def _line(self) -> tuple[list[Cid], tuple[Cid, ...]]:
        followers: defaultdict[tuple[Cid, ...], list[Cid]] = defaultdict(list)
        for cid in sorted(self._rules):
            followers[self._rules[cid].parents].append(cid)
        chain = [self._project.cid]
        while True:
            enacted = self._enacted(chain[-1])
            next_ones = tuple(cid for cid in followers[(chain[-1],)] if cid in enacted)
            rivals: tuple[Cid, ...] = ()
            if len(next_ones) > 1:
                rivals = next_ones
                next_ones = tuple(cid for cid in followers[rivals] if cid in enacted)
            if len(next_ones) != 1:
                return chain, rivals
            chain.append(next_ones[0])

    def _enacted(self, under: Cid) -> set[Cid]:
        rules = self._rules_of(under)
        says: defaultdict[Cid, set[Cid]] = defaultdict(set)
        for decision in self._enacting(under):
            says[_target_of(decision)].add(decision.identity)
        action, recovery = rules.actions.get("rules"), rules.recovery
        return {
            target
            for target, people in says.items()
            if (action and len(people.intersection(rules.roles[action.role])) >= action.threshold)
            or (recovery and len(people.intersection(recovery.who)) >= recovery.threshold)
        }

    def _enacting(self, under: Cid) -> Iterator[SignedObject]:
        """Decisions to enact something that count under these rules."""
        rules = self._rules_of(under)
        recovery = rules.recovery.who if rules.recovery else ()
        for decision in self._under[str(under)]:
            who = decision.identity
            may = who in recovery or _has_role(rules, "rules", who)
            if decision.body["verdict"] == "enact" and may and self._is_good(decision):
                yield decision

    def _rules_of(self, cid: Cid) -> ProjectRules:
        obj = self._rules.get(cid, self._project)
        return ProjectRules.from_body(obj.body if obj is not self._project else obj.body["rules"])

    # --- decisions [STA-1 to STA-3] ---------------------------------------------------------------

    def _counting(self, under: Cid) -> Iterator[SignedObject]:
        """Decisions that count under some rules, kept ones too; each once."""
        seen: set[Cid] = set()
        for decision in (*self._made_under(under), *self._kept_by(under)):
            if decision.cid not in seen:
                seen.add(decision.cid)
                yield decision
        yield from (d for d in self._enacting(under) if d.cid not in seen)

    def _made_under(self, under: Cid) -> Iterator[SignedObject]:
        rules = self._rules_of(under)
        for decision in self._under[str(under)]:
            if self._is_vote_under(decision, rules):
                yield decision

    def _kept_by(self, under: Cid) -> Iterator[SignedObject]:
        """What these rules keep and what counts under the rules that it names."""
        for ref in self._keep(under):
            decision = self._decisions.get(ref)
            if decision is None:
                continue
            home = Cid.parse(decision.body["rules"])
            is_known = home in self._rules or home == self._project.cid
            if is_known and self._is_vote_under(decision, self._rules_of(home)):
                yield decision

    def _is_vote_under(self, decision: SignedObject, rules: ProjectRules) -> bool:
        verdict = decision.body["verdict"]
        may = verdict != "enact" and _has_role(rules, verdict, decision.identity)
        return may and self._is_good(decision)

    def _keep(self, under: Cid) -> Iterator[Cid]:
        obj = self._rules.get(under)
        if obj is None:
            return
        yield from map(Cid.parse, obj.body.get("keep", ()))
        for page in obj.body.get("keep_pages", ()):
            block = self._blocks.get(page)
            if block is not None:
                with suppress(InvalidError):
                    yield from map(Cid.parse, parse_list_page(block, ListPage.KEEP))

    def _is_good(self, decision: SignedObject) -> bool:
        if decision.cid not in self._good:
            target = decision.body["target"]
            here = target.get("project") in (None, str(self._project.cid))
            self._good[decision.cid] = (
                here
                and decision.cid not in self._withdrawn
                and self._standing(decision) is Standing.GOOD
            )
        return self._good[decision.cid]

    def _votes(self, under: Cid) -> dict[Cid, Votes]:
        rules = self._rules_of(under)
        says: defaultdict[Cid, defaultdict[str, set[Cid]]] = defaultdict(lambda: defaultdict(set))
        for decision in self._counting(under):
            if decision.body["verdict"] != "enact":
                says[_target_of(decision)][decision.body["verdict"]].add(decision.identity)
        return {target: _count(rules, by_verdict) for target, by_verdict in sorted(says.items())}


def _count(rules: ProjectRules, says: Mapping[str, set[Cid]]) -> Votes:
    both = says.get("accept", set()) & says.get("decline", set())
    people = {
        verdict: frozenset(who - both if verdict in ("accept", "decline") else who)
        for verdict, who in says.items()
    }
    reached = {
        verdict
        for verdict, who in people.items()
        if verdict in rules.actions and len(who) >= rules.actions[verdict].threshold
    }
    if {"accept", "decline"} <= reached:
        reached -= {"accept", "decline"}
    return Votes(by_verdict=people, cancelled=frozenset(both), reached=frozenset(reached))


def _has_role(rules: ProjectRules, action: str, who: Cid) -> bool:
    asked = rules.actions.get(action)
    return asked is not None and who in rules.roles[asked.role]


def _target_of(obj: SignedObject) -> Cid:
    return Cid.parse(obj.body["target"]["object"])
