"""Comparing two sets by ranges of keys [NET-15, NET-16]: how one answers, and how the one who begins goes on.

Who is asked remembers nothing: an answer is a function of the question and of the set at this moment. Who began remembers what
it asked last, and holds the answer to that: a peer can't make it take one range for another, look at anything twice, or go on
for ever. The lowest keys come first, since what is required by another stands before it: a comparison that ends after its last
round has still found something whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

from hitp2p.errors import RuleError
from hitp2p.limits import (
    NODE_RANGE_KEYS,
    NODE_RANGE_PARTS,
    NODE_RANGES,
    NODE_RANGES_BYTES,
    NODE_RECON_ROUNDS,
    NODE_RECON_SURPLUS,
)
from hitp2p.protocol.messages import Range
from hitp2p.protocol.syncset import DIGEST_BYTES, KEY_BYTES, SyncSet, bound_between, cid_of, key_of

__all__ = ["Reconciliation", "SyncSet", "answer_ranges", "cid_of", "key_of", "size_of_range"]

NOTHING, FINGERPRINT, DIGESTS, DIFFERENCE = range(4)
"""The modes of a range."""
GENERATION_BYTES: Final = KEY_BYTES - DIGEST_BYTES
FIRST_TAIL: Final = 16
"""The first message cuts until so few keys are left at the end: with ten new ones the other lists them all."""


def answer_ranges(own: SyncSet, ranges: Sequence[Range]) -> tuple[Range, ...]:
    """What RANGES says to these ranges of RECON [NET-16].

    Args:
        own: one's own set.
        ranges: as `frames.py` has read them, so NET-15 holds; their digests and fingerprints may be anything.

    Raises:
        RuleError: NET-15, for mode 3.
    """
    message = _Message()
    for asked in ranges:
        if not _answer(own, asked, message):
            message.close(Range(b"", FINGERPRINT, *own.fingerprint(message.lower)))
            break
    return tuple(message.ranges)


class Reconciliation:
    """One comparison, for who began: `first` is sent, then what `on_answer` gives, until it gives None."""

    __slots__ = ("_asked", "_lacking", "_left", "_own", "_round", "is_complete", "surplus")

    def __init__(self, own: SyncSet) -> None:
        self._own = own
        self._asked: tuple[Range, ...] = ()
        self._lacking: dict[bytes, None] = {}
        self._left: list[tuple[bytes, bytes]] = []
        """Stretches [lower, upper) that differ and aren't asked about now, in order."""
        self._round = 1
        self.surplus: list[bytes] = []
        """Keys that the other lacks, as it says; at most 32,768."""
        self.is_complete = False
        """Whether all that differs, as the other says, is in `lacking` and `surplus`."""

    @property
    def lacking(self) -> list[bytes]:
        """Digests that were not here when the other said them, each once."""
        return list(self._lacking)

    def first(self) -> tuple[Range, ...]:
        """The ranges of the first RECON."""
        own, message = self._own, _Message()
        if len(own) <= NODE_RANGE_KEYS:
            message.put_all(_parts(own, b"", b""))
        else:
            message.put_all(_spans(own, b"", b"", _first_bounds(own)))
        self._asked = tuple(message.ranges)
        return self._asked

    def on_answer(self, ranges: Sequence[Range]) -> tuple[Range, ...] | None:
        """The ranges of the next RECON; None when all is found, or the last round is over.

        Args:
            ranges: of RANGES, as `frames.py` has read them.

        Raises:
            RuleError: NET-15 or NET-16, for ranges that aren't an answer to what was asked.
        """
        self._left = _bounded([*self._open_after(ranges), *self._left])
        if not self._left:
            self.is_complete = len(self.surplus) <= NODE_RECON_SURPLUS
        del self.surplus[NODE_RECON_SURPLUS:]
        if not self._left or self._round >= NODE_RECON_ROUNDS:
            return None
        self._round += 1
        return self._ask()

    def _ask(self) -> tuple[Range, ...]:
        """Ask about as much as there is room for; the rest stays in `_left`."""
        message, left = _Message(), self._left
        self._left = []
        for i, (lower, upper) in enumerate(left):
            if not self._put(message, lower, upper):
                self._left = [(max(lower, message.lower), upper), *left[i + 1 :]]
                message.close(Range(b"", NOTHING))
                break
        else:
            if message.lower:
                message.close(Range(b"", NOTHING))
        self._asked = tuple(message.ranges)
        return self._asked

    def _put(self, message: _Message, lower: bytes, upper: bytes) -> bool:
        if message.lower != lower and not message.put(Range(lower, NOTHING)):
            return False
        return message.put_all(_parts(self._own, lower, upper))

    def _open_after(self, ranges: Sequence[Range]) -> Iterator[tuple[bytes, bytes]]:
        """Take up what the answer tells; the stretches that it leaves open."""
        n_parts, before = 0, None
        for one in _overlaps(ranges, self._asked):
            n_parts = n_parts + 1 if one.asked is before else 1
            before = one.asked
            if n_parts > NODE_RANGE_PARTS:
                raise _fault(f"more than {NODE_RANGE_PARTS} ranges in answer to one")
            if one.is_rest:
                yield from [(one.lower, one.upper)] if one.asked.mode != NOTHING else []
            elif self._is_open(one):
                yield one.lower, one.upper

    def _is_open(self, one: _Overlap) -> bool:
        """Take up what one range of the answer tells; whether it leaves the stretch open."""
        match one.asked.mode, one.answer.mode:
            case ((0 | 1), 0):
                return False
            case 1, 1 if one.is_inside:
                return self._differs(one)
            case 1, 2 if one.is_inside:
                self._take_listed(one.lower, one.upper, one.answer.digests)
                return False
            case 2, 3 if one.is_inside and one.is_start:
                self._take_difference(one)
                return False
            case _:
                raise _fault(
                    f"a range in mode {one.answer.mode} in answer to mode {one.asked.mode}"
                )

    def _differs(self, one: _Overlap) -> bool:
        theirs = one.answer.count, one.answer.sum
        if self._own.fingerprint(one.lower, one.upper) == theirs:
            return False
        if one.answer.count == 0:
            self._take_listed(one.lower, one.upper, ())
            return False
        return True

    def _take_listed(self, lower: bytes, upper: bytes, digests: tuple[bytes, ...]) -> None:
        """The other has listed all that it has there."""
        theirs = set(digests)
        self._take_lacking(digests)
        ours = self._own.iter_keys(lower, upper)
        self._take_surplus(key for key in ours if key[GENERATION_BYTES:] not in theirs)

    def _take_difference(self, one: _Overlap) -> None:
        """The other has compared our list with what it has there."""
        self._take_lacking(one.answer.digests)
        sent = one.asked.digests
        if any(place >= len(sent) for place in one.answer.places):
            raise _fault(
                f"a place past the end of {len(sent)} digests that were sent", rule="NET-15"
            )
        keys = (self._own.key_of_digest(sent[place]) for place in one.answer.places)
        # What stands past the end of an answer that is cut off comes again with the next one.
        self._take_surplus(key for key in keys if key and (not one.upper or key < one.upper))

    def _take_lacking(self, digests: Iterable[bytes]) -> None:
        has = self._own.has_digest
        self._lacking.update((digest, None) for digest in digests if not has(digest))

    def _take_surplus(self, keys: Iterable[bytes]) -> None:
        room = NODE_RECON_SURPLUS + 1 - len(self.surplus)  # One more tells that there are more.
        self.surplus.extend(islice(keys, max(0, room)))


class _Overlap(NamedTuple):
    """What one range of an answer and one range that was asked have in common."""

    lower: bytes
    upper: bytes
    answer: Range
    asked: Range
    is_start: bool
    """Whether the range that was asked begins here."""
    is_inside: bool
    """Whether the range of the answer begins and ends here."""

    @property
    def is_rest(self) -> bool:
        """Whether the answer ran out of room before this."""
        answers = self.is_inside and self.asked.mode == FINGERPRINT
        return self.answer.mode == FINGERPRINT and not self.answer.upper and not answers


def _overlaps(answers: Sequence[Range], asked: Sequence[Range]) -> Iterator[_Overlap]:
    """Both lists cover all keys from the lowest up; every stretch between two bounds of either."""
    lower, i, j, begins_answer, begins_asked = b"", 0, 0, True, True
    while i < len(answers) and j < len(asked):
        answer, question = answers[i], asked[j]
        upper = _lower_bound(answer.upper, question.upper)
        ends_answer, ends_asked = answer.upper == upper, question.upper == upper
        inside = begins_answer and ends_answer
        yield _Overlap(lower, upper, answer, question, begins_asked, inside)
        lower, begins_answer, begins_asked = upper, ends_answer, ends_asked
        i, j = i + ends_answer, j + ends_asked


def _lower_bound(a: bytes, b: bytes) -> bytes:
    """The lower of two upper bounds; empty ones are above all."""
    return min(a, b) if a and b else a or b


def _bounded(stretches: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """As many stretches as a message may have ranges; those past it as one, with all between them."""
    if len(stretches) <= NODE_RANGES:
        return stretches
    return [*stretches[: NODE_RANGES - 1], (stretches[NODE_RANGES - 1][0], stretches[-1][1])]


# --- what both sides say --------------------------------------------------------------------------


class _Message:
    """Ranges one behind the other, as long as there is room."""

    __slots__ = ("lower", "ranges", "room")

    def __init__(self) -> None:
        self.ranges: list[Range] = []
        self.lower = b""
        """Where the next range begins; empty again behind the last."""
        self.room = NODE_RANGES_BYTES - _CLOSING_BYTES
        """Bytes that are left beside the range that closes."""

    def put(self, one: Range) -> bool:
        """Put a range behind the others, or make one of two that say nothing; whether there was room."""
        merged = one.mode == NOTHING and bool(self.ranges) and self.ranges[-1].mode == NOTHING
        size = size_of_range(one) - (size_of_range(self.ranges[-1]) if merged else 0)
        if size > self.room or (not merged and len(self.ranges) >= NODE_RANGES - 1):
            return False
        self.ranges[-1 if merged else len(self.ranges) :] = [one]
        self.room -= size
        self.lower = one.upper
        return True

    def put_all(self, ranges: Iterable[Range]) -> bool:
        """Put as many as there is room for; whether that is all."""
        return all(self.put(one) for one in ranges)

    def close(self, one: Range) -> None:
        """Put the last range, for which room is kept."""
        self.ranges.append(one)
        self.lower = b""


def _answer(own: SyncSet, asked: Range, message: _Message) -> bool:
    """Answer one range; False where there is no room for all of it."""
    lower, upper = message.lower, asked.upper
    match asked.mode:
        case 0:
            return message.put(Range(upper, NOTHING))
        case 1:
            if own.fingerprint(lower, upper) == (asked.count, asked.sum):
                return message.put(Range(upper, NOTHING))
            if asked.count == 0:
                return _put_digests(own, upper, message)
            return message.put_all(_parts(own, lower, upper))
        case 2:
            return _put_difference(own, asked, message)
        case _:
            raise _fault(f"mode {asked.mode} in RECON; allowed are 0 to 2", rule="NET-15")


def _put_digests(own: SyncSet, upper: bytes, message: _Message) -> bool:
    """List what stands here, for one who has nothing of it."""
    return _put_listed(own.iter_keys(message.lower, upper), Range(upper, DIGESTS), message)


def _put_difference(own: SyncSet, asked: Range, message: _Message) -> bool:
    """Compare a list with what stands here."""
    theirs = set(asked.digests)
    ours = own.iter_keys(message.lower, asked.upper)
    places = tuple(i for i, one in enumerate(asked.digests) if not own.has_digest(one))
    lacking = (key for key in ours if key[GENERATION_BYTES:] not in theirs)
    return _put_listed(lacking, Range(asked.upper, DIFFERENCE, places=places), message)


def _put_listed(keys: Iterator[bytes], said: Range, message: _Message) -> bool:
    """Put a range with the digests of these keys; where there is no room for all, it ends below the first that is left out."""
    most = (message.room - size_of_range(said) - _BOUND_BYTES) // DIGEST_BYTES
    taken = list(islice(keys, max(0, most)))
    more = next(keys, None)
    if more is not None and not taken:
        return False
    upper = said.upper if more is None else bound_between(taken[-1], more)
    digests = tuple(key[GENERATION_BYTES:] for key in taken)
    whole = Range(upper, said.mode, digests=digests, places=said.places)
    return message.put(whole) and more is None


def _parts(own: SyncSet, lower: bytes, upper: bytes) -> Iterator[Range]:
    """What one says of a stretch that differs: all of it, or the fingerprints of its parts [NET-16]."""
    first, n = own.rank(lower), own.count(lower, upper)
    if n <= NODE_RANGE_KEYS:
        keys = own.keys(lower, upper)
        yield Range(upper, DIGESTS, digests=tuple(key[GENERATION_BYTES:] for key in keys))
        return
    ranks = (first + n * i // NODE_RANGE_PARTS for i in range(1, NODE_RANGE_PARTS))
    yield from _spans(own, lower, upper, map(own.bound_at, ranks))


def _spans(own: SyncSet, lower: bytes, upper: bytes, bounds: Iterable[bytes]) -> Iterator[Range]:
    """The fingerprints between bounds, and of what is left behind the last of them."""
    for bound in bounds:
        yield Range(bound, FINGERPRINT, *own.fingerprint(lower, bound))
        lower = bound
    yield Range(upper, FINGERPRINT, *own.fingerprint(lower, upper))


def _first_bounds(own: SyncSet) -> Iterator[bytes]:
    """How the first message is cut: in sixteenths, the last of them by halves, and above all that is here.

    New things sort last, so nearly all that two nodes lack of each other stands in the last few ranges.
    """
    n = len(own)
    for i in range(1, NODE_RANGE_PARTS):
        yield own.bound_at(n * i // NODE_RANGE_PARTS)
    at = n * (NODE_RANGE_PARTS - 1) // NODE_RANGE_PARTS
    while n - at > FIRST_TAIL:
        at += (n - at) // 2
        yield own.bound_at(at)
    highest = int.from_bytes(own.key_at(n - 1)[:GENERATION_BYTES], "big")
    if highest + 1 < 2 ** (8 * GENERATION_BYTES):
        yield (highest + 1).to_bytes(GENERATION_BYTES, "big").rstrip(b"\0")


# --- how long ranges are in msgpack ---------------------------------------------------------------


def size_of_range(one: Range) -> int:
    """Bytes of a range in the shortest forms of msgpack; NET-16 counts these."""
    return 1 + _size_of_bytes(len(one.upper)) + 1 + _size_of_payload(one)


def _size_of_payload(one: Range) -> int:
    if one.mode == NOTHING:
        return 1
    if one.mode == FINGERPRINT:
        return 1 + _size_of_int(one.count) + _size_of_bytes(len(one.sum))
    digests = _size_of_bytes(len(one.digests) * DIGEST_BYTES)
    if one.mode == DIGESTS:
        return digests
    return 1 + digests + _size_of_array(len(one.places)) + sum(map(_size_of_int, one.places))


def _size_of_bytes(n: int) -> int:
    return n + (2 if n < 2**8 else 3 if n < 2**16 else 5)


def _size_of_array(n: int) -> int:
    return 1 if n < 16 else 3 if n < 2**16 else 5


def _size_of_int(value: int) -> int:
    return next((n for n, bits in _INT_BITS if value < 2**bits), 9)


_INT_BITS: Final = ((1, 7), (2, 8), (3, 16), (5, 32))
_BOUND_BYTES: Final = KEY_BYTES + 1
"""How much longer a range with digests may get by another upper bound, and by a longer head of its digests."""
_CLOSING_BYTES: Final = 3 + size_of_range(Range(b"", FINGERPRINT, 2**63, bytes(16)))
"""Room for the head of the list, and for a range that stands for all that is left."""


def _fault(message: str, *, rule: str = "NET-16") -> RuleError:
    return RuleError(message, rule=rule)
