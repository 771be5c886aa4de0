"""The pieces of a file come ahead where it is read in order, and right in any order."""

from __future__ import annotations

import threading
from collections import Counter
from io import BytesIO

import pytest

from hitp2p.codec.cid import Cid
from hitp2p.codec.unixfs import Leaf, Node, build_file, iter_file
from hitp2p.errors import BackendError
from hitp2p.store.read_ahead import ReadAhead

CONTENT = bytes(range(256)) * 64


class Blocks:
    """The blocks of a file, and how often each was fetched."""

    def __init__(self) -> None:
        self.blocks: dict[Cid, bytes] = {}
        self.leaves: list[Cid] = []
        self.fetched: Counter[Cid] = Counter()
        self.threads: set[str] = set()
        self.fails: set[Cid] = set()
        self.root = build_file(BytesIO(CONTENT), self._keep, chunk_bytes=1000).root

    def _keep(self, part: Leaf | Node) -> None:
        if isinstance(part, Node):
            self.blocks[part.cid] = part.data
        else:
            self.blocks[part.cid] = CONTENT[part.offset : part.offset + part.length]
            self.leaves.append(part.cid)

    def get(self, cid: Cid, /) -> bytes | None:
        self.fetched[cid] += 1
        self.threads.add(threading.current_thread().name)
        if cid in self.fails:
            self.fails.discard(cid)
            raise BackendError("the daemon was busy")
        return self.blocks.get(cid)


def test_a_file_read_in_order_comes_ahead_and_each_piece_once() -> None:
    blocks = Blocks()
    with ReadAhead(blocks.get) as source:
        assert b"".join(iter_file(blocks.root, source)) == CONTENT
    assert set(blocks.fetched.values()) == {1}
    assert any(name.startswith("hitp2p-ahead") for name in blocks.threads)


def test_a_part_of_a_file_is_right_and_nothing_comes_ahead() -> None:
    blocks = Blocks()
    with ReadAhead(blocks.get) as source:
        assert (
            b"".join(iter_file(blocks.root, source, start=5_000, end=5_900)) == CONTENT[5000:5900]
        )
    assert blocks.fetched.total() == 2


def test_pieces_in_any_order_are_right() -> None:
    blocks = Blocks()
    with ReadAhead(blocks.get) as source:
        source.get(blocks.root)
        for cid in [*blocks.leaves[:3], *reversed(blocks.leaves), *blocks.leaves]:
            assert source.get(cid) == blocks.blocks[cid]


def test_what_fails_or_is_absent_ahead_is_asked_for_again() -> None:
    blocks = Blocks()
    blocks.fails = {blocks.leaves[1]}
    with ReadAhead(blocks.get) as source:
        assert b"".join(iter_file(blocks.root, source)) == CONTENT
        del blocks.blocks[blocks.leaves[2]]
        assert source.get(blocks.leaves[2]) is None
    blocks.fails = {blocks.leaves[0]}
    with ReadAhead(blocks.get) as source, pytest.raises(BackendError):
        source.get(blocks.leaves[0])
