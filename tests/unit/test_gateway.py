"""Records from a gateway, which may lack blocks, lie, hang, redirect or answer nonsense."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import pytest
from stories_world import Story, person

import hitp2p
from hitp2p.codec.cid import Cid
from hitp2p.errors import BackendError, UsageError
from hitp2p.gateway import Gateway, fetch_record
from hitp2p.objects.envelope import SignedObject
from hitp2p.sealing import seal
from hitp2p.trail.report import Headline

ANA, BO = person("Ana"), person("Bo")
Answer = Callable[[BaseHTTPRequestHandler, Cid, bytes | None], None]


def honest(handler: BaseHTTPRequestHandler, _: Cid, block: bytes | None) -> None:
    handler.send_response(200 if block is not None else 404)
    handler.send_header("Content-Length", str(len(block or b"")))
    handler.end_headers()
    handler.wfile.write(block or b"")


class Server:
    """A gateway over one workspace."""

    def __init__(self, story: Story) -> None:
        self.asked: list[str] = []
        self.answer: Answer = honest
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append(self.path)
                cid = Cid.parse(self.path.removeprefix("/ipfs/").partition("?")[0])
                server.answer(self, cid, story.ws.store.get(cid))

            def log_message(self, *_: object) -> None:
                return

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = Thread(target=self.http.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"

    def close(self) -> None:
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    with Story(tmp_path) as told:
        yield told


@pytest.fixture
def song(story: Story) -> SignedObject:
    project = story.ws.create_project("Night Bus", license="CC-BY-SA-4.0", by=ANA)
    verse = story.work(ANA, project, "verse.txt", "Verse")
    return story.remix(BO, [verse], "song.txt", "Song", note="It made me sing. " * 100)


@pytest.fixture
def server(story: Story) -> Iterator[Server]:
    made = Server(story)
    yield made
    made.close()


def test_a_record_is_fetched_with_all_that_its_links_reach_but_media(
    story: Story, song: SignedObject, server: Server
) -> None:
    found = fetch_record(song.cid, Gateway(server.url))
    for row in story.ws.rows():
        assert found.lookup(row.cid) is not None, row.kind
    assert found.get(song.body["note_block"]) is not None
    media = {str(entry["file"]) for entry in song.body["media"]}
    assert not any(cid in path for path in server.asked for cid in media)
    assert all(path.endswith("?format=raw") for path in server.asked)


def test_what_the_gateway_lacks_is_missing_and_the_work_must_be_there(
    story: Story, song: SignedObject, server: Server
) -> None:
    (verse,) = song.parents

    def lacking(handler: BaseHTTPRequestHandler, cid: Cid, block: bytes | None) -> None:
        honest(handler, cid, None if cid == verse else block)

    server.answer = lacking
    assert fetch_record(song.cid, Gateway(server.url)).lookup(song.cid) is None  # not judged
    server.answer = lambda handler, cid, _: honest(handler, cid, None)
    with pytest.raises(BackendError, match="has no work"):
        fetch_record(song.cid, Gateway(server.url))


def lies(handler: BaseHTTPRequestHandler, cid: Cid, block: bytes | None) -> None:
    honest(handler, cid, (block or b"")[:-1] + b"!")


def floods(handler: BaseHTTPRequestHandler, cid: Cid, block: bytes | None) -> None:
    honest(handler, cid, bytes(3 * 1024 * 1024))


def redirects(handler: BaseHTTPRequestHandler, cid: Cid, block: bytes | None) -> None:
    handler.send_response(302)
    handler.send_header("Location", f"http://127.0.0.1:1/ipfs/{cid}")
    handler.end_headers()


def breaks_off(handler: BaseHTTPRequestHandler, cid: Cid, block: bytes | None) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    handler.wfile.write((block or b"")[:-1])


def refuses(handler: BaseHTTPRequestHandler, cid: Cid, block: bytes | None) -> None:
    handler.send_error(500)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lies, "sent other bytes"),
        (floods, "sent other bytes"),
        (redirects, "answers 302"),
        (breaks_off, "sent other bytes|can't be reached"),
        (refuses, "answers 500"),
    ],
)
def test_a_bad_gateway_is_a_clear_error(
    song: SignedObject, server: Server, answer: Answer, words: str
) -> None:
    server.answer = answer
    with pytest.raises(BackendError, match=words):
        Gateway(server.url).get(song.cid)


def test_a_gateway_that_hangs_is_given_up(song: SignedObject, server: Server) -> None:
    done = Event()
    server.answer = lambda *_: done.wait(10) and None
    try:
        with pytest.raises(BackendError, match="can't be reached"):
            Gateway(server.url, timeout_s=0.2).get(song.cid)
    finally:
        done.set()


def test_nobody_listening_is_a_clear_error(song: SignedObject) -> None:
    with pytest.raises(BackendError, match="name another with --gateway"):
        Gateway("http://127.0.0.1:9").get(song.cid)


@pytest.mark.parametrize("url", ["file:///etc", "ftp://x", "http://", "http://h/path", "localhost"])
def test_only_web_addresses_without_a_path_are_gateways(url: str) -> None:
    with pytest.raises(UsageError, match="no gateway"):
        Gateway(url)


def test_a_sealed_file_without_its_bundle_is_verified_online(story: Story, server: Server) -> None:
    path = story.folder / "drawing.svg"
    path.write_text('<svg xmlns="http://www.w3.org/2000/svg"><circle r="3"/></svg>\n', "utf-8")
    project = story.ws.create_project("Night Bus", license="CC-BY-SA-4.0", by=ANA)
    story.ws.contribute(project, path, title="Drawing", by=ANA)
    seal(story.ws, path).bundle.unlink()
    assert hitp2p.verify(path).headline is Headline.UNKNOWN
    assert server.asked == []
    report = hitp2p.verify(path, online=Gateway(server.url))
    assert (report.headline, report.online) == (Headline.VERIFIED, True)
    path.write_text(path.read_text("utf-8").replace('r="3"', 'r="4"'), "utf-8")
    changed = hitp2p.verify(path, online=Gateway(server.url))
    assert changed.headline is Headline.UNKNOWN
    assert 'its tags point to "Drawing"' in changed.because


def test_the_command_line_goes_online_only_when_asked(story: Story, server: Server) -> None:
    path = story.folder / "drawing.svg"
    path.write_text('<svg xmlns="http://www.w3.org/2000/svg"><circle r="3"/></svg>\n', "utf-8")
    project = story.ws.create_project("Night Bus", license="CC-BY-SA-4.0", by=ANA)
    story.ws.contribute(project, path, title="Drawing", by=ANA)
    seal(story.ws, path).bundle.unlink()
    program = [sys.executable, "-m", "hitp2p", "verify", str(path), "--gateway", server.url]
    assert subprocess.run(program, capture_output=True, check=False).returncode == 40
    assert server.asked == []
    ran = subprocess.run([*program, "--online", "--json"], capture_output=True, check=True)
    assert json.loads(ran.stdout)["freshness"]["online"] is True


def test_a_pdf_is_sealed_by_its_bundle_and_a_copy_says_where_to_look(story: Story) -> None:
    pikepdf = pytest.importorskip("pikepdf")
    path, copy = story.folder / "score.pdf", story.folder / "copy.pdf"
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(path)
    before = path.read_bytes()
    project = story.ws.create_project("Night Bus", license="CC-BY-SA-4.0", by=ANA)
    story.ws.contribute(project, path, title="Score", by=ANA)
    done = seal(story.ws, path)
    assert (done.has_pointer, path.read_bytes()) == (False, before)
    assert hitp2p.verify(path).headline is Headline.VERIFIED
    assert seal(story.ws, path, output=copy).has_pointer
    report = hitp2p.verify(copy)
    assert report.headline is Headline.UNKNOWN
    assert 'its tags point to "Score"' in report.because
