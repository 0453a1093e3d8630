"""The API of an unreal court on a loopback port, over a SQLite file of its own."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.store import SqlStore, open_store
from gateway.store.upkeep.migrate import migrate
from tests.api.world import Keys, World, serving


@pytest_asyncio.fixture(scope="session")
async def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "template.db"
    await migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def keys() -> Keys:
    return Keys.fresh()


@pytest_asyncio.fixture
async def store(template: Path, tmp_path: Path) -> AsyncIterator[SqlStore]:
    shutil.copy(template, tmp_path / "lianzhi.db")
    store = await open_store(f"sqlite:///{tmp_path / 'lianzhi.db'}")
    yield store
    await store.close()


@pytest_asyncio.fixture
async def world(store: SqlStore, tmp_path: Path, keys: Keys) -> AsyncIterator[World]:
    async with serving(store, tmp_path / "papers", keys) as world:
        yield world
