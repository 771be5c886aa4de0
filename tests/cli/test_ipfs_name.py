"""`hitp2p ipfs name` and `hitp2p pull /ipns/NAME`, with two real daemons and Kubo's own command line."""

from __future__ import annotations

import subprocess
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cli_harness import Cli
from fake_kubo import FakeKubo, answer
from kubo_daemon import KuboDaemon, kubo_binary, running_kubo

from hitp2p.codec.cid import Cid
from hitp2p.errors import BackendError, InvalidError, NotFoundError, UsageError
from hitp2p.ipns import find_claim, ipns_name
from hitp2p.keys.ed25519 import SigningKey
from hitp2p.keys.ipns import (
    NameKey,
    NameRecord,
    encode_name,
    encode_record,
    parse_name,
    verify_record,
)
from hitp2p.store.kubo_address import parse_kubo_address
from hitp2p.store.kubo_names import KuboNames
from hitp2p.store.kubo_rpc import KuboRpc

NOW_MS = 1_772_366_400_000  # what the harness sets: 2026-03-01T12:00:00Z
SIGNER = SigningKey.from_seed(bytes(range(32)))
TARGET = Cid.of(0x71, b"a snapshot")
LONG = "3650"
"""Days that are enough for a daemon, whose clock the harness doesn't set."""


class Pair(NamedTuple):
    """Two daemons that are connected."""

    near: KuboDaemon
    far: KuboDaemon


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("kubo")
    with (
        running_kubo(folder / "near", online=True) as near,
        running_kubo(folder / "far", online=True) as far,
    ):
        far.rpc("swarm/connect", arg=near.rpc("id")[0]["Addresses"][0])
        yield Pair(near, far)


def names(daemon: KuboDaemon | FakeKubo) -> KuboNames:
    address = parse_kubo_address(f"kubo:{daemon.api}")
    return KuboNames(KuboRpc(address, within_s=10), address)


def publish(cli: Cli, daemon: KuboDaemon, *more: str) -> Any:
    """Push the project and publish it; what the second command said."""
    cli("ipfs", "push", "--to", f"kubo:{daemon.api}").ok()
    return cli(
        "ipfs", "name", "publish", "Night Bus", "--as", "Ana", "--to", f"kubo:{daemon.api}",
        "--valid", LONG, "--yes", "--json", *more,
    ).ok().json  # fmt: skip


def record(project: str = "a project", **changes: Any) -> tuple[NameKey, bytes]:
    """A record that is good for years, unless changed, of a name that no other test has."""
    key = NameKey.derive(SIGNER, Cid.of(0x71, project.encode()))
    says: dict[str, Any] = {"value": TARGET, "sequence": 7, "ttl_ns": 0}
    says |= {"valid_until": "2036-01-01T00:00:00Z"} | changes
    return key, encode_record(NameRecord(**says), key)


def test_kubo_alone_follows_a_published_name(
    cli: Cli, story: dict[str, str], pair: Pair, tmp_path: Path
) -> None:
    said = publish(cli, pair.near)
    assert (said["project"], said["title"], said["previous"]) == (
        story["project"],
        "Night Bus",
        None,
    )
    assert said["is_current"]
    name, path = said["name"], f"/ipfs/{said['snapshot']}"
    assert pair.near.ipfs("name", "resolve", "--nocache", name).decode().strip() == path
    assert pair.far.ipfs("name", "resolve", "--nocache", name).decode().strip() == path
    file = tmp_path / "record"
    file.write_bytes(pair.far.ipfs("name", "get", name))
    shown = pair.far.ipfs("name", "inspect", "--verify", name, file).decode()
    assert "Valid: true" in shown
    assert "Signature Type: V1+V2" in shown
    assert path in shown
    page = pair.near.ipfs("dag", "get", said["snapshot"])
    assert b'"level"' in page
    assert pair.far.ipfs("dag", "get", f"/ipns/{name}") == page


def test_a_pull_by_name_on_another_machine_says_whose_word_it_is_and_checks_all_of_it(
    cli: Cli, story: dict[str, str], pair: Pair
) -> None:
    said = publish(cli, pair.near)
    cli("init", "other").ok()
    pull = (
        "pull",
        f"/ipns/{said['name']}",
        "--via",
        f"kubo:{pair.far.api}",
        "--workspace",
        "other",
    )
    ran = cli(*pull).ok()
    assert "whoever holds its key claims until 2036-" in ran.out
    assert "5 are new here" in ran.out
    again = cli(*pull, said["name"], "--json").ok().json  # the same, spelled in two ways
    assert again["snapshots"] == [said["snapshot"]]
    assert [one["name"] for one in again["names"]] == [said["name"]]
    assert cli("show", story["song"], "--workspace", "other").ok()


def test_a_new_work_moves_the_name_and_raises_the_sequence_as_ipn_6_says(
    cli: Cli, story: dict[str, str], pair: Pair
) -> None:
    first = publish(cli, pair.near)
    cli("contribute", "--title", "Refrain", "--project", "Night Bus", "--as", "Ana").ok()
    late = cli(
        "ipfs", "name", "publish", "Night Bus", "--as", "Ana", "--to", f"kubo:{pair.near.api}",
        "--valid", LONG, "--json",
    ).ok()  # fmt: skip
    assert not late.json["is_current"]
    assert "hitp2p ipfs push" in late.err
    second = publish(cli, pair.near)
    assert second["name"] == first["name"]
    assert second["previous"] == first["snapshot"] != second["snapshot"]
    assert second["is_current"]
    assert second["sequence"] > late.json["sequence"] > first["sequence"] >= NOW_MS // 1000
    path = pair.far.ipfs("name", "resolve", "--nocache", second["name"]).decode().strip()
    assert path == f"/ipfs/{second['snapshot']}"
    shown = cli("ipfs", "name", "show", "Night Bus", "--as", "Ana", "--daemon",
                f"kubo:{pair.far.api}", "--json").ok().json  # fmt: skip
    assert (shown["name"], shown["snapshot"]) == (second["name"], second["snapshot"])
    text = cli("ipfs", "name", "show", f"ipns://{second['name']}", "--daemon",
               f"kubo:{pair.far.api}").ok().out  # fmt: skip
    assert second["snapshot"] in text
    assert "as whoever holds its key claims" in text


def test_each_person_and_each_project_has_another_name_and_a_new_key_too(
    cli: Cli, story: dict[str, str], pair: Pair
) -> None:
    cli("project", "new", "Rain", "--license", "CC0-1.0", "--as", "Ana").ok()
    show = ("ipfs", "name", "show", "--daemon", f"kubo:{pair.near.api}", "--json")

    def name_of(project: str, who: str) -> str:
        found: str = cli(*show, project, "--as", who).ok().json["name"]
        return found

    before = {name_of("Night Bus", "Ana"), name_of("Night Bus", "Bo"), name_of("Rain", "Ana")}
    assert len(before) == 3
    assert "no record" in cli(*show[:-1], "Rain", "--as", "Ana").ok().out
    cli(
        "id", "rotate", "Ana", "--recovery-file", "../safe/Ana.key", "--new-recovery-file", "2.key",
        "--no-passphrase",
    ).ok()  # fmt: skip
    assert name_of("Night Bus", "Ana") not in before


def test_what_can_not_be_published_ends_with_what_to_do(
    cli: Cli, story: dict[str, str], pair: Pair, tmp_path: Path
) -> None:
    to = f"kubo:{pair.near.api}"
    ask = ("ipfs", "name", "publish", "Rain", "--as", "Ana", "--yes", "--json")
    cli("project", "new", "Rain", "--license", "CC0-1.0", "--as", "Ana").ok()
    Path("pass").write_text("a long enough passphrase\n")
    cli("id", "new", "Cy", "--recovery-file", "cy.recovery", "--passphrase-file", "pass").ok()
    locked = cli(*ask[:4], "--as", "Cy", "--to", to, "--json").error
    assert locked["code"] == "usage"  # before a passphrase is asked for
    unpushed = cli(*ask, "--to", to).error
    assert unpushed["code"] == "usage"
    assert "hitp2p ipfs push" in unpushed["next"]
    cli("ipfs", "push", "Rain", "--to", to).ok()
    for days in ("0", "3651"):
        assert "from 1 to 3650" in cli(*ask, "--to", to, "--valid", days).error["message"]
    cli("project", "mark", "Rain", "--unlisted").ok()
    assert cli(*ask, "--to", to).error["code"] == "unlisted"
    with running_kubo(tmp_path / "alone") as offline:
        cli("project", "mark", "Rain", "--listed").ok()
        cli("ipfs", "push", "Rain", "--to", f"kubo:{offline.api}").ok()
        refused = cli(*ask, "--to", f"kubo:{offline.api}")
        assert (refused.status, refused.error["code"]) == (74, "backend")
        assert "without --offline" in refused.error["message"]
        with pytest.raises(BackendError, match="without a network"), names(offline) as daemon:
            daemon.put_record(*_named(*record()))


def _named(key: NameKey, raw: bytes) -> tuple[str, bytes]:
    return key.name, raw


def test_a_record_that_has_ended_is_refused_here_though_the_daemon_hands_it_over(
    cli: Cli, story: dict[str, str], pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = publish(cli, pair.near)
    monkeypatch.setenv("HITP2P_NOW", "2040-01-01T00:00:00Z")
    ran = cli("pull", f"/ipns/{said['name']}", "--via", f"kubo:{pair.near.api}", "--json")
    assert (ran.status, ran.error["rule"]) == (30, "IPN-5")
    assert "publish again" in ran.error["message"]


def test_a_daemon_that_does_not_take_a_record_is_found_out(
    cli: Cli, story: dict[str, str], pair: Pair
) -> None:
    """The harness stands in March 2026, so 30 days from there are over for the daemon."""
    cli("ipfs", "push", "--to", f"kubo:{pair.near.api}").ok()
    ran = cli(
        "ipfs", "name", "publish", "Night Bus", "--as", "Ana", "--to", f"kubo:{pair.near.api}",
        "--valid", "1", "--yes", "--json",
    )  # fmt: skip
    assert (ran.status, ran.error["code"]) == (74, "backend")
    assert "did not take the record" in ran.error["message"]


def test_kubo_takes_what_was_signed_here_and_refuses_what_was_tampered_with(
    pair: Pair, tmp_path: Path
) -> None:
    key, good = record("tampered")
    file = tmp_path / "record"
    for place in (5, len(good) - 180, len(good) - 120, len(good) - 1):
        file.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        with pytest.raises(InvalidError):
            verify_record(file.read_bytes(), key.public, now=None)
        done = subprocess.run(
            [kubo_binary(), "--api", pair.near.api, "name", "put", key.name, file],
            capture_output=True,
            check=False,
        )
        assert done.returncode != 0
    with names(pair.near) as daemon:
        assert daemon.record(key.name) is None
        daemon.put_record(key.name, good)
        assert daemon.record(key.name) == good
        daemon.put_record(key.name, record("tampered", sequence=6)[1])  # an older one
        assert daemon.record(key.name) == good


def test_a_record_that_kubo_made_itself_is_read(pair: Pair) -> None:
    block = pair.near.ipfs("dag", "put", input=b'{"links":[]}').decode().strip()
    said = pair.near.ipfs("name", "publish", "--key=self", "--lifetime=1h", f"/ipfs/{block}")
    name = said.decode().split()[2].rstrip(":")
    with names(pair.far) as daemon:
        raw = daemon.record(name)
    assert raw is not None
    assert str(verify_record(raw, parse_name(name), now="2026-01-01T00:00:00Z").value) == block


LIES = {
    "nothing": answer(b"{}"),
    "no base64": answer(b'{"Type":5,"Extra":"\\u00e4"}'),
    "no record": answer(b'{"Type":5,"Extra":"AAAA"}'),
    "another record": answer(
        {"Type": 5, "Extra": b64encode(record("another project")[1]).decode()}
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_daemon_that_lies_about_a_name_is_not_believed(lie: str) -> None:
    key, _ = record()
    with FakeKubo() as fake, names(fake) as daemon:
        fake.says("routing/get", LIES[lie])
        with pytest.raises((NotFoundError, BackendError, InvalidError)):
            find_claim(daemon, key.name, now_ms=NOW_MS)


def test_what_is_meant_as_a_name_and_is_none_is_an_error_and_the_rest_is_left_alone() -> None:
    key, _ = record()
    assert {ipns_name(f"{start}{key.name}") for start in ("", "/ipns/", "ipns://")} == {key.name}
    assert ipns_name(str(TARGET)) is None
    assert ipns_name("Night Bus") is None
    for wrong in ("/ipns/example.org", f"/ipns/{key.name}/links/0", key.name[:-1]):
        with pytest.raises(UsageError, match="no name that hitp2p follows"):
            ipns_name(wrong)


def test_a_name_key_signs_nothing_but_records_and_comes_out_the_same_each_time() -> None:
    key, raw = record()
    assert raw == record()[1]
    assert key.name == encode_name(key.public)
    assert key.public != SIGNER.public
    with pytest.raises(TypeError, match="derive"):
        NameKey()
    with pytest.raises(TypeError, match="neither pickled"):
        key.__reduce__()
    for wrong in ({"sequence": -1}, {"ttl_ns": -1}, {"valid_until": "soon"}):
        with pytest.raises(UsageError, match="IPN-3"):
            record(**wrong)


class Wavering:
    """A signer that signs in another way each time."""

    def __init__(self) -> None:
        self.public = SIGNER.public
        self.n_signed = 0

    def sign(self, domain: bytes, message: bytes) -> bytes:
        self.n_signed += 1
        return sha256(domain + message + bytes([self.n_signed])).digest() * 2


def test_a_signer_from_which_no_name_can_be_derived_again_is_refused() -> None:
    with pytest.raises(UsageError, match="IPN-7"):
        NameKey.derive(Wavering(), TARGET)
