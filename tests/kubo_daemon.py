"""A real Kubo daemon for tests: on loopback, in a folder of its own, ended by its process id.

The binary is the one that `HITP2P_KUBO` names, else the one that `tests/go_build tests/kubo` put into the cache folder, else `ipfs`
on the PATH. Where there is none, tests are skipped, and fail with CI=true.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final
from urllib.parse import urlencode

import outside

__all__ = ["KuboDaemon", "cache_folder", "find_kubo", "kubo_binary", "running_kubo"]

_FOLDER: Final = Path(__file__).resolve().parent / "kubo"
_READY_S: Final = 60.0
"""How long a daemon may take to start or to end, in seconds; on an idle machine it is a tenth of one."""


def find_kubo(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Where the binary is; None where there is none."""
    if environ.get("HITP2P_KUBO"):
        return Path(environ["HITP2P_KUBO"])
    version = re.search(r"^require github.com/ipfs/kubo v(\S+)$", _go_mod(), re.MULTILINE)
    assert version is not None
    cached = cache_folder(environ) / f"kubo-{version[1]}" / "ipfs"
    if cached.exists():
        return cached
    on_path = shutil.which("ipfs", path=environ.get("PATH"))
    return None if on_path is None else Path(on_path)


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where `tests/go_build` puts what it makes."""
    if environ.get("HITP2P_CACHE"):
        return Path(environ["HITP2P_CACHE"])
    return Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hitp2p"


def _go_mod() -> str:
    return (_FOLDER / "go.mod").read_text(encoding="utf-8")


def kubo_binary() -> Path:
    """The binary; skips the test where there is none (in CI: fails it)."""
    return outside.program("kubo", find_kubo(), "tests/go_build tests/kubo builds it, once")


class KuboDaemon:
    """One daemon with a repository of its own. A context manager; `api` says where it listens."""

    def __init__(
        self, repo: Path, *, online: bool = False, config: Mapping[str, str] | None = None
    ) -> None:
        """Make the repository; `start` starts the daemon.

        Args:
            repo: a folder that isn't there yet; made with those above it.
            online: whether it talks to other daemons (on loopback only; nobody is told of it).
            config: values to set, as `ipfs config --json` takes them.
        """
        self.repo = repo
        self._binary = kubo_binary()
        self._online = online
        self._process: subprocess.Popen[str] | None = None
        repo.parent.mkdir(parents=True, exist_ok=True)
        self.ipfs("init", "--profile=test")
        for key, value in (config or {}).items():
            self.ipfs("config", "--json", key, value)

    def ipfs(self, *arguments: str | Path, input: bytes | None = None) -> bytes:
        """What the command line of Kubo prints; it must exit with 0."""
        done = subprocess.run(
            [self._binary, *arguments],
            env=self._environ(),
            input=input,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, f"ipfs {arguments}: {done.stderr.decode()}"
        return done.stdout

    def _environ(self) -> dict[str, str]:
        return {**os.environ, "IPFS_PATH": str(self.repo)}

    def start(self) -> None:
        """Start the daemon and wait until it answers."""
        assert self._process is None
        mode = [] if self._online else ["--offline"]
        self._process = subprocess.Popen(
            [self._binary, "daemon", *mode],
            env=self._environ(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        ready = threading.Event()
        output: list[str] = []
        reader = threading.Thread(target=self._read, args=(self._process, output, ready))
        reader.daemon = True
        reader.start()
        ready.wait(_READY_S)
        if not any("Daemon is ready" in line for line in output):
            self.kill()
            raise AssertionError(f"the daemon did not start:\n{''.join(output)}")

    @staticmethod
    def _read(process: subprocess.Popen[str], output: list[str], ready: threading.Event) -> None:
        """Read what the daemon says, so that it never waits for a reader."""
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                output.append(line)
                if "Daemon is ready" in line:
                    ready.set()
        ready.set()

    @property
    def api(self) -> str:
        """Where the daemon answers, as a multiaddress."""
        return (self.repo / "api").read_text(encoding="utf-8").strip()

    @property
    def gateway(self) -> str:
        """Where its gateway answers, as a URL."""
        return (self.repo / "gateway").read_text(encoding="utf-8").strip()

    @property
    def pid(self) -> int:
        """The process, which must run."""
        assert self._process is not None
        return self._process.pid

    def rpc(self, command: str, **options: str) -> list[dict[str, Any]]:
        """What the daemon itself answers, line by line; a fifth of the time that its command line takes."""
        *_, port = self.api.split("/")
        url = f"http://127.0.0.1:{port}/api/v0/{command}?{urlencode(options)}"
        with urllib.request.urlopen(urllib.request.Request(url, method="POST")) as answer:
            return [json.loads(line) for line in answer.read().splitlines()]

    def pins(self) -> dict[str, dict[str, str]]:
        """The pins that were made directly, by CID: `Type` and `Name`."""
        found: dict[str, dict[str, str]] = {}
        for kind in ("recursive", "direct"):
            (line,) = self.rpc("pin/ls", type=kind, names="true")
            found |= line.get("Keys", {})  # which is left out where there are none
        return found

    def unpin(self, *cids: str) -> None:
        """Remove pins."""
        for cid in cids:
            self.rpc("pin/rm", arg=cid)

    def gc(self) -> int:
        """Collect garbage in the daemon; how many blocks went."""
        return len(self.rpc("repo/gc"))

    def stop(self) -> None:
        """End it in order."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(_READY_S)
            self._process = None

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(_READY_S)
            self._process = None

    def restart(self) -> None:
        """End it in order and start it again, on another port."""
        self.stop()
        self.start()

    def __enter__(self) -> KuboDaemon:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


@contextmanager
def running_kubo(folder: Path, **more: Any) -> Generator[KuboDaemon]:
    """A daemon that runs, and counts as a case of the set `kubo` when the block ends well."""
    with KuboDaemon(folder / "ipfs", **more) as daemon:
        yield daemon
    outside.count_cases("kubo", 1)
