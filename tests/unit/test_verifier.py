"""From bytes to a report: what is read, what is held, and what is never touched."""

from __future__ import annotations

import subprocess
import sys
from io import BytesIO
from pathlib import Path
from random import Random

import pytest
import verdict_world
from stories_world import Story, person
from trail_maker import World, bundle_blocks

import hitp2p
from hitp2p import limits
from hitp2p.codec.car import CarReader, CarWriter
from hitp2p.codec.cid import RAW, Cid
from hitp2p.errors import NotFoundError, UsageError
from hitp2p.objects.envelope import SignedObject
from hitp2p.trail.bundle import MediaChoice
from hitp2p.trail.report import Headline, Report, Tier
from hitp2p.trail.report_json import report_json
from hitp2p.trail.requirements import REQUIREMENTS, parse_requirements

ANA, BO = person("Ana"), person("Bo")


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return Story(tmp_path)


@pytest.fixture
def song(story: Story) -> SignedObject:
    """A song made of a verse, its file and its bundle on disk."""
    project = story.ws.create_project("Night Bus", license="CC-BY-SA-4.0", by=ANA)
    verse = story.work(ANA, project, "verse.txt", "Verse")
    made = story.remix(BO, [verse], "song.txt", "Song")
    story.ws.export(made, story.folder / "song.txt.car")
    return made


def test_a_path_and_bytes_give_the_same_report(story: Story, song: SignedObject) -> None:
    path = story.folder / "song.txt"
    by_path = hitp2p.verify(path)
    by_bytes = hitp2p.verify(
        path.read_bytes(), bundle=(story.folder / "song.txt.car").read_bytes(), name="song.txt"
    )
    assert by_path == by_bytes
    assert by_path.headline is Headline.VERIFIED
    assert by_path.match is not None
    assert by_path.match.work == song.cid


def test_a_report_is_neither_true_nor_false(story: Story, song: SignedObject) -> None:
    with pytest.raises(TypeError, match="headline"):
        bool(hitp2p.verify(story.folder / "song.txt"))


def test_ver_2_a_source_in_the_bundle_is_told_as_itself(story: Story, song: SignedObject) -> None:
    report = hitp2p.verify(story.folder / "verse.txt", bundle=story.folder / "song.txt.car")
    assert report.record is not None
    assert report.record.title == "Verse"
    assert not report.record.from_bundle


def test_ver_2_a_copy_that_names_its_source_is_no_rival(story: Story, song: SignedObject) -> None:
    story.remix(ANA, [(song, "collect")], "song.txt", "Reprint", text="Song\n")
    report = hitp2p.verify(story.folder / "song.txt", workspace=story.ws)
    assert report.match is not None
    assert report.match.work == song.cid
    assert report.rivals == ()


@pytest.mark.parametrize("n_more", [0, 1])
def test_ver_2_weighs_64_records_of_one_file_and_not_one_more(story: Story, n_more: int) -> None:
    project = story.ws.create_project("P", license="CC-BY-4.0", by=ANA)
    for number in range(limits.RIVALS + n_more):
        story.work(ANA, project, "same.txt", f"Work {number}", text="same\n")
    report = hitp2p.verify(story.folder / "same.txt", workspace=story.ws)
    assert len(report.rivals) == limits.RIVALS - 1


@pytest.mark.parametrize("bound", ["VERIFY_OBJECTS", "VERIFY_BYTES"])
def test_a_bundle_is_held_up_to_its_bounds_and_not_past_them(
    story: Story, song: SignedObject, bound: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = [song.cid, *(row.cid for row in story.ws.rows() if row.cid != song.cid)]
    sizes = [len(story.ws.store.get(cid) or b"") for cid in blocks]
    snapshot_page = _page_bytes(story.folder / "song.txt.car")
    held = len(blocks) + 1 if bound == "VERIFY_OBJECTS" else sum(sizes) + snapshot_page
    monkeypatch.setattr(limits, bound, held)
    assert hitp2p.verify(story.folder / "song.txt").headline is Headline.VERIFIED
    monkeypatch.setattr(limits, bound, held - 1)
    with pytest.raises(UsageError, match="import it into a workspace"):
        hitp2p.verify(story.folder / "song.txt")


def test_an_identity_is_judged_up_to_its_bound_and_not_past_it(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    dee = person("Dee")
    recovery = dee.take_recovery_key()
    project = story.ws.create_project("P", license="CC-BY-4.0", by=dee)
    work = story.work(dee, project, "work.txt", "Work")
    heads = story.ws.good_heads(dee.cid, dee.signer.public)
    story.ws.add_identity(dee.rotate(recovery, suspicion=False, good_heads=heads))
    story.ws.export(work, story.folder / "work.txt.car")
    monkeypatch.setattr(limits, "VERIFY_EVENTS", 2)
    assert hitp2p.verify(story.folder / "work.txt").headline is Headline.VERIFIED
    monkeypatch.setattr(limits, "VERIFY_EVENTS", 1)
    with pytest.raises(UsageError, match="2 events of the identity"):
        hitp2p.verify(story.folder / "work.txt")


def _page_bytes(path: Path) -> int:
    with path.open("rb") as file:
        return len(next(iter(CarReader(file))).data)


def test_what_can_not_be_read_is_a_clear_error(story: Story, song: SignedObject) -> None:
    with pytest.raises(NotFoundError, match="no such file"):
        hitp2p.verify(story.folder / "none.txt")
    with pytest.raises(UsageError, match="can't be read"):
        hitp2p.verify(story.folder)
    with pytest.raises(NotFoundError, match="no such file"):
        hitp2p.verify(story.folder / "song.txt", bundle=story.folder / "none.car")


@pytest.mark.parametrize("text", ["match", "match=near", "credits=answered:2", "time=witness:x"])
def test_an_unknown_requirement_lists_those_that_are_known(text: str) -> None:
    with pytest.raises(UsageError, match="match=exact, match=essence"):
        parse_requirements(text)


def test_ver_6_an_unmet_requirement_changes_the_status(story: Story, song: SignedObject) -> None:
    def verify(text: str) -> Report:
        return hitp2p.verify(story.folder / "song.txt", require=parse_requirements(text))

    met = "match=exact,record=complete,credits=confirmed,licence=ok,rivals=none,standing=good"
    assert verify(met).exit_status == 0
    report = verify(f"{met},time=witness:2,shares=agreed")
    assert (report.exit_status, report.unmet) == (13, ("time=witness:2", "shares=agreed"))
    unknown = hitp2p.verify(b"other", require=parse_requirements(",".join(REQUIREMENTS)))
    assert (unknown.exit_status, len(unknown.unmet)) == (40, len(REQUIREMENTS))


def test_no_flipped_byte_and_no_lost_block_is_ever_verified(
    story: Story, song: SignedObject
) -> None:
    """Every position of the bundle, one bit of each byte."""
    file = (story.folder / "song.txt").read_bytes()
    bundle = (story.folder / "song.txt.car").read_bytes()
    dice = Random(6)
    for position in range(len(bundle)):
        bad = bytearray(bundle)
        bad[position] ^= 1 << dice.randrange(8)
        assert hitp2p.verify(file, bundle=bytes(bad)).headline is Headline.BROKEN, position
    for cut in range(0, len(bundle), 7):
        assert hitp2p.verify(file, bundle=bundle[:cut]).headline is Headline.BROKEN, cut


def _blocks_of(bundle: bytes) -> tuple[tuple[Cid, ...], list[tuple[Cid, bytes]]]:
    car = CarReader(BytesIO(bundle))
    return car.roots, [(block.cid, block.data) for block in car]


def _car_of(roots: tuple[Cid, ...], blocks: list[tuple[Cid, bytes]]) -> bytes:
    sink = BytesIO()
    writer = CarWriter(sink, roots)
    for cid, data in blocks:
        writer.write(cid, data)
    return sink.getvalue()


@pytest.mark.parametrize("media", ["none", "all"])
def test_blocks_in_another_order_give_the_same_report(
    story: Story, song: SignedObject, media: MediaChoice
) -> None:
    big = story.work(ANA, story.ws.show(song.project or ""), "big.txt", "Big", text="x\n" * 2_000_000,
                     note="word " * 400)  # fmt: skip
    story.ws.export(big, story.folder / "big.car", media=media)
    file, bundle = story.folder / "big.txt", (story.folder / "big.car").read_bytes()
    expected = hitp2p.verify(file, bundle=bundle)
    assert expected.headline is Headline.VERIFIED
    roots, blocks = _blocks_of(bundle)
    dice = Random(7)
    for _ in range(20):
        dice.shuffle(blocks)
        assert hitp2p.verify(file, bundle=_car_of(roots, blocks)) == expected


def test_no_dropped_doubled_or_strange_block_is_ever_verified(
    story: Story, song: SignedObject
) -> None:
    file = (story.folder / "song.txt").read_bytes()
    roots, blocks = _blocks_of((story.folder / "song.txt.car").read_bytes())
    for place in range(len(blocks)):
        fewer = [*blocks[:place], *blocks[place + 1 :]]
        for bad in (fewer, fewer[::-1], [*blocks, blocks[place]], [blocks[place], *blocks[::-1]]):
            report = hitp2p.verify(file, bundle=_car_of(roots, bad))
            assert report.headline is Headline.BROKEN, place
    strange = (Cid.of(RAW, b"strange"), b"strange")
    for bad in ([*blocks, strange], [strange, *blocks]):
        assert hitp2p.verify(file, bundle=_car_of(roots, bad)).headline is Headline.BROKEN


def test_no_flipped_byte_of_the_file_is_ever_an_exact_match(
    story: Story, song: SignedObject
) -> None:
    bundle = (story.folder / "song.txt.car").read_bytes()
    file = (story.folder / "song.txt").read_bytes()
    for position in range(len(file)):
        for bit in range(8):
            bad = bytearray(file)
            bad[position] ^= 1 << bit
            report = hitp2p.verify(bytes(bad), bundle=bundle)
            assert report.match is None or report.match.tier is not Tier.EXACT


def test_verifying_needs_no_network_no_trio_and_no_store(tmp_path: Path) -> None:
    """In a process of its own: no socket is made, and nothing that could make one is imported."""
    program = (
        "import sys, hitp2p\n"
        "sys.addaudithook(lambda event, args: event.startswith('socket.') and sys.exit(event))\n"
        "print(hitp2p.verify(b'bytes').headline)\n"
        "bad = {'trio', 'http.client', 'urllib.request', 'requests', 'sqlite3', 'ipfshttpclient', 'rich'}\n"
        "sys.exit(str(bad & set(sys.modules)) if bad & set(sys.modules) else 0)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout) == (0, "UNKNOWN\n"), ran.stderr


def test_the_json_of_a_report_is_plain_values(story: Story, song: SignedObject) -> None:
    import json

    plain = report_json(hitp2p.verify(story.folder / "song.txt"))
    assert json.loads(json.dumps(plain)) == plain


@pytest.mark.parametrize("is_reversed", [False, True])
def test_a_bundle_of_many_leaves_is_read_up_to_the_bound_and_not_past_it(
    story: Story, song: SignedObject, is_reversed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = story.folder / "song.txt.car"
    story.ws.export(song, path, media="all")
    roots, blocks = _blocks_of(path.read_bytes())
    bundle = _car_of(roots, blocks[::-1] if is_reversed else blocks)
    monkeypatch.setattr(limits, "VERIFY_BLOCKS", len(blocks))
    assert hitp2p.verify(b"Song\n", bundle=bundle).headline is Headline.VERIFIED
    monkeypatch.setattr(limits, "VERIFY_BLOCKS", len(blocks) - 1)
    with pytest.raises(UsageError, match="import it into a workspace"):
        hitp2p.verify(b"Song\n", bundle=bundle)


def test_texts_out_of_order_are_held_up_to_the_bound(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In order they are read and let go; out of order a bundle of many long ones would fill the memory."""
    project = story.ws.create_project("Night Bus", license="CC-BY-SA-4.0", by=ANA)
    work = story.work(ANA, project, "a.txt", "A", note="word " * 100_000)
    path = story.folder / "a.txt.car"
    story.ws.export(work, path)
    roots, blocks = _blocks_of(path.read_bytes())
    monkeypatch.setattr(limits, "VERIFY_BYTES", 100_000)
    assert hitp2p.verify(b"A\n", bundle=_car_of(roots, blocks)).headline is Headline.VERIFIED
    with pytest.raises(UsageError, match="import it into a workspace"):
        hitp2p.verify(b"A\n", bundle=_car_of(roots, blocks[::-1]))


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
def test_the_greediest_bundle_that_is_taken_fits_into_200_mb(tmp_path: Path) -> None:
    """As many small maps as fit, which take twenty times their bytes; 195 MB were measured with the core packages."""
    works: list[SignedObject] = []
    base = [verdict_world.ANA.genesis, verdict_world.PROJECT]
    room = limits.VERIFY_BYTES - 400_000
    while room > 0:
        names = [{"name": f"{len(works)}.{n}", "role": "a"} for n in range(limits.CREDITS)]
        work = verdict_world.ANA.work(
            verdict_world.PROJECT,
            "W",
            parents=works[-1:],
            credits=names,
            media=verdict_world.media(),
        )
        works.append(work)
        room -= len(work.block)
    roots, blocks, _ = bundle_blocks(works[-1], World(*base, *works))
    path = tmp_path / "greedy.car"
    path.write_bytes(_car_of(roots, blocks))
    program = (
        "import pathlib, re, sys, hitp2p\n"
        "report = hitp2p.verify(b'the night bus\\n', bundle=sys.argv[1])\n"
        "status = pathlib.Path('/proc/self/status').read_text()\n"  # `ru_maxrss` counts the parent's
        "print(report.headline, re.search(r'VmHWM:\\s+([0-9]+) kB', status)[1])\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
    )
    headline, kib = ran.stdout.split()
    assert headline == "VERIFIED-WITH-GAPS"
    assert int(kib) * 1024 < 200_000_000
