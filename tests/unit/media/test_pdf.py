"""PDF: its pointers are read without any extra; writing without it says which one is missing."""

from __future__ import annotations

import io
import sys

import pytest

from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.errors import DecodeError, UsageError
from hitp2p.limits import PDF_BYTES
from hitp2p.media.essence import FoundEssence, scan_essence
from hitp2p.media.pointer import file_pointers, pointer_formats, pointer_text, write_pointer
from hitp2p.media.source import PIECE_BYTES, MediaSource

WORK, OTHER = Cid.of(DAG_CBOR, b"work"), Cid.of(DAG_CBOR, b"other")
HEAD = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"


def test_med_30_pointers_are_read_wherever_they_stand() -> None:
    data = HEAD + f"<rdf:li>{pointer_text(WORK)}</rdf:li>({pointer_text(OTHER)})".encode()
    assert file_pointers(MediaSource.of_bytes(data), None) == (WORK, OTHER)
    assert file_pointers(MediaSource.of_bytes(HEAD + b"nothing"), None) == ()


@pytest.mark.parametrize("before", range(PIECE_BYTES - 70, PIECE_BYTES + 1))
def test_med_30_a_pointer_over_the_seam_of_two_reads_is_found(before: int) -> None:
    data = HEAD.ljust(before) + f"({pointer_text(WORK)})".encode()
    assert file_pointers(MediaSource.of_bytes(data), None) == (WORK,)


def test_med_10_a_pdf_has_no_essence() -> None:
    with pytest.raises(DecodeError, match="no essence for application/pdf"):
        scan_essence(MediaSource.of_bytes(HEAD))


def test_med_30_without_the_extra_writing_says_which_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pikepdf", None)  # as if it weren't installed
    assert "application/pdf" in pointer_formats()
    sink = io.BytesIO()
    with pytest.raises(UsageError, match=r"pip install 'hitp2p\[media\]'"):
        write_pointer(MediaSource.of_bytes(HEAD), sink, pointer_text(WORK))
    assert sink.getvalue() == b""


@pytest.mark.parametrize("more", [0, 1])
def test_med_30_a_pdf_of_256_mib_is_written_and_not_a_byte_more(
    more: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Long(io.BytesIO):
        """Says that it is long; nobody reads so far here."""

        def seek(self, offset: int, whence: int = 0) -> int:
            return PDF_BYTES + more if whence == io.SEEK_END else super().seek(offset, whence)

    monkeypatch.setitem(sys.modules, "pikepdf", None)
    expected = f"at most {PDF_BYTES}" if more else "needs pikepdf"
    with pytest.raises(UsageError, match=expected):
        write_pointer(MediaSource(Long(HEAD.ljust(4096))), io.BytesIO(), pointer_text(WORK))


def test_med_30_of_other_types_the_essence_knows_the_tags() -> None:
    text = MediaSource.of_bytes(b"A verse")
    found = FoundEssence(algorithm="text/1", digest=bytes(32), tag_texts=(pointer_text(WORK),))
    assert file_pointers(text, found) == (WORK,)
    assert file_pointers(text, None) == ()
