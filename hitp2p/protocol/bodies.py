"""What stands in the body of each message [NET-8]: one table, which reading and writing both walk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from hitp2p import limits
from hitp2p.codec.cid import raw_bytes
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
    Ranges,
    Recon,
    Records,
    Sorry,
    State,
)
from hitp2p.protocol.range_lists import range_list
from hitp2p.protocol.shapes import (
    BOOLEAN,
    CID,
    Shape,
    fault,
    inside,
    integer,
    list_of,
    octets,
    or_nil,
    text,
    word,
    wrong_type,
)

__all__ = ["FORMS", "Form"]

DIGEST_BYTES: Final = 32
SUM_BYTES: Final = 16
KEY_BYTES: Final = 40
NONCE_BYTES: Final = 16


class Field(NamedTuple):
    """One field of a body."""

    name: str
    shape: Shape
    attribute: str = ""
    """What it is called in Python; empty: as on the wire."""
    optional: bool = False
    """May be absent; the message then has None or an empty tuple, which isn't written."""


# --- what only one field has ----------------------------------------------------------------------


def _read_followed(value: Any) -> Followed:
    if value.__class__ is not tuple or len(value) != 3:
        raise wrong_type(value, "an array of topic, scope and media")
    topic, scope, media = value
    return Followed(CID.read(topic), _SCOPE.read(scope), _MEDIA.read(media))


def _write_followed(one: Followed) -> tuple[bytes, int, int]:
    return (raw_bytes(one.topic), one.scope, one.media)


def _read_topics(value: Any) -> tuple[Followed, ...]:
    topics: tuple[Followed, ...] = _FOLLOWED.read(value)
    if len({one.topic for one in topics}) != len(topics):
        raise fault("a topic twice; allowed is each once")
    return topics


def _read_after(value: Any) -> bytes:
    if type(value) is not bytes:
        raise wrong_type(value, "bytes")
    if len(value) not in (0, KEY_BYTES):
        raise fault(f"{len(value)} bytes; allowed are {KEY_BYTES}, or none")
    return value


# --- the table ------------------------------------------------------------------------------------

_SCOPE: Final = integer(0, 1)
_MEDIA: Final = integer(0, 2)
_DIGEST: Final = octets(DIGEST_BYTES, DIGEST_BYTES)
_FOLLOWED: Final = list_of(Shape(_read_followed, _write_followed), limits.NODE_FOLLOWED)
_TOPIC: Final = Field("topic", CID)
_IN_SCOPE: Final = Field("scope", _SCOPE)
_STATE: Final = (
    Field("count", integer(0)),
    Field("sum", octets(SUM_BYTES, SUM_BYTES)),
    Field("heads", list_of(_DIGEST, limits.NODE_HEADS)),
)

_TABLE: Final[Mapping[type[Message], tuple[Field, ...]]] = {
    Hello: (
        Field("versions", list_of(integer(0), limits.NODE_VERSIONS, least=1)),
        Field("features", list_of(text(1, limits.NODE_FEATURE_BYTES), limits.NODE_FEATURES)),
        Field("agent", text(0, limits.NODE_AGENT_BYTES)),
        Field("listen", list_of(text(1, limits.NODE_ADDRESS_BYTES), limits.NODE_LISTEN)),
        Field("nonce", octets(NONCE_BYTES, NONCE_BYTES)),
    ),
    Follow: (Field("topics", Shape(_read_topics, _FOLLOWED.write)),),
    Push: (
        _TOPIC,
        Field(
            "objects",
            list_of(octets(0, limits.NODE_PUSH_OBJECT_BYTES), limits.NODE_PUSH_OBJECTS, least=1),
            optional=True,
        ),
        Field("cids", list_of(_DIGEST, limits.NODE_PUSH_DIGESTS, least=1), optional=True),
    ),
    Heads: (_TOPIC, _IN_SCOPE, *_STATE),
    State: _STATE,
    Recon: (_TOPIC, _IN_SCOPE, Field("ranges", range_list(3))),
    Ranges: (Field("ranges", range_list(4)),),
    Get: (
        _TOPIC,
        Field("cids", list_of(CID, limits.NODE_GET_CIDS, least=1)),
        Field("file", CID, optional=True),
    ),
    Blocks: (
        Field("blocks", list_of(or_nil(octets(0, limits.BLOCK_BYTES)), limits.NODE_BLOCKS)),
        Field("last", BOOLEAN),
        Field("next", octets(KEY_BYTES, KEY_BYTES), optional=True),
    ),
    Pull: (
        _TOPIC,
        _IN_SCOPE,
        Field("after", Shape(_read_after)),
        Field("most", integer(1, limits.NODE_PULL_BYTES)),
    ),
    Peers: (Field("most", integer(1, limits.NODE_RECORDS_ASKED)),),
    Records: (
        Field("records", list_of(octets(0, limits.NODE_RECORD_BYTES), limits.NODE_RECORDS_ASKED)),
    ),
    Ping: (),
    Pong: (),
    Bye: (
        Field("code", text(0, limits.NODE_CODE_BYTES)),
        Field("text", text(0, limits.NODE_BYE_TEXT_BYTES)),
    ),
    Sorry: (Field("code", word("absent", "busy", "unable")), Field("wait", integer(0), "wait_ms")),
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
                    raise inside(f"{self.name}, {name}", error) from error
            elif not optional:
                raise fault(f"{self.name} without {name}; it is required")
        if self.message is Push and len(values) == 1:
            raise fault("PUSH with neither objects nor cids; at least one is required")
        return self.message(**values), len(values)

    def write(self, message: Message) -> dict[str, Any]:
        """The body of a message, for msgpack."""
        body: dict[str, Any] = {}
        for name, attribute, _, write, optional in self._fields:
            value = getattr(message, attribute)
            if not (optional and (value is None or value == ())):
                body[name] = write(value) if write else value
        return body


FORMS: Final[Mapping[int, Form]] = {
    message.TYPE: Form(message, fields) for message, fields in _TABLE.items()
}
"""By type [NET-7]."""
