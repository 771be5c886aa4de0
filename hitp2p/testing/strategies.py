"""Hypothesis strategies for signed objects of all kinds, and for whole trails; needs the extra `testing`.

    @given(signed_objects())
    def test_mine(obj: SignedObject) -> None: ...

Bodies are drawn from the tables of `hitp2p.objects.kinds`, so a new field is drawn as soon as it is there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from typing import Any, Final
from unicodedata import normalize

from hypothesis import strategies as st

from hitp2p import limits
from hitp2p.codec.cid import DAG_CBOR, DAG_PB, RAW, Cid
from hitp2p.keys.ed25519 import SigningKey
from hitp2p.objects import parts, shape
from hitp2p.objects.envelope import SignedObject, sign_object
from hitp2p.objects.kinds import KINDS, ObjectClass, Presence

__all__ = ["bodies", "cids", "lines", "refs", "signed_objects", "signing_keys", "texts", "trails"]

_LETTERS: Final = st.characters(
    exclude_categories=("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"), include_characters="\u200c\u200d"
)
_ANY_CHARACTER: Final = st.characters(codec="utf-8")


# --- values ---------------------------------------------------------------------------------------
def lines(limit_bytes: int = limits.LINE_BYTES) -> st.SearchStrategy[str]:
    """Single-line text that may stand in an object."""
    return _fitting(st.text(_LETTERS, min_size=1, max_size=min(limit_bytes, 24)), limit_bytes)


def texts(limit_bytes: int = limits.NOTE_BYTES) -> st.SearchStrategy[str]:
    """Multi-line text that may stand in an object."""
    letters = st.one_of(_LETTERS, st.just("\n"))
    return _fitting(st.text(letters, min_size=1, max_size=min(limit_bytes, 48)), limit_bytes)


def _fitting(drawn: st.SearchStrategy[str], limit_bytes: int) -> st.SearchStrategy[str]:
    return drawn.map(lambda text: normalize("NFC", text)).filter(
        lambda text: len(text.encode()) <= limit_bytes
    )


def cids(codec: int = DAG_CBOR) -> st.SearchStrategy[Cid]:
    """Links that the object profile allows."""
    return st.binary(max_size=8).map(lambda data: Cid.of(codec, data))


def refs() -> st.SearchStrategy[str]:
    """CIDs of objects as text."""
    return cids().map(str)


def signing_keys() -> st.SearchStrategy[SigningKey]:
    """One of eight keys; always the same eight."""
    return st.integers(0, 7).map(_key)


@cache
def _key(number: int) -> SigningKey:
    return SigningKey.from_seed(bytes((number,)) * 32)


def _anything() -> st.SearchStrategy[Any]:
    """What may stand in an unknown field."""
    leaf = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(limits.INT_MIN, limits.INT_MAX),
        st.text(_ANY_CHARACTER, max_size=8),
        st.binary(max_size=40),
        st.sampled_from((DAG_CBOR, DAG_PB, RAW)).flatmap(cids),
    )
    names = st.text("abcxyz", min_size=1, max_size=4)
    return st.recursive(
        leaf, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3)
    )


# --- shapes ---------------------------------------------------------------------------------------
_EXAMPLES: Final[dict[int, st.SearchStrategy[str]]] = {
    id(parts.PART): st.sampled_from(
        ("t=12,30", "t=,00:20", "t=npt:1:02:03.5", "xywh=percent:5,5,90,90", "char=0,80", "char=3")
    ),
    id(parts.LANGUAGE): st.sampled_from(("en", "pt-BR", "zh-Hant-TW", "de-1996")),
    id(parts.MEDIA_TYPE): st.sampled_from(("text/plain", "audio/wav", "image/svg+xml")),
}
_LICENSES: Final = st.sampled_from(
    (
        "CC-BY-SA-4.0",
        "CC0-1.0 OR MIT",
        "GPL-2.0-or-later WITH Classpath-exception-2.0 AND (MIT OR X)",
    )
)


def _values(wanted: Any) -> st.SearchStrategy[Any]:
    """Values of a shape, for one that has no rules over several fields but those in `_MENDERS`."""
    match wanted:
        case parts.License():
            return _LICENSES
        case parts.FileName():
            return lines(wanted.limit_bytes).map(lambda name: name.translate(_NO_PATH))
        case shape.Text():
            return (texts if wanted.multiline else lines)(wanted.limit_bytes)
        case shape.Pattern():
            return _EXAMPLES[id(wanted)]
        case shape.Choice():
            return st.sampled_from(sorted(wanted.words))
        case shape.Integer():
            return st.integers(wanted.low, wanted.high)
        case shape.Boolean():
            return st.booleans()
        case shape.Bytes():
            return st.binary(min_size=wanted.least, max_size=wanted.most)
        case shape.Link():
            return st.sampled_from(sorted(wanted.codecs)).flatmap(cids)
        case shape.Ref():
            return refs()
        case shape.ListOf():
            return _lists(wanted)
        case shape.MapOf():
            return st.dictionaries(
                _values(wanted.name), _values(wanted.entry), min_size=1, max_size=2
            )
        case _:
            return _records(wanted)


_NO_PATH: Final = str.maketrans({"/": "-", "\\": "-", ".": "-"})


def _lists(wanted: shape.ListOf) -> st.SearchStrategy[list[Any]]:
    drawn = st.lists(_values(wanted.entry), min_size=1, max_size=3, unique_by=repr)
    return drawn.map(sorted) if isinstance(wanted.entry, shape.Ref) else drawn


@st.composite
def _records(draw: st.DrawFn, wanted: shape.Record) -> dict[str, Any]:
    required = {name: _values(wanted.fields[name]) for name in wanted.required}
    optional = {name: _values(s) for name, s in wanted.fields.items() if name not in required}
    record = dict(draw(st.fixed_dictionaries(required, optional=optional)))
    if draw(st.integers(0, 9)) == 0:
        record["x_new"] = draw(_anything())
    for mend in _MENDERS.get(id(wanted), ()):
        mend(record)
    return record


def _name_one_source(use: dict[str, Any]) -> None:
    if "source" in use:
        use.pop("work", None)
        use.pop("project", None)
        if not {"url", "title", "sha256"} & use["source"].keys():
            use["source"]["title"] = "Elsewhere"
    elif "work" not in use:
        use["work"] = use.pop("project", None) or str(Cid.of(DAG_CBOR, b""))


def _name_someone(entry: dict[str, Any]) -> None:
    if "who" not in entry:
        entry.setdefault("name", "Someone")


def _add_up(split: dict[str, Any]) -> None:
    left = limits.SPLIT_POINTS
    for part in split["parts"][1:]:
        part["points"] %= left + 1
        left -= part["points"]
    split["parts"][0]["points"] = left


def _meet_thresholds(rules: dict[str, Any]) -> None:
    role = min(rules["roles"])
    for name in parts.ACTIONS & rules["actions"].keys():
        rules["actions"][name] |= {"role": role, "threshold": len(rules["roles"][role])}
    if "recovery" in rules:
        rules["recovery"]["threshold"] = 1


def _keep_prose_in_one_place(body: dict[str, Any]) -> None:
    for name in ("note", "prompt", "purpose", "text", "terms"):
        if name in body:
            body.pop(f"{name}_block", None)


def _witness_one_thing(body: dict[str, Any]) -> None:
    if "refs" in body:
        body.pop("snapshot", None)
    else:
        body.setdefault("snapshot", str(Cid.of(DAG_CBOR, b"")))


def _say_why(body: dict[str, Any]) -> None:
    if body["verdict"] == "decline":
        body.setdefault("reason", "Not this time")


def _say_something(body: dict[str, Any]) -> None:
    if "text_block" not in body:
        body.setdefault("text", "Oh!")


_SPLIT_PART: Final = parts.SPLIT.fields["parts"]
_MENDERS: Final[dict[int, tuple[Callable[[dict[str, Any]], None], ...]]] = {
    id(parts.USE): (_name_one_source,),
    id(parts.CREDIT): (_name_someone,),
    id(getattr(_SPLIT_PART, "entry", None)): (_name_someone,),
    id(parts.SPLIT): (_add_up,),
    id(parts.RULES): (_meet_thresholds,),
    id(KINDS["rules"].body): (_meet_thresholds,),
    id(KINDS["project"].body): (_keep_prose_in_one_place,),
    id(KINDS["contribution"].body): (_keep_prose_in_one_place,),
    id(KINDS["call"].body): (_keep_prose_in_one_place,),
    id(KINDS["release"].body): (_keep_prose_in_one_place,),
    id(KINDS["grant"].body): (_keep_prose_in_one_place,),
    id(KINDS["comment"].body): (_keep_prose_in_one_place, _say_something),
    id(KINDS["decision"].body): (_say_why,),
    id(KINDS["witness"].body): (_witness_one_thing,),
}


def bodies(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    """Bodies of a kind of spec 03, but for identity events; of any other kind, anything."""
    if kind in KINDS:
        return _records(KINDS[kind].body)
    return st.dictionaries(st.text("abcxyz", min_size=1, max_size=4), _anything(), max_size=4)


# --- objects --------------------------------------------------------------------------------------
@st.composite
def signed_objects(draw: st.DrawFn, kind: str | None = None) -> SignedObject:
    """Objects that are valid by themselves; what they link to is nowhere."""
    if kind is None:
        kind = draw(st.sampled_from([*KINDS, "x-unknown", "y2"]))
    if kind == "identity":
        return draw(_identity_events())
    presence = KINDS[kind].presence if kind in KINDS else Presence.EITHER
    in_project = presence is Presence.BOTH or (presence is Presence.EITHER and draw(st.booleans()))
    return sign_object(
        kind=kind,
        body=draw(bodies(kind)),
        signer=draw(signing_keys()),
        time=draw(_TIMES),
        author=draw(cids()),
        event=draw(cids()),
        project=Cid.of(DAG_CBOR, b"a project") if in_project else None,
        parents=draw(st.lists(cids(), min_size=1, max_size=4)) if in_project else (),
    )


_TIMES: Final = st.integers(0, limits.TIME_MAX)


@st.composite
def _identity_events(draw: st.DrawFn) -> SignedObject:
    keys = sorted(key.public for key in draw(st.sets(signing_keys(), min_size=1, max_size=3)))
    body: dict[str, Any] = {
        "keys": keys,
        "next": draw(
            st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=3, unique=True)
        ),
    }
    if draw(st.booleans()):
        body["name"] = draw(lines(limits.NAME_BYTES))
        signer = next(_key(i) for i in range(8) if _key(i).public == keys[0])
        return sign_object(kind="identity", body=body, signer=signer, time=draw(_TIMES))
    dropped = draw(st.sets(signing_keys().map(lambda key: key.public), max_size=3)) - {*keys}
    if dropped:
        entries: list[dict[str, Any]] = [{"key": key} for key in sorted(dropped)]
        body["dropped"] = entries
        entries[0]["pages"] = draw(st.lists(cids(), min_size=1, max_size=2))
    return sign_object(
        kind="identity",
        body=body,
        signer=draw(signing_keys()),
        time=draw(_TIMES),
        author=draw(cids()),
        parents=draw(st.lists(cids(), min_size=1, max_size=3)),
    )


# --- trails ---------------------------------------------------------------------------------------
@st.composite
def trails(draw: st.DrawFn, max_works: int = 8) -> list[SignedObject]:
    """Valid sets: one or two people (perhaps with a changed key) and projects, works, statements, strangers.

    Each object stands after those that it links to.
    """
    people = [_start_person(number) for number in range(draw(st.integers(1, 2)))]
    objects = [event for events in people for event in events]
    for events in people:
        if draw(st.booleans()):
            events.append(_rotate(events))
            objects.append(events[-1])
    speakers = [event for events in people for event in events]
    for number in range(draw(st.integers(1, 2))):
        project = _speak(
            speakers[0],
            "project",
            {
                "title": f"Project {number}",
                "rules": {"roles": {"curator": [str(people[0][0].cid)]}, "actions": {}},
                "nonce": bytes((number,)) * 16,
            },
        )
        objects += [project, *draw(_project_objects(project, speakers, max_works))]
    return objects


@st.composite
def _project_objects(
    draw: st.DrawFn, project: SignedObject, speakers: list[SignedObject], max_works: int
) -> list[SignedObject]:
    objects: list[SignedObject] = []
    works: list[SignedObject] = []
    for number in range(draw(st.integers(0, max_works))):
        kind = draw(st.sampled_from(("contribution", "contribution", "x-work", "call", "comment")))
        chosen: set[SignedObject] = set()
        if works:
            chosen = draw(st.sets(st.sampled_from(works), max_size=3))
        parents = [] if kind == "comment" else sorted(work.cid for work in chosen)
        title = f"{kind} {number}"
        target = {"target": {"object": str(project.cid)}, "text": title}
        new = _speak(
            draw(st.sampled_from(speakers)),
            kind,
            target if kind == "comment" else {"title": title},
            project=project.cid,
            parents=parents or [project.cid],
        )
        objects.append(new)
        if new.object_class is not ObjectClass.STATEMENT:
            works.append(new)
    return objects


def _start_person(number: int) -> list[SignedObject]:
    key, following = _key(2 * number), _key(2 * number + 1)
    body = {
        "keys": [key.public],
        "next": [sha256(following.public).digest()],
        "name": f"Person {number}",
    }
    return [sign_object(kind="identity", body=body, signer=key, time=number)]


def _rotate(events: list[SignedObject]) -> SignedObject:
    genesis = events[0]
    key = next(_key(n) for n in range(8) if sha256(_key(n).public).digest() in genesis.body["next"])
    body = {
        "keys": [key.public],
        "next": [bytes(32)],
        "dropped": [{"key": genesis.signer}],
    }
    return sign_object(
        kind="identity", body=body, signer=key, time=9, author=genesis.cid, parents=[genesis.cid]
    )


def _speak(
    event: SignedObject,
    kind: str,
    body: dict[str, Any],
    project: Cid | None = None,
    parents: list[Cid] | None = None,
) -> SignedObject:
    key = next(_key(n) for n in range(8) if _key(n).public in event.body["keys"])
    return sign_object(
        kind=kind,
        body=body,
        signer=key,
        time=1,
        author=event.identity,
        event=event.cid,
        project=project,
        parents=parents or (),
    )
