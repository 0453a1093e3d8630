"""Queues with partners' answers were missing, and `lianzhi broker apply` has made them again (docs/adr/0041)."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from pathlib import Path

from gateway.registry.config import Config
from lianzhi.cli.output import console, problems, said
from lianzhi.errors import ConfigurationError, StoreUnavailableError

LANES = ("normal", "urgent")


def ask_for_what_was_in_them(config: Config, folder: Path, made: Collection[str]) -> None:
    """Whoever has a living request is asked for what may have lain in its queue. made: names of queues. Where there is
    no database of this version yet, as in a new installation, nobody was ever asked anything."""
    from gateway.application.recovery.restored import queues_lost
    from gateway.broker.topology import from_queue
    from gateway.commands.installed import installed
    from gateway.store.engine.database import database_url, sqlite_path

    file = sqlite_path(database_url(config.store_url))
    if file is not None and not file.exists():
        return

    async def work() -> int:
        async with installed(folder) as context:
            lost = [p.code for p in context.directory if any(from_queue(p.code, lane) in made for lane in LANES)]
            return await queues_lost(context, lost)

    try:
        asked = asyncio.run(work())
    except (ConfigurationError, StoreUnavailableError) as error:
        problems.print(f"未询问单位 Partners were not asked: {said(error)}", style="yellow", markup=False)
        return
    if asked:
        console.print(f"答复队列曾缺失，将逐件询问单位 Queues of answers were missing, partners are asked: {asked}")
