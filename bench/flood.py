"""One partner floods, the others work: `python -m bench.flood` (`make flood`).

Two arms in turn, so many pairs: the partner floods the gateway, or the same load goes to a queue that nobody reads and
to a listener that answers nothing. Beside both a court system and another partner work at a steady pace. Compared are
the 99th percentiles of the court's POST, of the wait until the partner has the message, and of the round trip; as the
ratio of the medians of the arms. At the end: memory and disk beside what `[limits]` allows, and which bounds the flood
reached. Exit 1 when a ratio is above `MOST`, a request was lost, memory or disk are above what the bounds allow, or a
bound that should be reached was not.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aio_pika
import aiohttp
from rich.console import Console
from rich.table import Table

from bench.run import PLAIN, RECEIVERS, machine, submission
from gateway.bounds import Bounds
from gateway.broker.management import Management
from gateway.broker.topology import IN
from simulation.parties import GRID, HOME, POLICE, Parties
from simulation.private_broker import PrivateBroker, free_port
from simulation.stage import set_stage

MOST = 2.0
FIGURES = {"post": "POST", "wait": "202 → 在对方手中 at the partner", "round": "往返 round trip"}
# Small enough that ten minutes of one partner reach them; the shipped figures stand in `gateway.bounds`.
LIMITS = {
    "held_per_request": 20,
    "held_per_partner": 350,
    "held_bytes_per_partner": 16 << 20,
    "held_distance": 200,
    "quarantine_rows_per_hour": 500,
    "consumer_bytes": 32 << 20,
    "queue_messages": 2_000,
    "queue_bytes": 64 << 20,
    "partner_messages_per_hour": 2_000,
    "partner_bytes_per_hour": 64 << 20,
    "http_connections": 600,
    "http_connections_per_address": 300,
    "http_header_seconds": 5,
    "polls_in_flight": 4,
    "uploads_in_flight": 4,
}
REACHED = (
    "held_per_request", "held_per_partner", "held_bytes_per_partner", "held_distance", "quarantine_bytes",
    "quarantine_rows_per_hour", "notices_per_minute", "partner_messages_per_hour", "partner_bytes_per_hour",
    "http_connections_per_address", "http_header_seconds", "polls_in_flight", "uploads_in_flight",
    "upload_bytes_per_second",
)  # fmt: skip
"""What this flood must have reached by its end."""
LARGEST_BATCHES = 2  # of `intake_batch_bytes`, while one is written and the next one read
MIB = 1 << 20
WAL_MB = 64
OWN_DISK = 20 << 10  # of one request of the others, with all that is said in it


@dataclass(slots=True)
class Arm:
    """The windows of one arm. samples: figure → 99th percentile of each window, ms."""

    samples: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in FIGURES})
    lost: int = 0

    def take(self, measured: dict[str, Any]) -> None:
        for name in FIGURES:
            self.samples[name].append(_percentile(measured[name], 0.99))
        self.lost += measured["lost"]

    def median(self, name: str) -> float:
        return statistics.median(self.samples[name])


def _percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


@dataclass(slots=True)
class Place:
    """A gateway that serves, and where the baseline's load goes. orders: of the flood, by arm, and of the others."""

    root: Path
    broker: PrivateBroker
    parties: Parties
    process: asyncio.subprocess.Process
    metrics: str
    floods: dict[str, Path]
    bystander: Path


@asynccontextmanager
async def placed(root: Path) -> AsyncIterator[Place]:
    async with PrivateBroker() as broker:
        parties = await set_stage(root, broker)
        port, metrics, idle = free_port(), free_port(), free_port()
        limits = {f"LIANZHI_LIMITS__{name.upper()}": str(value) for name, value in LIMITS.items()}
        more = {"LIANZHI_HTTP__PORT": str(port), "LIANZHI_HTTP__METRICS_PORT": str(metrics)}
        await _apply(broker, parties, limits)
        with (root / "serve.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                str(Path(sys.executable).with_name("lianzhi")), "serve", "--dir", str(parties.folder),
                env={**os.environ, **limits, **more}, stdout=log, stderr=log,
            )  # fmt: skip
        server = await asyncio.start_server(_deaf, "127.0.0.1", idle, backlog=1024)
        try:
            await _serving(f"http://127.0.0.1:{port}")
            await _idle_queue(broker, parties)
            yield Place(
                root, broker, parties, process, f"http://127.0.0.1:{metrics}/metrics",
                floods={
                    "flood": _flood_order(root, "flood", parties, broker.url, "lianzhi", port),
                    "idle": _flood_order(root, "idle", parties, broker.url, "idle", idle),
                },
                bystander=_bystander_order(root, parties, port),
            )  # fmt: skip
        finally:
            server.close()
            process.terminate()
            await process.wait()


async def _apply(broker: PrivateBroker, parties: Parties, limits: dict[str, str]) -> None:
    """The product's own command, so that policies and users' limits are those of this configuration."""
    passwords = parties.folder / "passwords.json"
    passwords.write_text(json.dumps(parties.passwords), encoding="utf-8")
    admin = {"LIANZHI_BROKER_ADMIN": broker.admin, "LIANZHI_BROKER_ADMIN_PASSWORD": broker.password}
    command = [str(Path(sys.executable).with_name("lianzhi")), "broker", "apply", "--dir", str(parties.folder)]
    done = await asyncio.create_subprocess_exec(
        *command, "--passwords", str(passwords), env={**os.environ, **limits, **admin}, stdout=DEVNULL
    )
    if await done.wait():
        raise RuntimeError("broker apply failed; see above")


async def _deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes everything, answers nothing."""
    while await reader.read(1 << 16):
        pass
    writer.close()


async def _serving(url: str) -> None:
    async with aiohttp.ClientSession() as session, asyncio.timeout(40):
        while True:
            try:
                async with session.get(f"{url}/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)


async def _idle_queue(broker: PrivateBroker, parties: Parties) -> None:
    """A virtual host beside: the same exchange, a queue that keeps the last thousand, the same user."""
    rights = {"configure": "^$", "write": ".*", "read": "^$"}
    async with Management(broker.management_url, broker.admin, broker.password) as management:
        await management.put("vhosts", "idle")
        await management.put("permissions", "idle", broker.admin, body=dict.fromkeys(rights, ".*"))
        await management.put("permissions", "idle", GRID, body=rights)
    async with await aio_pika.connect(broker.url(vhost="idle")) as connection:
        channel = await connection.channel()
        exchange = await channel.declare_exchange(IN, "topic", durable=True)
        quorum: dict[str, Any] = {"x-queue-type": "quorum", "x-max-length": 1000, "x-overflow": "drop-head"}
        queue = await channel.declare_queue("idle", durable=True, arguments=quorum)
        await queue.bind(exchange, "#")


def _flood_order(root: Path, name: str, parties: Parties, url: Any, vhost: str, port: int) -> Path:
    order = {
        "code": GRID,
        "home": HOME,
        "victim": POLICE,
        "amqp": url(user=GRID, password=parties.passwords[GRID], vhost=vhost),
        "exchange": IN,
        "http": f"http://127.0.0.1:{port}",
        "sign_key": str(next(parties.partners[GRID].glob(f"{GRID}.sig.*.private.jwk"))),
    }
    path = root / f"{name}.json"
    path.write_text(json.dumps(order), encoding="utf-8")
    return path


def _bystander_order(root: Path, parties: Parties, port: int) -> Path:
    body = root / "submission.json"
    body.write_bytes(submission(PLAIN))
    order = {
        "url": f"http://127.0.0.1:{port}",
        "token": parties.token,
        "body": str(body),
        "partner": str(parties.partners[RECEIVERS[PLAIN]] / "partner.toml"),
        "words": {"by": "协演示"},
    }
    path = root / "bystander.json"
    path.write_text(json.dumps(order), encoding="utf-8")
    return path


async def window(place: Place, arm: str, seconds: float) -> dict[str, Any]:
    """The flood of that arm, and the others' work beside it: what they measured, and how much was flooded."""
    flood, others = await asyncio.gather(
        _child("bench.hostile", place.floods[arm], seconds), _child("bench.bystander", place.bystander, seconds)
    )
    return {**others, "flooded": flood}


async def _child(module: str, order: Path, seconds: float) -> dict[str, Any]:
    child = await asyncio.create_subprocess_exec(sys.executable, "-m", module, str(order), str(seconds), stdout=PIPE)
    out, _ = await child.communicate()
    if child.returncode:
        raise RuntimeError(f"{module} failed; see above")
    found: dict[str, Any] = json.loads(out)
    return found


async def measure(root: Path, minutes: float, pairs: int) -> dict[str, Any]:
    arms = {"idle": Arm(), "flood": Arm()}
    flooded: dict[str, int] = {}
    async with placed(root) as place:
        warm = await window(place, "idle", 10)  # everything is loaded
        before, own = _peak_mb(place.process.pid), len(warm["post"])
        for number in range(pairs):
            for arm in ("idle", "flood") if number % 2 == 0 else ("flood", "idle"):
                found = await window(place, arm, minutes * 60 / pairs)
                arms[arm].take(found)
                own += len(found["post"])
                if arm == "flood":
                    for kind, times in found["flooded"].items():
                        flooded[kind] = flooded.get(kind, 0) + times
                print({arm: {name: round(arms[arm].samples[name][-1], 1) for name in FIGURES}}, file=sys.stderr)
        reached = await _reached(place.metrics)
        memory = _peak_mb(place.process.pid)
    disk = sum(p.stat().st_size for p in place.parties.folder.rglob("*") if p.is_file()) / MIB
    bounds = Bounds.model_validate(LIMITS)
    kept = bounds.held_bytes_per_partner + bounds.quarantine_rows_per_hour * bounds.quarantine_bytes
    held = bounds.consumer_bytes + LARGEST_BATCHES * bounds.intake_batch_bytes
    return {
        "arms": arms, "flooded": flooded, "reached": reached,
        "memory_mb": memory, "memory_bound_mb": before + held / MIB,
        "disk_mb": disk, "disk_bound_mb": (kept + own * OWN_DISK) / MIB + WAL_MB,
    }  # fmt: skip


async def _reached(url: str) -> dict[str, float]:
    """Bound → how often, all participants together."""
    found: dict[str, float] = {}
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        for line in (await answer.text()).splitlines():
            if line.startswith("lianzhi_bound_reached_total{"):
                bound = line.partition('bound="')[2].partition('"')[0]
                found[bound] = found.get(bound, 0.0) + float(line.rpartition(" ")[2])
    return found


def _peak_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def report(found: dict[str, Any], minutes: float, pairs: int) -> bool:
    """Prints the tables; whether everything held."""
    console, arms = Console(width=110), found["arms"]
    table = Table(title=f"联执 flood · {machine()} · {minutes:g} min in {pairs} pairs", title_justify="left")
    for column in ("p99, ms", "闲置 idle", "洪水 flood", "比 ratio", "各窗口 windows"):
        table.add_column(column, justify="left" if column == "p99, ms" else "right")
    good = True
    ratios: dict[str, float] = {}
    for name, title in FIGURES.items():
        idle, flood = arms["idle"].median(name), arms["flood"].median(name)
        ratios[name] = flood / idle
        good &= ratios[name] <= MOST
        windows = " ".join(f"{value:.0f}" for value in arms["flood"].samples[name])
        table.add_row(title, f"{idle:.1f}", f"{flood:.1f}", f"{ratios[name]:.2f}", windows)
    console.print(table)
    lost = arms["idle"].lost + arms["flood"].lost
    missing = [name for name in REACHED if not found["reached"].get(name)]
    good &= not lost and not missing
    good &= found["memory_mb"] <= found["memory_bound_mb"] and found["disk_mb"] <= found["disk_bound_mb"]
    console.print(f"洪水 flooded: {json.dumps(found['flooded'], ensure_ascii=False)}")
    console.print(f"到界 bounds reached: {json.dumps(found['reached'])}")
    console.print(f"未到 not reached: {missing or '–'} · 丢失 lost: {lost}")
    console.print(
        "内存峰值 peak memory: {memory_mb:.0f} MB ≤ {memory_bound_mb:.0f} · "
        "磁盘 disk: {disk_mb:.0f} MB ≤ {disk_bound_mb:.0f}".format_map(found)
    )
    results = {
        "machine": machine(), "minutes": minutes, "pairs": pairs, "ratios": ratios, "lost": lost,
        "idle": arms["idle"].samples, "flood": arms["flood"].samples,
        **{name: value for name, value in found.items() if name != "arms"},
    }  # fmt: skip
    Path(__file__).with_name("flood.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    return bool(good)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0, help="of flood, in all")
    parser.add_argument("--pairs", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lianzhi-flood-") as folder:
        found = asyncio.run(measure(Path(folder), given.minutes, given.pairs))
    sys.exit(0 if report(found, given.minutes, given.pairs) else 1)


if __name__ == "__main__":
    main()
