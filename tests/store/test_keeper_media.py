"""Media that a node fetches: block by block, from the top of a file's tree, into a plain file where there is a folder."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hitp2p.codec.cid import DAG_CBOR, DAG_PB, RAW, Cid
from hitp2p.codec.dagpb import PbLink, PbNode, encode_dagpb
from hitp2p.codec.unixfs import Leaf, NodeType, UnixFs, build_file, encode_unixfs, iter_file
from hitp2p.errors import InvalidError
from hitp2p.node.file_tree import MOST_PARTS
from hitp2p.node.keeper import Keeper
from hitp2p.objects.envelope import SignedObject
from hitp2p.protocol.actions import Admit, Admitted, Load, Want
from hitp2p.store.contract import Store, WriteBatch
from hitp2p.store.fsck import audit_store
from hitp2p.store.gc import collect
from hitp2p.store.memory import MemoryStore
from hitp2p.store.sqlite import SqliteStore
from hitp2p.testing.people import Person
from hitp2p.testing.store_suite import page, raw_block

ANA = Person("Ana")
PROJECT = ANA.project()
TOPIC = PROJECT.cid
MIB = 1024 * 1024


class File:
    """A file as a tree of blocks."""

    def __init__(self, content: bytes, *, role: str = "master", type: str = "audio/wav") -> None:
        self.content = content
        self.blocks: dict[Cid, bytes] = {}
        built = build_file(BytesIO(content), self._keep)
        self.root = built.root
        self.entry: dict[str, Any] = {
            "file": built.root,
            "size": len(content),
            "sha256": sha256(content).digest(),
            "type": type,
            "role": role,
        }

    def _keep(self, part: Any) -> None:
        if isinstance(part, Leaf):
            data = self.content[part.offset : part.offset + part.length]
        else:
            data = part.data
        self.blocks[part.cid] = data


def song(*files: File, title: str = "Song") -> SignedObject:
    return ANA.work(PROJECT, title, media=[file.entry for file in files])


def noise(n_bytes: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(n_bytes)


LARGE = File(noise(5 * MIB + 7))
SMALL = File(noise(40_000, 1), role="preview")


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "memory":
        with MemoryStore() as memory:
            yield memory
    else:
        with SqliteStore.open(tmp_path / "store") as sqlite:
            yield sqlite


def keeping(store: Store, *, media: int = 2) -> Keeper:
    keeper = Keeper(store)
    keeper.follow(TOPIC, media=media)
    return keeper


def bring(keeper: Keeper, blocks: dict[Cid, bytes], wants: tuple[Want, ...] = ()) -> Admitted:
    pairs = tuple(blocks.items())
    return keeper.admit(Admit(token=0, topic=TOPIC, objects=(), blocks=pairs, wants=wants))


def begin(keeper: Keeper, work: SignedObject) -> tuple[Want, ...]:
    return bring(keeper, {obj.cid: obj.block for obj in (ANA.genesis, PROJECT, work)}).wants


def fetch(keeper: Keeper, source: dict[Cid, bytes], wants: tuple[Want, ...], most: int) -> int:
    """Bring what is wanted, at most so many blocks, one at a time; how many came."""
    open_ = list(wants)
    n_came = 0
    while open_ and n_came < most:
        want = open_.pop(0)
        admitted = bring(keeper, {want.cid: source[want.cid]}, (want,))
        assert admitted.stored == (want.cid,)
        open_.extend(admitted.wants)
        n_came += 1
    return n_came


# --- whole files ----------------------------------------------------------------------------------
def test_a_large_file_comes_block_by_block(store: Store) -> None:
    keeper = keeping(store)
    wants = begin(keeper, song(LARGE))
    assert wants == (Want(TOPIC, LARGE.root, None),)
    assert fetch(keeper, LARGE.blocks, wants, 99) == len(LARGE.blocks)
    assert b"".join(iter_file(LARGE.root, store)) == LARGE.content
    assert keeper.wants(TOPIC) == ()
    assert audit_store(store).is_sound
    assert collect(store).blocks == () == collect(store).files


def test_a_large_file_lies_in_one_plain_file(tmp_path: Path) -> None:
    with SqliteStore.open(tmp_path / "store") as store:
        keeper = keeping(store)
        fetch(keeper, LARGE.blocks, begin(keeper, song(LARGE)), 99)
        places = list(store.places())
        assert {place.cid for place in places} == LARGE.blocks.keys() - {LARGE.root}
        (name,) = {place.path for place in places}
        assert (store.media_folder / name).read_bytes() == LARGE.content


def test_a_file_of_one_small_block_is_kept_as_a_block(tmp_path: Path) -> None:
    with SqliteStore.open(tmp_path / "store") as store:
        keeper = keeping(store)
        fetch(keeper, SMALL.blocks, begin(keeper, song(SMALL)), 9)
        assert list(store.places()) == []
        assert store.get(SMALL.root) == SMALL.content


def test_a_file_that_was_cut_off_goes_on_where_it_was(store: Store) -> None:
    keeper = keeping(store)
    fetch(keeper, LARGE.blocks, begin(keeper, song(LARGE)), 3)
    again = keeping(store)
    wants = again.wants(TOPIC)
    assert {want.file for want in wants} == {LARGE.root}
    assert fetch(again, LARGE.blocks, wants, 99) == len(LARGE.blocks) - 3
    assert b"".join(iter_file(LARGE.root, store)) == LARGE.content


def test_a_file_whose_state_was_forgotten_takes_its_blocks_all_the_same(store: Store) -> None:
    keeper = keeping(store)
    begin(keeper, song(LARGE))
    bring(keeper, {LARGE.root: LARGE.blocks[LARGE.root]}, (Want(TOPIC, LARGE.root, None),))
    again = keeping(store)  # which wasn't asked for wants
    last = list(LARGE.blocks)[-2]
    came = bring(again, {last: LARGE.blocks[last]}, (Want(TOPIC, last, LARGE.root),))
    assert came.stored == (last,)


def test_several_files_share_what_they_have_in_common(store: Store) -> None:
    other = File(LARGE.content[: 2 * MIB] + b"another end")
    keeper = keeping(store)
    wants = begin(keeper, song(LARGE, other))
    n_came = fetch(keeper, LARGE.blocks | other.blocks, wants, 99)
    assert n_came >= len(LARGE.blocks | other.blocks)
    for file in (LARGE, other):
        assert b"".join(iter_file(file.root, store)) == file.content


# --- what is wanted -------------------------------------------------------------------------------
@pytest.mark.parametrize(("media", "wanted"), [(0, ()), (1, (SMALL,)), (2, (LARGE, SMALL))])
def test_media_come_as_the_operator_wants_them(media: int, wanted: tuple[File, ...]) -> None:
    with MemoryStore() as store:
        wants = begin(keeping(store, media=media), song(LARGE, SMALL))
        assert [want.cid for want in wants] == [file.root for file in wanted]


# --- what is wrong --------------------------------------------------------------------------------
def node(sizes: list[int], links: list[Cid]) -> tuple[Cid, bytes]:
    message = UnixFs(type=NodeType.FILE, file_size=sum(sizes), block_sizes=tuple(sizes))
    found = PbNode(
        links=tuple(PbLink(cid=cid, name="", tsize=1) for cid in links),
        data=encode_unixfs(message),
    )
    data = encode_dagpb(found)
    return Cid.of(DAG_PB, data), data


def with_root(root: Cid, size: int) -> SignedObject:
    return ANA.work(PROJECT, "Odd", media=[{**LARGE.entry, "file": root, "size": size}])


def test_med_2_a_file_of_another_size_than_its_work_says_is_refused(store: Store) -> None:
    keeper = keeping(store)
    wants = begin(keeper, with_root(LARGE.root, 17))
    came = bring(keeper, {LARGE.root: LARGE.blocks[LARGE.root]}, wants)
    assert list(came.refused) == [LARGE.root]
    assert not came.invalid  # which would be the peer's fault
    assert not store.has(LARGE.root)


def test_med_2_a_leaf_with_another_hash_than_its_work_says_is_refused(store: Store) -> None:
    cid, data = raw_block(b"x" * 17)
    keeper = keeping(store)
    wants = begin(keeper, with_root(cid, 17))
    assert list(bring(keeper, {cid: data}, wants).refused) == [cid]


def test_med_5_a_leaf_of_another_length_than_its_node_says_is_refused(store: Store) -> None:
    leaf = raw_block(b"x" * 100)
    root = node([90, 10], [leaf[0], raw_block(b"y" * 10)[0]])
    keeper = keeping(store)
    wants = begin(keeper, with_root(root[0], 100))
    wants = bring(keeper, {root[0]: root[1]}, wants).wants
    came = bring(keeper, {leaf[0]: leaf[1]}, wants)
    assert list(came.refused) == [leaf[0]]


def test_a_tree_that_names_the_same_blocks_again_and_again_ends(store: Store) -> None:
    leaf = raw_block(b"z")
    blocks = dict([leaf])
    below, size = leaf[0], 1
    for _ in range(15):
        cid, data = node([size] * 8, [below] * 8)
        blocks[cid] = data
        below, size = cid, size * 8
    keeper = keeping(store)
    wants = begin(keeper, with_root(below, size))
    assert fetch(keeper, blocks, wants, 99) == len(blocks) == 16
    assert keeper.wants(TOPIC) == ()


def test_a_tree_that_is_too_deep_ends(store: Store) -> None:
    leaf = raw_block(b"z")
    blocks = dict([leaf])
    below = leaf[0]
    for _ in range(20):
        cid, data = node([1], [below])
        blocks[cid] = data
        below = cid
    keeper = keeping(store)
    wants = begin(keeper, with_root(below, 1))
    came = [0]
    while wants:
        admitted = bring(keeper, {wants[0].cid: blocks[wants[0].cid]}, wants)
        came.append(len(admitted.stored))
        wants = admitted.wants
    assert sum(came) == 15


@pytest.mark.parametrize("n_beside", [0, 40])
def test_a_tree_with_too_many_links_on_the_way_down_is_given_up(n_beside: int) -> None:
    leaves = [raw_block(str(n).encode())[0] for n in range(MOST_PARTS)]
    below = node([1] * MOST_PARTS, leaves)
    root = node([MOST_PARTS] + [1] * n_beside, [below[0], *leaves[:n_beside]])
    with MemoryStore() as store:
        keeper = keeping(store)
        wants = begin(keeper, with_root(root[0], MOST_PARTS + n_beside))
        wants = bring(keeper, {root[0]: root[1]}, wants).wants
        came = bring(keeper, {below[0]: below[1]}, wants)
        assert came.stored == (below[0],)
        assert bool(came.wants) == (n_beside == 0)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(("credits_pages", "note_block", "media")),
            st.sampled_from((RAW, DAG_PB, DAG_CBOR)),
            st.one_of(
                st.binary(max_size=60),
                st.sampled_from([*LARGE.blocks.values()][-1:]),
                st.builds(lambda n: node([n], [SMALL.root])[1], st.integers(1, 2**40)),
                st.sampled_from([PROJECT.block, page([{"name": "Cy", "role": "lyr"}])[1]]),
            ),
            st.integers(0, 2**53 - 1),
        ),
        min_size=1,
        max_size=4,
    ),
    st.data(),
)
def test_whatever_an_author_links_to_is_no_fault_of_who_brings_it(
    linked: list[tuple[str, int, bytes, int]], data: st.DataObject
) -> None:
    with MemoryStore() as store:
        keeper = keeping(store)
        blocks: dict[Cid, bytes] = {}
        works: dict[Cid, bytes] = {}
        for number, (role, codec, block, size) in enumerate(linked):
            cid = Cid.of(codec, block)
            body = {
                "credits_pages": {"credits_pages": [cid]},
                "note_block": {"note_block": cid},
                "media": {"media": [{**SMALL.entry, "file": cid, "size": size}]},
            }[role]
            with suppress(InvalidError):  # such a link may not stand there
                work = ANA.work(PROJECT, f"Odd {number}", **body)
                blocks[cid] = block
                works[work.cid] = work.block
        admitted = bring(keeper, {obj.cid: obj.block for obj in (ANA.genesis, PROJECT)} | works)
        files = st.sampled_from([None, LARGE.root, *blocks])
        wants = tuple(Want(TOPIC, cid, data.draw(files)) for cid in blocks)
        for asked in (admitted.wants, wants, wants):
            came = bring(keeper, blocks, asked)
            faults = came.invalid.keys() - {cid for cid in blocks if cid.codec == DAG_CBOR}
            assert not faults
        assert audit_store(store).is_sound
        assert isinstance(keeping(store).wants(TOPIC), tuple)


# --- lending --------------------------------------------------------------------------------------
def lend(keeper: Keeper, file: Cid, *cids: Cid, most: int = 10**9) -> list[Cid]:
    action = Load(token=0, topic=TOPIC, scope=1, cids=cids, file=file, most=most)
    return list(keeper.load(action))


def test_net_17_what_hangs_below_a_file_is_lent_with_its_file_alone(store: Store) -> None:
    keeper = keeping(store)
    begin(keeper, song(LARGE, SMALL))
    store.put(WriteBatch(blocks=[*LARGE.blocks.items(), *SMALL.blocks.items()]))
    leaves = [cid for cid in LARGE.blocks if cid != LARGE.root]
    assert lend(keeper, LARGE.root, *LARGE.blocks) == list(LARGE.blocks)
    assert lend(keeper, SMALL.root, *leaves) == []
    assert lend(keeper, leaves[0], *leaves) == []
    plain = Load(token=0, topic=TOPIC, scope=1, cids=tuple(leaves), file=None, most=10**9)
    assert keeper.load(plain) == {}


def test_net_17_what_comes_later_below_a_file_is_lent_too(store: Store) -> None:
    keeper = keeping(store)
    begin(keeper, song(LARGE))
    assert lend(keeper, LARGE.root, *LARGE.blocks) == []
    store.put(WriteBatch(blocks=[(LARGE.root, LARGE.blocks[LARGE.root])]))
    assert lend(keeper, LARGE.root, *LARGE.blocks) == [LARGE.root]
    store.put(WriteBatch(blocks=list(LARGE.blocks.items())))
    assert set(lend(keeper, LARGE.root, *LARGE.blocks)) == LARGE.blocks.keys()


def test_as_much_is_read_as_fits_and_one_block_in_any_case(store: Store) -> None:
    keeper = keeping(store)
    begin(keeper, song(LARGE))
    store.put(WriteBatch(blocks=list(LARGE.blocks.items())))
    leaves = [cid for cid in LARGE.blocks if cid != LARGE.root]
    assert lend(keeper, LARGE.root, *leaves, most=1) == leaves[:1]
    assert lend(keeper, LARGE.root, *leaves, most=2 * MIB) == leaves[:2]
    assert lend(keeper, LARGE.root, *leaves, most=2 * MIB - 1) == leaves[:1]
