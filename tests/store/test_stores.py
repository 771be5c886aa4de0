"""The published suite, over the stores of this package."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kubo_daemon import KuboDaemon, running_kubo

from hitp2p.store.contract import Store
from hitp2p.store.kubo import KuboStore
from hitp2p.store.kubo_address import parse_kubo_address
from hitp2p.store.memory import MemoryStore
from hitp2p.store.sqlite import SqliteStore
from hitp2p.testing.store_suite import StoreSuite


class TestMemoryStore(StoreSuite):
    @pytest.fixture
    def store(self) -> Iterator[Store]:
        with MemoryStore() as store:
            yield store


class TestSqliteStore(StoreSuite):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        with SqliteStore.open(tmp_path / "store") as store:
            yield store


class TestSqliteStoreWithoutFts5(StoreSuite):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        with SqliteStore.open(tmp_path / "store", fts5=False) as store:
            yield store


@pytest.fixture(scope="module")
def kubo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KuboDaemon]:
    """A daemon for all tests of this module; each has a workspace of its own on it."""
    with running_kubo(tmp_path_factory.mktemp("kubo")) as daemon:
        yield daemon


class TestKuboStore(StoreSuite):
    @pytest.fixture
    def store(self, tmp_path: Path, kubo: KuboDaemon) -> Iterator[Store]:
        with KuboStore.connect(tmp_path / "store", parse_kubo_address(kubo.api)) as store:
            yield store
