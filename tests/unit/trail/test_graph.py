"""Heads, generations, children and ancestors of a set of objects."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path
from random import Random

import pytest
from trail_maker import Person, make_shape

from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.errors import MissingBlocksError, NotFoundError
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.kinds import ObjectClass
from hitp2p.trail.graph import Graph, count_generations

ANA = Person("Ana")
BO = Person("Bo")
PROJECT = ANA.project()


def graph_of(*works: SignedObject) -> Graph:
    return Graph([ANA.genesis, BO.genesis, PROJECT, *works])


def test_trl_10_heads_are_the_works_that_no_work_names() -> None:
    verse = ANA.work(PROJECT, "Verse")
    song = BO.work(PROJECT, "Song", parents=[verse])
    other = BO.work(PROJECT, "Other")
    assert set(graph_of(verse, song, other).heads(PROJECT.cid)) == {song.cid, other.cid}
    assert graph_of(verse).heads(PROJECT.cid) == (verse.cid,)
    assert graph_of().heads(PROJECT.cid) == ()


def test_trl_10_unknown_kinds_are_no_heads_and_hide_none() -> None:
    verse = ANA.work(PROJECT, "Verse")
    strange = BO.work(PROJECT, "?", parents=[verse], kind="x-stage")
    assert graph_of(verse, strange).heads(PROJECT.cid) == (verse.cid,)
    song = BO.work(PROJECT, "Song", parents=[strange])
    assert set(graph_of(verse, strange, song).heads(PROJECT.cid)) == {verse.cid, song.cid}


def test_trl_10_works_of_another_project_are_no_heads_here() -> None:
    elsewhere = BO.project("Elsewhere")
    theirs = BO.work(elsewhere, "Theirs")
    graph = graph_of(elsewhere, theirs)
    assert graph.heads(PROJECT.cid) == ()
    assert graph.heads(elsewhere.cid) == (theirs.cid,)


def test_trl_10_statements_hide_no_head() -> None:
    verse = ANA.work(PROJECT, "Verse")
    thanks = BO.sign(
        "thanks",
        {"target": {"object": str(verse.cid)}, "text": "thank you"},
        project=PROJECT.cid,
        parents=[PROJECT.cid],
    )
    assert graph_of(verse, thanks).heads(PROJECT.cid) == (verse.cid,)


def test_trl_11_generation_counts_from_what_the_envelope_links_to() -> None:
    verse = ANA.work(PROJECT, "Verse")
    song = BO.work(PROJECT, "Song", parents=[verse])
    graph = graph_of(verse, song)
    found = [graph.generation(obj.cid) for obj in (ANA.genesis, PROJECT, verse, song)]
    assert found == [0, 1, 2, 3]


def test_trl_11_a_late_identity_event_raises_the_generation() -> None:
    event: SignedObject = ANA.genesis
    log = [event]
    for n in range(1, 6):
        event = ANA.rotate(
            signer=f"Ana {n}",
            keys=["Ana 0"],
            next_keys=[f"Ana {n + 1}"],
            after=[event],
        )
        log.append(event)
    verse = ANA.work(PROJECT, "Verse", event=event)
    assert graph_of(*log, verse).generation(verse.cid) == 6


def test_children_and_parents_are_each_others_mirror() -> None:
    verse = ANA.work(PROJECT, "Verse")
    song = BO.work(PROJECT, "Song", parents=[verse])
    merge = BO.work(PROJECT, "Merge", parents=[verse, song])
    graph = graph_of(verse, song, merge)
    assert graph.children(verse.cid) == (song.cid, merge.cid)
    assert graph.parents(merge.cid) == tuple(sorted((verse.cid, song.cid)))
    assert graph.children(merge.cid) == ()
    assert graph.ancestors([merge.cid]) == (PROJECT.cid, verse.cid, song.cid, merge.cid)


def test_a_graph_refuses_a_set_with_gaps() -> None:
    verse = ANA.work(PROJECT, "Verse")
    with pytest.raises(MissingBlocksError) as caught:
        Graph([ANA.genesis, verse])
    assert caught.value.cids == (PROJECT.cid,)


def test_a_graph_knows_nothing_of_strangers() -> None:
    with pytest.raises(NotFoundError):
        graph_of().children(ANA.work(PROJECT, "Verse").cid)


def test_order_and_repetition_do_not_matter() -> None:
    works = make_shape([[], [], [0, 1], [2], [2]], who=lambda n: ANA, project=PROJECT)
    objects = [ANA.genesis, PROJECT, *works]
    expected = Graph(objects)
    for seed in range(20):
        shuffled = objects * 2
        Random(seed).shuffle(shuffled)
        graph = Graph(shuffled)
        assert graph.in_order() == expected.in_order()
        assert graph.heads(PROJECT.cid) == expected.heads(PROJECT.cid)


def read_shape(path: Path) -> tuple[list[list[int]], list[int]]:
    """Parents and author number of each node."""
    rows = [
        line.split("\t") for line in gzip.decompress(path.read_bytes()).decode().splitlines()[1:]
    ]
    parents = [[int(p) for p in row[3].split(",")] if row[3] else [] for row in rows]
    return parents, [int(row[2]) for row in rows]


@pytest.mark.parametrize(
    ("name", "n_heads", "depth"), [("ipfs-specs", None, None), ("radicle-heartwood", 1, 2272)]
)
def test_real_histories_are_walked(
    name: str,
    n_heads: int | None,
    depth: int | None,
    vectors: Callable[[str], Path],
    count_cases: Callable[[str, int], None],
) -> None:
    shape, author_of = read_shape(vectors("real-dag-shapes") / f"{name}.tsv.gz")
    people = {number: Person(f"Person {number}") for number in set(author_of)}
    works = make_shape(shape, who=lambda n: people[author_of[n]], project=PROJECT)
    graph = Graph([ANA.genesis, PROJECT, *(p.genesis for p in people.values()), *works])
    heads = graph.heads(PROJECT.cid)
    named = {parent for parents in shape for parent in parents}
    assert set(heads) == {work.cid for n, work in enumerate(works) if n not in named}
    for number in range(0, len(works), 97):
        assert set(graph.ancestors([works[number].cid])) == {
            PROJECT.cid,
            *(works[n].cid for n in numbers_above(shape, number)),
        }
    if n_heads is not None:
        assert len(heads) == n_heads
        assert max(graph.generation(work.cid) for work in works) - 1 == depth
    count_cases("real-dag-shapes", 1)


def numbers_above(shape: list[list[int]], number: int) -> set[int]:
    above, stack = {number}, [number]
    while stack:
        for parent in shape[stack.pop()]:
            if parent not in above:
                above.add(parent)
                stack.append(parent)
    return above


def test_trl_11_a_chain_of_a_hundred_thousand_needs_no_recursion() -> None:
    words = [ANA.cid.of(0x71, str(n).encode()) for n in range(100_000)]
    above = {later: (earlier,) for earlier, later in pairwise(words)}
    counted = count_generations(reversed(words), lambda cid: above.get(cid, ()))
    assert counted[words[-1]] == 99_999


@dataclass(frozen=True, slots=True)
class Bare:
    """What a graph asks of an object, without the cost of a signature."""

    cid: Cid
    parents: tuple[Cid, ...]
    object_class: ObjectClass = ObjectClass.WORK
    project_cid: Cid | None = PROJECT.cid

    @property
    def required(self) -> tuple[Cid, ...]:
        return self.parents


@pytest.mark.parametrize("shape", ["deep", "many-headed", "wide"])
def test_a_hundred_thousand_works_are_walked_whatever_their_shape(shape: str) -> None:
    n_works = 100_000
    parents_of: dict[str, Callable[[int], Sequence[int]]] = {
        "deep": lambda n: [n - 1] if n else [],
        "many-headed": lambda n: [0] if n else [],
        "wide": lambda n: range(n - 128, n) if n > n_works - 200 else [],
    }
    names = [Cid.of(DAG_CBOR, b"%d" % n) for n in range(n_works)]
    root = Bare(PROJECT.cid, (), ObjectClass.PROJECT)
    works = (
        Bare(names[n], tuple(names[p] for p in parents_of[shape](n)) or (root.cid,))
        for n in range(n_works)
    )
    graph = Graph(chain([root], works))  # type: ignore[list-item, arg-type]
    heads, above = graph.heads(root.cid), graph.ancestors([names[-1]])
    n_heads, n_above = {
        "deep": (1, n_works + 1),
        "many-headed": (n_works - 1, 3),
        "wide": (n_works - 326, 328),
    }[shape]
    assert (len(heads), len(above)) == (n_heads, n_above)


def test_a_graph_takes_less_than_a_kilobyte_a_work() -> None:
    root = Bare(PROJECT.cid, (), ObjectClass.PROJECT)
    works = [Bare(Cid.of(DAG_CBOR, b"%d" % n), (root.cid,)) for n in range(10_000)]
    tracemalloc.start()
    graph = Graph(chain([root], works))  # type: ignore[list-item, arg-type]
    n_bytes = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(graph.children(root.cid)) == 10_000
    assert n_bytes < 10_000_000
