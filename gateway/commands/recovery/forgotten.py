"""`lianzhi db forgotten`: requests of ours that a restore has lost and that partners speak of (docs/adr/0041)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from gateway.commands.installed import installed
from gateway.commands.operating.client import NotRunningError, asked
from gateway.registry.config import DEFAULT_FOLDER
from lianzhi.cli.output import FOUND_WRONG, AsJson, Folder, as_json, console, fail, listing, problems, run
from lianzhi.crypto import base64url

forgotten_app = typer.Typer(help="恢复后本库已无的请求 Requests that a restore has lost", no_args_is_help=True)

Number = Annotated[str, typer.Argument(help="请求编号 Request number")]
Rows = list[dict[str, Any]]
COLUMNS = {
    "request_no": "request_no",
    "partner": "partner",
    "state": "state",
    "theirs": "messages",
    "ours": "returned",
}
"""Of the table, which fits 80 columns: heading → member of `--json`, which has all."""


@forgotten_app.command("list")
def forgotten_list(
    folder: Folder = DEFAULT_FOLDER,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="条数 How many")] = 1_000,
    json_out: AsJson = False,
) -> None:
    """各单位提到而本库没有的请求，早者在前 Requests that partners speak of and that are not here, oldest first."""

    async def work() -> Rows:
        async with installed(folder) as context:
            return [
                {
                    "request_no": one.request_no,
                    "partner": one.partner,
                    "messages": one.messages,
                    "returned": one.returned,
                    "state": "waiting" if one.waiting else "provable" if one.provable else "unproved",
                    "provable": one.provable,
                    "waiting": one.waiting,
                    "bytes": one.size,
                    "first_at": one.first_at.isoformat(),
                    "last_at": one.last_at.isoformat(),
                }
                for one in await context.store.forgotten(limit)
            ]

    rows = run(work())
    if not json_out:
        rows = [{name: row[of] for name, of in COLUMNS.items()} for row in rows]
    listing(rows, "已遗失的请求 Forgotten requests", json_out=json_out)


@forgotten_app.command("show")
def forgotten_show(request_no: Number, folder: Folder = DEFAULT_FOLDER, json_out: AsJson = False) -> None:
    """留存的报文，不含内容 What is kept of one, without its content."""

    async def work() -> Rows:
        async with installed(folder) as context:
            return [
                {
                    "partner": one.owner,
                    "sender": one.sender,
                    "verb": one.verb,
                    "seqno": one.seqno,
                    "time": one.time.isoformat(),
                    "at": one.at.isoformat(),
                    "bytes": one.size,
                    "kept": bool(one.body),
                    "message_id": one.message_id,
                    "sha256": one.body_sha256,
                }
                for one in await context.store.forgotten_of(request_no)
            ]

    rows = run(work())
    if not rows:
        fail(f"没有留存该编号的报文 Nothing is kept of {request_no}")
    if not json_out:
        rows = [{name: row[name] for name in ("sender", "verb", "seqno", "kept", "time")} for row in rows]
    listing(rows, request_no, json_out=json_out)


@forgotten_app.command("take-up")
def forgotten_take_up(
    request_no: Number,
    folder: Folder = DEFAULT_FOLDER,
    submission: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="法院系统当时签名提交的文件 What the court system signed"),
    ] = None,
    without_measures: Annotated[
        bool, typer.Option("--without-measures", help="措施无从登记，另行核对 Enter no measure: nobody can prove it")
    ] = False,
    json_out: AsJson = False,
) -> None:
    """恢复该请求，并依次处理留存的报文 The request stands again; what is kept is judged in order."""
    from gateway.application.operating.restores import told as told_of
    from gateway.application.recovery.rebuild_request import Beside
    from gateway.application.recovery.take_up import TakingUp

    signed = submission.read_bytes() if submission is not None else None

    async def work() -> dict[str, Any]:
        async with installed(folder) as context:
            return told_of(await TakingUp(context).take_up(request_no, Beside(signed, without_measures)))

    body = {
        "submission": base64url.encode(signed) if signed is not None else None,
        "without_measures": without_measures,
    }
    try:
        told = asked(folder, "POST", f"/forgotten/{quote(request_no, safe='')}/take-up", body)
    except NotRunningError:
        told = run(work())
    stopped = told.pop("stopped")
    if json_out:
        as_json(told)
    else:
        _tell(told)
    if stopped is not None:
        for error in stopped:
            problems.print(f"  {error['detail']}  {error['detail_en']}", style="yellow", markup=False)
        raise typer.Exit(FOUND_WRONG)


def _tell(told: dict[str, Any]) -> None:
    """What became of a request that was taken up."""
    number, state, waits = told["request_no"], told["state"], told["waits_for"]
    console.print(f"已恢复 Taken up: {number}，状态 state {state}，报文 messages {told['applied']}")
    for one in told["refused"]:
        words = f"  未采用，见 quarantine not applied, see quarantine: {one['message_id']} {one['reason']}"
        problems.print(words, markup=False)
    if waits is not None:
        console.print(
            f"等 {waits['partner']} 重发第 {waits['seqno']} 号报文（{waits['verb']}，内容不留存），网关会去要；"
            f"收到后自动接续，无须再做。 Waiting for {waits['partner']} to send its message {waits['seqno']}"
            f" ({waits['verb']}) again: it is asked to, and the rest goes on by itself. Nothing else need be done."
        )


@forgotten_app.command("drop")
def forgotten_drop(
    request_no: Number,
    folder: Folder = DEFAULT_FOLDER,
    yes: Annotated[bool, typer.Option("--yes", help="照办，不再询问 Do it")] = False,
) -> None:
    """确认不予恢复，删去留存的报文 It will not be taken up: what is kept of it is deleted."""
    if not yes:
        fail("确认不予恢复后加 --yes；留存的报文将删去 Add --yes when it will not be taken up: what is kept is deleted")

    async def work() -> int:
        async with installed(folder) as context:
            kept = await context.store.forgotten_of(request_no)
            async with context.store.begin() as tx:
                return await tx.end_forgotten(kept, None)

    try:
        asked(folder, "POST", f"/forgotten/{quote(request_no, safe='')}/drop")
    except NotRunningError:
        dropped = run(work())
    else:
        dropped = 1
    if not dropped:
        fail(f"没有留存该编号的报文 Nothing is kept of {request_no}")
    console.print(f"已删去 Dropped: {request_no}")
