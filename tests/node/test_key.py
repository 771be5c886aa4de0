"""A node's key file: made once, for its owner alone, and the same ever after [NET-3]."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from hitp2p.errors import KeyFileError
from hitp2p.node.key import KEY_FILE, open_node_key


def test_a_node_keeps_its_id_over_a_restart(tmp_path: Path) -> None:
    first = open_node_key(tmp_path / "node", randomness=os.urandom)
    again = open_node_key(tmp_path / "node", randomness=os.urandom)
    assert first.peer_id == again.peer_id
    assert first.peer_id.startswith("12D3KooW")


def test_two_workspaces_have_two_keys(tmp_path: Path) -> None:
    keys = {open_node_key(tmp_path / name, randomness=os.urandom).public for name in "ab"}
    assert len(keys) == 2


def test_the_key_comes_from_the_randomness_that_is_passed_in(tmp_path: Path) -> None:
    keys = {open_node_key(tmp_path / name, randomness=bytes).public for name in "ab"}
    assert len(keys) == 1


def test_key_file_and_folder_are_for_their_owner_alone(tmp_path: Path) -> None:
    os.umask(os.umask(0))
    open_node_key(tmp_path / "node", randomness=os.urandom)
    assert stat.S_IMODE((tmp_path / "node" / KEY_FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "node").stat().st_mode) == 0o700
    assert [path.name for path in (tmp_path / "node").iterdir()] == [KEY_FILE]


def test_a_key_file_that_is_open_to_others_is_refused(tmp_path: Path) -> None:
    open_node_key(tmp_path, randomness=os.urandom)
    (tmp_path / KEY_FILE).chmod(0o640)
    with pytest.raises(KeyFileError, match="chmod 600"):
        open_node_key(tmp_path, randomness=os.urandom)


@pytest.mark.parametrize("damage", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n"])
def test_a_damaged_key_file_is_refused_and_left_as_it_is(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / KEY_FILE
    path.write_bytes(damage)
    path.chmod(0o600)
    with pytest.raises(KeyFileError, match="no unencrypted Ed25519 key"):
        open_node_key(tmp_path, randomness=os.urandom)
    assert path.read_bytes() == damage


def test_a_key_of_another_sort_is_refused(tmp_path: Path) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path = tmp_path / KEY_FILE
    path.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)
    with pytest.raises(KeyFileError, match="no unencrypted Ed25519 key"):
        open_node_key(tmp_path, randomness=os.urandom)


def test_a_key_is_seen_in_no_text(tmp_path: Path) -> None:
    key = open_node_key(tmp_path, randomness=bytes)
    assert key.signer.reveal_seed() == bytes(32)
    assert "PRIVATE" not in repr(key)
    assert bytes(32).hex() not in repr(key)
