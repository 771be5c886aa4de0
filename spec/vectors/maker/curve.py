"""Ed25519 from RFC 8032 in plain integers, to make what no library would: mixed-order keys, S + L, wrong encodings."""

from __future__ import annotations

import hashlib

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_MINUS_ONE = pow(2, (P - 1) // 4, P)

Point = tuple[int, int]
NEUTRAL: Point = (0, 1)


def add(a: Point, b: Point) -> Point:
    (x1, y1), (x2, y2) = a, b
    cross = D * x1 * x2 * y1 * y2
    x = (x1 * y2 + x2 * y1) * pow(1 + cross, P - 2, P)
    y = (y1 * y2 + x1 * x2) * pow(1 - cross, P - 2, P)
    return x % P, y % P


def times(n: int, point: Point) -> Point:
    """n * point, in projective coordinates (X : Y : Z : T), so that one inversion is enough."""
    sum_, addend = (0, 1, 1, 0), (*point, 1, point[0] * point[1] % P)
    while n:
        if n & 1:
            sum_ = _add_projective(sum_, addend)
        addend, n = _add_projective(addend, addend), n >> 1
    inverse = pow(sum_[2], P - 2, P)
    return sum_[0] * inverse % P, sum_[1] * inverse % P


def _add_projective(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, int, int, int]:
    """RFC 8032, section 5.1.4; complete, so it doubles too."""
    f, g = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    c, d = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = g - f, d - c, d + c, g + f
    return e * f % P, g * h % P, f * g % P, e * h % P


def recover_x(y: int, sign: int) -> int | None:
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * SQRT_MINUS_ONE % P
    if (x * x - square) % P:
        return None
    return x if x & 1 == sign else (P - x) % P


def to_bytes(point: Point) -> bytes:
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def from_bytes(data: bytes) -> Point:
    number = int.from_bytes(data, "little")
    y = number & (1 << 255) - 1
    x = recover_x(y, number >> 255)
    if x is None:
        raise ValueError("not on the curve")
    return x, y


BASE: Point = (recover_x(4 * pow(5, P - 2, P) % P, 0) or 0, 4 * pow(5, P - 2, P) % P)


def order_eight() -> Point:
    """A generator of the small-order points."""
    for y in range(2, 100):
        x = recover_x(y, 0)
        if x is not None:
            point = times(L, (x, y))
            if times(4, point) != NEUTRAL:
                return point
    raise AssertionError


TORSION = order_eight()


def scalar(seed: bytes) -> tuple[int, bytes]:
    h = hashlib.sha512(seed).digest()
    number = int.from_bytes(h[:32], "little") & ((1 << 254) - 8) | 1 << 254
    return number, h[32:]


def hash_scalar(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little") % L


def public(seed: bytes) -> bytes:
    return to_bytes(times(scalar(seed)[0], BASE))


def sign(
    seed: bytes, message: bytes, *, key: bytes | None = None, r_offset: Point = NEUTRAL
) -> bytes:
    """A signature. `key` is hashed as A in place of the seed's key; `r_offset` is added to R."""
    a, prefix = scalar(seed)
    key = key or to_bytes(times(a, BASE))
    r = hash_scalar(prefix, message)
    big_r = to_bytes(add(times(r, BASE), r_offset))
    s = (r + hash_scalar(big_r, key, message) * a) % L
    return big_r + s.to_bytes(32, "little")


def equation_holds(key: bytes, signature: bytes, message: bytes) -> bool:
    """[S]B = R + [k]A, without any other check."""
    k = hash_scalar(signature[:32], key, message)
    left = times(int.from_bytes(signature[32:], "little"), BASE)
    return left == add(from_bytes(signature[:32]), times(k, from_bytes(key)))
