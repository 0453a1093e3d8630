"""Machine rooms for the drills, on SQLite and on PostgreSQL. Each takes tens of seconds: `make test-all`."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests import postgres

OWN = {"vhost", "postgres_url"}  # a broker's virtual host: programs run


def pytest_itemcollected(item: pytest.Item) -> None:
    """A drill is for `make test-all`, or for `make chaos` where it says so (docs/testing.md)."""
    if OWN & set(getattr(item, "fixturenames", ())) and not item.get_closest_marker("chaos"):
        item.add_marker(pytest.mark.slow)


@pytest_asyncio.fixture
async def postgres_url() -> AsyncIterator[str]:
    """Of an empty database."""
    if postgres.binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    cluster = postgres.shared()
    url = await cluster.new_database("template0")
    yield url
    await cluster.drop_database(url)
