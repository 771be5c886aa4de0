"""A workspace and what others have on IPFS: which daemon is asked, and what of a trail and its media is fetched."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from hitp2p.codec.cid import DAG_PB, RAW, Cid
from hitp2p.dataclass import replace
from hitp2p.errors import DecodeError, NotFoundError, UsageError
from hitp2p.fetching import (
    Fetched,
    fetch_files,
    fetch_pages_and_texts,
    media_entries,
)
from hitp2p.objects.contribution import MediaEntry
from hitp2p.objects.envelope import SignedObject
from hitp2p.pulling import Move, Pulled, pull_bundle, pull_objects
from hitp2p.store.contract import Store
from hitp2p.trail.bundle import gather_bundle

if TYPE_CHECKING:
    from hitp2p.reader import Reader
    from hitp2p.store.kubo_network import KuboNetwork
    from hitp2p.trail.bundle import MediaChoice

__all__ = [
    "NetworkOptions",
    "fetch",
    "knows_daemon",
    "open_network",
    "parse_ipfs_name",
    "pull",
    "pull_media",
]

_PREFIXES = ("/ipfs/", "ipfs://")


class NetworkOptions(TypedDict, total=False):
    """Which daemon is asked for what others have, and how."""

    via: str | None
    """Address of a Kubo daemon that is on the network, such as `kubo:/ip4/127.0.0.1/tcp/5001`; None means the one that
    the workspace is stored on."""
    credentials: str | os.PathLike[str] | None
    """File with credentials for `via`: one line, `bearer:TOKEN` or `basic:USER:PASSWORD`, mode 0600."""
    providers: Sequence[str]
    """Daemons to connect to first, such as `/ip4/192.0.2.7/tcp/4001/p2p/12D3Koo...`."""
    within_s: float
    """How long to wait for a block while none comes, in seconds; 30 unless said."""


@contextmanager
def open_network(store: Store, options: NetworkOptions) -> Generator[KuboNetwork]:
    """The daemon that is to be asked, connected as the options say.

    Raises:
        UsageError: none is named, and the works are in the folder itself; or the options make no sense.
        BackendError: it can't be reached, or can't connect to one of the providers.
    """
    with _network(store, options) as network:
        for peer in options.get("providers", ()):
            network.connect(peer)
        yield network


def _network(store: Store, options: NetworkOptions) -> KuboNetwork:
    from hitp2p.store.kubo import KuboStore
    from hitp2p.store.kubo_address import parse_kubo_address, read_credentials
    from hitp2p.store.kubo_network import WITHIN_S, KuboNetwork, connect_network

    within_s, via = options.get("within_s", WITHIN_S), options.get("via")
    if not 0 < within_s <= 86_400:
        raise UsageError(f"{within_s:g} seconds are no time to wait; up to a day is allowed")
    address = None if via is None else parse_kubo_address(via)
    if isinstance(store, KuboStore) and address in (None, store.address):
        return KuboNetwork(store.rpc, store.address, within_s=within_s, is_lent=True)
    if address is None:
        error = UsageError("the works of this workspace are in its folder, so no daemon is known")
        error.add_note("Say which daemon to ask: --via kubo:/ip4/127.0.0.1/tcp/5001")
        raise error
    file = options.get("credentials")
    secret = None if file is None else read_credentials(Path(file), address)
    return connect_network(address, secret, within_s=within_s)


def knows_daemon(store: Store, options: NetworkOptions) -> bool:
    """Whether there is a daemon to ask: one that is named, or the one that the works are stored on."""
    from hitp2p.store.kubo import KuboStore

    return options.get("via") is not None or isinstance(store, KuboStore)


def _require_silent(store: Store, network: KuboNetwork, cids: Iterable[Cid]) -> None:
    """A daemon announces what it fetches, so it must not fetch for projects that are unlisted here.

    Raises:
        UnlistedError: strangers could learn from the network that the daemon has it.
    """
    unlisted = store.unlisted()
    rows = (store.row(cid) for cid in cids) if unlisted else ()
    if any(row is not None and row.project in unlisted for row in rows):
        network.require_silent()


def parse_ipfs_name(text: str) -> Cid:
    """The CID that `CID`, `/ipfs/CID` or `ipfs://CID` names.

    Raises:
        UsageError: it is none of these.
    """
    bare = text
    for prefix in _PREFIXES:
        bare = bare.removeprefix(prefix)
    try:
        return Cid.parse(bare.rstrip("/"))
    except DecodeError as error:
        wrong = UsageError(f"{text!a} names nothing on IPFS: {error.message}")
        wrong.add_note("Give a whole CID; a short name stands only for what is here already.")
        raise wrong from error


def pull(
    reader: Reader,
    cids: Sequence[Cid],
    options: NetworkOptions,
    *,
    progress: Move | None = None,
) -> Pulled:
    """Fetch trails and bundles, with their list pages and texts; see `Workspace.pull`."""
    if not cids:
        raise UsageError("nothing to pull; name a CID")
    objects = [cid for cid in cids if cid.codec not in (RAW, DAG_PB)]
    bundles = [cid for cid in cids if cid.codec in (RAW, DAG_PB)]
    store, pulled = reader.store, Pulled()
    with open_network(store, options) as network:
        _require_silent(store, network, objects)
        if objects:
            pulled = pull_objects(store, objects, network, progress=progress)
        for cid in bundles:
            pulled = _together(pulled, pull_bundle(store, cid, network, progress=progress))
        return _with_files(
            pulled, fetch_pages_and_texts(store, map(reader.show, pulled.objects), network)
        )


def pull_media(
    reader: Reader,
    pulled: Pulled,
    media: MediaChoice,
    options: NetworkOptions,
    *,
    progress: Move | None = None,
) -> Pulled:
    """Fetch files of what was pulled; see `Workspace.pull_media`."""
    with open_network(reader.store, options) as network:
        entries = _entries(reader, pulled, media)
        fetched = fetch_files(reader.store, entries, network, progress=progress)
    return _with_files(pulled, fetched)


def _together(one: Pulled, other: Pulled) -> Pulled:
    return Pulled(
        works=(*one.works, *other.works),
        snapshots=(*one.snapshots, *other.snapshots),
        objects=tuple(dict.fromkeys((*one.objects, *other.objects))),
        n_new=one.n_new + other.n_new,
        n_blocks=one.n_blocks + other.n_blocks,
        n_bytes=one.n_bytes + other.n_bytes,
    )


def _with_files(pulled: Pulled, fetched: Fetched) -> Pulled:
    return replace(
        pulled,
        n_blocks=pulled.n_blocks + fetched.n_blocks,
        n_bytes=pulled.n_bytes + fetched.n_bytes,
        missing=(*pulled.missing, *fetched.missing),
    )


def _entries(reader: Reader, pulled: Pulled, media: MediaChoice) -> list[MediaEntry]:
    """The files that are wanted of what was pulled."""
    works: Iterable[Cid] = ()
    if media == "all":
        works = pulled.objects
    elif media == "work":
        works = dict.fromkeys(_newest(reader, pulled))
    return [entry for cid in works for entry in media_entries(reader.show(cid))]


def _newest(reader: Reader, pulled: Pulled) -> Iterator[Cid]:
    """The works that were named; of a project or a snapshot, the heads."""
    projects = {cid for cid in pulled.works if reader.show(cid).kind == "project"}
    if pulled.snapshots:
        projects.update(p for cid in pulled.objects if (p := reader.show(cid).project) is not None)
    yield from (cid for cid in pulled.works if cid not in projects)
    for project in sorted(projects):
        yield from reader.store.heads(project)


# --- media on demand ------------------------------------------------------------------------------


def _files(work: SignedObject, entry: int | None) -> tuple[MediaEntry, ...]:
    entries = media_entries(work)
    if entry is None:
        return entries
    if not 0 <= entry < len(entries):
        raise NotFoundError(f"{work.kind} {work.cid} has {len(entries)} media; there is no {entry}")
    return (entries[entry],)


def fetch(
    reader: Reader,
    work: SignedObject,
    options: NetworkOptions,
    *,
    media: MediaChoice = "work",
    entry: int | None = None,
    progress: Move | None = None,
) -> Fetched:
    """Fetch what a work that is here lacks; see `Workspace.fetch`."""
    with open_network(reader.store, options) as network:
        _require_silent(reader.store, network, [work.cid])
        if entry is not None:
            return fetch_files(
                reader.store, _files(work, entry), network, strict=True, progress=progress
            )
        members = _members(reader, work, media)
        fetched = fetch_pages_and_texts(reader.store, members, network)
        works = members if media == "all" else [work] if media == "work" else []
        entries = [one for each in works for one in media_entries(each)]
        return fetched.plus(fetch_files(reader.store, entries, network, progress=progress))


def _members(reader: Reader, work: SignedObject, media: MediaChoice) -> list[SignedObject]:
    """The objects of which a bundle of the work carries texts or media."""
    bundle = gather_bundle(
        work,
        lookup=reader.lookup,
        events=reader.store.events,
        referrers=reader.store.referrers,
        blocks=reader.store,
        media=media,
    )
    found = (reader.lookup(cid) for cid in bundle.members)
    return [obj for obj in found if obj is not None]
