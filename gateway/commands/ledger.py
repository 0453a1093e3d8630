"""`lianzhi ledger`: the court's ledgers. Numbers, codes and days, never a payload."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from gateway.application.ports.books import LedgerFilter
from gateway.application.queries.ledger_answers import LedgerList, item_view
from gateway.application.queries.ledgers import Ledgers
from gateway.commands.installed import installed
from gateway.core.figures.ledgers import KINDS, LEDGERS, LedgerItem
from gateway.registry.config import DEFAULT_FOLDER
from lianzhi.cli.output import MISUSE, AsJson, Folder, fail, listing, run

ledger_app = typer.Typer(help="台账 Ledgers", no_args_is_help=True)


@ledger_app.command("list")
def ledger_list(folder: Folder = DEFAULT_FOLDER, json_out: AsJson = False) -> None:
    """各台账的未结和逾期 Every ledger: what is open, what is overdue."""

    async def work() -> LedgerList:
        async with installed(folder) as context:
            return await Ledgers(context).names()

    rows = [
        {"ledger": row.name, "name": f"{row.zh} {row.en}", "open": row.open, "overdue": row.overdue}
        for row in run(work()).ledgers
    ]
    listing(rows, "台账 Ledgers", json_out=json_out)


@ledger_app.command("show")
def ledger_show(
    name: str,
    folder: Folder = DEFAULT_FOLDER,
    since: Annotated[str | None, typer.Option("--from", help="起始日期 From this day, 2026-03-23")] = None,
    until: Annotated[str | None, typer.Option("--until", help="截止日期 Until this day")] = None,
    limit: Annotated[int, typer.Option(min=1, help="至多几件 At most so many")] = 1000,
    json_out: AsJson = False,
) -> None:
    """一本台账，逾期最久的在前 One ledger, the longest overdue first."""
    if name not in LEDGERS:
        fail(f"{name}：没有这本台账 No such ledger. 可用 Known: {', '.join(LEDGERS)}", MISUSE)
    where = LedgerFilter(name, first=_day(since), last=_day(until), limit=limit)
    found = run(_items(folder, where))
    ordered = sorted(found, key=lambda one: (-one.overdue_days, one.due_on or date.max, one.item_no))
    listing([_row(one, json_out=json_out) for one in ordered], LEDGERS[name].zh, json_out=json_out)


async def _items(folder: Path, where: LedgerFilter) -> list[LedgerItem]:
    async with installed(folder) as context:
        return await Ledgers(context).items(where)


def _row(item: LedgerItem, *, json_out: bool) -> dict[str, object]:
    view = item_view(item).model_dump(exclude_none=json_out)
    if json_out:
        return view
    return {
        "编号 item": view["item_no"],
        "状态 state": KINDS.get(item.state, item.state),
        "案号 case": view["case_no"],
        "单位 partner": view["partner"],
        "登记 opened": view["opened_on"],
        f"{LEDGERS[item.ledger].due_zh} due": view["due_on"],
        "逾期天数 overdue": item.overdue_days or None,
        "几日内 within": item.within,
        "办结 settled": view["settled_on"],
        "金额 amount": view["amount"],
        "已结 paid": view["settled"],
    }


def _day(text: str | None) -> str | None:
    try:
        return None if text is None else date.fromisoformat(text).isoformat()
    except ValueError:
        fail(f"{text}：日期须为真实日期，形如 2026-03-24 Not a day.", MISUSE)
