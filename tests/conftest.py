"""What all tests share: hypothesis profiles, the outside vectors, and their line in the summary."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import outside
import pytest
from hypothesis import HealthCheck, settings
from interop import matrix
from kubo_daemon import running_kubo

# A shared machine is slow at times, so no deadline. CI draws the same examples each time: a red run can be repeated.
settings.register_profile(
    "dev", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.register_profile("ci", settings.get_profile("dev"), derandomize=True, database=None)
settings.register_profile("long", settings.get_profile("dev"), max_examples=5000)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") == "true" else "dev")
)

_from_workers: Counter[str] = Counter()
_asked_by_workers: set[str] = set()


@pytest.fixture(scope="session")
def vectors() -> Callable[[str], Path]:
    """`vectors("go-car")` is the folder of that set of outside vectors; skips or fails where missing."""
    return outside.vector_set


@pytest.fixture(scope="session")
def count_cases() -> Callable[[str, int], None]:
    """`count_cases("go-car", 3)` says that three cases of the set ran and held."""
    return outside.count_cases


@pytest.fixture(scope="session")
def kubo_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real daemon on which a workspace may keep its works; shared by all who ask."""
    silent = {"Provide.Enabled": "false"}  # so that it takes unlisted projects, too
    with running_kubo(tmp_path_factory.mktemp("kubo"), config=silent) as daemon:
        yield f"kubo:{daemon.api}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A module that says `STORES = ("sqlite", "kubo")` runs its tests once on each, those that ask for `works_on`."""
    stores = getattr(metafunc.module, "STORES", None)
    if stores and "works_on" in metafunc.fixturenames:
        metafunc.parametrize("works_on", stores, indirect=True)


@pytest.fixture
def works_on(request: pytest.FixtureRequest) -> str | None:
    """Where workspaces of this test keep their works, as `hitp2p.open` takes it; None where they choose."""
    kind = getattr(request, "param", None)
    if kind == "kubo":
        pytest.importorskip("ipfshttpclient")  # the wheel is tested without extras
    return request.getfixturevalue("kubo_store") if kind == "kubo" else None


def pytest_sessionfinish(session: pytest.Session) -> None:
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:  # one worker of a parallel run
        output[outside.CASES_KEY] = dict(outside.counted())
        output[outside.SETS_KEY] = sorted(outside.asked())
        output[matrix.KEY] = matrix.cells()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    output: dict[str, Any] = getattr(node, "workeroutput", {})
    _from_workers.update(output.get(outside.CASES_KEY, {}))
    _asked_by_workers.update(output.get(outside.SETS_KEY, []))
    matrix.add(output.get(matrix.KEY, []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in matrix.lines():
        terminalreporter.write_line(line)
    cases = outside.counted() + _from_workers
    asked = outside.asked() | _asked_by_workers | set(cases)
    if not asked:
        return
    terminalreporter.write_line(f"outside: {len(cases)} of {len(asked)} sets ran")
    for name in sorted(asked):
        terminalreporter.write_line(f"  {name}: {cases[name] or 'not run'}")
