"""What an object carries outside its own block by its known fields: list pages and long texts.

What an unknown field links to may be anything, so nothing here speaks of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any, Final

from hitp2p.codec.cid import Cid
from hitp2p.objects.kinds import KINDS
from hitp2p.objects.pages import ListPage
from hitp2p.objects.parts import PAGES, TEXT_BLOCK
from hitp2p.objects.references import iter_links

if TYPE_CHECKING:
    from hitp2p.objects.envelope import SignedObject

__all__ = ["iter_list_pages", "iter_texts", "texts_only"]

_LISTS: Final = {
    name: tuple(page for page in ListPage if kind.body.fields.get(page.value) is PAGES)
    for name, kind in KINDS.items()
}
"""Which lists of a kind go on in pages; that of a dropped key stands deeper."""
_TEXTS: Final = {
    name: tuple(field for field, shape in kind.body.fields.items() if shape is TEXT_BLOCK)
    for name, kind in KINDS.items()
}


def iter_list_pages(obj: SignedObject) -> Iterator[tuple[Cid, ListPage]]:
    """Each list page that an object, whose shape is checked, links to, and which of its lists goes on there [OBJ-23]."""
    lists = _LISTS.get(obj.kind, ())
    if lists and b"_pages" in obj.block:  # else decoding its body would take 20 us
        for page in lists:
            for cid in obj.body.get(page.value, ()):
                yield cid, page
    if obj.kind == "identity":
        dropped: list[dict[str, Any]] = obj.body.get("dropped", [])
        for gone in dropped:
            for cid in gone.get(ListPage.GOOD_HEADS.value, ()):
                yield cid, ListPage.GOOD_HEADS


def iter_texts(obj: SignedObject) -> Iterator[Cid]:
    """Each text block that an object, whose shape is checked, links to [MED-8]."""
    for name in _TEXTS.get(obj.kind, ()):
        if name.encode() in obj.block and name in obj.body:
            yield obj.body[name]


def texts_only(objects: Collection[SignedObject]) -> frozenset[Cid]:
    """What the objects link to as text and as nothing else, such as media or by an unknown field [BND-6]."""
    as_text = Counter(cid for obj in objects for cid in iter_texts(obj))
    if not as_text:
        return frozenset()
    stands = Counter(link for obj in objects for link in iter_links(obj) if link in as_text)
    return frozenset(cid for cid, count in as_text.items() if stands[cid] == count)
