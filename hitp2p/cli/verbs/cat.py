"""`hitp2p cat`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from hitp2p.cli.app import completing, verb
from hitp2p.cli.clean import clean_lines
from hitp2p.cli.errors import with_step
from hitp2p.cli.fetching import fetch_first, network_options
from hitp2p.cli.run import Run
from hitp2p.errors import MissingBlocksError, NotFoundError, UsageError

if TYPE_CHECKING:
    from hitp2p.ipfs_network import NetworkOptions


@verb(
    examples=[
        ("hitp2p cat k3f9z2ab > song.wav", "The work's first file."),
        (
            "hitp2p cat k3f9z2ab --file layers.kra > layers.kra",
            "Another of its files, by its label.",
        ),
        (
            "hitp2p cat k3f9z2ab --via kubo:/ip4/127.0.0.1/tcp/5001 > song.wav",
            "Fetched from IPFS where it isn't here.",
        ),
    ],
    json_fields={
        "name": "label of the file, or null",
        "type": "media type as its author says",
        "size_bytes": "its length",
        "sha256": "hash of the whole file in hex",
        "base64": "the bytes",
    },
)
@click.argument("cid", shell_complete=completing("cid"))
@click.option(
    "--file", "label", metavar="NAME", help="Which of the work's files, by label; else the first."
)
@network_options
def command(run: Run, cid: str, label: str | None, options: NetworkOptions) -> None:
    """Write a file of a work to standard output, every piece checked on the way.

    A file that isn't here is fetched first, and kept, where the works are stored on a Kubo daemon or
    --via names one.

    On a terminal, text is shown with whatever the terminal would obey as escapes; other media are
    refused there.
    """
    ws = run.workspace
    obj = ws.show(cid)
    media = obj.body.get("media", [])
    number = next((n for n, e in enumerate(media) if label is None or e.get("name") == label), None)
    if number is None:
        what = f"no file called {label!r}" if label else "no file"
        raise with_step(NotFoundError(f"{cid} has {what}"), f"hitp2p show {cid} lists what it has.")
    fetch_first(run, obj, options, entry=number)
    try:
        _write(run, media[number], ws.cat(obj, entry=number), cid)
    except MissingBlocksError as error:
        raise with_step(
            error,
            f"Fetch it from IPFS with --via kubo:ADDRESS, or ask for a bundle with it: hitp2p export {cid} --media work",
        ) from error


def _write(run: Run, entry: Mapping[str, Any], pieces: Iterator[bytes], cid: str) -> None:
    if run.out.as_json:
        from base64 import b64encode

        run.out.document(
            {
                "name": entry.get("name"),
                "type": entry["type"],
                "size_bytes": entry["size"],
                "sha256": entry["sha256"].hex(),
                "base64": b64encode(b"".join(pieces)).decode(),
            }
        )
    elif sys.stdout.isatty():
        _show(run, pieces, cid)
    else:
        for piece in pieces:
            sys.stdout.buffer.write(piece)


def _show(run: Run, pieces: Iterator[bytes], cid: str) -> None:
    """Text for a terminal, cleaned; a terminal obeys raw bytes."""
    data = b"".join(pieces)
    try:
        lines = clean_lines(data.decode())
    except UnicodeDecodeError:
        raise with_step(
            UsageError("this file isn't text, and raw bytes would garble the terminal"),
            f"hitp2p cat {cid} > FILE",
        ) from None
    for line in lines[:-1] if lines[-1] == "" else lines:
        run.out.line(line)
