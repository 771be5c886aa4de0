"""Licences over a whole ancestry: edges, what is inherited, grants, and what a work asks in the end."""

from __future__ import annotations

from typing import Any

import pytest
from trail_maker import Person, World

from hitp2p.objects.envelope import SignedObject
from hitp2p.trail.credits import credit_sheet
from hitp2p.trail.license_terms import Obligation, Permission, fitting_licenses, judge_edge
from hitp2p.trail.licenses import Basis, LicenseReport, audit_licenses
from hitp2p.trail.standing import Standing

ANA, BO, CY = Person("Ana"), Person("Bo"), Person("Cy")
PROJECT = ANA.project(license="CC-BY-SA-4.0")


def report_of(
    work: SignedObject, *objects: SignedObject, standing: Standing = Standing.GOOD
) -> LicenseReport:
    world = World(ANA.genesis, BO.genesis, CY.genesis, PROJECT, work, *objects)

    def about(cid: Any) -> list[SignedObject]:
        return [world.objects[one] for one in world.referrers(cid)]

    sheet = credit_sheet(work, lookup=world.lookup, blocks=world)
    return audit_licenses(sheet, lookup=world.lookup, grants=about, standing=lambda _: standing)


def made_of(
    who: Person, title: str, *sources: SignedObject, relation: str = "remix", **body: Any
) -> SignedObject:
    uses = [{"work": str(source.cid), "relation": relation} for source in sources]
    return who.work(PROJECT, title, parents=sources, uses=uses, **body)


def grant_of(who: Person, work: SignedObject, **body: Any) -> SignedObject:
    target = {"object": str(work.cid)}
    return who.sign("grant", {"work": target, **body}, project=PROJECT.cid, parents=[PROJECT.cid])


def test_a_chain_under_one_license_is_allowed_and_says_what_it_asks() -> None:
    verse = ANA.work(PROJECT, "Verse")
    song = made_of(BO, "Song", verse)
    report = report_of(song, verse)
    assert report.effective == "CC-BY-SA-4.0"
    assert report.conflicts == ()
    assert report.obligations == (Obligation.CREDIT, Obligation.SHARE_ALIKE)
    assert [edge.judgement.permission for edge in report.edges] == [Permission.ALLOWED]


def test_lic_5_laundering_shows_at_its_edge_and_at_all_that_comes_after() -> None:
    """Non-commercial sound that somebody calls CC0 stays non-commercial in what others make of it."""
    beat = ANA.work(PROJECT, "Beat", license="CC-BY-NC-4.0")
    washed = made_of(BO, "Washed beat", beat, license="CC0-1.0")
    song = made_of(CY, "Song", washed, license="CC-BY-4.0")
    report = report_of(song, beat, washed)
    assert report.effective is None
    assert [(e.work, e.source) for e in report.conflicts] == [
        (washed.cid, beat.cid),
        (song.cid, beat.cid),
    ]
    assert [(e.work, e.source) for e in report.inherited] == [(song.cid, beat.cid)]
    assert Obligation.NON_COMMERCIAL in report.obligations
    assert report.fitting == ("CC-BY-NC-4.0", "CC-BY-NC-SA-4.0")


def test_lic_1_what_takes_nothing_hands_nothing_on() -> None:
    film = ANA.work(PROJECT, "Film", license="CC-BY-NC-ND-4.0")
    poem = made_of(BO, "Poem", film, relation="inspired-by", license="CC-BY-4.0")
    song = made_of(CY, "Song", poem, license="CC-BY-4.0")
    report = report_of(song, film, poem)
    assert report.effective == "CC-BY-4.0"
    assert report.obligations == (Obligation.CREDIT,)


def test_lic_4_an_author_may_change_their_own_license_but_not_that_of_others() -> None:
    draft = ANA.work(PROJECT, "Draft", license="CC-BY-ND-4.0")
    final = made_of(ANA, "Final", draft, license="CC-BY-4.0")
    report = report_of(final, draft)
    assert report.effective == "CC-BY-4.0"
    assert [edge.basis for edge in report.edges] == [Basis.AUTHOR]
    photo = BO.work(PROJECT, "Photo", license="CC-BY-NC-4.0")
    collage = made_of(ANA, "Collage", photo, license="CC-BY-NC-4.0")
    poster = made_of(ANA, "Poster", collage, license="CC-BY-4.0")
    laundered = report_of(poster, photo, collage)
    assert [edge.source for edge in laundered.inherited] == [photo.cid]
    assert laundered.effective is None


def test_lic_4_a_grant_by_the_author_allows_what_the_license_forbids() -> None:
    photo = ANA.work(PROJECT, "Photo", license="CC-BY-ND-4.0")
    collage = made_of(BO, "Collage", photo, license="CC-BY-4.0")
    assert report_of(collage, photo).effective is None
    for body in ({"grantee": str(BO.cid)}, {}):
        grant = grant_of(ANA, photo, license="CC-BY-4.0", **body)
        report = report_of(collage, photo, grant)
        assert report.effective == "CC-BY-4.0"
        assert [(e.basis, e.grant) for e in report.edges] == [(Basis.GRANT, grant.cid)]


def test_lic_4_terms_in_words_are_not_judged() -> None:
    photo = ANA.work(PROJECT, "Photo", license="CC-BY-ND-4.0")
    collage = made_of(BO, "Collage", photo, license="CC-BY-4.0")
    grant = grant_of(ANA, photo, terms="For your zine, yes.")
    (edge,) = report_of(collage, photo, grant).edges
    assert edge.judgement.permission is Permission.WARNED


@pytest.mark.parametrize("fault", ["of another", "for another", "not good", "license too narrow"])
def test_lic_4_a_grant_that_does_not_fit_changes_nothing(fault: str) -> None:
    photo = ANA.work(PROJECT, "Photo", license="CC-BY-ND-4.0")
    collage = made_of(BO, "Collage", photo, license="CC-BY-4.0")
    giver = CY if fault == "of another" else ANA
    body: dict[str, Any] = {"grantee": str(CY.cid)} if fault == "for another" else {}
    license = "CC-BY-NC-4.0" if fault == "license too narrow" else "CC-BY-4.0"
    grant = grant_of(giver, photo, license=license, **body)
    standing = Standing.DISAVOWED if fault == "not good" else Standing.GOOD
    report = report_of(collage, photo, grant, standing=standing)
    assert report.effective is None


def through(report: LicenseReport) -> list[tuple[Any, Any, str, Any]]:
    return [(e.work, e.source, e.relation, e.through) for e in report.held]


def test_lic_6_a_remix_of_a_collection_is_one_of_what_it_holds() -> None:
    """The collection is free, and the photo in it mustn't be changed: without the rule that would wash it."""
    photo = ANA.work(PROJECT, "Photo", license="CC-BY-ND-4.0")
    box = made_of(BO, "Box", photo, relation="collect", license="CC-BY-4.0")
    assert report_of(box, photo).effective == "CC-BY-4.0"
    collage = made_of(CY, "Collage", box, license="CC-BY-4.0")
    report = report_of(collage, photo, box)
    assert report.effective is None
    assert through(report) == [(collage.cid, photo.cid, "remix", box.cid)]
    assert report.conflicts == report.held
    assert report.fitting == ()
    later = made_of(BO, "Poster", collage, license="CC-BY-4.0")
    inherited = report_of(later, photo, box, collage)
    assert [(e.work, e.source) for e in inherited.conflicts] == [
        (collage.cid, photo.cid),
        (later.cid, photo.cid),
    ]


def test_lic_6_a_collection_in_a_collection_hides_nothing() -> None:
    photo = ANA.work(PROJECT, "Photo", license="CC-BY-NC-4.0")
    box = made_of(BO, "Box", photo, relation="collect", license="CC0-1.0")
    shelf = made_of(BO, "Shelf", box, relation="collect", license="CC0-1.0")
    collage = made_of(CY, "Collage", shelf, license="CC0-1.0")
    report = report_of(collage, photo, box, shelf)
    assert [(e.work, e.source) for e in report.conflicts] == [(collage.cid, photo.cid)]
    assert report.fitting == ("CC-BY-NC-4.0", "CC-BY-NC-SA-4.0")
    assert Obligation.NON_COMMERCIAL in report.obligations


def test_lic_6_what_the_work_says_of_a_member_itself_counts_for_it() -> None:
    photo = ANA.work(PROJECT, "Photo", license="CC-BY-ND-4.0")
    box = made_of(BO, "Box", photo, relation="collect", license="CC-BY-4.0")
    uses = [
        {"work": str(box.cid), "relation": "version"},
        {"work": str(photo.cid), "relation": "collect"},
    ]
    second = CY.work(PROJECT, "Box 2", parents=[box, photo], uses=uses, license="CC-BY-4.0")
    report = report_of(second, photo, box)
    assert report.held == ()
    assert report.effective == "CC-BY-4.0"
    third = made_of(ANA, "Cutting", second, license="CC-BY-4.0")
    assert report_of(third, photo, box, second).effective == "CC-BY-4.0"  # her own photo
    fourth = made_of(BO, "Cutting", second, license="CC-BY-4.0")
    assert report_of(fourth, photo, box, second).effective is None


def test_lic_6_inspiration_by_a_collection_takes_nothing_of_what_it_holds() -> None:
    photo = ANA.work(PROJECT, "Photo", license="CC-BY-ND-4.0")
    box = made_of(BO, "Box", photo, relation="collect", license="CC-BY-4.0")
    poem = made_of(CY, "Poem", box, relation="inspired-by", license="CC0-1.0")
    report = report_of(poem, photo, box)
    assert report.held == ()
    assert report.effective == "CC0-1.0"


def test_lic_6_a_collection_of_a_collection_copies_what_takes_a_grant() -> None:
    photo = ANA.work(PROJECT, "Photo", license="NONE")
    box = made_of(BO, "Box", photo, relation="collect", license="CC-BY-4.0")
    grant = grant_of(ANA, photo, license="CC-BY-4.0", grantee=str(BO.cid))
    shelf = made_of(CY, "Shelf", box, relation="collect", license="CC-BY-4.0")
    report = report_of(shelf, photo, box, grant)
    assert [(e.work, e.relation, e.through) for e in report.conflicts] == [
        (shelf.cid, "collect", box.cid)
    ]
    everyone = grant_of(ANA, photo, license="CC-BY-4.0")
    assert report_of(shelf, photo, box, everyone).conflicts == ()


def test_lic_6_a_release_collects_what_its_parents_collect() -> None:
    """It has no way to say so itself; whoever remixes the release still remixes what it holds."""
    photo = ANA.work(PROJECT, "Photo", license="CC-BY-ND-4.0")
    box = made_of(BO, "Box", photo, relation="collect", license="CC-BY-4.0")
    first = BO.work(PROJECT, "Box", kind="release", version="1", works=[str(box.cid)],
                    parents=[box], license="CC-BY-4.0")  # fmt: skip
    report = report_of(first, photo, box)
    assert through(report) == [(first.cid, photo.cid, "collect", box.cid)]
    assert report.effective == "CC-BY-4.0"
    again = BO.work(PROJECT, "Box", kind="release", version="2", works=[str(box.cid)],
                    parents=[first], license="CC-BY-4.0")  # fmt: skip
    collage = made_of(CY, "Collage", again, license="CC-BY-4.0")
    washed = report_of(collage, photo, box, first, again)
    assert [(e.work, e.source, e.relation) for e in washed.conflicts] == [
        (collage.cid, photo.cid, "remix")
    ]


def test_lic_6_sources_outside_and_not_here_are_held_too() -> None:
    bell = {"url": "https://example.org/bell", "license": "CC-BY-ND-4.0"}
    lost = ANA.work(PROJECT, "Lost", license="CC0-1.0")
    elsewhere = BO.project(title="Elsewhere")
    uses = [
        {"source": bell, "relation": "collect"},
        {"work": str(lost.cid), "project": str(elsewhere.cid), "relation": "collect"},
    ]
    box = BO.work(PROJECT, "Box", uses=uses, license="CC-BY-4.0")
    collage = made_of(CY, "Collage", box, license="CC-BY-4.0")
    report = report_of(collage, box)
    assert [e.foreign is not None for e in report.conflicts] == [True]
    assert [(e.work, e.source) for e in report.unknown] == [
        (box.cid, lost.cid),
        (collage.cid, lost.cid),
    ]


def test_lic_6_judges_up_to_a_bound_and_says_so_past_it(monkeypatch: pytest.MonkeyPatch) -> None:
    photos = [ANA.work(PROJECT, f"Photo {n}", license="CC0-1.0") for n in range(4)]
    box = made_of(BO, "Box", *photos, relation="collect", license="CC0-1.0")
    collage = made_of(CY, "Collage", box, license="CC0-1.0")
    monkeypatch.setattr("hitp2p.limits.LICENSE_HELD", 4)
    whole = report_of(collage, box, *photos)
    assert (len(whole.held), whole.held_is_cut) == (4, False)
    monkeypatch.setattr("hitp2p.limits.LICENSE_HELD", 3)
    cut = report_of(collage, box, *photos)
    assert (len(cut.held), cut.held_is_cut) == (3, True)


def test_a_source_that_is_not_here_is_not_judged() -> None:
    verse = ANA.work(PROJECT, "Verse")
    elsewhere = BO.project(title="Elsewhere")
    use = {"work": str(verse.cid), "project": str(elsewhere.cid), "relation": "sample"}
    song = BO.work(PROJECT, "Song", uses=[use])
    report = report_of(song)
    assert [edge.judgement.permission for edge in report.unknown] == [Permission.UNKNOWN]
    assert report.effective == "CC-BY-SA-4.0"


def test_a_source_outside_is_judged_by_the_license_that_was_noted() -> None:
    source = {"url": "https://example.org/a", "license": "CC-BY-NC-4.0"}
    song = BO.work(
        PROJECT, "Song", uses=[{"source": source, "relation": "sample"}], unchecked="It is a quote"
    )
    report = report_of(song)
    (edge,) = report.conflicts
    assert edge.foreign is not None
    assert edge.foreign.url == "https://example.org/a"
    assert edge.unchecked == "It is a quote"
    assert edge.to_json()["permission"] == "forbidden"


def test_what_would_fit_is_what_every_source_allows() -> None:
    assert fitting_licenses([("CC-BY-SA-4.0", "remix"), ("CC-BY-NC-4.0", "remix")]) == ()
    assert fitting_licenses([("CC-BY-SA-3.0", "remix")]) == ("CC-BY-SA-4.0", "CC-BY-SA-3.0")
    assert fitting_licenses([("CC-BY-ND-4.0", "collect")])[0] == "CC0-1.0"


def test_reasons_are_plain_words() -> None:
    reason = judge_edge(None, "CC-BY-4.0", "remix").reason
    assert "no licence (all rights reserved)" in reason
    assert "grant" in reason
