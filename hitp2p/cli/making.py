"""What `project new`, `contribute` and `remix` share: options, parsing, and how the result is shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import click

from hitp2p.cli.app import completing
from hitp2p.cli.names import Names, title_of
from hitp2p.cli.progress import progress
from hitp2p.cli.records import (
    OBJECT_FIELDS,
    dag_json,
    described,
    object_lines,
    object_record,
    prefixed,
)
from hitp2p.codec.cid import OBJECT_CID_START
from hitp2p.errors import RuleError, UsageError
from hitp2p.trail.display import short_name

if TYPE_CHECKING:
    from hitp2p.cli.run import Run
    from hitp2p.objects.contribution import Use
    from hitp2p.objects.envelope import SignedObject
    from hitp2p.workspace import Workspace

__all__ = [
    "MADE_FIELDS",
    "MADE_LIST_FIELDS",
    "hint_at_uncredited",
    "parse_credit",
    "parse_foreign",
    "parse_source",
    "passphrase_options",
    "require_files",
    "show_all_made",
    "show_made",
    "signing_options",
    "work_options",
]

F = TypeVar("F", bound=Callable[..., Any])

MADE_FIELDS: Final = OBJECT_FIELDS | {
    "signed": "false under --dry-run: nothing was kept",
    "body": "what was signed beside the envelope, as DAG-JSON",
}
"""JSON of a verb that signs one object."""
MADE_LIST_FIELDS: Final = prefixed("objects[].", MADE_FIELDS)
"""JSON of a verb that may sign several objects."""


def passphrase_options(function: F) -> F:
    """Options: where a passphrase comes from."""
    for option in (
        click.option(
            "--passphrase-fd",
            type=int,
            metavar="N",
            help="Read the passphrase from file descriptor N.",
        ),
        click.option(
            "--passphrase-file",
            metavar="FILE",
            help="Read the passphrase from the first line of FILE.",
        ),
    ):
        function = option(function)
    return function


def signing_options(function: F) -> F:
    """Options: who signs, and whether."""
    for option in (
        click.option("--dry-run", is_flag=True, help="Show what would be signed; keep nothing."),
        click.option(
            "--yes", is_flag=True, help="Agree beforehand that a signature can't be unsaid."
        ),
        passphrase_options,
        click.option(
            "--as",
            "as_name",
            shell_complete=completing("identity"),
            metavar="WHO",
            help="Who signs: name or short name. Else HITP2P_AS, else the default.",
        ),
    ):
        function = option(function)
    return _blames_who_said_it(function)


def _blames_who_said_it(function: F) -> F:
    """What a person said for an object of their own and no rule allows is no fault of foreign bytes."""

    @wraps(function)
    def command(*args: Any, **said: Any) -> None:
        try:
            function(*args, **said)
        except RuleError as error:
            if error.rule.partition("-")[0] not in ("OBJ", "KND"):  # of a key file, say
                raise
            fault = UsageError(f"{error.message} [{error.rule}]")
            fault.add_note("Nothing was signed; say it in another way.")
            raise fault from error

    return cast(F, command)


def work_options(function: F) -> F:
    """Options: what a person says of a new work."""
    for option in (
        click.option(
            "--reference",
            is_flag=True,
            help="Leave the files where they are instead of copying them into the workspace.",
        ),
        click.option(
            "--source",
            "foreign",
            metavar="URL",
            multiple=True,
            help='Something outside hitp2p that it uses: "URL,title=T,author=A,license=L,sha256=HEX,relation=R,note=N", '
            "all but the URL optional.",
        ),
        click.option(
            "--credit",
            "credits",
            metavar="NAME:ROLE",
            multiple=True,
            help="Someone else who took part; NAME may be an identity's CID or bafyrei and a short name.",
        ),
        click.option(
            "--made-with-ai",
            type=click.Choice(["no", "part", "whole"]),
            help="How much of it a model made.",
        ),
        click.option(
            "--alt", metavar="TEXT", help="The work in words, for those who can't see or hear it."
        ),
        click.option("--note", metavar="TEXT", help="Your own sentence about it."),
        click.option("--tag", "tags", metavar="TAG", multiple=True, help="A word to find it by."),
        click.option(
            "--language",
            "languages",
            metavar="TAG",
            multiple=True,
            help="Language, such as en or pt-BR.",
        ),
        click.option(
            "--role",
            "roles",
            metavar="CODE",
            multiple=True,
            help="What you did: a MARC relator code (aut, lyr, cmp, ill, prf, edt) or words.",
        ),
        click.option(
            "--unchecked",
            metavar="REASON",
            help="Sign although a source's licence forbids it or can't be judged; every reader sees why.",
        ),
        click.option("--license", metavar="SPDX", help="Such as CC-BY-4.0; else the project's."),
        click.option("--title", metavar="T", required=True, help="Title, one line."),
    ):
        function = option(function)
    return function


def parse_credit(text: str, workspace: Workspace) -> tuple[Any, str]:
    """`NAME:ROLE` -> (identity or name of an outsider, role)."""
    name, colon, role = text.rpartition(":")
    if not colon or not name.strip() or not role.strip():
        raise UsageError(f"--credit {text!r} should be NAME:ROLE, such as 'Cy:ill'")
    if name.startswith(OBJECT_CID_START):
        return workspace.resolve(name), role.strip()
    return name.strip(), role.strip()


def _split(text: str, names: str) -> tuple[str, dict[str, str]]:
    """`head,name=value,...` -> head and values; a comma inside a value may stay, since names are known."""
    head, *rest = re.split(rf",(?=(?:{names})=)", text)
    return head, dict(part.split("=", 1) for part in rest)


def _relation(word: str, text: str) -> str:
    from hitp2p.objects.parts import RELATIONS

    if word not in RELATIONS:
        raise UsageError(f"{word!r} in {text!r} is no relation; there are: {', '.join(RELATIONS)}")
    return word


def _digest(word: str | None, text: str) -> bytes | None:
    if word is None:
        return None
    if not re.fullmatch("[0-9a-fA-F]{64}", word):
        raise UsageError(f"{word!r} in {text!r} is no SHA-256; it has 64 hexadecimal digits")
    return bytes.fromhex(word)


def parse_source(text: str, workspace: Workspace) -> Use:
    """`CID[,relation][,part=...][,into=...][,note=...]` -> a use of a work that is here."""
    from hitp2p.objects.contribution import Use

    head, more = _split(text, "relation|part|into|note")
    name, _, word = head.partition(",")
    relation = _relation(word or more.get("relation") or "remix", text)
    return Use(
        work=workspace.resolve(name),
        relation=relation,
        part=more.get("part"),
        into=more.get("into"),
        note=more.get("note"),
    )


def parse_foreign(text: str) -> Use:
    """`URL[,title=...][,author=...][,license=...][,sha256=...][,relation=...][,note=...]` -> a use of something outside."""
    from hitp2p.objects.contribution import ForeignSource, Use

    url, more = _split(text, "title|author|license|sha256|relation|part|into|note")
    return Use(
        source=ForeignSource(
            url=url or None,
            title=more.get("title"),
            author=more.get("author"),
            license=more.get("license"),
            sha256=_digest(more.get("sha256"), text),
        ),
        relation=_relation(more.get("relation", "reference"), text),
        part=more.get("part"),
        into=more.get("into"),
        note=more.get("note"),
    )


def require_files(files: Sequence[str]) -> None:
    """Notice a missing file before the person is asked for a passphrase."""
    from hitp2p.store.media import require_file

    for name in files:
        require_file(name)


def show_made(run: Run, made: SignedObject, *, dry_run: bool, **also: object) -> None:
    """The result of a verb that signs one object; `also` goes into its JSON."""
    names = Names(run.workspace)
    run.out.emit(
        _made_record(made, names, dry_run=dry_run) | also,
        _made_lines(made, names, dry_run=dry_run),
    )


def hint_at_uncredited(run: Run, made: SignedObject, files: Sequence[str]) -> None:
    """Warn of works here that a new work shares something with and doesn't name; nothing is refused for it."""
    from hitp2p.uncredited import find_uncredited

    paths = [Path(name) for name in files]
    with progress("comparing media", unit="objects", quiet=run.out.as_json) as moved:
        alike = find_uncredited(made, paths, run.workspace, progress=moved)
    for found in alike:
        name = short_name(found.work.cid)
        run.out.warn(
            f'it looks like "{title_of(found.work)}" {name}, which it doesn\'t credit: {found.why}.'
            f" If it was made from that, say so: hitp2p remix --of {name}"
        )


def show_all_made(run: Run, made: Sequence[SignedObject], *, dry_run: bool) -> None:
    """The result of a verb that may sign several objects."""
    names = Names(run.workspace)
    run.out.emit(
        {"objects": [_made_record(one, names, dry_run=dry_run) for one in made]},
        (line for one in made for line in _made_lines(one, names, dry_run=dry_run)),
    )


def _made_record(made: SignedObject, names: Names, *, dry_run: bool) -> dict[str, object]:
    return object_record(made, names) | {"signed": not dry_run, "body": dag_json(made.body)}


def _made_lines(made: SignedObject, names: Names, *, dry_run: bool) -> list[str]:
    lines = [title_of(made), *object_lines(made, names)]
    if dry_run:
        lines = [
            "A dry run: nothing was kept. This would be signed:",
            "",
            *lines,
            "",
            "What it says:",
        ]
        lines += described(made.body)
    return lines
