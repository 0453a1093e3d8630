"""Mail servers as they should not be: one that drips, one that speaks nonsense, one whose reply never ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

DRIP_SECONDS = 1.0  # well below the time that any client gives one read
ENDLESS = b"250-" + b"x" * 500 + b"\r\n"


@dataclass
class MailServer:
    """how: `drip`, `endless`, `challenge` (asks for a password in a way that cannot be decoded), `take`.

    seen: connections so far. open: those that still are. said: bytes sent on the longest. mails: what was taken.
    """

    how: str
    port: int = 0
    seen: int = 0
    open: int = 0
    said: int = 0
    mails: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.seen += 1
        self.open += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await getattr(self, f"_{self.how}")(reader, writer)
        finally:
            self.open -= 1
            writer.close()

    async def _drip(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        gone = asyncio.create_task(reader.read())  # ends when the other side closes
        writer.write(b"220-")
        while not gone.done():
            writer.write(b"x")
            await writer.drain()
            await asyncio.wait({gone}, timeout=DRIP_SECONDS)

    async def _endless(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.court.example\r\n")
        await reader.readline()
        said = 0
        while True:
            writer.write(ENDLESS)
            await writer.drain()
            said += len(ENDLESS)
            self.said = max(self.said, said)

    async def _challenge(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.court.example\r\n")
        while line := await reader.readline():
            word = line.split()[0].upper() if line.split() else b""
            if word == b"EHLO":
                writer.write(b"250-mail.court.example\r\n250 AUTH CRAM-MD5\r\n")
            elif word == b"QUIT":
                writer.write(b"221 bye\r\n")
            else:
                writer.write(b"334 not base64 at all\r\n" if word == b"AUTH" else b"250 well\r\n")

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Takes every mail, and says something strange to QUIT."""
        writer.write(b"220 mail.court.example\r\n")
        while line := await reader.readline():
            word = line.split()[0].upper()
            if word == b"DATA":
                writer.write(b"354 go on\r\n")
                self.mails.append((await reader.readuntil(b"\r\n.\r\n"))[:-5])
            writer.write(b"421 busy\r\n" if word == b"QUIT" else b"250 well\r\n")


@asynccontextmanager
async def mail_server(how: str) -> AsyncIterator[MailServer]:
    server = MailServer(how)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
