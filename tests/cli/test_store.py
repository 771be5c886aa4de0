"""Where a workspace keeps its works: chosen once, found again, shown, and the tour on a real Kubo daemon."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_harness import Cli
from fake_kubo import FakeKubo, answer
from kubo_daemon import KuboDaemon, running_kubo

import hitp2p
from hitp2p.errors import BackendError, KeyFileError, StoreError, UsageError
from hitp2p.store.kubo import KuboStore
from hitp2p.store.names import INDEX, NOTE
from hitp2p.store.sqlite import SqliteStore


@pytest.fixture(scope="module")
def kubo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KuboDaemon]:
    with running_kubo(tmp_path_factory.mktemp("kubo")) as daemon:
        yield daemon


def test_without_a_choice_the_store_is_sqlite(cli: Cli) -> None:
    assert cli("init", "--json").ok().json["store"] == "sqlite"
    assert cli("status", "--json").ok().json["store"] == "sqlite"
    assert "store" not in cli("status").ok().out
    cli("init", "--store", "sqlite").ok()


def test_a_choice_is_found_again_and_shown(cli: Cli, kubo: KuboDaemon) -> None:
    store = f"kubo:{kubo.api}"
    assert cli("init", "--store", store, "--json").ok().json["store"] == store
    assert cli("status", "--json").ok().json["store"] == store
    assert store in cli("status").ok().out
    with hitp2p.open(".") as ws:
        assert isinstance(ws.store, KuboStore)
    assert not Path(".hitp2p/store.db").exists()


def test_the_environment_may_choose(
    cli: Cli, kubo: KuboDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HITP2P_STORE", f"kubo:{kubo.api}")
    cli("init").ok()
    monkeypatch.delenv("HITP2P_STORE")
    assert cli("status", "--json").ok().json["store"] == f"kubo:{kubo.api}"


def test_the_tour_plays_on_a_daemon_and_others_can_read_it(cli: Cli, kubo: KuboDaemon) -> None:
    ran = cli("tour", "t", "--store", f"kubo:{kubo.api}", "--json").ok().json
    work = ran["works"]["single"]
    shown = cli("show", work, "--workspace", "t", "--json").ok().json
    assert kubo.ipfs("dag", "get", f"{work}/body/title") == b'"Night Bus (single)"'
    sound = kubo.ipfs("cat", f"{work}/body/media/0/file")
    assert sound == Path("t/single.wav").read_bytes()
    assert shown["cid"] == work
    kubo.gc()
    cli("fsck", "--workspace", "t").ok()
    with hitp2p.open("t") as ws, hitp2p.open(":memory:") as other:
        assert other.import_(ran["bundle"]).n_new > 0
        assert ws.credits(work).text() == other.credits(work).text()


def test_works_come_back_when_the_index_is_lost(cli: Cli, kubo: KuboDaemon) -> None:
    works = cli("tour", "t", "--store", f"kubo:{kubo.api}", "--json").ok().json["works"]
    for path in Path("t/.hitp2p").glob(f"{INDEX}*"):
        path.unlink()
    kept = kubo.api
    with FakeKubo(behind=kubo.api) as fake:
        fake.says("pin/ls", answer(b"", 403))
        with pytest.raises(BackendError):
            hitp2p.open("t", store=f"kubo:{fake.api}")
    assert not list(Path("t/.hitp2p").glob(f"{INDEX}*"))  # else it would pass for an empty store
    assert kept in cli("status", "--workspace", "t").ok().out
    shown = cli("show", works["verse"], "--workspace", "t", "--json").ok().json
    assert shown["cid"] == works["verse"]


def test_a_daemon_that_moved_is_named_once(cli: Cli, tmp_path: Path) -> None:
    with running_kubo(tmp_path) as daemon:
        tour = ("tour", "t", "--store", f"kubo:{daemon.api}", "--json")
        verse = cli(*tour).ok().json["works"]["verse"]
        look = ("cat", verse, "--workspace", "t")
        text = cli(*look).ok().out
        daemon.restart()
        assert "can't be reached" in cli(*look, "--json").error["message"]
        assert cli(*look, "--store", f"kubo:{daemon.api}").ok().out == text
        assert cli(*look).ok().out == text


@pytest.mark.parametrize(
    ("store", "words"),
    [
        ("kubo", "no address"),
        ("ipfs:/ip4/127.0.0.1/tcp/5001", "no address"),
        ("kubo:/unix/A.sock", "capital letters"),
        ("kubo:/ip4/127.0.0.1/tcp/9", "can't be reached"),
    ],
)
def test_a_store_that_can_not_be_makes_no_workspace(cli: Cli, store: str, words: str) -> None:
    ran = cli("init", "t", "--store", store, "--json")
    assert ran.status in (2, 74)
    assert words in ran.error["message"]
    assert not Path("t/.hitp2p", NOTE).exists()
    cli("init", "t").ok()


def test_works_do_not_change_their_kind_of_store_unasked(cli: Cli, kubo: KuboDaemon) -> None:
    store = f"kubo:{kubo.api}"
    cli("init", "here").ok()
    cli("init", "there", "--store", store).ok()
    assert (
        "SQLite"
        in cli("status", "--workspace", "here", "--store", store, "--json").error["message"]
    )
    assert (
        store
        in cli("status", "--workspace", "there", "--store", "sqlite", "--json").error["message"]
    )


def test_credentials_lie_in_the_workspace(cli: Cli, tmp_path: Path) -> None:
    entry = '{"Ana": {"AuthSecret": "bearer:s3cret", "AllowedPaths": ["/api/v0"]}}'
    with running_kubo(tmp_path, config={"API.Authorizations": entry}) as daemon:
        store = f"kubo:{daemon.api}"
        assert "credentials" in cli("init", "--store", store, "--json").error["message"]
        Path(".hitp2p").mkdir(exist_ok=True)
        secret = Path(".hitp2p/kubo.auth")
        secret.write_text("bearer:s3cret\n")
        secret.chmod(0o644)
        with pytest.raises(KeyFileError):
            hitp2p.open(".", store=store)
        secret.chmod(0o600)
        cli("init", "--store", store).ok()


def test_a_damaged_note_is_told_with_the_way_out(cli: Cli, kubo: KuboDaemon) -> None:
    cli("init", "--store", f"kubo:{kubo.api}").ok()
    note = Path(".hitp2p", NOTE)
    assert json.loads(note.read_text())["store"] == f"kubo:{kubo.api}"
    for text in ("", "[]", "{}", '{"store": "kubo:x", "workspace": 1}'):
        note.write_text(text)
        with pytest.raises(StoreError, match="pin ls --names"):
            hitp2p.open(".")


def test_a_workspace_in_memory_or_on_an_open_store_needs_no_note(
    kubo: KuboDaemon, tmp_path: Path
) -> None:
    with hitp2p.open("x", store=SqliteStore.open(tmp_path / "s")) as ws:
        assert isinstance(ws.store, SqliteStore)
    with pytest.raises(UsageError):
        hitp2p.open(tmp_path / "y", store="nonsense")
