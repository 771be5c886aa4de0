"""How much of others' works a node keeps: bounds, and what is taken up. Whose works count, the caller decides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple, TypeAlias

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass

__all__ = ["NO_BOUNDS", "Account", "Amount", "Quotas", "Usage", "over_quota"]

Account: TypeAlias = tuple[Cid, Cid | None]
"""A topic, and the identity that speaks; None for what was taken up for nobody in particular."""


class Amount(NamedTuple):
    """What is kept of something."""

    objects: int
    """Signed objects."""
    bytes: int
    """Their bytes, and those of the list pages, texts and media that came with them."""

    def plus(self, other: Amount) -> Amount:
        """Both together."""
        return Amount(self.objects + other.objects, self.bytes + other.bytes)


_NOTHING: Final = Amount(0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """Bounds; 0 stands for none."""

    project_objects: int = 0
    project_bytes: int = 0
    author_objects: int = 0
    author_bytes: int = 0
    all_objects: int = 0
    all_bytes: int = 0
    keep_free_bytes: int = 0
    """Room on the disk that is left to others."""


NO_BOUNDS: Final = Quotas()


class Usage:
    """What is taken up, by account, with its sums."""

    def __init__(self, amounts: Mapping[Account, Amount] | None = None) -> None:
        self._accounts: dict[Account, Amount] = {}
        self._topics: dict[Cid, Amount] = {}
        self._authors: dict[Cid, Amount] = {}
        self.total = _NOTHING
        """All of it."""
        for account, amount in (amounts or {}).items():
            self.add(account, amount)

    def add(self, account: Account, amount: Amount) -> None:
        """Count something."""
        topic, author = account
        self._accounts[account] = self._accounts.get(account, _NOTHING).plus(amount)
        self._topics[topic] = self.of_topic(topic).plus(amount)
        if author is not None:
            self._authors[author] = self.of_author(author).plus(amount)
        self.total = self.total.plus(amount)

    def forget(self, topic: Cid) -> None:
        """Count nothing of a topic any more."""
        for account in [account for account in self._accounts if account[0] == topic]:
            gone = self._accounts.pop(account)
            minus = Amount(-gone.objects, -gone.bytes)
            if account[1] is not None:
                self._authors[account[1]] = self.of_author(account[1]).plus(minus)
            self.total = self.total.plus(minus)
        self._topics.pop(topic, None)

    def of_topic(self, topic: Cid) -> Amount:
        """What is kept of a topic."""
        return self._topics.get(topic, _NOTHING)

    def of_author(self, author: Cid | None) -> Amount:
        """What is kept of an identity, in all topics."""
        return _NOTHING if author is None else self._authors.get(author, _NOTHING)

    def accounts(self) -> Iterator[tuple[Account, Amount]]:
        """All of it, account by account."""
        yield from self._accounts.items()


def over_quota(
    quotas: Quotas, usage: Usage, batch: Usage, account: Account, amount: Amount
) -> str | None:
    """Which bound something would pass, beside what is kept and what else is in the batch; None where it fits."""
    topic, author = account
    everything = usage.total.plus(batch.total).plus(amount)
    of_topic = usage.of_topic(topic).plus(batch.of_topic(topic)).plus(amount)
    of_author = usage.of_author(author).plus(batch.of_author(author)).plus(amount)
    for name, most, found in (
        ("all_objects", quotas.all_objects, everything.objects),
        ("all_bytes", quotas.all_bytes, everything.bytes),
        ("project_objects", quotas.project_objects, of_topic.objects),
        ("project_bytes", quotas.project_bytes, of_topic.bytes),
        ("author_objects", quotas.author_objects, of_author.objects if author else 0),
        ("author_bytes", quotas.author_bytes, of_author.bytes if author else 0),
    ):
        if most and found > most:
            return f"over the quota {name}: {found:,} where {most:,} are allowed"
    return None
