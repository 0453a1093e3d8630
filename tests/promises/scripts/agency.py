"""An agency of twenty lines: every request that comes is answered with what stands in a file."""

import asyncio
import json
import sys
from pathlib import Path

from lianzhi.partner import Partner, PartnerConfig


async def main(config: str, verb: str, body: dict[str, object], head: dict[str, str]) -> None:
    async with Partner(PartnerConfig.load(config)) as partner:
        async for request in partner.inbox:
            async with request.transaction() as tx:
                if request.verb == "open":
                    tx.reply(verb, body, **head)


asyncio.run(main(sys.argv[1], *json.loads(Path(sys.argv[2]).read_text("utf-8"))))
