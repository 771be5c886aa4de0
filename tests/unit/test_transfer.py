"""Files that leave and enter a workspace."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

import hitp2p
from hitp2p.errors import StoreError


@pytest.fixture
def work() -> tuple[hitp2p.Workspace, hitp2p.SignedObject]:
    ws, ana = hitp2p.open(":memory:"), hitp2p.Identity.create("Ana")
    return ws, ws.contribute(ws.create_project("P", by=ana), title="W", by=ana)


@pytest.mark.skipif(os.name != "posix", reason="there is no umask")
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_a_bundle_is_as_readable_as_the_umask_says(
    work: tuple[hitp2p.Workspace, hitp2p.SignedObject], tmp_path: Path, mask: int, mode: int
) -> None:
    before = os.umask(mask)
    try:
        work[0].export(work[1], tmp_path / "w.car")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "w.car").stat().st_mode) == mode


def test_a_bundle_that_can_not_be_written_leaves_nothing(
    work: tuple[hitp2p.Workspace, hitp2p.SignedObject], tmp_path: Path
) -> None:
    with pytest.raises(StoreError):
        work[0].export(work[1], tmp_path / "nowhere" / "w.car")
    assert not list(tmp_path.iterdir())
