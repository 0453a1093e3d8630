"""A court system that submits one thing, to be killed while it waits: `python client_victim.py URL SPOOL KEY`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from lianzhi.client import CourtClient
from tests.integration.handed_in import BODY, COURT, GRID, SIGN, TOKEN


async def main(url: str, spool: str, key: str) -> None:
    async with CourtClient(url, TOKEN, court=COURT, gateway=COURT, spool=Path(spool), sign_key=SIGN) as client:
        await client.submit(BODY, receiver=GRID, sign=True, key=key)


asyncio.run(main(*sys.argv[1:]))
