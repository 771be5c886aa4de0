"""Who speaks for a project, and what it accepts."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from project_club import ANA, BO, CY, DEE, EVE, Blocks, Club, Scene
from trail_maker import make_page

from hitp2p.errors import UsageError
from hitp2p.testing.people import Person
from hitp2p.trail.project_state import judge_project
from hitp2p.trail.standing import Standing


def test_sta_3_as_many_as_the_threshold_accept_and_not_one_fewer() -> None:
    club = Club()
    club.vote(ANA, "accept")
    assert not club.is_accepted()
    club.vote(BO, "accept")
    assert club.is_accepted()


def test_sta_2_equal_votes_of_one_person_are_one() -> None:
    club = Club()
    club.vote(ANA, "accept")
    club.vote(ANA, "accept", reason="twice")
    assert not club.is_accepted()


def test_sta_2_opposite_votes_of_one_person_cancel_and_are_shown() -> None:
    club = Club()
    for one in (ANA, BO):
        club.vote(one, "accept")
    club.vote(BO, "decline")
    assert not club.is_accepted()
    votes = club.state().votes[club.work.cid]
    assert votes.cancelled == {BO.genesis.cid}
    assert votes.by_verdict["accept"] == {ANA.genesis.cid}
    club.vote(CY, "accept")
    assert club.is_accepted()


def test_sta_3_what_is_both_accepted_and_declined_is_neither() -> None:
    club = Club(threshold=1)
    club.vote(ANA, "accept")
    club.vote(BO, "decline")
    assert club.state().votes[club.work.cid].reached == frozenset()


@pytest.mark.parametrize("verdict", ["accept", "decline", "feature", "close"])
def test_sta_3_each_verdict_has_its_own_threshold(verdict: str) -> None:
    club = Club()
    club.vote(ANA, verdict)
    club.vote(BO, verdict)
    assert club.state().targets(verdict) == {club.work.cid}


def test_sta_3_an_action_that_rules_do_not_name_is_met_by_nobody() -> None:
    project = ANA.project()  # whose rules name `accept` alone
    work = DEE.work(project, "Song")
    body = {"target": {"object": str(work.cid)}, "rules": str(project.cid), "verdict": "feature"}
    vote = ANA.sign("decision", body, project=project.cid, parents=[project.cid])
    state = judge_project(project, [work, vote], standing=lambda _: Standing.GOOD, blocks=Blocks())
    assert state.targets("feature") == frozenset()


def test_sta_1_a_stranger_has_no_vote() -> None:
    club = Club()
    club.vote(ANA, "accept")
    club.vote(EVE, "accept")
    assert not club.is_accepted()


@pytest.mark.parametrize("standing", [Standing.DISAVOWED, Standing.UNDETERMINED, Standing.FORKED])
def test_sta_1_a_vote_counts_in_good_standing_alone(standing: Standing) -> None:
    club = Club()
    club.vote(ANA, "accept")
    club.bad[club.vote(BO, "accept").cid] = standing
    assert not club.is_accepted()


@pytest.mark.parametrize(("who", "scope", "counts"), [
    (BO, "work", False), (ANA, "work", True), (BO, "name", True),
])  # fmt: skip
def test_sta_1_who_takes_a_vote_back_has_not_voted(who: Person, scope: str, counts: bool) -> None:
    club = Club()
    club.vote(ANA, "accept")
    vote = club.vote(BO, "accept")
    club.add(who, "withdrawal", {"target": {"object": str(vote.cid)}, "scope": scope})
    assert club.is_accepted() == counts


def test_sta_1_a_withdrawal_in_bad_standing_takes_nothing_back() -> None:
    club = Club()
    club.vote(ANA, "accept")
    vote = club.vote(BO, "accept")
    body = {"target": {"object": str(vote.cid)}, "scope": "work"}
    club.bad[club.add(BO, "withdrawal", body).cid] = Standing.DISAVOWED
    assert club.is_accepted()


def test_sta_1_a_target_elsewhere_is_not_decided_here() -> None:
    club = Club()
    other = EVE.project("Other")
    target = {"object": str(club.work.cid), "project": str(other.cid)}
    for one in (ANA, BO):
        body = {"target": target, "verdict": "accept", "rules": str(club.project.cid)}
        club.add(one, "decision", body)
    assert not club.is_accepted()


def test_sta_4_rules_come_into_force_once_enough_enact_them() -> None:
    club = Club()
    rules = club.rules(DEE, threshold=1)
    club.enact(rules, ANA)
    assert club.state().in_force == club.project.cid
    club.enact(rules, CY)
    state = club.state()
    assert state.chain == (club.project.cid, rules.cid)
    assert state.speakers == {DEE.genesis.cid}


def test_sta_4_votes_under_the_old_rules_count_no_more() -> None:
    club = Club()
    club.vote(ANA, "accept")
    club.vote(BO, "accept")
    club.enact(club.rules(ANA, BO, CY), ANA, BO)
    assert not club.is_accepted()


def test_sta_1_votes_that_new_rules_keep_count_on() -> None:
    club = Club()
    kept = [club.vote(ANA, "accept"), club.vote(BO, "accept")]
    keep = sorted(str(vote.cid) for vote in kept)
    club.enact(club.rules(DEE, EVE, keep=keep), ANA, BO)
    assert club.is_accepted()


def test_sta_1_kept_votes_on_a_page_count_once_the_page_is_here() -> None:
    club = Club()
    kept = [club.vote(ANA, "accept"), club.vote(BO, "accept")]
    cid, block = make_page(*sorted(str(vote.cid) for vote in kept))
    club.enact(club.rules(DEE, EVE, keep_pages=[cid]), ANA, BO)
    assert not club.is_accepted()
    club.blocks[cid] = block
    assert club.is_accepted()


def test_sta_1_a_vote_of_a_stranger_is_not_made_good_by_keeping_it() -> None:
    club = Club()
    kept = [club.vote(ANA, "accept"), club.vote(EVE, "accept")]
    club.enact(club.rules(DEE, CY, keep=sorted(str(vote.cid) for vote in kept)), ANA, BO)
    assert not club.is_accepted()


def test_sta_4_a_removed_curator_is_not_heard_under_the_new_rules() -> None:
    club = Club()
    rules = club.rules(ANA, DEE)
    club.enact(rules, ANA, BO)
    club.vote(BO, "accept", under=rules)
    club.vote(ANA, "accept", under=rules)
    assert not club.is_accepted()
    club.vote(DEE, "accept", under=rules)
    assert club.is_accepted()


def test_sta_4_rivals_leave_the_old_rules_in_force_and_show_who_signed_both() -> None:
    club = Club()
    one, two = club.rules(ANA, BO), club.rules(ANA, CY)
    club.enact(one, ANA, BO)
    club.enact(two, ANA, CY)
    state = club.state()
    assert state.in_force == club.project.cid
    assert state.rivals == tuple(sorted((one.cid, two.cid)))
    club.vote(BO, "accept")
    club.vote(CY, "accept")
    assert club.is_accepted()


def test_sta_4_rules_that_name_both_rivals_resolve_them() -> None:
    club = Club()
    one, two = club.rules(ANA, BO), club.rules(ANA, CY)
    club.enact(one, ANA, BO)
    club.enact(two, ANA, CY)
    both = club.rules(BO, CY, after=(one, two))
    club.enact(both, BO, CY)
    state = club.state()
    assert state.chain == (club.project.cid, both.cid)
    assert state.rivals == ()


def test_sta_4_rules_that_follow_one_rival_resolve_nothing() -> None:
    club = Club()
    one, two = club.rules(ANA, BO), club.rules(ANA, CY)
    club.enact(one, ANA, BO)
    club.enact(two, ANA, CY)
    club.enact(club.rules(BO, CY, after=(one,)), BO, CY)
    assert club.state().in_force == club.project.cid


def test_sta_4_the_recovery_set_hands_the_project_over() -> None:
    club = Club(recovery=(DEE, EVE))
    rules = club.rules(EVE, threshold=1)
    club.enact(rules, DEE)
    assert club.state().in_force == club.project.cid
    club.enact(rules, EVE)
    assert club.state().in_force == rules.cid


def test_a_state_is_of_a_project() -> None:
    club = Club()
    with pytest.raises(UsageError, match="only a project has a state"):
        judge_project(club.work, [], standing=club.standing, blocks=Blocks())


def test_a_state_is_neither_true_nor_false() -> None:
    with pytest.raises(TypeError):
        bool(Club().state())


# --- scope accepted -------------------------------------------------------------------------------


def test_sta_5_scope_accepted_is_what_was_chosen_and_what_it_rests_on() -> None:
    scene = Scene()
    wanted = [scene.project, scene.chosen, scene.base, scene.own, *scene.votes]
    wanted += [scene.said[0]]  # of the author; Eve wrote only what it rests on
    wanted += [who.genesis for who in (ANA, BO, DEE, EVE)]
    assert scene.accepted() == {obj.cid for obj in wanted}


def test_sta_5_who_is_credited_is_heard() -> None:
    scene = Scene()
    wish = CY.comment(scene.chosen, "That wasn't me")
    gus = Person("Gus").comment(scene.chosen, "Nor me")
    assert {wish.cid} == scene.accepted([*scene.objects, wish, gus]) & {wish.cid, gus.cid}


@given(st.randoms(use_true_random=False))
def test_sta_5_order_and_repetition_change_nothing(chance: random.Random) -> None:
    scene = Scene()
    rules = scene.rules(DEE, CY)
    scene.enact(rules, ANA, BO)
    objects = [*scene.objects, *chance.sample(scene.objects, 5)]
    chance.shuffle(objects)
    assert scene.accepted(objects) == scene.accepted()
    assert scene.state(objects) == scene.state()
