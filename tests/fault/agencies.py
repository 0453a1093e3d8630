"""The agencies of the fault tests: they work off what they are asked with the partner library, and keep count.

What an agency does because of a request is one row in a table of its own, written through the library's transaction
together with the answers. However often bytes come, however it dies, there must be one row for each request.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from adapters.contract import Canonical
from adapters.registry import adapter_for
from lianzhi.partner import Partner, PartnerConfig
from lianzhi.partner.request import Request, Transaction
from lianzhi.protocol.cards import Classification
from schemas.catalogue import Shape, catalogue
from simulation.parties import Parties

EFFECTS = "CREATE TABLE IF NOT EXISTS effects (request_no TEXT NOT NULL, message_id TEXT NOT NULL)"
WORKERS = 4
HEAD = ("outcome", "as_of", "ttl_hours")


async def last_word(type: str, dialect: str) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """(verb, body, head) that end a request of this type: the catalogue's example, in the agency's own words."""
    matter = catalogue()[type]
    if matter.shape is Shape.NOTICE:
        seen = Canonical(type, "read", {"by": "周演示"})
        return "read", await adapter_for(dialect).encode(seen), {"at": "2026-03-26T10:30:00+08:00"}
    said = dict(matter.example_result)
    head = {name: said.pop(name) for name in HEAD if name in said}
    if matter.result_class is Classification.LOCATION:  # the court's own words, sealed to it
        return "result", said, head
    return "result", await adapter_for(dialect).encode(Canonical(type, "result", said)), head


async def handle(request: Request, tx: Transaction, dialect: str) -> None:
    """The effect and both answers, as one."""
    tx.execute("INSERT INTO effects VALUES (?, ?)", (request.request_no, request.envelope.id))
    verb, body, head = await last_word(request.type, dialect)
    tx.reply(verb, body, **head)


async def work(partner: Partner, handled: Callable[[], None]) -> None:
    """Handle what comes until the inbox closes."""
    async for request in partner.inbox:
        async with request.transaction() as tx:
            if request.verb == "open":
                await handle(request, tx, partner.config.dialect or "")
        handled()


def settings(parties: Parties, code: str, amqp_port: int | None = None) -> PartnerConfig:
    """What the agency was handed over. amqp_port: of a proxy in front of the broker."""
    config = PartnerConfig.load(parties.partners[code] / "partner.toml")
    if amqp_port is None:
        return config
    address, _, vhost = config.amqp_url.rpartition("/")
    return replace(config, amqp_url=f"{address.rpartition(':')[0]}:{amqp_port}/{vhost}")


@asynccontextmanager
async def working(*configs: PartnerConfig, handled: Callable[[], None] = lambda: None) -> AsyncIterator[None]:
    """These agencies at work until the block is left. handled: called after each message."""
    async with AsyncExitStack() as stack:
        partners: list[Partner] = []
        tasks: list[asyncio.Task[None]] = []
        for config in configs:
            partner = await stack.enter_async_context(Partner(config))
            await partner.prepare(EFFECTS)
            partners.append(partner)
            tasks += [asyncio.create_task(work(partner, handled)) for _ in range(WORKERS)]
        yield
        for partner in partners:
            partner.stop()
        await asyncio.gather(*tasks)


def effects(ledgers: Mapping[str, Path]) -> Counter[tuple[str, str]]:
    """(agency, request_no) → how often it was done there."""
    return Counter((code, number) for code, file in ledgers.items() for number in _column(file, "effects.request_no"))


def message_ids(ledger: Path) -> set[str]:
    """Every message that the agency has stored."""
    return set(_column(ledger, "lz_message.id"))


def _column(ledger: Path, name: str) -> list[str]:
    with closing(sqlite3.connect(ledger)) as connection:
        return [value for (value,) in connection.execute(f"SELECT {name} FROM {name.partition('.')[0]}")]
