"""The writing half of a workspace: an object is signed, checked against the trail, and stored in one transaction."""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from hitp2p.codec.cid import Cid
from hitp2p.errors import MissingBlocksError, UsageError
from hitp2p.identity import Identity
from hitp2p.objects.envelope import SignedObject, sign_object
from hitp2p.ports import Clock, Randomness
from hitp2p.reader import Reader, not_here
from hitp2p.store.contract import ObjectRow, Store, WriteBatch
from hitp2p.trail.check import verify_in_trail

__all__ = ["Writer"]

_N_KNOWN: Final = 64
"""Objects that are remembered as parsed: who adds works asks for the same project, and for the last work, again and again."""


def _system_clock() -> int:
    return time.time_ns() // 1_000_000


class Writer(Reader):
    """A store that is read and written. `Workspace` adds what a person does with it."""

    def __init__(
        self, store: Store, *, clock: Clock | None = None, randomness: Randomness | None = None
    ) -> None:
        super().__init__(store)
        self._clock = clock or _system_clock
        self._randomness = randomness or secrets.token_bytes
        self._known: dict[Cid, SignedObject] = {}

    def add_identity(self, identity: Identity) -> tuple[ObjectRow, ...]:
        """Put an identity's events, and the list pages they link to, into the store.

        Writing does this by itself; call it to make a rotation known without a new work.
        """
        return self.store.put(self._events(identity, self.store.events(identity.cid)))

    def _events(self, by: Identity, known: Collection[Cid]) -> WriteBatch:
        new = tuple(event for event in by.events if event.cid not in known)
        return WriteBatch(objects=new, blocks=by.pages if new else ())

    def _remembered(self, cid: Cid) -> SignedObject:
        """As `show`, where it doesn't count whether the object has left the store since: `put` asks."""
        found = self._known.get(cid)
        if found is None:
            found = self._remember(self.show(cid))
        return found

    def _remember(self, obj: SignedObject) -> SignedObject:
        if len(self._known) >= _N_KNOWN:
            self._known.clear()
        self._known[obj.cid] = obj
        return obj

    def _sign(
        self,
        kind: str,
        body: dict[str, Any],
        *,
        by: Identity,
        project: Cid | None = None,
        parents: tuple[Cid, ...] = (),
        linked: Iterable[SignedObject] = (),
        media: WriteBatch | None = None,
        dry_run: bool = False,
    ) -> SignedObject:
        """Sign, check against the trail, and store in one transaction with media and identity events.

        Args:
            linked: objects that the caller says are in the store; `put` makes sure, so a dry run looks itself.
        """
        known = self.store.events(by.cid)
        self._refuse_dropped_key(by, known)
        signed = sign_object(
            kind=kind,
            body=body,
            signer=by.signer,
            time=self._clock(),
            author=by.cid,
            event=by.event,
            project=project,
            parents=parents,
            keep_body=True,
        )
        trail = {obj.cid: obj for obj in (*by.events, *(() if dry_run else linked))}
        try:
            verify_in_trail(signed, lambda cid: trail.get(cid) or self.lookup(cid))
            if not dry_run:
                self._put(signed, self._events(by, known), media or WriteBatch())
                self._remember(signed)
        except MissingBlocksError as error:
            raise not_here(error.cids[0]) from error
        return signed

    def _put(self, signed: SignedObject, events: WriteBatch, media: WriteBatch) -> None:
        self.store.put(
            WriteBatch(
                objects=(*events.objects, signed),
                blocks=(*events.blocks, *media.blocks),
                leaves=media.leaves,
            )
        )

    def _refuse_dropped_key(self, by: Identity, known: Sequence[Cid]) -> None:
        """Refuse to sign with a key that a later event, known here, has dropped."""
        if len(known) > len(by.events):
            later = by.with_events(self.show(cid) for cid in known)
            if by.signer.public not in later.keys:
                raise UsageError(
                    f"this key of {by.name} was dropped by a later identity event that is known here;"
                    " sign with the newer identity file"
                )

    def good_heads(self, identity: Cid, signer: bytes) -> dict[Cid, tuple[Cid, ...]]:
        """What a key signed, as `Identity.rotate` wants it: project (else the identity) -> good heads.

        All works that the key signed and that are here lie in the ancestry of these heads; statements are listed themselves.
        """
        from hitp2p.good_heads import good_heads_of

        return good_heads_of(self.store, identity, signer)
