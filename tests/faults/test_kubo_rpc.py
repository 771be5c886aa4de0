"""Every way in which a daemon can fail to answer, on a server that fails on demand: one precise error each."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from fake_kubo import Answer, Asked, FakeKubo, answer, chunked, cut, endless, refused

from hitp2p.codec.cid import DAG_CBOR, RAW, Cid
from hitp2p.errors import (
    BackendError,
    BackendFullError,
    CorruptBlockError,
    LostBlockError,
    StoreFullError,
    UsageError,
)
from hitp2p.limits import BLOCK_BYTES
from hitp2p.store.holds import Held, HoldStream
from hitp2p.store.kubo_address import parse_kubo_address
from hitp2p.store.kubo_calls import Kubo
from hitp2p.store.kubo_rpc import KuboRpc, RefusedError

BLOCK = b"a block"
CID = Cid.of(RAW, BLOCK)
OTHER = Cid.of(RAW, b"another")


@pytest.fixture
def fake() -> Iterator[FakeKubo]:
    with FakeKubo() as fake:
        yield fake


@pytest.fixture
def kubo(fake: FakeKubo) -> Iterator[Kubo]:
    with connected(fake.api) as kubo:
        yield kubo


def connected(api: str, **more: Any) -> Kubo:
    address = parse_kubo_address(api)
    return Kubo(KuboRpc(address, **more), address)


def lines(*values: Any) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def root(cid: Cid, problem: str = "") -> dict[str, Any]:
    return {"Root": {"Cid": {"/": str(cid)}, "PinErrorMsg": problem}}


def stats(n_blocks: Any) -> dict[str, Any]:
    return {"Stats": {"BlockCount": n_blocks, "BlockBytesCount": 1}}


# --- blocks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("write", [answer(BLOCK), chunked(b"a b", b"lock"), chunked(BLOCK)])
def test_a_block_comes_back_however_it_is_framed(fake: FakeKubo, kubo: Kubo, write: Answer) -> None:
    fake.says("block/get", write)
    assert kubo.get(CID) == BLOCK
    (asked,) = fake.asked
    assert asked.options["arg"] == [str(CID)]
    assert asked.options["offline"] == ["true"]  # else it would wait for the network
    assert asked.options["timeout"] == ["60s"]


def test_media_come_without_chunks_and_other_blocks_over_a_connection_that_stays(
    fake: FakeKubo, kubo: Kubo
) -> None:
    versions: list[str] = []

    def tell(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        versions.append(handler.request_version)
        answer(BLOCK)(handler, asked)

    fake.says("block/get", tell)
    for cid in (CID, Cid.of(DAG_CBOR, BLOCK)):
        assert kubo.get(cid) == BLOCK
    assert versions == ["HTTP/1.0", "HTTP/1.1"]


@pytest.mark.parametrize(
    "message",
    [
        f"ipld: could not find {CID}",
        f"block was not found locally (offline): ipld: could not find {CID}",
    ],
)
def test_a_block_that_the_daemon_lacks_is_none(fake: FakeKubo, kubo: Kubo, message: str) -> None:
    fake.says("block/get", refused(message))
    assert kubo.get(CID) is None


@pytest.mark.parametrize("data", [b"", b"a bloc", b"a blocK", b"a block "])
def test_other_bytes_than_the_block_are_never_returned(
    fake: FakeKubo, kubo: Kubo, data: bytes
) -> None:
    fake.says("block/get", answer(data))
    with pytest.raises(LostBlockError, match="gives other bytes") as caught:
        kubo.get(CID)
    assert caught.value.cid == CID
    assert isinstance(caught.value, BackendError)
    assert isinstance(caught.value, CorruptBlockError)


@pytest.mark.parametrize(
    "write",
    [
        cut(b"a bl", promised=7),
        cut(b"", promised=7),
        chunked(b"a bl", ends=False),
        chunked(ends=False),
    ],
)
def test_an_answer_that_breaks_off_is_told(fake: FakeKubo, kubo: Kubo, write: Answer) -> None:
    fake.says("block/get", write)
    with pytest.raises(BackendError, match="broke off in the middle of its answer to block/get"):
        kubo.get(CID)


def test_an_error_in_the_trailer_can_not_be_seen_and_the_hash_finds_it(
    fake: FakeKubo, kubo: Kubo
) -> None:
    fake.says("block/get", chunked(b"a bl", trailer="could not read the rest"))
    with pytest.raises(LostBlockError):
        kubo.get(CID)


def test_an_answer_without_end_is_not_held(fake: FakeKubo, kubo: Kubo) -> None:
    fake.says("block/get", endless(bytes(64 * 1024)))
    with pytest.raises(BackendError, match=f"more than {BLOCK_BYTES} bytes"):
        kubo.get(CID)
    fake.says("version", endless(b" " * 64 * 1024))
    with pytest.raises(BackendError, match="more than"):
        kubo.verify_version()
    fake.says("refs/local", endless(b" " * 64 * 1024))
    with pytest.raises(BackendError, match="a line of more than"):
        list(kubo.iter_local())


def test_an_error_without_end_is_not_held(fake: FakeKubo, kubo: Kubo) -> None:
    def write(handler: Any, asked: Any) -> None:
        handler.send_response = lambda _, respond=handler.send_response: respond(500)
        endless(bytes(64 * 1024))(handler, asked)

    fake.says("block/get", write)
    with pytest.raises(BackendError, match="status 500"):
        kubo.get(CID)


# --- the way there --------------------------------------------------------------------------------


def test_a_daemon_that_never_answers_is_left(
    fake: FakeKubo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hitp2p.store.kubo_rpc._GRACE_S", 0.1)
    fake.hangs("block/get")
    start = monotonic()
    with (
        connected(fake.api, within_s=0.2) as kubo,
        pytest.raises(BackendError, match=r"within 0\.2 s"),
    ):
        kubo.get(CID)
    assert monotonic() - start < 5
    assert fake.asked[0].options["timeout"] == ["0.2s"]


def test_a_daemon_that_drips_is_left(fake: FakeKubo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hitp2p.store.kubo_rpc._GRACE_S", 0.1)
    fake.drips("block/get", b"x", every_s=0.01)
    start = monotonic()
    with (
        connected(fake.api, within_s=0.2) as kubo,
        pytest.raises(BackendError, match=r"within 0\.2 s"),
    ):
        kubo.get(CID)
    assert monotonic() - start < 5


def test_its_own_end_of_time_is_told_as_slowness(fake: FakeKubo, kubo: Kubo) -> None:
    fake.says("block/get", refused("context deadline exceeded"))
    with pytest.raises(BackendError, match="gave up block/get when its time was over"):
        kubo.get(CID)


def test_nobody_there_is_told_with_what_to_do() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        api = f"/ip4/127.0.0.1/tcp/{taken.getsockname()[1]}"
        with connected(api) as kubo, pytest.raises(BackendError, match="ipfs daemon"):
            kubo.get(CID)


def test_a_connection_that_was_closed_meanwhile_is_opened_again(fake: FakeKubo, kubo: Kubo) -> None:
    def once(handler: Any, asked: Any) -> None:
        fake.says("block/get", answer(BLOCK))
        handler.close_connection = True

    fake.says("block/get", once)
    assert kubo.get(CID) == BLOCK
    assert len(fake.asked) == 2


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_entry_speaks_of_credentials(fake: FakeKubo, kubo: Kubo, status: int) -> None:
    fake.says("block/get", answer(b"403 - Forbidden\n", status))
    with pytest.raises(BackendError, match=r"API\.Authorizations"):
        kubo.get(CID)


def test_a_redirect_is_not_followed(fake: FakeKubo, kubo: Kubo) -> None:
    fake.says("block/get", answer(b"", 307, Location="/api/v0/elsewhere"))
    fake.says("elsewhere", answer(BLOCK))
    with pytest.raises(BackendError, match="not Kubo's RPC port"):
        kubo.get(CID)
    assert [asked.command for asked in fake.asked] == ["block/get"]


@pytest.mark.parametrize("status", [204, 302, 404, 405, 500])
def test_another_server_is_told(fake: FakeKubo, kubo: Kubo, status: int) -> None:
    fake.says("block/get", answer(b"<html>", status))
    with pytest.raises(BackendError, match=f"status {status}"):
        kubo.get(CID)


@pytest.mark.parametrize(
    "message", ["write /ipfs/blocks/x: no space left on device", "disk quota exceeded"]
)
def test_a_full_disk_there_is_told_as_such(fake: FakeKubo, kubo: Kubo, message: str) -> None:
    fake.says("dag/import", refused(message))
    with pytest.raises(BackendFullError, match="make room there") as caught:
        kubo.import_car(b"car", root=CID, n_blocks=1)
    assert isinstance(caught.value, StoreFullError)
    assert "daemon's disk" in caught.value.__notes__[-1]


def test_what_the_environment_says_is_not_heeded(
    fake: FakeKubo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login eve password stolen\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("PY_IPFS_HTTP_CLIENT_PREFER_HTTPX", "yes")
    fake.says("block/get", answer(BLOCK))
    port = fake.api.rsplit("/", 1)[1]
    for api in (fake.api, f"/dns4/localhost/tcp/{port}"):
        with connected(api, authorization="Bearer ours") as kubo:
            assert kubo.get(CID) == BLOCK
    assert [asked.headers["Authorization"] for asked in fake.asked] == ["Bearer ours"] * 2


def test_a_closed_connection_says_so(fake: FakeKubo) -> None:
    kubo = connected(fake.api)
    kubo.close()
    kubo.close()
    with pytest.raises(UsageError, match="closed"):
        kubo.get(CID)


# --- the version ----------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["0.30.0", "0.43.1", "0.44.0-dev", "1.0.0"])
def test_every_kubo_from_0_30_on_will_do(fake: FakeKubo, kubo: Kubo, version: str) -> None:
    fake.says("version", answer({"Version": version, "Commit": "", "Golang": "go1.26"}))
    assert kubo.verify_version() == version


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"Version": "0.29.0"}, "0.30 or later"),
        ({"Version": "0.4.23"}, "update the daemon"),
        ({"Version": "0.18.1", "ipfs-core": "0.18.1"}, "no Kubo"),
        ({"Version": 43}, "no Kubo"),
        ({}, "no Kubo"),
        ({"Version": "new"}, "no version"),
        ([], "no map"),
        (b"{", "no JSON"),
        (b"[" * 100_000, "no JSON"),
    ],
)
def test_other_daemons_are_refused(fake: FakeKubo, kubo: Kubo, said: Any, words: str) -> None:
    fake.says("version", answer(said))
    with pytest.raises(BackendError, match=words):
        kubo.verify_version()


# --- import ---------------------------------------------------------------------------------------


def test_an_import_sends_a_car_as_a_file_and_asks_for_the_pin(fake: FakeKubo, kubo: Kubo) -> None:
    fake.says("dag/import", chunked(lines(root(CID)), lines(stats(2))))
    kubo.import_car(b"first second", root=CID, n_blocks=2)
    (asked,) = fake.asked
    assert b"\r\n\r\nfirst second\r\n--" in asked.body
    wanted = {"pin-roots": "true", "stats": "true", "fast-provide-root": "false"}
    assert {name: asked.options[name] for name in wanted} == {n: [v] for n, v in wanted.items()}


def test_the_frame_of_a_file_can_not_be_foreseen(fake: FakeKubo, kubo: Kubo) -> None:
    fake.says("dag/import", answer(lines(stats(1))))
    for _ in range(2):
        kubo.import_car(b"car", root=None, n_blocks=1)
    first, second = (asked.headers["Content-Type"] for asked in fake.asked)
    assert first != second


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (lines(root(CID, "pin: merkledag: not found"), stats(2)), "did not pin"),
        (lines(stats(2)), "0 roots pinned"),
        (lines(root(CID), root(CID), stats(2)), "2 roots pinned"),
        (lines(root(OTHER), stats(2)), "roots pinned"),
        (lines(root(CID)), "None blocks stored of 2"),
        (lines(root(CID), stats(1)), "1 blocks stored of 2"),
        (lines(root(CID), stats("2")), "blocks stored of 2"),
        (lines({"Root": "x"}, stats(2)), "no CID"),
        (lines({"Root": {"Cid": {"/": "x"}}}, stats(2)), "no CID"),
        (lines({"Odd": 1}), "a line with"),
        (lines(root(CID)) + b"{", "no JSON"),
        (b"", "None blocks stored"),
        (lines([]), "no map"),
        (lines(root(CID), {"Message": "late", "Code": 0, "Type": "error"}), "refuses .*late"),
    ],
)
def test_an_import_counts_only_where_every_line_says_so(
    fake: FakeKubo, kubo: Kubo, said: bytes, words: str
) -> None:
    fake.says("dag/import", answer(said))
    with pytest.raises(BackendError, match=words):
        kubo.import_car(b"car", root=CID, n_blocks=2)


def test_an_import_without_a_pin_must_pin_nothing(fake: FakeKubo, kubo: Kubo) -> None:
    fake.says("dag/import", answer(lines(root(CID), stats(2))))
    with pytest.raises(BackendError, match="1 roots pinned"):
        kubo.import_car(b"car", root=None, n_blocks=2)


def test_a_stream_is_sent_once_over_a_connection_that_is_alive(fake: FakeKubo, kubo: Kubo) -> None:
    def confirm(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        (named,) = roots
        answer(lines(root(named), stats(2)))(handler, asked)

    roots: list[Cid] = []
    stream = HoldStream([(Held(CID, False), BLOCK)], b"w" * 16, b"n" * 16, roots.append)
    fake.says("dag/import", confirm)
    kubo.import_stream(stream, 2**20 * 30)
    first, second = fake.asked
    assert (first.command, second.command) == ("version", "dag/import")
    assert second.options["timeout"] == ["90s"]
    assert second.options["pin-roots"] == ["true"]
    assert second.body.count(b"Content-Disposition") == 2
    assert stream.roots == roots


def test_a_stream_that_fails_at_its_source_says_what_the_source_says(
    fake: FakeKubo, kubo: Kubo
) -> None:
    def blocks() -> Iterator[tuple[Held, bytes]]:
        yield Held(CID, False), BLOCK
        raise ZeroDivisionError

    fake.says("dag/import", answer(lines(stats(2))))
    with pytest.raises(ZeroDivisionError):
        kubo.import_stream(HoldStream(blocks(), b"w" * 16, b"n" * 16, lambda _: None), 1)


# --- pins -----------------------------------------------------------------------------------------


def test_a_pin_has_its_name_or_there_is_none(fake: FakeKubo, kubo: Kubo) -> None:
    fake.says("pin/ls", answer({"Keys": {str(CID): {"Type": "recursive", "Name": "ours"}}}))
    assert kubo.pin_name(CID) == "ours"
    fake.says("pin/ls", answer({"Keys": {str(CID): {"Type": "recursive"}}}))
    assert kubo.pin_name(CID) == ""
    fake.says("pin/ls", refused(f"path '/ipfs/{CID}' is not pinned"))
    assert kubo.pin_name(CID) is None


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"Keys": []},
        {"Keys": {}},
        {"Keys": {"x": {"Type": "recursive"}}},
        {"Keys": {str(OTHER): {"Type": "recursive", "Name": "ours"}}},
        {"Keys": {str(CID): {"Type": "direct", "Name": "ours"}}},
        {"Keys": {str(CID): None}},
    ],
)
def test_a_pin_that_is_not_listed_is_not_believed(fake: FakeKubo, kubo: Kubo, said: Any) -> None:
    fake.says("pin/ls", answer(said))
    with pytest.raises(BackendError):
        kubo.pin_name(CID)


def test_names_of_pins_are_compared_from_their_start(fake: FakeKubo, kubo: Kubo) -> None:
    said = [("ours:1", CID), ("not ours:1", OTHER), (None, OTHER)]
    fake.says("pin/ls", answer(lines(*({"Cid": str(c), "Name": name} for name, c in said))))
    assert list(kubo.iter_pins("ours:")) == [(CID, "ours:1")]  # the daemon looks for a part


@pytest.mark.parametrize(
    "said", [{}, {"Pins": None}, {"Pins": []}, {"Pins": [str(OTHER)]}, {"Pins": [1]}]
)
def test_a_change_of_pins_counts_only_where_it_is_listed(
    fake: FakeKubo, kubo: Kubo, said: Any
) -> None:
    for command in ("pin/add", "pin/rm", "pin/update"):
        fake.says(command, answer(said))
    for call in (
        lambda: kubo.name_pin(CID, "ours"),
        lambda: kubo.remove_pins([CID]),
        lambda: kubo.update_pin(CID, OTHER),
    ):
        with pytest.raises(BackendError):
            call()


def test_pins_that_are_gone_are_passed_over(fake: FakeKubo, kubo: Kubo) -> None:
    def write(handler: Any, asked: Any) -> None:
        names = asked.options["arg"]
        gone = refused("not pinned or pinned indirectly")
        (gone if str(OTHER) in names else answer({"Pins": names}))(handler, asked)

    fake.says("pin/rm", write)
    kubo.remove_pins([CID, OTHER])
    assert [asked.options["arg"] for asked in fake.asked] == [
        [str(CID), str(OTHER)],
        [str(CID)],
        [str(OTHER)],
    ]
    fake.says("pin/rm", refused("the repo is locked"))
    with pytest.raises(RefusedError, match="locked"):
        kubo.remove_pins([CID])


def test_many_pins_go_in_several_calls(fake: FakeKubo, kubo: Kubo) -> None:
    fake.says("pin/rm", lambda h, asked: answer({"Pins": asked.options["arg"]})(h, asked))
    kubo.remove_pins([Cid.of(DAG_CBOR, bytes([number])) for number in range(200)])
    assert sum(len(asked.options["arg"]) for asked in fake.asked) == 200
    assert max(len(asked.options["arg"]) for asked in fake.asked) == 64


def test_without_the_client_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ipfshttpclient", None)
    with pytest.raises(UsageError, match=r"hitp2p\[ipfs\]"):
        connected("/ip4/127.0.0.1/tcp/5001")
