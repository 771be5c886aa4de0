"""Verifying the last of a chain of remixes, beside c2pa-python reading and validating as long a chain of manifests."""

from __future__ import annotations

import io
import json
import struct
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

import hitp2p
from benchmarks.measure import Figure, Note, own_peak_kib, peak_mib, wall_medians_s
from benchmarks.peers import module
from hitp2p.codec.car import CarReader
from hitp2p.keys.ed25519 import verify_many
from hitp2p.objects.envelope import parse_object
from hitp2p.trail.report_json import report_json

_SIDE = 64
_Draw: TypeAlias = Callable[[int], bytes]
_SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"


def figures(*, smoke: bool) -> Iterator[Figure | Note]:
    """50 works, each a picture of 64 x 64 made from the one before; files from the page cache, one thread each."""
    n_steps, rounds = (4, 1) if smoke else (50, 15)
    c2pa = module("c2pa", "pip install c2pa-python")
    if c2pa is not None:
        yield Note(
            text=f"c2pa-python {c2pa.__version__} (c2pa-rs {c2pa.sdk_version()}): Builder() and Reader(path) without settings of ours, so"
            " thumbnails are made, no trust list is loaded, and what was signed is verified when read; Ed25519, certificate self-signed"
        )
    with tempfile.TemporaryDirectory() as name:
        for title, draw, settings in (
            ("noise", _noise, None),
            ("smooth colours", _smooth, None),
            ("smooth colours, c2pa's thumbnails off", _smooth, _NO_THUMBNAILS),
        ):
            folder = Path(name) / title.replace(" ", "-")
            folder.mkdir()
            yield from _compared(c2pa, folder, title, draw, settings, n_steps, rounds)


_NO_THUMBNAILS: dict[str, object] = {"builder": {"thumbnail": {"enabled": False}}}


def _compared(
    c2pa: Any | None,
    folder: Path,
    title: str,
    draw: _Draw,
    settings: dict[str, object] | None,
    n_steps: int,
    rounds: int,
) -> Iterator[Figure | Note]:
    ours, theirs = folder / "work.png", folder / "manifests.png"
    _remix(ours, draw, n_steps)
    runs: list[tuple[Callable[[], object], int]] = [(lambda: _verify(ours), 3)]
    if c2pa is not None:
        theirs.write_bytes(_sign_chain(c2pa, draw, settings, n_steps))
        runs.append((lambda: _read(c2pa, theirs), 1))
    our_s, *their_s = wall_medians_s(*runs, rounds=rounds)
    goal = settings is None
    yield Figure(
        name=f"verify a chain of {n_steps} remixes ({title})",
        value=our_s * 1e3,
        unit="ms",
        floor=their_s[0] * 1e3 if their_s else None,
        goal=">= 20 x faster" if goal else "",
        ratio_is_speed=True,
    )
    yield Figure(
        name="of it: the signatures, by the library's call on one thread",
        value=wall_medians_s((_signatures(ours), 1), rounds=rounds)[0] * 1e3,
        unit="ms",
    )
    yield Figure(
        name=f"its sidecar, against the manifest store ({title})",
        value=ours.with_name("work.png.car").stat().st_size / 1024,
        unit="KiB",
        floor=_manifest_bytes(theirs) / 1024 if their_s else None,
        goal=">= 500 x smaller" if goal else "",
        ratio_is_speed=True,
    )
    yield Figure(
        name=f"peak memory of it ({title})",
        value=peak_mib(__name__, "hitp2p", ours),
        unit="MiB",
        floor=peak_mib(__name__, "c2pa", theirs) if their_s else None,
        goal="< 200 MB",
    )


# --- pictures ---------------------------------------------------------------------------------------


def _noise(number: int) -> bytes:
    """What no thumbnail makes smaller."""
    return _png(Random(number).randbytes(_SIDE * _SIDE * 3))


def _smooth(number: int) -> bytes:
    """What a thumbnail makes small."""
    return _png(
        bytes(
            value % 256
            for y in range(_SIDE)
            for x in range(_SIDE)
            for value in (x * 4 + number * 5, y * 4, (x + y) * 2 + number)
        )
    )


def _png(rgb: bytes) -> bytes:
    rows = b"".join(b"\0" + rgb[at : at + _SIDE * 3] for at in range(0, len(rgb), _SIDE * 3))
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


# --- ours -------------------------------------------------------------------------------------------


def _remix(file: Path, draw: _Draw, n_steps: int) -> None:
    """The last work of a chain by three people, with its bundle beside it."""
    with hitp2p.open(":memory:") as ws:
        people = [hitp2p.Identity.create(name) for name in ("Ana", "Bo", "Cy")]
        project = ws.create_project("P", by=people[0])
        work = None
        for number in range(n_steps):
            file.write_bytes(draw(number))
            by, title = people[number % 3], f"Take {number}"
            if work is None:
                work = ws.contribute(project, file, title=title, by=by, license="CC-BY-SA-4.0")
            else:
                work = ws.remix([work], file, title=title, by=by, license="CC-BY-SA-4.0")
        assert work is not None
        ws.export(work, file.with_name(f"{file.name}.car"))


def _verify(file: Path) -> str:
    """The report as JSON, as c2pa gives it."""
    report = hitp2p.verify(file)
    if report.record is None or report.match is None:
        raise RuntimeError(f"not verified: {report.because}")
    return json.dumps(report_json(report))


def _signatures(file: Path) -> Callable[[], object]:
    """Checks all signatures of the bundle, and nothing else."""
    with file.with_name(f"{file.name}.car").open("rb") as stream:
        blocks = [block for block in CarReader(stream) if b"signer" in block.data]
    objects = [parse_object(block.data, cid=block.cid) for block in blocks]
    claims = [(obj.signer, obj.signature, obj.signed_bytes) for obj in objects]
    return lambda: verify_many(claims)


# --- c2pa -------------------------------------------------------------------------------------------


def _read(c2pa: Any, file: Path) -> str:
    with c2pa.Reader(str(file)) as reader:
        found: str = reader.json()
    if json.loads(found)["validation_state"] != "Valid":
        raise RuntimeError("c2pa finds its own chain invalid")
    return found


def _sign_chain(c2pa: Any, draw: _Draw, settings: dict[str, object] | None, n_steps: int) -> bytes:
    """A picture whose manifest has the one before as its parent, and so on."""
    signer, latest = _signer(c2pa), b""
    context = None if settings is None else c2pa.Context(c2pa.Settings.from_dict(settings))
    for number in range(n_steps):
        actions: list[dict[str, object]] = [
            {"action": "c2pa.created", "digitalSourceType": _SOURCE}
        ]
        if latest:
            opened: dict[str, object] = {
                "action": "c2pa.opened",
                "parameters": {"ingredientIds": ["before"]},
            }
            actions = [opened, {"action": "c2pa.edited"}]
        manifest = {
            "title": f"Take {number}",
            "claim_generator_info": [{"name": "benchmark", "version": "1"}],
            "assertions": [{"label": "c2pa.actions", "data": {"actions": actions}}],
        }
        builder = c2pa.Builder(json.dumps(manifest), context)
        if latest:
            before = {"title": f"Take {number - 1}", "relationship": "parentOf", "label": "before"}
            builder.add_ingredient(json.dumps(before), "image/png", io.BytesIO(latest))
        signed = io.BytesIO()
        builder.sign(signer, "image/png", io.BytesIO(draw(number)), signed)
        latest = signed.getvalue()
    return latest


def _signer(c2pa: Any) -> Any:
    """An Ed25519 key with a certificate that it signed itself."""
    key = Ed25519PrivateKey.generate()
    info = c2pa.C2paSignerInfo(
        alg=b"ed25519",
        sign_cert=_certificate(key).public_bytes(serialization.Encoding.PEM),
        private_key=key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
        ta_url=None,
    )
    return c2pa.Signer.from_info(info)


def _certificate(key: Ed25519PrivateKey) -> x509.Certificate:
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, "Ana"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Benchmark"),
        ]
    )
    key_id = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(True, *[False] * 8), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False)
        .add_extension(key_id, False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(key_id), False
        )
        .sign(key, None)
    )


def _manifest_bytes(file: Path) -> int:
    """The length of the chunks in which a PNG carries its manifest store."""
    data, at, length = file.read_bytes(), 8, 0
    while at < len(data):
        n_bytes, kind = struct.unpack_from(">I4s", data, at)
        length += n_bytes if kind == b"caBX" else 0
        at += 12 + n_bytes
    return length


if __name__ == "__main__":
    if sys.argv[1] == "c2pa":
        import c2pa

        _read(c2pa, Path(sys.argv[2]))
    else:
        _verify(Path(sys.argv[2]))
    print(own_peak_kib())
