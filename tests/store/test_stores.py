"""The published suite, over the stores of this package."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hitp2p.store.contract import Store
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
