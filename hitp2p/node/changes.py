"""What has become of the sets of the followed topics, as it is told to the core."""

from __future__ import annotations

from collections.abc import Collection

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass, field
from hitp2p.protocol.actions import Member, TopicScope
from hitp2p.store.contract import ObjectRow

__all__ = ["Change"]


@dataclass(slots=True, kw_only=True)
class Change:
    """What has become of the sets."""

    joined: list[Member] = field(default_factory=list[Member])
    """New members, each after what it requires."""
    left: list[tuple[TopicScope, bytes]] = field(default_factory=list[tuple[TopicScope, bytes]])
    no_heads: list[tuple[TopicScope, Cid]] = field(default_factory=list[tuple[TopicScope, Cid]])
    rows: list[tuple[Cid, ObjectRow]] = field(default_factory=list[tuple[Cid, ObjectRow]])
    """Each new member in scope all as (topic, row)."""

    def take_back(self, topic: Cid, gone: Collection[Cid]) -> None:
        """Tell of no joining of what has left again before it was told."""
        self.joined = [one for one in self.joined if one.of.topic != topic or one.cid not in gone]
        self.rows = [pair for pair in self.rows if pair[0] != topic or pair[1].cid not in gone]

    def plus(self, later: Change) -> Change:
        """Both, one after the other; what has left since isn't told to have joined."""
        left = set(later.left)
        return Change(
            joined=[
                *(one for one in self.joined if (one.of, _member_key(one)) not in left),
                *later.joined,
            ],
            left=[*self.left, *later.left],
            no_heads=[*self.no_heads, *later.no_heads],
            rows=[*self.rows, *later.rows],
        )


def _member_key(member: Member) -> bytes:
    return member.generation.to_bytes(8, "big") + member.cid.digest
