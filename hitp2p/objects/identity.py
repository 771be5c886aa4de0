"""Identity events: the log of keys that makes a person the same person [spec 02]."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from hitp2p import limits
from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass
from hitp2p.errors import RuleError, SignatureError
from hitp2p.keys.ed25519 import require_prime_order
from hitp2p.rules import RuleSet

if TYPE_CHECKING:
    from hitp2p.objects.envelope import SignedObject

__all__ = ["IDENTITY_RULES", "DroppedKey", "IdentityEvent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DroppedKey:
    """A key that ends with an event."""

    key: bytes
    """The 32-byte public key."""
    pages: tuple[Cid, ...] = ()
    """List pages of what it signed well (`hitp2p.objects.pages.GoodHeads`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityEvent:
    """Which keys speak for a person from here on, and which may sign the next event."""

    keys: tuple[bytes, ...]
    """1 to 16 public keys that may sign objects under this event; sorted, unique."""
    next: tuple[bytes, ...]
    """1 to 5 commitments: sha256 of public keys, highest rank first."""
    name: str | None = None
    """What the person calls themselves; in a genesis only."""
    dropped: tuple[DroppedKey, ...] = ()
    """Up to 32 keys that end here, sorted by key."""

    @staticmethod
    def from_body(body: Mapping[str, Any]) -> IdentityEvent:
        """Of a body whose shape is checked."""
        return IdentityEvent(
            keys=tuple(body["keys"]),
            next=tuple(body["next"]),
            name=body.get("name"),
            dropped=tuple(
                DroppedKey(key=entry["key"], pages=tuple(entry.get("pages", ())))
                for entry in body.get("dropped", ())
            ),
        )

    def to_body(self) -> dict[str, Any]:
        """Plain values for `sign_object`."""
        body: dict[str, Any] = {"keys": list(self.keys), "next": list(self.next)}
        if self.name is not None:
            body["name"] = self.name
        if self.dropped:
            body["dropped"] = [
                {"key": gone.key, "pages": list(gone.pages)} if gone.pages else {"key": gone.key}
                for gone in self.dropped
            ]
        return body


IDENTITY_RULES: RuleSet[[SignedObject]] = RuleSet()
"""Checks of an identity event by itself; its body has the right shape. The rest is in `trail.check`."""


@IDENTITY_RULES.rule("IDN-7")
def _is_small(event: SignedObject) -> None:
    """Logs of strangers are kept by everyone who keeps one of their works."""
    if len(event.block) > limits.IDENTITY_EVENT_BYTES:
        raise RuleError(
            f"identity event of {len(event.block)} bytes; "
            f"at most {limits.IDENTITY_EVENT_BYTES} allowed",
            rule="IDN-7",
        )


@IDENTITY_RULES.rule("IDN-1")
def _genesis_stands_alone(event: SignedObject) -> None:
    """A genesis needs nothing but itself; so its CID can be the name of the identity."""
    if not event.is_genesis:
        return
    if event.event is not None or event.project is not None or event.parents:
        raise RuleError("a genesis has no event, project or parents", rule="IDN-1")
    if event.signer not in event.body["keys"]:
        raise RuleError("the signer of a genesis is one of its keys", rule="IDN-1")
    if "name" not in event.body:
        raise RuleError("a genesis has a name", rule="IDN-1")
    if "dropped" in event.body:
        raise RuleError("a genesis drops no keys", rule="IDN-1")


@IDENTITY_RULES.rule("IDN-2")
def _later_event_follows(event: SignedObject) -> None:
    if event.is_genesis:
        return
    if event.event is not None or event.project is not None:
        raise RuleError("a later identity event has no event and no project", rule="IDN-2")
    if not 1 <= len(event.parents) <= limits.IDENTITY_PARENTS:
        raise RuleError(
            f"{len(event.parents)} parents; a later identity event has "
            f"1 to {limits.IDENTITY_PARENTS}",
            rule="IDN-2",
        )


@IDENTITY_RULES.rule("IDN-4")
def _name_stays(event: SignedObject) -> None:
    """A name in a later event could turn one known person into another."""
    if not event.is_genesis and "name" in event.body:
        raise RuleError("a later identity event has no name", rule="IDN-4")


@IDENTITY_RULES.rule("IDN-5")
def _keys_are_sets(event: SignedObject) -> None:
    keys: list[bytes] = event.body["keys"]
    if any(left >= right for left, right in pairwise(keys)):
        raise RuleError("keys are not sorted and unique", rule="IDN-5")
    commitments: list[bytes] = event.body["next"]
    if len(set(commitments)) < len(commitments):
        raise RuleError("the same commitment twice in next", rule="IDN-5")


@IDENTITY_RULES.rule("IDN-9")
def _dropped_keys_are_gone(event: SignedObject) -> None:
    """A key that is both kept and dropped would have two standings."""
    dropped: list[bytes] = [entry["key"] for entry in event.body.get("dropped", ())]
    if any(left >= right for left, right in pairwise(dropped)):
        raise RuleError("dropped keys are not sorted and unique", rule="IDN-9")
    if not set(dropped).isdisjoint(event.body["keys"]):
        raise RuleError("a dropped key is among keys", rule="IDN-9")


@IDENTITY_RULES.rule("IDN-8")
def _keys_are_sound(event: SignedObject) -> None:
    """Under a key outside the prime-order subgroup libraries disagree on what is signed [KEY-5]."""
    for key in {*event.body["keys"], event.signer}:
        if (problem := _problem_of_key(key)) is not None:
            raise RuleError(f"key {key.hex()}: {problem}", rule="IDN-8")


@lru_cache(maxsize=4096)
def _problem_of_key(key: bytes) -> str | None:
    # Up to 1 ms a key, and the same few keys come again and again.
    try:
        require_prime_order(key)
    except SignatureError as error:
        return f"{error.message} ({error.rule})"
    return None
