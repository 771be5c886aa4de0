"""Help is complete, fits 80 columns, and stays as captured; short help comes without importing verbs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from cli_harness import Cli
from click.testing import CliRunner

from hitp2p.cli.app import Verb, root

GOLDEN = Path(__file__).parent / "help.txt"
README = Path(__file__).parents[2] / "hitp2p" / "cli" / "README.md"


def every_page(
    command: click.Command = root, name: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    """Groups and verbs, a group before its verbs."""
    if name:
        yield name
    if isinstance(command, click.Group):
        context = click.Context(command, info_name="hitp2p")
        for word in command.list_commands(context):
            inner = command.get_command(context, word)
            assert inner is not None
            yield from every_page(inner, (*name, word))


def every_verb() -> Iterator[tuple[str, ...]]:
    for name in every_page():
        if isinstance(found_at(name), Verb):
            yield name


def found_at(name: tuple[str, ...]) -> click.Command:
    command: click.Command = root
    for word in name:
        assert isinstance(command, click.Group)
        inner = command.get_command(click.Context(command, info_name="hitp2p"), word)
        assert inner is not None
        command = inner
    return command


def help_of(*argv: str) -> str:
    result = CliRunner().invoke(root, [*argv, "--help"], prog_name="hitp2p")
    assert result.exit_code == 0, result.output
    return result.output


def command_of(argv: tuple[str, ...]) -> Verb:
    command = found_at(argv)
    assert isinstance(command, Verb)
    return command


def test_help_is_as_captured() -> None:
    """Run with HITP2P_UPDATE=1 to capture it anew; the difference belongs into the review."""
    pages = [(), *every_page()]
    text = "\n".join(f"### hitp2p {' '.join(page)}\n\n{help_of(*page)}" for page in pages)
    if os.environ.get("HITP2P_UPDATE"):
        GOLDEN.write_text(text, "utf-8")
    assert text == GOLDEN.read_text("utf-8")


@pytest.mark.parametrize("argv", [*every_verb()], ids=" ".join)
def test_every_verb_has_text_examples_and_fields(argv: tuple[str, ...]) -> None:
    command = command_of(argv)
    assert command.help
    assert command.examples
    assert command.json_fields
    for param in command.params:
        if isinstance(param, click.Option):
            assert param.help, param.name
    for line, what in command.examples:
        assert line.startswith(f"hitp2p {' '.join(argv)}") or "--workspace" in line
        assert what.endswith((".", "?"))


@pytest.mark.parametrize("argv", [(), *every_verb()], ids=" ".join)
def test_help_fits_80_columns(argv: tuple[str, ...]) -> None:
    long = [
        line for line in help_of(*argv).splitlines() if len(line) > 80 and "https://" not in line
    ]
    assert long == []


def test_the_readme_lists_every_verb_and_error_code() -> None:
    text = README.read_text("utf-8")
    for argv in every_verb():
        assert f"`{' '.join(argv)}`" in text, argv
    from hitp2p.cli.errors import NEXT_STEPS

    for code in NEXT_STEPS:
        assert f"`{code}`" in text, code


MODULES = """
import json, sys
from hitp2p.cli.app import root
try:
    root.main(sys.argv[1:], prog_name="hitp2p")
except SystemExit:
    pass
print("\\n" + json.dumps(sorted(sys.modules)))
"""


def modules_after(*argv: str) -> set[str]:
    ran = subprocess.run([sys.executable, "-c", MODULES, *argv], capture_output=True, check=True)
    return set(json.loads(ran.stdout.splitlines()[-1]))


HEAVY = {
    "trio",
    "rich",
    "msgpack",
    "cryptography",
    "ipfshttpclient",
    "nacl",
    "asyncio",
    "logging",
    "email",
}


def test_help_imports_no_verb_and_nothing_heavy() -> None:
    loaded = modules_after("--help")
    assert not loaded & (HEAVY | {"sqlite3", "dataclasses"})
    ours = {
        name for name in loaded if re.match(r"hitp2p\.(cli\.verbs|store|keys|objects|trail)", name)
    }
    assert ours == set()


def test_show_imports_no_machinery_to_check_sign_or_write(story: dict[str, str]) -> None:
    loaded = modules_after("show", story["song"])
    assert not loaded & HEAVY
    ours = {name for name in loaded if name.startswith("hitp2p.")}
    assert not {name for name in ours if name.startswith("hitp2p.keys")}
    assert not ours & {"hitp2p.workspace", "hitp2p.identity", "hitp2p.objects.envelope",
                       "hitp2p.store.contract", "hitp2p.store.sqlite", "hitp2p.cli.completion"}  # fmt: skip


def test_reading_verbs_import_neither_trio_nor_rich_nor_cryptography(story: dict[str, str]) -> None:
    for argv in (("list",), ("trail",), ("credits", story["song"]), ("search", "verse")):
        assert not modules_after(*argv) & {"trio", "rich", "ipfshttpclient", "cryptography"}, argv


def test_the_module_runs_as_a_program() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "hitp2p", "--version"], capture_output=True, text=True, check=True
    )
    assert re.fullmatch(r"hitp2p \S+ \(spec 1, store \d+\)\n", ran.stdout)
    asked = subprocess.run(
        [sys.executable, "-m", "hitp2p", "--json", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(json.loads(asked.stdout)) == {"hitp2p", "spec", "store"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_name_the_program(cli: Cli, shell: str) -> None:
    script = cli("completion", shell).ok().out
    assert f"_HITP2P_COMPLETE={shell}_complete" in script


def test_bash_takes_the_script(cli: Cli) -> None:
    script = cli("completion", "bash").ok().out
    subprocess.run(["bash", "-n"], input=script.encode(), check=True)


def complete(*words: str) -> list[str]:
    ran = subprocess.run(
        [sys.executable, "-c", "from hitp2p.cli.main import main; main()"],
        env=os.environ | {"_HITP2P_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(words),
                          "COMP_CWORD": str(len(words) - 1)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.stderr == ""
    return [line.partition(",")[2] for line in ran.stdout.splitlines() if line]


def test_verbs_names_projects_and_people_complete(story: dict[str, str]) -> None:
    assert complete("hitp2p", "con") == ["contribute"]
    assert complete("hitp2p", "id", "ro") == ["rotate"]
    short = story["song"][7:15]
    assert complete("hitp2p", "show", short[:3]) == [short]
    assert complete("hitp2p", "credits", story["song"][:12]) == [story["song"][:15]]
    assert complete("hitp2p", "trail", "") == [story["project"][7:15]]
    assert sorted(complete("hitp2p", "id", "show", "")) == ["Ana", "Bo"]
    assert complete("hitp2p", "contribute", "--as", "A") == ["Ana"]


def test_completion_outside_a_workspace_says_nothing(cli: Cli) -> None:
    assert complete("hitp2p", "show", "abcd") == []
