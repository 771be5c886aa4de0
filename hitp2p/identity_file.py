"""The identity file: an identity's events and pages in clear, its key in an envelope [KEY-10 to KEY-14].

Reading and writing here needs no passphrase; opening the key is `Identity.load`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any, Final

from hitp2p import limits
from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.codec.dagcbor import Profile, decode_object, encode
from hitp2p.dataclass import dataclass, field
from hitp2p.errors import (
    InvalidError,
    KeyFileError,
    MissingBlocksError,
    PassphraseError,
    SignatureError,
    UsageError,
)
from hitp2p.keys.didkey import encode_did_key
from hitp2p.keys.ed25519 import SigningKey
from hitp2p.keys.envelope import KdfParams, encode_bare_key, open_key, parse_envelope, seal_key
from hitp2p.objects.envelope import SignedObject, verify_object
from hitp2p.objects.identity import IdentityEvent
from hitp2p.ports import Randomness
from hitp2p.store.keyfile import read_key_file, write_key_file
from hitp2p.trail.check import verify_in_trail
from hitp2p.trail.display import short_name

__all__ = [
    "IdentityFile",
    "SpokenByEvents",
    "encode_identity_file",
    "event_body",
    "load_key",
    "make_envelope",
    "open_envelope",
    "parse_identity_file",
    "read_identity_file",
    "save_key",
]

FORMAT: Final = "identity/1"
_REQUIRED: Final[dict[str, type]] = {"hitp2p": str, "event": Cid, "events": list, "public": bytes}
_TYPES: Final = _REQUIRED | {"pages": list, "key": bytes}


class SpokenByEvents:
    """What its events say of an identity, for classes that hold them."""

    __slots__ = ()

    events: tuple[SignedObject, ...]
    """The events that are known, verified, the genesis first and each after its parents."""

    @property
    def cid(self) -> Cid:
        """The identity: its genesis."""
        return self.events[0].cid

    @property
    def name(self) -> str:
        """What the person calls themselves: a claim, never to be shown without the code."""
        return event_body(self.events[0]).name or ""

    @property
    def code(self) -> str:
        """The short code that stands beside the name (spec 02)."""
        return short_name(self.cid)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityFile(SpokenByEvents):
    """What an identity file says to whoever reads it, without the passphrase."""

    events: tuple[SignedObject, ...]
    """The events that are known, verified, the genesis first and each after its parents."""
    event: Cid
    """The event under which the key signs."""
    public: bytes
    """The public key that signs."""
    pages: tuple[tuple[Cid, bytes], ...] = ()
    """List pages of dropped keys."""
    key: bytes | None = field(default=None, repr=False)
    """The key envelope; None where the key lives elsewhere."""

    @property
    def did(self) -> str:
        """The public key as did:key."""
        return encode_did_key(self.public)

    @property
    def has_passphrase(self) -> bool:
        """Whether a passphrase protects the key; false too where the key isn't in the file."""
        return self.key is not None and parse_envelope(self.key).kdf is not None


def event_body(event: SignedObject) -> IdentityEvent:
    """The typed body of an identity event.

    Raises:
        SignatureError: it is another kind of object (KEY-11).
    """
    body = event.content
    if not isinstance(body, IdentityEvent):
        raise SignatureError(f"{event.kind} is no identity event", rule="KEY-11", cid=event.cid)
    return body


def read_identity_file(path: str | os.PathLike[str]) -> IdentityFile:
    """What the file at `path` says without its passphrase.

    Raises:
        KeyFileError: missing, open to other users, or not an identity file; the message names the rule.
    """
    data = read_key_file(path, max_bytes=limits.IDENTITY_FILE_BYTES)
    try:
        return parse_identity_file(data)
    except InvalidError as error:
        raise KeyFileError(f"{path} is no valid identity file: {error}") from error


def encode_identity_file(file: IdentityFile) -> bytes:
    """The bytes of the file; what a reader would refuse is refused here, with the same rule."""
    fields: dict[str, Any] = {
        "hitp2p": FORMAT,
        "event": file.event,
        "events": [event.block for event in file.events],
        "public": file.public,
    }
    if file.pages:
        fields["pages"] = [block for _, block in file.pages]
    if file.key is not None:
        fields["key"] = file.key
    data = encode(fields, profile=Profile.OBJECT)
    _check(parse_identity_file(data) == file, "KEY-10", "what was written reads back otherwise")
    return data


def parse_identity_file(data: bytes) -> IdentityFile:
    """Read and check an identity file, as received.

    Raises:
        InvalidError: a rule of KEY-10 to KEY-14, of the encoding or of an event is broken.
    """
    fields = _parse_fields(data)
    events = _verify_events(fields["events"])
    file = IdentityFile(
        events=events,
        event=fields["event"],
        public=fields["public"],
        pages=_verify_pages(fields["pages"], events) if "pages" in fields else (),
        key=fields.get("key"),
    )
    _check_key(file)
    return file


# --- keys, alone or in an identity file --------------------------------------------------------------
def save_key(
    path: str | os.PathLike[str],
    key: SigningKey,
    passphrase: str | None,
    *,
    unprotected: bool = False,
    overwrite: bool = False,
    params: KdfParams | None = None,
    randomness: Randomness | None = None,
    warn: Callable[[str], None] | None = None,
) -> None:
    """Write a single key, such as a recovery key, in an envelope of its own; see `make_envelope`.

    Args:
        overwrite: replace a file that is there.
        warn: told where the file system keeps no permissions, as a memory stick mostly doesn't. Without it, or without a
            passphrase, nothing is written there.
    """
    data = make_envelope(key, passphrase, unprotected, params, randomness)
    sealed = passphrase is not None
    write_key_file(path, data, overwrite=overwrite, warn=warn if sealed else None)


def load_key(
    path: str | os.PathLike[str],
    passphrase: str | None = None,
    *,
    warn: Callable[[str], None] | None = None,
) -> SigningKey:
    """The key that `save_key` wrote.

    Args:
        path: where.
        passphrase: None where the key is bare.
        warn: told where the file is open to others and its file system can't close it; None refuses it.

    Raises:
        KeyFileError: missing, open to other users, or not a key envelope.
        PassphraseError: the passphrase is absent or wrong.
    """
    return open_envelope(path, read_key_file(path, warn=warn), passphrase)


def make_envelope(
    key: SigningKey,
    passphrase: str | None,
    unprotected: bool,
    params: KdfParams | None,
    randomness: Randomness | None,
) -> bytes:
    """A key envelope to go into a file.

    Args:
        key: to be sealed.
        passphrase: None needs `unprotected`.
        unprotected: leave the key bare: who reads the file has the key. For nodes and tests.
        params: cost of a guess at the passphrase.
        randomness: for salt and nonce.
    """
    if passphrase is None:
        if not unprotected:
            raise PassphraseError("give a passphrase, or say that the key is stored unprotected")
        return encode_bare_key(key)
    if unprotected:
        raise UsageError("a passphrase is given, and the key is to be stored unprotected: which?")
    chance = randomness or os.urandom
    return seal_key(key, passphrase, salt=chance(16), nonce=chance(12), params=params)


def open_envelope(
    path: str | os.PathLike[str], envelope: bytes, passphrase: str | None
) -> SigningKey:
    """The key in an envelope that stood in the file at `path`; ignores the passphrase if it is bare."""
    try:
        return open_key(envelope, passphrase)
    except InvalidError as error:
        raise KeyFileError(f"{path} holds no valid key: {error}") from error


# --- the format ---------------------------------------------------------------------------------------
def _check(holds: bool, rule: str, message: str) -> None:
    if not holds:
        raise SignatureError(message, rule=rule)


def _parse_fields(data: bytes) -> dict[str, Any]:
    size = len(data)
    most = limits.IDENTITY_FILE_BYTES
    _check(size <= most, "KEY-10", f"identity file of {size} bytes; at most {most} allowed")
    value = decode_object(data)
    if not isinstance(value, dict):
        raise SignatureError("an identity file is a map", rule="KEY-10")
    fields: dict[str, Any] = value
    _check(fields.get("hitp2p") == FORMAT, "KEY-10", f"hitp2p is not {FORMAT!r}")
    for name, value in fields.items():
        _check(type(value) is _TYPES.get(name), "KEY-10", f"{name!r} is unknown or of a wrong type")
    for name in _REQUIRED:
        _check(name in fields, "KEY-10", f"{name} is absent; it is required")
    for name in ("events", "pages"):
        entries = fields.get(name, ())
        _check(all(type(e) is bytes for e in entries), "KEY-10", f"{name} must hold bytes only")
    return fields


def _verify_events(blocks: Sequence[bytes]) -> tuple[SignedObject, ...]:
    _check_count(blocks, "events", "KEY-11")
    events: dict[Cid, SignedObject] = {}
    for block in blocks:
        event = verify_object(block)
        event_body(event)
        genesis = next(iter(events), event.cid)
        _check(event.identity == genesis, "KEY-11", "events of two identities, or no genesis first")
        try:
            events[event.cid] = verify_in_trail(event, events.get)
        except MissingBlocksError as error:
            raise SignatureError(
                "an event before its parents, or without them", rule="KEY-11", cid=event.cid
            ) from error
    _check(len(events) == len(blocks), "KEY-11", "the same event twice")
    return tuple(events.values())


def _verify_pages(
    blocks: Sequence[bytes], events: Sequence[SignedObject]
) -> tuple[tuple[Cid, bytes], ...]:
    _check_count(blocks, "pages", "KEY-13")
    linked = {page for event in events for gone in event_body(event).dropped for page in gone.pages}
    pages = {Cid.of(DAG_CBOR, block): block for block in blocks}
    _check(len(pages) == len(blocks), "KEY-13", "the same page twice")
    _check(linked >= pages.keys(), "KEY-13", "a page that no event links to")
    return tuple(pages.items())


def _check_count(blocks: Sequence[bytes], name: str, rule: str) -> None:
    most = limits.IDENTITY_FILE_BLOCKS
    _check(1 <= len(blocks) <= most, rule, f"{len(blocks)} {name}; 1 to {most} allowed")


def _check_key(file: IdentityFile) -> None:
    event = next((e for e in file.events if e.cid == file.event), None)
    if event is None:
        raise SignatureError("event is not among events", rule="KEY-12")
    body = event_body(event)
    _check(file.public in body.keys, "KEY-12", "the event does not list the public key")
    if file.key is not None:
        same = parse_envelope(file.key).public == file.public
        _check(same, "KEY-12", "the envelope holds another key than `public`")
    alone = sha256(file.public).digest() not in body.next
    _check(alone, "KEY-14", "the key is the recovery key of its own event")
