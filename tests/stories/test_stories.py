"""What a reader is told when things go well, and when somebody lies, forgets, loses a key or changes their mind.

Each story has its words in `golden/`. Read them as somebody who only has the twelve lines: who made it, from what, may I use
it and how do I credit it, what is not proven, what do I do next? HITP2P_UPDATE=1 writes them anew.
Together they hold VER-1 to VER-7.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from stories_world import DAY, NOON, Story, dice, person

import hitp2p
from hitp2p.errors import LicenseError
from hitp2p.objects.contribution import ForeignSource
from hitp2p.trail.report import GapCode, Headline, Report, Tier
from hitp2p.trail.report_json import report_json
from hitp2p.trail.report_text import render_report
from hitp2p.trail.standing import Standing

STORES = ("memory", "kubo")
GOLDEN = Path(__file__).parent / "golden"
SPEC = Path(__file__).resolve().parents[2] / "spec"
SCHEMA = Draft202012Validator(json.loads((SPEC / "report.schema.json").read_text("utf-8")))
ANA, BO, CY, EVE = (person(name) for name in ("Ana", "Bo", "Cy", "Eve"))


@pytest.fixture
def story(tmp_path: Path, works_on: str | None) -> Iterator[Story]:
    with Story(tmp_path, works_on) as told:
        yield told


def told(name: str, report: Report) -> Report:
    """Hold a report to the words in its golden file."""
    text = f"{render_report(report)}\n\nexit status {report.exit_status}\n"
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("HITP2P_UPDATE"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
    assert len(render_report(report).splitlines()) == 12 or report.match is None
    SCHEMA.validate(report_json(report))
    return report


def codes(report: Report) -> set[GapCode]:
    return {gap.code for gap in report.gaps}


def test_a_remix_chain_with_all_that_it_needs_is_verified(story: Story) -> None:
    project = story.ws.create_project("Night Bus", license="CC-BY-SA-4.0", by=ANA)
    verse = story.work(ANA, project, "verse.txt", "Verse", roles=["lyr"])
    song = story.remix(BO, [verse], "song.txt", "Song", roles=["cmp"], note="It made me sing")
    story.remix(CY, [(song, "translation")], "canto.txt", "Canto", roles=["trl"])
    canto = story.ws.search("Canto")[0]
    report = told("verified", story.verify(canto, "canto.txt"))
    assert report.headline is Headline.VERIFIED
    assert report.match is not None
    assert report.match.tier is Tier.EXACT


def test_theft_can_not_be_seen_from_the_bundle_of_the_thief_alone(story: Story) -> None:
    """Nobody can: so the last lines say what isn't proven."""
    theirs = story.ws.create_project("All mine", license="CC-BY-4.0", by=EVE)
    stolen = story.work(EVE, theirs, "poem.txt", "My poem", text="The night bus\n")
    report = told("theft-alone", story.verify(stolen, "poem.txt"))
    assert report.headline is Headline.VERIFIED


def test_theft_shows_where_the_first_record_is_known(story: Story) -> None:
    project = story.ws.create_project("Night Bus", license="CC-BY-SA-4.0", by=ANA)
    verse = story.work(ANA, project, "verse.txt", "Verse", text="The night bus\n")
    story.ws.witness([verse], by=CY)
    theirs = story.ws.create_project("All mine", license="CC-BY-4.0", by=EVE)
    stolen = story.work(EVE, theirs, "poem.txt", "My poem", text="The night bus\n")
    report = told("theft-known", story.verify(stolen, "poem.txt", knows_all=True))
    assert report.headline is Headline.VERIFIED_WITH_GAPS
    assert [rival.work for rival in report.rivals] == [verse.cid]


def test_back_dating_gains_nothing(story: Story) -> None:
    """Without a bundle the reader's own records decide, and a claimed time is no evidence."""
    story.now = NOON - 9000 * DAY
    theirs = story.ws.create_project("All mine", license="CC-BY-4.0", by=EVE)
    stolen = story.work(EVE, theirs, "poem.txt", "My poem", text="The night bus\n")
    story.now = NOON
    project = story.ws.create_project("Night Bus", license="CC-BY-SA-4.0", by=ANA)
    verse = story.work(ANA, project, "verse.txt", "Verse", text="The night bus\n")
    story.ws.witness([verse], by=CY)
    story.ws.witness([stolen], by=EVE)
    report = told("back-dated", hitp2p.verify(story.folder / "poem.txt", workspace=story.ws))
    assert report.match is not None
    assert report.match.work == verse.cid
    assert [rival.work for rival in report.rivals] == [stolen.cid]
    assert report.rivals[0].not_after is None


def test_a_false_credit_is_open_until_it_is_denied(story: Story) -> None:
    project = story.ws.create_project("Night Bus", license="CC-BY-SA-4.0", by=BO)
    song = story.work(BO, project, "song.txt", "Song", credits=[(ANA, "sng"), (CY, "mus")])
    story.ws.add_identity(ANA)
    silent = told("credit-unanswered", story.verify(song, "song.txt"))
    assert silent.headline is Headline.VERIFIED_WITH_GAPS
    assert codes(silent) == {GapCode.UNANSWERED}
    story.ws.answer(song, "accept", by=CY)
    story.ws.answer(song, "deny", by=ANA, reason="I never sang on this.")
    report = told("credit-denied", story.verify(song, "song.txt"))
    assert report.headline is Headline.DISPUTED


def test_credits_that_are_confirmed_or_amended_are_told_so(story: Story) -> None:
    project = story.ws.create_project("Night Bus", license="CC-BY-SA-4.0", by=BO)
    song = story.work(BO, project, "song.txt", "Song", credits=[(ANA, "sng"), ("Old Joe", "mus")])
    story.ws.answer(song, "accept", by=ANA)
    assert told("credit-confirmed", story.verify(song, "song.txt")).headline is Headline.VERIFIED
    story.ws.answer(song, "amend", by=ANA, role="voc", reason="I only hum.")
    report = told("credit-amended", story.verify(song, "song.txt"))
    assert codes(report) == {GapCode.AMENDED}


def test_an_omitted_ancestor_can_speak(story: Story) -> None:
    project = story.ws.create_project("Night Bus", license="CC-BY-SA-4.0", by=ANA)
    beat = story.work(ANA, project, "beat.txt", "Beat")
    song = story.work(BO, project, "song.txt", "Song")
    story.ws.claim_ancestor(song, beat, by=ANA, relation="sample", reason="That is my beat.")
    report = told("ancestor-omitted", story.verify(song, "song.txt"))
    assert codes(report) == {GapCode.ANCESTOR}


def test_what_a_thief_signs_with_a_revoked_key_is_disavowed(story: Story) -> None:
    bo = person("Bob")
    recovery = bo.take_recovery_key()
    project = story.ws.create_project("Night Bus", license="CC-BY-SA-4.0", by=ANA)
    song = story.work(bo, project, "song.txt", "Song")
    heads = story.ws.good_heads(bo.cid, bo.signer.public)
    forged = story.work(bo, project, "forged.txt", "Bob's confession")
    after = bo.rotate(
        recovery, suspicion=True, good_heads=heads, clock=lambda: NOON, randomness=dice("later")
    )
    story.ws.add_identity(after)
    report = told("key-revoked", story.verify(forged, "forged.txt"))
    assert report.headline is Headline.DISPUTED
    kept = told("key-revoked-kept", story.verify(song, "song.txt"))
    assert kept.headline is Headline.VERIFIED


def test_a_forked_identity_speaks_with_two_voices(story: Story) -> None:
    dee = person("Dee")
    recovery = dee.take_recovery_key()
    project = story.ws.create_project("Night Bus", license="CC-BY-SA-4.0", by=ANA)
    left = dee.rotate(
        recovery, suspicion=True, good_heads={}, clock=lambda: NOON, randomness=dice("left")
    )
    right = dee.rotate(
        recovery, suspicion=True, good_heads={}, clock=lambda: NOON, randomness=dice("right")
    )
    song = story.work(left, project, "song.txt", "Song")
    story.ws.add_identity(right)
    report = told("identity-forked", story.verify(song, "song.txt"))
    assert report.headline is Headline.DISPUTED
    assert report.standing is not None
    assert report.standing.standing is Standing.FORKED


def test_a_laundered_license_shows_where_it_was_washed(story: Story) -> None:
    project = story.ws.create_project("Night Bus", license="CC-BY-4.0", by=ANA)
    beat = story.work(ANA, project, "beat.txt", "Beat", license="CC-BY-NC-4.0")
    washed = story.remix(
        EVE, [beat], "washed.txt", "Washed beat", license="CC0-1.0", unchecked="Nobody will notice"
    )
    song = story.remix(BO, [washed], "song.txt", "Song")
    report = told("license-laundered", story.verify(song, "song.txt"))
    assert codes(report) == {GapCode.LICENSE}
    assert report.license is not None
    assert report.license.effective is None


def test_a_collection_does_not_launder_what_it_holds(story: Story) -> None:
    """The collection is free, the photo in it mustn't be changed: a collage of the collection is one of the photo [LIC-6]."""
    project = story.ws.create_project("Night Bus", license="CC-BY-4.0", by=ANA)
    photo = story.work(ANA, project, "photo.txt", "Photo", license="CC-BY-ND-4.0")
    box = story.remix(EVE, [(photo, "collect")], "box.txt", "Free box")
    assert story.verify(box, "box.txt").headline is Headline.VERIFIED
    with pytest.raises(LicenseError) as refused:
        story.remix(BO, [box], "collage.txt", "Collage")
    assert str(refused.value) == (
        'remix of "Photo", which is in the collection "Free box": nothing made of a work under CC-BY-ND-4.0 may be'
        " shared; no licence fits all sources: ask their authors for a grant; or keep it as it is and say so"
        " (relation collect), or name the works in the collection that you used instead of the collection"
    )
    kept = story.remix(BO, [(box, "version"), (photo, "collect")], "box2.txt", "Free box 2")
    assert story.verify(kept, "box2.txt").headline is Headline.VERIFIED
    collage = story.remix(BO, [box], "collage.txt", "Collage", unchecked="The box is free")
    report = told("license-collection", story.verify(collage, "collage.txt"))
    assert codes(report) == {GapCode.LICENSE}
    assert report.license is not None
    assert report.license.effective is None


def test_a_dispute_is_told_with_the_words_of_both_sides(story: Story) -> None:
    project = story.ws.create_project("Night Bus", license="CC-BY-SA-4.0", by=ANA)
    verse = story.work(ANA, project, "verse.txt", "Verse")
    story.ws.add_identity(BO)
    dispute = story.ws.dispute(verse, by=BO, reason="I wrote it on the back of a ticket.")
    report = told("disputed", story.verify(verse, "verse.txt"))
    assert report.headline is Headline.DISPUTED
    story.ws.withdraw(dispute, by=BO, reason="It was another verse.")
    settled = story.verify(verse, "verse.txt", knows_all=True)
    assert settled.headline is Headline.VERIFIED


def test_a_withdrawn_work_says_so(story: Story) -> None:
    project = story.ws.create_project("Night Bus", license="CC-BY-SA-4.0", by=ANA)
    verse = story.work(ANA, project, "verse.txt", "Verse")
    story.ws.withdraw(verse, by=ANA, reason="It isn't good enough.")
    report = told("withdrawn", story.verify(verse, "verse.txt"))
    assert codes(report) == {GapCode.WITHDRAWN}


def test_sources_outside_are_told_with_what_was_noted(story: Story) -> None:
    project = story.ws.create_project("Night Bus", license="CC-BY-4.0", by=ANA)
    bell = ForeignSource(
        url="https://example.org/bell", title="Bell", author="Old Joe", license="CC-BY-3.0"
    )
    song = story.work(ANA, project, "song.txt", "Song", uses=[(bell, "sample")])
    report = told("source-outside", story.verify(song, "song.txt"))
    assert report.headline is Headline.VERIFIED


def test_a_file_that_differs_from_its_bundle_is_unknown(story: Story) -> None:
    project = story.ws.create_project("Night Bus", license="CC-BY-SA-4.0", by=ANA)
    verse = story.work(ANA, project, "verse.txt", "Verse")
    story.ws.export(verse, story.folder / "verse.txt.car")
    story.file("verse.txt", "Worse\n")
    report = told("differs", hitp2p.verify(story.folder / "verse.txt"))
    assert report.headline is Headline.UNKNOWN
    assert report.exit_status == 40


def test_a_bundle_with_a_flipped_byte_is_broken(story: Story) -> None:
    project = story.ws.create_project("Night Bus", license="CC-BY-SA-4.0", by=ANA)
    verse = story.work(ANA, project, "verse.txt", "Verse")
    bundle = story.folder / "verse.txt.car"
    story.ws.export(verse, bundle)
    data = bytearray(bundle.read_bytes())
    data[-10] ^= 1
    bundle.write_bytes(data)
    report = told("broken", hitp2p.verify(story.folder / "verse.txt"))
    assert report.headline is Headline.BROKEN


def test_a_file_of_which_nothing_is_known_is_unknown(story: Story) -> None:
    report = told("unknown", hitp2p.verify(story.file("note.txt", "Hello\n")))
    assert report.headline is Headline.UNKNOWN
