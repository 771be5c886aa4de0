"""Telling systemd how a service is (sd_notify): ready, stopping, alive. Where nobody asked, nothing happens."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

__all__ = ["Notifier"]


class Notifier:
    """Says things to the socket that NOTIFY_SOCKET names."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        own = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        micros = environ.get("WATCHDOG_USEC", "")
        self.watchdog_s = int(micros) / 2e6 if own and micros.isdigit() and int(micros) else None
        """Seconds between two signs of life: half of what systemd allows. None: it doesn't watch."""

    def say(self, **fields: str | int) -> None:
        """Send fields such as READY=1. Whether anybody listens makes no difference."""
        if not self._address:
            return
        name = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        text = "\n".join(f"{key}={value}" for key, value in fields.items())
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            try:
                sock.sendto(text.encode(), name)
            except OSError:
                return
