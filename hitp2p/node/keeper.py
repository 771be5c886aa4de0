"""The side of a node that has the store: judges what comes and stores it, says who belongs where, reads for peers.

Synchronous, and for one thread. Others may write to the same store meanwhile, the user in the workspace first of all: what
they put there is found by its number of arrival, in `catch_up` and with each `admit`.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import replace
from hitp2p.errors import MissingBlocksError, UnlistedError
from hitp2p.node.admission import Admission, Desk
from hitp2p.node.changes import Change
from hitp2p.node.hiding import Hiding
from hitp2p.node.ledger import Ledger
from hitp2p.node.lending import Lending
from hitp2p.node.looking import Looking
from hitp2p.node.membership import Memberships
from hitp2p.node.policy import Follow, Policy, describe_media, is_blocked, wants_file
from hitp2p.node.remembered import Remembered
from hitp2p.node.review import ReviewQueue
from hitp2p.node.takedown import Receipt, Takedowns, take_down
from hitp2p.node.wanting import Wanting
from hitp2p.objects.contribution import MediaEntry
from hitp2p.ports import Closing
from hitp2p.protocol.actions import Admit, Admitted, Load, Member, Want
from hitp2p.store.contract import Store

__all__ = ["Keeper"]

_TRIES: Final = 3
"""How often a batch is judged when another program removes, meanwhile, what it rests on."""


class Keeper(Closing):
    """Keeps the followed topics of a store. One thread's."""

    def __init__(
        self,
        store: Store,
        *,
        policy: Policy | None = None,
        ledger: Ledger | None = None,
        takedowns: Takedowns | None = None,
        review: ReviewQueue | None = None,
        durable: bool = True,
        free_bytes: Callable[[], int] | None = None,
    ) -> None:
        """Begin at what the store holds now.

        Args:
            store: it may have other writers.
            policy: what the operator wants; its topics are followed.
            ledger: what was noted before; without one, the first `wants` of each topic reads every member.
            takedowns: what was taken down; other programs may add to it meanwhile.
            review: what waits for the operator, who may decide in another program meanwhile.
            durable: whether what is admitted is to outlive a power cut.
            free_bytes: room on the disk; by default, where the media folder of the store is.

        Raises:
            UnlistedError: as `follow`.
        """
        self._store = store
        self._files = ExitStack()
        self._takedowns = takedowns or Takedowns()
        self._let_in: list[Want] = []
        """Wants that the next `catch_up` tells: they were kept out, and aren't any more."""
        remembered = Remembered(store)
        self._changes: list[Change] = []
        """What another policy has changed; the next `catch_up` tells."""
        self._sets = Memberships(
            store,
            lookup=remembered.get,
            hiding=Hiding(store, remembered.get),
        )
        self._sets.set_policy(policy or Policy())
        self._lending = Lending(store, self._sets, is_kept_back=self._is_kept_back)
        wanting = Wanting(
            store,
            lookup=remembered.get,
            wants_file=self._wants_file,
            is_kept_back=self._is_kept_back,
        )
        self._looking = Looking(
            store,
            sets=self._sets,
            lookup=remembered.get,
            wanting=wanting,
            ledger=ledger or Ledger(),
            is_kept_back=self._is_kept_back,
            is_exempt=lambda account: self._desk.is_exempt(account),
        )
        self._desk = Desk(
            store=store,
            remembered=remembered,
            sets=self._sets,
            wanting=wanting,
            looking=self._looking,
            policy=policy or Policy(),
            review=ReviewQueue() if review is None else review,
            durable=durable,
            free_bytes=free_bytes or _disk_of(store),
        )
        for follow in self._desk.policy.follows:
            self.follow(follow.topic, follow.scope, follow.media)

    @classmethod
    def open(cls, store: Store, folder: Path, *, policy: Policy | None = None) -> Keeper:
        """A keeper that goes on where the last one in this folder ended; `close` it.

        Args:
            store: see above.
            folder: of the node.
            policy: see above.

        Raises:
            UnlistedError: as `follow`.
            UsageError: a receipt of a takedown is damaged.
            StoreError: a file can't be opened.
        """
        with ExitStack() as stack:
            ledger = stack.enter_context(Ledger(folder))
            review = stack.enter_context(ReviewQueue(folder))
            takedowns = Takedowns(folder)
            keeper = cls(store, policy=policy, ledger=ledger, takedowns=takedowns, review=review)
            keeper._files = stack.pop_all()
        return keeper

    def close(self) -> None:
        """Let go of the files of the node; the store stays open."""
        self._files.close()

    # --- what is followed -------------------------------------------------------------------------

    @property
    def policy(self) -> Policy:
        """What the operator wants; `follows` is what is followed now. What another one changes, the next `catch_up` tells."""
        return self._desk.policy

    @policy.setter
    def policy(self, policy: Policy) -> None:
        wanted = {follow.topic: follow for follow in policy.follows}
        for topic in self._desk.follows.keys() - wanted.keys():
            self.unfollow(topic)
        self._desk.policy = policy
        self._changes.append(self._sets.set_policy(policy))
        for follow in policy.follows:
            self.follow(follow.topic, follow.scope, follow.media)

    def follow(self, topic: Cid, scope: int = 1, media: int = 1) -> None:
        """Keep a topic in step from now on; replaces what was said of it before.

        Raises:
            UnlistedError: it is an unlisted project.
        """
        if topic in self._store.unlisted():
            raise UnlistedError(f"project {topic} is unlisted here; a node never names it")
        self._sets.follow(topic)
        self._note(topic, Follow(topic=topic, scope=scope, media=media))

    def unfollow(self, topic: Cid) -> None:
        """Keep it in step no more; what is here stays. Harmless for what isn't followed."""
        if topic in self._desk.follows:
            self._sets.unfollow(topic)
            self._looking.forget(topic)
            self._note(topic, None)

    def unfollow_unlisted(self) -> tuple[Cid, ...]:
        """Unfollow projects that were marked as unlisted since they were followed; which. The core is to unfollow them as well."""
        unlisted = self._store.unlisted()
        found = tuple(topic for topic in self._desk.follows if topic in unlisted)
        for topic in found:
            self.unfollow(topic)
        return found

    def _note(self, topic: Cid, follow: Follow | None) -> None:
        if follow is None:
            self._desk.follows.pop(topic, None)
        else:
            self._desk.follows[topic] = follow
        self._desk.policy = replace(self._desk.policy, follows=tuple(self._desk.follows.values()))

    def members(self, topic: Cid, scope: int = 1) -> Iterator[Member]:
        """The members of a followed topic, each after what it requires; none of an unlisted project.

        What changes in scope accepted is told from when its members are first asked for.
        """
        if topic in self._desk.follows and topic not in self._store.unlisted():
            yield from self._sets.members(topic, scope)

    def wants(self, topic: Cid) -> tuple[Want, ...]:
        """What members of a followed topic link to, is wanted, and isn't here.

        To be asked once when a topic is followed; afterwards `admit` and `catch_up` tell what is wanted. Costs what has come
        since the ledger was written; all members are read where it knows nothing, or other media are wanted than before.
        """
        follow = self._desk.follows.get(topic)
        if follow is None or topic in self._store.unlisted():
            return ()
        how = describe_media(self._desk.policy, follow.media)
        return tuple(dict.fromkeys(self._looking.begin(topic, how)))

    def _wants_file(self, topic: Cid, entry: MediaEntry) -> bool:
        follow = self._desk.follows.get(topic)
        return follow is not None and wants_file(self._desk.policy, entry, follow.media)

    def _is_kept_back(self, cid: Cid) -> bool:
        return cid in self._takedowns or is_blocked(self._desk.policy, cid)

    # --- taking down ------------------------------------------------------------------------------

    def forget_media(self, cid: Cid, *, reason: str, time: int) -> Receipt:
        """Take a file or text down, or all those of a work; see `takedown.take_down`."""
        receipt = take_down(self._store, cid, self._takedowns, reason=reason, time=time)
        self._forget_files()
        return receipt

    def let_in_again(self, cid: Cid, *, reason: str, time: int) -> Receipt:
        """Take a takedown back. What is wanted of it then, the next `catch_up` tells."""
        receipt = take_down(
            self._store, cid, self._takedowns, reason=reason, time=time, is_taken_back=True
        )
        self._let_in.extend(self._looking.look_again(cid))
        return receipt

    def _forget_files(self) -> None:
        self._lending.forget()
        self._desk.wanting.forget()

    def _refresh(self) -> None:
        """Heed what other programs have taken down, or taken back."""
        n_known = len(self._takedowns.receipts)
        if self._takedowns.refresh():
            self._forget_files()
            for receipt in self._takedowns.receipts[n_known:]:
                if receipt.is_taken_back:
                    self._let_in.extend(self._looking.look_again(receipt.cid))

    # --- what comes -------------------------------------------------------------------------------

    def admit(self, action: Admit) -> Admitted:
        """Judge a batch and store all that is good in one transaction.

        Each object and block is in one of `stored`, `waiting`, `invalid` and `refused`; one that is neither a signed object
        nor wanted is in none. Where the disk is full, what is good is in none either.

        Raises:
            StoreError: the store failed in another way than by being full; nothing was stored.
        """
        self._refresh()
        for n_left in reversed(range(_TRIES)):
            try:
                return Admission(self._desk, action).run()
            except MissingBlocksError:
                self._desk.remembered.clear()  # another program removed what these rest on
                if not n_left:
                    raise
        raise AssertionError

    @property
    def is_behind(self) -> bool:
        """Whether `catch_up` has something to tell though nobody has put anything into the store."""
        told = self._sets.is_behind or self._changes or self._let_in
        return bool(told) or self._takedowns.is_behind

    def catch_up(self) -> Admitted:
        """What others put into the store since the last `catch_up` or `admit`; what another policy changed since, too.

        To be called about four times a second when `is_behind`, or the store's `last_seq` has changed. What a large project
        accepts anew is told after some calls.
        """
        self._refresh()
        let_in, self._let_in = self._let_in, []
        changes, self._changes = self._changes, []
        change = self._sets.advance(is_look=True)
        for one in changes:
            change = one.plus(change)
        return self._desk.tell(change, let_in)

    # --- what peers ask for -----------------------------------------------------------------------

    def load(self, action: Load) -> dict[Cid, bytes]:
        """Read blocks for a peer [NET-17]: those of a followed topic alone, nothing of unlisted projects.

        In the order of `cids`. What doesn't fit into `most` behind the first ends it: what stands behind the last CID of the
        answer was perhaps not looked at.
        """
        self._refresh()
        return self._lending.load(action)


def _disk_of(store: Store) -> Callable[[], int] | None:
    folder = store.media_folder
    return None if folder is None else lambda: shutil.disk_usage(folder).free
