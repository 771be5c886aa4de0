"""The frame around the formats: which files have an essence, and what a work records of it."""

from __future__ import annotations

import hashlib

import pytest

from hitp2p.errors import DecodeError
from hitp2p.media.essence import FoundEssence, display_hasher, essence_hasher, scan_essence
from hitp2p.media.source import PIECE_BYTES, MediaSource
from hitp2p.objects.contribution import Essence


def test_med_10_a_type_without_an_algorithm_has_no_essence() -> None:
    with pytest.raises(DecodeError, match="application/zip") as caught:
        scan_essence(MediaSource.of_bytes(b"PK\x05\x06" + bytes(18)))
    assert caught.value.rule == "MED-10"


def test_med_10_the_digest_takes_in_the_algorithm() -> None:
    hasher = essence_hasher("png/1")
    hasher.update(b"payload")
    assert hasher.digest() == hashlib.sha256(b"hitp2p/essence/png/1\0payload").digest()


def test_med_11_a_display_has_a_hash_of_its_own_and_is_recorded() -> None:
    assert display_hasher("png/1").digest() == hashlib.sha256(b"hitp2p/display/png/1\0").digest()
    found = FoundEssence(algorithm="png/1", digest=bytes(32), display=b"\1" * 32)
    assert Essence.from_body(found.recorded.to_body()) == found.recorded
    assert found.recorded.display == b"\1" * 32


def test_a_source_hands_out_bounded_pieces() -> None:
    data = bytes(range(256)) * 10_000
    pieces = list(MediaSource.of_bytes(data).pieces(3, len(data) - 5, rule="MED-10"))
    assert b"".join(pieces) == data[3:-2]
    assert max(map(len, pieces)) == PIECE_BYTES


@pytest.mark.parametrize(("offset", "length"), [(0, 5), (4, 1), (-1, 2), (2, -1)])
def test_a_source_never_reads_past_its_ends(offset: int, length: int) -> None:
    with pytest.raises(DecodeError) as caught:
        MediaSource.of_bytes(b"four").read(offset, length, rule="MED-5")
    assert caught.value.rule == "MED-5"
