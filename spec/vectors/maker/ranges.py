"""ranges.json: chapter 10, what is answered to ranges of keys, and what an answer tells."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from maker.book import Book
from maker.wire import sha256

Range = list[Any]
NO_BOUND = b""


def key(n: int) -> bytes:
    """Three keys of each generation."""
    return (n // 3).to_bytes(8, "big") + sha256(b"key %d" % n)


KEYS = sorted(map(key, range(100)))
OTHER = sha256(b"somewhere else")


def fingerprint(keys: Sequence[bytes]) -> Range:
    total = sum(int.from_bytes(one[8:], "big") for one in keys) % 2**256
    return [len(keys), sha256(total.to_bytes(32, "big") + len(keys).to_bytes(8, "big"))[:16]]


def says_nothing(upper: bytes = NO_BOUND) -> Range:
    return [upper, 0, None]


def counts(keys: Sequence[bytes], upper: bytes = NO_BOUND) -> Range:
    return [upper, 1, fingerprint(keys)]


def lists(keys: Sequence[bytes], upper: bytes = NO_BOUND) -> Range:
    return [upper, 2, b"".join(one[8:] for one in keys)]


def differs(missing: Sequence[bytes], places: Sequence[int], upper: bytes = NO_BOUND) -> Range:
    return [upper, 3, [b"".join(one[-32:] for one in missing), list(places)]]


def is_cut(n_keys: int, upper: bytes = NO_BOUND) -> Range:
    """Where the answer is two to sixteen ranges in mode 1, with so many keys in all."""
    return [upper, 1, {"cut": n_keys}]


def answers(book: Book) -> None:
    """What one who has some keys answers."""

    def good(
        name: str, why: str, keys: Sequence[bytes], asked: Sequence[Range], answer: Sequence[Range]
    ) -> None:
        given = {"keys": list(keys), "ranges": list(asked)}
        book.valid(f"answer-{name}", "NET-16", why, "ranges-answer", given, answer=list(answer))

    last = says_nothing()
    good("nothing", "mode 0", KEYS, [last], [last])
    good("agrees", "mode 1, and all agrees", KEYS, [counts(KEYS)], [last])
    good("both-none", "neither has a key", [], [counts([])], [last])
    good("none-here", "mode 1, nothing here", [], [counts(KEYS)], [lists([])])
    good(
        "none-there", "33 keys, none on the other side", KEYS[:33], [counts([])], [lists(KEYS[:33])]
    )
    good("32", "32 keys that don't agree", KEYS[:32], [counts(KEYS)], [lists(KEYS[:32])])
    good("33", "33 keys that don't agree", KEYS[:33], [counts(KEYS)], [is_cut(33)])
    wrong = [NO_BOUND, 1, [100, bytes(16)]]
    good("sum", "as many keys with another sum", KEYS, [wrong], [is_cut(100)])
    wrong = [NO_BOUND, 1, [5, fingerprint(KEYS[:4])[1]]]
    good("count", "the same sum with another number", KEYS[:4], [wrong], [lists(KEYS[:4])])
    good("list-agrees", "a list of all", KEYS[:9], [lists(KEYS[:9])], [differs([], [])])
    good("list-empty", "an empty list", KEYS[:3], [lists([])], [differs(KEYS[:3], [])])
    good("list-none-here", "nothing of a list", [], [lists(KEYS[:3])], [differs([], [0, 1, 2])])
    listed, here = [KEYS[0], KEYS[1], KEYS[3]], [KEYS[1], KEYS[2], KEYS[4]]
    good("list", "a list of other keys", here, [lists(listed)], [differs(here[1:], [0, 2])])
    bound, end = KEYS[10], KEYS[20]
    good(
        "stretch",
        "a stretch whose lower bound is a key of it, and whose upper bound is a key past it",
        KEYS,
        [says_nothing(bound), counts([], end), last],
        [says_nothing(bound), lists(KEYS[10:20], end), last],
    )
    good(
        "stretch-agrees",
        "a stretch that agrees",
        KEYS[:50],
        [counts(KEYS[:10], bound), counts(KEYS[10:20], end), counts(KEYS[20:])],
        [says_nothing(end), lists(KEYS[20:50])],
    )
    good(
        "short-bound",
        "uppers of 1 and of 8 bytes",
        KEYS,
        [lists([], b"\0"), lists(KEYS[:9], KEYS[9][:8]), counts(KEYS[9:])],
        [differs([], [], b"\0"), differs([], [], KEYS[9][:8]), last],
    )
    good(
        "cut-stretch",
        "a stretch of 40 keys that don't agree",
        KEYS,
        [counts(KEYS[:10], bound), counts(KEYS[10:49], KEYS[50]), last],
        [says_nothing(bound), is_cut(40, KEYS[50]), last],
    )


def told(book: Book) -> None:
    """What an answer tells the one who asked."""
    own = KEYS[:40]
    asked = [counts(KEYS[:8], KEYS[8]), lists(KEYS[8:12], KEYS[12]), counts(KEYS[12:40])]
    quiet = [says_nothing(KEYS[8]), differs([], [], KEYS[12]), says_nothing()]

    def given(*answer: Range, question: Sequence[Range] = asked) -> dict[str, Any]:
        return {"keys": own, "asked": list(question), "answer": list(answer)}

    def good(
        name: str,
        why: str,
        *answer: Range,
        lacking: Sequence[bytes] = (),
        surplus: Sequence[bytes] = (),
        open: Sequence[Sequence[bytes]] = (),
    ) -> None:
        found = {"lacking": [one[-32:] for one in lacking], "surplus": surplus, "open": open}
        book.valid(f"told-{name}", "NET-16", why, "ranges-told", given(*answer), **found)

    def bad(name: str, why: str, *answer: Range, rule: str = "NET-16", **more: Any) -> None:
        book.invalid(f"told-{name}", rule, why, "ranges-told", given(*answer, **more), code="rule")

    good("nothing", "all agrees", *quiet)
    fewer = [KEYS[0], *KEYS[2:8]]
    good(
        "listed",
        "a list with one key more and one less",
        [KEYS[8], 2, b"".join(one[8:] for one in fewer) + OTHER],
        *quiet[1:],
        lacking=[OTHER],
        surplus=[KEYS[1]],
    )
    good(
        "none",
        "the other counts no keys",
        counts([], KEYS[8]),
        *quiet[1:],
        surplus=KEYS[:8],
    )
    good(
        "difference",
        "a digest that is lacking and a place",
        quiet[0],
        differs([OTHER], [2], KEYS[12]),
        quiet[2],
        lacking=[OTHER],
        surplus=[KEYS[10]],
    )
    good("agrees-cut", "a stretch cut in two parts that agree", *[
        counts(KEYS[:4], KEYS[4]), counts(KEYS[4:8], KEYS[8]), *quiet[1:]
    ])  # fmt: skip
    other = [20, bytes(16)]
    good(
        "open",
        "one of two parts differs",
        *quiet[:2],
        [KEYS[30], 1, other],
        counts(KEYS[30:40]),
        open=[[KEYS[12], KEYS[30]]],
    )
    sixteen = [[KEYS[n], 1, other] for n in range(13, 28)]
    bounds = [*KEYS[12:28], NO_BOUND]
    good(
        "16-parts",
        "sixteen parts that differ",
        *quiet[:2],
        *sixteen,
        [NO_BOUND, 1, other],
        open=[list(pair) for pair in pairwise(bounds)],
    )
    good(
        "rest",
        "no room for anything",
        [NO_BOUND, 1, other],
        open=[[NO_BOUND, KEYS[8]], [KEYS[8], KEYS[12]], [KEYS[12], NO_BOUND]],
    )
    good(
        "rest-of-list",
        "a difference that ends early; places past its end are not taken",
        quiet[0],
        differs([OTHER], [0, 2, 3], KEYS[10]),
        [NO_BOUND, 1, other],
        lacking=[OTHER],
        surplus=[KEYS[8]],
        open=[[KEYS[10], KEYS[12]], [KEYS[12], NO_BOUND]],
    )
    good(
        "known",
        "a digest that is here already",
        quiet[0],
        differs([KEYS[1]], [], KEYS[12]),
        quiet[2],
    )
    bad(
        "place",
        "a place past the end of the list",
        quiet[0],
        differs([], [4], KEYS[12]),
        quiet[2],
        rule="NET-15",
    )
    bad(
        "17-parts",
        "seventeen parts",
        *quiet[:2],
        *sixteen,
        [KEYS[28], 1, other],
        [NO_BOUND, 1, other],
    )
    bad("list-nothing", "mode 0 in answer to a list", says_nothing())
    bad("list-counted", "mode 1 in answer to a list", quiet[0], counts([], KEYS[12]), quiet[2])
    bad("list-listed", "mode 2 in answer to a list", quiet[0], lists([], KEYS[12]), quiet[2])
    bad("counted-difference", "mode 3 in answer to mode 1", differs([], [], KEYS[8]), *quiet[1:])
    bad("two-differences", "a difference that goes on in a second range", quiet[0],
        differs([], [], KEYS[10]), differs([], [], KEYS[12]), quiet[2])  # fmt: skip
    bad(
        "list-too-far",
        "a list past the end of what was asked",
        lists([], KEYS[9]),
        differs([], [], KEYS[12]),
        quiet[2],
    )
    bad(
        "difference-too-far",
        "a difference past the end of what was asked",
        quiet[0],
        differs([], []),
    )
    nothing = [says_nothing(KEYS[8]), *asked[1:]]
    for mode, one in (
        (1, counts([], KEYS[8])),
        (2, lists([], KEYS[8])),
        (3, differs([], [], KEYS[8])),
    ):
        bad(
            f"nothing-{mode}", f"mode {mode} in answer to mode 0", one, *quiet[1:], question=nothing
        )


def ranges() -> Book:
    book = Book("protocol")
    answers(book)
    told(book)
    return book
