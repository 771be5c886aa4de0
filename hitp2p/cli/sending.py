"""What `export`, `seal` and `kit` share: which media go along, and what happens to a file that is there already."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from hitp2p.cli.errors import with_step
from hitp2p.errors import UsageError

if TYPE_CHECKING:
    from hitp2p.cli.run import Run
    from hitp2p.objects.envelope import SignedObject

__all__ = ["UNLISTED", "media_option", "refuse_existing", "say_if_unlisted"]

F = TypeVar("F", bound=Callable[..., Any])
UNLISTED: Final = (
    "Unlisted means that hitp2p puts nothing of this project where it would be announced; it is not encrypted, so "
    "whoever gets a file or a block of it can read it and pass it on."
)
"""Said wherever somebody may take unlisted for secret."""


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


def say_if_unlisted(run: Run, work: SignedObject) -> None:
    """Before a file of an unlisted project goes out: what that means, and what the one who gets it has to do."""
    if run.workspace.is_unlisted(work):
        run.out.say(
            f"{UNLISTED} Whoever takes it in marks it with: hitp2p import --unlisted FILE.car"
        )
