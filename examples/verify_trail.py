"""Check a bundle and tell its trail: `python verify_trail.py SONG.car`.

Written from spec/ alone: it imports nothing of hitp2p, so whoever checks with it need not believe hitp2p; it needs cryptography and
cbor2. Each check names its rule: hashes and framing (CAR), the encoding (ENC), keys and signatures (KEY-1 to KEY-4), envelopes
(OBJ-1 to OBJ-9, OBJ-11), who may speak and who may follow (IDN-1 to IDN-4, IDN-6), what builds on what (TRL-1 to TRL-9), and that
the snapshot and all that the work rests on are in the file (SNP-1, BND-1 to BND-5).

It leaves out: bodies, list pages, texts and media (OBJ-14 to OBJ-24, KND, MED, BND-6), and whether these belong to the file and
stand in order (BND-2, BND-3); bounds (OBJ-4, OBJ-10, OBJ-13, IDN-5, IDN-7, IDN-9, and of CAR-1 and CAR-2); keys outside the
prime-order subgroup (KEY-5, IDN-8); how snapshot pages are cut (SNP-2). It doesn't say whether an author disowned a key (IDN-10,
IDN-11).
"""

import hashlib
import re
import sys
from base64 import b32encode
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Invalid(Exception):
    """The bundle breaks a rule of the specification."""


class Link(bytes):
    """A binary CID; its second byte is the codec, and the digest begins at the fifth."""

    def __str__(self) -> str:
        return "b" + b32encode(self).decode().lower().rstrip("=")


WORKS = {"contribution", "call", "release"}
STATEMENTS = {
    "profile", "claim", "decision", "answer", "grant", "comment", "highlight", "thanks", "withdrawal",
    "dispute", "claim_ancestor", "label", "witness", "seal", "reveal",
}  # fmt: skip
REQUIRED = {"sig": bytes, "body": dict, "kind": str, "spec": int, "time": int, "signer": bytes}
OPTIONAL = {"author": Link, "event": Link, "project": Link, "parents": list}
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493  # of Ed25519
Y8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826  # y of a point of order 8
SMALL = {0, 1, P - 1, Y8, P - Y8}  # y of all points of small order


def require(holds: object, rule: str) -> None:
    if not holds:
        raise Invalid(f"see spec/ for [{rule}]")


def decode(block: bytes) -> Any:
    """The value of a block of canonical dag-cbor in the object profile."""
    try:
        item = cbor2.loads(block)
    except Exception:  # of many kinds; whatever can't be read is no dag-cbor
        raise Invalid("see spec/ for [ENC-7, 8]") from None
    value = allowed(item, 16)
    require(cbor2.dumps(item, canonical=True) == block, "ENC-1, 2, 3, 8")
    return value


def allowed(item: Any, levels: int) -> Any:
    """An item with its tags as links. A list, a map and a link each take a level."""
    kind = type(item)
    require(levels or kind not in (cbor2.CBORTag, list, dict), "ENC-12")
    if kind is cbor2.CBORTag:
        require(item.tag == 42 and type(item.value) is bytes, "ENC-4")
        require(re.fullmatch(rb"(?s)\x00\x01[\x71\x55\x70]\x12\x20.{32}", item.value), "ENC-16")
        return Link(item.value[1:])
    if kind is list:
        return [allowed(value, levels - 1) for value in item]
    if kind is dict:
        require(all(type(key) is str for key in item), "ENC-3")
        require(len(item) <= 256 and all(len(key.encode()) <= 64 for key in item), "ENC-13")
        return {key: allowed(value, levels - 1) for key, value in item.items()}
    require(kind in (bytes, str, bool, type(None), int), "ENC-4, 6, 10")
    require(kind is not int or -(2**63) <= item < 2**63, "ENC-11")
    return item


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    found = re.compile(rb"[\x80-\xff]{0,8}[\0-\x7f]").match(data, at)
    require(found and (found[0][-1] or len(found[0]) == 1), "CAR-2")
    return sum((byte & 127) << 7 * n for n, byte in enumerate(found[0])), found.end()


def read_car(data: bytes) -> tuple[list[Link], dict[Link, bytes]]:
    """The roots, and the blocks in the order of the file."""
    size, at = read_varint(data, 0)
    header, at = decode(data[at : at + size]), at + size
    require(header.keys() == {"roots", "version"} and header["version"] == 1, "CAR-1")
    blocks: dict[Link, bytes] = {}
    while at < len(data):
        size, at = read_varint(data, at)
        cid, block, at = Link(data[at : at + 36]), data[at + 36 : at + size], at + size
        require(at <= len(data), "CAR-4")
        require(cid[:1] + cid[2:4] == b"\1\x12\x20", "ENC-16")
        require(cid[4:] == hashlib.sha256(block).digest(), "CAR-3")
        require(cid not in blocks, "BND-3")
        blocks[cid] = block
    return header["roots"], blocks


def check_signature(message: bytes, sig: bytes, signer: bytes) -> None:
    require(len(sig) == 64 and int.from_bytes(sig[32:], "little") < L, "KEY-1")
    require(len(signer) == 32, "KEY-2")
    for y in (int.from_bytes(point, "little") % 2**255 for point in (signer, sig[:32])):
        require(y < P, "KEY-2")
        require(y not in SMALL, "KEY-3")
    try:
        Ed25519PublicKey.from_public_bytes(signer).verify(sig, message)
    except InvalidSignature:
        require(False, "KEY-4")


def read_object(cid: Link, block: bytes) -> Any:
    """The fields of a signed object that holds by itself, and what it `needs` to be judged."""
    fields = decode(block)
    require(len(block) <= 2**16, "OBJ-2")
    require(type(fields.get("spec")) is not int or fields["spec"] == 1, "OBJ-3")
    types = REQUIRED | {name: OPTIONAL[name] for name in fields.keys() & OPTIONAL}
    require({name: type(value) for name, value in fields.items()} == types, "OBJ-1")
    obj = SimpleNamespace(**dict.fromkeys(OPTIONAL) | {"parents": []} | fields, cid=cid)
    obj.identity = obj.author or cid
    obj.needs = [need for need in (obj.author, obj.event, obj.project, *obj.parents) if need]
    require(all(type(need) is Link for need in obj.needs), "OBJ-1")
    require(all(need[1] == 0x71 for need in obj.needs), "OBJ-11")
    require(fields.get("parents") != [], "OBJ-5")
    require(obj.parents == sorted(set(obj.parents))[:128], "OBJ-7")
    if obj.kind != "identity":
        require(obj.author and obj.event, "OBJ-8")
        require(bool(obj.project) == bool(obj.parents), "OBJ-9")
        require(obj.project or obj.kind not in {*WORKS, "rules"}, "OBJ-9")
        require(not obj.project or obj.kind not in {"project", "profile"}, "OBJ-9")
    elif obj.author is None:
        require(not obj.needs and obj.signer in obj.body["keys"], "IDN-1")
        require("name" in obj.body and "dropped" not in obj.body, "IDN-1")
    else:
        require(obj.needs[1:] == obj.parents and 1 <= len(obj.parents) <= 8, "IDN-2")
        require("name" not in obj.body, "IDN-4")
    signed = bytes([block[0] - 1]) + block[71:]  # [OBJ-6]: without the sig, which stands first
    check_signature(b"hitp2p/object/1\0" + signed, obj.sig, obj.signer)
    return obj


def check_in_trail(obj: Any, known: dict[Link, Any]) -> None:
    parents = [known[parent] for parent in obj.parents]
    if obj.kind == "identity":
        kept = {*obj.body["keys"], *(entry["key"] for entry in obj.body.get("dropped", []))}
        for parent in parents:
            require(parent.kind == "identity" and parent.identity == obj.author, "TRL-8")
            require(hashlib.sha256(obj.signer).digest() in parent.body["next"], "IDN-3")
            require(set(parent.body["keys"]) <= kept, "IDN-6")
        return
    event, kinds = known[obj.event], {parent.kind for parent in parents}
    require(event.kind == "identity" and event.identity == obj.author, "TRL-6")
    require(obj.signer in event.body["keys"], "TRL-6")
    require(not obj.project or known[obj.project].kind == "project", "TRL-5")
    require({parent.project or parent.cid for parent in parents} <= {obj.project}, "TRL-1")
    if obj.parents != [obj.project]:
        require(obj.kind not in WORKS or not kinds & {"project", "rules", *STATEMENTS}, "TRL-2")
        require(obj.kind != "rules" or kinds == {"rules"}, "TRL-3")
        require(obj.kind not in STATEMENTS or not kinds, "TRL-4")
    for use in obj.body.get("uses", []) if obj.kind == "contribution" else []:
        beyond = "work" not in use or "project" in use
        require(beyond or use["work"] in map(str, obj.parents), "TRL-7")


def check_bundle(data: bytes) -> tuple[Any, list[Any]]:
    """The work, and all objects in the order (generation, CID)."""
    roots, blocks = read_car(data)
    require(len(roots) == 2, "BND-1")
    pages, members, waiting = [], [], [roots[1]]
    while waiting:  # the snapshot's pages, depth first
        pages.append(waiting.pop())
        require(pages[-1] in blocks, "BND-2")
        page = decode(blocks[pages[-1]])
        require(page.keys() == {"links", "level"} and 1 <= len(page["links"]) <= 500, "SNP-1")
        require(0 <= page["level"] <= 15 and len(pages) <= len(blocks), "SNP-1")
        waiting += reversed(page["links"]) if page["level"] else []
        members += page["links"] if not page["level"] else []
    require(roots[0] in members, "BND-1")
    require(set(members) <= blocks.keys(), "BND-2")
    signed = [cid for cid in members if blocks[cid][1:5] == b"\x63sig"]  # others are list pages
    objects = {cid: read_object(cid, blocks[cid]) for cid in signed}
    generation = dict.fromkeys(members, 0)
    for cid, obj in objects.items():  # in a right snapshot, what an object needs stands before it
        require(objects.keys() >= set(obj.needs), "BND-4")
        generation[cid] = max((generation[need] + 1 for need in obj.needs), default=0)
    require(members == sorted(generation, key=lambda cid: (generation[cid], cid)), "SNP-2")
    for obj in objects.values():
        check_in_trail(obj, objects)
    order, first = list(blocks), [*pages, *members]
    require(order[: len(first)] == first, "BND-3")
    require(all(cid[1] != 0x71 for cid in order[len(first) :]), "BND-2")
    require(objects[roots[0]].kind in WORKS, "BND-1")
    return objects[roots[0]], list(objects.values())


def tell(objects: list[Any]) -> Iterator[str]:
    """A line for each object, without anything in it that could drive a terminal."""
    title = {o.cid: o.body.get("title") or o.body.get("name") or f"({o.kind})" for o in objects}
    for obj in objects:
        sources = [str(title[parent]) for parent in obj.parents if parent != obj.project]
        what = f"{str(obj.cid)[7:15]}  {obj.kind}  {title[obj.cid]}"
        line = f"{what}, by {title[obj.identity]} [{str(obj.identity)[7:15]}]"
        line += f", from {' and '.join(sources)}" if sources else ""
        yield "".join(c if c.isprintable() else f"<U+{ord(c):04X}>" for c in line)


def main(path: str) -> int:
    try:
        work, objects = check_bundle(Path(path).read_bytes())
        print(*tell(objects), sep="\n")
    except (Invalid, KeyError, TypeError, AttributeError) as error:  # the others: an odd shape
        print("INVALID:", ascii(error), file=sys.stderr)
        return 30
    print(f"Every signature holds, and all that {work.cid} builds on is here.")
    print("Names are what people call themselves, and times are not proven.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) if len(sys.argv) == 2 else __doc__)
