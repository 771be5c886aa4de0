"""The ranges of RECON and RANGES, to bytes and back. Whatever is wrong with them breaks NET-15."""

from __future__ import annotations

from typing import Any, Final

from hitp2p import limits
from hitp2p.errors import DecodeError
from hitp2p.protocol.messages import Range
from hitp2p.protocol.shapes import Shape, check_list, fault, integer, octets, wrong_type

__all__ = ["range_list"]

DIGEST_BYTES: Final = 32
_COUNT: Final = integer(0)
_SUM: Final = octets(16, 16)
_UPPER: Final = octets(0, 40)


def range_list(n_modes: int) -> Shape:
    """1 to 1,024 ranges that rise, the last without a bound, in the first so many modes."""

    def read(value: Any) -> tuple[Range, ...]:
        found: list[Range] = []
        try:
            check_list(value, 1, limits.NODE_RANGES)
            before = b""
            for one in value:
                if found and not before:
                    raise fault("a range behind the one without an upper bound")
                found.append(_read_range(one, before, n_modes))
                before = found[-1].upper
            if before:
                raise fault("an upper bound behind which no range follows")
        except DecodeError as error:
            raise DecodeError(f"entry {len(found)}: {error.message}", rule="NET-15") from error
        return tuple(found)

    return Shape(read, _write)


def _read_range(value: Any, before: bytes, n_modes: int) -> Range:
    if value.__class__ is not tuple or len(value) != 3:
        raise wrong_type(value, "an array of upper, mode and payload")
    upper, mode, payload = value
    _UPPER.read(upper)
    if upper and upper <= before:
        raise fault("an upper bound that isn't above the one before")
    if type(mode) is not int or not 0 <= mode < n_modes:
        raise fault(f"mode {mode!a:.32}; allowed are 0 to {n_modes - 1}")
    return _READ_PAYLOAD[mode](upper, payload)


def _nothing(upper: bytes, value: Any) -> Range:
    if value is not None:
        raise wrong_type(value, "nil")
    return Range(upper, 0)


def _counted(upper: bytes, value: Any) -> Range:
    count, fingerprint = _pair(value, "an array of count and fingerprint")
    return Range(upper, 1, _COUNT.read(count), _SUM.read(fingerprint))


def _listed(upper: bytes, value: Any) -> Range:
    return Range(upper, 2, 0, b"", _digests(value))


def _differing(upper: bytes, value: Any) -> Range:
    digests, places = _pair(value, "an array of digests and places")
    if places.__class__ is not tuple:
        raise wrong_type(places, "an array of places")
    before = -1
    for place in places:
        if type(place) is not int:
            raise wrong_type(place, "a place, an integer,")
        if place <= before:
            raise fault(f"place {place} behind {before}; allowed are places that rise from 0")
        before = place
    return Range(upper, 3, 0, b"", _digests(digests), places)


_READ_PAYLOAD: Final = (_nothing, _counted, _listed, _differing)
"""By mode."""


def _pair(value: Any, what: str) -> tuple[Any, Any]:
    if value.__class__ is not tuple or len(value) != 2:
        raise wrong_type(value, what)
    return value


def _digests(value: Any) -> tuple[bytes, ...]:
    if type(value) is not bytes:
        raise wrong_type(value, "digests in bytes")
    if len(value) % DIGEST_BYTES:
        raise fault(f"{len(value)} bytes of digests; allowed are multiples of {DIGEST_BYTES}")
    return tuple([value[at : at + DIGEST_BYTES] for at in range(0, len(value), DIGEST_BYTES)])


def _write(ranges: tuple[Range, ...]) -> tuple[tuple[bytes, int, Any], ...]:
    return tuple([(one.upper, one.mode, _payload(one)) for one in ranges])


def _payload(one: Range) -> Any:
    if one.mode == 0:
        return None
    if one.mode == 1:
        return (one.count, one.sum)
    digests = b"".join(one.digests)
    return digests if one.mode == 2 else (digests, one.places)
