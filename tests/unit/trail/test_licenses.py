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
