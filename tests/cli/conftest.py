"""The command line in a folder of its own: `cli("list", "--json").json`."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_harness import Cli, Ran
from click.testing import CliRunner

from hitp2p.cli.app import root


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, works_on: str | None) -> Cli:
    """Runs a command in a fresh folder, with keys, chance and time of its own."""
    place = tmp_path / "place"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setenv("HITP2P_KEYS", str(tmp_path / "keys"))
    monkeypatch.setenv("HITP2P_NOW", "2026-03-01T12:00:00Z")
    for name in ("HITP2P_SEED", "HITP2P_AS", "HITP2P_WORKSPACE", "HITP2P_STORE", "HITP2P_VIA"):
        monkeypatch.delenv(name, raising=False)
    if works_on is not None:
        monkeypatch.setenv("HITP2P_STORE", works_on)

    def run(*args: str, input: str | bytes | None = None) -> Ran:
        result = CliRunner().invoke(root, list(args), prog_name="hitp2p", input=input)
        return Ran(status=result.exit_code, out=result.stdout, err=result.stderr)

    return run


@pytest.fixture
def story(cli: Cli, tmp_path: Path) -> dict[str, str]:
    """A workspace with Ana and Bo, a project, a verse and a song of it; word -> CID."""
    cli("init").ok()
    made: dict[str, str] = {}
    for name in ("Ana", "Bo"):
        recovery = str(tmp_path / "safe" / f"{name}.key")
        ran = cli("id", "new", name, "--no-passphrase", "--recovery-file", recovery, "--json").ok()
        made[name] = ran.json["cid"]
    Path("verse.txt").write_text("The last bus hums along the hill\n")
    Path("song.wav").write_bytes(b"RIFF\x2c\x00\x00\x00WAVEfmt " + bytes(28))

    def sign(word: str, *args: str) -> None:
        made[word] = cli(*args, "--yes", "--json").ok().json["cid"]

    sign("project", "project", "new", "Night Bus", "--license", "CC-BY-SA-4.0", "--as", "Ana")
    sign("verse", "contribute", "verse.txt", "--title", "Verse", "--role", "lyr", "--tag", "rain",
         "--as", "Ana")  # fmt: skip
    sign("song", "remix", "song.wav", "--of", made["verse"], "--title", "Song", "--role", "cmp",
         "--note", "Ana's verse made me sing", "--as", "Bo")  # fmt: skip
    return made
