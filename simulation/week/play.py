"""The week from its Monday to the next: one scene after another, then the report as the court prints it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.application.queries.reports import Reporting
from gateway.core.figures.periods import week_of
from gateway.report import FontMissingError, content, names_in, write_pdf, write_xlsx
from lianzhi.client import ProblemError
from simulation.private_broker import PrivateBroker
from simulation.week import scenes
from simulation.week.scenes import Scene
from simulation.week.stage import BEGINS, SceneError, WeekStage, week_stage

PLAYED = (
    scenes.ordinary_work,
    scenes.without_contact_log,
    scenes.hit_at_night,
    scenes.a_debtor_pays,
    scenes.overdue,
)


@dataclass(slots=True)
class Week:
    """scenes: as they were played. written: the report's files. remark: why one is missing. problem: what did not go
    as it must; nothing was played after it."""

    scenes: list[Scene] = field(default_factory=list)
    written: list[Path] = field(default_factory=list)
    remark: str | None = None
    problem: str | None = None

    def document(self) -> dict[str, Any]:
        """For the demo's report."""
        told = [{"scene": scene.en, "steps": [en for _, _, en in scene.steps]} for scene in self.scenes]
        return {"scenes": told, "report": [path.name for path in self.written], "problem": self.problem}


async def play_week(folder: Path, broker: PrivateBroker, say: Callable[[str], None]) -> Week:
    """folder: of the demo; the report is written there."""
    week = Week()
    say("一周：时钟由演示拨动 A week, on a clock that the demo moves …")
    async with week_stage(folder / "week", broker) as stage:
        try:
            for played in PLAYED:
                week.scenes.append(await played(stage))
            await _report(stage, week, folder)
        except (SceneError, ProblemError) as error:
            week.problem = str(error)
    return week


async def _report(stage: WeekStage, week: Week, folder: Path) -> None:
    context = stage.gateway.context
    period = week_of(BEGINS.date())
    report = await Reporting(context).report(period)
    page = content(report, context.home.zh, names_in(context.directory, context.catalogue))
    workbook, paper = folder / f"{period.name}.xlsx", folder / f"{period.name}.pdf"
    write_xlsx(page, workbook)
    week.written.append(workbook)
    try:
        write_pdf(page, paper)
    except FontMissingError as error:
        week.remark = str(error)
    else:
        week.written.append(paper)


def show_week(console: Console, week: Week) -> None:
    """Each scene with its steps, and where the report lies."""
    table = Table(title="一周 A week", title_justify="left", title_style="dim", box=None, padding=(0, 2, 0, 0))
    for name in ("时间 when", "经过 what happened"):
        table.add_column(name, header_style="dim")
    for scene in week.scenes:
        table.add_row("", Text(scene.zh, style="bold").append(f"  {scene.en}", style="dim"))
        for at, zh, en in scene.steps:
            table.add_row(f"{at:%m-%d %H:%M}", Text(f"✓ {zh}").append(f"  {en}", style="dim"))
    console.print()
    console.print(table)
    for path in week.written:
        console.print(f"周报 weekly report: {path}")
    if week.problem is not None:
        console.print(f"✗ {week.problem}", style="bold red")
    if week.remark is not None:
        console.print(week.remark, style="yellow")
