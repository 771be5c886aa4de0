"""Laws of comparing: any two sets, any way of cutting, any answer; and a set is what a plain list would be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from set_pairs import play, size_of

from hitp2p import limits
from hitp2p.errors import RuleError
from hitp2p.protocol import syncset
from hitp2p.protocol.frames import encode_frame, parse_frame
from hitp2p.protocol.messages import Range, Ranges, Recon
from hitp2p.protocol.ranges import Reconciliation, SyncSet, answer_ranges, cid_of

TOPIC = cid_of(bytes(32))
SHAPES = ("line", "wide", "clusters", "flat", "anywhere")
seeds = st.integers(0, 2**32)
sizes = st.integers(0, 60) | st.integers(0, 1500)


def keys_of(chance: Random, shape: str, n: int) -> list[bytes]:
    """Keys whose generations are spread in some way."""
    middles = [chance.randrange(2**20) for _ in range(4)]

    def generation(i: int) -> int:
        match shape:
            case "line":
                return i
            case "wide":
                return i // 40
            case "clusters":
                return chance.choice(middles) + int(chance.expovariate(0.2))
            case "flat":
                return 7
            case _:
                return chance.randrange(2**64)

    return [generation(i).to_bytes(8, "big") + chance.randbytes(32) for i in range(n)]


def two_sets(
    seed: int, shape: str, both: int, one: int, other: int
) -> tuple[set[bytes], set[bytes]]:
    """Sets that have so many keys in common, and so many that the other has not."""
    chance = Random(seed)
    keys = keys_of(chance, shape, both + one + other)
    if seed % 2:  # Else what differs is new.
        chance.shuffle(keys)
    shared = keys[:both]
    return {*shared, *keys[both : both + one]}, {*shared, *keys[both + one :]}


def sorted_digests(keys: set[bytes]) -> list[bytes]:
    return sorted(key[8:] for key in keys)


# --- any two sets ---------------------------------------------------------------------------------


@given(seeds, st.sampled_from(SHAPES), sizes, sizes, sizes)
def test_net_16_any_two_sets_are_told_apart(
    seed: int, shape: str, both: int, one: int, other: int
) -> None:
    mine, theirs = two_sets(seed, shape, both, one, other)
    played = play(SyncSet(mine), SyncSet(theirs))
    assert played.comparison.is_complete
    assert played.found == (sorted_digests(theirs - mine), sorted_digests(mine - theirs))
    assert len(played.asked) <= limits.NODE_RECON_ROUNDS
    for asked, answer in zip(played.asked, played.answers, strict=True):
        for message in (Recon(topic=TOPIC, scope=1, ranges=asked), Ranges(ranges=answer)):
            assert parse_frame(encode_frame(message, 1)[4:]).message == message
            assert size_of(message.ranges) <= limits.NODE_RANGES_BYTES


@given(seeds, st.sampled_from(SHAPES), sizes, sizes, sizes)
def test_net_16_holds_however_the_other_cuts(
    seed: int, shape: str, both: int, one: int, other: int
) -> None:
    mine, theirs = two_sets(seed, shape, both, one, other)
    peer = FreePeer(theirs, Random(seed))
    comparison = Reconciliation(SyncSet(mine))
    asked: tuple[Range, ...] | None = comparison.first()
    rounds = 0
    while asked is not None:
        rounds += 1
        asked = comparison.on_answer(peer.answer(asked))
    lacking, surplus = set(comparison.lacking), {key[8:] for key in comparison.surplus}
    assert len(lacking) == len(comparison.lacking)
    assert len(surplus) == len(comparison.surplus)
    assert rounds <= limits.NODE_RECON_ROUNDS
    if comparison.is_complete:
        assert sorted(lacking) == sorted_digests(theirs - mine)
        assert sorted(surplus) == sorted_digests(mine - theirs)
    else:
        assert peer.n_early_ends > 0
        assert lacking <= set(sorted_digests(theirs - mine))
        assert surplus <= set(sorted_digests(mine - theirs))


class FreePeer:
    """Keeps NET-16, but cuts where chance wants it, and says at any time that it has no more room."""

    def __init__(self, keys: set[bytes], chance: Random) -> None:
        self.keys = sorted(keys)
        self.chance = chance
        self.room = chance.choice((0.0, 0.02, 0.2))
        self.n_early_ends = 0

    def answer(self, asked: Sequence[Range]) -> list[Range]:
        answer: list[Range] = []
        lower = b""
        for question in asked:
            for one in self.say(question, lower):
                answer.append(one)
                lower = one.upper
                if lower and self.chance.random() < self.room:
                    self.n_early_ends += 1
                    return [*answer, naive_fingerprint(self.here(lower, b""), b"")]
        return answer

    def here(self, lower: bytes, upper: bytes) -> list[bytes]:
        return [key for key in self.keys if key >= lower and (not upper or key < upper)]

    def say(self, asked: Range, lower: bytes) -> Iterator[Range]:
        here = self.here(lower, asked.upper)
        if asked.mode == 0 or (asked.mode == 1 and naive_fingerprint(here, asked.upper) == asked):
            yield Range(asked.upper, 0)
        elif asked.mode == 2:
            have, listed = {key[8:] for key in self.keys}, set(asked.digests)
            places = tuple(i for i, one in enumerate(asked.digests) if one not in have)
            missing = tuple(key[8:] for key in here if key[8:] not in listed)
            yield Range(asked.upper, 3, digests=missing, places=places)
        elif len(here) <= 32 or asked.count == 0:
            yield Range(asked.upper, 2, digests=tuple(key[8:] for key in here))
        else:
            for upper in (*self._bounds(here), asked.upper):
                yield naive_fingerprint(self.here(lower, upper), upper)
                lower = upper

    def _bounds(self, here: list[bytes]) -> list[bytes]:
        places = self.chance.sample(range(1, len(here)), self.chance.randrange(1, 16))
        return [self._bound(here[at - 1], here[at]) for at in sorted(places)]

    def _bound(self, low: bytes, high: bytes) -> bytes:
        lengths = [n for n in range(41) if high[:n] > low]
        return high[: self.chance.choice(lengths)]


def naive_fingerprint(keys: Sequence[bytes], upper: bytes) -> Range:
    """NET-2, word by word."""
    total = sum(int.from_bytes(key[8:], "big") for key in keys) % 2**256
    said = total.to_bytes(32, "big") + len(keys).to_bytes(8, "big")
    return Range(upper, 1, len(keys), sha256(said).digest()[:16])


# --- any question, any answer ---------------------------------------------------------------------


def any_ranges(chance: Random, keys: Sequence[bytes], modes: Sequence[int]) -> list[Range]:
    """Ranges that keep NET-15, with anything in them."""

    def some(n: int) -> tuple[bytes, ...]:
        known = [key[8:] for key in chance.sample(keys, min(n, len(keys)))]
        return tuple(chance.choice((one, chance.randbytes(32))) for one in known)

    uppers = {key[: chance.randrange(1, 41)] for key in chance.sample(keys, min(20, len(keys)))}
    ranges: list[Range] = []
    for upper in (*sorted(uppers), b""):
        match chance.choice(modes):
            case 0:
                ranges.append(Range(upper, 0))
            case 1:
                ranges.append(Range(upper, 1, chance.randrange(3), chance.randbytes(16)))
            case 2:
                ranges.append(Range(upper, 2, digests=some(chance.randrange(9))))
            case _:
                places = tuple(sorted({chance.randrange(9) for _ in range(chance.randrange(5))}))
                ranges.append(Range(upper, 3, digests=some(4), places=places))
    return ranges


@given(seeds, st.sampled_from(SHAPES), sizes)
def test_net_16_any_question_is_answered_by_the_rule(seed: int, shape: str, n: int) -> None:
    chance = Random(seed)
    keys = sorted(keys_of(chance, shape, n))
    asked = any_ranges(chance, keys, (0, 1, 2))
    peer = FreePeer(set(keys), chance)
    answer = list(answer_ranges(SyncSet(keys), asked))
    assert parse_frame(encode_frame(Ranges(ranges=tuple(answer)), 1)[4:]).message
    lower = b""
    for question in asked:
        (expected, *_) = peer.say(question, lower)
        if expected.mode == 1:
            parts = [answer.pop(0)]
            while parts[-1].upper != question.upper:
                parts.append(answer.pop(0))
            assert 2 <= len(parts) <= 16
            for part in parts:
                assert part == naive_fingerprint(peer.here(lower, part.upper), part.upper)
                lower = part.upper
        elif expected.mode == 0:
            if answer[0].upper == question.upper:
                answer.pop(0)
            else:  # It goes on with the next one.
                assert answer[0].mode == 0
        else:
            assert answer.pop(0) == expected
        lower = question.upper
    assert answer == []


@given(seeds, st.sampled_from(SHAPES), sizes)
def test_net_16_any_answer_is_taken_or_refused(seed: int, shape: str, n: int) -> None:
    chance = Random(seed)
    keys = keys_of(chance, shape, n)
    comparison = Reconciliation(SyncSet(keys))
    asked: tuple[Range, ...] | None = comparison.first()
    rounds, refused = 0, ""
    try:
        while asked is not None:
            rounds += 1
            assert size_of(asked) <= limits.NODE_RANGES_BYTES
            answer = any_ranges(chance, keys, (0, 1, 2, 3))
            if chance.random() < 0.8:  # At least the bounds are those that were asked for.
                answer = any_answer(chance, asked, answer)
            asked = comparison.on_answer(answer)
    except RuleError as error:
        refused = error.rule
    assert refused in ("", "NET-15", "NET-16")
    assert rounds <= limits.NODE_RECON_ROUNDS
    assert set(comparison.surplus) <= set(keys)
    assert not set(comparison.lacking) & {key[8:] for key in keys}


def any_answer(chance: Random, asked: Sequence[Range], said: Sequence[Range]) -> list[Range]:
    """An answer of the right form, with whatever was said."""
    answer: list[Range] = []
    for one in asked:
        modes = {0: (0,), 1: (0, 1, 2), 2: (3,)}[one.mode]
        fitting = [other for other in said if other.mode in modes] or [Range(b"", modes[0])]
        other = chance.choice(fitting)
        places = tuple(place for place in other.places if place < len(one.digests))
        answer.append(Range(one.upper, other.mode, other.count, other.sum, other.digests, places))
    return answer


# --- a set is what a plain list would be ----------------------------------------------------------


@given(seeds, st.integers(1, 400), st.sampled_from(SHAPES))
def test_net_2_a_set_gives_what_a_sorted_list_gives(seed: int, n: int, shape: str) -> None:
    chance = Random(seed)
    pool = keys_of(chance, shape, n)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(syncset, "_CHUNK", 8)  # So few keys would stand in one chunk else.
        begin = chance.sample(pool, chance.randrange(n + 1))
        own, here = SyncSet(begin), set(begin)
        growing = chance.random()
        for _ in range(2 * n):
            key = chance.choice(pool)
            if chance.random() < growing:
                assert own.add(key) is (key not in here)
                here.add(key)
            else:
                assert own.discard(key) is (key in here)
                here.discard(key)
            if chance.random() < 0.2:  # Sums are remembered, and must not outlive a change.
                upper = chance.choice(pool)
                said = naive_fingerprint([one for one in here if one < upper], b"")
                assert own.fingerprint(upper=upper) == (said.count, said.sum)
        agrees_with(own, sorted(here), pool, chance)


def agrees_with(own: SyncSet, here: list[bytes], pool: list[bytes], chance: Random) -> None:
    assert own.keys() == here
    assert len(own) == len(here)
    assert [own.key_at(n) for n in range(len(here))] == here
    for (low, high), rank in zip(pairwise(here), range(1, len(here)), strict=True):
        bound = own.bound_at(rank)
        assert low < bound <= high
        assert not low < bound[:-1]
    for key in pool[:40]:
        assert (key in own) is own.has_digest(key[8:]) is (key in here)
    bounds = [b"", b"\xff" * 40, *(key[: chance.randrange(1, 41)] for key in pool[:8])]
    for lower in bounds:
        upper = chance.choice(bounds)
        stretch = [key for key in here if key >= lower and (not upper or key < upper)]
        said = naive_fingerprint(stretch, b"")
        assert own.fingerprint(lower, upper) == (said.count, said.sum)
        assert own.count(lower, upper) == len(stretch)
        assert own.keys(lower, upper, limit=3) == stretch[:3]
        assert own.after(lower, 3) == [key for key in here if key > lower][:3]
