"""The shapes in spec/hitp2p.cddl against the vectors: all that is valid fits, and what has another shape does not."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import msgpack
import pycddl
import pytest
from spec_vectors import Vector, by_id, load

from hitp2p.codec.dagcbor import decode, encode
from hitp2p.protocol.bodies import FORMS

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


FRAMES = [v for v in load("net.json", "frames") if v.rule in ("NET-8", "NET-15")]
NO_SHAPE = {
    *("net-8-push-neither", "net-8-follow-twice", "net-8-topic-codec", "net-8-topic-hash"),
    *("net-15-no-last", "net-15-two-last", "net-15-first-empty", "net-15-equal", "net-15-falling"),
    *(
        "net-15-3-bytes",
        "net-15-3-place-twice",
        "net-15-3-places-falling",
        "net-15-2-31",
        "net-15-2-33",
    ),
    *("net-8-odd-body-array", "net-8-block-over"),
}
"""Faults that no shape holds, or that no shape is asked about."""
MISSED = {
    *("net-8-follow-topics-entry", "net-8-follow-1025", "net-15-1025", "net-15-3-places-bytes"),
    *("net-15-upper-text", "net-15-1-sum-text"),
}
"""pycddl doesn't look well into arrays of arrays, and takes text for bytes as above."""


def body_of(stream: bytes) -> tuple[str, dict[str, Any]]:
    """The message of the first frame and its body, which is the same data in CBOR."""
    size = int.from_bytes(stream[:4], "big")
    kind, _, body = msgpack.unpackb(stream[4 : 4 + size], strict_map_key=False)
    return FORMS[kind].name.lower(), body


def body_fits(name: str, body: dict[str, Any]) -> bool:
    """Ranges one by one: of arrays in an array pycddl takes the first for the shape of all."""
    said = body.get("ranges") if isinstance(body, dict) else None
    if not isinstance(said, list):
        return fits(name, encode(body))
    alone = body | {"ranges": [[b"", 0, None]] * len(said)}
    return fits(name, encode(alone)) and all(
        fits(range_rule(name, one), encode(one)) for one in said
    )


def range_rule(name: str, one: Any) -> str:
    rules = ["silent-range", "counted-range", "listed-range", "differing-range"]
    known = rules if name == "ranges" else rules[:3]
    mode = one[1] if isinstance(one, list) and len(one) > 1 else None
    return known[mode] if type(mode) is int and 0 <= mode < len(known) else "asked-range"


@pytest.mark.parametrize("vector", [v for v in FRAMES if v.expect == "valid"], ids=by_id)
def test_a_valid_frame_has_a_body_of_its_shape(vector: Vector) -> None:
    assert body_fits(*body_of(vector.data))


@pytest.mark.parametrize(
    "vector",
    [v for v in FRAMES if v.expect == "invalid" and v.id not in NO_SHAPE | MISSED],
    ids=by_id,
)
def test_a_frame_whose_body_has_another_shape_is_refused(vector: Vector) -> None:
    assert not body_fits(*body_of(vector.data))
