"""`hitp2p help`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import click

from hitp2p.cli.app import LazyGroup, Verb, root, verb
from hitp2p.cli.errors import ERROR_FIELDS, with_step
from hitp2p.cli.run import Run
from hitp2p.errors import NotFoundError

ALL_FIELDS: Final = "json"
"""The page with the fields of every verb."""

JSON_INTRO: Final = (
    'With --json a verb prints one document in ASCII on stdout ("watch" prints one a',
    "line), and nothing where it fails. An error is one line of JSON on stderr. Fields",
    "stay; new ones may come. [] stands for each entry of a list, * for any name.",
)


@verb(
    examples=[
        ("hitp2p help contribute", "The manual of a verb, as --help prints it."),
        ("hitp2p help id new", "Of a verb in a group."),
        ("hitp2p help json", "The JSON fields of every verb, and of errors."),
        ("hitp2p help json --json", "The same for a program."),
    ],
    json_fields={
        "text": "the page as printed",
        "verbs[].verb": "a verb on this page, such as contribute or id new",
        "verbs[].fields.*": "a field of its JSON -> what it holds",
        "error.*": "a field of an error's JSON -> what it holds",
    },
)
@click.argument("words", nargs=-1, metavar="[VERB ... | json]")
def command(run: Run, words: tuple[str, ...]) -> None:
    """Show the manual of a verb, or the JSON fields of all verbs.

    Without a word it lists the verbs, as "hitp2p --help" does.
    """
    if words == (ALL_FIELDS,):
        verbs = dict(_verbs(root, ()))
        lines = list(_all_fields(verbs))
    else:
        context = _find(words)
        verbs = dict(_verbs(context.command, words))
        lines = context.get_help().split("\n")
    fields = [{"verb": " ".join(name), "fields": dict(v.json_fields)} for name, v in verbs.items()]
    run.out.emit({"text": "\n".join(lines), "verbs": fields, "error": dict(ERROR_FIELDS)}, lines)


def _find(words: Sequence[str]) -> click.Context:
    """The context of the verb or group that is called so."""
    context = root.context_class(root, info_name="hitp2p", **root.context_settings)
    for word in words:
        group = context.command
        found = group.get_command(context, word) if isinstance(group, LazyGroup) else None
        if found is None:
            raise with_step(
                NotFoundError(f"there is no verb {' '.join(words)!r}"),
                "hitp2p help lists the verbs.",
            )
        context = found.context_class(found, info_name=word, parent=context)
    return context


def _verbs(command: click.Command, name: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Verb]]:
    """The verb itself, or all in a group, by name."""
    if isinstance(command, Verb):
        yield name, command
    elif isinstance(command, LazyGroup):
        context = click.Context(command)
        for word in command.list_commands(context):
            if (inner := command.get_command(context, word)) is not None:
                yield from _verbs(inner, (*name, word))


def _all_fields(verbs: dict[tuple[str, ...], Verb]) -> Iterator[str]:
    yield from JSON_INTRO
    pages = {"hitp2p " + " ".join(name): found.json_fields for name, found in verbs.items()}
    for title, fields in (pages | {"errors": ERROR_FIELDS}).items():
        formatter = click.HelpFormatter(width=80)
        with formatter.section(title):
            formatter.write_dl(list(fields.items()), col_max=30)
        yield ""
        yield from formatter.getvalue().rstrip("\n").split("\n")
