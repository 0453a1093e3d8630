"""Control measures at a terminal: `measure list`, `measure show`. Numbers and dates, never the object."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Annotated, Any

import typer

from gateway.application.ports.lists import MeasureFilter
from gateway.commands.watch import with_store
from gateway.core.control.moves import OPEN_STATES, STATES
from gateway.core.records import Measure
from gateway.core.time.calendar import SHANGHAI
from gateway.registry.config import DEFAULT_FOLDER
from lianzhi.cli.output import FOUND_WRONG, MISUSE, AsJson, Folder, as_json, fail, listing, record, run

measure_app = typer.Typer(help="控制措施 Control measures", no_args_is_help=True)


@measure_app.command("list")
def measure_list(
    folder: Folder = DEFAULT_FOLDER,
    within: Annotated[int | None, typer.Option(help="几天内到期 Ends within so many days", min=0, max=9999)] = None,
    case_no: Annotated[str | None, typer.Option("--case", help="案号 Case number")] = None,
    state: Annotated[str, typer.Option(help=f"状态，逗号分隔 States: {','.join(STATES)}")] = ",".join(OPEN_STATES),
    limit: Annotated[int, typer.Option(help="条数上限 At most so many", min=1, max=10_000)] = 500,
    json_out: AsJson = False,
) -> None:
    """控制措施，默认为未终结的 Control measures, those that are open unless told otherwise."""
    states = tuple(part.strip() for part in state.split(","))
    if not set(states) <= set(STATES):
        fail(f"--state 须为 must be among: {','.join(STATES)}", MISUSE)
    today = datetime.now(SHANGHAI).date()
    ends_by = None if within is None else (today + timedelta(days=within)).isoformat()
    where = MeasureFilter(states=states, case_no=case_no, ends_by=ends_by, limit=limit)
    rows = run(with_store(folder, lambda s: s.measures(where)))
    listing([_row(m, today) for m in rows], "控制措施 Measures", json_out=json_out)


@measure_app.command("show")
def measure_show(number: str, folder: Folder = DEFAULT_FOLDER, json_out: AsJson = False) -> None:
    """一项措施及其经过 One measure and what became of it, step by step."""
    measure: Measure | None = run(with_store(folder, lambda s: s.measure(number)))
    if measure is None:
        fail(f"{number}：没有这项措施 No such measure.", FOUND_WRONG)
    steps = run(with_store(folder, lambda s: s.measure_steps(number)))
    shown = {name: value for name, value in asdict(measure).items() if name != "object_key"}
    history = [{"at": s.at, "state": s.state, "end": s.end_on, "by": s.by, "cause": s.cause} for s in steps]
    if json_out:
        as_json({**shown, "history": history})
        return
    record(number, shown)
    listing(history, "经过 History", json_out=False)


def _row(measure: Measure, today: date) -> dict[str, Any]:
    left = None if measure.end_on is None else (date.fromisoformat(measure.end_on) - today).days
    return {
        "measure": measure.measure_no,
        "action": measure.action,
        "state": measure.state,
        "case": measure.case_no,
        "at": measure.asked,
        "control": measure.control_no,
        "rank": measure.rank,
        "start": measure.start_on,
        "end": measure.end_on,
        "days_left": left,
    }
