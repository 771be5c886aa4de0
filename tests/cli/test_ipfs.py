"""`hitp2p ipfs` against a real Kubo daemon, and against one that lies, refuses or isn't there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_harness import Cli
from fake_kubo import FakeKubo, answer
from kubo_daemon import KuboDaemon, running_kubo

SILENT = {"Provide.Enabled": "false"}
SWARM_KEY = "/key/swarm/psk/1.0.0/\n/base16/\n" + "5a" * 32 + "\n"


@pytest.fixture(scope="module")
def kubo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KuboDaemon]:
    with running_kubo(tmp_path_factory.mktemp("kubo"), online=True) as daemon:
        yield daemon


def status(cli: Cli, daemon: KuboDaemon, *more: str) -> Any:
    return cli("ipfs", "status", "--daemon", f"kubo:{daemon.api}", "--json", *more).ok().json


def codes(record: Any) -> set[str]:
    return {warning["code"] for warning in record["warnings"]}


def test_status_says_how_the_daemon_is_and_that_it_announces(
    cli: Cli, kubo: KuboDaemon, story: dict[str, str]
) -> None:
    shown = status(cli, kubo)
    assert shown["version"] == "0.43.1"
    assert shown["is_online"]
    assert [shown[word] for word in ("announces", "provide_enabled", "provide_running")] == [
        True
    ] * 3
    assert shown["provide_strategy"] == "all"
    assert shown["private_swarm"] is False
    assert 0 < shown["repo_bytes"] < shown["repo_limit_bytes"]
    assert (shown["n_linked"], shown["n_files"]) == (2, 2)
    assert [one["pinned"] for one in shown["projects"]] == [None]
    assert codes(shown) == {"announces"}
    text = cli("ipfs", "status", "--daemon", f"kubo:{kubo.api}").ok().out
    assert "every block that it has" in text
    assert "ipfs config --json Provide.Enabled false" in text


def test_status_of_a_daemon_that_announces_nothing_warns_of_nothing(
    cli: Cli, tmp_path: Path
) -> None:
    cli("init").ok()
    with running_kubo(tmp_path, online=True, config=SILENT) as daemon:
        shown = status(cli, daemon)
        assert (shown["announces"], shown["provide_running"]) == (False, False)
        assert codes(shown) == set()
        daemon.ipfs("config", "--json", "Provide.Enabled", "true")
        assert status(cli, daemon)["announces"]  # after the next start


def test_a_config_that_is_not_in_force_yet_is_told(cli: Cli, tmp_path: Path) -> None:
    cli("init").ok()
    with running_kubo(tmp_path, online=True) as daemon:
        daemon.ipfs("config", "--json", "Provide.Enabled", "false")
        shown = status(cli, daemon)
        assert (shown["announces"], shown["provide_enabled"]) == (True, False)
        assert "restart" in codes(shown)
        daemon.restart()
        assert codes(status(cli, daemon)) == set()


def test_a_swarm_key_counts_once_the_daemon_has_read_it(cli: Cli, tmp_path: Path) -> None:
    cli("init").ok()
    with running_kubo(tmp_path, online=True) as daemon:
        (daemon.repo / "swarm.key").write_text(SWARM_KEY)
        assert status(cli, daemon)["announces"]
        daemon.restart()
        shown = status(cli, daemon)
        assert shown["private_swarm"] is True
        assert not shown["announces"]


def test_an_offline_daemon_will_announce_once_it_is_online(cli: Cli, tmp_path: Path) -> None:
    cli("init").ok()
    with running_kubo(tmp_path, config={"Datastore.StorageMax": '"1KB"'}) as daemon:
        shown = status(cli, daemon)
        assert (shown["is_online"], shown["n_peers"], shown["announces"]) == (False, 0, True)
        assert codes(shown) == {"announces", "offline", "nearly-full"}


def test_status_counts_pins_that_are_gone(cli: Cli, tmp_path: Path) -> None:
    with running_kubo(tmp_path) as daemon:
        cli("tour", "t", "--store", f"kubo:{daemon.api}").ok()
        before = cli("ipfs", "status", "--workspace", "t", "--json").ok().json
        assert before["n_holds"] > 2
        assert before["n_unpinned"] == 0
        daemon.unpin(*[cid for cid, pin in daemon.pins().items() if "store:" in pin["Name"]][:2])
        after = cli("ipfs", "status", "--workspace", "t", "--json").ok().json
        assert (after["n_holds"], after["n_unpinned"]) == (before["n_holds"], 2)
        assert "unpinned" in codes(after)
        assert "hitp2p ipfs repair" in cli("ipfs", "status", "--workspace", "t").ok().out


def test_without_a_daemon_the_error_says_how_to_name_one(cli: Cli) -> None:
    cli("init").ok()
    error = cli("ipfs", "status", "--json").error
    assert error["code"] == "usage"
    assert "kubo:/ip4/127.0.0.1/tcp/5001" in error["next"]
    gone = cli("ipfs", "status", "--daemon", "kubo:/ip4/127.0.0.1/tcp/9", "--json").error
    assert gone["exit_status"] == 74
    assert "ipfs daemon" in gone["message"]


def test_credentials_come_from_a_file_of_their_own(cli: Cli, tmp_path: Path) -> None:
    cli("init").ok()
    entry = '{"Ana": {"AuthSecret": "bearer:s3cret", "AllowedPaths": ["/api/v0"]}}'
    with running_kubo(tmp_path, config={"API.Authorizations": entry}) as daemon:
        ask = ("ipfs", "status", "--daemon", f"kubo:{daemon.api}", "--json")
        assert "asks for credentials" in cli(*ask).error["message"]
        secret = Path("secret")
        secret.write_text("bearer:s3cret\n")
        secret.chmod(0o644)
        assert cli(*ask, "--credentials", "secret").error["code"] == "key-file"
        secret.chmod(0o600)
        assert cli(*ask, "--credentials", "secret").ok().json["version"]
        secret.write_text("bearer:wrong\n")
        assert "asks for credentials" in cli(*ask, "--credentials", "secret").error["message"]


def test_a_daemon_that_answers_nonsense_is_told(cli: Cli, kubo: KuboDaemon) -> None:
    cli("init").ok()
    with FakeKubo(behind=kubo.api) as fake:
        ask = ("ipfs", "status", "--daemon", f"kubo:{fake.api}", "--json")
        for command in ("config/show", "repo/stat", "swarm/peers"):
            fake.says(command, answer(b"<html>"))
            assert command in cli(*ask).error["message"]
            fake.tells_the_truth()
        fake.says("config/show", answer({"Provide": [], "Datastore": 1}))
        fake.says("repo/stat", answer({"RepoSize": -1, "StorageMax": "x", "RepoPath": 3}))
        shown = cli(*ask).ok().json
        assert shown["announces"]  # what isn't said to be off is on
        assert shown["private_swarm"] is None


def test_a_push_prints_what_others_type(cli: Cli, kubo: KuboDaemon, story: dict[str, str]) -> None:
    ran = cli("ipfs", "push", "--to", f"kubo:{kubo.api}").ok()
    shown = status(cli, kubo)
    (project,) = shown["projects"]
    assert project["pinned"] == project["snapshot"]
    for line in (f"hitp2p pull {project['pinned']}", f"ipfs pin add {project['pinned']}"):
        assert line in ran.out
    assert (
        "nothing to send" in cli("ipfs", "push", "Night Bus", "--to", f"kubo:{kubo.api}").ok().out
    )
    part = cli("ipfs", "push", "--to", f"kubo:{kubo.api}", "--media", "none", "--json").ok().json
    assert part["projects"][0]["is_pinned"]  # all of it is there already


def test_a_push_without_media_or_without_a_project_is_told(
    cli: Cli, kubo: KuboDaemon, story: dict[str, str]
) -> None:
    cli("project", "new", "Rain", "--as", "Ana", "--yes").ok()
    cli("contribute", "verse.txt", "--title", "V", "--project", "Rain", "--as", "Ana").ok()
    to = ("--to", f"kubo:{kubo.api}")
    told = cli("ipfs", "push", "Rain", *to, "--media", "none").ok().out
    assert "not pinned as a whole: 1 file left out by --media" in told
    assert cli("ipfs", "push", "Nothing", *to, "--json").error["code"] == "not-found"
    for verb, option in (("push", "--to"), ("status", "--daemon kubo:")):
        step = cli("ipfs", verb, "--json").error["next"]
        assert step.startswith("Say which daemon")
        assert option in step
    cli("init", "empty").ok()
    assert cli("ipfs", "push", "--workspace", "empty", *to, "--json").error["code"] == "not-found"


def test_an_unlisted_project_is_not_pushed(
    cli: Cli, kubo: KuboDaemon, story: dict[str, str]
) -> None:
    cli("project", "mark", "--unlisted").ok()
    error = cli("ipfs", "push", "--to", f"kubo:{kubo.api}", "--json").error
    assert error["code"] == "unlisted"


def test_announcing_is_refused_with_the_reason_by_a_daemon_that_can_not(
    cli: Cli, kubo: KuboDaemon, story: dict[str, str], tmp_path: Path
) -> None:
    to = f"kubo:{kubo.api}"
    assert "hitp2p ipfs push" in cli("ipfs", "announce", "--daemon", to, "--json").error["next"]
    cli("ipfs", "push", "--to", to).ok()
    told = cli("ipfs", "announce", "--daemon", to, "--json").error
    assert "it is connected to nobody" in told["message"]
    with running_kubo(tmp_path) as offline:
        to = f"kubo:{offline.api}"
        cli("ipfs", "push", "--to", to).ok()
        told = cli("ipfs", "announce", "--daemon", to, "--json").error
        assert "runs without a network" in told["message"]
        assert told["exit_status"] == 74
    with running_kubo(tmp_path / "silent", online=True, config=SILENT) as silent:
        to = f"kubo:{silent.api}"
        cli("ipfs", "push", "--to", to).ok()
        told = cli("ipfs", "announce", "--daemon", to, "--json").error
        assert "Provide.Enabled true" in told["message"]


def test_what_is_announced_is_found_by_another_daemon(
    cli: Cli, story: dict[str, str], tmp_path: Path
) -> None:
    with (
        running_kubo(tmp_path / "a", online=True) as a,
        running_kubo(tmp_path / "b", online=True) as b,
    ):
        a.rpc("swarm/connect", arg=b.rpc("id")[0]["Addresses"][0])
        cli("ipfs", "push", "--to", f"kubo:{a.api}").ok()
        ask = ("ipfs", "announce", "--daemon", f"kubo:{a.api}", "--json")
        (one,) = cli(*ask).ok().json["announced"]
        assert one["n_announced"] == 3  # the snapshot, the project, the song
        cli("project", "new", "Rain", "--as", "Ana", "--yes").ok()  # which is pinned nowhere
        assert len(cli(*ask).ok().json["announced"]) == 1
        assert "with all its media" in cli(*ask, "Rain").error["next"]
        found = b.rpc("routing/findprovs", arg=one["snapshot"], **{"num-providers": "1"})
        assert any(line.get("Responses") for line in found)
        (deep,) = cli(*ask, "--deep").ok().json["announced"]
        assert deep["n_announced"] > 7
        verse = cli("show", story["verse"], "--json").ok().json["cid"]
        (block,) = cli(*ask, verse).ok().json["announced"]
        assert (block["n_announced"], block["snapshot"]) == (1, None)
        lost = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"
        assert "doesn't have" in cli(*ask, lost).error["message"]
        cli("project", "mark", "Night Bus", "--unlisted").ok()
        cli("project", "mark", "Rain", "--unlisted").ok()
        for name in ("Night Bus", verse, lost):
            assert cli(*ask, name).error["code"] == "unlisted"
        assert cli(*ask).ok().json["announced"] == []


def test_an_older_kubo_announces_by_its_older_command(
    cli: Cli, kubo: KuboDaemon, story: dict[str, str]
) -> None:
    cli("ipfs", "push", "--to", f"kubo:{kubo.api}").ok()
    with FakeKubo(behind=kubo.api) as fake:
        fake.says("provide/once", answer(b"404 page not found", 404))
        fake.says("routing/provide", answer(b'{"ID":"","Type":4}\n'))
        ask = ("ipfs", "announce", "--daemon", f"kubo:{fake.api}", "--json")
        (one,) = cli(*ask).ok().json["announced"]
        assert one["n_announced"] == 3
        asked = [each for each in fake.asked if each.command == "routing/provide"]
        assert len(asked[0].options["arg"]) == 3


def test_pins_are_listed_by_name_also_those_of_workspaces_that_are_gone(
    cli: Cli, story: dict[str, str], tmp_path: Path
) -> None:
    with running_kubo(tmp_path) as daemon:
        to = f"kubo:{daemon.api}"
        ask = ("ipfs", "pins", "--daemon", to)
        assert "pins nothing" in cli(*ask).ok().out
        cli("tour", "t", "--store", to).ok()
        cli("ipfs", "push", "--to", to).ok()
        daemon.ipfs("pin", "add", "--name", "hitp2p:mine", "bafkqaaa")
        groups = cli(*ask, "--json").ok().json["pins"]
        assert [(one["kind"], one["is_own"], one["title"]) for one in groups] == [
            ("snapshot", True, "Night Bus"),
            ("other", False, None),
            ("workspace", False, None),
        ]
        own = cli("ipfs", "pins", "--workspace", "t", "--json").ok().json["pins"]
        assert [(one["kind"], one["is_own"]) for one in own] == [
            ("snapshot", False),
            ("other", False),
            ("workspace", True),
        ]
        assert own[2]["n_pins"] == len(own[2]["cids"]) > 3
        told = cli(*ask).ok().out
        assert "another workspace" in told
        for cid in groups[2]["cids"]:  # as the advice does
            listed = daemon.ipfs(
                "pin", "ls", "--type=recursive", "--names", "-n", groups[2]["name"]
            )
            assert cid in listed.decode()


def test_status_warns_of_an_unlisted_project_that_is_announced(
    cli: Cli, kubo: KuboDaemon, story: dict[str, str]
) -> None:
    cli("ipfs", "push", "--to", f"kubo:{kubo.api}").ok()
    cli("project", "mark", "--unlisted").ok()
    assert "unlisted" in codes(status(cli, kubo))
    cli("tour", "t", "--store", f"kubo:{kubo.api}").ok()
    assert "unlisted" not in codes(status(cli, kubo, "--workspace", "t"))
    cli("project", "mark", "Night Bus", "--unlisted", "--workspace", "t").ok()
    assert "unlisted" in codes(status(cli, kubo, "--workspace", "t"))


VERBS = (
    ("ipfs", "status"),
    ("ipfs", "push"),
    ("ipfs", "announce"),
    ("ipfs", "pins"),
    ("ipfs", "repair"),
    ("ipfs", "remote", "list"),
    ("ipfs", "remote", "push", "--service", "club"),
    ("ipfs", "remote", "status", "--service", "club"),
    ("ipfs", "remote", "rm", "club"),
    ("ipfs", "remote", "add", "club", "https://pins.example", "--key-file", "service.key"),
)


@pytest.mark.parametrize("argv", VERBS, ids=" ".join)
def test_every_verb_tells_of_a_daemon_that_is_off_or_shut(
    cli: Cli, story: dict[str, str], argv: tuple[str, ...]
) -> None:
    key = Path("service.key")
    key.touch(0o600)
    key.write_text("s3cret")
    daemon = "--to" if "push" in argv and "remote" not in argv else "--daemon"
    off = cli(*argv, daemon, "kubo:/ip4/127.0.0.1/tcp/9", "--json").error
    assert (off["code"], off["exit_status"]) == ("backend", 74)
    assert '"ipfs daemon"' in off["message"]
    with FakeKubo() as fake:
        for command in COMMANDS:
            fake.says(command, answer(b"403 - Forbidden", 403))
        shut = cli(*argv, daemon, f"kubo:{fake.api}", "--json").error
        assert "API.Authorizations" in shut["message"]
        assert "kubo.auth" in shut["next"]
        for command in COMMANDS:
            fake.says(command, answer(b"404 page not found", 404))
        assert off["next"].startswith("hitp2p ipfs status")
        assert "--store kubo:" in off["next"]
        wrong = cli(*argv, daemon, f"kubo:{fake.api}", "--json").error
        assert "not Kubo's RPC port" in wrong["message"]
    assert cli(*argv, daemon, "kubo:nonsense", "--json").error["code"] == "usage"


COMMANDS = (
    "version",
    "pin/ls",
    "pin/remote/ls",
    "pin/remote/service/add",
    "pin/remote/service/ls",
)


def test_the_store_s_own_credentials_go_to_its_own_daemon_alone(
    cli: Cli, kubo: KuboDaemon, tmp_path: Path
) -> None:
    entry = '{"Ana": {"AuthSecret": "basic:ana:s3cret", "AllowedPaths": ["/api/v0"]}}'
    with running_kubo(tmp_path, config={"API.Authorizations": entry}) as daemon:
        Path(".hitp2p").mkdir()
        secret = Path(".hitp2p/kubo.auth")
        secret.touch(0o600)
        secret.write_text("basic:ana:s3cret\n")
        cli("init", "--store", f"kubo:{daemon.api}").ok()
        for argv in (("status",), ("pins",), ("repair",)):
            cli("ipfs", *argv, "--json").ok()
            cli("ipfs", *argv, "--daemon", f"kubo:{daemon.api}", "--json").ok()
        with FakeKubo(behind=kubo.api) as fake:
            cli("ipfs", "pins", "--daemon", f"kubo:{fake.api}").ok()
            assert not any("Authorization" in asked.headers for asked in fake.asked)


def test_groups_and_their_verbs_complete() -> None:
    assert complete("hitp2p", "ipfs", "re") == ["repair", "remote"]
    assert complete("hitp2p", "ipfs", "remote", "l") == ["list"]


def complete(*words: str) -> list[str]:
    ran = subprocess.run(
        [sys.executable, "-c", "from hitp2p.cli.main import main; main()"],
        env=os.environ | {"_HITP2P_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(words),
                          "COMP_CWORD": str(len(words) - 1)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return [line.partition(",")[2] for line in ran.stdout.splitlines() if line]
