"""`hitp2p index rebuild`: the index comes back from the blocks, or from nothing but pins."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_harness import Cli
from fake_kubo import FakeKubo, refused
from kubo_daemon import KuboDaemon, running_kubo

import hitp2p
from hitp2p.reindexing import rebuild_index
from hitp2p.store.names import INDEX, NOTE

HIDDEN = Path(".hitp2p")


@pytest.fixture
def kubo(daemon: KuboDaemon) -> KuboDaemon:
    """A daemon on which nothing is pinned."""
    daemon.unpin(*daemon.pins())
    return daemon


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KuboDaemon]:
    with running_kubo(tmp_path_factory.mktemp("kubo")) as daemon:
        yield daemon


@pytest.fixture
def moved(cli: Cli, story: dict[str, str], kubo: KuboDaemon) -> dict[str, str]:
    """The story, on a daemon, its first store gone; word -> CID."""
    cli("copy", "--to", f"kubo:{kubo.api}", "--switch").ok()
    (HIDDEN / "store.db").unlink()
    shutil.rmtree(HIDDEN / "media")
    return story


def index() -> Path:
    (path,) = HIDDEN.rglob(INDEX)
    return path


def test_an_embedded_store_is_indexed_from_its_blocks(cli: Cli, story: dict[str, str]) -> None:
    with hitp2p.open(".") as ws, ws.store._writing() as db:  # type: ignore[attr-defined]
        db.execute("DELETE FROM head")
    assert cli("fsck").status == 74
    ran = cli("index", "rebuild", "--json").ok().json
    assert ran == {
        "store": "sqlite",
        "from_pins": False,
        "n_objects": len(story),
        "left_out": [],
        "n_references": 0,
    }
    cli("fsck").ok()
    assert "from the blocks" in cli("index", "rebuild").ok().out


@pytest.mark.parametrize("state", ["whole", "lost", "damaged", "folder lost"])
def test_the_pins_alone_give_the_index_back(cli: Cli, moved: dict[str, str], state: str) -> None:
    credits = cli("credits", moved["song"]).ok().out
    if state == "folder lost":
        shutil.rmtree(index().parent)
    elif state == "lost":
        index().unlink()
    elif state == "damaged":
        index().write_bytes(b"no database" * 900)
    ran = cli("index", "rebuild", "--from", "kubo", "--json").ok().json
    assert ran["from_pins"]
    assert ran["n_objects"] == len(moved)
    assert cli("credits", moved["song"]).ok().out == credits
    cli("fsck").ok()
    assert not list(HIDDEN.rglob(".index-*"))


def test_a_lost_index_is_made_from_the_pins_unasked(cli: Cli, moved: dict[str, str]) -> None:
    index().unlink()
    assert cli("index", "rebuild", "--json").ok().json["from_pins"]
    cli("show", moved["song"]).ok()


def test_when_all_is_lost_the_daemon_is_enough(
    cli: Cli, moved: dict[str, str], kubo: KuboDaemon
) -> None:
    shutil.rmtree(HIDDEN)
    assert cli("index", "rebuild", "--from", "kubo", "--json").error["code"] == "not-found"
    words = ("index", "rebuild", "--from", "kubo", "--store", f"kubo:{kubo.api}", "--json")
    assert cli(*words).ok().json["n_objects"] == len(moved)
    cli("show", moved["song"]).ok()
    cli("fsck").ok()
    assert json.loads((HIDDEN / NOTE).read_text())["store"] == f"kubo:{kubo.api}"


def test_of_several_workspaces_on_a_daemon_one_is_chosen(
    cli: Cli, moved: dict[str, str], kubo: KuboDaemon
) -> None:
    mine = json.loads((HIDDEN / NOTE).read_text())["workspace"]
    with hitp2p.open("../other", store=f"kubo:{kubo.api}") as other:
        other.create_project("Rain", by=hitp2p.Identity.create("Cy"))
    shutil.rmtree(HIDDEN)
    words = ("index", "rebuild", "--from", "kubo", "--store", f"kubo:{kubo.api}", "--json")
    error = cli(*words).error
    assert mine in error["message"]
    assert "--pinned-as" in error["next"]
    assert cli(*words, "--pinned-as", "0" * 32).error["code"] == "not-found"
    assert cli(*words, "--pinned-as", mine).ok().json["n_objects"] == len(moved)


def test_references_are_taken_over_from_the_old_index(cli: Cli, moved: dict[str, str]) -> None:
    Path("long.wav").write_bytes(os.urandom(70_000))
    cli("contribute", "long.wav", "--reference", "--title", "Long", "--project", moved["project"],
        "--as", "Ana", "--yes").ok()  # fmt: skip
    assert cli("index", "rebuild", "--from", "kubo", "--json").ok().json["n_references"] == 1
    cli("fsck").ok()


def test_a_daemon_that_fails_leaves_the_old_index(
    cli: Cli, moved: dict[str, str], kubo: KuboDaemon
) -> None:
    before = index().read_bytes()
    with FakeKubo(behind=kubo.api) as fake:
        fake.says("dag/export", refused("no"))
        fake.says("block/get", refused("merkledag: something else"))
        words = ("index", "rebuild", "--from", "kubo", "--store", f"kubo:{fake.api}", "--json")
        assert cli(*words).error["code"] == "backend"
    assert index().read_bytes() == before
    assert not list(HIDDEN.rglob(".index-*"))
    cli("show", moved["song"]).ok()


def test_works_in_a_folder_have_no_pins(cli: Cli, story: dict[str, str], kubo: KuboDaemon) -> None:
    assert "not on a daemon" in cli("index", "rebuild", "--from", "kubo", "--json").error["message"]
    words = ("index", "rebuild", "--from", "kubo", "--store", f"kubo:{kubo.api}", "--json")
    assert "stored on SQLite" in cli(*words).error["message"]


@pytest.mark.parametrize("from_pins", [True, False])
def test_how_far_it_is_is_told(cli: Cli, moved: dict[str, str], from_pins: bool) -> None:
    moves: list[tuple[int, int]] = []
    rebuild_index(".", from_pins=from_pins, progress=lambda *move: moves.append(move))
    assert moves
    assert moves[-1] == (len(moved), len(moved))
