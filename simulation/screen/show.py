"""`make demo`: everything on one machine, from nothing, and nothing left behind.

A private broker, the gateway as a process of its own, six agencies on the partner library, a court system on the client
library. The court hands in its docket; things go wrong on purpose; three books are compared at the end. Then a week
passes on a clock that the demo moves, and its report is written.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import logging
import os
import shutil
import signal
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from gateway.observability import configure_logging
from lianzhi.errors import ConfigurationError
from simulation.damage.sabotage import Sabotage
from simulation.reconciliation.report import Report
from simulation.run import Run
from simulation.screen.invitation import farewell, invite
from simulation.screen.live import Screen
from simulation.screen.summary import show
from simulation.theatre import theatre
from simulation.week.play import Week, play_week, show_week

FOLDER = Path(".lianzhi/demo")
DONE, FOUND_WRONG = 0, 1
PLAIN_WIDTH = 132


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for on the command line."""

    once: bool
    requests: int
    report: Path | None
    sabotage: Collection[Sabotage]
    seed: int
    week: bool


def run_demo(
    *, once: bool, requests: int, report: Path | None, sabotage: Collection[Sabotage], seed: int, week: bool = True
) -> int:
    """week: play the week too. The exit code: 0 when the books agree and the week went as it must (without `once`:
    when it was stopped by Ctrl-C), else 1.

    Raises ConfigurationError: RabbitMQ is absent, another demo runs in this folder, too few requests.
    """
    wish = Wish(once, requests, report, sabotage, seed, week)
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=PLAIN_WIDTH)
    _forget_installation()
    with _cleared(FOLDER):
        configure_logging(level=logging.WARNING, file=FOLDER / "demo.log")
        try:
            return asyncio.run(_until_stopped(wish, console))
        except BaseExceptionGroup as group:
            raise _first_of(group) from group


async def _until_stopped(wish: Wish, console: Console) -> int:
    """Ctrl-C, SIGTERM and a closed terminal all end it the same way: in order."""
    playing = asyncio.ensure_future(_play(wish, console))
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(sign, playing.cancel)
    try:
        await asyncio.wait((playing,))
        if playing.cancelled():
            console.print("\n已停止 Stopped.")
            return FOUND_WRONG if wish.once else DONE
        return playing.result()
    finally:
        for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.remove_signal_handler(sign)


async def _play(wish: Wish, console: Console) -> int:
    def say(step: str) -> None:
        console.print(step, style="dim")

    async with theatre(FOLDER, wish.requests, wish.seed, say) as stage, asyncio.TaskGroup() as tasks:
        background = [tasks.create_task(agency.run()) for agency in stage.agencies.values()]
        background += [tasks.create_task(stage.court.follow()), tasks.create_task(stage.gateway.watch())]
        drawing = tasks.create_task(Screen(console, stage.board).draw())
        try:
            report = await Run(stage, wish.sabotage).perform()
            drawing.cancel()
            await asyncio.wait((drawing,))
            week = await play_week(FOLDER, stage.broker, say) if wish.week else None
            _hand_over(report, week, wish, console)
            good = report.good and (week is None or week.problem is None)
            if not wish.once:
                invite(console, stage.gateway.url, stage.parties.token, FOLDER)
                await Screen(console, stage.board).draw()
        finally:
            for task in (*background, drawing):
                task.cancel()
    farewell(console, FOLDER)
    return DONE if good else FOUND_WRONG


def _hand_over(report: Report, week: Week | None, wish: Wish, console: Console) -> None:
    show(console, report)
    document = report.document()
    if week is not None:
        show_week(console, week)
        document["week"] = week.document()
    if wish.report is not None:
        wish.report.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        console.print(f"报告 report: {wish.report}")


@contextmanager
def _cleared(folder: Path) -> Iterator[None]:
    """An empty folder of our own, and nobody else's while we run. Raises ConfigurationError."""
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigurationError(f"{folder}：另一个演示正在运行。 Another demo is running here.") from error
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        yield


def _forget_installation() -> None:
    """No setting of a real installation may reach the demo: it would use that one's database or broker."""
    for name in [name for name in os.environ if name.startswith("LIANZHI_")]:
        del os.environ[name]


def _first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What went wrong, out of what a task group collected."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
