"""One partner that floods with its own credentials: `python -m bench.hostile ORDER_FILE SECONDS`, a process of its own.

It publishes what a broken or hostile program would, and leans on the HTTP port: half-open connections, long polls, slow
uploads. The same rates go to the gateway or, as the baseline, to a queue that nobody reads and a listener that answers
nothing, so that what is compared has the same load beside it. Prints one JSON line: how much of each was done.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import secrets
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aio_pika
import aiohttp
from uuid_utils.compat import uuid7

from lianzhi.crypto import jws, sdjwt, strictjson
from lianzhi.crypto.jwk import private_key_from_jwk
from lianzhi.crypto.keys import PrivateKey
from lianzhi.protocol.envelope import CONTENT_TYPE, dataschema, timestamp

TYPE = "grid.verify.request"
VERB = "progress"
KIB = 1024
RATES = {"far": 30.0, "rubbish": 30.0, "equal": 30.0, "big": 1.5, "held-big": 1.0, "cc": 15.0}
"""Messages a second of each kind."""
HALF_OPEN, POLLS, UPLOADS = 400, 60, 16
CONNECT_EVERY = 0.02  # seconds between two new half-open connections
DRIP_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Order:
    """Whom it floods, as whom. exchange: `lianzhi.in`, or the baseline's. victim: whose queue its CC names."""

    code: str
    home: str
    victim: str
    amqp: str
    exchange: str
    http: str
    sign_key: str

    @property
    def port(self) -> int:
        return int(self.http.rpartition(":")[2])


@dataclass(slots=True)
class Flood:
    """Everything at once, each kind at its own pace, until `stop`."""

    order: Order
    key: PrivateKey
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    done: Counter[str] = field(default_factory=Counter)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(int(time.time() * 1000)))

    async def run(self, seconds: float) -> None:
        async with await aio_pika.connect(self.order.amqp) as connection:
            makers: dict[str, Callable[[], tuple[bytes, dict[str, Any]]]] = {
                "far": self._far,
                "rubbish": lambda: (secrets.token_bytes(200), {}),
                "equal": lambda: (b"the same bytes again and again", {}),
                "big": lambda: (os.urandom(900 * KIB), {}),
                "held-big": self._held_big,
                "cc": lambda: (secrets.token_bytes(64), {"CC": [f"{self.order.victim}.normal.flood.cc"]}),
            }
            work: list[Awaitable[None]] = [
                self._publish(await connection.channel(), kind, RATES[kind], make) for kind, make in makers.items()
            ]
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
                work += [self._half_open() for _ in range(4)]
                work += [self._poll(session) for _ in range(POLLS)]
                work += [self._upload() for _ in range(UPLOADS)]
                tasks = [asyncio.ensure_future(one) for one in work]
                await asyncio.sleep(seconds)
                self.stop.set()
                for task in tasks:
                    task.cancel()
                ended = await asyncio.gather(*tasks, return_exceptions=True)
        faults = [e for e in ended if isinstance(e, Exception)]
        if faults:
            raise faults[0]

    # messages

    async def _publish(
        self, channel: Any, kind: str, rate: float, make: Callable[[], tuple[bytes, dict[str, Any]]]
    ) -> None:
        """Open-loop: what the broker does not take in time is not waited for."""
        exchange = await channel.get_exchange(self.order.exchange, ensure=False)
        key = f"{self.order.code}.normal.{TYPE}.{VERB}"
        start = time.perf_counter()
        for number in itertools.count():
            await asyncio.sleep(max(0.0, start + number / rate - time.perf_counter()))
            body, headers = make()
            message = aio_pika.Message(body, content_type=CONTENT_TYPE, user_id=self.order.code, headers=headers)
            with suppress(aio_pika.exceptions.AMQPError, TimeoutError):
                await exchange.publish(message, key, timeout=5)
                self.done[kind] += 1

    def _far(self) -> tuple[bytes, dict[str, Any]]:
        """Half of them within the distance that is held, half far beyond it; fifty to a number of its own."""
        number = next(self._numbers)
        return self._signed(number // 50, 2 + number % 50 if number % 2 else 1_000_000 + number, {"note": "x"}), {}

    def _held_big(self) -> tuple[bytes, dict[str, Any]]:
        return self._signed(next(self._numbers) % 10**12, 2, {"note": secrets.token_hex(250 * KIB)}), {}

    def _signed(self, number: int, seqno: int, body: dict[str, Any]) -> bytes:
        now = datetime.now(UTC)
        event = {
            "specversion": "1.0",
            "id": str(uuid7()),
            "source": f"//{self.order.code}",
            "receiver": self.order.home,
            "type": f"lianzhi.{TYPE}.{VERB}",
            "subject": f"{self.order.code}-{now:%Y%m%d}-{number}",
            "time": timestamp(now),
            "dataschema": dataschema("grid/1", TYPE, VERB, 1),
            "datacontenttype": "application/json",
            "seqno": seqno,
            "causationid": str(uuid7()),
            "originhash": secrets.token_urlsafe(32),
            "data": {},
        }
        return sdjwt.issue(event, "body", body, self.key).raw

    # HTTP

    async def _half_open(self) -> None:
        """Connections that say half a request and no more; a closed one is opened again."""
        held: list[asyncio.StreamWriter] = []
        try:
            while True:
                held = [writer for writer in held if not writer.is_closing()]
                if len(held) < HALF_OPEN // 4:
                    with suppress(OSError):
                        _, writer = await asyncio.open_connection("127.0.0.1", self.order.port)
                        writer.write(b"POST /v1/requests HTTP/1.1\r\nHost: gateway\r\nX-Half: ")
                        held.append(writer)
                        self.done["half-open"] += 1
                await asyncio.sleep(CONNECT_EVERY)
        finally:
            for writer in held:
                writer.close()

    async def _poll(self, session: aiohttp.ClientSession) -> None:
        while True:
            with suppress(aiohttp.ClientError, TimeoutError):
                async with session.get(
                    f"{self.order.http}/v1/events?wait=30",
                    headers=self._credential(),
                    timeout=aiohttp.ClientTimeout(40),
                ) as answer:
                    await answer.read()
                    self.done[f"poll {answer.status}"] += 1
            await asyncio.sleep(1.0)

    async def _upload(self) -> None:
        """A byte in two seconds, for as long as it is let."""
        digest = secrets.token_hex(32)
        while True:
            with suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.order.port)
                token = self._credential()["Authorization"]
                head = f"PUT /v1/documents/{digest} HTTP/1.1\r\nHost: gateway\r\nAuthorization: {token}\r\n"
                writer.write(f"{head}Content-Type: application/pdf\r\nContent-Length: 100000\r\n\r\n".encode())
                self.done["upload"] += 1
                try:
                    while not reader.at_eof() and not writer.is_closing():
                        writer.write(b"x")
                        with suppress(TimeoutError):
                            await asyncio.wait_for(reader.read(KIB), DRIP_SECONDS)
                            break
                finally:
                    writer.close()
            await asyncio.sleep(1.0)

    def _credential(self) -> dict[str, str]:
        """A partner's JWT, fresh each time."""
        now = int(time.time())
        claims = {
            "iss": self.order.code, "sub": self.order.code, "aud": self.order.home,
            "iat": now, "exp": now + 240, "jti": str(uuid7()),
        }  # fmt: skip
        return {"Authorization": f"Bearer {jws.sign({'typ': 'JWT'}, strictjson.dumps(claims).encode(), self.key)}"}


def main() -> None:
    order = Order(**json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    key = private_key_from_jwk(json.loads(Path(order.sign_key).read_text(encoding="utf-8")))
    flood = Flood(order, key)
    asyncio.run(flood.run(float(sys.argv[2])))
    print(json.dumps(flood.done), flush=True)


if __name__ == "__main__":
    main()
