"""What a thief or a liar may try so that a reader is told less, or something else, than what is known [VER-2 to VER-8]."""

from __future__ import annotations

from typing import Any

import pytest
from trail_maker import Person, World, bundle_blocks, make_page, read_blocks
from verdict_world import ANA, BO, CY, EVE, PEOPLE, PROJECT, codes, media, report_on, say, witness

from hitp2p import limits
from hitp2p.codec.cid import Cid
from hitp2p.objects.envelope import SignedObject
from hitp2p.trail.bundle import gather_bundle
from hitp2p.trail.credit_lines import Claim
from hitp2p.trail.evidence import ObjectSet
from hitp2p.trail.report import GapCode, Headline, Report, Shares
from hitp2p.trail.report_explain import render_explained, render_tree
from hitp2p.trail.report_html import render_html_page
from hitp2p.trail.report_json import report_json
from hitp2p.trail.report_text import render_report, tasl_line


def everywhere(report: Report) -> str:
    """All that a reader may be shown of a report, codes and CIDs included."""
    assert report.credits is not None
    sheet = report.credits.sheet
    forms = [render_report(report), render_explained(report), render_tree(report)]
    forms += [render_html_page(report), repr(report_json(report)), tasl_line(report)]
    for by_role in (False, True):
        forms += [sheet.text(by_role=by_role), sheet.markdown(by_role=by_role)]
        forms += [sheet.html(by_role=by_role)]
    return "\n".join(forms)


# --- hidden behind something ------------------------------------------------------------------------


def test_ver_2_a_call_between_does_not_hide_whose_file_it_is() -> None:
    """Credits don't go through calls, so nothing behind one is a source: else a thief's call swallows the first record."""
    verse = ANA.work(PROJECT, "Verse", media=media())
    call = EVE.work(PROJECT, "A call", kind="call", parents=[verse])
    stolen = EVE.work(PROJECT, "Mine", media=media(), parents=[call])
    claim = say(ANA, "claim_ancestor", stolen, own={"object": str(verse.cid)})
    report = report_on(verse, call, stolen, claim, work=stolen)
    assert [rival.work for rival in report.rivals] == [verse.cid]
    assert codes(report) == {GapCode.RIVALS, GapCode.ANCESTOR}


def test_ver_2_a_thief_can_not_crowd_out_the_first_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """Works that build on each other are no rivals of each other, and a false witness puts them in front."""
    monkeypatch.setattr(limits, "RIVALS", 4)
    verse = ANA.work(PROJECT, "Verse", media=media())
    chain: list[SignedObject] = []
    for number in range(4):
        chain.append(EVE.work(PROJECT, f"Mine {number}", media=media(), parents=chain[-1:]))
    report = report_on(verse, *chain, witness(CY, *chain, seen=0))
    assert report.record is not None
    assert report.record.author == EVE.cid
    assert report.n_not_weighed == 1
    assert codes(report) == {GapCode.RIVALS}


def test_ver_5_a_claim_against_a_source_is_not_lost_in_the_next_remix() -> None:
    beat = ANA.work(PROJECT, "Beat")
    stolen = EVE.work(PROJECT, "Mine")
    washed = EVE.work(PROJECT, "Mine, remixed", media=media(), parents=[stolen])
    claim = say(ANA, "claim_ancestor", stolen, own={"object": str(beat.cid)})
    assert codes(report_on(beat, stolen, washed, claim)) == {GapCode.ANCESTOR}


def test_ver_5_a_claim_to_be_sampled_is_not_met_by_inspiration() -> None:
    beat = ANA.work(PROJECT, "Beat", license="CC-BY-ND-4.0")
    use = {"work": str(beat.cid), "relation": "inspired-by"}
    stolen = EVE.work(PROJECT, "Mine", media=media(), parents=[beat], uses=[use])
    own = {"object": str(beat.cid)}
    silent = say(ANA, "claim_ancestor", stolen, own=own)
    sampled = say(ANA, "claim_ancestor", stolen, own=own, relation="sample")
    assert codes(report_on(beat, stolen, silent)) == set()
    assert codes(report_on(beat, stolen, sampled)) == {GapCode.ANCESTOR}


def test_ver_5_nobody_claims_the_works_of_others() -> None:
    beat = ANA.work(PROJECT, "Beat")
    song = BO.work(PROJECT, "Song", media=media())
    claim = say(EVE, "claim_ancestor", song, own={"object": str(beat.cid)})
    assert codes(report_on(beat, song, claim)) == set()


@pytest.mark.parametrize("on_page", [False, True])
def test_ver_5_the_author_of_a_source_can_deny_a_use(on_page: bool) -> None:
    beat = ANA.work(PROJECT, "Beat")
    other = {"source": {"title": "Bell", "license": "CC0-1.0"}, "relation": "sample"}
    use = {"work": str(beat.cid), "relation": "reference"}
    page = make_page(use)
    uses: dict[str, Any] = {"uses": [other], "uses_pages": [page[0]]}
    if not on_page:
        uses = {"uses": [other, use]}
    song = BO.work(PROJECT, "Song", media=media(), parents=[beat] * (not on_page), **uses)
    deny = say(ANA, "answer", song, about="source", line=1, answer="deny", reason="You took it.")
    stranger = say(EVE, "answer", song, about="source", line=1, answer="deny")
    elsewhere = say(ANA, "answer", song, about="source", line=0, answer="deny")
    assert codes(report_on(beat, song, stranger, elsewhere, pages=[page])) == set()
    report = report_on(beat, song, deny, pages=[page])
    assert codes(report) == {GapCode.USE}
    assert "You took it." in render_report(report)


def test_kinds_that_nobody_knows_are_told_as_a_gap() -> None:
    """What they build on and whom they name can't be read, so it could hide anything [KND-11]."""
    hidden = EVE.sign("x-mix", {"uses": [3]}, project=PROJECT.cid, parents=[PROJECT.cid])
    song = BO.work(PROJECT, "Song", media=media(), parents=[hidden])
    assert GapCode.KIND in codes(report_on(hidden, song))


@pytest.mark.parametrize("kind", ["release", "call"])
def test_fields_that_a_kind_does_not_have_say_nothing_and_break_nothing(kind: str) -> None:
    """Unknown fields may hold anything [KND-11], also under names that other kinds use."""
    odd: dict[str, Any] = {"uses": [5], "uses_pages": 3, "unchecked": {"a": 1}, "call": 7}
    if kind == "release":
        work = EVE.work(
            PROJECT, "R", kind=kind, media=media(), version="1", works=[str(PROJECT.cid)], **odd
        )
        report = report_on(work, witness(CY, work))
        assert report.headline is Headline.VERIFIED
        assert report.time is not None
        assert report.time.not_after == 1_000
        everywhere(report)
    else:
        work = EVE.work(
            PROJECT, "C", kind=kind, media=["x"], credits=9, credits_pages="y", note=-1, **odd
        )
        assert report_on(work).headline is Headline.UNKNOWN
    song = EVE.work(PROJECT, "W", parents=[work])
    here = {obj.cid: obj for obj in (*PEOPLE, PROJECT, work, song)}
    bundle = gather_bundle(
        song,
        lookup=here.get,
        events=lambda who: [who],
        referrers=lambda _: [],
        blocks=ObjectSet({}),
    )
    assert bundle.n_objects == 5


# --- answers ----------------------------------------------------------------------------------------


def test_crd_2_a_denial_counts_though_the_page_before_its_credit_is_withheld() -> None:
    """Who leaves out a page moves the places of what follows; then any denial of the person counts, and no acceptance."""
    first = make_page({"name": "Uncle", "role": "mus"})
    second = make_page({"who": str(ANA.cid), "role": "sng"})
    song = BO.work(PROJECT, "Song", media=media(), credits_pages=[first[0], second[0]])
    deny = say(ANA, "answer", song, about="credit", line=1, answer="deny")
    accept = say(ANA, "answer", song, about="credit", line=1, answer="accept")

    def claim(*said: SignedObject, pages: list[tuple[Cid, bytes]]) -> Claim:
        credits = report_on(song, *said, pages=pages).credits
        assert credits is not None
        return next(p.claim for p in credits.sheet.lines[0].people if p.identity == ANA.cid)

    assert claim(deny, pages=[first, second]) is Claim.DENIED
    assert claim(deny, pages=[second]) is Claim.DENIED
    assert claim(accept, pages=[first, second]) is Claim.CONFIRMED
    assert claim(accept, pages=[second]) is Claim.CLAIMED


def test_crd_2_an_answer_that_was_taken_back_is_none() -> None:
    song = BO.work(PROJECT, "Song", media=media(), credits=[{"who": str(ANA.cid), "role": "sng"}])
    accept = say(ANA, "answer", song, about="credit", line=0, answer="accept")
    back = say(ANA, "withdrawal", accept, scope="work")
    by_other = say(BO, "withdrawal", accept, scope="work")
    assert report_on(song, accept, by_other).headline is Headline.VERIFIED
    assert codes(report_on(song, accept, back)) == {GapCode.UNANSWERED}


def test_ver_4_a_witness_that_was_taken_back_is_none() -> None:
    verse = ANA.work(PROJECT, "Verse", media=media())
    seen = witness(CY, verse)
    back = say(CY, "withdrawal", seen, scope="work")
    time, without = report_on(verse, seen).time, report_on(verse, seen, back).time
    assert time is not None
    assert without is not None
    assert (time.not_after, without.not_after) == (1_000, None)


def test_shares_are_agreed_by_those_who_speak_of_this_split() -> None:
    """An answer about another release, which names this one as its target's project, is none about this one."""
    parts = [{"who": str(ANA.cid), "points": 10_000}]
    split = {"method": "equal", "parts": parts}
    release = BO.work(PROJECT, "Album", kind="release", version="1", works=[str(PROJECT.cid)],
                      split=split, media=media())  # fmt: skip
    target = {"object": str(PROJECT.cid), "project": str(release.cid)}
    body = {"target": target, "about": "split", "line": 0, "answer": "accept"}
    stray = ANA.sign("answer", body, project=PROJECT.cid, parents=[PROJECT.cid])
    accept = say(ANA, "answer", release, about="split", line=0, answer="accept")
    assert report_on(release, stray).shares is Shares.PROPOSED
    assert report_on(release, accept).shares is Shares.AGREED


def test_a_bundle_carries_what_was_taken_back_with_its_withdrawal() -> None:
    """Else a dispute would count for ever, and an acceptance too, for all who have only the bundle."""
    song = BO.work(PROJECT, "Song", media=media())
    dispute = say(EVE, "dispute", song, reason="Mine!")
    back = say(EVE, "withdrawal", dispute, scope="work")
    by_other = say(BO, "withdrawal", dispute, scope="work")
    world = World(*PEOPLE, PROJECT, song, dispute, back, by_other)
    roots, blocks, _ = bundle_blocks(song, world)
    found = read_blocks(roots, blocks).objects
    assert back.cid in found
    assert by_other.cid not in found
    assert report_on(*found.values()).headline is Headline.VERIFIED


# --- names ------------------------------------------------------------------------------------------


def test_crd_5_a_name_that_was_withdrawn_stands_nowhere_in_a_report() -> None:
    zelda = Person("Zelda")
    song = zelda.work(PROJECT, "Song", media=media())
    other = zelda.work(PROJECT, "Copy", media=media(), time=1)
    statements = [
        say(zelda, "withdrawal", song, scope="name"),
        say(zelda, "withdrawal", other, scope="name"),
        say(zelda, "dispute", song, reason="x"),
    ]
    report = report_on(zelda.genesis, song, other, *statements, work=song)
    assert [rival.work for rival in report.rivals] == [other.cid]
    assert GapCode.WITHDRAWN not in codes(report)
    assert "Zelda" not in everywhere(report)


def test_crd_5_a_name_withheld_in_one_work_is_not_given_away_by_another() -> None:
    verse = EVE.work(PROJECT, "Verse", credits=[{"who": str(EVE.cid), "role": "lyr"}])
    song = EVE.work(PROJECT, "Song", media=media(), parents=[verse],
                    credits=[{"who": str(EVE.cid), "role": "lyr"}])  # fmt: skip
    report = report_on(verse, song, say(EVE, "withdrawal", song, scope="name"))
    assert report.credits is not None
    roles = report.credits.sheet.text(by_role=True).splitlines()
    assert [line for line in roles if "Eve" in line and "Song" in line] == []
    assert [line for line in roles if "withheld" in line and "Verse" in line] == []


@pytest.mark.parametrize(("scope", "words"), [("work", "withdrawn it"), ("media", "its files")])
def test_ver_5_a_withdrawal_says_of_what(scope: str, words: str) -> None:
    song = EVE.work(PROJECT, "Song", media=media())
    report = report_on(song, say(EVE, "withdrawal", song, scope=scope))
    assert codes(report) == {GapCode.WITHDRAWN}
    assert words in report.gaps[0].text


def test_a_name_can_not_bring_its_own_code() -> None:
    """`Ana [code]` as a mere name, in a credit or in a genesis, would pass for Ana."""
    fake = f"Ana [{str(ANA.cid)[7:15]}]"
    liar = Person(fake)
    song = liar.work(
        PROJECT, "Song", media=media(),
        credits=[{"name": fake, "role": "aut"}, {"who": str(liar.cid), "name": fake, "role": "cmp"}],
    )  # fmt: skip
    report = report_on(song, liar.genesis)
    for text in (render_report(report), render_explained(report), render_tree(report)):
        assert fake not in text
    assert f"Ana ({str(ANA.cid)[7:15]}) (author; only named)" in render_report(report)


def test_a_title_can_not_close_its_quotation_marks() -> None:
    title = 'Song" by Ana, CC0-1.0; built from "Air'
    report = report_on(EVE.work(PROJECT, title, media=media()))
    assert title not in render_report(report)
    assert title.replace('"', "'") in tasl_line(report)


def test_who_signed_is_told_beside_who_is_only_named() -> None:
    song = EVE.work(PROJECT, "Wall", media=media(), credits=[{"name": "Banksy", "role": "art"}])
    assert "Banksy (artist; only named), Eve" in render_report(report_on(song))


@pytest.mark.parametrize("name", ["Ana", "ANA", "А\u200cn-a", "Ａｎａ"])
def test_ver_8_names_that_look_alike_are_told(name: str) -> None:
    twin = Person(name, keys=["twin"])
    verse = ANA.work(PROJECT, "Verse")
    song = twin.work(PROJECT, "Song", media=media(), parents=[verse])
    report = report_on(twin.genesis, verse, song)
    assert codes(report) == {GapCode.NAMES}
    assert str(twin.cid)[7:15] in report.gaps[0].text
    assert str(ANA.cid)[7:15] in report.gaps[0].text


def test_ver_8_one_person_or_names_apart_are_no_gap() -> None:
    verse = ANA.work(PROJECT, "Verse")
    song = ANA.work(PROJECT, "Song", media=media(), parents=[verse])
    assert codes(report_on(verse, song)) == set()
    credits = [{"name": "ana", "role": "mus"}]
    named = ANA.work(PROJECT, "Song", media=media(), parents=[verse], credits=credits)
    assert codes(report_on(verse, named)) == {GapCode.NAMES}


def test_a_source_outside_can_not_pose_as_a_record() -> None:
    verse = ANA.work(PROJECT, "Verse")
    fake = {"title": "Verse", "url": f"hitp2p:{verse.cid}", "license": "CC0-1.0"}
    song = EVE.work(PROJECT, "Song", media=media(), uses=[{"source": fake, "relation": "sample"}])
    report = report_on(verse, song)
    assert str(verse.cid) not in tasl_line(report)
    assert "outside hitp2p, as whoever used it says" in render_report(report)


# --- words ------------------------------------------------------------------------------------------


def test_what_is_not_judged_is_said_beside_the_licence() -> None:
    odd = {"source": {"title": "Beat", "license": "LicenseRef-Odd"}, "relation": "remix"}
    song = EVE.work(
        PROJECT, "Song", media=media(), license="CC0-1.0", uses=[odd], unchecked="Why not"
    )
    text = render_report(report_on(song))
    assert "CC0-1.0: nothing is asked; 1 of its uses of sources not judged" in text
    assert '(its author says: "Why not")' in text


def test_a_flood_of_one_kind_of_gap_does_not_hide_the_others() -> None:
    song = BO.work(PROJECT, "Song", media=media())
    flood = [
        say(
            EVE,
            "claim_ancestor",
            song,
            own={"object": str(Cid.of(0x71, bytes([n])))},
            reason="!" * 900,
        )
        for n in range(50)
    ]
    text = render_report(report_on(song, say(BO, "withdrawal", song, scope="work"), *flood))
    assert "has withdrawn it" in text
    assert "and 45 more like these" in text
    assert len(text) < 10_000


def test_who_denies_a_credit_is_not_in_the_line_to_paste() -> None:
    song = BO.work(PROJECT, "Song", media=media(), credits=[{"who": str(ANA.cid), "role": "sng"}])
    deny = say(ANA, "answer", song, about="credit", line=0, answer="deny")
    report = report_on(song, deny)
    assert report.headline is Headline.DISPUTED
    assert "Ana" not in tasl_line(report)
