"""keys.json: chapter 02, signatures and key envelopes."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from maker import curve, wire
from maker.book import Book
from maker.curve import TORSION, L, P
from maker.identity_files import key_files

DOMAIN = b"hitp2p/object/1\0"
SEED = wire.sha256(b"hitp2p vectors: key 1")
OTHER = wire.sha256(b"hitp2p vectors: key 2")
PUBLIC = curve.public(SEED)
KEY_FIELDS: dict[str, Any] = {
    "hitp2p": "key/1",
    "kdf": "argon2id",
    "memory_kib": 8,
    "passes": 1,
    "lanes": 1,
    "salt": bytes(range(16)),
    "aead": "chacha20-poly1305",
    "nonce": bytes(range(12)),
    "public": PUBLIC,
}
"""What a key envelope holds beside its sealed bytes; small costs, so that tests are quick."""


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


def identity_keys(book: Book) -> None:
    point = curve.from_bytes(PUBLIC)
    book.valid("subgroup", "KEY-5", "an ordinary key", "identity-key", PUBLIC)
    for n in (1, 2, 4):
        mixed = curve.to_bytes(curve.add(point, curve.times(n, TORSION)))
        book.invalid(
            f"mixed-order-{8 // n}",
            "KEY-5",
            f"a point of order {8 // n} is added",
            "identity-key",
            mixed,
        )
    off_curve = next(y for y in range(2, 50) if curve.recover_x(y, 0) is None).to_bytes(
        32, "little"
    )
    book.invalid("off-curve", "KEY-5", "no point of the curve", "identity-key", off_curve)
    book.invalid(
        "identity-key-p-plus-3",
        "KEY-2",
        "y is not reduced",
        "identity-key",
        (P + 3).to_bytes(32, "little"),
    )
    book.invalid(
        "identity-key-small", "KEY-3", "a point of order 8", "identity-key", curve.to_bytes(TORSION)
    )
    book.invalid(
        "identity-key-neutral",
        "KEY-3",
        "the neutral element",
        "identity-key",
        curve.to_bytes(curve.NEUTRAL),
    )


def did_keys(book: Book) -> None:
    def did(data: bytes) -> str:
        return "did:key:z" + wire.base58(data)

    body = b"\xed\x01" + PUBLIC
    right = did(body)
    book.valid("did-key", "KEY-7", "an Ed25519 did:key", "did-key", right, public=PUBLIC)
    for name, text, why in (
        ("x25519", did(b"\xec\x01" + PUBLIC), "the code of X25519"),
        ("short", did(body[:-1]), "31 bytes of key"),
        ("long", did(body + b"\0"), "33 bytes of key"),
        ("code-not-minimal", did(b"\xed\x81\x00" + PUBLIC), "a code that is not minimal"),
        ("no-code", did(PUBLIC), "no code"),
        ("leading-one", "did:key:z1" + wire.base58(body), "a zero byte in front"),
        ("other-base", "did:key:f" + body.hex(), "in hex"),
        ("other-method", right.replace("did:key", "did:web"), "another method"),
        ("upper-case", right.replace("did:key", "DID:KEY"), "upper case"),
        ("fragment", f"{right}#{right[8:]}", "a fragment behind"),
        ("letter-l", right[:-1] + "l", "a character that base58btc has not"),
        ("space", right + " ", "a space behind"),
        ("empty", "", "nothing"),
    ):
        book.invalid(f"did-{name}", "KEY-7", why, "did-key", text)


def key_envelope(
    passphrase: str, seed: bytes = SEED, *, without: str = "", **changes: Any
) -> bytes:
    """A key envelope. `changes` are made before sealing, so that the seal fits them."""
    fields = KEY_FIELDS | {"public": curve.public(seed)} | changes
    fields.pop(without, None)
    try:
        if fields["memory_kib"] > 1024 * 1024:
            raise MemoryError
        secret = unicodedata.normalize("NFC", passphrase).encode()
        cost = {
            "iterations": fields["passes"],
            "lanes": fields["lanes"],
            "memory_cost": fields["memory_kib"],
        }
        key = Argon2id(salt=fields["salt"], length=32, **cost).derive(secret)
        sealed = ChaCha20Poly1305(key).encrypt(fields["nonce"], seed, wire.encode(fields))
    except (ValueError, TypeError, KeyError, OverflowError, MemoryError):
        sealed = bytes(
            48
        )  # no library takes these parameters: the reader has to refuse them unseen
    return wire.encode({"sealed": sealed} | fields if without != "sealed" else fields)


def key_envelopes(book: Book) -> None:
    passphrase = "correct horse"

    def good(name: str, why: str, data: bytes, said: str = passphrase) -> None:
        book.valid(name, "KEY-8", why, "key-envelope", data, passphrase=said, seed=SEED)

    def bad(name: str, why: str, **changes: Any) -> None:
        book.invalid(
            name,
            "KEY-8",
            why,
            "key-envelope",
            key_envelope(passphrase, **changes),
            passphrase=passphrase,
        )

    good("key-envelope", "small costs, so that tests are quick", key_envelope(passphrase))
    good(
        "nfd-passphrase",
        "the passphrase is given in NFD and sealed in NFC",
        key_envelope("caf\u00e9"),
        "cafe\u0301",
    )
    good("passes-64", "64 passes", key_envelope(passphrase, passes=64))
    good(
        "lanes-16",
        "16 lanes, the least memory for them",
        key_envelope(passphrase, lanes=16, memory_kib=128),
    )
    for name, why, changes in (
        ("memory-7", "7 KiB for a lane", {"memory_kib": 7}),
        ("memory-15-for-2", "15 KiB for 2 lanes", {"memory_kib": 15, "lanes": 2}),
        ("memory-over-1-gib", "1 GiB and 1 KiB", {"memory_kib": 1_048_577}),
        ("memory-huge", "2^62 KiB", {"memory_kib": 2**62}),
        ("memory-negative", "negative memory", {"memory_kib": -8}),
        ("passes-0", "no pass", {"passes": 0}),
        ("passes-65", "65 passes", {"passes": 65}),
        ("lanes-0", "no lane", {"lanes": 0}),
        ("lanes-17", "17 lanes", {"lanes": 17, "memory_kib": 136}),
        ("memory-bool", "true in place of a number", {"passes": True}),
        ("salt-15", "15 bytes of salt", {"salt": bytes(15)}),
        ("nonce-13", "13 bytes of nonce", {"nonce": bytes(13)}),
        ("public-31", "31 bytes of public key", {"public": PUBLIC[:-1]}),
        ("kdf-other", "another key derivation", {"kdf": "scrypt"}),
        ("aead-other", "another cipher", {"aead": "aes-256-gcm"}),
        ("format-other", "another format", {"hitp2p": "key/2"}),
        ("extra-field", "a field more", {"comment": ""}),
        ("without-salt", "no salt", {"without": "salt"}),
        ("without-sealed", "nothing sealed", {"without": "sealed"}),
        ("over-4-kib", "more than 4 KiB, by a field more", {"comment": "x" * 4096}),
    ):
        bad(name, why, **changes)
    short = wire.encode(KEY_FIELDS | {"sealed": bytes(47)})
    book.invalid(
        "sealed-47", "KEY-8", "47 sealed bytes", "key-envelope", short, passphrase=passphrase
    )
    book.invalid("not-a-map", "KEY-8", "an array", "key-envelope", b"\x80", passphrase=passphrase)
    book.invalid(
        "trailing",
        "ENC-8",
        "a newline behind the map",
        "key-envelope",
        key_envelope(passphrase) + b"\n",
        passphrase=passphrase,
    )
    book.invalid(
        "public-of-another",
        "KEY-9",
        "the public key of another seed, sealed with it",
        "key-envelope",
        key_envelope(passphrase, public=curve.public(OTHER)),
        passphrase=passphrase,
    )
    right = key_envelope(passphrase)
    book.other(
        "wrong-passphrase",
        "KEY-9",
        "passphrase",
        "another passphrase",
        "key-envelope",
        right,
        passphrase="wrong horse",
    )
    changed = right.replace(b"fpasses\x01", b"fpasses\x02")
    book.other(
        "passes-changed",
        "KEY-9",
        "passphrase",
        "passes were changed after sealing",
        "key-envelope",
        changed,
        passphrase=passphrase,
    )
    public_changed = right.replace(PUBLIC, curve.public(OTHER))
    book.other(
        "public-changed",
        "KEY-9",
        "passphrase",
        "the public key was changed after sealing: associated data",
        "key-envelope",
        public_changed,
        passphrase=passphrase,
    )
    sealed_at = right.index(b"fsealed") + 7 + 2
    changed = right[:sealed_at] + bytes([right[sealed_at] ^ 1]) + right[sealed_at + 1 :]
    book.other(
        "sealed-changed",
        "KEY-9",
        "passphrase",
        "one sealed bit is another",
        "key-envelope",
        changed,
        passphrase=passphrase,
    )


def keys() -> Book:
    book = Book("keys")
    signatures(book)
    identity_keys(book)
    did_keys(book)
    key_envelopes(book)
    key_files(book)
    return book
