"""CAR: read in pieces of any size, hash by hash; each rule at its limit and one beyond."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from hashlib import blake2b

import pytest

from hitp2p.codec.car import CarBlock, CarParser, CarReader, CarWriter, verify_block
from hitp2p.codec.cid import DAG_CBOR, RAW, Cid
from hitp2p.codec.dagcbor import encode
from hitp2p.codec.varint import encode_varint
from hitp2p.errors import DecodeError, UsageError
from hitp2p.limits import BLOCK_BYTES, CAR_HEADER_BYTES, CAR_ROOTS

ROOT = Cid.of(DAG_CBOR, b"\xa0")


def named(code: int, digest: bytes) -> Cid:
    return Cid.from_bytes(b"\x01\x55" + encode_varint(code) + bytes([len(digest)]) + digest)


BLOCKS: list[tuple[Cid, bytes, bool]] = [
    (ROOT, b"\xa0", True),
    (Cid.of(RAW, b""), b"", True),
    (Cid.of(RAW, b"x" * 300), b"x" * 300, True),
    (Cid.of(0x0129, b"{}"), b"{}", True),
    (Cid.from_bytes(b"\x12\x20" + Cid.of(RAW, b"old").digest), b"old", True),
    (named(0xB220, blake2b(b"blake", digest_size=32).digest()), b"blake", True),
    (named(0x00, b"itself"), b"itself", True),
    (named(0x00, b""), b"", True),
    (named(0x13, b"s" * 64), b"sha2-512 is not checked", False),
    (named(0x12, Cid.of(RAW, b"cut").digest[:20]), b"cut", False),
    (Cid.of(RAW, b"y" * 20_000), b"y" * 20_000, True),
]


def section(cid: Cid, data: bytes) -> bytes:
    return encode_varint(len(bytes(cid)) + len(data)) + bytes(cid) + data


def header(*roots: Cid) -> bytes:
    block = encode({"roots": list(roots), "version": 1})
    return encode_varint(len(block)) + block


def make_car() -> bytes:
    out = io.BytesIO()
    writer = CarWriter(out, [ROOT])
    for cid, data, _ in BLOCKS:
        writer.write(cid, data)
    return out.getvalue()


PRAGMA = bytes.fromhex("0aa16776657273696f6e02")


def make_v2(
    car: bytes, *, padding: bytes = b"", index: bytes = b"index", size: int | None = None
) -> bytes:
    offset = 51 + len(padding)
    size = len(car) if size is None else size
    fields = bytes(16) + struct.pack("<QQQ", offset, size, offset + len(car))
    return PRAGMA + fields + padding + car + index


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def refused(data: bytes) -> DecodeError:
    """The error that the whole file gives; byte by byte it must be the same one."""
    with pytest.raises(DecodeError) as whole:
        list(CarReader(io.BytesIO(data)))
    with pytest.raises(DecodeError) as bytewise:
        list(CarReader(pieces(data, 1)))
    assert bytewise.value.rule == whole.value.rule
    assert bytewise.value.offset == whole.value.offset
    return whole.value


def test_what_is_written_is_read_and_hashed() -> None:
    reader = CarReader(io.BytesIO(make_car()))
    assert (reader.roots, reader.version) == ((ROOT,), 1)
    assert list(reader) == BLOCKS


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000, 100_000])
@pytest.mark.parametrize("version", [1, 2])
def test_pieces_of_any_size_give_the_same_blocks(size: int, version: int) -> None:
    data = make_car() if version == 1 else make_v2(make_car(), padding=bytes(5))
    reader = CarReader(pieces(data, size))
    assert (reader.roots, reader.version) == ((ROOT,), version)
    assert list(reader) == BLOCKS


def test_the_parser_may_be_stopped_between_blocks_and_fed_further() -> None:
    data = make_car()
    parser = CarParser()
    assert parser.roots is None
    assert list(parser.blocks()) == []
    parser.feed(data[:200])
    assert parser.roots == (ROOT,)
    found = [next(parser.blocks())]
    parser.feed(data[200:])
    found += parser.blocks()
    parser.finish()
    assert found == BLOCKS


def test_an_empty_piece_changes_nothing() -> None:
    reader = CarReader(iter([b"", make_car(), b""]))
    assert list(reader) == BLOCKS


def test_a_reader_holds_one_section_at_most() -> None:
    blocks = [bytes([n]) * 1_000_000 for n in range(20)]
    read = 0

    def stream() -> Iterator[bytes]:
        nonlocal read
        for piece in [header(ROOT), *(section(Cid.of(RAW, block), block) for block in blocks)]:
            for part in pieces(piece, 10_000):
                read += len(part)
                yield part

    for n, block in enumerate(CarReader(stream()), start=1):
        assert read <= n * 1_000_100 + 10_000
        assert block.data == blocks[n - 1]


def test_car_1_allows_64_roots_and_none_is_too_few() -> None:
    many = [Cid.of(RAW, bytes([n])) for n in range(CAR_ROOTS + 1)]
    assert len(CarReader(io.BytesIO(header(*many[:CAR_ROOTS]))).roots) == CAR_ROOTS
    assert refused(header(*many)).rule == "CAR-1"
    assert refused(header()).rule == "CAR-1"
    for roots in (many, []):
        with pytest.raises(UsageError, match="CAR-1"):
            CarWriter(io.BytesIO(), roots)


def framed(block: bytes) -> bytes:
    return encode_varint(len(block)) + block


BAD_HEADERS: dict[str, bytes] = {
    "no bytes": b"",
    "no header": b"\x00",
    "not dag-cbor": framed(b"\xff"),
    "no map": framed(encode([ROOT])),
    "no version": framed(encode({"roots": [ROOT]})),
    "no roots": framed(encode({"version": 1})),
    "one key more": framed(encode({"roots": [ROOT], "version": 1, "x": 1})),
    "version 0": framed(encode({"roots": [ROOT], "version": 0})),
    "version 2": framed(encode({"roots": [ROOT], "version": 2})),
    "version true": framed(encode({"roots": [ROOT], "version": True})),
    "version 1.0": framed(encode({"roots": [ROOT], "version": 1.0})),
    "roots that are bytes": framed(encode({"roots": [bytes(ROOT)], "version": 1})),
    "roots that are a link": framed(encode({"roots": ROOT, "version": 1})),
    "keys out of order": framed(b"\xa2\x67version\x01\x65roots\x81" + encode(ROOT)),
    "bytes after the header": framed(encode({"roots": [ROOT], "version": 1}) + b"\x00"),
    "length above 64 KiB": encode_varint(CAR_HEADER_BYTES + 1),
    "pragma of version 3": PRAGMA[:-1] + b"\x03" + make_v2(make_car())[11:],
    "version 2 in version 2": make_v2(make_v2(make_car())),
    "version 2 of nothing": make_v2(b""),
    "pragma cut short": PRAGMA[:5],
    "version 2 cut short": make_v2(make_car())[:50],
}


@pytest.mark.parametrize("data", BAD_HEADERS.values(), ids=BAD_HEADERS.keys())
def test_car_1_refuses_other_headers(data: bytes) -> None:
    assert refused(data).rule == "CAR-1"


def test_car_1_reads_a_header_of_64_kib_and_not_a_byte_more() -> None:
    """No valid header is so long; what is wrong with this one is found by reading it."""
    for n_bytes, found in (
        (CAR_HEADER_BYTES, "canonical"),
        (CAR_HEADER_BYTES + 1, "at most 65536"),
    ):
        error = refused(encode_varint(n_bytes) + bytes(n_bytes))
        assert error.rule == "CAR-1"
        assert found in error.message


@pytest.mark.parametrize(
    "length",
    [b"\x80\x00", b"\xa5\x80\x00", b"\xff" * 9, b"\xff" * 12],
)
def test_car_2_refuses_lengths_that_are_padded_or_too_long(length: bytes) -> None:
    error = refused(header(ROOT) + length + bytes(40))
    assert (error.rule, error.offset) == ("CAR-2", len(header(ROOT)))
    error = refused(length + header(ROOT)[1:])
    assert (error.rule, error.offset) == ("CAR-2", 0)


def test_car_2_refuses_the_longest_length_that_a_varint_holds() -> None:
    assert refused(header(ROOT) + b"\xff" * 8 + b"\x7f").rule == "CAR-2"


def test_car_2_allows_a_section_of_2_mib_and_128_bytes_and_not_a_byte_more() -> None:
    room = BLOCK_BYTES + 128 - 36
    for n_bytes in (BLOCK_BYTES, room):
        block = bytes(n_bytes)
        data = header(ROOT) + section(Cid.of(RAW, block), block)
        assert [len(b.data) for b in CarReader(io.BytesIO(data))] == [n_bytes]
    block = bytes(room + 1)
    with pytest.raises(DecodeError, match="CAR-2"):
        list(CarReader(io.BytesIO(header(ROOT) + section(Cid.of(RAW, block), block))))
    with pytest.raises(UsageError, match="CAR-2"):
        CarWriter(io.BytesIO(), [ROOT]).write(Cid.of(RAW, block), block)


@pytest.mark.parametrize("at", [n for n, (_, _, checked) in enumerate(BLOCKS) if checked])
def test_car_3_refuses_a_block_under_another_cid(at: int) -> None:
    cid, data, _ = BLOCKS[at]
    before = header(ROOT) + section(*BLOCKS[2][:2])
    error = refused(before + section(cid, data + b"!"))
    assert (error.rule, error.cid) == ("CAR-3", cid)
    assert error.offset is not None
    assert error.offset > len(before)


def test_car_3_gives_out_the_blocks_before_the_bad_one() -> None:
    good, bad = section(*BLOCKS[2][:2]), section(ROOT, b"\xa1")
    blocks = iter(CarReader(io.BytesIO(header(ROOT) + good + bad)))
    assert next(blocks) == CarBlock(*BLOCKS[2])
    with pytest.raises(DecodeError, match="CAR-3"):
        next(blocks)


def test_blocks_under_other_hashes_are_said_to_be_unchecked() -> None:
    for cid, data, checked in BLOCKS:
        assert verify_block(cid, data) is checked


@pytest.mark.parametrize(
    "inside",
    [
        b"",
        b"\x12\x20short",
        b"\x01",
        b"\x02\x71\x12\x20" + bytes(32),
        bytes(ROOT)[:-1],
        b"\x01\xf1\x00\x12\x20" + bytes(32),
    ],
)
def test_enc_14_refuses_sections_without_a_cid(inside: bytes) -> None:
    error = refused(header(ROOT) + framed(inside) + section(ROOT, b"\xa0"))
    assert (error.rule, error.offset) == ("ENC-14", len(header(ROOT)) + 1)


@pytest.mark.parametrize("make", [make_car, lambda: make_v2(make_car(), index=b"")])
def test_car_4_refuses_a_file_that_is_cut_anywhere_else_than_between_sections(
    make: Callable[[], bytes],
) -> None:
    data = make()
    starts = set()
    at = len(data) - len(make_car()) + len(header(ROOT))
    for cid, block, _ in BLOCKS:
        starts.add(at)
        at += len(section(cid, block))
    for cut in [*range(1, 900), *range(len(data) - 300, len(data))]:
        cut_short = io.BytesIO(data[:cut])
        if cut in starts and data.startswith(header(ROOT)):
            list(CarReader(cut_short))
            continue
        with pytest.raises(DecodeError) as caught:
            list(CarReader(cut_short))
        assert caught.value.rule in ("CAR-4", "CAR-1")
        assert caught.value.rule == "CAR-4" or cut < 120


def test_car_4_refuses_a_data_part_beyond_the_file_or_inside_the_header() -> None:
    car = make_car()
    assert list(CarReader(io.BytesIO(make_v2(car)))) == BLOCKS
    assert refused(make_v2(car, index=b"", size=len(car) + 1)).rule == "CAR-4"
    assert refused(make_v2(car, size=len(car) - 1)).rule == "CAR-4"
    assert refused(make_v2(car, size=len(car) + 5)).rule in ("CAR-4", "CAR-2", "ENC-14")
    assert refused(make_v2(car, size=2**64 - 1, index=b"")).rule == "CAR-4"
    inside = PRAGMA + bytes(16) + struct.pack("<QQQ", 50, len(car), 0) + car
    assert refused(inside).rule == "CAR-4"
    beyond = PRAGMA + bytes(16) + struct.pack("<QQQ", 2**63, 1, 0) + car
    assert refused(beyond).rule == "CAR-4"
