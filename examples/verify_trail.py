"""Check a bundle and tell its trail in plain words: `python verify_trail.py SONG.car`.

A second program, written from spec/ alone. It imports nothing of hitp2p, so whoever checks with it need not believe hitp2p.
It checks the file and every hash (CAR), the encoding (ENC), envelopes and signatures (OBJ, KEY), who may sign (IDN, TRL-6),
what builds on what (TRL), and the snapshot and the order of the file (SNP, BND). It leaves out what bodies of other kinds
than identity look like (KND, MED-1) and what later events say of earlier works (IDN-10, IDN-11).
"""

from __future__ import annotations

import hashlib
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

WORKS = {"contribution", "call", "release"}
STATEMENTS = {
    "profile", "claim", "decision", "answer", "grant", "comment", "highlight", "thanks", "withdrawal",
    "dispute", "claim_ancestor", "label", "witness", "seal", "reveal",
}  # fmt: skip
FIELDS = {"sig": bytes, "body": dict, "kind": str, "spec": int, "time": int, "signer": bytes}
OPTIONAL = {"event", "author", "project", "parents"}


class Invalid(Exception):
    """The bundle breaks a rule of the specification."""


class Link(bytes):
    """A binary CID."""

    def __str__(self) -> str:
        number, n_chars = int.from_bytes(self, "big"), -(-len(self) * 8 // 5)
        number <<= n_chars * 5 - len(self) * 8
        digits = "abcdefghijklmnopqrstuvwxyz234567"
        return "b" + "".join(digits[number >> 5 * n & 31] for n in reversed(range(n_chars)))


def require(holds: object, rule: str, what: str) -> None:
    if not holds:
        raise Invalid(f"{what} [{rule}]")


# --- 01 Encoding ----------------------------------------------------------------------------------
def decode(block: bytes) -> Any:
    """A value of the object profile. What was read and is written again must give the same bytes."""
    try:
        value, end = decode_item(block, 0, 16)
    except UnicodeDecodeError:
        raise Invalid("text that is not UTF-8 [ENC-7]") from None
    require(end == len(block) and encode(value) == block, "ENC-1, 3, 8", "not canonical dag-cbor")
    return value


def decode_item(data: bytes, at: int, levels: int) -> tuple[Any, int]:
    require(at < len(data), "ENC-8", "a block that ends early")
    major, info, at = data[at] >> 5, data[at] & 31, at + 1
    if major == 7:
        require(info in (20, 21, 22), "ENC-6, 10", "a float, or another simple value")
        return {20: False, 21: True, 22: None}[info], at
    require(info < 28, "ENC-2", "an indefinite length")
    n_bytes = 0 if info < 24 else 1 << info - 24
    count = int.from_bytes(data[at : at + n_bytes], "big") if n_bytes else info
    at += n_bytes
    if major < 2:
        require(count < 2**63, "ENC-11", "an integer of more than 64 bits")
        return (-1 - count if major else count), at
    if major < 4:
        require(count <= len(data) - at, "ENC-8", "a block that ends early")
        raw = data[at : at + count]
        return (raw if major == 2 else raw.decode()), at + count
    require(levels, "ENC-12", "more than 16 levels")
    if major == 6:
        require(count == 42, "ENC-4", "another tag than 42")
        raw, at = decode_item(data, at, 0)
        narrow = raw[:2] == b"\0\1" and raw[2:3] in (b"\x71", b"\x55", b"\x70")
        require(narrow and raw[3:5] == b"\x12\x20" and len(raw) == 37, "ENC-16", "an odd link")
        return Link(raw[1:]), at
    items: list[Any] = []
    for _ in range(count * (major - 3)):
        item, at = decode_item(data, at, levels - 1)
        items.append(item)
    if major == 4:
        return items, at
    require(all(type(key) is str for key in items[::2]), "ENC-3", "a key that is no text")
    return dict(zip(items[::2], items[1::2], strict=True)), at


def head(major: int, n: int) -> bytes:
    if n < 24:
        return bytes([major << 5 | n])
    size = next(size for size in (1, 2, 4, 8) if n < 1 << 8 * size)
    return bytes([major << 5 | 23 + size.bit_length()]) + n.to_bytes(size, "big")


def encode(value: Any) -> bytes:
    match value:
        case None | False | True:
            return {None: b"\xf6", False: b"\xf4", True: b"\xf5"}[value]
        case int():
            return head(0, value) if value >= 0 else head(1, -1 - value)
        case Link():
            return b"\xd8\x2a\x58\x25\0" + value
        case bytes():
            return head(2, len(value)) + value
        case str():
            return head(3, len(value.encode())) + value.encode()
        case list():
            return head(4, len(value)) + b"".join(map(encode, value))
    short = len(value) <= 256 and all(len(key.encode()) <= 64 for key in value)
    require(short, "ENC-13", "a map of more than 256 entries, or a key of more than 64 bytes")
    entries = sorted((encode(key), encode(item)) for key, item in value.items())
    return head(5, len(entries)) + b"".join(itertools.chain(*entries))


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    for end in range(at, min(at + 9, len(data))):
        if data[end] < 0x80:
            require(data[end] or end == at, "CAR-2", "a length that is not minimal")
            return sum((data[n] & 0x7F) << 7 * (n - at) for n in range(at, end + 1)), end + 1
    raise Invalid("a length that has no end [CAR-2]")


def read_car(data: bytes) -> tuple[list[Link], dict[Link, bytes]]:
    """The roots, and the blocks in the order of the file."""
    size, at = read_varint(data, 0)
    header = decode(data[at : at + size])
    right = (
        type(header) is dict and header.keys() == {"roots", "version"} and header["version"] == 1
    )
    require(right, "CAR-1", "not the header of a CAR v1")
    blocks: dict[Link, bytes] = {}
    at += size
    while at < len(data):
        size, at = read_varint(data, at)
        require(at + size <= len(data), "CAR-4", "a file that ends inside a section")
        cid, block, at = Link(data[at : at + 36]), data[at + 36 : at + size], at + size
        require(cid[:1] + cid[2:4] == b"\x01\x12\x20", "ENC-16", "a block with an odd CID")
        right = cid[4:] == hashlib.sha256(block).digest()
        require(right, "CAR-3", f"{cid} is not the hash of its bytes")
        require(cid not in blocks, "BND-3", f"{cid} stands twice in the file")
        blocks[cid] = block
    return header["roots"], blocks


# --- 02 Keys --------------------------------------------------------------------------------------
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
Point = tuple[int, int, int, int]
SMALL = {0, 1, P - 1} | {  # the y of points of order 4; 1; 2; and 8
    int.from_bytes(bytes.fromhex(y), "little")
    for y in (
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    )
}


def check_y(encoded: bytes) -> int:
    y = int.from_bytes(encoded, "little") & 2**255 - 1
    require(y < P, "KEY-2", "a point that is not reduced")
    require(y not in SMALL, "KEY-3", "a point of small order")
    return y


def add(a: Point, b: Point) -> Point:
    """RFC 8032, section 5.1.4."""
    e, g = (a[1] - a[0]) * (b[1] - b[0]), (a[1] + a[0]) * (b[1] + b[0])
    c, d = 2 * a[3] * b[3] * D, 2 * a[2] * b[2]
    e, f, g, h = (g - e) % P, (d - c) % P, (d + c) % P, (g + e) % P
    return e * f % P, g * h % P, f * g % P, e * h % P


def check_identity_key(key: bytes) -> None:
    """[KEY-5], [L]A is the neutral element. Either x will do: -A has the order of A."""
    y = check_y(key)
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * pow(2, (P - 1) // 4, P) % P
    require(x * x % P == square, "KEY-5", "a key that is no point")
    total, point = (0, 1, 1, 0), (x, y, 1, x * y % P)
    for bit in range(L.bit_length()):
        total = add(total, point) if L >> bit & 1 else total
        point = add(point, point)
    require(total[0] == 0 and total[1] == total[2], "KEY-5", "a key outside the prime-order group")


def check_signature(block: bytes, sig: bytes, signer: bytes) -> None:
    require(int.from_bytes(sig[32:], "little") < L, "KEY-1", "S is not reduced")
    check_y(signer), check_y(sig[:32])
    message = b"hitp2p/object/1\0" + bytes([block[0] - 1]) + block[71:]
    try:
        Ed25519PublicKey.from_public_bytes(signer).verify(sig, message)
    except InvalidSignature:
        raise Invalid("a signature that is not of its object [OBJ-6]") from None


# --- 03 Objects, 04 the trail ---------------------------------------------------------------------
class Object:
    """A signed object, checked by itself."""

    def __init__(self, cid: Link, block: bytes) -> None:
        self.cid = cid
        fields: dict[str, Any] = decode(block)
        require(len(block) <= 64 * 1024, "OBJ-2", "an object of more than 64 KiB")
        newer = type(fields.get("spec")) is int and fields["spec"] != 1
        require(not newer, "OBJ-3", "made by a newer version of the format")
        right = fields.keys() - OPTIONAL == FIELDS.keys()
        right = right and all(type(fields[name]) is kind for name, kind in FIELDS.items())
        right = right and len(fields["sig"]) == 64 and len(fields["signer"]) == 32
        require(right, "OBJ-1", "odd fields")
        self.kind, self.body, self.signer = fields["kind"], fields["body"], fields["signer"]
        self.author, self.event = fields.get("author"), fields.get("event")
        self.project, self.parents = fields.get("project"), fields.get("parents", [])
        self.needs = [fields[name] for name in ("author", "event", "project") if name in fields]
        self.needs += self.parents
        named = all(type(need) is Link and need[1] == 0x71 for need in self.needs)
        require(named, "OBJ-1, 11", "a link that is none to an object")
        ascending = all(a < b for a, b in itertools.pairwise(self.parents))
        require(ascending and len(self.parents) <= 128, "OBJ-7", "parents that are not sorted")
        if self.kind != "identity":
            require(self.author and self.event, "OBJ-8", "no author")
            together = (self.project is None) == (not self.parents)
            require(together, "OBJ-9", "a project without parents, or parents without one")
        check_signature(block, fields["sig"], self.signer)

    @property
    def identity(self) -> Link:
        return self.author or self.cid


def check_in_trail(obj: Object, known: dict[Link, Object]) -> None:
    parents = [known[parent] for parent in obj.parents]
    if obj.kind == "identity":
        return check_event(obj, parents)
    event = known[obj.event or obj.cid]
    right = event.kind == "identity" and event.identity == obj.author
    require(right and obj.signer in event.body["keys"], "TRL-6", "a signer who may not speak")
    if obj.project is None:
        return None
    require(known[obj.project].kind == "project", "TRL-5", "a project that is none")
    if obj.parents != [obj.project]:
        near = all(parent.project == obj.project for parent in parents)
        require(near, "TRL-1", "a parent in another project")
        require(obj.kind not in STATEMENTS, "TRL-4", "a statement that builds on something")
        kinds = {parent.kind for parent in parents}
        require(obj.kind != "rules" or kinds == {"rules"}, "TRL-3", "rules that follow no rules")
        odd = kinds & {"project", "rules", *STATEMENTS}
        require(obj.kind not in WORKS or not odd, "TRL-2", "a work that builds on other than works")
    for use in obj.body.get("uses", []) if obj.kind == "contribution" else []:
        named = "work" not in use or "project" in use or use["work"] in map(str, obj.parents)
        require(named, "TRL-7", "a use of a work that is no parent")
    return None


def check_event(event: Object, parents: list[Object]) -> None:
    keys, gone = event.body["keys"], [entry["key"] for entry in event.body.get("dropped", [])]
    for key in {*keys, event.signer}:
        check_identity_key(key)
    if event.author is None:
        alone = not event.needs and not gone and type(event.body.get("name")) is str
        require(alone and event.signer in keys, "IDN-1", "a genesis that does not stand alone")
    else:
        require(1 <= len(parents) <= 8 and "name" not in event.body, "IDN-2, 4", "an odd event")
    for parent in parents:
        same = parent.kind == "identity" and parent.identity == event.author
        require(same, "TRL-8", "an event that follows another identity")
        committed = hashlib.sha256(event.signer).digest() in parent.body["next"]
        require(committed, "IDN-3", "an event by a key that nobody committed to")
        require(set(parent.body["keys"]) <= {*keys, *gone}, "IDN-6", "a key that vanishes")


# --- 06 Bundles -----------------------------------------------------------------------------------
def check_bundle(data: bytes) -> tuple[Object, list[Object]]:
    """The work, and all objects in the order (generation, CID)."""
    roots, blocks = read_car(data)
    require(len(roots) == 2, "BND-1", f"{len(roots)} roots")
    pages, members = walk_snapshot(roots[1], blocks)
    require(roots[0] in members, "BND-1", "a work that is not in the snapshot")
    absent = [member for member in members if member not in blocks]
    require(not absent, "BND-2", f"{len(absent)} objects that are not in the file")
    objects = {cid: Object(cid, blocks[cid]) for cid in members if blocks[cid][1:5] == b"\x63sig"}
    generation = dict.fromkeys(members, 0)
    for obj in objects.values():  # in a right snapshot, what an object needs stands before it
        for need in obj.needs:
            require(need in objects, "BND-4", f"{obj.cid} needs {need}, which is not in the file")
            generation[obj.cid] = max(generation[obj.cid], generation[need] + 1)
    in_order = sorted(members, key=lambda cid: (generation[cid], cid))
    require(members == in_order, "SNP-2", "a snapshot in another order")
    for obj in objects.values():
        check_in_trail(obj, objects)
    rest: dict[Link, None] = {}
    for cid in objects:
        walk_links(decode(blocks[cid]), blocks, rest)
    lost = [cid for cid in members if cid not in objects and cid not in rest]
    require(not lost, "BND-2", "a list page that no object links to")
    order = [*pages, *members, *(cid for cid in rest if cid in blocks and cid[1] != 0x71)]
    require(set(blocks) == set(order), "BND-2", "a block that belongs to nothing in the file")
    require(list(blocks) == order, "BND-3", "blocks in another order")
    require(objects[roots[0]].kind in WORKS, "BND-1", "a root that is no work")
    return objects[roots[0]], list(objects.values())


def walk_snapshot(root: Link, blocks: dict[Link, bytes]) -> tuple[list[Link], list[Link]]:
    """The pages of a snapshot, depth first, and what they list."""
    pages: list[Link] = []
    levels: dict[int, list[list[Link]]] = {}
    waiting = [root]
    while waiting:
        pages.append(waiting.pop())
        require(pages[-1] in blocks, "BND-2", "a snapshot page that is not in the file")
        page = decode(blocks[pages[-1]])
        right = page.keys() == {"links", "level"} and 1 <= len(page["links"]) <= 500
        require(right and len(pages) <= len(blocks), "SNP-1", "not a snapshot page")
        levels.setdefault(page["level"], []).append(page["links"])
        waiting += reversed(page["links"]) if page["level"] else []
    for level in levels.values():
        for number, links in enumerate(level, 1):
            ends = [int.from_bytes(link[4:8], "big") % 128 == 0 for link in links]
            full = ends[-1] or len(links) == 500 or number == len(level)
            require(full and not any(ends[:-1]), "SNP-2", "pages that are cut in another way")
    members = [link for links in levels.get(0, []) for link in links]
    require(len(set(members)) == len(members), "SNP-2", "an object that is listed twice")
    return pages, members


def walk_links(value: Any, blocks: dict[Link, bytes], found: dict[Link, None]) -> None:
    """Add all that an object links to, each file depth first, each block once."""
    if isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            walk_links(item, blocks, found)
    waiting = [value] if isinstance(value, Link) else []
    while waiting:
        if (cid := waiting.pop()) not in found:
            found[cid] = None
            waiting += reversed(list(pb_links(blocks.get(cid, b"")))) if cid[1] == 0x70 else []


def pb_links(block: bytes) -> Iterator[Link]:
    at = 0
    while block[at : at + 1] == b"\x12":
        size, at = read_varint(block, at + 1)
        require(block[at : at + 2] == b"\x0a\x24", "MED-4", "an odd link in a file")
        yield Link(block[at + 2 : at + 38])
        at += size


# --- in plain words -------------------------------------------------------------------------------
def shown(text: object) -> str:
    """Foreign text without anything that could drive a terminal."""
    return "".join(c if c.isprintable() else f"<U+{ord(c):04X}>" for c in str(text))


def tell(work: Object, objects: list[Object]) -> Iterator[str]:
    known = {str(obj.cid): obj for obj in objects}

    def title(ref: str) -> str:
        obj = known.get(ref)
        return (
            f"“{shown(obj.body.get('title'))}”" if obj else f"a work that is not here ({ref[7:15]})"
        )

    def name(obj: Object) -> str:
        code = str(obj.identity)[7:15]
        return f"{shown(known[str(obj.identity)].body['name'])} ({code})"

    for obj in objects:
        if obj.kind == "project":
            yield f"{name(obj)} opened the project {title(str(obj.cid))}."
        elif obj.kind in WORKS:
            uses = {use.get("work"): use["relation"] for use in obj.body.get("uses", [])}
            inside = {str(p): uses.get(str(p), "remix") for p in obj.parents if p != obj.project}
            outside = {ref: relation for ref, relation in uses.items() if ref and ref not in inside}
            built = [f"{relation} of {title(ref)}" for ref, relation in (inside | outside).items()]
            yield f"{name(obj)} signed {title(str(obj.cid))}{': ' * bool(built)}{', '.join(built)}."
        elif obj.kind == "identity":
            yield f"{name(obj)} {'changed keys' if obj.author else 'made a name'}."
        else:
            yield f"{name(obj)} signed a {shown(obj.kind)}."
    yield f"Every signature holds, and all that {title(str(work.cid))} builds on is here."
    yield "Names are what people call themselves, and times are not proven."


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: verify_trail.py BUNDLE.car", file=sys.stderr)
        return 2
    try:
        for line in tell(*check_bundle(Path(arguments[0]).read_bytes())):
            print(line)
    except OSError as error:
        print(error, file=sys.stderr)
        return 2
    except (Invalid, KeyError, TypeError, AttributeError, IndexError) as error:  # or an odd shape
        print(f"INVALID: {shown(error)}", file=sys.stderr)
        return 30
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
