"""What a command needs of an installation whose gateway need not run: its store, its participants, its clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.application.context import Context
from gateway.registry.config import load_config

NO_DAY = "99999999"
"""Of no day's numbers: only the incarnations are asked for."""


@asynccontextmanager
async def installed(folder: Path) -> AsyncIterator[Context]:
    """Raises ConfigurationError, StoreUnavailableError."""
    from gateway.bootstrap import SystemClock, build_context
    from gateway.store.store import open_store

    config = load_config(folder)
    store = await open_store(config.store_url)
    try:
        context = build_context(config, store, SystemClock())
        context.identity.ages = (await store.standing(NO_DAY)).ages
        yield context
    finally:
        await store.close()
