"""What goes into an identity's next event: commitments to recovery keys, and pages of good heads [spec 02]."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256

from hitp2p import limits
from hitp2p.codec.cid import Cid
from hitp2p.errors import UsageError
from hitp2p.objects.pages import GoodHeads, ListPage, split_into_pages

__all__ = ["good_head_pages", "refuse_overlap", "replace_commitment"]


def refuse_overlap(keys: Iterable[bytes], commitments: Sequence[bytes]) -> None:
    """KEY-14, and the same for the keys of other devices."""
    if any(sha256(key).digest() in commitments for key in keys):
        raise UsageError(
            "a signing key can't be a recovery key too: it would protect nothing [KEY-14]"
        )


def replace_commitment(
    commitments: Sequence[bytes], used: bytes, fresh: tuple[bytes, ...]
) -> tuple[bytes, ...]:
    at = commitments.index(used)
    return (*commitments[:at], *fresh, *commitments[at + 1 :])


def _in_lists(cids: Sequence[Cid]) -> Iterator[tuple[Cid, ...]]:
    """Pieces that each fit the list of one entry; several entries may be about one project."""
    for start in range(0, len(cids), limits.LIST_ENTRIES):
        yield tuple(cids[start : start + limits.LIST_ENTRIES])


def good_head_pages(
    heads: Mapping[Cid, Iterable[Cid]], exceptions: Mapping[Cid, Iterable[Cid]]
) -> tuple[tuple[Cid, bytes], ...]:
    """List pages of good heads; the same ones whatever the order of the arguments."""
    entries = [
        GoodHeads(
            project=sha256(bytes(project)).digest(),
            heads=some,
            exceptions=tuple(sorted(set(exceptions.get(project, ())))),
        )
        for project, good in heads.items()
        for some in _in_lists(sorted(set(good)))
    ]
    entries.sort(key=lambda entry: (entry.project, entry.heads))
    bodies = (entry.to_body() for entry in entries)
    return tuple(split_into_pages(bodies, ListPage.GOOD_HEADS))
