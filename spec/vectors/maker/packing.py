"""Bundles in their parts, and one that most vectors of bundle.json begin from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from maker import wire
from maker.fields import CREDITED
from maker.sets import BASE, on
from maker.sign import BOB, PROJECT_CID, in_project, ref
from maker.snapshots import Block, Snapshot
from maker.wire import RAW, car, cid, encode

STORY = b"Once upon a time there was a river.\n"
STORY_CID = cid(STORY, RAW)
NOTE = b"A note of some length.\n" * 50
CREDITS_PAGE = encode({"entries": [CREDITED, {"name": "Uncle", "role": "whistling"}]})
MELODY = in_project(body={"title": "A melody", "license": "CC-BY-4.0"})
WORDS = BOB.sign(
    "contribution",
    {
        "title": "Some words",
        "media": [
            {
                "file": STORY_CID,
                "size": len(STORY),
                "sha256": wire.sha256(STORY),
                "type": "text/plain",
                "role": "master",
            }
        ],
    },
    project=PROJECT_CID,
    parents=[PROJECT_CID],
)
SONG = on(
    MELODY, WORDS,
    body={
        "title": "A song", "uses": [{"work": ref(MELODY), "relation": "remix"}, {"work": ref(WORDS), "relation": "translation", "note": "into song"}],
        "credits_pages": [cid(CREDITS_PAGE)], "note_block": cid(NOTE, RAW),
    },
)  # fmt: skip
CLOSURE = [*BASE, BOB.genesis, MELODY, WORDS, SONG]


def needs(block: bytes, known: dict[bytes, bytes]) -> list[bytes]:
    """The blocks among `known` that the envelope of an object links to: by looking for their CIDs in its bytes."""
    return [
        other
        for link, other in known.items()
        if other != block and b"\xd8\x2a\x58\x25\0" + link in block
    ]


def generations(objects: Iterable[bytes], pages: Iterable[bytes] = ()) -> dict[bytes, int]:
    """By block; a list page has 0."""
    known = {bytes(cid(block)): block for block in objects}
    found: dict[bytes, int] = dict.fromkeys(pages, 0)

    def of(block: bytes) -> int:
        if block not in found:
            found[block] = 1 + max((of(other) for other in needs(block, known)), default=-1)
        return found[block]

    for block in known.values():
        of(block)
    return found


class Bundle:
    """A bundle in its parts, so that one of them can be spoilt."""

    def __init__(
        self,
        work: bytes,
        objects: list[bytes],
        pages: tuple[bytes, ...] = (),
        rest: tuple[Block, ...] = (),
    ) -> None:
        counted = generations(objects, pages)
        in_order = sorted(counted, key=lambda block: (counted[block], cid(block)))
        self.members: list[Block] = [(cid(block), block) for block in in_order]
        self.snapshot = Snapshot([link for link, _ in self.members])
        self.pages = self.snapshot.depth_first()
        self.rest = list(rest)
        self.roots = [cid(work), self.snapshot.root]

    @property
    def blocks(self) -> list[Block]:
        return [*self.pages, *self.members, *self.rest]

    def car(self) -> bytes:
        return car(self.roots, self.blocks)


def song(**parts: Any) -> Bundle:
    given: dict[str, Any] = {
        "objects": CLOSURE,
        "pages": (CREDITS_PAGE,),
        "rest": ((STORY_CID, STORY), (cid(NOTE, RAW), NOTE)),
    }
    return Bundle(SONG, **given | parts)
