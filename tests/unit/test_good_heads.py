"""What an owner says of a key that is dropped covers all that the key has signed."""

from __future__ import annotations

from typing import Any

from trail_maker import Person, World, make_page

from hitp2p.codec.cid import Cid
from hitp2p.good_heads import good_heads_of
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.pages import GoodHeads, ListPage, encode_list_page
from hitp2p.store.contract import WriteBatch
from hitp2p.store.memory import MemoryStore
from hitp2p.trail.standing import Standing, audit_standing, project_hash

ANA = Person("Ana")
PROJECT = ANA.project()
WORK = ANA.work(PROJECT, "Work")


def said(kind: str, *parents: SignedObject, **body: Any) -> SignedObject:
    return ANA.sign(kind, body, project=PROJECT.cid, parents=[one.cid for one in parents])


def heads(*objects: SignedObject) -> tuple[Cid, ...]:
    store = MemoryStore()
    store.put(WriteBatch(objects=(ANA.genesis, PROJECT, *objects)))
    return good_heads_of(store, ANA.cid, ANA.genesis.signer)[PROJECT.cid]


def test_the_heads_are_as_few_as_cover_all_works() -> None:
    above, beside = ANA.work(PROJECT, "Above", parents=[WORK]), ANA.work(PROJECT, "Beside")
    assert set(heads(WORK, above, beside)) == {above.cid, beside.cid}


def test_idn_11_what_is_covered_is_good_whatever_its_kind() -> None:
    """A statement under an object of an unknown kind is listed itself; an unknown kind under a work need not be."""
    thanks = said("thanks", PROJECT, target={"object": str(WORK.cid)}, text="Thank you.")
    sketch = said("x-sketch", thanks)
    above = ANA.work(PROJECT, "Above", parents=[sketch])
    objects = (PROJECT, WORK, thanks, sketch, above)
    found = heads(*objects[1:])
    assert set(found) == {WORK.cid, thanks.cid, above.cid}
    entry = GoodHeads(project=project_hash(WORK), heads=found).to_body()
    page, block = make_page(entry)
    assert encode_list_page([entry], ListPage.GOOD_HEADS) == (page, block)
    event = ANA.rotate(
        signer="Ana 1", keys=["new"], next_keys=["Ana 2"], after=[ANA.genesis], dropped={"Ana 0": [page]}
    )  # fmt: skip
    world = World(ANA.genesis, event, *objects, blocks=[(page, block)])
    for obj in objects:
        report = audit_standing(
            obj, events=[ANA.genesis, event], lookup=world.lookup, blocks=world.blocks
        )
        assert report.standing is Standing.GOOD, obj
