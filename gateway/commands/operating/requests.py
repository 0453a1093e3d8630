"""`lianzhi request list`: what is open, what is overdue, and who owes the next message."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.commands.operating.client import ask
from gateway.commands.operating.options import Folder, Limit
from gateway.commands.operating.printing import rows, say
from gateway.registry.config import DEFAULT_FOLDER
from lianzhi.cli.court import request_app
from lianzhi.cli.output import AsJson, as_json

FIELDS = (
    ("", "request_no"), ("", "type"), ("", "state"), ("单位 partner", "partner"), ("等待 waits for", "waits"),
    ("期限 due", "due_at"), ("逾期 overdue", "overdue"), ("未送达 undelivered", "undelivered"),
    ("承办 handler", "handler"), ("团队 team", "team"), ("专项 campaign", "campaign"), ("包案领导 lead", "lead"),
    ("原因 reason", "reason"), ("提交 since", "created_at"),
)  # fmt: skip


@request_app.command("list")
def request_list(
    folder: Folder = DEFAULT_FOLDER,
    overdue: Annotated[bool, typer.Option("--overdue", help="只列逾期的 Only what is overdue")] = False,
    due_within: Annotated[
        str | None, typer.Option("--due-within", help="几日内到期，含已逾期 Due within so many days: 3d")
    ] = None,
    waits: Annotated[str | None, typer.Option("--waits", help="等谁 For whom it waits: us, partner, approval")] = None,
    partner: Annotated[str | None, typer.Option("--partner", help="对方单位 The other side")] = None,
    handler: Annotated[str | None, typer.Option("--handler", help="承办人编号 Staff number")] = None,
    team: Annotated[str | None, typer.Option("--team", help="办案团队 Team")] = None,
    campaign: Annotated[str | None, typer.Option("--campaign", help="专项行动 Campaign")] = None,
    lead: Annotated[str | None, typer.Option("--lead", help="包案领导编号 Staff number of the leader")] = None,
    type_: Annotated[str | None, typer.Option("--type", help="事项 Matter type")] = None,
    order: Annotated[
        str, typer.Option("--order", help="due 按期限（无期限的不列） by deadline; age 先提交者在前 the oldest first")
    ] = "due",
    after: Annotated[str | None, typer.Option("--after", help="上一页给出的游标 Cursor of the last page")] = None,
    limit: Limit = 50,
    json_out: AsJson = False,
) -> None:
    """未办结的请求：逾期、等谁、承办、团队 What is open: overdue, for whom it waits, whose it is."""
    told = ask(
        folder, "GET", "/requests", overdue="true" if overdue else None, due_within=due_within, waits=waits,
        partner=partner, handler=handler, team=team, campaign=campaign, lead=lead, type=type_, order=order,
        after=after, limit=limit,
    )  # fmt: skip
    if json_out:
        as_json(told)
        return
    found = [{name: value for name, value in row.items() if value is not False} for row in told["requests"]]
    rows(found, "未办结的请求 Open requests", FIELDS, json_out=False)
    if told["next"] is not None:
        say(f"还有更多 More: --after {told['next']}")
