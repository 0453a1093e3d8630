"""Each store test runs on SQLite and on a real PostgreSQL; each gets a database of its own."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.store import SqlStore, open_store
from gateway.store.upkeep.migrate import migrate
from tests import postgres


@pytest.fixture(scope="session")
def cluster() -> postgres.Cluster:
    if postgres.binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    return postgres.shared()


@pytest_asyncio.fixture(scope="session")
async def prepared_cluster(cluster: postgres.Cluster) -> postgres.Cluster:
    await cluster.prepare_template()
    return cluster


@pytest_asyncio.fixture(scope="session")
async def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "template.db"
    await migrate(f"sqlite:///{path}")
    return path


@pytest_asyncio.fixture
async def postgres_url(prepared_cluster: postgres.Cluster) -> AsyncIterator[str]:
    url = await prepared_cluster.new_database()
    yield url
    await prepared_cluster.drop_database(url)


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    path = tmp_path / "lianzhi.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated, empty database of each kind."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


@pytest_asyncio.fixture
async def store(database_url: str) -> AsyncIterator[SqlStore]:
    store = await open_store(database_url)
    yield store
    await store.close()


@pytest_asyncio.fixture
async def postgres_store(postgres_url: str) -> AsyncIterator[SqlStore]:
    """For what only row locks and a server can show."""
    store = await open_store(postgres_url)
    yield store
    await store.close()


@pytest_asyncio.fixture
async def sqlite_store(sqlite_url: str) -> AsyncIterator[SqlStore]:
    store = await open_store(sqlite_url)
    yield store
    await store.close()
