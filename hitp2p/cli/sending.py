"""What `export`, `seal` and `kit` share: which media go along, and what happens to a file that is there already."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from hitp2p.cli.errors import with_step
from hitp2p.errors import UsageError

__all__ = ["media_option", "refuse_existing"]

F = TypeVar("F", bound=Callable[..., Any])


def media_option(function: F) -> F:
    """Option: which media a bundle carries."""
    option = click.option(
        "--media",
        type=click.Choice(["none", "work", "all"]),
        default="none",
        show_default=True,
        help="The bundle carries no media, those of the work, or those of all its sources too.",
    )
    return option(function)


def refuse_existing(target: str, *, force: bool) -> Path:
    """The path of a file that may be written.

    Raises:
        UsageError: it is there already, and `force` doesn't allow to replace it.
    """
    path = Path(target)
    if path.exists() and not force:
        raise with_step(UsageError(f"{target} exists already"), "Add --force to replace it.")
    return path
