"""Key files: for their owner only, whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from memory_stick import act_as_memory_stick

from hitp2p import limits
from hitp2p.errors import KeyFileError, StoreError, StoreFullError
from hitp2p.identity_file import load_key, save_key
from hitp2p.keys.ed25519 import SigningKey
from hitp2p.keys.envelope import KdfParams
from hitp2p.store import keyfile
from hitp2p.store.keyfile import read_key_file, write_key_file

QUICK = KdfParams(memory_kib=8, passes=1, lanes=1)

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "ana.key"


def names_in(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def test_what_is_written_is_read(path: Path) -> None:
    write_key_file(path, b"sealed")
    assert read_key_file(path) == b"sealed"
    assert names_in(path.parent) == ["ana.key"]


def test_a_path_may_be_text(path: Path) -> None:
    write_key_file(str(path), b"sealed")
    assert read_key_file(str(path)) == b"sealed"


@posix
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_file_and_new_folders_are_for_the_owner_only(path: Path, umask: int) -> None:
    old = os.umask(umask)
    try:
        write_key_file(path / "deeper" / "a.key", b"sealed")
    finally:
        os.umask(old)
    assert mode_of(path / "deeper" / "a.key") == 0o600
    assert mode_of(path / "deeper") == mode_of(path) == mode_of(path.parent) == 0o700


@posix
def test_a_folder_that_exists_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    write_key_file(tmp_path / "a.key", b"sealed")
    assert mode_of(tmp_path) == 0o755


def test_an_existing_file_is_replaced_only_when_asked(path: Path) -> None:
    write_key_file(path, b"old")
    with pytest.raises(KeyFileError, match="exists already"):
        write_key_file(path, b"new")
    assert read_key_file(path) == b"old"
    write_key_file(path, b"new", overwrite=True)
    assert read_key_file(path) == b"new"
    assert names_in(path.parent) == ["ana.key"]


def test_overwrite_makes_a_file_that_is_not_there(path: Path) -> None:
    write_key_file(path, b"new", overwrite=True)
    assert read_key_file(path) == b"new"


@posix
def test_replacing_closes_a_file_that_was_open_to_others(path: Path) -> None:
    write_key_file(path, b"old")
    path.chmod(0o644)
    write_key_file(path, b"new", overwrite=True)
    assert mode_of(path) == 0o600


def test_a_file_that_appears_meanwhile_is_not_replaced(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def appear(*_: object, **__: object) -> None:
        path.write_bytes(b"other")

    monkeypatch.setattr(keyfile, "_refuse_target", appear)
    with pytest.raises(KeyFileError, match="exists already"):
        write_key_file(path, b"new")
    assert path.read_bytes() == b"other"
    assert names_in(path.parent) == ["ana.key"]


def test_where_there_are_no_hard_links_a_file_is_still_written_whole_and_never_replaced(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    write_key_file(path, b"sealed")
    with pytest.raises(KeyFileError):
        write_key_file(path, b"new")
    assert read_key_file(path) == b"sealed"
    assert names_in(path.parent) == ["ana.key"]


# --- what is refused --------------------------------------------------------------------------------
@posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610, 0o602, 0o777])
def test_a_file_open_to_others_is_refused_with_the_way_out(path: Path, mode: int) -> None:
    write_key_file(path, b"sealed")
    path.chmod(mode)
    with pytest.raises(KeyFileError, match=f"{mode:04o}.*chmod 600"):
        read_key_file(path)
    path.chmod(0o600)
    read_key_file(path)


@posix
def test_a_read_only_file_of_the_owner_is_fine(path: Path) -> None:
    write_key_file(path, b"sealed")
    path.chmod(0o400)
    assert read_key_file(path) == b"sealed"


@posix
def test_symbolic_links_are_neither_read_nor_replaced(path: Path) -> None:
    write_key_file(path, b"sealed")
    link = path.with_name("link.key")
    link.symlink_to(path)
    dangling = path.with_name("dangling.key")
    dangling.symlink_to(path.with_name("nowhere"))
    with pytest.raises(KeyFileError, match="symbolic link"):
        read_key_file(link)
    for target in (link, dangling):
        for overwrite in (False, True):
            with pytest.raises(KeyFileError):
                write_key_file(target, b"new", overwrite=overwrite)
    assert path.read_bytes() == b"sealed"
    assert not path.with_name("nowhere").exists()


@posix
def test_a_pipe_or_a_folder_is_no_key_file_and_nobody_waits_for_it(path: Path) -> None:
    path.parent.mkdir()
    os.mkfifo(path, 0o600)
    folder = path.with_name("folder")
    folder.mkdir()
    for target in (path, folder):
        with pytest.raises((KeyFileError, StoreError)):
            read_key_file(target)
        with pytest.raises(KeyFileError):
            write_key_file(target, b"new", overwrite=True)


def test_a_missing_file_is_named(path: Path) -> None:
    with pytest.raises(KeyFileError, match="no key file at"):
        read_key_file(path)


def test_the_size_is_bounded_at_four_kib_unless_said(path: Path) -> None:
    most = limits.KEY_FILE_BYTES
    write_key_file(path, bytes(most))
    assert len(read_key_file(path)) == most
    write_key_file(path, bytes(most + 1), overwrite=True)
    with pytest.raises(KeyFileError, match="4097"):
        read_key_file(path)
    assert len(read_key_file(path, max_bytes=most + 1)) == most + 1


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_a_file_that_grows_while_it_is_read_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_key_file(path, bytes(100))
    monkeypatch.setattr(keyfile, "_refuse_state", lambda *_: None)
    with pytest.raises(KeyFileError, match="larger"):
        read_key_file(path, max_bytes=99)


# --- faults of the disk --------------------------------------------------------------------------------
@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS])
@pytest.mark.parametrize("call", ["open", "fsync", "hardlink_to", "replace"])
def test_a_failing_disk_leaves_the_old_file_and_nothing_else(
    path: Path, monkeypatch: pytest.MonkeyPatch, call: str, code: int, overwrite: bool
) -> None:
    path.parent.mkdir()
    if overwrite:
        write_key_file(path, b"old")

    def fail(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(os if hasattr(os, call) and call != "replace" else Path, call, fail)
        used = call != ("hardlink_to" if overwrite else "replace")
        if used:
            expected = StoreFullError if code in (errno.ENOSPC, errno.EDQUOT) else StoreError
            with pytest.raises(expected):
                write_key_file(path, b"new", overwrite=overwrite)
    if used:
        assert names_in(path.parent) == (["ana.key"] if overwrite else [])
    if overwrite:
        assert read_key_file(path) == b"old"


# --- file systems without modes, as on most memory sticks ----------------------------------------------
# See tests/memory_stick.py. One test has a real file whose mode nobody can change.
@pytest.fixture
def memory_stick(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    act_as_memory_stick(monkeypatch, path.parent)


@posix
def test_a_file_system_without_modes_is_refused_when_writing(
    path: Path, memory_stick: None
) -> None:
    with pytest.raises(KeyFileError, match="keeps no file permissions"):
        write_key_file(path, b"sealed")
    assert names_in(path.parent) == []


@posix
def test_who_named_a_memory_stick_is_warned_and_served(path: Path, memory_stick: None) -> None:
    said: list[str] = []
    write_key_file(path, b"sealed", warn=said.append)
    assert "keeps no file permissions" in said.pop()
    assert names_in(path.parent) == ["ana.key"]
    with pytest.raises(KeyFileError, match="copy it to a folder of your own"):
        read_key_file(path)
    assert read_key_file(path, warn=said.append) == b"sealed"
    assert "(mode 0755)" in said.pop()
    with pytest.raises(KeyFileError, match="exists already"):
        write_key_file(path, b"new", warn=said.append)
    write_key_file(path, b"new", overwrite=True, warn=said.append)
    assert read_key_file(path, warn=said.append) == b"new"


@posix
@pytest.mark.parametrize("silent", [True, False], ids=["does nothing", "fails"])
def test_a_mode_that_can_not_be_changed_is_noticed(
    path: Path, monkeypatch: pytest.MonkeyPatch, silent: bool
) -> None:
    write_key_file(path, b"sealed")
    path.chmod(0o777)

    def change_nothing(*_: object) -> None:
        if not silent:
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "fchmod", change_nothing)
    said: list[str] = []
    with pytest.raises(KeyFileError, match="keeps no permissions; copy it"):
        read_key_file(path)
    assert read_key_file(path, warn=said.append) == b"sealed"
    assert len(said) == 1


@pytest.mark.skipif(shutil.which("chattr") is None, reason="there is no chattr")
def test_a_real_file_whose_mode_nobody_can_change_is_read_with_a_warning(path: Path) -> None:
    write_key_file(path, b"sealed")
    path.chmod(0o777)
    if subprocess.run(["chattr", "+i", path], capture_output=True, check=False).returncode:
        pytest.skip("this user or file system can't make a file immutable")
    said: list[str] = []
    try:
        with pytest.raises(KeyFileError, match="keeps no permissions"):
            read_key_file(path)
        assert read_key_file(path, warn=said.append) == b"sealed"
    finally:
        subprocess.run(["chattr", "-i", path], check=True)
    assert "(mode 0777)" in said[0]


@posix
def test_a_file_that_could_be_closed_is_refused_even_so_and_left_as_it_is(path: Path) -> None:
    write_key_file(path, b"sealed")
    path.chmod(0o644)
    said: list[str] = []
    with pytest.raises(KeyFileError, match="chmod 600"):
        read_key_file(path, warn=said.append)
    assert (said, mode_of(path)) == ([], 0o644)


@posix
def test_an_open_file_of_another_user_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_key_file(path, b"sealed")
    path.chmod(0o644)
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    with pytest.raises(KeyFileError, match="isn't yours"):
        read_key_file(path, warn=lambda _: None)


@posix
def test_a_bare_key_never_goes_to_a_memory_stick(path: Path, memory_stick: None) -> None:
    key, said = SigningKey.from_seed(bytes(32)), list[str]()
    with pytest.raises(KeyFileError, match="choose another folder"):
        save_key(path, key, None, unprotected=True, warn=said.append)
    save_key(path, key, "a long word", params=QUICK, warn=said.append)
    assert load_key(path, "a long word", warn=said.append).public == key.public
    assert len(said) == 2


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_gives_a_clear_error(path: Path) -> None:
    path.parent.mkdir(mode=0o500)
    with pytest.raises(StoreError, match="can't be written"):
        write_key_file(path, b"sealed")
