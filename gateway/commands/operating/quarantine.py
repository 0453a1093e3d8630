"""`lianzhi quarantine`: what was refused; close it with a reason, or take it through intake again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.commands.operating.client import NotRunningError, ask, asked
from gateway.commands.operating.options import Folder, Why
from gateway.commands.operating.printing import local, one, rows, say
from gateway.commands.watch import with_store
from gateway.registry.config import DEFAULT_FOLDER
from lianzhi.cli.output import FOUND_WRONG, AsJson, as_json, fail, problems, run
from lianzhi.files import write_private

MOST_ROWS = 10_000
quarantine_app = typer.Typer(help="隔离区 Quarantine", no_args_is_help=True)
Number = Annotated[int, typer.Argument(min=1, max=2**63 - 1, help="隔离编号 Its number")]
FIELDS = (
    ("", "id"), ("", "at"), ("", "owner"), ("", "reason"), ("位置 at", "pointer"), ("规则 rule", "rule"),
    ("请求 request", "request"), ("次数 count", "count"), ("字节 bytes", "size"), ("摘要 sha256", "sha256"),
)  # fmt: skip
WHOLE = (
    ("编号 id", "id"), ("时间 at", "at"), ("单位 owner", "owner"), ("队列 queue", "queue"),
    ("登录用户 user_id", "user_id"), ("原因 reason", "reason"), ("位置 pointer", "pointer"), ("规则 rule", "rule"),
    ("说明 detail", "detail_zh"), ("detail", "detail_en"),
    ("报文 message", "message_id"), ("请求 request", "request_no"),
    ("次数 count", "count"), ("摘要 sha256", "body_sha256"), ("字节 bytes", "size"), ("留存 kept", "kept"),
    ("未处理 open", "open"),
)  # fmt: skip


@quarantine_app.command("list")
def quarantine_list(
    folder: Folder = DEFAULT_FOLDER,
    owner: Annotated[str | None, typer.Option(help="只看某单位的队列 Of one participant's queue")] = None,
    limit: Annotated[int, typer.Option(help="条数上限 At most so many", min=1, max=MOST_ROWS)] = 100,
    whole: Annotated[bool, typer.Option("--all", help="连同已处理的 With what is dealt with")] = False,
    json_out: AsJson = False,
) -> None:
    """被隔离而未处理的报文及原因 What was refused and why, and is not dealt with."""
    try:
        found = asked(folder, "GET", "/quarantine", owner=owner, limit=limit, all="1" if whole else None)
    except NotRunningError:
        found = run(with_store(folder, lambda store: _stored(store, owner, limit, whole)))
    rows(found, "隔离区 Quarantine", FIELDS, json_out=json_out)


async def _stored(store: Any, owner: str | None, limit: int, whole: bool) -> list[dict[str, Any]]:
    """The same, of an installation whose gateway does not run, for whoever may read its database."""
    from gateway.application.operating.quarantine_acts import Listed, row_of

    listed = await store.operating.quarantine(owner=owner, whole=whole, limit=limit)
    return [row_of(Listed(row, end)) for row, end in listed]


@quarantine_app.command("show")
def quarantine_show(
    number: Number,
    folder: Folder = DEFAULT_FOLDER,
    out: Annotated[
        Path | None,
        typer.Option(help="把原始字节写入文件，须能读取数据库 Write the bytes to a file; reads the database"),
    ] = None,
    json_out: AsJson = False,
) -> None:
    """一件被隔离的报文；不显示内容，只可导出原始字节。 One of them; its content is not shown, only exported."""
    try:
        found = asked(folder, "GET", f"/quarantine/{number}")
    except NotRunningError:
        found = run(with_store(folder, lambda store: _one_stored(store, number)))
    if found is None:
        fail(f"{number}：没有这一条 No such row.", FOUND_WRONG)
    one(found, WHOLE, json_out=json_out)
    if (ended := found["ended"]) and not json_out:
        say(f"{ended['how']}  {local(ended['at'])}  {ended['user']}  {ended['name']}  {ended['why']}")
    if found["kept"] < found["size"]:
        told = f"共 {found['size']} 字节，只留存 {found['kept']} 字节；摘要为全文的。"
        problems.print(f"{told} Of {found['size']} bytes {found['kept']} are kept; the digest is that of all of them.")
    if out is not None:
        body = run(with_store(folder, lambda store: store.quarantine_row(number))).body
        write_private(out, body)
        problems.print(f"已写入 {len(body)} 字节 bytes written: {out}", markup=False)


async def _one_stored(store: Any, number: int) -> dict[str, Any] | None:
    from gateway.application.operating.quarantine_acts import Listed, whole_row_of

    row = await store.quarantine_row(number)
    return None if row is None else whole_row_of(Listed(row, await store.operating.quarantine_end(number)))


@quarantine_app.command("close")
def quarantine_close(number: Number, why: Why, folder: Folder = DEFAULT_FOLDER, json_out: AsJson = False) -> None:
    """不再处理，写明理由 Dealt with, and why."""
    told = ask(folder, "POST", f"/quarantine/{number}/close", {"why": why})
    if json_out:
        as_json(told)
        return
    _say(told, f"已关闭 Closed: {number}")


@quarantine_app.command("retry")
def quarantine_retry(number: Number, folder: Folder = DEFAULT_FOLDER, json_out: AsJson = False) -> None:
    """密钥、时钟或程序改好后，把留存的报文再收一次 Take it through intake again, after what was wrong is mended."""
    told = ask(folder, "POST", f"/quarantine/{number}/retry")
    refused = told.get("result") == "refused"
    if json_out:
        as_json(told)
    elif refused:
        say(f"仍被拒 Refused again: {told['reason']}  {told['reason_zh']}  {told['reason_en']}")
    else:
        waits = told.get("result") == "waits"
        _say(told, f"已收下，等其时间到 Taken; it waits for its time: {number}" if waits else f"已收下 Taken: {number}")
    if refused:
        raise typer.Exit(FOUND_WRONG)


def _say(told: dict[str, Any], done: str) -> None:
    if told["changed"]:
        say(done)
        return
    who = f"{told['name']}（{told['user']}）"
    say(f"此前已由 {who} 处理 Dealt with before: {told['how']}  {local(told['at'])}  {told['why']}")
