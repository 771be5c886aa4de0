"""`hitp2p copy`: a workspace moves onto a daemon and back, and people are told what happened."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_harness import Cli
from kubo_daemon import KuboDaemon, running_kubo

import hitp2p
from hitp2p.store.contract import WriteBatch


@pytest.fixture(scope="module")
def kubo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KuboDaemon]:
    with running_kubo(tmp_path_factory.mktemp("kubo")) as daemon:
        yield daemon


def test_one_command_moves_a_workspace_onto_a_daemon(
    cli: Cli, story: dict[str, str], kubo: KuboDaemon
) -> None:
    store = f"kubo:{kubo.api}"
    credits = cli("credits", story["song"]).ok().out
    ran = cli("copy", "--to", store, "--switch").ok()
    assert "Copied 5 objects and 2 other blocks" in ran.out
    assert "uses it from now on" in ran.out
    assert ".hitp2p/store.db and .hitp2p/media; delete them" in ran.out
    assert cli("status", "--json").ok().json["store"] == store
    assert cli("credits", story["song"]).ok().out == credits
    assert cli("cat", story["verse"]).ok().out == Path("verse.txt").read_text()
    assert kubo.ipfs("dag", "get", f"{story['song']}/body/title") == b'"Song"'
    cli("fsck").ok()
    assert "uses" in cli("copy", "--to", store, "--switch", "--json").error["message"]
    back = cli("copy", "--to", "sqlite", "--switch").ok()
    assert f"still on {store}" in back.out
    assert "already there: 7 blocks" in back.out
    assert cli("status", "--json").ok().json["store"] == "sqlite"


def test_a_copy_without_a_switch_says_what_comes_next(
    cli: Cli, story: dict[str, str], kubo: KuboDaemon
) -> None:
    store = f"kubo:{kubo.api}"
    dry = cli("copy", "--to", store, "--dry-run").ok()
    assert "Would copy 5 objects" in dry.out
    assert "Next" not in dry.err
    ran = cli("copy", "--to", store).ok()
    words = " ".join(ran.err.split())
    assert f"hitp2p copy --to {store} --switch" in words
    assert cli("status", "--json").ok().json["store"] == "sqlite"
    assert "Next" not in cli("copy", "--to", "sqlite:../else").ok().err


def test_a_dry_run_says_what_would_hinder_the_copy(
    cli: Cli, story: dict[str, str], kubo: KuboDaemon
) -> None:
    down = cli("copy", "--to", "kubo:/ip4/127.0.0.1/tcp/9", "--dry-run", "--json")
    assert (down.status, down.error["code"]) == (74, "backend")
    cli("project", "mark", "Night Bus", "--unlisted").ok()
    for argv in (("--dry-run",), (), ("--dry-run",)):  # at last with the target noted
        ran = cli("copy", "--to", f"kubo:{kubo.api}", *argv, "--json")
        assert ran.error["code"] == "unlisted"
    assert cli("copy", "--to", "sqlite:../else", "--dry-run", "--json").ok().json["sound"]


def test_the_environment_may_name_the_target_already(
    cli: Cli, story: dict[str, str], kubo: KuboDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HITP2P_STORE", f"kubo:{kubo.api}")
    assert "hitp2p copy --to" in cli("status").err
    assert cli("copy", "--to", f"kubo:{kubo.api}", "--switch", "--json").ok().json["switched"]
    cli("status").ok()


def test_a_daemon_that_moved_is_copied_from(
    cli: Cli, story: dict[str, str], tmp_path: Path
) -> None:
    with running_kubo(tmp_path) as daemon:
        cli("copy", "--to", f"kubo:{daemon.api}", "--switch").ok()
        daemon.restart()
        ran = cli("copy", "--to", "sqlite:../kept", "--store", f"kubo:{daemon.api}", "--json")
        assert ran.ok().json["n_objects"] == len(story)


def test_works_of_two_workspaces_come_together(cli: Cli, story: dict[str, str]) -> None:
    cli("init", "../second").ok()
    cli("project", "new", "Rain", "--as", "Bo", "--workspace", "../second", "--yes").ok()
    ran = cli("copy", "--from", ".", "--workspace", "../second").ok()
    assert "already there: 1 block\n" in ran.out
    assert "beside them, from before: 1 block of other works" in ran.out
    projects = cli("project", "list", "--workspace", "../second", "--json").ok().json["projects"]
    assert {project["title"] for project in projects} == {"Night Bus", "Rain"}


def test_no_workspace_is_needed_where_both_sides_are_named(
    cli: Cli, story: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place = Path.cwd()
    monkeypatch.chdir(tmp_path)
    cli("copy", "--from", str(place), "--to", "sqlite:kept").ok()
    assert cli("show", story["song"], "--workspace", "kept").ok().out
    assert "workspace" in cli("copy", "--to", "sqlite:kept2", "--json").error["message"]
    assert "workspace" in cli("copy", "--from", str(place), "--json").error["message"]


def test_referenced_files_stay_and_are_named(cli: Cli, story: dict[str, str]) -> None:
    Path("long.wav").write_bytes(os.urandom(70_000))
    cli("contribute", "long.wav", "--reference", "--title", "Long", "--project", story["project"],
        "--as", "Ana", "--yes").ok()  # fmt: skip
    ran = cli("copy", "--to", "sqlite:../kept").ok()
    assert "in files outside, where they stay: 1 block of media" in ran.out


def test_what_could_not_be_copied_is_named_and_nothing_switches(
    cli: Cli, story: dict[str, str], kubo: KuboDaemon
) -> None:
    with hitp2p.open(".") as ws, ws.store._writing() as db:  # type: ignore[attr-defined]
        cid = hitp2p.Cid.parse(story["song"])
        db.execute("UPDATE block SET data = x'00' WHERE cid = ?", (bytes(cid),))
    ran = cli("copy", "--to", f"kubo:{kubo.api}", "--switch")
    assert ran.status == 74
    assert f"not copied: {story['song']}" in ran.out
    assert "hitp2p fsck on the source" in ran.out
    assert "from now on" not in ran.out
    assert cli("status", "--json").ok().json["store"] == "sqlite"
    told = cli("copy", "--to", f"kubo:{kubo.api}", "--switch", "--json")
    assert told.status == 74
    assert told.json["faults"][0]["cid"] == story["song"]
    assert not told.json["sound"]


def test_many_faults_are_counted(cli: Cli, story: dict[str, str]) -> None:
    with hitp2p.open(".") as ws:
        ws.store.put(
            WriteBatch(
                blocks=[
                    (hitp2p.Cid.of(0x55, b"%d" % number), b"%d" % number) for number in range(15)
                ]
            )
        )
        with ws.store._writing() as db:  # type: ignore[attr-defined]
            db.execute("UPDATE block SET data = x'00' WHERE length(data) < 3")
    assert "not copied: 5 more" in cli("copy", "--to", "sqlite:../kept").out


def test_a_store_that_fails_is_told_with_the_way_on(cli: Cli, story: dict[str, str]) -> None:
    error = cli("copy", "--to", "kubo:/ip4/127.0.0.1/tcp/9", "--json").error
    assert error["code"] == "backend"
    assert "only what is missing moves" in error["next"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "from where, or to where"),
        (("--to", "."), "same store"),
        (("--to", "nowhere"), "no workspace"),
        (("--to", "http://127.0.0.1:5001"), "is no store"),
        (("--to", "sqlite:../else", "--switch"), "leave out --switch"),
    ],
)
def test_what_can_not_be_meant_is_told(
    cli: Cli, story: dict[str, str], words: tuple[str, ...], told: str
) -> None:
    ran = cli("copy", *words, "--json")
    assert ran.status == 2
    assert told in ran.error["message"]
    assert ran.error["next"]
