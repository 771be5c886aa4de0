"""Frames: read in pieces of any size, each bound of the table at its limit and one past it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import msgpack
import pytest

from hitp2p import limits
from hitp2p.codec.cid import DAG_CBOR, Cid, raw_bytes
from hitp2p.errors import DecodeError, InternalError
from hitp2p.protocol.bodies import FORMS
from hitp2p.protocol.frames import Frame, FrameReader, encode_frame, parse_frame
from hitp2p.protocol.messages import (
    ANSWER_TO,
    NOTICES,
    Blocks,
    Bye,
    Follow,
    Followed,
    Get,
    Heads,
    Hello,
    Message,
    Peers,
    Ping,
    Pong,
    Pull,
    Push,
    Range,
    Ranges,
    Recon,
    Records,
    Sorry,
    State,
)

TOPIC = Cid.of(DAG_CBOR, b"topic")
OTHER = Cid.of(DAG_CBOR, b"other")
DIGEST, SUM, KEY = bytes(32), bytes(16), bytes(40)
LAST = Range(b"", 0)
HELLO = Hello(versions=(1,), features=("a",), agent="me", listen=("/ip4/1.2.3.4/tcp/1",), nonce=SUM)
MESSAGES: tuple[Message, ...] = (
    HELLO,
    Follow(topics=(Followed(TOPIC, 0, 2), Followed(OTHER, 1, 0))),
    Push(topic=TOPIC, objects=(b"object",), cids=(DIGEST,)),
    Push(topic=TOPIC, cids=(DIGEST,)),
    Heads(topic=TOPIC, scope=1, count=2**64 - 1, sum=SUM, heads=(DIGEST,)),
    State(count=0, sum=SUM, heads=()),
    Recon(
        topic=TOPIC,
        scope=0,
        ranges=(Range(b"\0", 0), Range(b"\1", 1, 3, SUM), Range(b"", 2, digests=(DIGEST,) * 2)),
    ),
    Ranges(ranges=(Range(KEY, 2), Range(b"", 3, digests=(DIGEST,), places=(0, 7)))),
    Get(topic=TOPIC, cids=(TOPIC, OTHER)),
    Get(topic=TOPIC, cids=(TOPIC,), file=OTHER),
    Blocks(blocks=(b"", None, b"block"), last=True),
    Blocks(blocks=(), last=False, next=KEY),
    Pull(topic=TOPIC, scope=0, after=b"", most=1),
    Pull(topic=TOPIC, scope=0, after=KEY, most=2),
    Peers(most=32),
    Records(records=(b"record",)),
    Ping(),
    Pong(),
    Bye(code="invalid", text="eh bien à demain"),
    Sorry(code="busy", wait_ms=5000),
)


def framed(kind: Any, number: Any, body: Any) -> bytes:
    data: bytes = msgpack.packb([kind, number, body])
    return data


def sized(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def number_of(message: Message) -> int:
    return 0 if type(message) in NOTICES else 7


def open_reader() -> FrameReader:
    """A reader that takes the longest frames."""
    reader = FrameReader()
    reader.limit = limits.NODE_BLOCKS_FRAME_BYTES
    return reader


def body_of(message: Message) -> dict[str, Any]:
    body: dict[str, Any] = FORMS[message.TYPE].write(message)
    return body


def refused(rule: str, data: bytes) -> str:
    with pytest.raises(DecodeError) as caught:
        parse_frame(data)
    assert caught.value.rule == rule, str(caught.value)
    return caught.value.message


# --- messages -------------------------------------------------------------------------------------


@pytest.mark.parametrize("message", MESSAGES)
def test_net_8_what_is_written_is_read(message: Message) -> None:
    data = encode_frame(message, number_of(message))
    assert parse_frame(data[4:]) == Frame(number_of(message), message)
    assert int.from_bytes(data[:4], "big") == len(data) - 4


def test_every_message_of_the_table_is_tried_here() -> None:
    assert {message.TYPE for message in MESSAGES} == set(FORMS) == set(range(0, 32, 2))


def test_net_11_every_request_has_its_answer() -> None:
    asked_and_said = {*ANSWER_TO, *ANSWER_TO.values(), *NOTICES, Sorry}
    assert asked_and_said == {form.message for form in FORMS.values()}


@pytest.mark.parametrize("message", MESSAGES)
def test_net_8_fields_that_nobody_knows_are_passed_over(message: Message) -> None:
    body = {**body_of(message), "new": [1, {"a": None}]}
    assert parse_frame(framed(message.TYPE, number_of(message), body)).message == message


@pytest.mark.parametrize("message", MESSAGES)
def test_net_8_a_field_of_another_type_or_none_is_refused(message: Message) -> None:
    body = body_of(message)
    for name in body:
        for wrong in ({}, -1, 1.5):
            changed = framed(message.TYPE, number_of(message), {**body, name: wrong})
            refused("NET-15" if name == "ranges" else "NET-8", changed)
        if name not in ("file", "next", "objects", "cids"):
            less = {key: value for key, value in body.items() if key != name}
            refused("NET-8", framed(message.TYPE, number_of(message), less))


# --- bounds ---------------------------------------------------------------------------------------

HELLO_BODY = body_of(HELLO)
PUSH_BODY = {"topic": raw_bytes(TOPIC)}
STATE_BODY = {"count": 0, "sum": SUM}
PULL_BODY = {"topic": raw_bytes(TOPIC), "scope": 0, "after": b""}
BOUNDS: dict[str, tuple[type[Message], Callable[[int], dict[str, Any]]]] = {
    "NODE_VERSIONS": (Hello, lambda n: {**HELLO_BODY, "versions": [1] * n}),
    "NODE_FEATURES": (Hello, lambda n: {**HELLO_BODY, "features": ["a"] * n}),
    "NODE_FEATURE_BYTES": (Hello, lambda n: {**HELLO_BODY, "features": ["a" * n]}),
    "NODE_AGENT_BYTES": (Hello, lambda n: {**HELLO_BODY, "agent": "é" * (n // 2) + "a" * (n % 2)}),
    "NODE_LISTEN": (Hello, lambda n: {**HELLO_BODY, "listen": ["/"] * n}),
    "NODE_ADDRESS_BYTES": (Hello, lambda n: {**HELLO_BODY, "listen": ["/" * n]}),
    "NODE_FOLLOWED": (
        Follow,
        lambda n: {"topics": [[raw_bytes(Cid.of(DAG_CBOR, b"%d" % i)), 0, 0] for i in range(n)]},
    ),
    "NODE_PUSH_OBJECTS": (Push, lambda n: {**PUSH_BODY, "objects": [b""] * n}),
    "NODE_PUSH_OBJECT_BYTES": (Push, lambda n: {**PUSH_BODY, "objects": [bytes(n)]}),
    "NODE_PUSH_DIGESTS": (Push, lambda n: {**PUSH_BODY, "cids": [DIGEST] * n}),
    "NODE_HEADS": (State, lambda n: {**STATE_BODY, "heads": [DIGEST] * n}),
    "NODE_RANGES": (
        Ranges,
        lambda n: {"ranges": [[b"%04d" % i, 0, None] for i in range(n - 1)] + [[b"", 0, None]]},
    ),
    "NODE_GET_CIDS": (Get, lambda n: {**PUSH_BODY, "cids": [raw_bytes(TOPIC)] * n}),
    "NODE_BLOCKS": (Blocks, lambda n: {"blocks": [None] * n, "last": True}),
    "BLOCK_BYTES": (Blocks, lambda n: {"blocks": [bytes(n)], "last": True}),
    "NODE_PULL_BYTES": (Pull, lambda n: {**PULL_BODY, "most": n}),
    "NODE_RECORDS_ASKED": (Peers, lambda n: {"most": n}),
    "NODE_RECORD_BYTES": (Records, lambda n: {"records": [bytes(n)]}),
    "NODE_CODE_BYTES": (Bye, lambda n: {"code": "a" * n, "text": ""}),
    "NODE_BYE_TEXT_BYTES": (Bye, lambda n: {"code": "", "text": "a" * n}),
    "NODE_FRAME_ARRAY": (Ping, lambda n: {"new": [None] * n}),
    "NODE_FRAME_MAP": (Ping, lambda n: {f"{i}": None for i in range(n)}),
    "NODE_FRAME_KEY_BYTES": (Ping, lambda n: {"é" * (n // 2) + "a" * (n % 2): None}),
    "NODE_FRAME_DEPTH": (Ping, lambda n: {"new": nested(n - 2)}),
}


def nested(levels: int) -> list[Any]:
    """Arrays in arrays, so many in all."""
    return [nested(levels - 1)] if levels > 1 else []


@pytest.mark.parametrize("limit", BOUNDS)
def test_net_8_a_bound_of_the_table_is_reached_and_not_passed(limit: str) -> None:
    message, body = BOUNDS[limit]
    most: int = getattr(limits, limit)
    number = 0 if message in NOTICES else 1
    rule = "NET-8"
    if limit.startswith("NODE_FRAME"):
        rule = "NET-6"
    elif limit == "NODE_RANGES":
        rule = "NET-15"
    assert parse_frame(framed(message.TYPE, number, body(most))).message is not None
    refused(rule, framed(message.TYPE, number, body(most + 1)))


def test_net_7_the_number_of_a_request_is_bounded() -> None:
    most = limits.NODE_REQUEST_ID
    assert parse_frame(framed(Ping.TYPE, most, {})) == (most, Ping())
    refused("NET-7", framed(Ping.TYPE, most + 1, {}))
    assert parse_frame(framed(most, most, {})) == (most, None)
    refused("NET-7", framed(most + 2, 1, {}))


# --- the reader -----------------------------------------------------------------------------------


def test_net_4_frames_are_read_in_pieces_of_any_size() -> None:
    frames = [Frame(number_of(message), message) for message in MESSAGES]
    stream = b"".join(encode_frame(message, number) for number, message in frames if message)
    for size in (1, 2, 3, 5, 64, len(stream)):
        reader, found = open_reader(), []
        for at in range(0, len(stream), size):
            reader.feed(stream[at : at + size])
            found += list(reader.frames())
        assert found == frames
        assert reader.n_buffered == 0


def test_frames_that_were_left_are_there_when_asked_again() -> None:
    reader = FrameReader()
    reader.feed(encode_frame(Ping(), 1) + encode_frame(Ping(), 2) + b"\0")
    assert next(reader.frames()).number == 1
    assert [frame.number for frame in reader.frames()] == [2]
    assert reader.n_buffered == 1


def test_net_4_bytes_behind_the_value_are_refused() -> None:
    for message in MESSAGES:
        data = encode_frame(message, number_of(message))[4:]
        assert "1 bytes behind" in refused("NET-4", data + b"\0")
        refused("NET-6", data[:-1])


@pytest.mark.parametrize(
    ("limit", "most"),
    [
        ("at first", limits.NODE_FIRST_FRAME_BYTES),
        ("then", limits.NODE_FRAME_BYTES),
        ("with blocks", limits.NODE_BLOCKS_FRAME_BYTES),
    ],
)
def test_net_5_a_length_is_judged_before_anything_is_kept(limit: str, most: int) -> None:
    reader = FrameReader()
    if limit != "at first":
        reader.limit = most
    reader.feed(most.to_bytes(4, "big"))
    assert list(reader.frames()) == []
    reader = FrameReader()
    reader.limit = most
    reader.feed((most + 1).to_bytes(4, "big"))
    with pytest.raises(DecodeError, match=f"{most + 1} bytes; at most {most} now") as caught:
        list(reader.frames())
    assert caught.value.rule == "NET-5"


def test_net_5_a_new_limit_holds_from_the_next_frame_on() -> None:
    reader = FrameReader()
    long = Bye(code="", text="a" * 256)
    reader.feed(encode_frame(HELLO) + encode_frame(long))
    reader.limit = 200
    found = reader.frames()
    assert next(found).message == HELLO
    reader.limit = limits.NODE_FRAME_BYTES
    assert next(found).message == long


def test_net_4_a_frame_of_no_bytes_is_refused() -> None:
    reader = FrameReader()
    reader.feed(bytes(4))
    with pytest.raises(DecodeError) as caught:
        list(reader.frames())
    assert caught.value.rule == "NET-4"


def test_after_an_error_the_reader_keeps_nothing_and_says_the_same_again() -> None:
    reader = FrameReader()
    reader.feed(encode_frame(Ping(), 1) + sized(b"\xc1") + encode_frame(Ping(), 2))
    frames = reader.frames()
    assert next(frames).number == 1
    with pytest.raises(DecodeError) as first:
        next(frames)
    reader.feed(encode_frame(Ping(), 3))
    with pytest.raises(DecodeError) as second:
        list(reader.frames())
    assert second.value is first.value
    assert reader.n_buffered == 0


# --- what must not be sent ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "number"),
    [
        (Ping(), 0),
        (Ping(), 2**31),
        (Bye(code="", text=""), 1),
        (Push(topic=TOPIC), 0),
        (Push(topic=TOPIC, cids=(b"short",)), 0),
        (Push(topic=TOPIC, objects=(bytes(8192),) * 9), 0),
        (Hello(versions=(1,), features=(), agent="", listen=("/" * 256,) * 16, nonce=SUM), 0),
        (Sorry(code="later", wait_ms=0), 1),
        (Recon(topic=TOPIC, scope=0, ranges=(LAST, LAST)), 1),
        (Recon(topic=TOPIC, scope=0, ranges=(Range(b"", 3),)), 1),
        (Blocks(blocks=(bytes(2**20),) * 3, last=True), 1),
    ],
)
def test_what_the_other_side_would_refuse_is_not_written(message: Message, number: int) -> None:
    with pytest.raises(InternalError):
        encode_frame(message, number)


def test_net_5_a_frame_with_the_longest_block_can_be_written() -> None:
    data = encode_frame(Blocks(blocks=(os.urandom(limits.BLOCK_BYTES),), last=True), 1)
    reader = open_reader()
    reader.feed(data)
    assert len(list(reader.frames())) == 1
