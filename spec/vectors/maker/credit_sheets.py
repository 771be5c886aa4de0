"""credits.json: chapter 04, the credits of a work in a set of objects."""

from __future__ import annotations

from typing import Any

from maker import wire
from maker.book import Book
from maker.sign import ALICE, BOB, CAROL, RULES, Person, ref
from maker.wire import cid, cid_text, encode

OPEN = ALICE.sign(
    "project", {"title": "A song", "license": "CC-BY-SA-4.0", "rules": RULES, "nonce": b"\2" * 16}
)
BARE = BOB.sign("project", {"title": "Another song", "rules": RULES, "nonce": b"\3" * 16})
BASE = [ALICE.genesis, BOB.genesis, CAROL.genesis, OPEN, BARE]
WHO = {person.name: cid_text(person.cid) for person in (ALICE, BOB, CAROL)}


def work(person: Person, title: str, *parents: bytes, home: bytes = OPEN, **body: Any) -> bytes:
    links = sorted(cid(p) for p in parents) or [cid(home)]
    return person.sign("contribution", {"title": title} | body, project=cid(home), parents=links)


def answer(person: Person, target: bytes, line: int, said: str, home: bytes = OPEN) -> bytes:
    body = {"target": {"object": ref(target)}, "about": "credit", "line": line, "answer": said}
    return person.sign("answer", body, project=cid(home), parents=[cid(home)])


def line(
    block: bytes,
    distance: int,
    *people: tuple[Any, ...],
    license: str | None = None,
    default: bool = False,
) -> dict[str, Any]:
    """What is expected of one work: people are (identity or name, roles, claim)."""
    return {
        "work": ref(block),
        "distance": distance,
        "people": [list(p) for p in people],
        "license": license,
        "license_from_project": default,
        "missing": False,
    }


def absent(block: bytes, distance: int) -> dict[str, Any]:
    return {"work": ref(block), "distance": distance, "missing": True}


def foreign(distance: int, **source: Any) -> dict[str, Any]:
    return {"source": source, "distance": distance, "missing": False}


def me(person: Person, *roles: str) -> tuple[Any, ...]:
    return WHO[person.name], list(roles or ("ctb",)), "self"


DEFAULT: dict[str, Any] = {"license": "CC-BY-SA-4.0", "default": True}
MELODY = work(ALICE, "A melody", license="CC-BY-4.0")
WORDS = work(BOB, "Some words")


def credit_sheets() -> Book:
    book = Book("trail")

    def sheet(
        name: str,
        rule: str,
        why: str,
        about: bytes,
        *lines: dict[str, Any],
        others: tuple[bytes, ...] = (),
        pages: tuple[bytes, ...] = (),
    ) -> None:
        blocks = sorted({*BASE, about, *others}, key=wire.sha256)
        book.valid(
            name,
            rule,
            why,
            "credits",
            {"objects": blocks, "pages": list(pages)},
            work=ref(about),
            lines=list(lines),
        )

    walks(sheet)
    sources(sheet)
    people(sheet)
    return book


def walks(sheet: Any) -> None:
    melody, words = (
        line(MELODY, 1, me(ALICE), license="CC-BY-4.0"),
        line(WORDS, 1, me(BOB), **DEFAULT),
    )
    sheet(
        "alone",
        "CRD-1",
        "a work on the project: the project is no source",
        WORDS,
        line(WORDS, 0, me(BOB), **DEFAULT),
    )
    song = work(CAROL, "A song", MELODY, WORDS)
    by_cid = sorted([(cid(MELODY), melody), (cid(WORDS), words)])
    sheet(
        "two-parents",
        "CRD-1",
        "two parents without uses",
        song,
        line(song, 0, me(CAROL), **DEFAULT),
        *(found for _, found in by_cid),
        others=(MELODY, WORDS),
    )
    remix = work(BOB, "A remix", MELODY)
    both = work(CAROL, "Both", MELODY, remix)
    sheet(
        "shortest",
        "CRD-1",
        "a work on another and on what that one is built on: the shortest path counts, the later generation comes first",
        both,
        line(both, 0, me(CAROL), **DEFAULT),
        line(remix, 1, me(BOB), **DEFAULT),
        line(MELODY, 1, me(ALICE), license="CC-BY-4.0"),
        others=(MELODY, remix),
    )
    left, right = work(BOB, "Left", MELODY), work(CAROL, "Right", MELODY)
    top = work(ALICE, "Top", left, right)
    sides = sorted(
        [
            (cid(left), line(left, 1, me(BOB), **DEFAULT)),
            (cid(right), line(right, 1, me(CAROL), **DEFAULT)),
        ]
    )
    sheet(
        "diamond",
        "CRD-1",
        "a work that is reached on two ways is listed once",
        top,
        line(top, 0, me(ALICE), **DEFAULT),
        *(found for _, found in sides),
        line(MELODY, 2, me(ALICE), license="CC-BY-4.0"),
        others=(MELODY, left, right),
    )
    call = ALICE.sign("call", {"title": "Wanted: words"}, project=cid(OPEN), parents=[cid(OPEN)])
    answered = work(BOB, "Words", call, call=ref(call))
    sheet(
        "call",
        "CRD-1",
        "a call is no source",
        answered,
        line(answered, 0, me(BOB), **DEFAULT),
        others=(call,),
    )


def sources(sheet: Any) -> None:
    bass = work(BOB, "A bass line", home=BARE)
    elsewhere = {"work": ref(bass), "project": ref(BARE), "relation": "sample"}
    song = work(ALICE, "A song", uses=[elsewhere])
    top = line(song, 0, me(ALICE), **DEFAULT)
    sheet(
        "elsewhere",
        "CRD-4",
        "a work of another project, which has no licence of its own and none from its project",
        song,
        top,
        line(bass, 1, me(BOB)),
        others=(bass,),
    )
    sheet("elsewhere-absent", "CRD-3", "the same, but it is not here", song, top, absent(bass, 1))
    deep = work(
        CAROL,
        "Deep",
        home=BARE,
        uses=[{"source": {"title": "An old tune", "author": "Trad."}, "relation": "remix"}],
    )
    middle = work(BOB, "Middle", deep, home=BARE)
    song = work(
        ALICE, "A song", uses=[{"work": ref(middle), "project": ref(BARE), "relation": "sample"}]
    )
    sheet(
        "elsewhere-deep",
        "CRD-1",
        "what the work elsewhere is built on, and what that one used",
        song,
        line(song, 0, me(ALICE), **DEFAULT),
        line(middle, 1, me(BOB)),
        line(deep, 2, me(CAROL)),
        foreign(3, title="An old tune"),
        others=(middle, deep),
    )
    sheet(
        "elsewhere-deep-absent",
        "CRD-3",
        "a parent of the work elsewhere is not here, so the walk ends with it",
        song,
        line(song, 0, me(ALICE), **DEFAULT),
        absent(middle, 1),
        others=(),
    )
    tune = {"url": "https://example.org/tune", "title": "An old tune"}
    uses = [
        {"source": tune, "relation": "sample", "part": "t=1,2"},
        {"source": tune | {"author": "Trad."}, "relation": "sample", "part": "t=5,6"},
    ]
    song = work(
        ALICE, "A song", uses=[*uses, {"source": {"title": "An old tune"}, "relation": "remix"}]
    )
    sheet(
        "foreign",
        "CRD-1",
        "sources outside are one where url, title and sha256 are the same; an absent url comes first",
        song,
        line(song, 0, me(ALICE), **DEFAULT),
        foreign(1, title="An old tune"),
        foreign(1, **tune),
    )
    mixed = work(
        ALICE,
        "Mixed",
        MELODY,
        uses=[
            {"work": ref(MELODY), "relation": "translation"},
            {"source": tune, "relation": "sample"},
            elsewhere,
        ],
    )
    sheet(
        "mixed",
        "CRD-1",
        "in one distance: works that are here, then those that are not, then sources outside",
        mixed,
        line(mixed, 0, me(ALICE), **DEFAULT),
        line(MELODY, 1, me(ALICE), license="CC-BY-4.0"),
        absent(bass, 1),
        foreign(1, **tune),
        others=(MELODY,),
    )
    page = encode({"entries": [{"source": tune, "relation": "sample"}]})
    paged = work(ALICE, "Paged", uses_pages=[cid(page)])
    sheet(
        "uses-page",
        "CRD-1",
        "a use on a list page",
        paged,
        line(paged, 0, me(ALICE), **DEFAULT),
        foreign(1, **tune),
        pages=(page,),
    )
    unseen = work(BOB, "Unseen")
    free = [{"work": ref(block), "relation": "collect"} for block in (MELODY, unseen)]
    page = encode({"entries": free})
    paged = work(ALICE, "Paged", uses_pages=[cid(page)])
    sheet(
        "uses-page-no-parents",
        "CRD-3",
        "uses on a list page of works of the project that are no parents: one is here, one is not",
        paged,
        line(paged, 0, me(ALICE), **DEFAULT),
        line(MELODY, 1, me(ALICE), license="CC-BY-4.0"),
        absent(unseen, 1),
        others=(MELODY,),
        pages=(page,),
    )
    bad_page = encode({"entries": [*free, {"work": ref(MELODY)}]})
    paged = work(ALICE, "Paged", uses_pages=[cid(bad_page)])
    sheet(
        "uses-page-malformed",
        "CRD-1",
        "a page with an entry that is no use counts as not here, and so do its other entries",
        paged,
        line(paged, 0, me(ALICE), **DEFAULT),
        others=(MELODY,),
        pages=(bad_page,),
    )


def people(sheet: Any) -> None:
    uncle = {"name": "Uncle", "role": "whistling"}
    song = work(
        ALICE,
        "A song",
        credits=[uncle, {"who": WHO["Bob"], "role": "lyr"}, {"who": WHO["Alice"], "role": "cmp"}],
    )
    named = [
        ("Uncle", ["whistling"], "claimed"),
        (WHO["Bob"], ["lyr"], "claimed"),
        (WHO["Alice"], ["cmp"], "self"),
    ]
    sheet(
        "named",
        "CRD-2",
        "people in the order of the list; the author is among them",
        song,
        line(song, 0, *named, **DEFAULT),
    )
    others = work(ALICE, "A song", credits=[uncle])
    sheet(
        "author-added",
        "CRD-2",
        "the author is not in the list, and is added as contributor",
        others,
        line(others, 0, named[0], me(ALICE), **DEFAULT),
    )
    twice = work(
        ALICE,
        "A song",
        credits=[{"who": WHO["Bob"], "role": "lyr"}, uncle, {"who": WHO["Bob"], "role": "sng"}],
    )
    sheet(
        "two-roles",
        "CRD-1",
        "a person with two roles stands there once",
        twice,
        line(twice, 0, (WHO["Bob"], ["lyr", "sng"], "claimed"), named[0], me(ALICE), **DEFAULT),
    )
    for said, claim in {"accept": "confirmed", "deny": "denied", "amend": "amended"}.items():
        people = [named[0], (WHO["Bob"], ["lyr"], claim), named[2]]
        sheet(
            f"answer-{said}",
            "CRD-2",
            f"the credited person answers: {said}",
            song,
            line(song, 0, *people, **DEFAULT),
            others=(answer(BOB, song, 1, said),),
        )
    sheet(
        "answer-of-another",
        "CRD-2",
        "somebody else's answer counts for nothing",
        song,
        line(song, 0, *named, **DEFAULT),
        others=(answer(CAROL, song, 1, "accept"),),
    )
    sheet(
        "answer-to-another-line",
        "CRD-2",
        "an answer to a line that is not the person's",
        song,
        line(song, 0, *named, **DEFAULT),
        others=(answer(BOB, song, 0, "accept"),),
    )
    sheet(
        "answer-to-another-work",
        "CRD-2",
        "an answer to another work",
        song,
        line(song, 0, *named, **DEFAULT),
        others=(answer(BOB, others, 1, "accept"), others),
    )
    page = encode({"entries": [{"who": WHO["Carol"], "role": "mix"}]})
    paged = work(ALICE, "A song", credits=[uncle], credits_pages=[cid(page)])
    sheet(
        "credits-page",
        "CRD-1",
        "a credit on a list page follows those of the body",
        paged,
        line(paged, 0, named[0], (WHO["Carol"], ["mix"], "claimed"), me(ALICE), **DEFAULT),
        pages=(page,),
    )
