"""For whoever watches: `types`, `request`, `quarantine`. Codes and digests, never a payload."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from gateway.core.deadlines import day_of
from gateway.registry.config import DEFAULT_FOLDER, load_config
from gateway.registry.law_files import load_law
from lianzhi.cli.court import request_app
from lianzhi.cli.output import (
    FOUND_WRONG,
    AsJson,
    Folder,
    as_json,
    fail,
    listing,
    own_errors_told,
    problems,
    record,
    run,
)
from lianzhi.files import write_private
from schemas.catalogue import catalogue
from schemas.law.answer_terms import answer_term
from schemas.law.force import put_in_force

T = TypeVar("T")
MOST_ROWS = 10_000
quarantine_app = typer.Typer(help="隔离区 Quarantine", no_args_is_help=True)


def types(folder: Folder = DEFAULT_FOLDER, json_out: AsJson = False) -> None:
    """事项目录；期限为今日起算的 The catalogue; the deadline is that of what begins today."""
    with own_errors_told():
        put_in_force(load_law(folder))
    today = day_of(datetime.now(UTC))
    terms = {name: answer_term(matter, today) for name, matter in catalogue().items()}
    rows = [
        {
            "type": m.name,
            "name": m.zh,
            "shape": m.shape.value,
            "from": " ".join(sorted(m.senders)),
            "to": " ".join(sorted(m.receivers)),
            "request": m.request_class.value,
            "result": m.result_class.value,
            "deadline": f"{terms[m.name].amount} {terms[m.name].kind.value}",
        }
        for m in catalogue().values()
    ]
    listing(rows, "事项目录 Catalogue", json_out=json_out)


async def with_store(folder: Path, work: Callable[[Any], Awaitable[T]]) -> T:
    """A store for this one piece of work."""
    from gateway.store.store import open_store

    store = await open_store(load_config(folder).store_url)
    try:
        return await work(store)
    finally:
        await store.close()


@request_app.command("show")
def request_show(number: str, folder: Folder = DEFAULT_FOLDER, json_out: AsJson = False) -> None:
    """一件请求的路由信息、期限及所依本院规定 One request as routing sees it; its end, and the own rule that set it."""
    from gateway.application.queries.requests import deadline_of
    from gateway.core.turns import turn_of

    request = run(with_store(folder, lambda s: s.request(number)))
    if request is None:
        fail(f"{number}：没有这件请求 No such request.", FOUND_WRONG)
    shown = {
        name: getattr(request, name)
        for name in (
            "request_no", "type", "state", "reason", "asker", "asked", "case_no", "lane", "group_no", "related",
            "handler", "client", "created_at", "updated_at", "asker_seq", "asked_seq", "held",
        )
    } | {"turn_of": turn_of(request)} | deadline_of(request)  # fmt: skip
    if (own := request.facts.get("term")) is not None:
        shown |= {"term": f"{own['amount']} {own['kind']}", "term_source": own["source"]}
    if json_out:
        as_json(shown)
        return
    record(number, shown)


@request_app.command("trace")
def request_trace(number: str, folder: Folder = DEFAULT_FOLDER, json_out: AsJson = False) -> None:
    """一件请求的全部事件与报文 Every event and message of one request, in order."""
    events = run(with_store(folder, lambda s: s.timeline(number)))
    messages = run(with_store(folder, lambda s: s.messages(number)))
    if not events and not messages:
        fail(f"{number}：没有这件请求 No such request.", FOUND_WRONG)
    steps = [
        {
            "at": e.at, "kind": e.kind, "verb": e.verb, "state": e.state, "message": e.message_id, "detail": e.detail,
        }
        for e in events
    ]  # fmt: skip
    letters = [
        {
            "from": m.sender, "seqno": m.seqno, "verb": m.verb, "disposition": m.disposition, "id": m.id,
            "digest": m.digest, "time": m.time,
        }
        for m in messages
    ]  # fmt: skip
    if json_out:
        as_json({"events": steps, "messages": letters})
        return
    listing(steps, f"{number} 事件 Events", json_out=False)
    listing(letters, f"{number} 报文 Messages", json_out=False)


@quarantine_app.command("list")
def quarantine_list(
    folder: Folder = DEFAULT_FOLDER,
    owner: Annotated[str | None, typer.Option(help="只看某单位的队列 Of one participant's queue")] = None,
    limit: Annotated[int, typer.Option(help="条数上限 At most so many", min=1, max=MOST_ROWS)] = 100,
    json_out: AsJson = False,
) -> None:
    """被隔离的报文及原因 What was refused, and why."""
    rows = run(with_store(folder, lambda s: s.quarantine(owner=owner, limit=limit)))
    listing(
        [
            {
                "id": r.id, "at": r.at, "owner": r.owner, "reason": r.reason, "pointer": r.pointer, "rule": r.rule,
                "request": r.request_no, "message": r.message_id, "count": r.count, "sha256": r.body_sha256,
                "size": r.size, "detail_zh": r.detail_zh, "detail_en": r.detail_en,
            }
            for r in rows
        ],
        "隔离区 Quarantine",
        json_out=json_out,
    )  # fmt: skip


@quarantine_app.command("show")
def quarantine_show(
    number: Annotated[int, typer.Argument(min=1, max=2**63 - 1)],
    folder: Folder = DEFAULT_FOLDER,
    out: Annotated[Path | None, typer.Option(help="把原始字节写入文件 Write the bytes to a file")] = None,
    json_out: AsJson = False,
) -> None:
    """一件被隔离的报文；不显示内容，只可导出原始字节。 One of them; its content is not shown, only exported."""
    row = run(with_store(folder, lambda s: s.quarantine_row(number)))
    if row is None:
        fail(f"{number}：没有这一条 No such row.", FOUND_WRONG)
    names = (
        "id",
        "at",
        "owner",
        "queue",
        "user_id",
        "reason",
        "pointer",
        "rule",
        "detail_zh",
        "detail_en",
        "message_id",
        "request_no",
        "count",
        "body_sha256",
        "size",
    )
    shown = {name: getattr(row, name) for name in names} | {"kept": len(row.body)}
    if json_out:
        as_json(shown)
    else:
        record(f"隔离 Quarantine {number}", shown)
    cut = len(row.body) < row.size
    if cut:
        told = f"共 {row.size} 字节，只留存 {len(row.body)} 字节；摘要为全文的。"
        problems.print(f"{told} Of {row.size} bytes {len(row.body)} are kept; the digest is that of all of them.")
    if out is not None:
        write_private(out, row.body)
        problems.print(f"已写入 {len(row.body)} 字节 bytes written: {out}")
