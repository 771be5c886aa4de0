"""Vectors of chapter 06: snapshots and bundles."""

from __future__ import annotations

import hashlib
import io

import pytest
from spec_vectors import Vector, by_id, load, refused_as, unpack

from hitp2p.codec.car import CarReader
from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.trail.bundle_reader import BundleContents, BundleReader
from hitp2p.trail.snapshot import build_snapshot, iter_snapshot, parse_snapshot_page


@pytest.mark.parametrize("vector", load("snapshot.json", "snapshot-of-count"), ids=by_id)
def test_counted_cids_have_the_snapshot_of_the_vector(vector: Vector) -> None:
    cids = [Cid.of(DAG_CBOR, b"%d" % n) for n in range(vector.fields["input"])]
    snapshot = build_snapshot((0, cid) for cid in cids)
    assert str(snapshot.root) == vector.fields["root"]
    assert len(snapshot.pages) == vector.fields["n_pages"]
    names = "".join(map(str, snapshot.pages)).encode()
    assert hashlib.sha256(names).hexdigest() == vector.fields["sha256_of_pages"]
    assert list(iter_snapshot(snapshot.root, snapshot.pages)) == sorted(cids)


@pytest.mark.parametrize("vector", load("snapshot.json", "snapshot-of-pairs"), ids=by_id)
def test_pairs_have_the_snapshot_of_the_vector(vector: Vector) -> None:
    pairs = [(n, Cid.from_bytes(bytes.fromhex(cid))) for n, cid in vector.fields["input"]]
    assert str(build_snapshot(pairs).root) == vector.fields["root"]


@pytest.mark.parametrize("vector", load("snapshot.json", "snapshot-page"), ids=by_id)
def test_a_snapshot_page_gets_the_verdict_of_the_vector(vector: Vector) -> None:
    if vector.expect == "invalid":
        refused_as(vector, lambda: parse_snapshot_page(vector.data))
    else:
        assert parse_snapshot_page(vector.data).links


@pytest.mark.parametrize("vector", load("snapshot.json", "snapshot-tree"), ids=by_id)
def test_a_tree_of_pages_gets_the_verdict_of_the_vector(vector: Vector) -> None:
    given = vector.fields["input"]
    pages = {Cid.of(DAG_CBOR, block): block for block in map(unpack, given["blocks"])}
    root = Cid.from_bytes(bytes.fromhex(given["root"]))
    if vector.expect == "invalid":
        refused_as(vector, lambda: list(iter_snapshot(root, pages)))
    else:
        assert len(list(iter_snapshot(root, pages))) == vector.fields["n_links"]


def read_bundle(data: bytes) -> BundleContents:
    car = CarReader(io.BytesIO(data))
    reader = BundleReader(car.roots, car_version=car.version)
    for block in car:
        reader.take(block.cid, block.data)
    return reader.finish()


@pytest.mark.parametrize("vector", load("bundle.json", "bundle"), ids=by_id)
def test_a_bundle_gets_the_verdict_of_the_vector(vector: Vector) -> None:
    if vector.expect == "invalid":
        refused_as(vector, lambda: read_bundle(vector.data))
    else:
        contents = read_bundle(vector.data)
        assert str(contents.work) == vector.fields["work"]
        assert sorted(map(str, contents.objects)) == vector.fields["objects"]
