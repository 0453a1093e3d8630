"""An agency's program on the public partner library: says as JSON lines what it is given.

agency.py TOML [--days N] [--still FILE] [--workers N] [--answer]
--days: its clock is so much ahead. --still: the application stands still until that file is there. --answer: every
`open` gets a `receipt`. Ends by SIGTERM with 0; with 1 when the library stops by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import older_names  # noqa: F401

from lianzhi.partner import Partner, PartnerConfig


def tell(event: str, **more: Any) -> None:
    print(json.dumps({"event": event, **more}), flush=True)


def stand_still(until: Path) -> None:
    while not until.exists():
        time.sleep(0.05)


async def work(partner: Partner, options: argparse.Namespace) -> None:
    async for request in partner.inbox:
        if options.still is not None:
            await asyncio.to_thread(stand_still, options.still)
        if options.answer and request.verb == "open":
            await request.reply("receipt", {"QSSJ": "20260324103152", "QSRXM": "赵演示"})
        else:
            await request.done()
        tell("handled", request_no=request.request_no, verb=request.verb, id=request.envelope.id)


async def listen(partner: Partner) -> None:
    async for notice in partner.notices():
        tell("notice", reason=notice.reason, request_no=notice.request_no, message_id=notice.message_id)


async def main(options: argparse.Namespace) -> int:
    ahead = timedelta(days=options.days)
    async with Partner(PartnerConfig.load(options.toml), now=lambda: datetime.now(UTC) + ahead) as partner:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, partner.stop)
        listening = asyncio.create_task(listen(partner))
        tell("ready")
        try:
            await asyncio.gather(*(work(partner, options) for _ in range(options.workers)))
        except Exception as error:
            tell("stopped", error=type(error).__name__)
            return 1
        finally:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("toml", type=Path)
    parser.add_argument("--days", type=int, default=0)
    parser.add_argument("--still", type=Path)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--answer", action="store_true")
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    sys.exit(asyncio.run(main(parser.parse_args())))
