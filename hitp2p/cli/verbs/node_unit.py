"""`hitp2p node unit`."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path

import click

from hitp2p.cli.app import verb
from hitp2p.cli.nodes import require_node
from hitp2p.cli.run import Run


@verb(
    examples=[
        ("hitp2p node unit", "A systemd unit for the node of this workspace."),
        ("hitp2p node unit --container", "A container file."),
    ],
    json_fields={"text": "the file"},
)
@click.option("--container", is_flag=True, help="A container file instead.")
def command(run: Run, container: bool) -> None:
    """Print a file that runs the node as a service. It says at its head where it goes.

    The unit is of Type=notify with a watchdog, and lets the service write to nothing but the
    workspace.
    """
    from hitp2p import __version__
    from hitp2p.node.units import container_file, systemd_unit

    if container:
        text = container_file(version=__version__)
    else:
        require_node(run)
        text = systemd_unit(
            program=str(Path(sys.argv[0]).resolve()),
            workspace=str(run.folder.resolve()),
            user=getpass.getuser(),
        )
    run.out.emit({"text": text}, text.rstrip("\n").split("\n"))
