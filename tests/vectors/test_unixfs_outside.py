"""dag-pb, UnixFS files and folders as other programs wrote them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms
from unixfs_trees import Blocks, build_blocks

from hitp2p.codec.car import CarReader
from hitp2p.codec.cid import DAG_PB, Cid
from hitp2p.codec.dagcbor import decode
from hitp2p.codec.dagpb import PbLink, PbNode, decode_dagpb, encode_dagpb
from hitp2p.codec.unixfs import (
    FileBuilder,
    decode_unixfs,
    encode_unixfs,
    file_size,
    iter_directory,
    iter_file,
    iter_file_cids,
)
from hitp2p.errors import DecodeError, UsageError
from hitp2p.limits import CHUNK_BYTES

Vectors = Callable[[str], Path]
CountCases = Callable[[str, int], None]

FULL = os.environ.get("HITP2P_FULL") == "1"


def as_data_model(node: PbNode) -> dict[str, Any]:
    """The node as IPLD's data model has it: what is absent has no key."""
    value: dict[str, Any] = {"Links": [link_as_data_model(link) for link in node.links]}
    return value if node.data is None else {"Data": node.data, **value}


def link_as_data_model(link: PbLink) -> dict[str, Any]:
    fields = {"Hash": link.cid, "Name": link.name, "Tsize": link.tsize}
    return {key: value for key, value in fields.items() if value is not None}


def test_codec_fixtures_decode_encode_and_keep_their_cid(
    vectors: Vectors, count_cases: CountCases
) -> None:
    folders = sorted(vectors("ipld-codec-fixtures").glob("fixtures/dagpb_*"))
    for folder in folders:
        (path,) = folder.glob("*.dag-pb")
        (same_path,) = folder.glob("*.dag-cbor")
        block = path.read_bytes()
        node = decode_dagpb(block)
        assert encode_dagpb(node) == block
        assert str(Cid.of(DAG_PB, block)) == path.stem
        assert as_data_model(node) == decode(same_path.read_bytes())
    count_cases("ipld-codec-fixtures", len(folders))


def test_negative_codec_fixtures_are_refused(vectors: Vectors, count_cases: CountCases) -> None:
    path = vectors("ipld-codec-fixtures") / "negative-fixtures/dag-pb/decode/edges.json"
    cases = json.loads(path.read_bytes())
    for case in cases:
        with pytest.raises(DecodeError) as caught:
            decode_dagpb(bytes.fromhex(case["hex"]))
        assert caught.value.rule in ("MED-4", "ENC-14"), case["name"]
    count_cases("ipld-codec-fixtures", len(cases))


def test_negative_fixtures_that_a_typed_node_can_express_are_not_written(
    vectors: Vectors, count_cases: CountCases
) -> None:
    """The other forms put a wrong type into a field, which the type checker refuses before the program runs."""
    path = vectors("ipld-codec-fixtures") / "negative-fixtures/dag-pb/encode/invalid-forms.json"
    names = {"bad sort", "bad sort (incl length)", "bad Link.Tsize type (int negative)"}
    cases = [case for case in json.loads(path.read_bytes()) if case["name"] in names]
    assert len(cases) == len(names)
    for case in cases:
        links = [
            PbLink(cid=Cid.parse(link["Hash"]["/"]), name=link.get("Name"), tsize=link.get("Tsize"))
            for link in case["dag-json"]["Links"]
        ]
        with pytest.raises(UsageError):
            encode_dagpb(PbNode(links=links))
    count_cases("ipld-codec-fixtures", len(cases))


def key_stream(seed: str) -> CipherContext:
    """The generator of IPIP-499's files, as its data file says."""
    key = sha256(seed.encode()).digest()
    return Cipher(algorithms.ChaCha20(key, bytes(16)), mode=None).encryptor()


def generated(n_bytes: int, seed: str) -> Iterator[bytes]:
    stream = key_stream(seed)
    while n_bytes > 0:
        yield stream.update(bytes(min(n_bytes, CHUNK_BYTES)))
        n_bytes -= CHUNK_BYTES


def built_root(pieces: Iterator[bytes]) -> str:
    builder = FileBuilder()
    for piece in pieces:
        builder.feed(piece)
    return str(builder.finish()[1].root)


IPIP_499_FILES: dict[str, Callable[[], Iterator[bytes]]] = {
    "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e": lambda: iter([b"hello world"]),
    "bafkreiacndfy443ter6qr2tmbbdhadvxxheowwf75s6zehscklu6ezxmta": lambda: generated(
        1048576, "chunk-v1-seed"
    ),
    "bafybeigmix7t42i6jacydtquhet7srwvgpizfg7gjbq7627d35mjomtu64": lambda: generated(
        1048577, "chunk-v1-seed"
    ),
}
"""The files of the profile unixfs-v1-2025, under their CIDs."""


def test_files_of_the_profile_have_the_cids_that_the_ratified_text_says(
    vectors: Vectors, count_cases: CountCases
) -> None:
    cases = json.loads((vectors("ipip-499") / "files.json").read_bytes())["vectors"]
    said = {case["cid"] for case in cases if case["profile"] == "unixfs-v1-2025"}
    assert said == IPIP_499_FILES.keys()
    for cid, pieces in IPIP_499_FILES.items():
        assert built_root(pieces()) == cid
    count_cases("ipip-499", len(said))


@pytest.mark.skipif(not FULL, reason="HITP2P_FULL=1 builds a file of 1 GiB")
def test_a_file_of_more_leaves_than_a_node_holds_has_the_cid_that_the_ratified_text_says(
    vectors: Vectors, count_cases: CountCases
) -> None:
    cid = "bafybeibdsi225ugbkmpbdohnxioyab6jsqrmkts3twhpvfnzp77xtzpyhe"
    assert cid in (vectors("ipip-499") / "files.json").read_text()
    assert built_root(generated(1024 * CHUNK_BYTES + 1, "v1-2025-seed")) == cid
    count_cases("ipip-499", 1)


def read_car(path: Path) -> tuple[Cid, Blocks]:
    with path.open("rb") as stream:
        reader = CarReader(stream)
        blocks = {block.cid: block.data for block in reader}
        return reader.roots[0], blocks


def test_every_unixfs_node_of_other_programs_is_canonical(
    vectors: Vectors, count_cases: CountCases
) -> None:
    sets = {
        "gateway-conformance": sorted(vectors("gateway-conformance").rglob("*.car")),
        "go-car": [vectors("go-car") / "simple-unixfs.car"],
    }
    for name, paths in sets.items():
        n_nodes = 0
        for path in paths:
            _, blocks = read_car(path)
            for cid, block in blocks.items():
                if cid.codec != DAG_PB:
                    continue
                node = decode_dagpb(block)
                assert encode_dagpb(node) == block
                assert encode_unixfs(decode_unixfs(node.data or b"")) == node.data
                n_nodes += 1
        count_cases(name, n_nodes)


def test_a_hamt_of_a_thousand_files_is_listed_and_read(
    vectors: Vectors, count_cases: CountCases
) -> None:
    root, blocks = read_car(
        vectors("gateway-conformance")
        / "trustless_gateway_car/single-layer-hamt-with-multi-block-files.car"
    )
    entries = list(iter_directory(root, blocks))
    assert {entry.name for entry in entries} == {f"{i}.txt" for i in range(1, 1001)}
    for entry in entries:
        content = b"".join(iter_file(entry.cid, blocks))
        assert len(content) == file_size(entry.cid, blocks) == 1026
        assert content.startswith(b"Lorem ipsum dolor sit amet")
        assert set(iter_file_cids(entry.cid, blocks)) <= blocks.keys()
    count_cases("gateway-conformance", len(entries))


def listed(root: Cid, blocks: Blocks, path: str = "") -> Iterator[tuple[str, bytes]]:
    """All files below a folder, by path."""
    for entry in iter_directory(root, blocks):
        try:
            yield from listed(entry.cid, blocks, f"{path}{entry.name}/")
        except DecodeError:  # no folder
            yield path + entry.name, b"".join(iter_file(entry.cid, blocks))


@pytest.mark.parametrize(
    ("set_name", "car", "n_files", "some"),
    [
        (
            "gateway-conformance",
            "trustless_gateway_car/dir-with-duplicate-files.car",
            4,
            {"hello.txt": b"hello world\n", "ascii.txt": b"hello application/vnd.ipld.car\n"},
        ),
        (
            "gateway-conformance",
            "trustless_gateway_car/subdir-with-two-single-block-files.car",
            2,
            {"subdir/hello.txt": b"hello world\n"},
        ),
        (
            "gateway-conformance",
            "path_gateway_dag/gateway-json-cbor.car",
            5,
            {"\u0105/\u0119/t.json": b'{ "test": "i am a plain json file" }\n'},
        ),
        ("go-car", "simple-unixfs.car", 9, {"a/1/A.txt": b"a1A\n"}),
    ],
)
def test_folders_of_other_programs_are_read_to_the_last_file(
    vectors: Vectors,
    count_cases: CountCases,
    set_name: str,
    car: str,
    n_files: int,
    some: dict[str, bytes],
) -> None:
    root, blocks = read_car(vectors(set_name) / car)
    files = dict(listed(root, blocks))
    assert len(files) == n_files
    assert some.items() <= files.items()
    count_cases(set_name, n_files)


def test_a_file_cut_as_another_program_did_gets_that_programs_cid(
    vectors: Vectors, count_cases: CountCases
) -> None:
    """The long text of this set was cut into leaves of 256 bytes, 174 links a node."""
    root, blocks = read_car(
        vectors("gateway-conformance") / "trustless_gateway_car/dir-with-duplicate-files.car"
    )
    entry = next(e for e in iter_directory(root, blocks) if e.name == "multiblock.txt")
    content = b"".join(iter_file(entry.cid, blocks))
    built, rebuilt, _ = build_blocks(content, chunk_bytes=256, width=174)
    assert built.root == entry.cid
    assert built.dag_size == entry.size
    assert rebuilt.items() <= blocks.items()
    count_cases("gateway-conformance", 1)
