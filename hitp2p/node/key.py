"""The key of a node: a file in the workspace, made once, that names the node to others [NET-3].

It is no person's key: it signs no objects, only address records, and it is drawn anew for each workspace. It isn't
encrypted, because a node starts without anybody there; who can read the workspace could do no more with it than answer
in the node's place.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

from hitp2p.dataclass import dataclass
from hitp2p.errors import KeyFileError
from hitp2p.keys.ed25519 import SigningKey
from hitp2p.ports import Randomness
from hitp2p.protocol.records import encode_peer_id
from hitp2p.store.keyfile import read_key_file, write_key_file

__all__ = ["KEY_FILE", "NodeKey", "encode_node_key", "open_node_key", "parse_node_key"]

KEY_FILE: Final = "node.key"
"""Name of the file in the node's folder: PKCS8 in PEM, as OpenSSL and Kubo's `key import` read it."""
_SEED_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeKey:
    """A node key with its private half."""

    signer: SigningKey
    """Signs address records and, in TLS, handshakes."""

    @property
    def public(self) -> bytes:
        """The 32 bytes by which others know the node."""
        return self.signer.public

    @property
    def peer_id(self) -> str:
        """The same as libp2p writes it: 12D3KooW..."""
        return encode_peer_id(self.public)


def open_node_key(folder: Path, *, randomness: Randomness) -> NodeKey:
    """The key of the node whose folder this is, made where there is none yet.

    Args:
        folder: `.hitp2p/node` of a workspace; made if missing, for its owner alone.
        randomness: where a new key comes from.

    Raises:
        KeyFileError: the file is open to other users, or holds something else.
        StoreError: the folder can't be written.
    """
    path = folder / KEY_FILE
    if not path.exists():
        fresh = NodeKey(signer=SigningKey.from_seed(randomness(_SEED_BYTES)))
        with suppress(KeyFileError):  # another program was quicker; then its key holds
            write_key_file(path, encode_node_key(fresh))
    return parse_node_key(read_key_file(path), path)


def encode_node_key(key: NodeKey) -> bytes:
    """The bytes of a key file. They hold the private key in the clear."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(key.signer.reveal_seed()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def parse_node_key(data: bytes, path: Path) -> NodeKey:
    """The key in the bytes of a key file.

    Args:
        data: as read.
        path: what the message names.

    Raises:
        KeyFileError: they hold no unencrypted Ed25519 key.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    found: object = None
    with suppress(ValueError, TypeError, UnsupportedAlgorithm):
        found = load_pem_private_key(data, password=None)
    if not isinstance(found, Ed25519PrivateKey):
        raise KeyFileError(
            f"{path} holds no unencrypted Ed25519 key in PEM [NET-3]; put the file of before back, or move it away "
            "and the node makes a new key, under which others don't know it"
        )
    return NodeKey(signer=SigningKey.from_seed(found.private_bytes_raw()))
