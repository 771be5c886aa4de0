"""Whether an identity stands behind what its keys signed."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from trail_maker import Person, World, key_of, make_page

from hitp2p.codec.cid import Cid
from hitp2p.errors import MissingBlocksError
from hitp2p.objects.envelope import SignedObject
from hitp2p.trail.standing import Standing, StandingAuditor, StandingReport, audit_standing

GOOD, DISAVOWED = Standing.GOOD, Standing.DISAVOWED
UNDETERMINED, FORKED = Standing.UNDETERMINED, Standing.FORKED


def good_heads(
    where: SignedObject, *heads: SignedObject, but: tuple[SignedObject, ...] = ()
) -> dict[str, Any]:
    entry: dict[str, Any] = {"project": sha256(bytes(where.cid)).digest()}
    if heads:
        entry["heads"] = [str(head.cid) for head in heads]
    if but:
        entry["except"] = [str(exception.cid) for exception in but]
    return entry


class Story:
    """Ana has a project and three works; her signing key `Ana 0` is dropped with pages."""

    def __init__(self, *, next_keys: tuple[str, ...] = ("Ana 1", "spare")) -> None:
        self.ana = Person("Ana", next_keys=next_keys)
        self.project = self.ana.project()
        self.verse = self.ana.work(self.project, "Verse")
        self.song = self.ana.work(self.project, "Song", parents=[self.verse])
        self.stray = self.ana.work(self.project, "Stray")
        self.world = World(self.ana.genesis, self.project, self.verse, self.song, self.stray)

    def drop(
        self,
        *entries: dict[str, Any],
        after: tuple[SignedObject, ...] = (),
        signer: str = "Ana 1",
        keys: tuple[str, ...] = ("Ana new",),
        time: int = 0,
    ) -> SignedObject:
        pages: list[Cid] = []
        if entries:
            cid, block = make_page(*entries)
            self.world.blocks[cid] = block
            pages.append(cid)
        event = self.ana.rotate(
            signer=signer,
            keys=keys,
            next_keys=["Ana 2", "spare"],
            after=after or (self.ana.genesis,),
            dropped={"Ana 0": pages},
            time=time,
        )
        self.world.add(event)
        return event

    def audit(self, obj: SignedObject) -> StandingReport:
        return audit_standing(
            obj,
            events=self.world.events(obj.identity),
            lookup=self.world.lookup,
            blocks=self.world,
        )

    def standings(self, *objects: SignedObject) -> list[Standing]:
        return [self.audit(obj).standing for obj in objects]


def test_idn_11_what_a_current_key_signs_is_good() -> None:
    story = Story()
    assert story.standings(story.project, story.verse, story.stray) == [GOOD] * 3


def test_idn_11_a_dropped_key_without_good_heads_disavows_all() -> None:
    story = Story()
    event = story.drop()
    assert story.standings(story.project, story.verse, story.song) == [DISAVOWED] * 3
    report = story.audit(story.verse)
    assert report.by_event == event.cid


def test_idn_11_the_ancestry_of_a_good_head_stays_good() -> None:
    story = Story()
    event = story.drop(good_heads(story.project, story.song))
    objects = (story.project, story.verse, story.song, story.stray)
    assert story.standings(*objects) == [GOOD, GOOD, GOOD, DISAVOWED]
    report = story.audit(story.verse)
    assert (report.by_event, report.by_head) == (event.cid, story.song.cid)


def test_idn_11_a_listed_object_needs_no_ancestors_to_be_good() -> None:
    story = Story()
    story.drop(good_heads(story.project, story.song))
    story.world = story.world.without(story.verse.cid)
    assert story.standings(story.song) == [GOOD]


def test_idn_11_an_exception_is_not_covered_by_that_entry() -> None:
    story = Story()
    story.drop(good_heads(story.project, story.song, but=(story.verse,)))
    assert story.standings(story.verse, story.song) == [DISAVOWED, GOOD]
    story = Story()
    story.drop(
        good_heads(story.project, story.song, but=(story.verse,)),
        good_heads(story.project, story.verse),
    )
    assert story.standings(story.verse) == [GOOD]


def test_idn_11_an_entry_for_another_project_covers_nothing() -> None:
    story = Story()
    elsewhere = story.ana.project("Elsewhere")
    story.drop(good_heads(elsewhere, story.song))
    assert story.standings(story.verse, story.song) == [DISAVOWED] * 2


def test_idn_11_a_later_event_can_add_good_heads() -> None:
    story = Story()
    first = story.drop(good_heads(story.project, story.song))
    assert story.standings(story.stray) == [DISAVOWED]
    story.drop(good_heads(story.project, story.stray), after=(first,), signer="Ana 2")
    assert story.standings(story.stray, story.song) == [GOOD, GOOD]


def test_idn_11_statements_have_to_be_listed_themselves() -> None:
    story = Story()
    thanks = story.ana.sign(
        "thanks",
        {"target": {"object": str(story.verse.cid)}, "text": "thank you"},
        project=story.project.cid,
        parents=[story.project.cid],
    )
    story.world.add(thanks)
    story.drop(good_heads(story.project, story.song))
    assert story.standings(thanks) == [DISAVOWED]
    story.drop(
        good_heads(story.project, thanks),
        after=tuple(story.world.events(story.ana.cid))[-1:],
        signer="Ana 2",
    )
    assert story.standings(thanks) == [GOOD]


def test_idn_11_objects_without_a_project_are_listed_under_the_identity() -> None:
    story = Story()
    profile = story.ana.sign("profile", {"name": "Ana"})
    story.world.add(profile)
    story.drop(good_heads(story.ana.genesis, profile))
    assert story.standings(profile, story.verse) == [GOOD, DISAVOWED]


def test_idn_11_a_missing_page_or_path_leaves_it_undetermined() -> None:
    story = Story()
    event = story.drop(good_heads(story.project, story.song))
    page = event.content.dropped[0].pages[0]  # type: ignore[union-attr]
    whole = story.world
    story.world = whole.without(page)
    report = story.audit(story.verse)
    assert (report.standing, report.missing) == (UNDETERMINED, (page,))
    story.world = whole.without(story.song.cid)
    report = story.audit(story.verse)
    assert (report.standing, report.missing) == (UNDETERMINED, (story.song.cid,))
    assert report.by_event == event.cid


def test_idn_11_a_malformed_page_counts_as_not_here() -> None:
    story = Story()
    event = story.drop({"project": b"too short"})
    page = event.content.dropped[0].pages[0]  # type: ignore[union-attr]
    whole = story.world
    for world in (whole, whole.without(page)):
        story.world = world
        report = story.audit(story.verse)
        assert (report.standing, report.missing) == (UNDETERMINED, (page,))


def test_idn_11_a_lost_branch_is_disavowed() -> None:
    story = Story()
    lost = story.drop(signer="spare", keys=("thief",), time=1)
    story.drop(good_heads(story.project, story.song))
    stolen = story.ana.work(story.project, "Stolen", signer="thief", event=lost)
    story.world.add(stolen)
    report = story.audit(stolen)
    assert (report.standing, report.by_event) == (DISAVOWED, lost.cid)
    assert story.standings(story.song) == [GOOD]


def test_idn_11_a_fork_is_shown_and_what_all_sides_stand_behind_is_good() -> None:
    story = Story()
    one = story.drop(good_heads(story.project, story.song))
    story.drop(good_heads(story.project, story.verse), time=1)
    assert story.standings(story.verse, story.song, story.stray) == [GOOD, FORKED, FORKED]
    on_branch = story.ana.work(story.project, "Late", signer="Ana new", event=one)
    story.world.add(on_branch)
    report = story.audit(on_branch)
    assert (report.standing, report.by_event) == (FORKED, story.ana.cid)


def test_idn_11_a_resolved_fork_keeps_what_both_sides_dropped() -> None:
    story = Story()
    one = story.drop(good_heads(story.project, story.song), keys=("Ana new",))
    two = story.drop(keys=("Ana new",), time=1)
    join = story.ana.rotate(signer="spare", keys=["Ana new"], next_keys=["Ana 3"], after=[one, two])
    story.world.add(join)
    assert story.standings(story.song, story.stray) == [GOOD, DISAVOWED]
    later = story.ana.work(story.project, "Late", signer="Ana new", event=one)
    story.world.add(later)
    assert story.standings(later) == [GOOD]


def test_idn_11_dating_back_does_not_help_a_thief() -> None:
    story = Story()
    story.drop(good_heads(story.project, story.song))
    forged = story.ana.work(story.project, "Forged", parents=[story.verse], time=0)
    story.world.add(forged)
    assert story.standings(forged) == [DISAVOWED]


def test_idn_11_identity_events_have_a_standing_too() -> None:
    story = Story()
    one, two = story.drop(), story.drop(time=1)
    lost = story.drop(signer="spare")
    assert story.standings(story.ana.genesis, one, two, lost) == [GOOD, FORKED, FORKED, DISAVOWED]


def test_a_key_that_is_taken_back_speaks_for_the_time_after() -> None:
    story = Story()
    first = story.drop()
    back = story.ana.rotate(
        signer="Ana 2",
        keys=["Ana 0", "Ana new"],
        next_keys=["Ana 3"],
        after=[first],
    )
    again = story.ana.work(story.project, "Again", signer="Ana 0", event=back)
    story.world.add(back, again)
    assert story.standings(again, story.verse) == [GOOD, DISAVOWED]


def test_an_unknown_event_is_missing() -> None:
    story = Story()
    event = story.drop()
    late = story.ana.work(story.project, "Late", signer="Ana new", event=event)
    story.world = story.world.without(event.cid)
    with pytest.raises(MissingBlocksError):
        story.audit(late)


def test_a_report_is_neither_true_nor_false() -> None:
    story = Story()
    with pytest.raises(TypeError):
        bool(story.audit(story.verse))


def test_an_auditor_answers_as_single_audits_do() -> None:
    story = Story()
    story.drop(good_heads(story.project, story.song, but=(story.verse,)))
    auditor = StandingAuditor(
        events=story.world.events, lookup=story.world.lookup, blocks=story.world
    )
    for _ in range(2):
        for obj in story.world.objects.values():
            assert auditor.audit(obj) == story.audit(obj)
    assert key_of("Ana 0").public == story.verse.signer
