"""The identity file as bytes: each rule of KEY-10 to KEY-14, and nothing but refusals on damage."""

from __future__ import annotations

import random
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitp2p import limits
from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.codec.dagcbor import Profile, decode_object, encode
from hitp2p.errors import Hitp2pError, InvalidError, KeyFileError, MissingBlocksError
from hitp2p.identity import Identity
from hitp2p.identity_file import (
    IdentityFile,
    encode_identity_file,
    parse_identity_file,
    read_identity_file,
)
from hitp2p.keys.ed25519 import SigningKey
from hitp2p.keys.envelope import encode_bare_key
from hitp2p.objects.envelope import sign_object
from hitp2p.store.keyfile import write_key_file


def _rotated(seed: int) -> tuple[Identity, Identity]:
    chance = random.Random(seed).randbytes
    ana = Identity.create("Ana", clock=lambda: 1, randomness=chance)
    recovery = ana.take_recovery_key()
    heads = {ana.cid: [ana.cid]}
    new = ana.rotate(
        recovery, suspicion=False, good_heads=heads, clock=lambda: 2, randomness=chance
    )
    return ana, new


ANA, ROTATED = _rotated(1)
BO, _ = _rotated(2)


def file_of(who: Identity) -> IdentityFile:
    assert isinstance(who.signer, SigningKey)
    return IdentityFile(
        events=who.events,
        event=who.event,
        public=who.signer.public,
        pages=who.pages,
        key=encode_bare_key(who.signer),
    )


FILE = file_of(ROTATED)
DATA = encode_identity_file(FILE)


def changed(**changes: Any) -> bytes:
    """The file with other fields; None takes one out."""
    fields: Any = decode_object(DATA)
    fields = {k: v for k, v in (fields | changes).items() if v is not None}
    return encode(fields, profile=Profile.OBJECT)


def refuse(data: bytes, rule: str) -> None:
    with pytest.raises(InvalidError) as caught:
        parse_identity_file(data)
    assert caught.value.rule == rule


def test_what_is_encoded_is_parsed() -> None:
    assert parse_identity_file(DATA) == FILE
    assert encode_identity_file(parse_identity_file(DATA)) == DATA
    assert FILE.cid == ANA.cid
    assert FILE.name == "Ana"


def test_key_10_optional_fields_may_be_absent() -> None:
    assert parse_identity_file(changed(pages=None)).pages == ()
    assert parse_identity_file(changed(key=None)).key is None


@pytest.mark.parametrize("name", ["hitp2p", "event", "events", "public"])
def test_key_10_required_fields_must_be_there(name: str) -> None:
    refuse(changed(**{name: None}), "KEY-10")


@pytest.mark.parametrize("name", ["hitp2p", "event", "events", "public", "pages", "key"])
@pytest.mark.parametrize("value", [True, 1, "x", {}, "identity/2", {"a": 1}])
def test_key_10_fields_have_their_type(name: str, value: object) -> None:
    refuse(changed(**{name: value}), "KEY-10")


def test_key_10_refuses_unknown_fields_other_formats_and_other_values() -> None:
    refuse(changed(more=1), "KEY-10")
    refuse(changed(hitp2p="key/1"), "KEY-10")
    refuse(changed(events=["x"]), "KEY-10")
    refuse(changed(pages=[1]), "KEY-10")
    refuse(b"\x80", "KEY-10")
    refuse(DATA + b"\0", "ENC-8")


def test_key_10_bounds_the_size() -> None:
    refuse(DATA + bytes(limits.IDENTITY_FILE_BYTES + 1 - len(DATA)), "KEY-10")
    refuse(DATA + bytes(limits.IDENTITY_FILE_BYTES - len(DATA)), "ENC-8")


def test_key_11_events_are_one_to_1024() -> None:
    refuse(changed(events=[]), "KEY-11")
    refuse(changed(events=[ANA.events[0].block] * (limits.IDENTITY_FILE_BLOCKS + 1)), "KEY-11")


def test_key_11_takes_1024_events_and_not_one_more() -> None:
    """As many as fit: each signed by a recovery key that stays the same, so that they are quick to make."""
    anchor = SigningKey.from_seed(bytes(32))
    ana = Identity.create("Ana", recovery_keys=[anchor.public])
    body = {"keys": [ana.signer.public], "next": [sha256(anchor.public).digest()]}
    events = list(ana.events)
    while len(events) < limits.IDENTITY_FILE_BLOCKS:
        events.append(
            sign_object(
                kind="identity",
                body=body,
                signer=anchor,
                time=1,
                author=ana.cid,
                parents=[events[-1].cid],
            )
        )
    file = replace(file_of(ana), events=tuple(events), event=events[-1].cid)
    data = encode_identity_file(file)
    assert len(data) <= limits.IDENTITY_FILE_BYTES
    assert parse_identity_file(data) == file
    more = sign_object(
        kind="identity", body=body, signer=anchor, time=1, author=ana.cid, parents=[events[-1].cid]
    )
    fields = decode_object(data)
    assert isinstance(fields, dict)
    fields["events"].append(more.block)
    refuse(encode(fields, profile=Profile.OBJECT), "KEY-11")


def test_key_11_events_are_of_one_identity_and_come_once() -> None:
    genesis, later = (event.block for event in ROTATED.events)
    refuse(changed(events=[genesis, later, BO.events[0].block]), "KEY-11")
    refuse(changed(events=[genesis, genesis, later]), "KEY-11")
    project = sign_object(
        kind="profile",
        body={"name": "Ana"},
        signer=ANA.signer,
        time=1,
        author=ANA.cid,
        event=ANA.event,
    )
    refuse(changed(events=[genesis, later, project.block]), "KEY-11")


def test_key_11_events_come_after_their_parents() -> None:
    genesis, later = (event.block for event in ROTATED.events)
    for events in ([later, genesis], [later]):
        with pytest.raises((InvalidError, MissingBlocksError)):
            parse_identity_file(changed(events=events))


def test_key_11_events_are_verified() -> None:
    genesis, later = (event.block for event in ROTATED.events)
    forged = bytearray(later)
    forged[10] ^= 1
    with pytest.raises(InvalidError):
        parse_identity_file(changed(events=[genesis, bytes(forged)]))


def test_key_12_the_key_is_one_of_the_event() -> None:
    refuse(changed(event=BO.event), "KEY-12")
    refuse(changed(event=ANA.event), "KEY-12")  # before the rotation
    refuse(changed(public=ANA.signer.public), "KEY-12")
    refuse(changed(public=b""), "KEY-12")
    other = encode_bare_key(SigningKey.from_seed(bytes(32)))
    refuse(changed(key=other), "KEY-12")
    refuse(changed(key=b""), "ENC-8")


def test_key_13_pages_are_linked_from_an_event_and_come_once() -> None:
    ((_, page),) = ROTATED.pages
    refuse(changed(pages=[]), "KEY-13")
    refuse(changed(pages=[page, page]), "KEY-13")
    refuse(changed(pages=[page, b"\xa0"]), "KEY-13")
    refuse(changed(pages=[page] * (limits.IDENTITY_FILE_BLOCKS + 1)), "KEY-13")


def test_key_13_takes_1024_pages_and_not_one_more() -> None:
    """In as many events as it takes: each drops the first key anew, with more pages."""
    first, second, anchor = (SigningKey.from_seed(bytes([n]) * 32) for n in range(3))
    ana = Identity.create("Ana", signer=first, recovery_keys=[anchor.public])
    pages = [encode({"entries": [n]}) for n in range(limits.IDENTITY_FILE_BLOCKS + 1)]
    events = list(ana.events)
    for start in range(0, len(pages), 100):
        links = [Cid.of(DAG_CBOR, page) for page in pages[start : start + 100]]
        body = {
            "keys": [second.public],
            "next": [sha256(anchor.public).digest()],
            "dropped": [{"key": first.public, "pages": links}],
        }
        events.append(
            sign_object(
                kind="identity",
                body=body,
                signer=anchor,
                time=1,
                author=ana.cid,
                parents=[events[-1].cid],
            )
        )
    fields: dict[str, Any] = {
        "hitp2p": "identity/1",
        "event": events[-1].cid,
        "events": [event.block for event in events],
        "public": second.public,
    }
    most = limits.IDENTITY_FILE_BLOCKS
    data = encode(fields | {"pages": pages[:most]}, profile=Profile.OBJECT)
    assert len(parse_identity_file(data).pages) == most
    refuse(encode(fields | {"pages": pages}, profile=Profile.OBJECT), "KEY-13")


def test_key_14_refuses_the_recovery_key_of_the_event() -> None:
    key = SigningKey.from_seed(bytes(32))
    genesis = sign_object(
        kind="identity",
        body={"keys": [key.public], "next": [sha256(key.public).digest()], "name": "Ana"},
        signer=key,
        time=1,
    )
    who = Identity(events=[genesis], signer=key)
    with pytest.raises(InvalidError, match="KEY-14"):
        encode_identity_file(file_of(who))


def test_a_file_that_breaks_a_rule_is_named_with_the_rule(tmp_path: Path) -> None:
    path = tmp_path / "ana.key"
    for data in (changed(more=1), changed(events=[ROTATED.events[1].block]), b"", b"ana"):
        write_key_file(path, data, overwrite=True)
        with pytest.raises(KeyFileError, match=r"ana\.key is no valid identity file"):
            read_identity_file(path)
        with pytest.raises(KeyFileError, match=r"ana\.key"):
            Identity.load(path, "horse")


def test_key_11_refuses_an_event_that_is_no_object() -> None:
    with pytest.raises(InvalidError):
        parse_identity_file(changed(events=[b"not a block"]))


@given(st.integers(0, len(DATA) - 1), st.integers(1, 255))
def test_any_changed_byte_is_refused_or_changes_only_the_bare_key(position: int, mask: int) -> None:
    data = bytearray(DATA)
    data[position] ^= mask
    try:
        file = parse_identity_file(bytes(data))
    except (InvalidError, MissingBlocksError):
        return
    assert replace(file, key=FILE.key) == FILE  # the seed; opening it finds that out [KEY-9]


@given(st.binary(max_size=100))
def test_random_bytes_raise_nothing_outside_the_error_tree(data: bytes) -> None:
    with pytest.raises(Hitp2pError):
        parse_identity_file(data)


@pytest.mark.parametrize("n_bytes", range(0, len(DATA), 97))
def test_a_cut_file_is_refused(n_bytes: int) -> None:
    with pytest.raises(InvalidError):
        parse_identity_file(DATA[:n_bytes])
