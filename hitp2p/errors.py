"""Every error of hitp2p, with its stable code and exit status.

One tree under `Hitp2pError`. The class says whose fault it is: `InvalidError` foreign bytes break a MUST,
`MissingBlocksError` we can't judge yet, `UsageError` the caller, `StoreError` and `PeerError` the world, `InternalError` us.
`code` is a stable word for programs; the message is for people: what was found, what is allowed, what to do.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from hitp2p.codec.cid import Cid

__all__ = [
    "AmbiguousNameError",
    "BackendError",
    "BackendFullError",
    "CorruptBlockError",
    "DecodeError",
    "Hitp2pError",
    "InternalError",
    "InvalidError",
    "KeyFileError",
    "LicenseError",
    "LostBlockError",
    "MissingBlocksError",
    "NewerVersionError",
    "NotFoundError",
    "PassphraseError",
    "PeerError",
    "ProtocolViolationError",
    "RuleError",
    "SignatureError",
    "StoreError",
    "StoreFullError",
    "UsageError",
]


class Hitp2pError(Exception):
    """Root of the tree; catch this to catch everything that hitp2p raises on purpose."""

    code: ClassVar[str] = "error"
    """Stable word for programs, also in `--json`."""
    exit_status: ClassVar[int] = 70
    """What the command line exits with."""


class InvalidError(Hitp2pError):
    """Foreign bytes break a MUST. The same bytes raise the same rule everywhere."""

    code = "invalid"
    exit_status = 30

    def __init__(
        self, message: str, *, rule: str, cid: Cid | None = None, offset: int | None = None
    ) -> None:
        self.rule = rule
        """Id of the rule in `spec/`, such as `OBJ-7`."""
        self.cid = cid
        """The block at fault, where known."""
        self.offset = offset
        """Byte offset in the input, where known."""
        self.message = message
        super().__init__(message)

    def __str__(self) -> str:
        where = "" if self.offset is None else f" at byte {self.offset}"
        what = "" if self.cid is None else f" in {self.cid}"
        return f"{self.message}{where}{what} [{self.rule}]"

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild_invalid, (type(self), self.message, self.rule, self.cid, self.offset))


def _rebuild_invalid(
    cls: type[InvalidError], message: str, rule: str, cid: Cid | None, offset: int | None
) -> InvalidError:
    return cls(message, rule=rule, cid=cid, offset=offset)


class DecodeError(InvalidError):
    """The bytes are not the canonical encoding of anything (rules ENC, CAR, MED)."""

    code = "decode"


class RuleError(InvalidError):
    """Well encoded, but a rule on shape or on the trail is broken (OBJ, KND, IDN, TRL, BND)."""

    code = "rule"


class SignatureError(InvalidError):
    """A signature or key fails the strict check (KEY)."""

    code = "signature"


class NewerVersionError(InvalidError):
    """The object says a format version that this program does not know (OBJ-3)."""

    code = "newer-version"


class MissingBlocksError(Hitp2pError):
    """Blocks that are needed for a judgement are not here; nothing is said about validity."""

    code = "missing-blocks"
    exit_status = 40

    def __init__(self, message: str, cids: Iterable[Cid]) -> None:
        self.cids: tuple[Cid, ...] = tuple(cids)
        """The blocks that are missing; at least one."""
        super().__init__(message)

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.args[0], self.cids))


class UsageError(Hitp2pError):
    """The caller asked for something that can't be done as asked."""

    code = "usage"
    exit_status = 2


class NotFoundError(UsageError):
    """What the caller named isn't here."""

    code = "not-found"


class AmbiguousNameError(UsageError):
    """A short name fits several objects."""

    code = "ambiguous-name"

    def __init__(self, message: str, cids: Iterable[Cid]) -> None:
        self.cids: tuple[Cid, ...] = tuple(cids)
        """Some of the objects that it fits, in CID order; at least two."""
        super().__init__(message)

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.args[0], self.cids))


class LicenseError(UsageError):
    """A source's licence doesn't allow what was to be signed, or can't be judged."""

    code = "license"


class UnlistedError(UsageError):
    """What was asked would tell the network of a project that is unlisted here."""

    code = "unlisted"


class PassphraseError(UsageError):
    """The passphrase doesn't open the key, or there is no way to ask for it."""

    code = "passphrase"


class KeyFileError(UsageError):
    """A key file is missing, malformed, or open to other users."""

    code = "key-file"


class StoreError(Hitp2pError):
    """The store could not do its work: disk, permission, lock, damage."""

    code = "store"
    exit_status = 74


class StoreFullError(StoreError):
    """No space left, or a quota is reached. Nothing was half-written."""

    code = "store-full"


class CorruptBlockError(StoreError):
    """A block in the store no longer hashes to its CID; its bytes are never returned."""

    code = "corrupt-block"

    def __init__(self, message: str, cid: Cid) -> None:
        self.cid = cid
        super().__init__(message)

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.args[0], self.cid))


class BackendError(StoreError):
    """A daemon behind the store is wrong, missing, slow or lying."""

    code = "backend"


class BackendFullError(BackendError, StoreFullError):
    """A daemon behind the store has no space left. Nothing was half-written."""

    code = "store-full"


class LostBlockError(CorruptBlockError, BackendError):
    """A daemon behind the store lost a block that it had pinned, or gives other bytes for it."""


class PeerError(Hitp2pError):
    """Another node could not be reached or broke off."""

    code = "peer"
    exit_status = 76


class ProtocolViolationError(PeerError):
    """Another node broke the protocol."""

    code = "protocol-violation"


class InternalError(Hitp2pError):
    """hitp2p itself is at fault; please report it."""

    code = "internal"
    exit_status = 70
