"""`lianzhi db doubts`: POSTs that may be retries of what a restore has lost; a person decides (docs/adr/0030)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.commands.installed import installed
from gateway.core.doubts import State
from gateway.registry.config import DEFAULT_FOLDER
from lianzhi.cli.output import AsJson, Folder, console, fail, listing, run

doubts_app = typer.Typer(help="恢复后的存疑提交 What may have been done before a restore", no_args_is_help=True)

Client = Annotated[str, typer.Argument(help="客户端 Client, as `list` shows it")]
Key = Annotated[str, typer.Argument(help="Idempotency-Key")]


@doubts_app.command("list")
def doubts_list(
    folder: Folder = DEFAULT_FOLDER,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="条数 How many")] = 1_000,
    json_out: AsJson = False,
) -> None:
    """等待决定与已决定的提交，早者在前 Those that wait and those that were decided, oldest first."""

    async def work() -> list[dict[str, str]]:
        async with installed(folder) as context:
            return [
                {
                    "client": doubt.client,
                    "key": doubt.key,
                    "participant": doubt.participant,
                    "path": doubt.path,
                    "at": doubt.at.isoformat(),
                    "state": doubt.state,
                    "request_no": doubt.request_no or "",
                }
                for doubt in await context.store.doubts(limit)
            ]

    listing(run(work()), "存疑提交 Doubts", json_out=json_out)


@doubts_app.command("accept")
def doubts_accept(client: Client, key: Key, folder: Folder = DEFAULT_FOLDER) -> None:
    """恢复前没有办理：客户端以同一键重发时照办 Not done before: the client's next try under this key is done."""
    run(_settle(folder, client, key, "accepted"))
    console.print("已准许，客户端重发时办理 Accepted: done when the client tries again.")


@doubts_app.command("refuse")
def doubts_refuse(client: Client, key: Key, folder: Folder = DEFAULT_FOLDER) -> None:
    """恢复前已经办理：重发时答复 done-before It was done before: its next try is answered so."""
    run(_settle(folder, client, key, "refused"))
    console.print("已拒绝 Refused: answered `done-before`.")


@doubts_app.command("end")
def doubts_end(folder: Folder = DEFAULT_FOLDER) -> None:
    """恢复前的提交不会再来，今后不再存疑 Nothing of before comes any more: new keys are new again."""

    async def work() -> None:
        async with installed(folder) as context:
            standing = await context.store.standing("99999999")
            async with context.store.begin() as tx:
                await tx.end_doubts(standing.mark.incarnation, context.clock.now())

    run(work())
    console.print("今后的新键按新件办理 New keys are new from now on.")


async def _settle(folder: Path, client: str, key: str, state: State) -> None:
    async with installed(folder) as context, context.store.begin() as tx:
        found = await tx.settle_doubt(client, key, state)
    if not found:
        fail(f"没有这件存疑提交 No such doubt: {client} {key}")
