"""Nodes as real processes of the command line, each on a workspace of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["NodeProcess", "eventually", "hitp2p_process", "running_node"]

PATIENCE_S = 30.0
"""How long something may take on a busy machine before a test gives up."""


def hitp2p_process(
    *argv: str, workspace: Path, env: Mapping[str, str] | None = None, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "hitp2p", *argv, "--workspace", str(workspace)],
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S * 2,
        check=False,
    )
    if check:
        assert done.returncode == 0, done.stderr
    return done


def eventually(is_so: Callable[[], object], what: str, *, within_s: float = PATIENCE_S) -> None:
    """Wait until something that another process does has happened."""
    end = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < end, f"{what} has not happened within {within_s:g} seconds"
        time.sleep(0.02)


class NodeProcess:
    """`hitp2p node run` on a workspace."""

    def __init__(self, workspace: Path, env: Mapping[str, str] | None = None) -> None:
        """Start it; returns once it is ready."""
        self.workspace = workspace
        self._log = (workspace.parent / f"{workspace.name}.log").open("a+")
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "hitp2p",
                "node",
                "run",
                "--json",
                "--workspace",
                str(workspace),
            ],
            env={**os.environ, "HITP2P_NODE_LOG_LEVEL": "debug", **(env or {})},
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        assert self.process.stdout is not None
        text = ""
        for line in self.process.stdout:
            text += line
            if line == "}\n":
                break
        assert text, self.log()
        self.said: dict[str, Any] = json.loads(text)
        """What it said when it was ready."""

    @property
    def address(self) -> str:
        """Where others reach it."""
        addresses: list[str] = self.said["addresses"]
        return addresses[0]

    def ask(self, verb: str, *argv: str) -> Any:
        """`hitp2p node VERB --json`."""
        done = hitp2p_process("node", verb, *argv, "--json", workspace=self.workspace)
        return json.loads(done.stdout)

    def has(self, cid: str) -> bool:
        """Whether the workspace has an object."""
        done = hitp2p_process("show", cid, workspace=self.workspace, check=False)
        return done.returncode == 0

    def log(self) -> str:
        """What it has logged so far."""
        self._log.flush()
        return Path(self._log.name).read_text()

    def end(self, number: int = signal.SIGTERM) -> int:
        """Let it end; its exit status."""
        self.process.send_signal(number)
        try:
            return self.process.wait(PATIENCE_S)
        finally:
            self.process.kill()
            self.process.wait()
            assert self.process.stdout is not None
            self.process.stdout.close()
            self._log.close()


@contextmanager
def running_node(workspace: Path, **env: str) -> Generator[NodeProcess]:
    """A node that runs while the block lasts."""
    node = NodeProcess(workspace, env)
    try:
        yield node
    finally:
        if node.process.returncode is None:
            assert node.end() == 0, "a node ends in order"
