"""Frames: messages to bytes and back [NET-4 to NET-8]. What comes is foreign, and may be made to hurt.

A length is judged before what it announces is kept. In C, msgpack bounds what arrays and maps may announce and how deep they
go; what it can't bound is checked on the value, where no field of the table has checked it.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any, Final, NamedTuple

from hitp2p import limits
from hitp2p.errors import DecodeError, InternalError, InvalidError
from hitp2p.protocol.bodies import FORMS, Form
from hitp2p.protocol.messages import Blocks, Hello, Message
from hitp2p.protocol.shapes import say_type

__all__ = ["Frame", "FrameReader", "encode_frame", "parse_frame"]

msgpack: Final[Any] = import_module("msgpack")  # has no types
LENGTH_BYTES: Final = 4


class Frame(NamedTuple):
    """One frame, checked as far as it can be checked alone."""

    number: int
    """0 in a notice, else the number of a request [NET-7]."""
    message: Message | None
    """None: of a type that isn't known here and may be passed over."""


class FrameReader:
    """Takes bytes in pieces of any size, gives frames.

    Who feeds it takes all frames out before the next piece; so it never holds more than a frame of the limit and one piece.
    After bytes that break a rule it holds nothing, and raises the same error again.
    """

    __slots__ = ("_buffer", "_error", "limit")

    def __init__(self) -> None:
        self.limit = limits.NODE_FIRST_FRAME_BYTES
        """Most bytes of the next frames, without their length [NET-5]; may be set at any time."""
        self._buffer = bytearray()
        self._error: InvalidError | None = None

    @property
    def n_buffered(self) -> int:
        """How many bytes wait here."""
        return len(self._buffer)

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the stream; nothing is looked at."""
        if self._error is None:
            self._buffer += data

    def frames(self) -> Iterator[Frame]:
        """The frames that have come whole, in order; may be left and asked for again.

        Raises:
            DecodeError: NET-4 to NET-8, NET-15.
        """
        if self._error is not None:
            raise self._error
        try:
            while (frame := self._take()) is not None:
                yield frame
        except InvalidError as error:
            self._error = error
            self._buffer.clear()
            raise

    def _take(self) -> Frame | None:
        """The next frame, where it is whole."""
        buffer = self._buffer
        if len(buffer) < LENGTH_BYTES:
            return None
        size = int.from_bytes(buffer[:LENGTH_BYTES], "big")
        if not size:
            raise DecodeError("a frame of no bytes; at least 1 is required", rule="NET-4")
        if size > self.limit:
            raise DecodeError(f"a frame of {size} bytes; at most {self.limit} now", rule="NET-5")
        end = LENGTH_BYTES + size
        if len(buffer) < end:
            return None
        with memoryview(buffer) as view, view[LENGTH_BYTES:end] as data:  # spares two copies
            frame = parse_frame(data)
        del buffer[:end]
        return frame


def parse_frame(data: bytes | memoryview) -> Frame:
    """Read a frame whose length stood before it.

    Raises:
        DecodeError: NET-4 to NET-8, NET-15.
    """
    if len(data) > limits.NODE_FRAME_BYTES:
        _check_long(data)
    value = _unpack(data)
    if value.__class__ is not tuple or len(value) != 3:
        raise DecodeError(f"{say_type(value)} where [type, id, body] is expected", rule="NET-4")
    kind, number, body = value
    form = FORMS.get(kind) if type(kind) is int else None
    if form is None:
        _check_unknown(kind)
    _check_number(number, form)
    if body.__class__ is not dict:
        raise DecodeError(f"{say_type(body)} where a map is expected as body", rule="NET-8")
    message, n_known = form.read(body) if form else (None, 0)
    if n_known != len(body):
        for one in body.values():
            _check_plain(one, limits.NODE_FRAME_DEPTH - 2)
    return Frame(number, message)


def encode_frame(message: Message, number: int = 0) -> bytes:
    """A frame with its length before it.

    Args:
        message: as its class says; it is checked here.
        number: 0 for a notice, else that of the request.

    Raises:
        InternalError: something breaks a rule, so that the other side would end the connection.
    """
    form = FORMS[message.TYPE]
    body = form.write(message)
    try:
        _check_number(number, form)
        form.read(body)
    except InvalidError as error:
        raise InternalError(f"a frame that must not be sent: {error}") from error
    data: bytes = msgpack.packb((message.TYPE, number, body))
    most = _most_bytes(message)
    if len(data) > most:
        raise InternalError(f"a frame of {len(data)} bytes for {form.name}; at most {most} allowed")
    return len(data).to_bytes(LENGTH_BYTES, "big") + data


def _most_bytes(message: Message) -> int:
    """What the other side takes of such a frame at any time that it may come [NET-5]."""
    if type(message) is Hello:
        return limits.NODE_FIRST_FRAME_BYTES
    return limits.NODE_BLOCKS_FRAME_BYTES if type(message) is Blocks else limits.NODE_FRAME_BYTES


def _check_unknown(kind: Any) -> None:
    if type(kind) is not int or not 0 <= kind <= limits.NODE_REQUEST_ID:
        found = kind if type(kind) is int else say_type(kind)
        raise DecodeError(f"type {found}; allowed are 0 to {limits.NODE_REQUEST_ID}", rule="NET-7")
    if not kind % 2:
        raise DecodeError(f"type {kind} is even and unknown; end the connection", rule="NET-7")


def _check_number(number: Any, form: Form | None) -> None:
    low, high = form.numbers if form else (0, limits.NODE_REQUEST_ID)
    if type(number) is not int or not low <= number <= high:
        found = number if type(number) is int else say_type(number)
        name = form.name if form else "an unknown type"
        raise DecodeError(f"id {found} in {name}; allowed are {low} to {high}", rule="NET-7")


# --- msgpack --------------------------------------------------------------------------------------


def _unpack(data: bytes | memoryview) -> Any:
    """The one value in `data`, with arrays as tuples; floats, and deep nesting up to msgpack's 1,024, are still in it."""
    size = len(data)
    try:
        return msgpack.unpackb(
            data,
            raw=False,
            use_list=False,
            strict_map_key=True,
            unicode_errors="strict",
            ext_hook=_refuse_extension,
            object_pairs_hook=_map_of,
            max_str_len=size,
            max_bin_len=size,
            max_array_len=limits.NODE_FRAME_ARRAY,
            max_map_len=limits.NODE_FRAME_MAP,
            max_ext_len=0,
        )
    except msgpack.ExtraData as error:
        raise DecodeError(
            f"{len(error.extra)} bytes behind the value of a frame", rule="NET-4"
        ) from None
    except ValueError as error:
        reason = str(error) or "nested too deep"
        raise DecodeError(f"a value that a frame can't hold: {reason}", rule="NET-6") from None


def _refuse_extension(code: int, _: bytes) -> object:
    raise DecodeError(f"extension type {code}; none is allowed", rule="NET-6")


def _map_of(pairs: list[tuple[Any, Any]]) -> dict[str, Any]:
    """A map, if its keys are different short texts. msgpack has seen that they are text or bytes."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise DecodeError("a key twice in a map", rule="NET-6")
    for key in found:
        if type(key) is not str:
            raise DecodeError(f"{say_type(key)} as key of a map; text is allowed", rule="NET-6")
        if len(key.encode()) > limits.NODE_FRAME_KEY_BYTES:
            raise DecodeError(
                f"a key of {len(key.encode())} bytes; at most {limits.NODE_FRAME_KEY_BYTES} allowed",
                rule="NET-6",
            )
    return found


_SCALARS: Final = frozenset({type(None), bool, int, str, bytes})


def _check_plain(value: Any, levels: int) -> None:
    """Raise unless a value, which no shape has checked, holds only what may be in a frame, in at most so many levels."""
    if type(value) in _SCALARS:
        return
    if value.__class__ is not tuple and value.__class__ is not dict:
        raise DecodeError(f"{say_type(value)}; none is allowed in a frame", rule="NET-6")
    if not levels:
        raise DecodeError(
            f"nested deeper than {limits.NODE_FRAME_DEPTH} levels; no deeper is allowed",
            rule="NET-6",
        )
    for one in value.values() if value.__class__ is dict else value:
        if type(one) not in _SCALARS:
            _check_plain(one, levels - 1)


# --- long frames ----------------------------------------------------------------------------------

_STEPS: Final = bytes(
    1 + (first & 31)
    if 0xA0 <= first < 0xC0
    else {0xCA: 5, 0xCB: 9, 0xCC: 2, 0xCD: 3, 0xCE: 5, 0xCF: 9}.get(first)
    or {0xD0: 2, 0xD1: 3, 0xD2: 5, 0xD3: 9, 0xDC: 3, 0xDD: 5, 0xDE: 3, 0xDF: 5}.get(first, 1)
    for first in range(256)
)
"""By its first byte: bytes of a value, or of what announces an array or map. What msgpack refuses counts one: it reads no further."""
_WIDTHS: Final = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}
"""By its first byte: in how many bytes the length of byte strings (the first three) and of long text stands."""


def _check_long(data: bytes | memoryview) -> None:
    """Raise unless a long frame is long by its byte strings alone [NET-5].

    Else 2 MiB of empty maps would become 200 MiB of objects.
    """
    at = beside = 0
    while at < len(data):
        first = data[at]
        width = _WIDTHS.get(first)
        if width is None:
            step = counted = _STEPS[first]
        else:
            counted = 1 + width
            step = counted + int.from_bytes(data[at + 1 : at + counted], "big")
            if first >= 0xD9:
                counted = step
        at += step
        beside += counted
        if beside > limits.NODE_FRAME_BYTES:
            raise DecodeError(
                f"more than {limits.NODE_FRAME_BYTES} bytes beside byte strings", rule="NET-5"
            )
