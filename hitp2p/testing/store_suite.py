"""The suite that every store passes.

    class TestMyStore(StoreSuite):
        @pytest.fixture
        def store(self) -> Iterator[Store]:
            with MyStore(...) as store:
                yield store

`answers` says all that a store answers, for comparing two of them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from hitp2p.codec.cid import DAG_CBOR, RAW, Cid
from hitp2p.codec.dagcbor import Profile, encode
from hitp2p.codec.unixfs import iter_file
from hitp2p.errors import (
    CorruptBlockError,
    DecodeError,
    MissingBlocksError,
    UsageError,
)
from hitp2p.objects.envelope import SignedObject
from hitp2p.store.backup import back_up
from hitp2p.store.contract import LeafPlace, Store, WriteBatch
from hitp2p.store.fsck import audit_store
from hitp2p.store.gc import collect
from hitp2p.store.media import INLINE_BYTES, Mode, add_media
from hitp2p.store.sqlite import SqliteStore
from hitp2p.testing.people import Person

__all__ = ["StoreSuite", "Story", "answers", "raw_block"]

Answers = dict[str, Any]


class Story:
    """A small trail of every shape: two people, a merge, two heads, a statement, a page, another project."""

    def __init__(self) -> None:
        self.ana, self.bo = Person("Ana"), Person("Bo")
        self.project = self.ana.project(tags=["lullaby"])
        self.verse = self.ana.work(self.project, "Verse of the Bus")
        self.beat = self.bo.work(self.project, "Beat", tags=["夜行バス"])
        self.page = page([{"name": "Cy", "role": "lyr"}])
        self.sound = raw_block(b"wav" * 20_000)
        self.song = self.bo.work(
            self.project,
            "Chanson d'été",
            self.verse,
            self.beat,
            credits_pages=[self.page[0]],
            media=[media_entry(self.sound)],
        )
        self.other_head = self.ana.work(self.project, "Beat again", self.beat)
        self.comment = self.ana.comment(self.song, "What a bus!")
        self.elsewhere = self.bo.project("Day Tram")

    @property
    def objects(self) -> list[SignedObject]:
        """All of them, each after what it requires."""
        return [
            self.ana.genesis,
            self.bo.genesis,
            self.project,
            self.verse,
            self.beat,
            self.song,
            self.other_head,
            self.comment,
            self.elsewhere,
        ]

    @property
    def batch(self) -> WriteBatch:
        """Everything, children first."""
        return WriteBatch(objects=self.objects[::-1], blocks=[self.page, self.sound])


def raw_block(data: bytes) -> tuple[Cid, bytes]:
    """Bytes under their name."""
    return Cid.of(RAW, data), data


def page(entries: Sequence[Any]) -> tuple[Cid, bytes]:
    """A list page."""
    block = encode({"entries": entries}, profile=Profile.OBJECT)
    return Cid.of(DAG_CBOR, block), block


def media_entry(block: tuple[Cid, bytes]) -> dict[str, Any]:
    """A media entry for a file of one block."""
    cid, data = block
    return {
        "file": cid,
        "size": len(data),
        "sha256": sha256(data).digest(),
        "type": "audio/wav",
        "role": "master",
        "essence": {"algorithm": "wav/1", "digest": sha256(data[44:]).digest()},
    }


def answers(store: Store, objects: Iterable[SignedObject]) -> Answers:
    """What a store answers to every question about some objects, but for `seq`."""
    found: Answers = {
        "cids": sorted(store.iter_cids()),
        "rows": [_without_seq(row) for row in store.rows()],
        "search": [store.search(word, limit=99) for word in ("be", "bus", "ete", "夜", "x")],
    }
    for obj in objects:
        cid = obj.cid
        found[str(cid)] = {
            "get": store.get(cid),
            "row": _without_seq(store.row(cid)),
            "children": store.children(cid),
            "heads": store.heads(cid),
            "ancestors": [_without_seq(row) for row in store.ancestors([cid])],
            "count": store.count_ancestors([cid]),
            "referrers": store.referrers(cid),
            "linkers": [store.linkers(link) for link in obj.links],
            "events": store.events(cid),
            "prefix": store.match_prefix(str(cid)[:9], limit=99),
            "of project": [_without_seq(row) for row in store.rows(project=cid)],
            "of identity": [_without_seq(row) for row in store.rows(identity=cid)],
        }
    return found


def _without_seq(row: Any) -> Any:
    return row and (row.cid, row.kind, row.project, row.identity, row.generation, row.time)


class StoreSuite:
    """Subclass it with a fixture `store` that gives an empty store."""

    @pytest.fixture
    def story(self) -> Story:
        return Story()

    @pytest.fixture
    def full(self, store: Store, story: Story) -> Store:
        """The store with the story in it."""
        store.put(story.batch)
        return store

    # --- blocks -----------------------------------------------------------------------------------

    def test_what_is_absent_is_none(self, store: Store, story: Story) -> None:
        assert store.get(story.verse.cid) is None
        assert not store.has(story.verse.cid)
        assert store.row(story.verse.cid) is None
        assert (store.last_seq(), list(store.rows()), list(store.iter_cids())) == (0, [], [])

    def test_blocks_come_back_as_they_went_in(self, full: Store, story: Story) -> None:
        wanted = {obj.cid: obj.block for obj in story.objects} | dict([story.page, story.sound])
        assert {cid: full.get(cid) for cid in full.iter_cids()} == wanted
        assert all(full.has(cid) for cid in wanted)

    def test_a_block_under_a_wrong_name_is_refused_with_its_batch(
        self, store: Store, story: Story
    ) -> None:
        wrong = (story.page[0], story.page[1] + b"x")
        with pytest.raises(DecodeError) as caught:
            store.put(WriteBatch(objects=[story.ana.genesis], blocks=[wrong]))
        assert caught.value.rule == "CAR-3"
        assert list(store.iter_cids()) == []

    def test_putting_again_changes_nothing(self, full: Store, story: Story) -> None:
        before, seq = answers(full, story.objects), full.last_seq()
        assert full.put(story.batch) == ()
        assert (answers(full, story.objects), full.last_seq()) == (before, seq)

    # --- objects ----------------------------------------------------------------------------------

    def test_rows_come_after_what_they_require(self, store: Store, story: Story) -> None:
        new = store.put(story.batch)
        assert list(new) == list(store.rows())
        assert [row.seq for row in new] == sorted({row.seq for row in new})
        seen: set[Cid] = set()
        by_cid = {obj.cid: obj for obj in story.objects}
        for row in new:
            assert seen.issuperset(by_cid[row.cid].required)
            seen.add(row.cid)
        assert store.last_seq() == new[-1].seq

    def test_a_row_says_what_its_object_says(self, full: Store, story: Story) -> None:
        row = full.row(story.song.cid)
        assert row is not None
        assert (row.kind, row.project, row.identity, row.signer, row.time) == (
            "contribution",
            story.project.cid,
            story.bo.genesis.cid,
            story.bo.key.public,
            story.song.time,
        )
        assert row.generation == 3  # identity, project, verse, song
        project, genesis = full.row(story.project.cid), full.row(story.ana.genesis.cid)
        assert project is not None
        assert genesis is not None
        assert (project.project, project.generation) == (story.project.cid, 1)
        assert (genesis.project, genesis.identity) == (None, story.ana.genesis.cid)

    def test_an_object_without_what_it_requires_is_refused_with_its_batch(
        self, store: Store, story: Story
    ) -> None:
        store.put(WriteBatch(objects=[story.ana.genesis]))
        with pytest.raises(MissingBlocksError) as caught:
            store.put(WriteBatch(objects=[story.verse, story.bo.genesis], blocks=[story.page]))
        assert caught.value.cids == (story.project.cid,)
        assert list(store.iter_cids()) == [story.ana.genesis.cid]

    def test_a_plain_block_is_no_object_until_it_is_put_as_one(
        self, store: Store, story: Story
    ) -> None:
        genesis = story.ana.genesis
        store.put(WriteBatch(blocks=[(genesis.cid, genesis.block)]))
        assert store.row(genesis.cid) is None
        assert store.match_prefix(str(genesis.cid), 9) == ()
        with pytest.raises(MissingBlocksError):
            store.put(WriteBatch(objects=[story.project]))
        store.put(WriteBatch(objects=[story.bo.genesis]))
        seq = store.last_seq()
        (row,) = store.put(WriteBatch(objects=[genesis]))
        assert row.seq > seq
        assert list(store.rows(after=seq)) == [row]

    def test_rows_are_chosen_by_project_kind_and_identity(self, full: Store, story: Story) -> None:
        rows = list(full.rows())
        project, bo = story.project.cid, story.bo.genesis.cid
        assert list(full.rows(project=project)) == [r for r in rows if r.project == project]
        for kind in ("contribution", "identity", "project", "comment"):
            assert list(full.rows(kind=kind)) == [r for r in rows if r.kind == kind] != []
        assert list(full.rows(identity=bo)) == [r for r in rows if r.identity == bo]
        assert [r.cid for r in full.rows(project=project, kind="contribution", identity=bo)] == [
            r.cid for r in rows if r.cid in (story.beat.cid, story.song.cid)
        ]
        assert list(full.rows(project=story.verse.cid)) == []
        assert list(full.rows(project=raw_block(b"absent")[0])) == []

    def test_rows_go_on_after_a_cursor(self, full: Store) -> None:
        rows = list(full.rows())
        for row in rows:
            assert list(full.rows(after=row.seq)) == [r for r in rows if r.seq > row.seq]
        assert list(full.rows(limit=3)) == rows[:3]
        assert list(full.rows(limit=0)) == []

    def test_rows_may_be_read_while_writing(self, full: Store, story: Story) -> None:
        for number, _ in zip(range(20), full.rows(), strict=False):
            full.put(WriteBatch(objects=[story.ana.work(story.project, f"While {number}")]))
        assert len(list(full.rows())) > len(story.objects)

    # --- graph ------------------------------------------------------------------------------------

    def test_children_and_heads(self, full: Store, story: Story) -> None:
        by_cid = sorted([story.song.cid, story.other_head.cid])
        assert full.heads(story.project.cid) == tuple(by_cid)
        assert set(full.children(story.beat.cid)) == {story.song.cid, story.other_head.cid}
        assert story.comment.cid in full.children(story.project.cid)
        assert full.children(story.song.cid) == ()
        assert full.heads(story.elsewhere.cid) == full.heads(story.verse.cid) == ()

    def test_ancestors_come_by_generation(self, full: Store, story: Story) -> None:
        rows = list(full.ancestors([story.song.cid, story.verse.cid, raw_block(b"absent")[0]]))
        assert [row.cid for row in rows] == [
            story.project.cid,
            *sorted([story.verse.cid, story.beat.cid]),
            story.song.cid,
        ]
        assert full.count_ancestors([story.song.cid]) == 4
        assert (list(full.ancestors([])), full.count_ancestors([])) == ([], 0)

    def test_a_long_chain_is_walked(self, store: Store, story: Story) -> None:
        chain = [story.ana.work(story.project, "Link 0")]
        for number in range(1, 1200):
            chain.append(story.ana.work(story.project, f"Link {number}", chain[-1]))
        store.put(WriteBatch(objects=[*chain[::-1], story.project, story.ana.genesis]))
        assert store.count_ancestors([chain[-1].cid]) == 1201
        assert [r.cid for r in store.ancestors([chain[-1].cid])][1:] == [w.cid for w in chain]
        assert store.heads(story.project.cid) == (chain[-1].cid,)

    def test_what_names_or_links_to_something_is_found(self, full: Store, story: Story) -> None:
        assert full.referrers(story.song.cid) == (story.comment.cid,)
        assert full.linkers(story.page[0]) == full.linkers(story.sound[0]) == (story.song.cid,)
        assert full.linkers(story.verse.cid) == ()  # the envelope's links are not the body's
        assert full.with_media(sha256(story.sound[1]).digest()) == (story.song.cid,)
        assert full.with_media(sha256(story.sound[1][44:]).digest()) == (story.song.cid,)
        assert full.with_media(bytes(32)) == ()

    def test_events_of_an_identity_begin_with_its_genesis(self, full: Store, story: Story) -> None:
        second = story.ana.rotated()
        full.put(WriteBatch(objects=[second]))
        assert full.events(story.ana.genesis.cid) == (story.ana.genesis.cid, second.cid)
        assert full.events(story.bo.genesis.cid) == (story.bo.genesis.cid,)
        assert full.events(story.song.cid) == ()

    # --- finding ----------------------------------------------------------------------------------

    def test_short_names_find_objects(self, full: Store, story: Story) -> None:
        text = str(story.song.cid)
        for part in (text, text[:20], text[7:], text[7:16]):
            assert full.match_prefix(part, limit=9) == (story.song.cid,)
        everything = tuple(sorted(obj.cid for obj in story.objects))
        assert full.match_prefix("", limit=99) == full.match_prefix("bafyrei", 99) == everything
        assert full.match_prefix("", limit=2) == everything[:2]

    @pytest.mark.parametrize("text", ["BAFY", "bafyrei1", "é", "bafyrei" + "a" * 60, "b b"])
    def test_what_can_be_no_name_finds_nothing(self, full: Store, text: str) -> None:
        assert full.match_prefix(text, limit=9) == ()

    def test_every_cut_of_a_name_finds_it(self, full: Store, story: Story) -> None:
        text = str(story.verse.cid)
        for length in range(11, len(text) + 1):
            assert story.verse.cid in full.match_prefix(text[:length], limit=99)

    def test_words_are_found_without_case_and_accents(self, full: Store, story: Story) -> None:
        assert full.search("ETE", limit=9) == full.search("chans été", limit=9)
        assert full.search("ete", limit=9) == (story.song.cid,)
        assert full.search("行", limit=9) == full.search("夜行", limit=9) == (story.beat.cid,)
        assert full.search("ana", limit=9) == (story.ana.genesis.cid,)
        assert full.search("lullaby", limit=9) == (story.project.cid,)

    def test_all_words_must_be_there_newest_first(self, full: Store, story: Story) -> None:
        found = full.search("bus", limit=9)
        rows = [full.row(cid) for cid in found]
        assert {story.verse.cid, story.project.cid, story.comment.cid} == set(found)
        assert [r and r.seq for r in rows] == sorted([r and r.seq for r in rows], reverse=True)  # type: ignore[type-var]
        assert full.search("bus verse", limit=9) == (story.verse.cid,)
        assert full.search("bus xyz", limit=9) == ()
        assert full.search("bus", limit=1) == found[:1]

    def test_search_keeps_to_a_project(self, full: Store, story: Story) -> None:
        assert full.search("tram", project=story.project.cid, limit=9) == ()
        assert full.search("tram", project=story.elsewhere.cid, limit=9) == (story.elsewhere.cid,)

    @pytest.mark.parametrize("words", ["", "  ", '"', "* OR -", "\0", "%_", ")("])
    def test_signs_without_words_find_nothing(self, full: Store, words: str) -> None:
        assert full.search(words, limit=9) in ((), full.search("or", limit=9))

    # --- media ------------------------------------------------------------------------------------

    def test_a_leaf_is_read_from_its_file(self, store: Store, tmp_path: Path) -> None:
        path = tmp_path / "sound.wav"
        path.write_bytes(b"head" + b"leaf" * 100 + b"tail")
        cid = Cid.of(RAW, b"leaf" * 100)
        place = LeafPlace(cid=cid, path=str(path), offset=4, length=400)
        store.put(WriteBatch(leaves=[place]))
        assert store.get(cid) == b"leaf" * 100
        assert store.has(cid)
        assert list(store.iter_cids()) == [cid]
        assert list(store.places()) == [place]

    @pytest.mark.parametrize("damage", ["changed", "shorter", "missing", "folder"])
    def test_a_file_that_changed_is_an_error_that_names_it(
        self, store: Store, tmp_path: Path, damage: str
    ) -> None:
        path = tmp_path / "sound.wav"
        path.write_bytes(b"leaf" * 100)
        cid = Cid.of(RAW, b"leaf" * 100)
        store.put(WriteBatch(leaves=[LeafPlace(cid=cid, path=str(path), offset=0, length=400)]))
        path.unlink()
        if damage == "folder":
            path.mkdir()
        elif damage != "missing":
            path.write_bytes(b"LEAF" * 100 if damage == "changed" else b"leaf")
        with pytest.raises(CorruptBlockError, match=r"sound\.wav") as caught:
            store.get(cid)
        assert caught.value.cid == cid
        assert cid in audit_store(store).lost

    def test_a_second_place_heals_a_leaf(self, store: Store, tmp_path: Path) -> None:
        cid = Cid.of(RAW, b"leaf" * 100)
        for name in ("one", "two"):
            (tmp_path / name).write_bytes(b"leaf" * 100)
            place = LeafPlace(cid=cid, path=str(tmp_path / name), offset=0, length=400)
            store.put(WriteBatch(leaves=[place]))
        (tmp_path / "one").unlink()
        assert store.get(cid) == b"leaf" * 100
        report = audit_store(store)
        assert (report.lost, [f.code for f in report.findings]) == ((), ["media"])

    @pytest.mark.parametrize("mode", ["copy", "reference"])
    @pytest.mark.parametrize("size", [0, 5, INLINE_BYTES, INLINE_BYTES + 1, 3_500_000])
    def test_a_file_goes_in_and_comes_out(
        self, store: Store, tmp_path: Path, mode: Mode, size: int
    ) -> None:
        content = bytes(range(251)) * (size // 251 + 1)
        path = tmp_path / "file"
        path.write_bytes(content[:size])
        seen: list[tuple[int, int]] = []
        with add_media(
            store, path, mode=mode, progress=lambda done, all_: seen.append((done, all_))
        ) as media:
            store.put(WriteBatch(blocks=media.blocks, leaves=media.leaves))
        if mode == "copy":
            path.unlink()
        assert b"".join(iter_file(media.built.root, store)) == content[:size]
        assert (media.built.size, media.built.sha256) == (size, sha256(content[:size]).digest())
        assert seen[-1:] == ([(size, size)] if size else [])

    # --- care -------------------------------------------------------------------------------------

    def test_what_others_require_is_not_removed(self, full: Store, story: Story) -> None:
        before = answers(full, story.objects)
        for needed in (story.beat, story.project, story.ana.genesis):
            with pytest.raises(UsageError, match=str(needed.cid)):
                full.remove([needed.cid, story.other_head.cid])
        assert answers(full, story.objects) == before

    def test_what_is_removed_is_forgotten(self, full: Store, story: Story) -> None:
        seq = full.last_seq()
        full.remove([story.song.cid, story.page[0], raw_block(b"absent")[0], story.elsewhere.cid])
        left = [o for o in story.objects if o not in (story.song, story.elsewhere)]
        assert full.heads(story.project.cid) == tuple(
            sorted([story.verse.cid, story.other_head.cid])
        )
        assert full.get(story.song.cid) is full.get(story.page[0]) is None
        assert full.search("ete", limit=9) == full.linkers(story.page[0]) == ()
        assert full.referrers(story.song.cid) == (story.comment.cid,)
        before = answers(full, story.objects)
        full.rebuild_index()
        assert answers(full, story.objects) == before
        assert {row.cid for row in full.rows()} == {obj.cid for obj in left}
        assert all(row.seq > seq for row in full.put(story.batch))

    def test_everything_may_be_removed_at_once(self, full: Store, story: Story) -> None:
        full.remove(list(full.iter_cids()))
        assert list(full.iter_cids()) == list(full.rows()) == []
        assert full.audit_index() == ()
        assert len(full.put(story.batch)) == len(story.objects)

    def test_what_fails_inside_exclusive_is_undone(self, full: Store, story: Story) -> None:
        before = answers(full, story.objects)
        with pytest.raises(ZeroDivisionError), full.exclusive():
            full.put(WriteBatch(objects=[story.ana.work(story.project, "Lost")]))
            full.remove([story.song.cid])
            _ = 1 // 0
        assert answers(full, story.objects) == before

    def test_what_fails_in_a_part_leaves_the_rest(self, full: Store, story: Story) -> None:
        kept = story.ana.work(story.project, "Kept")
        lone = Person("Cy").project()
        with full.exclusive():
            with pytest.raises(MissingBlocksError):
                full.put(WriteBatch(objects=[lone]))
            full.put(WriteBatch(objects=[kept]))
        assert full.has(kept.cid)
        assert not full.has(lone.cid)

    def test_a_new_index_answers_as_the_old(self, full: Store, story: Story) -> None:
        before, rows = answers(full, story.objects), list(full.rows())
        assert full.audit_index() == ()
        assert full.rebuild_index() == ()
        assert (answers(full, story.objects), list(full.rows())) == (before, rows)
        assert full.audit_index() == ()

    def test_a_backup_answers_the_same(self, full: Store, story: Story, tmp_path: Path) -> None:
        report = back_up(full, tmp_path / "backup")
        assert report.is_sound
        with SqliteStore.open(tmp_path / "backup") as copy:
            assert answers(copy, story.objects) == answers(full, story.objects)
        with pytest.raises(UsageError):
            full.backup(tmp_path / "backup")

    def test_a_mark_of_an_unlisted_project_stays_and_goes_along(
        self, full: Store, story: Story, tmp_path: Path
    ) -> None:
        project, other = story.project.cid, story.elsewhere.cid
        assert full.unlisted() == frozenset()
        full.mark_unlisted([project, other])
        full.mark_unlisted([project])
        full.mark_unlisted([other], False)
        full.mark_unlisted([other], False)
        assert full.unlisted() == {project}
        full.rebuild_index()
        assert full.unlisted() == {project}
        full.backup(tmp_path / "backup")
        with SqliteStore.open(tmp_path / "backup") as copy:
            assert copy.unlisted() == {project}

    def test_a_sound_store_is_found_sound(self, full: Store, story: Story) -> None:
        seen: list[int] = []
        report = audit_store(full, progress=seen.append)
        assert report.is_sound
        assert (report.n_objects, report.n_blocks) == (len(story.objects), seen[-1])
        assert report.gaps == ()
        full.remove([story.page[0]])
        assert audit_store(full).gaps == (story.page[0],)

    def test_garbage_is_what_no_object_reaches(self, full: Store, story: Story) -> None:
        before = answers(full, story.objects)
        lost = raw_block(b"nobody links here")
        full.put(WriteBatch(blocks=[lost]))
        assert collect(full, dry_run=True).blocks == (lost[0],)
        assert full.has(lost[0])
        assert collect(full).blocks == (lost[0],)
        assert answers(full, story.objects) == before
        assert collect(full).blocks == ()

    def test_threads_may_write_at_once(self, full: Store, story: Story) -> None:
        works = [story.ana.work(story.project, f"Work {number}") for number in range(60)]
        errors = run_threads([partial(put_each, full, works[part::2]) for part in (0, 1, 0, 1)])
        assert errors == []
        assert set(full.heads(story.project.cid)) >= {work.cid for work in works}
        assert len(list(full.rows())) == len(story.objects) + len(works)

    def test_a_closed_store_says_so(self, full: Store, story: Story) -> None:
        full.close()
        full.close()
        for call in (
            lambda: full.get(story.song.cid),
            lambda: full.put(story.batch),
            lambda: list(full.rows()),
        ):
            with pytest.raises(UsageError, match="closed"):
                call()


def put_each(store: Store, objects: Iterable[SignedObject]) -> None:
    """One transaction an object."""
    for obj in objects:
        store.put(WriteBatch(objects=[obj]), durable=False)


def run_threads(calls: Sequence[Callable[[], None]]) -> list[BaseException]:
    """Run calls at once; what they raised."""
    errors: list[BaseException] = []

    def run(call: Callable[[], None]) -> None:
        try:
            call()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors
