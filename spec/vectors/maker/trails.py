"""trail.json: chapter 04, sets of objects with what each is worth, heads and generations."""

from __future__ import annotations

from typing import Any

from maker import wire
from maker.book import Book
from maker.kinds import HERE
from maker.sign import ALICE, BOB, PROJECT, PROJECT_CID, RULES, Key, in_project, ref, sign
from maker.wire import Link, cid, cid_text

BASE = [ALICE.genesis, PROJECT]
OTHER_PROJECT = BOB.sign("project", {"title": "Another song", "rules": RULES, "nonce": b"\1" * 16})
BOB_BASE = [BOB.genesis, OTHER_PROJECT]
WORK = in_project(body={"title": "A melody"})
WORDS = in_project(body={"title": "Some words"})
BOBS_WORK = BOB.sign(
    "contribution",
    {"title": "A bass line"},
    project=cid(OTHER_PROJECT),
    parents=[cid(OTHER_PROJECT)],
)
RULES_1 = in_project(kind="rules", body=RULES)
THANKS = in_project(kind="thanks", body={"target": HERE, "text": "Thank you."})
UNKNOWN = in_project(kind="x-sketch", body={})
PROFILE = ALICE.sign("profile", {"name": "Alice"})
LATER_KEY = Key("Alice later")
LATER = ALICE.event(
    ALICE.recovery[0],
    [ALICE.genesis],
    [LATER_KEY],
    [ALICE.recovery[1]],
    dropped=[{"key": ALICE.key.public}],
)


def on(*parents: bytes, kind: str = "contribution", body: Any = None, **envelope: Any) -> bytes:
    """An object by Alice in her project on these parents."""
    return in_project(kind=kind, body=body, parents=sorted(cid(p) for p in parents), **envelope)


def text(block: bytes) -> str:
    return cid_text(cid(block))


class Sets:
    """A book of sets, each about one object of it."""

    def __init__(self) -> None:
        self.book = Book("trail")

    def _add(
        self, name: str, rule: str, why: str, blocks: list[bytes], about: bytes, **expected: Any
    ) -> None:
        in_order = sorted({*blocks, about}, key=wire.sha256)
        verdict = expected.pop("verdict")
        more = {"object": text(about)} | {
            k: expected.pop(k) for k in ("also", "covers") if expected.get(k)
        }
        report: dict[str, Any] = {
            "valid": [],
            "incomplete": [],
            "invalid": {},
            "missing": [],
        } | expected
        judged = {*report["incomplete"], *report["invalid"]}
        report["valid"] = sorted({text(b) for b in in_order} - judged)
        more["report"] = report
        if verdict == "invalid":
            self.book.invalid(name, rule, why, "set", in_order, **more)
        else:
            self.book.other(name, rule, verdict, why, "set", in_order, **more)

    def good(
        self, name: str, rule: str, why: str, about: bytes, *blocks: bytes, **more: Any
    ) -> None:
        """`about` and all blocks are valid."""
        self._add(name, rule, why, [*BASE, *blocks], about, verdict="valid", **more)

    def bad(
        self,
        name: str,
        rules: str,
        why: str,
        about: bytes,
        *blocks: bytes,
        others: tuple[tuple[bytes, str], ...] = (),
        **more: Any,
    ) -> None:
        """`about` breaks a rule; `others` too."""
        rule, *also = rules.split("/")
        invalid = {text(about): [rule, *also]} | {text(b): [r] for b, r in others}
        in_set = [*BASE, *blocks, *(b for b, _ in others)]
        self._add(
            name,
            rule,
            why,
            in_set,
            about,
            verdict="invalid",
            invalid=invalid,
            **({"also": also} if also else {}),
            **more,
        )

    def waits(
        self,
        name: str,
        rule: str,
        why: str,
        about: bytes,
        *blocks: bytes,
        missing: list[Link],
        others: tuple[bytes, ...] = (),
    ) -> None:
        """`about` (and `others` with it) can't be judged; `missing` is not here."""
        incomplete = sorted([text(about), *map(text, others)])
        self._add(
            name,
            rule,
            why,
            [*blocks, *others],
            about,
            verdict="incomplete",
            incomplete=incomplete,
            missing=sorted(map(cid_text, missing)),
        )


def trails() -> Book:
    sets = Sets()
    for part in (parents, speakers, uses, events, validity, graph):
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
