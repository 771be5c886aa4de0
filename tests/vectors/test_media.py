"""Vectors of chapter 05: UnixFS files and folders."""

from __future__ import annotations

import hashlib

import pytest
from spec_vectors import Vector, by_id, load, refused_as, unpack

from hitp2p.codec.cid import DAG_CBOR, DAG_PB, RAW, Cid
from hitp2p.codec.unixfs import file_size, iter_directory, iter_file
from hitp2p.errors import MissingBlocksError
from hitp2p.objects.envelope import verify_object
from hitp2p.transfer import iter_media


def root_and_blocks(vector: Vector) -> tuple[Cid, dict[Cid, bytes]]:
    """The input; each block under each codec, as a vector may ask for any."""
    given = vector.fields["input"]
    blocks = [unpack(block) for block in given["blocks"]]
    by_cid = {Cid.of(codec, block): block for codec in (RAW, DAG_PB, DAG_CBOR) for block in blocks}
    return Cid.from_bytes(bytes.fromhex(given["root"])), by_cid


@pytest.mark.parametrize("vector", load("media.json", "file"), ids=by_id)
def test_a_file_gets_the_verdict_of_the_vector(vector: Vector) -> None:
    root, blocks = root_and_blocks(vector)
    if vector.expect == "invalid":
        refused_as(vector, lambda: b"".join(iter_file(root, blocks)))
    elif vector.expect == "incomplete":
        with pytest.raises(MissingBlocksError):
            list(iter_file(root, blocks))
    else:
        content = b"".join(iter_file(root, blocks))
        assert len(content) == file_size(root, blocks) == vector.fields["size"]
        assert hashlib.sha256(content).hexdigest() == vector.fields["sha256"]


@pytest.mark.parametrize("vector", load("media.json", "folder"), ids=by_id)
def test_a_folder_gets_the_verdict_of_the_vector(vector: Vector) -> None:
    root, blocks = root_and_blocks(vector)
    if vector.expect == "invalid":
        refused_as(vector, lambda: list(iter_directory(root, blocks)))
    else:
        entries = sorted(iter_directory(root, blocks), key=lambda entry: entry.name)
        assert [[e.name, str(e.cid)] for e in entries] == vector.fields["entries"]


@pytest.mark.parametrize("vector", load("media.json", "media"), ids=by_id)
def test_media_of_a_work_get_the_verdict_of_the_vector(vector: Vector) -> None:
    root, blocks = root_and_blocks(vector)
    work = verify_object(unpack(vector.fields["input"]["work"]))
    assert work.links[0] == root

    def ask() -> bytes:
        return b"".join(iter_media(work, 0, blocks))  # type: ignore[arg-type]

    if vector.expect == "invalid":
        refused_as(vector, ask)
    else:
        assert len(ask()) == work.body["media"][0]["size"]
