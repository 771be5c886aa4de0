"""`hitp2p node status`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hitp2p.cli.app import verb
from hitp2p.cli.nodes import require_node, topic_title
from hitp2p.cli.output import n_of
from hitp2p.cli.run import Run
from hitp2p.codec.cid import Cid


@verb(
    examples=[("hitp2p node status", "How the node is that runs here.")],
    json_fields={
        "peer_id": "the node's name",
        "addresses": "where others reach it",
        "uptime_s": "seconds since it began",
        "n_peers": "connections now",
        "topics[].topic": "what it follows",
        "topics[].scope": "accepted or all",
        "topics[].media": "none, preview or full",
        "topics[].n_members": "objects of it here",
        "topics[].n_peers": "connections that follow it, too",
        "topics[].n_wanted": "blocks that are known to exist and aren't here yet",
        "topics[].in_step_s": "seconds since a comparison with a peer ended in step, or null",
        "n_stored": "objects that were stored since it began",
        "n_refused": "objects that its policy kept out",
    },
)
def command(run: Run) -> None:
    """Say how the node is that runs on this workspace: whom it reaches, and what is in step.

    "In step" means that a peer had the same when they last compared; a peer that hides something
    can't be told from one that lacks it.
    """
    from hitp2p.node.control import ask

    answer = ask(require_node(run), "status")
    run.out.emit(answer, _lines(run, answer))


def _lines(run: Run, answer: Mapping[str, Any]) -> Iterator[str]:
    yield f"node {answer['peer_id']}"
    for address in answer["addresses"]:
        yield f"reached at {address}"
    yield f"{n_of(answer['n_peers'], 'peer')}; up {_span(answer['uptime_s'])}"
    for one in answer["topics"]:
        title = topic_title(run, Cid.parse(one["topic"]))
        yield f"{title}: {n_of(one['n_members'], 'object')}, {_state(one)}"
    if not answer["topics"]:
        yield 'It follows nothing yet: "hitp2p node follow PROJECT".'


def _state(one: Mapping[str, Any]) -> str:
    if one["n_wanted"]:
        return f"{n_of(one['n_wanted'], 'block')} still to come"
    if one["in_step_s"] is None:
        return "not compared with anyone yet"
    return f"in step {_span(one['in_step_s'])} ago, {n_of(one['n_peers'], 'peer')} follow it"


def _span(seconds: float) -> str:
    for size, name in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            return n_of(int(seconds // size), name)
    return n_of(int(seconds), "second")
