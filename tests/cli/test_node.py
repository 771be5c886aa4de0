"""A node on the command line, in real processes that speak to each other."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from cli_harness import Cli
from node_process import NodeProcess, eventually, hitp2p_process, running_node

import hitp2p

ANYWHERE = "/ip4/127.0.0.1/tcp/0"


class Place:
    """A workspace with a node."""

    def __init__(self, path: Path, *, listen: bool = True, peers: tuple[str, ...] = ()) -> None:
        self.path = path
        with hitp2p.open(path):
            pass
        ways = ["--listen", ANYWHERE] if listen else ["--no-listen"]
        dialled = [word for peer in peers for word in ("--peer", peer)]
        hitp2p_process("node", "init", *ways, *dialled, workspace=path)

    def follow(self, topic: str, *more: str) -> None:
        hitp2p_process("node", "follow", topic, *more, workspace=self.path)

    def contribute(self, project: str, title: str, ana: hitp2p.Identity) -> str:
        with hitp2p.open(self.path) as ws:
            return str(ws.contribute(project, title=title, by=ana).cid)

    def remix(self, cid: str, title: str, by: hitp2p.Identity) -> str:
        with hitp2p.open(self.path) as ws:
            return str(ws.remix([cid], title=title, by=by).cid)


@pytest.fixture
def ana() -> hitp2p.Identity:
    return hitp2p.Identity.create("Ana")


@pytest.fixture
def home(tmp_path: Path, ana: hitp2p.Identity) -> tuple[Place, str]:
    """A workspace with a node that follows its one project."""
    place = Place(tmp_path / "home")
    with hitp2p.open(place.path) as ws:
        project = str(ws.create_project("Night Bus", license="CC-BY-SA-4.0", by=ana).cid)
    place.follow("Night Bus")
    return place, project


def test_what_is_made_on_one_node_is_on_the_others_and_outlives_each_of_them(
    tmp_path: Path, home: tuple[Place, str], ana: hitp2p.Identity
) -> None:
    first, project = home
    bo = hitp2p.Identity.create("Bo")
    with running_node(first.path) as one:
        second = Place(tmp_path / "second", peers=(one.address,))
        second.follow(project)
        with running_node(second.path) as two:
            verse = first.contribute(project, "Verse", ana)
            eventually(lambda: two.has(verse), "the verse is on the second node")
            laptop = Place(tmp_path / "laptop", listen=False, peers=(two.address,))
            laptop.follow(project)
            with running_node(laptop.path) as three:
                eventually(lambda: three.has(verse), "the verse is on the laptop")
            offline = laptop.remix(verse, "Made on a train", bo)  # while no node runs there
            assert one.end(signal.SIGKILL) != 0
            with running_node(laptop.path):
                eventually(lambda: two.has(offline), "what was made offline is on the second node")
        with running_node(first.path), running_node(second.path):
            pass
    with hitp2p.open(second.path) as ws:
        assert {str(row.cid) for row in ws.rows(kind="contribution")} == {verse, offline}


def test_a_laptop_meets_a_node_once(
    tmp_path: Path, home: tuple[Place, str], ana: hitp2p.Identity
) -> None:
    place, project = home
    verse = place.contribute(project, "Verse", ana)
    laptop = tmp_path / "laptop"
    with hitp2p.open(laptop):
        pass
    with running_node(place.path) as node:
        done = hitp2p_process("sync", node.address, project, "--json", workspace=laptop)
        met = json.loads(done.stdout)
        assert (met["in_step"], met["not_followed"], met["n_new"]) == ([project], [], 3)
        again = json.loads(hitp2p_process("sync", node.address, "--json", workspace=laptop).stdout)
        assert (again["in_step"], again["n_new"]) == ([project], 0)
        stranger = json.loads(
            hitp2p_process("sync", node.address, verse, "--json", workspace=laptop).stdout
        )
        assert stranger["in_step"] == [project]


def test_a_node_that_can_not_be_reached_is_an_error_with_the_reason(tmp_path: Path) -> None:
    with hitp2p.open(tmp_path / "laptop") as ws:
        project = ws.create_project("Rain", by=hitp2p.Identity.create("Ana"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    key = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"
    done = hitp2p_process(
        "sync", f"/ip4/127.0.0.1/tcp/{port}/tls/p2p/{key}", str(project.cid), "--within", "1",
        workspace=tmp_path / "laptop", check=False,
    )  # fmt: skip
    assert done.returncode == 76
    assert "isn't connected after 1 seconds" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_node_on_one_workspace_is_refused(home: tuple[Place, str]) -> None:
    place, _ = home
    with running_node(place.path):
        done = hitp2p_process("node", "run", workspace=place.path, check=False)
        assert done.returncode == 2
        assert "another node runs on" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_node_ends_in_order(home: tuple[Place, str], number: signal.Signals) -> None:
    place, _ = home
    node = NodeProcess(place.path)
    assert node.end(number) == 0
    assert not (place.path / ".hitp2p" / "node" / "control.sock").exists()


def test_follow_and_unfollow_hold_at_once_on_a_running_node(
    home: tuple[Place, str], ana: hitp2p.Identity
) -> None:
    place, project = home
    with hitp2p.open(place.path) as ws:
        other = str(ws.create_project("Rain", by=ana).cid)
    with running_node(place.path) as node:
        place.follow("Rain", "--media", "full")
        topics = {one["topic"]: one for one in node.ask("status")["topics"]}
        assert topics.keys() == {project, other}
        assert topics[other]["media"] == "full"
        hitp2p_process("node", "unfollow", "Rain", workspace=place.path)
        assert [one["topic"] for one in node.ask("status")["topics"]] == [project]


def test_sighup_reads_the_policy_again(home: tuple[Place, str], ana: hitp2p.Identity) -> None:
    place, _ = home
    with running_node(place.path) as node:
        policy = place.path / ".hitp2p" / "node" / "policy.json"
        record = json.loads(policy.read_text())
        record["follows"] = []
        policy.write_text(json.dumps(record))
        node.process.send_signal(signal.SIGHUP)
        eventually(lambda: not node.ask("status")["topics"], "the node follows nothing")
        policy.write_text("{")
        node.process.send_signal(signal.SIGHUP)
        eventually(lambda: "nothing was reloaded" in node.log(), "the damage is logged")
        assert node.process.poll() is None


def test_a_blocked_author_is_neither_taken_up_nor_handed_on(
    tmp_path: Path, home: tuple[Place, str], ana: hitp2p.Identity
) -> None:
    first, project = home
    eve = hitp2p.Identity.create("Eve")
    with running_node(first.path) as one:
        second = Place(tmp_path / "second", peers=(one.address,))
        second.follow(project)
        hitp2p_process("node", "policy", "--block", f"author:{eve.cid}", workspace=second.path)
        with running_node(second.path) as two:
            spam = first.contribute(project, "Buy this", eve)
            verse = first.contribute(project, "Verse", ana)
            eventually(lambda: two.has(verse), "the verse is on the second node")
            assert not two.has(spam)
            assert two.ask("status")["n_refused"] >= 1


def test_an_unlisted_project_is_not_followed(home: tuple[Place, str]) -> None:
    place, project = home
    with hitp2p.open(place.path) as ws:
        ws.mark_unlisted(project)
    done = hitp2p_process("node", "follow", project, workspace=place.path, check=False)
    assert done.returncode == 2
    assert "is unlisted, so no node tells of it" in done.stderr


def test_systemd_hears_when_a_node_is_ready_alive_and_stopping(
    tmp_path: Path, home: tuple[Place, str]
) -> None:
    place, _ = home
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(path))
        listener.settimeout(30)
        with running_node(place.path, NOTIFY_SOCKET=str(path), WATCHDOG_USEC="200000"):
            heard = [listener.recv(1000).decode() for _ in range(3)]
        while not heard[-1].startswith("STOPPING"):
            heard.append(listener.recv(1000).decode())
    assert any(one.startswith("READY=1\nSTATUS=node 12D3KooW") for one in heard)
    assert "WATCHDOG=1" in heard


def test_figures_are_served_where_the_settings_say(home: tuple[Place, str]) -> None:
    import urllib.request

    place, project = home
    with running_node(place.path, HITP2P_NODE_METRICS="127.0.0.1:0") as node:
        eventually(lambda: "figures at http://" in node.log(), "the place of the page is logged")
        url = node.log().split("figures at ")[1].split()[0]
        page = urllib.request.urlopen(url, timeout=10).read().decode()
        assert f'hitp2p_topic_members{{topic="{project}"}} 2' in page
        assert node.ask("stats")["page"].splitlines()[0] == page.splitlines()[0]


def test_the_log_is_json_where_the_settings_say(home: tuple[Place, str]) -> None:
    place, _ = home
    with running_node(place.path, HITP2P_NODE_LOG_FORMAT="json") as node:
        hitp2p_process("node", "reload", workspace=place.path)
        eventually(lambda: "reloaded" in node.log(), "the reload is logged")
        records = [json.loads(line) for line in node.log().splitlines()]
    assert {"level", "message", "time"} <= records[0].keys()


# --- wrong use ------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["run", "status", "peers", "stats", "reload", "doctor", "policy"])
def test_without_a_node_the_next_step_is_to_make_one(
    cli: Cli, story: dict[str, str], verb: str
) -> None:
    ran = cli("node", verb, "--json")
    assert (ran.status, ran.error["code"]) == (2, "not-found")
    assert ran.error["next"] == 'Make one with "hitp2p node init".'


@pytest.mark.parametrize("verb", ["status", "peers", "stats", "reload"])
def test_where_no_node_runs_the_next_step_is_to_run_it(
    cli: Cli, story: dict[str, str], verb: str
) -> None:
    cli("node", "init").ok()
    ran = cli("node", verb, "--json")
    assert (ran.status, ran.error["code"]) == (2, "not-found")
    assert ran.error["next"] == 'Start one with "hitp2p node run".'


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("init", "--listen", "127.0.0.1:80"), "allowed is /ip4|ip6|dns|dns4|dns6/HOST/tcp/PORT"),
        (("init", "--listen", ANYWHERE, "--no-listen"), "contradict each other"),
        (("init", "--peer", "/ip4/1.2.3.4/tcp/1"), "/tls/p2p/PEER"),
    ],
)
def test_a_node_is_not_made_with_wrong_settings(
    cli: Cli, story: dict[str, str], argv: tuple[str, ...], said: str
) -> None:
    ran = cli("node", *argv, "--json")
    assert ran.status == 2
    assert said in ran.error["message"]
    assert cli("node", "status", "--json").error["next"] == 'Make one with "hitp2p node init".'


def test_a_node_is_not_made_twice(cli: Cli, story: dict[str, str]) -> None:
    first = cli("node", "init", "--json").ok().json
    assert cli("node", "init", "--json").error["message"].startswith("there is a node already")
    again = cli("node", "init", "--if-missing", "--json").ok().json
    assert (again["peer_id"], again["is_new"]) == (first["peer_id"], False)


@pytest.mark.parametrize("topic", ["Nothing of this name", "bafyreinothing"])
def test_what_is_not_here_is_not_followed(cli: Cli, story: dict[str, str], topic: str) -> None:
    cli("node", "init").ok()
    assert cli("node", "follow", topic, "--json").error["code"] == "not-found"
    assert cli("node", "unfollow", topic, "--json").error["code"] == "not-found"


def test_rules_are_set_shown_and_taken_away(cli: Cli, story: dict[str, str]) -> None:
    cli("node", "init").ok()
    rule = f"author:{story['Bo']}"
    told = cli("node", "policy", "--block", rule, "--default", "review", "--json").ok().json
    assert told["rules"] == [{"on": "author", "what": story["Bo"], "verdict": "block"}]
    assert told["default"] == "review"
    assert f"blocks author {story['Bo']}" in cli("node", "policy").ok().out
    assert cli("node", "policy", "--clear", rule, "--json").ok().json["rules"] == []
    assert "is no rule" in cli("node", "policy", "--block", "Bo", "--json").error["message"]


def test_the_doctor_says_what_to_do(cli: Cli, story: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"/ip4/127.0.0.1/tcp/{taken.getsockname()[1]}"
        cli("node", "init", "--listen", place).ok()
        ran = cli("node", "doctor", "--json")
    assert ran.status == 1
    bad = [one for one in ran.json["findings"] if not one["is_good"]]
    assert [one["name"] for one in bad] == ["port"]
    assert "choose another port" in bad[0]["text"]
    Path(".hitp2p/node/policy.json").write_text("{")
    Path(".hitp2p/node/config.toml").write_text("listen = 3")
    found = {
        one["name"]
        for one in cli("node", "doctor", "--json").json["findings"]
        if not one["is_good"]
    }
    assert {"settings", "policy"} <= found


def test_the_rest_of_the_program_does_without_trio() -> None:
    code = (
        "import sys, hitp2p, hitp2p.cli.app, hitp2p.cli.nodes, hitp2p.cli.verbs.node_follow as f;"
        "hitp2p.cli.app.root.get_command; hitp2p.open; print('trio' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
