"""A node as a service: with settings and a policy from its folder, a control socket, figures, signals and systemd.

What other programs of the same user may ask over the control socket is the table at the end of `_Service`.
"""

from __future__ import annotations

import logging
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final, TypeAlias

import trio

from hitp2p.dataclass import replace
from hitp2p.errors import Hitp2pError, StoreError, UsageError
from hitp2p.node.control import serve_control
from hitp2p.node.metrics import Metric, render, serve_metrics
from hitp2p.node.notify import Notifier
from hitp2p.node.opening import open_node
from hitp2p.node.policy import MediaLevel
from hitp2p.node.policy_file import SCOPES, read_policy
from hitp2p.node.running import Node
from hitp2p.node.settings import FIELDS, Settings
from hitp2p.protocol.actions import Event
from hitp2p.protocol.core import TopicView
from hitp2p.protocol.records import encode_peer_id
from hitp2p.workspace import Workspace

__all__ = ["node_folder", "run_service"]

_LOG: Final = logging.getLogger("hitp2p.node")
_LEVELS: Final = {
    "banned": logging.WARNING,
    "full": logging.WARNING,
    "missed": logging.WARNING,
    "store-failed": logging.ERROR,
    "connected": logging.INFO,
    "disconnected": logging.INFO,
    "stored": logging.INFO,
}
"""How loud an event is; others are for debugging."""
_Answer: TypeAlias = Callable[[Any, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
_SIGNALS: Final = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name)
)


def node_folder(workspace: Path) -> Path:
    """Where a node keeps its own files, given the workspace's folder."""
    return workspace / ".hitp2p" / "node"


def run_service(
    workspace: Workspace,
    folder: Path,
    load_settings: Callable[[], Settings],
    *,
    notifier: Notifier,
    on_ready: Callable[[Node], None],
) -> None:
    """Run a node until SIGTERM, Ctrl-C or somebody asks it to stop.

    Args:
        workspace: open.
        folder: of the node.
        load_settings: reads the settings; asked again at a reload.
        notifier: systemd, if it listens.
        on_ready: called once others can connect.

    Raises:
        UsageError: another node runs here, or a setting won't do.
        StoreError: the folder or a port can't be used.
    """
    service = _Service(workspace, folder, load_settings, notifier, on_ready)
    trio.run(service.run)


class _Service:
    def __init__(
        self,
        workspace: Workspace,
        folder: Path,
        load_settings: Callable[[], Settings],
        notifier: Notifier,
        on_ready: Callable[[Node], None],
    ) -> None:
        self._workspace = workspace
        self._folder = folder
        self._load_settings = load_settings
        self._settings = load_settings()
        self._notifier = notifier
        self._on_ready = on_ready
        self._stop = trio.Event()
        self._counts: Counter[str] = Counter()
        self._began = 0.0
        self._node: Node

    async def run(self) -> None:
        settings, self._began = self._settings, _now()
        async with (
            open_node(
                self._workspace,
                folder=self._folder,
                listen=settings.listen,
                announce=settings.announce,
                peers=settings.peers,
                policy=read_policy(self._folder),
                max_inbound=settings.max_inbound,
                max_outbound=settings.max_outbound,
                compare_every_s=settings.compare_every_s,
                tunnel=settings.tunnel,
            ) as self._node,
            trio.open_nursery() as tasks,
        ):
            tasks.start_soon(self._obey_signals)
            tasks.start_soon(self._count_events)
            await tasks.start(serve_control, self._folder, self.answer)
            await self._serve_figures(tasks)
            tasks.start_soon(self._show_life)
            self._notifier.say(READY=1, STATUS=f"node {self._node.peer_id}")
            self._on_ready(self._node)
            await self._stop.wait()
            self._notifier.say(STOPPING=1)
            tasks.cancel_scope.cancel()

    async def _serve_figures(self, tasks: trio.Nursery) -> None:
        if not self._settings.metrics:
            return
        host, _, port = self._settings.metrics.rpartition(":")
        try:
            place = await tasks.start(serve_metrics, host.strip("[]"), int(port), self._page)
        except OSError as error:
            raise StoreError(
                f"figures can't be served on {self._settings.metrics}: {error.strerror or error}"
            ) from error
        _LOG.info("figures at http://%s:%d/metrics", *place)

    async def _obey_signals(self) -> None:
        with trio.open_signal_receiver(*_SIGNALS) as received:
            async for number in received:
                if number == getattr(signal, "SIGHUP", None):
                    await self._reload_as_asked()
                else:
                    self._stop.set()

    async def _reload_as_asked(self) -> None:
        try:
            await self._reload({})
        except Hitp2pError as error:
            _LOG.error("nothing was reloaded: %s", error)

    async def _show_life(self) -> None:
        """Tell the watchdog that the loop turns and the store answers."""
        if self._notifier.watchdog_s is None:
            return
        while True:
            await trio.to_thread.run_sync(self._workspace.store.last_seq)
            self._notifier.say(WATCHDOG=1)
            await trio.sleep(self._notifier.watchdog_s)

    async def _count_events(self) -> None:
        with self._node.events() as events:
            async for event in events:
                self._counts[event.name] += max(1, len(event.cids))
                _LOG.log(
                    _LEVELS.get(event.name, logging.DEBUG),
                    "%s",
                    _sentence(event),
                    extra={"record": _record(event)},
                )

    # --- what may be asked ------------------------------------------------------------------------

    async def answer(self, verb: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer to a question over the control socket."""
        if verb not in self._ANSWERS:
            raise UsageError(f"a node isn't asked {verb!r}; it is asked {', '.join(self._ANSWERS)}")
        return await self._ANSWERS[verb](self, arguments)

    async def _status(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        node = self._node
        return {
            "peer_id": node.peer_id,
            "addresses": list(node.addresses),
            "uptime_s": round(self._uptime(), 1),
            "n_peers": sum(one.is_open for one in node.peers()),
            "topics": [self._topic(one) for one in node.topics()],
            "n_stored": self._counts["stored"],
            "n_refused": self._counts["refused"],
        }

    def _topic(self, one: TopicView) -> dict[str, Any]:
        return {
            "topic": str(one.topic),
            "scope": SCOPES[one.scope],
            "media": MediaLevel(one.media).name.lower(),
            "n_members": one.n_members,
            "n_peers": one.n_peers,
            "n_wanted": one.n_wanted,
            "in_step_s": None if one.compared is None else round(_now() - one.compared, 1),
        }

    async def _peers(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        return {
            "peers": [
                {
                    "peer_id": encode_peer_id(one.key),
                    "address": one.address or one.host,
                    "is_dialled": one.address is not None,
                    "since_s": round(_now() - one.since, 1),
                    "agent": one.agent,
                    "n_bytes_in": one.in_bytes,
                    "n_bytes_out": one.out_bytes,
                    "n_brought": one.n_brought,
                    "topics": [str(cid) for cid in one.topics],
                    "in_step": [str(cid) for cid in one.in_step],
                }
                for one in self._node.peers()
                if one.is_open
            ]
        }

    async def _reload(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        """Take over the policy, and those settings that may change while a node runs."""
        policy, settings = read_policy(self._folder), self._load_settings()
        self._notifier.say(RELOADING=1, MONOTONIC_USEC=time.monotonic_ns() // 1000)
        try:
            await self._node.set_policy(policy)
            await self._change_peers(self._settings.peers, settings.peers)
        finally:
            self._notifier.say(READY=1)
        after_restart = [
            name
            for name in FIELDS
            if name != "peers" and getattr(settings, name) != getattr(self._settings, name)
        ]
        self._settings = replace(self._settings, peers=settings.peers)
        _LOG.info("reloaded; %d topics are followed", len(policy.follows))
        return {"n_topics": len(policy.follows), "after_restart": after_restart}

    async def _change_peers(self, before: Sequence[str], after: Sequence[str]) -> None:
        for address in after:
            if address not in before:
                await self._node.connect(address)
        for address in before:
            if address not in after:
                self._node.disconnect(address.rsplit("/", 1)[1])

    async def _compare(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        self._node.compare()
        return {"n_peers": len(self._node.peers())}

    async def _stop_now(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        self._stop.set()
        return {}

    async def _figures(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"page": self._page()}

    _ANSWERS: ClassVar[Mapping[str, _Answer]] = {
        "status": _status,
        "peers": _peers,
        "reload": _reload,
        "compare": _compare,
        "figures": _figures,
        "stop": _stop_now,
    }

    # --- figures ----------------------------------------------------------------------------------

    def _page(self) -> str:
        return render(self._metrics())

    def _metrics(self) -> Iterator[Metric]:
        peers, topics = self._node.peers(), self._node.topics()
        n_dialled = sum(one.address is not None for one in peers)
        sides = [({"side": "out"}, n_dialled), ({"side": "in"}, len(peers) - n_dialled)]
        moved = [
            ({"way": "in"}, sum(one.in_bytes for one in peers)),
            ({"way": "out"}, sum(one.out_bytes for one in peers)),
        ]
        yield Metric("uptime_seconds", "gauge", "Since the node began.", [({}, self._uptime())])
        yield Metric("peers", "gauge", "Connections now, by who dialled.", sides)
        yield Metric("peer_bytes", "gauge", "Moved on the connections that are open now.", moved)
        for name, what, pick in _OF_TOPICS:
            samples = [({"topic": str(one.topic)}, pick(one)) for one in topics]
            yield Metric(name, "gauge", what, samples)
        events = [({"event": name}, n) for name, n in sorted(self._counts.items())]
        yield Metric("events_total", "counter", "What happened, by its name.", events)

    def _uptime(self) -> float:
        return _now() - self._began


_OF_TOPICS: Final[tuple[tuple[str, str, Callable[[TopicView], float]], ...]] = (
    ("topic_members", "Members of a topic.", lambda one: one.n_members),
    ("topic_wanted", "Blocks that exist and aren't here.", lambda one: one.n_wanted),
    ("topic_peers", "Connections that follow a topic.", lambda one: one.n_peers),
    (
        "topic_in_step_seconds",
        "Since a comparison found a topic in step; -1 for never.",
        lambda one: -1.0 if one.compared is None else _now() - one.compared,
    ),
)


def _now() -> float:
    return trio.current_time()


def _record(event: Event) -> dict[str, object]:
    record: dict[str, object] = {"event": event.name}
    if event.peer is not None:
        record["peer"] = encode_peer_id(event.peer)
    if event.topic is not None:
        record["topic"] = str(event.topic)
    if event.cids:
        record["cids"] = [str(cid) for cid in event.cids[:32]]
        record["n"] = len(event.cids)
    if event.text:
        record["text"] = event.text
    return record


def _sentence(event: Event) -> str:
    parts = [event.name]
    if event.cids:
        parts.append(f"{len(event.cids)} object{'s' if len(event.cids) > 1 else ''}")
    if event.peer is not None:
        parts.append(f"peer {encode_peer_id(event.peer)[-8:]}")
    if event.topic is not None:
        parts.append(f"of {str(event.topic)[7:15]}")
    return " ".join(parts) + (f": {event.text}" if event.text else "")
