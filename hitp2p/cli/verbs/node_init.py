"""`hitp2p node init`."""

from __future__ import annotations

import secrets

import click

from hitp2p.cli.app import verb
from hitp2p.cli.errors import with_step
from hitp2p.cli.nodes import CONFIG_FILE, node_place
from hitp2p.cli.places import tidy
from hitp2p.cli.run import Run
from hitp2p.errors import UsageError


@verb(
    examples=[
        ("hitp2p node init", "A node that listens on port 4311."),
        (
            "hitp2p node init --listen /ip4/0.0.0.0/tcp/4400 --peer /dns/example.org/tcp/4311/tls/p2p/12D3KooW...",
            "On another port, with a node to dial.",
        ),
        ("hitp2p node init --no-listen", "A laptop that only dials."),
    ],
    json_fields={
        "peer_id": "the node's name",
        "config": "the file of its settings",
        "is_new": "whether it was made now",
    },
)
@click.option("--listen", multiple=True, metavar="ADDR", help="Port to listen on; may be repeated.")
@click.option("--no-listen", is_flag=True, help="Listen nowhere: only dial.")
@click.option(
    "--peer", "peers", multiple=True, metavar="ADDR", help="Node to dial; may be repeated."
)
@click.option("--if-missing", is_flag=True, help="Do nothing where there is a node already.")
def command(
    run: Run, listen: tuple[str, ...], no_listen: bool, peers: tuple[str, ...], if_missing: bool
) -> None:
    """Make a node in this workspace: its key and its settings.

    The key names the node to others; it is no person's key and signs no works. The settings are in
    config.toml, where each is explained. HITP2P_NODE_LISTEN, HITP2P_NODE_PEERS and so on win over
    the file.
    """
    from hitp2p.node.key import open_node_key
    from hitp2p.node.settings import example, parse_settings
    from hitp2p.whole_file import whole_file

    if listen and no_listen:
        raise UsageError("--listen and --no-listen contradict each other; give one of them")
    place = node_place(run)
    config = place / CONFIG_FILE
    is_new = not config.exists()
    if not is_new and not if_missing:
        raise with_step(
            UsageError(f"there is a node already: {tidy(config)}"),
            'Edit that file, then "hitp2p node reload"; or give --if-missing.',
        )
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = open_node_key(place, randomness=secrets.token_bytes)
    if is_new:
        chosen: dict[str, object] = {"peers": list(peers)} if peers else {}
        if listen or no_listen:
            chosen["listen"] = list(listen)
        text = example(**chosen)
        parse_settings(text)
        with whole_file(config) as file:
            file.write(text.encode())
    record = {"peer_id": key.peer_id, "config": str(config), "is_new": is_new}
    run.out.emit(record, [f"node {key.peer_id}", f"settings: {tidy(config)}"])
    run.out.say('Next: "hitp2p node follow PROJECT", then "hitp2p node run".')
