"""Installations for the tests of what strangers may choose: the product as child processes, a real broker."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.broker.management import Management
from simulation.private_broker import VHOST, PrivateBroker
from tests import postgres
from tests.conftest import Vhost
from tests.walls.product import Installation, installed

SHARED = "walls"
OWN = {"site", "postgres_site", "flooded", "narrow", "tight", "ruled", "fronted"}  # fifteen seconds for each


def pytest_itemcollected(item: pytest.Item) -> None:
    """An installation of its own is for `make test-all`, what asks the shared one for `make test` (docs/testing.md)."""
    if OWN & set(getattr(item, "fixturenames", ())):
        item.add_marker(pytest.mark.slow)


@pytest_asyncio.fixture
async def site(tmp_path: Path, vhost: Vhost) -> AsyncIterator[Installation]:
    """On SQLite, as a county court has it; nothing runs yet."""
    async with installed(tmp_path, vhost) as site:
        yield site


@pytest_asyncio.fixture
async def postgres_site(tmp_path: Path, vhost: Vhost) -> AsyncIterator[Installation]:
    """On PostgreSQL; nothing runs yet."""
    if postgres.binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    cluster = postgres.shared()
    url = await cluster.new_database("template0")
    async with installed(tmp_path, vhost, store_url=url) as site:
        yield site
    await cluster.drop_database(url)


@pytest_asyncio.fixture(scope="session")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """One that serves, on SQLite with the default bounds: for every test that changes neither and leaves it alive.
    Only notices are more: the refusals of all tests within a minute are many.

    On a broker of its own: a user that has rights in two virtual hosts is nobody's to give a password to, and those of
    `site` have the same names."""
    async with (
        PrivateBroker() as broker,
        Management(broker.management_url, broker.admin, broker.password) as management,
        installed(tmp_path_factory.mktemp("running"), Vhost(VHOST, broker, management)) as site,
    ):
        site.limit(notices_per_minute=1_000)
        await site.serve()
        yield site
