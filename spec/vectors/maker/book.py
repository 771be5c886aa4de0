"""How vectors are written down."""

from __future__ import annotations

import re
from typing import Any

CODES = {
    "KEY": "signature",
    "OBJ": "rule",
    "KND": "rule",
    "IDN": "rule",
    "TRL": "rule",
    "BND": "rule",
}
"""The error's code by the rule's prefix; the rest is `decode`."""
REPEATED = re.compile(rb"(.{1,300}?)\1{15,}", re.DOTALL)
"""Something that stands 16 times or more in a row."""


def input_of(data: bytes) -> str | list[Any]:
    """Hex, or for long inputs with repetitions a list of hex and of what is repeated."""
    if len(data) < 2000:
        return data.hex()
    parts: list[Any] = []
    end = 0
    for found in REPEATED.finditer(data):
        unit, run = found[1], found[0]
        if len(run) >= 500:
            parts += [
                data[end : found.start()].hex(),
                {"repeat": unit.hex(), "times": len(run) // len(unit)},
            ]
            end = found.end()
    return [*parts, data[end:].hex()] if parts else data.hex()


def plain(value: Any) -> Any:
    """JSON for bytes anywhere: hex."""
    match value:
        case bytes():
            return input_of(value)
        case dict():
            return {k: plain(v) for k, v in value.items()}
        case list() | tuple():
            return [plain(v) for v in value]
    return value


class Book:
    """The vectors of one file, all of one layer."""

    def __init__(self, layer: str) -> None:
        self.layer = layer
        self.vectors: list[dict[str, Any]] = []

    def valid(self, name: str, rule: str, comment: str, check: str, data: Any, **more: Any) -> None:
        """An input that breaks nothing; `rule` is the one that it approaches."""
        self._add(name, rule, comment, check, data, {"expect": "valid"}, more)

    def invalid(
        self, name: str, rule: str, comment: str, check: str, data: Any, **more: Any
    ) -> None:
        """An input with one fault, to be reported under `rule`."""
        code = more.pop("code", CODES.get(rule.split("-")[0], "decode"))
        self._add(name, rule, comment, check, data, {"expect": "invalid", "code": code}, more)

    def other(
        self, name: str, rule: str, expect: str, comment: str, check: str, data: Any, **more: Any
    ) -> None:
        """An answer that is neither valid nor invalid."""
        self._add(name, rule, comment, check, data, {"expect": expect}, more)

    def _add(
        self,
        name: str,
        rule: str,
        comment: str,
        check: str,
        data: Any,
        verdict: dict[str, Any],
        more: dict[str, Any],
    ) -> None:
        vector = {"id": f"{rule.lower()}-{name}", "rule": rule, "layer": self.layer, "check": check}
        vector |= verdict | {"comment": comment, "input": plain(data)} | plain(more)
        if any(v["id"] == vector["id"] for v in self.vectors):
            raise ValueError(f"two vectors named {vector['id']}")
        self.vectors.append(vector)
