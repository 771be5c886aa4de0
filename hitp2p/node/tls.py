"""TLS 1.3 between nodes: both show a certificate, and the key in it is who they are [NET-3].

Theory of operation. Python's `ssl` asks a client for a certificate only together with authorities that must have signed it. So
there is the open authority, whose private key everybody can make from a published seed: what it signed proves nothing. The
handshake proves that the other side holds the key of its certificate; who that is, is this key and nothing else. Whoever
dials compares it with the one that was meant; whoever is dialled takes the other side for the owner of this key.

A certificate is a function of the node key: no clock, no chance. Its dates span all of time, as clocks may be off by years.
"""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, cast

import trio
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from hitp2p.dataclass import dataclass
from hitp2p.errors import PeerError, SignatureError
from hitp2p.keys.ed25519 import check_public_key
from hitp2p.node.key import NodeKey, encode_node_key
from hitp2p.protocol.records import encode_peer_id

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "ALPN",
    "AUTHORITY_NAME",
    "TlsContexts",
    "TlsStream",
    "make_contexts",
    "node_certificate",
    "open_authority",
    "secure",
]

if TYPE_CHECKING:
    TlsStream = trio.SSLStream[trio.abc.Stream]
else:
    TlsStream = trio.SSLStream
"""A stream inside TLS."""
ALPN: Final = "hitp2p/1"
"""What both sides say they speak."""
AUTHORITY_NAME: Final = "hitp2p open authority"
"""Common name of who signs the certificates."""
_AUTHORITY_SEED: Final = sha256(b"hitp2p open authority 1").digest()
"""Published, so that a signature of the open authority proves nothing at all [NET-3]."""
_FROM: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TO: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""The end of time, as RFC 5280 writes it."""
_SERIAL_BYTES: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsContexts:
    """How a node speaks TLS, from either side."""

    server: ssl.SSLContext
    client: ssl.SSLContext


@cache
def open_authority() -> x509.Certificate:
    """The certificate of the open authority; the same bytes everywhere."""
    key = Ed25519PrivateKey.from_private_bytes(_AUTHORITY_SEED)
    usage = _usage(key_cert_sign=True, crl_sign=True)
    return (
        _builder(AUTHORITY_NAME, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, None)
    )


def node_certificate(public: bytes) -> x509.Certificate:
    """The certificate of a node key, signed by the open authority; the same bytes whoever makes it."""
    authority = Ed25519PrivateKey.from_private_bytes(_AUTHORITY_SEED)
    named = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key())
    return (
        _builder(encode_peer_id(public), Ed25519PublicKey.from_public_bytes(public))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(named, critical=False)
        .sign(authority, None)
    )


def _builder(name: str, key: Ed25519PublicKey) -> x509.CertificateBuilder:
    serial = sha256(key.public_bytes_raw()).digest()[:_SERIAL_BYTES]
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(AUTHORITY_NAME))
        .public_key(key)
        .serial_number(int.from_bytes(serial) >> 1)  # positive
        .not_valid_before(_FROM)
        .not_valid_after(_TO)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _usage(**uses: bool) -> x509.KeyUsage:
    names = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
        "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{name: uses.get(name, False) for name in names})


def make_contexts(key: NodeKey, folder: Path) -> TlsContexts:
    """How the node of this key speaks TLS.

    Args:
        key: of the node.
        folder: only its owner may read it. The key lies there for a moment, as `ssl` reads it from files alone.

    Raises:
        OSError: the folder can't be written.
    """
    with TemporaryDirectory(dir=folder, prefix=".tls-") as place:  # of mode 0700
        path = Path(place) / "both.pem"
        path.write_bytes(
            encode_node_key(key) + node_certificate(key.public).public_bytes(Encoding.PEM)
        )
        server = _context(ssl.PROTOCOL_TLS_SERVER, path)
        server.num_tickets = 0  # so that nobody can resume a session
        return TlsContexts(server=server, client=_context(ssl.PROTOCOL_TLS_CLIENT, path))


def _context(protocol: int, path: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False  # names say nothing here
    context.verify_mode = ssl.CERT_REQUIRED
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_COMPRESSION
    context.load_verify_locations(cadata=open_authority().public_bytes(Encoding.DER))
    context.load_cert_chain(path)
    context.set_alpn_protocols([ALPN])
    return context


async def secure(
    stream: trio.abc.Stream, context: ssl.SSLContext, *, dialled: bytes | None
) -> tuple[TlsStream, bytes]:
    """Shake hands; the stream inside TLS, and the other side's node key, checked [NET-3].

    The caller bounds the time. When this raises, or is cancelled, `stream` is closed.

    Args:
        stream: bytes in order, nothing sent yet.
        context: that of the side that we are on.
        dialled: the key that must answer; None where the other side dialled.

    Raises:
        PeerError: no TLS 1.3, no certificate of a node, or another key than was dialled.
    """
    is_server = dialled is None
    inside = trio.SSLStream(stream, context, server_side=is_server)
    try:
        try:
            await inside.do_handshake()
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise PeerError(f"the TLS handshake failed: {_reason(error)} [NET-3]") from error
        return inside, _verify_peer(inside, dialled)
    except BaseException:
        with trio.CancelScope(shield=True):
            await trio.aclose_forcefully(inside)
        raise


def _verify_peer(inside: TlsStream, dialled: bytes | None) -> bytes:
    if inside.selected_alpn_protocol() != ALPN:
        raise PeerError(f"the other side doesn't speak {ALPN} [NET-3]")
    key = _key_in(cast("bytes | None", _peer_certificate(inside)(binary_form=True)))
    if dialled is not None and key != dialled:
        raise PeerError(
            f"{encode_peer_id(key)} answers in place of {encode_peer_id(dialled)}, so nothing was said to it "
            "[NET-3]; see whether the address is still that of the node"
        )
    return key


def _peer_certificate(inside: TlsStream) -> Callable[..., Any]:
    return cast("Callable[..., Any]", inside.getpeercert)


def _key_in(certificate: bytes | None) -> bytes:
    """The node key in a certificate whose holder has proven that it has the private half."""
    found: object = None
    try:
        found = x509.load_der_x509_certificate(certificate or b"").public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion, Warning) as error:
        raise PeerError(
            f"the certificate of the other side can't be read: {error} [NET-3]"
        ) from error
    if not isinstance(found, Ed25519PublicKey):
        raise PeerError("the certificate of the other side holds no Ed25519 key [NET-3]")
    try:
        return check_public_key(found.public_bytes_raw())
    except SignatureError as error:
        raise PeerError(f"the other side's node key won't do: {error} [NET-3]") from error


def _reason(error: Exception) -> str:
    cause = error.__cause__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is refused ({cause.verify_message})"
    if isinstance(cause, ssl.SSLError) and cause.reason:
        return cause.reason.lower().replace("_", " ")
    return "the other side ended the connection"
