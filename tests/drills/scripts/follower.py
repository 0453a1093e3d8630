"""Follows a court's feed by its cursor all along, on the public client library: each event that it is given is a line.

follower.py CONFIG BOOK
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from dataclasses import replace
from pathlib import Path

from lianzhi.client import OLDEST, ClientConfig, CourtClient

WAIT_SECONDS = 2


async def follow(client: CourtClient, book: Path) -> None:
    with book.open("a", encoding="utf-8", buffering=1) as lines:
        async for event in client.events(after=OLDEST):
            told = {
                "cursor": event.cursor,
                "at": event.at,
                "kind": event.kind,
                "request_no": event.request_no,
                "verb": event.verb,
                "state": event.state,
                "message_id": event.message_id,
            }
            lines.write(json.dumps(told) + "\n")


async def main(path: Path, book: Path) -> None:
    config = ClientConfig.load(path)
    own = replace(config, spool=config.spool.with_name("follower.sqlite"))
    async with CourtClient.from_config(own, wait=WAIT_SECONDS) as client:
        following = asyncio.create_task(follow(client, book))
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, following.cancel)
        print(json.dumps({"event": "ready"}), flush=True)
        try:
            await following
        except asyncio.CancelledError:
            return


if __name__ == "__main__":
    asyncio.run(main(*map(Path, sys.argv[1:])))
