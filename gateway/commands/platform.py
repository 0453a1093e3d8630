"""`lianzhi platform`: numbers on the national command platform that came after the commission went out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.application.submission.numbers import PlatformNumbers, requests_of
from gateway.commands.installed import installed
from gateway.registry.config import DEFAULT_FOLDER
from gateway.registry.platform_list import read_platform_list
from lianzhi.cli.output import AsJson, Folder, as_json, console, own_errors_told, run

platform_app = typer.Typer(help="全国执行指挥平台编号 Numbers on the national command platform", no_args_is_help=True)


@platform_app.command("import")
def platform_import(
    file: Annotated[Path, typer.Argument(help="CSV：请求编号,平台编号,填报日期 or request_no,no,filed_on")],
    folder: Folder = DEFAULT_FOLDER,
    json_out: AsJson = False,
) -> None:
    """批量补录平台编号；有一行不对则全部不登记 Enter numbers from a list; all of them or none.

    还缺编号的见 lianzhi ledger show platform。 Those that are still missing: lianzhi ledger show platform.
    """
    with own_errors_told():
        filings = requests_of(read_platform_list(file))

    async def work() -> int:
        async with installed(folder) as context:
            return await PlatformNumbers(context).enter(filings)

    entered = run(work())
    if json_out:
        as_json({"lines": len(filings), "entered": entered})
        return
    console.print(f"已登记 Entered: {entered}；原已登记 Known before: {len(filings) - entered}")
