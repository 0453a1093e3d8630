"""最小的单位程序：收一件、签收、办结 The smallest partner: take a request, say who received it, go on.

python partner.py          # 在本文件夹 in this folder
"""

import asyncio
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

from lianzhi.partner import Partner, PartnerConfig

SHANGHAI = timezone(timedelta(hours=8))
RECEIPTS = json.loads(Path("receipts.json").read_text("utf-8"))  # 签收的写法，填上真实人员 whom to name


async def main() -> None:
    async with Partner(PartnerConfig.load("partner.toml")) as partner:
        async for request in partner.inbox:
            print(request.request_no, request.type, request.verb, flush=True)
            async with request.transaction() as tx:  # 与本单位的数据同成败 one transaction with your own tables
                if request.verb == "open":
                    form, now = RECEIPTS[request.type], datetime.now(SHANGHAI)
                    tx.reply("receipt", {name: text.format(time=now) for name, text in form.items()})
                elif request.verb == "withdraw":
                    tx.reply("withdraw-ack", {}, effect="reversed")


asyncio.run(main())
