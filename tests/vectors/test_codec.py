"""Vectors of chapter 01: dag-cbor, CIDs, CAR."""

from __future__ import annotations

import io

import pytest
from spec_vectors import Vector, by_id, load, refused_as

from hitp2p.codec import fast
from hitp2p.codec.car import CarReader
from hitp2p.codec.cid import Cid
from hitp2p.codec.dagcbor import Profile, Value, decode, decode_reference, encode

PROFILES = {"dag-cbor-ipld": Profile.IPLD, "dag-cbor-object": Profile.OBJECT}


def ask_dag_cbor(vector: Vector) -> Value:
    return decode(vector.data, profile=PROFILES[vector.check])


@pytest.mark.parametrize("vector", load("encoding.json", *PROFILES), ids=by_id)
@pytest.mark.parametrize("accelerated", [False, True], ids=["reference", "accelerated"])
def test_dag_cbor_gets_the_verdict_of_the_vector(vector: Vector, accelerated: bool) -> None:
    if accelerated and not fast.is_enabled():
        pytest.skip("the extra `fast` is not installed")
    with fast.forced(accelerated):
        if vector.expect == "invalid":
            refused_as(vector, lambda: ask_dag_cbor(vector))
            refused_as(
                vector, lambda: decode_reference(vector.data, profile=PROFILES[vector.check])
            )
        else:
            profile = PROFILES[vector.check]
            assert encode(ask_dag_cbor(vector), profile=profile) == vector.data


@pytest.mark.parametrize("vector", load("cid.json", "cid-binary"), ids=by_id)
def test_a_binary_cid_gets_the_verdict_of_the_vector(vector: Vector) -> None:
    if vector.expect == "invalid":
        refused_as(vector, lambda: Cid.from_bytes(vector.data))
    else:
        cid = Cid.from_bytes(vector.data)
        assert str(cid) == vector.fields["text"]
        assert bytes(cid) == vector.data


@pytest.mark.parametrize("vector", load("cid.json", "cid-text"), ids=by_id)
def test_a_cid_as_text_gets_the_verdict_of_the_vector(vector: Vector) -> None:
    text = vector.fields["input"]
    if vector.expect == "invalid":
        refused_as(vector, lambda: Cid.parse(text))
    else:
        assert bytes(Cid.parse(text)).hex() == vector.fields["binary"]


@pytest.mark.parametrize("vector", load("cid.json", "cid-link"), ids=by_id)
def test_a_link_of_the_object_profile_gets_the_verdict_of_the_vector(vector: Vector) -> None:
    cid = Cid.from_bytes(vector.data)
    if vector.expect == "invalid":
        refused_as(vector, cid.require_object_link)
    else:
        assert cid.require_object_link() == cid


def read_car(vector: Vector, source: io.BytesIO | list[bytes]) -> None:
    """Read to the end, and hold the answer against the vector's."""
    if vector.expect == "invalid":
        refused_as(vector, lambda: list(CarReader(source)))
    else:
        blocks = list(CarReader(source))
        assert len(blocks) == vector.fields["n_blocks"]
        assert sum(not block.checked for block in blocks) == vector.fields["n_unchecked"]


@pytest.mark.parametrize("vector", load("car.json", "car"), ids=by_id)
def test_a_car_gets_the_verdict_of_the_vector(vector: Vector) -> None:
    read_car(vector, io.BytesIO(vector.data))


# In pieces, two megabytes take too long.
SHORT_CARS = [v for v in load("car.json", "car") if len(v.data) < 100_000]


@pytest.mark.parametrize("vector", SHORT_CARS, ids=by_id)
@pytest.mark.parametrize("piece_bytes", [1, 7], ids=["byte-by-byte", "by-seven"])
def test_a_car_in_pieces_gets_the_verdict_of_the_vector(vector: Vector, piece_bytes: int) -> None:
    data = vector.data
    read_car(vector, [data[at : at + piece_bytes] for at in range(0, len(data), piece_bytes)])
