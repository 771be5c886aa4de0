"""What the tests of a node's shell share: keys from numbers, contexts of TLS good and bad, two ends of one stream."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import trio
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from hitp2p.errors import PeerError
from hitp2p.keys.ed25519 import SigningKey
from hitp2p.node.key import NodeKey
from hitp2p.node.tls import AUTHORITY_NAME, make_contexts, open_authority, secure

LONG_S = 20.0
"""How long a test may take, in seconds; each takes a fraction on an idle machine."""
AUTHORITY = Ed25519PrivateKey.from_private_bytes(sha256(b"hitp2p open authority 1").digest())
"""Its private half is published."""


def node_key(number: int) -> NodeKey:
    """The same key for the same number."""
    return NodeKey(signer=SigningKey.from_seed(sha256(f"node {number}".encode()).digest()))


def leaf(
    public: Any,
    *,
    signed_by: Any = AUTHORITY,
    issuer: str = AUTHORITY_NAME,
    until: datetime | None = None,
) -> x509.Certificate:
    """A certificate with one thing wrong, or none."""
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "node")]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(public)
        .serial_number(1)
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(until or now + timedelta(days=2))
        .sign(signed_by, None)
    )


def context(
    folder: Path,
    side: int,
    *,
    certificate: x509.Certificate | None = None,
    key: Any = None,
    trusts: x509.Certificate | None = None,
    alpn: tuple[str, ...] = ("hitp2p/1",),
) -> ssl.SSLContext:
    """A context as a stranger may set it up."""
    found = ssl.SSLContext(side)
    found.check_hostname = False
    found.verify_mode = ssl.CERT_REQUIRED
    found.load_verify_locations(cadata=(trusts or open_authority()).public_bytes(Encoding.DER))
    if alpn:
        found.set_alpn_protocols(list(alpn))
    if certificate is not None:
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path = folder / "stranger.pem"
        path.write_bytes(pem + certificate.public_bytes(Encoding.PEM))
        found.load_cert_chain(path)
    return found


@contextmanager
def within(seconds: float = LONG_S) -> Generator[None]:
    """Fail where it takes longer."""
    with trio.fail_after(seconds):
        yield


Outcome = Any
"""(stream, key) of a side, or the PeerError that it ended with."""


async def shake_hands(
    dialler: ssl.SSLContext, listener: ssl.SSLContext, *, dialled: bytes
) -> tuple[Outcome, Outcome]:
    """What a handshake gives on the side that dialled and on the other, over a stream in memory."""
    ours, theirs = trio.testing.memory_stream_pair()
    found: dict[str, Outcome] = {}

    async def side(name: str, make: Callable[[], Any]) -> None:
        try:
            found[name] = await make()
        except PeerError as error:
            found[name] = error

    async with trio.open_nursery() as nursery:
        nursery.start_soon(side, "dialler", lambda: secure(ours, dialler, dialled=dialled))
        nursery.start_soon(side, "listener", lambda: secure(theirs, listener, dialled=None))
    return found["dialler"], found["listener"]


def contexts_of(number: int, folder: Path) -> Any:
    """How the node of this number speaks TLS."""
    return make_contexts(node_key(number), folder)
