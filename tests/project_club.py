"""A project with three people who speak for it, for tests of what it accepts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hitp2p.codec.cid import Cid
from hitp2p.objects.envelope import SignedObject
from hitp2p.testing.people import Person
from hitp2p.trail.accepted import accepted_scope
from hitp2p.trail.project_state import ProjectState, judge_project
from hitp2p.trail.standing import Standing

__all__ = ["ANA", "BO", "CY", "DEE", "EVE", "Blocks", "Club", "Scene"]

ANA, BO, CY, DEE, EVE = map(Person, ("Ana", "Bo", "Cy", "Dee", "Eve"))


class Blocks(dict[Cid, bytes]):
    """Pages at hand."""


def rules_body(
    *people: Person, threshold: int = 2, recovery: Sequence[Person] = (), **more: Any
) -> dict[str, Any]:
    action = {"role": "curator", "threshold": threshold}
    names = ("accept", "decline", "feature", "close", "rules")
    body: dict[str, Any] = {
        "roles": {"curator": sorted(str(one.genesis.cid) for one in people)},
        "actions": dict.fromkeys(names, action),
        **more,
    }
    if recovery:
        who = sorted(str(one.genesis.cid) for one in recovery)
        body["recovery"] = {"who": who, "threshold": len(who)}
    return body


class Club:
    """A project of Ana, Bo and Cy, two of whom have to agree; Dee isn't one of them, and made a work."""

    def __init__(
        self, *people: Person, recovery: Sequence[Person] = (), threshold: int = 2
    ) -> None:
        body = rules_body(*(people or (ANA, BO, CY)), recovery=recovery, threshold=threshold)
        self.project = ANA.project(rules=body)
        self.work = DEE.work(self.project, "Song")
        self.objects = [self.project, self.work]
        self.blocks = Blocks()
        self.bad: dict[Cid, Standing] = {}

    def add(
        self, by: Person, kind: str, body: dict[str, Any], *parents: SignedObject
    ) -> SignedObject:
        above = [one.cid for one in parents] or [self.project.cid]
        made = by.sign(kind, body, project=self.project.cid, parents=above)
        self.objects.append(made)
        return made

    def vote(
        self,
        by: Person,
        verdict: str,
        target: SignedObject | None = None,
        *,
        under: SignedObject | None = None,
        reason: str = "so",
    ) -> SignedObject:
        body = {
            "target": {"object": str((target or self.work).cid)},
            "verdict": verdict,
            "rules": str((under or self.project).cid),
            "reason": reason,
        }
        return self.add(by, "decision", body)

    def rules(
        self, *people: Person, after: Sequence[SignedObject] = (), **more: Any
    ) -> SignedObject:
        return self.add(ANA, "rules", rules_body(*people, **more), *after)

    def enact(
        self, rules: SignedObject, *people: Person, under: SignedObject | None = None
    ) -> None:
        for one in people:
            self.vote(one, "enact", rules, under=under)

    def standing(self, obj: SignedObject) -> Standing:
        return self.bad.get(obj.cid, Standing.GOOD)

    def state(self, objects: Sequence[SignedObject] | None = None) -> ProjectState:
        return judge_project(
            self.project,
            self.objects if objects is None else objects,
            standing=self.standing,
            blocks=self.blocks,
        )

    def is_accepted(self) -> bool:
        return self.work.cid in self.state().targets("accept")


class Scene(Club):
    """Beside the club: what a node in scope accepted carries of all this, and what it doesn't."""

    def __init__(self) -> None:
        super().__init__()
        self.base = EVE.work(self.project, "Base")
        self.chosen = DEE.work(self.project, "Chosen", self.base, credits=[
            {"who": str(CY.genesis.cid), "role": "lyr"}, {"name": "Nobody", "role": "sng"},
            {"who": str(BO.genesis.cid), "role": "mus"},
        ])  # fmt: skip
        self.own = ANA.work(self.project, "Own")
        self.other = Person("Fay").work(self.project, "Other")
        self.said = [who.comment(self.chosen, "Fine") for who in (DEE, EVE, Person("Gus"))]
        self.votes = [self.vote(who, "accept", self.chosen) for who in (ANA, BO)]
        self.stray = self.vote(Person("Hal"), "accept", self.chosen)
        self.people = [ANA, BO, CY, DEE, EVE, *map(Person, ("Fay", "Gus", "Hal"))]
        self.objects += [self.base, self.chosen, self.own, self.other, *self.said]
        self.objects += [who.genesis for who in self.people]

    def accepted(self, objects: Sequence[SignedObject] | None = None) -> frozenset[Cid]:
        return accepted_scope(
            self.project,
            self.objects if objects is None else objects,
            standing=self.standing,
            blocks=self.blocks,
        )
