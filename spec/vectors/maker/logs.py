"""The part of identity.json on lines: which of an identity's events hold."""

from __future__ import annotations

from typing import Any

from maker import wire
from maker.book import Book
from maker.sign import Key, Person
from maker.wire import cid


class Log:
    """The events of one identity, by short names; the genesis commits to r0, r1 and r2."""

    def __init__(self, name: str = "Dana") -> None:
        self.person = Person(name, n_next=3)
        self.blocks = {"g": self.person.genesis}
        self.next = self.person.recovery
        self.n_keys = 0

    def add(
        self,
        name: str,
        parents: str,
        rank: int = 0,
        *,
        salt: str = "",
        keys: list[Key] | None = None,
        **body: Any,
    ) -> bytes:
        """An event on the named parents, signed by the recovery key of this rank; it commits to the same three."""
        self.blocks[name] = self.person.event(
            self.next[rank], [self.blocks[p] for p in parents.split()], keys or [self.person.key], self.next,
            **({"x": salt or name} | body),
        )  # fmt: skip
        return self.blocks[name]

    def cids(self, names: str) -> list[str]:
        return sorted(wire.cid_text(cid(self.blocks[n])) for n in names.split())


def lines(book: Book) -> None:
    """Sets of events, and what is on the line, tied and lost. All recovery keys stay the same, so ranks are free."""

    def case(
        name: str,
        why: str,
        log: Log,
        line: str,
        tied: str = "",
        lost: str = "",
        forked_at: str | None = None,
    ) -> None:
        expected = {"line": log.cids(line), "tied": log.cids(tied), "lost": log.cids(lost)}
        given = sorted(log.blocks.values(), key=wire.sha256)
        at = None if forked_at is None else wire.cid_text(cid(log.blocks[forked_at]))
        book.other(
            name,
            "IDN-10",
            "line",
            why,
            "line",
            {"genesis": log.person.cid, "events": given},
            **expected,
            forked_at=at,
        )

    log = Log()
    case("line-genesis", "a genesis alone", log, "g")
    log.add("a", "g")
    log.add("b", "a", 2)
    case("line-chain", "one after the other; without a rival every rank will do", log, "g a b")
    log = Log()
    log.add("a", "g", 1)
    log.add("b", "g", 0)
    log.add("c", "a")
    log.add("d", "c")
    case(
        "line-rank",
        "the lower rank wins, however long the other branch is",
        log,
        "g b",
        lost="a c d",
    )
    log = Log()
    for name in ("a", "b"):
        log.add(name, "g", 1)
    case("fork", "two candidates of one rank", log, "g", tied="a b", forked_at="g")
    log.add("c", "g", 2)
    log.add("d", "a", 2)
    case(
        "fork-and-third",
        "what follows a tied one is tied; a third of a higher rank is lost",
        log,
        "g",
        tied="a b d",
        lost="c",
        forked_at="g",
    )
    log.add("j", "d b", 2)
    case(
        "join",
        "one event joins the tied branches, from what follows one of them",
        log,
        "g a b d j",
        lost="c",
    )
    log.add("k", "j")
    case("join-and-on", "the line goes on after the join", log, "g a b d j k", lost="c")
    log.add("l", "a b", 0)
    case(
        "joins-2-ranks",
        "of two joins the lower rank wins; what only the other follows is lost",
        log,
        "g a b l",
        lost="c d j k",
    )
    log = Log()
    for name in ("a", "b"):
        log.add(name, "g")
    log.add("j", "a b", 1)
    log.add("k", "a b", 1)
    case(
        "joins-tied",
        "two joins of one rank are tied in their turn; what both follow is on the line",
        log,
        "g a b",
        tied="j k",
        forked_at="g",
    )
    log.add("m", "j k", 2)
    case("joins-joined", "a join of joins", log, "g a b j k m")
    log = Log()
    for name in ("a", "b"):
        log.add(name, "g")
    log.add("c", "g", 1)
    log.add("j", "a b c")
    case(
        "join-takes-lost",
        "a join that also follows the branch of a higher rank: an ancestor of the end is on the line",
        log,
        "g a b c j",
    )
    log = Log()
    for name in ("a", "b"):
        log.add(name, "g")
    for name in ("c", "d"):
        log.add(name, "a")
    case("fork-in-fork", "one tied branch forks again", log, "g", tied="a b c d", forked_at="g")
    log.add("e", "a", 1)
    case(
        "fork-in-fork-lost",
        "what loses on a tied branch is lost for every way",
        log,
        "g",
        tied="a b c d",
        lost="e",
        forked_at="g",
    )
    log.add("j", "c b", 2)
    case(
        "join-past-inner-fork",
        "a join of the outer fork ends the inner one",
        log,
        "g a b c j",
        lost="d e",
    )
    log = Log()
    log.add("a", "g", 1)
    log.add("b", "g", 1)
    log.add("c", "g", 0)
    case(
        "lower-rank-ends-a-tie",
        "two of one rank, and one of a lower: no fork",
        log,
        "g c",
        lost="a b",
    )
    log = Log()
    for name in ("a", "b", "c"):
        log.add(name, "g")
    log.add("j", "a b")
    case(
        "join-of-2-in-3",
        "three are tied, and an event joins two of them only",
        log,
        "g",
        tied="a b c j",
        forked_at="g",
    )
    log.add("k", "j c", 1)
    case("join-of-3-in-2-steps", "another joins that with the third", log, "g a b c j k")
