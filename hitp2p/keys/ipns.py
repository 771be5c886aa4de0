"""IPNS: a name that is a public key, and the record in which its holder says what it points to now [IPN-1 to IPN-7].

A record is a claim of the key's holder and proves nothing about what it leads to. Times are texts in UTC, which compare as
they stand, so no calendar is needed here.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NoReturn, cast

from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.codec.dagcbor import Value, decode, encode
from hitp2p.codec.protobuf import encode_bytes, encode_number, iter_fields, unexpected_field
from hitp2p.dataclass import dataclass
from hitp2p.errors import DecodeError, RuleError, SignatureError, UsageError
from hitp2p.keys.ed25519 import check_public_key, check_signature, default_backend
from hitp2p.limits import INT_MAX, IPNS_RECORD_BYTES
from hitp2p.ports import Signer

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = [
    "NAME_DOMAIN",
    "NameKey",
    "NameRecord",
    "encode_name",
    "encode_record",
    "parse_name",
    "verify_record",
]

NAME_DOMAIN: Final = b"hitp2p/ipns-name/1\0"
"""What stands in front of a project's CID when a name's key is derived [IPN-7]."""
_SIGNED: Final = b"ipns-signature:"
_PUBLIC: Final = b"\x08\x01\x12\x20"
"""How libp2p spells an Ed25519 public key: these bytes, then the key."""
_NAME: Final = b"\x01\x72\x00\x24" + _PUBLIC
"""How the CID of every such name begins."""
_NAME_CHARS: Final = 62
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_PATH: Final = "/ipfs/"
_TIME: Final = re.compile(
    r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?Z"
)
_SECONDS: Final = 19
"""Characters of a time up to its seconds."""

_VALUE, _SIGNATURE_1, _VALIDITY_TYPE, _VALIDITY = 0x0A, 0x12, 0x18, 0x22
_SEQUENCE, _TTL, _PUBLIC_KEY, _SIGNATURE_2, _DATA = 0x28, 0x30, 0x3A, 0x42, 0x4A
_KEYS: Final = frozenset((
    _VALUE, _SIGNATURE_1, _VALIDITY_TYPE, _VALIDITY, _SEQUENCE, _TTL, _PUBLIC_KEY, _SIGNATURE_2, _DATA,
))  # fmt: skip
_SAID_TWICE: Final = {
    _VALUE: "Value",
    _VALIDITY_TYPE: "ValidityType",
    _VALIDITY: "Validity",
    _SEQUENCE: "Sequence",
    _TTL: "TTL",
}
"""Fields of the first version of records, and where data says the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NameRecord:
    """What a record says."""

    value: Cid
    """What the name points to."""
    sequence: int
    """Of two records of a name, the one with the higher number counts [IPN-6]."""
    valid_until: str
    """When it ends, as it is spelled: a time in UTC such as `2027-01-01T00:00:00Z`."""
    ttl_ns: int
    """How long a resolver may keep it before it asks again, in nanoseconds."""


class NameKey:
    """The private key of a name: signs records, and nothing else. Immutable."""

    __slots__ = ("_private", "public")

    _private: Ed25519PrivateKey
    public: bytes
    """The 32-byte public key, which is the name."""

    def __init__(self) -> None:
        raise TypeError("use NameKey.derive")

    @classmethod
    def derive(cls, signer: Signer, project: Cid) -> NameKey:
        """The key with which the holder of `signer` names a project; the same each time [IPN-7].

        Raises:
            UsageError: the signer doesn't sign the same way twice, so its names would be lost.
        """
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        message = bytes(project)
        signature = signer.sign(NAME_DOMAIN, message)
        if signer.sign(NAME_DOMAIN, message) != signature:
            raise UsageError(
                "this signer gives another signature each time, so no name can be derived from it [IPN-7]; "
                "use a key that signs as RFC 8032 says"
            )
        key = object.__new__(cls)
        seed = sha256(signature).digest()
        key._private = Ed25519PrivateKey.from_private_bytes(seed)
        key.public = key._private.public_key().public_bytes_raw()
        return key

    @property
    def name(self) -> str:
        """The name as text."""
        return encode_name(self.public)

    def sign(self, data: bytes) -> bytes:
        """The signature of a record over its data [IPN-4]."""
        return self._private.sign(_SIGNED + data)

    def sign_v1(self, value: bytes, validity: bytes) -> bytes:
        """The signature of the first version, which begins with `/ipfs/`."""
        return self._private.sign(value + validity + b"EOL")

    def __repr__(self) -> str:
        return f"<NameKey of {self.name}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a private key is neither pickled nor copied; derive it again")


# --- names --------------------------------------------------------------------------------------
def encode_name(public: bytes) -> str:
    """The name of a 32-byte public key, as text; doesn't judge the key [IPN-1]."""
    number, text = int.from_bytes(_NAME + public, "big"), ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return f"k{text}"


def parse_name(text: str) -> bytes:
    """The public key of a name, checked [IPN-1].

    Raises:
        DecodeError: IPN-1, for what is no such name or another spelling of one.
        SignatureError: KEY-2 or KEY-3, for a key that nobody may sign with.
    """
    raw = b""
    if len(text) == _NAME_CHARS and text.isascii() and text.isalnum() and text[0] == "k":
        raw = int(text[1:], 36).to_bytes(len(_NAME) + 32, "big")
    public = raw[len(_NAME) :]
    if not raw.startswith(_NAME) or encode_name(public) != text:
        raise DecodeError(
            f"{text[:_NAME_CHARS]!a} is no IPNS name of an Ed25519 key; one looks like k51qzi5uqu5d... and has "
            f"{_NAME_CHARS} characters",
            rule="IPN-1",
        )
    return check_public_key(public)


# --- records ------------------------------------------------------------------------------------
def encode_record(record: NameRecord, key: NameKey) -> bytes:
    """The record, signed [IPN-2 to IPN-4].

    Raises:
        UsageError: it says what no record may say.
    """
    value, validity = f"{_PATH}{record.value}".encode(), record.valid_until.encode()
    data = encode(
        {
            "TTL": record.ttl_ns,
            "Value": value,
            "Sequence": record.sequence,
            "Validity": validity,
            "ValidityType": 0,
        }
    )
    try:
        _record_in(data)
    except RuleError as error:
        raise UsageError(f"no record can say that: {error}") from error
    return b"".join(
        (
            encode_bytes(_VALUE, value),
            encode_bytes(_SIGNATURE_1, key.sign_v1(value, validity)),
            encode_number(_VALIDITY_TYPE, 0),
            encode_bytes(_VALIDITY, validity),
            encode_number(_SEQUENCE, record.sequence),
            encode_number(_TTL, record.ttl_ns),
            encode_bytes(_SIGNATURE_2, key.sign(data)),
            encode_bytes(_DATA, data),
        )
    )


def verify_record(raw: bytes, public: bytes, *, now: str | None) -> NameRecord:
    """What a record of a name says, if its key's holder signed it and it holds at a time.

    Args:
        raw: the record, as received.
        public: the key of the name, as `parse_name` gives it.
        now: the time in UTC, spelled as in a record; None for who wants to know what an old record said.

    Raises:
        InvalidError: what is broken, by IPN-2 to IPN-5, a KEY rule or an ENC rule.
    """
    fields = _parse_fields(raw)
    data, signature = fields.get(_DATA), fields.get(_SIGNATURE_2)
    if type(data) is not bytes or type(signature) is not bytes:
        raise DecodeError("a record without data or signatureV2", rule="IPN-2")
    if fields.get(_PUBLIC_KEY, _PUBLIC + public) != _PUBLIC + public:
        raise DecodeError("pubKey of the record is another than the key of the name", rule="IPN-2")
    said = _map_in(data)
    for key, name in _SAID_TWICE.items():
        if key in fields and fields[key] != said.get(name):
            raise DecodeError(f"field {key >> 3} is not {name} of data", rule="IPN-2")
    check_signature(public, signature)
    if not default_backend()(public, signature, _SIGNED + data):
        raise SignatureError("the record isn't signed by the key of the name", rule="IPN-4")
    record = _record_in(data)
    if now is not None and record.valid_until[:_SECONDS] <= now[:_SECONDS]:
        raise RuleError(
            f"the record ended at {record.valid_until}; its publisher has to publish again",
            rule="IPN-5",
        )
    return record


def _parse_fields(raw: bytes) -> dict[int, int | bytes]:
    """Numbers and byte strings by their keys [IPN-2]."""
    if len(raw) > IPNS_RECORD_BYTES:
        raise DecodeError(
            f"a record of {len(raw)} bytes; at most {IPNS_RECORD_BYTES} allowed", rule="IPN-2"
        )
    found: dict[int, int | bytes] = {}
    last = 0
    for field in iter_fields(raw, 0, len(raw), rule="IPN-2"):
        if field.key not in _KEYS or field.key <= last:
            raise unexpected_field(field, rule="IPN-2")
        last = field.key
        is_bytes = field.key & 7 == 2
        found[field.key] = bytes(raw[field.start : field.stop]) if is_bytes else field.value
    return found


def _map_in(data: bytes) -> dict[str, Value]:
    found = decode(data)
    if not isinstance(found, dict):
        raise RuleError("data of the record is no map", rule="IPN-3")
    return found


def _record_in(data: bytes) -> NameRecord:
    """What data says [IPN-3]."""
    said = _map_in(data)
    kind, validity = said.get("ValidityType"), said.get("Validity")
    if type(kind) is not int or kind != 0:
        raise RuleError(f"ValidityType {kind!r:.40}; only 0, an end, is allowed", rule="IPN-3")
    text = validity.decode("latin-1") if type(validity) is bytes else ""
    if not _TIME.fullmatch(text):
        raise RuleError(
            f"Validity {validity!r:.40}; a time in UTC such as 2027-01-01T00:00:00Z is allowed",
            rule="IPN-3",
        )
    for name in ("Sequence", "TTL"):
        if type(number := said.get(name)) is not int or not 0 <= number <= INT_MAX:
            raise RuleError(f"{name} {number!r:.40}; integers from 0 are allowed", rule="IPN-3")
    return NameRecord(
        value=_target(said.get("Value")),
        sequence=cast(int, said["Sequence"]),
        valid_until=text,
        ttl_ns=cast(int, said["TTL"]),
    )


def _target(value: Value) -> Cid:
    try:
        if type(value) is bytes and value.startswith(_PATH.encode()):
            cid = Cid.parse(value[len(_PATH) :].decode("latin-1")).require_object_link()
            if cid.codec == DAG_CBOR:
                return cid
    except DecodeError:
        pass
    raise RuleError(
        f"Value {value!r:.80}; only /ipfs/ and the CID of a block of dag-cbor, as a snapshot is, allowed",
        rule="IPN-3",
    )
