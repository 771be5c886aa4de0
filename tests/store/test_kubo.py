"""What a store on Kubo does beyond the contract, on a real daemon: pins, garbage, faults, the index from the pins."""

from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from fake_kubo import FakeKubo, answer, refused
from kubo_daemon import KuboDaemon, running_kubo

from hitp2p.codec.car import CarReader, CarWriter
from hitp2p.codec.cid import DAG_CBOR, RAW, Cid
from hitp2p.codec.unixfs import iter_file
from hitp2p.errors import (
    BackendError,
    LostBlockError,
    MissingBlocksError,
    NotFoundError,
    StoreError,
    UsageError,
)
from hitp2p.store import kubo_care
from hitp2p.store.contract import WriteBatch
from hitp2p.store.fsck import audit_store
from hitp2p.store.gc import collect
from hitp2p.store.holds import Held, alias_of, encode_hold
from hitp2p.store.kubo import KuboStore
from hitp2p.store.kubo_address import parse_kubo_address
from hitp2p.store.media import add_media, add_stream
from hitp2p.store.names import INDEX
from hitp2p.testing.people import Person
from hitp2p.testing.store_suite import Story, answers, media_entry, raw_block, run_threads
from hitp2p.trail.snapshot import iter_snapshot


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KuboDaemon]:
    with running_kubo(tmp_path_factory.mktemp("kubo")) as daemon:
        yield daemon


@pytest.fixture
def kubo(daemon: KuboDaemon) -> KuboDaemon:
    """A daemon on which nothing is pinned: all stories have the same blocks."""
    daemon.unpin(*daemon.pins())
    return daemon


@pytest.fixture
def story() -> Story:
    return Story()


def opened(folder: Path, api: str, **more: Any) -> KuboStore:
    return KuboStore.connect(folder, parse_kubo_address(api), **more)


@pytest.fixture
def store(tmp_path: Path, kubo: KuboDaemon) -> Iterator[KuboStore]:
    with opened(tmp_path / "store", kubo.api) as store:
        yield store


@pytest.fixture
def lying(kubo: KuboDaemon) -> Iterator[FakeKubo]:
    """The real daemon, but for what a test scripts."""
    with FakeKubo(behind=kubo.api) as fake:
        yield fake


def pins_of(kubo: KuboDaemon, store: KuboStore) -> list[str]:
    return sorted(cid for cid, pin in kubo.pins().items() if pin["Name"] == store.pin_name)


# --- pins and garbage -----------------------------------------------------------------------------


def test_one_write_is_one_named_pin(kubo: KuboDaemon, store: KuboStore, story: Story) -> None:
    store.put(story.batch)
    assert len(pins_of(kubo, store)) == 1
    store.put(story.batch)
    assert len(pins_of(kubo, store)) == 1
    store.put(WriteBatch(objects=[story.ana.work(story.project, "One more")]))
    assert len(pins_of(kubo, store)) == 2


def test_what_is_stored_outlives_the_garbage_collection_of_the_daemon(
    kubo: KuboDaemon, store: KuboStore, story: Story
) -> None:
    store.put(story.batch)
    kubo.ipfs("block", "put", input=b"garbage")
    assert kubo.gc() >= 1
    assert audit_store(store).is_sound
    assert store.audit_index() == ()


def test_objects_are_kept_whose_media_are_not_here(
    kubo: KuboDaemon, store: KuboStore, story: Story
) -> None:
    absent = raw_block(b"a film that was never fetched")
    work = story.ana.work(story.project, "Film", media=[media_entry(absent)])
    store.put(WriteBatch(objects=[*story.objects, work], blocks=[story.page]))
    kubo.gc()
    assert kubo.ipfs("block", "get", str(work.cid)) == work.block
    assert store.get(absent[0]) is None
    assert store.audit_index() == ()


def test_tools_that_are_not_ours_read_what_is_stored(
    kubo: KuboDaemon, store: KuboStore, story: Story, tmp_path: Path
) -> None:
    content = bytes(range(256)) * 12_000
    (tmp_path / "sound.wav").write_bytes(content)
    with add_media(store, tmp_path / "sound.wav") as media:
        store.put(WriteBatch(objects=story.objects, blocks=media.blocks, leaves=media.leaves))
    assert kubo.ipfs("cat", str(media.built.root)) == content
    assert b"Verse of the Bus" in kubo.ipfs("dag", "get", str(story.verse.cid))
    assert kubo.ipfs("dag", "get", f"{story.verse.cid}/body/title") == b'"Verse of the Bus"'


def test_a_copy_in_the_media_folder_is_cleared_away_when_it_is_on_the_daemon(
    store: KuboStore, tmp_path: Path
) -> None:
    content = b"wav" * 1_000_000
    with add_stream(store.media_folder, iter([content]), len(content)) as media:
        (copy,) = {store.media_folder / leaf.path for leaf in media.leaves}
        assert copy.exists()
        batch = WriteBatch(blocks=media.blocks, leaves=media.leaves)
        store.put(batch)
        assert not copy.exists()
        store.put(batch)  # as another program does that adds the same file at the same time
    assert b"".join(iter_file(media.built.root, store)) == b"wav" * 1_000_000
    assert list(store.places()) == []
    assert collect(store, dry_run=True).files == ()


@pytest.mark.parametrize("way", ["handed over", "copied first"])
def test_a_large_file_goes_to_the_daemon_in_little_memory(
    kubo: KuboDaemon, store: KuboStore, tmp_path: Path, way: str
) -> None:
    with (tmp_path / "film").open("wb") as file:
        for number in range(96):
            file.write(number.to_bytes(2, "big") * 2**19)
    tracemalloc.start()
    try:
        if way == "handed over":
            media = add_media(store, tmp_path / "film")
        else:
            with (tmp_path / "film").open("rb") as file:
                pieces = iter(partial(file.read, 2**20), b"")
                media = add_stream(store.media_folder, pieces, 96 * 2**20)
        with media:
            store.put(WriteBatch(blocks=media.blocks, leaves=media.leaves))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 * 2**20
    assert kubo.ipfs("cat", f"--length={2**20}", str(media.built.root)) == bytes(2**20)
    assert store.audit_index() == ()


def test_what_is_removed_goes_with_the_next_garbage_collection(
    kubo: KuboDaemon, store: KuboStore, story: Story
) -> None:
    store.put(story.batch)
    before = pins_of(kubo, store)
    store.remove([story.song.cid, story.sound[0]])
    assert len(pins_of(kubo, store)) == 1
    assert pins_of(kubo, store) != before
    kubo.gc()
    here = {alias_of(Cid.parse(line)) for line in kubo.ipfs("refs", "local").decode().split()}
    assert alias_of(story.song.cid) not in here
    assert alias_of(story.verse.cid) in here
    assert store.audit_index() == ()


def test_two_workspaces_on_one_daemon_do_not_take_from_each_other(
    kubo: KuboDaemon, store: KuboStore, story: Story, tmp_path: Path
) -> None:
    with opened(tmp_path / "other", kubo.api) as other:
        for each in (store, other):
            each.put(story.batch)
        other.remove(list(other.iter_cids()))
        assert pins_of(kubo, other) == []
        kubo.gc()
    assert audit_store(store).is_sound


def test_a_block_under_any_codec_is_held(kubo: KuboDaemon, store: KuboStore) -> None:
    data = b"\xff\xff not what its codec says"
    odd = [
        (Cid.of(DAG_CBOR, data), data),
        (Cid.from_bytes(b"\x01\x51" + bytes(Cid.of(RAW, b"cbor"))[2:]), b"cbor"),
        (Cid.from_bytes(bytes(Cid.of(RAW, b"old"))[2:]), b"old"),
    ]
    store.put(WriteBatch(blocks=odd))
    kubo.gc()
    assert [store.get(cid) for cid, _ in odd] == [block for _, block in odd]
    assert store.audit_index() == ()


def test_garbage_collection_beside_writers_takes_nothing_that_was_acknowledged(
    kubo: KuboDaemon, store: KuboStore, story: Story
) -> None:
    store.put(story.batch)
    works = [[story.ana.work(story.project, f"{part} {n}") for n in range(25)] for part in "ab"]
    done = threading.Event()

    def write(part: int) -> None:
        for work in works[part]:
            store.put(WriteBatch(objects=[work], blocks=[raw_block(bytes(work.cid))]))
            store.remove([raw_block(b"absent")[0]])

    def sweep() -> None:
        while not done.is_set():
            kubo.gc()

    def write_all() -> None:
        errors.extend(run_threads([partial(write, 0), partial(write, 1)]))
        done.set()

    errors: list[BaseException] = []
    errors.extend(run_threads([sweep, write_all]))
    assert errors == []
    assert store.audit_index() == ()
    assert audit_store(store).is_sound


# --- nothing half-written -------------------------------------------------------------------------


def test_what_is_undone_leaves_no_pin(kubo: KuboDaemon, store: KuboStore, story: Story) -> None:
    store.put(story.batch)
    pins = pins_of(kubo, store)
    with pytest.raises(ZeroDivisionError), store.exclusive():
        store.put(WriteBatch(objects=[story.ana.work(story.project, "Lost")]))
        store.remove([story.comment.cid])
        assert len(pins_of(kubo, store)) > len(pins)  # what is to be removed is still pinned
        _ = 1 // 0
    assert pins_of(kubo, store) == pins
    kubo.gc()
    assert audit_store(store).is_sound


def test_a_part_that_is_undone_leaves_the_pins_of_the_rest(
    kubo: KuboDaemon, store: KuboStore, story: Story
) -> None:
    with store.exclusive():
        store.put(story.batch)
        with pytest.raises(ZeroDivisionError), store.exclusive():
            store.put(WriteBatch(blocks=[raw_block(b"lost")]))
            _ = 1 // 0
    assert len(pins_of(kubo, store)) == 1
    assert store.audit_index() == ()


def test_a_batch_that_breaks_a_rule_never_reaches_the_daemon(
    store: KuboStore, lying: FakeKubo, story: Story, tmp_path: Path
) -> None:
    with opened(tmp_path / "lying", lying.api) as store, pytest.raises(MissingBlocksError):
        store.put(WriteBatch(objects=[story.verse]))
    assert lying.asked == []


FAULTS: dict[str, Callable[[FakeKubo], None]] = {
    "refuses": lambda fake: fake.says("dag/import", refused("import failed: the repo is locked")),
    "full": lambda fake: fake.says("dag/import", refused("no space left on device")),
    "counts wrong": lambda fake: fake.says("dag/import", answer({"Stats": {"BlockCount": 1}})),
    "says nothing": lambda fake: fake.says("dag/import", answer(b"")),
    "does not name": lambda fake: fake.says("pin/add", refused("pin: merkledag: not found")),
    "does not list": lambda fake: fake.says("pin/ls", refused("is not pinned")),
    "lists another": lambda fake: fake.says("pin/ls", answer({"Keys": {}})),
    "is too old": lambda fake: fake.says("version", answer({"Version": "0.29.0"})),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_write_that_the_daemon_does_not_confirm_is_not_acknowledged(
    kubo: KuboDaemon, lying: FakeKubo, story: Story, tmp_path: Path, fault: str
) -> None:
    lying.tells_the_truth()
    with opened(tmp_path / "lying", lying.api) as store:
        if fault != "is too old":
            store.put(WriteBatch(objects=[story.ana.genesis]))
        before, pins = answers(store, story.objects), pins_of(kubo, store)
        FAULTS[fault](lying)
        with pytest.raises(BackendError):
            store.put(story.batch)
        assert answers(store, story.objects) == before
        lying.tells_the_truth()
        assert pins_of(kubo, store) == pins
        store.put(story.batch)
        assert audit_store(store).is_sound


def test_a_removal_that_the_daemon_does_not_confirm_is_undone(
    kubo: KuboDaemon, lying: FakeKubo, story: Story, tmp_path: Path
) -> None:
    lying.tells_the_truth()
    with opened(tmp_path / "lying", lying.api) as store:
        store.put(story.batch)
        before, pins = answers(store, story.objects), pins_of(kubo, store)
        lying.says("dag/import", refused("the repo is locked"))
        with pytest.raises(BackendError, match="locked"):
            store.remove([story.comment.cid])
        assert answers(store, story.objects) == before
        assert pins_of(kubo, store) == pins


def test_pins_that_can_not_be_removed_now_are_removed_later(
    kubo: KuboDaemon, lying: FakeKubo, story: Story, tmp_path: Path
) -> None:
    lying.tells_the_truth()
    with opened(tmp_path / "lying", lying.api) as store:
        store.put(story.batch)
        lying.says("pin/rm", refused("the repo is locked"))
        store.remove([story.comment.cid])
        assert len(pins_of(kubo, store)) == 2
        assert store.row(story.comment.cid) is None
        lying.tells_the_truth()
        store.put(WriteBatch(objects=[story.comment]))
        assert len(pins_of(kubo, store)) == 2  # one of the write, one of what was left
        assert audit_store(store).is_sound


# --- a daemon that fails --------------------------------------------------------------------------


def test_a_daemon_that_dies_loses_nothing_that_was_acknowledged(
    story: Story, tmp_path: Path
) -> None:
    with running_kubo(tmp_path) as daemon:
        with opened(tmp_path / "store", daemon.api) as store:
            store.put(story.batch)
            daemon.kill()
            assert store.get(story.song.cid) == story.song.block  # the index has it
            assert store.heads(story.project.cid)
            with pytest.raises(BackendError, match="can't be reached"):
                store.get(story.sound[0])
            before = answers(store, story.objects)
            with pytest.raises(BackendError, match="ipfs daemon"):
                store.put(WriteBatch(objects=[story.ana.work(story.project, "Lost")]))
            assert answers(store, story.objects) == before
        daemon.start()
        with opened(tmp_path / "store", daemon.api) as store:  # on another port
            daemon.gc()
            assert audit_store(store).is_sound
            assert store.get(story.sound[0]) == story.sound[1]


def test_a_daemon_killed_while_it_imports_leaves_the_old_state(
    story: Story, tmp_path: Path
) -> None:
    with running_kubo(tmp_path) as daemon:
        with FakeKubo(behind=daemon.api) as fake:
            fake.tells_the_truth()

            def dies(handler: Any, asked: Any) -> None:
                fake.pass_on(handler, asked)  # it has stored and pinned, and can't say so any more
                daemon.kill()

            with opened(tmp_path / "store", fake.api) as store:
                store.put(WriteBatch(objects=[story.ana.genesis]))
                before = answers(store, story.objects)
                fake.says("dag/import", dies)
                with pytest.raises(BackendError):
                    store.put(story.batch)
                assert answers(store, story.objects) == before
        daemon.start()
        with opened(tmp_path / "store", daemon.api) as store:
            store.put(story.batch)
            store.repair()
            daemon.gc()
            assert audit_store(store).is_sound


def test_blocks_that_the_daemon_lost_are_named_and_healed_by_putting_them_again(
    kubo: KuboDaemon, store: KuboStore, story: Story
) -> None:
    store.put(story.batch)
    kubo.unpin(*pins_of(kubo, store))
    kubo.gc()
    with pytest.raises(LostBlockError, match="has lost") as caught:
        store.get(story.sound[0])
    assert caught.value.cid == story.sound[0]
    first, second = store.audit_index()
    assert "doesn't pin any more" in first
    assert "has lost pinned blocks" in second
    assert story.sound[0] in audit_store(store).lost
    with pytest.raises(BackendError):
        store.repair()  # the index has no sounds
    store.put(story.batch)
    assert store.repair() == 1
    kubo.gc()
    assert audit_store(store).is_sound
    assert store.repair() == 0


def test_objects_whose_pin_was_removed_are_pinned_again_from_the_index(
    kubo: KuboDaemon, store: KuboStore, story: Story
) -> None:
    store.put(WriteBatch(objects=story.objects, blocks=[story.page]))
    kubo.unpin(*pins_of(kubo, store))
    kubo.gc()
    assert store.repair() == 1
    assert audit_store(store).is_sound


def test_other_bytes_of_a_hostile_daemon_are_found(
    lying: FakeKubo, story: Story, tmp_path: Path
) -> None:
    lying.tells_the_truth()
    with opened(tmp_path / "lying", lying.api) as store:
        store.put(story.batch)
        lying.says("block/get", answer(b"something else"))
        lying.says("dag/export", answer(b"something else"))
        with pytest.raises(LostBlockError, match="gives other bytes"):
            store.get(story.sound[0])
        assert any("gives other bytes" in sentence for sentence in store.audit_index())
        assert story.sound[0] in audit_store(store).lost


# --- snapshots for others -------------------------------------------------------------------------


def snapshots_of(kubo: KuboDaemon, project: Cid) -> list[str]:
    return [cid for cid, pin in kubo.pins().items() if pin["Name"] == f"hitp2p:{project}"]


def test_a_project_is_walked_by_others_from_its_snapshot(
    kubo: KuboDaemon, store: KuboStore, story: Story
) -> None:
    store.put(story.batch)
    root = store.pin_snapshot(story.project.cid)
    assert root is not None
    assert snapshots_of(kubo, story.project.cid) == [str(root)]
    car = CarReader([kubo.ipfs("dag", "export", str(root))])
    found = {block.cid for block in car if block.checked}
    theirs = {obj.cid for obj in story.objects if obj.cid != story.elsewhere.cid}
    assert found >= theirs | {root, story.page[0], story.sound[0]}
    assert story.elsewhere.cid not in found
    listed = list(iter_snapshot(root, _Exported(kubo)))
    assert set(listed) == theirs | {story.page[0]}
    generations = [row.generation for cid in listed if (row := store.row(cid))]
    assert generations == sorted(generations)
    assert store.audit_index() == ()
    assert collect(store, dry_run=True).blocks == ()


class _Exported:
    """Blocks as the daemon's own tool gives them."""

    def __init__(self, kubo: KuboDaemon) -> None:
        self._kubo = kubo

    def get(self, cid: Cid, /) -> bytes | None:
        return self._kubo.ipfs("block", "get", str(cid))


def test_a_new_snapshot_takes_the_place_of_the_one_before(
    kubo: KuboDaemon, store: KuboStore, story: Story
) -> None:
    store.put(story.batch)
    first = store.pin_snapshot(story.project.cid)
    assert store.pin_snapshot(story.project.cid) == first
    store.put(WriteBatch(objects=[story.ana.work(story.project, "One more")]))
    second = store.pin_snapshot(story.project.cid)
    assert second != first
    assert snapshots_of(kubo, story.project.cid) == [str(second)]


def test_a_snapshot_is_not_pinned_where_media_are_absent(
    kubo: KuboDaemon, store: KuboStore, story: Story
) -> None:
    store.put(story.batch)
    first = store.pin_snapshot(story.project.cid)
    absent = media_entry(raw_block(b"a film that was never fetched"))
    store.put(WriteBatch(objects=[story.ana.work(story.project, "Film", media=[absent])]))
    assert store.pin_snapshot(story.project.cid) is None
    assert snapshots_of(kubo, story.project.cid) == [str(first)]
    with pytest.raises(NotFoundError):
        store.pin_snapshot(story.verse.cid)


def test_a_snapshot_whose_pages_are_collected_before_they_are_pinned_is_sent_again(
    kubo: KuboDaemon, lying: FakeKubo, story: Story, tmp_path: Path
) -> None:
    lying.tells_the_truth()

    def sweeps_first(handler: Any, asked: Any) -> None:
        kubo.gc()
        lying.tells_the_truth()
        lying.pass_on(handler, asked)

    with opened(tmp_path / "lying", lying.api) as store:
        store.put(story.batch)
        store.pin_snapshot(story.project.cid)
        store.put(WriteBatch(objects=[story.ana.work(story.project, "One more")]))
        lying.says("pin/update", sweeps_first)
        second = store.pin_snapshot(story.project.cid)
    assert snapshots_of(kubo, story.project.cid) == [str(second)]
    commands = [asked.command for asked in lying.asked]
    assert commands.count("pin/update") == 2


@pytest.mark.parametrize("command", ["dag/import", "pin/update", "pin/ls"])
def test_a_snapshot_that_fails_leaves_the_one_before_pinned(
    kubo: KuboDaemon, lying: FakeKubo, story: Story, tmp_path: Path, command: str
) -> None:
    lying.tells_the_truth()
    with opened(tmp_path / "lying", lying.api) as store:
        store.put(story.batch)
        first = store.pin_snapshot(story.project.cid)
        store.put(WriteBatch(objects=[story.ana.work(story.project, "One more")]))
        lying.says(command, refused("the repo is locked"))
        with pytest.raises(BackendError, match="locked"):
            store.pin_snapshot(story.project.cid)
        assert snapshots_of(kubo, story.project.cid) == [str(first)]
        lying.tells_the_truth()
        second = store.pin_snapshot(story.project.cid)
        assert snapshots_of(kubo, story.project.cid) == [str(second)]


@pytest.mark.parametrize("keep", [0, 1, 500])
def test_an_export_that_is_cut_short_is_not_believed(
    lying: FakeKubo, story: Story, tmp_path: Path, keep: int
) -> None:
    lying.tells_the_truth()
    folder = tmp_path / "lying"
    with opened(folder, lying.api) as store:
        store.put(story.batch)
        name = store.workspace

    def cuts(handler: Any, asked: Any) -> None:
        (hold,) = asked.options["arg"]
        block = lying.ask("block/get", arg=hold)
        file = BytesIO()
        CarWriter(file, [Cid.parse(hold)]).write(Cid.parse(hold), block)
        whole = file.getvalue() + bytes(500)
        answer(whole[: len(whole) - 500 + keep])(handler, asked)

    lying.says("dag/export", cuts)
    forget_index(folder)
    with opened(folder, lying.api, workspace=name) as store:
        assert store.rebuild_index() == ()
        assert audit_store(store).is_sound
        assert {row.cid for row in store.rows()} == {obj.cid for obj in story.objects}
    assert "dag/export" in [asked.command for asked in lying.asked]


# --- the index from the pins alone ----------------------------------------------------------------


def forget_index(folder: Path) -> None:
    for path in folder.glob(f"{INDEX}*"):
        path.unlink()


def unordered(value: Any) -> Any:
    """The same without order: objects arrive in another one."""
    if isinstance(value, dict):
        return {key: unordered(part) for key, part in value.items()}
    return frozenset(map(unordered, value)) if isinstance(value, list | tuple) else value


def test_the_index_comes_back_from_the_pins_alone(
    kubo: KuboDaemon, story: Story, tmp_path: Path
) -> None:
    folder = tmp_path / "store"
    with opened(folder, kubo.api) as store:
        store.put(WriteBatch(objects=story.objects[:4]))
        store.put(story.batch)
        store.put(WriteBatch(blocks=[raw_block(b"loose")]))
        before, name = unordered(answers(store, story.objects)), store.workspace
    kubo.gc()
    forget_index(folder)
    with opened(folder, kubo.api, workspace=name) as store:
        assert list(store.iter_cids()) == []
        assert store.rebuild_index() == ()
        assert unordered(answers(store, story.objects)) == before
        assert audit_store(store).is_sound
        assert store.rebuild_index() == ()


@pytest.mark.parametrize("size", [1, 2, 7])
def test_an_index_in_portions_is_the_same_and_leaves_out_the_same(
    kubo: KuboDaemon, story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    def portions(values: Iterable[Any]) -> Iterator[list[Any]]:
        rest = iter(values)
        while portion := list(islice(rest, size)):
            yield portion

    monkeypatch.setattr(kubo_care, "chunks", portions)
    with opened(tmp_path / "store", kubo.api) as store:
        store.put(WriteBatch(objects=[story.ana.genesis]))
        (pin,) = pins_of(kubo, store)
        store.put(WriteBatch(objects=story.objects[:4]))
        store.put(story.batch)
        before, name = unordered(answers(store, story.objects)), store.workspace
    steps: list[tuple[int, int]] = []
    with opened(tmp_path / "anew", kubo.api, workspace=name) as anew:
        assert anew.rebuild_index(progress=lambda *step: steps.append(step)) == ()
        assert unordered(answers(anew, story.objects)) == before
    assert {done == n for done, n in steps} == {False, True}
    kubo.unpin(pin)
    with opened(tmp_path / "less", kubo.api, workspace=name) as less:
        left_out = less.rebuild_index()
        assert story.project.cid in left_out
        assert {row.cid for row in less.rows()} == {o.cid for o in story.objects} - {
            *left_out,
            story.ana.genesis.cid,
        }


def test_a_plain_block_does_not_become_an_object_by_a_new_index(
    kubo: KuboDaemon, story: Story, tmp_path: Path
) -> None:
    folder, genesis = tmp_path / "store", story.ana.genesis
    with opened(folder, kubo.api) as store:
        store.put(WriteBatch(blocks=[(genesis.cid, genesis.block)]))
        name = store.workspace
    forget_index(folder)
    with opened(folder, kubo.api, workspace=name) as store:
        assert store.rebuild_index() == ()
        assert (store.get(genesis.cid), store.row(genesis.cid)) == (genesis.block, None)


def test_a_pin_proves_no_signature(kubo: KuboDaemon, story: Story, tmp_path: Path) -> None:
    forged = bytearray(story.verse.block)
    forged[10] ^= 1  # in the signature
    block = bytes(forged)
    cid = Cid.of(DAG_CBOR, block)
    with opened(tmp_path / "eve", kubo.api) as store:
        store.put(WriteBatch(objects=[story.ana.genesis, story.project]))
        name = store.workspace
    with FakeKubo(behind=kubo.api) as fake:
        fake.tells_the_truth()
        false_hold, false_block = encode_hold(
            name, bytes(16), [Held(story.ana.genesis.cid, True), Held(cid, True)]
        )
        blocks = {str(false_hold): false_block, str(cid): block}

        def give(handler: Any, asked: Any) -> None:
            wanted = asked.options["arg"][0]
            (answer(blocks[wanted]) if wanted in blocks else fake.pass_on)(handler, asked)

        line = {"Cid": str(false_hold), "Type": "recursive", "Name": f"hitp2p:store:{name.hex()}"}
        fake.says("pin/ls", answer(line))
        fake.says("block/get", give)
        with opened(tmp_path / "new", fake.api, workspace=name) as store:
            assert store.rebuild_index() == (cid,)
            assert [row.cid for row in store.rows()] == [story.ana.genesis.cid]


def test_an_object_without_what_it_requires_is_left_out_of_a_new_index(
    kubo: KuboDaemon, story: Story, tmp_path: Path
) -> None:
    folder = tmp_path / "store"
    with opened(folder, kubo.api) as store:
        store.put(WriteBatch(objects=[story.ana.genesis]))
        (pin,) = pins_of(kubo, store)
        store.put(story.batch)
        name = store.workspace
    kubo.unpin(pin)
    kubo.gc()
    forget_index(folder)
    with opened(folder, kubo.api, workspace=name) as store:
        left_out = store.rebuild_index()
        assert story.project.cid in left_out
        assert story.elsewhere.cid not in left_out
        store.put(story.batch)
        assert {row.cid for row in store.rows()} == {obj.cid for obj in story.objects}


def test_what_others_pin_under_our_name_is_told(
    kubo: KuboDaemon, store: KuboStore, story: Story
) -> None:
    store.put(story.batch)
    cid = kubo.ipfs("block", "put", "--cid-codec=dag-cbor", input=b"\xa0").decode().strip()
    kubo.ipfs("pin", "add", f"--name={store.pin_name}", cid)
    before = answers(store, story.objects)
    with pytest.raises(BackendError, match="pinned as a hold"):
        store.rebuild_index()
    assert answers(store, story.objects) == before
    assert store.repair() == 1
    assert store.rebuild_index() == ()


def test_damaged_bytes_in_the_index_are_fetched_from_the_daemon(
    store: KuboStore, story: Story
) -> None:
    store.put(story.batch)
    with store._connections.write(durable=True) as db:
        db.execute("UPDATE block SET data = x'00' WHERE cid = ?", (bytes(story.song.cid),))
    assert store.get(story.song.cid) == story.song.block
    assert store.rebuild_index() == ()
    assert audit_store(store).is_sound


# --- beside others --------------------------------------------------------------------------------


def test_care_waits_for_nobody_and_says_so(
    kubo: KuboDaemon, store: KuboStore, story: Story, tmp_path: Path
) -> None:
    store.put(story.batch)
    with store.exclusive():
        with pytest.raises(UsageError, match="stands alone"):
            store.rebuild_index()
        with (
            opened(tmp_path / "store", kubo.api) as other,
            pytest.raises(StoreError, match="again"),
        ):
            other.repair()
    assert store.repair() == 0


def test_two_openings_of_one_store_see_each_other(
    kubo: KuboDaemon, store: KuboStore, story: Story, tmp_path: Path
) -> None:
    with opened(tmp_path / "store", kubo.api) as other:
        assert other.workspace == store.workspace
        store.put(story.batch)
        assert other.get(story.sound[0]) == story.sound[1]
        other.remove([story.comment.cid])
        assert store.row(story.comment.cid) is None
        assert store.put(WriteBatch(objects=[story.comment]))
    assert audit_store(store).is_sound


def test_nobody_is_asked_before_there_is_something_to_ask(tmp_path: Path) -> None:
    with opened(tmp_path / "store", "/ip4/127.0.0.1/tcp/9") as store:
        assert list(store.rows()) == []
        with pytest.raises(BackendError, match="can't be reached"):
            store.put(WriteBatch(objects=[Person("Ana").genesis]))


# --- access ---------------------------------------------------------------------------------------

ENTRY = '{"Ana": {"AuthSecret": "bearer:s3cret", "AllowedPaths": ["/api/v0"]}}'


def test_a_daemon_that_asks_for_credentials_gets_them(story: Story, tmp_path: Path) -> None:
    with running_kubo(tmp_path, config={"API.Authorizations": ENTRY}) as daemon:
        with (
            opened(tmp_path / "one", daemon.api) as store,
            pytest.raises(BackendError, match="403"),
        ):
            store.put(story.batch)
        with opened(tmp_path / "two", daemon.api, authorization="Bearer s3cret") as store:
            store.put(story.batch)
            assert store.get(story.sound[0]) == story.sound[1]


def test_a_unix_socket_will_do(story: Story, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("s")
    socket = f"/unix{folder}/api.sock".lower()
    with running_kubo(folder, config={"Addresses.API": f'"{socket}"'}) as daemon:
        assert daemon.api == socket
        with opened(folder / "store", daemon.api) as store:
            store.put(story.batch)
            assert store.get(story.sound[0]) == story.sound[1]
            assert audit_store(store).is_sound
