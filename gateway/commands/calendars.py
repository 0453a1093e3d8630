"""For whoever keeps the calendar: `calendar import` when the year's notice has appeared, `calendar remove`, `show`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from gateway.commands.installed import installed
from gateway.core.time.calendar import SHANGHAI, Calendar, Year
from gateway.registry.calendars import check_likely, differences, read_year
from gateway.registry.config import DEFAULT_FOLDER
from lianzhi.cli.output import MISUSE, AsJson, Folder, as_json, console, fail, listing, run

calendar_app = typer.Typer(help="工作日历 Calendar of working days", no_args_is_help=True)


@calendar_app.command("import")
def calendar_import(
    file: Annotated[Path, typer.Argument(help="一年的 TOML 文件 One year, as docs/calendar.md")],
    folder: Folder = DEFAULT_FOLDER,
    replace: Annotated[bool, typer.Option("--replace", help="替换已有的一年 In place of a year that is known")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只显示差别 Only show the differences")] = False,
) -> None:
    """登记一年的放假调休安排；期限随即重算。 A year's calendar; deadlines are counted again at once."""
    from gateway.application.deadlines.calendars import import_year

    year = read_year(file)
    check_likely(file, year, datetime.now(SHANGHAI).date())
    known = run(_loaded(folder)).years.get(year.year)
    changes = differences(known, year)
    for line in changes:
        console.print(line, markup=False)
    if known is not None and changes and not (replace or dry_run):
        fail(
            f"{year.year}：已有（{known.notice}），差别如上；确要替换请加 --replace。"
            f" {year.year} is known ({known.notice}); the differences stand above: to replace it add --replace.",
            MISUSE,
        )
    if dry_run:
        return

    async def work() -> int:
        async with installed(folder) as context:
            return await import_year(context, year)

    counted = run(work())
    console.print(f"已登记 Imported: {year.year}  {year.notice}  {year.issued_on}", markup=False)
    console.print(f"重算的期限 Deadlines counted again: {counted}")


@calendar_app.command("remove")
def calendar_remove(
    year: Annotated[int, typer.Argument(help="年份 The year")],
    folder: Folder = DEFAULT_FOLDER,
) -> None:
    """撤去登记的一年：恢复随本版本发布的，没有则为暂定。 Take an imported year back: the shipped one holds again."""
    from gateway.application.deadlines.calendars import remove_year

    async def work() -> int | None:
        async with installed(folder) as context:
            return await remove_year(context, year)

    counted = run(work())
    if counted is None:
        fail(f"{year}：没有登记过。 It was never imported.", MISUSE)
    console.print(f"已撤去 Removed: {year}")
    console.print(f"重算的期限 Deadlines counted again: {counted}")


@calendar_app.command("show")
def calendar_show(
    folder: Folder = DEFAULT_FOLDER,
    year: Annotated[int | None, typer.Option(help="只看一年 One year with its days")] = None,
    json_out: AsJson = False,
) -> None:
    """已公布的年份及其依据 Published years and their notices."""
    calendar = run(_loaded(folder))
    if year is None:
        rows = [_summary(y) for _, y in sorted(calendar.years.items())]
        listing(rows, "工作日历 Calendar", json_out=json_out)
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

    async with installed(folder) as context:
        await load(context)
        return context.calendars.now


def _summary(year: Year) -> dict[str, object]:
    return {
        "year": year.year,
        "notice": year.notice,
        "issued_on": year.issued_on.isoformat(),
        "rest": len(year.rest),
        "work": len(year.work),
    }
