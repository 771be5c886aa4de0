"""A project under a name that stays: publishing its snapshot in an IPNS record, and following such a name.

A record is a claim of whoever holds the name's key. It is checked here as received, whatever daemon hands it over; what it
leads to is checked as all that is pulled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass
from hitp2p.errors import BackendError, InvalidError, NotFoundError, UnlistedError, UsageError
from hitp2p.ipfs_care import require_folder
from hitp2p.ipfs_network import NetworkOptions, open_network
from hitp2p.keys.ipns import (
    NameKey,
    NameRecord,
    encode_name,
    encode_record,
    parse_name,
    verify_record,
)
from hitp2p.store.contract import Store
from hitp2p.store.kubo_snapshot import not_pinned, pinned_snapshots, project_snapshot

if TYPE_CHECKING:
    from hitp2p.store.kubo_names import KuboNames

__all__ = [
    "VALID_DAYS",
    "NameClaim",
    "PublishedName",
    "find_claim",
    "follow_names",
    "ipns_name",
    "publish_name",
    "require_snapshot",
]

VALID_DAYS: Final = 30
"""How long a record holds, in days, unless asked otherwise."""
_MOST_DAYS: Final = 3650
_TTL_NS: Final = 300 * 10**9
"""How long a resolver may keep an older answer, in nanoseconds."""
_PREFIXES: Final = ("/ipns/", "ipns://")


@dataclass(frozen=True, slots=True, kw_only=True)
class NameClaim:
    """What the holder of a name's key says that it points to."""

    name: str
    """The name as text, `k51qzi5uqu5d...`."""
    target: Cid
    """What it points to: a snapshot, if the claim is right."""
    sequence: int
    """Grows with each record of the name."""
    valid_until: str
    """When the record ends, in UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedName:
    """What came of publishing."""

    project: Cid
    claim: NameClaim
    """What the record says now; its target is the snapshot that the daemon pins."""
    previous: Cid | None
    """What the name pointed to before; None where no record was found."""
    is_current: bool
    """Whether that snapshot is of the project as it is here."""


def ipns_name(text: str) -> str | None:
    """The name that `/ipns/NAME`, `ipns://NAME` or a bare `k51...` says; None for what isn't meant as one.

    Raises:
        UsageError: it is meant as one, and isn't.
    """
    bare = text
    for prefix in _PREFIXES:
        bare = bare.removeprefix(prefix)
    if bare == text and not text.startswith("k51"):
        return None
    try:
        return encode_name(parse_name(bare.rstrip("/")))
    except InvalidError as error:
        raise UsageError(f"{text[:99]!a} is no name that hitp2p follows: {error}") from error


def find_claim(
    names: KuboNames, name: str, *, now_ms: int, within_s: float | None = None
) -> NameClaim:
    """What a name points to, by a record that was checked here.

    Args:
        names: the daemon that is asked.
        name: as `ipns_name` gives it.
        now_ms: milliseconds since 1970; a record that ended by then is refused.
        within_s: how long the daemon may look, in seconds.

    Raises:
        NotFoundError: no record was found.
        InvalidError: the record isn't signed by the name's key, has ended, or leads to no snapshot.
        BackendError: the daemon runs without a network, or fails.
    """
    raw = names.record(name, within_s=within_s)
    if raw is None:
        error = NotFoundError(f"{names.address} found no record of /ipns/{name}")
        error.add_note(
            "See that the name is right and its publisher's daemon is online; connect to it with --provider MULTIADDR, or "
            "ask the publisher to publish again."
        )
        raise error
    return _claim(name, verify_record(raw, parse_name(name), now=_time(now_ms)))


def publish_name(
    store: Store,
    names: KuboNames,
    project: Cid,
    key: NameKey,
    *,
    now_ms: int,
    days: int = VALID_DAYS,
) -> PublishedName:
    """Sign that a name points to the snapshot of a project that a daemon pins, and give the record to the network.

    Args:
        store: has the project.
        names: the daemon.
        project: its CID.
        key: of the name; `NameKey.derive` makes it.
        now_ms: milliseconds since 1970.
        days: how long the record holds.

    Raises:
        UnlistedError: the project is unlisted here.
        UsageError: the daemon pins no snapshot of it, or a record that counts more is there.
        BackendError: the daemon runs without a network, fails, or didn't take the record.
    """
    if not 1 <= days <= _MOST_DAYS:
        raise UsageError(f"a record of {days} days; from 1 to {_MOST_DAYS} are allowed")
    target = require_snapshot(store, names, project)
    before = names.record(key.name)
    old = None if before is None else verify_record(before, key.public, now=None)
    record = NameRecord(
        value=target,
        sequence=max(now_ms // 1000, -1 if old is None else old.sequence + 1),  # [IPN-6]
        valid_until=_time(now_ms, days),
        ttl_ns=_TTL_NS,
    )
    _put(names, key, record)
    with require_folder(store).reading() as db:
        current = project_snapshot(db, project).root
    return PublishedName(
        project=project,
        claim=_claim(key.name, record),
        previous=None if old is None else old.value,
        is_current=current == target,
    )


def require_snapshot(store: Store, names: KuboNames, project: Cid) -> Cid:
    """The snapshot to which a name of a project would point; asked before a key is unlocked.

    Raises:
        UnlistedError: the project is unlisted here.
        UsageError: the daemon pins no snapshot of it.
        BackendError: the daemon fails.
    """
    if project in store.unlisted():
        raise UnlistedError(
            f"the project {project} is unlisted here, and a name tells the network of it; nothing was published. "
            "hitp2p project mark PROJECT --listed takes the mark away"
        )
    for root in pinned_snapshots(names, project):
        return root
    raise not_pinned(names, project)


def _put(names: KuboNames, key: NameKey, record: NameRecord) -> None:
    """Give a record away, and see that it counts: what a daemon doesn't take, it drops without a word."""
    raw = encode_record(record, key)
    verify_record(raw, key.public, now=None)
    names.put_record(key.name, raw)
    found = names.record(key.name)
    there = None if found is None else verify_record(found, key.public, now=None)
    if there == record:
        return
    if there is not None and there.sequence >= record.sequence:
        raise UsageError(
            f"another record of /ipns/{key.name} came first: sequence {there.sequence}, and this one has "
            f"{record.sequence}; publish again"
        )
    raise BackendError(
        f"{names.address} did not take the record of /ipns/{key.name}; see that its clock is right, then publish again"
    )


def follow_names(
    store: Store, wanted: Iterable[str], options: NetworkOptions, *, now_ms: int
) -> Mapping[str, NameClaim]:
    """What names point to, by name, through the daemon that the options say.

    Raises:
        NotFoundError: no record of one was found.
        InvalidError: a record isn't signed by the name's key, has ended, or leads to no snapshot.
        BackendError: the daemon runs without a network, or fails.
    """
    from hitp2p.store.kubo_names import KuboNames

    with open_network(store, options) as network:
        names = KuboNames(network.rpc, network.address)
        within_s = options.get("within_s")
        return {name: find_claim(names, name, now_ms=now_ms, within_s=within_s) for name in wanted}


def _claim(name: str, record: NameRecord) -> NameClaim:
    return NameClaim(
        name=name,
        target=record.value,
        sequence=record.sequence,
        valid_until=record.valid_until,
    )


def _time(now_ms: int, days: int = 0) -> str:
    """A time as records spell it."""
    moment = datetime.fromtimestamp(now_ms // 1000, UTC) + timedelta(days=days)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
