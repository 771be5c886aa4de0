"""A Git repository of many signed commits, written as loose objects: `git commit -S` would take 12 ms for each."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = ["git", "make_commits"]

_ALLOWED = "allowed-signers"


def git(folder: Path, *words: str) -> Callable[[], str]:
    """A run of git in a repository, without the settings of this machine; what it says."""
    settings = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    signers = f"gpg.ssh.allowedSignersFile={folder / _ALLOWED}"

    def run() -> str:
        done = subprocess.run(
            ["git", "-C", str(folder), "-c", signers, *words],
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | settings,
        )
        return done.stdout

    return run


def make_commits(folder: Path, shape: Iterable[tuple[int, ...]]) -> list[str]:
    """One commit for each entry, signed with an SSH key; each changes the one file of the repository.

    Args:
        folder: made here; the last commit becomes the head of its branch `main`.
        shape: for each commit the numbers of its parents.

    Returns:
        The names of the commits.
    """
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")()
    key = _Key()
    (folder / _ALLOWED).write_text(f"ana@example.org ssh-ed25519 {key.public}\n", encoding="ascii")
    objects, made = folder / ".git" / "objects", list[str]()
    for number, parents in enumerate(shape):
        blob = _write(objects, "blob", b"Take %d\n" % number)
        tree = _write(objects, "tree", b"100644 take.ogg\0" + bytes.fromhex(blob))
        who = f"Ana <ana@example.org> {1_790_000_000 + number} +0000"
        lines = [f"tree {tree}", *(f"parent {made[parent]}" for parent in parents)]
        head = "\n".join([*lines, f"author {who}", f"committer {who}", ""])
        text = f"\nTake {number}\n"
        signed = f"{head}gpgsig {key.sign(head + text)}\n{text}"
        made.append(_write(objects, "commit", signed.encode()))
    (folder / ".git" / "refs" / "heads" / "main").write_text(made[-1] + "\n", encoding="ascii")
    return made


def _write(objects: Path, kind: str, content: bytes) -> str:
    """A loose object, packed as lightly as git packs it."""
    data = f"{kind} {len(content)}\0".encode() + content
    name = hashlib.sha1(data).hexdigest()
    path = objects / name[:2] / name[2:]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(zlib.compress(data, 1))
    return name


class _Key:
    """An Ed25519 key that signs as `ssh-keygen -Y sign -n git` does."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        raw = self._key.public_key().public_bytes_raw()
        self._public = _strings(b"ssh-ed25519", raw)
        self.public = base64.b64encode(self._public).decode()

    def sign(self, text: str) -> str:
        """The signature as it stands in a commit: lines after the first begin with a space."""
        digest = hashlib.sha512(text.encode()).digest()
        signature = self._key.sign(b"SSHSIG" + _strings(b"git", b"", b"sha512", digest))
        packed = _strings(self._public, b"git", b"", b"sha512", _strings(b"ssh-ed25519", signature))
        armored = base64.b64encode(b"SSHSIG\0\0\0\1" + packed).decode()
        lines = [armored[at : at + 70] for at in range(0, len(armored), 70)]
        return "\n ".join(["-----BEGIN SSH SIGNATURE-----", *lines, "-----END SSH SIGNATURE-----"])


def _strings(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
