"""The walkthroughs in `examples/` happen word for word: each command is run, and prints what stands below it.

A walkthrough is one shell session in a fresh home folder. HITP2P_UPDATE=1 writes down what is printed now, and calls things by
their new names in later commands; read the difference as its first reader would.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import outside
import pytest
from kubo_daemon import cache_folder, kubo_binary

FOLDER = Path(__file__).parents[2] / "examples" / "walkthroughs"
BLOCK = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)
SAID = re.compile(r"\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)")
"""A command, perhaps over several lines, and what stands below it."""
NAME = re.compile(r"\b[0-9A-Za-z]{8,62}\b")
"""Whatever may be a CID, a short name or a key."""
FAILURES = ("error: ", '{"error": ', "UNKNOWN  ", "DISPUTED  ", "BROKEN  ", "VERIFIED-WITH-GAPS  ")
SEEDED = "warning: HITP2P_SEED is set"
"""Left out of the walkthroughs, whose keys are made from a seed."""


class Shell:
    """A shell on a machine on which nothing was done yet; time stands still there, and chance is known."""

    def __init__(self, home: Path, programs: Path, *more: Path) -> None:
        """Start it.

        Args:
            home: an empty folder.
            programs: another one, for hitp2p and Python.
            more: folders of programs that the story takes.
        """
        for name, words in (("hitp2p", "-m hitp2p"), ("python3", "")):
            program = programs / name
            program.write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n')
            program.chmod(0o755)
        surroundings = {
            "PATH": os.pathsep.join([str(programs), *map(str, more), os.environ["PATH"]]),
            "HOME": str(home),
            "HITP2P_KEYS": str(home / ".local" / "share" / "hitp2p" / "keys"),
            "HITP2P_NOW": "2026-03-01T12:00:00Z",
            "HITP2P_SEED": "walkthrough",
            "PYTHONUNBUFFERED": "1",
            "PYTHONUTF8": "1",
        }
        self._bash = subprocess.Popen(
            ["bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=surroundings, cwd=home, encoding="utf-8", start_new_session=True,
        )  # fmt: skip

    def __enter__(self) -> Shell:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        self._bash.stdin.close()
        self._bash.stdout.close()
        status = self._bash.wait()
        with suppress(ProcessLookupError):  # daemons that the story started
            os.killpg(self._bash.pid, signal.SIGKILL)
        assert status == 0

    def run(self, command: str) -> tuple[str, int]:
        """What it prints, both streams as a terminal shows them, and its exit status."""
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        self._bash.stdin.write(f"{{ {command}\n}} < /dev/null\nprintf '\\036%s\\036\\n' $?\n")
        self._bash.stdin.flush()
        lines: list[str] = []
        while not (lines and lines[-1].endswith("\x1e\n")):
            lines.append(self._bash.stdout.readline())
            assert lines[-1], f"the shell ended in {command}"
        output, status, _ = "".join(line for line in lines if SEEDED not in line).split("\x1e")
        return output, int(status)


def cluster_folder() -> Path:
    """Where IPFS Cluster's programs are; skips the test where they aren't (in CI: fails it)."""
    (found, *_) = [*cache_folder().glob("cluster-*"), None]
    return outside.program("ipfs-cluster", found, "tests/go_build tests/cluster builds it, once")


def programs_of(story: str) -> dict[str, Path]:
    """Programs that a walkthrough takes beside hitp2p, with their folders; skips what takes too long."""
    if story == "cluster":
        if os.environ.get("HITP2P_FULL") != "1":
            pytest.skip("HITP2P_FULL=1 runs a cluster of three machines")
        return {"kubo": kubo_binary().parent, "ipfs-cluster": cluster_folder()}
    return {"kubo": kubo_binary().parent} if story == "two-machines" else {}


def shell_in(folder: Path, *more: Path) -> Shell:
    (folder / "home").mkdir()
    (folder / "bin").mkdir()
    return Shell((folder / "home").resolve(), folder / "bin", *more)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    with shell_in(tmp_path) as shell:
        yield shell


def tells_of_a_failure(output: str) -> bool:
    """An error, or a report with a headline that has an exit status."""
    return any(line.startswith(FAILURES) for line in output.splitlines())


def as_it_happens(text: str, shell: Shell, *, must_match: bool) -> str:
    """The walkthrough with what its commands print now.

    Args:
        must_match: stop at the first command that prints anything else than what is written.
    """
    names: dict[str, str] = {}

    def renamed(part: str) -> str:
        return NAME.sub(lambda found: names.get(found[0], found[0]), part)

    def perform(said: re.Match[str]) -> str:
        command = renamed(said[1])
        output, status = shell.run(command)
        assert output == said[2] or not must_match, f"{command}\n{output}"
        assert (status != 0) == tells_of_a_failure(output), (
            f"{command}\n{output}exit status {status}"
        )
        before, now = NAME.findall(said[2]), NAME.findall(output)
        if len(before) == len(now):
            names.update(zip(before, now, strict=True))
        return f"$ {command}\n{output}"

    return renamed(BLOCK.sub(lambda block: SAID.sub(perform, block[0]), text))


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.md")), ids=lambda path: path.stem)
def test_a_walkthrough_happens_word_for_word(path: Path, tmp_path: Path) -> None:
    written = path.read_text(encoding="utf-8")
    for block in BLOCK.findall(written):
        assert "".join(said[0] for said in SAID.finditer(block)) == block, "begins with no command"
    update = bool(os.environ.get("HITP2P_UPDATE"))
    programs = programs_of(path.stem)
    with shell_in(tmp_path, *programs.values()) as shell:
        happens = as_it_happens(written, shell, must_match=not update)
    for name in programs:
        outside.count_cases(name, 1)
    if update:
        path.write_text(happens, encoding="utf-8")
    assert happens == path.read_text(encoding="utf-8")


def test_there_are_walkthroughs() -> None:
    assert len(list(FOLDER.glob("*.md"))) >= 3


@pytest.mark.parametrize(
    "wrong", ["$ echo two\none\n", "$ false\n", "$ echo error: none\nerror: none\n"]
)
def test_a_walkthrough_that_goes_otherwise_is_noticed(wrong: str, shell: Shell) -> None:
    with pytest.raises(AssertionError):
        as_it_happens(f"```console\n{wrong}```\n", shell, must_match=True)


def test_an_update_writes_what_happens_and_calls_things_by_their_new_names(shell: Shell) -> None:
    old = "Its name is abcd2345.\n```console\n$ echo bcde3456\nabcd2345\n$ echo abcd2345\n```\n"
    new = "Its name is bcde3456.\n```console\n$ echo bcde3456\nbcde3456\n$ echo bcde3456\nbcde3456\n```\n"
    assert as_it_happens(old, shell, must_match=False) == new
