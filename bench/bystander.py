"""A court system and another partner at their ordinary work: `python -m bench.bystander ORDER_FILE SECONDS`.

The court POSTs at a steady pace (open loop: a slow answer delays no later request), the partner answers at once, the
court follows its feed. Prints one JSON line: milliseconds of each POST, of each wait from the 202 until the partner has
the message, and of each round trip from the POST until the answer stands in the court's feed.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from uuid_utils.compat import uuid7

from bench.load import ANSWERS
from lianzhi.partner import Partner, PartnerConfig
from lianzhi.partner.inbox import Inbox

RATE = 15.0  # requests a second
SETTLE_SECONDS = 30.0
ENDED = "read"
ADDRESS = "127.0.0.2"  # another than the flood comes from: connections are counted by address


@dataclass(frozen=True, slots=True)
class Order:
    """url, token: of the court system. body: file with what it POSTs. partner: file `partner.toml` of the receiver."""

    url: str
    token: str
    body: str
    partner: str
    words: dict[str, Any]


@dataclass(slots=True)
class Measured:
    """Milliseconds. lost: requests that had no answer when the window and its settling time were over."""

    post: list[float] = field(default_factory=list)
    wait: list[float] = field(default_factory=list)
    round: list[float] = field(default_factory=list)
    lost: int = 0


class Bystander:
    def __init__(self, order: Order) -> None:
        self._order = order
        self._body = Path(order.body).read_bytes()
        self._began: dict[str, float] = {}
        self._taken: dict[str, float] = {}
        self._arrived: dict[str, float] = {}
        self._ended: dict[str, float] = {}
        self._post: list[float] = []
        self._asked = False
        self._all_ended = asyncio.Event()

    async def run(self, seconds: float) -> Measured:
        headers = {"Authorization": f"Bearer {self._order.token}"}
        connector = aiohttp.TCPConnector(local_addr=(ADDRESS, 0))
        async with (
            aiohttp.ClientSession(self._order.url, headers=headers, connector=connector) as session,
            Partner(PartnerConfig.load(Path(self._order.partner))) as agency,
        ):
            ready = asyncio.Event()
            beside = [
                asyncio.create_task(self._follow(session, ready)),
                asyncio.create_task(self._answer(agency.inbox)),
            ]
            await ready.wait()
            await self._ask(session, seconds)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._all_ended.wait(), SETTLE_SECONDS)
            agency.stop()
            await agency.drained()
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
        return self._measured()

    async def _ask(self, session: aiohttp.ClientSession, seconds: float) -> None:
        start, tasks = time.perf_counter(), []
        for number in range(int(seconds * RATE)):
            await asyncio.sleep(max(0.0, start + number / RATE - time.perf_counter()))
            tasks.append(asyncio.create_task(self._one(session)))
        await asyncio.gather(*tasks)
        self._asked = True
        self._look()

    async def _one(self, session: aiohttp.ClientSession) -> None:
        headers = {"Idempotency-Key": str(uuid7()), "Content-Type": "application/json"}
        begun = time.perf_counter()
        async with session.post("/v1/requests", data=self._body, headers=headers) as answer:
            document = await answer.json()
            if answer.status != 202:
                raise RuntimeError(f"{answer.status}: {document}")
        now = time.perf_counter()
        self._post.append((now - begun) * 1000)
        self._began[document["request_no"]], self._taken[document["request_no"]] = begun, now

    async def _answer(self, inbox: Inbox) -> None:
        async for request in inbox:
            self._arrived.setdefault(request.request_no, time.perf_counter())
            verb, _, head = ANSWERS[request.type]
            async with request.transaction() as tx:
                tx.reply(verb, self._order.words, **head)

    async def _follow(self, session: aiohttp.ClientSession, ready: asyncio.Event) -> None:
        """From the end of the feed as it stands: earlier windows' events are passed over."""
        after: dict[str, str] = {}
        while True:
            wait = {"wait": "20"} if ready.is_set() else {}
            async with session.get("/v1/events", params={**after, **wait, "limit": "1000"}) as answer:
                document = await answer.json()
            events = document["events"]
            now = time.perf_counter()
            for event in events:
                after = {"after": event["cursor"]}
                if event.get("state") == ENDED and event.get("request_no"):
                    self._ended.setdefault(event["request_no"], now)
            if not events:
                ready.set()
            self._look()

    def _look(self) -> None:
        if self._asked and self._ended.keys() >= self._began.keys():
            self._all_ended.set()

    def _measured(self) -> Measured:
        found = Measured(post=self._post)
        for number, begun in self._began.items():
            if number in self._arrived:
                found.wait.append(max(0.0, self._arrived[number] - self._taken[number]) * 1000)
            if number in self._ended:
                found.round.append((self._ended[number] - begun) * 1000)
            else:
                found.lost += 1
        return found


def main() -> None:
    order = Order(**json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    measured = asyncio.run(Bystander(order).run(float(sys.argv[2])))
    print(json.dumps(asdict(measured)), flush=True)


if __name__ == "__main__":
    main()
