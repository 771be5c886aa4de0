"""`hitp2p completion`."""

from __future__ import annotations

import click

from hitp2p.cli.app import root, verb
from hitp2p.cli.run import Run


@verb(
    examples=[
        ("hitp2p completion bash >> ~/.bashrc", "bash 4.4 or later."),
        ("hitp2p completion zsh >> ~/.zshrc", "zsh."),
        ("hitp2p completion fish > ~/.config/fish/completions/hitp2p.fish", "fish."),
    ],
    json_fields={"shell": "bash, zsh or fish", "script": "what the shell should read"},
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(run: Run, shell: str) -> None:
    """Print a script that teaches your shell to complete verbs, options, short names,
    projects and identities.
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    script = kind(root, {}, "hitp2p", "_HITP2P_COMPLETE").source().strip("\n")
    run.out.emit({"shell": shell, "script": script}, script.split("\n"))
