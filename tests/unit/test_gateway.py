"""Records from a gateway, which may lack blocks, lie, hang, redirect or answer nonsense."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import pytest
from stories_world import Story, person

from hitp2p.codec.cid import Cid
from hitp2p.errors import BackendError, UsageError
from hitp2p.gateway import Gateway, fetch_record
from hitp2p.objects.envelope import SignedObject

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
