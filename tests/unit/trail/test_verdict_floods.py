"""Sets of objects that are made to keep a reader busy: what a report costs grows with what it reads, and not faster.

The figures are counts of what is looked up or read, which are the same on every machine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from trail_maker import make_page
from verdict_world import ANA, BO, FILE, PEOPLE, PROJECT, codes, facts_of, media, say, witness

from hitp2p import limits
from hitp2p.codec.cid import Cid
from hitp2p.objects.envelope import SignedObject
from hitp2p.trail.audit import audit_file
from hitp2p.trail.credits import CreditSheet, credit_sheet
from hitp2p.trail.evidence import ObjectSet
from hitp2p.trail.report import GapCode, Report
from hitp2p.trail.report_explain import render_tree


class Counted(ObjectSet):
    """Evidence that counts what is asked of it."""

    def __init__(self, *objects: SignedObject, pages: Iterable[tuple[Cid, bytes]] = ()) -> None:
        self.objects = {obj.cid: obj for obj in (*PEOPLE, PROJECT, *objects)}
        super().__init__(self.objects, dict(pages))
        self.asked: Counter[str] = Counter()

    def lookup(self, cid: Cid, /) -> SignedObject | None:
        self.asked["lookup"] += 1
        return super().lookup(cid)

    def get(self, cid: Cid, /) -> bytes | None:
        self.asked["get"] += 1
        return super().get(cid)

    def referrers(self, cid: Cid, /) -> Iterable[SignedObject]:
        self.asked["referrers"] += len(self.objects)  # it looks at all of them
        return super().referrers(cid)

    def statements(self, cid: Cid, /) -> Iterable[SignedObject]:
        found = list(super().statements(cid))
        self.asked["statements"] += 1 + len(found)
        return found


def cost(make: Callable[[int], Counted], n: int) -> int:
    """What a report on a world of size `n` asks of its evidence."""
    world = make(n)
    audit_file(facts_of(FILE), world)
    return world.asked.total()


def chain_with_one_file(n: int) -> Counted:
    """Everyone builds on the one before, all with the same file, and all seen by one witness."""
    works: list[SignedObject] = []
    for number in range(n):
        works.append(ANA.work(PROJECT, f"W{number}", media=media(), parents=works[-1:]))
    seen = [witness(BO, *works[at : at + 400]) for at in range(0, n, 400)]
    return Counted(*works, *seen)


def many_answers(n: int) -> Counted:
    """Many are credited, and all answer often."""
    credits = [{"who": str(BO.cid), "role": f"part {number}"} for number in range(min(n, 200))]
    song = ANA.work(PROJECT, "Song", media=media(), credits=credits)
    said = [
        say(
            BO,
            "answer",
            song,
            about="credit",
            line=number % 200,
            answer="accept",
            reason=f"{number}",
        )
        for number in range(n)
    ]
    return Counted(song, *said)


def many_claims(n: int) -> Counted:
    """Many say that their work went into it, and dispute it."""
    song = ANA.work(PROJECT, "Song", media=media())
    said = [
        say(BO, "claim_ancestor", song, own={"object": str(Cid.of(0x71, b"%d" % number))})
        for number in range(n // 2)
    ]
    said += [say(BO, "dispute", song, reason=f"{number}") for number in range(n // 2)]
    return Counted(song, *said)


def wide_diamonds(n: int) -> Counted:
    """Layers of eight, each of which uses all of the layer before: paths beyond number."""
    layer: list[SignedObject] = []
    works: list[SignedObject] = []
    for depth in range(n // 8):
        layer = [ANA.work(PROJECT, f"{depth}.{place}", parents=layer) for place in range(8)]
        works += layer
    top = ANA.work(PROJECT, "Top", media=media(), parents=layer)
    return Counted(*works, top)


def many_rivals(n: int) -> Counted:
    """Records of one file that are no sources of each other, all on top of one long chain."""
    base: list[SignedObject] = []
    for number in range(n):
        base.append(ANA.work(PROJECT, f"W{number}", parents=base[-1:]))
    rivals = [ANA.work(PROJECT, f"R{n}", media=media(), parents=base[-1:]) for n in range(100)]
    return Counted(*base, *rivals, witness(BO, *rivals))


@pytest.mark.parametrize(
    "make", [chain_with_one_file, many_answers, many_claims, wide_diamonds, many_rivals]
)
def test_what_is_asked_grows_with_the_number_of_objects(make: Callable[[int], Counted]) -> None:
    small, large = cost(make, 200), cost(make, 800)
    assert large < 5 * small


def test_pages_that_all_works_share_are_read_once_to_tell_who_builds_on_whom() -> None:
    """500 works with a file, each of which links to the same 100 pages of 50 uses."""
    pages = [
        make_page(
            *({"work": str(Cid.of(0x71, bytes([n, k]))), "relation": "remix"} for k in range(50))
        )
        for n in range(100)
    ]
    links = [cid for cid, _ in pages]
    works = [
        ANA.work(PROJECT, f"W{n}", media=media(), uses_pages=links) for n in range(limits.RIVALS)
    ]
    world = Counted(*works, pages=pages)
    report = audit_file(facts_of(FILE), world)
    assert len(report.rivals) == limits.RIVALS - 1
    assert world.asked["get"] < 20 * len(pages)


def sheet_of(*objects: SignedObject, pages: Iterable[tuple[Cid, bytes]] = ()) -> CreditSheet:
    here = Counted(*objects, pages=pages)
    return credit_sheet(objects[-1], lookup=here.lookup, blocks=here)


def report_of(*objects: SignedObject, pages: Iterable[tuple[Cid, bytes]] = ()) -> Report:
    return audit_file(facts_of(FILE), Counted(*objects, pages=pages))


def test_crd_6_lists_are_read_up_to_the_bound_and_what_is_left_out_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    verse = ANA.work(PROJECT, "Verse", credits=[{"name": "Joe", "role": "aut"}] * 3)
    use: dict[str, Any] = {"source": {"title": "Bell", "license": "CC0-1.0"}, "relation": "sample"}
    song = ANA.work(PROJECT, "Song", media=media(), parents=[verse], uses=[use])
    monkeypatch.setattr(limits, "SHEET_ENTRIES", 5)
    assert not sheet_of(verse, song).is_cut
    assert GapCode.CUT not in codes(report_of(verse, song))
    monkeypatch.setattr(limits, "SHEET_ENTRIES", 4)
    sheet = sheet_of(verse, song)
    assert sheet.is_cut
    assert [line.title for line in sheet.lines if line.incomplete] == ["Verse"]
    assert "too long to read" in sheet.text()
    assert GapCode.CUT in codes(report_of(verse, song))


def test_crd_6_pages_are_read_up_to_the_bound_and_what_is_left_out_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each as often as a work links to it: a small bundle can make endless lists of a few pages."""
    page = make_page(*({"name": f"N{n}", "role": "aut"} for n in range(100)))
    works: list[SignedObject] = []
    for number in range(3):
        works.append(ANA.work(PROJECT, f"W{number}", credits_pages=[page[0]], parents=works[-1:]))
    monkeypatch.setattr(limits, "SHEET_PAGE_BYTES", 3 * len(page[1]))
    assert not sheet_of(*works, pages=[page]).is_cut
    monkeypatch.setattr(limits, "SHEET_PAGE_BYTES", 3 * len(page[1]) - 1)
    sheet = sheet_of(*works, pages=[page])
    assert sheet.is_cut
    assert [line.title for line in sheet.lines if line.incomplete] == ["W0"]


def test_the_tree_of_a_deep_chain_is_as_long_as_the_chain() -> None:
    works: list[SignedObject] = []
    for number in range(600):
        own: dict[str, Any] = {"media": media()} if number == 599 else {}
        works.append(ANA.work(PROJECT, "W", parents=works[-1:], **own))
    tree = render_tree(report_of(*works))
    assert len(tree.splitlines()) == 600
    assert max(map(len, tree.splitlines())) < 200
    assert "  599: remix of" in tree.splitlines()[-1]
