"""What members link to and isn't here: list pages, texts and files. Which of it is wanted, and whether what comes is right.

What an author got wrong, a list page that is none or a file of another size, is kept out; it is no fault of the peer that
brought it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from itertools import islice
from typing import Final, NamedTuple, TypeAlias

from hitp2p.codec.cid import DAG_CBOR, DAG_PB, RAW, Cid
from hitp2p.errors import CorruptBlockError, InvalidError
from hitp2p.node.file_tree import FileTree, Part, children_of
from hitp2p.node.linked import files_of, page_fault, pages_and_texts_of, roles_of, text_fault
from hitp2p.node.media_files import MediaFiles, Piece
from hitp2p.objects.contribution import MediaEntry
from hitp2p.objects.envelope import SignedObject
from hitp2p.protocol.actions import Want
from hitp2p.store.contract import LeafPlace, Store
from hitp2p.store.media import INLINE_BYTES

__all__ = ["Fit", "Wanting"]

_LINKERS: Final = 1024
"""Objects that are asked what a block is to them, of those that link to it."""
TREE_PARTS: Final = 131_072
"""Blocks whose places are remembered, of all files on their way here; that of another is found again from its file's blocks."""

WantsFile: TypeAlias = Callable[[Cid, MediaEntry], bool]
"""Whether a file of a work in a topic is wanted."""


class Fit(NamedTuple):
    """A block that is what somebody said that it is."""

    cid: Cid
    block: bytes
    tree: FileTree | None
    """The file that it belongs to; None for pages, texts and files of one block."""
    part: Part | None
    """Its place there."""
    size: int
    """Length of that file."""
    topic: Cid
    """Of the want that asked for it."""
    author: Cid | None
    """The first identity here that linked to it."""


class Wanting:
    """What is to be fetched for the objects of a store. One thread's."""

    def __init__(
        self,
        store: Store,
        *,
        lookup: Callable[[Cid], SignedObject | None],
        wants_file: WantsFile,
        is_kept_back: Callable[[Cid], bool],
    ) -> None:
        """Over a store.

        Args:
            store: where the blocks go.
            lookup: an object of it.
            wants_file: asked for each file.
            is_kept_back: whether a block is not fetched, whoever links to it.
        """
        self._store = store
        self._lookup = lookup
        self._wants_file = wants_file
        self._is_kept_back = is_kept_back
        self._trees: OrderedDict[Cid, FileTree] = OrderedDict()
        self._finished: list[Cid] = []
        """Files of which nothing is wanted any more."""
        self._files = MediaFiles(store.media_folder)

    # --- what is wanted ---------------------------------------------------------------------------

    def of(self, topic: Cid, obj: SignedObject) -> Iterator[Want]:
        """What an object links to, is wanted, and isn't here."""
        for cid in dict.fromkeys(pages_and_texts_of(obj)):
            if not self._store.has(cid):
                yield Want(topic, cid, None)
        for entry in files_of(obj):
            if self._wants_file(topic, entry):
                yield from self._of_file(topic, entry.file, entry.size, obj.identity)

    def bytes_of(self, obj: SignedObject, seen: set[Cid]) -> int:
        """How much of what an object links to is here: pages and texts, and files as long as it says, where their top is.

        Args:
            obj: of the store.
            seen: what was counted before; it learns what is counted now.
        """
        n_bytes = 0
        for cid in set(pages_and_texts_of(obj)) - seen:
            block = self._get(cid)
            if block is not None:
                seen.add(cid)
                n_bytes += len(block)
        for entry in files_of(obj):
            if entry.file not in seen and self._store.has(entry.file):
                seen.add(entry.file)
                n_bytes += entry.size
        return n_bytes

    def again(self, topic: Cid, cid: Cid) -> Iterator[Want]:
        """What is wanted of something that members linked to when they came; nothing where all of it is here."""
        if cid.codec != DAG_PB:
            if not self._store.has(cid):
                yield Want(topic, cid, None)
            return
        roles = roles_of(cid, self._linkers(cid))
        for entry in roles.files:
            if found := tuple(self._of_file(topic, cid, entry.size, roles.author)):
                yield from found
                return

    def _of_file(self, topic: Cid, file: Cid, size: int, author: Cid | None) -> Iterator[Want]:
        if not self._store.has(file):
            yield Want(topic, file, None)
        elif file.codec == DAG_PB:
            tree = self._trees.get(file) or self._open(file, size, author)
            yield from (_below(topic, tree, cid) for cid in tree.wanted)
            yield from self._pump(topic, tree)

    def _open(self, file: Cid, size: int, author: Cid | None) -> FileTree:
        tree = FileTree(file, size, get=self._get, has=self._store.has, author=author)
        weight = sum(one.weight for one in self._trees.values())
        while self._trees and weight > TREE_PARTS:
            weight -= self._trees.popitem(last=False)[1].weight
        self._trees[file] = tree
        return tree

    def _pump(self, topic: Cid, tree: FileTree) -> Iterator[Want]:
        with suppress(InvalidError):  # what is here is no such file; nobody can complete it
            for cid in tree.pump():
                yield _below(topic, tree, cid)
            if not tree.is_complete:
                return
        self._trees.pop(tree.root, None)
        self._finished.append(tree.root)

    def _get(self, cid: Cid) -> bytes | None:
        with suppress(CorruptBlockError):
            return self._store.get(cid)
        return None

    def forget(self) -> None:
        """Forget the files on their way here: something was removed. Their blocks find their places all the same."""
        self._trees.clear()

    # --- what comes -------------------------------------------------------------------------------

    def fit(self, cid: Cid, block: bytes, wants: Iterable[Want]) -> Fit | str:
        """A block that was wanted, if it is what was said; else why it isn't.

        Args:
            cid: its name, which was compared.
            block: its bytes.
            wants: why it was asked for; at least one.
        """
        if self._is_kept_back(cid):
            return "it is blocked here"
        fault = "nothing here links to it"
        for want in wants:
            found = (
                self._fit_linked(want.topic, cid, block)
                if want.file is None
                else self._fit_below(want.topic, want.file, cid, block)
            )
            if isinstance(found, Fit):
                return found
            fault = found or fault
        return fault

    def _fit_linked(self, topic: Cid, cid: Cid, block: bytes) -> Fit | str | None:
        roles = roles_of(cid, self._linkers(cid))
        if roles.author is None:
            return None
        fault = None
        if cid.codec == DAG_CBOR or roles.is_text:
            is_page = cid.codec == DAG_CBOR
            fault = page_fault(block, roles.lists) if is_page else text_fault(block)
            if fault is None:
                return Fit(cid, block, None, None, len(block), topic, roles.author)
        for entry in roles.files:
            found = self._fit_top(topic, entry, block, roles.author)
            if isinstance(found, Fit):
                return found
            fault = found
        return fault

    def _linkers(self, cid: Cid) -> Iterator[SignedObject]:
        cids = islice(self._store.linkers(cid), _LINKERS)
        return filter(None, map(self._lookup, cids))

    def _fit_top(self, topic: Cid, entry: MediaEntry, block: bytes, author: Cid) -> Fit | str:
        file, size = entry.file, entry.size
        part = Part(file, 0, size, 1)
        if file.codec == RAW:
            if len(block) != size or file.digest != entry.sha256:
                return "not the file that the work states [MED-2]"
            return Fit(file, block, None, part, size, topic, author)
        try:
            children_of(part, block)
        except InvalidError as error:
            return str(error)
        tree = self._trees.get(file) or self._open(file, size, author)
        return Fit(file, block, tree, part, size, topic, author)

    def _fit_below(self, topic: Cid, file: Cid, cid: Cid, block: bytes) -> Fit | str | None:
        tree = self._trees.get(file) or self._reopen(file, cid)
        if tree is None:
            return None
        try:
            part = tree.check(cid, block)
        except InvalidError as error:
            return str(error)
        return part and Fit(cid, block, tree, part, tree.size, topic, tree.author)

    def _reopen(self, file: Cid, cid: Cid) -> FileTree | None:
        """A file whose state was forgotten, with the place of a block of it."""
        roles = roles_of(file, self._linkers(file))
        for entry in roles.files:
            tree = self._open(file, entry.size, roles.author)
            with suppress(InvalidError):
                tree.seek(cid)
                return tree
            self._trees.pop(file, None)
        return None

    # --- what is stored ---------------------------------------------------------------------------

    def place(self, fits: Sequence[Fit]) -> tuple[list[tuple[Cid, bytes]], list[LeafPlace]]:
        """Write leaves of large files into the media folder; what is to be put, as blocks and as leaves.

        Raises:
            StoreFullError: no room.
        """
        blocks: list[tuple[Cid, bytes]] = []
        pieces: list[Piece] = []
        for fit in fits:
            if fit.part is not None and self._goes_into_file(fit):
                root = fit.cid if fit.tree is None else fit.tree.root
                pieces.append(Piece(root, fit.cid, fit.part.offset, fit.block))
            else:
                blocks.append((fit.cid, fit.block))
        return blocks, self._files.write(pieces)

    @contextmanager
    def held(self, fits: Iterable[Fit]) -> Generator[None]:
        """To be around `place` and the commit of what it gives."""
        with self._files.held() if any(map(self._goes_into_file, fits)) else nullcontext():
            yield

    def _goes_into_file(self, fit: Fit) -> bool:
        return (
            fit.part is not None
            and fit.cid.codec == RAW
            and fit.size > INLINE_BYTES
            and self._files.is_here
        )

    def go_on(self, fits: Iterable[Fit]) -> tuple[Want, ...]:
        """What is wanted next, now that these are stored."""
        touched: dict[Cid, tuple[Cid, FileTree]] = {}
        for fit in fits:
            if fit.tree is None or fit.part is None:
                self._finished.append(fit.cid)
                continue
            touched[fit.tree.root] = (fit.topic, fit.tree)
            with suppress(InvalidError):
                fit.tree.take(fit.part, fit.block)
        wants: list[Want] = []
        for root, (topic, tree) in touched.items():
            if root in self._trees:
                self._trees.move_to_end(root)
            wants.extend(self._pump(topic, tree))
        return tuple(wants)

    def finished(self) -> tuple[Cid, ...]:
        """Pages, texts and files of which nothing is wanted any more, since the last call."""
        found, self._finished = tuple(self._finished), []
        return found


def _below(topic: Cid, tree: FileTree, cid: Cid) -> Want:
    return Want(topic, cid, None if cid == tree.root else tree.root)
