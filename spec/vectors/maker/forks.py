"""The part of standing.json on several events and keys, and on forks."""

from __future__ import annotations

from typing import Any

from maker.erin import ERIN, FIRST, IN_PROJECT, NEW_KEY, SECOND, drop, entry, keep, page
from maker.sign import Key
from maker.wire import cid


def several(case: Any) -> None:
    """Several events, several keys."""
    one, two = page(entry(SECOND)), page(entry(FIRST))
    first = drop(one)
    case(
        "added-later",
        "good",
        "a later event drops the key again, with the work as a further good head",
        FIRST,
        SECOND,
        first,
        drop(two, on=first),
        pages=(one, two),
    )
    case(
        "taken-back-later",
        "good",
        "good heads only grow: a later event without pages takes nothing back",
        FIRST,
        drop(two),
        drop(on=drop(two)),
        pages=(two,),
    )
    other = ERIN.event(
        ERIN.recovery[0],
        [ERIN.genesis],
        [ERIN.key],
        ERIN.recovery,
        dropped=[{"key": Key("another").public}],
    )
    case("other-key", "good", "another key is dropped", FIRST, other)
    new = ERIN.sign("contribution", {"title": "new"}, event=cid(first), key=NEW_KEY, **IN_PROJECT)
    case(
        "new-key",
        "good",
        "signed by the new key, under the event that drops the first",
        new,
        first,
        pages=(one,),
    )
    again = ERIN.event(ERIN.recovery[1], [first], [ERIN.key, NEW_KEY], ERIN.recovery)
    back = ERIN.sign("contribution", {"title": "back"}, event=cid(again), **IN_PROJECT)
    case(
        "taken-up-again",
        "good",
        "the key comes back in an event after it was dropped",
        back,
        first,
        again,
    )
    case(
        "before-taken-up-again",
        "disavowed",
        "what it signed before it was dropped stays so",
        FIRST,
        SECOND,
        first,
        again,
        pages=(one,),
    )


def forks(case: Any) -> None:
    """Lost branches, tied branches, joins."""

    def under(event: bytes, key: Key = ERIN.key) -> bytes:
        return ERIN.sign(
            "contribution", {"title": "under"}, event=cid(event), key=key, **IN_PROJECT
        )

    winner, loser = drop(rank=0), keep(rank=1)
    case(
        "lost-branch",
        "disavowed",
        "signed under an event of a lost branch",
        under(loser),
        winner,
        loser,
    )
    case("winner-drops", "disavowed", "the branch that wins drops the key", FIRST, winner, loser)
    case(
        "loser-drops",
        "good",
        "the branch that loses drops the key",
        FIRST,
        keep(rank=0),
        drop(rank=1),
    )
    case(
        "winner", "good", "signed under the branch that wins", under(winner, NEW_KEY), winner, loser
    )
    one, two = keep(name="one"), keep(name="two")
    case("tied-branch", "forked", "signed under one of two tied events", under(one), one, two)
    case(
        "before-fork", "good", "signed before the fork; both branches keep the key", FIRST, one, two
    )
    case(
        "before-fork-one-drops",
        "forked",
        "signed before the fork; one branch drops the key",
        FIRST,
        one,
        drop(),
    )
    good, other = page(entry(FIRST)), page(entry(FIRST, SECOND))
    case(
        "before-fork-both-list",
        "good",
        "both branches drop the key, and both list the work",
        FIRST,
        drop(good),
        drop(other),
        pages=(good, other),
    )
    case(
        "before-fork-one-lists",
        "forked",
        "both branches drop the key, one lists the work",
        FIRST,
        drop(good),
        drop(),
        pages=(good,),
    )
    case(
        "before-fork-none-lists",
        "forked",
        "both branches drop the key, none lists the work",
        FIRST,
        drop(),
        drop(x=1),
    )
    case(
        "before-fork-follower-drops",
        "forked",
        "what follows one tied event drops the key",
        FIRST,
        one,
        two,
        drop(on=two),
    )
    join = ERIN.event(ERIN.recovery[2], [one, two], [ERIN.key], ERIN.recovery)
    case("joined", "good", "signed under a branch that a join took up", under(one), one, two, join)
    dropping = drop()
    drop_join = ERIN.event(
        ERIN.recovery[2],
        [one, dropping],
        [NEW_KEY],
        ERIN.recovery,
        dropped=[{"key": ERIN.key.public}],
    )
    case(
        "join-drops",
        "disavowed",
        "signed under one branch; the join drops its key",
        under(one),
        one,
        dropping,
        drop_join,
    )
    case(
        "joined-branch-drops",
        "disavowed",
        "signed before the fork; a branch that the join took up drops the key",
        FIRST,
        one,
        dropping,
        ERIN.event(ERIN.recovery[2], [one, dropping], [ERIN.key, NEW_KEY], ERIN.recovery),
    )
    case("event-line", "good", "an identity event on the line", one, one)
    case("event-tied", "forked", "an identity event on a tied branch", one, one, two)
    case("event-lost", "disavowed", "an identity event on a lost branch", loser, winner, loser)
