"""`hitp2p node policy`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from hitp2p.cli.app import verb
from hitp2p.cli.nodes import require_node, tell_running_node, topic_title
from hitp2p.cli.run import Run
from hitp2p.errors import UsageError

if TYPE_CHECKING:
    from hitp2p.node.policy import Policy


@verb(
    examples=[
        ("hitp2p node policy", "What is followed, and which rules hold."),
        (
            "hitp2p node policy --block author:bafyrei...",
            "Neither store nor hand on what they sign.",
        ),
        ("hitp2p node policy --block 'type:video/*'", "Take works in, without their films."),
        (
            "hitp2p node policy --default review --allow author:bafyrei...",
            "Let strangers' works wait.",
        ),
        ("hitp2p node policy --clear author:bafyrei...", "Take a rule away."),
    ],
    json_fields={
        "default": "what becomes of objects that no rule speaks of: allow, review or block",
        "follows[].topic": "what is followed",
        "follows[].scope": "accepted or all",
        "follows[].media": "none, preview or full",
        "rules[].on": "cid, project, author, key, license or type",
        "rules[].what": "which one",
        "rules[].verdict": "allow, review or block",
    },
)
@click.option("--allow", multiple=True, metavar="ON:WHAT", help="Let it in; may be repeated.")
@click.option("--review", multiple=True, metavar="ON:WHAT", help="Let it wait; may be repeated.")
@click.option("--block", multiple=True, metavar="ON:WHAT", help="Keep it out; may be repeated.")
@click.option("--clear", multiple=True, metavar="ON:WHAT", help="Take the rule away.")
@click.option(
    "--default",
    "fallback",
    type=click.Choice(["allow", "review", "block"]),
    help="What becomes of objects that no rule speaks of.",
)
def command(
    run: Run,
    allow: tuple[str, ...],
    review: tuple[str, ...],
    block: tuple[str, ...],
    clear: tuple[str, ...],
    fallback: str | None,
) -> None:
    """Show or change what this node keeps out. What it keeps out it neither stores nor hands on.

    A rule is on a cid, a project, an author, a key, a license (an SPDX identifier, or its start and
    *) or a media type. A rule on an object itself counts first; of others, block counts before
    allow, and allow before review. Rules never change what is valid, only what this node carries.
    A running node obeys at once.
    """
    from hitp2p.dataclass import replace
    from hitp2p.node.policy import Verdict
    from hitp2p.node.policy_file import encode_policy, read_policy, with_rule, write_policy

    place = require_node(run)
    policy = read_policy(place)
    for verdict, rules in (
        (Verdict.ALLOW, allow),
        (Verdict.REVIEW, review),
        (Verdict.BLOCK, block),
        (None, clear),
    ):
        for rule in rules:
            on, colon, what = rule.partition(":")
            if not colon:
                raise UsageError(f"{rule!r} is no rule; one is ON:WHAT, such as author:bafyrei...")
            policy = with_rule(policy, on, what, verdict)
    if fallback is not None:
        policy = replace(policy, default=Verdict(fallback))
    if any((allow, review, block, clear, fallback)):
        write_policy(place, policy)
        tell_running_node(place)
    run.out.emit(json.loads(encode_policy(policy)), _lines(run, policy))


def _lines(run: Run, policy: Policy) -> Iterator[str]:
    from hitp2p.node.policy_file import encode_policy

    for one in policy.follows:
        yield f"follows {topic_title(run, one.topic)}"
    for rule in json.loads(encode_policy(policy))["rules"]:
        yield f"{rule['verdict']}s {rule['on']} {rule['what']}"
    yield f"everything else: {policy.default}"
