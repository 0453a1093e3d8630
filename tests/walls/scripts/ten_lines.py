"""A court system of ten lines on the public client library.

ten_lines.py URL TOKEN SPOOL [KEY]
Without KEY it follows the feed for ever, and does nothing about errors: prints {"event": "followed", "request_no": …}.
With KEY it hands one plain submission in under it: prints {"event": "submitting"} before, then {"event": "accepted",
"request_no": …}, or {"event": "raised", "code": …} and what `resume` makes of it, every second until it is answered.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import older_names  # noqa: F401

from lianzhi.client import CourtClient, ProblemError
from schemas.catalogue import catalogue

COURT, GRID, VERIFY = "court-sn0199", "grid-610199", "grid.verify.request"


def tell(event: str, **more: Any) -> None:
    print(json.dumps({"event": event, **more}), flush=True)


async def hand_in(client: CourtClient, key: str) -> None:
    body = {
        "type": VERIFY,
        "schema_version": 1,
        "case_no": "（2026）陕0199执900777号",
        "legal_basis": ["INT-482"],
        "purpose": "locate-for-questioning",
        "handler": "sn0199-0007",
        "drafted_by": "sn0199-0031",
        "payload": dict(catalogue()[VERIFY].example_request),
    }
    tell("submitting")
    try:
        accepted = await client.submit(body, receiver=GRID, sign=False, key=key)
        tell("accepted", request_no=accepted.request_no)
    except ProblemError as problem:
        tell("raised", code=problem.code)
        answers: list[Any] = []
        while not answers:
            await asyncio.sleep(1)
            answers = [resumed.answer async for resumed in client.resume() if resumed.problem is None]
        tell("accepted", request_no=answers[0]["request_no"])


async def main(url: str, token: str, spool: str, *key: str) -> None:
    async with CourtClient(url, token, court=COURT, gateway=COURT, spool=Path(spool), wait=1) as client:
        if key:
            await hand_in(client, key[0])
            return
        async for event in client.events():
            tell("followed", request_no=event.request_no)


asyncio.run(main(*sys.argv[1:]))
