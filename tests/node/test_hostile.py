"""A real node on loopback among strangers that keep to nothing: it serves on, and what they took is given back."""

from __future__ import annotations

import gc
import os
import resource
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import trio
from node_world import contexts_of, within

import hitp2p
from hitp2p.node.opening import open_node
from hitp2p.node.running import Node
from hitp2p.node.streams import dial_tcp
from hitp2p.node.tls import TlsContexts, TlsStream, secure
from hitp2p.protocol.frames import FrameReader, encode_frame
from hitp2p.protocol.messages import Bye, Hello, Message, Ping
from hitp2p.protocol.records import parse_address
from hitp2p.workspace import Workspace

LOOPBACK = ("/ip4/127.0.0.1/tcp/0",)
FULL = os.environ.get("HITP2P_FULL") == "1"
Test = Callable[[Node], Awaitable[None]]
HELLO = Hello(versions=(1,), features=(), agent="", listen=(), nonce=bytes(16))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Workspace]:
    with hitp2p.open(tmp_path / "ws") as workspace:
        yield workspace


def run(place: Workspace, test: Test, *, seconds: float = 30.0, **options: Any) -> None:
    async def main() -> None:
        with within(seconds):
            async with open_node(place, listen=LOOPBACK, **options) as node:
                await test(node)

    trio.run(main)


def where(node: Node) -> tuple[str, int]:
    address = parse_address(node.addresses[0])
    return address.host, address.port


async def meet(node: Node, mine: TlsContexts) -> TlsStream:
    """A connection inside TLS, nothing said yet."""
    address = parse_address(node.addresses[0])
    return (await secure(await dial_tcp(address), mine.client, dialled=address.key))[0]


async def hear(stream: TlsStream) -> list[Message]:
    """What a node says until it ends the connection."""
    reader, found = FrameReader(), list[Message]()
    with suppress(trio.BrokenResourceError):
        while data := await stream.receive_some():
            reader.feed(data)
            found.extend(frame.message for frame in reader.frames() if frame.message is not None)
    await stream.aclose()
    return found


async def require_served(node: Node, folder: Path, number: int = 99) -> None:
    """An honest one is greeted."""
    stream = await meet(node, contexts_of(number, folder))
    await stream.send_all(encode_frame(HELLO))
    reader = FrameReader()
    while True:
        reader.feed(await stream.receive_some())
        if any(isinstance(frame.message, Hello) for frame in reader.frames()):
            break
    await stream.aclose()


@pytest.mark.parametrize(
    "said",
    [
        b"\0\0\0\0",
        b"\xff\xff\xff\xff",
        b"\0\0\x10\x01",
        b"\0\0\0\4\xdd\xff\xff\xff",
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
def test_net_4_garbage_inside_tls_ends_the_connection_and_bans_who_sent_it(
    place: Workspace, tmp_path: Path, said: bytes
) -> None:
    async def test(node: Node) -> None:
        mine = contexts_of(1, tmp_path)
        stream = await meet(node, mine)
        await stream.send_all(said)
        heard = await hear(stream)
        assert [type(message) for message in heard] == [Hello, Bye]
        assert isinstance(heard[1], Bye)
        assert heard[1].code == "protocol"
        assert [type(one) for one in await hear(await meet(node, mine))] == [Hello, Bye]
        await require_served(node, tmp_path)

    run(place, test)


def test_garbage_and_silence_before_tls_keep_nobody_out(place: Workspace, tmp_path: Path) -> None:
    async def test(node: Node) -> None:
        silent = [await trio.open_tcp_stream(*where(node)) for _ in range(80)]
        for garbage in (b"\0" * 100, b"SSH-2.0-x\r\n", b"\x16\x03\x01\x40\x00" + b"\1" * 2000):
            async with await trio.open_tcp_stream(*where(node)) as stream:
                await stream.send_all(garbage)
                with trio.move_on_after(0.2), suppress(trio.BrokenResourceError):
                    while await stream.receive_some():
                        pass
        await require_served(node, tmp_path)
        for stream in silent:
            await trio.aclose_forcefully(stream)

    run(place, test)


def test_a_port_scan_leaves_nothing_behind(place: Workspace, tmp_path: Path) -> None:
    async def test(node: Node) -> None:
        for _ in range(200):
            with socket.create_connection(where(node)) as scan:
                scan.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1" + bytes(7))
            await trio.sleep(0)
        await require_served(node, tmp_path)
        assert all(peer.is_open for peer in node.peers())

    run(place, test)


def test_a_peer_that_never_reads_holds_up_nobody(place: Workspace, tmp_path: Path) -> None:
    async def test(node: Node) -> None:
        stream = await meet(node, contexts_of(1, tmp_path))
        await stream.send_all(encode_frame(HELLO))
        with trio.move_on_after(1):  # at its rate, and until both sides' buffers are full
            for number in range(1, 100_000):
                await stream.send_all(encode_frame(Ping(), number))
        await require_served(node, tmp_path)
        await trio.aclose_forcefully(stream)

    run(place, test)


def test_200_peers_on_one_node_take_less_than_100_kb_each(place: Workspace, tmp_path: Path) -> None:
    n_peers = 200

    async def test(node: Node) -> None:
        contexts = [contexts_of(number, tmp_path) for number in range(n_peers)]
        before = memory_kib()
        streams = list[TlsStream]()
        for mine in contexts:
            stream = await meet(node, mine)
            await stream.send_all(encode_frame(HELLO))
            streams.append(stream)
        while len([peer for peer in node.peers() if peer.is_open]) < n_peers:
            await trio.sleep(0.01)
        await require_served(node, tmp_path, number=999)
        each_kib = (memory_kib() - before) / n_peers
        assert each_kib < 100  # with the other end, which is in this process too
        for stream in streams:
            await trio.aclose_forcefully(stream)
        while node.peers():
            await trio.sleep(0.01)

    run(place, test, max_inbound=n_peers + 8, seconds=60)


def test_when_descriptors_run_out_a_node_serves_on_afterwards(
    place: Workspace, tmp_path: Path
) -> None:
    async def test(node: Node) -> None:
        await require_served(node, tmp_path)
        filled = list[int]()
        with suppress(OSError):
            while True:
                filled.append(os.open(os.devnull, os.O_RDONLY))
        os.close(filled.pop())
        sock = trio.socket.from_stdlib_socket(socket.create_connection(where(node)))
        try:
            assert await sock.recv(1) == b""
        finally:
            sock.close()
            for descriptor in filled:
                os.close(descriptor)
        await require_served(node, tmp_path)

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, soft), hard))
    try:
        run(place, test)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def memory_kib() -> int:
    """What the process holds in memory."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() // 1024


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_memory_tasks_and_descriptors_stay_flat_over_500_connections(
    place: Workspace, tmp_path: Path
) -> None:
    n_cycles = 10_000 if FULL else 500

    async def test(node: Node) -> None:
        mine = [contexts_of(number, tmp_path) for number in range(8)]

        async def cycle(number: int) -> None:
            stream = await meet(node, mine[number % len(mine)])
            await stream.send_all(encode_frame(HELLO))
            await stream.receive_some()
            await trio.aclose_forcefully(stream)
            while node.peers():
                await trio.sleep(0)

        async def state() -> tuple[int, int, int]:
            await trio.sleep(0.2)
            n_tasks = trio.lowlevel.current_statistics().tasks_living
            return n_tasks, len(os.listdir("/proc/self/fd")), memory_kib()

        for number in range(100):
            await cycle(number)
        n_tasks, n_open, kib = await state()
        for number in range(n_cycles):
            await cycle(number)
        after = await state()
        assert after[0] <= n_tasks + 2
        assert after[1] <= n_open + 4
        assert after[2] - kib < 8 * 1024

    run(place, test, seconds=900 if FULL else 60)
