"""`hitp2p ipfs remote` against a pinning service over HTTP, behind which a second real Kubo pins."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import outside
import pytest
from cli_harness import Cli
from fake_kubo import FakeKubo, answer, refused
from kubo_daemon import KuboDaemon, cache_folder, running_kubo
from pinning_service import PinningService


@pytest.fixture(scope="module")
def kubo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KuboDaemon]:
    """The daemon that services fetch from."""
    with running_kubo(tmp_path_factory.mktemp("kubo"), online=True) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KuboDaemon]:
    """The service's own."""
    with running_kubo(tmp_path_factory.mktemp("far"), online=True) as daemon:
        yield daemon


@pytest.fixture
def service(kubo: KuboDaemon, far: KuboDaemon) -> Iterator[PinningService]:
    for daemon in (kubo, far):
        daemon.unpin(*daemon.pins())
        daemon.gc()
    with PinningService(far, token="s3cret") as service:
        yield service
    for each in kubo.rpc("pin/remote/service/ls")[0]["RemoteServices"]:
        kubo.rpc("pin/remote/service/rm", arg=each["Service"])


@pytest.fixture
def to(kubo: KuboDaemon) -> tuple[str, ...]:
    return ("--daemon", f"kubo:{kubo.api}", "--json")


def add(cli: Cli, service: PinningService, to: tuple[str, ...], token: str = "s3cret") -> Any:
    key = Path("service.key")
    key.touch(0o600)
    key.write_text(token + "\n")
    return cli("ipfs", "remote", "add", "club", service.endpoint, "--key-file", "service.key", *to)


def one(ran: Any) -> Any:
    (project,) = ran.ok().json["projects"]
    return project


def test_a_service_keeps_a_whole_project_while_the_daemon_is_off(
    cli: Cli,
    story: dict[str, str],
    kubo: KuboDaemon,
    far: KuboDaemon,
    service: PinningService,
    to: tuple[str, ...],
) -> None:
    assert add(cli, service, to).ok().json["is_reached"]
    cli("ipfs", "push", "--to", f"kubo:{kubo.api}").ok()
    kept = one(cli("ipfs", "remote", "push", "--service", "club", "--wait", "30", *to))
    assert (kept["status"], kept["older"]) == ("pinned", [])
    (asked,) = service.pins.values()
    assert asked["pin"]["name"] == f"hitp2p:{story['project']}"
    assert asked["pin"]["cid"] == kept["snapshot"]
    here = set(kubo.ipfs("refs", "-r", "-u", kept["snapshot"]).decode().split())
    there = set(far.ipfs("refs", "-r", "-u", "--offline", kept["snapshot"]).decode().split())
    assert here == there
    song = cli("show", story["song"], "--json").ok().json["cid"]
    sound = far.ipfs("cat", "--offline", f"{song}/body/media/0/file")
    assert sound == Path("song.wav").read_bytes()


def test_an_older_snapshot_is_let_go_once_the_new_one_is_kept(
    cli: Cli,
    story: dict[str, str],
    kubo: KuboDaemon,
    service: PinningService,
    to: tuple[str, ...],
) -> None:
    add(cli, service, to).ok()
    push = ("ipfs", "push", "--to", f"kubo:{kubo.api}")
    ask = ("ipfs", "remote", "push", "Night Bus", "--service", "club", *to)
    look = ("ipfs", "remote", "status", "--service", "club", *to)
    cli(*push).ok()
    assert one(cli(*look))["status"] is None
    first = one(cli(*ask, "--wait", "30"))
    cli("contribute", "verse.txt", "--title", "More", "--as", "Ana", "--yes").ok()
    cli(*push).ok()
    service.is_slow = True
    waiting = one(cli(*ask))
    assert waiting["status"] == "queued"
    assert waiting["older"] == [{"cid": first["snapshot"], "status": "pinned"}]
    told = cli(*look[:-1]).ok().out
    assert "it waits in line" in told
    assert "1 older snapshot kept there till this one is" in told
    assert len(service.pins) == 2
    service.work()
    assert one(cli(*ask))["status"] == "pinned"
    assert [pin["pin"]["cid"] for pin in service.pins.values()] == [waiting["snapshot"]]
    assert "it is kept there" in cli(*look[:-1]).ok().out


def test_a_failure_is_told_and_asked_for_again(
    cli: Cli,
    story: dict[str, str],
    kubo: KuboDaemon,
    service: PinningService,
    to: tuple[str, ...],
) -> None:
    add(cli, service, to).ok()
    cli("ipfs", "push", "--to", f"kubo:{kubo.api}").ok()
    service.is_slow = True
    ask = ("ipfs", "remote", "push", "--service", "club", *to)
    one(cli(*ask))
    for status in service.pins.values():
        status["status"] = "failed"
    look = ("ipfs", "remote", "status", "--service", "club", *to)
    assert one(cli(*look))["status"] == "failed"
    assert one(cli(*ask))["status"] == "queued"
    assert [pin["status"] for pin in service.pins.values()] == ["queued"]
    service.fails = True
    service.work()
    assert "it FAILED" in cli(*look[:-1]).ok().out
    service.is_slow = service.fails = False
    assert one(cli(*ask, "--wait", "30"))["status"] == "pinned"


def test_a_service_that_fails_while_we_wait_gives_an_exit_status(
    cli: Cli, story: dict[str, str], kubo: KuboDaemon, service: PinningService, to: tuple[str, ...]
) -> None:
    add(cli, service, to).ok()
    cli("ipfs", "push", "--to", f"kubo:{kubo.api}").ok()
    service.fails = True
    ask = ("ipfs", "remote", "push", "--service", "club", "--wait", "20", *to)
    failed = cli(*ask)
    assert failed.status == 74
    assert failed.json["projects"][0]["status"] == "failed"
    (first,) = service.pins
    assert cli(*ask).status == 74
    assert first not in service.pins  # asked anew, and the failure taken back


def test_services_are_listed_and_forgotten(
    cli: Cli, kubo: KuboDaemon, service: PinningService, to: tuple[str, ...]
) -> None:
    cli("init").ok()
    look = ("ipfs", "remote", "list", *to)
    assert "knows no pinning service" in cli(*look[:-1]).ok().out
    add(cli, service, to).ok()
    (shown,) = cli(*look).ok().json["services"]
    assert shown == {
        "name": "club",
        "endpoint": service.endpoint,
        "is_reached": True,
        "counts": {"queued": 0, "pinning": 0, "pinned": 0, "failed": 0},
    }
    assert "already" in add(cli, service, to).error["message"]
    forget = ("ipfs", "remote", "rm", "club", *to)
    assert cli(*forget).ok().json == {"name": "club"}
    assert cli(*forget).error["code"] == "not-found"


def test_a_wrong_key_is_told(
    cli: Cli, story: dict[str, str], kubo: KuboDaemon, service: PinningService, to: tuple[str, ...]
) -> None:
    added = add(cli, service, to, "wrong").ok()
    assert not added.json["is_reached"]
    assert "refuses the key" in added.err
    assert "NOT REACHED" in cli("ipfs", "remote", "list", *to[:-1]).ok().out
    cli("ipfs", "push", "--to", f"kubo:{kubo.api}").ok()
    for verb in ("push", "status"):
        error = cli("ipfs", "remote", verb, "--service", "club", *to).error
        assert "refuses the key" in error["message"]
        assert error["exit_status"] == 74


def test_the_key_comes_from_a_file_of_its_own_and_travels_in_no_clear(
    cli: Cli, service: PinningService, to: tuple[str, ...], kubo: KuboDaemon
) -> None:
    cli("init").ok()
    ask = ("ipfs", "remote", "add", "club")
    assert "--key-file" in cli(*ask, service.endpoint, *to).error["next"]
    key = Path("open.key")
    key.write_text("s3cret\n")
    key.chmod(0o644)
    assert cli(*ask, service.endpoint, "--key-file", "open.key", *to).error["code"] == "key-file"
    key.chmod(0o600)
    for endpoint in ("http://pins.example", "ftp://127.0.0.1", "pins.example", "https://a:b@c/"):
        assert cli(*ask, endpoint, "--key-file", "open.key", *to).error["code"] == "usage"
    for text in ("", "two\nlines", "\x00", "ä"):
        key.write_text(text)
        told = cli(*ask, service.endpoint, "--key-file", "open.key", *to).error
        assert told["code"] == "key-file"
    key.write_text("s3cret")
    told = cli(*ask, service.endpoint, "--key-file", "open.key", "--json", "--daemon",
               "kubo:/dns4/pins.example/tcp/5001").error  # fmt: skip
    assert "in the clear" in told["message"]


def test_what_can_not_be_kept_is_refused_with_the_next_step(
    cli: Cli,
    story: dict[str, str],
    kubo: KuboDaemon,
    service: PinningService,
    to: tuple[str, ...],
    tmp_path: Path,
) -> None:
    add(cli, service, to).ok()
    ask = ("ipfs", "remote", "push", "--service", "club")
    assert "hitp2p ipfs push" in cli(*ask, *to).error["next"]
    look = cli("ipfs", "remote", "status", "--service", "club", *to[:-1]).ok()
    assert '"hitp2p ipfs push" comes first' in look.out
    cli("ipfs", "push", "--to", f"kubo:{kubo.api}").ok()
    strange = cli("ipfs", "remote", "push", "--service", "nobody", *to).error
    assert strange["code"] == "not-found"
    assert "remote list" in strange["next"]
    with FakeKubo(behind=kubo.api) as fake:
        through = ("--daemon", f"kubo:{fake.api}", "--json")
        fake.says("swarm/peers", refused("this action must be run in online mode"))
        assert "runs without a network" in cli(*ask, *through).error["message"]
        fake.tells_the_truth()
        fake.says("pin/remote/add", answer({"Status": "odd", "Cid": "bafkqaaa"}))
        assert "pin/remote/add" in cli(*ask, *through).error["message"]
        fake.says("pin/remote/add", refused("empty response from remote pinning service"))
        assert "did not do it" in cli(*ask, *through).error["message"]
        fake.says("pin/remote/service/ls", answer({"RemoteServices": 1}))
        assert "no list" in cli("ipfs", "remote", "list", *through).error["message"]
    cli("project", "mark", "--unlisted").ok()
    assert cli(*ask, *to).error["code"] == "unlisted"
    assert service.pins == {}


@contextmanager
def running_cluster(folder: Path, kubo: KuboDaemon) -> Generator[str]:
    """A cluster of one machine; the endpoint of its pinning service."""
    (found, *_) = [*cache_folder().glob("cluster-*"), None]
    programs = outside.program(
        "ipfs-cluster", found, "tests/go_build tests/cluster builds it, once"
    )
    rest, service, peers, proxy = free_ports(4)
    environ = os.environ | {
        "IPFS_CLUSTER_PATH": str(folder / "cluster"),
        "CLUSTER_IPFSHTTP_NODEMULTIADDRESS": kubo.api,
        "CLUSTER_IPFSPROXY_NODEMULTIADDRESS": kubo.api,
        "CLUSTER_RESTAPI_HTTPLISTENMULTIADDRESS": f"/ip4/127.0.0.1/tcp/{rest}",
        "CLUSTER_PINSVCAPI_HTTPLISTENMULTIADDRESS": f"/ip4/127.0.0.1/tcp/{service}",
        "CLUSTER_LISTENMULTIADDRESS": f"/ip4/127.0.0.1/tcp/{peers}",
        "CLUSTER_IPFSPROXY_LISTENMULTIADDRESS": f"/ip4/127.0.0.1/tcp/{proxy}",
    }
    program = programs / "ipfs-cluster-service"
    made = [program, "init", "--consensus", "crdt"]
    subprocess.run(made, env=environ, check=True, capture_output=True)
    with (folder / "cluster.log").open("wb") as log:
        peer = subprocess.Popen([program, "daemon"], env=environ, stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{service}"
    finally:
        peer.terminate()
        peer.wait(30)


def free_ports(n_ports: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(n_ports)
        ]
        return [each.getsockname()[1] for each in sockets]


def test_ipfs_cluster_keeps_a_project(
    cli: Cli,
    story: dict[str, str],
    kubo: KuboDaemon,
    far: KuboDaemon,
    to: tuple[str, ...],
    tmp_path: Path,
) -> None:
    if not os.environ.get("HITP2P_FULL"):
        pytest.skip("HITP2P_FULL=1 runs a cluster")
    key = Path("service.key")
    key.touch(0o600)
    key.write_text("any")
    remote = ("ipfs", "remote")
    with running_cluster(tmp_path, far) as endpoint:
        cli(*remote, "add", "cluster", endpoint, "--key-file", "service.key", *to).ok()
        until_reached(cli, to)
        for title in ("One more", "And another"):
            cli("contribute", "verse.txt", "--title", title, "--as", "Ana", "--yes").ok()
            cli("ipfs", "push", "--to", f"kubo:{kubo.api}").ok()
            ask = (*remote, "push", "--service", "cluster", "--wait", "60", *to)
            kept = one(cli(*ask))
            assert (kept["status"], kept["older"]) == ("pinned", [])
            far.ipfs("refs", "-r", "-u", "--offline", kept["snapshot"])
    cli(*remote, "rm", "cluster", *to).ok()
    outside.count_cases("ipfs-cluster", 1)


def until_reached(cli: Cli, to: tuple[str, ...]) -> None:
    """Ask until the service answers, each time waiting for its answer."""
    for _ in range(600):
        (service,) = cli("ipfs", "remote", "list", *to).ok().json["services"]
        if service["is_reached"]:
            return
    raise AssertionError("the cluster did not start")
