"""Judging what peers bring: objects of one batch in any order, good and bad ones mixed.

Each object gets one verdict, whatever stands beside it: good, waiting for what isn't here, invalid, or refused by the operator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass, field
from hitp2p.errors import InvalidError, MissingBlocksError, NewerVersionError
from hitp2p.keys.ed25519 import verify_many
from hitp2p.objects.envelope import SignedObject, parse_object, refuse_signature
from hitp2p.store.index import in_order
from hitp2p.trail.check import verify_in_trail

__all__ = ["Judged", "Refuse", "judge_in_trail", "verify_blocks"]

Refuse: TypeAlias = Callable[[SignedObject], str | None]
"""Says why an operator keeps an object out; None where nothing speaks against it."""


@dataclass(slots=True, kw_only=True)
class Judged:
    """What came of the objects of a batch."""

    good: dict[Cid, SignedObject] = field(default_factory=dict[Cid, SignedObject])
    """Valid, each after those of them that it requires."""
    waiting: dict[Cid, tuple[Cid, ...]] = field(default_factory=dict[Cid, tuple[Cid, ...]])
    """What each of these requires that isn't here."""
    invalid: dict[Cid, str] = field(default_factory=dict[Cid, str])
    refused: dict[Cid, str] = field(default_factory=dict[Cid, str])
    held: dict[Cid, SignedObject] = field(default_factory=dict[Cid, SignedObject])
    """Valid, but to wait for the operator; they are among the refused as well."""


def verify_blocks(
    blocks: Iterable[tuple[Cid, bytes]], refuse: Refuse, judged: Judged
) -> dict[Cid, SignedObject]:
    """Those of the blocks that are objects with a good signature; what is said of the others is noted in `judged`.

    What the operator doesn't want isn't worth the check of a signature.
    """
    objects: dict[Cid, SignedObject] = {}
    for cid, block in blocks:
        try:
            obj = parse_object(block, cid=cid)
        except NewerVersionError as error:
            judged.refused[cid] = str(error)
        except InvalidError as error:
            judged.invalid[cid] = str(error)
        else:
            if reason := refuse(obj):
                judged.refused[cid] = reason
            else:
                objects[cid] = obj
    claims = ((obj.signer, obj.signature, obj.signed_bytes) for obj in objects.values())
    for obj, fault in zip(list(objects.values()), verify_many(claims), strict=True):
        if fault is not None:
            judged.invalid[obj.cid] = str(refuse_signature(obj, fault))
            del objects[obj.cid]
    return objects


def judge_in_trail(
    objects: Mapping[Cid, SignedObject],
    lookup: Callable[[Cid], SignedObject | None],
    decide: Callable[[SignedObject], str | None],
    judged: Judged,
) -> None:
    """Judge objects whose signatures are good; `judged` takes the verdicts.

    Args:
        objects: in any order.
        lookup: valid objects that are stored, or wait for the operator.
        decide: asked for each that is valid, after those that it requires; why it isn't to be stored now, or None. It may put
            the object among the held.
        judged: what was said so far; what rests on an invalid or refused object is so itself.
    """

    def find(cid: Cid) -> SignedObject | None:
        return judged.good.get(cid) or judged.held.get(cid) or lookup(cid)

    for obj in in_order(objects):
        if bad := next((cid for cid in obj.required if cid in judged.invalid), None):
            judged.invalid[obj.cid] = f"links to {bad}, which is invalid [TRL-9]"
        elif bad := next((cid for cid in obj.required if _is_kept_out(cid, judged)), None):
            judged.refused[obj.cid] = f"rests on {bad}, which was kept out"
        else:
            _judge(obj, find, decide, judged)


def _is_kept_out(cid: Cid, judged: Judged) -> bool:
    return cid in judged.refused and cid not in judged.held


def _judge(
    obj: SignedObject,
    find: Callable[[Cid], SignedObject | None],
    decide: Callable[[SignedObject], str | None],
    judged: Judged,
) -> None:
    try:
        verify_in_trail(obj, find)
    except MissingBlocksError as error:
        judged.waiting[obj.cid] = error.cids
    except InvalidError as error:
        judged.invalid[obj.cid] = str(error)
    else:
        if reason := decide(obj):
            judged.refused[obj.cid] = reason
        else:
            judged.good[obj.cid] = obj
