"""A set of valid objects and how to find things in it: what a report is a function of [spec 08]."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Final, Protocol, TypeAlias

from hitp2p.codec.cid import Cid
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.kinds import ObjectClass
from hitp2p.objects.known import known_field
from hitp2p.ports import BlockSource
from hitp2p.trail.bundle_reader import BundleContents
from hitp2p.trail.standing import StandingAuditor

__all__ = ["Evidence", "JointEvidence", "ObjectSet", "auditor_of"]


_NONE_KNOWN: Final[Mapping[Cid, int]] = {}


class Evidence(BlockSource, Protocol):
    """Valid objects, and the list pages and texts that are here. What comes back was verified; no order is promised."""

    def lookup(self, cid: Cid, /) -> SignedObject | None:
        """The object, or None where it isn't here."""
        ...

    def events(self, identity: Cid, /) -> Iterable[SignedObject]:
        """The events of an identity."""
        ...

    def referrers(self, cid: Cid, /) -> Iterable[SignedObject]:
        """Objects that name `cid` by a ref; asked of a few."""
        ...

    def statements(self, cid: Cid, /) -> Iterable[SignedObject]:
        """The statements among these; asked of every work."""
        ...

    def with_media(self, digest: bytes, /) -> Iterable[SignedObject]:
        """Works with a media entry of this sha2-256 or this essence digest."""
        ...

    def linkers(self, cid: Cid, /) -> Iterable[SignedObject]:
        """Objects that link to the block from their body."""
        ...

    @property
    def generations(self) -> Mapping[Cid, int]:
        """The generations of objects as far as they were counted before [TRL-11]."""
        ...


_Index: TypeAlias = dict[Cid, list[SignedObject]]


class ObjectSet:
    """Evidence in memory, such as a bundle holds.

    What a report asks of every work has an index, made when it is first asked for. The rest is looked for in the bytes of all
    objects, which costs less than an index that is asked once: 0.3 us an object.
    """

    def __init__(
        self,
        objects: Mapping[Cid, SignedObject],
        blocks: Mapping[Cid, bytes] | None = None,
        generations: Mapping[Cid, int] = _NONE_KNOWN,
    ) -> None:
        """Over a set.

        Args:
            objects: valid.
            blocks: list pages, texts and media that are here, hashes checked.
            generations: of the objects, as far as they are known.
        """
        self._objects = objects
        self._blocks = blocks or {}
        self.generations = generations
        """See `Evidence`."""

    @classmethod
    def of_bundle(cls, contents: BundleContents) -> ObjectSet:
        """What a bundle holds."""
        return cls(contents.objects, contents.pages | contents.blocks, contents.generations)

    def lookup(self, cid: Cid, /) -> SignedObject | None:
        """See `Evidence`."""
        return self._objects.get(cid)

    def get(self, cid: Cid, /) -> bytes | None:
        """See `Evidence`."""
        found = self._objects.get(cid)
        return self._blocks.get(cid) if found is None else found.block

    def events(self, identity: Cid, /) -> Iterable[SignedObject]:
        """See `Evidence`."""
        return self._events.get(identity, ())

    def referrers(self, cid: Cid, /) -> Iterable[SignedObject]:
        """See `Evidence`."""
        return [obj for obj in self._holding(str(cid).encode()) if cid in obj.refs]

    def statements(self, cid: Cid, /) -> Iterable[SignedObject]:
        """See `Evidence`."""
        return self._statements.get(cid, ())

    def with_media(self, digest: bytes, /) -> Iterable[SignedObject]:
        """See `Evidence`."""
        return [obj for obj in self._holding(digest) if digest in _digests(obj)]

    def linkers(self, cid: Cid, /) -> Iterable[SignedObject]:
        """See `Evidence`."""
        return [obj for obj in self._holding(bytes(cid)) if cid in obj.links]

    def _holding(self, needle: bytes) -> list[SignedObject]:
        return [obj for obj in self._objects.values() if needle in obj.block]

    @cached_property
    def _events(self) -> _Index:
        return self._index(lambda obj: [obj.identity] if obj.kind == "identity" else [])

    @cached_property
    def _statements(self) -> _Index:
        is_statement = ObjectClass.STATEMENT
        return self._index(lambda obj: obj.refs if obj.object_class is is_statement else ())

    def _index(self, keys: Callable[[SignedObject], Iterable[Cid]]) -> _Index:
        index: _Index = {}
        for obj in self._objects.values():
            for key in keys(obj):
                index.setdefault(key, []).append(obj)
        return index


def _digests(obj: SignedObject) -> Iterator[bytes]:
    for entry in known_field(obj, "media") or ():
        yield entry["sha256"]
        if "essence" in entry:
            yield entry["essence"]["digest"]


class JointEvidence:
    """Several sets as one, such as a bundle and a workspace. What two of them hold comes back once."""

    def __init__(self, *parts: Evidence) -> None:
        self._parts = parts

    def lookup(self, cid: Cid, /) -> SignedObject | None:
        """See `Evidence`."""
        return next(filter(None, (part.lookup(cid) for part in self._parts)), None)

    def get(self, cid: Cid, /) -> bytes | None:
        """See `Evidence`."""
        found = (part.get(cid) for part in self._parts)
        return next((block for block in found if block is not None), None)

    def events(self, identity: Cid, /) -> Iterable[SignedObject]:
        """See `Evidence`."""
        return _unique(part.events(identity) for part in self._parts)

    def referrers(self, cid: Cid, /) -> Iterable[SignedObject]:
        """See `Evidence`."""
        return _unique(part.referrers(cid) for part in self._parts)

    def statements(self, cid: Cid, /) -> Iterable[SignedObject]:
        """See `Evidence`."""
        return _unique(part.statements(cid) for part in self._parts)

    def with_media(self, digest: bytes, /) -> Iterable[SignedObject]:
        """See `Evidence`."""
        return _unique(part.with_media(digest) for part in self._parts)

    def linkers(self, cid: Cid, /) -> Iterable[SignedObject]:
        """See `Evidence`."""
        return _unique(part.linkers(cid) for part in self._parts)

    @property
    def generations(self) -> Mapping[Cid, int]:
        """See `Evidence`."""
        return {cid: number for part in self._parts for cid, number in part.generations.items()}


def _unique(lists: Iterable[Iterable[SignedObject]]) -> Iterable[SignedObject]:
    return {obj.cid: obj for found in lists for obj in found}.values()


def auditor_of(evidence: Evidence) -> StandingAuditor:
    """Who tells the standing of objects over this evidence."""
    return StandingAuditor(events=evidence.events, lookup=evidence.lookup, blocks=evidence)
