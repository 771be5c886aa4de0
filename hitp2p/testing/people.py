"""People who sign objects in tests: keys from words, so that the same story gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from hashlib import sha256
from typing import Any, Final

from hitp2p.codec.cid import Cid
from hitp2p.keys.ed25519 import SigningKey
from hitp2p.objects.envelope import SignedObject, sign_object

__all__ = ["TIME", "Person"]

TIME: Final = 1_700_000_000_000
"""When everything in a test happens, in milliseconds since 1970."""


class Person:
    """An identity with one key; the name is the seed."""

    def __init__(self, name: str) -> None:
        self.name = name

    @cached_property
    def key(self) -> SigningKey:
        """The signing key."""
        return _key(self.name)

    @cached_property
    def genesis(self) -> SignedObject:
        """The event that makes the identity."""
        body = {"keys": [self.key.public], "next": [self._commitment(1)], "name": self.name}
        return sign_object(kind="identity", body=body, signer=self.key, time=TIME)

    def rotated(self) -> SignedObject:
        """A second event, which keeps the key."""
        return sign_object(
            kind="identity",
            body={"keys": [self.key.public], "next": [self._commitment(2)]},
            signer=_key(f"{self.name} 1"),
            time=TIME,
            author=self.genesis.cid,
            parents=[self.genesis.cid],
        )

    def _commitment(self, number: int) -> bytes:
        return sha256(_key(f"{self.name} {number}").public).digest()

    def sign(
        self,
        kind: str,
        body: Mapping[str, Any],
        *,
        project: Cid | None = None,
        parents: Iterable[Cid] = (),
    ) -> SignedObject:
        """Any object."""
        return sign_object(
            kind=kind,
            body=body,
            signer=self.key,
            time=TIME,
            author=self.genesis.cid,
            event=self.genesis.cid,
            project=project,
            parents=parents,
        )

    def project(self, title: str = "Night Bus", **body: Any) -> SignedObject:
        """A project, of which this person is curator."""
        who = {"role": "curator", "threshold": 1}
        rules = {"roles": {"curator": [str(self.genesis.cid)]}, "actions": {"accept": who}}
        nonce = sha256(title.encode()).digest()[:16]
        return self.sign("project", {"title": title, "rules": rules, "nonce": nonce, **body})

    def work(
        self, project: SignedObject, title: str, *parents: SignedObject, **body: Any
    ) -> SignedObject:
        """A contribution on top of other works, or of the project alone."""
        return self.sign(
            "contribution",
            {"title": title, **body},
            project=project.cid,
            parents=[parent.cid for parent in parents] or [project.cid],
        )

    def comment(self, on: SignedObject, text: str) -> SignedObject:
        """A statement about a work, which it names by ref."""
        assert on.project is not None
        body = {"target": {"object": str(on.cid)}, "text": text}
        return self.sign("comment", body, project=on.project, parents=[on.project])


def _key(word: str) -> SigningKey:
    return SigningKey.from_seed(sha256(word.encode()).digest())
