"""objects.json: chapter 03, one object (or list page, or text) at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from maker import curve, wire
from maker.book import Book
from maker.kinds import (
    BOTH,
    CREDITED,
    FULL_RULES,
    HERE,
    KINDS,
    MEDIA_ENTRY,
    RULES,
    THERE,
    USE_ELSEWHERE,
    USE_SOURCE,
    WHO,
    Kind,
)
from maker.shapes import FILE, PAGE, TREE, Map, many
from maker.sign import ALICE, BOB, DOMAIN, PROJECT_CID, TIME, in_project, ref, seal
from maker.wire import Link, Raw, cid, encode

KEY = ALICE.key
ENVELOPE: dict[str, Any] = {
    "kind": "contribution", "body": {"title": "A work"}, "spec": 1, "time": TIME, "signer": KEY.public,
    "author": ALICE.cid, "event": ALICE.cid, "project": PROJECT_CID, "parents": [PROJECT_CID],
}  # fmt: skip


def changed(without: str = "", **fields: Any) -> bytes:
    """A contribution with other fields in its envelope, signed as it stands."""
    return seal({k: v for k, v in (ENVELOPE | fields).items() if k != without}, KEY)


def with_body(**fields: Any) -> bytes:
    return changed(body={"title": "A work"} | fields)


def placed(kind: str, place: str, body: Any) -> bytes:
    """An object of this kind where it belongs: in the project, or outside all."""
    return in_project(kind=kind, body=body) if place == "project" else ALICE.sign(kind, body)


class Objects:
    """A book of objects, with short names for what is said again and again."""

    def __init__(self) -> None:
        self.book = Book("objects")

    def good(self, name: str, rule: str, why: str, block: bytes, **more: Any) -> None:
        self.book.valid(name, rule, why, "object", block, **more)

    def bad(self, name: str, rules: str, why: str, block: bytes, **more: Any) -> None:
        rule, *also = rules.split("/")
        if also:
            more["also"] = also
        if rule.startswith("MED"):
            more["code"] = "rule"
        self.book.invalid(name, rule, why, "object", block, **more)


def objects() -> Book:
    book = Objects()
    for part in (
        envelope,
        signatures,
        encodings,
        presence,
        texts,
        lists_and_refs,
        kinds,
        kind_rules,
        pages,
        text_blocks,
    ):
        part(book)
    return book.book


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


def texts(book: Objects) -> None:
    def title(text: str) -> bytes:
        return changed(body={"title": text})

    for name, text in {
        "nfd": "cafe\u0301", "angstrom": "\u212b", "empty": "", "alm": "a\u061cb", "lrm": "a\u200eb", "rlm": "a\u200fb",
        "lre": "a\u202ab", "rlo": "a\u202eb", "lri": "a\u2066b", "pdi": "a\u2069b", "zwsp": "a\u200bb", "wj": "a\u2060b",
        "bom": "\ufeffa", "tag": "a\U000e0041b", "tag-first": "\U000e0000", "tag-last": "a\U000e007f",
    }.items():  # fmt: skip
        book.bad(f"title-{name}", "OBJ-14", f"title is {text!a}", title(text))
    for name, text in {
        "nfc": "caf\u00e9", "zwj": "\U0001f469\u200d\U0001f680", "zwnj": "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "hebrew": "\u05e9\u05dc\u05d5\u05dd", "after-tags": "a\U000e0100", "spaces": "  ", "hangul": "\uac00", "compat": "\ufb01\u00b2",
    }.items():  # fmt: skip
        book.good(f"title-{name}", "OBJ-14", f"title is {text!a}", title(text))
    for name, char in {
        "nul": "\0",
        "tab": "\t",
        "lf": "\n",
        "cr": "\r",
        "esc": "\x1b",
        "us": "\x1f",
        "del": "\x7f",
        "nel": "\x85",
        "csi": "\x9b",
        "ls": "\u2028",
        "ps": "\u2029",
    }.items():
        book.bad(f"title-{name}", "OBJ-15", f"title with {char!a}", title(f"a{char}b"))
        if char != "\n":
            book.bad(f"note-{name}", "OBJ-15", f"note with {char!a}", with_body(note=f"a{char}b"))
    book.good("note-lf", "OBJ-15", "note with LF", with_body(note="\na\n\nb\n"))
    book.good("title-nbsp", "OBJ-15", "U+00A0 is no control character", title("a\u00a0b"))
    book.bad("note-nfd", "OBJ-14", "a note in NFD", with_body(note="cafe\u0301"))
    book.bad(
        "credit-name-rlo",
        "OBJ-14",
        "a name that turns the line around",
        with_body(credits=[CREDITED | {"name": "a\u202eb"}]),
    )


def lists_and_refs(book: Objects) -> None:
    for name, refs in (
        ("sha1", ref("x")[:-8]),
        ("text", "a work"),
        ("v0", "Qm" + "a" * 44),
        ("space", ref("x") + " "),
        ("dag-pb", wire.cid_text(TREE)),
    ):
        book.bad(f"call-{name}", "OBJ-17", f"call is {refs!r}", with_body(call=refs))
    own = {"object": ref("x"), "project": wire.cid_text(PROJECT_CID)}
    for kind, body in {
        "thanks": {"target": own, "text": "Thanks."}, "claim_ancestor": {"target": HERE, "own": own}, "grant": {"work": own},
        "call": {"title": "Wanted", "material": [HERE, own]},
    }.items():  # fmt: skip
        book.bad(
            f"{kind}-in-own-project",
            "OBJ-17",
            "a target that names its own project",
            in_project(kind=kind, body=body),
        )
    book.good(
        "target-project-outside",
        "OBJ-17",
        "a target that names its project, in an object outside all projects",
        ALICE.sign("thanks", {"target": own, "text": "Thanks."}),
    )
    full = [{"work": ref("a work"), "project": ref("elsewhere"), "relation": "remix"}] * 128
    people = [{"who": WHO, "role": "x"}] * 252
    book.good(
        "512",
        "OBJ-10",
        "4 links in the envelope, 256 refs in uses, 252 in credits",
        with_body(uses=full, credits=people),
    )
    book.bad(
        "513",
        "OBJ-10",
        "the same and a call",
        with_body(uses=full, credits=people, call=ref("call")),
    )
    book.bad(
        "513-unknown",
        "OBJ-10",
        "the same and a link in an unknown field",
        with_body(uses=full, credits=people, x={"y": [FILE]}),
    )
    book.good(
        "512-unknown-ref",
        "OBJ-10",
        "a ref in an unknown field is text like any",
        with_body(uses=full, credits=people, x=ref("x")),
    )
    book.bad(
        "513-repeated",
        "OBJ-10",
        "each time counts: 513 links to one block",
        with_body(x=[FILE] * 509),
    )
    book.good(
        "512-repeated",
        "OBJ-10",
        "512 links to one block, with those of the envelope",
        with_body(x=[FILE] * 508),
    )


def kinds(book: Objects) -> None:
    for kind, row in KINDS.items():
        book.good(
            f"{kind}-least", "KND-1", "required fields only", placed(kind, row.place, row.least)
        )
        for n, body in enumerate(row.most):
            book.good(
                f"{kind}-most-{n}",
                "KND-1",
                "all fields" if n == 0 else "other fields",
                placed(kind, row.place, body),
            )
    for kind, row in KINDS.items():
        for field, body, value in each_field(row):
            one = Map(
                row.shape.rule,
                **{f"_{field}" if field in row.shape.required else field: row.shape.fields[field]},
            )
            for name, bad, rule, why in one.faults({field: value}):
                if name != "type":
                    absent = {k: v for k, v in body.items() if k != field}
                    book.bad(f"{kind}-{name}", rule, why, placed(kind, row.place, absent | bad))
            for name, good, rule, why in one.edges({field: value}):
                book.good(f"{kind}-{name}", rule, why, placed(kind, row.place, body | good))


def each_field(row: Kind) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Each known field once, with a small body in which it may stand, and a value."""
    seen: set[str] = set()
    for n, most in enumerate(row.most or [row.least]):
        for field, value in most.items():
            if field not in seen:
                seen.add(field)
                yield field, most if n else row.least | {field: value}, value


def kind_rules(book: Objects) -> None:
    """Rules over several fields."""
    both_rules = RULES | {
        "roles": {"curator": BOTH},
        "actions": {"accept": {"role": "curator", "threshold": 2}},
    }
    use = {"work": ref("x"), "relation": "remix"}
    for name, fields, rule, why in (
        ("use-of-nothing", {"uses": [{"relation": "remix"}]}, "KND-2", "neither work nor source"),
        ("use-of-both", {"uses": [use | USE_SOURCE]}, "KND-2", "work and source"),
        (
            "use-project-beside-source",
            {"uses": [USE_SOURCE | {"project": ref("x")}]},
            "KND-2",
            "project beside a source",
        ),
        (
            "use-of-own-project",
            {"uses": [use | {"project": wire.cid_text(PROJECT_CID)}]},
            "KND-2",
            "a use that names its own project, past TRL-7",
        ),
        (
            "source-empty",
            {"uses": [{"source": {}, "relation": "remix"}]},
            "KND-2",
            "a source of which nothing is known",
        ),
        (
            "source-author-only",
            {"uses": [{"source": {"author": "A", "license": "MIT"}, "relation": "remix"}]},
            "KND-2",
            "a source without url, title and sha256",
        ),
        ("credit-of-nobody", {"credits": [{"role": "cmp"}]}, "KND-3", "neither who nor name"),
        ("note-twice", {"note": "a", "note_block": FILE}, "OBJ-24", "note and note_block"),
        ("tags-twice", {"tags": ["a", "b", "a"]}, "KND-9", "a tag twice"),
        ("language-twice", {"language": ["en", "en"]}, "KND-9", "a language twice"),
    ):
        book.bad(name, rule, why, with_body(**fields))
    for name, source in {
        "url": {"url": "x"},
        "title": {"title": "x"},
        "sha256": {"sha256": bytes(32)},
    }.items():
        book.good(
            f"source-{name}",
            "KND-2",
            f"a source with {name} alone",
            with_body(uses=[{"source": source, "relation": "remix"}]),
        )
    for name, body, rule, why in (
        ("role-unknown", RULES | {"actions": {"close": {"role": "owner", "threshold": 1}}}, "KND-4", "an action of a role that is not there"),
        ("threshold-0", RULES | {"actions": {"accept": {"role": "curator", "threshold": 0}}}, "KND-4", "a threshold of 0"),
        ("threshold-2-of-1", RULES | {"actions": {"accept": {"role": "curator", "threshold": 2}}}, "KND-4", "a threshold of 2 for 1 identity"),
        ("recovery-3-of-2", RULES | {"recovery": {"who": BOTH, "threshold": 3}}, "KND-4", "recovery by 3 of 2"),
        ("curators-swapped", both_rules | {"roles": {"curator": BOTH[::-1]}}, "KND-4", "identities in descending order"),
        ("curators-twice", both_rules | {"roles": {"curator": [WHO, WHO]}}, "KND-4", "an identity twice"),
        ("recovery-swapped", RULES | {"recovery": {"who": BOTH[::-1], "threshold": 1}}, "KND-4", "identities in descending order"),
        ("roles-none", RULES | {"roles": {}, "actions": {}}, "KND-1", "no role at all"),
        ("roles-17", RULES | {"roles": RULES["roles"] | {f"role {n}": [WHO] for n in range(16)}}, "KND-1", "17 roles"),
    ):  # fmt: skip
        book.bad(f"rules-{name}", rule, why, in_project(kind="rules", body=body))
    book.good(
        "rules-2-of-2", "KND-4", "a threshold of all", in_project(kind="rules", body=both_rules)
    )
    book.good(
        "rules-roles-16",
        "KND-1",
        "16 roles",
        in_project(
            kind="rules",
            body=RULES | {"roles": RULES["roles"] | {f"role {n}": [WHO] for n in range(15)}},
        ),
    )
    book.good(
        "rules-actions-empty",
        "KND-1",
        "a map of actions that is empty",
        in_project(kind="rules", body=RULES | {"actions": {}}),
    )
    book.good(
        "rules-unknown-action",
        "KND-10",
        "an action nobody knows",
        in_project(kind="rules", body=RULES | {"actions": RULES["actions"] | {"dance": 1}}),
    )
    book.bad(
        "project-rules-threshold",
        "KND-4",
        "in a project's first rules",
        ALICE.sign(
            "project",
            {
                "title": "A song",
                "nonce": bytes(16),
                "rules": FULL_RULES | {"recovery": {"who": BOTH, "threshold": 3}},
            },
        ),
    )
    release = KINDS["release"].least
    parts = [{"who": WHO, "points": 5000}, {"name": "Uncle", "points": 4999}]

    def split(parts: list[dict[str, Any]]) -> bytes:
        return in_project(
            kind="release", body=release | {"split": {"method": "equal", "parts": parts}}
        )

    book.good("split-10000", "KND-5", "one share", split([{"who": WHO, "points": 10_000}]))
    book.bad("split-9999", "KND-5", "9,999 points", split(parts))
    book.bad(
        "split-10001",
        "KND-5",
        "10,001 points",
        split([parts[0], {"name": "Uncle", "points": 5001}]),
    )
    book.bad(
        "split-negative",
        "KND-5",
        "a negative share, 10,000 points together",
        split([{"who": WHO, "points": 10_001}, {"name": "Uncle", "points": -1}]),
    )
    book.good(
        "split-0",
        "KND-5",
        "a share of 0 points",
        split([{"who": WHO, "points": 10_000}, {"name": "Uncle", "points": 0}]),
    )
    book.bad("split-of-nobody", "KND-3", "a share of nobody", split([parts[0], {"points": 5000}]))
    many = sorted(ref(f"witnessed {n}") for n in range(501))
    book.good(
        "witness-500",
        "OBJ-18",
        "500 refs",
        in_project(kind="witness", body={"refs": many[1:], "seen": 0}),
    )
    book.bad(
        "witness-501",
        "OBJ-18",
        "501 refs",
        in_project(kind="witness", body={"refs": many, "seen": 0}),
    )
    refs = sorted([ref("a"), ref("b")])
    for name, body, rule, why in (
        ("witness-nothing", {"seen": 0}, "KND-6", "neither refs nor snapshot"),
        (
            "witness-both",
            {"refs": refs, "snapshot": ref("x"), "seen": 0},
            "KND-6",
            "refs and snapshot",
        ),
        ("witness-swapped", {"refs": refs[::-1], "seen": 0}, "KND-6", "refs in descending order"),
        ("witness-twice", {"refs": [refs[0]] * 2, "seen": 0}, "KND-6", "a ref twice"),
        (
            "decision-decline-silent",
            {"target": HERE, "verdict": "decline", "rules": ref("rules")},
            "KND-7",
            "a decline without a reason",
        ),
        ("comment-silent", {"target": HERE}, "KND-7", "a comment without text"),
        (
            "comment-twice",
            {"target": HERE, "text": "a", "text_block": FILE},
            "OBJ-24",
            "text and text_block",
        ),
        (
            "call-prompt-twice",
            {"title": "a", "prompt": "a", "prompt_block": FILE},
            "OBJ-24",
            "prompt and prompt_block",
        ),
        (
            "grant-terms-twice",
            {"work": THERE, "terms": "a", "terms_block": FILE},
            "OBJ-24",
            "terms and terms_block",
        ),
        ("release-works-twice", release | {"works": [refs[0]] * 2}, "KND-8", "a work twice"),
        (
            "release-supersedes-twice",
            release | {"supersedes": [refs[0]] * 2},
            "KND-8",
            "an older release twice",
        ),
    ):
        book.bad(name, rule, why, in_project(kind=name.split("-")[0], body=body))
    book.bad(
        "project-purpose-twice",
        "OBJ-24",
        "purpose and purpose_block",
        ALICE.sign("project", KINDS["project"].least | {"purpose": "a", "purpose_block": FILE}),
    )
    book.good(
        "release-works-unsorted",
        "KND-8",
        "works in an order of their own",
        in_project(kind="release", body=release | {"works": refs[::-1]}),
    )
    book.good(
        "media-essence-16",
        "MED-1",
        "a digest of 16 bytes",
        with_body(media=[MEDIA_ENTRY | {"essence": {"algorithm": "x", "digest": bytes(16)}}]),
    )
    book.good(
        "uses-same-twice",
        "KND-2",
        "two uses of one work, of different parts",
        with_body(uses=[USE_ELSEWHERE, USE_ELSEWHERE | {"part": "t=40,50"}]),
    )


PAGE_ENTRIES: dict[str, tuple[Any, Any, str]] = {
    "uses": (USE_SOURCE, {"relation": "remix"}, "KND-2"),
    "credits": (CREDITED, {"role": "cmp"}, "KND-3"),
    "keep": (ref("kept"), wire.cid_text(FILE), "OBJ-17"),
    "good-heads": ({"project": bytes(32), "heads": [ref("head")]}, {"project": bytes(31)}, "KND-1"),
}
"""List -> an entry that is right, one that is wrong, and the rule that the latter breaks."""


def pages(book: Objects) -> None:
    def good(name: str, list_: str, why: str, data: bytes) -> None:
        book.book.valid(name, "OBJ-23", why, "list-page", data, list=list_)

    def bad(name: str, list_: str, why: str, data: bytes, **more: Any) -> None:
        book.book.invalid(name, "OBJ-23", why, "list-page", data, list=list_, **more)

    for list_, (right, wrong, rule) in PAGE_ENTRIES.items():
        good(f"{list_}-1", list_, "one entry", encode({"entries": [right]}))
        bad(
            f"{list_}-shape",
            list_,
            f"an entry that breaks {rule}",
            encode({"entries": [right, wrong]}),
            also=[rule],
        )
        bad(f"{list_}-empty", list_, "no entry", encode({"entries": []}), also=["OBJ-5"])
    short = {"who": WHO, "role": "x"}
    good(
        "credits-500",
        "credits",
        "500 entries, more than a body may hold",
        encode({"entries": [short] * 500}),
    )
    bad("credits-501", "credits", "501 entries", encode({"entries": [short] * 501}))
    bad("extra-key", "credits", "a second key", encode({"entries": [short], "next": PAGE}))
    bad("other-key", "credits", "another key", encode({"credits": [short]}))
    bad("array", "credits", "the entries alone", encode([short]))
    bad("entries-map", "credits", "a map of entries", encode({"entries": {"0": short}}))
    data = fit_page(256 * 1024)
    good("256-kib", "uses", "256 KiB", data)
    bad("over-256-kib", "uses", "256 KiB and a byte", fit_page(256 * 1024 + 1))
    book.book.invalid(
        "list-page-float",
        "ENC-10",
        "a float in a page",
        "list-page",
        encode({"entries": [short | {"x": Raw(b"\xfb" + bytes(8))}]}),
        list="credits",
    )


def fit_page(size: int) -> bytes:
    """A page of uses of just this size, by a field nobody knows."""

    def page(n: int) -> bytes:
        return encode({"entries": [{"source": {"title": "x"}, "relation": "remix", "x": bytes(n)}]})

    return page(70_000 + size - len(page(70_000)))


def text_blocks(book: Objects) -> None:
    def bad(name: str, why: str, data: bytes, **more: Any) -> None:
        book.book.invalid(name, "MED-8", why, "text-block", data, code="rule", **more)

    book.book.valid(
        "text-block", "MED-8", "some lines", "text-block", "Zwölf Zeilen.\nNot quite.\n".encode()
    )
    book.book.valid("text-block-1-mib", "MED-8", "1 MiB", "text-block", b"x" * 1024 * 1024)
    bad("text-block-over-1-mib", "1 MiB and a byte", b"x" * (1024 * 1024 + 1))
    bad("text-block-latin-1", "Latin 1", "é".encode("latin-1"))
    bad("text-block-empty", "no text", b"", also=["OBJ-14"])
    bad("text-block-nfd", "NFD", "cafe\u0301".encode(), also=["OBJ-14"])
    bad("text-block-rlo", "a bidi control", "a\u202eb".encode(), also=["OBJ-14"])
    bad("text-block-tab", "a tab", b"a\tb", also=["OBJ-15"])
    bad("text-block-cr", "a line end of CR LF", b"a\r\nb", also=["OBJ-15"])
