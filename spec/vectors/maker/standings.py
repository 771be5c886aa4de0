"""standing.json: chapter 02, what an identity's later events say of objects that a key of it signed."""

from __future__ import annotations

from typing import Any

from maker import wire
from maker.book import Book
from maker.erin import ERIN, FIRST, REMIX, SECOND, THANKS, drop, entry, keep, page, work
from maker.forks import forks, several
from maker.sets import BASE
from maker.sign import RULES
from maker.wire import cid, cid_text, encode


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
