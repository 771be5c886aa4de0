"""`hitp2p node follow`."""

from __future__ import annotations

import click

from hitp2p.cli.app import completing, verb
from hitp2p.cli.nodes import find_topic, require_node, tell_running_node, topic_title
from hitp2p.cli.run import Run


@verb(
    examples=[
        ("hitp2p node follow 'Night Bus'", "A project that is here."),
        ("hitp2p node follow bafyrei... --media full", "One that isn't here yet, with its files."),
        ("hitp2p node follow bafyrei... --scope accepted", "Only what its curators accepted."),
    ],
    json_fields={
        "topic": "the project, or the identity",
        "scope": "accepted or all",
        "media": "none, preview or full",
        "is_running": "whether a running node does so from now on",
    },
)
@click.argument("topic", shell_complete=completing("project"))
@click.option(
    "--scope",
    type=click.Choice(["all", "accepted"]),
    default="all",
    show_default=True,
    help="Every valid object, or what the project accepts and what that rests on.",
)
@click.option(
    "--media",
    type=click.Choice(["none", "preview", "full"]),
    help="Files to fetch; else as the settings say.",
)
def command(run: Run, topic: str, scope: str, media: str | None) -> None:
    """Keep a project, or a person's identity, in step with other nodes.

    A running node begins at once. Whatever is followed is also told to peers that follow it;
    unlisted projects aren't.
    """
    import os

    from hitp2p.cli.nodes import load_settings
    from hitp2p.dataclass import replace
    from hitp2p.errors import UnlistedError
    from hitp2p.node.policy import Follow, MediaLevel
    from hitp2p.node.policy_file import SCOPES, read_policy, write_policy

    place = require_node(run)
    cid = find_topic(run, topic)
    if cid in run.workspace.store.unlisted():
        raise UnlistedError(f"{topic_title(run, cid)} is unlisted, so no node tells of it")
    media = media or load_settings(place, os.environ).media
    follow = Follow(topic=cid, scope=SCOPES.index(scope), media=MediaLevel[media.upper()])
    policy = read_policy(place)
    others = (one for one in policy.follows if one.topic != cid)
    write_policy(place, replace(policy, follows=(*others, follow)))
    is_running = tell_running_node(place) is not None
    record = {"topic": str(cid), "scope": scope, "media": media, "is_running": is_running}
    when = "from now on" if is_running else 'once "hitp2p node run" runs'
    run.out.emit(
        record, [f"{topic_title(run, cid)} is followed {when} (scope {scope}, media {media})."]
    )
