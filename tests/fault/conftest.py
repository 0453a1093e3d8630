"""Installations for the fault tests, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.store.migrate import migrate
from tests import postgres
from tests.conftest import Vhost
from tests.fault.site import Site, site_at


@pytest_asyncio.fixture
async def site(tmp_path: Path, vhost: Vhost) -> AsyncIterator[Site]:
    """On SQLite, as a county court has it."""
    async with site_at(tmp_path, vhost) as site:
        yield site


@pytest_asyncio.fixture
async def postgres_site(tmp_path: Path, vhost: Vhost) -> AsyncIterator[Site]:
    """On PostgreSQL, which several processes share."""
    if postgres.binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    cluster = postgres.shared()
    url = await cluster.new_database("template0")
    await migrate(url)
    async with site_at(tmp_path, vhost, store_url=url) as site:
        yield site
    await cluster.drop_database(url)
