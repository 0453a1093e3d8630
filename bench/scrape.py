"""What a scrape of `/metrics` costs on a store that is full: `python -m bench.scrape [--requests N] [--events N]`, on
SQLite.

The store is that of `bench.lists`. Printed are the median milliseconds of a look at the store (at most one in ten
seconds, however often somebody scrapes), of its parts, and of a scrape that needs no look.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench.lists import HOME, NOW, fill
from gateway.bootstrap import SystemClock, build_context
from gateway.monitoring import metrics as module
from gateway.monitoring.metrics import Metrics
from gateway.registry.config import load_config
from gateway.store import open_store
from gateway.store.upkeep.migrate import migrate
from simulation.parties import build

TIMES = 21


async def median_of(work: Callable[[], Awaitable[object]]) -> float:
    """Milliseconds."""
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        await work()
        took.append((time.perf_counter() - began) * 1000)
    return median(took)


async def run(requests: int, events: int, folder: Path) -> None:
    parties = build(
        folder,
        amqp="amqp://{user}@127.0.0.1:5672/lianzhi",
        management="http://127.0.0.1:15672",
        gateway_user=("gateway", "bench"),
    )
    config = load_config(parties.folder)
    await migrate(config.store_url)
    store = await open_store(config.store_url)
    began = time.perf_counter()
    await fill(store, requests, events)
    print(f"{requests} requests, {events} events: filled in {time.perf_counter() - began:.0f} s")
    metrics = Metrics(build_context(config, store, SystemClock()))
    parts: dict[str, Callable[[], Awaitable[object]]] = {
        "counts": store.counts,
        "partners": lambda: store.load(HOME, NOW, NOW + timedelta(hours=2)),
        "open figures": lambda: store.operating.open_figures(HOME, NOW),
        "oldest unsent": store.oldest_unsent,
    }
    for name, work in parts.items():
        print(f"  {name:22} {await median_of(work):8.2f} ms")
    text = await metrics.text()
    print(f"a scrape without a look  {await median_of(metrics.text):8.2f} ms, {len(text)} bytes")
    module.LOOK_SECONDS = 0.0
    print(f"a scrape with a look     {await median_of(metrics.text):8.2f} ms")
    await store.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=200_000)
    parser.add_argument("--events", type=int, default=200_000)
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        asyncio.run(run(given.requests, given.events, Path(folder)))


if __name__ == "__main__":
    main()
