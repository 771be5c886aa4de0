"""The walk behind a credit sheet, and that its forms do no harm."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from random import Random
from typing import Any

import pytest
from trail_maker import Person, World, make_page, make_shape

from hitp2p.errors import UsageError
from hitp2p.objects.envelope import SignedObject
from hitp2p.trail.credits import Claim, CreditLine, CreditSheet, credit_sheet
from hitp2p.trail.display import license_url, role_word, safe_line, short_name, web_url
from hitp2p.trail.standing import Standing

ANA, BO, CY = Person("Ana"), Person("Bo"), Person("Cy")
PROJECT = ANA.project(license="CC-BY-SA-4.0")


def world_of(*objects: SignedObject, blocks: Any = ()) -> World:
    people = (ANA.genesis, BO.genesis, CY.genesis)
    return World(*people, PROJECT, *objects, blocks=blocks)


def sheet_of(work: SignedObject, *objects: SignedObject, blocks: Any = ()) -> CreditSheet:
    world = world_of(work, *objects, blocks=blocks)
    return credit_sheet(
        work,
        lookup=world.lookup,
        blocks=world,
        answers=lambda cid: (world.objects[answer] for answer in world.referrers(cid)),
    )


def titles(sheet: CreditSheet) -> list[tuple[str | None, int]]:
    return [(line.title, line.distance) for line in sheet.lines]


def use_of(work: SignedObject, relation: str = "remix", **more: str) -> dict[str, Any]:
    return {"work": str(work.cid), "relation": relation, **more}


def test_crd_1_a_source_stands_at_its_shortest_distance_once() -> None:
    works = make_shape([[], [0], [1], [0, 2]], who=lambda n: ANA, project=PROJECT)
    sheet = sheet_of(works[3], *works)
    expected = [("Work 3", 0), ("Work 2", 1), ("Work 0", 1), ("Work 1", 2)]
    assert titles(sheet) == expected
    uses = {line.title: [use.nearest for use in line.uses] for line in sheet.lines}
    assert uses == {"Work 3": [], "Work 2": [True], "Work 0": [True, False], "Work 1": [True]}


def test_crd_1_calls_and_projects_are_no_sources_and_end_a_path() -> None:
    seed = ANA.work(PROJECT, "Seed")
    call = ANA.work(PROJECT, "Sing this", kind="call", parents=[seed])
    song = BO.work(PROJECT, "Song", parents=[call], call=str(call.cid))
    assert titles(sheet_of(song, seed, call)) == [("Song", 0)]
    with pytest.raises(UsageError):
        sheet_of(call, seed)


def test_crd_1_what_was_used_and_how_is_told() -> None:
    verse = ANA.work(PROJECT, "Verse")
    use = use_of(verse, "sample", part="t=1,2", into="t=3,4", note="It sings")
    again = use_of(verse, "translation")
    song = BO.work(PROJECT, "Song", parents=[verse], uses=[use, again])
    sheet = sheet_of(song, verse)
    assert [(u.relation, u.part, u.into, u.note) for u in sheet.lines[1].uses] == [
        ("sample", "t=1,2", "t=3,4", "It sings"),
        ("translation", None, None, None),
    ]
    for form in (sheet.text(), sheet.html()):
        assert "sampled (t=1,2 of it) into t=3,4" in form
        assert "It sings" in form


def test_crd_1_lists_go_on_in_pages() -> None:
    verse = ANA.work(PROJECT, "Verse")
    rain = {"source": {"title": "Rain", "author": "X", "license": "CC0-1.0"}, "relation": "sample"}
    uses = make_page(use_of(verse, "version"), rain)
    credits = make_page({"who": str(CY.cid), "role": "sng"})
    song = BO.work(
        PROJECT, "Song", parents=[verse], uses_pages=[uses[0]], credits_pages=[credits[0]]
    )
    whole = sheet_of(song, verse, blocks=[uses, credits])
    assert titles(whole) == [("Song", 0), ("Verse", 1), ("Rain", 1)]
    assert [person.name for person in whole.lines[0].people] == ["Cy", "Bo"]
    assert whole.lines[1].uses[0].relation == "version"
    assert not whole.missing
    part = sheet_of(song, verse)
    assert titles(part) == [("Song", 0), ("Verse", 1)]
    assert part.lines[0].incomplete
    assert set(part.missing) == {uses[0], credits[0]}
    broken = make_page({"relation": "sample"})
    song = BO.work(PROJECT, "Song", uses_pages=[broken[0]])
    assert sheet_of(song, blocks=[broken]).lines[0].incomplete


def test_crd_1_one_foreign_source_is_one_line() -> None:
    rain = {"url": "https://example.org/rain", "title": "Rain"}
    uses = [
        {"source": {**rain, "fetched": 1}, "relation": "sample"},
        {"source": {**rain, "fetched": 2}, "relation": "extract"},
        {"source": {"title": "Rain"}, "relation": "sample"},
    ]
    sheet = sheet_of(BO.work(PROJECT, "Song", uses=uses))
    assert [(line.source and line.source.url, len(line.uses)) for line in sheet.lines] == [
        (None, 0),
        (None, 1),
        ("https://example.org/rain", 2),
    ]


def test_crd_1_strange_kinds_give_a_line_without_words() -> None:
    strange = ANA.sign(
        "x-light", {"title": 5, "credits": 7}, project=PROJECT.cid, parents=[PROJECT.cid]
    )
    song = BO.work(PROJECT, "Song", parents=[strange])
    line = sheet_of(song, strange).lines[1]
    assert (line.title, [person.name for person in line.people]) == (None, ["Ana"])
    assert "(untitled)" in sheet_of(song, strange).text()


def test_crd_1_the_sheet_is_a_function_of_the_set() -> None:
    shape = [[], [], [0, 1], [0], [2, 3], [2], [4, 5]]
    works = make_shape(shape, who=lambda n: (ANA, BO, CY)[n % 3], project=PROJECT)
    expected = sheet_of(works[-1], *works)
    for seed in range(10):
        shuffled = works[:]
        Random(seed).shuffle(shuffled)
        assert sheet_of(works[-1], *shuffled) == expected


def people_of(line: CreditLine) -> dict[str | None, tuple[tuple[str, ...], Claim]]:
    return {person.name: (person.roles, person.claim) for person in line.people}


def test_a_person_stands_once_with_all_their_roles_in_order() -> None:
    who = str(CY.cid)
    credits = [
        {"who": who, "role": "cmp"},
        {"name": "Dee", "role": "sng"},
        {"who": who, "role": "lyr", "name": "MC Cy"},
        {"who": who, "role": "cmp"},
        {"name": "Dee", "role": "mix"},
    ]
    line = sheet_of(BO.work(PROJECT, "Song", credits=credits)).lines[0]
    assert people_of(line) == {
        "MC Cy": (("cmp", "lyr"), Claim.CLAIMED),
        "Dee": (("sng", "mix"), Claim.CLAIMED),
        "Bo": (("ctb",), Claim.SELF),
    }


def answer_of(who: Person, work: SignedObject, answer: str, line: int = 0) -> SignedObject:
    target = {"object": str(work.cid)}
    body = {"target": target, "about": "credit", "line": line, "answer": answer}
    return who.sign("answer", body, project=PROJECT.cid, parents=[PROJECT.cid])


def test_crd_2_the_most_careful_answer_of_the_person_counts() -> None:
    song = BO.work(PROJECT, "Song", credits=[{"who": str(CY.cid), "role": "sng"}])
    accept, deny = answer_of(CY, song, "accept"), answer_of(CY, song, "deny")
    amend = answer_of(CY, song, "amend")

    def claim(*answers: SignedObject) -> Claim:
        return people_of(sheet_of(song, *answers).lines[0])["Cy"][1]

    assert claim() is Claim.CLAIMED
    assert claim(accept) is Claim.CONFIRMED
    assert claim(accept, amend) is Claim.AMENDED
    assert claim(accept, amend, deny) is Claim.DENIED
    assert claim(answer_of(ANA, song, "accept")) is Claim.CLAIMED
    assert claim(answer_of(CY, song, "accept", line=1)) is Claim.CLAIMED
    assert "DENIES" in sheet_of(song, deny).text()


def test_crd_2_a_stolen_name_confirms_nothing() -> None:
    song = BO.work(PROJECT, "Song", credits=[{"who": str(CY.cid), "role": "sng"}])
    world = world_of(song, answer_of(CY, song, "accept"))
    sheet = credit_sheet(
        song,
        lookup=world.lookup,
        answers=lambda cid: world.objects.values(),
        standing=lambda obj: Standing.DISAVOWED,
    )
    claims = {name: claim for name, (_, claim) in people_of(sheet.lines[0]).items()}
    assert claims == {"Cy": Claim.CLAIMED, "Bo": Claim.CLAIMED}
    assert "disavowed" in sheet.text()


def test_crd_4_a_work_without_a_licence_has_the_projects() -> None:
    own = BO.work(PROJECT, "Own", license="CC0-1.0")
    plain = BO.work(PROJECT, "Plain", parents=[own])
    first, second = sheet_of(plain, own).lines
    assert (first.license, first.license_from_project) == ("CC-BY-SA-4.0", True)
    assert (second.license, second.license_from_project) == ("CC0-1.0", False)
    text = sheet_of(plain, own).text()
    assert "https://creativecommons.org/publicdomain/zero/1.0/" in text
    assert "the project's default" in text


def test_a_chain_of_thousands_is_walked() -> None:
    works = make_shape(
        [[n - 1] if n else [] for n in range(3000)], who=lambda n: ANA, project=PROJECT
    )
    sheet = sheet_of(works[-1], *works)
    assert sheet.lines[-1].distance == 2999
    assert max(map(len, sheet.text().splitlines())) < 200


# --- forms ----------------------------------------------------------------------------------------
NAUGHTY = (
    "<img src=x onerror=alert(1)>",
    "\"'><script>alert(1)</script>",
    "](javascript:alert(1)) [x](data:text/html,x)",
    "![x](https://evil.example/x.png) <https://evil.example>",
    "https://evil.example www.evil.example a@evil.example",
    "&lt;b&gt; &amp;amp;",
    "`code` ~~~ *** ___ # | > - 1. + =",
    "$(reboot); `reboot`",
    "ᚠ 中文 ﷽ 👩‍👩‍👧 e\u0301".replace("e\u0301", "é"),
)


class Reader(HTMLParser):
    """Collects tags, links and text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str | None] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name == "href"]
        assert {name for name, _ in attrs} <= {"href", "rel"}

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.fixture(scope="module", params=NAUGHTY)
def naughty(request: pytest.FixtureRequest) -> tuple[str, CreditSheet]:
    """A sheet with one text in every field that takes one."""
    text: str = request.param
    verse = ANA.work(PROJECT, text, note=text)
    body: dict[str, Any] = {
        "uses": [
            use_of(verse, note=text),
            {
                "source": {"url": text, "title": text, "author": text},
                "relation": "sample",
                "note": text,
            },
        ],
        "credits": [{"name": text[:60], "role": text[:60]}],
        "note": f"{text}\n\n- {text}",
    }
    return text, sheet_of(BO.work(PROJECT, text, parents=[verse], **body), verse)


@pytest.mark.parametrize("by_role", [False, True])
def test_html_holds_foreign_text_as_text(naughty: tuple[str, CreditSheet], by_role: bool) -> None:
    text, sheet = naughty
    reader = Reader()
    reader.feed(sheet.html(by_role=by_role))
    assert reader.tags <= {"ul", "li", "cite", "a", "q"}
    assert all(link and link.startswith("https://creativecommons.org/") for link in reader.links)
    assert text in reader.words


@pytest.mark.parametrize("by_role", [False, True])
def test_markdown_escapes_all_that_means_something(
    naughty: tuple[str, CreditSheet], by_role: bool
) -> None:
    _, sheet = naughty
    for line in sheet.markdown(by_role=by_role).splitlines():
        ours = re.sub(r"\]\(https://creativecommons\.org/[a-z0-9./-]+\)", "]", line)
        plain = re.sub(r"\\[!-/:-@\[-`{-~]", "", ours)
        assert not re.search(r"[<>`_~|#@&]|:\S|\]\(", plain), plain


@pytest.mark.parametrize("by_role", [False, True])
def test_text_never_starts_a_line_with_foreign_text(
    naughty: tuple[str, CreditSheet], by_role: bool
) -> None:
    text, sheet = naughty
    shown = sheet.text(by_role=by_role)
    assert not any(line.startswith(text[:8]) for line in shown.splitlines())
    assert all(char.isprintable() or char in "\n\u200c\u200d" for char in shown)


def test_json_gives_text_as_it_is(naughty: tuple[str, CreditSheet]) -> None:
    text, sheet = naughty
    plain = json.loads(json.dumps(sheet.to_json()))
    assert plain["lines"][0]["title"] == text


def test_short_codes_can_be_left_out() -> None:
    sheet = sheet_of(ANA.work(PROJECT, "Verse"))
    for form in (sheet.text, sheet.markdown, sheet.html):
        assert short_name(ANA.cid) in form()
        assert short_name(ANA.cid) not in form(codes=False)


def test_licences_of_creative_commons_have_an_address() -> None:
    cc = "https://creativecommons.org"
    assert license_url("CC-BY-NC-SA-3.0-DE") == f"{cc}/licenses/by-nc-sa/3.0/de/"
    assert license_url("CC-BY-ND-4.0") == f"{cc}/licenses/by-nd/4.0/"
    assert license_url("CC0-1.0") == f"{cc}/publicdomain/zero/1.0/"
    for other in ("MIT", "CC-BY-4.0 OR MIT", "CC-BY-4.0\n", "CC-XX-4.0"):
        assert license_url(other) is None


def test_only_plain_web_addresses_become_links() -> None:
    assert web_url("https://example.org/a?b=c&d") == "https://example.org/a?b=c&d"
    for other in ("javascript:alert(1)", "https://a b", 'https://a"b', "data:x", "https://é", ""):
        assert web_url(other) is None


def test_clean_lines_are_one_printable_line() -> None:
    assert safe_line("a\x1b[2J\u202eb\nc\td\u00a0e\u200d") == "a\\x1b[2J\\u202eb c d e\u200d"
    assert safe_line("plain") == "plain"
    assert role_word("lyr") == "lyricist"
    assert role_word("made the tea") == "made the tea"
