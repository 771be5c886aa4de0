"""Passphrases: from a file, a file descriptor or a prompt; never from the command line, which other users can see."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hitp2p.cli.clean import clean
from hitp2p.cli.errors import with_step
from hitp2p.errors import PassphraseError, UsageError

if TYPE_CHECKING:
    from hitp2p.cli.run import Run

__all__ = [
    "ask_passphrase",
    "given_passphrase",
    "has_terminal",
    "prompt_passphrase",
    "read_passphrase",
]

_LONGEST: Final = 1024
"""Most bytes of a passphrase; more is a wrong file."""


def has_terminal() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def given_passphrase(run: Run) -> str | None:
    """The passphrase that the options name a place for, or None."""
    if run.passphrase_file is not None:
        return read_passphrase(Path(run.passphrase_file))
    if run.passphrase_fd is not None:
        try:
            with open(run.passphrase_fd, "rb", closefd=False) as stream:
                return _first_line(stream.readline(_LONGEST + 2), f"descriptor {run.passphrase_fd}")
        except OSError as error:
            raise PassphraseError(
                f"can't read descriptor {run.passphrase_fd}: {error.strerror}"
            ) from error
    return None


def read_passphrase(path: Path) -> str:
    """The first line of a file, without its line end."""
    try:
        with path.open("rb") as stream:
            return _first_line(stream.readline(_LONGEST + 2), os.fspath(path))
    except OSError as error:
        raise with_step(
            PassphraseError(f"can't read the passphrase file {path}: {error.strerror}"),
            "See that --passphrase-file names a file that is there.",
        ) from error


def _first_line(line: bytes, where: str) -> str:
    line = line.removesuffix(b"\n").removesuffix(b"\r")
    if len(line) > _LONGEST:
        raise PassphraseError(f"the first line of {where} is over {_LONGEST} bytes long")
    if not line:
        raise PassphraseError(f"the first line of {where} is empty")
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise PassphraseError(f"the first line of {where} is not UTF-8") from error


def ask_passphrase(run: Run, prompt: str, *, confirm: bool = False) -> str:
    """The passphrase from where the options say, else from the person.

    Raises:
        PassphraseError: there is neither an option nor a terminal.
    """
    given = given_passphrase(run)
    return prompt_passphrase(prompt, confirm=confirm) if given is None else given


def prompt_passphrase(prompt: str, *, confirm: bool = False) -> str:
    """The passphrase from the person.

    Raises:
        PassphraseError: there is no terminal.
    """
    if not has_terminal():
        raise with_step(
            PassphraseError(f"there is no terminal to ask on: {prompt}"),
            "Give it with --passphrase-file FILE or --passphrase-fd N; --help says more.",
        )
    import click

    word: str = click.prompt(clean(prompt), hide_input=True, err=True, confirmation_prompt=confirm)
    return word


def ask_path(question: str, otherwise: UsageError) -> Path:
    """A path from the person; `otherwise` is raised where nobody can be asked."""
    if not has_terminal():
        raise otherwise
    import click

    answer: str = click.prompt(question, err=True)
    return Path(answer).expanduser()
