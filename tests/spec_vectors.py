"""The vectors in spec/vectors/: loading them, and telling whether an answer is the one they ask for."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from hitp2p.errors import InvalidError

__all__ = ["FOLDER", "Vector", "by_id", "load", "load_all", "refused_as", "unpack"]

FOLDER: Final = Path(__file__).resolve().parents[1] / "spec" / "vectors"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    """One vector; spec/vectors/README.md says what the fields mean."""

    id: str
    rule: str
    check: str
    expect: str
    fields: Mapping[str, Any]

    @property
    def data(self) -> bytes:
        """The input, where it is bytes."""
        return unpack(self.fields["input"])

    @property
    def allowed(self) -> set[str]:
        """The rules that a refusal may name."""
        return {self.rule, *self.fields.get("also", ())}

    @property
    def covers(self) -> tuple[str, ...]:
        """Rules that the vector breaks too, but which nobody reports, as another stands before them."""
        return tuple(self.fields.get("covers", ()))


def unpack(value: str | list[Any]) -> bytes:
    """Bytes from hex, or from a list of hex and of what is repeated."""
    if isinstance(value, str):
        return bytes.fromhex(value)
    return b"".join(
        bytes.fromhex(part)
        if isinstance(part, str)
        else bytes.fromhex(part["repeat"]) * part["times"]
        for part in value
    )


@cache
def load_all(file: str) -> tuple[Vector, ...]:
    """All vectors of a file."""
    found = json.loads((FOLDER / file).read_text(encoding="ascii"))
    return tuple(
        Vector(id=v["id"], rule=v["rule"], check=v["check"], expect=v["expect"], fields=v)
        for v in found
    )


def load(file: str, *checks: str) -> list[Vector]:
    """The vectors of a file that ask one of these questions; there must be some."""
    found = [v for v in load_all(file) if v.check in checks]
    assert found, f"{file} has no vectors for {checks}"
    return found


def by_id(vector: Vector) -> str:
    """For pytest's `ids`."""
    return vector.id


def refused_as(vector: Vector, question: Callable[[], object]) -> None:
    """Ask, and hold that the answer is an error of the vector's rule and code."""
    with pytest.raises(InvalidError) as caught:
        question()
    assert caught.value.rule in vector.allowed, str(caught.value)
    if caught.value.rule == vector.rule:
        assert caught.value.code == vector.fields["code"], str(caught.value)
