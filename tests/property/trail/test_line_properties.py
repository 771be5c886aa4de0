"""Identity lines and standing against the words of the spec, on drawn logs, in any order."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from trail_maker import Person, World, commitment, key_of

from hitp2p.codec.cid import Cid
from hitp2p.objects.envelope import SignedObject
from hitp2p.trail.check import audit_set
from hitp2p.trail.line import Place, identity_line
from hitp2p.trail.standing import Standing, StandingAuditor

RECOVERY = ("safe", "spare", "last")
SIGNING = ("one", "two", "three")


@st.composite
def logs(draw: st.DrawFn) -> list[SignedObject]:
    """A valid log: forks, joins, lost branches, events on their own ancestors."""
    ana = Person("Ana", keys=["one", "two"], next_keys=draw(st.permutations(RECOVERY)))
    log = [ana.genesis]
    keys: dict[Cid, tuple[str, ...]] = {ana.cid: ("one", "two")}
    for number in range(draw(st.integers(0, 9))):
        after = draw(st.lists(st.sampled_from(log), min_size=1, max_size=3, unique=True))
        kept = tuple(sorted(draw(st.sets(st.sampled_from(SIGNING), min_size=1))))
        gone = {key for parent in after for key in keys[parent.cid]} | draw(
            st.sets(st.sampled_from(SIGNING), max_size=1)
        )
        event = ana.rotate(
            signer=draw(st.sampled_from(RECOVERY[:2])),
            keys=kept,
            next_keys=draw(st.permutations(RECOVERY)),
            after=after,
            dropped=dict.fromkeys(gone.difference(kept), ()),
            time=number,
        )
        keys[event.cid] = kept
        log.append(event)
    return log


class Words:
    """Spec 02, sections on the line and on standing, word by word and without a thought for speed."""

    def __init__(self, log: Iterable[SignedObject]) -> None:
        self.log = {event.cid: event for event in log}
        self.above: dict[Cid, set[Cid]] = {}
        for cid in self.log:
            self.ancestors(cid)

    def ancestors(self, cid: Cid) -> set[Cid]:
        if cid not in self.above:
            parents = self.log[cid].parents
            self.above[cid] = set(parents).union(*(self.ancestors(p) for p in parents))
        return self.above[cid]

    def rank(self, cid: Cid, parents: Iterable[Cid]) -> int:
        hashes = {key_of(word).public: commitment(key_of(word)) for word in RECOVERY}
        signer = hashes[self.log[cid].signer]
        places: list[int] = [self.log[parent].body["next"].index(signer) for parent in parents]
        return max(places)

    def lowest(self, ranked: dict[Cid, int]) -> set[Cid]:
        return {cid for cid, rank in ranked.items() if rank == min(ranked.values())}

    def winners(self, cid: Cid) -> set[Cid]:
        candidates = {c for c, event in self.log.items() if cid in event.parents}
        best = self.lowest({c: self.rank(c, [cid]) for c in candidates})
        while len(best) > 1:
            reach_all = {c for c in self.log if best <= self.above[c]}
            joins = {c for c in reach_all if not self.above[c] & reach_all}
            if not joins:
                break
            best = self.lowest({c: self.rank(c, self.log[c].parents) for c in joins})
        return best

    def run(self, genesis: Cid) -> tuple[Cid, set[Cid]]:
        """The end and what is tied."""
        end, best = genesis, self.winners(genesis)
        while len(best) == 1:
            (end,) = best
            best = self.winners(end)
        return end, best

    def ends(self, start: Cid) -> set[Cid]:
        end, tied = self.run(start)
        return set().union(*(self.ends(cid) for cid in tied)) if tied else {end}

    def places(self, genesis: Cid) -> dict[Cid, Place]:
        end, tied = self.run(genesis)
        line = {end} | self.above[end]
        if tied:
            line |= set.intersection(*(self.above[cid] for cid in tied))
        possible = {cid for e in self.ends(genesis) for cid in {e} | self.above[e]}
        return {
            cid: Place.LINE if cid in line else Place.TIED if cid in possible else Place.LOST
            for cid in self.log
        }

    def standing(self, genesis: Cid, event: Cid, key: bytes) -> Standing:
        """Of a work without good heads."""
        place = self.places(genesis)[event]
        if place is not Place.LINE:
            return Standing.FORKED if place is Place.TIED else Standing.DISAVOWED
        ends = self.ends(genesis)
        dropped = [
            any(
                event in self.above[later]
                and any(gone["key"] == key for gone in self.log[later].body.get("dropped", ()))
                for later in {end} | self.above[end]
            )
            for end in ends
        ]
        if not any(dropped):
            return Standing.GOOD
        return Standing.FORKED if self.run(genesis)[1] else Standing.DISAVOWED


@given(logs())
def test_idn_10_drawn_logs_are_valid(log: list[SignedObject]) -> None:
    assert len(audit_set(log).valid) == len(log)


@given(logs())
def test_idn_10_the_line_is_what_the_words_say(log: list[SignedObject]) -> None:
    genesis = log[0].cid
    line, words = identity_line(genesis, log), Words(log)
    end, tied = words.run(genesis)
    assert (line.end, set(line.tied), set(line.ends)) == (end, tied, words.ends(genesis))
    assert {event.cid: line.place(event.cid) for event in log} == words.places(genesis)
    assert line.is_forked == bool(tied)


@given(logs(), st.integers())
def test_idn_10_order_and_repetition_do_not_matter(log: list[SignedObject], seed: int) -> None:
    shuffled = log + log[::2]
    Random(seed).shuffle(shuffled)
    assert identity_line(log[0].cid, shuffled) == identity_line(log[0].cid, log)


@given(logs())
def test_idn_10_a_forked_identity_never_picks_a_side(log: list[SignedObject]) -> None:
    line = identity_line(log[0].cid, log)
    if line.is_forked:
        assert len(line.tied) > 1
        assert not set(line.tied) & set(line.line)
        assert all(line.place(cid) is Place.TIED for cid in (*line.tied, *line.ends))
    else:
        assert line.ends == (line.end,)
        assert line.place(line.end) is Place.LINE


@settings(max_examples=60)
@given(logs(), st.integers())
def test_idn_11_standing_is_what_the_words_say_in_any_order(
    log: list[SignedObject], seed: int
) -> None:
    words, genesis = Words(log), log[0].cid
    works: list[SignedObject] = []
    ana = Person("Ana", keys=["one", "two"])
    ana.cid = genesis
    for event in log:
        signers = [word for word in SIGNING if key_of(word).public in event.body["keys"]]
        works += [ana.sign("profile", {"name": "Ana"}, signer=s, event=event) for s in signers]
    world = World(*log, *works)
    shuffled = list(world.objects.values())
    Random(seed).shuffle(shuffled)
    reports: list[dict[Cid, Any]] = []
    for objects in (works + log, shuffled):
        auditor = StandingAuditor(events=lambda _: log, lookup=world.lookup, blocks=world)
        reports.append({obj.cid: auditor.audit(obj) for obj in objects})
    assert reports[0] == reports[1]
    for work in works:
        assert work.event is not None
        expected = words.standing(genesis, work.event, work.signer)
        assert reports[0][work.cid].standing is expected
