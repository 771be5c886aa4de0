"""PDF: a pointer in its description and rights [MED-30], and no essence.

What a page shows depends on a program larger than this one, so a PDF has no essence: once it is sealed its hash is
another, and it matches its record by the pointer and no longer by its bytes. Writing needs the extra `media` (pikepdf).
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO, Final

from hitp2p.errors import DecodeError, UsageError
from hitp2p.limits import PDF_BYTES
from hitp2p.media.pointer import place_pointer
from hitp2p.media.source import MediaSource
from hitp2p.media.splice import TagFinder

if TYPE_CHECKING:
    from pikepdf import Pdf

__all__ = ["tag_texts", "write_pointer"]

_RULE: Final = "MED-30"
_OVERLAP: Final = 2048
"""Bytes that are looked at twice, so that no pointer is cut in two."""
_SIGNED: Final = 1
"""Bit of a form's SigFlags."""
_SUBJECT: Final = "/Subject"
_FIELDS: Final = ("dc:description", "dc:rights")


def tag_texts(source: MediaSource) -> tuple[str, ...]:
    """Texts anywhere in the file that speak of `hitp2p:`, as received, where they aren't compressed.

    A metadata packet isn't by custom, and never is in a file of ours; no extra is needed to read it.
    """
    finder, tail = TagFinder(), b""
    for piece in source.pieces(0, source.size, rule=_RULE):
        block = tail + piece
        finder.look(block)
        tail = block[-_OVERLAP:]
    return tuple(dict.fromkeys(finder.texts))


def write_pointer(source: MediaSource, sink: BinaryIO, pointer: str) -> None:
    """Copy a PDF with `pointer` in its description, its rights and its subject; pages stay as they are.

    Raises:
        UsageError: the extra `media` isn't installed, or the file is larger than 256 MiB.
        DecodeError: the file is damaged, encrypted or signed, or a tag isn't one text; the message says what to do.
    """
    if source.size > PDF_BYTES:
        raise UsageError(
            f"a PDF of {source.size} bytes; at most {PDF_BYTES} allowed. Put the bundle beside the file instead"
        )
    try:
        import pikepdf
    except ImportError:
        raise UsageError(
            "writing into a PDF needs pikepdf, which is not installed: pip install 'hitp2p[media]'"
        ) from None
    data = source.read(0, source.size, rule=_RULE)
    try:
        with pikepdf.open(io.BytesIO(data), attempt_recovery=False) as pdf:
            if not _edit(pdf, pointer):
                sink.write(data)
                return
            pdf.save(
                sink,
                deterministic_id=True,
                fix_metadata_version=False,
                compress_streams=False,
                stream_decode_level=pikepdf.StreamDecodeLevel.none,
                object_stream_mode=pikepdf.ObjectStreamMode.preserve,
            )
    except (pikepdf.PdfError, pikepdf.PasswordError):
        raise _unsafe("a PDF that is damaged or encrypted") from None


def _edit(pdf: Pdf, pointer: str) -> bool:
    """Place the pointer; False where it stands there already."""
    form = pdf.Root.get("/AcroForm")
    if pdf.is_encrypted or (form is not None and int(form.get("/SigFlags", 0)) & _SIGNED):
        raise _unsafe("a PDF that is encrypted or signed")
    is_changed = False
    with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as packet:
        for field in _FIELDS:
            old = packet.get(field, "")
            if not isinstance(old, str):
                raise _unsafe(f"a PDF whose {field} isn't one text")
            new = place_pointer(old, pointer)
            if new != old:
                packet[field], is_changed = new, True
    old = str(pdf.docinfo.get(_SUBJECT, ""))
    new = place_pointer(old, pointer)
    if new != old:
        pdf.docinfo[_SUBJECT] = new
    return is_changed or new != old


def _unsafe(found: str) -> DecodeError:
    return DecodeError(f"{found}; put the bundle beside the file instead", rule=_RULE)
