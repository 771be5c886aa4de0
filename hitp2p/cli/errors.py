"""From an exception to one sentence, the rule and the next step, or to the JSON of the same."""

from __future__ import annotations

import sys
from typing import Final, TypeVar

import click

from hitp2p.errors import (
    Hitp2pError,
    InternalError,
    InvalidError,
    StoreError,
    StoreFullError,
    UsageError,
)

__all__ = [
    "ERROR_FIELDS",
    "ConfirmError",
    "as_own",
    "error_record",
    "print_traceback",
    "report",
    "with_step",
]

E = TypeVar("E", bound=Hitp2pError)

SPEC_PAGES: Final = {
    "ENC": "01-encoding.md",
    "CAR": "01-encoding.md",
    "KEY": "02-identity.md",
    "IDN": "02-identity.md",
    "OBJ": "03-objects.md",
    "KND": "03-objects.md",
    "TRL": "04-trail.md",
    "CRD": "04-trail.md",
    "MED": "05-media.md",
    "SNP": "06-bundle.md",
    "BND": "06-bundle.md",
    "IPN": "09-ipns.md",
    "NET": "10-node.md",
}
"""The page of `spec/` on which the rules of a prefix stand."""

NEXT_STEPS: Final = {
    "usage": "Add --help to the command to see what it takes.",
    "decode": "The bytes are damaged or were not made by a conforming program; ask their sender for a fresh copy.",
    "rule": "The object breaks the format and can't be used; ask its author to make it again.",
    "signature": "Do not trust these bytes: nobody's key vouches for them.",
    "newer-version": "Install a newer hitp2p, then try again.",
    "missing-blocks": "Import a bundle that has the missing objects (hitp2p import FILE.car), then try again.",
    "not-found": "hitp2p list shows the works that are here, with their short names; hitp2p search finds them by title.",
    "ambiguous-name": "Give a few more characters of the one that you mean.",
    "unlisted": "hitp2p ipfs status shows whom the daemon tells what it has; hitp2p project mark PROJECT --listed takes the mark away.",
    "passphrase": "Try again, or give it with --passphrase-file FILE or --passphrase-fd N.",
    "license": "Choose a licence that fits, or sign with --unchecked REASON, which every reader sees.",
    "key-file": "hitp2p id list shows the identities; HITP2P_KEYS names their folder.",
    "store": "See that the disk is there and that you may write to the folder; hitp2p fsck checks the store.",
    "store-full": "Free some space (hitp2p gc --dry-run shows what could go), then try again; nothing was half-written.",
    "backend": "hitp2p ipfs status shows how the daemon is. If it has another address now, give that; "
    "for this workspace's own, once: --store kubo:ADDRESS.",
    "peer": "See that the other node runs and that its address is right; hitp2p node run prints it there.",
    "protocol-violation": "The other node is faulty or hostile; nothing of what it sent was kept.",
    "corrupt-block": "hitp2p fsck names the damage; a backup or an import of the same work heals it.",
}
"""What to do next, by code, where the error itself doesn't say."""

ERROR_FIELDS: Final = {
    "error.code": "stable word: what went wrong",
    "error.message": "one sentence for people",
    "error.next": "what to do next, or null",
    "error.rule": "id of the broken rule in spec/, or null",
    "error.cid": "the block at fault, or null",
    "error.offset": "byte offset in the input, or null",
    "error.cids[]": "blocks that are missing, or identifiers that fit an ambiguous name",
    "error.exit_status": "the exit status that follows",
}
"""The JSON of an error, which goes to stderr."""


class ConfirmError(UsageError):
    """The person has to agree first, and there is no terminal to ask on."""

    code = "confirm"


def with_step(error: E, step: str) -> E:
    """The error, carrying the step that helps here (PEP 678 note)."""
    error.add_note(step)
    return error


def next_step(error: Hitp2pError) -> str | None:
    """The most special advice that there is."""
    notes: list[str] = getattr(error, "__notes__", [])
    return notes[-1] if notes else NEXT_STEPS.get(error.code)


def error_record(error: Hitp2pError) -> dict[str, object]:
    """The documented fields of an error."""
    invalid = error if isinstance(error, InvalidError) else None
    cid = getattr(error, "cid", None)
    return {
        "code": error.code,
        "message": str(error),
        "next": next_step(error),
        "rule": invalid.rule if invalid else None,
        "cid": str(cid) if cid is not None else None,
        "offset": invalid.offset if invalid else None,
        "cids": [str(cid) for cid in getattr(error, "cids", ())],
        "exit_status": error.exit_status,
    }


def report(error: Hitp2pError, *, as_json: bool) -> int:
    """Tell about the error on stderr; the exit status."""
    from hitp2p.cli.output import write_line

    if as_json:
        import json

        sys.stderr.write(json.dumps({"error": error_record(error)}) + "\n")
        return error.exit_status
    write_line(sys.stderr, f"error: {error}")
    for line in _details(error):
        write_line(sys.stderr, line)
    step = next_step(error)
    if step:
        write_line(sys.stderr, f"next:  {step}")
    return error.exit_status


def _details(error: Hitp2pError) -> list[str]:
    if isinstance(error, InvalidError):
        page = SPEC_PAGES.get(error.rule.partition("-")[0])
        return [f"rule:  {error.rule} (spec/{page})"] if page else []
    cids = [cid for cid in map(str, getattr(error, "cids", ())) if cid not in str(error)]
    shown = [f"       {cid}" for cid in cids[:10]]
    return [*shown, f"       and {len(cids) - 10} more"] if len(cids) > 10 else shown


def as_own(error: Exception) -> Hitp2pError:
    """Whatever was raised, as an error of the tree: click's as usage, the system's as the store's, others as our fault."""
    if isinstance(error, Hitp2pError):
        return error
    if isinstance(error, click.ClickException):
        return _usage_error(error)
    if isinstance(error, OSError):
        return _world_error(error)
    fault = InternalError(f"hitp2p is at fault: {type(error).__name__}: {error}")
    return with_step(fault, "Run it again with --debug and report what it prints, please.")


def _usage_error(error: click.ClickException) -> UsageError:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):  # whose message is the whole help
        return with_step(UsageError("a verb is missing"), "Add --help to see the verbs.")
    context = error.ctx if isinstance(error, click.UsageError) else None
    step = f"{context.command_path} --help explains the usage." if context else None
    return with_step(UsageError(error.format_message()), step or NEXT_STEPS["usage"])


def _world_error(error: OSError) -> StoreError:
    from errno import EDQUOT, ENOSPC

    what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    return (StoreFullError if error.errno in (ENOSPC, EDQUOT) else StoreError)(what)


def print_traceback(error: Exception) -> None:
    """The traceback on stderr; it quotes foreign text, so it is cleaned too."""
    import traceback

    from hitp2p.cli.output import write_line

    for line in "".join(traceback.format_exception(error)).rstrip().split("\n"):
        write_line(sys.stderr, line)
