"""Pages, texts and media: from whoever has them, each block hashed, from several peers, over every loss [NET-17 to NET-19]."""

from __future__ import annotations

from itertools import pairwise

import pytest
from host_world import HIGH, LOW, NAMES, Host, Stranger, Trail, Wire, settle

from hitp2p import limits
from hitp2p.codec.cid import RAW, Cid
from hitp2p.codec.unixfs_builder import BuiltFile, FileBuilder, Node
from hitp2p.node.policy import Follow as Following
from hitp2p.objects.envelope import SignedObject
from hitp2p.protocol.actions import Admitted
from hitp2p.protocol.messages import Blocks, Get, Sorry
from hitp2p.store.contract import WriteBatch

Block = tuple[Cid, bytes]


def make_file(
    n_leaves: int, *, width: int = 4, chunk_bytes: int = 100
) -> tuple[BuiltFile, list[Block]]:
    """A file of some leaves, and its blocks."""
    builder = FileBuilder(chunk_bytes=chunk_bytes, width=width)
    data = b"".join(b"%0100d" % n * (chunk_bytes // 100) for n in range(n_leaves))
    parts = builder.feed(data)
    rest, built = builder.finish()
    return built, [
        (part.cid, part.data if isinstance(part, Node) else data[part.offset :][: part.length])
        for part in (*parts, *rest)
    ]


class Film(Trail):
    """A project with one work that has a file."""

    def __init__(self, n_leaves: int = 20) -> None:
        super().__init__(0)
        built, self.blocks = make_file(n_leaves)
        self.root = built.root
        entry = {
            "file": built.root,
            "size": built.size,
            "sha256": built.sha256,
            "type": "video/mp4",
            "role": "master",
        }
        self.work = self.ana.work(self.project, "Film", media=[entry])

    @property
    def objects(self) -> list[SignedObject]:
        return [*self.base, self.work]

    @property
    def follow(self) -> Following:
        return Following(topic=self.cid, scope=1, media=2)

    def host(self, name: str, *, blocks: list[Block] | None = None) -> Host:
        """Who has the work, and the file or some of it."""
        host = Host(name, objects=self.objects)
        had = self.blocks if blocks is None else blocks
        host.store.put(WriteBatch(blocks=tuple(had)))
        host.follow(self.follow)
        return host

    def lacking(self, host: Host) -> int:
        """How many of its blocks a host lacks."""
        return sum(1 for cid, _ in self.blocks if not host.store.has(cid))


# --- nodes --------------------------------------------------------------------------------------


def test_who_wants_media_gets_the_work_and_then_every_block_of_its_file() -> None:
    film = Film()
    full = film.host(LOW)
    empty = Host(HIGH, follow=[film.follow])
    settle([Wire(full, empty)], seconds=2)
    assert empty.has(film.work)
    assert film.lacking(empty) == 0
    assert empty.core.is_idle
    assert empty.core.topics()[0].n_wanted == 0


def test_who_wants_no_media_gets_none() -> None:
    film = Film()
    full = film.host(LOW)
    empty = Host(HIGH, follow=[film.cid])
    settle([Wire(full, empty)], seconds=2)
    assert empty.has(film.work)
    assert film.lacking(empty) == len(film.blocks)


def test_a_text_comes_along_whatever_is_wanted_of_media() -> None:
    trail = Trail(0)
    text = b"Once upon a time"
    cid = Cid.of(RAW, text)
    work = trail.ana.work(trail.project, "Story", note_block=cid)
    full = Host(LOW, objects=[*trail.base])
    full.store.put(WriteBatch(objects=(work,), blocks=((cid, text),)))
    full.follow(trail.cid)
    empty = Host(HIGH, follow=[trail.cid])
    settle([Wire(full, empty)], seconds=2)
    assert empty.store.get(cid) == text


def test_a_file_is_put_together_from_two_peers_that_have_a_part_each() -> None:
    film = Film(60)
    nodes = [block for block in film.blocks if block[0].codec != RAW]
    leaves = [block for block in film.blocks if block[0].codec == RAW]
    one = film.host(NAMES[0], blocks=[*nodes, *leaves[::2]])
    two = film.host(NAMES[1], blocks=[*nodes, *leaves[1::2]])
    empty = Host(HIGH, follow=[film.follow])
    settle([Wire(one, empty), Wire(two, empty)], seconds=2)
    assert film.lacking(empty) == 0


def test_a_file_goes_on_with_another_peer_where_the_first_was_lost() -> None:
    film = Film(60)
    one, two = film.host(NAMES[0]), film.host(NAMES[1])
    empty = Host(HIGH, follow=[film.follow])
    first = Wire(one, empty)
    while film.lacking(empty) > 50:
        assert first.carry(0) or first.carry(1)
    first.cut()
    n_judged = empty.n_judged
    settle([Wire(two, empty)], seconds=2)
    assert film.lacking(empty) == 0
    assert empty.n_judged - n_judged <= 55


def test_what_nobody_has_is_a_gap_and_is_asked_for_again_when_someone_comes() -> None:
    film = Film()
    poor = film.host(LOW, blocks=[])
    empty = Host(HIGH, follow=[film.follow])
    wire = Wire(poor, empty)
    settle([wire], seconds=2)
    (gap,) = empty.named("gap")
    assert gap.cids == (film.root,)
    assert empty.core.is_idle
    settle([wire, Wire(film.host(NAMES[5]), empty)], seconds=2)
    assert film.lacking(empty) == 0


def test_what_nobody_has_is_asked_for_again_after_a_while_and_then_less_often() -> None:
    film = Film()
    host = Host(objects=film.objects, follow=[film.follow])
    stranger = Stranger(host).greet()
    stranger.follow(film.cid)
    times: list[float] = []
    while host.now.mono < 20_000:
        for frame in stranger.hear():
            if isinstance(frame.message, Get):
                times.append(host.now.mono)
                stranger.say(Blocks(blocks=(None,), last=True), frame.number)
            elif frame.number:
                stranger.say(Sorry(code="absent", wait_ms=0), frame.number)
        _stay_alive(stranger)
    waits = [later - earlier for earlier, later in pairwise(times)]
    assert stranger.end is None
    assert 9 <= len(times) <= 20
    assert 20 <= waits[0] <= 70
    assert 1700 <= waits[-1] <= 3610


def _stay_alive(stranger: Stranger) -> None:
    """Ten seconds pass in which the stranger says something."""
    stranger.host.pass_time(10)
    stranger.say_bytes(b"\0\0\0\5\x93\xcc\xc9\0\x80")


def test_media_that_the_author_adds_later_reach_the_followers() -> None:
    film = Film()
    author = Host(LOW, objects=film.base, follow=[film.follow])
    fan = Host(HIGH, objects=film.base, follow=[film.follow])
    wire = Wire(author, fan)
    settle([wire])
    author.put(film.work, blocks=film.blocks)
    settle([wire], seconds=1)
    assert fan.has(film.work)
    assert film.lacking(fan) == 0


def test_the_user_who_brings_a_block_ends_the_search_for_it() -> None:
    film = Film()
    host = Host(objects=film.objects, follow=[film.follow])
    assert host.core.topics()[0].n_wanted == 1
    host.store.put(WriteBatch(blocks=tuple(film.blocks)))
    host.follow(film.follow)
    assert host.core.topics()[0].n_wanted == 0


def test_unfollow_forgets_what_was_wanted() -> None:
    film = Film()
    host = Host(objects=film.objects, follow=[film.follow])
    stranger = Stranger(host).greet(film.cid)
    host.core.unfollow(film.cid, host.now)
    host.do()
    assert host.core.is_idle
    host.pass_time(19)
    assert stranger.hear_all(Get) == []


# --- a stranger ---------------------------------------------------------------------------------


def meet(film: Film, host: Host, name: str = HIGH) -> Stranger:
    stranger = Stranger(host, name).greet()
    stranger.follow(film.cid)
    return stranger


def test_net_18_bytes_that_are_not_what_was_asked_for_end_it_and_others_are_asked() -> None:
    film = Film()
    host = film.host(LOW, blocks=[])
    liar = meet(film, host, NAMES[5])
    honest = meet(film, host, NAMES[6])
    number, get = liar.hear_one(Get)
    assert get.cids == (film.root,)
    assert honest.hear_all(Get) == []
    liar.say(Blocks(blocks=(b"something else",), last=True), number)
    assert liar.end == "invalid"
    assert host.bans.is_banned(liar.key, "203.0.113.7", host.now)
    assert honest.hear_one(Get)[1].cids == (film.root,)


def test_net_17_more_blocks_than_were_asked_for_end_it() -> None:
    film = Film()
    host = film.host(LOW, blocks=[])
    stranger = meet(film, host)
    number, _ = stranger.hear_one(Get)
    stranger.say(Blocks(blocks=(None, None), last=True), number)
    assert stranger.end == "protocol"


def test_net_17_an_answer_without_an_end_ends_it() -> None:
    film = Film()
    host = film.host(LOW, blocks=[])
    stranger = meet(film, host)
    number, _ = stranger.hear_one(Get)
    stranger.say(Blocks(blocks=(), last=False), number)
    assert stranger.end == "protocol"


def test_net_17_an_answer_that_is_too_short_leaves_the_rest_to_others() -> None:
    film = Film()
    host = film.host(LOW, blocks=[film.blocks[-1]])
    one, two = meet(film, host, NAMES[5]), meet(film, host, NAMES[6])
    number, get = one.hear_one(Get)
    assert len(get.cids) > 1
    assert get.file == film.root
    two.hear()
    one.say(Blocks(blocks=(), last=True), number)
    assert one.end is None
    assert {cid for got in two.hear_all(Get) for cid in got.cids} >= set(get.cids[:1])


def test_net_19_a_busy_peer_is_left_alone_for_as_long_as_it_says() -> None:
    film = Film()
    host = film.host(LOW, blocks=[])
    stranger = meet(film, host)
    number, _ = stranger.hear_one(Get)
    stranger.say(Sorry(code="busy", wait_ms=3000), number)
    host.pass_time(2.9)
    assert stranger.hear_all(Get) == []


def test_blocks_that_come_late_are_taken_all_the_same() -> None:
    film = Film()
    host = film.host(LOW, blocks=[])
    stranger = meet(film, host)
    number, _ = stranger.hear_one(Get)
    host.pass_time(limits.NODE_SILENCE_S + 1)
    assert host.named("gap")
    root = dict(film.blocks)[film.root]
    stranger.say(Blocks(blocks=(root,), last=True), number)
    assert host.store.has(film.root)
    assert stranger.end is None


def test_a_full_disk_puts_it_off_and_loses_nothing() -> None:
    film = Film()
    full = film.host(LOW)
    empty = Host(HIGH, follow=[film.follow])
    wire = Wire(full, empty)
    empty.holds_admits = True
    settle([wire])
    empty.admit(Admitted(full=True))
    assert empty.named("full")
    empty.holds_admits = False
    settle([wire], seconds=10)
    assert not empty.has(film.work)
    settle([wire], seconds=90)
    assert empty.has(film.work)
    assert film.lacking(empty) == 0


@pytest.mark.parametrize("n_leaves", [1, 2, 300])
def test_files_of_any_size_come_whole(n_leaves: int) -> None:
    film = Film(n_leaves)
    full, empty = film.host(LOW), Host(HIGH, follow=[film.follow])
    settle([Wire(full, empty)], seconds=2)
    assert film.lacking(empty) == 0
