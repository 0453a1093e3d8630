"""A court system's program on the public client library: says as JSON lines what came of it.

court.py URL FOLDER ACT
ACT: follow (prints events, and each pause that the library takes), request, requests, messages, timeline, types, type,
group, put, document, unseal, submit, confirm, approve, group-confirm, release, reassign, resume (prints what came of
what the spool holds), note (the spool's table is gone).
The last line is {"event": "ended"}, or {"event": "raised"} with the error's type and text, whether it is the library's
own, and the bytes of memory that were needed until then.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from pathlib import Path
from typing import Any

import older_names  # noqa: F401

from lianzhi.client import Backoff, CourtClient
from lianzhi.crypto.keyring import generate_jwk, private_key_from_jwk
from lianzhi.errors import LianzhiError

NUMBER = "court-sn0199-20260324-000001"
CASE = "（2026）陕0199执900001号"
HANDLER = "sn0199-0007"


def tell(event: str, **more: Any) -> None:
    print(json.dumps({"event": event, **more}), flush=True)


def peak() -> int:
    """Bytes of memory at most so far."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) << 10


class NoPause(Backoff):
    """Tells that the library would wait, and waits for nothing."""

    def pause(self, attempt: int, wanted: float | None = None) -> float:
        tell("pause", attempt=attempt)
        return 0.0


async def act(client: CourtClient, folder: Path, name: str) -> None:
    if name == "follow":
        async for event in client.events():
            tell("given", cursor=event.cursor)
    elif name == "requests":
        async for request in client.requests():
            tell("given", cursor=request.request_no)
    elif name == "put":
        await client.put_document(b"%PDF-1.7", media_type="application/pdf")
    elif name == "document":
        await client.get_document("0" * 64, folder / "paper.pdf")
    elif name == "submit":
        body = {"type": "grid.verify.request", "schema_version": 1, "payload": {}}
        await client.submit(body, receiver="grid-610199", sign=False, key="k1")
    elif name == "confirm":
        await client.confirm(NUMBER, by=HANDLER, key="k1")
    elif name == "approve":
        await client.approve(NUMBER, by=HANDLER, role="president", sign=False, key="k1")
    elif name == "group-confirm":
        await client.say_to_group(NUMBER, "confirm", by=HANDLER, key="k1")
    elif name == "release":
        await client.release(CASE, by=HANDLER, reason="paid", key="k1")
    elif name == "reassign":
        await client.reassign(CASE, by=HANDLER, mode="in-court-team", key="k1")
    elif name == "resume":
        async for resumed in client.resume():
            tell("resumed", key=resumed.key, code=resumed.problem.code if resumed.problem else None)
    elif name == "unseal":
        (message,) = await client.messages(NUMBER)
        await client.unseal(message)
    elif name == "note":
        connection = sqlite3.connect(folder / "spool.sqlite")
        connection.execute("DROP TABLE note")
        connection.close()
        async for _ in client.events():
            pass
    elif name == "type":
        await client.type("grid.verify.request")
    elif name == "types":
        await client.types()
    else:
        await getattr(client, name)(NUMBER)


async def main(url: str, folder: str, name: str) -> None:
    client = CourtClient(
        url,
        "lz_cms1_x",
        court="court-sn0199",
        gateway="court-sn0199",
        spool=Path(folder) / "spool.sqlite",
        sign_key=private_key_from_jwk(generate_jwk("court-sn0199.sub.cms1")),
        backoff=NoPause(),
        patience=5.0,
        wait=20,
    )
    async with client:
        try:
            await act(client, Path(folder), name)
        except Exception as error:
            text = str(error).encode(errors="replace").decode()
            tell("raised", error=type(error).__name__, own=isinstance(error, LianzhiError), text=text, peak=peak())
            return
    tell("ended")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
