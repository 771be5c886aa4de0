"""Recovery keys on a memory stick, as the command line advises."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cli_harness import Cli
from memory_stick import act_as_memory_stick

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")


@pytest.fixture
def stick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    act_as_memory_stick(monkeypatch, folder)
    return folder


@pytest.fixture
def word(tmp_path: Path) -> str:
    """A file with a passphrase."""
    path = tmp_path / "word.txt"
    path.write_text("a long night on the bus\n")
    path.chmod(0o600)
    return str(path)


def test_a_recovery_key_goes_to_a_stick_and_comes_back_each_with_one_warning(
    cli: Cli, stick: Path, word: str
) -> None:
    first, second = str(stick / "ana.key"), str(stick / "ana-2.key")
    made = cli("id", "new", "Ana", "--recovery-file", first, "--passphrase-file", word).ok()
    assert made.err.count("keeps no file permissions") == 1
    assert "only its passphrase protects the key" in made.err
    new = cli("id", "rotate", "Ana", "--recovery-file", first, "--new-recovery-file", second,
              "--passphrase-file", word).ok()  # fmt: skip
    assert new.err.count("its file system keeps no permissions") == 1
    assert new.err.count("keeps no file permissions") == 1


def test_without_a_passphrase_it_does_not_go_there(cli: Cli, stick: Path) -> None:
    made = cli("id", "new", "Ana", "--recovery-file", str(stick / "a.key"), "--no-passphrase")
    assert made.status == 2
    assert "choose another folder" in made.err
    assert list(stick.iterdir()) == []
    assert "Ana" not in cli("id", "list").out


def test_an_identity_file_is_not_read_from_there(
    cli: Cli, stick: Path, word: str, tmp_path: Path
) -> None:
    """It is opened each day, and its place is the key folder; the error says how to bring it there."""
    made = cli("id", "new", "Ana", "--recovery-file", str(tmp_path / "a.key"),
               "--passphrase-file", word, "--json").ok()  # fmt: skip
    descriptor = os.open(stick / "ana.identity", os.O_WRONLY | os.O_CREAT, 0o600)
    os.write(descriptor, Path(made.json["file"]).read_bytes())
    os.close(descriptor)
    ran = cli("id", "import", str(stick / "ana.identity"))
    assert ran.status == 2
    assert "copy it to a folder of your own" in ran.err
