"""What is refused before it is signed, for what collections hold [LIC-6]."""

from __future__ import annotations

import pytest
from trail_maker import Person, World, make_page

from hitp2p.errors import LicenseError
from hitp2p.licensing import LicenseCheck, is_surely_allowed
from hitp2p.objects.contribution import Use
from hitp2p.objects.envelope import SignedObject
from hitp2p.trail.standing import Standing

ANA, BO = Person("Ana"), Person("Bo")
PROJECT = ANA.project(license="CC-BY-4.0")
PHOTO = ANA.work(PROJECT, "Photo", license="CC-BY-ND-4.0")
PAGE = make_page({"work": str(PHOTO.cid), "relation": "collect"})
BOX = ANA.work(PROJECT, "Box", uses_pages=[PAGE[0]])
WORLD = World(ANA.genesis, BO.genesis, PROJECT, PHOTO, BOX, blocks=[PAGE])


def check(world: World, *uses: tuple[SignedObject, str], author: Person = BO) -> None:
    pairs = [(work, Use(work=work.cid, relation=relation)) for work, relation in uses]
    LicenseCheck(
        author=author.cid,
        lookup=world.lookup,
        statements=lambda cid: [world.objects[one] for one in world.referrers(cid)],
        standing=lambda _: Standing.GOOD,
        blocks=world,
    ).verify("CC-BY-4.0", pairs)


def test_lic_6_what_stands_on_a_page_is_held_too() -> None:
    with pytest.raises(LicenseError, match='remix of "Photo", which is in the collection "Box"'):
        check(WORLD, (BOX, "remix"))
    check(WORLD, (BOX, "collect"))
    check(WORLD, (BOX, "inspired-by"))
    check(WORLD, (BOX, "remix"), (PHOTO, "collect"))
    check(WORLD, (BOX, "remix"), author=ANA)


def test_lic_6_a_release_holds_what_its_parents_collect() -> None:
    first = ANA.work(
        PROJECT, "Box", kind="release", version="1", works=[str(BOX.cid)], parents=[BOX]
    )
    again = ANA.work(
        PROJECT, "Box", kind="release", version="2", works=[str(BOX.cid)], parents=[first]
    )
    WORLD.add(first, again)
    with pytest.raises(LicenseError, match='"Photo", which is in the collection "Box"'):
        check(WORLD, (again, "sample"))


def test_lic_6_what_is_held_and_not_here_is_not_judged_and_so_refused() -> None:
    with pytest.raises(LicenseError, match="remix of a work that is not here"):
        check(WORLD.without(PHOTO.cid), (BOX, "remix"))
    check(
        WORLD.without(PAGE[0]), (BOX, "remix")
    )  # as a malformed page, a missing one holds nothing


def test_lic_6_too_much_to_judge_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hitp2p.limits.LICENSE_HELD", 1)
    check(WORLD, (BOX, "collect"))
    monkeypatch.setattr("hitp2p.limits.LICENSE_HELD", 0)
    with pytest.raises(LicenseError, match="more than 0 sources"):
        check(WORLD, (BOX, "collect"))


def test_own_works_that_collect_nothing_need_no_judging() -> None:
    collection = ANA.work(
        PROJECT, "Wall", uses=[{"work": str(PHOTO.cid), "relation": "collect"}], parents=[PHOTO]
    )
    release = ANA.work(
        PROJECT, "Box", kind="release", version="1", works=[str(BOX.cid)], parents=[BOX]
    )
    assert is_surely_allowed(ANA.cid, [PHOTO, PHOTO])
    for work in (collection, release, BOX, None):
        assert not is_surely_allowed(ANA.cid, [PHOTO, work])
    assert not is_surely_allowed(BO.cid, [PHOTO])
