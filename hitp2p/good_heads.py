"""What a key has signed so far, in the form in which its owner stands behind it when the key is dropped."""

from __future__ import annotations

from hitp2p.codec.cid import Cid
from hitp2p.objects.kinds import KINDS, ObjectClass
from hitp2p.store.contract import Store

__all__ = ["good_heads_of"]


def good_heads_of(store: Store, identity: Cid, signer: bytes) -> dict[Cid, tuple[Cid, ...]]:
    """Project (for objects without one: the identity) -> the fewest heads whose ancestry holds all that the key signed.

    Statements stand among the heads themselves, even where an object of an unknown kind has one as its parent [IDN-11].
    """
    rows = [row for row in store.rows(identity=identity) if row.signer == signer]
    heads: dict[Cid, list[Cid]] = {}
    covered: set[Cid] = set()
    for row in sorted(rows, key=lambda row: (-row.generation, row.cid)):
        if row.kind == "identity" or (row.cid in covered and not _is_statement(row.kind)):
            continue
        heads.setdefault(row.project or identity, []).append(row.cid)
        covered.update(one.cid for one in store.ancestors([row.cid]))
    return {project: tuple(sorted(cids)) for project, cids in heads.items()}


def _is_statement(kind: str) -> bool:
    known = KINDS.get(kind)
    return known is not None and known.object_class is ObjectClass.STATEMENT
