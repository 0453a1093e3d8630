"""An agency's program that answers each request with what a file says for its type, on whatever version of the library
it is started with.

answers.py TOML WORDS [GO]
WORDS: a JSON file, type → [verb, body, head]. GO: the application answers nothing before that file is there. Its effect
is one row in a table of its own, in one transaction with the answer. Says as JSON lines what happens: `taken`,
`committed`, and `handled` once the broker has confirmed the answers.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

import older_names  # noqa: F401

from lianzhi.partner import Partner, PartnerConfig

EFFECTS = "CREATE TABLE IF NOT EXISTS effects (request_no TEXT NOT NULL, message_id TEXT NOT NULL)"


def tell(event: str, **more: Any) -> None:
    print(json.dumps({"event": event, **more}), flush=True)


def stand_still(until: str) -> None:
    while not Path(until).exists():
        time.sleep(0.05)


async def main(toml: str, said: dict[str, Any], *go: str) -> None:
    async with Partner(PartnerConfig.load(toml)) as partner:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, partner.stop)
        await partner.prepare(EFFECTS)
        tell("ready", library=sys.modules[Partner.__module__].__file__)
        async for request in partner.inbox:
            about = {"verb": request.verb, "request_no": request.request_no}
            tell("taken", **about)
            for file in go:
                await asyncio.to_thread(stand_still, file)
            async with request.transaction() as tx:
                if request.verb == "open":
                    tx.execute("INSERT INTO effects VALUES (?, ?)", (request.request_no, request.envelope.id))
                    verb, body, head = said[request.type]
                    tx.reply(verb, body, **head)
            tell("committed", **about)
            await partner.drained()
            tell("handled", **about)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], json.loads(Path(sys.argv[2]).read_text("utf-8")), *sys.argv[3:]))
