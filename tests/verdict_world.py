"""A small world to be judged: people, a project, a file, and what a report says of it."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from trail_maker import Person

from hitp2p.codec.cid import RAW, Cid
from hitp2p.objects.envelope import SignedObject
from hitp2p.trail.audit import audit_file
from hitp2p.trail.evidence import ObjectSet
from hitp2p.trail.report import FileFacts, GapCode, Report

ANA, BO, CY, EVE = (Person(name) for name in ("Ana", "Bo", "Cy", "Eve"))
PROJECT = ANA.project(license="CC-BY-SA-4.0")
FILE = b"the night bus\n"
PEOPLE = [person.genesis for person in (ANA, BO, CY, EVE)]


def media(data: bytes = FILE) -> list[dict[str, Any]]:
    """A media entry for these bytes."""
    return [{"file": Cid.of(RAW, data), "size": len(data), "sha256": sha256(data).digest(),
             "type": "text/plain", "role": "master"}]  # fmt: skip


def facts_of(file: bytes) -> FileFacts:
    return FileFacts(
        name="bus.txt",
        size=len(file),
        sha256=sha256(file).digest(),
        cid=Cid.of(RAW, file),
        type="text/plain",
        essence=None,
    )


def report_on(
    *objects: SignedObject,
    work: SignedObject | None = None,
    pages: Iterable[tuple[Cid, bytes]] = (),
    file: bytes = FILE,
) -> Report:
    everything = {obj.cid: obj for obj in (*PEOPLE, PROJECT, *objects)}
    evidence = ObjectSet(everything, dict(pages))
    return audit_file(facts_of(file), evidence, bundle_work=None if work is None else work.cid)


def codes(report: Report) -> set[GapCode]:
    return {gap.code for gap in report.gaps}


def say(who: Person, kind: str, target: SignedObject, **body: Any) -> SignedObject:
    """A statement about an object."""
    return who.sign(
        kind,
        {"target": {"object": str(target.cid)}, **body},
        project=PROJECT.cid,
        parents=[PROJECT.cid],
    )


def witness(who: Person, *works: SignedObject, seen: int = 1_000) -> SignedObject:
    refs = sorted(str(work.cid) for work in works)
    return who.sign(
        "witness", {"refs": refs, "seen": seen}, project=PROJECT.cid, parents=[PROJECT.cid]
    )
