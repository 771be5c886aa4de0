"""Keys in the files of other programs. The files below were written by ssh-keygen and openssl for these tests."""

from __future__ import annotations

import importlib.util
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitp2p import limits
from hitp2p.errors import Hitp2pError, KeyFileError, PassphraseError, UsageError
from hitp2p.keys.ed25519 import SigningKey
from hitp2p.keys.formats import export_openssh, export_pkcs8, import_private_key

KEY = SigningKey.from_seed(bytes(range(32)))
HAS_BCRYPT = importlib.util.find_spec("bcrypt") is not None

OPENSSH = b"""-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW
QyNTUxOQAAACArmZ1n/gIIGJPo+LbH9qVJZhVn3H9u1UlqRf8aPDJuFwAAAIipZNoeqWTa
HgAAAAtzc2gtZWQyNTUxOQAAACArmZ1n/gIIGJPo+LbH9qVJZhVn3H9u1UlqRf8aPDJuFw
AAAEBUs2zNo9iqcnVPyBaZlT15cbgBtgSheY/RwVgJzcY+DyuZnWf+AggYk+j4tsf2pUlm
FWfcf27VSWpF/xo8Mm4XAAAAAAECAwQF
-----END OPENSSH PRIVATE KEY-----
"""
OPENSSH_PUBLIC = "2b999d67fe02081893e8f8b6c7f6a549661567dc7f6ed5496a45ff1a3c326e17"
OPENSSH_SEALED = b"""-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABDat4ntNm
5YgVuJxfQ5bMD+AAAAEAAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIGvSLh7tx+nY/Ac9
LDVuJ2aO4TwFDdwh56T5fxf5N8qCAAAAkPpJVloRQye16tZms5+03SCTyZ+9PJgPHFbfVM
i5hu3dNuhUBu3BK9/vLPkzr9Mzyp6CIhrtjwj7u3zrPXTzUZ1FDdb62gjSXWy1kX1e6wwj
CgDeOqw8zt4L0LasfxOmfL2BBYkzVrYXLApLbAigmmzDcWXxcDWgIbTp8RMIR9DG5whlXA
P42S6UinwMMMV+8Q==
-----END OPENSSH PRIVATE KEY-----
"""
OPENSSH_SEALED_PUBLIC = "6bd22e1eedc7e9d8fc073d2c356e27668ee13c050ddc21e7a4f97f17f937ca82"
PKCS8 = b"""-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEICJtamc55Vz7nrVljR4FUGXL1bv/G0xwLeVQZoDGqsTq
-----END PRIVATE KEY-----
"""
PKCS8_PUBLIC = "6d71c034c2d19737bbb0179a43482115c1034b40db2c12276b1534d2a82bab29"
PKCS8_SEALED = b"""-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhJGbqj5fnS7wICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEPu1nG2J+lMwMKIarQD+HA0EQM2w
mOpmmATZkKJlg+1GNR1Z2wFCMSofbaRuTdQMTrdk83KXXPILenpD7s2zBvCm6/cs
88SSHRwLr7gMOLuV6uQ=
-----END ENCRYPTED PRIVATE KEY-----
"""
X25519 = b"""-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VuBCIEIPAAtmrpEGx7qk4nDCKNVEywaJdXtFbJ3ZadyaEls/xt
-----END PRIVATE KEY-----
"""
PASSPHRASE = "secret"


def test_keys_that_other_programs_wrote_are_read() -> None:
    assert import_private_key(OPENSSH).public.hex() == OPENSSH_PUBLIC
    assert import_private_key(PKCS8).public.hex() == PKCS8_PUBLIC
    assert import_private_key(PKCS8_SEALED, PASSPHRASE).public.hex() == PKCS8_PUBLIC


def test_what_is_exported_is_read_back() -> None:
    files = [
        export_pkcs8(KEY, None),
        export_pkcs8(KEY, None, encoding="der"),
        export_openssh(KEY, None),
    ]
    for data in files:
        assert import_private_key(data).reveal_seed() == KEY.reveal_seed()


@pytest.mark.parametrize("encoding", ["pem", "der"])
def test_an_encrypted_export_needs_its_passphrase(encoding: Literal["pem", "der"]) -> None:
    data = export_pkcs8(KEY, "horse", encoding=encoding)
    assert import_private_key(data, "horse").public == KEY.public
    for wrong in (None, "", "Horse"):
        with pytest.raises(PassphraseError):
            import_private_key(data, wrong)


def test_a_passphrase_for_a_file_without_one_is_refused() -> None:
    for data in (PKCS8, OPENSSH):
        with pytest.raises(KeyFileError, match="not encrypted"):
            import_private_key(data, "horse")
    with pytest.raises(PassphraseError):
        import_private_key(PKCS8_SEALED, "\ud800")


@pytest.mark.skipif(HAS_BCRYPT, reason="bcrypt is installed")
def test_an_encrypted_openssh_file_says_what_it_needs_where_bcrypt_is_missing() -> None:
    with pytest.raises(UsageError, match="pip install bcrypt"):
        import_private_key(OPENSSH_SEALED, PASSPHRASE)
    with pytest.raises(UsageError, match="pip install bcrypt"):
        export_openssh(KEY, "horse")


@pytest.mark.skipif(not HAS_BCRYPT, reason="bcrypt is not installed")
def test_an_encrypted_openssh_file_is_read_and_written_with_bcrypt() -> None:
    key = import_private_key(OPENSSH_SEALED, PASSPHRASE)
    assert key.public.hex() == OPENSSH_SEALED_PUBLIC
    assert import_private_key(export_openssh(KEY, "horse"), "horse").public == KEY.public
    with pytest.raises(PassphraseError):
        import_private_key(OPENSSH_SEALED, "wrong")


def test_an_encrypted_openssh_file_asks_for_a_passphrase() -> None:
    with pytest.raises((PassphraseError, UsageError)):
        import_private_key(OPENSSH_SEALED)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"garbage",
        X25519,
        PKCS8[:-30],
        OPENSSH[:-60],
        OPENSSH.replace(b"b3BlbnNzaC1rZXktdjE", b"b3BlbnNzaC1rZXktdjI"),
        b"-----BEGIN PUBLIC KEY-----\n",
        b"0" * (limits.KEY_FILE_BYTES + 1),
    ],
)
def test_what_is_no_ed25519_key_is_refused(data: bytes) -> None:
    with pytest.raises(KeyFileError):
        import_private_key(data)


def test_an_empty_passphrase_exports_nothing() -> None:
    with pytest.raises(PassphraseError):
        export_pkcs8(KEY, "")


@given(st.binary(max_size=100), st.one_of(st.none(), st.text(max_size=5)))
def test_random_bytes_raise_nothing_outside_the_error_tree(
    data: bytes, passphrase: str | None
) -> None:
    heads = (b"", b"-----BEGIN PRIVATE KEY-----\n", b"-----BEGIN OPENSSH PRIVATE KEY-----\n")
    for head in heads:
        with pytest.raises(Hitp2pError):
            import_private_key(head + data, passphrase)


@given(st.integers(0, len(OPENSSH) - 1), st.integers(1, 255))
def test_any_changed_byte_of_a_key_file_raises_nothing_else(position: int, mask: int) -> None:
    for file in (OPENSSH, PKCS8, export_pkcs8(KEY, None, encoding="der")):
        data = bytearray(file)
        data[position % len(data)] ^= mask
        try:
            import_private_key(bytes(data))
        except Hitp2pError:
            continue
