"""The files that run a node as a service, judged by systemd itself."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from hitp2p.errors import UsageError
from hitp2p.node.notify import Notifier
from hitp2p.node.units import container_file, systemd_unit


def verified(tmp_path: Path, workspace: str, program: str = "/bin/true") -> str:
    """What `systemd-analyze verify` complains of."""
    if shutil.which("systemd-analyze") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("systemd-analyze is missing")
        pytest.skip("systemd-analyze is missing")
    unit = tmp_path / "hitp2p-node.service"
    unit.write_text(systemd_unit(program=program, workspace=workspace, user="daemon"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", "--man=no", str(unit)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return "\n".join(line for line in done.stderr.splitlines() if unit.name in line)


@pytest.mark.parametrize(
    "workspace", ["/srv/work", '/srv/my "works"', "/srv/100%/$HOME", "/srv/a;b"]
)
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path, workspace: str) -> None:
    assert verified(tmp_path, workspace) == ""


def test_systemd_would_find_a_program_that_is_missing(tmp_path: Path) -> None:
    assert "not executable" in verified(tmp_path, "/srv/work", "/nowhere/hitp2p")


def test_the_unit_lets_the_service_do_little() -> None:
    unit = systemd_unit(program="/usr/bin/hitp2p", workspace="/srv/work", user="ana")
    for line in (
        "Type=notify",
        "WatchdogSec=60",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "ReadWritePaths=/srv/work",
        "ExecStart=/usr/bin/hitp2p node run --workspace /srv/work",
        "User=ana",
    ):
        assert f"\n{line}\n" in unit


@pytest.mark.parametrize("workspace", ["work", "", "/srv/a\nExecStart=/bin/sh"])
def test_a_path_that_a_unit_can_not_hold_is_refused(workspace: str) -> None:
    with pytest.raises(UsageError, match="an absolute path can"):
        systemd_unit(program="/usr/bin/hitp2p", workspace=workspace, user="ana")


def test_the_container_file_installs_this_version_and_runs_as_nobody_special() -> None:
    text = container_file(version="1.2.3")
    assert "hitp2p[fast]==1.2.3" in text
    assert "\nUSER hitp2p\n" in text
    assert "\nSTOPSIGNAL SIGTERM\n" in text


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_is_told(tmp_path: Path, abstract: bool) -> None:
    name = f"\0hitp2p-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(name)
        notifier = Notifier({"NOTIFY_SOCKET": name.replace("\0", "@"), "WATCHDOG_USEC": "60000000"})
        notifier.say(READY=1, STATUS="12 topics")
        assert listener.recv(1000) == b"READY=1\nSTATUS=12 topics"
        assert notifier.watchdog_s == 30


def test_without_systemd_nothing_is_said() -> None:
    notifier = Notifier({})
    notifier.say(READY=1)
    assert notifier.watchdog_s is None


def test_a_watchdog_of_another_process_is_not_ours() -> None:
    assert Notifier({"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"}).watchdog_s is None
    assert (
        Notifier({"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": str(os.getpid())}).watchdog_s == 0.5
    )


def test_a_listener_that_is_gone_harms_nobody(tmp_path: Path) -> None:
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).say(STOPPING=1)
