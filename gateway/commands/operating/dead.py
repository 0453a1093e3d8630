"""`lianzhi dead`: messages of ours that no queue has; one person plans to send them again, another one does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.commands.operating.client import ask
from gateway.commands.operating.options import Folder, Limit, Why
from gateway.commands.operating.printing import one, rows, say
from gateway.commands.operating.progress import Progress, interrupts
from gateway.core.operating.plans import MOST, SHORTEST
from gateway.registry.config import DEFAULT_FOLDER
from lianzhi.cli.output import FOUND_WRONG, AsJson, as_json, problems

dead_app = typer.Typer(help="死信与搁置报文 Messages that no queue has", no_args_is_help=True)
Partner = Annotated[str | None, typer.Option("--partner", help="只看某单位 Of one participant")]
Number = Annotated[int, typer.Argument(min=1, max=2**63 - 1, help="计划编号 Number of the plan")]
FIELDS = (
    ("", "at"), ("", "receiver"), ("", "state"), ("", "verb"), ("", "request_no"), ("请求 request", "request_state"),
    ("原因 reason", "reason"), ("报文 message", "message_id"),
)  # fmt: skip
PLAN_FIELDS = (
    ("计划 plan", "plan"), ("状态 state", "state"), ("报文 messages", "messages"), ("拟定 at", "at"),
    ("拟定人 by", "user"), ("姓名 name", "name"), ("批准 begun", "begun_at"), ("批准人 approved by", "begun_by"),
    ("批准人姓名 name", "begun_name"), ("已发 sent", "sent_again"), ("略过 passed over", "passed_over"),
    ("余 left", "left"), ("了结 ended", "ended_at"), ("了结人 ended by", "ended_by"),
    ("了结人姓名 name", "ended_name"), ("摘要 digest", "digest"),
)  # fmt: skip


@dead_app.command("list")
def dead_list(
    folder: Folder = DEFAULT_FOLDER, partner: Partner = None, limit: Limit = 100, json_out: AsJson = False
) -> None:
    """没有送到、也不会自行再发的报文 What did not arrive and does not go again by itself; oldest first."""
    found = ask(folder, "GET", "/dead", partner=partner, limit=limit)
    rows(found, "死信与搁置 Dead and parked", FIELDS, json_out=json_out)


@dead_app.command("plan")
def dead_plan(
    why: Why,
    folder: Folder = DEFAULT_FOLDER,
    partner: Partner = None,
    request: Annotated[
        list[str] | None, typer.Option("--request", help="只重发这些请求的 Of these requests only")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=MOST, help="条数上限 At most so many")] = MOST,
    json_out: AsJson = False,
) -> None:
    """拟定重发计划，由另一名操作人执行 Plan to send them again; another listed person carries the plan out."""
    wanted = {"partner": partner, "requests": request, "limit": limit, "why": why}
    told = ask(folder, "POST", "/plans", wanted)
    if json_out:
        as_json(told)
        return
    rows(told["items"], "将重发 Would go again", FIELDS, json_out=False)
    say(f"计划 Plan {told['plan']}，摘要 digest {told['digest'][:SHORTEST]}")
    say("由另一名操作人执行 Another listed person carries it out:")
    say(f"  lianzhi dead replay {told['plan']} --digest {told['digest'][:SHORTEST]}")


@dead_app.command("plans")
def dead_plans(folder: Folder = DEFAULT_FOLDER, limit: Limit = 20, json_out: AsJson = False) -> None:
    """已拟定的计划，新者在前 Plans, newest first."""
    rows(ask(folder, "GET", "/plans", limit=limit), "重发计划 Plans", PLAN_FIELDS, json_out=json_out)


@dead_app.command("show")
def dead_show(plan: Number, folder: Folder = DEFAULT_FOLDER, json_out: AsJson = False) -> None:
    """一个计划及其中的报文 One plan, and its messages."""
    told = ask(folder, "GET", f"/plans/{plan}")
    one(told, PLAN_FIELDS, json_out=json_out)
    if not json_out:
        rows(told["items"], "报文 Messages", (*FIELDS, ("结果 outcome", "outcome")), json_out=False)


@dead_app.command("replay")
def dead_replay(
    plan: Number,
    folder: Folder = DEFAULT_FOLDER,
    digest: Annotated[
        str | None, typer.Option("--digest", help="计划的摘要，至少前 12 位 The plan's digest, its first 12 at least")
    ] = None,
    json_out: AsJson = False,
) -> None:
    """批准并执行他人拟定的计划；Ctrl-C 停止 Approve and carry out a plan that somebody else made; Ctrl-C stops it."""
    told: dict[str, Any] = ask(folder, "POST", f"/plans/{plan}/replay", {"digest": digest})
    if told["state"] == "running":
        told = _carried_out(folder, told)
    if json_out:
        as_json(told)
    elif told["changed"]:
        _say_what_went(told)
    else:
        say(f"此前已执行 Carried out before: {told['ended_by']}  {told['ended_name']}")
    if told["left"] or (told["changed"] and told["passed_over"]):
        raise typer.Exit(FOUND_WRONG)


@dead_app.command("cancel")
def dead_cancel(plan: Number, folder: Folder = DEFAULT_FOLDER, json_out: AsJson = False) -> None:
    """停止一个计划：余下的不再发出 Stop a plan: what is left of it does not go."""
    told: dict[str, Any] = ask(folder, "POST", f"/plans/{plan}/cancel")
    if json_out:
        as_json(told)
    elif told["changed"]:
        _say_what_went(told)
    else:
        say(f"此前已了结 Over before: {told['state']}  {told['ended_by']}  {told['ended_name']}")


def _carried_out(folder: Path, begun: dict[str, Any]) -> dict[str, Any]:
    """Message by message, until the last one, until somebody cancels the plan, or Ctrl-C does."""
    number, told, progress = begun["plan"], begun, Progress(begun["messages"])
    try:
        with interrupts() as interrupted:
            while told["state"] == "running" and not interrupted():
                told = ask(folder, "POST", f"/plans/{number}/step")
                progress(told)
            if told["state"] == "running":
                told = ask(folder, "POST", f"/plans/{number}/cancel")
    except typer.Exit:  # `ask` has said why
        problems.paragraph(
            f"中断于 {told['messages'] - told['left']}/{told['messages']}，余下的没有发出。查看 lianzhi dead show"
            f" {number}，继续 lianzhi dead replay {number}。 Interrupted; the rest has not gone: look, and go on."
        )
        raise
    finally:
        progress.end()
    return {**told, "changed": True}


def _say_what_went(told: dict[str, Any]) -> None:
    sent, passed_over, left = told["sent_again"], told["passed_over"], told["left"]
    say(f"已重发 {sent} 件，编号不变 Sent again under the same ids: {sent}")
    if passed_over:
        say(f"略过 {passed_over} 件，拟定后已有变化 Passed over, changed since: {passed_over}")
    if told["state"] == "cancelled":
        say(f"由 {told['ended_name']} 停止，{left} 件没有发出 Stopped by {told['ended_by']}; did not go: {left}")
