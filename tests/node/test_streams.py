"""What strangers may take before they have a name: addresses, the gate before the handshake, listening when nothing is left."""

from __future__ import annotations

import os
import resource
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio
import trio.testing
from node_world import node_key, within

from hitp2p import limits
from hitp2p.errors import PeerError, StoreError, UsageError
from hitp2p.node.streams import (
    Gate,
    accept_all,
    dial_tcp,
    listen_tcp,
    multiaddr_of,
    parse_listen,
)
from hitp2p.protocol.records import encode_address, parse_address

Test = Callable[[], Awaitable[None]]


def run(test: Test, **more: Any) -> None:
    async def main() -> None:
        with within():
            await test()

    trio.run(main, **more)


# --- the gate -------------------------------------------------------------------------------------


async def wait_in(gate: Gate, host: str, said: list[str]) -> None:
    try:
        with gate.enter(host):
            await trio.sleep_forever()
    except PeerError as error:
        said.append(f"{host}: {error}")


def test_net_9_a_handshake_ends_after_ten_seconds() -> None:
    async def test() -> None:
        gate, said = Gate(), list[str]()
        await wait_in(gate, "192.0.2.1", said)
        assert trio.current_time() == pytest.approx(10)
        assert said == ["192.0.2.1: no handshake of 192.0.2.1 within 10 seconds [NET-9]"]
        assert len(gate) == 0

    run(test, clock=trio.testing.MockClock(autojump_threshold=0))


@pytest.mark.parametrize("hosts", [["192.0.2.1"], ["2001:db8::1", "2001:db8::ffff:2"]])
def test_eight_of_one_address_may_shake_hands_and_not_one_more(hosts: list[str]) -> None:
    async def test() -> None:
        gate, said = Gate(), list[str]()
        async with trio.open_nursery() as nursery:
            for number in range(limits.NODE_FROM_ADDRESS):
                nursery.start_soon(wait_in, gate, hosts[number % len(hosts)], said)
            await trio.testing.wait_all_tasks_blocked()
            assert said == []
            await wait_in(gate, hosts[0], said)
            assert "8 connections" in said[0]
            nursery.start_soon(wait_in, gate, "198.51.100.7", said)
            await trio.testing.wait_all_tasks_blocked()
            assert len(gate) == 9
            nursery.cancel_scope.cancel()
        assert len(gate) == 0

    run(test)


def test_any_number_of_the_operators_own_network_may() -> None:
    async def test() -> None:
        gate, said = Gate(is_exempt=lambda host: host.startswith("10.")), list[str]()
        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(wait_in, gate, "10.0.0.1", said)
            await trio.testing.wait_all_tasks_blocked()
            assert (len(gate), said) == (20, [])
            nursery.cancel_scope.cancel()

    run(test)


def test_the_oldest_of_64_gives_way_to_the_65th() -> None:
    """So whoever fills the gate with slow ones must begin anew all the time, and the honest pass in a moment."""

    async def test() -> None:
        gate, said = Gate(), list[str]()
        async with trio.open_nursery() as nursery:
            for number in range(limits.NODE_HANDSHAKES):
                nursery.start_soon(wait_in, gate, f"192.0.2.{number}", said)
                await trio.testing.wait_all_tasks_blocked()
            assert said == []
            for number in (100, 101):
                nursery.start_soon(wait_in, gate, f"192.0.2.{number}", said)
            await trio.testing.wait_all_tasks_blocked()
            assert sorted(line.split(":")[0] for line in said) == ["192.0.2.0", "192.0.2.1"]
            assert len(gate) == limits.NODE_HANDSHAKES
            nursery.cancel_scope.cancel()

    run(test)


# --- listening and dialling -----------------------------------------------------------------------


@pytest.mark.parametrize("text", ["/ip4/127.0.0.1/tcp/0", "/ip6/::/tcp/65535"])
def test_reads_an_address_to_listen_on(text: str) -> None:
    host, port = parse_listen(text)
    assert text.split("/")[2::2] == [host, str(port)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "127.0.0.1:4311",
        "/ip4/::1/tcp/1",
        "/ip4/127.0.0.1/tcp/65536",
        "/ip4/127.0.0.1/tcp/-1",
        "/ip4/127.0.0.1/udp/1",
        "/ip4/127.0.0.1/tcp/1/tls",
        "/dns/localhost/tcp/1",
    ],
)
def test_refuses_what_is_no_address_to_listen_on(text: str) -> None:
    with pytest.raises(UsageError, match="no address to listen on"):
        parse_listen(text)


def test_says_where_it_listens_and_is_reached_there() -> None:
    async def test() -> None:
        for at in ("/ip4/127.0.0.1/tcp/0", "/ip6/::1/tcp/0"):
            listener = await listen_tcp(at)
            found: list[str] = []

            async def take(stream: trio.SocketStream, host: str, found: list[str] = found) -> None:
                found.append(host)
                await stream.send_all(b"hello")
                await stream.aclose()

            async with listener, trio.open_nursery() as nursery:
                nursery.start_soon(accept_all, listener, take, nursery)
                _, _, host, _, port = multiaddr_of(listener).split("/")
                address = encode_address(node_key(1).public, host, int(port))
                async with await dial_tcp(parse_address(address)) as stream:
                    assert await stream.receive_some() == b"hello"
                nursery.cancel_scope.cancel()
            assert found == [host]

    run(test)


@pytest.mark.parametrize("kind", ["dns", "dns4"])
def test_reaches_a_name(kind: str) -> None:
    async def test() -> None:
        async with await listen_tcp("/ip4/127.0.0.1/tcp/0") as listener:
            port = listener.socket.getsockname()[1]
            text = f"/{kind}/localhost/tcp/{port}/tls/p2p/{node_key(1).peer_id}"
            await (await dial_tcp(parse_address(text))).aclose()

    run(test)


def test_an_address_where_nobody_is_can_t_be_reached() -> None:
    async def test() -> None:
        async with await listen_tcp("/ip4/127.0.0.1/tcp/0") as listener:
            port = listener.socket.getsockname()[1]
        for host in ("/ip4/127.0.0.1", "/dns4/localhost", "/dns/localhost"):
            text = f"{host}/tcp/{port}/tls/p2p/{node_key(1).peer_id}"
            with pytest.raises(PeerError, match="refused"):
                await dial_tcp(parse_address(text))

    run(test)


def test_a_name_that_nobody_has_can_t_be_reached() -> None:
    async def test() -> None:
        for kind in ("dns", "dns6"):
            text = f"/{kind}/nobody.invalid/tcp/1/tls/p2p/{node_key(1).peer_id}"
            with pytest.raises(PeerError, match="can't be reached"):
                await dial_tcp(parse_address(text))

    run(test)


def test_a_port_that_another_has_is_told() -> None:
    async def test() -> None:
        async with await listen_tcp("/ip4/127.0.0.1/tcp/0") as listener:
            with pytest.raises(StoreError, match="choose another port"):
                await listen_tcp(multiaddr_of(listener))

    run(test)


def test_a_port_scan_takes_no_listener_down() -> None:
    async def test() -> None:
        taken = 0

        async def take(stream: trio.SocketStream, host: str) -> None:
            nonlocal taken
            taken += 1
            await stream.aclose()

        async with await listen_tcp("/ip4/127.0.0.1/tcp/0") as listener:
            where = listener.socket.getsockname()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(accept_all, listener, take, nursery)
                for _ in range(200):
                    with socket.create_connection(where) as scan:  # closed with a reset
                        scan.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1" + bytes(7))
                    await trio.sleep(0)
                async with await trio.open_tcp_stream(*where) as stream:
                    assert await stream.receive_some() == b""
                nursery.cancel_scope.cancel()
        assert taken >= 1

    run(test)


def test_when_descriptors_run_out_others_are_turned_away_and_later_served() -> None:
    async def test() -> None:
        async def take(stream: trio.SocketStream, host: str) -> None:
            async with stream:
                await stream.send_all(b"hello")

        async with await listen_tcp("/ip4/127.0.0.1/tcp/0") as listener:
            where = listener.socket.getsockname()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(accept_all, listener, take, nursery)
                await trio.testing.wait_all_tasks_blocked()
                waiting = [socket.socket() for _ in range(4)]
                filled = fill_descriptors()
                try:
                    for sock in waiting:
                        sock.connect(where)
                        trio_sock = trio.socket.from_stdlib_socket(sock)
                        assert await trio_sock.recv(1) == b""  # turned away, not left waiting
                        trio_sock.close()
                        filled.append(os.open(os.devnull, os.O_RDONLY))
                finally:
                    for descriptor in filled:
                        os.close(descriptor)
                async with await trio.open_tcp_stream(*where) as stream:
                    assert await stream.receive_some() == b"hello"
                nursery.cancel_scope.cancel()

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, soft), hard))
    try:
        run(test)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def fill_descriptors() -> list[int]:
    """Take all that are left."""
    filled: list[int] = []
    with pytest.raises(OSError, match="Too many open files"):
        while True:
            filled.append(os.open(os.devnull, os.O_RDONLY))
    return filled
