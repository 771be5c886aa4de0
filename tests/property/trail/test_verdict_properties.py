"""Laws of reports over drawn worlds: a function of the set, in which more doubt is never less [spec 08]."""

from __future__ import annotations

import json
from collections.abc import Iterable
from random import Random
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from trail_maker import Person, make_page
from verdict_world import ANA, BO, CY, EVE, FILE, PEOPLE, PROJECT, facts_of, media, say, witness

from hitp2p.codec.cid import Cid
from hitp2p.objects.envelope import SignedObject
from hitp2p.objects.kinds import ObjectClass
from hitp2p.trail.audit import audit_file
from hitp2p.trail.evidence import JointEvidence, ObjectSet
from hitp2p.trail.report import Headline, Report
from hitp2p.trail.report_explain import render_explained
from hitp2p.trail.report_json import report_json

SPEAKERS = (ANA, BO, CY, EVE)
ELSEWHERE = BO.project("Elsewhere", license="CC-BY-NC-4.0")
PAGES = [
    make_page({"who": str(ANA.cid), "role": "sng"}, {"name": "Joe", "role": "mus"}),
    make_page({"source": {"title": "Bell"}, "relation": "sample"}),
    make_page({"who": str(CY.cid), "role": "aut"}),
]
LICENSES = (
    "CC0-1.0",
    "CC-BY-4.0",
    "CC-BY-SA-4.0",
    "CC-BY-ND-4.0",
    "MIT OR CC-BY-NC-4.0",
    "LicenseRef-X",
)
RELATIONS = ("remix", "sample", "collect", "reference", "inspired-by", "version")
BADNESS = {Headline.VERIFIED: 0, Headline.VERIFIED_WITH_GAPS: 1, Headline.DISPUTED: 2}
people = st.sampled_from(SPEAKERS)


@st.composite
def worlds(draw: st.DrawFn) -> list[SignedObject]:
    """Works that build on each other, in two projects, most of them with the same file, and what people say of them."""
    objects = [*PEOPLE, PROJECT, ELSEWHERE]
    works: list[SignedObject] = []
    for number in range(draw(st.integers(1, 6))):
        works.append(draw(_works(number, works)))
    said: list[SignedObject] = []
    for number in range(draw(st.integers(0, 8))):
        said.append(draw(_statements(number, works, said)))
    return [*objects, *works, *said]


@st.composite
def _works(draw: st.DrawFn, number: int, works: list[SignedObject]) -> SignedObject:
    project = draw(st.sampled_from((PROJECT, PROJECT, ELSEWHERE)))
    kind = draw(st.sampled_from(("contribution",) * 5 + ("release", "call", "x-work")))
    sources = draw(st.lists(st.sampled_from(works), max_size=3, unique=True)) if works else []
    body: dict[str, Any] = {}
    if kind == "release":
        body |= {"version": "1", "works": [str(project.cid)]}
    if kind in ("contribution", "release"):
        body |= draw(st.sampled_from(({}, {"media": media()}, {"media": media()})))
        body |= draw(st.sampled_from(({}, {"credits": [{"who": str(ANA.cid), "role": "aut"}]})))
        body |= draw(st.sampled_from(({}, {"credits_pages": [PAGES[0][0], PAGES[2][0]]})))
    if kind == "contribution":
        uses = [_use(project, one, draw(st.sampled_from(RELATIONS))) for one in sources]
        body |= {"uses": uses} if uses else {}
        body |= draw(st.sampled_from(({}, {}, {"uses_pages": [PAGES[1][0]]})))
        body |= draw(st.sampled_from(({}, {"license": draw(st.sampled_from(LICENSES))})))
    parents = [one for one in sources if one.project == project.cid]
    return draw(people).work(
        project, f"W{number}", kind=kind, parents=sorted(parents, key=lambda one: one.cid), **body
    )


def _use(project: SignedObject, work: SignedObject, relation: str) -> dict[str, Any]:
    use = {"work": str(work.cid), "relation": relation}
    return use if work.project == project.cid else use | {"project": str(work.project)}


@st.composite
def _statements(
    draw: st.DrawFn, number: int, works: list[SignedObject], said: list[SignedObject]
) -> SignedObject:
    who, about = draw(people), draw(st.sampled_from(works))
    kind = draw(
        st.sampled_from(("answer", "dispute", "claim_ancestor", "withdrawal", "witness", "grant"))
    )
    if kind == "witness":
        return witness(who, about, seen=number + draw(st.integers(0, 5)))
    if kind == "grant":
        body = {"work": {"object": str(about.cid)}, "license": draw(st.sampled_from(LICENSES))}
        return who.sign("grant", body, project=PROJECT.cid, parents=[PROJECT.cid])
    if kind == "answer":
        return say(who, kind, about, about=draw(st.sampled_from(("credit", "source"))),
                   line=draw(st.integers(0, 3)), answer=draw(st.sampled_from(("accept", "deny", "amend"))))  # fmt: skip
    if kind == "dispute":
        return say(who, kind, about, reason=f"r{number}")
    if kind == "claim_ancestor":
        own = {"object": str(draw(st.sampled_from(works)).cid)}
        return say(who, kind, about, own=own, relation=draw(st.sampled_from(RELATIONS)))
    target = draw(st.sampled_from([about, *said]))
    return say(who, "withdrawal", target, scope=draw(st.sampled_from(("work", "media", "name"))))


def seen(*parts: Iterable[SignedObject], work: Cid | None = None) -> Report:
    sets = [ObjectSet({obj.cid: obj for obj in part}, dict(PAGES[:2])) for part in parts]
    return audit_file(facts_of(FILE), JointEvidence(*sets), bundle_work=work)


def words(report: Report) -> str:
    return json.dumps(report_json(report)) + (render_explained(report) if report.match else "")


def bundle_work(draw: st.DataObject, objects: list[SignedObject]) -> Cid | None:
    works = [obj.cid for obj in objects if obj.kind == "contribution" and "media" in obj.body]
    return draw.draw(st.sampled_from([None, *works]))


@settings(max_examples=150)
@given(worlds(), st.data(), st.integers())
def test_a_report_is_a_function_of_the_set(
    objects: list[SignedObject], data: st.DataObject, seed: int
) -> None:
    """In whatever order objects come, and whether the bundle has them, the workspace, or both."""
    work = bundle_work(data, objects)
    expected = words(seen(objects, work=work))
    dice = Random(seed)
    for _ in range(3):
        shuffled = list(objects)
        dice.shuffle(shuffled)
        cut = dice.randrange(len(shuffled) + 1)
        both = dice.randrange(cut + 1)
        assert words(seen(shuffled[:cut], shuffled[both:], work=work)) == expected


@settings(max_examples=100)
@given(worlds(), st.data())
def test_what_has_nothing_to_do_with_it_changes_nothing(
    objects: list[SignedObject], data: st.DataObject
) -> None:
    work = bundle_work(data, objects)
    zed = Person("Zed")
    project = zed.project("Other things")
    other = zed.work(project, "Other", media=media(b"another file"))
    more = zed.work(project, "More", parents=[other], credits=[{"name": "Ana", "role": "aut"}])
    stranger = [
        zed.genesis,
        project,
        other,
        more,
        witness(ANA, other),
        say(BO, "dispute", more, reason="x"),
    ]
    assert words(seen(objects, work=work)) == words(seen(objects, stranger, work=work))


@settings(max_examples=150)
@given(worlds(), st.data())
def test_a_denial_or_a_dispute_more_never_makes_the_headline_better(
    objects: list[SignedObject], data: st.DataObject
) -> None:
    before = seen(objects, work=bundle_work(data, objects))
    assume(before.match is not None)
    assert before.match is not None
    about = data.draw(st.sampled_from([o for o in objects if o.object_class is ObjectClass.WORK]))
    who = data.draw(people)
    doubt = data.draw(
        st.sampled_from(
            [
                say(who, "dispute", about, reason="Once more"),
                say(who, "answer", about, about="credit", line=0, answer="deny", reason="No"),
                say(who, "answer", about, about="source", line=0, answer="deny", reason="No"),
                say(who, "claim_ancestor", about, own={"object": str(PAGES[0][0])}),
                say(who, "withdrawal", about, scope="work", reason="No"),
            ]
        )
    )
    after = seen(objects, [doubt], work=before.match.work)
    again = seen(objects, work=before.match.work)
    assert BADNESS[after.headline] >= BADNESS[again.headline]
    assert {gap.code for gap in again.gaps} - {gap.code for gap in after.gaps} <= _ANSWERED


_ANSWERED = {"unanswered-credits", "amended-credits"}
"""Gaps that an answer may close, or turn into a denial, which the headline tells."""
