"""The part of trail.json on who speaks, and on the events of identities."""

from __future__ import annotations

from typing import Any

from maker.sets import (
    LATER,
    LATER_KEY,
    WORK,
    Sets,
)
from maker.sign import ALICE, BOB, PROJECT, PROJECT_CID, Key, sign
from maker.wire import Link, cid


def speakers(sets: Sets) -> None:
    body = {"title": "A work"}
    place: dict[str, Any] = {"project": PROJECT_CID, "parents": [PROJECT_CID]}

    def sign_as(author: Link, event: Link, key: Key) -> bytes:
        return sign("contribution", body, key, author=author, event=event, **place)

    sets.good(
        "by-another",
        "TRL-6",
        "someone else than who opened the project",
        sign_as(BOB.cid, BOB.cid, BOB.key),
        BOB.genesis,
    )
    sets.good(
        "later-event",
        "TRL-6",
        "signed by a key of a later event",
        sign_as(ALICE.cid, cid(LATER), LATER_KEY),
        LATER,
    )
    sets.good(
        "first-event-still",
        "TRL-6",
        "signed under the first event, though a later one drops the key",
        WORK,
        LATER,
    )
    sets.bad(
        "key-of-nobody",
        "TRL-6",
        "a key that the event does not list",
        sign_as(ALICE.cid, ALICE.cid, BOB.key),
    )
    sets.bad(
        "recovery-key",
        "TRL-6",
        "the recovery key, which the event only commits to",
        sign_as(ALICE.cid, ALICE.cid, ALICE.recovery[0]),
    )
    sets.bad(
        "key-of-another-event",
        "TRL-6",
        "the first key under the event that drops it",
        sign_as(ALICE.cid, cid(LATER), ALICE.key),
        LATER,
    )
    sets.bad(
        "key-of-a-later-event",
        "TRL-6",
        "a later key under the first event",
        sign_as(ALICE.cid, ALICE.cid, LATER_KEY),
        LATER,
    )
    sets.bad(
        "event-of-another",
        "TRL-6",
        "another's event and key under Alice's name",
        sign_as(ALICE.cid, BOB.cid, BOB.key),
        BOB.genesis,
    )
    sets.bad(
        "author-of-another",
        "TRL-6",
        "Alice's event and key under another's name",
        sign_as(BOB.cid, ALICE.cid, ALICE.key),
        BOB.genesis,
    )
    sets.bad(
        "author-later-event",
        "TRL-6",
        "a later event as author",
        sign_as(cid(LATER), cid(LATER), LATER_KEY),
        LATER,
    )
    sets.bad(
        "author-project",
        "TRL-6",
        "the project as author",
        sign_as(PROJECT_CID, ALICE.cid, ALICE.key),
    )
    sets.bad(
        "event-project", "TRL-6", "the project as event", sign_as(ALICE.cid, PROJECT_CID, ALICE.key)
    )


def events(sets: Sets) -> None:
    keys, rest = [LATER_KEY], [ALICE.recovery[1]]
    gone = [{"key": ALICE.key.public}]

    def event(
        key: Key, *parents: bytes, keys: list[Key] = keys, author: Link | None = None, **body: Any
    ) -> bytes:
        fields = {
            "keys": sorted(k.public for k in keys),
            "next": [k.commitment for k in rest],
            "dropped": gone,
        } | body
        fields = {k: v for k, v in fields.items() if v is not None}
        return sign(
            "identity",
            fields,
            key,
            author=author or ALICE.cid,
            parents=sorted(cid(p) for p in parents),
        )

    sets.good("later-event", "IDN-3", "a later event by the first recovery key", LATER)
    sets.good(
        "later-event-by-second", "IDN-3", "by the second", event(ALICE.recovery[1], ALICE.genesis)
    )
    sets.bad(
        "by-signing-key",
        "IDN-3",
        "a thief of the signing key can't rotate",
        event(ALICE.key, ALICE.genesis),
    )
    sets.bad(
        "by-stranger",
        "IDN-3",
        "signed by the key that it introduces",
        event(LATER_KEY, ALICE.genesis),
    )
    sets.bad(
        "by-key-of-before",
        "IDN-3",
        "a key that the genesis committed to, but not the parent",
        event(ALICE.recovery[0], LATER, dropped=None),
        LATER,
    )
    second = event(ALICE.recovery[1], ALICE.genesis, x=1)
    sets.good(
        "join",
        "IDN-3",
        "a join whose signer both parents committed to",
        event(ALICE.recovery[1], LATER, second, dropped=None),
        LATER,
        second,
    )
    sets.bad(
        "join-of-one",
        "IDN-3",
        "a join whose signer only one parent committed to",
        event(ALICE.recovery[0], ALICE.genesis, LATER),
        LATER,
    )
    sets.bad(
        "key-vanishes",
        "IDN-6",
        "a key of the parent is neither kept nor dropped",
        event(ALICE.recovery[0], ALICE.genesis, dropped=None),
    )
    sets.good(
        "key-kept",
        "IDN-6",
        "a key is kept, so nothing is dropped",
        event(ALICE.recovery[0], ALICE.genesis, keys=[ALICE.key], dropped=None),
    )
    third = event(ALICE.recovery[1], ALICE.genesis, keys=[Key("third")], x=2)
    sets.bad(
        "key-vanishes-in-join",
        "IDN-6",
        "a key of the second parent is neither kept nor dropped",
        event(ALICE.recovery[1], LATER, third, dropped=None),
        LATER,
        third,
    )
    sets.good(
        "dropped-again",
        "IDN-6",
        "a key dropped earlier is listed again",
        event(ALICE.recovery[1], LATER),
        LATER,
    )
    sets.good(
        "dropped-never-had",
        "IDN-6",
        "a key that the parent does not have is listed",
        event(
            ALICE.recovery[0],
            ALICE.genesis,
            dropped=sorted([*gone, {"key": Key("nobody's").public}], key=lambda g: g["key"]),
        ),
    )
    sets.bad(
        "parent-of-another",
        "TRL-8/IDN-3",
        "the genesis of another as parent",
        event(ALICE.recovery[0], BOB.genesis),
        BOB.genesis,
    )
    sets.bad(
        "parent-of-another-beside-own",
        "TRL-8/IDN-3",
        "another's genesis beside the own",
        event(ALICE.recovery[0], ALICE.genesis, BOB.genesis),
        BOB.genesis,
    )
    sets.bad(
        "parent-a-project", "TRL-8/IDN-3", "a project as parent", event(ALICE.recovery[0], PROJECT)
    )
    sets.bad(
        "author-later-event-of-event",
        "TRL-6/TRL-8",
        "a later event as author of an event",
        event(ALICE.recovery[1], LATER, author=cid(LATER)),
        LATER,
    )
    sets.bad(
        "author-of-event-project",
        "TRL-6/TRL-8",
        "the project as author of an event",
        event(ALICE.recovery[0], ALICE.genesis, author=PROJECT_CID),
    )
    sets.bad(
        "author-of-event-another",
        "TRL-8/IDN-3",
        "another as author of an event on Alice's genesis",
        event(ALICE.recovery[0], ALICE.genesis, author=BOB.cid),
        BOB.genesis,
    )
