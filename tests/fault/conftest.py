"""Installations for the fault tests, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.store.upkeep.migrate import migrate
from tests import postgres
from tests.conftest import Vhost
from tests.fault.site import Site, site_at


@pytest_asyncio.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
async def site(request: pytest.FixtureRequest, tmp_path: Path, vhost: Vhost) -> AsyncIterator[Site]:
    """On each of the databases: SQLite, as a county court has it, and PostgreSQL (`make test-all` only)."""
    async with (on_sqlite if request.param == "sqlite" else on_postgres)(tmp_path, vhost) as site:
        yield site


@pytest_asyncio.fixture
async def sqlite_site(tmp_path: Path, vhost: Vhost) -> AsyncIterator[Site]:
    """For what happens to a file."""
    async with on_sqlite(tmp_path, vhost) as site:
        yield site


@pytest_asyncio.fixture
async def postgres_site(tmp_path: Path, vhost: Vhost) -> AsyncIterator[Site]:
    """For what happens between several processes that share a store."""
    async with on_postgres(tmp_path, vhost) as site:
        yield site


def on_sqlite(root: Path, vhost: Vhost) -> AbstractAsyncContextManager[Site]:
    return site_at(root, vhost)


@asynccontextmanager
async def on_postgres(root: Path, vhost: Vhost) -> AsyncIterator[Site]:
    if postgres.binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    cluster = postgres.shared()
    url = await cluster.new_database("template0")
    await migrate(url)
    async with site_at(root, vhost, store_url=url) as site:
        yield site
    await cluster.drop_database(url)
