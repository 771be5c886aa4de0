"""Programs of others that write media and tags. Where one is missing, tests are skipped, and fail with CI=true."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["c2pa_sign", "exiftool", "ffmpeg", "required", "run"]

MANIFEST = {
    "claim_generator_info": [{"name": "test", "version": "1"}],
    "assertions": [
        {
            "label": "c2pa.actions",
            "data": {
                "actions": [
                    {
                        "action": "c2pa.created",
                        "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture",
                    }
                ]
            },
        }
    ],
}


def required(module: str) -> Any:
    """A module of `tests/requirements.txt`; skips the tests where it is missing, and fails them with CI=true."""
    return import_module(module) if os.environ.get("CI") == "true" else pytest.importorskip(module)


def run(*command: str | Path) -> str:
    """What a program prints; it must exit with 0."""
    if shutil.which(str(command[0])) is None:
        message = f"{command[0]} is missing; apt-get install ffmpeg libimage-exiftool-perl openssl openssh-client"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stderr}"
    return done.stdout


def ffmpeg(*arguments: str | Path) -> str:
    """ffmpeg without questions and chatter, writing the same bytes each time."""
    return run("ffmpeg", "-v", "error", "-y", "-nostdin", *arguments)


def exiftool(path: Path, *tags: str) -> None:
    """Write tags in place, such as `-Title=New`."""
    run("exiftool", "-q", "-overwrite_original", *tags, path)


@cache
def _signer() -> Any:
    """An Ed25519 key with a certificate that it signed itself, made for this run."""
    import c2pa

    key = Ed25519PrivateKey.generate()
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, "Test"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test"),
        ]
    )
    key_id = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    now = datetime.now(UTC)
    usage = x509.KeyUsage(True, *[False] * 8)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False)
        .add_extension(key_id, False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(key_id), False
        )
        .sign(key, None)
    )
    info = c2pa.C2paSignerInfo(
        alg=b"ed25519",
        sign_cert=certificate.public_bytes(serialization.Encoding.PEM),
        private_key=key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
        ta_url=None,
    )
    return c2pa.Signer.from_info(info)


def c2pa_sign(source: Path, target: Path, media_type: str) -> None:
    """A signed copy, its manifest inside the file."""
    c2pa = required("c2pa")
    with source.open("rb") as file, target.open("w+b") as out:
        c2pa.Builder(json.dumps(MANIFEST)).sign(_signer(), media_type, file, out)
