"""Credits for other places: each form is read by a program that nobody here wrote, or held to what it must say."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest
from trail_maker import Person, World

from hitp2p.trail.credits import CreditSheet, credit_sheet
from hitp2p.trail.credits_forms import FORMS, render

ANA, BO, CY = Person("Ana"), Person('Bo "<b>" & Co'), Person("Cy")
PROJECT = ANA.project(license="CC-BY-SA-4.0")
NASTY = 'Song --> <i>&amp; "x" ]]>'
QUOTED = NASTY.replace('"', "'")
"""As it stands between quotation marks."""


def sheet_of() -> CreditSheet:
    verse = ANA.work(PROJECT, "Verse", credits=[{"who": str(ANA.cid), "role": "lyr"}])
    bell = {"url": "https://example.org/bell?a=1&b=2", "title": "Bell", "author": "Old Joe",
            "license": "CC-BY-3.0"}  # fmt: skip
    gone = ANA.work(PROJECT, "Gone")
    elsewhere = CY.project(title="Elsewhere")
    song = BO.work(
        PROJECT,
        NASTY,
        parents=[verse],
        uses=[
            {"work": str(verse.cid), "relation": "remix"},
            {"source": bell, "relation": "sample"},
            {"work": str(gone.cid), "project": str(elsewhere.cid), "relation": "reference"},
        ],
        credits=[
            {"who": str(BO.cid), "role": "cmp"},
            {"who": str(CY.cid), "role": "sng"},
            {"name": "Old Joe", "role": "itr"},
        ],
    )
    world = World(ANA.genesis, BO.genesis, CY.genesis, PROJECT, verse, song)
    return credit_sheet(song, lookup=world.lookup, blocks=world)


SHEET = sheet_of()


@pytest.mark.parametrize("form", FORMS)
def test_every_form_names_people_and_has_no_control_character(form: str) -> None:
    text = render(SHEET, form)
    assert text.endswith("\n")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)
    if form not in ("spdx", "id3", "reuse"):
        assert "Cy" in text
    if form != "spdx":
        assert "Bo" in text


def test_a_line_a_work_has_title_author_source_and_licence() -> None:
    lines = render(SHEET, "tasl").splitlines()
    assert len(lines) == 4
    assert lines[1].startswith('"Verse" by Ana, hitp2p:bafyrei')
    assert lines[1].endswith(
        "CC-BY-SA-4.0 (https://creativecommons.org/licenses/by-sa/4.0/); remixed"
    )
    assert "https://example.org/bell?a=1&b=2, CC-BY-3.0" in "\n".join(lines)
    assert lines[2].startswith("A work that is not here, hitp2p:") or lines[3].startswith("A work")


def test_captions_have_four_lines_at_most_and_no_arrow_in_their_text() -> None:
    blocks = render(SHEET, "srt").rstrip("\n").split("\n\n")
    for number, block in enumerate(blocks):
        first, clock, *lines = block.split("\n")
        assert first == str(number + 1)
        assert re.fullmatch(r"\d\d:\d\d:\d\d,000 --> \d\d:\d\d:\d\d,000", clock)
        assert 1 <= len(lines) <= 4
        assert all("-->" not in line for line in lines)


def test_captions_are_read_by_ffmpeg(tmp_path: Path) -> None:
    tool = _tool("ffmpeg")
    path = tmp_path / "credits.srt"
    path.write_text(render(SHEET, "srt"), encoding="utf-8")
    ran = subprocess.run(
        [tool, "-v", "error", "-i", str(path), "-f", "webvtt", "-"], capture_output=True, check=True
    )
    assert ran.stderr == b""
    assert ran.stdout.count(b"-->") == render(SHEET, "srt").count(" --> ")


def test_linked_data_names_every_work_once_and_what_it_is_based_on() -> None:
    graph = json.loads(render(SHEET, "jsonld"))["@graph"]
    nodes = {node["@id"]: node for node in graph}
    assert len(nodes) == len(graph) == 4
    own = graph[0]
    assert [one["@id"] for one in own["isBasedOn"]] == [node["@id"] for node in graph[1:]]
    assert [role["roleName"] for role in own["contributor"]] == [
        "composer",
        "singer",
        "instrumentalist",
    ]
    assert own["name"] == NASTY


def test_a_reuse_sidecar_has_an_expression_that_spdx_knows() -> None:
    license_expression = pytest.importorskip("license_expression")
    text = render(SHEET, "reuse")
    (expression,) = re.findall("^SPDX-License-Identifier: (.+)$", text, re.MULTILINE)
    assert license_expression.get_spdx_licensing().validate(expression).errors == []
    assert len(re.findall("^SPDX-FileCopyrightText: ", text, re.MULTILINE)) == 4


def test_an_xmp_sidecar_is_read_by_exiftool(tmp_path: Path) -> None:
    ElementTree.fromstring(render(SHEET, "xmp"))  # our own text
    path = tmp_path / "song.xmp"
    path.write_text(render(SHEET, "xmp"), encoding="utf-8")
    ran = subprocess.run(
        [_tool("exiftool"), "-json", str(path)], capture_output=True, check=True, text=True
    )
    (read,) = json.loads(ran.stdout)
    assert read["Title"] == NASTY
    assert read["WebStatement"] == "https://creativecommons.org/licenses/by-sa/4.0/"
    assert read["AttributionName"].endswith("Cy, Old Joe")
    assert str(SHEET.work) in read["Source"]


def test_fields_of_tags_begin_their_comment_with_the_pointer() -> None:
    for form, name in (("id3", "COMM"), ("vorbis", "COMMENT")):
        fields = dict(line.split("=", 1) for line in render(SHEET, form).splitlines())
        assert fields[name].startswith(f"hitp2p:{SHEET.work};")
    assert "TIPL=composer/" in render(SHEET, "id3")


def test_licences_are_listed_once_with_their_works() -> None:
    assert render(SHEET, "spdx").splitlines() == [
        f'CC-BY-SA-4.0: "{QUOTED}", "Verse"',
        'CC-BY-3.0: "Bell"',
    ]


def test_crd_5_a_name_that_is_withheld_stands_in_no_form() -> None:
    verse = ANA.work(PROJECT, "Verse")
    wish = ANA.sign(
        "withdrawal",
        {"target": {"object": str(verse.cid)}, "scope": "name"},
        project=PROJECT.cid,
        parents=[PROJECT.cid],
    )
    sheet = credit_sheet(
        verse,
        lookup=World(ANA.genesis, PROJECT, verse, wish).lookup,
        answers=lambda cid: [wish] if cid == verse.cid else [],
    )
    for form in FORMS:
        assert "Ana" not in render(sheet, form)
        assert str(ANA.cid) not in render(sheet, form)
    assert "(name withheld at their wish)" in sheet.text()
    assert "Ana" not in sheet.text() + sheet.html() + sheet.markdown()


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


# --- what a title or a name may try ------------------------------------------------------------------


def hostile_sheet(*, title: str = "Song", name: str = "Joe", **source: str) -> CreditSheet:
    """A work with one hostile field, made of a verse and something outside."""
    verse = ANA.work(PROJECT, "Verse", license="CC-BY-SA-4.0")
    uses = [{"source": {"title": "Bell", **source}, "relation": "sample"}]
    credits = [{"name": name, "role": "mus"}]
    song = BO.work(PROJECT, title, parents=[verse], uses=uses, credits=credits)
    here = {obj.cid: obj for obj in (ANA.genesis, BO.genesis, PROJECT, verse, song)}
    return credit_sheet(song, lookup=here.get)


def test_linked_data_can_stand_in_a_page() -> None:
    text = render(hostile_sheet(title="</script><script>alert(1)</script>"), "jsonld")
    assert "<" not in text
    assert json.loads(text)["@graph"][0]["name"] == "</script><script>alert(1)</script>"


def test_a_source_outside_speaks_for_no_work_in_linked_data() -> None:
    """Two nodes of one name are one thing: a made-up source could restate the licence of a real work."""
    verse = ANA.work(PROJECT, "Verse", license="CC-BY-SA-4.0")
    sheet = hostile_sheet(url=f"hitp2p:{verse.cid}", license="CC0-1.0")
    nodes = [node["@id"] for node in json.loads(render(sheet, "jsonld"))["@graph"]]
    assert nodes.count(f"hitp2p:{verse.cid}") == 1
    assert len(set(nodes)) == len(nodes) == 3
    assert render(sheet, "tasl").count(f"hitp2p:{verse.cid}") == 1


def test_two_sources_outside_with_one_title_stay_two_in_linked_data() -> None:
    uses = [
        {"source": {"title": "Bell", "license": text}, "relation": "sample"} for text in ("MIT",)
    ]
    uses += [{"source": {"title": "Bell", "sha256": bytes(32)}, "relation": "sample"}]
    song = BO.work(PROJECT, "Song", uses=uses)
    here = {obj.cid: obj for obj in (ANA.genesis, BO.genesis, PROJECT, song)}
    graph = json.loads(render(credit_sheet(song, lookup=here.get), "jsonld"))["@graph"]
    assert len({node["@id"] for node in graph}) == 3


@pytest.mark.parametrize(
    "text",
    ["SPDX-License-Identifier: CC0-1.0", "REUSE-IgnoreStart", "x spdx-license-identifier: MIT"],
)
def test_no_tag_of_reuse_comes_from_a_title_or_a_name(text: str) -> None:
    for sheet in (
        hostile_sheet(title=text),
        hostile_sheet(name=text),
        hostile_sheet(title=text * 2),
    ):
        out = render(sheet, "reuse")
        assert re.findall("SPDX-License-Identifier: *(.*)", out, re.IGNORECASE) == ["CC-BY-SA-4.0"]
        assert "REUSE-Ignore" not in out


@pytest.mark.parametrize(
    "text", ["<i>never closed", "{\\an8}top", " ", "00:00 --> 00:01", "<!--x-->"]
)
def test_captions_hold_no_markup_and_no_empty_line(text: str) -> None:
    out = render(hostile_sheet(title=text, name=text), "srt")
    for block in out.rstrip("\n").split("\n\n"):
        lines = block.split("\n")[2:]
        assert lines
        assert all(line.strip() for line in lines)
        assert not re.search("[<>{}]", "".join(lines))


def test_a_name_with_slashes_is_one_entry_of_tipl() -> None:
    fields = dict(
        line.split("=", 1)
        for line in render(hostile_sheet(name="AC/DC/producer/Eve"), "id3").splitlines()
    )
    assert fields["TIPL"].split("/")[:2] == ["musician", "AC-DC-producer-Eve"]
