"""Trails to measure: many signed contributions, made from a seed."""

from __future__ import annotations

import hashlib
import random
from functools import cache

from hitp2p.codec.cid import RAW, Cid
from hitp2p.identity import Identity
from hitp2p.objects.contribution import Contribution, Credit, MediaEntry, Use
from hitp2p.objects.envelope import SignedObject, sign_object
from hitp2p.objects.project import Project, threshold_rules

__all__ = ["contribution_body", "people", "seeded_bytes", "trail"]

_NOW = 1_790_000_000_000


def seeded_bytes(seed: int) -> random.Random:
    """A source of bytes that repeats."""
    return random.Random(seed)


@cache
def people() -> tuple[Identity, ...]:
    """Three people with keys from a seed."""
    chance = seeded_bytes(1)
    return tuple(
        Identity.create(name, clock=lambda: _NOW, randomness=chance.randbytes)
        for name in ("Ana", "Bo", "Cy")
    )


def contribution_body(number: int, author: Cid, parents: tuple[Cid, ...]) -> dict[str, object]:
    """A body as a remix of sound has it: a title, one media entry, a use a parent, a credit, a licence."""
    digest = hashlib.sha256(number.to_bytes(8, "big")).digest()
    leaf = Cid.of(RAW, number.to_bytes(8, "big"))
    return dict(
        Contribution(
            title=f"Take {number}",
            media=(
                MediaEntry(
                    file=leaf,
                    size=8,
                    sha256=digest,
                    type="audio/ogg",
                    role="master",
                    name="take.ogg",
                ),
            ),
            uses=tuple(Use(work=parent, relation="remix") for parent in parents),
            credits=(Credit(who=author, role="prf"),),
            license="CC-BY-SA-4.0",
        ).to_body()
    )


def trail(n_works: int, *, fan_in: int = 1, joined: bool = False) -> list[SignedObject]:
    """A project of `n_works` contributions by three people, each on up to `fan_in` of the latest 50; parents first.

    Args:
        n_works: how many.
        fan_in: most sources of one.
        joined: the one before is always among the sources, so the last has all others in its ancestry.
    """
    chance = seeded_bytes(2)
    by = people()
    made = [event for one in by for event in one.events]
    body = Project(
        title="Benchmark",
        license="CC-BY-SA-4.0",
        rules=threshold_rules((by[0].cid,)),
        nonce=chance.randbytes(16),
    ).to_body()
    project = sign_object(
        kind="project",
        body=body,
        signer=by[0].signer,
        time=_NOW,
        author=by[0].cid,
        event=by[0].event,
    )
    made.append(project)
    works: list[Cid] = []
    for number in range(n_works):
        one = by[number % 3]
        latest = works[-50:]
        chosen = chance.sample(latest, min(fan_in, len(latest)))
        if joined and works and works[-1] not in chosen:
            chosen[0] = works[-1]
        sources = tuple(sorted(chosen))
        work = sign_object(
            kind="contribution",
            body=contribution_body(number, one.cid, sources),
            signer=one.signer,
            time=_NOW + number,
            author=one.cid,
            event=one.event,
            project=project.cid,
            parents=sources or (project.cid,),
        )
        works.append(work.cid)
        made.append(work)
    return made
