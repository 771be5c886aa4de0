"""`Cid`: the name of a block, in its one canonical spelling [ENC-14..16].

A thin type over py-multiformats, which reads many spellings of one CID (bytes after the digest, `/ipfs/` paths, upper
case, varints past 64 bits). Here a CID is its canonical bytes: whatever doesn't print back to exactly what was read is
refused. The 36-byte form of nearly every CID is recognised without the library, because it has no second spelling.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from operator import attrgetter
from typing import Final, NoReturn, final

from hitp2p.codec.varint import encode_varint, parse_varint
from hitp2p.errors import DecodeError

_CLASH: Final = (
    "The package `multiformats` on this path is not py-multiformats, which hitp2p needs. Two packages "
    "on PyPI, `multiformats` and `py-multiformats`, install into the same folder, and the first has "
    "overwritten the second (often brought in by dag-cbor, ipld-car or another package that depends "
    "on it; keep those in another environment). To repair:\n"
    "    pip uninstall -y multiformats\n"
    "    pip install --force-reinstall --no-deps py-multiformats"
)

try:
    from multiformats import MultiformatsError
    from multiformats.cid import CID as _LibraryCid  # noqa: N811
except ModuleNotFoundError as error:
    if error.name == "multiformats":
        raise ImportError(
            "hitp2p needs py-multiformats: pip install py-multiformats", name="multiformats"
        ) from None
    raise ImportError(_CLASH, name="multiformats") from None
except ImportError:
    raise ImportError(_CLASH, name="multiformats") from None
if not (hasattr(_LibraryCid, "from_bytes") and hasattr(_LibraryCid, "to_bytes")):
    raise ImportError(_CLASH, name="multiformats")

__all__ = [
    "DAG_CBOR",
    "DAG_PB",
    "LINK_BYTES",
    "LINK_PREFIXES",
    "OBJECT_CID_HEAD",
    "OBJECT_CID_START",
    "RAW",
    "SHA2_256",
    "Cid",
    "new_link",
    "raw_bytes",
    "recent_link",
]

OBJECT_CID_START: Final = "bafyrei"
"""How the text of every signed object's CID begins: version, codec and hash are always the same [OBJ-11]."""
DAG_CBOR: Final = 0x71
"""Codec of signed objects, list pages and snapshot pages."""
RAW: Final = 0x55
"""Codec of plain bytes: leaves of files, texts."""
DAG_PB: Final = 0x70
"""Codec of the inner nodes of files and of folders."""
SHA2_256: Final = 0x12
"""The one hash code of the object profile."""

OBJECT_CID_HEAD: Final = bytes((1, DAG_CBOR, SHA2_256, 32))
"""The same start in bytes."""
LINK_BYTES: Final = 36
"""Length of a CID that the object profile allows [ENC-16]."""
LINK_PREFIXES: Final = frozenset(
    bytes((1, codec, SHA2_256, 32)) for codec in (DAG_CBOR, RAW, DAG_PB)
)
"""First four bytes of the CIDs that the object profile allows [ENC-16]."""

_DIGEST_BYTES: Final = 64
"""Longest digest that a CID may hold [ENC-14]."""
_CID_BYTES: Final = 4 * 9 + _DIGEST_BYTES
"""No canonical CID is longer."""
_CID_CHARS: Final = 1 + -(-_CID_BYTES * 8 // 5)
"""No CID as text is longer. Asked first, because base58 takes time quadratic in the length."""


@final
class Cid:
    """A canonical CID. Immutable; equal, hashed and ordered by its bytes, which `bytes(cid)` gives."""

    __slots__ = ("_raw",)
    _raw: bytes

    def __init__(self) -> None:
        raise TypeError("make a Cid with Cid.from_bytes, Cid.parse or Cid.of")

    @staticmethod
    def from_bytes(raw: bytes) -> Cid:
        """The CID that `raw` spells, all of it.

        Raises:
            DecodeError: ENC-14, for bytes that are no CID, not its canonical spelling, or more than it.
        """
        raw = bytes(raw)
        if len(raw) == LINK_BYTES and raw[:4] in LINK_PREFIXES:
            return new_link(raw)
        cid, end = Cid.parse_prefix(raw)
        if end != len(raw):
            raise DecodeError(
                f"{len(raw) - end} bytes after the digest of a CID", rule="ENC-14", offset=end
            )
        return cid

    @staticmethod
    def parse_prefix(data: bytes, offset: int = 0) -> tuple[Cid, int]:
        """The CID that stands at `offset`, and the offset after it; for formats that put bytes behind a CID.

        Raises:
            DecodeError: ENC-14, as `from_bytes`.
        """
        head = bytes(data[offset : offset + _CID_BYTES])
        if head[:4] in LINK_PREFIXES and len(head) >= LINK_BYTES:
            return new_link(head[:LINK_BYTES]), offset + LINK_BYTES
        try:
            raw = _LibraryCid.from_bytes(head).to_bytes()
        except MultiformatsError as error:
            raise DecodeError(f"not a CID: {error}", rule="ENC-14", offset=offset) from None
        if not head.startswith(raw):
            raise DecodeError(
                "a CID that isn't in its canonical form", rule="ENC-14", offset=offset
            )
        cid = new_link(raw)
        cid._fields()  # The library reads varints of ten bytes; these raise here.
        return cid, offset + len(raw)

    @staticmethod
    def parse(text: str) -> Cid:
        """The CID that `text` spells: base32 for version 1, base58btc for version 0, nothing around it.

        Raises:
            DecodeError: ENC-15, for text that is no CID or another spelling of one.
        """
        if len(text) > _CID_CHARS:
            raise DecodeError(
                f"{len(text)} characters; a CID has at most {_CID_CHARS}", rule="ENC-15"
            )
        try:
            spelled = _LibraryCid.decode(text)
            cid = Cid.from_bytes(spelled.to_bytes())
        except (MultiformatsError, UnicodeEncodeError, DecodeError):
            raise DecodeError(f"not a CID: {text!a}", rule="ENC-15") from None
        if str(spelled) != text:
            raise DecodeError(
                f"{text!a} isn't the canonical spelling of a CID; that would be {cid}",
                rule="ENC-15",
            )
        return cid

    @staticmethod
    def of(codec: int, block: bytes) -> Cid:
        """Name a block: the CIDv1 with this codec and the block's sha2-256."""
        head = _HEADS.get(codec) or b"\x01" + encode_varint(codec) + b"\x12\x20"
        return new_link(head + sha256(block).digest())

    @property
    def version(self) -> int:
        """0 or 1."""
        return 0 if self._raw[0] == SHA2_256 else 1

    @property
    def codec(self) -> int:
        """What the block holds, such as `DAG_CBOR`."""
        return self._fields()[0]

    @property
    def hash_code(self) -> int:
        """Which hash function names the block, such as `SHA2_256`."""
        return self._fields()[1]

    @property
    def digest(self) -> bytes:
        """The hash of the block, at most 64 bytes; it may be cut short, but not for an object link."""
        return self._fields()[2]

    def _fields(self) -> tuple[int, int, bytes]:
        """Codec, hash code, digest."""
        raw = self._raw
        if raw[0] == SHA2_256:
            return DAG_PB, SHA2_256, raw[2:]
        if raw[:4] in LINK_PREFIXES:
            return raw[1], SHA2_256, raw[4:]
        codec, offset = parse_varint(raw, 1, rule="ENC-14")
        hash_code, offset = parse_varint(raw, offset, rule="ENC-14")
        _, offset = parse_varint(raw, offset, rule="ENC-14")
        return codec, hash_code, raw[offset:]

    def require_object_link(self) -> Cid:
        """The same CID, if the object profile allows it.

        Raises:
            DecodeError: ENC-16.
        """
        raw = self._raw
        if raw[:4] in LINK_PREFIXES and len(raw) == LINK_BYTES:
            return self
        codec, hash_code, digest = self._fields()
        raise DecodeError(
            f"CIDv{self.version} with codec {codec:#x} and hash {hash_code:#x} of {len(digest)} bytes; "
            "only CIDv1 with dag-cbor, raw or dag-pb and sha2-256 of 32 bytes allowed",
            rule="ENC-16",
            cid=self,
        )

    def __bytes__(self) -> bytes:
        return self._raw

    def __str__(self) -> str:
        return _text(self._raw)

    def __repr__(self) -> str:
        return f"Cid({str(self)!r})"

    def __hash__(self) -> int:
        return hash(self._raw)

    def __eq__(self, other: object) -> bool:
        return self._raw == other._raw if type(other) is Cid else NotImplemented

    def __lt__(self, other: Cid) -> bool:
        return self._raw < other._raw if type(other) is Cid else NotImplemented

    def __le__(self, other: Cid) -> bool:
        return self._raw <= other._raw if type(other) is Cid else NotImplemented

    def __gt__(self, other: Cid) -> bool:
        return self._raw > other._raw if type(other) is Cid else NotImplemented

    def __ge__(self, other: Cid) -> bool:
        return self._raw >= other._raw if type(other) is Cid else NotImplemented

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a Cid never changes")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("a Cid never changes")

    def __reduce__(self) -> tuple[object, ...]:
        return (Cid.from_bytes, (self._raw,))


@lru_cache(maxsize=1024)  # A trail names the same few works as parents, and by their texts as uses.
def _text(raw: bytes) -> str:
    return str(_LibraryCid.from_bytes(raw))


_HEADS: Final = {prefix[1]: prefix for prefix in LINK_PREFIXES}
_new = object.__new__
_set_raw = Cid.__dict__["_raw"].__set__
raw_bytes: Final[Callable[[Cid], bytes]] = attrgetter("_raw")
"""`bytes(cid)`, three times as fast."""


def new_link(raw: bytes) -> Cid:
    """A `Cid` of bytes that the caller knows to be canonical; nothing is checked. For this package only."""
    cid = _new(Cid)
    _set_raw(cid, raw)
    return cid


recent_link: Final[Callable[[bytes], Cid]] = lru_cache(maxsize=4096)(new_link)
"""As `new_link`, for links that come again and again, such as an author: one `Cid` for all, in a third of the time."""
