"""Loads of their own processes: a court system that only POSTs, and an agency that only answers.

`python -m bench.load post URL TOKEN BODY_FILE COUNT CONNECTIONS` prints the seconds of the posting.
`python -m bench.load partner PARTNER_TOML COUNT` answers every request with its last word and prints when it is done.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp

from lianzhi.partner import Partner, PartnerConfig
from lianzhi.partner.inbox import Inbox

HANDLERS = 32


async def post(url: str, token: str, body: bytes, count: int, connections: int) -> float:
    """After a line on standard input: the same body `count` times, other keys; seconds until the last 202."""
    left, run = iter(range(count)), uuid4().hex  # each load has keys of its own: a gateway may see several
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connector = aiohttp.TCPConnector(limit=connections)
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:

        async def client() -> None:
            for number in left:
                key = {"Idempotency-Key": f"bench-{run}-{number}"}
                async with session.post(f"{url}/v1/requests", data=body, headers=key) as answer:
                    if answer.status != 202:
                        raise RuntimeError(f"{answer.status}: {await answer.text()}")
                    await answer.read()

        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        start = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(connections)))
        return time.perf_counter() - start


ANSWERS: dict[str, Any] = {
    "assoc.member-notice.publish": ("read", {}, {"at": "2026-03-26T10:30:00+08:00"}),
    "grid.verify.request": ("result", {}, {"outcome": "done", "as_of": "2026-03-26T10:30:00+08:00"}),
}


async def partner(config: Path, answers: dict[str, Any], count: int) -> None:
    """One last word for each of `count` requests."""
    async with Partner(PartnerConfig.load(config)) as agency:
        print("ready", flush=True)
        done = 0

        async def handle(inbox: Inbox) -> None:
            nonlocal done
            async for request in inbox:
                verb, body, head = answers[request.type]
                async with request.transaction() as tx:
                    tx.reply(verb, body, **head)
                done += 1
                if done == count:
                    agency.stop()

        await asyncio.gather(*(handle(agency.inbox) for _ in range(HANDLERS)))
        await agency.drained()
    print("done", flush=True)


def main() -> None:
    command, *arguments = sys.argv[1:]
    if command == "post":
        url, token, body, count, connections = arguments
        seconds = asyncio.run(post(url, token, Path(body).read_bytes(), int(count), int(connections)))
        print(json.dumps({"seconds": seconds}), flush=True)
    else:
        config, answers, count = arguments
        asyncio.run(partner(Path(config), json.loads(Path(answers).read_text(encoding="utf-8")), int(count)))


if __name__ == "__main__":
    main()
