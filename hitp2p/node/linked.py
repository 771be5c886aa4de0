"""What objects link to beside other objects: list pages, texts, files. What each must be, and which are wanted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.errors import InvalidError
from hitp2p.objects.carried import iter_list_pages, iter_texts
from hitp2p.objects.contribution import MediaEntry
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.known import known_field
from hitp2p.objects.pages import ListPage, audit_list_page
from hitp2p.objects.text import parse_text
from hitp2p.trail.bundle import is_list_page, list_pages_of

__all__ = ["Roles", "files_of", "page_fault", "pages_and_texts_of", "roles_of", "text_fault"]


class Roles(NamedTuple):
    """As what objects link to one block."""

    author: Cid | None
    """Who speaks in the first of them; None where none does."""
    lists: frozenset[ListPage]
    """The lists that go on there."""
    is_text: bool
    files: tuple[MediaEntry, ...]
    """The entries of which it is the file."""


def pages_and_texts_of(obj: SignedObject) -> Iterator[Cid]:
    """The list pages and texts that an object links to."""
    yield from list_pages_of(obj)
    yield from iter_texts(obj)


def files_of(obj: SignedObject) -> tuple[MediaEntry, ...]:
    """The files of a work; none of an object that has none."""
    if b"media" not in obj.block:  # else decoding its body would take 20 us
        return ()
    return tuple(MediaEntry.from_body(entry) for entry in known_field(obj, "media") or ())


def roles_of(cid: Cid, linkers: Iterable[SignedObject]) -> Roles:
    """As what some objects link to a block."""
    lists: set[ListPage] = set()
    author: Cid | None = None
    is_text = False
    files: list[MediaEntry] = []
    for obj in linkers:
        author = author or obj.identity
        if cid.codec == DAG_CBOR:
            lists.update(which for page, which in iter_list_pages(obj) if page == cid)
        else:
            is_text = is_text or cid in iter_texts(obj)
            files.extend(entry for entry in files_of(obj) if entry.file == cid)
    return Roles(author, frozenset(lists), is_text, tuple(files))


def page_fault(block: bytes, lists: frozenset[ListPage]) -> str | None:
    """Why a block is no page of any of the lists that go on there [OBJ-23]."""
    if not is_list_page(block):
        return "a signed object where a list page must be"
    faults = audit_list_page(block)
    if not lists or lists - faults.keys():
        return None
    return str(faults[min(lists, key=lambda page: page.value)])


def text_fault(block: bytes) -> str | None:
    """Why a block is no text [MED-8]."""
    try:
        parse_text(block)
    except InvalidError as error:
        return str(error)
    return None
