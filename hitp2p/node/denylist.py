"""Deny lists in the compact format of IPIP-383, `.deny` files that node operators share: what is on one is not carried.

A line names a CID (any CID of the same hash), a path below one, an IPNS name, or only a hash of these; `!` takes back what
lines before it say. The last line that fits decides. Lines that can't be read are reported, and the rest holds.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Final, NamedTuple
from urllib.parse import unquote

from multiformats import multibase

from hitp2p.codec.cid import DAG_PB, Cid
from hitp2p.codec.varint import encode_varint, parse_varint
from hitp2p.dataclass import dataclass, field
from hitp2p.errors import DecodeError, UsageError

__all__ = ["DenyFault", "DenyList", "DenyRule", "parse_denylist"]

HEADER_BYTES: Final = 1024 * 1024
"""A header ends before this many bytes, or there is none."""
LINE_BYTES: Final = 2 * 1024 * 1024
"""Longest line, with its end."""
_NAME_CHARS: Final = 128
"""No name of a block or key is longer; asked first, because base58 takes quadratic time."""
_END_OF_HEADER: Final = re.compile(r"^---[ \t\r]*$", re.MULTILINE)
_FIELD: Final = re.compile(r"([A-Za-z_][\w.-]*):(?:[ \t]+(.*))?")
_HEX_HASH: Final = re.compile("[0-9a-f]{64}")
_HASHES: Final[dict[int, Callable[[bytes], bytes]]] = {
    0x11: lambda data: hashlib.sha1(data, usedforsecurity=False).digest(),
    0x12: lambda data: sha256(data).digest(),
    0x13: lambda data: hashlib.sha512(data).digest(),
    0x14: lambda data: hashlib.sha3_512(data).digest(),
    0x16: lambda data: hashlib.sha3_256(data).digest(),
    0xB220: lambda data: hashlib.blake2b(data, digest_size=32).digest(),
}
"""Hash functions of double hashes, by their multihash code."""
_LEGACY: Final = -1
"""Stands for the code of a hash over a CID as text instead of its multihash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DenyRule:
    """One line of a list."""

    line: int
    """Its number, from 1."""
    text: str
    """The rule as it stands there, without its hints."""
    is_allow: bool
    """Whether it takes back what lines before it say."""
    path: str
    """Below the block or name, decoded, without slashes around it; empty for itself."""
    is_prefix: bool
    """Whether it is for all paths that begin so."""
    hints: tuple[tuple[str, str], ...] = ()
    """What the list tells programs about it, such as a status for gateways."""

    def fits(self, path: str) -> bool:
        """Whether it speaks of a path."""
        return path.startswith(self.path) if self.is_prefix else path == self.path


class DenyFault(NamedTuple):
    """A line that isn't held to."""

    line: int
    message: str


_Key = tuple[int, bytes]
"""A hash function (0: none) and what it gave."""


@dataclass(slots=True, kw_only=True)
class DenyList:
    """A list, ready to be asked. Don't change it."""

    name: str = ""
    description: str = ""
    author: str = ""
    hints: dict[str, str] = field(default_factory=dict[str, str])
    """For every rule that has none of the same name."""
    faults: tuple[DenyFault, ...] = ()
    n_rules: int = 0
    rules: dict[_Key, list[DenyRule]] = field(default_factory=dict[_Key, list[DenyRule]])
    """By what they name."""
    functions: set[int] = field(default_factory=set[int])
    """Hash functions of the double hashes."""

    def find(self, cid: Cid, path: str = "") -> DenyRule | None:
        """The rule that blocks a block, or a path below it; None where none does."""
        return _unless_allowed(self.decide(cid, path))

    def decide(self, cid: Cid, path: str = "") -> DenyRule | None:
        """The last rule that speaks of a block, or a path below it; it may be one that allows it."""
        keys: list[_Key] = [(0, _multihash(cid))]
        if self.functions:
            keys.extend(self._hashed(_base58(_multihash(cid)), path))
            if _LEGACY in self.functions:
                legacy = f"{_version_1(cid)}/{path.strip('/')}"
                keys.append((_LEGACY, sha256(legacy.encode()).digest()))
        return self._last(keys, path.strip("/"))

    def find_name(self, name: str, path: str = "") -> DenyRule | None:
        """The rule that blocks an IPNS name: a key in any spelling, or a domain; None where none does."""
        key = _parse_multihash(name)
        found: list[_Key] = []
        for text in [name] if key else _domains(name):
            hashed = f"/ipns/{text}" if key is None else _base58(key)
            found.append((0, b"/ipns/" + (key or text.lower().encode())))
            found.extend(self._hashed(hashed, path))
            if _LEGACY in self.functions:
                found.append((_LEGACY, sha256(f"{text}/{path.strip('/')}".encode()).digest()))
        return _unless_allowed(self._last(found, path.strip("/")))

    def _hashed(self, text: str, path: str) -> Iterator[_Key]:
        whole = f"{text}/{path.strip('/')}".rstrip("/").encode()
        for code in self.functions - {_LEGACY}:
            yield code, _HASHES[code](whole)

    def _last(self, keys: list[_Key], path: str) -> DenyRule | None:
        """A double hash is of block and path together, so its rule fits whatever the path."""
        fitting = [
            rule
            for key in keys
            for rule in self.rules.get(key, ())
            if key[0] != 0 or rule.fits(path)
        ]
        return max(fitting, key=lambda rule: rule.line, default=None)


def _unless_allowed(rule: DenyRule | None) -> DenyRule | None:
    return None if rule is None or rule.is_allow else rule


# --- reading --------------------------------------------------------------------------------------
def parse_denylist(text: str) -> DenyList:
    """A list from the text of its file.

    Raises:
        UsageError: its header can't be read, or is of another version.
    """
    found = DenyList()
    start = _parse_header(text, found)
    first = text.count("\n", 0, start) + 1
    faults: list[DenyFault] = []
    for number, line in enumerate(text[start:].split("\n"), first):
        item = line.strip()
        if not item or item.startswith("#"):
            continue
        try:
            _add_rule(found, number, item)
        except ValueError as error:
            faults.append(DenyFault(number, str(error)))
    found.faults = tuple(faults)
    return found


def _parse_header(text: str, found: DenyList) -> int:
    """Read the header into `found`; where the rules begin."""
    end = _END_OF_HEADER.search(text, 0, HEADER_BYTES)
    if end is None or len(text[: end.start()].encode()) > HEADER_BYTES:
        return 0
    section = ""
    for number, line in enumerate(text[: end.start()].splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _FIELD.fullmatch(line.strip())
        is_inside = line[0].isspace()
        if is_inside and section != "hints":
            continue  # of a field that means nothing here, or the rest of a long text
        if match is None:
            raise UsageError(f"line {number} of the list's header is no `name: value`: {line!a}")
        name, value = match[1], _unquote_yaml(match[2] or "")
        if is_inside:
            found.hints[name] = value
            continue
        section = name
        if name == "version" and value != "1":
            raise UsageError(f"a deny list of version {value!a}; this program knows version 1")
        if name in ("name", "description", "author"):
            setattr(found, name, value)
    return end.end()


def _unquote_yaml(value: str) -> str:
    value = value.strip()
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" else value


def _add_rule(found: DenyList, number: int, item: str) -> None:
    """Take one rule in.

    Raises:
        ValueError: it can't be read, or this program can't hold to it.
    """
    if len(item.encode()) > LINE_BYTES:
        raise ValueError(f"a line of more than {LINE_BYTES:,} bytes")
    rule_text, *hints = item.split()
    body = rule_text.removeprefix("!")
    keys, path = _parse_item(body)
    is_prefix = path.endswith("*")
    if is_prefix:
        path = path[:-1]
    rule = DenyRule(
        line=number,
        text=rule_text,
        is_allow=rule_text.startswith("!"),
        path=unquote(path).strip("/"),
        is_prefix=is_prefix,
        hints=tuple((name, value) for name, _, value in (hint.partition(":") for hint in hints)),
    )
    for key in keys:
        found.rules.setdefault(key, []).append(rule)
        if key[0]:
            found.functions.add(key[0])
    found.n_rules += 1


def _parse_item(body: str) -> tuple[list[_Key], str]:
    """What a rule names, and the path as it stands there."""
    if body.startswith("//"):
        return _parse_double_hash(body[2:]), ""
    _, namespace, name, path = (*body.split("/", 3), "", "", "")[:4]
    if namespace not in ("ipfs", "ipns") or not name or not body.startswith("/"):
        raise ValueError(f"{body!a} is neither /ipfs/CID, /ipns/NAME nor //HASH")
    key = _parse_multihash(name)
    if namespace == "ipns":
        return [(0, b"/ipns/" + (key or name.lower().encode()))], path
    if key is None:
        raise ValueError(f"{name!a} is no CID")
    return [(0, key)], path


def _parse_double_hash(text: str) -> list[_Key]:
    """A base58 multihash, or 64 hexadecimal digits; what can be read as both, is both."""
    keys: list[_Key] = []
    if _HEX_HASH.fullmatch(text):
        keys.append((_LEGACY, bytes.fromhex(text)))
    raw = _parse_base58(text)
    split = None if raw is None else _split_multihash(raw)
    if split is not None:
        code, digest = split
        if code in _HASHES:
            keys.append((code, digest))
        elif not keys:
            raise ValueError(
                f"a double hash by function {code:#x}, which this program doesn't know"
            )
    if not keys:
        raise ValueError(f"{text!a} is no double hash")
    return keys


# --- names of blocks ------------------------------------------------------------------------------
def _multihash(cid: Cid) -> bytes:
    digest = cid.digest
    return encode_varint(cid.hash_code) + encode_varint(len(digest)) + digest


def _version_1(cid: Cid) -> Cid:
    return Cid.from_bytes(b"\x01" + encode_varint(DAG_PB) + bytes(cid)) if cid.version == 0 else cid


def _parse_multihash(text: str) -> bytes | None:
    """The multihash that a CID in any base, or a multihash in base58, spells; None for other text."""
    if len(text) > _NAME_CHARS:
        return None
    raw = _parse_base58(text)
    if raw is not None and _split_multihash(raw) is not None:
        return raw
    try:
        cid = Cid.from_bytes(multibase.decode(text)[1])
    except (ValueError, KeyError, DecodeError):
        return None
    return _multihash(cid)


def _split_multihash(raw: bytes) -> tuple[int, bytes] | None:
    try:
        code, offset = parse_varint(raw, 0, rule="ENC-14")
        length, offset = parse_varint(raw, offset, rule="ENC-14")
    except DecodeError:
        return None
    digest = raw[offset:]
    return (code, digest) if len(digest) == length >= 16 else None


def _parse_base58(text: str) -> bytes | None:
    if not text or len(text) > _NAME_CHARS:
        return None
    try:
        return multibase.decode("z" + text)[1]
    except (ValueError, KeyError):
        return None


def _base58(raw: bytes) -> str:
    return multibase.encode("base58btc", raw)[1:]


def _domains(name: str) -> Iterator[str]:
    """A domain, and what it stands for where it is a single label, as in the host names of gateways."""
    yield name
    if "." not in name:
        yield name.replace("--", "\0").replace("-", ".").replace("\0", "-")
