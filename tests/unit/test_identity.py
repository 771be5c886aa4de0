"""A person with a key in memory: made, kept in a file, and the same person after the keys have changed."""

from __future__ import annotations

import copy
import pickle
import random
import stat
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from hitp2p import limits
from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.errors import InvalidError, KeyFileError, PassphraseError, UsageError
from hitp2p.identity import Identity
from hitp2p.identity_file import load_key, read_identity_file, save_key
from hitp2p.keys.ed25519 import SigningKey
from hitp2p.keys.envelope import KdfParams
from hitp2p.objects.envelope import SignedObject, sign_object
from hitp2p.trail.check import audit_set
from hitp2p.trail.line import identity_line
from hitp2p.trail.standing import Standing, audit_standing

CHEAP = KdfParams(memory_kib=8, passes=1, lanes=1)
TIME = 1_700_000_000_000


def clock() -> int:
    return TIME


def make(name: str = "Ana", seed: int = 1, **more: Any) -> Identity:
    return Identity.create(name, clock=clock, randomness=random.Random(seed).randbytes, **more)


def rotate(who: Identity, recovery: SigningKey, *, seed: int = 9, **more: Any) -> Identity:
    arguments: dict[str, Any] = {"suspicion": False, "good_heads": {}} | more
    return who.rotate(recovery, clock=clock, randomness=random.Random(seed).randbytes, **arguments)


def with_recovery(seed: int = 1) -> tuple[Identity, SigningKey]:
    ana = make(seed=seed)
    return ana, ana.take_recovery_key()


def commitment(key: SigningKey) -> bytes:
    return sha256(key.public).digest()


class Shelf:
    """Objects and pages, as a store would hold them."""

    def __init__(self, objects: Iterable[SignedObject], who: Identity) -> None:
        self.objects = {obj.cid: obj for obj in (*objects, *who.events)}
        self.pages = dict(who.pages)
        self.events = who.events

    def get(self, cid: Cid, /) -> bytes | None:
        return self.pages.get(cid)

    def standing(self, obj: SignedObject) -> Standing:
        report = audit_standing(obj, events=self.events, lookup=self.objects.get, blocks=self)
        return report.standing


def sign(
    who: Identity,
    kind: str,
    body: dict[str, Any],
    *,
    project: SignedObject | None = None,
    parents: Iterable[SignedObject] = (),
) -> SignedObject:
    above = [parent.cid for parent in parents]
    return sign_object(
        kind=kind,
        body=body,
        signer=who.signer,
        time=TIME,
        author=who.cid,
        event=who.event,
        project=None if project is None else project.cid,
        parents=above or ([] if project is None else [project.cid]),
    )


def make_project(who: Identity, title: str = "Night Bus") -> SignedObject:
    action = {"role": "curator", "threshold": 1}
    rules = {"roles": {"curator": [str(who.cid)]}, "actions": {"accept": action}}
    return sign(who, "project", {"title": title, "rules": rules, "nonce": bytes(16)})


# --- making ---------------------------------------------------------------------------------------
def test_a_new_identity_is_its_genesis() -> None:
    ana = make()
    (genesis,) = ana.events
    assert genesis.is_genesis
    assert ana.cid == ana.event == genesis.cid
    assert (ana.name, ana.keys) == ("Ana", (ana.signer.public,))
    assert str(ana.cid).startswith("bafyrei" + ana.code)
    assert len(ana.code) == 8
    assert ana.did.startswith("did:key:z6Mk")
    assert ana.code in repr(ana)


def test_the_same_seed_gives_the_same_identity() -> None:
    assert make(seed=1).cid == make(seed=1).cid
    assert make(seed=1).cid != make(seed=2).cid


def test_without_arguments_time_and_chance_are_the_system_s() -> None:
    ana, bo = Identity.create("Ana"), Identity.create("Ana")
    assert ana.cid != bo.cid
    assert ana.events[0].time > TIME


def test_a_name_is_tidied_and_bounded() -> None:
    assert make(" Ana\n  Lu\u200bz ").name == "Ana Luz"
    assert make("x" * limits.NAME_BYTES).name == "x" * limits.NAME_BYTES
    for name in ("", "\u200b", "x" * (limits.NAME_BYTES + 1)):
        with pytest.raises(UsageError):
            make(name)


def test_the_recovery_key_is_given_once_and_is_the_one_committed_to() -> None:
    ana = make()
    recovery = ana.take_recovery_key()
    assert ana.events[0].body["next"] == [commitment(recovery)]
    with pytest.raises(UsageError, match="taken"):
        ana.take_recovery_key()


def test_recovery_keys_of_one_s_own_are_kept_in_their_rank() -> None:
    first, second = SigningKey.from_seed(b"1" * 32), SigningKey.from_seed(b"2" * 32)
    ana = make(recovery_keys=[second.public, first.public])
    assert ana.events[0].body["next"] == [commitment(second), commitment(first)]
    with pytest.raises(UsageError, match="made elsewhere"):
        ana.take_recovery_key()


def test_key_14_a_signing_key_is_never_a_recovery_key() -> None:
    key = SigningKey.from_seed(b"1" * 32)
    with pytest.raises(UsageError, match="KEY-14"):
        make(signer=key, recovery_keys=[key.public])
    ana, recovery = with_recovery()
    with pytest.raises(UsageError, match="KEY-14"):
        rotate(ana, recovery, signer=key, recovery_keys=[key.public])


class HardwareKey:
    """A signer that isn't a key in memory."""

    def __init__(self) -> None:
        self._key = SigningKey.from_seed(b"h" * 32)

    @property
    def public(self) -> bytes:
        return self._key.public

    def sign(self, domain: bytes, message: bytes) -> bytes:
        return self._key.sign(domain, message)


def test_another_signer_can_stand_in_the_place_of_the_key(tmp_path: Path) -> None:
    hardware = HardwareKey()
    ana = make(signer=hardware)
    ana.take_recovery_key()
    ana.save(tmp_path / "ana.key", None)
    file = read_identity_file(tmp_path / "ana.key")
    assert file.key is None
    assert not file.has_passphrase
    assert Identity.load(tmp_path / "ana.key", signer=hardware).cid == ana.cid
    with pytest.raises(KeyFileError, match="signer is needed"):
        Identity.load(tmp_path / "ana.key", "horse")
    with pytest.raises(KeyFileError, match="another key"):
        Identity.load(tmp_path / "ana.key", signer=SigningKey.from_seed(bytes(32)))


def test_a_signer_that_no_event_lists_is_refused() -> None:
    ana = make()
    with pytest.raises(UsageError, match="no event"):
        Identity(events=ana.events, signer=SigningKey.from_seed(bytes(32)))


@pytest.mark.parametrize("copier", [pickle.dumps, copy.copy, copy.deepcopy])
def test_an_identity_is_neither_pickled_nor_copied(copier: Callable[[object], object]) -> None:
    with pytest.raises(TypeError, match="private key"):
        copier(make())


# --- files ------------------------------------------------------------------------------------------
def test_a_saved_identity_comes_back(tmp_path: Path) -> None:
    ana, _ = with_recovery()
    path = tmp_path / "keys" / "ana.key"
    ana.save(path, "horse", params=CHEAP)
    again = Identity.load(path, "horse")
    assert (again.cid, again.event, again.events) == (ana.cid, ana.event, ana.events)
    assert again.signer.public == ana.signer.public
    assert again.signer.sign(b"x\0", b"") == ana.signer.sign(b"x\0", b"")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(UsageError):
        again.take_recovery_key()


def test_without_the_passphrase_only_what_is_public_is_read(tmp_path: Path) -> None:
    ana, _ = with_recovery()
    path = tmp_path / "ana.key"
    ana.save(path, "horse", params=CHEAP)
    for wrong in (None, "", "Horse"):
        with pytest.raises(PassphraseError):
            Identity.load(path, wrong)
    file = read_identity_file(path)
    assert (file.cid, file.name, file.code, file.did) == (ana.cid, "Ana", ana.code, ana.did)
    assert file.events == ana.events
    assert file.has_passphrase
    assert "key=" not in repr(file)


def test_a_key_is_stored_bare_only_when_it_is_said(tmp_path: Path) -> None:
    ana, _ = with_recovery()
    path = tmp_path / "node.key"
    with pytest.raises(PassphraseError, match="unprotected"):
        ana.save(path, None)
    with pytest.raises(UsageError):
        ana.save(path, "horse", unprotected=True)
    assert not path.exists()
    ana.save(path, None, unprotected=True)
    assert Identity.load(path).cid == ana.cid
    assert not read_identity_file(path).has_passphrase


def test_saving_before_the_recovery_key_is_taken_would_lose_it(tmp_path: Path) -> None:
    ana = make()
    with pytest.raises(UsageError, match="take_recovery_key"):
        ana.save(tmp_path / "ana.key", "horse")
    assert list(tmp_path.iterdir()) == []


def test_no_file_holds_the_recovery_seed(tmp_path: Path) -> None:
    ana, recovery = with_recovery()
    ana.save(tmp_path / "ana.key", None, unprotected=True)
    data = (tmp_path / "ana.key").read_bytes()
    assert isinstance(ana.signer, SigningKey)
    assert ana.signer.reveal_seed() in data  # bare, as asked for
    assert recovery.reveal_seed() not in data
    assert recovery.public not in data


def test_an_existing_file_stays_unless_overwriting_is_said(tmp_path: Path) -> None:
    (ana, _), (bo, _) = with_recovery(1), with_recovery(2)
    path = tmp_path / "a.key"
    ana.save(path, None, unprotected=True)
    with pytest.raises(KeyFileError, match="exists already"):
        bo.save(path, None, unprotected=True)
    assert Identity.load(path).cid == ana.cid
    bo.save(path, None, unprotected=True, overwrite=True)
    assert Identity.load(path).cid == bo.cid


def test_a_recovery_key_has_a_file_of_its_own(tmp_path: Path) -> None:
    _, recovery = with_recovery()
    path = tmp_path / "recovery.key"
    save_key(path, recovery, "horse", params=CHEAP)
    assert load_key(path, "horse").public == recovery.public
    with pytest.raises(PassphraseError):
        load_key(path, "wrong")
    with pytest.raises(PassphraseError, match="unprotected"):
        save_key(tmp_path / "other.key", recovery, None)
    save_key(path, recovery, None, unprotected=True, overwrite=True)
    assert load_key(path).public == recovery.public
    with pytest.raises(KeyFileError, match="identity file"):
        read_identity_file(path)


def test_an_identity_file_is_no_recovery_key_file(tmp_path: Path) -> None:
    ana, _ = with_recovery()
    ana.save(tmp_path / "ana.key", None, unprotected=True)
    with pytest.raises(KeyFileError):
        load_key(tmp_path / "ana.key")


# --- changing keys -----------------------------------------------------------------------------------
def test_after_a_rotation_the_person_is_the_same_under_another_key() -> None:
    ana, recovery = with_recovery()
    new = rotate(ana, recovery)
    assert (new.cid, new.name, new.code) == (ana.cid, ana.name, ana.code)
    assert new.signer.public != ana.signer.public
    assert new.keys == (new.signer.public,)
    assert new.events == (*ana.events, new.events[-1])
    assert new.event == new.events[-1].cid
    assert new.events[-1].signer == recovery.public
    assert new.events[-1].parents == (ana.event,)
    assert tuple(audit_set(new.events).valid.values()) == new.events
    assert ana.events == ana.events[:1]  # the old one is as it was


def test_rotations_follow_one_another_each_with_a_recovery_key_of_its_own(tmp_path: Path) -> None:
    ana, recovery = with_recovery()
    for n in range(5):
        ana = rotate(ana, recovery, seed=n)
        recovery = ana.take_recovery_key()
        ana.save(tmp_path / "ana.key", None, unprotected=True, overwrite=True)
        ana = Identity.load(tmp_path / "ana.key")
    line = identity_line(ana.cid, ana.events)
    assert (len(line.line), line.end, line.is_forked) == (6, ana.event, False)


def test_idn_3_only_a_key_that_was_committed_to_can_rotate() -> None:
    ana, recovery = with_recovery()
    assert isinstance(ana.signer, SigningKey)
    for thief in (ana.signer, SigningKey.from_seed(bytes(32))):
        with pytest.raises(UsageError, match="IDN-3"):
            rotate(ana, thief)
    new = rotate(ana, recovery)
    with pytest.raises(UsageError, match="IDN-3"):
        rotate(new, recovery)  # it was for that one event


def test_a_used_recovery_key_is_replaced_in_its_rank_and_the_others_stay() -> None:
    home, lawyer = SigningKey.from_seed(b"1" * 32), SigningKey.from_seed(b"2" * 32)
    ana = make(recovery_keys=[home.public, lawyer.public])
    by_home = rotate(ana, home)
    fresh = by_home.take_recovery_key()
    assert by_home.events[-1].body["next"] == [commitment(fresh), commitment(lawyer)]
    by_lawyer = rotate(ana, lawyer)
    fresh = by_lawyer.take_recovery_key()
    assert by_lawyer.events[-1].body["next"] == [commitment(home), commitment(fresh)]
    chosen = rotate(ana, home, recovery_keys=[lawyer.public])
    assert chosen.events[-1].body["next"] == [commitment(lawyer)]
    with pytest.raises(UsageError):
        chosen.take_recovery_key()


def test_without_good_heads_a_rotation_must_say_that_there_is_suspicion() -> None:
    ana, recovery = with_recovery()
    with pytest.raises(UsageError, match="good heads"):
        rotate(ana, recovery, good_heads=None)
    assert rotate(ana, recovery, good_heads=None, suspicion=True).pages == ()


def test_works_before_a_rotation_stay_good_as_far_as_the_good_heads_reach() -> None:
    ana, recovery = with_recovery()
    project = make_project(ana)
    verse = sign(ana, "contribution", {"title": "Verse"}, project=project)
    song = sign(ana, "contribution", {"title": "Song"}, project=project, parents=[verse])
    stolen = sign(ana, "contribution", {"title": "Stolen"}, project=project, parents=[verse])
    profile = sign(ana, "profile", {"name": "Ana"})
    new = rotate(ana, recovery, good_heads={project.cid: [song.cid], ana.cid: [profile.cid]})
    shelf = Shelf([project, verse, song, stolen, profile], new)
    for good in (project, verse, song, profile):
        assert shelf.standing(good) is Standing.GOOD
    assert shelf.standing(stolen) is Standing.DISAVOWED
    later = sign(new, "contribution", {"title": "Later"}, project=project, parents=[song])
    assert Shelf([project, verse, song, later], new).standing(later) is Standing.GOOD


def test_an_exception_is_disavowed_though_a_good_head_descends_from_it() -> None:
    ana, recovery = with_recovery()
    project = make_project(ana)
    stolen = sign(ana, "contribution", {"title": "Stolen"}, project=project)
    song = sign(ana, "contribution", {"title": "Song"}, project=project, parents=[stolen])
    new = rotate(
        ana,
        recovery,
        good_heads={project.cid: [song.cid]},
        exceptions={project.cid: [stolen.cid]},
    )
    shelf = Shelf([project, stolen, song], new)
    assert shelf.standing(song) is Standing.GOOD
    assert shelf.standing(stolen) is Standing.DISAVOWED
    with pytest.raises(UsageError, match="exceptions"):
        rotate(ana, recovery, exceptions={project.cid: [stolen.cid]})


def test_good_heads_can_be_added_later_for_a_key_that_is_gone() -> None:
    ana, recovery = with_recovery()
    project = make_project(ana)
    first = rotate(ana, recovery, suspicion=True)
    assert Shelf([project], first).standing(project) is Standing.DISAVOWED
    second = rotate(
        first,
        first.take_recovery_key(),
        seed=10,
        drop=[ana.signer.public],
        good_heads={project.cid: [project.cid]},
    )
    assert second.signer is first.signer
    assert Shelf([project], second).standing(project) is Standing.GOOD


def test_the_pages_go_into_the_file_and_come_back(tmp_path: Path) -> None:
    ana, recovery = with_recovery()
    project = make_project(ana)
    new = rotate(ana, recovery, good_heads={project.cid: [project.cid]})
    new.take_recovery_key()
    new.save(tmp_path / "ana.key", None, unprotected=True)
    again = Identity.load(tmp_path / "ana.key")
    assert len(again.pages) == 1
    assert again.pages == new.pages
    assert Shelf([project], again).standing(project) is Standing.GOOD


def test_obj_23_many_good_heads_fill_several_entries_and_pages() -> None:
    ana, recovery = with_recovery()
    project = make_project(ana)
    works = [
        sign(ana, "contribution", {"title": f"Work {n}"}, project=project)
        for n in range(2 * limits.LIST_ENTRIES + 1)
    ]
    others = [Cid.of(DAG_CBOR, b"%d" % n) for n in range(2 * limits.LIST_PAGE_ENTRIES)]
    heads = {project.cid: [work.cid for work in works]} | {other: [other] for other in others}
    new = rotate(ana, recovery, good_heads=heads)
    assert len(new.pages) > 1
    assert all(len(block) <= limits.LIST_PAGE_BYTES for _, block in new.pages)
    shelf = Shelf([project, *works], new)
    assert {shelf.standing(work) for work in works} == {Standing.GOOD}
    mirrored = {cid: heads[cid][::-1] for cid in reversed(heads)}
    assert rotate(ana, recovery, good_heads=mirrored).pages == new.pages


def test_a_page_does_not_tell_in_which_projects_a_person_took_part() -> None:
    ana, recovery = with_recovery()
    project = make_project(ana)
    new = rotate(ana, recovery, good_heads={project.cid: [Cid.of(DAG_CBOR, b"a work")]})
    ((_, block),) = new.pages
    assert bytes(project.cid) not in block
    assert str(project.cid).encode() not in block
    assert sha256(bytes(project.cid)).digest() in block


# --- devices -------------------------------------------------------------------------------------------
def test_a_second_device_speaks_beside_the_first() -> None:
    ana, recovery = with_recovery()
    phone = SigningKey.from_seed(b"p" * 32)
    both = ana.add_key(recovery, phone.public, clock=clock)
    assert both.signer is ana.signer
    assert set(both.keys) == {ana.signer.public, phone.public}
    assert both.pages == ()
    on_phone = Identity(events=both.events, signer=phone)
    assert (on_phone.cid, on_phone.event) == (ana.cid, both.event)
    project = make_project(on_phone)
    assert Shelf([project], both).standing(project) is Standing.GOOD


def test_one_of_two_devices_can_be_dropped() -> None:
    ana, recovery = with_recovery()
    phone = SigningKey.from_seed(b"p" * 32)
    both = ana.add_key(recovery, phone.public)
    recovery = both.take_recovery_key()
    one = rotate(both, recovery, drop=[phone.public], suspicion=True, good_heads=None)
    assert one.signer is ana.signer
    assert one.keys == (ana.signer.public,)
    lost = make_project(Identity(events=both.events, signer=phone))
    assert Shelf([lost], one).standing(lost) is Standing.DISAVOWED


def test_what_drops_nothing_or_a_stranger_is_refused() -> None:
    ana, recovery = with_recovery()
    with pytest.raises(UsageError, match="none is"):
        rotate(ana, recovery, drop=(), good_heads={ana.cid: [ana.cid]})
    with pytest.raises(UsageError, match="never a key"):
        rotate(ana, recovery, drop=[bytes(32)])


def test_a_key_that_was_dropped_does_not_slip_in_again() -> None:
    ana, recovery = with_recovery()
    new = rotate(ana, recovery)
    stale = ana.with_events(new.events, new.pages)
    assert stale.signer is ana.signer
    third = stale.rotate(new.take_recovery_key(), suspicion=False, drop=())
    assert ana.signer.public not in third.keys
    assert third.signer is not ana.signer


def test_idn_8_a_key_that_may_not_enter_an_identity_is_refused() -> None:
    ana, recovery = with_recovery()
    with pytest.raises(InvalidError, match="IDN-8"):
        ana.add_key(recovery, b"\1" + bytes(31))


def test_idn_5_more_than_sixteen_keys_are_refused() -> None:
    ana, recovery = with_recovery()
    keys = [SigningKey.from_seed(bytes([n] * 32)).public for n in range(limits.IDENTITY_KEYS)]
    assert len(rotate(ana, recovery, drop=(), add=keys[:-1]).keys) == limits.IDENTITY_KEYS
    with pytest.raises(InvalidError):
        rotate(ana, recovery, drop=(), add=keys)


# --- what other devices and thieves did ------------------------------------------------------------------
def test_events_from_elsewhere_are_taken_in_any_order() -> None:
    ana, recovery = with_recovery()
    second = rotate(ana, recovery)
    third = rotate(second, second.take_recovery_key(), seed=10)
    for events in (third.events, third.events[::-1], third.events * 2):
        assert ana.with_events(events, third.pages).events == third.events
    with pytest.raises(UsageError, match="no event of this identity"):
        ana.with_events(make("Bo", seed=2).events)


def test_a_fork_is_resolved_by_who_holds_the_next_key_of_every_branch() -> None:
    ana, recovery = with_recovery()
    anchor = SigningKey.from_seed(b"a" * 32)
    left = rotate(ana, recovery, seed=10, recovery_keys=[anchor.public])
    right = rotate(ana, recovery, seed=11, recovery_keys=[anchor.public])
    forked = left.with_events(right.events)
    assert identity_line(ana.cid, forked.events).is_forked
    with pytest.raises(UsageError, match="IDN-3"):
        rotate(forked, recovery)
    healed = rotate(forked, anchor, drop=[right.signer.public])
    line = identity_line(ana.cid, healed.events)
    assert not line.is_forked
    assert line.end == healed.event
    assert set(healed.events[-1].parents) == {left.event, right.event}
    assert healed.keys == (left.signer.public,)


def test_a_thief_of_the_signing_key_can_not_take_the_person() -> None:
    ana, recovery = with_recovery()
    assert isinstance(ana.signer, SigningKey)
    thief = Identity(events=ana.events, signer=ana.signer)
    mine = make_project(ana)
    theirs = make_project(thief, "Stolen Bus")
    with pytest.raises(UsageError):
        rotate(thief, ana.signer)
    new = rotate(ana, recovery, suspicion=True, good_heads={mine.cid: [mine.cid]})
    shelf = Shelf([mine, theirs], new)
    assert shelf.standing(mine) is Standing.GOOD
    assert shelf.standing(theirs) is Standing.DISAVOWED
