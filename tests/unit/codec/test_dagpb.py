"""dag-pb blocks: one canonical form, everything else refused."""

from __future__ import annotations

import pytest

from hitp2p.codec.cid import RAW, Cid
from hitp2p.codec.dagpb import PbLink, PbNode, decode_dagpb, encode_dagpb
from hitp2p.errors import DecodeError, UsageError
from hitp2p.limits import BLOCK_BYTES

CID = Cid.of(RAW, b"x")
HASH = b"\x0a\x24" + bytes(CID)
LINK = b"\x12\x26" + HASH


def refused(block: bytes) -> str:
    """The rule that refuses a block."""
    with pytest.raises(DecodeError) as caught:
        decode_dagpb(block)
    return caught.value.rule


def link(fields: bytes) -> bytes:
    return b"\x12" + bytes([len(fields)]) + fields


def test_absent_and_empty_fields_are_two_blocks() -> None:
    nodes = [
        PbNode(),
        PbNode(data=b""),
        PbNode(links=[PbLink(cid=CID)]),
        PbNode(links=[PbLink(cid=CID, name="")]),
        PbNode(links=[PbLink(cid=CID, name="", tsize=0)]),
    ]
    blocks = [encode_dagpb(node) for node in nodes]
    assert len(set(blocks)) == len(nodes)
    for block in blocks:
        assert encode_dagpb(decode_dagpb(block)) == block


@pytest.mark.parametrize(
    ("name", "block"),
    [
        ("data before links", b"\x0a\x00" + LINK),
        ("data between links", LINK + b"\x0a\x00" + LINK),
        ("data twice", b"\x0a\x00\x0a\x00"),
        ("a number for data", b"\x08\x00"),
        ("a field nobody knows", b"\x1a\x00"),
        ("a number that is 64 bits wide", b"\x09" + bytes(8)),
        ("a group", b"\x0b\x0c"),
        ("a length in two bytes that fits one", b"\x0a\x80\x00"),
        ("a key in two bytes that fits one", b"\x8a\x00\x00"),
        ("a length past the end", b"\x0a\x02\x00"),
        ("a length past all memory", b"\x0a" + b"\xff" * 8 + b"\x7f"),
        ("a length of ten bytes", b"\x0a" + b"\xff" * 9 + b"\x01"),
        ("nothing after a key", b"\x0a"),
        ("a link without a CID", link(b"\x12\x01a")),
        ("a name before the CID", link(b"\x12\x01a" + HASH)),
        ("a CID twice", link(HASH + HASH)),
        ("a name twice", link(HASH + b"\x12\x00\x12\x00")),
        ("a size before the name", link(HASH + b"\x18\x01\x12\x01a")),
        ("a field nobody knows in a link", link(HASH + b"\x20\x01")),
        ("a field of a link past its end", b"\x12\x27" + HASH + b"\x12\x01a"),
        ("a varint past the end of a link", b"\x12\x28" + HASH + b"\x18\x80\x01"),
        ("a name that isn't UTF-8", link(HASH + b"\x12\x01\xff")),
        ("a surrogate as a name", link(HASH + b"\x12\x03\xed\xa0\x80")),
        ("names in descending order", link(HASH + b"\x12\x01b") + link(HASH + b"\x12\x01a")),
        ("no name after a name", link(HASH + b"\x12\x01b") + link(HASH)),
    ],
)
def test_med_4_refuses_what_is_not_canonical(name: str, block: bytes) -> None:
    assert refused(block) == "MED-4", name


def test_enc_14_refuses_links_whose_cid_is_not_canonical() -> None:
    assert refused(link(b"\x0a\x00")) == "ENC-14"
    assert refused(link(b"\x0a\x25" + bytes(CID) + b"\x00")) == "ENC-14"


def test_names_are_ordered_by_their_bytes_and_equal_ones_keep_their_order() -> None:
    other = Cid.of(RAW, b"y")
    names = ["", "", "Z", "a", "a", "\u00e9", "\uffff", "\U00010000"]
    node = PbNode(links=[PbLink(cid=[CID, other][i % 2], name=n) for i, n in enumerate(names)])
    assert decode_dagpb(encode_dagpb(node)) == node


def test_enc_9_takes_a_block_at_the_limit_and_refuses_one_past_it() -> None:
    at_limit = encode_dagpb(PbNode(data=bytes(BLOCK_BYTES - 4)))
    assert len(at_limit) == BLOCK_BYTES
    assert decode_dagpb(at_limit).data == bytes(BLOCK_BYTES - 4)
    assert refused(at_limit + b"\x00") == "ENC-9"
    with pytest.raises(UsageError):
        encode_dagpb(PbNode(data=bytes(BLOCK_BYTES - 3)))


@pytest.mark.parametrize(
    "links",
    [
        [PbLink(cid=CID, name="b"), PbLink(cid=CID, name="a")],
        [PbLink(cid=CID, tsize=-1)],
        [PbLink(cid=CID, tsize=1 << 63)],
        [PbLink(cid=CID, name="\udc80")],
    ],
)
def test_what_cannot_be_written_is_refused_as_the_callers_fault(links: list[PbLink]) -> None:
    with pytest.raises(UsageError):
        encode_dagpb(PbNode(links=links))


def test_a_block_cut_anywhere_is_refused_or_another_canonical_block() -> None:
    block = encode_dagpb(PbNode(links=[PbLink(cid=CID, name="a", tsize=300)], data=b"data"))
    for length in range(len(block)):
        try:
            node = decode_dagpb(block[:length])
        except DecodeError:
            continue
        assert encode_dagpb(node) == block[:length]


def test_errors_say_where() -> None:
    with pytest.raises(DecodeError) as caught:
        decode_dagpb(LINK + b"\x1a\x00")
    assert caught.value.offset == len(LINK) + 2
