"""For whoever keeps the calendar: `calendar show`, and `calendar import` when the year's notice has appeared."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.application.context import Context
from gateway.core.time.calendar import Calendar, Year
from gateway.registry.calendars import read_year
from gateway.registry.config import DEFAULT_FOLDER, load_config
from lianzhi.cli.output import AsJson, Folder, as_json, console, fail, listing, run

calendar_app = typer.Typer(help="工作日历 Calendar of working days", no_args_is_help=True)


@calendar_app.command("import")
def calendar_import(
    file: Annotated[Path, typer.Argument(help="一年的 TOML 文件 One year, as docs/calendar.md")],
    folder: Folder = DEFAULT_FOLDER,
) -> None:
    """登记一年的放假调休安排；暂定期限随即重算。 A year's calendar; provisional deadlines are counted again at once."""
    from gateway.application.deadlines.calendars import import_year
    from gateway.bootstrap import SystemClock, build_context
    from gateway.store.store import open_store

    year, config = read_year(file), load_config(folder)

    async def work() -> int:
        store = await open_store(config.store_url)
        try:
            return await import_year(build_context(config, store, SystemClock()), year)
        finally:
            await store.close()

    counted = run(work())
    console.print(f"已登记 Imported: {year.year}  {year.notice}  {year.issued_on}")
    console.print(f"重算的暂定期限 Provisional deadlines counted again: {counted}")


@calendar_app.command("show")
def calendar_show(
    folder: Folder = DEFAULT_FOLDER,
    year: Annotated[int | None, typer.Option(help="只看一年 One year with its days")] = None,
    json_out: AsJson = False,
) -> None:
    """已公布的年份及其依据 Published years and their notices."""
    calendar = run(_loaded(folder))
    if year is None:
        listing([_summary(y) for _, y in sorted(calendar.years.items())], "工作日历 Calendar", json_out=json_out)
        return
    found = calendar.years.get(year)
    if found is None:
        fail(f"{year}：尚无公布的日历，期限为暂定 No published calendar; deadlines there are provisional.")
    rest, work = sorted(map(str, found.rest)), sorted(map(str, found.work))
    if json_out:
        as_json(_summary(found) | {"rest": rest, "work": work})
        return
    console.print(f"{year}  {found.notice}  {found.issued_on}")
    console.paragraph(f"放假 Days off: {' '.join(rest)}", later="  ")
    console.paragraph(f"上班 Days worked: {' '.join(work)}", later="  ")


async def _loaded(folder: Path) -> Calendar:
    from gateway.application.deadlines.calendars import load
    from gateway.bootstrap import SystemClock, build_context
    from gateway.store.store import open_store

    config = load_config(folder)
    store = await open_store(config.store_url)
    try:
        context: Context = build_context(config, store, SystemClock())
        await load(context)
        return context.calendars.now
    finally:
        await store.close()


def _summary(year: Year) -> dict[str, object]:
    return {
        "year": year.year,
        "notice": year.notice,
        "issued_on": year.issued_on.isoformat(),
        "rest": len(year.rest),
        "work": len(year.work),
    }
