"""For whoever keeps the staff: `staff import | list | leave | roster`."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.commands.installed import installed
from gateway.commands.setup.alone import one_at_a_time
from gateway.core.routing import Participant
from gateway.core.time.calendar import SHANGHAI
from gateway.registry.config import DEFAULT_FOLDER
from gateway.registry.installation import Installation
from gateway.registry.participants import load_registry
from gateway.registry.setup.people_list import read_roster, read_staff
from lianzhi.cli import cells
from lianzhi.cli.output import FOUND_WRONG, MISUSE, AsJson, Folder, console, fail, listing, problems, run

if TYPE_CHECKING:
    from gateway.application.queries.open_matters import OpenOfPerson

staff_app = typer.Typer(help="人员 Staff", no_args_is_help=True)

Of = Annotated[str | None, typer.Option("--of", help="哪个单位，默认本院 Which participant; the home court by default")]
File = Annotated[Path, typer.Argument(help="CSV，UTF-8 A CSV file in UTF-8")]


@staff_app.command("import")
@one_at_a_time
def staff_import(file: File, folder: Folder = DEFAULT_FOLDER, of: Of = None) -> None:
    """导入人员名单：新编号登记，已有编号改写，其余不动。 Register a list: new ones are added, known ones rewritten."""
    participant = _participant(folder, of)
    people = read_staff(file)
    installation = Installation(folder)
    before = installation.participant_file(participant.code).read_bytes()
    new, changed = installation.put_staff(participant.code, people)
    try:
        load_registry(folder)
    except BaseException:
        installation.participant_file(participant.code).write_bytes(before)
        raise
    console.print(f"新登记 New: {len(new)}  {' '.join(new)}", markup=False)
    console.print(f"改写 Changed: {len(changed)}  {' '.join(changed)}", markup=False)
    absent = sorted(participant.staff.keys() - {person.no for person in people})
    if absent:
        console.print(f"名单中没有、仍登记 Not in the list, still registered: {' '.join(absent)}", markup=False)
        console.print("  离任 who has left: lianzhi staff leave <编号 number>")
    console.print("运行中的网关数秒内读入 A running gateway takes it over within seconds.")


@staff_app.command("list")
def staff_list(
    folder: Folder = DEFAULT_FOLDER,
    of: Of = None,
    on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="只列当日在任的 In office that day")] = None,
    json_out: AsJson = False,
) -> None:
    """登记的人员及任期（不含联系方式） Registered staff with their dates, without telephones."""
    participant = _participant(folder, of)
    rows = [
        {
            "no": one.no,
            "name": one.name,
            "roles": " ".join(sorted(one.roles)),
            "from": one.since.isoformat(),
            "until": None if one.until is None else one.until.isoformat(),
            "revoked": one.revoked,
        }
        for one in participant.staff.values()
        if on is None or one.valid_on(on.date())
    ]
    listing(rows, f"人员 Staff {participant.code}", json_out=json_out)


@staff_app.command("leave")
@one_at_a_time
def staff_leave(
    no: Annotated[str, typer.Argument(help="人员编号 Staff number")],
    folder: Folder = DEFAULT_FOLDER,
    last_day: Annotated[
        datetime | None,
        typer.Option("--on", formats=["%Y-%m-%d"], help="最后一日，默认今日 Last day; else today"),
    ] = None,
    at_once: Annotated[
        bool, typer.Option("--at-once", help="立即吊销，未交接的照样列出 Revoke now, whatever is not handed over yet")
    ] = False,
    of: Of = None,
) -> None:
    """登记离任；未了结的须先交接，逐件列出。 Somebody leaves: open matters are listed and handed over first."""
    participant = _participant(folder, of)
    if no not in participant.staff:
        fail(f"{no}：{participant.code} 没有这个人员编号。 {participant.code} has nobody of this number.", MISUSE)
    day = last_day.date() if last_day is not None else datetime.now(SHANGHAI).date()
    left = _open_of(folder, no, day) if participant.home else None
    if left:
        _tell_open(left, no)
        if not at_once:
            fail(f"{no} 尚有未交接的，未登记离任。 Not registered: the above must be handed over first.", FOUND_WRONG)
    Installation(folder).end_staff(participant.code, no, until=day, revoked=at_once)
    told = "立即吊销 revoked now" if at_once else f"最后一日 last day {day}"
    console.print(f"已登记离任 Left: {no}，{told}", markup=False)
    console.print(
        "个人在此没有自己的密钥；其知道的客户端令牌、服务器口令请更换"
        " Nobody has a key of their own here; change the clients' tokens and passwords that this person knew"
        "（lianzhi clients revoke, add）"
    )
    if left:
        problems.print("以上仍须交接 The above must still be handed over.", style="yellow")
        raise typer.Exit(FOUND_WRONG)


@staff_app.command("roster")
def staff_roster(file: File, folder: Folder = DEFAULT_FOLDER) -> None:
    """导入本院值班表，替换原表。 Import the home court's duty roster in place of the one before."""
    from gateway.application.alerts.duty_roster import DutyRoster
    from schemas.duty import Roster

    shifts = read_roster(file)

    async def work() -> str | None:
        async with installed(folder) as context:
            view = await DutyRoster(context).put(context.home, Roster(shifts=shifts))
            return view.empty_from

    empty = run(work())
    console.print(f"已导入班次 Imported: {len(shifts)}")
    if empty is not None:
        at = cells.local(datetime.fromisoformat(empty))
        problems.print(f"! 24 小时内无人值班，自 Nobody is on duty within a day, from: {at}", style="yellow")


def _participant(folder: Path, code: str | None) -> Participant:
    directory, _ = load_registry(folder)
    found = directory.home if code is None else directory.get(code)
    if found is None:
        known = ", ".join(sorted(p.code for p in directory))
        fail(f"没有登记 {code}，已登记：{known}。 Not registered; there are: {known}.", MISUSE)
    return found


def _open_of(folder: Path, no: str, last_day: date) -> OpenOfPerson:
    """Shifts count from the day after the last one."""
    from gateway.application.queries.open_matters import open_of_person

    since = datetime.combine(last_day + timedelta(days=1), time(), SHANGHAI)

    async def work() -> OpenOfPerson:
        async with installed(folder) as context:
            return await open_of_person(context, no, since)

    return run(work())


def _tell_open(left: OpenOfPerson, no: str) -> None:
    total = sum(map(len, left.cases.values()))
    console.print(f"{no} 名下未了结 Open in the name of {no}: {total} 件请求 requests", markup=False)
    for case_no, numbers in left.cases.items():
        console.print(f"  {case_no or '（无案号 no case）'}  {' '.join(numbers)}", markup=False)
        if case_no:
            console.print(
                f"    法院系统执行 by a court system: lianzhi case reassign {case_no} --by <编号> --mode in-court-team"
                " --handler <编号>",
                markup=False,
            )
    for number in left.pages:
        console.print(f"  未应答的呼叫 a page nobody has answered: {number}", markup=False)
    for shift in left.shifts:
        begins, ends = (cells.local(datetime.fromisoformat(moment)) for moment in shift)
        console.print(f"  值班 on duty: {begins} – {ends}（lianzhi staff roster 新表 a new roster）", markup=False)
