"""CIDs: one spelling each, as bytes and as text."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from multiformats import multibase

from hitp2p.codec.cid import DAG_CBOR, DAG_PB, RAW, SHA2_256, Cid
from hitp2p.errors import DecodeError

DIGEST = sha256(b"hitp2p").digest()
V1 = b"\x01\x71\x12\x20" + DIGEST
V0 = b"\x12\x20" + DIGEST


def test_the_fields_of_a_common_cid_are_read() -> None:
    cid = Cid.from_bytes(V1)
    assert (cid.version, cid.codec, cid.hash_code, cid.digest) == (1, DAG_CBOR, SHA2_256, DIGEST)
    assert bytes(cid) == V1
    assert str(cid).startswith("bafyrei")
    assert len(str(cid)) == 59
    assert repr(cid) == f"Cid('{cid}')"


def test_the_fields_of_version_0_and_of_other_hashes_are_read() -> None:
    old = Cid.from_bytes(V0)
    assert (old.version, old.codec, old.hash_code, old.digest) == (0, DAG_PB, SHA2_256, DIGEST)
    assert str(old).startswith("Qm")
    other = Cid.from_bytes(bytes.fromhex("01a90200") + b"\x03abc")
    assert (other.version, other.codec, other.hash_code, other.digest) == (1, 0x129, 0, b"abc")


@pytest.mark.parametrize("codec", [DAG_CBOR, RAW, DAG_PB, 0x0129, 0x300539])
def test_of_names_a_block_by_its_sha2_256(codec: int) -> None:
    cid = Cid.of(codec, b"block")
    assert (cid.version, cid.codec, cid.hash_code) == (1, codec, SHA2_256)
    assert cid.digest == sha256(b"block").digest()
    assert Cid.from_bytes(bytes(cid)) == cid


@pytest.mark.parametrize("raw", [V1, V0, bytes.fromhex("015500026869"), bytes.fromhex("01550000")])
def test_bytes_and_text_survive_the_round_trip(raw: bytes) -> None:
    cid = Cid.from_bytes(raw)
    assert bytes(cid) == raw
    assert Cid.parse(str(cid)) == cid


BAD_BYTES = {
    "nothing": b"",
    "cut short": V1[:-1],
    "one byte more": V1 + b"\x00",
    "version 0, one byte more": V0 + b"\x00",
    "version 0, cut short": V0[:-1],
    "version 0 in the form of 1": b"\x00\x70" + V0,
    "version 2": b"\x02" + V1[1:],
    "version 3": b"\x03" + V1[1:],
    "varint of the version padded": b"\x81\x00" + V1[1:],
    "varint of the codec padded": b"\x01\xf1\x00\x12\x20" + DIGEST,
    "varint of the hash padded": b"\x01\x71\x92\x00\x20" + DIGEST,
    "varint of the length padded": b"\x01\x71\x12\xa0\x00" + DIGEST,
    "codec past 64 bits": b"\x01" + b"\xff" * 9 + b"\x20\x12\x20" + DIGEST,
    "codec of 10 bytes": b"\x01" + b"\xff" * 9 + b"\x01\x12\x20" + DIGEST,
    "hash code of 10 bytes": b"\x01\x71" + b"\xff" * 9 + b"\x01\x20" + DIGEST,
    "length past the end": b"\x01\x71\x12\x7f" + DIGEST,
    "digest of 65 bytes": b"\x01\x71\x13\x41" + b"a" * 65,
    "text of a CID": b"bafyreia",
    "multibase in front": b"\x00" + V1,
}


@pytest.mark.parametrize("raw", BAD_BYTES.values(), ids=BAD_BYTES.keys())
def test_enc_14_refuses_all_but_the_canonical_bytes(raw: bytes) -> None:
    with pytest.raises(DecodeError, match="ENC-14"):
        Cid.from_bytes(raw)


def test_enc_14_allows_digests_of_64_bytes_and_short_ones() -> None:
    for digest in (b"a" * 64, b"", b"abcd"):
        cid = Cid.from_bytes(b"\x01\x55\x13" + bytes([len(digest)]) + digest)
        assert cid.digest == digest


TEXT = str(Cid.from_bytes(V1))
TEXT_V0 = str(Cid.from_bytes(V0))
BAD_TEXTS = {
    "nothing": "",
    "upper case": TEXT.upper(),
    "one letter in upper case": TEXT[:-1] + TEXT[-1].upper()
    if TEXT[-1].isalpha()
    else TEXT.upper(),
    "path": "/ipfs/" + TEXT,
    "URL": "ipfs://" + TEXT,
    "path behind it": TEXT + "/a",
    "space behind it": TEXT + " ",
    "line feed behind it": TEXT + "\n",
    "one character more": TEXT + "a",
    "cut short": TEXT[:-1],
    "base58 of version 1": multibase.encode("base58btc", V1),
    "base16": "f" + V1.hex(),
    "base64url": multibase.encode("base64url", V1),
    "version 0 with a prefix": "z" + TEXT_V0,
    "version 0 in base32": multibase.encode("base32", V0),
    "raw bytes": "\0" + V1.decode("latin-1"),
    "bytes behind the digest": multibase.encode("base32", V1 + b"\0"),
    "set bits in the padding": TEXT[:-1] + chr(ord(TEXT[-1]) + 1),
    "codec of 10 bytes": multibase.encode("base32", BAD_BYTES["codec of 10 bytes"]),
    "codec past 64 bits": multibase.encode("base32", BAD_BYTES["codec past 64 bits"]),
    "lone surrogate": TEXT[:-1] + "\ud800",
    "not ASCII": TEXT[:-1] + "é",
    "Turkish i": TEXT.replace("i", "ı"),
    "a megabyte of base58": "Qm" + "1" * 1_000_000,
    "a megabyte of base32": "b" + "a" * 1_000_000,
}


@pytest.mark.parametrize("text", BAD_TEXTS.values(), ids=BAD_TEXTS.keys())
def test_enc_15_refuses_all_but_the_canonical_text(text: str) -> None:
    with pytest.raises(DecodeError, match="ENC-15"):
        Cid.parse(text)


def test_the_longest_cid_is_short_enough_to_parse() -> None:
    varint = b"\xff" * 8 + b"\x7f"
    raw = b"\x01" + varint + varint + b"\x40" + b"a" * 64
    cid = Cid.from_bytes(raw)
    assert Cid.parse(str(cid)) == cid


@pytest.mark.parametrize("codec", [DAG_CBOR, RAW, DAG_PB])
def test_enc_16_allows_the_three_codecs_with_sha2_256(codec: int) -> None:
    cid = Cid.of(codec, b"")
    assert cid.require_object_link() is cid


@pytest.mark.parametrize(
    "raw",
    [
        V0,
        b"\x01\x72\x12\x20" + DIGEST,
        b"\x01\x71\x1e\x20" + DIGEST,
        b"\x01\x71\x12\x1f" + DIGEST[1:],
        b"\x01\x71\x12\x21" + DIGEST + b"a",
        b"\x01\x71\xa0\xe4\x02\x20" + DIGEST,
        b"\x01\x55\x00\x20" + DIGEST,
    ],
)
def test_enc_16_refuses_other_links(raw: bytes) -> None:
    cid = Cid.from_bytes(raw)
    with pytest.raises(DecodeError, match="ENC-16") as caught:
        cid.require_object_link()
    assert caught.value.cid == cid


def test_parse_prefix_leaves_what_stands_behind() -> None:
    for raw in (V1, V0, bytes.fromhex("015500026869")):
        cid, end = Cid.parse_prefix(b"ab" + raw + b"block", 2)
        assert (bytes(cid), end) == (raw, 2 + len(raw))


def test_cids_are_ordered_and_compared_by_their_bytes() -> None:
    raws = sorted([V1, V0, b"\x01\x55\x12\x20" + DIGEST, bytes.fromhex("015500026869")])
    cids = [Cid.from_bytes(raw) for raw in raws]
    cids.reverse()
    cids.sort()
    assert [bytes(cid) for cid in cids] == raws
    first, second = cids[:2]
    assert first < second
    assert first <= second
    assert second > first
    assert second >= first
    assert first != second
    assert Cid.from_bytes(raws[0]) == first
    assert len({first, Cid.from_bytes(raws[0])}) == 1
    assert first != raws[0]
    with pytest.raises(TypeError):
        first < raws[1]  # type: ignore[operator]  # noqa: B015


def test_cids_are_copied_and_pickled() -> None:
    cid = Cid.from_bytes(V1)
    assert pickle.loads(pickle.dumps(cid)) == cid
    assert copy.deepcopy([cid]) == [cid]
    assert copy.copy(cid) == cid


def test_cids_never_change_and_are_not_made_directly() -> None:
    cid = Cid.from_bytes(V1)
    with pytest.raises(AttributeError):
        cid._raw = V0
    with pytest.raises(AttributeError):
        del cid._raw
    with pytest.raises(AttributeError):
        cid.name = "x"
    with pytest.raises(TypeError, match="from_bytes"):
        Cid()


def test_the_caller_can_not_change_a_cid_through_its_buffer() -> None:
    buffer = bytearray(V1)
    cid = Cid.from_bytes(buffer)  # type: ignore[arg-type]
    buffer[5] ^= 1
    assert bytes(cid) == V1


FAKES = {
    "package without from_bytes": {
        "multiformats/__init__.py": "class MultiformatsError(ValueError): pass",
        "multiformats/cid/__init__.py": "class CID: pass",
    },
    "package without our error": {
        "multiformats/__init__.py": "from . import cid",
        "multiformats/cid/__init__.py": "class CID: from_bytes = to_bytes = decode = None",
    },
    "package whose own dependency is missing": {
        "multiformats/__init__.py": "import typing_validation_that_is_not_here",
    },
    "package without a module cid": {
        "multiformats/__init__.py": "class MultiformatsError(ValueError): pass",
    },
}


def run_import(path: Path) -> subprocess.CompletedProcess[str]:
    code = f"import sys; sys.path.insert(0, {str(path)!r}); import hitp2p.codec.cid"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("files", FAKES.values(), ids=FAKES.keys())
def test_a_foreign_multiformats_is_named_with_the_commands_that_repair_it(
    files: dict[str, str], tmp_path: Path
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    result = run_import(tmp_path)
    assert result.returncode != 0
    assert "ImportError: The package `multiformats`" in result.stderr
    assert "pip uninstall -y multiformats" in result.stderr
    last = result.stderr.splitlines()[-1]
    assert "pip install --force-reinstall --no-deps py-multiformats" in last
    assert result.stderr.count("Traceback") == 1


def test_a_missing_py_multiformats_is_named() -> None:
    code = (
        "import sys\n"
        "class Block:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'multiformats':\n"
        "            raise ModuleNotFoundError('gone', name=name)\n"
        "sys.meta_path.insert(0, Block())\n"
        "import hitp2p.codec.cid\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert "ImportError: hitp2p needs py-multiformats: pip install py-multiformats" in result.stderr
