"""Whoever takes alerts by webhook, as badly as such receivers do: late, twice, not at all. Signatures are checked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from standardwebhooks import Webhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OK = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass
class Receiver:
    """late: takes so many first ones and answers them never. twice: answers everything two times, on one connection.

    came: (webhook-id, data) of everything that arrived; raw: the same as text."""

    late: int = 0
    twice: bool = False
    url: str = ""
    came: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)
    done: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def told(self) -> list[tuple[str, str]]:
        """(condition, state) of what is known once repetitions are dropped, by their id."""
        return [(data["condition"], data["state"]) for data in dict(self.came).values()]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
            signature = next(line.split(": ", 1)[1] for line in head.split("\r\n") if "signature" in line.lower())
            body = (await reader.readexactly(int(headers["content-length"]))).decode()
            moment = datetime.fromtimestamp(int(headers["webhook-timestamp"]), tz=UTC)
            assert signature == Webhook(SECRET).sign(headers["webhook-id"], moment, body)
            self.raw.append(body)
            self.came.append((headers["webhook-id"], json.loads(body)["data"]))
            if self.late:
                self.late -= 1
                await self.done.wait()
            writer.write(OK * (2 if self.twice else 1))
            await writer.drain()
        writer.close()


@asynccontextmanager
async def receiver(*, late: int = 0, twice: bool = False) -> AsyncIterator[Receiver]:
    """On a free loopback port until the block is left."""
    found = Receiver(late, twice)
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/alerts"
    try:
        yield found
    finally:
        found.done.set()
        server.close()
