"""trail.json: chapter 04, sets of objects with what each is worth, heads and generations."""

from __future__ import annotations

from maker.book import Book
from maker.sets import (
    BOB_BASE,
    BOBS_WORK,
    OTHER_PROJECT,
    PROFILE,
    RULES_1,
    THANKS,
    UNKNOWN,
    WORDS,
    WORK,
    Sets,
    on,
    text,
)
from maker.sign import ALICE, PROJECT, PROJECT_CID, RULES, in_project, ref
from maker.speakers import events, speakers
from maker.validity import graph, validity
from maker.wire import cid, cid_text, encode


def trails() -> Book:
    sets = Sets()
    for part in (parents, later_kinds, speakers, uses, uses_on_pages, events, validity, graph):
        part(sets)
    return sets.book


def parents(sets: Sets) -> None:
    sets.good("on-project", "TRL-1", "a work on the project", WORK)
    sets.good("on-work", "TRL-1", "a work on a work", on(WORK), WORK)
    sets.bad(
        "foreign-parent",
        "TRL-1",
        "a parent from another project",
        on(BOBS_WORK),
        *BOB_BASE,
        BOBS_WORK,
    )
    sets.bad(
        "foreign-parent-beside-own",
        "TRL-1",
        "a parent from another project beside an own one",
        on(WORK, BOBS_WORK),
        *BOB_BASE,
        WORK,
        BOBS_WORK,
    )
    sets.bad(
        "other-project-as-parent",
        "TRL-1/TRL-2",
        "another project as parent",
        on(OTHER_PROJECT),
        *BOB_BASE,
    )
    sets.bad(
        "profile-as-parent",
        "TRL-1/TRL-2",
        "an object without a project as parent",
        on(PROFILE),
        PROFILE,
    )
    sets.bad("event-as-parent", "TRL-1/TRL-2", "an identity event as parent", on(ALICE.genesis))
    call = on(PROJECT, kind="call", body={"title": "Wanted: words"})
    sets.good("work-on-call", "TRL-2", "a call is a work", on(call), call)
    sets.good(
        "work-on-unknown",
        "TRL-2",
        "an unknown kind as parent is taken for a work",
        on(UNKNOWN, WORK),
        UNKNOWN,
        WORK,
    )
    sets.bad("work-on-rules", "TRL-2", "rules as parent of a work", on(RULES_1), RULES_1)
    sets.bad("work-on-statement", "TRL-2", "a statement as parent of a work", on(THANKS), THANKS)
    sets.bad(
        "work-on-work-and-statement",
        "TRL-2",
        "a statement beside a work",
        on(WORK, THANKS),
        WORK,
        THANKS,
    )
    sets.bad(
        "work-on-work-and-project",
        "TRL-2",
        "the project beside a work: it stands alone or not at all",
        on(WORK, PROJECT),
        WORK,
    )
    for kind in ("call", "release"):
        body = {
            "call": {"title": "Wanted"},
            "release": {"title": "Out", "version": "1", "works": [ref("x")]},
        }[kind]
        sets.bad(
            f"{kind}-on-rules",
            "TRL-2",
            f"rules as parent of a {kind}",
            on(RULES_1, kind=kind, body=body),
            RULES_1,
        )
    other_rules = on(RULES_1, kind="rules", body=RULES | {"x": 1})
    sets.good("rules-on-rules", "TRL-3", "rules on rules", other_rules, RULES_1)
    sets.bad(
        "rules-on-work",
        "TRL-3",
        "a work as parent of rules",
        on(WORK, kind="rules", body=RULES),
        WORK,
    )
    sets.bad(
        "rules-on-unknown",
        "TRL-3",
        "an unknown kind as parent of rules",
        on(UNKNOWN, kind="rules", body=RULES),
        UNKNOWN,
    )
    sets.bad(
        "rules-on-rules-and-project",
        "TRL-3",
        "the project beside rules",
        on(RULES_1, PROJECT, kind="rules", body=RULES),
        RULES_1,
    )
    body = {"target": {"object": ref(WORK)}, "text": "Thank you."}
    sets.good(
        "statement-on-project",
        "TRL-4",
        "a statement on the project",
        on(PROJECT, kind="thanks", body=body),
        WORK,
    )
    sets.bad(
        "statement-on-work",
        "TRL-4",
        "a statement on the work that it speaks of",
        on(WORK, kind="thanks", body=body),
        WORK,
    )
    sets.bad(
        "statement-on-work-and-project",
        "TRL-4",
        "a statement on project and work",
        on(WORK, PROJECT, kind="thanks", body=body),
        WORK,
    )
    sets.bad(
        "statement-on-unknown",
        "TRL-4",
        "an unknown kind as parent of a statement",
        on(UNKNOWN, kind="thanks", body=body),
        UNKNOWN,
    )
    sets.good(
        "unknown-on-anything",
        "TRL-4",
        "an unknown kind on a statement, a work and rules",
        on(THANKS, WORK, RULES_1, kind="x-sketch", body={}),
        THANKS,
        WORK,
        RULES_1,
    )
    for name, block in {"work": WORK, "rules": RULES_1, "unknown": UNKNOWN}.items():
        odd = ALICE.sign("thanks", body, project=cid(block), parents=[cid(block)])
        sets.bad(f"project-is-{name}", "TRL-5", "project names another kind", odd, block)
    odd = ALICE.sign("thanks", body, project=ALICE.cid, parents=[ALICE.cid])
    sets.bad("project-is-event", "TRL-5", "project names an identity event", odd)
    sets.bad(
        "unknown-in-no-project",
        "TRL-5",
        "an unknown kind whose project is a work",
        ALICE.sign("x-sketch", {}, project=cid(WORK), parents=[cid(WORK)]),
        WORK,
    )


def later_kinds(sets: Sets) -> None:
    """Kinds that a later chapter may name, without the `x-` of one's own: unknown for ever [KND-11]."""
    poll = on(
        PROJECT, kind="poll", body={"target": {"object": ref(WORK)}, "text": ["of any shape"]}
    )
    sets.good(
        "work-on-later-statement",
        "KND-11",
        "a work on what a later program may know as a statement",
        on(poll),
        poll,
        WORK,
    )
    sets.good(
        "later-statement-on-work",
        "KND-11",
        "a kind that a later program may know as a statement, with a work as parent",
        on(WORK, kind="poll", body={}),
        WORK,
    )
    poem = on(THANKS, kind="poem", body={"title": "A poem", "uses": [{"relation": "no such"}]})
    sets.good(
        "later-work-on-statement",
        "KND-11",
        "a kind that a later program may know as a work, on a statement, with uses of another shape",
        poem,
        THANKS,
    )
    sets.bad(
        "rules-on-later-rules",
        "TRL-3",
        "rules on what a later program may know as rules",
        on(on(PROJECT, kind="charter", body={}), kind="rules", body=RULES),
        on(PROJECT, kind="charter", body={}),
    )
    uses = [{"work": ref("used"), "relation": "remix", "project": ref("elsewhere"), "weight": "x"}]
    sets.good(
        "later-fields",
        "KND-11",
        "fields that a later chapter may name, of any shape",
        in_project(body={"title": "A work", "remix_of": [], "price": -1, "uses": uses}),
    )


def uses(sets: Sets) -> None:
    def using(*parents: bytes, **use: str) -> bytes:
        return on(*parents, body={"title": "A remix", "uses": [{"relation": "remix"} | use]})

    sets.good("use-of-parent", "TRL-7", "a use of a parent", using(WORK, work=text(WORK)), WORK)
    sets.good(
        "parent-without-use",
        "TRL-7",
        "two parents, a use of one",
        using(WORK, WORDS, work=text(WORK)),
        WORK,
        WORDS,
    )
    sets.good(
        "use-elsewhere",
        "TRL-7",
        "a use of a work elsewhere, which is not here",
        using(PROJECT, work=text(BOBS_WORK), project=text(OTHER_PROJECT)),
    )
    sets.bad(
        "use-of-no-parent",
        "TRL-7",
        "a use of a work of the project that is no parent",
        using(WORK, work=text(WORDS)),
        WORK,
        WORDS,
    )
    sets.bad(
        "use-of-no-parent-absent",
        "TRL-7",
        "the same, of a work that is not here",
        using(WORK, work=text(WORDS)),
        WORK,
    )
    sets.bad(
        "use-elsewhere-without-project",
        "TRL-7",
        "a work elsewhere without its project",
        using(PROJECT, work=text(BOBS_WORK)),
        *BOB_BASE,
        BOBS_WORK,
    )
    remix = using(WORK, work=text(WORK))
    sets.bad(
        "use-of-grandparent",
        "TRL-7",
        "a use of a parent's parent",
        using(remix, work=text(WORK)),
        WORK,
        remix,
    )


def uses_on_pages(sets: Sets) -> None:
    """A page is no part of the set: the verdict is the same whatever it says."""
    for name, why, use in (
        ("stranger", "a work of the project that is no parent", {"work": ref(WORK)}),
        ("own-project", "with the object's own project beside it", {"work": ref(WORK), "project": cid_text(PROJECT_CID)}),
        ("nothing", "an entry that is no use", {}),
    ):  # fmt: skip
        page = encode({"entries": [use | {"relation": "remix"}]})
        work = in_project(body={"title": "A work", "uses_pages": [cid(page)]})
        sets.good(f"page-{name}", "TRL-7", f"a list page, not here, has {why}", work, WORK)
