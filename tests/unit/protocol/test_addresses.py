"""The address book: whom it takes up, whom it picks, whom it tells of, and what it keeps."""

from __future__ import annotations

from hashlib import sha256
from itertools import count
from typing import Any

import pytest
from node_records import WALL, at, key_of, record
from seeded import Seeded

from hitp2p.errors import DecodeError, UsageError
from hitp2p.limits import (
    NODE_ANCHORS,
    NODE_BOOK_NAMED,
    NODE_BOOK_NEW,
    NODE_BOOK_TRIED,
    NODE_DIAL_HOST_EVERY_S,
    NODE_METERS,
    NODE_RECORD_AGE_MS,
    NODE_RECORDS_ASKED,
    NODE_RECORDS_EVERY_S,
)
from hitp2p.protocol.addresses import AddressBook
from hitp2p.protocol.book_places import BookPlaces
from hitp2p.protocol.packing import pack, unpack
from hitp2p.protocol.places import network_group
from hitp2p.protocol.records import PeerAddress

ME = key_of("me")
SECRET = bytes(32)
TELLER = "9.9.9.9"
DAY_S = 24 * 3600


def new_book() -> AddressBook:
    return AddressBook(me=ME, secret=SECRET)


def wide(n: int) -> str:
    """A host in a network of its own, for numbers up to 25,000."""
    return f"{20 + n // 200}.{n % 200}.1.1"


def book_of(n_peers: int) -> AddressBook:
    """A book that knows so many, each in a network of its own and told of by itself."""
    book = new_book()
    for n in range(n_peers):
        book.add(record(n, wide(n)), source=wide(n), now=at(0))
    return book


def pick(
    book: AddressBook,
    seconds: float,
    *,
    seed: int = 1,
    taken: tuple[bytes, ...] = (),
    groups: tuple[bytes, ...] = (),
) -> PeerAddress | None:
    return book.pick(taken=taken, groups=groups, chance=Seeded(seed), now=at(seconds))


def picked(book: AddressBook, seconds: float, **how: Any) -> PeerAddress:
    found = pick(book, seconds, **how)
    assert found is not None
    return found


# --- being told ---------------------------------------------------------------------------------
def test_a_record_is_taken_up_once() -> None:
    book = new_book()
    assert book.add(record(1, "8.8.8.8"), source=TELLER, now=at(0))
    assert not book.add(record(1, "8.8.8.8"), source=TELLER, now=at(0))
    assert not book.add(record(1, "8.8.8.8"), source="7.7.7.7", now=at(0))
    assert len(book) == 1
    assert key_of(1) in book
    assert key_of(2) not in book


def test_a_node_never_takes_up_itself() -> None:
    book = new_book()
    assert not book.add(record("me", "8.8.8.8"), source=TELLER, now=at(0))
    assert len(book) == 0


def test_net_20_the_higher_sequence_holds() -> None:
    book = new_book()
    old, new = record(1, "8.8.8.8"), record(1, "7.7.7.7", made=1)
    assert book.add(old, source=TELLER, now=at(0))
    assert book.add(new, source=TELLER, now=at(0))
    assert not book.add(old, source=TELLER, now=at(0))
    other = record(1, "6.6.6.6", made=1)
    assert not book.add(other, source=TELLER, now=at(0)), "of two of a sequence the first stays"
    assert book.record_of(key_of(1)) == new
    assert picked(book, 0).host == "7.7.7.7"
    assert book.record_of(key_of(2)) is None


def test_net_20_a_record_leaves_after_14_days() -> None:
    age = NODE_RECORD_AGE_MS / 1000
    book = new_book()
    assert book.add(record(1, "8.8.8.8"), source=TELLER, now=at(age))
    assert not book.add(record(2, "7.7.7.7"), source=TELLER, now=at(age + 0.001))
    assert picked(book, age).key == key_of(1)
    assert pick(book, age + 1) is None
    assert len(book) == 0


def test_net_20_a_peer_that_was_reached_leaves_after_14_days_as_well() -> None:
    book = book_of(1)
    book.on_connected(key_of(0), picked(book, 0).text, at(0))
    assert pick(book, NODE_RECORD_AGE_MS / 1000 + 1) is None
    assert len(book) == 0
    assert book.add(record(0, wide(0), made=15 * DAY_S), source=wide(0), now=at(15 * DAY_S))


OWN = ("10.0.0.1", "127.0.0.1", "169.254.1.1", "fe80::1", "fd00::1", "::1")


@pytest.mark.parametrize("host", [*OWN, "0.0.0.0", "224.0.0.1", "2002::1", "node.example"])
def test_net_21_an_address_that_leads_inside_is_not_taken_up_from_outside(host: str) -> None:
    book = new_book()
    assert not book.add(record(1, host), source=TELLER, now=at(0))
    assert len(book) == 0
    assert book.add(record(1, host, "8.8.8.8"), source=TELLER, now=at(0))
    for seconds in range(0, 600, 60):
        assert picked(book, seconds).host == "8.8.8.8"


@pytest.mark.parametrize("host", OWN)
def test_net_21_an_address_of_ones_own_network_is_taken_up_from_there(host: str) -> None:
    book = new_book()
    assert book.add(record(1, host), source=host, now=at(0))
    assert picked(book, 0).host == host


def test_net_21_the_same_record_told_from_inside_shows_more() -> None:
    book = new_book()
    both = record(1, "8.8.8.8", "10.0.0.1")
    assert book.add(both, source=TELLER, now=at(0))
    assert not book.add(both, source="10.0.0.2", now=at(0))
    assert not book.add(both, source=TELLER, now=at(0)), "and isn't taken away by who is outside"
    taken = network_group("8.8.8.8")
    assert picked(book, 0, groups=(taken,)).host == "10.0.0.1"


def test_a_newer_record_keeps_only_the_inside_addresses_that_it_still_names() -> None:
    book = new_book()
    book.add(record(1, "10.0.0.1"), source="10.0.0.2", now=at(0))
    assert book.add(record(1, "10.0.0.1", "8.8.8.8", made=1), source=TELLER, now=at(0))
    assert picked(book, 0, groups=(network_group("8.8.8.8"),)).host == "10.0.0.1"
    assert book.add(record(1, "10.0.0.3", "8.8.8.8", made=2), source=TELLER, now=at(0))
    assert pick(book, 60, groups=(network_group("8.8.8.8"),)) is None


def test_a_peer_that_can_no_more_be_dialled_leaves() -> None:
    book = new_book()
    book.add(record(1, "8.8.8.8"), source=TELLER, now=at(0))
    assert not book.add(record(1, "10.0.0.1", made=1), source=TELLER, now=at(0))
    assert len(book) == 0


def test_one_network_that_tells_reaches_64_places() -> None:
    book = new_book()
    for n in range(5000):
        book.add(record(n, wide(n)), source=f"9.9.{n % 256}.{n // 256}", now=at(0))
    assert 50 <= len(book) <= 64


def test_a_book_holds_2048_that_it_was_told_of_and_not_one_more() -> None:
    book = AddressBook(me=ME, secret=SECRET)
    made = (record(n, wide(n)) for n in count())
    for n in range(20_000):
        book.add(next(made), source=wide(n % 2000), now=at(0))
    assert 0.98 * NODE_BOOK_NEW <= len(book) <= NODE_BOOK_NEW


def test_who_stands_there_stays_unless_it_is_hopeless() -> None:
    book = new_book()
    for n in range(3000):
        book.add(record(n, wide(n)), source=TELLER, now=at(0))
    first = {n for n in range(3000) if key_of(n) in book}
    for n in range(3000, 6000):
        book.add(record(n, wide(n)), source=TELLER, now=at(0))
    assert {n for n in range(6000) if key_of(n) in book} - first < set(range(3000, 6000))
    assert all(key_of(n) in book for n in first)
    gone = min(first)
    for _ in range(3):
        book.on_failed(key_of(gone), record(gone, wide(gone)).addresses[0], at(1))
    for n in range(6000, 7000):
        book.add(record(n, wide(n)), source=TELLER, now=at(1))
    assert key_of(gone) not in book
    assert all(key_of(n) in book for n in first - {gone})


def test_who_was_told_of_by_several_makes_room_for_who_was_told_of_by_one() -> None:
    book = new_book()
    for source in ("1.1.1.1", "2.2.2.2", "3.3.3.3", "4.4.4.4", "5.5.5.5"):
        book.add(record(0, "8.8.8.8"), source=source, now=at(0))
    saved = unpack(book.encode()[:-32])
    assert len(saved[3][0][4]) == 4
    for n in range(1, 3000):
        book.add(record(n, wide(n)), source="1.1.1.1", now=at(0))
    assert key_of(0) in book, "it lost a place, and has others"
    assert 1 <= len(unpack(book.encode()[:-32])[3][0][4]) <= 3


# --- dialling -----------------------------------------------------------------------------------
def test_net_21_one_address_a_second_is_dialled_and_not_one_more() -> None:
    book = book_of(20)
    assert pick(book, 0)
    assert book.next_dial() == 1.0
    assert pick(book, 0.999) is None
    assert pick(book, 1)
    assert pick(book, 1.999) is None


def test_net_21_a_host_is_dialled_once_a_minute_whatever_its_keys() -> None:
    book = new_book()
    for n in range(40):
        book.add(record(n, "8.8.8.8", port=n + 1), source=wide(n), now=at(0))
    dialled = [n for n in range(181) if pick(book, n)]
    assert dialled == [0, 60, 120, 180]
    assert NODE_DIAL_HOST_EVERY_S == 60


def test_net_21_hosts_of_a_64_are_one_host() -> None:
    book = new_book()
    for n in range(1, 5):
        book.add(record(n, f"2a00::{n}"), source=wide(n), now=at(0))
    assert [n for n in range(60) if pick(book, n)] == [0]


def test_one_peer_of_a_network_is_dialled_at_a_time() -> None:
    book = new_book()
    for n in range(1, 9):
        book.add(record(n, f"8.8.{n}.1"), source=wide(n), now=at(0))
    assert pick(book, 0, groups=(network_group("8.8.0.0"),)) is None
    book.add(record(9, "8.9.1.1"), source=wide(9), now=at(0))
    assert picked(book, 0, groups=(network_group("8.8.0.0"),)).key == key_of(9)


def test_in_ones_own_network_all_are_dialled() -> None:
    book = new_book()
    for n in range(1, 9):
        book.add(record(n, "127.0.0.1", port=n), source="127.0.0.1", now=at(0))
    taken: list[bytes] = []
    for seconds in range(8):
        found = picked(book, seconds, taken=tuple(taken), groups=(network_group("127.0.0.1"),))
        taken.append(found.key)
    assert len(set(taken)) == 8


def test_who_is_taken_or_named_is_not_picked() -> None:
    book = book_of(3)
    book.name(key_of(1), record(1, wide(1)).addresses[0])
    for seconds in range(0, 600, 61):
        assert picked(book, seconds, taken=(key_of(0),), seed=seconds).key == key_of(2)
    assert pick(book, 700, taken=(key_of(0), key_of(2))) is None


def test_networks_are_drawn_before_keys() -> None:
    book = new_book()
    for n in range(200):
        book.add(record(n, f"8.8.{n}.1"), source=wide(n), now=at(0))
    for n in range(1000, 1003):
        book.add(record(n, wide(n)), source=wide(n), now=at(0))
    groups = [network_group(picked(book, n * 60, seed=n).host) for n in range(200)]
    assert 30 <= sum(group == network_group("8.8.0.0") for group in groups) <= 75


def test_hosts_are_drawn_before_keys() -> None:
    book = new_book()
    for n in range(200):
        book.add(record(n, "8.8.1.1", port=n + 1), source=wide(n), now=at(0))
    for n in range(1000, 1003):
        book.add(record(n, f"8.8.2.{n - 999}"), source=wide(n), now=at(0))
    hosts = [picked(book, n * 60, seed=n).host for n in range(200)]
    assert 30 <= hosts.count("8.8.1.1") <= 75


def test_half_of_the_dials_go_to_who_was_reached_before() -> None:
    book = book_of(100)
    book.on_connected(key_of(7), record(7, wide(7)).addresses[0], at(0))
    keys = [picked(book, n * 60, seed=n).key for n in range(200)]
    assert 75 <= keys.count(key_of(7)) <= 125


def test_every_address_of_a_peer_has_its_turn() -> None:
    book = new_book()
    book.add(record(1, "8.8.8.8", "2a00::1", "7.7.7.7"), source=TELLER, now=at(0))
    assert {picked(book, n * 60, seed=n).host for n in range(40)} == {
        "8.8.8.8",
        "2a00::1",
        "7.7.7.7",
    }


def test_a_pick_is_not_repeated_while_nothing_is_heard_of_it() -> None:
    book = new_book()
    book.add(record(1, "127.0.0.1"), source="127.0.0.1", now=at(0))
    assert [n for n in range(7) if pick(book, n)] == [0, 3, 6]


def test_the_same_book_chance_and_times_give_the_same_picks() -> None:
    runs = []
    for _ in range(2):
        book, chance = book_of(50), Seeded(5)
        runs.append([book.pick(taken=(), groups=(), chance=chance, now=at(n)) for n in range(30)])
    assert runs[0] == runs[1]
    assert len(set(runs[0])) > 25


# --- waiting ------------------------------------------------------------------------------------
def waits(n: int, key: bytes = key_of(1)) -> float:
    return BookPlaces(SECRET).wait(key, n)


@pytest.mark.parametrize(
    ("n_failed", "longest"),
    [(0, 3), (1, 6), (2, 12), (9, 1536), (10, 3072), (11, 3600), (12, 3600), (1000, 3600)],
)
def test_the_longest_wait_doubles_from_3_s_up_to_an_hour(n_failed: int, longest: int) -> None:
    assert BookPlaces.longest_wait(n_failed) == longest
    drawn = [waits(n_failed, key_of(n)) for n in range(300)]
    assert 0 <= min(drawn) < longest / 20
    assert longest * 0.95 < max(drawn) <= longest


def test_a_dial_that_failed_waits_and_the_next_waits_longer() -> None:
    book = book_of(1)
    address, now = picked(book, 0).text, 100.0
    for n_failed in range(14):
        book.on_failed(key_of(0), address, at(now))
        wait = waits(n_failed, key_of(0))
        assert book.wait_s(key_of(0), at(now)) == pytest.approx(wait)
        assert pick(book, now + wait - 0.001) is None
        now = now + max(wait, 61) + 0.001
        assert pick(book, now)
    assert book.wait_s(key_of(9), at(0)) == 0


def test_a_connection_that_lasts_a_minute_ends_all_waits() -> None:
    book = book_of(1)
    address = picked(book, 0).text
    for _ in range(5):
        book.on_failed(key_of(0), address, at(0))
    book.on_connected(key_of(0), address, at(100))
    book.on_disconnected(key_of(0), at(160))
    assert book.wait_s(key_of(0), at(160)) == 0
    book.on_failed(key_of(0), address, at(200))
    assert book.wait_s(key_of(0), at(200)) == pytest.approx(waits(0, key_of(0)))


def test_a_connection_that_lasts_less_than_a_minute_is_as_good_as_none() -> None:
    book = book_of(1)
    address = picked(book, 0).text
    for _ in range(5):
        book.on_failed(key_of(0), address, at(0))
    book.on_connected(key_of(0), address, at(100))
    book.on_disconnected(key_of(0), at(159.9))
    assert book.wait_s(key_of(0), at(159.9)) == pytest.approx(waits(5, key_of(0)))
    book.on_disconnected(key_of(0), at(160))
    assert book.wait_s(key_of(0), at(159.9)) == pytest.approx(waits(5, key_of(0))), "told once"


def test_what_is_heard_of_strangers_is_passed_over() -> None:
    book = new_book()
    book.on_connected(key_of(1), "x", at(0))
    book.on_failed(key_of(2), "x", at(0))
    book.on_disconnected(key_of(1), at(0))
    assert len(book) == 0


def test_one_connection_an_hour_is_ended_for_another_and_not_one_more() -> None:
    book, chance = book_of(20), Seeded(1)
    assert book.tired(chance=chance, now=at(0)) is None
    for n in range(8):
        reach(book, n, wide(n))
    ended = [book.tired(chance=chance, now=at(900 * n)) for n in range(160)]
    assert [n for n, key in enumerate(ended) if key] == list(range(0, 160, 4))
    assert {key for key in ended if key} == {key_of(n) for n in range(8)}


def test_whom_the_operator_names_is_not_ended_for_another() -> None:
    book = book_of(2)
    for n in range(2):
        reach(book, n, wide(n))
    book.name(key_of(0), record(0, wide(0)).addresses[0])
    assert {book.tired(chance=Seeded(n), now=at(3600 * n)) for n in range(30)} == {key_of(1)}


# --- who was reached ----------------------------------------------------------------------------
def reach(book: AddressBook, n: int, host: str, seconds: float = 0) -> None:
    book.on_connected(key_of(n), record(n, host).addresses[0], at(seconds))


def n_tried(book: AddressBook) -> int:
    return sum(row[5] is not None for row in unpack(book.encode()[:-32])[3])


def test_a_network_that_is_reached_fills_16_places() -> None:
    book = new_book()
    for n in range(400):
        host = f"8.8.{n % 256}.{1 + n // 256}"
        book.add(record(n, host), source=host, now=at(0))
        reach(book, n, host)
    assert 12 <= n_tried(book) <= 16


def test_a_book_holds_512_that_it_has_reached_and_not_one_more() -> None:
    book = new_book()
    for n in range(6000):
        book.add(record(n, wide(n)), source=wide(n), now=at(0))
        reach(book, n, wide(n))
    assert 0.98 * NODE_BOOK_TRIED <= n_tried(book) <= NODE_BOOK_TRIED


def crowd(book: AddressBook, seconds: float, first: int = 1000) -> None:
    """Hundreds more are reached in the network of a friend."""
    for n in range(first, first + 300):
        host = f"8.8.{n % 256}.{1 + n // 256}"
        book.add(record(n, host, made=seconds), source=wide(n), now=at(seconds))
        reach(book, n, host, seconds)


def is_tried(book: AddressBook, n: int) -> bool:
    rows = unpack(book.encode()[:-32])[3]
    return any(unpack(row[0])[0] == key_of(n) and row[5] is not None for row in rows)


def test_an_old_friend_makes_room_for_nobody() -> None:
    book = new_book()
    book.add(record(1, "8.8.1.1"), source="8.8.1.1", now=at(0))
    reach(book, 1, "8.8.1.1")
    crowd(book, 7 * DAY_S)
    assert is_tried(book, 1)


def test_a_friend_that_failed_or_was_long_away_makes_room() -> None:
    for seconds, n_failed in ((10.0, 1), (7 * DAY_S + 0.001, 0)):
        book = new_book()
        book.add(record(1, "8.8.1.1"), source="8.8.1.1", now=at(0))
        reach(book, 1, "8.8.1.1")
        for _ in range(n_failed):
            book.on_failed(key_of(1), record(1, "8.8.1.1").addresses[0], at(5))
        crowd(book, seconds)
        assert not is_tried(book, 1)
        assert key_of(1) in book, "it stands among those told of again"


def test_who_moves_stands_among_those_told_of_again() -> None:
    book = new_book()
    book.add(record(1, "8.8.1.1"), source=TELLER, now=at(0))
    reach(book, 1, "8.8.1.1")
    assert is_tried(book, 1)
    book.add(record(1, "8.8.1.1", "7.7.7.7", made=1), source=TELLER, now=at(1))
    assert is_tried(book, 1)
    assert book.add(record(1, "7.7.7.7", made=2), source=TELLER, now=at(2))
    assert not is_tried(book, 1)
    assert len(book) == 1


def test_who_moves_to_a_full_place_leaves() -> None:
    book = new_book()
    for n in range(3000):
        book.add(record(n, wide(n)), source=TELLER, now=at(0))
    for n in (5000, 5001, 5002, 5003):
        host = f"8.{n - 5000}.1.1"
        book.add(record(n, host), source=host, now=at(0))
        book.on_connected(key_of(n), record(n, host).addresses[0], at(0))
        assert not book.add(record(n, "7.7.7.7", made=1), source=TELLER, now=at(1))
        assert key_of(n) not in book


def test_a_place_is_earned_by_the_address_that_answered() -> None:
    book = new_book()
    book.add(record(1, "8.8.1.1"), source=TELLER, now=at(0))
    book.on_connected(key_of(1), record(1, "7.7.7.7").addresses[0], at(0))
    assert not is_tried(book, 1)
    both = record(1, "8.8.1.1", "7.7.7.7", made=1)
    book.add(both, source=TELLER, now=at(0))
    for address in both.addresses:
        book.on_connected(key_of(1), address, at(0))
        assert n_tried(book) == 1


# --- whom the operator names --------------------------------------------------------------------
def pick_named(book: AddressBook, seconds: float, *taken: bytes) -> PeerAddress | None:
    return book.pick_named(taken=taken, chance=Seeded(1), now=at(seconds))


def test_whom_the_operator_names_is_never_evicted() -> None:
    book = new_book()
    address = record("friend", "10.0.0.1").addresses[0]
    book.name(key_of("friend"), address)
    for n in range(3000):
        book.add(record(n, wide(n)), source=wide(n), now=at(0))
    later = 100 * DAY_S
    pick(book, later)
    assert key_of("friend") in book
    found = pick_named(book, later)
    assert found is not None
    assert found.text == address
    book.unname(key_of("friend"))
    book.unname(key_of("friend"))
    assert pick_named(book, later + 10) is None


def test_named_peers_wait_as_others_do_but_for_no_second() -> None:
    book = new_book()
    for n in (1, 2):
        book.name(key_of(n), record(n, "node.example").addresses[0])
    first = pick_named(book, 0)
    second = pick_named(book, 0)
    assert first is not None
    assert second is not None
    assert {first.key, second.key} == {key_of(1), key_of(2)}
    assert pick_named(book, 2.999) is None
    assert pick_named(book, 3, key_of(1), key_of(2)) is None
    for n_failed in range(6):
        book.on_failed(first.key, first.text, at(10))
        assert book.wait_s(first.key, at(10)) == pytest.approx(waits(n_failed, first.key))


def test_256_peers_are_named_and_not_one_more() -> None:
    book = new_book()
    for n in range(NODE_BOOK_NAMED):
        book.name(key_of(n), record(n, "8.8.8.8").addresses[0])
    book.name(key_of(0), record(0, "7.7.7.7").addresses[0])
    with pytest.raises(UsageError):
        book.name(key_of("one more"), record("one more", "8.8.8.8").addresses[0])


def test_eight_addresses_of_a_named_peer_are_kept_the_last_ones() -> None:
    book = new_book()
    for n in range(10):
        book.name(key_of(1), record(1, f"8.8.8.{n}").addresses[0])
    found = {
        address.host
        for n in range(200)
        if (address := book.pick_named(taken=(), chance=Seeded(n), now=at(10 * n)))
    }
    assert found == {f"8.8.8.{n}" for n in range(2, 10)}


def test_a_named_address_names_the_named_key() -> None:
    with pytest.raises(UsageError):
        new_book().name(key_of(2), record(1, "8.8.8.8").addresses[0])
    with pytest.raises(DecodeError):
        new_book().name(key_of(2), "/ip4/8.8.8.8/tcp/1")


# --- telling ------------------------------------------------------------------------------------
def test_net_21_32_records_are_handed_out_and_not_one_more() -> None:
    book = book_of(100)
    for n, most in enumerate((0, 1, 31, 32, 33, 1000)):
        found = book.sample(most, asking_key=key_of(("asks", n)), chance=Seeded(n), now=at(0))
        assert len(found) == len(set(found)) == min(most, NODE_RECORDS_ASKED)


def test_net_21_a_peer_is_handed_records_once_a_minute() -> None:
    book = book_of(5)

    def ask(name: str, seconds: float) -> int:
        return len(book.sample(32, asking_key=key_of(name), chance=Seeded(1), now=at(seconds)))

    assert ask("a", 0) == 5
    assert ask("a", NODE_RECORDS_EVERY_S - 0.001) == 0
    assert ask("b", 1) == 5
    assert ask("a", NODE_RECORDS_EVERY_S) == 5


def test_who_asked_within_the_minute_is_remembered_up_to_a_bound() -> None:
    book = book_of(1)
    for n in range(NODE_METERS):
        assert book.sample(1, asking_key=key_of(n + 10), chance=Seeded(1), now=at(0))
    assert not book.sample(1, asking_key=key_of("one more"), chance=Seeded(1), now=at(0))
    assert book.sample(1, asking_key=key_of("one more"), chance=Seeded(1), now=at(60))


def test_nobody_is_told_of_themselves_of_the_old_or_of_the_hopeless() -> None:
    book = book_of(3)
    for _ in range(3):
        book.on_failed(key_of(0), record(0, wide(0)).addresses[0], at(0))
    book.add(record("old", "8.8.8.8", made=-DAY_S), source=TELLER, now=at(0))
    told = book.sample(32, asking_key=key_of(1), chance=Seeded(1), now=at(13 * DAY_S + 1))
    assert [one.key for one in told] == [key_of(2)]


def test_a_network_with_many_keys_does_not_fill_what_is_handed_out() -> None:
    book = book_of(20)
    for n in range(1000, 3000):
        book.add(record(n, f"8.8.{n % 256}.{n // 256}"), source=wide(n), now=at(0))
    told = book.sample(32, asking_key=key_of("asks"), chance=Seeded(1), now=at(0))
    assert sum(one.key in {key_of(n) for n in range(20)} for one in told) == 20


def test_half_of_what_is_handed_out_was_reached() -> None:
    book = book_of(100)
    for n in range(30):
        reach(book, n, wide(n))
    told = book.sample(32, asking_key=key_of("asks"), chance=Seeded(1), now=at(0))
    assert sum(is_tried(book, n) and one.key == key_of(n) for one in told for n in range(30)) == 16


# --- over a restart -----------------------------------------------------------------------------
def again(book: AddressBook) -> AddressBook:
    return AddressBook.parse(book.encode(), me=ME)


def test_a_book_comes_back_as_it_was() -> None:
    book = book_of(300)
    for n in range(0, 100, 3):
        reach(book, n, wide(n))
        book.on_disconnected(key_of(n), at(100))
    for n in range(1, 100, 3):
        book.on_failed(key_of(n), record(n, wide(n)).addresses[0], at(0))
    back = again(book)
    assert back.encode() == book.encode()
    assert [pick(back, 4000 + n, seed=n) for n in range(50)] == [
        pick(book, 4000 + n, seed=n) for n in range(50)
    ]


def test_what_was_told_from_inside_alone_stays_so_over_a_restart() -> None:
    book = new_book()
    book.add(record(1, "8.8.8.8", "10.0.0.1"), source=TELLER, now=at(0))
    assert pick(again(book), 0, groups=(network_group("8.8.8.8"),)) is None


def test_a_wait_is_over_with_a_restart_but_failures_still_count() -> None:
    book = book_of(1)
    address = record(0, wide(0)).addresses[0]
    for _ in range(7):
        book.on_failed(key_of(0), address, at(0))
    back = again(book)
    assert pick(back, -100)
    back.on_failed(key_of(0), address, at(0))
    assert back.wait_s(key_of(0), at(0)) == pytest.approx(waits(7, key_of(0)))


def test_two_anchors_are_dialled_first_and_not_one_more() -> None:
    book = book_of(50)
    for seconds, n in enumerate((11, 22, 33)):
        reach(book, n, wide(n), seconds)
    back = again(book)
    first = [picked(back, n, seed=n).key for n in range(NODE_ANCHORS)]
    assert first == [key_of(11), key_of(22)]
    others = {picked(again(back), 10, taken=tuple(first), seed=n).key for n in range(60)}
    assert len(others) > 10


def test_an_anchor_stays_one_until_it_fails_or_is_reached() -> None:
    book = book_of(50)
    reach(book, 11, wide(11))
    back = again(again(book))
    address = picked(back, 0).text
    back.on_failed(key_of(11), address, at(0))
    assert unpack(again(back).encode()[:-32])[2] == []
    back = again(book)
    reach(back, 11, wide(11))
    assert unpack(back.encode()[:-32])[2] == [key_of(11)]
    back.on_disconnected(key_of(11), at(100))
    assert unpack(back.encode()[:-32])[2] == []


def test_an_anchor_respects_the_bounds_of_all_dials() -> None:
    book = book_of(50)
    reach(book, 11, wide(11))
    back = again(book)
    assert picked(back, 0, groups=(network_group(wide(11)),)).key != key_of(11)
    assert picked(back, 1, taken=(key_of(11),)).key != key_of(11)


def test_whom_the_operator_names_needs_no_anchor() -> None:
    book = book_of(5)
    book.name(key_of(1), record(1, wide(1)).addresses[0])
    reach(book, 1, wide(1))
    assert unpack(book.encode()[:-32])[2] == []


def test_32_connections_of_ones_own_are_remembered() -> None:
    book = book_of(50)
    for n in range(33):
        reach(book, n, wide(n))
    assert unpack(book.encode()[:-32])[2] == [key_of(1), key_of(2)]


def test_a_book_of_another_node_may_hold_this_one() -> None:
    book = book_of(3)
    assert len(AddressBook.parse(book.encode(), me=key_of(1))) == 2


def sealed(body: Any) -> bytes:
    packed = pack(body)
    return packed + sha256(packed).digest()


BLOCK = record(1, "8.8.8.8", "7.7.7.7").block
ROW = [BLOCK, [0, 1], 0, 0, [5, 6], None]


def with_row(**changes: Any) -> bytes:
    row = [changes.get(f"at_{n}", value) for n, value in enumerate(ROW)]
    return sealed([1, SECRET, [], [row]])


def test_a_row_is_read_at_every_bound() -> None:
    for data in (
        with_row(),
        with_row(at_2=999),
        with_row(at_3=WALL),
        with_row(at_4=[0, NODE_BOOK_NEW - 1, 1, 2]),
        with_row(at_4=[], at_5=1),
        with_row(at_1=[1]),
        sealed([1, SECRET, [key_of(1), key_of(2)], [ROW]]),
    ):
        assert len(AddressBook.parse(data, me=ME)) == 1


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(31),
        bytes(100),
        book_of(3).encode()[:-1],
        book_of(3).encode() + b"\0",
        sealed(None),
        sealed([1, SECRET, []]),
        sealed([2, SECRET, [], []]),
        sealed([1, SECRET[1:], [], []]),
        sealed([1, "a" * 32, [], []]),
        sealed([1, SECRET, [key_of(1)] * 3, []]),
        sealed([1, SECRET, [7], []]),
        sealed([1, SECRET, None, []]),
        sealed([1, SECRET, [], None]),
        sealed([1, SECRET, [], [ROW[:5]]]),
        sealed([1, SECRET, [], [[*ROW, 0]]]),
        with_row(at_0=BLOCK[:-1]),
        with_row(at_0=None),
        with_row(at_1=[]),
        with_row(at_1=[2]),
        with_row(at_1=[-1]),
        with_row(at_1=[0, 0]),
        with_row(at_1=None),
        with_row(at_1=b"\0"),
        with_row(at_2=1000),
        with_row(at_2=-1),
        with_row(at_2=True),
        with_row(at_3=2**53),
        with_row(at_3=1.5),
        with_row(at_4=[]),
        with_row(at_4=[NODE_BOOK_NEW]),
        with_row(at_4=[0, 1, 2, 3, 4]),
        with_row(at_4=[1, 1]),
        with_row(at_4=[], at_5=2),
        with_row(at_4=[], at_5=1, at_1=[0]),
        with_row(at_5=0),
        with_row(at_4=[], at_5=b""),
        sealed([1, SECRET, [], [ROW] * (NODE_BOOK_NEW + NODE_BOOK_TRIED + 1)]),
    ],
)
def test_bytes_that_are_no_book_are_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        AddressBook.parse(data, me=ME)


def test_a_flipped_bit_of_the_disk_is_noticed() -> None:
    data = book_of(3).encode()
    for where in range(0, len(data), 7):
        changed = data[:where] + bytes([data[where] ^ 4]) + data[where + 1 :]
        with pytest.raises(DecodeError):
            AddressBook.parse(changed, me=ME)


def test_two_that_claim_a_place_are_read_as_far_as_there_is_room() -> None:
    other = [record(2, "8.8.8.8").block, [0], 0, 0, [5], None]
    book = AddressBook.parse(sealed([1, SECRET, [], [ROW, other, ROW]]), me=ME)
    assert len(book) == 1


def test_a_secret_has_32_bytes() -> None:
    with pytest.raises(UsageError):
        AddressBook(me=ME, secret=bytes(31))


def test_another_secret_puts_peers_elsewhere() -> None:
    places = [BookPlaces(bytes([n]) * 32).new(b"ab", key_of(1)) for n in range(20)]
    assert len(set(places)) > 15
