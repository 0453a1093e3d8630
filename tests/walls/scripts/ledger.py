"""What an agency's own program may do with the ledger, by the public partner library.

ledger.py second TOML OTHER     consume with TOML, then with OTHER beside it
ledger.py write TOML STATEMENT  take one message, run STATEMENT in its transaction
ledger.py query TOML STATEMENT  take one message, give STATEMENT to `query`
Prints one JSON object: `outcome` (`done`, or the error's type) and how many messages and answers the ledger then has.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import older_names  # noqa: F401

from lianzhi.errors import LianzhiError
from lianzhi.partner import Partner, PartnerConfig


async def second(partner: Partner, other: str) -> None:
    async with Partner(PartnerConfig.load(other)):
        pass


async def write(partner: Partner, statement: str) -> None:
    await partner.prepare("CREATE TABLE IF NOT EXISTS work (request_no TEXT)")
    async for request in partner.inbox:
        async with request.transaction() as tx:
            tx.execute(statement)
        break


async def query(partner: Partner, statement: str) -> None:
    async for request in partner.inbox:
        await partner.query(statement)
        await request.done()
        break


async def main(act: str, toml: str, argument: str) -> None:
    told: dict[str, Any] = {"outcome": "done"}
    try:
        async with Partner(PartnerConfig.load(toml)) as partner:
            try:
                await {"second": second, "write": write, "query": query}[act](partner, argument)
            finally:
                for table in ("lz_message", "lz_outbox"):
                    counted = f"SELECT count(*) FROM {table} WHERE request_no IS NOT NULL"
                    told[table] = (await partner.query(counted))[0][0]
    except LianzhiError as error:
        told["outcome"] = type(error).__name__
    print(json.dumps(told))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
