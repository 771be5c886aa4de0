"""What stands in the body of each message [NET-8]: one table, which reading and writing both walk.

A shape reads one value as it came from msgpack (arrays are tuples), checks it, and gives it as the message holds it; and it
writes it back. What breaks a shape raises `DecodeError`, with the path to the value in the message.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from hitp2p import limits
from hitp2p.codec.cid import LINK_BYTES, LINK_PREFIXES, Cid, raw_bytes, recent_link
from hitp2p.errors import DecodeError
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

__all__ = ["FORMS", "Form", "say_type"]

DIGEST_BYTES: Final = 32
SUM_BYTES: Final = 16
KEY_BYTES: Final = 40
NONCE_BYTES: Final = 16
SCOPES: Final = 1
MEDIA: Final = 2
SORRY_CODES: Final = frozenset({"absent", "busy", "unable"})


class Shape(NamedTuple):
    """What a value of a field must look like."""

    read: Callable[[Any], Any]
    """The value as received, to what a message holds; raises `DecodeError`."""
    write: Callable[[Any], Any] | None = None
    """Back; None where both are the same."""


class Field(NamedTuple):
    """One field of a body."""

    name: str
    shape: Shape
    attribute: str = ""
    """What it is called in Python; empty: as on the wire."""
    optional: bool = False
    """May be absent; the message then has its default, and what is empty isn't written."""


# --- shapes ---------------------------------------------------------------------------------------


def _integer(low: int, high: int = 2**64 - 1) -> Shape:
    def read(value: Any) -> int:
        if type(value) is not int:  # a bool is an int to isinstance
            raise _wrong_type(value, "an integer")
        if not low <= value <= high:
            raise _fault(f"{value}; allowed are {low} to {high}")
        return value

    return Shape(read)


def _read_boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise _wrong_type(value, "a boolean")
    return value


def _bytes(least: int, most: int) -> Shape:
    def read(value: Any) -> bytes:
        if type(value) is not bytes:
            raise _wrong_type(value, "bytes")
        if not least <= len(value) <= most:
            allowed = f"{least}" if least == most else f"{least} to {most}"
            raise _fault(f"{len(value)} bytes; allowed are {allowed}")
        return value

    return Shape(read)


def _text(least: int, most: int) -> Shape:
    def read(value: Any) -> str:
        if type(value) is not str:
            raise _wrong_type(value, "text")
        size = len(value) if value.isascii() else len(value.encode())
        if not least <= size <= most:
            raise _fault(f"{size} bytes of text; allowed are {least} to {most}")
        return value

    return Shape(read)


def _word(allowed: frozenset[str]) -> Shape:
    def read(value: Any) -> str:
        if type(value) is not str:
            raise _wrong_type(value, "text")
        if value not in allowed:
            raise _fault(f"{value[:32]!a}; allowed are {', '.join(sorted(allowed))}")
        return value

    return Shape(read)


def _read_cid(value: Any) -> Cid:
    if type(value) is not bytes:
        raise _wrong_type(value, "a CID in bytes")
    if len(value) != LINK_BYTES or value[:4] not in LINK_PREFIXES:
        raise _fault(f"{len(value)} bytes {value[:4].hex()}... are no CID of an object or media")
    return recent_link(value)


def _key_or_empty(value: Any) -> bytes:
    if type(value) is not bytes:
        raise _wrong_type(value, "bytes")
    if len(value) not in (0, KEY_BYTES):
        raise _fault(f"{len(value)} bytes; allowed are {KEY_BYTES}, or none")
    return value


def _or_nil(shape: Shape) -> Shape:
    def read(value: Any) -> Any:
        return None if value is None else shape.read(value)

    return Shape(read)


def _list(entry: Shape, most: int, *, least: int = 0) -> Shape:
    read_entry, write_entry = entry

    def read(value: Any) -> tuple[Any, ...]:
        _check_list(value, least, most)
        found: list[Any] = []
        try:
            for one in value:
                found.append(read_entry(one))
        except DecodeError as error:
            raise _inside(f"entry {len(found)}", error) from error
        return tuple(found)

    def write(values: Any) -> tuple[Any, ...]:
        return tuple([write_entry(one) for one in values]) if write_entry else values

    return Shape(read, write)


def _followed(value: Any) -> Followed:
    if value.__class__ is not tuple or len(value) != 3:
        raise _wrong_type(value, "an array of topic, scope and media")
    topic, scope, media = value
    return Followed(_read_cid(topic), _SCOPE.read(scope), _MEDIA.read(media))


def _write_followed(one: Followed) -> tuple[bytes, int, int]:
    return (raw_bytes(one.topic), one.scope, one.media)


def _read_topics(value: Any) -> tuple[Followed, ...]:
    topics: tuple[Followed, ...] = _FOLLOWED.read(value)
    if len({one.topic for one in topics}) != len(topics):
        raise _fault("a topic twice; allowed is each once")
    return topics


# --- ranges ---------------------------------------------------------------------------------------


def _digests(value: Any) -> tuple[bytes, ...]:
    if type(value) is not bytes:
        raise _wrong_type(value, "digests in bytes")
    if len(value) % DIGEST_BYTES:
        raise _fault(f"{len(value)} bytes of digests; allowed are multiples of {DIGEST_BYTES}")
    return tuple([value[at : at + DIGEST_BYTES] for at in range(0, len(value), DIGEST_BYTES)])


def _nothing(upper: bytes, value: Any) -> Range:
    if value is not None:
        raise _wrong_type(value, "nil")
    return Range(upper, 0)


def _counted(upper: bytes, value: Any) -> Range:
    count, sum_ = _pair(value, "an array of count and fingerprint")
    return Range(upper, 1, _COUNT.read(count), _SUM.read(sum_))


def _listed(upper: bytes, value: Any) -> Range:
    return Range(upper, 2, 0, b"", _digests(value))


def _differing(upper: bytes, value: Any) -> Range:
    digests, places = _pair(value, "an array of digests and places")
    if places.__class__ is not tuple:
        raise _wrong_type(places, "an array of places")
    before = -1
    for place in places:
        if type(place) is not int:
            raise _wrong_type(place, "a place, an integer")
        if place <= before:
            raise _fault(f"place {place} behind {before}; allowed are places that rise from 0")
        before = place
    return Range(upper, 3, 0, b"", _digests(digests), places)


_MODES: Final = (_nothing, _counted, _listed, _differing)


def _ranges(n_modes: int) -> Shape:
    """Ranges in the first so many modes; whatever is wrong with them breaks NET-15."""

    def read(value: Any) -> tuple[Range, ...]:
        found: list[Range] = []
        try:
            _check_list(value, 1, limits.NODE_RANGES)
            before = b""
            for one in value:
                if found and not before:
                    raise _fault("a range behind the one without an upper bound")
                found.append(_read_range(one, before, n_modes))
                before = found[-1].upper
            if before:
                raise _fault("the last range has an upper bound; allowed is none")
        except DecodeError as error:
            raise DecodeError(f"entry {len(found)}: {error.message}", rule="NET-15") from error
        return tuple(found)

    return Shape(read, _write_ranges)


def _read_range(value: Any, before: bytes, n_modes: int) -> Range:
    if value.__class__ is not tuple or len(value) != 3:
        raise _wrong_type(value, "an array of upper, mode and payload")
    upper, mode, payload = value
    _UPPER.read(upper)
    if upper and upper <= before:
        raise _fault("an upper bound that isn't above the one before")
    if type(mode) is not int or not 0 <= mode < n_modes:
        raise _fault(f"mode {mode!a}; allowed are 0 to {n_modes - 1}")
    return _MODES[mode](upper, payload)


def _write_ranges(ranges: tuple[Range, ...]) -> tuple[Any, ...]:
    return tuple([(one.upper, one.mode, _payload(one)) for one in ranges])


def _payload(one: Range) -> Any:
    if one.mode == 0:
        return None
    if one.mode == 1:
        return (one.count, one.sum)
    digests = b"".join(one.digests)
    return digests if one.mode == 2 else (digests, one.places)


# --- helpers --------------------------------------------------------------------------------------


def say_type(value: object) -> str:
    """The word of spec 10 for the type of a value from msgpack."""
    return _TYPE_WORDS.get(type(value), type(value).__name__)


_TYPE_WORDS: Final[dict[type, str]] = {
    type(None): "nil",
    bool: "a boolean",
    int: "an integer",
    float: "a float",
    str: "text",
    bytes: "bytes",
    tuple: "an array",
    dict: "a map",
}


def _fault(message: str) -> DecodeError:
    return DecodeError(message, rule="NET-8")


def _wrong_type(value: Any, wanted: str) -> DecodeError:
    found = f"{say_type(value)} of {len(value)}" if value.__class__ is tuple else say_type(value)
    return _fault(f"{found} where {wanted} is expected")


def _inside(where: str, error: DecodeError) -> DecodeError:
    return DecodeError(f"{where}: {error.message}", rule=error.rule)


def _check_list(value: Any, least: int, most: int) -> None:
    if value.__class__ is not tuple:
        raise _wrong_type(value, "an array")
    if not least <= len(value) <= most:
        raise _fault(f"{len(value)} entries; allowed are {least} to {most}")


def _pair(value: Any, what: str) -> tuple[Any, Any]:
    if value.__class__ is not tuple or len(value) != 2:
        raise _wrong_type(value, what)
    return value


_SCOPE: Final = _integer(0, SCOPES)
_MEDIA: Final = _integer(0, MEDIA)
_COUNT: Final = _integer(0)
_SUM: Final = _bytes(SUM_BYTES, SUM_BYTES)
_UPPER: Final = _bytes(0, KEY_BYTES)
_DIGEST: Final = _bytes(DIGEST_BYTES, DIGEST_BYTES)
_CID: Final = Shape(_read_cid, raw_bytes)
_FOLLOWED: Final = _list(Shape(_followed, _write_followed), limits.NODE_FOLLOWED)
_HEADS: Final = _list(_DIGEST, limits.NODE_HEADS)


# --- the table ------------------------------------------------------------------------------------

_TOPIC: Final = Field("topic", _CID)
_IN_SCOPE: Final = Field("scope", _SCOPE)
_STATE: Final = (Field("count", _COUNT), Field("sum", _SUM), Field("heads", _HEADS))

_TABLE: Final[Mapping[type[Message], tuple[Field, ...]]] = {
    Hello: (
        Field("versions", _list(_integer(0), limits.NODE_VERSIONS, least=1)),
        Field("features", _list(_text(1, limits.NODE_FEATURE_BYTES), limits.NODE_FEATURES)),
        Field("agent", _text(0, limits.NODE_AGENT_BYTES)),
        Field("listen", _list(_text(1, limits.NODE_ADDRESS_BYTES), limits.NODE_LISTEN)),
        Field("nonce", _bytes(NONCE_BYTES, NONCE_BYTES)),
    ),
    Follow: (Field("topics", Shape(_read_topics, _FOLLOWED.write)),),
    Push: (
        _TOPIC,
        Field(
            "objects",
            _list(_bytes(0, limits.NODE_PUSH_OBJECT_BYTES), limits.NODE_PUSH_OBJECTS, least=1),
            optional=True,
        ),
        Field("cids", _list(_DIGEST, limits.NODE_PUSH_DIGESTS, least=1), optional=True),
    ),
    Heads: (_TOPIC, _IN_SCOPE, *_STATE),
    State: _STATE,
    Recon: (_TOPIC, _IN_SCOPE, Field("ranges", _ranges(3))),
    Ranges: (Field("ranges", _ranges(4)),),
    Get: (
        _TOPIC,
        Field("cids", _list(_CID, limits.NODE_GET_CIDS, least=1)),
        Field("file", _CID, optional=True),
    ),
    Blocks: (
        Field("blocks", _list(_or_nil(_bytes(0, limits.BLOCK_BYTES)), limits.NODE_BLOCKS)),
        Field("last", Shape(_read_boolean)),
        Field("next", _bytes(KEY_BYTES, KEY_BYTES), optional=True),
    ),
    Pull: (
        _TOPIC,
        _IN_SCOPE,
        Field("after", Shape(_key_or_empty)),
        Field("most", _integer(1, limits.NODE_PULL_BYTES)),
    ),
    Peers: (Field("most", _integer(1, limits.NODE_RECORDS_ASKED)),),
    Records: (
        Field("records", _list(_bytes(0, limits.NODE_RECORD_BYTES), limits.NODE_RECORDS_ASKED)),
    ),
    Ping: (),
    Pong: (),
    Bye: (
        Field("code", _text(0, limits.NODE_CODE_BYTES)),
        Field("text", _text(0, limits.NODE_BYE_TEXT_BYTES)),
    ),
    Sorry: (Field("code", _word(SORRY_CODES)), Field("wait", _integer(0), "wait_ms")),
}


class Form:
    """How the body of one message is read and written."""

    __slots__ = ("_fields", "message", "name", "numbers")

    def __init__(self, message: type[Message], fields: tuple[Field, ...]) -> None:
        self.message = message
        self.name = message.__name__.upper()
        self.numbers = (0, 0) if message in NOTICES else (1, limits.NODE_REQUEST_ID)
        """Lowest and highest id of its frames [NET-7]."""
        self._fields = [
            (name, attribute or name, shape.read, shape.write, optional)
            for name, shape, attribute, optional in fields
        ]

    def read(self, body: dict[str, Any]) -> tuple[Message, int]:
        """The message, and how many entries of the body are fields of it.

        Raises:
            DecodeError: NET-8, or NET-15 where ranges are wrong.
        """
        values: dict[str, Any] = {}
        for name, attribute, read, _, optional in self._fields:
            if name in body:
                try:
                    values[attribute] = read(body[name])
                except DecodeError as error:
                    raise _inside(f"{self.name}, {name}", error) from error
            elif not optional:
                raise _fault(f"{self.name} without {name}; it is required")
        if self.message is Push and len(values) == 1:
            raise _fault("PUSH with neither objects nor cids; at least one is required")
        return self.message(**values), len(values)

    def write(self, message: Message) -> dict[str, Any]:
        """The body of a message, for msgpack."""
        body: dict[str, Any] = {}
        for name, attribute, _, write, optional in self._fields:
            value = getattr(message, attribute)
            if not (optional and not value):
                body[name] = write(value) if write else value
        return body


FORMS: Final[Mapping[int, Form]] = {
    message.TYPE: Form(message, fields) for message, fields in _TABLE.items()
}
"""By type [NET-7]."""
