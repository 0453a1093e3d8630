"""One world for each module: each of its tests has requests of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gateway.demo.private_broker import PrivateBroker
from tests.world import World, open_world


@pytest_asyncio.fixture(scope="module")
async def world(broker: PrivateBroker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with open_world(broker, tmp_path_factory.mktemp("world")) as world:
        await world.start()
        yield world
