"""Pulling trails, bundles and media from another daemon: two real Kubo daemons on loopback, connected by hand."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from fake_kubo import Asked, FakeKubo, answer, refused
from kubo_daemon import KuboDaemon, running_kubo

import hitp2p
from hitp2p import limits
from hitp2p.codec.cid import Cid
from hitp2p.errors import (
    BackendError,
    InvalidError,
    LostBlockError,
    MissingBlocksError,
    RuleError,
    SignatureError,
    UsageError,
)
from hitp2p.objects.envelope import SignedObject
from hitp2p.store.contract import WriteBatch
from hitp2p.store.fsck import audit_store
from hitp2p.store.holds import Held, pack_loose
from hitp2p.store.kubo import KuboStore
from hitp2p.store.kubo_address import parse_kubo_address
from hitp2p.store.kubo_network import KuboNetwork, connect_network
from hitp2p.testing.people import Person
from hitp2p.testing.store_suite import media_entry, page, raw_block
from hitp2p.trail.bundle import MediaChoice
from hitp2p.trail.snapshot import build_snapshot
from hitp2p.workspace import Workspace

QUICK = 0.2
"""How long to wait for what nobody has, in seconds."""


class Trail:
    """A project that no other test has: two people, a merge, a page, a text, two sounds, a comment."""

    def __init__(self, title: str) -> None:
        self.ana, self.bo = Person(f"Ana {title}"), Person(f"Bo {title}")
        self.project = self.ana.project(title)
        self.sounds = [raw_block(f"{title} {n}".encode() * 5_000) for n in range(2)]
        self.page = page([{"name": f"Cy {title}", "role": "lyr"}])
        self.text = raw_block(f"How we made {title}, in many words".encode())
        self.verse = self.ana.work(self.project, "Verse", media=[media_entry(self.sounds[0])])
        self.beat = self.bo.work(self.project, "Beat", note_block=self.text[0])
        self.song = self.bo.work(
            self.project,
            "Song",
            self.verse,
            self.beat,
            credits_pages=[self.page[0]],
            media=[media_entry(self.sounds[1])],
        )
        self.comment = self.ana.comment(self.song, "What a song!")
        self.objects = [
            self.ana.genesis,
            self.bo.genesis,
            self.project,
            self.verse,
            self.beat,
            self.song,
            self.comment,
        ]
        self.blocks = [*self.sounds, self.page, self.text]
        self.others = [self.page[0], self.text[0]]


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KuboDaemon]:
    """The daemon that has everything."""
    with running_kubo(tmp_path_factory.mktemp("there"), online=True) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory, there: KuboDaemon) -> Iterator[KuboDaemon]:
    """The daemon that asks."""
    with running_kubo(tmp_path_factory.mktemp("here"), online=True) as daemon:
        with connect_network(parse_kubo_address(daemon.api)) as network:
            network.connect(peer_of(there))
        yield daemon


def peer_of(daemon: KuboDaemon) -> str:
    addresses = daemon.ipfs("id", "-f", "<addrs>").decode().split()
    return next(address for address in addresses if "/ip4/127.0.0.1/tcp/" in address)


@pytest.fixture
def source(tmp_path: Path, there: KuboDaemon) -> Iterator[KuboStore]:
    with KuboStore.connect(tmp_path / "source", parse_kubo_address(there.api)) as store:
        yield store


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace in a folder, with nothing in it."""
    with hitp2p.open(tmp_path / "ws") as ws:
        yield ws


@pytest.fixture
def trail(request: pytest.FixtureRequest) -> Trail:
    return Trail(request.node.name[-48:])


def shared(source: KuboStore, trail: Trail) -> Cid:
    """The snapshot of a trail that is all on the daemon there."""
    source.put(WriteBatch(objects=trail.objects, blocks=trail.blocks))
    root = source.pin_snapshot(trail.project.cid)
    assert root is not None
    return root


def send(daemon: KuboDaemon, *blocks: tuple[Cid, bytes]) -> None:
    """Put blocks on a daemon, whatever they are."""
    with connect_network(parse_kubo_address(daemon.api)) as kubo:
        for car, n_blocks in pack_loose((Held(cid, False), data) for cid, data in blocks):
            kubo.import_car(car, root=None, n_blocks=n_blocks)


def cids_in(ws: Workspace) -> set[Cid]:
    return set(ws.store.iter_cids())


def via(daemon: KuboDaemon | FakeKubo) -> str:
    return f"kubo:{daemon.api}"


# --- trails -----------------------------------------------------------------------------------------


def test_a_snapshot_brings_a_whole_project(
    here: KuboDaemon, source: KuboStore, trail: Trail, ws: Workspace
) -> None:
    root = shared(source, trail)
    steps: list[tuple[int, int]] = []
    pulled = ws.pull(root, via=via(here), progress=lambda *step: steps.append(step))
    assert pulled.snapshots == (root,)
    assert pulled.n_new == len(trail.objects)
    assert set(pulled.objects) == {obj.cid for obj in trail.objects}
    assert pulled.missing == ()
    assert cids_in(ws) == {*pulled.objects, *trail.others}
    assert steps[-1][0] == steps[-1][1]
    assert ws.credits(trail.song.cid).text()
    assert audit_store(ws.store).is_sound


def test_what_is_here_is_not_fetched_again(
    here: KuboDaemon, source: KuboStore, trail: Trail, ws: Workspace
) -> None:
    first = ws.pull(shared(source, trail), via=via(here))
    more = trail.bo.work(trail.project, "One more", trail.song)
    source.put(WriteBatch(objects=[more]))
    root = source.pin_snapshot(trail.project.cid)
    assert root is not None
    second = ws.pull(str(root), via=via(here))
    assert first.n_new == len(trail.objects)
    assert second.n_new == 1
    assert second.n_blocks == 2  # the page of the snapshot, and the work
    assert ws.pull(f"/ipfs/{root}", via=via(here)).n_new == 0


def test_a_workspace_on_the_daemon_keeps_what_it_pulled(
    here: KuboDaemon, source: KuboStore, trail: Trail, tmp_path: Path
) -> None:
    root = shared(source, trail)
    with hitp2p.open(tmp_path / "kubo", store=via(here)) as ws:
        assert ws.pull(root, media="all").missing == ()
        here.gc()
        assert audit_store(ws.store).is_sound
        assert ws.store.audit_index() == ()
        assert b"".join(ws.cat(trail.song.cid)) == trail.sounds[1][1]


def test_a_work_brings_what_it_rests_on_and_nothing_else(
    here: KuboDaemon, source: KuboStore, trail: Trail, ws: Workspace
) -> None:
    shared(source, trail)
    pulled = ws.pull(trail.song.cid, via=via(here))
    assert pulled.works == (trail.song.cid,)
    assert set(pulled.objects) == {obj.cid for obj in trail.objects[:-1]}
    assert cids_in(ws) == {*pulled.objects, *trail.others}


def test_a_long_chain_is_walked_and_a_part_of_it_is_walked_on(
    here: KuboDaemon, source: KuboStore, trail: Trail, ws: Workspace
) -> None:
    chain = [trail.ana.work(trail.project, "0")]
    for number in range(1, 40):
        chain.append(trail.ana.work(trail.project, str(number), chain[-1]))
    source.put(WriteBatch(objects=[*trail.objects, *chain], blocks=trail.blocks))
    assert ws.pull(chain[19].cid, via=via(here)).n_new == 22
    assert ws.pull(chain[39].cid, via=via(here)).n_new == 20


def test_of_a_project_the_snapshot_is_followed_that_the_daemon_pins(
    here: KuboDaemon, source: KuboStore, trail: Trail, ws: Workspace, tmp_path: Path
) -> None:
    root = shared(source, trail)
    alone = ws.pull(trail.project.cid, via=via(here))
    assert alone.snapshots == ()
    assert alone.n_new == 2
    here.rpc("pin/add", arg=str(root), name=f"hitp2p:{trail.project.cid}")
    whole = ws.pull(trail.project.cid, via=via(here))
    assert whole.snapshots == (root,)
    assert whole.n_new == len(trail.objects) - 2
    here.unpin(str(root))


def test_a_bundle_that_was_added_as_a_file_is_taken_in(
    here: KuboDaemon,
    there: KuboDaemon,
    source: KuboStore,
    trail: Trail,
    ws: Workspace,
    tmp_path: Path,
) -> None:
    source.put(WriteBatch(objects=trail.objects, blocks=trail.blocks))
    film = bytes(range(256)) * 8_192
    bundle = tmp_path / "song.car"
    with Workspace(source) as owner:
        (tmp_path / "film").write_bytes(film + trail.project.block)
        ana = hitp2p.Identity.create("Ana")
        work = owner.contribute(trail.project, tmp_path / "film", title="Film", by=ana)
        owner.export(work, bundle, media="work")
    for options in (("--cid-version=1",), ("--cid-version=0", "--raw-leaves=false")):
        root = there.ipfs("add", "-Q", *options, bundle).decode().strip()
        name = there.ipfs("cid", "format", "-v", "1", "-b", "base32", root).decode().strip()
        pulled = ws.pull(name, via=via(here))
        assert pulled.works == (work.cid,)
        assert b"".join(ws.cat(work.cid)) == film + trail.project.block


def test_a_file_or_folder_that_is_no_bundle_is_told_from_its_first_block(
    here: KuboDaemon, there: KuboDaemon, ws: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "film.mp4").write_bytes(b"".join(bytes([n]) * 2**20 for n in range(4)))
    added = there.ipfs("add", "-q", "-r", "--cid-version=1", tmp_path / "folder").decode().split()
    film, folder = added
    with pytest.raises(UsageError, match=r"a file of 4,194,304 bytes, and no bundle.*ipfs get"):
        ws.pull(film, via=via(here))
    assert "film.mp4" in there.ipfs("ls", folder).decode()
    last_leaf = there.ipfs("ls", film).decode().split()[-2]
    with pytest.raises(AssertionError, match="offline"):
        here.ipfs("block", "get", "--offline", last_leaf)  # never asked for
    with pytest.raises(UsageError, match=r"is no file \(.*ipfs get"):
        ws.pull(folder, via=via(here))


# --- media ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("media", "n_sounds"), [("none", 0), ("work", 1), ("all", 2)])
def test_media_come_as_far_as_they_are_asked_for(
    here: KuboDaemon,
    source: KuboStore,
    trail: Trail,
    ws: Workspace,
    media: MediaChoice,
    n_sounds: int,
) -> None:
    root = shared(source, trail)
    pulled = ws.pull(root, via=via(here), media=media)
    assert pulled.missing == ()
    assert sum(ws.store.has(cid) for cid, _ in trail.sounds) == n_sounds
    assert ws.store.has(trail.sounds[1][0]) == (media != "none")  # that of the head


def test_files_are_fetched_on_demand_one_alone_or_all_that_a_bundle_carries(
    here: KuboDaemon, source: KuboStore, trail: Trail, ws: Workspace
) -> None:
    ws.pull(shared(source, trail), via=via(here))
    with pytest.raises(MissingBlocksError):
        list(ws.cat(trail.song.cid))
    steps: list[tuple[int, int]] = []
    fetched = ws.fetch(
        trail.song.cid, entry=0, via=via(here), progress=lambda *step: steps.append(step)
    )
    size = len(trail.sounds[1][1])
    assert (fetched.n_blocks, fetched.n_bytes, fetched.missing) == (1, size, ())
    assert steps == [(size, size)]
    assert b"".join(ws.cat(trail.song.cid)) == trail.sounds[1][1]
    assert not ws.store.has(trail.sounds[0][0])
    assert ws.fetch(trail.song.cid, media="all", via=via(here)).n_blocks == 1
    assert ws.fetch(trail.song.cid, media="all", via=via(here)).n_blocks == 0
    with pytest.raises(UsageError, match="there is no 7"):
        ws.fetch(trail.song.cid, entry=7, via=via(here))


def test_a_file_of_many_blocks_is_fetched_whole_and_what_was_kept_is_not_fetched_again(
    here: KuboDaemon, there: KuboDaemon, trail: Trail, ws: Workspace, tmp_path: Path
) -> None:
    data = b"".join(n.to_bytes(4, "big") * 2**18 for n in range(20)) + trail.project.block
    path = tmp_path / "film"
    path.write_bytes(data)
    ana = hitp2p.Identity.create("Ana")
    with hitp2p.open(tmp_path / "a", store=via(there)) as owner:
        home = owner.create_project("Film", by=ana)
        work = owner.contribute(home, path, title="Film", by=ana)
    ws.pull(work.cid, via=via(here))
    with connect_network(parse_kubo_address(here.api)) as network:
        leaves = [cid for cid, _ in network.fetch_all([work.body["media"][0]["file"]])]
        assert len(leaves) == 1
    fetched = ws.fetch(work, via=via(here))
    assert (fetched.n_blocks, fetched.missing) == (22, ())
    assert b"".join(ws.cat(work)) == data
    last = list(ws.store.iter_cids())
    assert ws.fetch(work, via=via(here)).n_blocks == 0
    assert last == list(ws.store.iter_cids())


def test_what_nobody_has_is_missing_and_the_rest_comes(
    here: KuboDaemon, source: KuboStore, trail: Trail, ws: Workspace
) -> None:
    source.put(WriteBatch(objects=trail.objects, blocks=[trail.sounds[0]]))
    pulled = ws.pull(trail.song.cid, via=via(here), media="all", within_s=QUICK)
    lost = {trail.page[0], trail.text[0], trail.sounds[1][0]}
    assert set(pulled.missing) == lost
    assert ws.store.has(trail.sounds[0][0])
    assert pulled.n_new == 6


def test_med_2_a_file_is_read_no_further_than_the_size_that_its_work_states(
    here: KuboDaemon, there: KuboDaemon, source: KuboStore, trail: Trail, ws: Workspace
) -> None:
    sound = raw_block(bytes(trail.project.cid) * 20)
    entry = {**media_entry(sound), "size": len(sound[1]) - 1}
    lying = trail.ana.work(trail.project, "Lying", media=[entry])
    source.put(WriteBatch(objects=[*trail.objects, lying], blocks=[sound]))
    assert ws.pull(lying.cid, via=via(here), media="work").missing == (sound[0],)


# --- what goes wrong --------------------------------------------------------------------------------


def test_an_object_that_nobody_has_ends_the_pull_and_the_next_try_is_quick(
    here: KuboDaemon, there: KuboDaemon, trail: Trail, ws: Workspace
) -> None:
    present = [(obj.cid, obj.block) for obj in trail.objects if obj is not trail.verse]
    send(there, *present)
    with pytest.raises(MissingBlocksError) as caught:
        ws.pull(trail.song.cid, via=via(here), within_s=QUICK)
    assert caught.value.cids == (trail.verse.cid,)
    assert "connected to 1 other daemon" in str(caught.value)
    assert "--provider" in caught.value.__notes__[0]
    assert cids_in(ws) == set()  # an orphan is not shown
    for obj in (trail.song, trail.beat, trail.project):
        assert here.ipfs("block", "get", "--offline", str(obj.cid)) == obj.block
    send(there, (trail.verse.cid, trail.verse.block))
    assert ws.pull(trail.song.cid, via=via(here), within_s=QUICK).n_new == 6


def test_a_daemon_that_is_offline_or_alone_says_what_to_do(trail: Trail, tmp_path: Path) -> None:
    for online, words in ((False, "not on the network"), (True, "connected to nobody")):
        with (
            running_kubo(tmp_path / words, online=online) as daemon,
            hitp2p.open(":memory:") as ws,
        ):
            with pytest.raises(MissingBlocksError, match=words):
                ws.pull(trail.song.cid, via=via(daemon), within_s=QUICK)
            send(daemon, *((obj.cid, obj.block) for obj in trail.objects))
            assert ws.pull(trail.song.cid, via=via(daemon), within_s=QUICK).n_new == 6


def test_a_provider_is_connected_to_first(
    there: KuboDaemon, source: KuboStore, trail: Trail, ws: Workspace, tmp_path: Path
) -> None:
    root = shared(source, trail)
    with running_kubo(tmp_path, online=True) as daemon:
        assert ws.pull(root, via=via(daemon), providers=[peer_of(there)]).n_new == 7
        with pytest.raises(UsageError, match="no address of a peer"):
            ws.pull(root, via=via(daemon), providers=["12D3Koo"])
        nobody = "/ip4/127.0.0.1/tcp/9/p2p/12D3KooWEeXjLXCNUVmVrLJMcVU7b3y4dxqwkXtYxKTaKYqfmdxr"
        with pytest.raises(BackendError, match="swarm/connect"):
            ws.pull(root, via=via(daemon), providers=[nobody])


def test_no_daemon_and_no_name_are_told(ws: Workspace, trail: Trail) -> None:
    with pytest.raises(UsageError) as caught:
        ws.pull(trail.song.cid)
    assert "--via" in caught.value.__notes__[0]
    with pytest.raises(UsageError, match="names nothing"):
        ws.pull("k3f9z2ab", via="kubo:/ip4/127.0.0.1/tcp/9")
    with pytest.raises(UsageError, match="nothing to pull"):
        ws.pull([], via="kubo:/ip4/127.0.0.1/tcp/9")
    with pytest.raises(UsageError, match="no time to wait"):
        ws.pull(trail.song.cid, via="kubo:/ip4/127.0.0.1/tcp/9", within_s=0)
    with pytest.raises(BackendError, match="can't be reached"):
        ws.pull(trail.song.cid, via="kubo:/ip4/127.0.0.1/tcp/9")


def test_credentials_for_the_daemon_come_from_a_file(
    trail: Trail, ws: Workspace, tmp_path: Path
) -> None:
    entry = '{"Bo": {"AuthSecret": "bearer:s3cret", "AllowedPaths": ["/api/v0"]}}'
    secret = tmp_path / "secret"
    secret.write_text("bearer:s3cret\n")
    secret.chmod(0o600)
    with running_kubo(tmp_path, config={"API.Authorizations": entry}) as daemon:
        with pytest.raises(BackendError, match="credentials"):
            ws.pull(trail.song.cid, via=via(daemon), within_s=QUICK)
        with pytest.raises(MissingBlocksError, match="not on the network"):
            ws.pull(trail.song.cid, via=via(daemon), credentials=secret, within_s=QUICK)


def test_after_blocks_that_did_not_come_others_are_waited_for_less(trail: Trail) -> None:
    here, *absent = [raw_block(bytes(trail.project.cid) + bytes([n])) for n in range(8)]

    def waits() -> list[str]:
        found = [asked.options["timeout"][0] for asked in fake.asked]
        fake.asked.clear()
        return found

    with FakeKubo() as fake, connect_network(parse_kubo_address(fake.api), within_s=16) as kubo:
        fake.says("block/get", refused("ipld: could not find it"))
        assert [kubo.get(cid) for cid, _ in absent] == [None] * 7
        assert waits() == ["3s", "6s", "7s", "3s", "5s", "3s", "1s", "2s", "1s", "1s", "1s"]
        fake.says("block/get", answer(here[1]))
        assert kubo.get(here[0]) == here[1]
        assert waits() == ["1s"]
        fake.says("block/get", refused("ipld: could not find it"))
        assert kubo.get(absent[0][0]) is None
        assert waits() == ["3s", "6s", "7s"]


def test_nothing_more_is_asked_for_after_a_part_that_did_not_come(
    here: KuboDaemon, there: KuboDaemon, trail: Trail, ws: Workspace
) -> None:
    absent = [raw_block(bytes(trail.project.cid) + n.to_bytes(2, "big"))[1] for n in range(600)]
    found = build_snapshot((1, Cid.of(0x71, block)) for block in absent)
    send(there, *found.pages.items())
    with FakeKubo(behind=here.api) as fake:
        with pytest.raises(MissingBlocksError) as caught:
            ws.pull(found.root, via=via(fake), within_s=QUICK)
        n_asked = [asked.command for asked in fake.asked].count("refs")
    assert len(caught.value.cids) == 256
    assert n_asked == 2  # the pages, and the first part


def test_other_bytes_are_never_taken(here: KuboDaemon, trail: Trail, ws: Workspace) -> None:
    with FakeKubo(behind=here.api) as fake:
        fake.says("block/get", answer(trail.song.block + b"!"))
        with pytest.raises(LostBlockError, match="gives other bytes"):
            ws.pull(trail.song.cid, via=via(fake))
    assert cids_in(ws) == set()


def test_an_export_that_is_cut_or_wrong_is_no_loss(
    here: KuboDaemon, source: KuboStore, trail: Trail, ws: Workspace
) -> None:
    root = shared(source, trail)
    with FakeKubo(behind=here.api) as fake:
        fake.says("dag/export", refused("ipld: could not find it"))
        assert ws.pull(root, via=via(fake)).n_new == 7
        fake.says("dag/export", answer(b"no car"))
        with hitp2p.open(":memory:") as other, pytest.raises(BackendError, match="dag/export"):
            other.pull(root, via=via(fake))
        fake.says("refs", answer(b'{"Ref": "x", "Err": ""}\n' * 300))
        with hitp2p.open(":memory:") as other, pytest.raises(BackendError, match="more lines"):
            other.pull(root, via=via(fake))


def test_a_daemon_that_hangs_is_given_up(
    here: KuboDaemon, source: KuboStore, trail: Trail, ws: Workspace
) -> None:
    root = shared(source, trail)
    with FakeKubo(behind=here.api) as fake:
        fake.hangs("refs")
        with pytest.raises(MissingBlocksError):
            ws.pull(root, via=via(fake), within_s=QUICK)
    assert ws.pull(root, via=via(here)).n_new == 7


def long_trail(trail: Trail) -> list[SignedObject]:
    """More than are asked for together: they come in several parts."""
    works = [trail.ana.work(trail.project, str(number)) for number in range(600)]
    return [trail.ana.genesis, trail.project, *works]


class AtPart:
    """Passes everything on to a daemon, but does something when one of the later parts is asked for."""

    def __init__(self, fake: FakeKubo, action: Callable[[], None]) -> None:
        self._fake = fake
        self._action = action
        self._n_asked = 0
        fake.says("refs", self)

    def __call__(self, handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        self._n_asked += 1
        if self._n_asked == 3:  # the pages of the snapshot, 256 objects, and now the next 256
            self._action()
        self._fake.pass_on(handler, asked)


def test_a_pull_that_is_killed_leaves_nothing_and_goes_on_from_the_daemon(
    here: KuboDaemon, source: KuboStore, trail: Trail, tmp_path: Path
) -> None:
    objects = long_trail(trail)
    source.put(WriteBatch(objects=objects))
    root = source.pin_snapshot(trail.project.cid)
    folder = tmp_path / "ws"
    hitp2p.open(folder).close()
    with FakeKubo(behind=here.api) as fake:
        command = [sys.executable, "-m", "hitp2p", "pull", str(root), "--via", via(fake)]
        process = subprocess.Popen([*command, "--workspace", str(folder)])
        killing = threading.Event()

        def kill() -> None:
            process.kill()
            process.wait()
            killing.set()

        AtPart(fake, kill)
        assert killing.wait(60)
    with hitp2p.open(folder) as ws:
        assert cids_in(ws) == set()
        n_before = len(here.ipfs("refs", "local").split())
        pulled = ws.pull(root, via=via(here))
        assert pulled.n_new == len(objects)
        assert len(here.ipfs("refs", "local").split()) - n_before < len(objects) - 200
        assert audit_store(ws.store).is_sound


def test_the_daemon_that_has_it_dies_on_the_way(
    trail: Trail, ws: Workspace, tmp_path: Path
) -> None:
    objects = long_trail(trail)
    with (
        running_kubo(tmp_path / "one", online=True) as one,
        running_kubo(tmp_path / "two", online=True) as two,
        KuboStore.connect(tmp_path / "source", parse_kubo_address(one.api)) as source,
        FakeKubo(behind=two.api) as fake,
    ):
        source.put(WriteBatch(objects=objects))
        root = source.pin_snapshot(trail.project.cid)
        assert root is not None
        AtPart(fake, one.kill)
        with pytest.raises(MissingBlocksError, match="connected to nobody"):
            ws.pull(root, via=via(fake), providers=[peer_of(one)], within_s=QUICK)
        assert cids_in(ws) == set()
        one.start()
        assert ws.pull(root, via=via(two), providers=[peer_of(one)]).n_new == len(objects)


def tampered(obj: SignedObject) -> tuple[Cid, bytes]:
    """An object whose signature fits nothing."""
    block = obj.block[:20] + bytes([obj.block[20] ^ 1]) + obj.block[21:]
    return Cid.of(0x71, block), block


def snapshot_of(trail: Trail, *more: tuple[int, Cid]) -> tuple[Cid, dict[Cid, bytes]]:
    generations = [0, 0, 1, 2, 2, 3, 2]
    pairs = [(n, obj.cid) for n, obj in zip(generations, trail.objects, strict=True)]
    found = build_snapshot([*pairs, (0, trail.page[0]), *more])
    return found.root, found.pages


def test_snp_2_a_snapshot_is_refused_whole_for_one_bad_object_or_a_wrong_order(
    here: KuboDaemon, there: KuboDaemon, trail: Trail, ws: Workspace
) -> None:
    bad = tampered(trail.verse)
    lone = page([{"name": "Nobody links here", "role": "lyr"}])
    send(there, bad, lone, trail.page, trail.text, *((obj.cid, obj.block) for obj in trail.objects))
    extra = trail.bo.work(trail.project, "Extra")
    send(there, (extra.cid, extra.block))
    cases: list[tuple[tuple[int, Cid], type[InvalidError], str]] = [
        ((9, bad[0]), SignatureError, "OBJ-6"),
        ((0, lone[0]), RuleError, "SNP-2"),
        ((9, extra.cid), RuleError, "SNP-2"),
    ]
    for pair, error, rule in cases:
        root, pages = snapshot_of(trail, pair)
        send(there, *pages.items())
        with pytest.raises(error) as caught:
            ws.pull(root, via=via(here))
        assert caught.value.rule.startswith(rule)
        assert cids_in(ws) == set()
    root, pages = snapshot_of(trail)
    send(there, *pages.items())
    assert ws.pull(root, via=via(here)).n_new == 7


def test_what_is_neither_an_object_nor_a_snapshot_is_told(
    here: KuboDaemon, trail: Trail, ws: Workspace
) -> None:
    send(here, trail.page)
    with pytest.raises(RuleError, match="neither a signed object nor a snapshot"):
        ws.pull(trail.page[0], via=via(here))
    send(here, trail.sounds[0])
    with pytest.raises(UsageError, match="a file of 250,000 bytes, and no bundle"):
        ws.pull(trail.sounds[0][0], via=via(here))


# --- bounds -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "measure"),
    [
        ("PULL_OBJECTS", lambda trail: len(trail.objects) + 1),
        (
            "PULL_BYTES",
            lambda trail: (
                sum(len(obj.block) for obj in trail.objects)
                + len(trail.page[1])
                + sum(map(len, snapshot_of(trail)[1].values()))
            ),
        ),
    ],
)
def test_a_pull_is_taken_up_to_its_bounds_and_not_past_them(
    here: KuboDaemon,
    source: KuboStore,
    trail: Trail,
    ws: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    measure: Callable[[Trail], int],
) -> None:
    root = shared(source, trail)
    assert root == snapshot_of(trail)[0]
    monkeypatch.setattr(limits, limit, measure(trail) - 1)
    with pytest.raises(UsageError, match="more than a pull takes"):
        ws.pull(root, via=via(here))
    assert cids_in(ws) == set()
    monkeypatch.setattr(limits, limit, measure(trail))
    assert ws.pull(root, via=via(here)).n_new == 7


def test_a_bundle_is_fetched_up_to_its_bound_and_not_past_it(
    here: KuboDaemon,
    there: KuboDaemon,
    source: KuboStore,
    trail: Trail,
    ws: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    source.put(WriteBatch(objects=trail.objects, blocks=trail.blocks))
    bundle = tmp_path / "song.car"
    Workspace(source).export(trail.song, bundle)
    size = bundle.stat().st_size
    root = there.ipfs("add", "-Q", "--cid-version=1", bundle).decode().strip()
    monkeypatch.setattr(limits, "PULL_BUNDLE_BYTES", size - 1)
    with pytest.raises(UsageError, match="bundles of at most"):
        ws.pull(root, via=via(here))
    monkeypatch.setattr(limits, "PULL_BUNDLE_BYTES", size)
    assert ws.pull(root, via=via(here)).works == (trail.song.cid,)


def test_two_names_of_one_block_are_fetched_at_once(here: KuboDaemon, trail: Trail) -> None:
    send(here, trail.page)
    raw = Cid.of(0x55, trail.page[1])
    with connect_network(parse_kubo_address(here.api)) as network:
        assert isinstance(network, KuboNetwork)
        found = dict(network.fetch_all([trail.page[0], raw, raw]))
    assert found == {trail.page[0]: trail.page[1], raw: trail.page[1]}
