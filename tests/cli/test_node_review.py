"""What waits for review, and takedowns, on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_harness import Cli

import hitp2p
from hitp2p.node.keeper import Keeper
from hitp2p.node.policy import Follow, Policy, Verdict
from hitp2p.objects.envelope import SignedObject
from hitp2p.protocol.actions import Admit
from hitp2p.store.contract import WriteBatch
from hitp2p.testing.people import Person
from hitp2p.testing.store_suite import media_entry, raw_block

ANA, BO = Person("Ana"), Person("Bo")
PROJECT = ANA.project()
SOUND = raw_block(b"sound")
VERSE = ANA.work(PROJECT, "Verse", license="CC-BY-ND-4.0", media=[media_entry(SOUND)])
REMIX = BO.work(
    PROJECT,
    "Remix",
    VERSE,
    license="CC0-1.0",
    media=[media_entry(SOUND)],
    uses=[{"work": str(VERSE.cid), "relation": "remix"}],
)
ON_TOP = ANA.work(PROJECT, "On top", REMIX)


@pytest.fixture
def place(tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with a node, for which a stranger's remix waits."""
    folder = tmp_path / "home"
    with hitp2p.open(folder) as ws:
        ws.store.put(WriteBatch(objects=[ANA.genesis, PROJECT, VERSE], blocks=[SOUND]))
        monkeypatch.setenv("HITP2P_WORKSPACE", str(folder))
        cli("node", "init", "--no-listen").ok()
        policy = Policy(follows=(Follow(topic=PROJECT.cid),), default=Verdict.REVIEW)
        with Keeper.open(ws.store, folder / ".hitp2p" / "node", policy=policy) as keeper:
            bring(keeper, BO.genesis, REMIX, ON_TOP)
    return folder


def bring(keeper: Keeper, *objects: SignedObject) -> None:
    pairs = tuple((obj.cid, obj.block) for obj in objects)
    keeper.admit(Admit(token=0, topic=PROJECT.cid, objects=(), blocks=pairs))


def test_what_waits_is_listed_shown_and_let_in(place: Path, cli: Cli) -> None:
    waiting = cli("node", "queue", "--json").ok().json["waiting"]
    assert [one["cid"] for one in waiting] == [str(REMIX.cid), str(ON_TOP.cid)]
    assert "Remix" in cli("node", "queue").ok().out
    name = str(REMIX.cid)[7:15]
    shown = cli("node", "queue", "--show", name, "--json").ok().json["shown"]
    assert (shown["sources"], shown["author_name"]) == ([str(VERSE.cid)], "Bo")
    text = cli("node", "queue", "--show", name).ok().out
    assert "made from: Verse" in text
    assert "forbidden: Verse" in text
    assert "file: audio/wav, master, 5 bytes" in text
    done = cli("node", "queue", "--approve", name, "--json").ok().json
    assert set(done["approved"]) == {str(REMIX.cid), str(ON_TOP.cid)}
    assert cli("node", "queue").ok().out == "nothing waits\n"
    with hitp2p.open(place) as ws:
        assert ws.store.row(REMIX.cid) is not None


def test_what_waits_is_dropped(place: Path, cli: Cli) -> None:
    done = cli("node", "queue", "--reject", str(REMIX.cid), "--json").ok().json
    assert set(done["rejected"]) == {str(REMIX.cid), str(ON_TOP.cid)}
    assert done["waiting"] == []


@pytest.mark.parametrize("name", ["", "zzzz", "bafyrei"])
def test_what_nothing_is_called_is_an_error(place: Path, cli: Cli, name: str) -> None:
    done = cli("node", "queue", "--show", name, "--json")
    assert (done.status, done.error["code"]) == (2, "not-found")


def test_a_file_is_taken_down_with_a_receipt_and_let_in_again(place: Path, cli: Cli) -> None:
    cid = str(SOUND[0])
    (receipt,) = (
        cli("node", "takedown", cid, "--reason", "a notice", "--json").ok().json["receipts"]
    )
    assert (receipt["cid"], receipt["removed"], receipt["reason"]) == (cid, 1, "a notice")
    with hitp2p.open(place) as ws:
        assert not ws.store.has(SOUND[0])
        assert ws.store.row(VERSE.cid) is not None
    assert "taken down, 1 blocks removed: a notice" in cli("node", "takedown").ok().out
    assert (
        "let in again: settled"
        in cli("node", "takedown", cid, "--undo", "--reason", "settled").ok().out
    )
    receipts = cli("node", "takedown", "--json").ok().json["receipts"]
    assert [one["taken_back"] for one in receipts] == [False, True]


def test_a_takedown_names_something(place: Path, cli: Cli) -> None:
    assert cli("node", "takedown").ok().out == "nothing was taken down\n"
    done = cli("node", "takedown", "--reason", "why", "--json")
    assert (done.status, done.error["code"]) == (2, "usage")
    done = cli("node", "takedown", str(PROJECT.cid), "--json")
    assert "what was signed stays" in done.error["message"]
