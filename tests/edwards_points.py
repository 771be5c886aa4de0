"""A second, slow edwards25519 for tests: affine coordinates and the addition law as it is written in RFC 8032.

Shares nothing with `hitp2p.keys.edwards`. It also makes what no honest signer makes: keys and signatures with a
small-order part.
"""

from __future__ import annotations

from hashlib import sha512
from typing import Final, TypeAlias

P: Final = 2**255 - 19
L: Final = 2**252 + 27742317777372353535851937790883648493
D: Final = -121665 * pow(121666, -1, P) % P

Point: TypeAlias = tuple[int, int]

NEUTRAL: Final[Point] = (0, 1)
BASE: Final[Point] = (
    15112221349535400772501151409588531511454012693041857206046113283949847762202,
    46316835694926478169428394003475163141307993866256225615783033603165251855960,
)


def add(left: Point, right: Point) -> Point:
    (x1, y1), (x2, y2) = left, right
    k = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + k, -1, P) % P
    y = (y1 * y2 + x1 * x2) * pow(1 - k, -1, P) % P
    return x, y


def times(n: int, point: Point) -> Point:
    total = NEUTRAL
    while n:
        if n & 1:
            total = add(total, point)
        point, n = add(point, point), n >> 1
    return total


def compress(point: Point) -> bytes:
    x, y = point
    return (y | (x & 1) << 255).to_bytes(32, "little")


_ORDER_8_Y: Final = int.from_bytes(
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
)


def _order_8() -> Point:
    y = _ORDER_8_Y
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    return x, y


TORSION: Final[tuple[Point, ...]] = tuple(times(i, _order_8()) for i in range(8))
"""The eight small-order points; the i-th is i times the first of order 8."""


def key_with_torsion(secret: int, i: int) -> bytes:
    """A public key of prime order (i = 0), or one with a small-order part."""
    return compress(add(times(secret % L, BASE), TORSION[i]))


def sign_with_torsion(
    secret: int, key_part: int, nonce: int, r_part: int, signed: bytes
) -> tuple[bytes, bytes, bool]:
    """A public key, a signature, and whether the cofactorless equation holds; the cofactored one always does."""
    public = key_with_torsion(secret, key_part)
    r = key_with_torsion(nonce, r_part)
    k = int.from_bytes(sha512(r + public + signed).digest(), "little") % L
    s = (nonce + k * secret) % L
    return public, r + s.to_bytes(32, "little"), (r_part + k * key_part) % 8 == 0
