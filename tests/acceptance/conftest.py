"""One world for each module: each of its tests has requests of its own.

A module that meets others than those in `NEAR` names them in its `MET`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gateway.keeping import look_over
from gateway.registry.config import load_config
from simulation.private_broker import PrivateBroker
from tests.world import NEAR, World, open_world


@pytest_asyncio.fixture(scope="module")
async def world(
    broker: PrivateBroker, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    partners = getattr(request.module, "MET", NEAR)
    async with open_world(broker, tmp_path_factory.mktemp("world"), partners) as world:
        await world.start()
        yield world
        checked = await look_over(load_config(world.parties.folder), digests=True)
        assert checked.clean, checked.findings
