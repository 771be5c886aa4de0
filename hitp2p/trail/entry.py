"""Whether what a media entry says can all be true of one file, as far as the file and the blocks at hand show it [VER-9].

An entry names a file four times: by root, hash, length and essence. A thief may put names of two files into one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from hitp2p.codec.cid import RAW, SHA2_256, Cid
from hitp2p.errors import InvalidError
from hitp2p.objects.contribution import MediaEntry
from hitp2p.trail.report import FileFacts

__all__ = ["Content", "iter_entry_faults"]

Content: TypeAlias = Callable[[Cid], FileFacts | None]
"""What is found about the file below a root; None where its blocks aren't all here or it is too long to read. Raises
InvalidError where they make no file."""


def iter_entry_faults(entry: MediaEntry, facts: FileFacts, content: Content) -> Iterator[str]:
    """What is wrong in an entry that matches a file, one clause each; none where it all fits.

    Args:
        entry: matches the file by root, hash or essence.
        facts: what was found about the file.
        content: asked for the blocks below `entry.file`, unless that is the file's own root.
    """
    is_same = entry.sha256 == facts.sha256
    if entry.file == facts.cid:
        if is_same:
            yield from _of_bytes(entry, facts)
        else:
            yield "its CID is that of this file, and its sha256 isn't"
        return
    if is_same:
        yield from _of_bytes(entry, facts)
    if (named := _sha256_in(entry.file)) is not None and named != entry.sha256:
        yield "its CID and its sha256 are of different bytes"
        return
    yield from _of_blocks(entry, content, is_same=is_same, is_named=named is not None)


def _of_bytes(entry: MediaEntry, found: FileFacts) -> Iterator[str]:
    """What is wrong for the bytes that have the entry's hash."""
    if entry.size != found.size:
        yield f"it says {entry.size} bytes, and the file with its sha256 has {found.size}"
    if _is_wrong_essence(entry, found):
        yield "its essence isn't that of the file with its sha256"


def _of_blocks(
    entry: MediaEntry, content: Content, *, is_same: bool, is_named: bool
) -> Iterator[str]:
    """What the blocks below the entry's root show."""
    try:
        found = content(entry.file)
    except InvalidError:
        yield "the blocks below its CID make no file"
        return
    if found is None:
        if is_same and not is_named:
            yield (
                "its sha256 is that of this file, and its CID another than this file usually has:"
                " without its blocks nobody can tell whether that is of the same bytes"
            )
    elif found.sha256 != entry.sha256:
        yield "its CID and its sha256 are of different bytes"
    elif not is_same:
        yield from _of_bytes(entry, found)


def _is_wrong_essence(entry: MediaEntry, found: FileFacts) -> bool:
    stated = entry.essence
    if stated is None:
        return False
    if found.essence is not None and found.essence.algorithm == stated.algorithm:
        return found.essence != stated
    return stated.algorithm in found.other_algorithms


def _sha256_in(cid: Cid) -> bytes | None:
    """The hash of the content, which the CID of a raw leaf has in it."""
    is_leaf = cid.codec == RAW and cid.hash_code == SHA2_256
    return cid.digest if is_leaf and len(cid.digest) == 32 else None
