"""An owner, two devices (one of which is often offline), and a thief who steals keys; and what must hold whatever they do.

The owner's devices build on honest works only and, when a key is dropped, the owner lists the heads of what it signed
honestly. The model knows who signed what; the code under test sees only objects.
"""

from __future__ import annotations

from hashlib import sha256
from random import Random
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from trail_maker import Person, World, key_of, make_page

from hitp2p.codec.cid import Cid
from hitp2p.objects.envelope import SignedObject
from hitp2p.trail.check import audit_set
from hitp2p.trail.line import Place, identity_line
from hitp2p.trail.standing import Standing, StandingAuditor, StandingReport

DEVICES = ("desk", "phone")


class Device:
    """What one device of the owner knows: it signs under the last event that it has seen."""

    def __init__(self, key: str, event: SignedObject) -> None:
        self.key = key
        self.event = event


class Thief(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.ana = Person("Ana", keys=["desk 0", "phone 0"], next_keys=["safe 0"])
        self.project = self.ana.project(title="Night Bus")
        self.world = World(self.ana.genesis, self.project)
        self.devices = {word: Device(f"{word} 0", self.ana.genesis) for word in DEVICES}
        self.event = self.ana.genesis
        """The last event that the owner made."""
        self.keys_under: dict[Cid, tuple[str, ...]] = {self.ana.cid: ("desk 0", "phone 0")}
        self.honest: list[SignedObject] = []
        self.forged: list[SignedObject] = []
        self.stolen: set[str] = set()
        self.dropped: set[str] = set()
        self.listed: set[Cid] = set()
        """Honest works that the owner has listed, or that a listed one builds on."""
        self.forked = False
        self.recovery = "safe 0"
        self.audited: tuple[int, dict[Cid, StandingReport]] | None = None
        self.n = 0

    def number(self) -> int:
        self.n += 1
        return self.n

    # --- the owner --------------------------------------------------------------------------------

    @rule(word=st.sampled_from(DEVICES), pick=st.integers(0, 3))
    def device_signs(self, word: str, pick: int) -> None:
        """Perhaps offline, and so under an event and with a key that others know as dropped."""
        device = self.devices[word]
        parents = self.honest[-1 - pick :][:1]
        title = f"Honest {self.number()}"
        work = self.ana.work(
            self.project, title, parents=parents, signer=device.key, event=device.event
        )
        self.honest.append(work)
        self.world.add(work)

    @precondition(lambda self: not self.forked)
    @rule(word=st.sampled_from(DEVICES))
    def device_comes_online(self, word: str) -> None:
        device = self.devices[word]
        device.event = self.event
        mine = [key for key in self.keys_under[self.event.cid] if key.startswith(word)]
        device.key = mine[0]

    @precondition(lambda self: not self.forked)
    @rule(word=st.sampled_from(DEVICES))
    def owner_replaces_a_key(self, word: str) -> None:
        """Lists what the old key signed honestly, as far as it is known, and drops it."""
        number = self.number()
        old = next(key for key in self.keys_under[self.event.cid] if key.startswith(word))
        kept = [key for key in self.keys_under[self.event.cid] if key != old]
        keys = (f"{word} {number}", *kept)
        self.event = self.owner_event(keys, {old}, number)
        self.devices[word] = Device(f"{word} {number}", self.event)

    @precondition(lambda self: not self.forked and self.dropped)
    @rule()
    def owner_takes_up_what_came_in_late(self) -> None:
        """Drops nothing new, but lists late honest works of all dropped keys."""
        self.event = self.owner_event(
            self.keys_under[self.event.cid], set(self.dropped), self.number()
        )

    def owner_event(self, keys: tuple[str, ...], gone: set[str], number: int) -> SignedObject:
        dropped: dict[str, list[Cid]] = {}
        for key in sorted(gone):
            works = [work for work in self.honest if work.signer == key_of(key).public]
            dropped[key] = [self.page_of(works)] if works else []
        event = self.ana.rotate(
            signer=self.recovery,
            keys=keys,
            next_keys=[f"safe {number}"],
            after=[self.event],
            dropped=dropped,
            time=number,
        )
        self.recovery = f"safe {number}"
        self.keys_under[event.cid] = keys
        self.dropped |= gone
        self.world.add(event)
        return event

    def page_of(self, works: list[SignedObject]) -> Cid:
        """Lists the works that no other of them names as parent; that covers the others."""
        built_on = {parent for work in works for parent in work.parents}
        heads = [work for work in works if work.cid not in built_on]
        entries: list[dict[str, Any]] = []
        for start in range(0, len(heads), 100):
            part = heads[start : start + 100]
            entries.append(
                {
                    "project": sha256(bytes(self.project.cid)).digest(),
                    "heads": [str(work.cid) for work in part],
                }
            )
        page, block = make_page(*entries)
        self.world.blocks[page] = block
        self.listed |= {work.cid for work in works}
        return page

    # --- the thief --------------------------------------------------------------------------------

    @rule(word=st.sampled_from(DEVICES))
    def thief_steals_a_signing_key(self, word: str) -> None:
        self.stolen.add(self.devices[word].key)

    @precondition(lambda self: self.stolen)
    @rule(data=st.data())
    def thief_signs(self, data: st.DataObject) -> None:
        """With any stolen key, under any event that has it, on any old works; dated as he likes."""
        key = data.draw(st.sampled_from(sorted(self.stolen)))
        events = sorted(cid for cid, keys in self.keys_under.items() if key in keys)
        event = self.world.objects[data.draw(st.sampled_from(events))]
        works = self.honest + self.forged
        parents = data.draw(st.lists(st.sampled_from(works), max_size=2)) if works else []
        title = f"Forged {self.number()}"
        work = self.ana.work(self.project, title, parents=parents, signer=key, event=event, time=0)
        self.forged.append(work)
        self.world.add(work)

    @precondition(lambda self: self.stolen)
    @rule(word=st.sampled_from(sorted(DEVICES)))
    def thief_cannot_rotate_with_a_signing_key(self, word: str) -> None:
        """Whatever he signs as an event is not valid, so nobody takes it in."""
        event = self.ana.rotate(
            signer=min(self.stolen),
            keys=["thief"],
            next_keys=["thief next"],
            after=[self.event],
            dropped=dict.fromkeys(self.keys_under[self.event.cid], ()),
        )
        assert event.cid in audit_set([*self.world.objects.values(), event]).invalid

    @precondition(lambda self: not self.forked and self.event is not self.ana.genesis)
    @rule()
    def thief_gets_a_used_recovery_key(self) -> None:
        """The one that signed the last event: now two events have equal right."""
        (parent,) = self.event.parents
        signer = next(
            word
            for word in ("safe 0", *(f"safe {n}" for n in range(1, self.n + 1)))
            if key_of(word).public == self.event.signer
        )
        event = self.ana.rotate(
            signer=signer,
            keys=["thief"],
            next_keys=["thief next"],
            after=[self.world.objects[parent]],
            dropped=dict.fromkeys(self.keys_under[parent], ()),
            time=self.number(),
        )
        self.keys_under[event.cid] = ("thief",)
        self.stolen.add("thief")
        self.world.add(event)
        self.forked = True

    # --- what must hold ---------------------------------------------------------------------------

    def reports(self, seed: int) -> dict[Cid, StandingReport]:
        objects = list(self.world.objects.values()) * 2
        Random(seed).shuffle(objects)
        world = World(*objects, blocks=self.world.blocks.items())
        auditor = StandingAuditor(events=world.events, lookup=world.lookup, blocks=world)
        return {obj.cid: auditor.audit(obj) for obj in objects}

    @invariant()
    def all_objects_are_valid_whoever_signed_them(self) -> None:
        assert len(audit_set(self.world.objects.values()).valid) == len(self.world.objects)

    @property
    def now(self) -> dict[Cid, StandingReport]:
        """The standing of everything, once a step."""
        size = len(self.world.objects)
        if self.audited is None or self.audited[0] != size:
            self.audited = (size, self.reports(seed=size))
        return self.audited[1]

    @invariant()
    def standing_does_not_depend_on_delivery(self) -> None:
        assert self.reports(seed=-1) == self.now

    @invariant()
    def revoked_work_is_never_good(self) -> None:
        for work in self.forged:
            key = next(key for key in sorted(self.stolen) if key_of(key).public == work.signer)
            if key in self.dropped or key == "thief":
                assert self.now[work.cid].standing is not Standing.GOOD

    @invariant()
    def work_in_good_heads_is_never_lost(self) -> None:
        if not self.forked:
            for cid in self.listed:
                assert self.now[cid].standing is Standing.GOOD

    @invariant()
    def a_forked_identity_never_picks_a_side(self) -> None:
        line = identity_line(self.ana.cid, self.world.events(self.ana.cid))
        assert line.is_forked == self.forked
        if self.forked:
            assert line.place(self.event.cid) is Place.TIED
            for work in (*self.honest, *self.forged):
                assert work.event is not None
                if line.place(work.event) is Place.TIED:
                    assert self.now[work.cid].standing is Standing.FORKED

    @invariant()
    def nothing_is_undetermined_while_all_is_here(self) -> None:
        assert all(report.standing is not Standing.UNDETERMINED for report in self.now.values())


TestThief = Thief.TestCase
TestThief.settings = settings(max_examples=150, stateful_step_count=25)
