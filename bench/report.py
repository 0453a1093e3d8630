"""How long the weekly and the monthly report take on a full store: `python -m bench.report [--requests N]`, on SQLite.

The store is filled through its own writer, 500 requests a unit, one a minute backwards from now, each with its six
events; one of twelve stays open. What is printed: seconds from the question to the counted report, those of the CPU
among them, and the most memory that the process has had, in MiB.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gateway.application.queries.reports import Reporting
from gateway.commands.installed import installed
from gateway.core.figures.periods import Period, last_week, month_of
from gateway.core.records import Changes, Event, Request
from gateway.core.time.calendar import DAY, local_day
from gateway.store import SqlStore

UNIT = 500
STEPS = (("open", 0), ("delivered", 1), ("receipt", 60), ("accept", 120), ("result", 600), ("confirm", 900))


def _request(home: str, now: datetime, n: int) -> Request:
    created = now - timedelta(minutes=n)
    at = (created + timedelta(days=3)).isoformat()
    due = {"kind": "days", "amount": 3, "start": created.isoformat(), "at": at, "on": at[:10], "provisional": False}
    facts: Any = {"due": {**due, "step": 0}, "team": f"team-{n % 20}", "campaign": f"campaign-{n % 5}"}
    return Request(
        f"{home}-{n:09}", "grid.verify.request", 1, "ask", "closed" if n % 12 else "delivered", home,
        f"police-{n % 25}", created, created, handler=f"sn0199-{n % 60:04}", facts=facts,
    )  # fmt: skip


def _events(home: str, request: Request) -> list[Event]:
    steps = STEPS if request.state == "closed" else STEPS[:2]
    return [
        Event(
            request.created_at + timedelta(minutes=minutes), home, "message", request.request_no, verb=verb,
            state=request.state, head={"outcome": "done"} if verb == "result" else None,
        )
        for verb, minutes in steps
    ]  # fmt: skip


async def fill(store: SqlStore, home: str, now: datetime, requests: int) -> None:
    for first in range(0, requests, UNIT):
        rows = [_request(home, now, n) for n in range(first, min(first + UNIT, requests))]
        events = [event for row in rows for event in _events(home, row)]
        async with store.begin() as unit:
            await unit.apply(Changes(new_requests=rows, events=events))


async def measure(reporting: Reporting, period: Period) -> None:
    began, worked = time.perf_counter(), time.process_time()
    report = await reporting.report(period)
    took, cpu = time.perf_counter() - began, time.process_time() - worked
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    counted = f"{report.total.delivered} delivered, {len(report.attention.late)} late"
    print(f"{period.name:10} {counted:40} {took:6.1f} s  {cpu:6.1f} s of CPU  {memory:6.0f} MiB")


def install(folder: Path) -> None:
    lianzhi = Path(sys.executable).with_name("lianzhi")
    subprocess.run([lianzhi, "init", "--court", "陕0199", "--dir", folder], check=True, capture_output=True)


async def run(folder: Path, requests: int) -> None:
    now = datetime.now(UTC)
    async with installed(folder) as context:
        began = time.perf_counter()
        await fill(context.store, context.home.code, now, requests)  # type: ignore[arg-type]
        print(f"{requests} requests: filled in {time.perf_counter() - began:.0f} s")
        today = local_day(now)
        await measure(Reporting(context), last_week(today))
        await measure(Reporting(context), month_of(today.replace(day=1) - DAY))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=200_000)
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        court = Path(folder) / "court"
        install(court)
        asyncio.run(run(court, given.requests))


if __name__ == "__main__":
    main()
