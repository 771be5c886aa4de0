"""Makes signed trails for tests: people, projects, works and whole shapes, without a workspace or a store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from hashlib import sha256
from typing import Any

from hitp2p.codec.car import verify_block
from hitp2p.codec.cid import DAG_CBOR, RAW, Cid
from hitp2p.codec.dagcbor import Profile, encode
from hitp2p.keys.ed25519 import SigningKey
from hitp2p.objects.envelope import SignedObject, sign_object
from hitp2p.trail.bundle import MediaChoice, gather_bundle
from hitp2p.trail.bundle_reader import BundleContents, BundleReader

__all__ = [
    "Person",
    "World",
    "bundle_blocks",
    "commitment",
    "key_of",
    "make_page",
    "make_shape",
    "raw_block",
    "read_blocks",
]

TIME = 1_700_000_000_000


@cache
def key_of(word: str) -> SigningKey:
    """The key that belongs to a word."""
    return SigningKey.from_seed(sha256(word.encode()).digest())


def commitment(key: SigningKey) -> bytes:
    return sha256(key.public).digest()


def make_page(*entries: dict[str, Any]) -> tuple[Cid, bytes]:
    """A list page."""
    block = encode({"entries": list(entries)}, profile=Profile.OBJECT)
    return Cid.of(DAG_CBOR, block), block


def raw_block(data: bytes) -> tuple[Cid, bytes]:
    return Cid.of(RAW, data), data


class Person:
    """Someone with one signing key and one recovery key; the words name the keys."""

    def __init__(
        self, name: str, *, keys: Sequence[str] = (), next_keys: Sequence[str] = ()
    ) -> None:
        self.name = name
        self.keys = list(keys) or [f"{name} 0"]
        self.next_keys = list(next_keys) or [f"{name} 1"]
        self.genesis = sign_object(
            kind="identity",
            body={
                "keys": sorted(key_of(word).public for word in self.keys),
                "next": [commitment(key_of(word)) for word in self.next_keys],
                "name": name,
            },
            signer=key_of(self.keys[0]),
            time=TIME,
        )
        self.cid = self.genesis.cid
        self.event = self.genesis

    def rotate(
        self,
        *,
        signer: str,
        keys: Sequence[str],
        next_keys: Sequence[str],
        after: Iterable[SignedObject],
        dropped: Mapping[str, Sequence[Cid]] | None = None,
        time: int = TIME,
    ) -> SignedObject:
        """A later event; it isn't made the current one."""
        body: dict[str, Any] = {
            "keys": sorted(key_of(word).public for word in keys),
            "next": [commitment(key_of(word)) for word in next_keys],
        }
        if dropped:
            gone = {key_of(word).public: pages for word, pages in dropped.items()}
            body["dropped"] = [
                {"key": key, "pages": list(gone[key])} if gone[key] else {"key": key}
                for key in sorted(gone)
            ]
        return sign_object(
            kind="identity",
            body=body,
            signer=key_of(signer),
            time=time,
            author=self.cid,
            parents=[event.cid for event in after],
        )

    def sign(
        self,
        kind: str,
        body: dict[str, Any],
        *,
        project: Cid | None = None,
        parents: Iterable[Cid] = (),
        signer: str | None = None,
        event: SignedObject | None = None,
        time: int = TIME,
    ) -> SignedObject:
        return sign_object(
            kind=kind,
            body=body,
            signer=key_of(signer or self.keys[0]),
            time=time,
            author=self.cid,
            event=(event or self.event).cid,
            project=project,
            parents=parents,
        )

    def project(self, title: str = "Night Bus", **body: Any) -> SignedObject:
        who = {"role": "curator", "threshold": 1}
        rules = {"roles": {"curator": [str(self.cid)]}, "actions": {"accept": who}}
        nonce = sha256(title.encode()).digest()[:16]
        return self.sign("project", {"title": title, "rules": rules, "nonce": nonce, **body})

    def work(
        self,
        project: SignedObject,
        title: str,
        *,
        parents: Iterable[SignedObject] = (),
        kind: str = "contribution",
        signer: str | None = None,
        event: SignedObject | None = None,
        time: int = TIME,
        **body: Any,
    ) -> SignedObject:
        return self.sign(
            kind,
            {"title": title, **body},
            project=project.cid,
            parents=[parent.cid for parent in parents] or [project.cid],
            signer=signer,
            event=event,
            time=time,
        )


class World:
    """A set of objects and blocks, as `lookup` and as a block source."""

    def __init__(self, *objects: SignedObject, blocks: Iterable[tuple[Cid, bytes]] = ()) -> None:
        self.objects = {obj.cid: obj for obj in objects}
        self.blocks = dict(blocks)

    def add(self, *objects: SignedObject) -> None:
        self.objects.update((obj.cid, obj) for obj in objects)

    def lookup(self, cid: Cid) -> SignedObject | None:
        return self.objects.get(cid)

    def get(self, cid: Cid) -> bytes | None:
        found = self.objects.get(cid)
        return self.blocks.get(cid) if found is None else found.block

    def events(self, identity: Cid) -> Iterator[SignedObject]:
        return (o for o in self.objects.values() if o.kind == "identity" and o.identity == identity)

    def event_cids(self, identity: Cid) -> list[Cid]:
        return [event.cid for event in self.events(identity)]

    def referrers(self, cid: Cid) -> list[Cid]:
        return [obj.cid for obj in self.objects.values() if cid in obj.refs]

    def without(self, *cids: Cid) -> World:
        objects = (obj for cid, obj in self.objects.items() if cid not in cids)
        return World(*objects, blocks=[(c, b) for c, b in self.blocks.items() if c not in cids])


def make_shape(
    parents_of: Sequence[Sequence[int]],
    *,
    who: Callable[[int], Person],
    project: SignedObject,
) -> list[SignedObject]:
    """Works that hang together as numbers say: `parents_of[i]` are the numbers of the parents of work `i`."""
    works: list[SignedObject] = []
    for number, parents in enumerate(parents_of):
        works.append(
            who(number).work(
                project,
                f"Work {number}",
                parents=[works[parent] for parent in sorted(set(parents))],
            )
        )
    return works


def bundle_blocks(
    work: SignedObject, world: World, media: MediaChoice = "none"
) -> tuple[tuple[Cid, Cid], list[tuple[Cid, bytes]], list[Cid]]:
    """Roots and blocks of a bundle, and what was missing."""
    bundle = gather_bundle(
        work,
        lookup=world.lookup,
        events=world.event_cids,
        referrers=world.referrers,
        blocks=world,
        media=media,
    )
    missing: list[Cid] = []
    return (bundle.work, bundle.snapshot.root), list(bundle.blocks(world, missing)), missing


def read_blocks(roots: tuple[Cid, ...], blocks: Iterable[tuple[Cid, bytes]]) -> BundleContents:
    """What a reader makes of these blocks."""
    reader = BundleReader(roots)
    for cid, block in blocks:
        verify_block(cid, block)
        reader.take(cid, block)
    return reader.finish()
