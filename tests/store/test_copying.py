"""Writing a copy from the buffers that are hashed, and sharing blocks where the file system can."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hitp2p.codec.unixfs import build_file
from hitp2p.store import copying
from hitp2p.store.copying import CopyWriter, make_buffers, share_blocks
from hitp2p.store.media import add_media
from hitp2p.store.sqlite import SqliteStore

MIB = 1024 * 1024


def pattern(size: int) -> bytes:
    return b"".join(number.to_bytes(4, "big") for number in range(size // 4 + 1))[:size]


def write_copy(content: bytes, path: Path, buffers: list[memoryview]) -> None:
    with (
        path.open("xb") as file,
        ThreadPoolExecutor(1) as executor,
        CopyWriter(file.fileno()) as writer,
    ):
        build_file(
            io.BytesIO(content),
            lambda part: None,
            executor=executor,
            also=writer,
            buffers=buffers,
        )


@pytest.mark.parametrize("platform", [sys.platform, "other"])
@pytest.mark.parametrize(
    "size", [0, 1, 4095, 4096, 4097, 4 * MIB - 1, 4 * MIB, 4 * MIB + 1, 21 * MIB + 5]
)
def test_a_copy_equals_its_source_at_any_length(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str, size: int
) -> None:
    monkeypatch.setattr(copying.sys, "platform", platform)
    monkeypatch.setattr(copying, "_SYNC_BYTES", 5 * MIB)
    content = pattern(size)
    write_copy(content, tmp_path / "copy", make_buffers())
    assert (tmp_path / "copy").read_bytes() == content


def test_buffers_that_a_disk_refuses_go_through_the_cache(tmp_path: Path) -> None:
    odd = [memoryview(bytearray(MIB + 1))[1:] for _ in range(2)]
    content = pattern(5 * MIB + 7)
    write_copy(content, tmp_path / "copy", odd)
    assert (tmp_path / "copy").read_bytes() == content


def test_what_the_disk_says_reaches_the_caller(tmp_path: Path) -> None:
    path = tmp_path / "copy"
    path.touch()
    file = os.open(path, os.O_RDONLY)  # nothing can be written to it
    try:
        with pytest.raises(OSError, match="descriptor"), CopyWriter(file) as writer:
            build_file(io.BytesIO(pattern(9 * MIB)), lambda part: None, also=writer)
    finally:
        os.close(file)


@pytest.fixture
def sharing_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 MiB whose files can share blocks."""
    if os.geteuid() != 0 or shutil.which("mkfs.btrfs") is None:
        pytest.skip("only root with btrfs-progs can make such a disk")
    image, folder = tmp_path / "image", tmp_path / "disk"
    image.touch()
    os.truncate(image, 256 * MIB)
    subprocess.run(["mkfs.btrfs", "-q", str(image)], check=True, capture_output=True)
    folder.mkdir()
    subprocess.run(["mount", "-o", "loop", str(image), str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_where_files_can_share_blocks_a_copy_takes_no_room(sharing_disk: Path) -> None:
    sound = sharing_disk / "sound.wav"
    sound.write_bytes(os.urandom(60 * MIB))
    os.sync()
    with SqliteStore.open(sharing_disk / "store") as store:
        before = shutil.disk_usage(sharing_disk).used
        with add_media(store, sound) as media:
            path = store.media_folder / media.leaves[0].path
        os.sync()
        assert shutil.disk_usage(sharing_disk).used - before < 10 * MIB
    assert path.read_bytes() == sound.read_bytes()


def test_sharing_blocks_is_refused_where_it_can_not_be(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"content")
    with (tmp_path / "source").open("rb") as source, (tmp_path / "pipe").open("xb") as target:
        reader, writer = os.pipe()
        try:
            assert not share_blocks(reader, target.fileno())
            assert not share_blocks(source.fileno(), writer)
        finally:
            os.close(reader)
            os.close(writer)
