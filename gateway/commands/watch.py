"""For whoever watches: `types`, `request`. Codes and digests, never a payload."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from gateway.core.requests.state_words import with_word
from gateway.core.time.deadlines import day_of
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
    record,
    run,
)
from schemas.catalogue import catalogue
from schemas.law.answer_terms import answer_term
from schemas.law.force import put_in_force

T = TypeVar("T")
_HEADINGS = {
    "at": "时间 at", "kind": "事件 kind", "verb": "动作 verb", "state": "状态 state", "message": "报文 message",
    "detail": "说明 detail", "from": "来自 from", "seqno": "序号 seqno", "disposition": "处置 disposition",
    "id": "编号 id", "digest": "摘要 digest", "time": "时间 time",
}  # fmt: skip
"""For people; `--json` has the English words alone."""


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
    from gateway.core.requests.turns import turn_of

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
    record(number, shown | {"state": with_word(request.state)})


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
    told = [{_HEADINGS.get(n, n): with_word(v) if n == "state" else v for n, v in one.items()} for one in steps]
    sent = [{_HEADINGS.get(n, n): v for n, v in one.items()} for one in letters]
    listing(told, f"{number} 事件 Events", json_out=False)
    listing(sent, f"{number} 报文 Messages", json_out=False)
