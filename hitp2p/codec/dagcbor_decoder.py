"""The strict decoder of dag-cbor [ENC-1..13]: the definition that the accelerator must agree with.

It reads with a stack of its own, so that no depth of nesting can exhaust Python's, and believes no length before it has
compared it with the bytes that are left.
"""

from __future__ import annotations

import struct
from typing import Any, Final

from hitp2p.codec.cid import LINK_BYTES, LINK_PREFIXES, Cid, new_link
from hitp2p.codec.profile import LINK_HEAD, Bounds, Value, is_plain_float
from hitp2p.errors import DecodeError

__all__ = ["decode_item"]

_LINKS: Final = frozenset(LINK_HEAD + prefix for prefix in LINK_PREFIXES)
"""How the links start that the object profile allows; the CID stands in the 36 bytes from the sixth on."""
_SIMPLE: Final[dict[int, bool | None]] = {0xF4: False, 0xF5: True, 0xF6: None}
_KINDS: Final = ("integer", "integer", "bytes", "text", "array", "map", "tag", "simple value")
_double: Final = struct.Struct(">d")
_names: Final[dict[bytes, str]] = {}
"""Short map keys as met before, by how they are encoded: one string for all objects, found quicker than it is made."""
_NAMES: Final = 1024
"""How many of them are remembered; at most 24 bytes each."""


def decode_item(data: bytes, bounds: Bounds) -> Value:
    """The one item that `data` is. Long on purpose: a function call for each item inside it would double the time."""
    size = len(data)
    position = 0
    root: list[Value] = []
    # The container being filled, how many items it lacks, and whether it is a map; then `last` is its last key as
    # encoded, head included, so that bytes compare as ENC-3 orders keys: by length first.
    box: Any = root
    lacking = 1
    is_map = False
    last = b""
    key = ""
    value: Any
    stack: list[tuple[Any, int, bool, bytes]] = []
    max_depth = bounds.depth
    at_bottom = False  # Whether one more level would be too deep.
    try:
        while True:
            if is_map:
                head = data[position]
                if 0x60 <= head < 0x78:
                    end = position + head - 0x5F
                    if end > size:
                        raise _ended(position)
                    raw = data[position:end]
                    if raw <= last:
                        raise _unordered(raw, last, position)
                    key = _names.get(raw) or _remember(raw)
                else:
                    body, end = _long_key(data, position, bounds)
                    raw = data[position:end]
                    if raw <= last:
                        raise _unordered(raw, last, position)
                    key = data[body:end].decode()
                last = raw
                position = end

            head = data[position]
            if 0x60 <= head < 0x78:  # short text
                end = position + head - 0x5F
                if end > size:
                    raise _ended(position)
                value = data[position + 1 : end].decode()
            elif head < 0x18:  # small number
                value = head
                end = position + 1
            elif head == 0xD8 and data[position : position + 9] in _LINKS:
                if at_bottom:
                    raise _too_deep(bounds, position)
                end = position + 5 + LINK_BYTES
                if end > size:
                    raise _ended(position)
                value = new_link(data[position + 5 : end])
            elif head < 0xC0:
                info = head & 0x1F
                if info < 0x18:
                    count = info
                    end = position + 1
                elif info == 0x18:
                    count = data[position + 1]
                    end = position + 2
                    if count < 0x18:
                        raise _not_shortest(position)
                else:
                    count, end = _argument(data, position)
                major = head >> 5
                if major < 2:
                    value = ~count if major else count
                    if not bounds.int_min <= value <= bounds.int_max:
                        raise _integer_out_of_range(value, bounds, position)
                elif major < 4:
                    body = end
                    end += count
                    if end > size:
                        raise _ended(position)
                    value = data[body:end].decode() if major == 3 else data[body:end]
                else:
                    if at_bottom:
                        raise _too_deep(bounds, position)
                    inner_map = major == 5
                    if inner_map and count > bounds.entries:
                        raise _too_many_entries(count, bounds, position)
                    # Each item takes a byte at least. Asked before anything is made.
                    if count << inner_map > size - end:
                        raise _ended(position)
                    value = {} if inner_map else []
                    if count:
                        if is_map:
                            box[key] = value
                        else:
                            box.append(value)
                        stack.append((box, lacking - 1, is_map, last))
                        at_bottom = len(stack) >= max_depth
                        box = value
                        lacking = count
                        is_map = inner_map
                        last = b""
                        position = end
                        continue
            elif head < 0xE0:
                if at_bottom:
                    raise _too_deep(bounds, position)
                value, end = _tag(data, position, bounds)
            else:
                value, end = _simple(data, position, bounds)

            position = end
            if is_map:
                box[key] = value
            else:
                box.append(value)
            lacking -= 1
            while not lacking:
                if not stack:
                    if position != size:
                        raise _fail("ENC-8", f"{size - position} bytes after the item", position)
                    return root[0]
                box, lacking, is_map, last = stack.pop()
                at_bottom = False
    except IndexError:
        raise _ended(size) from None
    except UnicodeDecodeError as error:
        raise _fail("ENC-7", f"text isn't valid UTF-8: {error.reason}", position) from None


def _remember(raw: bytes) -> str:
    """The text of a short key. (The empty key comes here each time.)"""
    key = raw[1:].decode()
    if len(_names) < _NAMES:
        _names[raw] = key
    return key


def _argument(data: bytes, position: int) -> tuple[int, int]:
    """The length or number of an item whose head says that 2, 4 or 8 bytes of it follow; and where it ends."""
    info = data[position] & 0x1F
    if info > 0x1B:
        if info == 0x1F and data[position] >= 0x40:
            raise _fail("ENC-2", "an item of indefinite length; only definite allowed", position)
        raise _fail("ENC-1", f"head {data[position]:#04x} is reserved in CBOR", position)
    width = 1 << (info - 0x18)
    end = position + 1 + width
    if end > len(data):
        raise _ended(position)
    count = int.from_bytes(data[position + 1 : end], "big")
    if count >> (width << 2) == 0:
        raise _not_shortest(position)
    return count, end


def _long_key(data: bytes, position: int, bounds: Bounds) -> tuple[int, int]:
    """Start and end of the text of a map key that isn't short text."""
    head = data[position]
    if head == 0x78:
        count, body = data[position + 1], position + 2
        if count < 0x18:
            raise _not_shortest(position)
    elif head >> 5 == 3:
        count, body = _argument(data, position)
    else:
        raise _fail("ENC-3", f"a map key that is {_KINDS[head >> 5]}; only text allowed", position)
    if count > bounds.key_bytes:
        raise _fail(
            "ENC-13", f"map key of {count} bytes; at most {bounds.key_bytes} allowed", position
        )
    if body + count > len(data):
        raise _ended(position)
    return body, body + count


def _tag(data: bytes, position: int, bounds: Bounds) -> tuple[Cid, int]:
    """A link that isn't of the common kind, and where it ends [ENC-4]."""
    head = data[position : position + 2]
    if len(head) < 2 and head == b"\xd8":
        raise _ended(position)
    if head != b"\xd8\x2a":
        raise _fail("ENC-4", "a tag other than 42, or 42 not in its shortest form", position)
    start = data[position + 2]
    if not 0x40 <= start < 0x60:
        raise _fail("ENC-4", f"tag 42 on {_KINDS[start >> 5]}; only on bytes allowed", position)
    count, body = start & 0x1F, position + 3
    if count == 0x18:
        count, body = data[body], body + 1
        if count < 0x18:
            raise _not_shortest(position + 2)
    elif count > 0x18:
        count, body = _argument(data, position + 2)
    if body + count > len(data):
        raise _ended(position)
    if count == 0 or data[body] != 0:
        raise _fail("ENC-4", "a link whose bytes don't start with zero", position)
    try:
        cid = Cid.from_bytes(data[body + 1 : body + count])
    except DecodeError as error:
        raise _fail(
            "ENC-4", f"a link that is no canonical CID: {error.message}", body + 1
        ) from None
    if not bounds.any_cid:
        try:
            cid.require_object_link()
        except DecodeError as error:
            raise _fail("ENC-16", error.message, body + 1) from None
    return cid, body + count


def _simple(data: bytes, position: int, bounds: Bounds) -> tuple[bool | float | None, int]:
    """False, true, null or a float, and where it ends [ENC-5, ENC-6]."""
    head = data[position]
    if head in _SIMPLE:
        return _SIMPLE[head], position + 1
    if head == 0xFF:
        raise _fail("ENC-2", "a break without an item of indefinite length", position)
    if head == 0xF9 or head == 0xFA:
        raise _fail("ENC-5", "a float of 16 or 32 bits; only 64 allowed", position)
    if head != 0xFB:
        raise _fail("ENC-6", "a simple value other than false, true and null", position)
    if not bounds.floats:
        raise _fail("ENC-10", "a float; none allowed in an object", position)
    if position + 9 > len(data):
        raise _ended(position)
    value: float = _double.unpack_from(data, position + 1)[0]
    if not is_plain_float(value):
        raise _fail("ENC-5", f"the float {value}; only finite ones but -0.0 allowed", position)
    return value, position + 9


def _fail(rule: str, message: str, position: int) -> DecodeError:
    return DecodeError(message, rule=rule, offset=position)


def _ended(position: int) -> DecodeError:
    return _fail("ENC-8", "the block ends before the item does", position)


def _not_shortest(position: int) -> DecodeError:
    return _fail("ENC-1", "an integer or length that isn't in its shortest form", position)


def _too_deep(bounds: Bounds, position: int) -> DecodeError:
    return _fail(bounds.depth_rule, f"nesting of more than {bounds.depth} levels", position)


def _too_many_entries(count: int, bounds: Bounds, position: int) -> DecodeError:
    return _fail("ENC-13", f"map of {count} entries; at most {bounds.entries} allowed", position)


def _integer_out_of_range(value: int, bounds: Bounds, position: int) -> DecodeError:
    return _fail(
        bounds.int_rule, f"integer {value}; {bounds.int_min} to {bounds.int_max} allowed", position
    )


def _unordered(raw: bytes, last: bytes, position: int) -> DecodeError:
    how = "stands twice" if raw == last else "isn't in order"
    return _fail("ENC-3", f"map key {raw[1:]!r} {how}", position)
