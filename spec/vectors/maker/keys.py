"""keys.json: chapter 02, keys and key envelopes."""

from __future__ import annotations

import unicodedata
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from maker import curve, wire
from maker.book import Book
from maker.curve import TORSION, P
from maker.identity_files import key_files
from maker.signatures import OTHER, PUBLIC, SEED, signatures

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
