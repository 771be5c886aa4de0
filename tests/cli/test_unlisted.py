"""Unlisted projects on the command line: marked, shown, refused where they would be announced, and never called secret."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_harness import Cli
from kubo_daemon import KuboDaemon, running_kubo

import hitp2p
from hitp2p.errors import UnlistedError

NOT_SECRET = "it is not encrypted"


@pytest.fixture(scope="module")
def kubo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KuboDaemon]:
    with running_kubo(tmp_path_factory.mktemp("kubo")) as daemon:
        yield daemon


def squeezed(text: str) -> str:
    return " ".join(text.split())


def test_every_place_that_could_mislead_says_that_unlisted_is_not_encrypted(
    cli: Cli, story: dict[str, str]
) -> None:
    assert NOT_SECRET not in cli("project", "show", "Night Bus").ok().err
    for argv in (("trail",), ("credits", story["song"]), ("export", story["song"], "-o", "p.car")):
        assert NOT_SECRET not in cli(*argv).ok().err
    told = [
        cli("project", "mark", "Night Bus", "--unlisted"),
        cli("project", "show", "Night Bus"),
        cli("project", "new", "Demo", "--unlisted", "--as", "Ana"),
        cli("status"),
        cli("trail", "Night Bus"),
        cli("credits", story["song"]),
        cli("export", story["song"], "-o", "song.car"),
        cli("seal", "song.wav", "--work", story["song"], "-o", "sealed.wav"),
        cli("kit", story["song"], "-o", "song.zip"),
    ]
    for ran in told:
        assert NOT_SECRET in squeezed(ran.ok().err)
    assert "hitp2p import --unlisted" in squeezed(told[6].err)
    assert cli("status", "--json").ok().json["n_unlisted"] == 2


def test_a_mark_shows_in_lists_and_changes_no_object(cli: Cli, story: dict[str, str]) -> None:
    before = cli("project", "show", "Night Bus", "--json").ok().json
    cli("project", "mark", "--unlisted").ok()
    after = cli("project", "show", "--json").ok().json
    assert (before["is_unlisted"], after["is_unlisted"]) == (False, True)
    assert after["body"] == before["body"]
    assert "Night Bus (unlisted)" in cli("project", "list").ok().out
    assert [one["is_unlisted"] for one in cli("project", "list", "--json").json["projects"]] == [
        True
    ]
    cli("project", "mark", "--listed").ok()
    assert not cli("project", "show", "--json").ok().json["is_unlisted"]
    assert (
        cli("project", "mark", story["song"][7:15], "--unlisted", "--json").ok().json["cid"]
        == (story["project"])
    )


def test_a_new_unlisted_project_is_refused_by_a_daemon_that_announces(
    cli: Cli, story: dict[str, str], kubo: KuboDaemon
) -> None:
    cli("init", "k", "--store", f"kubo:{kubo.api}").ok()
    new = ("project", "new", "Demo", "--unlisted", "--workspace", "k", "--as", "Ana", "--json")
    error = cli(*new).error
    assert (error["code"], error["exit_status"]) == ("unlisted", 2)
    assert "ipfs config --json Provide.Enabled false" in error["message"]
    assert "hitp2p ipfs status" in error["next"]
    shown = cli("status", "--workspace", "k", "--json").ok().json
    assert (shown["n_objects"], shown["n_unlisted"]) == (0, 0)
    assert cli(*new, "--dry-run").ok().json["is_unlisted"]


def test_what_comes_in_a_file_may_be_marked_before_it_is_stored(
    cli: Cli, story: dict[str, str], kubo: KuboDaemon
) -> None:
    cli("export", story["song"], "-o", "song.car").ok()
    cli("init", "k", "--store", f"kubo:{kubo.api}").ok()
    take = ("import", "song.car", "--workspace", "k", "--json")
    assert cli(*take, "--unlisted").error["code"] == "unlisted"
    assert cli("list", "--workspace", "k", "--json").ok().json["objects"] == []
    assert cli(*take).error["code"] == "unlisted"  # the mark stays
    cli("init", "s").ok()
    assert NOT_SECRET in squeezed(cli("import", "song.car", "--workspace", "s", "--unlisted").err)
    assert cli("project", "show", "--workspace", "s", "--json").ok().json["is_unlisted"]


def test_works_of_a_marked_project_are_refused_and_others_are_not(
    cli: Cli, story: dict[str, str], kubo: KuboDaemon, tmp_path: Path
) -> None:
    with hitp2p.open(tmp_path / "w", store=f"kubo:{kubo.api}") as ws:
        ana = hitp2p.Identity.create("Ana")
        demo, other = ws.create_project("Demo", by=ana), ws.create_project("Other", by=ana)
        ws.mark_unlisted(demo)
        for refused in (
            lambda: ws.contribute(demo, "verse.txt", title="Verse", by=ana),
            lambda: ws.create_project("Third", by=ana, unlisted=True),
        ):
            with pytest.raises(UnlistedError):
                refused()
        assert ws.store.unlisted() == {demo.cid}
        ws.contribute(other, "verse.txt", title="Verse", by=ana)
