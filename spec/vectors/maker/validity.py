"""The part of trail.json on verdicts over sets, heads and generations."""

from __future__ import annotations

from typing import Any

from maker import wire
from maker.sets import (
    BASE,
    BOB_BASE,
    BOBS_WORK,
    LATER,
    LATER_KEY,
    RULES_1,
    THANKS,
    WORDS,
    WORK,
    Sets,
    on,
    text,
)
from maker.sign import ALICE, PROJECT, PROJECT_CID, in_project, ref
from maker.wire import cid, cid_text


def validity(sets: Sets) -> None:
    work = on(WORK)
    sets.waits("no-parent", "TRL-9", "a parent is not here", work, *BASE, missing=[cid(WORK)])
    sets.waits(
        "no-project", "TRL-9", "the project is not here", WORK, ALICE.genesis, missing=[PROJECT_CID]
    )
    sets.waits(
        "no-author",
        "TRL-9",
        "the genesis is not here, nor judged what it signed",
        WORK,
        missing=[ALICE.cid],
        others=(PROJECT,),
    )
    signed_later = ALICE.sign(
        "contribution",
        {"title": "A work"},
        event=cid(LATER),
        key=LATER_KEY,
        project=PROJECT_CID,
        parents=[PROJECT_CID],
    )
    sets.waits(
        "no-event", "TRL-9", "the event is not here", signed_later, *BASE, missing=[cid(LATER)]
    )
    sets.waits(
        "no-grandparent",
        "TRL-9",
        "a parent's parent is not here",
        on(work),
        *BASE,
        missing=[cid(WORK)],
        others=(work,),
    )
    sets.waits(
        "one-of-two",
        "TRL-9",
        "one of two parents is not here, and the other is of another project: not judged before both are",
        on(BOBS_WORK, WORK),
        *BASE,
        *BOB_BASE,
        BOBS_WORK,
        missing=[cid(WORK)],
    )
    bad = on(THANKS)
    sets.bad(
        "on-invalid", "TRL-9", "a work on an invalid one", on(bad), THANKS, others=((bad, "TRL-2"),)
    )
    sets.bad(
        "on-invalid-far",
        "TRL-9",
        "a work on a work on an invalid one",
        on(on(bad)),
        THANKS,
        others=((bad, "TRL-2"), (on(bad), "TRL-9")),
    )
    sets.bad(
        "on-invalid-and-valid",
        "TRL-9",
        "a valid parent beside an invalid one",
        on(bad, WORK),
        THANKS,
        WORK,
        others=((bad, "TRL-2"),),
    )
    media = in_project(
        body={
            "title": "A work",
            "media": [media_entry()],
            "note_block": wire.cid(b"note", wire.RAW),
            "credits_pages": [cid(b"page")],
        }
    )
    sets.good(
        "no-media",
        "TRL-9",
        "media, text and list page are not here, which makes nothing incomplete",
        media,
    )
    sets.good(
        "absent-refs",
        "TRL-9",
        "what refs name is not here, which makes nothing incomplete",
        on(PROJECT, body={"title": "A work", "call": ref("x")}),
    )
    sets.good(
        "times-backwards",
        "TRL-9",
        "a child that claims to be older than its parent",
        on(WORK, time=0),
        WORK,
    )


def media_entry() -> dict[str, Any]:
    return {
        "file": wire.cid(b"media", wire.RAW),
        "size": 5,
        "sha256": wire.sha256(b"media"),
        "type": "text/plain",
        "role": "master",
    }


def graph(sets: Sets) -> None:
    def shape(
        name: str,
        rule: str,
        why: str,
        about: bytes,
        *blocks: bytes,
        heads: list[bytes],
        generations: dict[bytes, int],
    ) -> None:
        known = {ALICE.genesis: 0, PROJECT: 1} | generations
        sets.good(
            name,
            rule,
            why,
            about,
            *blocks,
            heads={cid_text(PROJECT_CID): sorted(map(text, heads))},
            generations={text(b): n for b, n in known.items()},
        )

    shape(
        "no-works",
        "TRL-10",
        "a project without works has no heads",
        PROJECT,
        THANKS,
        RULES_1,
        heads=[],
        generations={THANKS: 2, RULES_1: 2},
    )
    shape("one", "TRL-10", "one work", WORK, heads=[WORK], generations={WORK: 2})
    remix = on(WORK, WORDS)
    shape(
        "join",
        "TRL-10",
        "a work on two",
        remix,
        WORK,
        WORDS,
        heads=[remix],
        generations={WORK: 2, WORDS: 2, remix: 3},
    )
    shape(
        "two-heads",
        "TRL-10",
        "two works side by side",
        on(WORK),
        WORK,
        WORDS,
        heads=[on(WORK), WORDS],
        generations={WORK: 2, WORDS: 2, on(WORK): 3},
    )
    long = on(WORDS, on(WORK))
    shape(
        "uneven",
        "TRL-11",
        "the longest path counts",
        long,
        on(WORK),
        WORK,
        WORDS,
        heads=[long],
        generations={WORK: 2, WORDS: 2, on(WORK): 3, long: 4},
    )
    skipping = on(WORK, on(WORK))
    shape(
        "skipping",
        "TRL-10",
        "a work on another and on what that one is built on",
        skipping,
        on(WORK),
        WORK,
        heads=[skipping],
        generations={WORK: 2, on(WORK): 3, skipping: 4},
    )
    sketch = on(WORK, kind="x-sketch", body={})
    shape(
        "unknown-hides-nothing",
        "TRL-10",
        "an unknown kind is no head and hides none",
        sketch,
        WORK,
        heads=[WORK],
        generations={WORK: 2, sketch: 3},
    )
    above = on(sketch)
    shape(
        "work-on-unknown",
        "TRL-10",
        "nor does a work on it hide what is below",
        above,
        sketch,
        WORK,
        heads=[WORK, above],
        generations={WORK: 2, sketch: 3, above: 4},
    )
    thanks = on(
        PROJECT, kind="thanks", body={"target": {"object": ref(WORK)}, "text": "Thank you."}
    )
    shape(
        "statement-hides-nothing",
        "TRL-10",
        "a statement is no head and hides none; a ref is no link",
        thanks,
        WORK,
        heads=[WORK],
        generations={WORK: 2, thanks: 2},
    )
    signed_later = ALICE.sign(
        "contribution",
        {"title": "A work"},
        event=cid(LATER),
        key=LATER_KEY,
        project=PROJECT_CID,
        parents=[PROJECT_CID],
    )
    shape(
        "event-counts",
        "TRL-11",
        "events count like any link: the later event has generation 1",
        signed_later,
        LATER,
        heads=[signed_later],
        generations={LATER: 1, signed_later: 2},
    )
    last = ALICE.event(ALICE.recovery[1], [LATER], [LATER_KEY], [ALICE.recovery[1]])
    latest = ALICE.event(ALICE.recovery[1], [last], [LATER_KEY], [ALICE.recovery[1]])
    signed_last = ALICE.sign(
        "contribution",
        {"title": "A work"},
        event=cid(latest),
        key=LATER_KEY,
        project=PROJECT_CID,
        parents=[PROJECT_CID],
    )
    shape(
        "event-decides",
        "TRL-11",
        "an event of generation 3 lifts the work to 4",
        signed_last,
        LATER,
        last,
        latest,
        heads=[signed_last],
        generations={LATER: 1, last: 2, latest: 3, signed_last: 4},
    )
    invalid = on(WORK, THANKS)
    sets.bad(
        "invalid-hides-nothing",
        "TRL-2",
        "an invalid work is no head and hides none",
        invalid,
        WORK,
        THANKS,
        heads={cid_text(PROJECT_CID): [text(WORK)]},
    )
