"""`lianzhi report`: the weekly and monthly report, and the figures that the court hands in."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.commands.installed import installed
from gateway.core.figures.indicators import Report
from gateway.core.figures.periods import Period, last_week, period_named
from gateway.core.records import Changes
from gateway.registry.config import DEFAULT_FOLDER
from lianzhi.cli.output import MISUSE, AsJson, Folder, as_json, console, fail, run
from lianzhi.files import write_private

if TYPE_CHECKING:
    from gateway.report import Names

report_app = typer.Typer(help="周报、月报 Weekly and monthly reports", no_args_is_help=True)
figures_app = typer.Typer(help="法院导入的数据 Figures that the court hands in", no_args_is_help=True)
report_app.add_typer(figures_app, name="figures")


@report_app.command("weekly")
def report_weekly(
    folder: Folder = DEFAULT_FOLDER,
    week: Annotated[str | None, typer.Option(help="周，如 2026-W13；缺省为上周 ISO week; last week by default")] = None,
    month: Annotated[str | None, typer.Option(help="月，如 2026-03：出月报 Make it the month's")] = None,
    xlsx: Annotated[Path | None, typer.Option(help="写成 Excel 工作簿 Write a workbook")] = None,
    pdf: Annotated[Path | None, typer.Option(help="写成 PDF（A4） Write a PDF")] = None,
    fonts: Annotated[Path | None, typer.Option(help="中文字体所在文件夹 Folder of the Chinese fonts")] = None,
    json_out: AsJson = False,
) -> None:
    """周报：签收、受理、按期、预警、措施、台账 The weekly report: on screen, as a workbook, on paper."""
    from gateway.application.queries.report_answers import report_view
    from gateway.report import FontMissingError, content, write_pdf, write_xlsx
    from gateway.report.terminal import show

    if week is not None and month is not None:
        fail("周和月只填其一 Give a week or a month, not both.", MISUSE)
    report, court, names = run(_counted(folder, week or month))
    page = content(report, court, names)
    try:
        if xlsx is not None:
            write_xlsx(page, xlsx)
        if pdf is not None:
            write_pdf(page, pdf, fonts)
    except FontMissingError as error:
        fail(str(error), MISUSE)
    except OSError as error:
        fail(f"写不进 Cannot write {error.filename}: {error.strerror}", MISUSE)
    if json_out:
        as_json(report_view(report, names.parties).model_dump(exclude_none=True))
        return
    if xlsx is None and pdf is None:
        show(content(report, court, replace(names, people={})))  # an operator's terminal names no person
    for written in (xlsx, pdf):
        if written is not None:
            console.print(f"已写入 Written: {written}")


@report_app.command("aggregate")
def report_aggregate(
    folder: Folder = DEFAULT_FOLDER,
    week: Annotated[str | None, typer.Option(help="周，如 2026-W13；缺省为上周 ISO week; last week by default")] = None,
    month: Annotated[str | None, typer.Option(help="月，如 2026-03 The month's")] = None,
    out: Annotated[Path | None, typer.Option(help="写入的 CSV 文件 Write it as CSV")] = None,
    json_out: AsJson = False,
) -> None:
    """去标识汇总：按事项、按单位，5件以下隐去，不含案件与人员 De-identified aggregates, counts below 5 hidden."""
    from gateway.core.figures.aggregates import aggregates, as_csv

    if week is not None and month is not None:
        fail("周和月只填其一 Give a week or a month, not both.", MISUSE)
    report, _, _ = run(_counted(folder, week or month))
    cells = aggregates(report)
    if json_out:
        as_json({"period": report.period.name, "cells": [asdict(cell) for cell in cells]})
        return
    text = as_csv(report.period.name, cells)
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        write_private(out, text.encode("utf-8-sig"))
    except OSError as error:
        fail(f"写不进 Cannot write {error.filename}: {error.strerror}", MISUSE)
    console.print(f"已写入 Written: {out}")


async def _counted(folder: Path, name: str | None) -> tuple[Report, str, Names]:
    """The report, the court's name, and what its codes are called."""
    from gateway.application.deadlines.calendars import load
    from gateway.application.queries.reports import Reporting
    from gateway.report import names_in

    async with installed(folder) as context:
        today = context.today()
        period = last_week(today) if name is None else _period(name)
        if period.first > today:
            fail(f"{name}：该期间尚未开始 This period has not begun.", MISUSE)
        await load(context)
        report = await Reporting(context).report(period)
        return report, context.home.zh, names_in(context.directory, context.catalogue)


def _period(name: str) -> Period:
    try:
        return period_named(name)
    except ValueError:
        fail(f"{name}：没有这一周或这一月，形如 2026-W13、2026-03 No such week or month.", MISUSE)


@figures_app.command("import")
def figures_import(file: Path, folder: Folder = DEFAULT_FOLDER) -> None:
    """导入执行完毕率、执行到位率（CSV：期间,指标,数值） Import the rates that the court computes itself."""
    from gateway.core.figures.court_figures import read_figures

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file}：读不了，须为 UTF-8 文本 Cannot be read as UTF-8: {type(error).__name__}", MISUSE)

    async def work() -> int:
        async with installed(folder) as context:
            figures = read_figures(text, context.clock.now())
            async with context.store.begin() as tx:
                await tx.apply(Changes(court_figures=figures))
            return len(figures)

    console.print(f"已导入 Imported: {run(work())}")
