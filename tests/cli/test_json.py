"""Every verb answers programs with exactly the fields that its help documents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from cli_harness import Cli
from kubo_daemon import running_kubo
from node_process import running_node
from pinning_service import PinningService

from hitp2p.cli.app import Verb, root
from hitp2p.cli.errors import ERROR_FIELDS

STORES = ("sqlite", "kubo")
RUNS: tuple[tuple[str, ...], ...] = (
    ("init", "fresh"),
    ("status",),
    ("project", "new", "Rain", "--purpose", "Sounds", "--accept", "CC0-1.0", "--as", "Ana"),
    ("project", "list"),
    ("project", "show", "Rain"),
    ("project", "mark", "Rain", "--unlisted"),
    ("contribute", "verse.txt", "--title", "Again", "--project", "{project}", "--as", "Ana"),
    ("contribute", "--title", "Never", "--project", "{project}", "--as", "Ana", "--dry-run"),
    ("remix", "song.wav", "--of", "{song},sample", "--title", "Loop", "--as", "Bo"),
    ("list",),
    ("list", "--kind", "all"),
    ("search", "ver"),
    ("trail", "{project}"),
    ("show", "{song}"),
    ("show", "{Ana}"),
    ("credits", "{song}"),
    ("cat", "{verse}"),
    ("export", "{song}", "-o", "song.car", "--media", "all"),
    ("import", "song.car"),
    ("verify", "song.wav", "--bundle", "song.car"),
    ("seal", "song.wav", "-o", "sealed.wav", "--work", "{song}"),
    ("kit", "{song}", "-o", "song.zip"),
    ("answer", "{song}", "accept", "--about", "source", "--line", "0", "--as", "Ana"),
    ("grant", "{verse}", "--license", "CC0-1.0", "--as", "Ana"),
    ("thanks", "{verse}", "For the words", "--as", "Bo"),
    ("dispute", "{song}", "--reason", "My words", "--own", "{verse}", "--as", "Ana"),
    ("claim-ancestor", "{song}", "--own", "{verse}", "--as", "Ana"),
    ("witness", "{verse}", "--as", "Bo"),
    ("withdraw", "{verse}", "--as", "Ana"),
    ("profile", "--name", "A", "--link", "Home=https://a.example", "--as", "Ana"),
    ("backup", "kept"),
    ("copy", "--to", "sqlite:copied"),
    ("fsck",),
    ("index", "rebuild"),
    ("gc",),
    ("completion", "fish"),
    ("help", "json"),
    ("help", "id", "new"),
    ("id", "new", "Cy", "--no-passphrase", "--recovery-file", "cy.recovery"),
    ("id", "list"),
    ("id", "show", "Ana"),
    ("id", "default", "Ana"),
    ("id", "export", "Ana", "--format", "pkcs8", "--unsealed", "-o", "ana.pem"),
    ("id", "import", "ana.pem", "Ann", "--no-passphrase", "--recovery-file", "ann.recovery"),
    ("id", "rotate", "Ana", "--recovery-file", "../safe/Ana.key", "--new-recovery-file", "2.key",
     "--no-passphrase"),
    ("id", "revoke", "Bo", "--good", "{song}", "--recovery-file", "../safe/Bo.key",
     "--new-recovery-file", "3.key", "--no-passphrase"),
    ("node", "init", "--listen", "/ip4/127.0.0.1/tcp/0"),
    ("node", "follow", "{project}", "--media", "full"),
    ("node", "policy", "--block", "type:video/*"),
    ("node", "queue"),
    ("node", "takedown", "{song}", "--reason", "a notice"),
    ("node", "doctor"),
    ("node", "unit"),
    ("tour", "played"),
)  # fmt: skip
NODE_RUNS: tuple[tuple[str, ...], ...] = (
    ("node", "status"),
    ("node", "peers"),
    ("node", "stats"),
    ("node", "reload"),
    ("node", "unfollow", "{project}"),
)
IPFS_RUNS: tuple[tuple[str, ...], ...] = (
    ("ipfs", "push", "--to", "{kubo}"),
    ("pull", "{song}", "--via", "{kubo}", "--media", "all"),
    (
        "ipfs",
        "name",
        "publish",
        "{project}",
        "--as",
        "Ana",
        "--valid",
        "3650",
        "--to",
        "{kubo}",
    ),
    ("ipfs", "name", "show", "{project}", "--as", "Ana", "--daemon", "{kubo}"),
    ("ipfs", "status", "--daemon", "{kubo}"),
    ("ipfs", "announce", "--daemon", "{kubo}"),
    ("ipfs", "pins", "--daemon", "{kubo}"),
    ("ipfs", "repair", "--daemon", "{kubo}"),
    (
        "ipfs",
        "remote",
        "add",
        "club",
        "{service}",
        "--key-file",
        "service.key",
        "--daemon",
        "{kubo}",
    ),
    ("ipfs", "remote", "list", "--daemon", "{kubo}"),
    ("ipfs", "remote", "push", "--service", "club", "--wait", "20", "--daemon", "{kubo}"),
    ("ipfs", "remote", "status", "--service", "club", "--daemon", "{kubo}"),
    ("ipfs", "remote", "rm", "club", "--daemon", "{kubo}"),
)


def verb_of(argv: tuple[str, ...]) -> Verb:
    context = click.Context(root, info_name="hitp2p")
    command: click.Command | None = root
    for word in argv:
        if not isinstance(command, click.Group):
            break
        command = command.get_command(context, word)
    assert isinstance(command, Verb)
    return command


def paths(value: Any, at: str = "") -> Iterator[str]:
    """Where values stand: `works[].cid`; nothing below null and in empty lists."""
    yield at
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from paths(inner, f"{at}.{name}" if at else name)
    elif isinstance(value, list):
        yield f"{at}[]"
        for inner in value:
            yield from paths(inner, f"{at}[]")


def ancestors(path: str) -> Iterator[str]:
    while path:
        yield path
        path = path[:-2] if path.endswith("[]") else path.rpartition(".")[0]


def undocumented(record: Any, documented: set[str]) -> set[str]:
    shown = {path for path in paths(record) if path}
    leaves = {
        p for p in shown if not any(q != p and q.startswith((p + ".", p + "[]")) for q in shown)
    }
    whole = {name.rstrip("*").rstrip(".") for name in documented}
    inner = {a for name in documented for a in ancestors(name)}
    return {p for p in leaves if p not in inner and not any(a in whole for a in ancestors(p))}


def absent(record: Any, documented: set[str]) -> set[str]:
    """Documented fields that stand nowhere, though what they stand in is neither null nor an empty list."""
    shown = set(paths(record))
    nulls = {p for p in shown if not any(q.startswith((p + ".", p + "[]")) for q in shown)}
    empty = {p for p in shown if p.endswith("[]") and p in nulls}
    return {
        name
        for name in documented
        if not name.endswith("*")
        and name not in shown
        and not any(a in nulls or a in empty for a in ancestors(name))
    }


def every_verb(
    command: click.Command = root, name: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    if isinstance(command, Verb):
        yield name
    elif isinstance(command, click.Group):
        context = click.Context(command, info_name="hitp2p")
        for word in command.list_commands(context):
            inner = command.get_command(context, word)
            assert inner is not None
            yield from every_verb(inner, (*name, word))


def test_the_runs_below_try_every_verb() -> None:
    runs = [*RUNS, *IPFS_RUNS, *NODE_RUNS]
    untried = {name for name in every_verb() if not any(run[: len(name)] == name for run in runs)}
    assert untried == {("watch",), ("node", "run"), ("sync",)}  # tested below


def require_documented(cli: Cli, runs: tuple[tuple[str, ...], ...], words: dict[str, str]) -> None:
    for argv in runs:
        command = verb_of(argv)
        agreed = ("--yes",) if any("--yes" in param.opts for param in command.params) else ()
        ran = cli(*(part.format(**words) for part in argv), *agreed, "--json").ok()
        assert ran.out.isascii()
        assert undocumented(ran.json, set(command.json_fields)) == set(), argv
        assert absent(ran.json, set(command.json_fields)) == set(), argv


def test_every_verb_prints_one_document_with_its_documented_fields(
    cli: Cli, story: dict[str, str]
) -> None:
    require_documented(cli, RUNS, story)


def test_every_verb_for_ipfs_prints_one_document_with_its_documented_fields(
    cli: Cli, story: dict[str, str], tmp_path: Path
) -> None:
    with (
        running_kubo(tmp_path / "a", online=True) as kubo,
        running_kubo(tmp_path / "b", online=True) as other,
        PinningService(other, token="s3cret") as service,
    ):
        key = Path("service.key")
        key.touch(0o600)
        key.write_text("s3cret")
        kubo.rpc("swarm/connect", arg=other.rpc("id")[0]["Addresses"][0])
        require_documented(
            cli, IPFS_RUNS, story | {"kubo": f"kubo:{kubo.api}", "service": service.endpoint}
        )


def test_every_verb_for_nodes_prints_one_document_with_its_documented_fields(
    cli: Cli, story: dict[str, str], tmp_path: Path
) -> None:
    cli("node", "init", "--listen", "/ip4/127.0.0.1/tcp/0").ok()
    cli("node", "follow", story["project"]).ok()
    cli("init", str(tmp_path / "laptop")).ok()
    with running_node(Path.cwd()) as node:
        other = ("sync", node.address, story["project"], "--workspace", str(tmp_path / "laptop"))
        require_documented(cli, (other,), story)
        documented = set(verb_of(("node", "run")).json_fields)
        assert undocumented(node.said, documented) == absent(node.said, documented) == set()
        require_documented(cli, NODE_RUNS, story)


def test_watch_prints_a_document_a_line(cli: Cli, story: dict[str, str]) -> None:
    lines = cli("watch", "--since", "0", "--once", "--json").ok().out.splitlines()
    records = [json.loads(line) for line in lines]
    assert [record["kind"] for record in records].count("contribution") == 2
    documented = set(verb_of(("watch",)).json_fields)
    for record in records:
        assert undocumented(record, documented) == absent(record, documented) == set()
    last = records[-1]["seq"]
    assert cli("watch", "--since", str(last), "--once", "--json").ok().out == ""
    assert cli("status", "--json").json["last_seq"] >= last


def test_every_field_has_a_sentence() -> None:
    for argv in every_verb():
        for name, what in verb_of(argv).json_fields.items():
            assert what, (argv, name)


def test_a_dry_run_keeps_nothing(cli: Cli, story: dict[str, str]) -> None:
    before = cli("status", "--json").json
    ran = cli("contribute", "verse.txt", "--title", "Maybe", "--as", "Ana", "--dry-run", "--json")
    assert ran.ok().json["signed"] is False
    assert ran.json["body"]["media"][0]["essence"]["algorithm"] == "text/1"
    assert cli("status", "--json").json == before
    assert list(Path(".hitp2p").rglob("*verse*")) == []


def test_help_json_lists_the_fields_of_every_verb_and_of_errors(cli: Cli) -> None:
    told = cli("help", "json", "--json").ok().json
    listed = {tuple(verb["verb"].split()): verb["fields"] for verb in told["verbs"]}
    assert listed.keys() == set(every_verb())
    for argv, fields in listed.items():
        assert fields == dict(verb_of(argv).json_fields)
    assert told["error"] == dict(ERROR_FIELDS)
    page = cli("help", "json").ok().out
    assert page == told["text"] + "\n"
    for argv, fields in listed.items():
        assert f"hitp2p {' '.join(argv)}:" in page
        assert all(f"  {name}" in page for name in (*fields, *ERROR_FIELDS))


def test_help_is_what_the_option_prints(cli: Cli) -> None:
    for words in ((), ("id",), ("contribute",), ("id", "new")):
        assert cli("help", *words).ok().out == cli(*words, "--help").ok().out
    for words in (("nothing",), ("id", "nothing"), ("list", "json")):
        ran = cli("help", *words, "--json")
        assert (ran.status, ran.error["code"]) == (2, "not-found")
