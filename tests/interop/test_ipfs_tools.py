"""What tools that are not ours make of our works: Kubo's command line and gateway, and IPLD's JavaScript."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import outside
import pytest
from kubo_daemon import KuboDaemon, running_kubo
from trail_maker import read_blocks

import hitp2p
from hitp2p.codec.car import CarReader
from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.codec.dagcbor import decode_object
from hitp2p.codec.unixfs_reader import iter_file
from hitp2p.objects.contribution import Contribution
from hitp2p.objects.envelope import SignedObject, verify_object
from hitp2p.store.kubo import KuboStore
from hitp2p.trail.snapshot import iter_snapshot

NPM = Path(__file__).resolve().parents[1] / "npm"
SOUND = b"".join(number.to_bytes(4, "big") * 2**16 for number in range(20))  # 5 MiB, so five leaves


@dataclass(frozen=True)
class OnKubo:
    """A project on a daemon, its snapshot pinned."""

    daemon: KuboDaemon
    project: SignedObject
    verse: SignedObject
    song: SignedObject
    snapshot: Cid
    bundle: Path
    """The song with all media, as `export` writes it."""

    @property
    def sound(self) -> Cid:
        return media_root(self.song)

    def ipfs(self, *arguments: str) -> bytes:
        return self.daemon.ipfs(*arguments)


def media_root(work: SignedObject) -> Cid:
    return Contribution.from_body(work.body).media[0].file


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OnKubo]:
    folder = tmp_path_factory.mktemp("tools")
    (folder / "verse.txt").write_text("The night bus hums\n", encoding="utf-8")
    (folder / "song.wav").write_bytes(SOUND)
    ana, bo = hitp2p.Identity.create("Ana"), hitp2p.Identity.create("Bo")
    with (
        running_kubo(folder / "daemon") as daemon,
        hitp2p.open(folder / "ws", store=f"kubo:{daemon.api}") as ws,
    ):
        project = ws.create_project("Night Bus", license="CC-BY-SA-4.0", by=ana)
        verse = ws.contribute(project, folder / "verse.txt", title="Verse", roles=["lyr"], by=ana)
        song = ws.remix([verse], folder / "song.wav", title="Söng", note="It sang.", by=bo)
        assert isinstance(ws.store, KuboStore)
        snapshot = ws.store.pin_snapshot(project.cid)
        assert snapshot is not None
        ws.export(song, folder / "song.car", media="all")
        yield OnKubo(daemon, project, verse, song, snapshot, folder / "song.car")


def sig_of(work: SignedObject) -> bytes:
    sig: bytes = decode_object(work.block)["sig"]
    return sig


def test_dag_get_shows_every_field_of_a_work(here: OnKubo) -> None:
    seen = json.loads(here.ipfs("dag", "get", str(here.song.cid)))
    assert seen["body"]["title"] == "Söng"
    assert seen["kind"] == "contribution"
    assert seen["parents"] == [{"/": str(here.verse.cid)}]
    assert seen["author"] == {"/": str(here.song.author)}
    padded = seen["sig"]["/"]["bytes"] + "=="
    assert base64.b64decode(padded) == sig_of(here.song)


def test_paths_lead_through_the_links_of_a_work(here: OnKubo) -> None:
    song = str(here.song.cid)
    assert here.ipfs("dag", "get", f"{song}/parents/0/body/title") == b'"Verse"'
    assert here.ipfs("dag", "get", f"{song}/project/body/title") == b'"Night Bus"'
    assert here.ipfs("dag", "resolve", f"{song}/author").decode() == str(here.song.author)


def test_cat_and_ls_read_the_media(here: OnKubo) -> None:
    assert here.ipfs("cat", str(here.sound)) == SOUND
    assert here.ipfs("cat", f"{here.song.cid}/body/media/0/file") == SOUND
    lines = here.ipfs("ls", "--size", str(here.sound)).decode().splitlines()
    assert [int(line.split()[1]) for line in lines] == [2**20] * 5


def test_kubo_adds_the_same_file_under_the_same_cid(here: OnKubo, tmp_path: Path) -> None:
    (tmp_path / "again.wav").write_bytes(SOUND)
    profile = ["--cid-version=1", "--chunker=size-1048576", "--max-file-links=1024", "--raw-leaves"]
    added = here.ipfs("add", "-Q", "--only-hash", *profile, str(tmp_path / "again.wav"))
    assert added.decode().strip() == str(here.sound)


def test_dag_export_of_the_snapshot_is_the_project_whole(here: OnKubo) -> None:
    car = CarReader(BytesIO(here.ipfs("dag", "export", str(here.snapshot))))
    blocks = {block.cid: block.data for block in car}
    assert car.roots == (here.snapshot,)
    members = list(iter_snapshot(here.snapshot, blocks))
    assert {here.project.cid, here.verse.cid, here.song.cid} <= set(members)
    for cid in members:
        verify_object(blocks[cid], cid=cid)
    assert b"".join(iter_file(here.sound, blocks)) == SOUND


def test_the_pin_of_the_snapshot_has_the_name_of_the_project(here: OnKubo) -> None:
    pin = here.daemon.pins()[str(here.snapshot)]
    assert pin == {"Type": "recursive", "Name": f"hitp2p:{here.project.cid}"}


def fetch(url: str) -> bytes:
    with urllib.request.urlopen(url) as answer:
        body: bytes = answer.read()
    return body


def test_the_gateway_serves_blocks_files_and_the_snapshot(here: OnKubo) -> None:
    base = f"{here.daemon.gateway}/ipfs"
    assert fetch(f"{base}/{here.song.cid}?format=raw") == here.song.block
    assert fetch(f"{base}/{here.song.cid}/body/media/0/file") == SOUND
    car = CarReader(BytesIO(fetch(f"{base}/{here.snapshot}?format=car")))
    assert {here.project.cid, here.verse.cid, here.song.cid} <= {block.cid for block in car}


def test_dag_import_takes_a_bundle(here: OnKubo, tmp_path: Path) -> None:
    with running_kubo(tmp_path) as other:
        other.ipfs("dag", "import", "--pin-roots=false", str(here.bundle))
        assert other.ipfs("block", "get", str(here.song.cid)) == here.song.block
        assert other.ipfs("cat", f"{here.song.cid}/body/media/0/file") == SOUND
        root = str(CarReader(BytesIO(here.bundle.read_bytes())).roots[1])
        exported = other.ipfs("dag", "export", root)
        assert here.song.cid in {block.cid for block in CarReader(BytesIO(exported))}


def javascript_reads(car: Path) -> list[dict[str, Any]]:
    node, modules = shutil.which("node"), NPM / "node_modules"
    outside.program(
        "@ipld/car",
        modules if node is not None and modules.is_dir() else None,
        "it takes node, and `npm ci --prefix tests/npm`",
    )
    command = ["node", NPM / "read_car.mjs", car]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_javascript_reads_our_bundle_block_by_block(here: OnKubo) -> None:
    car = CarReader(BytesIO(here.bundle.read_bytes()))
    ours = [(block.cid, block.data) for block in car]
    header, *theirs = javascript_reads(here.bundle)
    assert header == {"roots": [str(root) for root in car.roots]}
    assert [line["cid"] for line in theirs] == [str(cid) for cid, _ in ours]
    assert all(line["hashes"] for line in theirs)
    for line, (cid, data) in zip(theirs, ours, strict=True):
        if cid.codec == DAG_CBOR:
            assert bytes.fromhex(line["again"]) == data
    outside.count_cases("@ipld/car", len(theirs))


def test_javascript_finds_the_links_that_we_find(here: OnKubo) -> None:
    lines = {line["cid"]: line for line in javascript_reads(here.bundle)[1:]}
    car = CarReader(BytesIO(here.bundle.read_bytes()))
    blocks = [(block.cid, block.data) for block in car]
    for obj in read_blocks(car.roots or (), blocks).objects.values():
        line = lines[str(obj.cid)]
        assert set(line["links"]) == {str(link) for link in obj.links}
        assert line["kind"] == obj.kind


def test_javascript_notices_a_flipped_bit(here: OnKubo, tmp_path: Path) -> None:
    data = bytearray(here.bundle.read_bytes())
    data[data.index(here.verse.block) + 200] ^= 1
    (tmp_path / "bad.car").write_bytes(data)
    lines = javascript_reads(tmp_path / "bad.car")[1:]
    assert [line["cid"] for line in lines if not line["hashes"]] == [str(here.verse.cid)]
