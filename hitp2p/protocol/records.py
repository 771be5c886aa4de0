"""Who a node is and where it is found: peer ids, addresses, address records [NET-20, NET-24]."""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from multiformats import multibase
from multiformats.multiaddr import Multiaddr

from hitp2p.dataclass import dataclass
from hitp2p.errors import DecodeError, InvalidError, RuleError, UsageError
from hitp2p.keys.ed25519 import check_public_key, verify
from hitp2p.limits import (
    NODE_ADDRESS_BYTES,
    NODE_RECORD_ADDRESSES,
    NODE_RECORD_AGE_MS,
    NODE_RECORD_AHEAD_MS,
    NODE_RECORD_BYTES,
)
from hitp2p.ports import Signer
from hitp2p.protocol.packing import pack, unpack

__all__ = [
    "ADDRESS_DOMAIN",
    "AddressRecord",
    "PeerAddress",
    "encode_address",
    "encode_peer_id",
    "parse_address",
    "parse_peer_id",
    "parse_record",
    "sign_record",
    "verify_record",
]

ADDRESS_DOMAIN: Final = b"hitp2p/address/1\0"
"""What stands in front of an address record when it is signed [KEY-6]."""
_PEER_ID: Final = b"\x00\x24\x08\x01\x12\x20"
_PEER_ID_CHARS: Final = 52
"""Every such peer id has as many, as all begin with the same six bytes; asked first, as base58 takes quadratic time."""
_HOSTS: Final = frozenset({"ip4", "ip6", "dns", "dns4", "dns6"})
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME: Final = re.compile(rf"(?:{_LABEL}\.)*(?=[a-z]){_LABEL}")
"""A host name; its last label begins with a letter, so that no resolver takes it for a number."""
_INT_MAX: Final = 2**63 - 1


# --- peer ids -----------------------------------------------------------------------------------
def encode_peer_id(key: bytes) -> str:
    """The peer id of a 32-byte node key, `12D3KooW...`; doesn't judge the key."""
    if len(key) != 32:
        raise UsageError(f"node key of {len(key)} bytes; must be 32")
    return multibase.encode("base58btc", _PEER_ID + key)[1:]


def parse_peer_id(text: str) -> bytes:
    """The node key that a peer id names, checked [NET-24].

    Raises:
        DecodeError: NET-24, for what is no such peer id or another spelling of one.
        SignatureError: KEY-2 or KEY-3, for a key that nobody may sign with.
    """
    raw = b""
    if len(text) == _PEER_ID_CHARS and text.isascii():
        try:
            raw = multibase.decode("z" + text)[1]
        except ValueError:
            raw = b""
    key = raw[len(_PEER_ID) :]
    if not raw.startswith(_PEER_ID) or len(key) != 32 or encode_peer_id(key) != text:
        raise DecodeError(
            f"{text[:_PEER_ID_CHARS]!a} is no peer id of an Ed25519 key; one looks like 12D3KooW... and has "
            f"{_PEER_ID_CHARS} characters",
            rule="NET-24",
        )
    return check_public_key(key)


# --- addresses ----------------------------------------------------------------------------------
class PeerAddress(NamedTuple):
    """An address, read."""

    key: bytes
    """The node key that must answer there."""
    text: str
    """As it is spelled: there is one spelling only."""
    host: str
    """An IP address or a name."""
    port: int


def encode_address(key: bytes, host: str, port: int) -> str:
    """The address of a node at a host: an IPv4 or IPv6 address, else a name.

    Raises:
        UsageError: it can't be said so.
    """
    last = host.rpartition(".")[2]
    kind = "ip6" if ":" in host else "ip4" if last.isdigit() else "dns"
    text = f"/{kind}/{host}/tcp/{port}/tls/p2p/{encode_peer_id(key)}"
    try:
        return parse_address(text).text
    except InvalidError as error:
        raise UsageError(f"no address of a node: {error}") from error


def parse_address(text: str) -> PeerAddress:
    """What an address names [NET-24].

    Raises:
        DecodeError: NET-24, for what is no address, or another spelling of one.
        SignatureError: KEY-2 or KEY-3, for a key that nobody may sign with.
    """
    if not text.isascii() or len(text) > NODE_ADDRESS_BYTES:
        raise _no_address(text)
    parts = text.split("/")
    if len(parts) != 8 or (parts[3], parts[5], parts[6]) != ("tcp", "tls", "p2p"):
        raise _no_address(text)
    kind, host, port = parts[1], parts[2], parts[4]
    if kind not in _HOSTS or port == "0" or _spelled(text) != text:
        raise _no_address(text)
    if not _NAME.fullmatch(host) if kind.startswith("dns") else "::ffff:" in host[:7]:
        raise _no_address(text)
    return PeerAddress(parse_peer_id(parts[7]), text, host, int(port))


def _spelled(text: str) -> str:
    """How the multiaddr of a text is spelled; empty where it is none."""
    try:
        return str(Multiaddr(text))
    except ValueError:
        return ""


def _no_address(text: str) -> DecodeError:
    return DecodeError(
        f"{text[:NODE_ADDRESS_BYTES]!a} is no address; one is spelled "
        f"/ip4|ip6|dns|dns4|dns6/HOST/tcp/PORT/tls/p2p/PEER and has at most {NODE_ADDRESS_BYTES} bytes",
        rule="NET-24",
    )


# --- records ------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class AddressRecord:
    """Where a node says that it is found."""

    key: bytes
    """Whose record it is: a node key."""
    sequence: int
    """When it was made, in milliseconds since 1970; of two records of a key the higher one holds."""
    addresses: tuple[str, ...]
    block: bytes
    """The record as it was signed; handed on as it is."""


def sign_record(signer: Signer, sequence: int, addresses: tuple[str, ...]) -> AddressRecord:
    """A node's own record, signed by its key [NET-20].

    Raises:
        UsageError: no record can say that.
    """
    said = [signer.public, sequence, list(addresses)]
    try:
        signature = signer.sign(ADDRESS_DOMAIN, pack(said))
        return parse_record(pack([*said, signature]))
    except (InvalidError, ValueError) as error:
        raise UsageError(f"no address record can say that: {error}") from error


def verify_record(block: bytes, *, now_ms: int) -> AddressRecord:
    """The record, if its key's holder signed it and it is of these days [NET-20].

    Args:
        block: as received.
        now_ms: milliseconds since 1970.

    Raises:
        InvalidError: NET-20, NET-24 or a KEY rule.
    """
    record = parse_record(block)
    if not -NODE_RECORD_AHEAD_MS <= now_ms - record.sequence <= NODE_RECORD_AGE_MS:
        raise RuleError(
            f"address record of {record.sequence}, read at {now_ms}; at most a day ahead and 14 days behind "
            "is allowed; compare the clocks",
            rule="NET-20",
        )
    *said, signature = unpack(block)
    verify(record.key, signature, ADDRESS_DOMAIN, pack(said))
    return record


def parse_record(block: bytes) -> AddressRecord:
    """The record, its shape checked but neither its signature nor its age; for what was verified before [NET-20]."""
    if len(block) > NODE_RECORD_BYTES:
        raise DecodeError(
            f"an address record of {len(block)} bytes; at most {NODE_RECORD_BYTES} allowed",
            rule="NET-20",
        )
    key, sequence, addresses = _fields(block)
    check_public_key(key)
    for text in addresses:
        if parse_address(text).key != key:
            raise RuleError(
                f"{text!a} names another key than its record; no node speaks for another",
                rule="NET-20",
            )
    return AddressRecord(key=key, sequence=sequence, addresses=addresses, block=bytes(block))


def _fields(block: bytes) -> tuple[bytes, int, tuple[str, ...]]:
    try:
        found: Any = unpack(block)
        is_shortest = pack(found) == block
    except ValueError as error:
        raise DecodeError("an address record that isn't msgpack", rule="NET-20") from error
    match found:
        case [bytes(key), int(sequence), [*texts], bytes(signature)] if is_shortest:
            addresses = tuple(text for text in texts if isinstance(text, str))
            if (
                len(key) == 32
                and len(signature) == 64
                and type(sequence) is int
                and 0 <= sequence <= _INT_MAX
                and len(addresses) == len(texts)
                and 1 <= len(addresses) <= NODE_RECORD_ADDRESSES
            ):
                return key, sequence, addresses
        case _:
            pass
    raise DecodeError(
        f"an address record is [key, sequence, 1 to {NODE_RECORD_ADDRESSES} addresses, signature] in the shortest "
        "forms of msgpack",
        rule="NET-20",
    )
