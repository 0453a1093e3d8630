"""This version's gateway beside an older one's: `python -m bench.pair f2027db` (`make bench-pair COMMIT=… PAIRS=5`).

Both serve at the same time, each with a store and a broker of its own; the load goes to one and the other in turn. A
pair is one burst of each kind to each of them: POST → confirmed by the broker while nobody consumes, then full lives,
plain and sealed, with an agency that answers. The load's code is always this version's. Compared are the medians of the
pairs' ratios, new to old. Exit 1 when a rate falls below `--ratio`, or the processor time of an accepted request rises
above `--cpu`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.run import PLAIN, RECEIVERS, SEALED, answers, listening, machine, submission
from gateway.broker.management import Management
from gateway.broker.topology import to_queue
from simulation.parties import Parties
from simulation.private_broker import PrivateBroker, free_port
from simulation.stage import write_files
from tools.older import ROOT, NotHereError, older

OLD, NEW = "old", "new"
VHOST = "lianzhi"
ACCEPT, LIFE_PLAIN, LIFE_SEALED = "accept → confirmed", "life, plain", "life, sealed"
CPU = "CPU of the gateway per "
MEMORY = "peak memory"
CONNECTIONS = 64
LIMIT_SECONDS = 180.0  # for one burst
TICKS = os.sysconf("SC_CLK_TCK")
# What nobody consumes must not be sent again while it waits to be thrown away.
QUIET = {"LIANZHI_TIMING__REDELIVER_AFTER": "86400"}
Figures = dict[str, float]


@dataclass(slots=True)
class Served:
    """A gateway of either version in a process of its own."""

    parties: Parties
    broker: PrivateBroker
    url: str
    process: Process

    def count(self, query: str) -> int:
        """Straight from the database file, beside the gateway."""
        with sqlite3.connect(f"file:{self.parties.folder / 'lianzhi.sqlite'}?mode=ro", uri=True) as connection:
            found: int = connection.execute(query).fetchone()[0]
            return found

    def cpu(self) -> float:
        """Seconds of processor time that it has used (utime and stime, proc(5))."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def forget_peak(self) -> None:
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def peak_mb(self) -> float:
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


@asynccontextmanager
async def served(root: Path, broker: PrivateBroker, product: Path) -> AsyncIterator[Served]:
    """Files of this version's making, for their form has not changed; store and topology by the product's commands."""
    parties = write_files(root, broker)
    passwords = root / "passwords.json"
    passwords.write_text(json.dumps(parties.passwords), encoding="utf-8")
    port = free_port()
    environment = {n: v for n, v in os.environ.items() if not n.startswith("LIANZHI_")} | QUIET
    environment |= {"LIANZHI_HTTP__PORT": str(port), "LIANZHI_BROKER_ADMIN": broker.admin}
    environment |= {"LIANZHI_BROKER_ADMIN_PASSWORD": broker.password}
    if "metrics_port" in _http_settings(product):
        environment["LIANZHI_HTTP__METRICS_PORT"] = str(free_port())
    command, folder = str(product / ".venv" / "bin" / "lianzhi"), ["--dir", str(parties.folder)]
    for words in (["db", "migrate"], ["broker", "apply", "--passwords", str(passwords)]):
        done = await asyncio.create_subprocess_exec(
            command, *words, *folder, cwd=product, env=environment, stdout=asyncio.subprocess.DEVNULL
        )
        if await done.wait():
            raise RuntimeError(f"{product}: {' '.join(words)}")
    with (root / "serve.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            command, "serve", *folder, cwd=product, env=environment, stdout=log, stderr=log
        )
    try:
        try:
            await listening(port)
        except RuntimeError:
            raise RuntimeError((root / "serve.log").read_text()[-2000:]) from None
        yield Served(parties, broker, f"http://127.0.0.1:{port}", process)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _http_settings(product: Path) -> set[str]:
    """The names that this version takes in `[http]`."""
    asked = "from gateway.registry.config import HttpSection; print(*HttpSection.model_fields)"
    python = str(product / ".venv" / "bin" / "python")
    told = subprocess.run([python, "-c", asked], cwd=product, capture_output=True, text=True, check=True)
    return set(told.stdout.split())


async def accept(gateway: Served, count: int) -> Figures:
    """Requests a second until all are confirmed in the partner's queue; nobody consumes meanwhile."""
    figures = await _burst(gateway, ACCEPT, SEALED, count, "SELECT count(*) FROM outbox WHERE state = 'sent'")
    return figures | {CPU + "accepted request, ms": figures.pop(CPU)}


async def life(gateway: Served, name: str, matter: str, count: int) -> Figures:
    """POST → the partner verifies, stores, answers twice → applied; lives a second."""
    folder = gateway.parties.partners[RECEIVERS[matter]]
    words = folder / "answers.json"
    words.write_text(json.dumps(answers()), encoding="utf-8")
    partner = await _load("partner", str(folder / "partner.toml"), str(words), str(count))
    assert partner.stdout is not None
    await partner.stdout.readline()
    done = "SELECT count(*) FROM requests WHERE state IN ('completed', 'read')"
    try:
        figures = await _burst(gateway, name, matter, count, done)
        await partner.wait()
    finally:
        if partner.returncode is None:
            partner.kill()
    return figures | {f"{CPU}{name}, ms": figures.pop(CPU)}


async def _burst(gateway: Served, name: str, matter: str, count: int, query: str) -> Figures:
    body = gateway.parties.folder / f"{matter}.json"
    body.write_bytes(submission(matter))
    poster = await _load("post", gateway.url, gateway.parties.token, str(body), str(count), str(CONNECTIONS))
    assert poster.stdout is not None and poster.stdin is not None
    await poster.stdout.readline()
    wanted, used = gateway.count(query) + count, gateway.cpu()
    gateway.forget_peak()
    start = time.perf_counter()
    poster.stdin.write(b"go\n")
    while gateway.count(query) < wanted:
        if poster.returncode not in (None, 0) or gateway.process.returncode is not None:
            raise RuntimeError(f"{name}: the load or the gateway failed; see above")
        if time.perf_counter() - start > LIMIT_SECONDS:
            left = wanted - gateway.count(query)
            raise RuntimeError(f"{name}: {left} of {count} not done within {LIMIT_SECONDS:.0f} s")
        await asyncio.sleep(0.05)
    seconds, cpu = time.perf_counter() - start, gateway.cpu() - used
    await poster.wait()
    return {name: count / seconds, CPU: cpu / count * 1000, MEMORY: gateway.peak_mb()}


async def _load(*arguments: str) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.load", *arguments, stdin=PIPE, stdout=PIPE, cwd=ROOT
    )


async def measure(root: Path, product: Path, pairs: int, count: int) -> list[dict[str, Figures]]:
    """Of each pair: old and new → figures."""
    found: list[dict[str, Figures]] = []
    async with AsyncExitStack() as stack:
        both: dict[str, Served] = {}
        for name, checkout in ((OLD, product), (NEW, ROOT)):
            broker = await stack.enter_async_context(PrivateBroker())
            both[name] = await stack.enter_async_context(served(root / name, broker, checkout))
        await _pair(both, (OLD, NEW), max(count // 4, CONNECTIONS))  # everything is loaded and warm
        for number in range(pairs):
            order = (OLD, NEW) if number % 2 == 0 else (NEW, OLD)
            found.append(await _pair(both, order, count))
            print(f"── {number + 1}/{pairs}: {_in_short(found[-1])}", file=sys.stderr)
    return found


async def _pair(both: dict[str, Served], order: tuple[str, ...], count: int) -> dict[str, Figures]:
    figures: dict[str, Figures] = {name: {MEMORY: 0.0} for name in both}
    bursts: tuple[Callable[[Served], Awaitable[Figures]], ...] = (
        lambda gateway: accept(gateway, count),
        lambda gateway: life(gateway, LIFE_PLAIN, PLAIN, count // 2),
        lambda gateway: life(gateway, LIFE_SEALED, SEALED, count // 2),
    )
    for burst in bursts:
        for name in order:
            more = await burst(both[name])
            print(f"   {name}: " + ", ".join(f"{what} {value:.1f}" for what, value in more.items()), file=sys.stderr)
            figures[name] |= more | {MEMORY: max(more[MEMORY], figures[name][MEMORY])}
            await _throw_away(both[name])
    return figures


async def _throw_away(gateway: Served) -> None:
    """What nobody has consumed."""
    broker = gateway.broker
    async with Management(broker.management_url, broker.admin, broker.password) as management:
        for receiver in RECEIVERS.values():
            await management.delete("queues", VHOST, to_queue(receiver), "contents")


def _in_short(pair: dict[str, Figures]) -> str:
    return "  ".join(f"{name} {pair[NEW][name] / pair[OLD][name]:.2f}" for name in pair[OLD])


def report(found: list[dict[str, Figures]], commit: str, floor: float, ceiling: float) -> bool:
    """Prints the table; whether every figure is within its bound."""
    title = f"联执 · {machine()} · {len(found)} pairs with {commit} · {CONNECTIONS} connections"
    table = Table(title=title, title_justify="left")
    for column in ("中位数 median", commit, "now", "比 ratio", "各对 pairs", "界 bound", ""):
        table.add_column(column, justify="left" if column.startswith("中位数") else "right")
    good = True
    for name in sorted(found[0][OLD], key=lambda n: n == MEMORY):
        old, new = ([pair[side][name] for pair in found] for side in (OLD, NEW))
        ratios = [n / o for o, n in zip(old, new, strict=True)]
        ratio, bound, sign = statistics.median(ratios), "–", ""
        if name in (ACCEPT, LIFE_PLAIN, LIFE_SEALED):
            bound, held = f"≥ {floor:g}", ratio >= floor
        elif name == CPU + "accepted request, ms":
            bound, held = f"≤ {ceiling:g}", ratio <= ceiling
        else:
            held = True
        if bound != "–":
            sign = "✓" if held else "✗"
        good &= held
        medians = [f"{statistics.median(values):,.2f}" for values in (old, new)]
        table.add_row(name, *medians, f"{ratio:.3f}", f"{min(ratios):.2f}–{max(ratios):.2f}", bound, sign)
    Console(width=120).print(table)
    return good


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commit", nargs="?", default="f2027db")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--count", type=int, default=800, help="requests of one accept burst; half as many lives")
    parser.add_argument("--ratio", type=float, default=0.95, help="of the rates, at least")
    parser.add_argument("--cpu", type=float, default=1.05, help="of the processor time of an accepted request, at most")
    given = parser.parse_args()
    try:
        with older(given.commit) as product, tempfile.TemporaryDirectory(prefix="lianzhi-pair-") as folder:
            found = asyncio.run(measure(Path(folder), product, given.pairs, given.count))
    except NotHereError as error:
        sys.exit(str(error))
    results = {"machine": machine(), "commit": given.commit, "count": given.count, "pairs": found}
    Path(__file__).with_name("pair.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    sys.exit(0 if report(found, given.commit, given.ratio, given.cpu) else 1)


if __name__ == "__main__":
    main()
