"""Unsigned varints of multiformats: seven bits a byte, lowest first, shortest form only, at most 9 bytes."""

from __future__ import annotations

from typing import Final

from hitp2p.errors import DecodeError
from hitp2p.limits import VARINT_BYTES

__all__ = ["VARINT_MAX", "encode_varint", "parse_varint"]

VARINT_MAX: Final = (1 << (7 * VARINT_BYTES)) - 1
"""Largest number that a varint holds."""


def parse_varint(
    data: bytes | bytearray, offset: int = 0, *, rule: str = "CAR-2"
) -> tuple[int, int]:
    """The number at `offset`, and the offset after it.

    Raises:
        DecodeError: `rule`, for a varint that is cut short, too long, or padded with zero bits.
    """
    value = 0
    for length, byte in enumerate(data[offset : offset + VARINT_BYTES]):
        value |= (byte & 0x7F) << (7 * length)
        if byte < 0x80:
            if byte == 0 and length > 0:
                raise DecodeError(
                    "varint isn't in its shortest form: its last byte is zero",
                    rule=rule,
                    offset=offset,
                )
            return value, offset + length + 1
    if len(data) - offset < VARINT_BYTES:
        raise DecodeError("the input ends inside a varint", rule=rule, offset=offset)
    raise DecodeError(
        f"varint of more than {VARINT_BYTES} bytes; at most {VARINT_BYTES} allowed",
        rule=rule,
        offset=offset,
    )


def encode_varint(value: int) -> bytes:
    """The one spelling of `value`, which lies between 0 and `VARINT_MAX`."""
    if not 0 <= value <= VARINT_MAX:
        raise ValueError(f"varint {value}; 0 to {VARINT_MAX} allowed")
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
