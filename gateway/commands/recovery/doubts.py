"""`lianzhi db doubts`: POSTs that may be retries of what a restore has lost; a person decides (docs/adr/0030)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from gateway.commands.installed import installed
from gateway.commands.operating.client import NotRunningError, asked
from gateway.core.recovery.doubts import Doubt, State
from gateway.registry.config import DEFAULT_FOLDER
from lianzhi.cli.cells import cell
from lianzhi.cli.output import AsJson, Folder, as_json, console, fail, run

doubts_app = typer.Typer(help="恢复后的存疑提交 What may have been done before a restore", no_args_is_help=True)

Client = Annotated[str, typer.Argument(help="客户端 Client, as `list` shows it")]
Key = Annotated[str, typer.Argument(help="Idempotency-Key")]

ASKED_AT_ONCE = 500
WORDS = {
    "waiting": "等您决定 waits for your word",
    "accepted": "已准许，等法院系统重发 accepted, waits for the court system's next try",
    "refused": "已拒绝 refused",
    "done": "已办理 done",
}


@doubts_app.command("list")
def doubts_list(
    folder: Folder = DEFAULT_FOLDER,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="条数 How many")] = 1_000,
    json_out: AsJson = False,
) -> None:
    """等待决定与已决定的提交，早者在前 Those that wait and those that were decided, oldest first."""

    async def work() -> list[dict[str, str]]:
        async with installed(folder) as context:
            doubts = await context.store.doubts(limit)
            done: dict[tuple[str, str], str] = {}
            for start in range(0, len(doubts), ASKED_AT_ONCE):
                keys = [(doubt.client, doubt.key) for doubt in doubts[start : start + ASKED_AT_ONCE]]
                answered, _ = await context.store.remembered(keys, [])
                done |= {key: row.request_no or "" for key, row in answered.items()}
            return [_row(doubt, done.get((doubt.client, doubt.key))) for doubt in doubts]

    rows = run(work())
    if json_out:
        as_json(rows)
    else:
        _tell(rows)


def _row(doubt: Doubt, done: str | None) -> dict[str, str]:
    """done: the number that it was given after all, empty where it has none; None: it has not been done."""
    return {
        "client": doubt.client,
        "key": doubt.key,
        "participant": doubt.participant,
        "path": doubt.path,
        "type": doubt.type or "",
        "verb": doubt.verb or "",
        "receiver": doubt.receiver or "",
        "case_no": doubt.case_no or "",
        "at": doubt.at.isoformat(),
        "state": doubt.state if done is None else "done",
        "request_no": doubt.request_no or done or "",
    }


def _tell(rows: Sequence[dict[str, str]]) -> None:
    """Three lines for each: what has to be copied stands in one piece, however narrow the window is."""
    console.print(f"存疑提交 Doubts：{len(rows) or '无 none'}")
    for row in rows:
        console.print(f"{row['client']} {row['key']}", style="bold")
        about = [row["path"], row["verb"], row["type"], row["receiver"], row["case_no"]]
        console.print("  " + "  ".join(word for word in about if word))
        state = [cell(row["at"]), WORDS[row["state"]], row["request_no"]]
        console.print("  " + "  ".join(word for word in state if word))


@doubts_app.command("accept")
def doubts_accept(client: Client, key: Key, folder: Folder = DEFAULT_FOLDER) -> None:
    """恢复前没有办理：法院系统以同一键重发时照办 Not done before: the next try under this key is done."""
    _settle(folder, client, key, "accepted")
    console.print(
        "已准许：法院系统以同一键重发时办理，不自动重发的，请它现在重发 Accepted: done when the court system tries"
        " again under the same key; where it does not by itself, ask it to."
    )


@doubts_app.command("refuse")
def doubts_refuse(client: Client, key: Key, folder: Folder = DEFAULT_FOLDER) -> None:
    """恢复前已经办理：重发时答复 done-before It was done before: its next try is answered so."""
    _settle(folder, client, key, "refused")
    console.print("已拒绝 Refused: answered `done-before`.")


@doubts_app.command("end")
def doubts_end(folder: Folder = DEFAULT_FOLDER) -> None:
    """恢复前的提交不会再来，今后不再存疑 Nothing of before comes any more: new keys are new again."""

    async def work() -> None:
        async with installed(folder) as context:
            standing = await context.store.standing("99999999")
            async with context.store.begin() as tx:
                await tx.end_doubts(standing.mark.incarnation, context.clock.now())

    try:
        asked(folder, "POST", "/doubts/end")
    except NotRunningError:
        run(work())
    console.print("今后的新键按新件办理 New keys are new from now on.")


def _settle(folder: Path, client: str, key: str, state: State) -> None:
    """By the gateway that runs, as an act of this user's; without one on the database."""
    try:
        asked(folder, "POST", "/doubts", {"client": client, "key": key, "state": state})
    except NotRunningError:
        run(_settle_stored(folder, client, key, state))


async def _settle_stored(folder: Path, client: str, key: str, state: State) -> None:
    async with installed(folder) as context, context.store.begin() as tx:
        found = await tx.settle_doubt(client, key, state)
    if not found:
        fail(f"没有这件存疑提交 No such doubt: {client} {key}")
