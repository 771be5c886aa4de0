"""The codec against data that others published: dag-cbor, CIDs, CARs."""

from __future__ import annotations

import csv
import json
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hitp2p.codec.car import CarReader, verify_block
from hitp2p.codec.cid import DAG_CBOR, DAG_PB, RAW, Cid
from hitp2p.codec.dagcbor import Profile, Value, decode, decode_reference, encode
from hitp2p.codec.varint import encode_varint
from hitp2p.errors import DecodeError, UsageError

Vectors = Callable[[str], Path]
CountCases = Callable[[str, int], None]

CODEC_OF_SUFFIX = {".dag-cbor": DAG_CBOR, ".dag-pb": DAG_PB, ".dag-json": 0x0129}


def test_codec_fixtures_of_dag_cbor_decode_and_encode_to_the_same_bytes(
    vectors: Vectors, count_cases: CountCases
) -> None:
    paths = sorted(vectors("ipld-codec-fixtures").glob("fixtures/*/*.dag-cbor"))
    assert len(paths) == 128
    for path in paths:
        block = path.read_bytes()
        cid = Cid.parse(path.stem)
        assert cid == Cid.of(DAG_CBOR, block), path
        assert encode(decode_reference(block)) == block, path
    count_cases("ipld-codec-fixtures", len(paths))


def test_codec_fixtures_of_every_codec_carry_the_cid_that_we_compute(
    vectors: Vectors, count_cases: CountCases
) -> None:
    paths = [
        path
        for path in vectors("ipld-codec-fixtures").glob("fixtures/*/*")
        if path.suffix in CODEC_OF_SUFFIX
    ]
    for path in paths:
        assert Cid.parse(path.stem) == Cid.of(CODEC_OF_SUFFIX[path.suffix], path.read_bytes())
    count_cases("ipld-codec-fixtures", len(paths))


def test_codec_fixtures_agree_in_both_profiles_where_the_object_profile_allows_them(
    vectors: Vectors,
) -> None:
    narrower = {"ENC-10", "ENC-11", "ENC-12", "ENC-13", "ENC-16"}
    n_allowed = 0
    refused_by: set[str] = set()
    for path in vectors("ipld-codec-fixtures").glob("fixtures/*/*.dag-cbor"):
        block = path.read_bytes()
        try:
            value = decode(block, profile=Profile.OBJECT)
        except DecodeError as error:
            refused_by.add(error.rule)
        else:
            n_allowed += 1
            assert value == decode_reference(block)
            assert encode(value, profile=Profile.OBJECT) == block
    assert n_allowed == 70
    assert refused_by <= narrower


def test_negative_codec_fixtures_of_dag_cbor_are_refused(
    vectors: Vectors, count_cases: CountCases
) -> None:
    folder = vectors("ipld-codec-fixtures") / "negative-fixtures" / "dag-cbor" / "decode"
    cases = [case for path in folder.glob("*.json") for case in json.loads(path.read_text())]
    for case in cases:
        with pytest.raises(DecodeError):
            decode_reference(bytes.fromhex(case["hex"]))
    count_cases("ipld-codec-fixtures", len(cases))


# dasl-testing speaks for several dialects at once. What is left out, and why:
# - tags `rfc8949`, `CBOR-Core`, `dCBOR` alone: dialects that shorten floats or have big integers; they contradict dag-cbor.
# - tag `dasl-cid` alone: run against the object profile, except where that is wider or narrower than DASL.
DASL_CID_LEFT_OUT = {
    "Big DASL CID": "BLAKE3, which the object profile has no use for",
    "CIDv1 that isn't raw or cbor": "dag-pb, which files need",
}


def dasl_cases(folder: Path) -> list[dict[str, Any]]:
    return [case for path in sorted(folder.glob("*.json")) for case in json.loads(path.read_text())]


def test_dasl_cases_of_dag_cbor_do_as_stated(vectors: Vectors, count_cases: CountCases) -> None:
    cases = [
        case
        for case in dasl_cases(vectors("dasl-testing"))
        if {"basic", "dag-cbor"} & set(case["tags"])
    ]
    for case in cases:
        data = bytes.fromhex(case["data"])
        if case["type"] == "roundtrip":
            assert encode(decode_reference(data)) == data, case
        elif case["type"] == "invalid_in":
            with pytest.raises(DecodeError):
                decode_reference(data)
        else:
            with pytest.raises(UsageError):
                encode(dasl_value(data))
    count_cases("dasl-testing", len(cases))


def dasl_value(data: bytes) -> Any:
    """The value that no encoder of dag-cbor may write, which the vectors give as CBOR of another dialect."""
    return {
        "f97e00": float("nan"),
        "f97c00": float("inf"),
        "f9fc00": float("-inf"),
        "fb8000000000000000": -0.0,
        "a10000": {0: 0},
        "c249010000000000000000": 1 << 64,
    }[data.hex()]


def test_dasl_cases_of_cids_do_as_stated_in_the_object_profile(
    vectors: Vectors, count_cases: CountCases
) -> None:
    cases = [
        case
        for case in dasl_cases(vectors("dasl-testing"))
        if "dasl-cid" in case["tags"] and case["name"] not in DASL_CID_LEFT_OUT
    ]
    for case in cases:
        data = bytes.fromhex(case["data"])
        if case["type"] == "roundtrip":
            value = decode(data, profile=Profile.OBJECT)
            assert encode(value, profile=Profile.OBJECT) == data
        else:
            with pytest.raises(DecodeError):
                decode(data, profile=Profile.OBJECT)
    count_cases("dasl-testing", len(cases))


def from_atproto_json(node: Any) -> Value:
    """The value that atproto's JSON stands for: `$link` and `$bytes` are what JSON lacks."""
    if isinstance(node, dict):
        if node.keys() == {"$link"}:
            return Cid.parse(node["$link"])
        if node.keys() == {"$bytes"}:
            return b64decode(node["$bytes"] + "==")
        return {key: from_atproto_json(value) for key, value in node.items()}
    if isinstance(node, list):
        return [from_atproto_json(value) for value in node]
    return node  # type: ignore[no-any-return]


def test_atproto_triples_give_the_same_bytes_and_cids(
    vectors: Vectors, count_cases: CountCases
) -> None:
    folder = vectors("atproto-data-model")
    cases = json.loads((folder / "data-model-fixtures.json").read_text())
    for case in cases:
        block = encode(from_atproto_json(case["json"]), profile=Profile.OBJECT)
        assert block == b64decode(case["cbor_base64"] + "==")
        assert decode(block, profile=Profile.OBJECT) == from_atproto_json(case["json"])
        assert str(Cid.of(DAG_CBOR, block)) == case["cid"]
    count_cases("atproto-data-model", len(cases))


def test_atproto_valid_records_survive_and_bad_links_and_floats_do_not(
    vectors: Vectors, count_cases: CountCases
) -> None:
    """Of the invalid records only floats and bogus CIDs are a matter of the codec; the rest is of their lexicon."""
    folder = vectors("atproto-data-model")
    valid = json.loads((folder / "data-model-valid.json").read_text())
    for case in valid:
        value = from_atproto_json(case["json"])
        profile = Profile.IPLD if case["note"].startswith("float") else Profile.OBJECT
        assert decode(encode(value, profile=profile), profile=profile) == value
    invalid = {
        case["note"]: case["json"]
        for case in json.loads((folder / "data-model-invalid.json").read_text())
    }
    with pytest.raises(UsageError, match="ENC-10"):
        encode(from_atproto_json(invalid["float"]), profile=Profile.OBJECT)
    with pytest.raises(DecodeError):
        from_atproto_json(invalid["link with bogus CID"])
    count_cases("atproto-data-model", len(valid) + 2)


def test_bad_cid_strings_are_refused(vectors: Vectors, count_cases: CountCases) -> None:
    case = json.loads((vectors("cid-strings") / "js-multiformats-bad-cids.json").read_text())
    for text in case["parse_must_fail"]:
        with pytest.raises(DecodeError, match="ENC-15"):
            Cid.parse(text)
    for text in case["decode_utf8_bytes_must_fail"]:
        with pytest.raises(DecodeError, match="ENC-14"):
            Cid.from_bytes(text.encode())
    count_cases("cid-strings", len(case["parse_must_fail"]) * 2 - 1)


def cid_of_multihash(code: int, size: int, digest: bytes) -> bytes:
    return b"\x01\x55" + encode_varint(code) + encode_varint(size) + digest


def test_valid_multihashes_are_read_as_part_of_a_cid(
    vectors: Vectors, count_cases: CountCases
) -> None:
    cases = json.loads((vectors("js-multiformats") / "valid-multihash.json").read_text())
    for case in cases:
        digest = bytes.fromhex(case["hex"])
        code = case["encoding"]["code"]
        cid = Cid.from_bytes(cid_of_multihash(code, case["size"], digest))
        assert (cid.version, cid.codec, cid.hash_code, cid.digest) == (1, RAW, code, digest)
        assert Cid.parse(str(cid)) == cid
    count_cases("js-multiformats", len(cases))


def test_invalid_multihashes_are_refused_as_part_of_a_cid(
    vectors: Vectors, count_cases: CountCases
) -> None:
    cases = json.loads((vectors("js-multiformats") / "invalid-multihash.json").read_text())
    for (
        case
    ) in cases:  # `hex` is a whole multihash; `code` and `size` are what its author took it for.
        with pytest.raises(DecodeError, match="ENC-14"):
            Cid.from_bytes(b"\x01\x55" + bytes.fromhex(case["hex"]))
    count_cases("js-multiformats", len(cases))


def test_multihashes_are_read_and_sha2_256_is_checked(
    vectors: Vectors, count_cases: CountCases
) -> None:
    with (vectors("multihash") / "tests" / "values" / "test_cases.csv").open() as file:
        cases = list(csv.DictReader(file))
    n_checked = 0
    for case in cases:
        block = case["input"].encode()  # It looks like hex, but the text itself was hashed.
        cid = Cid.from_bytes(b"\x01\x55" + bytes.fromhex(case["multihash"]))
        assert len(cid.digest) * 8 == int(case["bits"])
        assert Cid.parse(str(cid)) == cid
        whole_sha256 = case["algorithm"] == "sha2-256" and case["bits"] == "256"
        assert verify_block(cid, block) is whole_sha256
        n_checked += whole_sha256
    assert n_checked == 20
    count_cases("multihash", len(cases))


CAR_SETS = ["go-car", "js-car", "ipld-specs", "gateway-conformance"]


@pytest.mark.parametrize("name", CAR_SETS)
def test_cars_are_read_whole_and_every_block_is_rehashed(
    name: str, vectors: Vectors, count_cases: CountCases
) -> None:
    paths = sorted(path for path in vectors(name).rglob("*.car*") if path.is_file())
    for path in paths:
        with path.open("rb") as file:
            reader = CarReader(file)
            blocks = list(reader)
        assert reader.roots, path
        assert reader.version == (2 if path.suffix == ".carv2" else 1)
        assert all(block.checked for block in blocks), path
        bytewise = CarReader(bytes([byte]) for byte in path.read_bytes()[:20000])
        assert bytewise.roots == reader.roots
    count_cases(name, len(paths))
