"""Measures the gateway beside its raw counterpart, in one run, on the same message bytes, and prints a table.

Rates are messages or lives a second. A *life* is three messages: the request, `delivered`, the last word. Each figure
of the gateway stands beside its ratio to raw aio-pika measured minutes before on the same broker, on the loop that
aio-pika has by itself; and to raw aio-pika on the loop that the gateway runs on.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench import raw
from bench.load import ANSWERS
from schemas.catalogue import catalogue
from simulation.parties import ASSOCIATION, CLERK, GRID, HANDLER, Parties
from simulation.private_broker import PrivateBroker, free_port
from simulation.stage import set_stage

PLAIN, SEALED = "assoc.member-notice.publish", "grid.verify.request"
RECEIVERS = {PLAIN: ASSOCIATION, SEALED: GRID}
START_SECONDS = 60.0
IN_FLIGHT = 256  # raw messages, and HTTP requests of the court system
COUNT = int(os.environ.get("BENCH_COUNT", "3000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))


@dataclass(frozen=True, slots=True)
class Figure:
    name: str
    value: float
    unit: str
    bases: tuple[float, ...] = ()  # raw, raw on uvloop

    @property
    def ratios(self) -> list[float]:
        return [self.value / base for base in self.bases]


def submission(matter: str) -> bytes:
    """What a court system POSTs: the catalogue's example."""
    entry = catalogue()[matter]
    body = {
        "type": matter,
        "schema_version": entry.version,
        "receiver": RECEIVERS[matter],
        "case_no": "（2026）陕0199执900002号",
        "legal_basis": ["CPL-117"],
        "purpose": "bench",
        "handler": HANDLER,
        "drafted_by": CLERK,
        "payload": entry.example_request,
    }
    return json.dumps(body, ensure_ascii=False).encode()


@dataclass(slots=True)
class Served:
    """A gateway in a process of its own."""

    parties: Parties
    url: str
    process: asyncio.subprocess.Process

    def peak_mb(self) -> float:
        """Peak resident memory of the process (VmHWM), MB."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
        raise RuntimeError("no VmHWM: not Linux?")

    def count(self, query: str) -> int:
        """Straight from the database file, beside the gateway."""
        with sqlite3.connect(f"file:{self.parties.folder / 'lianzhi.sqlite'}?mode=ro", uri=True) as connection:
            found: int = connection.execute(query).fetchone()[0]
            return found

    def message(self) -> bytes:
        """The bytes of the last message that went out."""
        with sqlite3.connect(f"file:{self.parties.folder / 'lianzhi.sqlite'}?mode=ro", uri=True) as connection:
            jws, disclosure = connection.execute(
                "SELECT jws, disclosure FROM messages WHERE verb = 'open' ORDER BY stored_at DESC LIMIT 1"
            ).fetchone()
        return f"{jws}~{disclosure}~".encode()


@asynccontextmanager
async def served(root: Path, broker: PrivateBroker, vhost: str) -> AsyncIterator[Served]:
    parties = await set_stage(root, broker, vhost=vhost)
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("lianzhi")),
        "serve",
        "--dir",
        str(parties.folder),
        env={**os.environ, "LIANZHI_HTTP__PORT": str(port)},
        stderr=(root / "serve.log").open("wb"),
    )
    try:
        await listening(port)
        yield Served(parties, f"http://127.0.0.1:{port}", process)
    finally:
        process.terminate()
        await process.wait()


async def listening(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
            continue
        writer.close()
        return
    raise RuntimeError("the gateway did not start; see serve.log")


async def _load(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.load", *arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )


async def _go(poster: asyncio.subprocess.Process) -> float:
    """Waits until the load stands ready, lets it go, and looks at the clock."""
    assert poster.stdout is not None and poster.stdin is not None
    await poster.stdout.readline()
    poster.stdin.write(b"go\n")
    return time.perf_counter()


async def _post(gateway: Served, matter: str, count: int) -> asyncio.subprocess.Process:
    body = gateway.parties.folder / f"{matter}.{count}.json"
    body.write_bytes(submission(matter))
    return await _load("post", gateway.url, gateway.parties.token, str(body), str(count), str(IN_FLIGHT))


async def accept(gateway: Served, matter: str, count: int) -> float:
    """POST → confirmed by the broker in the partner's queue, requests a second; nobody consumes meanwhile."""
    poster = await _post(gateway, matter, count)
    start = await _go(poster)
    await _until(gateway, "SELECT count(*) FROM outbox WHERE state = 'sent'", count, poster)
    return count / (time.perf_counter() - start)


async def lives(gateway: Served, matter: str, count: int) -> float:
    """POST → partner verifies, stores, answers twice → applied; lives a second."""
    folder = gateway.parties.partners[RECEIVERS[matter]]
    words = folder / "answers.json"
    words.write_text(json.dumps(answers()), encoding="utf-8")
    partner = await _load("partner", str(folder / "partner.toml"), str(words), str(count))
    assert partner.stdout is not None
    await partner.stdout.readline()
    poster = await _post(gateway, matter, count)
    start = await _go(poster)
    done = "SELECT count(*) FROM requests WHERE state IN ('completed', 'read')"
    await _until(gateway, done, count, poster)
    seconds = time.perf_counter() - start
    await partner.wait()
    return count / seconds


def answers() -> dict[str, Any]:
    """The last words in the agencies' own dialects."""
    item = {"workerNo": "g-01", "workerName": "网演示", "visitedAt": "2026-03-26T10:00:00+08:00", "livesHere": "1"}
    ref = catalogue()[SEALED].example_request["person"]["ref"]
    verb, _, head = ANSWERS[SEALED]
    read, _, read_head = ANSWERS[PLAIN]
    return {
        SEALED: (verb, {"items": [{"ref": ref, **item}]}, head),
        PLAIN: (read, {"by": "协演示"}, read_head),
    }


async def _until(gateway: Served, query: str, wanted: int, poster: asyncio.subprocess.Process) -> None:
    """Looks seldom while much is left: to look costs what is measured."""
    start = time.perf_counter()
    while (done := gateway.count(query)) < wanted:
        if poster.returncode not in (None, 0):
            raise RuntimeError("the load failed; see above")
        left = (time.perf_counter() - start) * (wanted - done) / max(done, 1)
        await asyncio.sleep(min(max(0.02, left / 4), 1.0))
    await poster.wait()


async def measure(root: Path) -> tuple[list[Figure], int]:
    """Every figure: the median of the rounds."""
    samples: dict[str, list[float]] = {}
    memory: list[float] = []
    async with PrivateBroker() as broker:
        for number in range(ROUNDS):
            async with served(root / f"r{number}", broker, "lianzhi") as gateway:
                samples.setdefault("accept", []).append(await accept(gateway, SEALED, COUNT))
                body = gateway.message()
                memory.append(gateway.peak_mb())
            await _drop_queues(broker)
            (root / "message").write_bytes(body)
            for loop in raw.LOOPS:
                rates = await raw.measured(loop, broker.url(), root / "message", COUNT, IN_FLIGHT)
                for name, rate in rates.items():
                    samples.setdefault(f"{name} {loop}", []).append(rate)
            for matter, name in ((PLAIN, "life plain"), (SEALED, "life sealed")):
                async with served(root / f"r{number}-{name[5:]}", broker, "lianzhi") as gateway:
                    samples.setdefault(name, []).append(await lives(gateway, matter, COUNT // 2))
                    memory.append(gateway.peak_mb())
                await _drop_queues(broker)
    median = {name: statistics.median(values) for name, values in samples.items()}
    publish, life = (tuple(median[f"{name} {loop}"] for loop in raw.LOOPS) for name in ("publish", "life"))
    return [
        Figure("raw aio-pika confirmed publish", publish[0], "msg/s"),
        Figure("raw aio-pika confirmed publish, uvloop", publish[1], "msg/s"),
        Figure("raw aio-pika three-message life", life[0], "lives/s"),
        Figure("raw aio-pika three-message life, uvloop", life[1], "lives/s"),
        Figure("gateway HTTP accept → confirmed (sealed)", median["accept"], "req/s", publish),
        Figure("gateway full life, plain", median["life plain"], "lives/s", life),
        Figure("gateway full life, sealed", median["life sealed"], "lives/s", life),
        Figure("gateway peak memory", max(memory), "MB"),
    ], len(body)


async def _drop_queues(broker: PrivateBroker) -> None:
    """A fresh virtual host for the next round."""
    from gateway.broker.management import Management

    async with Management(broker.management_url, broker.admin, broker.password) as management:
        await management.delete("vhosts", "lianzhi")
        await management.put("vhosts", "lianzhi")
        await management.put(
            "permissions", "lianzhi", broker.admin, body={"configure": ".*", "write": ".*", "read": ".*"}
        )


def machine() -> str:
    """What it ran on."""
    cpu = next(
        (li.split(":")[1].strip() for li in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in li), "?"
    )
    return (
        f"{cpu}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    )


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="lianzhi-bench-") as folder:
        figures, size = asyncio.run(measure(Path(folder)))
    title = f"联执 bench · {machine()} · {size} B/message · {IN_FLIGHT} in flight · median of {ROUNDS}"
    table = Table(title=title, title_justify="left")
    for column in ("", "figure", "unit", "to raw", "to raw, uvloop"):
        table.add_column(column, justify="left" if column == "" else "right")
    for figure in figures:
        ratios = [f"{ratio:.2f}" for ratio in figure.ratios] or ["–", "–"]
        table.add_row(figure.name, f"{figure.value:,.0f}", figure.unit, *ratios)
    Console(width=110).print(table)
    results = {
        "machine": machine(),
        "message_bytes": size,
        "in_flight": IN_FLIGHT,
        "count": COUNT,
        "rounds": ROUNDS,
        "figures": [{"name": f.name, "value": f.value, "unit": f.unit, "ratios": f.ratios} for f in figures],
    }
    Path(__file__).with_name("results.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
