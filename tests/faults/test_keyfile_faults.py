"""Key files when the process is killed, and on a disk that is full."""

from __future__ import annotations

import random
import resource
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hitp2p.errors import StoreFullError
from hitp2p.store.keyfile import read_key_file, write_key_file

N_KILLS = 40
WRITER = """
import sys
from hitp2p.store.keyfile import write_key_file
for n in range(10**9):
    write_key_file(sys.argv[1], n.to_bytes(4, "big") * 900, overwrite=True)
    sys.stdout.buffer.write(n.to_bytes(4, "big"))
    sys.stdout.buffer.flush()
"""


def test_a_kill_leaves_the_file_of_before_or_after_and_nothing_acknowledged_is_lost(
    tmp_path: Path,
) -> None:
    path, chance = tmp_path / "ana.key", random.Random(1)
    for _ in range(N_KILLS):
        said = _write_until_killed(path, chance.uniform(0, 0.01))
        data = read_key_file(path)
        n = int.from_bytes(data[:4], "big")
        assert data == n.to_bytes(4, "big") * 900
        assert n in (said, said + 1)
    left = [each for each in tmp_path.iterdir() if each != path]
    assert all(each.name.startswith(".ana.key.") for each in left)
    assert all(each.stat().st_mode & 0o077 == 0 for each in left)


def _write_until_killed(path: Path, delay_s: float) -> int:
    """The number of the last write that was acknowledged."""
    with subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        acks = writer.stdout.read(4)
        select.select([], [], [], delay_s)  # some writes later
        writer.send_signal(signal.SIGKILL)
        acks += writer.stdout.read()
    return int.from_bytes(acks[-4:], "big")


@pytest.fixture
def largest_file() -> Iterator[int]:
    """No file of this process may grow past this size: the disk is full, as far as it can tell."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    yield 1000
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, largest_file: int) -> None:
    path = tmp_path / "ana.key"
    write_key_file(path, b"o" * largest_file)
    for overwrite in (False, True):
        target = path if overwrite else tmp_path / "new.key"
        with pytest.raises(StoreFullError, match="nothing was half-written"):
            write_key_file(target, b"n" * (largest_file + 1), overwrite=overwrite)
    assert [each.name for each in tmp_path.iterdir()] == ["ana.key"]
    assert read_key_file(path) == b"o" * largest_file


def test_a_really_full_file_system_leaves_nothing_half_written(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting needs root")
    try:
        path = disk / "ana.key"
        write_key_file(path, b"old")
        with pytest.raises(OSError, match="space"):
            (disk / "filler").write_bytes(bytes(2**20))
        for target, overwrite in ((path, True), (disk / "new.key", False)):
            with pytest.raises(StoreFullError):
                write_key_file(target, b"n" * 9000, overwrite=overwrite)
        assert sorted(each.name for each in disk.iterdir()) == ["ana.key", "filler"]
        assert read_key_file(path) == b"old"
    finally:
        subprocess.run(["umount", str(disk)], check=True)
