"""A person with a key in memory: make one, keep it in a file, change its keys.

The recovery key never goes into the identity file. Whoever makes an identity, or rotates its keys, takes the recovery key
once (`take_recovery_key`) and puts it elsewhere (`hitp2p.identity_file.save_key`), else it protects nothing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import NoReturn

from hitp2p import limits
from hitp2p.codec.cid import Cid
from hitp2p.errors import InvalidError, KeyFileError, UsageError
from hitp2p.identity_file import (
    IdentityFile,
    SpokenByEvents,
    encode_identity_file,
    event_body,
    make_envelope,
    open_envelope,
    read_identity_file,
)
from hitp2p.keys.didkey import encode_did_key
from hitp2p.keys.ed25519 import SigningKey
from hitp2p.keys.envelope import KdfParams
from hitp2p.objects.envelope import SignedObject, sign_object
from hitp2p.objects.identity import DroppedKey, IdentityEvent
from hitp2p.objects.text import clean_line
from hitp2p.ports import Clock, Randomness, Signer
from hitp2p.rotation import good_head_pages, refuse_overlap, replace_commitment
from hitp2p.store.keyfile import write_key_file
from hitp2p.trail.graph import count_generations
from hitp2p.trail.line import identity_line

__all__ = ["Identity"]


class Identity(SpokenByEvents):
    """Who speaks: the events of an identity, and something that signs under one of them.

    Doesn't change, but for the recovery key that can be taken once; `rotate` gives a new one.
    """

    __slots__ = ("_recovery", "event", "events", "pages", "signer")

    def __init__(
        self,
        *,
        events: Iterable[SignedObject],
        signer: Signer,
        event: Cid | None = None,
        pages: Iterable[tuple[Cid, bytes]] = (),
    ) -> None:
        """An identity from its events and a signer, which may be a hardware key.

        Args:
            events: valid, the genesis first and each after its parents.
            signer: holds a key of the identity.
            event: the event to sign under; the last one that lists the signer's key, unless said.
            pages: list pages of dropped keys, as far as known.

        Raises:
            UsageError: no event lists the signer's key.
        """
        self.events: tuple[SignedObject, ...] = tuple(events)
        """The events that are known, the genesis first and each after its parents."""
        self.pages: tuple[tuple[Cid, bytes], ...] = tuple(pages)
        """The list pages that events link to, by CID: blocks to be stored beside them."""
        self.signer: Signer = signer
        """What signs."""
        self.event: Cid = _event_of(self.events, signer.public, event)
        """The event under which `signer` speaks."""
        self._recovery: SigningKey | None = None

    @property
    def did(self) -> str:
        """The public key of the signer as did:key."""
        return encode_did_key(self.signer.public)

    @property
    def keys(self) -> tuple[bytes, ...]:
        """The public keys that the last event of the line lists."""
        return event_body(self._event(self._line_ends()[0])).keys

    def __repr__(self) -> str:
        return f"<Identity {self.name!a} {self.code}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("an identity holds a private key and is neither pickled nor copied")

    @classmethod
    def create(
        cls,
        name: str,
        *,
        signer: Signer | None = None,
        recovery_keys: Sequence[bytes] | None = None,
        clock: Clock | None = None,
        randomness: Randomness | None = None,
    ) -> Identity:
        """A new identity.

        Args:
            name: what the person calls themselves; in public, and for ever.
            signer: the key to sign with; a new one in memory unless given.
            recovery_keys: public keys, highest rank first, whose owners may sign the next event. Unless
                given, one is made; see `take_recovery_key`.
            clock: for the claimed time.
            randomness: for the keys.
        """
        chance = randomness or os.urandom
        who = signer or SigningKey.from_seed(chance(32))
        recovery, publics = _recovery(recovery_keys, chance)
        commitments = tuple(sha256(public).digest() for public in publics)
        refuse_overlap((who.public,), commitments)
        genesis = sign_object(
            kind="identity",
            body=IdentityEvent(
                keys=(who.public,),
                next=commitments,
                name=clean_line(name, limits.NAME_BYTES),
            ).to_body(),
            signer=who,
            time=(clock or _now)(),
        )
        made = cls(events=(genesis,), signer=who)
        made._recovery = recovery
        return made

    def take_recovery_key(self) -> SigningKey:
        """The recovery key that was made here; once, for no copy is kept.

        It alone can change the keys of the identity. Put it where the signing key isn't.
        """
        if self._recovery is None:
            raise UsageError("there is no recovery key here: it was taken, or made elsewhere")
        key, self._recovery = self._recovery, None
        return key

    # --- files --------------------------------------------------------------------------------------
    def save(
        self,
        path: str | os.PathLike[str],
        passphrase: str | None,
        *,
        unprotected: bool = False,
        overwrite: bool = False,
        params: KdfParams | None = None,
        randomness: Randomness | None = None,
    ) -> None:
        """Write the identity file: events in clear, the signing key sealed (spec 02).

        Args:
            path: the file; mode 0600, whole or not at all.
            passphrase: seals the key. None needs `unprotected`, or a signer that isn't a key in memory.
            unprotected: store the key bare: who reads the file has the key. For nodes and tests.
            overwrite: replace a file that is there.
            params: cost of a guess at the passphrase.
            randomness: for salt and nonce.

        Raises:
            UsageError: the recovery key hasn't been taken, and would be lost.
            PassphraseError: no passphrase, and not `unprotected`.
        """
        if self._recovery is not None:
            raise UsageError("take_recovery_key first: it is not stored, and would be lost")
        key = None
        if isinstance(self.signer, SigningKey):
            key = make_envelope(self.signer, passphrase, unprotected, params, randomness)
        file = IdentityFile(
            events=self.events,
            event=self.event,
            public=self.signer.public,
            pages=self.pages,
            key=key,
        )
        try:
            data = encode_identity_file(file)
        except InvalidError as error:
            raise UsageError(f"the identity can't be stored: {error}") from error
        write_key_file(path, data, overwrite=overwrite)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        passphrase: str | None = None,
        *,
        signer: Signer | None = None,
    ) -> Identity:
        """The identity in a file.

        Args:
            path: the file.
            passphrase: ignored where the key is bare; `read_identity_file` tells.
            signer: needed where the key lives elsewhere, and then instead of the passphrase.

        Raises:
            KeyFileError: missing, open to other users, not an identity file, or without a key.
            PassphraseError: the passphrase is absent or wrong.
        """
        file = read_identity_file(path)
        if signer is None:
            if file.key is None:
                raise KeyFileError(f"the key of {path} lives elsewhere; a signer is needed")
            signer = open_envelope(path, file.key, passphrase)
        elif signer.public != file.public:
            raise KeyFileError(f"{path} belongs to another key than the signer's")
        return cls(events=file.events, signer=signer, event=file.event, pages=file.pages)

    # --- later events ---------------------------------------------------------------------------------
    def rotate(
        self,
        recovery: Signer,
        *,
        suspicion: bool,
        good_heads: Mapping[Cid, Iterable[Cid]] | None = None,
        exceptions: Mapping[Cid, Iterable[Cid]] | None = None,
        drop: Iterable[bytes] | None = None,
        add: Iterable[bytes] = (),
        signer: Signer | None = None,
        recovery_keys: Sequence[bytes] | None = None,
        clock: Clock | None = None,
        randomness: Randomness | None = None,
    ) -> Identity:
        """The identity with its next event: `events[-1]`, signed by a recovery key. Resolves a fork as well.

        What a dropped key signed stays good only as far as `good_heads` reach; the rest is disavowed. The event and its
        list pages (`pages`) have to reach everyone who judges.

        Args:
            recovery: a key to which the last event commits.
            suspicion: whether a dropped key may have been in other hands. If not, `good_heads` can't be left out by
                mistake; `{}` says that nothing was signed.
            good_heads: project (for objects without one: the identity) -> what is good up to there; statements
                count only if they are listed themselves.
            exceptions: the same for what is not good although a head descends from it.
            drop: keys that end; the signer's own unless said, `()` for none.
            add: public keys of further devices.
            signer: the key to sign with from now on. Unless given, the present one if it stays a key of the
                identity, else a new key in memory.
            recovery_keys: public keys, highest rank first, for the event after this one. Unless given, one is made in
                the place of `recovery`, and the other commitments stay.
            clock: for the claimed time.
            randomness: for the keys.
        """
        chance = randomness or os.urandom
        parents = [self._event(cid) for cid in self._line_ends()]
        bodies = [event_body(parent) for parent in parents]
        used = sha256(recovery.public).digest()
        if any(used not in body.next for body in bodies):
            error = UsageError(
                "this is not the recovery key that the last event commits to [IDN-3]"
            )
            error.add_note("Each change of keys makes a new recovery key; use the latest.")
            raise error
        dropped = {self.signer.public} if drop is None else set(drop)
        if not dropped <= {key for event in self.events for key in event_body(event).keys}:
            raise UsageError("a key to be dropped was never a key of this identity")
        kept = {key for body in bodies for key in body.keys} - dropped
        if signer is None:
            stays = self.signer.public in kept
            signer = self.signer if stays else SigningKey.from_seed(chance(32))
        keys = kept | {signer.public, *add}
        made, publics = _recovery(recovery_keys, chance)
        fresh = tuple(sha256(public).digest() for public in publics)
        commitments = fresh if made is None else replace_commitment(bodies[0].next, used, fresh)
        refuse_overlap(keys, commitments)
        pages = self._good_pages(suspicion, dropped, good_heads, exceptions or {})
        event = sign_object(
            kind="identity",
            body=IdentityEvent(
                keys=tuple(sorted(keys)),
                next=commitments,
                dropped=tuple(
                    DroppedKey(key=key, pages=tuple(cid for cid, _ in pages))
                    for key in sorted(dropped)
                ),
            ).to_body(),
            signer=recovery,
            time=(clock or _now)(),
            author=self.cid,
            parents=[parent.cid for parent in parents],
        )
        rotated = Identity(
            events=(*self.events, event),
            signer=signer,
            event=event.cid,
            pages=dict((*self.pages, *pages)).items(),
        )
        rotated._recovery = made
        return rotated

    def add_key(
        self,
        recovery: Signer,
        public: bytes,
        *,
        recovery_keys: Sequence[bytes] | None = None,
        clock: Clock | None = None,
        randomness: Randomness | None = None,
    ) -> Identity:
        """The identity with the key of one more device. That device speaks as `Identity(events=, signer=)`."""
        return self.rotate(
            recovery,
            suspicion=False,
            drop=(),
            add=(public,),
            recovery_keys=recovery_keys,
            clock=clock,
            randomness=randomness,
        )

    def with_events(
        self, events: Iterable[SignedObject], pages: Iterable[tuple[Cid, bytes]] = ()
    ) -> Identity:
        """The identity that knows further events too, such as those that another device made.

        Args:
            events: valid; in any order, with those that are known or not.
            pages: list pages that they link to.
        """
        known = {event.cid: event for event in (*self.events, *events)}
        strangers = [event.cid for event in known.values() if event.identity != self.cid]
        if strangers:
            raise UsageError(f"{strangers[0]} is no event of this identity")
        generation = count_generations(known, lambda cid: known[cid].parents)
        merged = Identity(
            events=sorted(known.values(), key=lambda event: (generation[event.cid], event.cid)),
            signer=self.signer,
            event=self.event,
            pages=dict((*self.pages, *pages)).items(),
        )
        merged._recovery = self._recovery
        return merged

    def _event(self, cid: Cid) -> SignedObject:
        return next(event for event in self.events if event.cid == cid)

    def _line_ends(self) -> tuple[Cid, ...]:
        return identity_line(self.cid, self.events).ends

    def _good_pages(
        self,
        suspicion: bool,
        dropped: set[bytes],
        good_heads: Mapping[Cid, Iterable[Cid]] | None,
        exceptions: Mapping[Cid, Iterable[Cid]],
    ) -> tuple[tuple[Cid, bytes], ...]:
        if not dropped:
            if good_heads:
                raise UsageError("good heads belong to keys that are dropped, and none is")
            return ()
        if good_heads is None and not suspicion:
            raise UsageError(
                "without good heads all that the dropped key signed would be disavowed; "
                "give them, or {} if it signed nothing"
            )
        if not exceptions.keys() <= (good_heads or {}).keys():
            raise UsageError("exceptions are given for a project without good heads")
        return good_head_pages(good_heads or {}, exceptions)


def _now() -> int:
    return time.time_ns() // 1_000_000


def _event_of(events: Sequence[SignedObject], public: bytes, wanted: Cid | None) -> Cid:
    for event in reversed(events):
        if wanted in (None, event.cid) and public in event_body(event).keys:
            return event.cid
    raise UsageError("no event of the identity lists the signer's key")


def _recovery(
    given: Sequence[bytes] | None, chance: Randomness
) -> tuple[SigningKey | None, Sequence[bytes]]:
    """The recovery key that is made here, if any, and the public keys to commit to."""
    if given is not None:
        return None, given
    made = SigningKey.from_seed(chance(32))
    return made, (made.public,)
