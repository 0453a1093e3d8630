"""An agency's program on the public partner library: what it does is one row of its own, written with its answers.

agency.py TOML ANSWERS [--still FILE] [--ahead SECONDS]
ANSWERS: JSON, by matter type: {mark: a pattern whose first group is found in the body, verb, body, head}.
--still: the application does nothing while that file is there. --ahead: a file with the seconds by which its clock is
ahead, read at each use.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import re
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from lianzhi.partner import Partner, PartnerConfig
from lianzhi.partner.request import Request

EFFECTS = """
CREATE TABLE IF NOT EXISTS effects (id TEXT NOT NULL, request_no TEXT NOT NULL, message_id TEXT NOT NULL,
    mark TEXT NOT NULL)
"""
WORKERS = 4
LOOK_SECONDS = 0.05


def tell(event: str, **more: Any) -> None:
    print(json.dumps({"event": event, **more}), flush=True)


async def handle(request: Request, answer: dict[str, Any]) -> None:
    """The effect and the last word, as one."""
    found = re.search(answer["mark"], json.dumps(request.body, ensure_ascii=False))
    if found is None:
        raise LookupError(f"{request.type}: no mark in the body")
    async with request.transaction() as tx:
        effect = (str(uuid4()), request.request_no, request.envelope.id, found[1])
        tx.execute("INSERT INTO effects VALUES (?, ?, ?, ?)", effect)
        tx.reply(answer["verb"], answer["body"], **answer["head"])


def stand_still(while_there: Path) -> None:
    while while_there.exists():
        time.sleep(LOOK_SECONDS)


async def work(partner: Partner, answers: dict[str, dict[str, Any]], still: Path | None) -> None:
    async for request in partner.inbox:
        if still is not None:
            await asyncio.to_thread(stand_still, still)
        if request.verb == "open":
            await handle(request, answers[request.type])
        else:
            await request.done()
        tell("handled", request_no=request.request_no, verb=request.verb)


async def listen(partner: Partner) -> None:
    async for notice in partner.notices():
        tell("notice", reason=notice.reason, request_no=notice.request_no)


async def main(options: argparse.Namespace) -> None:
    answers = json.loads(options.answers.read_text("utf-8"))

    def now() -> datetime:
        ahead = float(options.ahead.read_text()) if options.ahead is not None else 0.0
        return datetime.now(UTC) + timedelta(seconds=ahead)

    async with Partner(PartnerConfig.load(options.toml), now=now) as partner:
        await partner.prepare(EFFECTS)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, partner.stop)
        listening = asyncio.create_task(listen(partner))
        tell("ready")
        await asyncio.gather(*(work(partner, answers, options.still) for _ in range(WORKERS)))
        listening.cancel()
    tell("ended")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("toml", type=Path)
    parser.add_argument("answers", type=Path)
    parser.add_argument("--still", type=Path)
    parser.add_argument("--ahead", type=Path)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    asyncio.run(main(parser.parse_args()))
