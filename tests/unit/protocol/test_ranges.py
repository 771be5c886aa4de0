"""Comparing sets by ranges: what is answered, how the one who begins goes on, and what it refuses."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from itertools import pairwise
from random import Random

import pytest
from set_pairs import play, size_of, some_keys

from hitp2p import limits
from hitp2p.errors import RuleError
from hitp2p.protocol.cutting import size_of_range
from hitp2p.protocol.frames import encode_frame, parse_frame
from hitp2p.protocol.messages import Range, Ranges
from hitp2p.protocol.ranges import Reconciliation, SyncSet, answer_ranges

KEYS = some_keys(4000)
DIGEST = bytes(32)


def fingerprint(keys: Sequence[bytes], upper: bytes = b"") -> Range:
    return Range(upper, 1, *SyncSet(keys).fingerprint())


def listed(keys: Sequence[bytes], upper: bytes = b"") -> Range:
    return Range(upper, 2, digests=tuple(key[8:] for key in keys))


def fits(ranges: Sequence[Range]) -> bool:
    """NET-15, and the length of NET-16."""
    uppers = [one.upper for one in ranges]
    rising = all(low < high for low, high in pairwise(uppers[:-1]))
    return (
        rising
        and uppers[-1] == b""
        and all(uppers[:-1])
        and len(uppers) <= limits.NODE_RANGES
        and size_of(ranges) <= limits.NODE_RANGES_BYTES
    )


# --- how one answers ------------------------------------------------------------------------------


def test_net_16_nothing_is_answered_by_nothing() -> None:
    asked = Range(b"\0", 0), Range(b"\1", 0), Range(b"", 0)
    assert answer_ranges(SyncSet(KEYS), asked) == (Range(b"", 0),)


def test_net_16_a_fingerprint_that_agrees_is_answered_by_nothing() -> None:
    assert answer_ranges(SyncSet(KEYS), [fingerprint(KEYS)]) == (Range(b"", 0),)
    assert answer_ranges(SyncSet(), [fingerprint([])]) == (Range(b"", 0),)


def test_net_16_lists_32_keys_and_cuts_33() -> None:
    other = fingerprint(KEYS[100:300])
    assert answer_ranges(SyncSet(KEYS[:32]), [other]) == (listed(KEYS[:32]),)
    parts = answer_ranges(SyncSet(KEYS[:33]), [other])
    assert [one.mode for one in parts] == [1] * 16
    assert {one.count for one in parts} == {2, 3}
    assert fits(parts)


def test_net_16_lists_everything_for_one_who_has_nothing() -> None:
    asked = Range(KEYS[5], 0), fingerprint([], KEYS[205]), Range(b"", 0)
    answer = Range(KEYS[5], 0), listed(KEYS[5:205], KEYS[205]), Range(b"", 0)
    assert answer_ranges(SyncSet(KEYS), asked) == answer


def test_net_16_cuts_into_parts_of_about_as_many_keys() -> None:
    own = SyncSet(KEYS)
    asked = Range(KEYS[1000], 0), fingerprint(KEYS[1001:2000], KEYS[2000]), Range(b"", 0)
    _, *parts, last = answer_ranges(own, asked)
    assert [one.mode for one in parts] == [1] * 16
    assert (parts[-1].upper, last) == (KEYS[2000], Range(b"", 0))
    lower = KEYS[1000]
    for part in parts:
        assert (part.count, part.sum) == own.fingerprint(lower, part.upper)
        assert part.count in (62, 63)
        lower = part.upper


def test_net_16_uppers_are_as_short_as_they_can_be() -> None:
    parts = answer_ranges(SyncSet(KEYS), [fingerprint(KEYS[1:])])
    assert {len(one.upper) for one in parts} == {0, 8, 9}
    for part in parts[:-1]:
        above, below = SyncSet(KEYS).after(part.upper, 1)[0], part.upper[:-1]
        assert above.startswith(part.upper)
        assert any(key.startswith(below) for key in KEYS if key < part.upper)


def test_net_16_a_list_is_answered_by_what_either_lacks() -> None:
    asked = listed([KEYS[0], KEYS[1], KEYS[3], KEYS[5]], KEYS[6]), Range(b"", 0)
    own = SyncSet([KEYS[1], KEYS[2], KEYS[4], KEYS[5], KEYS[7]])
    missing = KEYS[2][8:], KEYS[4][8:]
    difference = Range(KEYS[6], 3, digests=missing, places=(0, 2))
    assert answer_ranges(own, asked) == (difference, Range(b"", 0))


def test_net_16_a_list_that_agrees_is_answered_by_an_empty_difference() -> None:
    assert answer_ranges(SyncSet(KEYS[:9]), [listed(KEYS[:9])]) == (Range(b"", 3),)


def test_net_15_mode_3_is_no_question() -> None:
    with pytest.raises(RuleError, match="mode 3 in RECON") as caught:
        answer_ranges(SyncSet(), [Range(b"", 3)])
    assert caught.value.rule == "NET-15"


@pytest.mark.parametrize("asked", [fingerprint([]), listed([])], ids=["fingerprint", "list"])
def test_net_16_a_message_is_filled_up_to_60_kib_and_not_a_byte_more(asked: Range) -> None:
    own = SyncSet(KEYS)
    first, rest = answer_ranges(own, [asked])
    n = len(first.digests)
    assert first.digests == listed(KEYS[:n]).digests
    assert KEYS[n - 1] < first.upper <= KEYS[n]
    assert rest == fingerprint(KEYS[n:])
    size = size_of([first, rest])
    assert size <= limits.NODE_RANGES_BYTES < size + 4 * 32


def test_net_16_what_has_no_room_is_one_range_whatever_was_asked() -> None:
    n = 300
    asked = [fingerprint(KEYS[10 * i + 1 : 10 * i + 10], KEYS[10 * i + 10]) for i in range(n)]
    *answers, rest = answer_ranges(SyncSet(KEYS), [*asked, Range(b"", 0)])
    assert {one.mode for one in answers} == {2}
    assert len(answers) < n
    assert rest == fingerprint(KEYS[10 * len(answers) :])
    assert fits([*answers, rest])


def test_net_15_a_message_has_1024_ranges_and_not_one_more() -> None:
    keys = some_keys(40_000)
    own = SyncSet(keys)
    asked = [fingerprint(keys[40 * i + 1 : 40 * i + 40], keys[40 * i + 40]) for i in range(999)]
    answers = answer_ranges(own, [*asked, Range(b"", 0)])
    assert len(answers) == limits.NODE_RANGES
    assert fits(answers)
    assert answers[-1].count == own.count(answers[-2].upper)


def test_net_16_the_length_of_ranges_is_that_of_msgpack() -> None:
    chance = Random(4)
    for value in (0, 127, 128, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**63 - 1):
        n = chance.randrange(300)
        ranges = (
            Range(b"\0", 0),
            Range(bytes(chance.randrange(1, 40)) + b"\1", 1, value, bytes(16)),
            Range(b"\2", 2, digests=(DIGEST,) * n),
            Range(b"", 3, digests=(DIGEST,) * (300 - n), places=(*range(n), n + value)),
        )
        empty = len(encode_frame(Ranges(ranges=(Range(b"", 0),)), 1)) - size_of_range(Range(b"", 0))
        assert len(encode_frame(Ranges(ranges=ranges), 1)) - empty == sum(
            map(size_of_range, ranges)
        )


# --- how the one who begins goes on ---------------------------------------------------------------


def test_equal_sets_are_told_in_one_round() -> None:
    played = play(SyncSet(KEYS), SyncSet(KEYS))
    assert played.found == ([], [])
    assert played.comparison.is_complete
    assert len(played.asked) == 1
    assert played.answers == [(Range(b"", 0),)]


@pytest.mark.parametrize("n", [0, 1, 5, 32, 33, 100, 4000])
def test_an_empty_set_and_another_find_all(n: int) -> None:
    digests = sorted(key[8:] for key in KEYS[:n])
    assert play(SyncSet(), SyncSet(KEYS[:n])).found == (digests, [])
    assert play(SyncSet(KEYS[:n]), SyncSet()).found == ([], digests)


def test_what_is_new_is_found_in_one_round() -> None:
    for one, other in ((KEYS, KEYS[:-10]), (KEYS[:-10], KEYS)):
        played = play(SyncSet(one), SyncSet(other))
        new = sorted(key[8:] for key in KEYS[-10:])
        assert played.found == (([], new) if one is KEYS else (new, []))
        assert len(played.asked) == 1
        assert played.n_bytes < 1500


def test_few_keys_are_listed_at_once() -> None:
    assert Reconciliation(SyncSet(KEYS[:32])).first() == (listed(KEYS[:32]),)
    assert {one.mode for one in Reconciliation(SyncSet(KEYS[:33])).first()} == {1}


def test_the_highest_generation_has_none_above_it() -> None:
    keys = [b"\xff" * 8 + key[8:] for key in KEYS[:40]]
    played = play(SyncSet(keys), SyncSet(keys[1:]))
    assert played.found == ([], [keys[0][8:]])


def test_every_message_is_one_that_frames_read() -> None:
    played = play(SyncSet(KEYS[::2]), SyncSet(KEYS[::3]))
    for ranges in (*played.asked, *played.answers):
        assert fits(ranges)
        message = Ranges(ranges=ranges)
        assert parse_frame(encode_frame(message, 1)[4:]).message == message


def test_a_large_difference_is_found_by_parts_from_the_lowest_on() -> None:
    keys = some_keys(60_000)
    played = play(SyncSet(keys[::2]), SyncSet(keys[1::2]))
    assert not played.comparison.is_complete
    assert len(played.asked) == limits.NODE_RECON_ROUNDS
    assert all(map(fits, played.asked + played.answers))
    assert len(set(played.comparison.surplus)) == len(played.comparison.surplus)
    lacking, surplus = set(played.comparison.lacking), set(played.comparison.surplus)
    lowest = next(n for n, key in enumerate(keys) if key not in surplus and key[8:] not in lacking)
    assert lowest > 20_000
    assert len(lacking) + len(surplus) - lowest < 200, "the newest, which the first round shows"


def test_a_set_that_is_compared_again_and_again_comes_to_its_end() -> None:
    keys = some_keys(60_000)
    own, other = SyncSet(keys[:30_000:9]), SyncSet(keys)
    comparisons = 0
    while own.fingerprint() != other.fingerprint():
        comparisons += 1
        for digest in play(own, other).comparison.lacking:
            key = other.key_of_digest(digest)
            assert key is not None
            assert own.add(key)
    assert comparisons <= 3


def test_the_own_set_may_change_between_rounds() -> None:
    chance = Random(5)
    own, other = SyncSet(KEYS[::2]), SyncSet(KEYS[::3])
    comparison = Reconciliation(own)
    ranges: tuple[Range, ...] | None = comparison.first()
    while ranges is not None:
        answer = answer_ranges(other, ranges)
        for key in chance.sample(KEYS, 400):
            own.discard(key) if key in own else own.add(key)
            other.discard(key) if key in other else other.add(key)
        ranges = comparison.on_answer(answer)
    assert len(set(comparison.lacking)) == len(comparison.lacking)


# --- what the one who began refuses ---------------------------------------------------------------


def answered(own: Sequence[bytes], *answer: Range) -> Reconciliation:
    """A comparison that has got this as its first answer."""
    comparison = Reconciliation(SyncSet(own))
    comparison.first()
    comparison.on_answer(answer)
    return comparison


@pytest.mark.parametrize("mode", [0, 1, 2])
def test_net_16_a_list_is_answered_in_mode_3_alone(mode: int) -> None:
    answer = Range(b"\5", mode, 1, bytes(16)), Range(b"", 0)
    with pytest.raises(RuleError, match=f"mode {mode} in answer to mode 2") as caught:
        answered(KEYS[:5], *answer)
    assert caught.value.rule == "NET-16"


def test_net_16_a_fingerprint_is_not_answered_in_mode_3() -> None:
    with pytest.raises(RuleError, match="mode 3 in answer to mode 1"):
        answered(KEYS, Range(KEYS[1], 3), Range(b"", 0))


@pytest.mark.parametrize("mode", [1, 2, 3])
def test_net_16_nothing_is_answered_by_nothing_alone(mode: int) -> None:
    comparison = Reconciliation(SyncSet(KEYS))
    first, *_ = comparison.first()
    (question, *_) = comparison.on_answer([fingerprint(KEYS[9:], first.upper), Range(b"", 0)]) or ()
    assert question.upper < first.upper
    with pytest.raises(RuleError, match=f"mode {mode} in answer to mode 0"):
        comparison.on_answer(
            [Range(first.upper, 0), Range(KEYS[-1], mode, 1, bytes(16)), Range(b"", 0)]
        )


@pytest.mark.parametrize("mode", [1, 2])
def test_net_16_one_range_is_no_answer_to_two(mode: int) -> None:
    first = Reconciliation(SyncSet(KEYS)).first()
    answer = Range(first[1].upper, mode, 1, bytes(16)), Range(b"", 0)
    with pytest.raises(RuleError, match=f"mode {mode} in answer to mode 1"):
        answered(KEYS, *answer)


def test_net_16_a_list_is_compared_as_a_whole() -> None:
    with pytest.raises(RuleError, match="mode 3 in answer to mode 2"):
        answered(KEYS[:5], Range(KEYS[1], 3), Range(b"", 3))


def test_net_15_places_are_those_of_digests_that_were_sent() -> None:
    assert answered(KEYS[:5], Range(b"", 3, places=(4,))).surplus == [KEYS[4]]
    with pytest.raises(RuleError, match="past the end of 5 digests") as caught:
        answered(KEYS[:5], Range(b"", 3, places=(5,)))
    assert caught.value.rule == "NET-15"


def test_net_16_takes_sixteen_parts_and_not_one_more() -> None:
    first = Reconciliation(SyncSet(KEYS)).first()[0]
    inside = [key for key in KEYS if key < first.upper]

    def parts(n: int) -> list[Range]:
        uppers = [*inside[1:n], first.upper]
        return [Range(upper, 1, 50, bytes(16)) for upper in uppers]

    assert not answered(KEYS, *parts(16), Range(b"", 0)).is_complete
    with pytest.raises(RuleError, match="more than 16 ranges"):
        answered(KEYS, *parts(17), Range(b"", 0))


def test_net_16_stops_after_sixteen_rounds() -> None:
    """The other has no room for anything, ever."""
    comparison = Reconciliation(SyncSet(KEYS))
    comparison.first()
    rest = Range(b"", 1, 7, bytes(16))
    for _ in range(limits.NODE_RECON_ROUNDS - 1):
        assert comparison.on_answer([rest]) is not None
    assert comparison.on_answer([rest]) is None
    assert not comparison.is_complete


def test_net_16_remembers_32768_keys_that_the_other_lacks_and_not_one_more() -> None:
    for n, complete in ((limits.NODE_RECON_SURPLUS, True), (limits.NODE_RECON_SURPLUS + 1, False)):
        keys = some_keys(n)
        comparison = answered(keys, Range(b"", 1, 0, SyncSet().fingerprint()[1]))
        assert comparison.surplus == []  # It stands for several ranges: no room was left.
        played = play(SyncSet(keys), SyncSet())
        assert played.comparison.surplus == keys[: limits.NODE_RECON_SURPLUS]
        assert played.comparison.is_complete is complete


def test_net_16_what_one_who_always_differs_leaves_open_takes_bounded_memory() -> None:
    comparison = Reconciliation(SyncSet(some_keys(100_000)))
    asked: tuple[Range, ...] | None = comparison.first()
    tracemalloc.start()
    try:
        while asked is not None:
            answer = [Range(one.upper, (0, 1, 3)[one.mode], 1, bytes(16)) for one in asked]
            asked = comparison.on_answer(answer)
        assert tracemalloc.get_traced_memory()[0] < 700_000
    finally:
        tracemalloc.stop()
    assert comparison.lacking == comparison.surplus == []


def test_what_is_already_here_is_not_lacking() -> None:
    digests = (KEYS[3][8:], DIGEST, DIGEST)
    assert answered(KEYS[:5], Range(b"", 3, digests=digests)).lacking == [DIGEST]
    assert answered(KEYS, Range(b"", 1, 7, bytes(16))).lacking == []
