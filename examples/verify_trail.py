"""Check a bundle and tell its trail: `python verify_trail.py SONG.car`.

Written from spec/ alone, with cryptography and cbor2, so whoever checks with it need not believe hitp2p. Each check names its rule:
framing and hashes (CAR), encoding (ENC), signatures (KEY), envelopes (OBJ), who may speak and who may follow (IDN), what builds on
what (TRL), and that all that the snapshot lists and the work rests on is in the file (SNP, BND).

It leaves out bodies, list pages, texts and media (OBJ-14 to OBJ-24, KND, MED, BND-6), and whether these belong to the file and stand
in order (BND-2, BND-3); how a snapshot is sorted and cut, beyond that what is needed comes first (SNP-2); bounds (OBJ-4, OBJ-10, OBJ-13,
IDN-5, IDN-7, IDN-9, and of CAR-1, CAR-2 and SNP-1); keys outside the prime-order subgroup (KEY-5, IDN-8); whether an author disowned
a key (IDN-10, IDN-11).
"""

import re
import sys
from base64 import b32encode
from hashlib import sha256
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


CID = re.compile(rb"\0\x01[\x71\x55\x70]\x12\x20.{32}", re.DOTALL)
VARINT = re.compile(rb"[\0-\x7f]|[\x80-\xff]{1,8}[\x01-\x7f]")
REQUIRED = {"sig": bytes, "body": dict, "kind": str, "spec": int, "time": int, "signer": bytes}
OPTIONAL = {"author": Link, "event": Link, "project": Link, "parents": list}
WORKS = {"contribution", "call", "release"}
STATEMENTS = {"profile", "claim", "decision", "answer", "grant", "comment", "highlight", "thanks", "withdrawal", "dispute",
              "claim_ancestor", "label", "witness", "seal", "reveal"}  # fmt: skip
P = 2**255 - 19  # of Ed25519; the other is the y of points of order 8
Y8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826


def require(holds: object, rules: str) -> None:
    if not holds:
        raise Invalid(f"see spec/ for [{rules}]")


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
    match item:
        case None | bool() | str() | bytes():
            return item
        case int() if -(2**63) <= item < 2**63:
            return item
        case cbor2.CBORTag(tag=42, value=bytes(cid)) if levels and CID.fullmatch(cid):
            return Link(cid[1:])
        case list() if levels:
            return [allowed(value, levels - 1) for value in item]
        case dict() if levels and len(item) <= 256:
            require(all(type(key) is str and len(key.encode()) <= 64 for key in item), "ENC-3, 13")
            return {key: allowed(value, levels - 1) for key, value in item.items()}
    raise Invalid("see spec/ for [ENC-4, 6, 10, 11, 12, 13, 16]")


def read_car(data: bytes) -> tuple[Any, dict[Link, bytes]]:
    """The roots and the blocks."""
    sections, at = [], 0
    while at < len(data):
        length = VARINT.match(data, at)
        require(length, "CAR-2")
        start = length.end()
        at = start + sum((byte & 127) << 7 * n for n, byte in enumerate(length[0]))
        sections.append(data[start:at])
    header = decode(sections.pop(0))
    require(header.keys() == {"roots", "version"} and header["version"] == 1, "CAR-1")
    require(at == len(data), "CAR-4")
    blocks = {Link(section[:36]): section[36:] for section in sections}
    require(all(CID.fullmatch(b"\0" + cid) for cid in blocks), "ENC-16")
    require(all(cid[4:] == sha256(block).digest() for cid, block in blocks.items()), "CAR-3")
    require(len(blocks) == len(sections), "BND-3")
    return header["roots"], blocks


def check_signature(message: bytes, sig: bytes, signer: bytes) -> None:
    require(len(sig) == 64 and len(signer) == 32, "KEY-1, 2")
    for y in (int.from_bytes(point, "little") % 2**255 for point in (signer, sig[:32])):
        require(1 < y < P - 1 and y not in (Y8, P - Y8), "KEY-2, 3")  # no point of small order
    try:
        Ed25519PublicKey.from_public_bytes(signer).verify(sig, message)
    except InvalidSignature:
        raise Invalid("see spec/ for [KEY-1, 4]") from None


def read_object(cid: Link, block: bytes) -> Any:
    """The fields of a signed object that holds by itself, and what it `needs` to be judged."""
    fields = decode(block)
    types = REQUIRED | {name: OPTIONAL[name] for name in fields.keys() & OPTIONAL}
    require(len(block) <= 2**16, "OBJ-2")
    require(type(fields.get("spec")) is not int or fields["spec"] == 1, "OBJ-3")
    require({name: type(value) for name, value in fields.items()} == types, "OBJ-1")
    obj = SimpleNamespace(**dict.fromkeys(OPTIONAL) | {"parents": []} | fields, cid=cid)
    obj.identity = obj.author or cid
    obj.title = str(obj.body.get("title") or obj.body.get("name") or f"({obj.kind})")
    obj.needs = [link for link in (obj.author, obj.event, obj.project, *obj.parents) if link]
    require(all(type(link) is Link and link[1] == 0x71 for link in obj.needs), "OBJ-1, 11")
    require(obj.parents == sorted(set(obj.parents))[:128], "OBJ-7")
    if obj.kind != "identity":
        wrong_here = {"project", "profile"} if obj.project else {*WORKS, "rules"}
        require(obj.author and obj.event, "OBJ-8")
        require(bool(obj.project) == bool(obj.parents) and obj.kind not in wrong_here, "OBJ-9")
    elif obj.author:
        require(obj.needs[1:] == obj.parents and 1 <= len(obj.parents) <= 8, "IDN-2")
        require("name" not in obj.body, "IDN-4")
    else:
        require(not obj.needs and obj.signer in obj.body["keys"], "IDN-1")
        require("name" in obj.body and "dropped" not in obj.body, "IDN-1")
    signed = bytes([block[0] - 1]) + block[71:]  # [OBJ-6]: without the sig, which stands first
    check_signature(b"hitp2p/object/1\0" + signed, obj.sig, obj.signer)
    return obj


def check_in_trail(obj: Any, known: dict[Link, Any]) -> None:
    parents = [known[parent] for parent in obj.parents]
    if obj.kind == "identity":
        kept = {*obj.body["keys"], *(entry["key"] for entry in obj.body.get("dropped", []))}
        for parent in parents:
            require(parent.kind == "identity" and parent.identity == obj.author, "TRL-8")
            require(sha256(obj.signer).digest() in parent.body["next"], "IDN-3")
            require(kept.issuperset(parent.body["keys"]), "IDN-6")
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
        here = "work" in use and "project" not in use
        require(not here or use["work"] in map(str, obj.parents), "TRL-7")


def check_bundle(data: bytes) -> tuple[Any, dict[Link, Any]]:
    """The work, and all objects, each after those that it needs."""
    roots, blocks = read_car(data)
    require(len(roots) == 2, "BND-1")
    pages, members, objects = roots[1:], [], {}
    for cid, block in blocks.items():
        if pages:  # of the snapshot, depth first
            require(cid == pages.pop(), "BND-2, 3")
            page = decode(block)
            require(page.keys() == {"links", "level"} and 1 <= len(page["links"]) <= 500, "SNP-1")
            pages += reversed(page["links"]) if page["level"] else []
            members += page["links"] if not page["level"] else []
        elif members:
            require(cid == members.pop(0), "BND-2, 3")
            if block[1:5] == b"\x63sig":  # others are list pages
                obj = objects[cid] = read_object(cid, block)
                require(objects.keys() >= set(obj.needs), "BND-4")
                check_in_trail(obj, objects)
        else:
            require(cid[1] != 0x71, "BND-2")
    require(not pages and not members, "BND-2")
    require(roots[0] in objects and objects[roots[0]].kind in WORKS, "BND-1")
    return objects[roots[0]], objects


def tell(obj: Any, known: dict[Link, Any]) -> str:
    """A line without anything in it that could drive a terminal."""
    sources = [known[parent].title for parent in obj.parents if parent != obj.project]
    author = f"{known[obj.identity].title} [{str(obj.identity)[7:15]}]"
    line = f"{str(obj.cid)[7:15]}  {obj.kind}  {obj.title}, by {author}"
    line += f", from {' and '.join(sources)}" if sources else ""
    return "".join(c if c.isprintable() else f"<U+{ord(c):04X}>" for c in line)


def main(path: str) -> int:
    try:
        work, objects = check_bundle(Path(path).read_bytes())
    except (Invalid, LookupError, TypeError, AttributeError) as error:  # the others: odd shapes
        print("INVALID:", ascii(error), file=sys.stderr)
        return 30
    print(*(tell(obj, objects) for obj in objects.values()), sep="\n")
    print(f"Every signature holds, and all that {work.cid} builds on is here.")
    print("Names are what people call themselves, and times are not proven.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) if len(sys.argv) == 2 else __doc__)
