"""What a key has signed so far, in the form in which its owner stands behind it when the key is dropped."""

from __future__ import annotations

from hitp2p.codec.cid import Cid
from hitp2p.store.contract import Store

__all__ = ["good_heads_of"]


def good_heads_of(store: Store, identity: Cid, signer: bytes) -> dict[Cid, tuple[Cid, ...]]:
    """Project (for objects without one: the identity) -> the fewest heads whose ancestry holds all that the key signed.

    Statements are nobody's parent and so stand among the heads themselves.
    """
    rows = [row for row in store.rows(identity=identity) if row.signer == signer]
    heads: dict[Cid, list[Cid]] = {}
    covered: set[Cid] = set()
    for row in sorted(rows, key=lambda row: (-row.generation, row.cid)):
        if row.kind == "identity" or row.cid in covered:
            continue
        heads.setdefault(row.project or identity, []).append(row.cid)
        covered.update(one.cid for one in store.ancestors([row.cid]))
    return {project: tuple(sorted(cids)) for project, cids in heads.items()}
