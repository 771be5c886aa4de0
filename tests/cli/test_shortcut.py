"""`hitp2p verify FILE` by the shortcut: the same words and statuses as by the command, or nothing at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli_harness import Cli

from hitp2p.cli.shortcut import shortcut


@pytest.fixture
def downloads(cli: Cli, story: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder outside any workspace, with a song, its bundle, and copies of both that are worth less."""
    folder = Path("../downloads").resolve()
    folder.mkdir()
    cli("export", story["song"], "-o", str(folder / "song.wav.car")).ok()
    song = Path("song.wav").read_bytes()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("HITP2P_WORKSPACE", raising=False)
    bundle = Path("song.wav.car").read_bytes()
    half = len(bundle) // 2
    for name, data, beside in (
        ("song.wav", song, bundle),
        ("naïve \x1b song.wav", song, bundle),
        ("changed.wav", song + b"\0", bundle),
        ("broken.wav", song, bundle[:half] + bytes((bundle[half] ^ 1,)) + bundle[half + 1 :]),
        ("alone.wav", song, None),
        ("empty.wav", b"", b""),
    ):
        Path(name).write_bytes(data)
        if beside is not None:
            Path(name + ".car").write_bytes(beside)
    return folder


def run(*words: str) -> tuple[int, bytes, bytes]:
    done = subprocess.run(
        [sys.executable, "-m", "hitp2p", *words], capture_output=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("options", [[], ["--json"]])
@pytest.mark.parametrize("name", ["song", "naïve \x1b song", "changed", "broken", "alone", "empty"])
def test_the_shortcut_says_what_the_command_says(
    downloads: Path, name: str, options: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    words = ["verify", f"{name}.wav", *options]
    status, out, err = run(*words, "--debug")  # an option that the shortcut leaves to the command
    assert out
    assert run(*words) == (status, out, err)
    assert shortcut(words, {}) == status
    assert capfd.readouterr().out.encode() == out


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file that fails when it is read")
def test_a_file_that_fails_when_it_is_read_is_told_by_the_command(downloads: Path) -> None:
    status, out, err = run("verify", "/proc/self/mem")
    assert (status, out) == (2, b"")
    assert err.startswith(b"error: /proc/self/mem")


def test_a_file_that_fails_is_read_once(downloads: Path) -> None:
    """What fails after half an hour of reading must not be read for another half."""
    program = (
        "import sys, hitp2p.verifier\n"
        "from hitp2p.cli.main import main\n"
        "from hitp2p.errors import UsageError\n"
        "def verify(*args, **options):\n"
        "    sys.stderr.write('read\\n')\n"
        "    raise UsageError('it fell off the table')\n"
        "hitp2p.verifier.verify = verify\n"
        "main()\n"
    )
    for options, told in (([], "error: it fell off the table"), (["--json"], '"code": "usage"')):
        ran = subprocess.run(
            [sys.executable, "-c", program, "verify", "song.wav", *options],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.stderr.count("read\n") == 1
        assert told in ran.stderr
        assert (ran.returncode, ran.stdout) == (2, "")


@pytest.mark.parametrize(
    ("words", "environ"),
    [
        (["verify"], {}),
        (["verify", "song.wav", "changed.wav"], {}),
        (["verify", "song.wav", "--explain"], {}),
        (["verify", "--help"], {}),
        (["verify", "none.wav"], {}),
        (["verify", "."], {}),
        (["verify", "--json", "--json"], {}),
        (["show", "song.wav"], {}),
        (["--json", "verify", "song.wav"], {}),
        ([], {}),
        (["verify", "song.wav"], {"HITP2P_WORKSPACE": "nowhere"}),
        (["verify", "song.wav"], {"_HITP2P_COMPLETE": "bash_complete"}),
    ],
)
def test_all_else_is_left_to_the_command(
    downloads: Path,
    words: list[str],
    environ: dict[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert shortcut(words, environ) is None
    assert capsys.readouterr() == ("", "")


def test_a_file_in_a_workspace_is_left_to_the_command(cli: Cli, story: dict[str, str]) -> None:
    assert shortcut(["verify", "song.wav"], {}) is None
    assert b"VERIFIED" in run("verify", "song.wav")[1]


def test_the_shortcut_does_without_click_and_the_store(downloads: Path) -> None:
    code = (
        "import sys; from hitp2p.cli.shortcut import shortcut; status = shortcut(['verify', 'song.wav'], {});"
        "heavy = {'click', 'sqlite3', 'dataclasses', 'logging', 'trio', 'http.client'} & set(sys.modules);"
        "sys.exit(f'{status} {heavy}' if heavy or status else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_reader_that_is_gone_is_no_error(downloads: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "hitp2p", "verify", "song.wav"],
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")
