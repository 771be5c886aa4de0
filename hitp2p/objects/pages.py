"""List pages: where a list that is too long for a body goes on, as unsigned blocks [OBJ-23]."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from enum import Enum
from typing import Any, Final

from hitp2p import limits
from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.codec.dagcbor import Profile, decode_object, encode
from hitp2p.dataclass import dataclass
from hitp2p.errors import InvalidError, RuleError, UsageError
from hitp2p.objects.parts import CREDIT, REF, USE
from hitp2p.objects.shape import Bytes, ListOf, Record, Shape, say_type

__all__ = [
    "GoodHeads",
    "ListPage",
    "audit_list_page",
    "encode_list_page",
    "parse_list_page",
    "split_into_pages",
]


class ListPage(Enum):
    """Which list a page continues, and so the shape of its entries."""

    USES = "uses_pages"
    CREDITS = "credits_pages"
    KEEP = "keep_pages"
    GOOD_HEADS = "pages"
    """Of a dropped key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodHeads:
    """What a dropped key signed well in one project [spec 02]."""

    project: bytes
    """sha256 of the bytes of the project's CID, or of the genesis CID for objects without a project."""
    heads: tuple[Cid, ...] = ()
    """Objects that are good, and works all of whose ancestors are."""
    exceptions: tuple[Cid, ...] = ()
    """Objects that are not, although a head descends from them."""

    @staticmethod
    def from_body(entry: Mapping[str, Any]) -> GoodHeads:
        """Of an entry whose shape is checked."""
        return GoodHeads(
            project=entry["project"],
            heads=tuple(map(Cid.parse, entry.get("heads", ()))),
            exceptions=tuple(map(Cid.parse, entry.get("except", ()))),
        )

    def to_body(self) -> dict[str, Any]:
        """Plain values for a page."""
        entry: dict[str, Any] = {"project": self.project}
        if self.heads:
            entry["heads"] = [str(head) for head in self.heads]
        if self.exceptions:
            entry["except"] = [str(exception) for exception in self.exceptions]
        return entry


_GOOD_HEADS: Final = Record(
    {"project": Bytes(32), "heads": ListOf(REF), "except": ListOf(REF)}, required=("project",)
)
_ENTRIES: Final[dict[ListPage, Shape]] = {
    ListPage.USES: USE,
    ListPage.CREDITS: CREDIT,
    ListPage.KEEP: REF,
    ListPage.GOOD_HEADS: _GOOD_HEADS,
}


def parse_list_page(block: bytes, page: ListPage) -> list[Any]:
    """The entries of a page whose hash is verified, as plain values of the shape of its list.

    Raises:
        DecodeError: not canonical dag-cbor.
        RuleError: OBJ-23, or a rule that an entry breaks.
    """
    return _check_entries(_parse_entries(block), page)


def _parse_entries(block: bytes) -> list[Any]:
    """The entries of a page, whatever list it continues."""
    if len(block) > limits.LIST_PAGE_BYTES:
        raise RuleError(
            f"list page of {len(block)} bytes; at most {limits.LIST_PAGE_BYTES} allowed",
            rule="OBJ-23",
        )
    value: Any = decode_object(block)
    if value.__class__ is not dict or value.keys() != {"entries"}:
        raise RuleError("a list page is a map with the key entries only", rule="OBJ-23")
    entries: Any = value["entries"]
    if entries.__class__ is not list:
        raise RuleError(f"entries is {say_type(entries)}; must be a list", rule="OBJ-23")
    if not 1 <= len(entries) <= limits.LIST_PAGE_ENTRIES:
        raise RuleError(
            f"{len(entries)} entries; 1 to {limits.LIST_PAGE_ENTRIES} allowed", rule="OBJ-23"
        )
    return entries


def _check_entries(entries: list[Any], page: ListPage) -> list[Any]:
    shape = _ENTRIES[page]
    for position, entry in enumerate(entries):
        try:
            shape.check(entry)
        except RuleError as error:
            raise RuleError(f"entry {position}: {error.message}", rule=error.rule) from error
    return entries


def audit_list_page(block: bytes) -> dict[ListPage, InvalidError]:
    """By list, what keeps a block from being a page of it; the lists that it fits are absent.

    The errors don't hold on to the block, so many of them can be kept.

    Args:
        block: its hash is verified.
    """
    try:
        entries = _parse_entries(block)
    except InvalidError as error:
        return dict.fromkeys(ListPage, copy(error))  # without the traceback, which holds the block
    faults: dict[ListPage, InvalidError] = {}
    for page in ListPage:
        try:
            _check_entries(entries, page)
        except InvalidError as error:
            faults[page] = copy(error)
    return faults


def encode_list_page(entries: Sequence[Any], page: ListPage) -> tuple[Cid, bytes]:
    """A page with these entries, and its name.

    Args:
        entries: plain values, as `to_body` gives them.
        page: which list it continues.

    Raises:
        RuleError: what no reader would accept.
    """
    block = encode({"entries": list(entries)}, profile=Profile.OBJECT)
    parse_list_page(block, page)
    return Cid.of(DAG_CBOR, block), block


def split_into_pages(entries: Iterable[Any], page: ListPage) -> Iterator[tuple[Cid, bytes]]:
    """As few pages as hold all entries in their order; the same entries give the same pages."""
    batch: list[Any] = []
    n_bytes = 0
    for entry in entries:
        size = len(encode(entry, profile=Profile.OBJECT))
        if size > limits.LIST_PAGE_BYTES - _PAGE_HEAD_BYTES:
            raise UsageError(f"entry of {size} bytes is too long for a list page [OBJ-23]")
        full = len(batch) == limits.LIST_PAGE_ENTRIES
        if full or n_bytes + size > limits.LIST_PAGE_BYTES - _PAGE_HEAD_BYTES:
            yield encode_list_page(batch, page)
            batch, n_bytes = [], 0
        batch.append(entry)
        n_bytes += size
    if batch:
        yield encode_list_page(batch, page)


_PAGE_HEAD_BYTES: Final = 1 + 8 + 3
"""Map head, the key `entries`, and the longest list head for 500 entries."""
