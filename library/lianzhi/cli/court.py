"""For a court system at a terminal: `submit`, `request approve`, `case show|release|reassign`."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from uuid_utils.compat import uuid7

from lianzhi.cli.output import MISUSE, AsJson, as_json, console, fail, listing, must_be_there, run

if TYPE_CHECKING:
    from lianzhi.client import CourtClient
    from lianzhi.client.answers import Accepted

T = TypeVar("T")
_CLIENT = Path("client.toml")
Config = Annotated[Path, typer.Option(help="客户端配置 client.toml", envvar="LIANZHI_CLIENT")]
By = Annotated[str, typer.Option("--by", help="人员编号 Staff number")]
case_app = typer.Typer(help="案件 Cases", no_args_is_help=True)
request_app = typer.Typer(help="请求 Requests", no_args_is_help=True)


def submit(
    file: Annotated[Path, typer.Argument(help="请求内容 JSON The submission's body")],
    config: Config = _CLIENT,
    receiver: Annotated[str | None, typer.Option(help="接收单位 Receiver")] = None,
    sign: Annotated[bool | None, typer.Option("--sign/--no-sign", help="签名 Sign; by default with a key")] = None,
    json_out: AsJson = False,
) -> None:
    """提交一件新请求；应答之前以同样的字节重试 Submit one new request; retried until answered.

    再执行一次是另一件 Run again, it is another request.
    """
    body = json.loads(file.read_text(encoding="utf-8"))
    accepted, before = _with_client(config, lambda client: _submitted(client, body, receiver, sign))
    if json_out:
        as_json(accepted.model_dump(mode="json", exclude_none=True))
        return
    console.print(f"已受理 Accepted: {' '.join(accepted.request_nos)}")
    if before is not None:
        text = (
            "! 同样的内容提交过，这次是新的一件；不要的请撤回 The same was submitted before, and this is a new request:"
        )
        console.paragraph(f"{text} {' '.join(before.request_nos)}", later="  ", style="yellow")
    for number, reason in accepted.blocked:
        console.print(f"! {number}：暂未送出 blocked: {reason}", style="yellow")
    for told in accepted.warnings:
        text = f"! {told.pointer}  {told.detail}  {told.detail_en}  ({told.rule})"
        console.paragraph(text, later="  ", style="yellow")


@request_app.command("approve")
def request_approve(
    number: Annotated[str, typer.Argument(help="请求编号 Request number")],
    by: By,
    role: Annotated[str, typer.Option(help="职务 Role, such as bureau-chief, president")],
    reject: Annotated[bool, typer.Option("--reject", help="不同意 Reject")] = False,
    review: Annotated[bool, typer.Option("--review", help="事后复核 Review of what was sent first")] = False,
    reason: Annotated[str | None, typer.Option(help="理由 Reason")] = None,
    config: Config = _CLIENT,
    json_out: AsJson = False,
) -> None:
    """审批一件等待的请求 Approve, reject or review one request."""
    decision, kind = "reject" if reject else "approve", "review" if review else "approval"
    decided = _with_client(
        config, lambda c: c.approve(number, by=by, role=role, decision=decision, reason=reason, kind=kind)
    )
    if json_out:
        as_json(decided.model_dump(exclude_none=True))
        return
    missing = f"，还缺 missing {', '.join(decided.missing)}" if decided.missing else ""
    console.print(f"{number}：{decided.state}{missing}")


@case_app.command("show")
def case_show(
    case_no: Annotated[str, typer.Argument(help="案号 Case number")],
    config: Config = _CLIENT,
    json_out: AsJson = False,
) -> None:
    """一案的债务与实际控制金额、在办请求、在用措施和解除情况 Debt and sums in fact, requests, measures, releases."""
    case = _with_client(config, lambda c: c.case(case_no))
    if json_out:
        as_json(case.model_dump(exclude_none=True))
        return
    requests = [
        {"request": r.request_no, "type": r.type, "at": r.asked, "state": r.state, "waits for": r.waits_for}
        for r in case.open_requests
    ]
    measures = [
        {
            "measure": m.measure_no,
            "action": m.action,
            "state": "ending" if m.ending is not None else m.state,
            "number": m.control_no or m.receipt_no,
            "in fact": m.appraised or m.seized,
            "asked": m.amount,
            "end": m.end_on,
        }
        for m in case.measures
    ]
    if case.debt is not None:
        owed = case.debt.debt or "–"
        console.print(f"债务 Debt {owed}，实际控制 in fact {case.debt.in_fact}，申请未复 asked {case.debt.asked}")
    releases = [
        {"release": r.release_no, "reason": r.reason, "done": r.done, "waiting": " ".join(r.waiting_for)}
        for r in case.releases
    ]
    listing(requests, "在办请求 Open requests", json_out=False)
    listing(measures, "在用措施 Measures", json_out=False)
    listing(releases, "解除 Releases", json_out=False)


@case_app.command("release")
def case_release(
    case_no: Annotated[str, typer.Argument(help="案号 Case number")],
    by: By,
    reason: Annotated[str, typer.Option(help="paid | settled | ended | revoked")],
    keep: Annotated[
        list[str] | None, typer.Option("--keep", help="保留项 编号=理由 What stays: NUMBER=WHY; repeat")
    ] = None,
    documents: Annotated[
        Path | None, typer.Option(help="解除文书 JSON 数组 Papers for the endings, a JSON array")
    ] = None,
    config: Config = _CLIENT,
    json_out: AsJson = False,
) -> None:
    """被执行人已履行：撤回并解除全案 The debtor has paid: withdraw and end everything of the case."""
    kept = dict(_pair(text) for text in keep or ())
    papers = json.loads(documents.read_text(encoding="utf-8")) if documents else []
    released = _with_client(
        config, lambda c: c.release(case_no, by=by, reason=reason, exceptions=kept, documents=papers)
    )
    if json_out:
        as_json(released.model_dump(exclude_none=True))
        return
    rows = [
        {
            "what": i.kind,
            "request": i.request_no,
            "measure": i.measure_no,
            "why": i.reason,
            "paper": i.ended_with.zh if i.ended_with is not None else None,
        }
        for i in released.items
    ]
    listing(rows, f"案件解除 Release {released.release_no}", json_out=False)


@case_app.command("reassign")
def case_reassign(
    case_no: Annotated[str, typer.Argument(help="原案号 Case number until now")],
    by: By,
    mode: Annotated[str, typer.Option(help="order | raise | concentrate | in-court-team")],
    new_case_no: Annotated[str | None, typer.Option(help="现案号 New case number")] = None,
    to_court: Annotated[str | None, typer.Option(help="现执行法院代字 Code of the other court")] = None,
    handler: Annotated[str | None, typer.Option(help="本院承办人 Our handler from now on")] = None,
    legal_basis: Annotated[str, typer.Option(help="法律依据 Legal basis")] = "CPL-253",
    config: Config = _CLIENT,
    json_out: AsJson = False,
) -> None:
    """交叉执行：变更案号和承办人并通知各单位 Re-point a case and tell each partner."""
    members = {"new_case_no": new_case_no, "to_court": to_court, "handler": handler, "legal_basis": [legal_basis]}
    moved = _with_client(config, lambda c: c.reassign(case_no, by=by, mode=mode, **members))
    if json_out:
        as_json(moved.model_dump(exclude_none=True))
        return
    console.print(f"{moved.case_no}：{len(moved.requests)} 件请求 requests, {len(moved.measures)} 项措施 measures")
    listing([n.model_dump() for n in moved.notices], f"通知 Notices {moved.group_no or ''}", json_out=False)


async def _submitted(
    client: CourtClient, body: Any, receiver: str | None, sign: bool | None
) -> tuple[Accepted, Accepted | None]:
    """What the gateway answered, and what it had answered to the same content."""
    key = str(uuid7())
    accepted = await client.submit(body, receiver=receiver, sign=sign, key=key)
    return accepted, await client.submitted_before(key)


def _pair(text: str) -> tuple[str, str]:
    number, equals, why = text.partition("=")
    if not (number and equals and why):
        fail(f"--keep {text}：须为 编号=理由 must be NUMBER=WHY", MISUSE)
    return number, why


def _with_client(config: Path, work: Callable[[Any], Awaitable[T]]) -> T:
    from lianzhi.client import ClientConfig, CourtClient

    must_be_there(config)

    async def whole() -> T:
        async with CourtClient.from_config(ClientConfig.load(config)) as client:
            return await work(client)

    return run(whole())
