"""The shapes in spec/hitp2p.cddl against the vectors: all that is valid fits, and what has another shape does not."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pycddl
import pytest
from spec_vectors import Vector, by_id, load

from hitp2p.codec.dagcbor import decode

CDDL = (Path(__file__).resolve().parents[2] / "spec" / "hitp2p.cddl").read_text(encoding="utf-8")
OBJECTS = [*load("objects.json", "object"), *load("identity.json", "object")]
PLAIN_SHAPE = {"OBJ-1", "OBJ-3", "OBJ-5", "OBJ-8", "OBJ-13", "OBJ-16", "OBJ-18", "OBJ-20", "KND-1"}
"""Rules that shapes alone can hold."""
LENIENT = {"obj-1-sig-text", "knd-1-keys-text", "knd-1-next-text"}
"""pycddl takes text where bytes of a certain length are asked for."""


@cache
def schema(root: str) -> pycddl.Schema:
    return pycddl.Schema(f"root = {root}\n{CDDL}")


def fits(root: str, block: bytes) -> bool:
    try:
        schema(root).validate_cbor(block)
    except pycddl.ValidationError:
        return False
    return True


def root_of(block: bytes) -> str:
    """The rule for an object's kind. (Asked for all kinds at once, pycddl takes a second an object.)"""
    value = decode(block)
    kind = value.get("kind") if isinstance(value, dict) else None
    rule = kind.replace("_", "-") if isinstance(kind, str) else ""
    if rule == "identity":
        return "genesis / later-event"
    return (
        rule
        if re.search(rf'^{rule} = {{envelope, "kind": ', CDDL, re.MULTILINE)
        else "unknown-object"
    )


@pytest.mark.parametrize("vector", [v for v in OBJECTS if v.expect == "valid"], ids=by_id)
def test_a_valid_object_has_the_shape_of_its_kind(vector: Vector) -> None:
    assert fits(root_of(vector.data), vector.data)


@pytest.mark.parametrize(
    "vector",
    [v for v in OBJECTS if v.expect == "invalid" and v.rule in PLAIN_SHAPE and v.id not in LENIENT],
    ids=by_id,
)
def test_an_object_of_another_shape_is_refused(vector: Vector) -> None:
    assert not fits(root_of(vector.data), vector.data)


@pytest.mark.parametrize(
    ("file", "check", "root"),
    [
        ("objects.json", "list-page", "list-page"),
        ("snapshot.json", "snapshot-page", "snapshot-page"),
        ("keys.json", "key-envelope", "key-envelope"),
        ("keys.json", "identity-file", "identity-file"),
    ],
)
def test_other_blocks_that_are_valid_have_their_shape(file: str, check: str, root: str) -> None:
    blocks = [v.data for v in load(file, check) if v.expect == "valid"]
    assert blocks
    assert all(fits(root, block) for block in blocks)


def test_whatever_is_valid_has_one_of_the_shapes() -> None:
    small = [v for v in OBJECTS if v.expect == "valid" and v.id.endswith(("-least", "-genesis"))]
    assert all(fits("hitp2p", v.data) for v in small)
