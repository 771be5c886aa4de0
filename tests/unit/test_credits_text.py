"""Rendered credits: every line is there, and foreign text can do no harm."""

from __future__ import annotations

import json

import pytest

import hitp2p
from hitp2p.objects.contribution import ForeignSource, Use
from hitp2p.objects.parts import RELATIONS
from hitp2p.trail.credits import CreditSheet, credit_sheet

EVIL = "<script>alert(1)</script> [x](javascript:1) *bold* & co"


@pytest.fixture(scope="module")
def sheet() -> CreditSheet:
    ana, bo = hitp2p.Identity.create("Ana"), hitp2p.Identity.create("Bo")
    with hitp2p.open(":memory:") as ws:
        p = ws.create_project("P", license="CC-BY-SA-4.0", by=ana)
        verse = ws.contribute(p, title=EVIL, roles=["lyr", "cmp"], by=ana)
        song = ws.remix(
            [(verse, "translation")],
            title="Song",
            note="I heard it",
            credits=[("Cy Outsider", "prf"), (ana, "lyr")],
            by=bo,
        )
        last = ws.remix(
            [song],
            title="Film",
            uses=[(ForeignSource(url="https://example.org/rain", title="Rain"), "sample")],
            unchecked="Nobody wrote down its licence",
            by=ana,
        )
        return ws.credits(last)


def test_crd_1_each_work_and_foreign_source_has_one_line_in_order(sheet: CreditSheet) -> None:
    assert [(line.title, line.distance) for line in sheet.lines] == [
        ("Film", 0),
        ("Song", 1),
        ("Rain", 1),
        (EVIL, 2),
    ]


def test_crd_2_a_credit_is_the_authors_word_unless_the_person_signed(sheet: CreditSheet) -> None:
    song = sheet.lines[1]
    claims = {person.name: person.claim.value for person in song.people}
    assert claims == {"Cy Outsider": "claimed", "Ana": "claimed", "Bo": "self"}
    assert "Ana" in sheet.text()
    assert "(as the author says)" in sheet.text()
    assert "named, cannot answer" in sheet.text()


def test_text_names_title_people_source_licence_change_and_sentence(sheet: CreditSheet) -> None:
    text = sheet.text()
    for words in ("Film", "lyricist, composer", "CC-BY-SA-4.0", "translated", "I heard it"):
        assert words in text


WORDS = {
    "remix": "remixed",
    "version": "made into a new version",
    "merge": "merged",
    "response": "answered",
    "translation": "translated",
    "extract": "taken in part",
    "sample": "sampled",
    "collect": "taken unchanged into a collection",
    "reference": "referred to",
    "inspired-by": "taken as inspiration",
}


@pytest.mark.parametrize("relation", RELATIONS)
def test_each_relation_reads_as_what_was_done_with_the_source(relation: str) -> None:
    ana = hitp2p.Identity.create("Ana")
    with hitp2p.open(":memory:") as ws:
        verse = ws.contribute(ws.create_project("P", by=ana), title="Verse", by=ana)
        use = Use(work=verse.cid, relation=relation, part="t=3,9", into="t=0,6")
        sheet = ws.credits(ws.remix([use], title="Song", by=ana))
    for text in (sheet.text(), sheet.markdown().replace("\\", ""), sheet.html()):
        assert f"{WORDS[relation]} (t=3,9 of it) into t=0,6" in text


def test_html_has_no_foreign_markup(sheet: CreditSheet) -> None:
    html = sheet.html()
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert 'href="https://example.org/rain"' in html
    assert 'href="https://creativecommons.org/licenses/by-sa/4.0/"' in html


def test_markdown_escapes_foreign_text(sheet: CreditSheet) -> None:
    markdown = sheet.markdown()
    assert r"\<script\>" in markdown
    assert r"\[x\]\(javascript\:1\)" in markdown


def test_json_is_plain_and_complete(sheet: CreditSheet) -> None:
    plain = json.loads(json.dumps(sheet.to_json()))
    assert len(plain["lines"]) == 4
    assert plain["lines"][1]["uses"][0]["relation"] == "remix"
    assert plain["missing"] == []


def test_by_role_turns_the_sheet_round(sheet: CreditSheet) -> None:
    assert "lyricist" in sheet.text(by_role=True)
    assert "lyricist" in sheet.markdown(by_role=True)
    assert "lyricist" in sheet.html(by_role=True)


def test_crd_3_a_source_that_is_not_here_is_listed_as_missing() -> None:
    ana = hitp2p.Identity.create("Ana")
    with hitp2p.open(":memory:") as ws:
        p = ws.create_project("P", by=ana)
        far = ws.contribute(p, title="Far", by=ana)
        q = ws.create_project("Q", by=ana)
        near = ws.remix([far], title="Near", project=q, by=ana)
        sheet = credit_sheet(
            near, lookup=lambda cid: None if cid == far.cid else ws.lookup(cid), blocks=ws.store
        )
    assert sheet.missing == (far.cid,)
    assert [line.missing for line in sheet.lines] == [False, True]
    assert "this work is not here" in sheet.text()


def test_crd_4_a_default_licence_is_marked_as_the_projects() -> None:
    ana = hitp2p.Identity.create("Ana")
    with hitp2p.open(":memory:") as ws:
        p = ws.create_project("P", by=ana)
        line = ws.credits(ws.contribute(p, title="W", by=ana)).lines[0]
    assert line.license is None
    assert not line.license_from_project
