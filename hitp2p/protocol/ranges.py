"""Comparing two sets by ranges of keys [NET-16]: how one answers, and how the one who begins goes on.

Who is asked remembers nothing: an answer is a function of the question and of the set at this moment. Who began remembers what
it asked last, and holds the answer to that: a peer can't make it take one range for another, look at anything twice, or go on
for ever. The lowest keys come first, since what is required by another stands before it: a comparison that ends after its last
round has still found something whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from hitp2p.errors import RuleError
from hitp2p.limits import NODE_RANGE_PARTS, NODE_RANGES, NODE_RECON_ROUNDS, NODE_RECON_SURPLUS
from hitp2p.protocol.cutting import (
    DIFFERENCE,
    DIGESTS,
    FINGERPRINT,
    NOTHING,
    RangeList,
    cut,
    first_cut,
)
from hitp2p.protocol.messages import Range
from hitp2p.protocol.syncset import GENERATION_BYTES, SyncSet, cid_of, key_of

__all__ = ["Reconciliation", "SyncSet", "Told", "answer_ranges", "cid_of", "key_of"]


# --- how one answers ------------------------------------------------------------------------------


def answer_ranges(own: SyncSet, ranges: Sequence[Range]) -> tuple[Range, ...]:
    """What RANGES says to these ranges of RECON [NET-16].

    Args:
        own: one's own set.
        ranges: as `frames.py` has read them, so NET-15 holds; their digests and fingerprints may be anything.

    Raises:
        RuleError: NET-15, for mode 3.
    """
    answer = RangeList()
    for asked in ranges:
        if not _answer(own, asked, answer):
            answer.close(Range(b"", FINGERPRINT, *own.fingerprint(answer.lower)))
            break
    return tuple(answer.ranges)


def _answer(own: SyncSet, asked: Range, answer: RangeList) -> bool:
    """Answer one range; False where there is no room for all of it."""
    lower, upper = answer.lower, asked.upper
    match asked.mode:
        case 0:
            return answer.put(Range(upper, NOTHING))
        case 1:
            if own.fingerprint(lower, upper) == (asked.count, asked.sum):
                return answer.put(Range(upper, NOTHING))
            if asked.count == 0:
                return answer.put_listed(own.iter_keys(lower, upper), upper, DIGESTS)
            return answer.put_all(cut(own, lower, upper))
        case 2:
            theirs = set(asked.digests)
            ours = own.iter_keys(lower, upper)
            lacking = (key for key in ours if key[GENERATION_BYTES:] not in theirs)
            places = [i for i, one in enumerate(asked.digests) if not own.has_digest(one)]
            return answer.put_listed(lacking, upper, DIFFERENCE, *places)
        case _:
            raise _fault(f"mode {asked.mode} in RECON; allowed are 0 to 2", rule="NET-15")


# --- how the one who begins goes on ---------------------------------------------------------------


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
        self._asked = tuple(first_cut(self._own))
        return self._asked

    def on_answer(self, ranges: Sequence[Range]) -> tuple[Range, ...] | None:
        """The ranges of the next RECON; None when all is found, or the last round is over.

        Args:
            ranges: of RANGES, as `frames.py` has read them.

        Raises:
            RuleError: NET-15 or NET-16, for ranges that aren't an answer to what was asked.
        """
        told = Told(self._own, self._asked, ranges)
        self._lacking.update(dict.fromkeys(told.lacking))
        self.surplus += told.surplus
        self._left = _bounded(told.open + self._left)
        if not self._left:
            self.is_complete = len(self.surplus) <= NODE_RECON_SURPLUS
        del self.surplus[NODE_RECON_SURPLUS:]
        if not self._left or self._round >= NODE_RECON_ROUNDS:
            return None
        self._round += 1
        return self._ask()

    def _ask(self) -> tuple[Range, ...]:
        """Ask about as much as there is room for; the rest stays in `_left`."""
        question, left = RangeList(), self._left
        self._left = []
        for i, (lower, upper) in enumerate(left):
            if not self._put(question, lower, upper):
                self._left = [(max(lower, question.lower), upper), *left[i + 1 :]]
                break
        if question.lower:
            question.close(Range(b"", NOTHING))
        self._asked = tuple(question.ranges)
        return self._asked

    def _put(self, question: RangeList, lower: bytes, upper: bytes) -> bool:
        if question.lower != lower and not question.put(Range(lower, NOTHING)):
            return False
        return question.put_all(cut(self._own, lower, upper))


def _bounded(stretches: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """As many stretches as a message may have ranges; those past it as one, with all between them."""
    if len(stretches) <= NODE_RANGES:
        return stretches
    return [*stretches[: NODE_RANGES - 1], (stretches[NODE_RANGES - 1][0], stretches[-1][1])]


# --- what an answer tells -------------------------------------------------------------------------


class Told:
    """What the answer to some ranges tells the one who asked [NET-16]."""

    __slots__ = ("_own", "lacking", "open", "surplus")

    def __init__(self, own: SyncSet, asked: Sequence[Range], ranges: Sequence[Range]) -> None:
        """Hold an answer to what was asked.

        Args:
            own: the set of the one who asked; it may have changed since.
            asked: modes 0 to 2.
            ranges: of RANGES, as `frames.py` has read them.

        Raises:
            RuleError: NET-15 or NET-16, for ranges that aren't an answer.
        """
        self._own = own
        self.lacking: list[bytes] = []
        """Digests that aren't here; some may stand twice."""
        self.surplus: list[bytes] = []
        """Keys that the other lacks, the first 32,769 of them."""
        self.open: list[tuple[bytes, bytes]] = []
        """Stretches [lower, upper) that differ, or that the answer had no room for, in order."""
        n_parts = 0
        for one in _overlaps(ranges, asked):
            n_parts = 1 if one.begins_asked else n_parts + 1
            if n_parts > NODE_RANGE_PARTS:
                raise _fault(f"more than {NODE_RANGE_PARTS} ranges in answer to one")
            if one.is_rest:
                self._leave_open(one)
            else:
                self._take(one)

    def _leave_open(self, one: _Overlap) -> None:
        if one.asked.mode != NOTHING:
            self.open.append((one.lower, one.upper))

    def _take(self, one: _Overlap) -> None:
        match one.asked.mode, one.answer.mode:
            case ((0 | 1), 0):
                pass
            case 1, 1 if one.is_whole_answer:
                self._take_fingerprint(one)
            case 1, 2 if one.is_whole_answer:
                self._take_digests(one)
            case 2, 3 if one.is_whole_answer and one.begins_asked:
                self._take_difference(one)
            case asked, mode:
                raise _fault(f"a range in mode {mode} in answer to mode {asked}")

    def _take_fingerprint(self, one: _Overlap) -> None:
        if self._own.fingerprint(one.lower, one.upper) == (one.answer.count, one.answer.sum):
            return
        if one.answer.count:
            self._leave_open(one)
        else:
            self._take_digests(one)

    def _take_digests(self, one: _Overlap) -> None:
        """The other has listed all that it has there."""
        theirs = set(one.answer.digests)
        self._take_lacking(one.answer.digests)
        ours = self._own.iter_keys(one.lower, one.upper)
        self._take_surplus(key for key in ours if key[GENERATION_BYTES:] not in theirs)

    def _take_difference(self, one: _Overlap) -> None:
        """The other has compared our list with what it has there."""
        sent, places = one.asked.digests, one.answer.places
        if any(place >= len(sent) for place in places):
            raise _fault(f"a place past the end of {len(sent)} digests", rule="NET-15")
        self._take_lacking(one.answer.digests)
        keys = (self._own.key_of_digest(sent[place]) for place in places)
        # What stands past the end of an answer that had no room comes again with the next one.
        self._take_surplus(key for key in keys if key and (not one.upper or key < one.upper))

    def _take_lacking(self, digests: Iterable[bytes]) -> None:
        has = self._own.has_digest
        self.lacking += [digest for digest in digests if not has(digest)]

    def _take_surplus(self, keys: Iterable[bytes]) -> None:
        room = NODE_RECON_SURPLUS + 1 - len(self.surplus)  # One more tells that there are more.
        self.surplus += islice(keys, max(0, room))


class _Overlap(NamedTuple):
    """What one range of an answer and one range that was asked have in common."""

    lower: bytes
    upper: bytes
    answer: Range
    asked: Range
    begins_asked: bool
    """Whether the range that was asked begins here."""
    is_whole_answer: bool
    """Whether the range of the answer begins and ends here."""

    @property
    def is_rest(self) -> bool:
        """Whether the answer ran out of room before this: its last range, which answers nothing by itself."""
        answers = self.is_whole_answer and self.asked.mode == FINGERPRINT
        return self.answer.mode == FINGERPRINT and not self.answer.upper and not answers


def _overlaps(answers: Sequence[Range], asked: Sequence[Range]) -> Iterator[_Overlap]:
    """Both cover all keys from the lowest up; every stretch between two bounds of either."""
    lower, i, j, begins_answer, begins_asked = b"", 0, 0, True, True
    while i < len(answers) and j < len(asked):
        answer, question = answers[i], asked[j]
        upper = _lower_bound(answer.upper, question.upper)
        ends_answer, ends_asked = answer.upper == upper, question.upper == upper
        whole = begins_answer and ends_answer
        yield _Overlap(lower, upper, answer, question, begins_asked, whole)
        lower, begins_answer, begins_asked = upper, ends_answer, ends_asked
        i, j = i + ends_answer, j + ends_asked


def _lower_bound(a: bytes, b: bytes) -> bytes:
    """The lower of two upper bounds; empty ones are above all."""
    return min(a, b) if a and b else a or b


def _fault(message: str, *, rule: str = "NET-16") -> RuleError:
    return RuleError(message, rule=rule)
