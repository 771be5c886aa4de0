"""`hitp2p node unfollow`."""

from __future__ import annotations

import click

from hitp2p.cli.app import completing, verb
from hitp2p.cli.nodes import find_topic, require_node, tell_running_node, topic_title
from hitp2p.cli.run import Run
from hitp2p.errors import NotFoundError


@verb(
    examples=[("hitp2p node unfollow 'Night Bus'", "Stop keeping it in step; what is here stays.")],
    json_fields={
        "topic": "the project, or the identity",
        "is_running": "whether a running node has stopped doing so",
    },
)
@click.argument("topic", shell_complete=completing("project"))
def command(run: Run, topic: str) -> None:
    """Stop keeping a project or a person in step. What is here stays."""
    from hitp2p.dataclass import replace
    from hitp2p.node.policy_file import read_policy, write_policy

    place = require_node(run)
    cid = find_topic(run, topic)
    policy = read_policy(place)
    left = tuple(one for one in policy.follows if one.topic != cid)
    if len(left) == len(policy.follows):
        error = NotFoundError(f"{topic_title(run, cid)} isn't followed")
        error.add_note('"hitp2p node policy" shows what is.')
        raise error
    write_policy(place, replace(policy, follows=left))
    is_running = tell_running_node(place) is not None
    record = {"topic": str(cid), "is_running": is_running}
    run.out.emit(record, [f"{topic_title(run, cid)} is followed no more; what is here stays."])
