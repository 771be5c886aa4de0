"""standing.json: chapter 02, what an identity's later events say of objects that a key of it signed."""

from __future__ import annotations

from typing import Any

from maker import wire
from maker.book import Book
from maker.kinds import HERE
from maker.sets import BASE
from maker.sign import PROJECT_CID, RULES, Key, Person, ref
from maker.wire import cid, cid_text, encode

ERIN = Person("Erin", n_next=3)
NEW_KEY = Key("Erin later")
IN_PROJECT: dict[str, Any] = {"project": PROJECT_CID, "parents": [PROJECT_CID]}


def work(
    title: str, *parents: bytes, kind: str = "contribution", body: Any = None, **more: Any
) -> bytes:
    """An object by Erin in the project, under her first key unless it is said otherwise."""
    place = IN_PROJECT | ({"parents": sorted(cid(p) for p in parents)} if parents else {})
    return ERIN.sign(kind, {"title": title} if body is None else body, **place | more)


def page(*entries: dict[str, Any]) -> bytes:
    return encode({"entries": list(entries)})


def entry(
    *heads: bytes, project: bytes = PROJECT_CID, without: tuple[bytes, ...] = ()
) -> dict[str, Any]:
    fields: dict[str, Any] = {"project": wire.sha256(project)}
    fields |= {"heads": [ref(h) for h in heads]} if heads else {}
    return fields | ({"except": [ref(w) for w in without]} if without else {})


def drop(*pages: bytes, on: bytes = ERIN.genesis, rank: int = 0, **body: Any) -> bytes:
    """An event that drops Erin's first key, with pages of good heads; it commits to the same recovery keys."""
    gone: dict[str, Any] = {"key": ERIN.key.public}
    gone |= {"pages": [cid(p) for p in pages]} if pages else {}
    return ERIN.event(ERIN.recovery[rank], [on], [NEW_KEY], ERIN.recovery, dropped=[gone], **body)


def keep(on: bytes = ERIN.genesis, rank: int = 0, name: str = "keep") -> bytes:
    """An event that changes nothing."""
    return ERIN.event(ERIN.recovery[rank], [on], [ERIN.key], ERIN.recovery, x=name)


FIRST, SECOND = work("first"), work("second")
REMIX = work("remix", FIRST)
THANKS = work("", kind="thanks", body={"target": HERE, "text": "Thank you."})


def standings() -> Book:
    book = Book("trail")

    def case(
        name: str,
        expect: str,
        why: str,
        about: bytes,
        *objects: bytes,
        pages: tuple[bytes, ...] = (),
    ) -> None:
        blocks = sorted({ERIN.genesis, *BASE, about, *objects}, key=wire.sha256)
        data = {"objects": blocks, "pages": list(pages)}
        book.other(name, "IDN-11", expect, why, "standing", data, object=cid_text(cid(about)))

    def dropped(
        name: str,
        expect: str,
        why: str,
        about: bytes,
        *objects: bytes,
        pages: tuple[bytes, ...],
        absent: bool = False,
    ) -> None:
        """Erin's first key is dropped with these pages."""
        case(name, expect, why, about, drop(*pages), *objects, pages=() if absent else pages)

    case("no-drop", "good", "the key was never dropped", FIRST)
    case("later-event-keeps", "good", "a later event keeps the key", FIRST, keep())
    dropped("drop-without-pages", "disavowed", "dropped, with no page", FIRST, pages=())
    dropped("head", "good", "the work is a good head", FIRST, pages=(page(entry(FIRST)),))
    dropped(
        "ancestor",
        "good",
        "the work lies under a good head",
        FIRST,
        REMIX,
        pages=(page(entry(REMIX)),),
    )
    dropped(
        "descendant",
        "disavowed",
        "a work above the good head",
        REMIX,
        FIRST,
        pages=(page(entry(FIRST)),),
    )
    dropped(
        "beside",
        "disavowed",
        "a work beside the good head",
        SECOND,
        FIRST,
        pages=(page(entry(FIRST)),),
    )
    dropped(
        "excepted",
        "disavowed",
        "under a good head, but excepted",
        FIRST,
        REMIX,
        pages=(page(entry(REMIX, without=(FIRST,))),),
    )
    dropped(
        "head-excepted",
        "disavowed",
        "a good head that is excepted",
        FIRST,
        pages=(page(entry(FIRST, without=(FIRST,))),),
    )
    dropped(
        "exception-of-another",
        "good",
        "what is above an exception is not excepted",
        REMIX,
        FIRST,
        pages=(page(entry(REMIX, without=(FIRST,))),),
    )
    dropped(
        "exception-in-another-entry",
        "good",
        "an exception holds in its own entry only",
        FIRST,
        REMIX,
        pages=(page(entry(SECOND, without=(FIRST,)), entry(REMIX)),),
    )
    dropped("no-heads", "disavowed", "an entry without heads", FIRST, pages=(page(entry()),))
    dropped(
        "other-project",
        "disavowed",
        "the head stands in the entry of another project",
        FIRST,
        pages=(page(entry(FIRST, project=cid(b"elsewhere"))),),
    )
    dropped(
        "statement-listed",
        "good",
        "a statement that is listed",
        THANKS,
        pages=(page(entry(THANKS)),),
    )
    dropped(
        "statement-not-listed",
        "disavowed",
        "a statement that is not",
        THANKS,
        FIRST,
        pages=(page(entry(FIRST)),),
    )
    rules = work("", kind="rules", body=RULES)
    rules_2 = work("", rules, kind="rules", body=RULES | {"x": 1})
    dropped(
        "rules",
        "good",
        "rules under other rules that are a good head",
        rules,
        rules_2,
        pages=(page(entry(rules_2)),),
    )
    project = ERIN.sign("project", {"title": "Erin's", "rules": RULES, "nonce": bytes(16)})
    inside = ERIN.sign(
        "contribution", {"title": "inside"}, project=cid(project), parents=[cid(project)]
    )
    dropped(
        "project",
        "good",
        "a project under a work in it",
        project,
        inside,
        pages=(page(entry(inside, project=cid(project))),),
    )
    dropped(
        "project-head",
        "good",
        "a project that is its own good head",
        project,
        pages=(page(entry(project, project=cid(project))),),
    )
    dropped(
        "project-not-listed",
        "disavowed",
        "a project of which no page speaks",
        project,
        pages=(page(entry(FIRST)),),
    )
    profile = ERIN.sign("profile", {"name": "Erin"})
    dropped(
        "profile",
        "good",
        "an object without a project, listed under the genesis",
        profile,
        pages=(page(entry(profile, project=ERIN.cid)),),
    )
    dropped(
        "profile-elsewhere",
        "disavowed",
        "the same, listed under a project",
        profile,
        pages=(page(entry(profile)),),
    )
    unknown_kinds(dropped)
    missing(case, dropped)
    several(case)
    forks(case)
    return book


def unknown_kinds(dropped: Any) -> None:
    """As a parent such an object is taken for a work, and so it is here."""
    sketch = work("", kind="x-sketch", body={})
    above = work("above", sketch)
    heads = (page(entry(above)),)
    dropped(
        "unknown-under-head",
        "good",
        "an unknown kind under a good head",
        sketch,
        above,
        pages=heads,
    )
    dropped(
        "unknown-head-absent",
        "undetermined",
        "a good head that may stand on an unknown kind is not here",
        sketch,
        pages=heads,
    )
    dropped(
        "unknown-beside",
        "disavowed",
        "an unknown kind beside the good head",
        sketch,
        FIRST,
        pages=(page(entry(FIRST)),),
    )
    poll = work("", THANKS, kind="poll", body={})
    dropped(
        "later-statement-under-head",
        "good",
        "what a later program may know as a statement, under a good head",
        poll,
        THANKS,
        work("above", poll),
        pages=(page(entry(work("above", poll))),),
    )
    dropped(
        "statement-under-unknown",
        "disavowed",
        "a statement, even where an unknown kind stands on it",
        THANKS,
        poll,
        pages=(page(entry(poll)),),
    )


def missing(case: Any, dropped: Any) -> None:
    """Pages and ancestors that are not here."""
    dropped(
        "page-absent",
        "undetermined",
        "the page is not here",
        FIRST,
        pages=(page(entry(FIRST)),),
        absent=True,
    )
    head = page(entry(REMIX))
    dropped("head-absent", "undetermined", "the good head is not here", FIRST, pages=(head,))
    dropped(
        "head-absent-statement",
        "disavowed",
        "for a statement the ancestry of heads does not count",
        THANKS,
        pages=(head,),
    )
    dropped(
        "head-absent-excepted",
        "disavowed",
        "a head is not here, but its entry excepts the work",
        FIRST,
        pages=(page(entry(REMIX, without=(FIRST,))),),
    )
    dropped(
        "head-absent-other-project",
        "disavowed",
        "a head of another project is not here",
        FIRST,
        pages=(page(entry(REMIX, project=cid(b"elsewhere"))),),
    )
    deep = work("deep", work("middle", FIRST))
    dropped(
        "middle-absent",
        "undetermined",
        "the good head is here, but not what lies between",
        FIRST,
        deep,
        pages=(page(entry(deep)),),
    )
    dropped(
        "absent-and-present",
        "good",
        "one head is not here, another covers the work",
        FIRST,
        REMIX,
        pages=(page(entry(deep, REMIX)),),
    )
    one, two = page(entry(SECOND)), page(entry(FIRST))
    case(
        "second-page",
        "good",
        "the first page is not here, the second lists the work",
        FIRST,
        drop(one, two),
        pages=(two,),
    )
    case(
        "second-page-absent",
        "undetermined",
        "the first page lists another work, the second is not here",
        FIRST,
        drop(one, two),
        SECOND,
        pages=(one,),
    )
    case(
        "page-malformed",
        "undetermined",
        "a page that breaks OBJ-23 counts as not here",
        FIRST,
        drop(encode({"entries": [], "x": 1})),
        pages=(encode({"entries": [], "x": 1}),),
    )


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
