"""The log of a node on stderr: lines for people, or one JSON document a line. Foreign text is cleaned in both."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from hitp2p.cli.clean import clean

__all__ = ["start_logging"]


def start_logging(style: str, level: str) -> None:
    """Send what hitp2p logs to stderr.

    Args:
        style: text or json.
        level: debug, info, warning or error.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if style == "json" else _Text())
    logger = logging.getLogger("hitp2p")
    logger.addHandler(handler)
    logger.setLevel(level.upper())
    logger.propagate = False


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = f"{_time(record)} {record.levelname.lower():7} {clean(record.getMessage())}"
        if record.exc_info:
            lines = self.formatException(record.exc_info).split("\n")
            line += "".join("\n    " + clean(one) for one in lines)
        return line


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        said = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "record", {}),
        }
        if record.exc_info:
            said["traceback"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=True)
