"""Where keys and workspaces are looked for, and where time and chance come from."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from cli_harness import Cli

from hitp2p.cli.chance import clock_from, randomness_from
from hitp2p.cli.places import find_workspace, key_folder, tidy
from hitp2p.errors import NotFoundError, UsageError


@pytest.mark.parametrize(
    ("platform", "environ", "end"),
    [
        ("linux", {"XDG_DATA_HOME": "/x"}, "/x/hitp2p/keys"),
        ("linux", {}, ".local/share/hitp2p/keys"),
        ("darwin", {}, "Library/Application Support/hitp2p/keys"),
        ("win32", {"LOCALAPPDATA": "/l"}, "/l/hitp2p/keys"),
        ("win32", {}, "AppData/Local/hitp2p/keys"),
        ("linux", {"HITP2P_KEYS": "/k", "XDG_DATA_HOME": "/x"}, "/k"),
    ],
)
def test_keys_lie_in_the_platforms_place_for_user_data(
    platform: str, environ: dict[str, str], end: str
) -> None:
    assert key_folder(environ, platform=platform).as_posix().endswith(end)


def test_the_nearest_workspace_upwards_is_found(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    with pytest.raises(NotFoundError, match="neither this folder"):
        find_workspace({}, None, inner)
    (tmp_path / ".hitp2p").mkdir()
    assert find_workspace({}, None, inner) == tmp_path
    (tmp_path / "a" / ".hitp2p").mkdir()
    assert find_workspace({}, None, inner) == tmp_path / "a"


def test_a_chosen_workspace_beats_the_environment_and_must_be_one(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / ".hitp2p").mkdir(parents=True)
    environ = {"HITP2P_WORKSPACE": str(tmp_path / "one")}
    assert find_workspace(environ, None, Path("/")) == tmp_path / "one"
    assert find_workspace(environ, str(tmp_path / "two"), Path("/")) == tmp_path / "two"
    with pytest.raises(NotFoundError, match="is not a workspace"):
        find_workspace(environ, str(tmp_path / "three"), tmp_path / "one")


def test_paths_are_written_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert tidy(Path("x.key")) == "x.key"
    assert tidy(tmp_path / "y.key") == "~/y.key"
    assert tidy(Path("/etc/hosts")) == "/etc/hosts"


def test_a_fixed_time_is_read_in_both_spellings() -> None:
    assert clock_from({"HITP2P_NOW": "2026-03-01T12:00:00Z"})() == 1_772_366_400_000
    assert clock_from({"HITP2P_NOW": "2026-03-01T12:00:00"})() == 1_772_366_400_000
    assert clock_from({"HITP2P_NOW": "17"})() == 17
    assert clock_from({})() > 1_772_366_400_000
    with pytest.raises(UsageError, match="HITP2P_NOW"):
        clock_from({"HITP2P_NOW": "noon"})


def test_a_seed_and_a_command_line_fix_chance() -> None:
    def first(seed: str, *argv: str) -> bytes:
        return randomness_from({"HITP2P_SEED": seed}, argv)(40)

    assert len(first("1", "id", "new", "Ana")) == 40
    assert first("1", "id", "new", "Ana") == first("1", "id", "new", "Ana")
    assert len({first("1", "a"), first("1", "b"), first("2", "a")}) == 3
    assert randomness_from({}, ())(8) != randomness_from({}, ())(8)


def test_fsck_makes_the_index_anew_when_asked(cli: Cli, story: dict[str, str]) -> None:
    with sqlite3.connect(".hitp2p/store.db") as db:
        db.execute("DELETE FROM head")
    assert cli("fsck").status == 74
    ran = cli("fsck", "--rebuild-index").ok()
    assert ran.out.splitlines()[0] == "Made the index anew."
    assert cli("fsck", "--json").json["sound"] is True
