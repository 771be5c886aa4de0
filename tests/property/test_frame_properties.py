"""Laws of frames: what is written is read, and foreign bytes raise nothing but `InvalidError`, in bounded memory."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgpack
from hypothesis import example, given
from hypothesis import strategies as st

from hitp2p import limits
from hitp2p.codec.cid import DAG_CBOR, DAG_PB, RAW, Cid
from hitp2p.errors import InvalidError
from hitp2p.protocol.bodies import FORMS
from hitp2p.protocol.frames import Frame, FrameReader, encode_frame, parse_frame
from hitp2p.protocol.messages import (
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

cids = st.builds(
    Cid.of, st.sampled_from([DAG_CBOR, RAW, DAG_PB]), st.integers(0, 9).map(lambda n: bytes([n]))
)
digests = st.binary(min_size=32, max_size=32)
sums = st.binary(min_size=16, max_size=16)
keys = st.binary(min_size=40, max_size=40)
counts = st.integers(0, 2**64 - 1)
scopes = st.integers(0, 1)


def text(most: int, least: int = 0) -> st.SearchStrategy[str]:
    """Text of so many bytes of UTF-8."""
    return st.text(min_size=least, max_size=most).filter(
        lambda one: least <= len(one.encode()) <= most
    )


def many(
    entries: st.SearchStrategy[Any], most: int, least: int = 0
) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(entries, min_size=least, max_size=min(most, 9)).map(tuple)


def upto(most: int) -> st.SearchStrategy[bytes]:
    """Bytes, few or exactly as many as may be."""
    return st.binary(max_size=40) | st.just(bytes(most))


@st.composite
def ranges(draw: st.DrawFn, n_modes: int) -> tuple[Range, ...]:
    uppers = sorted(draw(st.sets(st.binary(min_size=1, max_size=40), max_size=8)))
    said = []
    for upper in [*uppers, b""]:
        mode = draw(st.integers(0, n_modes - 1))
        listed = draw(many(digests, 9)) if mode > 1 else ()
        places = tuple(sorted(draw(st.sets(st.integers(0, 2**64 - 1))))) if mode == 3 else ()
        count, sum_ = (draw(counts), draw(sums)) if mode == 1 else (0, b"")
        said.append(Range(upper, mode, count, sum_, listed, places))
    return tuple(said)


followed = st.lists(
    st.builds(Followed, cids, scopes, st.integers(0, 2)), unique_by=lambda one: one.topic
).map(tuple)
pushes = st.builds(
    Push,
    topic=cids,
    objects=many(upto(limits.NODE_PUSH_OBJECT_BYTES), 5, least=1),
    cids=many(digests, limits.NODE_PUSH_DIGESTS),
) | st.builds(Push, topic=cids, cids=many(digests, limits.NODE_PUSH_DIGESTS, least=1))
blocks = st.none() | upto(1 << 17)
messages: st.SearchStrategy[Message] = st.one_of(
    st.builds(
        Hello,
        versions=many(counts, limits.NODE_VERSIONS, least=1),
        features=many(text(limits.NODE_FEATURE_BYTES, least=1), limits.NODE_FEATURES),
        agent=text(limits.NODE_AGENT_BYTES),
        listen=many(text(limits.NODE_ADDRESS_BYTES, least=1), limits.NODE_LISTEN),
        nonce=sums,
    ),
    st.builds(Follow, topics=followed),
    pushes,
    st.builds(Heads, topic=cids, scope=scopes, count=counts, sum=sums, heads=many(digests, 64)),
    st.builds(State, count=counts, sum=sums, heads=many(digests, 64)),
    st.builds(Recon, topic=cids, scope=scopes, ranges=ranges(3)),
    st.builds(Ranges, ranges=ranges(4)),
    st.builds(Get, topic=cids, cids=many(cids, 256, least=1), file=st.none() | cids),
    st.builds(Blocks, blocks=many(blocks, 256), last=st.booleans(), next=st.none() | keys),
    st.builds(
        Pull,
        topic=cids,
        scope=scopes,
        after=st.just(b"") | keys,
        most=st.integers(1, limits.NODE_PULL_BYTES),
    ),
    st.builds(Peers, most=st.integers(1, 32)),
    st.builds(Records, records=many(upto(limits.NODE_RECORD_BYTES), 32)),
    st.just(Ping()),
    st.just(Pong()),
    st.builds(Bye, code=text(32), text=text(256)),
    st.builds(Sorry, code=st.sampled_from(["absent", "busy", "unable"]), wait_ms=counts),
)


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    message = draw(messages)
    return Frame(0 if type(message) in NOTICES else draw(st.integers(1, 2**31 - 1)), message)


def encode(frame: Frame) -> bytes:
    assert frame.message is not None
    return encode_frame(frame.message, frame.number)


def read(stream: bytes, ends: list[int]) -> list[Frame]:
    """The frames of a stream that comes in pieces; what is held is bounded all the time."""
    reader, found = FrameReader(), []
    reader.limit = limits.NODE_BLOCKS_FRAME_BYTES
    for start, end in pairwise([0, *sorted(ends), len(stream)]):
        reader.feed(stream[start:end])
        assert reader.n_buffered <= reader.limit + 4 + end - start
        found += list(reader.frames())
        assert reader.n_buffered < reader.limit + 4
    return found


# --- values that msgpack can write, and that are no message ---------------------------------------

NAMES = [
    "agent", "after", "blocks", "cids", "code", "count", "features", "file", "heads", "last", "listen",
    "most", "next", "nonce", "objects", "ranges", "records", "scope", "sum", "text", "topic", "topics", "versions", "wait",
]  # fmt: skip
"""Every field of the table."""
plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=40)
    | st.binary(max_size=40)
    | st.sampled_from([msgpack.ExtType(5, b"a"), msgpack.Timestamp(1, 1)])
    | digests
    | cids.map(bytes),
    lambda children: (
        st.lists(children, max_size=5)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=33), children, max_size=5)
    ),
    max_leaves=20,
)
nearly = st.tuples(
    st.sampled_from(sorted(FORMS)) | st.integers(-1, 40),
    st.integers(-1, 3),
    st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=33), plain, max_size=5) | plain,
)
foreign = st.binary(max_size=80) | plain.map(msgpack.packb) | nearly.map(msgpack.packb)


def judge(data: bytes) -> Frame | InvalidError:
    try:
        return parse_frame(data)
    except InvalidError as error:
        return error


def is_sound(outcome: Frame | InvalidError) -> bool:
    """An error of a rule on frames, or a frame that can be sent on and read again."""
    if isinstance(outcome, InvalidError):
        return (
            outcome.rule in {f"NET-{n}" for n in (4, 5, 6, 7, 8, 15)} and outcome.code == "decode"
        )
    return outcome.message is None or parse_frame(encode(outcome)[4:]) == outcome


@given(st.lists(frames(), max_size=4), st.lists(st.integers(0, 300), max_size=6), st.booleans())
def test_net_4_frames_survive_the_round_trip_in_any_pieces(
    sent: list[Frame], cuts: list[int], far: bool
) -> None:
    stream = b"".join(encode(frame) for frame in sent)
    ends = [min(len(stream), cut * (len(stream) // 300 if far else 1)) for cut in cuts]
    assert read(stream, ends) == sent


@given(foreign)
@example(b"\x93\xc2\x00\x80")
@example(b"\x81\xc4\x01a\xc0")
@example(msgpack.packb([24, 1, {"a": msgpack.Timestamp(1, 1)}]))
def test_net_8_foreign_bytes_give_a_frame_or_the_error_of_a_rule(data: bytes) -> None:
    assert is_sound(judge(data))


@given(frames(), st.integers(0), st.integers(1, 255))
def test_net_8_a_changed_byte_gives_a_sound_frame_or_the_error_of_a_rule(
    frame: Frame, position: int, mask: int
) -> None:
    data = bytearray(encode(frame)[4:])
    data[position % min(len(data), 200)] ^= mask
    assert is_sound(judge(bytes(data)))


@given(frames(), st.integers(1))
def test_net_4_a_frame_that_is_cut_or_goes_on_is_refused(frame: Frame, cut: int) -> None:
    data = encode(frame)[4:]
    assert isinstance(judge(data[: cut % len(data)]), InvalidError)
    assert isinstance(judge(data + bytes([cut % 256])), InvalidError)


@given(st.lists(st.binary(max_size=50), max_size=20), st.sampled_from([9, 4096, 65536]))
def test_net_5_a_stream_of_anything_never_makes_the_reader_hold_more_than_the_limit_and_a_piece(
    pieces: list[bytes], limit: int
) -> None:
    reader = FrameReader()
    reader.limit = limit
    for piece in pieces:
        reader.feed(piece)
        try:
            for _ in reader.frames():
                pass
        except InvalidError:
            assert reader.n_buffered == 0
        assert reader.n_buffered < limit + 4


@given(nearly, st.dictionaries(st.text(max_size=20), plain, min_size=1, max_size=3))
def test_net_8_fields_that_nobody_knows_change_nothing_that_is_read(
    value: tuple[int, int, Any], more: dict[str, Any]
) -> None:
    kind, number, body = value
    before = judge(msgpack.packb(value))
    if isinstance(before, InvalidError):
        return
    known = {key: item for key, item in more.items() if key not in NAMES and key not in body}
    after = judge(msgpack.packb((kind, number, {**body, **known})))
    assert after == before or (isinstance(after, InvalidError) and after.rule == "NET-6")
