"""The page for Prometheus, read by Prometheus' own parser."""

from __future__ import annotations

import http.client
from collections.abc import Callable

import pytest
import trio
from prometheus_client.parser import text_string_to_metric_families

from hitp2p.node.metrics import Metric, render, serve_metrics

PAGE = [
    Metric("peers", "gauge", "Connections now.", [({"side": "in"}, 3), ({"side": "out"}, 8)]),
    Metric("stored_total", "counter", "Objects, \\ and\nlines.", [({}, 2**53 - 1)]),
    Metric("topic_members", "gauge", "By title.", [({"title": 'Night "Bus"\n\\'}, 0.5)]),
]


def test_prometheus_reads_what_was_counted() -> None:
    found = {one.name: one for one in text_string_to_metric_families(render(PAGE))}
    assert found["hitp2p_peers"].type == "gauge"
    assert [(s.labels, s.value) for s in found["hitp2p_peers"].samples] == [
        ({"side": "in"}, 3.0),
        ({"side": "out"}, 8.0),
    ]
    assert found["hitp2p_stored"].samples[0].value == 2**53 - 1
    assert found["hitp2p_stored"].documentation == "Objects, \\ and\nlines."
    assert found["hitp2p_topic_members"].samples[0].labels == {"title": 'Night "Bus"\n\\'}


def served(call: Callable[[str, int], object]) -> object:
    async def main() -> object:
        with trio.fail_after(10):
            async with trio.open_nursery() as nursery:
                host, port = await nursery.start(
                    serve_metrics, "127.0.0.1", 0, lambda: render(PAGE)
                )
                got = await trio.to_thread.run_sync(call, host, port)
                nursery.cancel_scope.cancel()
        return got

    return trio.run(main)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/metrics", 200),
        ("GET", "/metrics?name=x", 200),
        ("GET", "/", 404),
        ("POST", "/metrics", 405),
    ],
)
def test_only_the_page_is_served(method: str, path: str, status: int) -> None:
    def call(host: str, port: int) -> tuple[int, str]:
        connection = http.client.HTTPConnection(host, port, timeout=5)
        connection.request(method, path)
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, body

    got = served(call)
    assert isinstance(got, tuple)
    assert got[0] == status
    assert (got[1] == render(PAGE)) == (status == 200)
