"""records.json: peer ids, addresses and address records of nodes, chapter 10."""

from __future__ import annotations

from typing import Any

from maker import wire
from maker.book import Book
from maker.sign import Key

DOMAIN = b"hitp2p/address/1\0"
PEER = b"\x00\x24\x08\x01\x12\x20"
NOW = 1_793_491_200_000
DAY = 24 * 3_600_000
KEY, OTHER = Key("node"), Key("another node")
ORDER = 2**252 + 27742317777372353535851937790883648493
NEUTRAL = b"\x01" + bytes(31)
NOT_CANONICAL = b"\xef" + b"\xff" * 30 + b"\x7f"


# --- msgpack by hand ------------------------------------------------------------------------------
def number(n: int) -> bytes:
    """An integer from 0 in its shortest form."""
    if n < 0x80:
        return bytes([n])
    for head, size in ((0xCC, 1), (0xCD, 2), (0xCE, 4), (0xCF, 8)):
        if n < 1 << 8 * size:
            return bytes([head]) + n.to_bytes(size, "big")
    raise ValueError(n)


def text(value: str) -> bytes:
    data = value.encode()
    if len(data) < 32:
        return bytes([0xA0 | len(data)]) + data
    if len(data) < 256:
        return bytes([0xD9, len(data)]) + data
    return b"\xda" + len(data).to_bytes(2, "big") + data


def binary(value: bytes) -> bytes:
    return bytes([0xC4, len(value)]) + value


def array(*items: bytes) -> bytes:
    return bytes([0x90 | len(items)]) + b"".join(items)


# --- what is right --------------------------------------------------------------------------------
def peer(public: bytes, head: bytes = PEER) -> str:
    return wire.base58(head + public)


def address(host: str = "ip4/192.0.2.1", port: str = "4001", public: bytes = KEY.public) -> str:
    return f"/{host}/tcp/{port}/tls/p2p/{peer(public)}"


GOOD = address()


def parts(public: bytes, sequence: bytes, addresses: bytes) -> tuple[bytes, bytes, bytes]:
    return binary(public), sequence, addresses


def record(
    *addresses: str,
    key: Key = KEY,
    public: bytes | None = None,
    sequence: bytes | None = None,
    texts: bytes | None = None,
    domain: bytes = DOMAIN,
) -> bytes:
    """A record signed as NET-20 says, whatever stands in it."""
    said = (
        binary(public or key.public),
        number(NOW) if sequence is None else sequence,
        array(*map(text, addresses or (GOOD,))) if texts is None else texts,
    )
    return array(*said, binary(key.sign(domain + array(*said))))


def long_name(n_bytes: int) -> str:
    """An address of a host with so long a name that it has this many bytes."""
    room = n_bytes - len(address("dns/", "1"))
    labels = ["a" * 63] * (room // 64)
    return address("dns/" + ".".join([*labels, "a" * (room - 64 * len(labels))]), "1")


def records() -> Book:
    book = Book("protocol")
    peer_ids(book)
    addresses(book)
    shapes(book)
    times(book)
    signatures(book)
    return book


def peer_ids(book: Book) -> None:
    good = peer(KEY.public)
    book.valid("peer", "NET-24", "a peer id", "peer-id", good, public=KEY.public)

    def bad(label: str, why: str, spelled: str, rule: str = "NET-24") -> None:
        code = "decode" if rule == "NET-24" else "signature"
        book.invalid(f"peer-{label}", rule, why, "peer-id", spelled, code=code)

    bad("empty", "no text", "")
    bad("short", "a digit less", good[:-1])
    bad("long", "a digit more", good + "1")
    bad("zero", "a digit that base58 lacks", good[:-1] + "0")
    bad("cid", "as a CID", "b" + wire.base32(b"\x01\x72" + PEER + KEY.public))
    bad("multibase", "with the letter of multibase", "z" + good)
    bad("rsa", "the hash of a key", wire.base58(b"\x12\x20" + wire.sha256(KEY.public)))
    bad("type", "a secp256k1 key", peer(KEY.public, b"\x00\x24\x08\x02\x12\x20"))
    bad("small-order", "the neutral element", peer(NEUTRAL), "KEY-3")
    bad("not-canonical", "y is p + 2", peer(NOT_CANONICAL), "KEY-2")


def addresses(book: Book) -> None:
    def good(label: str, why: str, host: str, port: str = "4001") -> None:
        book.valid(
            f"address-{label}", "NET-24", why, "address", address(host, port),
            public=KEY.public, host=host.split("/")[1], port=int(port),
        )  # fmt: skip

    def bad(label: str, why: str, spelled: str, rule: str = "NET-24") -> None:
        code = "decode" if rule == "NET-24" else "signature"
        book.invalid(f"address-{label}", rule, why, "address", spelled, code=code)

    good("ip4", "IPv4", "ip4/192.0.2.1")
    good("ip6", "IPv6", "ip6/2001:db8::1")
    good("ip6-no-gap", "IPv6 without a gap", "ip6/2001:db8:1:2:3:4:5:6")
    good("dns", "a name", "dns/node.example.org")
    good("dns4", "a name, over IPv4", "dns4/a-1.example")
    good("dns6", "a name, over IPv6", "dns6/xn--bcher-kva.example")
    good("local-name", "a name of one label", "dns/localhost")
    good("port-1", "port 1", "ip4/192.0.2.1", "1")
    good("port-65535", "port 65535", "ip4/192.0.2.1", "65535")
    limit = long_name(256)
    assert len(limit) == 256
    good("256", "256 bytes", limit[1:].split("/tcp/")[0], "1")
    bad("257", "257 bytes", long_name(257))
    bad("empty", "no text", "")
    bad("no-slash", "without the first slash", GOOD[1:])
    bad("trailing", "a slash behind", GOOD + "/")
    bad("no-peer", "no peer id", GOOD.rsplit("/p2p/", 1)[0])
    bad("no-tls", "no TLS", GOOD.replace("/tls", ""))
    bad("udp", "over UDP", GOOD.replace("/tcp/", "/udp/"))
    bad("ws", "a websocket within", GOOD.replace("/tls/", "/tls/ws/"))
    bad("relay", "by way of another", GOOD + "/p2p-circuit/p2p/" + peer(OTHER.public))
    bad("ipfs", "the old name of p2p", GOOD.replace("/p2p/", "/ipfs/"))
    bad("unknown", "what nobody knows", address("ip5/192.0.2.1"))
    bad("dnsaddr", "a record of names", address("dnsaddr/node.example.org"))
    bad("peer-zero", "a peer id that is none", GOOD[:-1] + "0")
    bad("key", "a key of small order", address(public=NEUTRAL), "KEY-3")
    for port in ("0", "65536", "04001", "+1", "", "٤"):
        bad(f"port-{port.encode().hex()}", "no such port", address(port=port))
    for label, host in {
        "octet": "ip4/192.0.2.256",
        "octal": "ip4/192.0.02.1",
        "three": "ip4/192.0.2",
        "hex": "ip4/0xc0.0.2.1",
        "ip4-name": "ip4/localhost",
        "upper": "ip6/2001:DB8::1",
        "zeros": "ip6/2001:db8::01",
        "long": "ip6/2001:db8:0:0:0:0:0:1",
        "zone": "ip6/fe80::1%eth0",
        "mapped": "ip6/::ffff:192.0.2.1",
        "mapped-hex": "ip6/::ffff:c000:201",
        "in-brackets": "ip6/[2001:db8::1]",
        "no-name": "dns/",
        "upper-name": "dns/Node.example.org",
        "last-dot": "dns/node.example.org.",
        "two-dots": "dns/node..example.org",
        "hyphen-first": "dns/-node.example.org",
        "hyphen-last": "dns/node-.example.org",
        "underscore": "dns/_node.example.org",
        "space": "dns/node example.org",
        "not-ascii": "dns/bücher.example",
        "number": "dns/127.0.0.1",
        "one-number": "dns/2130706433",
        "number-last": "dns/node.1",
        "label-64": f"dns/{'a' * 64}.example",
    }.items():
        bad(label, "no such host", address(host))
    good("label-63", "a label of 63 bytes", f"dns/{'a' * 63}.example")


def ask(block: bytes, now: int = NOW) -> dict[str, Any]:
    return {"record": block, "now": now}


def shapes(book: Book) -> None:
    def good(label: str, why: str, *said: str, **changes: Any) -> None:
        block = record(*said, **changes)
        book.valid(
            label, "NET-20", why, "address-record", ask(block),
            seed=KEY.seed, public=KEY.public, sequence=NOW, addresses=said or (GOOD,),
        )  # fmt: skip

    def bad(label: str, why: str, block: bytes, code: str = "decode") -> None:
        book.invalid(label, "NET-20", why, "address-record", ask(block), code=code)

    good("record", "one address")
    eight = tuple(address(port=str(n)) for n in range(1, 9))
    good("8-addresses", "eight addresses", *eight)
    good("twice", "an address twice", GOOD, GOOD)
    good(
        "every-form",
        "each form of address",
        GOOD,
        address("ip6/2001:db8::1"),
        address("dns/a.example"),
    )
    bad("no-address", "no address", record(texts=array()))
    bad("9-addresses", "nine addresses", record(*eight, address(port="9")))
    full = [long_name(250)] * 3
    full.append(long_name(1024 - len(record(*full)) - 2))
    block = record(*full)
    assert len(block) == 1024
    good("1-kib", "1 KiB", *full)
    bad("over-1-kib", "a byte more", record(*full[:3], long_name(len(full[3]) + 1)))
    bad("empty", "no byte", b"")
    whole = record()
    bad("cut", "the last byte is missing", whole[:-1])
    bad("trailing", "a byte behind", whole + b"\xc0")
    bad("map", "a map", b"\x84" + whole[1:])
    said = (binary(KEY.public), number(NOW), array(text(GOOD)))
    signature = binary(KEY.sign(DOMAIN + array(*said)))
    bad("three", "no signature", array(*said))
    bad("five", "a fifth item", array(*said, signature, b"\xc0"))
    bad("long-array", "the array in three bytes", b"\xdc\x00\x04" + whole[1:])
    bad("long-text", "an address in its longer form",
        whole.replace(text(GOOD), b"\xda" + len(GOOD).to_bytes(2, "big") + GOOD.encode()))  # fmt: skip
    bad("long-bytes", "the key in its longer form", whole.replace(b"\xc4\x20", b"\xc5\x00\x20", 1))
    bad("key-text", "the key as text", array(text("a" * 32), *said[1:], signature))
    bad("key-31", "a key of 31 bytes", array(binary(KEY.public[:31]), *said[1:], signature))
    bad("signature-text", "the signature as text", array(*said, text("a" * 64)))
    bad("signature-63", "a signature of 63 bytes", array(*said, binary(bytes(63))))
    bad("address-bytes", "an address as bytes", record(texts=array(binary(GOOD.encode()))))
    bad("address-nil", "nil for an address", record(texts=array(b"\xc0")))
    bad("addresses-text", "text for the list", record(texts=text(GOOD)))
    bad("not-utf-8", "an address that isn't UTF-8", record(texts=array(b"\xa1\xff")))
    bad("extension", "an extension type", record(texts=array(b"\xd4\x01\x00")))
    bad("sequence-minus", "sequence -1", record(sequence=b"\xff"), "decode")
    bad(
        "sequence-float", "a sequence with a point", record(sequence=b"\xcb\x42\x7a\x00" + bytes(5))
    )
    bad("sequence-true", "true for a sequence", record(sequence=b"\xc3"))
    bad("sequence-text", "a sequence as text", record(sequence=text("1")))
    bad("sequence-2-63", "sequence 2^63", record(sequence=number(2**63)))
    bad("deep", "1,000 arrays in each other", b"\x91" * 1000 + b"\xc0")
    bad("other-key", "an address of another node", record(address(public=OTHER.public)), "rule")
    bad("one-other", "one address of another node",
        record(GOOD, address(public=OTHER.public)), "rule")  # fmt: skip
    book.invalid("record-address", "NET-24", "an address that is none", "address-record",
                 ask(record(address(port="0"))), code="decode")  # fmt: skip


def times(book: Book) -> None:
    for label, why, apart in (
        ("old", "14 days old", -14 * DAY),
        ("ahead", "a day ahead", DAY),
        ("same", "of this millisecond", 0),
    ):
        block = record(sequence=number(NOW + apart))
        book.valid(label, "NET-20", why, "address-record", ask(block))
    for label, why, apart in (
        ("too-old", "a millisecond older", -14 * DAY - 1),
        ("too-far", "a millisecond more", DAY + 1),
        ("zero", "of 1970", -NOW),
    ):
        block = record(sequence=number(NOW + apart))
        book.invalid(label, "NET-20", why, "address-record", ask(block), code="rule")


def signatures(book: Book) -> None:
    said = (binary(KEY.public), number(NOW), array(text(GOOD)))
    good = KEY.sign(DOMAIN + array(*said))

    def bad(rule: str, label: str, why: str, block: bytes, **more: Any) -> None:
        asked = ask(block)
        book.invalid(
            f"record-{label}", rule, why, "address-record", asked, code="signature", **more
        )

    bad("KEY-4", "flipped", "a bit of the signature",
        array(*said, binary(good[:20] + bytes([good[20] ^ 1]) + good[21:])))  # fmt: skip
    bad("KEY-4", "other-key", "signed by another node", record(key=OTHER, public=KEY.public))
    covers = {"covers": ["KEY-6"]}
    bad("KEY-4", "no-domain", "signed without a domain", record(domain=b""), **covers)
    bad("KEY-4", "object-domain", "signed as an object",
        record(domain=b"hitp2p/object/1\0"), **covers)  # fmt: skip
    moved = array(*said[:2], array(text(address(port="4002"))))
    bad("KEY-4", "moved", "an address changed after signing", b"\x94" + moved[1:] + binary(good))
    high = good[:32] + (int.from_bytes(good[32:], "little") + ORDER).to_bytes(32, "little")
    bad("KEY-1", "malleable", "S + L for S", array(*said, binary(high)))
    small = array(binary(NEUTRAL), number(NOW), array(text(address(public=NEUTRAL))))
    bad("KEY-3", "small-order", "the neutral element as a key",
        b"\x94" + small[1:] + binary(NEUTRAL + bytes(32)))  # fmt: skip
