"""Which links of an object are list pages: the quick answer is the right one for every object."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.identity import Identity
from hitp2p.objects.envelope import SignedObject, sign_object
from hitp2p.testing.strategies import signed_objects
from hitp2p.trail.bundle import list_pages_of

LINK_START = bytes.fromhex("d82a582500") + bytes.fromhex("01711220")

ANA = Identity.create("Ana", clock=lambda: 1, randomness=Random(1).randbytes)


def by_definition(obj: SignedObject) -> list[Cid]:
    return [link for link in obj.links if link.codec == DAG_CBOR and link not in obj.required]


@given(signed_objects())
def test_list_pages_are_the_links_that_the_envelope_does_not_have(obj: SignedObject) -> None:
    assert list(list_pages_of(obj)) == by_definition(obj)


@given(st.lists(st.binary(min_size=1, max_size=4), max_size=3), st.booleans())
def test_bytes_that_look_like_links_hide_none_and_add_none(names: list[bytes], decoy: bool) -> None:
    pages = [Cid.of(DAG_CBOR, name) for name in dict.fromkeys(names)]
    body: dict[str, object] = {"x": pages, "own": ANA.cid}
    if decoy:
        body["bytes"] = LINK_START * 3
    obj = sign_object(
        kind="x-anything",
        body=body,
        signer=ANA.signer,
        time=1,
        author=ANA.cid,
        event=ANA.event,
    )
    assert list(list_pages_of(obj)) == by_definition(obj) == pages
