"""Many nodes in virtual time: whatever happens on the way, those who follow one thing come to have the same."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import pytest

from hitp2p.objects.envelope import SignedObject
from hitp2p.testing.people import Person
from hitp2p.testing.simnet import SimNet, SimNode

SEEDS = range(1000 if os.environ.get("HITP2P_FULL") or os.environ.get("CI") == "true" else 60)
PER_TEST = 50
"""Seeds in one test, so that several workers share them."""


@dataclass
class Play:
    """A network in which people make works while it falls apart and comes together again."""

    seed: int
    n_nodes: int = 6
    made: list[tuple[str, SignedObject]] = field(default_factory=list)
    """Who acknowledged which object."""

    def __post_init__(self) -> None:
        self.net = SimNet(self.seed)
        self.chance = self.net.chance
        self.people = [Person(name) for name in ("Ana", "Bo", "Cy")]
        self.project = self.people[0].project()
        names = [f"n{number}" for number in range(self.n_nodes)]
        for number, name in enumerate(names):
            peers = self.chance.sample(names[:number], min(number, 2))
            off = self.chance.choice((0, 0, -(10**11), 10**11))
            self.net.add(name, follow=[self.project.cid], peers=peers, clock_off_ms=off)
        first = self.node("n0")
        first.put(*(person.genesis for person in self.people[:1]), self.project)
        self.note("n0", self.people[0].genesis, self.project)

    def node(self, name: str) -> SimNode:
        return self.net.nodes[name]

    def note(self, name: str, *objects: SignedObject) -> None:
        self.made += [(name, obj) for obj in objects]

    def act(self) -> None:
        """Something happens."""
        name = self.chance.choice(list(self.net.nodes))
        match self.chance.choice(("make", "make", "make", "crash", "part", "heal", "cut", "rest")):
            case "make" if self.node(name).is_up and self.node(name).has(self.project.cid):
                self.make(name)
            case "crash":
                node = self.node(name)
                node.crash() if node.is_up else node.start()
            case "part":
                names = list(self.net.nodes)
                self.chance.shuffle(names)
                at = self.chance.randrange(1, len(names))
                self.net.part(names[:at], names[at:])
            case "heal":
                self.net.heal()
            case "cut" if links := self.net.links():
                self.chance.choice(links).end()
        self.net.run(for_s=self.chance.choice((0.01, 0.2, 3.0)))

    def make(self, name: str) -> None:
        """Someone contributes, or remixes what they see, or comments on it."""
        node, who = self.node(name), self.chance.choice(self.people)
        works = [row.cid for row in node.store.rows(kind="contribution")]
        seen = [obj for _, obj in self.made if obj.cid in works]
        title = f"Work {len(self.made)}"
        parents = self.chance.sample(seen, min(len(seen), self.chance.randrange(3)))
        work = who.work(self.project, title, *parents)
        new = [who.genesis, work]
        if seen and self.chance.random() < 0.3:
            new.append(who.comment(self.chance.choice(seen), f"About {title}"))
        node.put(*new)
        self.note(name, *new)

    def run(self) -> None:
        for _ in range(25):
            self.act()
        self.net.heal()
        for node in self.net.nodes.values():
            if not node.is_up:
                node.start()
        wanted = frozenset(obj.cid for _, obj in self.made)
        self.net.run(
            for_s=3600, until=lambda: all(n.cids() >= wanted for n in self.net.nodes.values())
        )
        for node in self.net.nodes.values():
            assert node.cids() == wanted, f"seed {self.seed}: {node.name} lacks or has too much"

    def check(self) -> None:
        """Nothing that was acknowledged is lost where it was made; nobody was banned."""
        for name, obj in self.made:
            assert self.node(name).has(obj.cid), f"seed {self.seed}: {name} lost {obj.kind}"
        for node in self.net.nodes.values():
            assert [e for e in node.events if e.name == "banned"] == [], f"seed {self.seed}"


@pytest.mark.parametrize("first", range(0, len(SEEDS), PER_TEST))
def test_after_healing_all_followers_have_the_same(first: int) -> None:
    for seed in SEEDS[first : first + PER_TEST]:
        play = Play(seed)
        play.run()
        play.check()


@pytest.mark.parametrize("seed", [3, 17])
def test_the_same_seed_gives_the_same_run_to_the_byte(seed: int) -> None:
    traces = set()
    for _ in range(2):
        play = Play(seed)
        play.run()
        traces.add(play.net.trace)
    assert len(traces) == 1


def test_a_hundred_nodes_hear_of_a_work_within_seconds() -> None:
    play = Play(1, n_nodes=100)
    wanted = frozenset(obj.cid for _, obj in play.made)
    nodes = play.net.nodes.values()
    assert play.net.run(for_s=120, until=lambda: all(n.cids() >= wanted for n in nodes))
    play.make("n0")
    wanted = frozenset(obj.cid for _, obj in play.made)
    assert play.net.run(for_s=5, until=lambda: all(n.cids() >= wanted for n in nodes))
