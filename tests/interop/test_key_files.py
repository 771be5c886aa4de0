"""Private keys in the files of openssl and OpenSSH: theirs read by us, ours read by them, and signatures both ways."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from interop.tools import run

from hitp2p.keys.ed25519 import SigningKey
from hitp2p.keys.formats import export_openssh, export_pkcs8, import_private_key

KEY = SigningKey.from_seed(bytes(range(32)))
MESSAGE = b"The last bus hums along the hill"
PASSPHRASE = "b\u00fcs 7"


def ssh_public(line: str) -> bytes:
    """The 32 bytes in `ssh-ed25519 AAAA...`."""
    return base64.b64decode(line.split()[1])[-32:]


def openssl_public(path: Path, *more: str) -> bytes:
    """The 32 bytes of the public key, as openssl makes it from a private one."""
    out = path.with_suffix(".public")
    run("openssl", "pkey", "-in", path, *more, "-pubout", "-outform", "DER", "-out", out)
    return out.read_bytes()[-32:]


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
@pytest.mark.parametrize("encoding", ["pem", "der"])
def test_openssl_reads_what_we_export(
    tmp_path: Path, passphrase: str | None, encoding: str
) -> None:
    path = tmp_path / "key"
    path.write_bytes(export_pkcs8(KEY, passphrase, encoding="pem" if encoding == "pem" else "der"))
    more = [] if passphrase is None else ["-passin", f"pass:{passphrase}"]
    assert openssl_public(path, "-inform", encoding, *more) == KEY.public


@pytest.mark.parametrize("cipher", [None, "-aes256", "-aes128", "-des3"])
def test_we_read_what_openssl_makes(tmp_path: Path, cipher: str | None) -> None:
    path, sealed = tmp_path / "key", tmp_path / "sealed"
    run("openssl", "genpkey", "-algorithm", "ed25519", "-out", path)
    how = [] if cipher is None else [cipher, "-passout", f"pass:{PASSPHRASE}"]
    run("openssl", "pkey", "-in", path, *how, "-out", sealed)
    key = import_private_key(sealed.read_bytes(), None if cipher is None else PASSPHRASE)
    assert key.public == openssl_public(path)


def test_ssh_keygen_reads_what_we_export(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.touch(0o600)
    path.write_bytes(export_openssh(KEY, None))
    assert ssh_public(run("ssh-keygen", "-y", "-f", path)) == KEY.public


def test_we_read_what_ssh_keygen_makes(tmp_path: Path) -> None:
    path = tmp_path / "key"
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "Ana", "-f", path)
    key = import_private_key(path.read_bytes())
    assert key.public == ssh_public(path.with_suffix(".pub").read_text())


def test_openssl_signs_the_same_bytes_with_the_key(tmp_path: Path) -> None:
    """Ed25519 draws no chance, so one key gives one signature."""
    key, message, signature = tmp_path / "key", tmp_path / "message", tmp_path / "signature"
    key.write_bytes(export_pkcs8(KEY, None))
    message.write_bytes(b"hitp2p/object/1\0" + MESSAGE)
    run("openssl", "pkeyutl", "-sign", "-inkey", key, "-rawin", "-in", message, "-out", signature)
    assert signature.read_bytes() == KEY.sign(b"hitp2p/object/1\0", MESSAGE)
