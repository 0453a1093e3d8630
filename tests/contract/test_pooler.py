"""A pooler between us and PostgreSQL: what it does to a session's start is told in words, and nothing is begun.

The pooler here is a proxy that does to the first packet what pgbouncer does: it refuses settings of the session, or
drops them (`ignore_startup_parameters`).
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from gateway.store import open_store
from gateway.store.engine.database import database_url
from gateway.store.engine.postgres_url import placed
from gateway.store.upkeep.migrate import migrate
from lianzhi.errors import ConfigurationError
from tests import postgres

SSL_REQUEST, PROTOCOL = 80877103, 196608  # postgresql.org, 55.7
KEPT = ("user", "database", "client_encoding")
REFUSAL = b"SFATAL\x00C08P01\x00Munsupported startup parameter: jit\x00\x00"


async def packet(reader: asyncio.StreamReader) -> bytes:
    """The first one of a session, without its length; a wish for TLS is declined before."""
    (length,) = struct.unpack(">I", await reader.readexactly(4))
    return await reader.readexactly(length - 4)


def without_settings(body: bytes) -> bytes:
    words = body[4:].rstrip(b"\x00").split(b"\x00")
    pairs = zip(words[::2], words[1::2], strict=True)
    kept = b"".join(name + b"\x00" + value + b"\x00" for name, value in pairs if name.decode() in KEPT)
    whole = struct.pack(">I", PROTOCOL) + kept + b"\x00"
    return struct.pack(">I", len(whole) + 4) + whole


async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
    writer.close()


@asynccontextmanager
async def pooler(socket: str, *, refuses: bool) -> AsyncIterator[int]:
    """Its port. socket: the file on which PostgreSQL listens."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        body = await packet(reader)
        if struct.unpack(">I", body[:4])[0] == SSL_REQUEST:
            writer.write(b"N")
            body = await packet(reader)
        if refuses:
            writer.write(b"E" + struct.pack(">I", len(REFUSAL) + 4) + REFUSAL)
            writer.close()
            return
        behind, to_behind = await asyncio.open_unix_connection(socket)
        to_behind.write(without_settings(body))
        await asyncio.gather(pass_on(reader, to_behind), pass_on(behind, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize("refuses", [True, False], ids=["refuses settings", "drops settings"])
async def test_a_pooler_is_refused_in_words(refuses: bool) -> None:
    if postgres.binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    cluster = postgres.shared()
    url = await cluster.new_database("template0")
    await migrate(url)
    place = placed(database_url(url))
    async with pooler(f"{place.host}/.s.PGSQL.{place.port or 5432}", refuses=refuses) as port:
        with pytest.raises(ConfigurationError, match="pooler such as pgbouncer"):
            await open_store(f"postgresql://{place.username}@127.0.0.1:{port}/{place.database}")
    await cluster.drop_database(url)


async def test_migrating_through_one_that_refuses_is_told_alike() -> None:
    async with pooler("/nonexistent", refuses=True) as port:
        with pytest.raises(ConfigurationError, match="pooler such as pgbouncer"):
            await migrate(f"postgresql://u@127.0.0.1:{port}/d")
