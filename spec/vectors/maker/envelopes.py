"""The part of objects.json on envelopes, signatures and encodings."""

from __future__ import annotations

from maker import curve, wire
from maker.drafts import ENVELOPE, KEY, Objects, changed, with_body
from maker.fields import (
    USE_SOURCE,
)
from maker.kinds import KINDS
from maker.shapes import many
from maker.sign import ALICE, BOB, DOMAIN, PROJECT_CID, in_project, ref, seal
from maker.wire import Link, Raw, cid, encode


def envelope(book: Objects) -> None:
    book.good("contribution", "OBJ-1", "a small contribution", changed())
    book.bad("extra-key", "OBJ-1", "an eleventh key", changed(extra=None))
    book.bad(
        "key-before-sig",
        "OBJ-1",
        "a key that sorts before sig, so that sig does not stand at offset 1",
        encode(ENVELOPE | {"id": 0, "sig": KEY.sign(DOMAIN + encode(ENVELOPE | {"id": 0}))}),
    )
    for field in ("body", "kind", "spec", "time", "signer"):
        book.bad(f"no-{field}", "OBJ-1", f"{field} is absent", changed(field))
    unsigned = encode(ENVELOPE)
    book.bad("no-sig", "OBJ-1", "sig is absent", unsigned)
    for field, value in {
        "body": [], "kind": b"contribution", "spec": "1", "time": "0", "event": bytes(ALICE.cid), "author": wire.cid_text(ALICE.cid),
        "signer": wire.cid_text(ALICE.cid), "parents": PROJECT_CID, "project": None,
    }.items():  # fmt: skip
        book.bad(
            f"type-of-{field}", "OBJ-1", f"{field} is of another type", changed(**{field: value})
        )
    book.bad("spec-true", "OBJ-1", "true in place of 1", changed(spec=True))
    book.bad("time-true", "OBJ-1", "true in place of a number", changed(time=True))
    book.bad(
        "signer-31-bytes",
        "OBJ-1",
        "a signer of 31 bytes",
        changed(signer=KEY.public[:-1]),
        also=["KEY-2"],
    )
    book.bad("parent-text", "OBJ-1", "a parent as text", changed(parents=[ref("x")]))
    for size in (63, 65):
        block = bytes([unsigned[0] + 1]) + encode("sig") + encode(bytes(size)) + unsigned[1:]
        book.bad(
            f"sig-of-{size}-bytes",
            "OBJ-1",
            f"a sig of {size} bytes",
            block,
            also=["KEY-1", "OBJ-6"],
        )
    book.bad(
        "sig-text",
        "OBJ-1",
        "a sig of text",
        bytes([unsigned[0] + 1]) + encode("sig") + encode("x" * 64) + unsigned[1:],
    )
    book.bad("not-a-map", "OBJ-1", "a list", encode([ENVELOPE["body"]]))
    room = 64 * 1024 - len(with_body(x=bytes(60_000)))
    book.good(
        "size-64-kib",
        "OBJ-2",
        "64 KiB, by a field that nobody knows",
        with_body(x=bytes(60_000 + room)),
    )
    book.bad("size-over-64-kib", "OBJ-2", "64 KiB and a byte", with_body(x=bytes(60_001 + room)))
    for spec in (0, 2, -1):
        book.bad(
            f"spec-{spec}".replace("--", "-minus-"),
            "OBJ-3",
            f"spec is {spec}",
            changed(spec=spec),
            code="newer-version",
        )
    book.bad(
        "spec-2-with-news",
        "OBJ-3",
        "spec is 2, and there is a key of which version 1 knows nothing",
        changed(spec=2, news=1),
        code="newer-version",
        also=["OBJ-1"],
    )
    for name, kind in {
        "empty": "",
        "33-characters": "x" * 33,
        "upper-case": "X-kind",
        "digit-first": "1x",
        "hyphen-first": "-x",
        "dot": "x.y",
        "space": "x y",
        "accent": "x-é",
        "newline": "x-kind\n",
    }.items():
        book.bad(f"kind-{name}", "OBJ-4", repr(kind), changed(kind=kind))
    for name, kind in {"one": "x", "32-characters": "x-" + "a" * 30, "all-sorts": "x-a_0"}.items():
        book.good(f"kind-{name}", "OBJ-4", repr(kind), changed(kind=kind, body={}))
    book.bad(
        "parents-empty",
        "OBJ-5",
        "an empty list of parents",
        changed(parents=[]),
        also=["OBJ-7", "OBJ-9"],
    )
    parents = many(cid(b""), 129)
    book.good("parents-128", "OBJ-7", "128 parents", changed(parents=parents[:128]))
    book.bad("parents-129", "OBJ-7", "129 parents", changed(parents=parents))
    book.bad(
        "parents-swapped",
        "OBJ-7",
        "two parents in descending order",
        changed(parents=parents[1::-1]),
    )
    book.bad("parents-twice", "OBJ-7", "a parent twice", changed(parents=[parents[0]] * 2))
    for name, time in {"0": 0, "2-53-minus-1": 2**53 - 1}.items():
        book.good(f"time-{name}", "OBJ-13", "at the limit", changed(time=time))
    for name, time in {"minus-1": -1, "2-53": 2**53}.items():
        book.bad(f"time-{name}", "OBJ-13", "past the limit", changed(time=time))


def signatures(book: Objects) -> None:
    right = changed()
    covers = {"also": ["KEY-4"], "code": "signature"}
    flipped = bytearray(right)
    flipped[-1] ^= 1
    book.bad(
        "bit-of-body",
        "OBJ-6",
        "one bit after the signature is another",
        bytes(flipped),
        also=["KEY-4", "OBJ-8", "OBJ-12", "OBJ-7", "OBJ-9"],
        code="signature",
    )
    fields = dict(ENVELOPE)
    book.bad(
        "another-key", "OBJ-6", "signed by another key than signer", seal(fields, BOB.key), **covers
    )
    book.bad(
        "another-domain",
        "OBJ-6",
        "signed under the domain hitp2p/object/2",
        seal(fields, KEY, b"hitp2p/object/2\0"),
        **covers,
    )
    book.bad("no-domain", "OBJ-6", "signed without a domain", seal(fields, KEY, b""), **covers)
    rest = encode(fields)

    def assembled(signature: bytes) -> bytes:
        return bytes([rest[0] + 1]) + encode("sig") + encode(signature) + rest[1:]

    book.bad(
        "head-not-lowered",
        "OBJ-6",
        "signed with the first byte as it stands in the block",
        assembled(KEY.sign(DOMAIN + bytes([rest[0] + 1]) + rest[1:])),
        **covers,
    )
    zeros = assembled(bytes(64))
    book.bad(
        "zeros-in-place",
        "OBJ-6",
        "signed over the block with zeros in place of the signature",
        assembled(KEY.sign(DOMAIN + zeros)),
        **covers,
    )
    good = KEY.sign(DOMAIN + rest)
    bigger = int.from_bytes(good[32:], "little") + curve.L
    book.bad(
        "object-s-plus-l",
        "KEY-1",
        "S + L in place of S",
        assembled(good[:32] + bigger.to_bytes(32, "little")),
        also=["OBJ-6"],
    )
    small = curve.to_bytes(curve.NEUTRAL)
    fields["signer"] = small
    rest = encode(fields)
    s = curve.hash_scalar(b"some scalar")
    anything = curve.to_bytes(curve.times(s, curve.BASE)) + s.to_bytes(32, "little")
    book.bad(
        "signer-neutral",
        "KEY-3",
        "the signer is the neutral element; the equation holds for every message",
        assembled(anything),
        also=["OBJ-6"],
    )
    fields["signer"] = (curve.P + 3).to_bytes(32, "little")
    rest = encode(fields)
    book.bad(
        "signer-not-reduced",
        "KEY-2",
        "the signer's y is not reduced",
        assembled(good),
        also=["OBJ-6"],
    )


def encodings(book: Objects) -> None:
    """What the decoder has to find in an object, and what its CID has to be."""
    body = {"title": "A work"}
    for name, rule, why, x in (
        ("float", "ENC-10", "a float in an unknown field", Raw(b"\xfb" + bytes(8))),
        ("int-2-63", "ENC-11", "2^63 in an unknown field", 2**63),
        ("int-long", "ENC-1", "a number not in its shortest form", Raw(b"\x18\x01")),
        ("undefined", "ENC-6", "undefined in an unknown field", Raw(b"\xf7")),
        ("surrogate", "ENC-7", "a surrogate in an unknown field", Raw(b"\x63\xed\xa0\x80")),
        (
            "deep",
            "ENC-12",
            "17 levels: the object, its body, and 15 lists",
            Raw(b"\x81" * 14 + b"\x80"),
        ),
    ):
        book.bad(f"unknown-field-{name}", rule, why, changed(body=body | {"x": x}))
    book.good(
        "unknown-field-16-levels",
        "ENC-12",
        "16 levels: the object, its body, and 14 lists",
        changed(body=body | {"x": Raw(b"\x81" * 13 + b"\x80")}),
    )
    book.bad("object-trailing", "ENC-8", "a byte after the object", changed() + b"\0")
    book.bad(
        "keys-swapped",
        "ENC-3",
        "the body's keys are not sorted",
        changed(body=Raw(b"\xa2\x65title\x61x\x61x\x00")),
    )
    sha1 = Link(b"\x01\x71" + wire.multihash(wire.SHA1, bytes(20)))
    for name, link in {
        "v0": Link(wire.multihash(0x12, bytes(32))),
        "sha1": sha1,
        "dag-json": Link(b"\x01\xa9\x02" + wire.multihash(0x12, bytes(32))),
    }.items():
        book.bad(
            f"unknown-field-link-{name}",
            "ENC-16",
            "in an unknown field of the body",
            changed(body=body | {"x": [{"y": link}]}),
            covers=["OBJ-12"],
        )
        book.bad(f"parent-{name}", "ENC-16", "a parent", changed(parents=[link]), covers=["OBJ-12"])
    right = changed()
    digest = wire.multihash(0x12, wire.sha256(right))
    book.good("cid", "OBJ-11", "with its CID", right, cid=cid(right))
    for name, wrong in {
        "raw": b"\x01\x55" + digest,
        "dag-pb": b"\x01\x70" + digest,
        "v0": digest,
    }.items():
        book.bad(
            f"cid-{name}",
            "OBJ-11",
            "with a CID that fits the bytes, but is not of an object",
            right,
            cid=wrong,
            also=["ENC-16"],
        )
    raw = cid(b"x", wire.RAW)
    for field, link in {"author": raw, "event": raw, "project": raw, "parents": [raw]}.items():
        book.bad(
            f"{field}-raw", "OBJ-11", f"{field}: a link to a raw block", changed(**{field: link})
        )
    book.bad("cid-of-another", "CAR-3", "with the CID of another object", right, cid=PROJECT_CID)


def presence(book: Objects) -> None:
    """Which of author, event, project and parents stand in which kind."""
    book.bad("no-author", "OBJ-8", "a contribution without author", changed("author"))
    book.bad("no-event", "OBJ-8", "a contribution without event", changed("event"))
    neither = {k: v for k, v in ENVELOPE.items() if k not in ("author", "event")}
    book.bad("neither", "OBJ-8", "a contribution without author and event", seal(neither, KEY))
    book.bad(
        "unknown-kind-no-author",
        "OBJ-8",
        "an unknown kind without author",
        changed("author", kind="x-kind"),
    )
    book.bad("no-project", "OBJ-9", "parents without a project", changed("project"))
    book.bad("no-parents", "OBJ-9", "a project without parents", changed("parents"))
    book.bad(
        "unknown-kind-no-parents",
        "OBJ-9",
        "an unknown kind with a project and no parents",
        changed("parents", kind="x-kind"),
    )
    for kind in ("contribution", "call", "release", "rules"):
        book.bad(
            f"{kind}-outside",
            "OBJ-9",
            f"a {kind} without project and parents",
            ALICE.sign(kind, KINDS[kind].least),
        )
    for kind in ("project", "profile"):
        book.bad(
            f"{kind}-inside",
            "OBJ-9",
            f"a {kind} in a project",
            in_project(kind=kind, body=KINDS[kind].least),
        )
    for kind, row in KINDS.items():
        if row.place == "project" and kind not in ("contribution", "call", "release", "rules"):
            book.good(
                f"{kind}-outside",
                "OBJ-9",
                f"a {kind} about something outside all projects",
                ALICE.sign(kind, row.least),
            )
    book.good(
        "unknown-kind-inside",
        "KND-10",
        "a kind nobody knows, in a project",
        changed(kind="x-kind", body={"title": ["of any shape"]}),
    )
    book.good(
        "unknown-kind-outside", "KND-10", "a kind nobody knows, outside", ALICE.sign("x-kind", {})
    )
    book.good(
        "unknown-kind-known-names",
        "KND-10",
        "fields of known names in an unknown kind may be anything",
        ALICE.sign("x-kind", {"title": 1, "note": [], "uses": {}}),
    )
    book.good(
        "unknown-field",
        "KND-10",
        "a field nobody knows, which may be anything",
        with_body(x=[None, {"y": []}, ""]),
    )
    book.good(
        "unknown-field-in-use",
        "KND-10",
        "a field nobody knows, in a use",
        with_body(uses=[USE_SOURCE | {"x": []}]),
    )
