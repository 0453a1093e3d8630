"""A court system's program that hands one signed submission in under a key of its own record, and then looks what there
is at the gateway.

spooled.py URL TOKEN JWK SPOOL KEY CASE
Prints {"event": "accepted", "request_no": …} or {"event": "raised", "code": …, "text": …}, then for each request of the
case {"event": "there", "request_no": …}, and {"event": "followed", "request_no": …} for the first event of the feed.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import older_names  # noqa: F401

from lianzhi.client import CourtClient, ProblemError
from lianzhi.crypto.keyring import private_key_from_jwk
from schemas.catalogue import catalogue

COURT, GRID, VERIFY = "court-sn0199", "grid-610199", "grid.verify.request"


def tell(event: str, **more: Any) -> None:
    print(json.dumps({"event": event, **more}), flush=True)


async def main(url: str, token: str, jwk: dict[str, Any], spool: str, key: str, case: str) -> None:
    body = {
        "type": VERIFY,
        "schema_version": 1,
        "case_no": case,
        "legal_basis": ["INT-482"],
        "purpose": "locate-for-questioning",
        "handler": "sn0199-0007",
        "drafted_by": "sn0199-0031",
        "payload": dict(catalogue()[VERIFY].example_request),
    }
    sign_key = private_key_from_jwk(jwk)
    async with CourtClient(
        url, token, court=COURT, gateway=COURT, spool=Path(spool), sign_key=sign_key, wait=1
    ) as client:
        try:
            accepted = await client.submit(body, receiver=GRID, sign=True, key=key)
            tell("accepted", request_no=accepted.request_no)
        except ProblemError as problem:
            tell("raised", code=problem.code, text=str(problem))
        async for request in client.requests(case_no=case):
            tell("there", request_no=request.request_no)
        async for event in client.events():
            tell("followed", request_no=event.request_no)
            break


url, token, jwk, *rest = sys.argv[1:]
asyncio.run(main(url, token, json.loads(Path(jwk).read_text()), *rest))
