"""The daemon of the tests itself: that it starts, keeps what it was given, survives a kill, and stands alone."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from kubo_daemon import KuboDaemon, find_kubo, kubo_binary, running_kubo


def test_the_pinned_version_runs_and_keeps_a_block_through_a_kill(tmp_path: Path) -> None:
    with running_kubo(tmp_path) as daemon:
        assert "0.43.1" in daemon.ipfs("version").decode()
        cid = daemon.ipfs("block", "put", input=b"a block").decode().strip()
        daemon.kill()
        daemon.start()
        assert daemon.ipfs("block", "get", cid) == b"a block"


@pytest.mark.parametrize("online", [False, True])
def test_a_daemon_listens_on_loopback_alone_and_knows_nobody(tmp_path: Path, online: bool) -> None:
    with running_kubo(tmp_path, online=online) as daemon:
        assert daemon.api.startswith("/ip4/127.0.0.1/tcp/")
        assert daemon.gateway.startswith("http://127.0.0.1:")
        assert daemon.ipfs("bootstrap", "list") == b""
        if online:
            assert daemon.ipfs("swarm", "peers") == b""


def test_a_daemon_ends_by_its_process_id(tmp_path: Path) -> None:
    with running_kubo(tmp_path) as daemon:
        *_, port = daemon.api.split("/")
        daemon.stop()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", int(port)), timeout=5)


def test_two_daemons_live_side_by_side(tmp_path: Path) -> None:
    with running_kubo(tmp_path / "one") as one, running_kubo(tmp_path / "two") as two:
        assert one.api != two.api


def test_a_daemon_that_cannot_start_says_why(tmp_path: Path) -> None:
    daemon = KuboDaemon(tmp_path / "ipfs")
    daemon.ipfs("config", "Addresses.API", "/ip4/127.0.0.1/tcp/1/nonsense")
    with pytest.raises(AssertionError, match="did not start"):
        daemon.start()


def test_the_binary_is_found_where_the_environment_says(tmp_path: Path) -> None:
    cached = tmp_path / "hitp2p" / "kubo-0.43.1" / "ipfs"
    cached.parent.mkdir(parents=True)
    cached.touch()
    assert find_kubo({"HITP2P_KUBO": "/there/ipfs"}) == Path("/there/ipfs")
    assert find_kubo({"XDG_CACHE_HOME": str(tmp_path), "PATH": ""}) == cached
    assert find_kubo({"HITP2P_CACHE": str(tmp_path / "hitp2p"), "PATH": ""}) == cached
    assert find_kubo({"HITP2P_CACHE": str(tmp_path / "empty"), "PATH": ""}) is None
    on_path = tmp_path / "bin" / "ipfs"
    on_path.parent.mkdir()
    on_path.touch(mode=0o755)
    assert find_kubo({"HITP2P_CACHE": "/none", "PATH": str(on_path.parent)}) == on_path


def test_where_it_is_missing_ci_fails_and_a_laptop_skips(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HITP2P_KUBO", "PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HITP2P_CACHE", "/none")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="tests/go_build tests/kubo"):
        kubo_binary()
    monkeypatch.setenv("CI", "false")
    with pytest.raises(pytest.skip.Exception, match="tests/go_build tests/kubo"):
        kubo_binary()
