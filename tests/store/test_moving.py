"""Which stores a copy is between, and which one a workspace uses afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from kubo_daemon import KuboDaemon, running_kubo

import hitp2p
from hitp2p.codec.cid import Cid
from hitp2p.errors import BackendError, KeyFileError, NotFoundError, StoreError, UsageError
from hitp2p.moving import copy_store
from hitp2p.store.choice import CREDENTIALS, store_name
from hitp2p.store.kubo import KuboStore
from hitp2p.store.names import INDEX, NOTE
from hitp2p.store.sqlite import SqliteStore
from hitp2p.workspace import Workspace

DOWN = "kubo:/ip4/127.0.0.1/tcp/9"


@pytest.fixture(scope="module")
def kubo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KuboDaemon]:
    with running_kubo(tmp_path_factory.mktemp("kubo")) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KuboDaemon]:
    with running_kubo(tmp_path_factory.mktemp("kubo")) as daemon:
        yield daemon


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace on SQLite with a verse and a film in it; the folder above is the current one."""
    monkeypatch.chdir(tmp_path)
    with hitp2p.open(tmp_path / "ws") as ws:
        ana = hitp2p.Identity.create("Ana")
        project = ws.create_project("Night Bus", license="CC0-1.0", by=ana)
        Path("film.mp4").write_bytes(bytes(range(256)) * 9_000)
        ws.contribute(project, "film.mp4", title="Film", note="n" * 9_000, by=ana)
        ws.contribute(project, title="Verse", by=ana)
    return tmp_path / "ws"


def told(ws: Workspace) -> dict[str, object]:
    """All that a workspace says of its one project."""
    (project,) = ws.projects()
    works = [row.cid for row in ws.rows(kind="contribution")]
    return {
        "blocks": {cid: ws.store.get(cid) for cid in ws.store.iter_cids()},
        "heads": ws.store.heads(project.cid),
        "trail": ws.trail(project).to_json(),
        "credits": [ws.credits(work).text() for work in works],
        "sound": ws.fsck().is_sound,
    }


def test_a_workspace_goes_to_a_daemon_and_back_and_is_the_same(
    home: Path, kubo: KuboDaemon
) -> None:
    address = f"kubo:{kubo.api}"
    with hitp2p.open(home) as ws:
        before = told(ws)
    copy_store(home, address, workspace=home)
    with hitp2p.open(home) as ws:
        assert isinstance(ws.store, SqliteStore)
        assert not isinstance(ws.store, KuboStore)  # not asked to switch
    assert copy_store(home, address, workspace=home, switch=True).switched
    with hitp2p.open(home) as ws:
        assert isinstance(ws.store, KuboStore)
        assert told(ws) == before
    copy_store(home, "sqlite:back")
    with hitp2p.open("back") as ws:
        assert told(ws) == before
    assert before["sound"]


def test_the_old_store_stays_as_it_was_when_a_workspace_switches(
    home: Path, kubo: KuboDaemon
) -> None:
    hidden = home / ".hitp2p"
    before = {path: path.read_bytes() for path in hidden.rglob("*") if path.is_file()}
    copy_store(home, f"kubo:{kubo.api}", workspace=home, switch=True)
    with hitp2p.open(home) as ws:
        ana = hitp2p.Identity.create("Ana")
        project = ws.create_project("Day Tram", by=ana)
        ws.contribute(project, "film.mp4", title="The same film again", by=ana)
        ws.gc()
        assert ws.fsck().is_sound
    after = {path: path.read_bytes() for path in before if path.exists()}
    assert after == before
    assert not copy_store("sqlite", home, workspace=home).n_objects  # nothing new in it


def test_who_has_the_old_store_open_after_a_switch_can_not_write_there(
    home: Path, kubo: KuboDaemon
) -> None:
    bo = hitp2p.Identity.create("Bo")
    with hitp2p.open(home) as late:
        copy_store(home, f"kubo:{kubo.api}", workspace=home, switch=True)
        with pytest.raises(StoreError, match=f"moved to kubo:{kubo.api} while") as told:
            late.create_project("Late", by=bo)
        assert "again" in told.value.__notes__[0]
        with pytest.raises(StoreError, match="nothing was written"), late.store.exclusive():
            pytest.fail("it was let in")
        (project,) = late.projects()
        with pytest.raises(StoreError, match="nothing was written"):
            late.store.mark_unlisted([project.cid])
    with hitp2p.open(home) as late:
        copy_store(home, "sqlite", workspace=home, switch=True)
        with pytest.raises(StoreError, match="moved to sqlite while"):
            late.create_project("Late", by=bo)
    with hitp2p.open(home) as ws:
        ws.create_project("In time", by=bo)
        assert ws.fsck().is_sound


def test_what_was_written_to_the_old_store_meanwhile_can_be_brought_along(
    home: Path, kubo: KuboDaemon
) -> None:
    copy_store(home, f"kubo:{kubo.api}", workspace=home, switch=True)
    with SqliteStore.open(home / ".hitp2p") as old:
        work = Workspace(old).create_project("Late", by=hitp2p.Identity.create("Bo"))
    report = copy_store("sqlite", home, workspace=home)
    assert report.n_objects == 2
    with hitp2p.open(home) as ws:
        assert ws.show(work.cid).cid == work.cid


def test_a_workspace_moves_from_one_daemon_to_another_and_back(
    home: Path, kubo: KuboDaemon, other: KuboDaemon
) -> None:
    here, there = f"kubo:{kubo.api}", f"kubo:{other.api}"
    with hitp2p.open("moves", store=here) as ws:
        copy_store(home, ws.store)
        before = told(ws)
    for address in (there, here, "sqlite", there):
        report = copy_store("moves", address, workspace="moves", switch=True)
        assert report.switched
        assert store_name(Path("moves/.hitp2p")) == address
        with hitp2p.open("moves") as ws:
            assert told(ws) == before
    assert report.n_objects == 0  # it was there before
    names = {one["store"] for one in json.loads(Path("moves/.hitp2p", NOTE).read_text())["copies"]}
    assert names == {here, "sqlite"}


def test_two_workspaces_on_one_daemon_are_two_stores(home: Path, kubo: KuboDaemon) -> None:
    address = f"kubo:{kubo.api}"
    hitp2p.open("second", store=address).close()
    assert copy_store(home, address, workspace=home, switch=True).switched
    assert copy_store(home, "second").n_objects == 4
    with hitp2p.open(home) as one, hitp2p.open("second") as two:
        assert told(one) == told(two)


def test_a_lost_index_of_a_copy_is_made_again_from_its_pins(home: Path, kubo: KuboDaemon) -> None:
    address = f"kubo:{kubo.api}"
    copy_store(home, address, workspace=home)
    for path in home.rglob(f"{INDEX}*"):
        path.unlink()
    report = copy_store(home, address, workspace=home)
    assert (report.n_objects, report.n_blocks) == (0, 0)


def test_of_two_copies_at_once_the_first_to_switch_stays(
    home: Path, kubo: KuboDaemon, other: KuboDaemon
) -> None:
    ahead: list[bool] = []

    def overtake(done: int, total: int) -> None:
        if not ahead:
            ahead.append(True)
            assert copy_store(home, f"kubo:{other.api}", workspace=home, switch=True).switched
            with hitp2p.open(home) as ws:
                ws.create_project("In between", by=hitp2p.Identity.create("Bo"))

    with pytest.raises(StoreError, match=f"moved to kubo:{other.api} while"):
        copy_store(home, f"kubo:{kubo.api}", workspace=home, switch=True, progress=overtake)
    with hitp2p.open(home) as ws:
        assert len(ws.projects()) == 2


def test_a_copy_that_is_not_whole_switches_nothing(home: Path, kubo: KuboDaemon) -> None:
    with hitp2p.open(home) as ws:
        (project,) = ws.projects()
        with ws.store._writing() as db:  # type: ignore[attr-defined]
            db.execute("UPDATE block SET data = x'00' WHERE cid = ?", (bytes(project.cid),))
    report = copy_store(home, f"kubo:{kubo.api}", workspace=home, switch=True)
    assert not report.is_sound
    assert not report.switched
    assert project.cid in {fault.cid for fault in report.faults}
    assert store_name(home / ".hitp2p") == "sqlite"


def test_a_daemon_that_can_not_be_reached_leaves_no_trace(home: Path) -> None:
    with pytest.raises(BackendError):
        copy_store(home, DOWN, workspace=home, switch=True)
    assert not (home / ".hitp2p" / NOTE).exists()
    assert {path.name for path in (home / ".hitp2p").iterdir()} <= {"store.db", "media"}


def test_a_dry_run_makes_no_target(home: Path, kubo: KuboDaemon) -> None:
    for target in (f"kubo:{kubo.api}", "sqlite:new"):
        assert copy_store(home, target, workspace=home, dry_run=True).n_objects == 4
    assert not (home / ".hitp2p" / NOTE).exists()
    assert not Path("new").exists()


def test_open_stores_stay_open(home: Path) -> None:
    with hitp2p.open(home) as ws, hitp2p.open(":memory:") as memory:
        copy_store(ws.store, memory.store)
        assert told(memory) == told(ws)
        with pytest.raises(UsageError, match="same store"):
            copy_store(ws.store, ws.store)
        with pytest.raises(UsageError, match="name both"):
            copy_store(ws.store, "sqlite:new", switch=True)


def test_a_store_of_a_backup_can_be_copied_from(home: Path) -> None:
    with hitp2p.open(home) as ws:
        ws.backup("kept")
        before = told(ws)
    copy_store("sqlite:kept/.hitp2p", "sqlite:new")
    with hitp2p.open("new") as ws:
        assert told(ws) == before


def test_credentials_go_along_and_to_no_other_daemon(
    home: Path, kubo: KuboDaemon, tmp_path: Path
) -> None:
    entry = '{"Ana": {"AuthSecret": "bearer:s3cret", "AllowedPaths": ["/api/v0"]}}'
    secret = tmp_path / "secret"
    secret.touch(0o600)
    secret.write_text("bearer:s3cret\n")
    with running_kubo(tmp_path, config={"API.Authorizations": entry}) as guarded:
        address = f"kubo:{guarded.api}"
        with pytest.raises(BackendError, match="credentials"):
            copy_store(home, address, workspace=home)
        copy_store(home, address, workspace=home, credentials=secret, switch=True)
        (kept,) = home.rglob(CREDENTIALS)
        assert kept.stat().st_mode & 0o777 == 0o600
        with hitp2p.open(home) as ws:
            assert told(ws)["sound"]
        copy_store(home, f"kubo:{kubo.api}", workspace=home)
        assert list(home.rglob(CREDENTIALS)) == [kept]
        secret.chmod(0o644)
        with pytest.raises(KeyFileError):
            copy_store(home, DOWN, workspace=home, credentials=secret)


def test_credentials_that_lie_ready_are_used(home: Path, tmp_path: Path) -> None:
    entry = '{"Ana": {"AuthSecret": "bearer:s3cret", "AllowedPaths": ["/api/v0"]}}'
    ready = home / ".hitp2p" / CREDENTIALS
    ready.touch(0o600)
    ready.write_text("bearer:s3cret\n")
    with running_kubo(tmp_path, config={"API.Authorizations": entry}) as guarded:
        assert copy_store(home, f"kubo:{guarded.api}", workspace=home, switch=True).switched


@pytest.mark.parametrize(
    ("source", "target", "error", "words"),
    [
        ("ws", "ws", UsageError, "same store"),
        ("ws", "sqlite", UsageError, "same store"),
        ("ws", "sqlite:ws", UsageError, "same store"),
        ("sqlite:ws/.hitp2p", "ws/../ws", UsageError, "same store"),
        ("none", "sqlite:new", NotFoundError, "no workspace"),
        ("ws", "none", NotFoundError, "no workspace"),
        ("sqlite:none", "ws", NotFoundError, "nothing to copy"),
        (DOWN, "sqlite:new", NotFoundError, "nothing to copy"),
        ("ws", "ipfs:/ip4/127.0.0.1/tcp/5001", UsageError, "is no store"),
        ("ws", "kubo:nonsense", UsageError, "no address"),
        ("film.mp4", "sqlite:new", NotFoundError, "no workspace"),
    ],
)
def test_what_is_no_pair_of_stores_is_told(
    home: Path, source: str, target: str, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        copy_store(source, target, workspace=home)
    assert not Path("new").exists()
    assert not Path("none").exists()


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        ("ws", "sqlite:new", "leave out --switch"),
        ("sqlite:apart", "sqlite", "leave out --switch"),
    ],
)
def test_what_can_not_be_switched_to_is_told_before_anything_is_copied(
    home: Path, source: str, target: str, words: str
) -> None:
    hitp2p.open("apart").close()
    with pytest.raises(UsageError, match=words):
        copy_store(source, target, workspace=home, switch=True)
    assert not Path("new").exists()


def test_an_old_copy_is_not_switched_from(home: Path, kubo: KuboDaemon, other: KuboDaemon) -> None:
    copy_store(home, f"kubo:{kubo.api}", workspace=home, switch=True)
    with pytest.raises(UsageError, match="newer works"):
        copy_store("sqlite", f"kubo:{other.api}", workspace=home, switch=True)


def test_names_inside_a_workspace_need_one(home: Path) -> None:
    for name in ("sqlite", DOWN):
        with pytest.raises(UsageError, match="in which workspace"):
            copy_store(home, name)


@pytest.mark.parametrize("folder", ["../../elsewhere", "kubo-1", "/tmp", 3])
def test_a_note_that_leads_out_of_the_workspace_is_refused(home: Path, folder: object) -> None:
    note = {"store": DOWN, "workspace": "00" * 16, "folder": folder}
    (home / ".hitp2p" / NOTE).write_text(json.dumps(note))
    with pytest.raises(StoreError, match="damaged"):
        hitp2p.open(home)


def test_what_starts_often_looks_into_the_store_that_is_used(home: Path, kubo: KuboDaemon) -> None:
    from hitp2p.store.glance import Glance

    copy_store(home, f"kubo:{kubo.api}", workspace=home, switch=True)
    with hitp2p.open(home) as ws:
        work: Cid = ws.create_project("Only there", by=hitp2p.Identity.create("Cy")).cid
    glance = Glance(home / ".hitp2p")
    try:
        assert glance.lookup(work) is not None
    finally:
        glance.close()
