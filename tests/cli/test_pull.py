"""`hitp2p pull`, and what `cat`, `export` and `kit` fetch on demand, through a real daemon."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_harness import Cli
from kubo_daemon import KuboDaemon, running_kubo

import hitp2p


@pytest.fixture(scope="module")
def kubo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KuboDaemon]:
    with running_kubo(tmp_path_factory.mktemp("kubo"), online=True) as daemon:
        yield daemon


@pytest.fixture
def via(kubo: KuboDaemon) -> str:
    return f"kubo:{kubo.api}"


@pytest.fixture
def snapshot(cli: Cli, story: dict[str, str], via: str) -> str:
    """The project of the story, on the daemon; the workspace `other` is empty."""
    pushed = cli("ipfs", "push", "--to", via, "--json").ok().json
    cli("init", "other").ok()
    found: str = pushed["projects"][0]["snapshot"]
    return found


def test_a_project_is_pulled_and_said_in_words(
    cli: Cli, story: dict[str, str], snapshot: str, via: str
) -> None:
    ran = cli("pull", snapshot, "--via", via, "--workspace", "other").ok()
    assert "Night Bus  project" in ran.out
    assert "5 are new here" in ran.out
    again = cli("pull", f"ipfs://{snapshot}", "--via", via, "--workspace", "other", "--json").ok()
    assert again.json["n_new"] == 0
    assert again.json["snapshots"] == [snapshot]
    assert again.json["projects"] == [{"cid": story["project"], "title": "Night Bus"}]


def test_of_a_project_its_pinned_snapshot_comes_and_without_one_that_is_told(
    cli: Cli, kubo: KuboDaemon, story: dict[str, str], snapshot: str, via: str
) -> None:
    kubo.unpin(snapshot)
    alone = cli("pull", story["project"], "--via", via, "--workspace", "other").ok().out
    assert "No snapshot of the project is known" in alone
    cli("ipfs", "push", "--to", via).ok()
    whole = cli("pull", story["project"], "--via", via, "--workspace", "other").ok().out
    assert "No snapshot" not in whole
    assert "5 objects, of which 3 are new here" in whole


def test_files_come_when_they_are_asked_for(
    cli: Cli,
    story: dict[str, str],
    snapshot: str,
    via: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HITP2P_VIA", via)
    monkeypatch.setenv("HITP2P_WORKSPACE", "other")
    cli("pull", snapshot).ok()
    assert cli("cat", story["verse"]).ok().out == Path("verse.txt").read_text()
    monkeypatch.delenv("HITP2P_VIA")
    refused = cli("cat", story["song"], "--json")
    assert refused.status == 40
    assert "--via" in refused.error["next"]
    bare = cli("export", story["song"], "-o", "a.car", "--media", "all", "--json").ok().json
    assert len(bare["missing"]) == 1
    whole = cli("export", story["song"], "-o", "b.car", "--media", "all", "--via", via, "--json")
    assert whole.ok().json["missing"] == []
    assert cli("cat", story["song"], "--json").ok().json["size_bytes"] == 44


def test_a_kit_has_the_file_that_was_not_here(
    cli: Cli, story: dict[str, str], snapshot: str, via: str
) -> None:
    cli("pull", snapshot, "--via", via, "--workspace", "other").ok()
    kit = ("kit", story["song"], "-o", "song.zip", "--via", via, "--workspace", "other", "--json")
    assert cli(*kit).ok().json["missing"] == []


def test_a_sealed_file_takes_along_sources_that_were_not_here(
    cli: Cli, story: dict[str, str], snapshot: str, via: str
) -> None:
    cli("pull", snapshot, "--via", via, "--workspace", "other").ok()
    seal = ("seal", "song.wav", "-o", "sent.wav", "--media", "all", "--workspace", "other")
    cli(*seal, "--via", via).ok()
    with hitp2p.open(":memory:") as ws:
        ws.import_("sent.wav.car")
        assert b"".join(ws.cat(story["verse"])) == Path("verse.txt").read_bytes()


def test_media_come_along_when_they_are_wanted(
    cli: Cli, story: dict[str, str], snapshot: str, via: str
) -> None:
    pull = ("pull", snapshot, "--via", via, "--workspace", "other", "--json")
    assert cli(*pull, "--media", "work").ok().json["missing"] == []
    with hitp2p.open("other") as ws:
        assert b"".join(ws.cat(story["song"])) == Path("song.wav").read_bytes()
    assert "Not here" in cli("fsck", "--workspace", "other").ok().out


def test_what_does_not_come_ends_with_what_to_do(
    cli: Cli, story: dict[str, str], via: str, kubo: KuboDaemon
) -> None:
    with hitp2p.open(".") as ws:
        verse = ws.show(story["verse"])
        lost = ws.remix([verse], title="Lost", by=hitp2p.Identity.create("Cy"), dry_run=True).cid
    cli("init", "other").ok()
    ran = cli("pull", str(lost), "--via", via, "--within", "0.2", "--workspace", "other", "--json")
    assert ran.status == 40
    assert ran.error["code"] == "missing-blocks"
    assert ran.error["cids"] == [str(lost)]
    assert "--provider" in ran.error["next"]
    ran = cli("pull", "k3f9z2ab", "--via", via, "--json")
    assert (ran.status, ran.error["code"]) == (2, "usage")
    ran = cli("pull", str(lost), "--workspace", "other", "--json")
    assert "--via" in ran.error["next"]


def test_nothing_is_fetched_for_an_unlisted_project_through_a_daemon_that_announces(
    cli: Cli, story: dict[str, str], snapshot: str, via: str
) -> None:
    cli("pull", snapshot, "--via", via, "--workspace", "other").ok()
    cli("project", "mark", story["project"], "--unlisted", "--workspace", "other").ok()
    for verb in (("cat", story["song"]), ("pull", story["song"])):
        ran = cli(*verb, "--via", via, "--workspace", "other", "--json")
        assert ran.error["code"] == "unlisted"


def test_a_workspace_on_a_daemon_fetches_without_being_told(
    cli: Cli, story: dict[str, str], snapshot: str, via: str
) -> None:
    cli("init", "there", "--store", via).ok()
    cli("pull", snapshot, "--workspace", "there").ok()
    assert cli("cat", story["verse"], "--workspace", "there").ok().out.startswith("The last bus")
