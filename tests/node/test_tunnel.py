"""Streams through two real Kubo daemons, with our TLS inside: who is at the other end is proven as always [NET-3]."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trio
from kubo_daemon import KuboDaemon, running_kubo
from node_world import contexts_of, node_key, within

import hitp2p
from hitp2p.errors import BackendError, InvalidError, PeerError, UsageError
from hitp2p.node.kubo_streams import KuboStreams, connect_streams
from hitp2p.node.opening import open_node
from hitp2p.node.streams import dial_tcp
from hitp2p.node.tls import secure
from hitp2p.node.tunnel import Tunnel, parse_tunnel_address
from hitp2p.protocol.records import parse_address
from hitp2p.store.kubo_address import parse_kubo_address

pytest.importorskip("ipfshttpclient")
STREAMS = {"Experimental.Libp2pStreamMounting": "true"}
Test = Callable[[], Awaitable[None]]


@pytest.fixture(scope="module")
def two_kubos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[KuboDaemon, KuboDaemon]]:
    """Two daemons that know each other."""
    folder = tmp_path_factory.mktemp("kubos")
    with (
        running_kubo(folder / "a", online=True, config=STREAMS) as a,
        running_kubo(folder / "b", online=True, config=STREAMS) as b,
    ):
        (found,) = a.rpc("id")
        b.rpc("swarm/connect", arg=found["Addresses"][0])
        yield a, b


def streams_of(daemon: KuboDaemon) -> KuboStreams:
    return connect_streams(parse_kubo_address(daemon.api))


def run(test: Test) -> None:
    async def main() -> None:
        with within(60):
            await test()

    trio.run(main)


def test_net_3_a_node_behind_kubo_proves_its_key_through_the_tunnel(
    two_kubos: tuple[KuboDaemon, KuboDaemon], tmp_path: Path
) -> None:
    a, b = two_kubos
    hosts: list[str] = []

    async def serve(stream: trio.abc.Stream, host: str) -> None:
        hosts.append(host)
        inside, key = await secure(stream, contexts_of(1, tmp_path).server, dialled=None)
        assert key == node_key(2).public
        async with inside:
            await inside.send_all(b"hello " + await inside.receive_some())

    async def test() -> None:
        here, there = Tunnel(streams_of(a), node_key(1).peer_id), Tunnel(streams_of(b), "unused")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(here.keep)
            nursery.start_soon(there.keep)
            address: str = await nursery.start(here.listen, serve)
            route = parse_tunnel_address(address)
            assert route is not None
            assert route[1] == node_key(1).peer_id
            text = await there.reach(*route)
            assert await there.reach(*route) == text  # one forward serves all
            for _ in range(2):
                stream = await dial_tcp(parse_address(text))
                inside, _ = await secure(
                    stream, contexts_of(2, tmp_path).client, dialled=node_key(1).public
                )
                async with inside:
                    await inside.send_all(b"Bo")
                    assert await inside.receive_some() == b"hello Bo"
            nursery.cancel_scope.cancel()
        assert hosts == [f"p2p/{b.rpc('id')[0]['ID']}"] * 2

    run(test)
    for daemon in two_kubos:  # nothing stays behind
        assert daemon.rpc("p2p/ls") == [{"Listeners": None}]


def test_nobody_behind_the_other_kubo_is_a_peer_that_can_t_be_reached(
    two_kubos: tuple[KuboDaemon, KuboDaemon], tmp_path: Path
) -> None:
    a, b = two_kubos

    async def test() -> None:
        there = Tunnel(streams_of(b), "unused")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(there.keep)
            text = await there.reach(a.rpc("id")[0]["ID"], node_key(3).peer_id)
            stream = await dial_tcp(parse_address(text))  # Kubo itself takes it up
            with pytest.raises(PeerError, match=r"ended the connection|eof"):
                await secure(stream, contexts_of(2, tmp_path).client, dialled=node_key(3).public)
            nursery.cancel_scope.cancel()

    run(test)


def test_what_a_killed_node_left_behind_is_taken_over(
    two_kubos: tuple[KuboDaemon, KuboDaemon],
) -> None:
    a, _ = two_kubos
    with streams_of(a) as kubo:
        kubo.listen(f"/x/hitp2p/1/{node_key(4).peer_id}", "/ip4/127.0.0.1/tcp/1")

        async def test() -> None:
            here = Tunnel(streams_of(a), node_key(4).peer_id)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(here.keep)
                await nursery.start(here.listen, ignore)
                nursery.cancel_scope.cancel()

        run(test)
        assert kubo.streams() == ()


async def ignore(*_: Any) -> None:
    raise AssertionError


def test_a_line_that_names_no_kubo_lets_nobody_in(
    two_kubos: tuple[KuboDaemon, KuboDaemon],
) -> None:
    """Who connects to the port on loopback directly."""

    async def test() -> None:
        here = Tunnel(streams_of(two_kubos[0]), node_key(5).peer_id)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(here.keep)
            await nursery.start(here.listen, ignore)
            (wanted,) = [s for s in here.wanted if s.protocol.endswith(node_key(5).peer_id)]
            port = int(wanted.target.rsplit("/", 1)[1])
            for said in (b"\n", b"no name\n", b"x" * 200, b"12D3"):
                async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
                    await stream.send_all(said)
                    await stream.send_eof()
                    with pytest.raises(trio.BrokenResourceError) if len(said) > 128 else within():
                        assert await stream.receive_some() == b""
            nursery.cancel_scope.cancel()

    run(test)


def test_a_daemon_that_carries_no_streams_says_which_command_lets_it(tmp_path: Path) -> None:
    with running_kubo(tmp_path, online=True) as daemon, streams_of(daemon) as kubo:
        for call in (kubo.streams, lambda: kubo.listen("/x/a", "/ip4/127.0.0.1/tcp/1")):
            with pytest.raises(UsageError, match="carries no streams") as caught:
                call()
            assert caught.value.__notes__ == [
                'Run "ipfs config --json Experimental.Libp2pStreamMounting true" and restart the daemon.'
            ]


def test_a_daemon_that_is_not_there_is_told() -> None:
    with (
        connect_streams(parse_kubo_address("/ip4/127.0.0.1/tcp/9")) as kubo,
        pytest.raises(BackendError, match="can't be reached"),
    ):
        kubo.own_id()


def test_the_tunnel_is_dug_again_after_the_daemon_has_forgotten_it(
    two_kubos: tuple[KuboDaemon, KuboDaemon],
) -> None:
    a, b = two_kubos

    async def test() -> None:
        here = Tunnel(streams_of(a), node_key(6).peer_id, look_every_s=0.05)
        with streams_of(a) as kubo:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(here.keep)
                await nursery.start(here.listen, ignore)
                await here.reach(b.rpc("id")[0]["ID"], node_key(7).peer_id)
                before = set(kubo.streams())
                assert len(before) == 2
                for stream in before:
                    kubo.end(stream)
                while set(kubo.streams()) != before:
                    await trio.sleep(0.02)
                nursery.cancel_scope.cancel()

    run(test)


@pytest.mark.parametrize(
    "text",
    ["", "/ip4/127.0.0.1/tcp/1/tls/p2p/x", "/p2p/Qm/p2p/x", "/p2p/../tls/p2p/x", "/p2p//tls/p2p/x"],
)
def test_other_addresses_lead_through_no_tunnel(text: str) -> None:
    assert parse_tunnel_address(text) is None


def test_net_24_an_address_through_a_tunnel_names_a_node() -> None:
    with pytest.raises(InvalidError):
        parse_tunnel_address("/p2p/QmKubo/tls/p2p/QmKubo")


def test_two_nodes_come_in_step_through_two_kubos(
    two_kubos: tuple[KuboDaemon, KuboDaemon], tmp_path: Path
) -> None:
    """As two homes behind NAT do: neither listens on anything but its own Kubo."""
    a, b = two_kubos
    ana = hitp2p.Identity.create("Ana")
    verse = tmp_path / "verse.txt"
    verse.write_text("the night bus\n")

    async def test() -> None:
        with hitp2p.open(tmp_path / "here") as here, hitp2p.open(tmp_path / "there") as there:
            project = here.create_project("Night Bus", by=ana)
            async with (
                open_node(here, follow=[project.cid], tunnel=f"kubo:{a.api}") as one,
                open_node(there, follow=[project.cid], tunnel=f"kubo:{b.api}") as two,
            ):
                (address,) = one.addresses
                assert await two.connect(address, within_s=20) == one.peer_id
                work = here.contribute(project, verse, title="Verse", by=ana)
                while there.store.row(work.cid) is None:
                    await trio.sleep(0.01)
                assert [peer.host for peer in one.peers()] == [f"p2p/{b.rpc('id')[0]['ID']}"]

    run(test)
    for daemon in two_kubos:
        assert daemon.rpc("p2p/ls") == [{"Listeners": None}]


def test_a_peer_behind_kubo_can_be_named_from_the_beginning(
    two_kubos: tuple[KuboDaemon, KuboDaemon], tmp_path: Path
) -> None:
    a, b = two_kubos

    async def test() -> None:
        async with open_node(tmp_path / "here", tunnel=a.api) as one:
            async with open_node(tmp_path / "there", tunnel=b.api, peers=one.addresses) as two:
                while not any(peer.is_open for peer in two.peers()):
                    await trio.sleep(0.01)
            with pytest.raises(UsageError, match="leads through Kubo"):
                async with open_node(tmp_path / "there", peers=one.addresses):
                    pass

    run(test)


def test_a_node_whose_kubo_is_not_there_does_not_start(tmp_path: Path) -> None:
    async def test() -> None:
        with pytest.raises(BackendError, match="can't be reached"):
            async with open_node(tmp_path / "here", tunnel="kubo:/ip4/127.0.0.1/tcp/9"):
                pass

    run(test)
