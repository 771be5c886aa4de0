"""Files that run a node as a service: a systemd unit and a container file."""

from __future__ import annotations

from pathlib import PurePosixPath

from hitp2p.errors import UsageError

__all__ = ["container_file", "systemd_unit"]

_HARDENING = """\
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
RemoveIPC=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
UMask=0077"""


def systemd_unit(*, program: str, workspace: str, user: str) -> str:
    """A unit for the whole system, of Type=notify with a watchdog; only the workspace can be written to.

    Args:
        program: absolute path of `hitp2p`.
        workspace: absolute path of the folder.
        user: whose node it is.

    Raises:
        UsageError: a path that isn't absolute, or that a unit can't hold.
    """
    for path in (program, workspace):
        if not PurePosixPath(path).is_absolute() or not path.isprintable():
            raise UsageError(f"{path!r} can't stand in a unit; an absolute path can")
    program, folder = _word(program), _word(workspace)
    return f"""\
# hitp2p node unit. Put it into /etc/systemd/system/hitp2p-node.service, then:
#   systemctl daemon-reload && systemctl enable --now hitp2p-node
[Unit]
Description=hitp2p node: keeps trails in step with other nodes
Wants=network-online.target
After=network-online.target

[Service]
Type=notify
NotifyAccess=main
User={user}
WorkingDirectory={_escape(workspace)}
ExecStart={program} node run --workspace {folder}
ExecReload={program} node reload --workspace {folder}
Restart=on-failure
RestartSec=5
TimeoutStartSec=5min
TimeoutStopSec=30
WatchdogSec=60
LimitNOFILE=4096
MemoryMax=1G
ReadWritePaths={_quote(workspace)}
{_HARDENING}

[Install]
WantedBy=multi-user.target
"""


def _escape(text: str) -> str:
    return text.replace("%", "%%")


def _quote(text: str) -> str:
    """As one of several paths in a unit."""
    escaped = _escape(text)
    if any(char in escaped for char in " \"'\\;"):
        return '"' + escaped.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return escaped


def _word(text: str) -> str:
    """As one word of a command line in a unit, where systemd also fills in variables."""
    return _quote(text).replace("$", "$$")


def container_file(*, version: str) -> str:
    """What `podman build` or `docker build` makes an image from; the workspace is a volume.

    Args:
        version: of hitp2p, to install.
    """
    return f"""\
# hitp2p node image. Build and run it:
#   podman build -t hitp2p-node -f Containerfile .
#   podman run -d --name hitp2p-node -v hitp2p:/work -p 4311:4311 hitp2p-node
FROM docker.io/library/python:3.13-slim
RUN useradd --create-home --uid 1000 hitp2p && install -d -o hitp2p /work \\
 && pip install --no-cache-dir --only-binary :all: "hitp2p[fast]=={version}"
USER hitp2p
WORKDIR /work
VOLUME /work
EXPOSE 4311/tcp
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=1m --timeout=10s CMD ["hitp2p", "node", "status", "--workspace", "/work"]
CMD ["sh", "-c", "test -d .hitp2p || hitp2p init . ; hitp2p node init --if-missing && exec hitp2p node run"]
"""
