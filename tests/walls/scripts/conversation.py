"""An agency's program that holds one whole conversation, on whatever version of the library it is started with.

conversation.py TOML
It answers an `open` with a receipt and a result that the gateway must refuse, says the right result when it is told so,
and takes the `confirm`. Says as JSON lines what happens.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from datetime import datetime, timedelta, timezone
from typing import Any

import older_names  # noqa: F401

import gateway
from lianzhi.partner import Partner, PartnerConfig, Request

SHANGHAI = timezone(timedelta(hours=8))


def tell(event: str, **more: Any) -> None:
    print(json.dumps({"event": event, **more}), flush=True)


class Conversation:
    def __init__(self, partner: Partner) -> None:
        self.partner = partner
        self.right: dict[str, Any] = {}
        self.head: dict[str, Any] = {}

    async def work(self) -> None:
        async for request in self.partner.inbox:
            if request.verb == "open":
                await self.answer(request)
            else:
                await request.done()
            tell("handled", verb=request.verb, request_no=request.request_no)

    async def answer(self, request: Request) -> None:
        now = datetime.now(SHANGHAI).isoformat(timespec="seconds")
        found = {"livesHere": "1", "lastSeenMonth": now[:7], "contactable": "1", "premisesState": "9"}
        said = {question: found[question] for question in request.body["questions"]}
        who = {"workerNo": "yc-0003", "workerName": "孙示例", "visitedAt": now}
        refs = request.head["refs"]
        self.right = {"items": [{"ref": ref, **said, **who} for ref in refs]}
        self.head = {"outcome": "done", "as_of": now}
        wrong = {"items": [{**item, "livesHere": "perhaps"} for item in self.right["items"]]}
        receipt = {"receivedAt": now, "workerName": "孙示例", "workerNo": "yc-0003", "gridName": "东街网格（演示）"}
        async with request.transaction() as tx:
            tx.reply("receipt", receipt)
            tx.reply("result", wrong, **self.head)

    async def listen(self) -> None:
        async for notice in self.partner.notices():
            tell("notice", reason=notice.reason, request_no=notice.request_no, pointer=notice.pointer)
            if notice.request_no is not None:
                await self.partner.say(notice.request_no, "result", self.right, **self.head)


async def main(toml: str) -> None:
    async with Partner(PartnerConfig.load(toml)) as partner:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, partner.stop)
        conversation = Conversation(partner)
        listening = asyncio.create_task(conversation.listen())
        await partner.ping()
        tell("ready", library=gateway.__file__)
        await conversation.work()
        listening.cancel()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
