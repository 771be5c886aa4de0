"""The trail for people, and the lanes beside it."""

from __future__ import annotations

import json
import tracemalloc
from random import Random

import pytest
from trail_maker import Person, World, make_shape

from hitp2p.objects.envelope import SignedObject
from hitp2p.trail.graph import Graph
from hitp2p.trail.lanes import LANES_DRAWN, draw_lanes
from hitp2p.trail.standing import Standing
from hitp2p.trail.view import Trail

ANA, BO = Person("Ana"), Person("Bo")
PROJECT = ANA.project(license="CC-BY-4.0")


def trail_of(*objects: SignedObject, standing: Standing = Standing.GOOD) -> Trail:
    world = World(ANA.genesis, BO.genesis, PROJECT, *objects)
    return Trail.of(PROJECT, objects, lookup=world.lookup, standing=lambda obj: standing)


def rows(*parents_of: list[int]) -> list[str]:
    return [row.work for row in draw_lanes(parents_of)]


def test_lanes_show_chains_forks_and_merges() -> None:
    assert rows([], [0], [1]) == ["o", "o", "*"]
    assert rows([], [0], [0], [1, 2]) == ["o", "+-o", "o |", "*-'"]
    assert rows([], []) == ["*", "*"]
    assert rows([], [0], [0], [0]) == ["o", "+-*", "+-*", "*"]


def test_lanes_that_pass_by_are_kept_apart() -> None:
    #  0 and 1 wait for 4 and 3; 2 stands alone between them.
    assert rows([], [], [], [1], [0]) == ["o", "| o", "| | *", "| *", "*"]
    #  A merge across a lane that goes on.
    assert rows([], [], [], [0, 2], [1]) == ["o", "| o", "| | o", "*-|-'", "  *"]


def test_a_merge_is_one_row_however_many_parents_it_has() -> None:
    assert rows([], [], [], [0, 1, 2])[-1] == "*-'-'"


def test_lanes_stay_narrow_whatever_strangers_add() -> None:
    shape: list[list[int]] = (
        [[] for _ in range(1000)] + [[n] for n in range(1000)] + [list(range(1000, 1100))]
    )
    assert max(len(row.work) for row in draw_lanes(shape)) <= 2 * LANES_DRAWN + 1
    assert list(draw_lanes(shape))[500].below.endswith("~")


def test_every_work_has_one_mark() -> None:
    random = Random(7)
    shape = [random.sample(range(n), min(n, random.randrange(4))) for n in range(300)]
    built_on = {parent for parents in shape for parent in parents}
    for number, row in enumerate(draw_lanes(shape)):
        assert (row.work.count("*"), row.work.count("o")) == (
            (0, 1) if number in built_on else (1, 0)
        )


def test_a_trail_is_in_the_order_of_the_graph() -> None:
    works = make_shape(
        [[], [], [0, 1], [2], [2], [3, 4]], who=lambda n: (ANA, BO)[n % 2], project=PROJECT
    )
    graph = Graph([ANA.genesis, BO.genesis, PROJECT, *works])
    trail = trail_of(*works)
    assert [entry.cid for entry in trail.entries] == [
        cid for cid in graph.in_order() if cid not in (ANA.cid, BO.cid)
    ]
    assert tuple(entry.cid for entry in trail.entries if entry.is_head) == graph.heads(PROJECT.cid)
    for seed in range(10):
        shuffled = works * 2
        Random(seed).shuffle(shuffled)
        assert trail_of(*shuffled) == trail


def test_text_tells_who_made_what_from_what() -> None:
    verse = ANA.work(PROJECT, "Verse")
    use = {"work": str(verse.cid), "relation": "sample", "part": "t=1,2", "into": "t=3,4"}
    song = BO.work(
        PROJECT, "Song", parents=[verse], uses=[{**use, "note": "It sings"}], note="Mine\nand hers"
    )
    text = trail_of(verse, song).text()
    for words in ("Night Bus", "Song", "by Bo [", "sample of Verse", "t=1,2 into t=3,4",
                  '"It sings"', '"Mine and hers"'):  # fmt: skip
        assert words in text
    assert text.splitlines()[1].startswith("o ")
    assert text.splitlines()[2].startswith("* ")


def test_text_shows_a_standing_that_is_not_good() -> None:
    verse = ANA.work(PROJECT, "Verse")
    assert "(disavowed)" in trail_of(verse, standing=Standing.DISAVOWED).text()


def test_sources_that_are_not_here_are_named() -> None:
    far = BO.work(BO.project("Elsewhere"), "Far")
    use = {"work": str(far.cid), "project": str(far.project), "relation": "remix"}
    outside = {"source": {"url": "https://example.org/rain"}, "relation": "sample"}
    near = ANA.work(PROJECT, "Near", uses=[use, outside])
    text = trail_of(near).text()
    assert "remix of (not here)" in text
    assert "sample of https://example.org/rain" in text


def test_strange_kinds_are_shown_by_kind_alone() -> None:
    verse = ANA.work(PROJECT, "Verse")
    strange = ANA.sign(
        "x-light",
        {"title": 5, "note": "\x1b[2J", "uses": 3, "prompt": ["x"]},
        project=PROJECT.cid,
        parents=[verse.cid],
    )
    after = ANA.work(PROJECT, "After", parents=[strange])
    trail = trail_of(verse, strange, after)
    entry = next(entry for entry in trail.entries if entry.cid == strange.cid)
    assert (entry.title, entry.note, entry.is_head) == (None, None, False)
    assert "x-light" in trail.text()
    assert "\x1b" not in trail.text()


def test_sources_in_pages_are_announced() -> None:
    page = PROJECT.cid.of(0x71, b"page")
    assert "more sources" in trail_of(ANA.work(PROJECT, "Many", uses_pages=[page])).text()


def test_statements_stand_between_the_works_and_in_no_lane() -> None:
    verse = ANA.work(PROJECT, "Verse")
    thanks = BO.sign(
        "thanks",
        {"target": {"object": str(verse.cid)}, "text": "thank you"},
        project=PROJECT.cid,
        parents=[PROJECT.cid],
    )
    trail = trail_of(verse, thanks)
    assert '"thank you"' in trail.text()
    assert sum(line.startswith(("*", "o")) for line in trail.text().splitlines()) == 1


def test_json_is_plain() -> None:
    verse = ANA.work(PROJECT, "Verse")
    plain = json.loads(json.dumps(trail_of(verse).to_json()))
    assert [entry["title"] for entry in plain["entries"]] == ["Night Bus", "Verse"]


@pytest.mark.parametrize("shape", ["deep", "wide", "many-headed"])
def test_large_shapes_are_shown(shape: str) -> None:
    n_works = 2000
    parents_of: dict[str, list[list[int]]] = {
        "deep": [[n - 1] if n else [] for n in range(n_works)],
        "wide": [[] for _ in range(n_works - 20)]
        + [list(range(100 * n, 100 * n + 100)) for n in range(19)]
        + [list(range(n_works - 20, n_works - 1))],
        "many-headed": [[n % 7] if n > 6 else [] for n in range(n_works)],
    }
    works = make_shape(parents_of[shape], who=lambda n: ANA, project=PROJECT)
    tracemalloc.start()
    text = trail_of(*works).text()
    assert tracemalloc.get_traced_memory()[1] < 40_000_000
    tracemalloc.stop()
    lines = text.splitlines()
    assert max(map(len, lines)) < 120
    n_heads = sum(entry.is_head for entry in trail_of(*works).entries)
    assert sum(line.lstrip("|+-'~ ").startswith("*") for line in lines) == n_heads
