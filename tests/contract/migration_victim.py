"""A migration that is killed, as a child process of test_migrate.py."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from gateway.store.upkeep.migrate import migrate
from tests.fault.entry import write_to


@dataclass(frozen=True, slots=True)
class Order:
    """Migrate `url`; SIGKILL after that many statements that change something."""

    url: str
    statements: int
    log: Path


def main(order: Order, _: Connection) -> None:
    write_to(order.log)
    left = order.statements

    @event.listens_for(Engine, "after_cursor_execute")
    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        nonlocal left
        if statement.lstrip().startswith(("CREATE", "INSERT")):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    asyncio.run(migrate(order.url))
