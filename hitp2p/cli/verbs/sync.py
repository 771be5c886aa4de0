"""`hitp2p sync`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from hitp2p.cli.app import completing, verb
from hitp2p.cli.nodes import CONFIG_FILE, find_topic, node_place, topic_title
from hitp2p.cli.output import n_of, size
from hitp2p.cli.progress import progress
from hitp2p.cli.run import Run
from hitp2p.errors import UsageError

if TYPE_CHECKING:
    from hitp2p.node.once import Met
    from hitp2p.node.policy import Follow


@verb(
    examples=[
        (
            "hitp2p sync /dns/example.org/tcp/4311/tls/p2p/12D3KooW...",
            "All that is here or followed, with one node.",
        ),
        ("hitp2p sync ADDRESS bafyrei... --media full", "One project, with its files."),
    ],
    json_fields={
        "peer_id": "the other node",
        "in_step[]": "topics in which both have the same now",
        "not_followed[]": "topics that the other node doesn't follow, or doesn't tell of",
        "n_new": "objects that came and were new here, all checked",
        "n_wanted": "pages, texts and files that are known to exist and did not come",
        "n_bytes_in": "what came",
        "n_bytes_out": "what went",
    },
)
@click.argument("address", metavar="PEER")
@click.argument("topics", nargs=-1, metavar="[TOPIC]...", shell_complete=completing("project"))
@click.option(
    "--media",
    type=click.Choice(["none", "preview", "full"]),
    default="none",
    show_default=True,
    help="Files to fetch.",
)
@click.option(
    "--within",
    type=click.FloatRange(min=1, max=3600),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="Give up when nothing happens for so long.",
)
def command(run: Run, address: str, topics: tuple[str, ...], media: str, within: float) -> None:
    """Bring projects in step with one other node, once, both ways.

    PEER is the address that "hitp2p node run" printed there. A TOPIC is a project or a person; else
    it is all that the node here follows, or all projects of the workspace but unlisted ones. What
    comes is checked before it is kept; when it is cut off, the next time goes on from there.
    """
    from hitp2p.node.once import meet_once

    follows = _follows(run, topics, media)
    with progress("meeting", quiet=run.out.as_json) as move:
        met = meet_once(
            run.workspace,
            address,
            follows,
            folder=node_place(run),
            within_s=within,
            progress=move,
        )
    run.out.emit(_record(met), _lines(run, met))


def _follows(run: Run, topics: tuple[str, ...], media: str) -> list[Follow]:
    from hitp2p.node.policy import Follow, MediaLevel
    from hitp2p.node.policy_file import read_policy

    level = MediaLevel[media.upper()]
    if topics:
        return [Follow(topic=find_topic(run, one), media=level) for one in topics]
    place = node_place(run)
    if (place / CONFIG_FILE).is_file() and (followed := read_policy(place).follows):
        return list(followed)
    unlisted = run.workspace.store.unlisted()
    found = [one.cid for one in run.workspace.projects() if one.cid not in unlisted]
    if not found:
        raise UsageError("there is no project here to compare; name one by its CID")
    return [Follow(topic=cid, media=level) for cid in found]


def _record(met: Met) -> dict[str, object]:
    return {
        "peer_id": met.peer_id,
        "in_step": [str(cid) for cid in met.in_step],
        "not_followed": [str(cid) for cid in met.not_followed],
        "n_new": met.n_new,
        "n_wanted": met.n_wanted,
        "n_bytes_in": met.n_bytes_in,
        "n_bytes_out": met.n_bytes_out,
    }


def _lines(run: Run, met: Met) -> Iterator[str]:
    for cid in met.in_step:
        yield f"{topic_title(run, cid)} is in step with {met.peer_id[-8:]}."
    for cid in met.not_followed:
        yield f"{topic_title(run, cid)}: the other node doesn't follow it, or doesn't tell."
    yield f"{n_of(met.n_new, 'new object')}; {size(met.n_bytes_in)} came, {size(met.n_bytes_out)} went."
    if met.n_wanted:
        yield f"{n_of(met.n_wanted, 'page, text or file', 'pages, texts or files')} did not come."
