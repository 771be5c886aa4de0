"""The part of keys.json on identity files: chapter 02."""

from __future__ import annotations

from typing import Any

from maker.book import Book
from maker.erin import ERIN, FIRST, NEW_KEY, drop, entry, keep, page
from maker.sign import ALICE, BOB, PROJECT, Key
from maker.wire import cid, encode

PAGE = page(entry(FIRST))
LATER = drop(PAGE)
KEY = {"hitp2p": "key/1", "kdf": "none", "public": NEW_KEY.public, "seed": NEW_KEY.seed}
PLAIN: dict[str, Any] = {
    "hitp2p": "identity/1",
    "event": cid(LATER),
    "events": [ERIN.genesis, LATER],
    "pages": [PAGE],
    "public": NEW_KEY.public,
    "key": encode(KEY),
}


def changed(without: str = "", **fields: Any) -> bytes:
    return encode({k: v for k, v in (PLAIN | fields).items() if k != without})


def bare(without: str = "", **fields: Any) -> bytes:
    return encode({k: v for k, v in (KEY | fields).items() if k != without})


def identity_files(book: Book) -> None:
    def good(name: str, rule: str, why: str, data: bytes) -> None:
        book.valid(name, rule, why, "identity-file", data)

    def bad(name: str, rule: str, why: str, data: bytes, **more: Any) -> None:
        book.invalid(name, rule, why, "identity-file", data, **more)

    good("file", "KEY-10", "two events, a page and a key", changed())
    good("file-without-pages", "KEY-10", "the page is not here", changed("pages"))
    good("file-without-key", "KEY-10", "the key lives elsewhere", changed("key"))
    for field in ("event", "events", "public", "hitp2p"):
        bad(f"file-without-{field}", "KEY-10", f"no {field}", changed(field))
    bad("file-extra-field", "KEY-10", "a field more", changed(note=""))
    bad("file-other-format", "KEY-10", "another format", changed(hitp2p="identity/2"))
    bad(
        "file-event-text",
        "KEY-10",
        "the event as bytes without a tag",
        changed(event=bytes(cid(LATER))),
    )
    bad("file-array", "KEY-10", "no map", encode([PLAIN]))
    bad(
        "file-over-2-mib",
        "KEY-10",
        "more than 2 MiB",
        changed(pages=[bytes(2 * 1024 * 1024)]),
        also=["ENC-9"],
    )
    bad("events-none", "KEY-11", "no event", changed(events=[]))
    bad("events-swapped", "KEY-11", "the later event first", changed(events=[LATER, ERIN.genesis]))
    bad("events-twice", "KEY-11", "an event twice", changed(events=[ERIN.genesis, LATER, LATER]))
    bad("events-without-genesis", "KEY-11", "no genesis", changed(events=[LATER]))
    bad(
        "events-of-two",
        "KEY-11",
        "the genesis of another beside them",
        changed(events=[ERIN.genesis, LATER, BOB.genesis]),
    )
    bad(
        "events-a-project",
        "KEY-11",
        "a project among the events",
        changed(events=[ERIN.genesis, LATER, PROJECT]),
    )
    unfit = ERIN.event(ERIN.key, [ERIN.genesis], [ERIN.key], ERIN.recovery)
    bad(
        "events-invalid",
        "IDN-3",
        "an event by a key that nobody committed to",
        changed(events=[ERIN.genesis, LATER, unfit]),
        code="rule",
        also=["KEY-11"],
    )
    bad("event-absent", "KEY-12", "the event is not among the events", changed(event=cid(keep())))
    bad(
        "public-of-another-event",
        "KEY-12",
        "the first key under the event that drops it",
        changed("key", public=ERIN.key.public),
    )
    bad(
        "public-of-nobody",
        "KEY-12",
        "a key that no event lists",
        changed("key", public=Key("nobody's").public),
    )
    other = {"public": ALICE.key.public, "seed": ALICE.key.seed}
    bad(
        "key-of-another",
        "KEY-12",
        "the envelope holds another key",
        changed(key=encode(KEY | other)),
    )
    bad(
        "key-not-an-envelope",
        "KEY-8",
        "an envelope that is none",
        changed(key=b"\x80"),
        also=["KEY-12"],
    )
    bad("pages-none", "KEY-13", "an empty list of pages", changed(pages=[]))
    bad("pages-twice", "KEY-13", "a page twice", changed(pages=[PAGE, PAGE]))
    bad(
        "pages-of-nobody",
        "KEY-13",
        "a page that no event links to",
        changed(pages=[PAGE, page(entry())]),
    )
    both = ERIN.event(ERIN.recovery[0], [ERIN.genesis], [ERIN.key, ERIN.recovery[1]], ERIN.recovery)
    held = {"events": [ERIN.genesis, both], "event": cid(both), "public": ERIN.recovery[1].public}
    bad(
        "recovery-key",
        "KEY-14",
        "the key is also one of the recovery keys that the event commits to",
        encode({"hitp2p": "identity/1"} | held),
    )
    more_fields(good, bad)
    more_events(good, bad)
    more_pages(good, bad)


def with_page_of(n_bytes: int) -> bytes:
    """A file without a key, of so many bytes, most of which are one list page (KEY-13 asks nothing of what it holds)."""

    def with_padding(n: int) -> bytes:
        padded = bytes(n)
        event = drop(padded)
        return changed("key", event=cid(event), events=[ERIN.genesis, event], pages=[padded])

    n_else = len(with_padding(100_000)) - 100_000
    return with_padding(n_bytes - n_else)


def more_fields(good: Any, bad: Any) -> None:
    most = 2 * 1024 * 1024
    good("file-2-mib", "KEY-10", "2 MiB", with_page_of(most))
    bad("file-2-mib-and-1", "KEY-10", "2 MiB and a byte", with_page_of(most + 1), also=["ENC-9"])
    for field, value, why in (
        ("events", "text", "text in place of a list"),
        ("events", [ERIN.genesis, "text"], "text among the events"),
        ("pages", [PAGE, cid(PAGE)], "a link among the pages"),
        ("pages", PAGE, "a page in place of a list"),
        ("public", NEW_KEY.public.hex(), "the public key as text"),
        ("key", KEY, "the envelope as a map"),
        ("key", None, "null in place of an envelope"),
        ("hitp2p", 1, "a number as format"),
    ):
        name = f"file-{field}-{why.split()[0]}-{why.split()[-1]}"
        bad(name, "KEY-10", why, changed(**{field: value}))


def more_events(good: Any, bad: Any) -> None:
    second = ERIN.event(ERIN.recovery[1], [LATER], [NEW_KEY], ERIN.recovery)
    events = [ERIN.genesis, LATER, second]
    good("events-three", "KEY-11", "a third event", changed(events=events, event=cid(second)))
    good("event-of-before", "KEY-12", "not the last event", changed(events=events))
    bad(
        "events-parent-later",
        "KEY-11",
        "an event before its parent",
        changed(events=[ERIN.genesis, second, LATER]),
    )
    bad(
        "events-parent-absent",
        "KEY-11",
        "an event whose parent is not there",
        changed(events=[ERIN.genesis, second], event=cid(second), pages=[PAGE]),
        also=["KEY-13"],
    )
    bad(
        "public-31-bytes",
        "KEY-12",
        "a public key of 31 bytes",
        changed("key", public=NEW_KEY.public[1:]),
        also=["KEY-10"],
    )
    bad(
        "event-of-another",
        "KEY-12",
        "the event is that of another identity",
        changed(event=BOB.cid),
    )
    revealed = ERIN.event(
        ERIN.recovery[0], [ERIN.genesis], [ERIN.key, ERIN.recovery[0]], ERIN.recovery[1:]
    )
    held = {"events": [ERIN.genesis, revealed], "event": cid(revealed)}
    good(
        "recovery-key-of-before",
        "KEY-14",
        "the key was committed to by an earlier event, and no more",
        encode({"hitp2p": "identity/1", "public": ERIN.recovery[0].public} | held),
    )
    for place in (0, 2):
        key = ERIN.recovery[place]
        event = ERIN.event(ERIN.recovery[1], [ERIN.genesis], [ERIN.key, key], ERIN.recovery)
        held = {"events": [ERIN.genesis, event], "event": cid(event), "public": key.public}
        bad(
            f"recovery-key-{place}",
            "KEY-14",
            f"the key is number {place}, from 0, of the recovery keys",
            encode({"hitp2p": "identity/1"} | held),
        )


def more_pages(good: Any, bad: Any) -> None:
    other = page(entry())
    event = drop(PAGE, other)
    held = {"events": [ERIN.genesis, event], "event": cid(event)}
    good("pages-two", "KEY-13", "two pages", changed(**held, pages=[other, PAGE]))
    good("pages-one-of-two", "KEY-13", "one of two pages", changed(**held, pages=[other]))
    linked = ERIN.event(
        ERIN.recovery[0],
        [ERIN.genesis],
        [NEW_KEY],
        ERIN.recovery,
        dropped=[{"key": ERIN.key.public}],
        x=[cid(PAGE)],
    )
    bad(
        "pages-of-unknown-field",
        "KEY-13",
        "a page that an event links to elsewhere than in `dropped`",
        changed(events=[ERIN.genesis, linked], event=cid(linked)),
    )


def bare_envelopes(book: Book) -> None:
    book.valid(
        "bare",
        "KEY-8",
        "a bare envelope",
        "key-envelope",
        bare(),
        passphrase=None,
        seed=NEW_KEY.seed,
    )
    for name, data, why in (
        ("extra", bare(salt=bytes(16)), "a field of the other form"),
        ("without-seed", bare("seed"), "no seed"),
        ("seed-31", bare(seed=NEW_KEY.seed[1:]), "31 bytes of seed"),
    ):
        book.invalid(f"bare-{name}", "KEY-8", why, "key-envelope", data, passphrase=None)
    book.invalid(
        "bare-public-of-another",
        "KEY-9",
        "the public key of another seed",
        "key-envelope",
        bare(public=BOB.key.public),
        passphrase=None,
    )


def key_files(book: Book) -> None:
    """Bare envelopes and identity files."""
    bare_envelopes(book)
    identity_files(book)
