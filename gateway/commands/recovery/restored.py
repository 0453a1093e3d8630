"""`lianzhi db restored`: the database was set back, and goes on (docs/adr/0030)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer

from gateway.application.context import Context
from gateway.application.ports.recovery import MarkPlace
from gateway.application.recovery.restored import Findings
from gateway.core.recovery.marks import Verdict
from gateway.registry.config import DEFAULT_FOLDER, load_config
from lianzhi.cli.output import FOUND_WRONG, Folder, console, problems, run

WORDS = {
    Verdict.SOUND: "数据库不落后于它 the database is not behind it",
    Verdict.RESTORED: "数据库落后于它 the database is behind it",
    Verdict.COPIED: "另一个网关用同一副本写的 another gateway with a copy of this database wrote it",
    Verdict.FOREIGN: (
        "属于另一个数据库，或本库早于标记；若另一套安装已接管，到此为止"
        " of another database, or this one is older than the marks; where another installation has taken over, go no"
        " further"
    ),
}


def db_restored(
    folder: Folder = DEFAULT_FOLDER,
    yes: Annotated[bool, typer.Option("--yes", help="照办，不再询问 Do it")] = False,
) -> None:
    """数据库恢复之后：换代，编号越过曾给出的一切。 After a restore: go on past every number ever given."""
    run(_restored(folder, yes))


async def _restored(folder: Path, yes: bool) -> None:
    from gateway.application.recovery.restored import look, restored

    async with _alone(folder) as (context, places):
        findings = await look(context, places)
        _tell(findings)
        if not yes:
            problems.print("确认数据库是恢复的副本后，加 --yes 再运行。 If it was restored, run again with --yes.")
            raise typer.Exit(FOUND_WRONG)
        mark = await restored(context, places, findings)
    console.print(f"新的一代 New incarnation: {mark.incarnation}")
    for name, following in sorted(mark.numbers.items()):
        console.print(f"  编号续接 numbers go on: {name} {following:06d}")
    for name, fault in findings.faults.items():
        problems.print(f"标记未写入 mark not written ({name}): {fault}", style="yellow", markup=False)
    console.print(
        "可以启动，以下只用一种：由服务运行的，以 root 执行 systemctl start lianzhi；没有服务的，lianzhi serve"
        " Now start it, in one of two ways: where a service runs it, `systemctl start lianzhi` as root; else"
        " `lianzhi serve`"
    )


@asynccontextmanager
async def _alone(folder: Path) -> AsyncIterator[tuple[Context, list[MarkPlace]]]:
    """The store, which nobody serves meanwhile where that can be known (SQLite), and the places of its marks."""
    from gateway.bootstrap import SystemClock, build_context
    from gateway.broker.mark_queue import MarkQueue
    from gateway.registry.mark_file import MarkFile
    from gateway.store.store import open_store
    from lianzhi.amqp.link import Link

    config = load_config(folder)
    store = await open_store(config.store_url, serving=True)
    try:
        async with Link(config.broker_urls, name="db restored") as link:
            queue = MarkQueue(link, user=config.broker_user)
            await queue.connect()
            yield build_context(config, store, SystemClock()), [MarkFile(config.folder), queue]
    finally:
        await store.close()


def _tell(findings: Findings) -> None:
    own = findings.standing.mark
    console.print(f"数据库 database: 序号 sequence {own.sequence}, 最后事件 last event {own.event_id}")
    for name, verdict in findings.verdicts().items():
        mark = findings.marks[name]
        behind = f"{max(0, mark.sequence - own.sequence)}/{max(0, mark.event_id - own.event_id)}"
        console.print(f"标记 mark ({name}): {mark.sequence}/{mark.event_id}，差 behind by {behind}：{WORDS[verdict]}")
    for name, fault in findings.faults.items():
        problems.print(f"标记 mark ({name})：{fault}", style="yellow", markup=False)
    if not findings.certain:
        console.print(
            "标记不全，给出过的编号无从尽知：今日编号将跳过一亿。"
            " The marks do not tell every number that was given: today's go on a hundred million further."
        )
