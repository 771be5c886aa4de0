"""Vectors of chapter 10: frames."""

from __future__ import annotations

from typing import Any

import pytest
from spec_vectors import Vector, by_id, load, refused_as, unpack

from hitp2p.protocol.bodies import FORMS
from hitp2p.protocol.frames import Frame, FrameReader, encode_frame


def read(stream: bytes, limit: int, piece: int) -> list[Frame]:
    reader, found = FrameReader(), []
    reader.limit = limit
    for at in range(0, len(stream), piece):
        reader.feed(stream[at : at + piece])
        found += list(reader.frames())
        assert reader.n_buffered <= limit + 4
    return found


def is_same(value: Any, expected: Any) -> bool:
    """Whether a value is what a vector says, in which bytes are hex."""
    match value:
        case bytes():
            return value == unpack(expected)
        case list() | tuple():
            both = zip(value, expected, strict=False)
            return len(value) == len(expected) and all(is_same(*one) for one in both)
        case dict():
            return value.keys() == expected.keys() and all(
                is_same(value[key], expected[key]) for key in value
            )
    return type(value) is type(expected) and bool(value == expected)


def says(frame: Frame, expected: Any) -> bool:
    if frame.message is None:
        return is_same({"id": frame.number, "message": None}, expected)
    form = FORMS[frame.message.TYPE]
    fields = form.write(frame.message)
    return is_same({"id": frame.number, "message": form.name, "fields": fields}, expected)


@pytest.mark.parametrize("vector", load("net.json", "frames"), ids=by_id)
def test_a_stream_of_frames_gets_the_verdict_of_the_vector(vector: Vector) -> None:
    """In one piece, in pieces that end anywhere, and, where it isn't long, byte by byte."""
    stream, limit = vector.data, vector.fields["limit"]
    for piece in (len(stream) + 1, 1 + len(stream) // 7, 1 if len(stream) < 3000 else 4096):
        if vector.expect == "invalid":
            refused_as(vector, lambda piece=piece: read(stream, limit, piece))
            continue
        found, expected = read(stream, limit, piece), vector.fields["frames"]
        assert len(found) == len(expected)
        assert all(says(*one) for one in zip(found, expected, strict=True))


@pytest.mark.parametrize(
    "vector", [v for v in load("net.json", "frames") if v.id.endswith("-least")], ids=by_id
)
def test_what_is_written_is_the_shortest_form(vector: Vector) -> None:
    (frame,) = read(vector.data, vector.fields["limit"], 4096)
    assert frame.message is not None
    assert encode_frame(frame.message, frame.number) == vector.data
