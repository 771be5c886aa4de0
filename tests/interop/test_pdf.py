"""PDFs sealed with pikepdf, read by exiftool and by pikepdf itself: pages, titles and other words stay."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from interop.tools import required, run

from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.errors import DecodeError
from hitp2p.media.pointer import file_pointers, pointer_text, write_pointer
from hitp2p.media.source import MediaSource

pikepdf: Any = required("pikepdf")

WORK, OTHER = Cid.of(DAG_CBOR, b"work"), Cid.of(DAG_CBOR, b"other")
PAGE = b"0 0 1 rg 10 10 40 40 re f"


def made(*, rights: str = "", **options: Any) -> bytes:
    """A page with a blue square, a title and an author."""
    pdf = pikepdf.new()
    page = pdf.add_blank_page(page_size=(72, 72))
    page.Contents = pdf.make_stream(PAGE)
    pdf.docinfo["/Title"], pdf.docinfo["/Author"] = "Night Bus", "Ana"
    if rights:
        with pdf.open_metadata(set_pikepdf_as_editor=False) as packet:
            packet.load_from_docinfo(pdf.docinfo)
            packet["dc:rights"] = rights
    if options.pop("form", False):
        pdf.Root.AcroForm = pikepdf.Dictionary(Fields=[], SigFlags=3)
    sink = io.BytesIO()
    pdf.save(sink, static_id=True, **options)
    return sink.getvalue()


def sealed(data: bytes, cid: Cid = WORK) -> bytes:
    sink = io.BytesIO()
    write_pointer(MediaSource.of_bytes(data), sink, pointer_text(cid))
    return sink.getvalue()


PLAIN = made()
COMPRESSED = made(object_stream_mode=pikepdf.ObjectStreamMode.generate)
WITH_RIGHTS = made(rights="2026 Ana")


@pytest.mark.parametrize("data", [PLAIN, COMPRESSED, WITH_RIGHTS], ids=["plain", "xref", "xmp"])
def test_med_30_a_pdf_keeps_its_pages_and_its_tags(data: bytes, tmp_path: Path) -> None:
    once = sealed(data)
    assert sealed(once) == once
    assert file_pointers(MediaSource.of_bytes(once), None) == (WORK,)
    assert file_pointers(MediaSource.of_bytes(sealed(once, OTHER)), None) == (OTHER,)
    with pikepdf.open(io.BytesIO(once), attempt_recovery=False) as pdf:
        assert [page.Contents.read_bytes() for page in pdf.pages] == [PAGE]
    path = tmp_path / "sealed.pdf"
    path.write_bytes(once)
    tags = json.loads(run("exiftool", "-json", "-Title", "-Author", "-Description", "-Rights", "-Subject", path))[0]  # fmt: skip
    assert (tags["Title"], tags["Author"]) == ("Night Bus", "Ana")
    assert tags["Description"] == tags["Subject"] == pointer_text(WORK)
    before = "2026 Ana " if data is WITH_RIGHTS else ""
    assert tags["Rights"] == before + pointer_text(WORK)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (made(encryption=pikepdf.Encryption(owner="a", user="")), "encrypted or signed"),
        (made(encryption=pikepdf.Encryption(owner="a", user="b")), "damaged or encrypted"),
        (made(form=True), "encrypted or signed"),
        (PLAIN[:-200], "damaged"),
        (PLAIN.replace(b" obj", b" obk"), "damaged"),
    ],
    ids=["owner", "user", "signed", "cut", "broken"],
)
def test_med_30_a_pdf_that_cant_be_edited_safely_is_left_alone(data: bytes, why: str) -> None:
    with pytest.raises(DecodeError, match=f"{why}.*beside the file instead"):
        sealed(data)
