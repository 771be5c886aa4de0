"""The program's frame: a lazy tree of verbs, the options that all verbs share, and the last resort for errors.

`--help` lists every verb from the table below without importing one; a verb's module is imported
when it runs. A test holds the table and the modules together.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from keyword import iskeyword
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from hitp2p.cli.frame import READER_GONE, drop_output, guarded

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from hitp2p.cli.output import Output

__all__ = [
    "ID_VERBS",
    "INDEX_VERBS",
    "IPFS_VERBS",
    "NODE_VERBS",
    "PROJECT_VERBS",
    "REMOTE_VERBS",
    "VERBS",
    "LazyGroup",
    "Start",
    "Verb",
    "completing",
    "root",
    "verb",
]

VERBS: Final[Mapping[str, Mapping[str, str]]] = {
    "Begin": {
        "tour": "Play a whole story in a fresh folder, then explore it.",
        "init": "Make a folder into a workspace.",
        "id": "Your identities: new, show, list, default, rotate, revoke, export, import.",
        "project": "Projects: new, list, show, mark.",
    },
    "Make": {
        "contribute": "Add a work of your own to a project.",
        "remix": "Add a work that builds on others.",
    },
    "Speak": {
        "answer": "Accept, deny or amend a credit that names you.",
        "grant": "Allow what the licence of your work doesn't.",
        "thanks": "Thank somebody for a work.",
        "dispute": "Say that a work isn't what it claims to be.",
        "claim-ancestor": "Say that a work was made from yours.",
        "withdraw": "Take back something that you signed.",
        "witness": "Sign that you have seen works now.",
        "profile": "Say something of yourself.",
    },
    "Look": {
        "status": "What is in this workspace, and who you are.",
        "list": "The objects here: works, or any kind.",
        "search": "Works by words in title, note, tags and names.",
        "trail": "Who made what from what, oldest first.",
        "show": "Everything an object says.",
        "credits": "The credit sheet of a work, at any depth.",
        "cat": "A work's file on standard output.",
        "watch": "What is new since a point in time, as it comes.",
    },
    "Verify": {
        "verify": "What a file is: who made it, from what, what is proven.",
    },
    "Carry": {
        "export": "Write a work and its whole trail to one file.",
        "seal": "Make a file carry its record: pointer and bundle.",
        "kit": "Write a zip with all that somebody needs to check a work.",
        "import": "Check and take in such a file.",
        "backup": "Copy the store while it is in use.",
        "pull": "Fetch trails and bundles from IPFS.",
        "copy": "Move a store elsewhere: onto a daemon, back, into another.",
    },
    "IPFS": {
        "ipfs": "The IPFS daemon behind a workspace: status, push, announce, pins, repair, remote, name.",
    },
    "Node": {
        "node": "A node that keeps projects in step with others: init, run, follow, status, policy.",
        "sync": "Meet one other node, once.",
    },
    "Keep": {
        "fsck": "Check every block and index of the store.",
        "index": "The index of the store: rebuild.",
        "gc": "Drop what nothing refers to any more.",
        "completion": "Completion for bash, zsh or fish.",
        "help": "The manual of a verb; help json lists all JSON fields.",
    },
}
"""Verb -> one line of help, in the sections of `hitp2p --help`."""

ID_VERBS: Final[Mapping[str, str]] = {
    "new": "Make an identity: a key here, a recovery key elsewhere.",
    "show": "An identity in full.",
    "list": "The identities whose keys are here.",
    "default": "Choose who speaks when --as isn't given.",
    "rotate": "Change to a new key with the recovery key.",
    "revoke": "Drop a key that was lost or stolen, with the recovery key.",
    "export": "Write the signing key as PKCS #8 or OpenSSH.",
    "import": "Make an identity from a key that you have.",
}
INDEX_VERBS: Final[Mapping[str, str]] = {
    "rebuild": "Make the index anew: from the blocks, or from pins alone.",
}
PROJECT_VERBS: Final[Mapping[str, str]] = {
    "new": "Open a project.",
    "list": "The projects that are here.",
    "show": "A project in full.",
    "mark": "Mark a project as unlisted here, or take that away.",
}
IPFS_VERBS: Final[Mapping[str, str]] = {
    "status": "How the daemon is, and what it keeps of this workspace.",
    "push": "Bring projects onto a daemon, and pin them there for others.",
    "announce": "Tell the network now that a daemon has a project.",
    "pins": "What hitp2p pins on a daemon, of all workspaces.",
    "repair": "Check the daemon against this workspace, and mend it.",
    "remote": "Pinning services: add, push, status, list, rm.",
    "name": "Names that stay while a project grows: publish, show.",
}
NAME_VERBS: Final[Mapping[str, str]] = {
    "publish": "Let your name of a project point to its newest snapshot.",
    "show": "What a name points to.",
}
NODE_VERBS: Final[Mapping[str, str]] = {
    "init": "Make a node in this workspace.",
    "run": "Run it, until Ctrl-C.",
    "follow": "Keep a project or a person in step.",
    "unfollow": "Stop doing so; what is here stays.",
    "status": "How the running node is, and what is in step.",
    "peers": "Whom it is connected with.",
    "policy": "What it keeps out: by author, project, licence, type.",
    "queue": "What waits for review: look, let in, drop.",
    "takedown": "Remove media and keep them out, with a receipt.",
    "reload": "Let it read its policy and settings again.",
    "stats": "Its figures, as Prometheus reads them.",
    "doctor": "Look for what keeps it from working.",
    "unit": "A systemd unit, or a container file.",
}
REMOTE_VERBS: Final[Mapping[str, str]] = {
    "add": "Make a pinning service known to the daemon.",
    "push": "Ask a service to keep projects.",
    "status": "What a service says of projects.",
    "list": "The services that the daemon knows.",
    "rm": "Let the daemon forget a service.",
}


class LazyGroup(click.Group):
    """A group whose verbs live in modules of `hitp2p.cli.verbs`, named `<prefix><verb>`."""

    def __init__(
        self, *, prefix: str, sections: Mapping[str, Mapping[str, str]], **more: Any
    ) -> None:
        super().__init__(**more)
        self.prefix = prefix
        self.sections = sections

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for section in self.sections.values() for name in section]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        name = self.prefix + cmd_name.replace("-", "_")
        module = import_module(f"hitp2p.cli.verbs.{name}{'_' if iskeyword(name) else ''}")
        command: click.Command = module.command
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        verbs = [
            CompletionItem(name, help=what)
            for section in self.sections.values()
            for name, what in section.items()
            if name.startswith(incomplete)
        ]
        return verbs or click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, section in self.sections.items():
            with formatter.section(title):
                formatter.write_dl(list(section.items()), col_max=14)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.list_commands(ctx) and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], self.list_commands(ctx), 1)
            hint = f" Did you mean {near[0]}?" if near else ""
            ctx.fail(f"{ctx.command_path} has no verb {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)


class Start:
    """How a run was started: click's `obj` until the verb is known."""

    __slots__ = ("argv", "out")

    def __init__(self, argv: Sequence[str], out: Output | None = None) -> None:
        self.argv = argv
        """The command line after the program's name."""
        self.out = out
        """Another place for results than the standard streams."""


class Root(LazyGroup):
    """The outermost command. Nothing leaves it as a traceback unless `--debug` was given."""

    def main(self, args: Sequence[str] | None = None, *_: Any, **more: Any) -> NoReturn:
        argv = sys.argv[1:] if args is None else list(args)
        more |= {"standalone_mode": False, "obj": Start(argv)}
        outer = super().main
        raise SystemExit(guarded(lambda: outer(argv, **more), argv))


COMMON = (
    click.Option(
        ["--json", "as_json"],
        is_flag=True,
        help='Print one JSON document; "hitp2p help json" lists the fields.',
    ),
    click.Option(
        ["--workspace"],
        metavar="DIR",
        help="The workspace; else HITP2P_WORKSPACE, else the nearest folder upwards with a .hitp2p.",
    ),
    click.Option(
        ["--store"],
        metavar="STORE",
        help="Where its works are: sqlite or kubo:ADDRESS; else HITP2P_STORE, else as noted when it was made.",
    ),
    click.Option(["--debug"], is_flag=True, help="Show the traceback of an error."),
)
"""Options that every verb takes, before or after its name."""


class Verb(click.Command):
    """A command with examples, documented JSON fields and the common options."""

    def __init__(
        self, *, examples: Sequence[tuple[str, str]], json_fields: Mapping[str, str], **more: Any
    ) -> None:
        super().__init__(**more)
        self.examples = examples
        self.json_fields = json_fields

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        *own, helper = super().get_params(ctx)
        return [*own, *COMMON, helper]

    def invoke(self, ctx: click.Context) -> Any:
        above = ctx.find_root().params
        from hitp2p.cli.run import Run

        run = Run(
            start=ctx.obj,
            as_json=bool(ctx.params.pop("as_json") or above.get("as_json")),
            workspace=ctx.params.pop("workspace") or above.get("workspace"),
            store=ctx.params.pop("store") or above.get("store"),
            as_name=ctx.params.pop("as_name", None),
            passphrase_file=ctx.params.pop("passphrase_file", None),
            passphrase_fd=ctx.params.pop("passphrase_fd", None),
            yes=ctx.params.pop("yes", False),
        )
        ctx.params.pop("debug")
        ctx.obj = run
        try:
            with run:
                super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            drop_output()
            ctx.exit(READER_GONE)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        shared = {id(option) for option in COMMON}
        own: list[tuple[str, str]] = []
        common: list[tuple[str, str]] = []
        for param in self.get_params(ctx):
            record = None if isinstance(param, click.Argument) else param.get_help_record(ctx)
            if record is not None:
                help_option = "--help" in param.opts
                (common if id(param) in shared or help_option else own).append(record)
        for title, records in (("Options", own), ("Common options", common)):
            if records:
                with formatter.section(title):
                    formatter.write_dl(records, col_max=24)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from hitp2p.cli.output import command_lines

        with formatter.section("Examples"):
            for line, what in self.examples:
                for part in command_lines(line, "  "):
                    formatter.write(part + "\n")
                formatter.indent()
                formatter.write_text(what)
                formatter.dedent()
        with formatter.section("JSON fields"):
            formatter.write_dl(list(self.json_fields.items()), col_max=24)


def verb(
    *, examples: Sequence[tuple[str, str]], json_fields: Mapping[str, str]
) -> Callable[[Callable[..., None]], Verb]:
    """Decorator: a function `(run, **options)` becomes a verb; its docstring is the help."""

    def make(function: Callable[..., None]) -> Verb:
        command = click.command(cls=Verb, examples=examples, json_fields=json_fields)
        made = command(click.pass_obj(function))
        assert isinstance(made, Verb)
        return made

    return make


def completing(what: str) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """Completion of `cid`, `project` or `identity`, imported when a shell asks for it."""

    def complete(ctx: click.Context, param: click.Parameter, start: str) -> list[CompletionItem]:
        from hitp2p.cli import completion

        found: list[CompletionItem] = getattr(completion, f"complete_{what}")(ctx, start)
        return found

    return complete


def _show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from hitp2p.cli.versions import print_versions

        print_versions(as_json="--json" in ctx.obj.argv)
        ctx.exit()


@click.command(
    cls=Root,
    prefix="",
    sections=VERBS,
    params=[*COMMON],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    invoke_without_command=False,
    subcommand_metavar="VERB ...",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="The versions of program, format and store.",
)
def root(**_: object) -> None:
    """Creative works made together, with a signed trail of who made what, from
    what, under which terms.

    New here? "hitp2p tour" plays a whole story in a fresh folder. Then make your
    own: "hitp2p init", "hitp2p id new", "hitp2p project new", "hitp2p contribute".
    Every verb explains itself: "hitp2p VERB --help".
    """
