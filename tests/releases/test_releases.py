"""Whatever a release wrote, this version reads, checks and continues. See `README.md` here."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from releases.make import BUNDLE, EXPECTED, FILES, WORKSPACE, describe, make

import hitp2p
from hitp2p.errors import PassphraseError
from hitp2p.identity_file import load_key
from hitp2p.store import schema
from hitp2p.store.fsck import audit_store
from hitp2p.store.sqlite import SqliteStore
from hitp2p.trail.standing import Standing

HERE = Path(__file__).parent
RELEASES = sorted(path.parent for path in HERE.glob(f"*/{EXPECTED}"))
VERIFIER = HERE.parents[1] / "examples" / "verify_trail.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A copy of what a release wrote, to be used up by one test."""

    folder: Path
    expected: dict[str, Any]
    """What that release itself read from it."""

    @property
    def workspace(self) -> Path:
        return self.folder / WORKSPACE

    def cid(self, word: str) -> hitp2p.Cid:
        return hitp2p.Cid.parse(self.expected["cids"][word])

    @property
    def passphrase(self) -> str:
        """Of Ana's files."""
        return str(self.expected["passphrase"])

    def load(self, name: str, passphrase: str | None = None) -> hitp2p.Identity:
        (path,) = (self.folder / "keys").glob(f"{name}-*.key")
        return hitp2p.Identity.load(path, passphrase)


@pytest.fixture(scope="session")
def made_now(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that this version would leave behind."""
    folder = tmp_path_factory.mktemp("made") / "now"
    make(folder)
    return folder


@pytest.fixture(params=[*(path.name for path in RELEASES), "made now"])
def release(request: pytest.FixtureRequest, tmp_path: Path) -> Release:
    now = request.param == "made now"
    kept: Path = request.getfixturevalue("made_now") if now else HERE / request.param
    folder = tmp_path / "release"
    with ZipFile(kept / FILES) as archive:
        archive.extractall(folder)
    for key in folder.rglob("*.key"):
        key.chmod(
            0o600
        )  # archives and Git don't keep it, and a key that others can read is refused
    return Release(folder=folder, expected=json.loads((kept / EXPECTED).read_text("utf-8")))


def require_same(expected: Any, found: Any, where: str = "") -> None:
    """Every value that was there is there and equal; a later version may say more in new fields."""
    if isinstance(expected, dict):
        assert isinstance(found, dict), where
        for name, value in expected.items():
            assert name in found, f"{where}/{name}"
            require_same(value, found[name], f"{where}/{name}")
    elif isinstance(expected, list):
        assert isinstance(found, list), where
        assert len(found) == len(expected), where
        for number, pair in enumerate(zip(expected, found, strict=True)):
            require_same(*pair, f"{where}/{number}")
    else:
        assert found == expected, where


def digests(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest() for path in files
    }


def tables(store: Path) -> dict[str, list[Any]]:
    """Every table and index of a store with its columns, as SQLite understands them."""
    db = sqlite3.connect(store / "store.db")
    try:
        names = db.execute("SELECT type, name FROM sqlite_master ORDER BY name").fetchall()
        return {
            name: db.execute(f"SELECT * FROM pragma_{kind}_xinfo(?)", (name,)).fetchall()
            for kind, name in names
        }
    finally:
        db.close()


def test_there_is_a_release_of_every_store_version() -> None:
    found = set()
    for path in RELEASES:
        with ZipFile(path / FILES) as archive:
            header = archive.read(f"{WORKSPACE}/.hitp2p/store.db")[:100]
        found.add(int.from_bytes(header[60:64], "big"))  # user_version, by SQLite's file format
    assert found == set(range(schema.OLDEST_VERSION, schema.SCHEMA_VERSION + 1))


def test_an_old_store_gets_the_tables_of_a_new_one(release: Release, tmp_path: Path) -> None:
    """Else a table was changed without raising SCHEMA_VERSION, and old stores would fail on it."""
    with hitp2p.open(release.workspace, create=False), hitp2p.open(tmp_path / "new"):
        pass
    found = tables(release.workspace / ".hitp2p")
    assert found == tables(tmp_path / "new" / ".hitp2p")
    assert len(found["block"]) == 4


def test_a_store_says_what_it_said_to_the_release_that_wrote_it(release: Release) -> None:
    with hitp2p.open(release.workspace, create=False) as ws:
        said = describe(ws)
    require_same(release.expected["workspace"], said)
    assert said["fsck"]["findings"] == []
    assert said["fsck"]["gaps"] == []
    assert len(said["credits"]) == 5


def test_a_bundle_is_taken_in_by_a_fresh_workspace(release: Release, tmp_path: Path) -> None:
    expected = release.expected["workspace"]
    with hitp2p.open(tmp_path / "fresh") as ws:
        carried = ws.import_(release.folder / BUNDLE)
        assert carried.cid == release.cid("single")
        assert carried.missing == ()
        said = describe(ws)
    assert said["fsck"]["findings"] == []
    assert said["fsck"]["gaps"] == []
    for part in ("trails", "credits", "media"):
        require_same(expected[part], said[part], part)
    assert sorted(said["objects"]) == sorted(expected["objects"])


def test_a_bundle_is_verified_without_hitp2p(release: Release) -> None:
    done = subprocess.run(
        [sys.executable, str(VERIFIER), str(release.folder / BUNDLE)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Night Bus (single)" in done.stdout


@pytest.mark.parametrize("name", ["ana", "bo"])
def test_an_identity_signs_on_in_the_store(release: Release, name: str) -> None:
    who = release.load(name, release.passphrase if name == "ana" else None)
    with hitp2p.open(release.workspace, create=False) as ws:
        n_entries = len(ws.trail(release.cid("bus")).entries)
        work = ws.remix([release.cid("second")], title="Third verse", note="Still here", by=who)
        assert ws.standing(work).standing is Standing.GOOD
        assert len(ws.trail(release.cid("bus")).entries) == n_entries + 1
        assert ws.store.heads(release.cid("bus")).count(work.cid) == 1
        titles = [line.title for line in ws.credits(work).lines]
        assert titles == ["Third verse", "Second verse", "Song", "Verse"]
    with hitp2p.open(release.workspace, create=False) as ws:
        assert ws.show(work.cid) == work
        assert audit_store(ws.store).findings == ()


def test_a_wrong_passphrase_opens_nothing(release: Release) -> None:
    with pytest.raises(PassphraseError):
        release.load("ana", release.passphrase + " ")
    with pytest.raises(PassphraseError):
        load_key(release.folder / "recovery" / "ana-2.key", release.passphrase.upper())


def test_a_recovery_key_changes_the_keys_and_what_was_signed_stays_good(release: Release) -> None:
    ana = release.load("ana", release.passphrase)
    recovery = load_key(release.folder / "recovery" / "ana-2.key", release.passphrase)
    with hitp2p.open(release.workspace, create=False) as ws:
        good = ws.good_heads(ana.cid, ana.signer.public)
        changed = ana.rotate(recovery, suspicion=False, good_heads=good)
        ws.add_identity(changed)
        for word in ("verse", "letter", "song", "second", "single"):
            assert ws.standing(release.cid(word)).standing is Standing.GOOD, word
        work = ws.contribute(release.cid("bus"), title="With the third key", by=changed)
        assert ws.standing(work).standing is Standing.GOOD
        assert ws.fsck().is_sound


def test_a_backup_of_the_store_says_the_same(release: Release, tmp_path: Path) -> None:
    with hitp2p.open(release.workspace, create=False) as ws:
        ws.backup(tmp_path / "copy")
    with hitp2p.open(tmp_path / "copy", create=False) as ws:
        require_same(release.expected["workspace"], describe(ws))


def test_a_store_of_a_newer_version_is_refused_and_left_as_it_is(release: Release) -> None:
    store = release.workspace / ".hitp2p"
    db = sqlite3.connect(store / "store.db")
    db.execute(f"PRAGMA user_version = {schema.SCHEMA_VERSION + 1}")
    db.close()
    before = digests(store)
    with pytest.raises(hitp2p.StoreError, match="written by a newer hitp2p: update hitp2p"):
        hitp2p.open(release.workspace, create=False)
    with pytest.raises(
        hitp2p.StoreError, match=f"this program knows up to {schema.SCHEMA_VERSION}"
    ):
        SqliteStore.open(store)
    done = subprocess.run(
        [sys.executable, "-m", "hitp2p", "--workspace", str(release.workspace), "list", "--json"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"HITP2P_KEYS": str(release.folder / "keys"), "HITP2P_AS": ""},
    )
    assert done.returncode == hitp2p.StoreError.exit_status
    assert json.loads(done.stderr)["error"]["code"] == "store"
    assert digests(store) == before


def test_what_a_release_wrote_is_never_overwritten(made_now: Path) -> None:
    before = digests(made_now)
    with pytest.raises(FileExistsError):
        make(made_now)
    assert digests(made_now) == before


def test_the_same_version_makes_the_same_release_again(made_now: Path, tmp_path: Path) -> None:
    make(tmp_path / "again")
    assert digests(tmp_path / "again") == digests(made_now)
