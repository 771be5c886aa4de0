"""Just enough arithmetic on edwards25519 to ask whether a point lies in the prime-order subgroup.

Not constant-time, and need not be: it only ever sees public keys. Points are (X, Y, Z, T) with x = X/Z, y = Y/Z and
T = XY/Z, as in RFC 8032, section 5.1.4.
"""

from __future__ import annotations

from typing import Final, TypeAlias

__all__ = ["FIELD_PRIME", "GROUP_ORDER", "decompress", "is_in_prime_subgroup"]

FIELD_PRIME: Final = 2**255 - 19
"""p, the size of the field of coordinates."""
GROUP_ORDER: Final = 2**252 + 27742317777372353535851937790883648493
"""L, the order of the subgroup in which honest keys lie; the curve has 8 L points."""

P: Final = FIELD_PRIME
D: Final = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_ONE: Final = pow(2, (P - 1) // 4, P)

Point: TypeAlias = tuple[int, int, int, int]


def decompress(encoded: bytes) -> Point | None:
    """The point of a 32-byte encoding whose y is below p; None where the curve has no such point."""
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number & ((1 << 255) - 1)
    numerator, denominator = (y * y - 1) % P, (D * y * y + 1) % P
    x = numerator * denominator**3 * pow(numerator * denominator**7, (P - 5) // 8, P) % P
    if (denominator * x * x + numerator) % P == 0:
        x = x * ROOT_OF_MINUS_ONE % P
    if (denominator * x * x - numerator) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


def is_in_prime_subgroup(point: Point) -> bool:
    """[L]point is the neutral element. Double and add from the top bit: about a millisecond."""
    total = point
    for bit in bin(GROUP_ORDER)[3:]:
        total = _double(total)
        if bit == "1":
            total = _add(total, point)
    x, y, z, _ = total
    return x == 0 and y == z


def _add(left: Point, right: Point) -> Point:
    x1, y1, z1, t1 = left
    x2, y2, z2, t2 = right
    a = (y1 - x1) * (y2 - x2) % P
    b = (y1 + x1) * (y2 + x2) % P
    c = 2 * D * t1 * t2 % P
    d = 2 * z1 * z2 % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _double(point: Point) -> Point:
    x, y, z, _ = point
    a, b = x * x % P, y * y % P
    h, g = a + b, a - b
    e = h - (x + y) * (x + y) % P
    f = 2 * z * z % P + g
    return e * f % P, g * h % P, f * g % P, e * h % P
