"""Sealing a file, and proof kits: a work's file sent out with what anyone needs to check it."""

from __future__ import annotations

import os
import re
import shlex
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass
from hitp2p.errors import AmbiguousNameError, DecodeError, NotFoundError, StoreError, UsageError
from hitp2p.media.essence import scan_essence
from hitp2p.media.pointer import pointer_formats, pointer_text, write_pointer
from hitp2p.media.sniff import SNIFF_BYTES, sniff_media_type
from hitp2p.media.source import PIECE_BYTES, MediaSource
from hitp2p.objects.contribution import Essence, MediaEntry
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.known import known_field
from hitp2p.reader import Reader
from hitp2p.store.faults import store_errors
from hitp2p.trail.audit import audit_file
from hitp2p.trail.bundle import MediaChoice
from hitp2p.trail.display import safe_line, short_name
from hitp2p.trail.report import Match
from hitp2p.trail.report_html import render_html_page
from hitp2p.trail.report_text import render_report
from hitp2p.transfer import export_bundle, iter_media
from hitp2p.verifier import SIDECAR_SUFFIX, StoreEvidence, measure_file, verify
from hitp2p.whole_file import whole_file

__all__ = ["Kit", "Sealed", "seal", "write_kit"]


_LISTED: Final = 8
"""Most works that an error names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """What sealing a file did."""

    work: Cid
    """The work that the file is."""
    file: Path
    """The sealed file."""
    bundle: Path
    """The bundle beside it."""
    has_pointer: bool
    """Whether the pointer stands in the file's tags."""
    why_not: str | None
    """Why it doesn't; the bundle does without."""


def seal(
    reader: Reader,
    file: Path,
    *,
    work: SignedObject | None = None,
    output: Path | None = None,
    media: MediaChoice = "none",
    before: Callable[[SignedObject], None] | None = None,
) -> Sealed:
    """Write the pointer into a file's tags, and its bundle beside it.

    What is seen or heard stays bit for bit, and is compared before the file takes its place. A type without an essence (PDF)
    gets its pointer only in a copy, at `output`: the copy says where to look, and matches nothing.

    Args:
        file: the file of a work that is here, whole or with other tags.
        work: which work, where several fit.
        output: where the sealed file goes; None seals `file` itself.
        media: which media the bundle carries.
        before: told of the work before its bundle is written, so that what it lacks can be fetched.

    Raises:
        NotFoundError: no work here has this file.
        AmbiguousNameError: several works have it, none a source of the others, and `work` doesn't say which.
        StoreError: the bundle can't be written, or after it the file, or the file was changed meanwhile; what stood
            there stays.
    """
    match, essence = _match_of(reader, file, work)
    target = output or file
    bundle = target.with_name(target.name + SIDECAR_SUFFIX)
    sealed = reader.show(match.work)
    if before is not None:
        before(sealed)
    export_bundle(reader.store, sealed, bundle, lookup=reader.lookup, media=media)
    # last, so that no file is changed for which there is no bundle; a link stays one
    place = Path(os.path.realpath(target)) if output is None else target
    why_not = _write_pointer(file, place, match.work, essence)
    return Sealed(
        work=match.work, file=target, bundle=bundle, has_pointer=why_not is None, why_not=why_not
    )


def _match_of(
    reader: Reader, file: Path, work: SignedObject | None
) -> tuple[Match, Essence | None]:
    wanted = None if work is None else work.cid
    facts = measure_file(file)
    report = audit_file(facts, StoreEvidence(reader), bundle_work=wanted)
    match = report.match
    if match is None or wanted not in (None, match.work):
        whose = "no work here" if wanted is None else str(wanted)
        raise NotFoundError(f"{file}: {whose} has this file, not even with other tags")
    if wanted is None and report.rivals:
        works = (match.work, *(rival.work for rival in report.rivals))
        some = ", ".join(short_name(cid) for cid in works[:_LISTED])
        error = AmbiguousNameError(f"{file} is the file of several works: {some}", works)
        error.add_note("Say which with --work.")
        raise error
    return match, facts.essence


def _write_pointer(file: Path, target: Path, work: Cid, essence: Essence | None) -> str | None:
    """Why there is no pointer, or None where there is one. Without one, `target` is a plain copy."""
    with file.open("rb") as stream:
        media_type = sniff_media_type(stream.read(SNIFF_BYTES))
        source = MediaSource(stream)
        if media_type not in pointer_formats():
            _copy(source, file, target)
            return f"files of type {media_type} have no place for it"
        try:
            before = _essence(source)
            if essence is not None and before != essence.digest:
                raise StoreError(f"{file} was changed while it was being sealed; try again")
            if before is None and _is_same(target, file):
                return f"{media_type} has no essence, so a file with a pointer would match nothing"
            with whole_file(target, like=file) as sink:
                write_pointer(source, sink, pointer_text(work))
                sink.flush()
                with Path(sink.name).open("rb") as copy:
                    if _essence(MediaSource(copy)) != before:
                        raise DecodeError("the tags can't be changed safely", rule="MED-30")
        except (DecodeError, UsageError) as error:  # an odd file, or an extra that isn't installed
            _copy(source, file, target)
            return str(error)
    return None


def _essence(source: MediaSource) -> bytes | None:
    """None for types without an essence."""
    try:
        return scan_essence(source).digest
    except DecodeError as error:
        if error.rule == "MED-10":
            return None
        raise


def _is_same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _copy(source: MediaSource, file: Path, target: Path) -> None:
    if _is_same(target, file):
        return
    with whole_file(target, like=file) as sink:
        for piece in source.pieces(0, source.size, rule="MED-10"):
            sink.write(piece)


# --- proof kits -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """What a proof kit holds."""

    work: Cid
    file: Path
    """The kit."""
    names: tuple[str, ...]
    """What is in it."""
    missing: tuple[Cid, ...]
    """Texts and media that were wanted and aren't here."""


_README: Final = """\
{title}

This folder lets you check who made {name}, from what, and under which terms.
You need no account and no network, and nobody has to be asked.

WHAT IS HERE
  {name:<{width}}  the work
  {bundle:<{width}}  its record: signed statements of everyone who took part
  CREDITS.txt{pad}  whom to name, ready to paste
  report.html{pad}  what was found when this kit was made, for a browser
  README.txt{pad}  this page

WHAT WAS FOUND WHEN THIS KIT WAS MADE
{report}

CHECK IT YOURSELF
With the program hitp2p, in this folder:

    hitp2p verify {quoted}

Without it: {name} must have the SHA-256
    {sha256}
which `sha256sum` or `shasum -a 256` prints. That this hash stands in a statement signed by the
author is in {bundle}, a CAR file: IPFS tools list its blocks, and the specification of hitp2p says
in plain words how each is checked. The work is the first root:
    {work}

Don't trust this page, which anyone could have written: trust what you have checked.
"""
_KIT_DATE: Final = (1980, 1, 1, 0, 0, 0)
"""Of every entry, so that the same work gives the same kit."""


def write_kit(
    reader: Reader, work: SignedObject, output: Path, *, media: MediaChoice = "none"
) -> Kit:
    """Write a zip with a work's first file, its bundle, its credits, and a page that says how to check them.

    Raises:
        UsageError: the work has no file.
        MissingBlocksError: its bytes aren't here.
    """
    entries = [MediaEntry.from_body(entry) for entry in known_field(work, "media") or ()]
    if not entries:
        raise UsageError(f"{work.cid} has no file; `export` writes its bundle")
    name = _file_name(entries[0], work)
    with TemporaryDirectory(prefix="hitp2p-") as folder:
        file = Path(folder, name)
        bundle = file.with_name(name + SIDECAR_SUFFIX)
        with store_errors(file.parent), file.open("wb") as copy:
            copy.writelines(iter_media(work, 0, reader.store))
        carried = export_bundle(reader.store, work, bundle, lookup=reader.lookup, media=media)
        with whole_file(output) as sink, zipfile.ZipFile(sink, "w") as kit:
            for path in (file, bundle):
                _add(kit, path.name, _pieces(path))
            for extra, text in _pages(reader, work, file, bundle):
                _add(kit, extra, [text.encode()])
            names = tuple(kit.namelist())
    return Kit(work=work.cid, file=output, names=names, missing=carried.missing)


def _file_name(entry: MediaEntry, work: SignedObject) -> str:
    """The entry's label, which can't be a path [MED-3], as a name that every system takes, and with room for `.car`."""
    name = re.sub(r'[<>:"|?*\x00-\x1f]|[. ]+$', "_", entry.name or short_name(work.cid))
    stem, dot, suffix = name.rpartition(".") if "." in name[1:] else (name, "", "")
    room = _NAME_BYTES - len(f"{dot}{suffix}".encode())
    if len(name.encode()) > _NAME_BYTES:
        name = f"{_cut(stem, room)}{dot}{suffix}" if room > 0 else _cut(name, _NAME_BYTES)
    if _DEVICE.fullmatch(name.partition(".")[0].rstrip()):
        name = f"_{name}"
    return f"{name}.work" if name.casefold() in _TAKEN else name


def _cut(text: str, n_bytes: int) -> str:
    return text.encode()[:n_bytes].decode(errors="ignore")


_NAME_BYTES: Final = 200
_DEVICE: Final = re.compile(r"con|prn|aux|nul|(?:com|lpt)[0-9\u00b9\u00b2\u00b3]", re.IGNORECASE)
"""What Windows takes for a device, whatever follows the first dot."""
_TAKEN: Final = frozenset({"readme.txt", "credits.txt", "report.html"})


def _add(kit: zipfile.ZipFile, name: str, pieces: Iterable[bytes]) -> None:
    """Stored as it is: media don't shrink, and a kit should be readable by the simplest tool."""
    info = zipfile.ZipInfo(name, _KIT_DATE)
    info.external_attr = 0o644 << 16
    with kit.open(info, "w", force_zip64=True) as entry:
        for piece in pieces:
            entry.write(piece)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


def _pages(
    reader: Reader, work: SignedObject, file: Path, bundle: Path
) -> Iterator[tuple[str, str]]:
    """Pages for people, with what anyone finds who verifies the file in the kit with its bundle."""
    report = verify(file, bundle=bundle)
    width = max(len(bundle.name), len("CREDITS.txt"))
    yield "CREDITS.txt", reader.credits(work).text() + "\n"
    yield "report.html", render_html_page(report)
    yield (
        "README.txt",
        _README.format(
            title=safe_line(str(work.body["title"])),
            name=safe_line(file.name),
            bundle=safe_line(bundle.name),
            width=width,
            pad=" " * (width - len("CREDITS.txt")),
            report=render_report(report),
            quoted=shlex.quote(f"./{file.name}" if file.name.startswith("-") else file.name),
            sha256=report.file.sha256.hex(),
            work=work.cid,
        ),
    )
