"""`hitp2p ipfs repair`: what it says, and its exit status."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_harness import Cli
from kubo_daemon import KuboDaemon, running_kubo

from hitp2p.codec.cid import Cid
from hitp2p.store.holds import alias_of


def lose(daemon: KuboDaemon, *cids: str) -> None:
    daemon.unpin(*daemon.pins())
    for cid in cids:
        daemon.rpc("block/rm", arg=str(alias_of(Cid.parse(cid))), force="true")


def test_what_is_lost_is_told_and_mended(cli: Cli, story: dict[str, str], tmp_path: Path) -> None:
    cli("export", story["song"], "-o", "song.car", "--media", "all").ok()
    sound = cli("show", story["song"], "--json").ok().json["body"]["media"][0]["file"]["/"]
    with running_kubo(tmp_path) as daemon:
        cli("init", "k", "--store", f"kubo:{daemon.api}").ok()
        cli("import", "song.car", "--workspace", "k").ok()
        ask = ("ipfs", "repair", "--workspace", "k")
        assert "has and pins all of it" in cli(*ask).ok().out
        lose(daemon, story["verse"], sound)
        seen = cli(*ask, "--dry-run")
        assert seen.status == 74
        for words in (
            "to be pinned again",
            "to be had again",
            "1 block LOST",
            sound,
            "--from STORE",
        ):
            assert words in seen.out
        part = cli(*ask, "--json")
        assert part.status == 74
        assert (part.json["restored"], part.json["lost"]) == ([story["verse"]], [sound])
        assert part.json["n_unpinned"] > 0
        again = cli(*ask, "--from", ".", "--json").ok().json
        assert (again["restored"], again["lost"], again["n_unpinned"]) == ([sound], [], 0)
        daemon.gc()
        assert cli(*ask, "--json").ok().json["was_sound"]
        wav = cli("cat", story["song"], "--workspace", "k", "--json").ok().json
        assert wav["size_bytes"] == Path("song.wav").stat().st_size


def test_a_second_daemon_may_have_what_the_first_lost(
    cli: Cli, story: dict[str, str], tmp_path: Path
) -> None:
    with running_kubo(tmp_path / "a") as a, running_kubo(tmp_path / "b") as b:
        cli("ipfs", "push", "--to", f"kubo:{b.api}").ok()
        cli("tour", "t", "--store", f"kubo:{a.api}").ok()
        cli("export", story["song"], "-o", "song.car", "--media", "all").ok()
        cli("import", "song.car", "--workspace", "t").ok()
        sound = cli("show", story["song"], "--json").ok().json["body"]["media"][0]["file"]["/"]
        lose(a, sound)
        ask = ("ipfs", "repair", "--workspace", "t", "--json")
        assert cli(*ask).json["lost"] == [sound]
        done = cli(*ask, "--from", f"kubo:{b.api}").ok().json
        assert done["restored"] == [sound]


@pytest.mark.parametrize("source", ["nowhere", "kubo:x"])
def test_a_source_that_is_none_is_told_before_anything_happens(
    cli: Cli, story: dict[str, str], tmp_path: Path, source: str
) -> None:
    with running_kubo(tmp_path) as daemon:
        ask = ("ipfs", "repair", "--daemon", f"kubo:{daemon.api}", "--from", source, "--json")
        assert cli(*ask).error["exit_status"] == 2
