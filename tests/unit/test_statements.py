"""What people say about works: who may say what about whom, and what it says then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from stories_world import NOON, Story, person
from trail_maker import make_page

import hitp2p
from hitp2p.errors import InvalidError, UsageError
from hitp2p.objects.contribution import Credit
from hitp2p.objects.envelope import SignedObject
from hitp2p.store.contract import WriteBatch
from hitp2p.trail.credits import Claim

ANA, BO, CY = (person(name) for name in ("Ana", "Bo", "Cy"))


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return Story(tmp_path)


@pytest.fixture
def project(story: Story) -> SignedObject:
    return story.ws.create_project("Night Bus", license="CC-BY-4.0", by=ANA)


def claims(story: Story, work: SignedObject) -> dict[str | None, Claim]:
    return {p.name: p.claim for p in story.ws.credits(work).lines[0].people}


def test_an_answer_speaks_for_every_credit_that_names_the_person(
    story: Story, project: SignedObject
) -> None:
    song = story.work(
        BO, project, "song.txt", "Song", credits=[(ANA, "sng"), ("Joe", "mus"), (ANA, "lyr")]
    )
    made = story.ws.answer(song, "accept", by=ANA)
    assert [answer.body["line"] for answer in made] == [0, 2]
    assert all(answer.parents == (project.cid,) for answer in made)
    assert claims(story, song)["Ana"] is Claim.CONFIRMED


def test_the_most_careful_answer_counts_and_one_line_may_be_meant(
    story: Story, project: SignedObject
) -> None:
    song = story.work(BO, project, "song.txt", "Song", credits=[(ANA, "sng"), (ANA, "lyr")])
    story.ws.answer(song, "deny", by=ANA, line=1)
    story.ws.answer(song, "accept", by=ANA)
    assert claims(story, song)["Ana"] is Claim.DENIED


def test_lines_on_list_pages_are_counted_on(story: Story, project: SignedObject) -> None:
    page = make_page(*({"name": f"Extra {n}", "role": "act"} for n in range(3)),
                     {"who": str(ANA.cid), "role": "sng"})  # fmt: skip
    film = story.ws._sign(
        "contribution",
        {"title": "Film", "credits": [{"name": "Joe", "role": "drt"}], "credits_pages": [page[0]]},
        by=BO,
        project=project.cid,
        parents=(project.cid,),
        media=WriteBatch(blocks=[page]),
    )
    (answer,) = story.ws.answer(film, "accept", by=ANA)
    assert answer.body["line"] == 4
    assert claims(story, film)["Ana"] is Claim.CONFIRMED


def test_who_is_not_named_has_nothing_to_answer(story: Story, project: SignedObject) -> None:
    song = story.work(BO, project, "song.txt", "Song", credits=[(ANA, "sng")])
    with pytest.raises(UsageError, match=r"no credit of .* names Cy"):
        story.ws.answer(song, "accept", by=CY)
    with pytest.raises(UsageError, match="no split of"):
        story.ws.answer(song, "accept", by=ANA, about="split")


@pytest.mark.parametrize(
    "speak",
    [
        lambda ws, work: ws.withdraw(work, by=BO),
        lambda ws, work: ws.withdraw(work, by=BO, scope="media"),
        lambda ws, work: ws.grant(work, by=BO, license="CC0-1.0"),
        lambda ws, work: ws.claim_ancestor(work, work, by=BO),
    ],
)
def test_only_the_author_disposes_of_a_work(
    story: Story, project: SignedObject, speak: Any
) -> None:
    verse = story.work(ANA, project, "verse.txt", "Verse")
    before = story.ws.store.last_seq()
    with pytest.raises(UsageError, match="only its author"):
        speak(story.ws, verse)
    assert story.ws.store.last_seq() == before


def test_a_grant_says_what_it_allows(story: Story, project: SignedObject) -> None:
    verse = story.work(ANA, project, "verse.txt", "Verse")
    with pytest.raises(UsageError, match="license or terms"):
        story.ws.grant(verse, by=ANA)
    grant = story.ws.grant(verse, by=ANA, grantee=BO.cid, terms="In your film.")
    assert grant.body == {
        "work": {"object": str(verse.cid)},
        "grantee": str(BO.cid),
        "terms": "In your film.",
    }


def test_statements_speak_of_works_and_stay_in_their_project(
    story: Story, project: SignedObject
) -> None:
    verse = story.work(ANA, project, "verse.txt", "Verse")
    other = story.ws.create_project("Elsewhere", license="CC-BY-4.0", by=BO)
    theirs = story.work(BO, other, "theirs.txt", "Theirs")
    dispute = story.ws.dispute(theirs, by=ANA, own=verse, reason="Mine")
    assert (dispute.project, dispute.body["own"]) == (
        other.cid,
        {"object": str(verse.cid), "project": str(project.cid)},
    )
    with pytest.raises(UsageError, match="name a work"):
        story.ws.dispute(project, by=BO, reason="No")
    with pytest.raises(UsageError, match="belongs to no project"):
        story.ws.thank(ANA.cid, "Hello", by=BO)
    with pytest.raises(UsageError, match="one project"):
        story.ws.witness([verse, theirs], by=CY)


def test_a_witness_names_works_once_and_the_time(story: Story, project: SignedObject) -> None:
    verse = story.work(ANA, project, "verse.txt", "Verse")
    seen = story.ws.witness([verse, verse], by=CY)
    assert seen.body["refs"] == [str(verse.cid)]
    assert seen.body["seen"] > NOON


def test_a_profile_belongs_to_no_project(story: Story) -> None:
    made = story.ws.profile(by=ANA, name="Ana Sol", links=[("Home", "https://ana.example")])
    assert (made.project, made.parents) == (None, ())
    assert made.body["links"] == [{"label": "Home", "url": "https://ana.example"}]


def test_a_dry_run_stores_nothing_and_a_long_text_is_refused(
    story: Story, project: SignedObject
) -> None:
    verse = story.work(ANA, project, "verse.txt", "Verse")
    before = story.ws.store.last_seq()
    story.ws.thank(verse, "Thanks", by=ANA, dry_run=True)
    with pytest.raises(InvalidError, match="OBJ-16"):
        story.ws.thank(verse, "x" * 1025, by=ANA)
    assert story.ws.store.last_seq() == before


def test_crd_5_whoever_is_credited_may_ask_not_to_be_named(
    story: Story, project: SignedObject
) -> None:
    song = story.work(BO, project, "song.txt", "Song", credits=[Credit(who=ANA.cid, role="sng")])
    story.ws.withdraw(song, by=ANA, scope="name")
    named = {person.name: person.withheld for person in story.ws.credits(song).lines[0].people}
    assert named == {None: True, "Bo": False}
    report = hitp2p.verify(story.folder / "song.txt", workspace=story.ws)
    assert report.record is not None
    assert "Ana" not in report.because + "".join(gap.text for gap in report.gaps)
