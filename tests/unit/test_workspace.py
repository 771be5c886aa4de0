"""The workspace: what a person does, in a folder and in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import hitp2p
from hitp2p.errors import AmbiguousNameError, LicenseError, NotFoundError, UsageError
from hitp2p.objects.contribution import ForeignSource, Use
from hitp2p.store.contract import WriteBatch
from hitp2p.trail.standing import Standing
from hitp2p.workspace import Workspace

NOW = 1_790_000_000_000


@pytest.fixture(params=["folder", "memory"])
def ws(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workspace]:
    where = tmp_path / "ws" if request.param == "folder" else ":memory:"
    with hitp2p.open(where, clock=lambda: NOW) as workspace:
        yield workspace


@pytest.fixture
def ana() -> hitp2p.Identity:
    return hitp2p.Identity.create("Ana")


@pytest.fixture
def bo() -> hitp2p.Identity:
    return hitp2p.Identity.create("Bo")


@pytest.fixture
def verse(tmp_path: Path) -> Path:
    path = tmp_path / "verse.txt"
    path.write_text("the night bus\n")
    return path


def test_a_remix_names_its_source_and_the_persons_sentence(
    ws: Workspace, ana: hitp2p.Identity, bo: hitp2p.Identity, verse: Path
) -> None:
    p = ws.create_project("Night Bus", license="CC-BY-SA-4.0", by=ana)
    first = ws.contribute(p, verse, title="Verse", roles=["lyr"], by=ana)
    song = ws.remix([first], verse, title="Song", note="Ana's verse made me sing", by=bo)
    assert song.parents == (first.cid,)
    assert song.body["uses"] == [
        {"work": str(first.cid), "relation": "remix", "note": "Ana's verse made me sing"}
    ]
    assert song.body["license"] == "CC-BY-SA-4.0"
    assert song.time == NOW
    assert ws.store.heads(p.cid) == (song.cid,)
    lines = ws.credits(song).lines
    assert [line.title for line in lines] == ["Song", "Verse"]
    text = ws.trail(p).text()
    assert "Song" in text
    assert "remix of Verse" in text


def test_a_note_too_long_for_a_body_becomes_a_text_block(
    ws: Workspace, ana: hitp2p.Identity
) -> None:
    p = ws.create_project("P", by=ana)
    long = "so much to say " * 100
    work = ws.contribute(p, title="Words", note=long, by=ana)
    assert "note" not in work.body
    assert ws.store.get(work.body["note_block"]) == long.encode()


def test_a_work_of_another_project_is_used_but_no_parent(
    ws: Workspace, ana: hitp2p.Identity, bo: hitp2p.Identity, verse: Path
) -> None:
    p = ws.create_project("P", license="CC-BY-4.0", by=ana)
    q = ws.create_project("Q", license="CC-BY-4.0", by=bo)
    first = ws.contribute(p, verse, title="Verse", by=ana)
    other = ws.remix([(first, "sample")], title="Elsewhere", project=q, by=bo)
    assert other.parents == (q.cid,)
    assert other.body["uses"][0] == {
        "work": str(first.cid),
        "project": str(p.cid),
        "relation": "sample",
    }


@pytest.mark.parametrize("dry_run", [False, True])
def test_only_what_is_here_can_be_built_on(
    ws: Workspace, ana: hitp2p.Identity, bo: hitp2p.Identity, dry_run: bool
) -> None:
    p = ws.create_project("P", by=ana)
    with hitp2p.open(":memory:") as elsewhere:
        elsewhere.store.put(WriteBatch(objects=(*ana.events, p)))
        same_project = elsewhere.contribute(p, title="In P", by=ana)
        other_project = elsewhere.contribute(
            elsewhere.create_project("Q", by=bo), title="In Q", by=bo
        )
    for work in (same_project, other_project):
        for name in (work, work.cid, str(work.cid)):
            with pytest.raises(NotFoundError, match=f"{work.cid} is not in this workspace"):
                ws.remix([name], title="More", project=p, by=ana, dry_run=dry_run)
    assert [row.cid for row in ws.rows(project=p)] == [p.cid]


def test_a_removed_project_takes_no_more_works(ws: Workspace, ana: hitp2p.Identity) -> None:
    p = ws.create_project("P", by=ana)
    work = ws.contribute(p, title="Verse", by=ana)
    ws.remix([work], title="Song", by=ana)
    ws.store.remove([row.cid for row in ws.rows(project=p)])
    with pytest.raises(NotFoundError):
        ws.contribute(p, title="Verse", by=ana)
    with pytest.raises(NotFoundError):
        ws.remix([work], title="Song", by=ana)


def test_a_remix_of_something_outside_says_where_it_goes(
    ws: Workspace, ana: hitp2p.Identity
) -> None:
    p = ws.create_project("P", by=ana)
    rain = Use(
        source=ForeignSource(url="https://example.org/rain", title="Rain", license="CC0-1.0"),
        relation="sample",
    )
    with pytest.raises(UsageError, match="say which project"):
        ws.remix([rain], title="Rainy", by=ana)
    assert ws.remix([rain], title="Rainy", project=p, by=ana).parents == (p.cid,)


def test_lic_2_a_source_that_forbids_it_stops_a_work_unless_a_reason_is_given(
    ws: Workspace, ana: hitp2p.Identity, bo: hitp2p.Identity
) -> None:
    p = ws.create_project("P", license="CC-BY-4.0", by=ana)
    beat = ws.contribute(p, title="Beat", license="CC-BY-NC-4.0", by=ana)
    with pytest.raises(LicenseError, match="allowed would be: CC-BY-NC"):
        ws.remix([beat], title="Song", by=bo)
    assert ws.remix([beat], title="Song", by=ana).body["license"] == "CC-BY-4.0"
    signed = ws.remix([beat], title="Song", unchecked="Two seconds, a quotation", by=bo)
    assert signed.body["unchecked"] == "Two seconds, a quotation"


def test_a_source_of_an_unknown_kind_says_nothing_of_its_license(
    ws: Workspace, ana: hitp2p.Identity, bo: hitp2p.Identity
) -> None:
    p = ws.create_project("P", license="CC-BY-4.0", by=ana)
    body = {"title": 7, "license": ["not", "text"]}
    mix = ws._sign("x-mix", body, by=ana, project=p.cid, parents=(p.cid,))
    assert ws.remix([mix], title="Song", by=bo).parents == (mix.cid,)
    with pytest.raises(LicenseError, match="x-mix"):
        ws.remix([mix], title="Song", license="CC0-1.0", by=bo)


def test_lic_4_a_grant_lets_a_work_pass(
    ws: Workspace, ana: hitp2p.Identity, bo: hitp2p.Identity
) -> None:
    p = ws.create_project("P", license="CC-BY-4.0", by=ana)
    photo = ws.contribute(p, title="Photo", license="CC-BY-ND-4.0", by=ana)
    ws.grant(photo, grantee=bo.cid, license="CC-BY-4.0", by=ana)
    assert ws.remix([photo], title="Collage", by=bo).parents == (photo.cid,)
    with pytest.raises(LicenseError, match="nothing made of a work under"):
        ws.remix([photo], title="Collage", by=hitp2p.Identity.create("Cy"))


def test_foreign_sources_and_parts_are_kept(
    ws: Workspace, ana: hitp2p.Identity, verse: Path
) -> None:
    p = ws.create_project("P", by=ana)
    first = ws.contribute(p, verse, title="Verse", by=ana)
    rain = ForeignSource(url="https://example.org/rain", title="Rain", license="CC0-1.0")
    work = ws.remix(
        [Use(work=first.cid, relation="extract", part="char=0,3")],
        title="Rainy",
        uses=[(rain, "sample")],
        credits=[("Someone Else", "prf"), (ana, "lyr")],
        by=ana,
    )
    assert work.body["uses"][1]["source"]["title"] == "Rain"
    assert {line.title for line in ws.credits(work).lines} == {"Rainy", "Verse", "Rain"}


def test_a_dry_run_signs_and_stores_nothing(
    ws: Workspace, ana: hitp2p.Identity, verse: Path
) -> None:
    p = ws.create_project("P", by=ana)
    before = ws.store.last_seq()
    work = ws.contribute(p, verse, title="Verse", by=ana, dry_run=True)
    assert work.kind == "contribution"
    assert ws.store.last_seq() == before
    assert not ws.store.has(work.cid)


def test_the_change_feed_goes_on_where_it_stopped(ws: Workspace, ana: hitp2p.Identity) -> None:
    p = ws.create_project("P", by=ana)
    seen = list(ws.watch())
    assert [change.row.kind for change in seen] == ["identity", "project"]
    work = ws.contribute(p, title="W", by=ana)
    assert [change.row.cid for change in ws.watch(seen[-1].seq)] == [work.cid]


def test_a_licence_that_the_project_does_not_accept_is_refused(
    ws: Workspace, ana: hitp2p.Identity
) -> None:
    p = ws.create_project("P", license="CC-BY-4.0", accepts=["CC-BY-4.0"], by=ana)
    with pytest.raises(UsageError, match=r"accepts CC-BY-4\.0"):
        ws.contribute(p, title="W", license="CC0-1.0", by=ana)


def test_names_are_short_and_ambiguous_ones_are_listed(ws: Workspace, ana: hitp2p.Identity) -> None:
    p = ws.create_project("P", by=ana)
    text = str(p.cid)
    assert ws.resolve(text) == p.cid
    assert ws.resolve(text[7:11]) == p.cid
    assert ws.resolve(text[:13]) == p.cid
    with pytest.raises(UsageError):
        ws.resolve(text[7:10])
    with pytest.raises(NotFoundError):
        ws.resolve("2222222222")


def test_two_objects_that_begin_alike_are_both_named() -> None:
    from hitp2p.codec.cid import DAG_CBOR, Cid
    from hitp2p.naming import resolve_short

    class Two:
        def match_prefix(self, text: str, /, limit: int) -> tuple[Cid, ...]:
            return (Cid.of(DAG_CBOR, b"1"), Cid.of(DAG_CBOR, b"2"))

    with pytest.raises(AmbiguousNameError) as caught:
        resolve_short("abcd", Two(), lambda cid: None)
    assert len(caught.value.cids) == 2


def test_a_dropped_key_leaves_what_it_signed_well_good(
    ws: Workspace, ana: hitp2p.Identity, bo: hitp2p.Identity, verse: Path
) -> None:
    p = ws.create_project("P", by=ana)
    work = ws.contribute(p, verse, title="Verse", by=ana)
    heads = ws.good_heads(ana.cid, ana.signer.public)
    assert heads == {p.cid: (work.cid,)}
    recovery = ana.take_recovery_key()
    later = ana.rotate(recovery, suspicion=True, good_heads=heads)
    late = ws.contribute(p, title="By a thief", by=ana)
    ws.add_identity(later)
    assert ws.standing(work).standing is Standing.GOOD
    assert ws.standing(late).standing is Standing.DISAVOWED
    with pytest.raises(UsageError, match="dropped"):
        ws.contribute(p, title="Again", by=ana)
    assert ws.contribute(p, title="New key", by=later).signer == later.signer.public


def test_a_file_that_is_not_there_leaves_nothing(
    ws: Workspace, ana: hitp2p.Identity, tmp_path: Path
) -> None:
    p = ws.create_project("P", by=ana)
    before = ws.store.last_seq()
    with pytest.raises(NotFoundError, match=r"missing\.wav"):
        ws.contribute(p, tmp_path / "missing.wav", title="W", by=ana)
    assert ws.store.last_seq() == before


def test_a_missing_workspace_is_not_made_when_that_is_not_wanted(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        hitp2p.open(tmp_path / "nowhere", create=False)
    assert not (tmp_path / "nowhere").exists()


def test_a_workspace_knows_where_its_folder_is(tmp_path: Path) -> None:
    with hitp2p.open(tmp_path / "ws") as folder, hitp2p.open(":memory:") as memory:
        assert folder.folder == tmp_path / "ws" / ".hitp2p"
        assert memory.folder is None
