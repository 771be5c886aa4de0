"""The part of keys.json on signatures, and the keys that the rest of it uses."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from maker import curve, wire
from maker.book import Book
from maker.curve import TORSION, L, P

DOMAIN = b"hitp2p/object/1\0"
SEED = wire.sha256(b"hitp2p vectors: key 1")
OTHER = wire.sha256(b"hitp2p vectors: key 2")
PUBLIC = curve.public(SEED)


def case(
    public: bytes, signature: bytes, message: bytes, domain: bytes = DOMAIN
) -> dict[str, bytes]:
    return {"public": public, "signature": signature, "domain": domain, "message": message}


def grind(make: Callable[[bytes], tuple[bytes, bytes] | None]) -> tuple[bytes, bytes, bytes]:
    """The first message under which `make` gives a key and a signature, with both."""
    for n in itertools.count():
        message = b"message %d" % n
        made = make(message)
        if made is not None:
            return *made, message
    raise AssertionError


def holds(public: bytes, signature: bytes, message: bytes) -> tuple[bytes, bytes] | None:
    return (
        (public, signature) if curve.equation_holds(public, signature, DOMAIN + message) else None
    )


def signatures(book: Book) -> None:
    def good(name: str, rule: str, why: str, data: dict[str, bytes]) -> None:
        book.valid(name, rule, why, "signature", data)

    def bad(name: str, rule: str, why: str, data: dict[str, bytes], **more: Any) -> None:
        book.invalid(name, rule, why, "signature", data, **more)

    message = b"message"
    right = curve.sign(SEED, DOMAIN + message)
    s = int.from_bytes(right[32:], "little")
    good("signature", "KEY-4", "an ordinary signature", case(PUBLIC, right, message))
    good("empty-message", "KEY-4", "an empty message", case(PUBLIC, curve.sign(SEED, DOMAIN), b""))
    bad("short", "KEY-1", "63 bytes", case(PUBLIC, right[:-1], message))
    bad("long", "KEY-1", "65 bytes", case(PUBLIC, right + b"\0", message))
    bad("empty", "KEY-1", "no bytes", case(PUBLIC, b"", message))
    bad(
        "s-plus-l",
        "KEY-1",
        "S + L in place of S: the equation holds",
        case(PUBLIC, right[:32] + (s + L).to_bytes(32, "little"), message),
    )
    bad("s-is-l", "KEY-1", "S = L", case(PUBLIC, right[:32] + L.to_bytes(32, "little"), message))
    bad(
        "s-top-bits",
        "KEY-1",
        "S with its top bit set",
        case(PUBLIC, right[:32] + (s | 1 << 255).to_bytes(32, "little"), message),
    )
    for k in (k for k in range(2, 19) if curve.recover_x(k, 0) is not None):
        for sign in (0, 1):
            encoding = (P + k | sign << 255).to_bytes(32, "little")
            bad(
                f"a-p-plus-{k}-sign-{sign}",
                "KEY-2",
                "the key's y is not reduced; nobody has its private key",
                case(encoding, right, message),
            )
            bad(
                f"r-p-plus-{k}-sign-{sign}",
                "KEY-2",
                "R's y is not reduced; nobody can make the S that fits",
                case(PUBLIC, encoding + right[32:], message),
            )
    for k, sign in itertools.product((0, 1), (0, 1)):
        encoding = (P + k | sign << 255).to_bytes(32, "little")
        bad(
            f"a-small-p-plus-{k}-sign-{sign}",
            "KEY-2",
            "of small order too; KEY-2 comes first",
            case(encoding, right, message),
        )
        bad(
            f"r-small-p-plus-{k}-sign-{sign}",
            "KEY-2",
            "of small order too; KEY-2 comes first",
            case(PUBLIC, encoding + right[32:], message),
        )
    small_order(bad)
    mixed_order(good, bad)
    bad("other-message", "KEY-4", "another message", case(PUBLIC, right, b"massage"))
    bad("other-key", "KEY-4", "another key", case(curve.public(OTHER), right, message))
    bad(
        "r-changed",
        "KEY-4",
        "R of another signature",
        case(PUBLIC, curve.sign(SEED, b"other")[:32] + right[32:], message),
    )
    bad("s-zero", "KEY-4", "S = 0", case(PUBLIC, right[:32] + bytes(32), message))
    off_curve = next(y for y in range(2, 50) if curve.recover_x(y, 0) is None).to_bytes(
        32, "little"
    )
    bad("a-off-curve", "KEY-4", "the key is no point of the curve", case(off_curve, right, message))
    bad(
        "r-off-curve",
        "KEY-4",
        "R is no point of the curve",
        case(PUBLIC, off_curve + right[32:], message),
    )
    covers = {"covers": ["KEY-6"]}
    bad(
        "without-domain",
        "KEY-4",
        "signed without a domain",
        case(PUBLIC, curve.sign(SEED, message), message),
        **covers,
    )
    bad(
        "other-domain",
        "KEY-4",
        "signed under hitp2p/object/2",
        case(PUBLIC, curve.sign(SEED, b"hitp2p/object/2\0" + message), message),
        **covers,
    )
    bad(
        "domain-without-zero",
        "KEY-4",
        "signed under the domain without its zero byte",
        case(PUBLIC, curve.sign(SEED, DOMAIN[:-1] + message), message),
        **covers,
    )


def small_order(bad: Callable[..., None]) -> None:
    """Keys and R of small order, in signatures for which the equation holds."""
    encodings = {curve.to_bytes(curve.times(n, TORSION)) for n in range(8)}
    encodings |= {bytes([*e[:31], e[31] | 0x80]) for e in encodings if curve.from_bytes(e)[0] == 0}
    s = curve.hash_scalar(b"some scalar")
    big_r = curve.to_bytes(curve.times(s, curve.BASE))
    mixed = curve.to_bytes(curve.add(curve.from_bytes(PUBLIC), TORSION))
    a = curve.scalar(SEED)[0]
    for n, encoding in enumerate(sorted(encodings)):
        if curve.from_bytes(encoding)[0] == 0 and encoding[31] & 0x80:
            bad(
                f"a-small-{n}",
                "KEY-3",
                "a key of small order, x = 0 with a sign",
                case(encoding, big_r + s.to_bytes(32, "little"), b"message"),
            )
            continue
        public, signature, message = grind(
            lambda m, e=encoding: holds(e, big_r + s.to_bytes(32, "little"), m)
        )
        bad(
            f"a-small-{n}",
            "KEY-3",
            "a key of small order; the equation holds",
            case(public, signature, message),
        )

        def with_r(m: bytes, r: bytes = encoding) -> tuple[bytes, bytes] | None:
            k = curve.hash_scalar(r, mixed, DOMAIN + m)
            return holds(mixed, r + (k * a % L).to_bytes(32, "little"), m)

        public, signature, message = grind(with_r)
        bad(
            f"r-small-{n}",
            "KEY-3",
            "R of small order; the equation holds",
            case(public, signature, message),
        )


def mixed_order(good: Callable[..., None], bad: Callable[..., None]) -> None:
    """Keys and R with a part of small order: only the cofactored equation always holds."""
    mixed = curve.to_bytes(curve.add(curve.from_bytes(PUBLIC), TORSION))

    def signed(m: bytes) -> bytes:
        return curve.sign(SEED, DOMAIN + m, key=mixed)

    good(
        "a-mixed",
        "KEY-4",
        "a key of mixed order; the equation happens to hold",
        case(*grind(lambda m: holds(mixed, signed(m), m))),
    )
    bad(
        "a-mixed-cofactored",
        "KEY-4",
        "a key of mixed order; only the cofactored equation holds",
        case(*grind(lambda m: None if holds(mixed, signed(m), m) else (mixed, signed(m)))),
    )
    bad(
        "r-mixed-cofactored",
        "KEY-4",
        "R of mixed order; only the cofactored equation holds",
        case(PUBLIC, curve.sign(SEED, DOMAIN + b"message", r_offset=TORSION), b"message"),
    )
