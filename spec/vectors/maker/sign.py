"""Signed objects by hand: what each field holds is the caller's affair, right or wrong."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from maker import wire
from maker.wire import Link

DOMAIN = b"hitp2p/object/1\0"
TIME = 1_767_225_600_000
"""1 January 2026, in milliseconds since 1970."""


class Key:
    """A key pair from a name, the same on each run."""

    def __init__(self, name: str) -> None:
        self.seed = wire.sha256(b"hitp2p vectors: " + name.encode())
        self._private = Ed25519PrivateKey.from_private_bytes(self.seed)
        self.public = self._private.public_key().public_bytes_raw()
        self.commitment = wire.sha256(self.public)

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message)


def seal(fields: dict[str, Any], key: Key, domain: bytes = DOMAIN) -> bytes:
    """The block of these fields with a signature made over them, as OBJ-6 says."""
    rest = wire.encode(fields)
    signature = key.sign(domain + rest)
    return bytes([rest[0] + 1]) + wire.encode("sig") + wire.encode(signature) + rest[1:]


def sign(kind: Any, body: Any, key: Key, **envelope: Any) -> bytes:
    """An object; a field of the envelope that is None is left out."""
    fields = {"kind": kind, "body": body, "spec": 1, "time": TIME, "signer": key.public} | envelope
    return seal({k: v for k, v in fields.items() if v is not None}, key)


class Person:
    """An identity with its genesis."""

    def __init__(
        self, name: str, *, key: Key | None = None, n_next: int = 2, keys: list[Key] | None = None
    ) -> None:
        self.name = name
        self.key = key or Key(f"{name} 0")
        self.recovery = [Key(f"{name} next {n}") for n in range(n_next)]
        body = {
            "keys": sorted(k.public for k in keys or [self.key]),
            "next": [k.commitment for k in self.recovery],
            "name": name,
        }
        self.genesis = sign("identity", body, self.key)
        self.cid = wire.cid(self.genesis)

    def sign(
        self,
        kind: str,
        body: Any,
        *,
        event: Link | None = None,
        key: Key | None = None,
        **envelope: Any,
    ) -> bytes:
        """An object by this person, under the genesis unless another event is given."""
        return sign(
            kind, body, key or self.key, author=self.cid, event=event or self.cid, **envelope
        )

    def event(
        self, key: Key, parents: list[bytes], keys: list[Key], next_: list[Key], **body: Any
    ) -> bytes:
        """A later identity event on `parents` (blocks), signed by `key`."""
        body = {
            "keys": sorted(k.public for k in keys),
            "next": [k.commitment for k in next_],
        } | body
        links = sorted(wire.cid(p) for p in parents)
        return sign("identity", body, key, author=self.cid, parents=links)


ALICE, BOB, CAROL = Person("Alice"), Person("Bob"), Person("Carol")


def ref(block_or_name: bytes | str) -> str:
    """A ref to a block, or to some block that a name stands for and nobody has."""
    data = block_or_name.encode() if isinstance(block_or_name, str) else block_or_name
    return wire.cid_text(wire.cid(data))


RULES: dict[str, Any] = {
    "roles": {"curator": [wire.cid_text(ALICE.cid)]},
    "actions": {"accept": {"role": "curator", "threshold": 1}},
}
PROJECT = ALICE.sign("project", {"title": "A song", "rules": RULES, "nonce": bytes(16)})
PROJECT_CID = wire.cid(PROJECT)


def in_project(
    person: Person = ALICE, kind: str = "contribution", body: Any = None, **envelope: Any
) -> bytes:
    """An object in PROJECT, on the project itself unless parents are given."""
    fields = {"project": PROJECT_CID, "parents": [PROJECT_CID]} | envelope
    return person.sign(kind, {"title": "A work"} if body is None else body, **fields)
