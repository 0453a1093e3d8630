"""The calls of the operators' door, by method and path (docs/handbook/operators.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from gateway.application.ports.lists import OpenFilter
from gateway.application.queries.open_requests import OpenRequests
from gateway.application.recovery.rebuild_request import Beside
from gateway.core.operating.operators import Operator
from gateway.core.operating.plans import MOST
from gateway.http.inputs import OPEN_NAMES, OperatorsRequestsQuery, parse
from gateway.http.operating.door import Call, Door, body_of
from lianzhi.crypto import base64url
from lianzhi.errors import RejectedError
from lianzhi.problem import FieldError

PREFIX = "/operate/v1"
LONGEST_LIST = 10_000
ROW_IDS = 2**63 - 1


async def who(request: web.Request, door: Door, by: Operator) -> Any:
    return {"user": by.user, "name": by.name, "role": by.role}


async def list_quarantine(request: web.Request, door: Door, by: Operator) -> Any:
    whole = request.query.get("all") == "1"
    return await door.quarantine.list(request.query.get("owner"), limit_of(request), whole=whole)


async def show_quarantine(request: web.Request, door: Door, by: Operator) -> Any:
    return await door.quarantine.show(number_of(request))


async def close_quarantine(request: web.Request, door: Door, by: Operator) -> Any:
    body = await body_of(request, door, "why")
    return await door.quarantine.close(by, number_of(request), body.get("why"))


async def retry_quarantine(request: web.Request, door: Door, by: Operator) -> Any:
    await body_of(request, door)
    return await door.quarantine.retry(by, number_of(request))


async def list_dead(request: web.Request, door: Door, by: Operator) -> Any:
    return await door.replays.dead(request.query.get("partner"), limit_of(request))


async def list_plans(request: web.Request, door: Door, by: Operator) -> Any:
    return await door.replays.plans(limit_of(request))


async def show_plan(request: web.Request, door: Door, by: Operator) -> Any:
    return await door.replays.plan_of(number_of(request))


async def make_plan(request: web.Request, door: Door, by: Operator) -> Any:
    body = await body_of(request, door, "partner", "requests", "limit", "why")
    partner, numbers, limit = body.get("partner"), body.get("requests") or [], body.get("limit", MOST)
    if partner is not None and not isinstance(partner, str):
        raise wrong("/partner", "code", "须为单位编号", "The code of a participant")
    if not isinstance(numbers, list) or not all(isinstance(number, str) for number in numbers):
        raise wrong("/requests", "list", "须为请求编号的列表", "A list of request numbers")
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= MOST:
        raise wrong("/limit", "limit", f"须为 1 至 {MOST}", f"1 to {MOST}")
    return await door.replays.plan(by, partner, numbers, limit, body.get("why"))


async def replay(request: web.Request, door: Door, by: Operator) -> Any:
    digest = (await body_of(request, door, "digest")).get("digest")
    if digest is not None and not isinstance(digest, str):
        raise wrong("/digest", "digest", "须为文本", "A text")
    return await door.replays.replay(by, number_of(request), digest)


async def replay_step(request: web.Request, door: Door, by: Operator) -> Any:
    await body_of(request, door)
    return await door.replays.step(by, number_of(request))


async def cancel_plan(request: web.Request, door: Door, by: Operator) -> Any:
    await body_of(request, door)
    return await door.replays.cancel(by, number_of(request))


async def list_pauses(request: web.Request, door: Door, by: Operator) -> Any:
    return await door.pauses.list()


async def pause(request: web.Request, door: Door, by: Operator) -> Any:
    body = await body_of(request, door, "scope", "name", "why")
    return await door.pauses.pause(by, body.get("scope"), body.get("name", ""), body.get("why"))


async def resume(request: web.Request, door: Door, by: Operator) -> Any:
    body = await body_of(request, door, "scope", "name", "why")
    return await door.pauses.resume(by, body.get("scope"), body.get("name", ""), body.get("why"))


async def read_drain(request: web.Request, door: Door, by: Operator) -> Any:
    return await door.draining.state()


async def drain(request: web.Request, door: Door, by: Operator) -> Any:
    await body_of(request, door)
    return await door.draining.drain(by)


async def undo_drain(request: web.Request, door: Door, by: Operator) -> Any:
    await body_of(request, door)
    return await door.draining.undo(by)


async def resend(request: web.Request, door: Door, by: Operator) -> Any:
    body = await body_of(request, door, "message", "why")
    message = body.get("message")
    if message is not None and not isinstance(message, str):
        raise wrong("/message", "message-id", "须为报文编号", "The id of a message")
    return await door.resending.resend(by, request.match_info["number"], message, body.get("why"))


async def list_incidents(request: web.Request, door: Door, by: Operator) -> Any:
    return await door.incidents.list(before_of(request), limit_of(request))


async def show_incident(request: web.Request, door: Door, by: Operator) -> Any:
    return await door.incidents.show(number_of(request))


async def note_incident(request: web.Request, door: Door, by: Operator) -> Any:
    body = await body_of(request, door, "text")
    return await door.incidents.note(by, number_of(request), body.get("text"))


async def own_incident(request: web.Request, door: Door, by: Operator) -> Any:
    await body_of(request, door)
    return await door.incidents.own(by, number_of(request))


async def list_alerts(request: web.Request, door: Door, by: Operator) -> Any:
    return await door.alerts.list()


async def test_alerts(request: web.Request, door: Door, by: Operator) -> Any:
    await body_of(request, door)
    return await door.alerts.test(by)


async def tested_alerts(request: web.Request, door: Door, by: Operator) -> Any:
    return await door.alerts.tested(request.match_info["number"])


async def list_requests(request: web.Request, door: Door, by: Operator) -> Any:
    asked = parse(OperatorsRequestsQuery, request.query)
    named = {name: getattr(asked, name) for name in OPEN_NAMES}
    due_by = asked.due_by(door.context.clock.now())
    where = OpenFilter(door.context.home.code, **named, due_by=due_by, order=asked.order, limit=asked.limit)
    return await OpenRequests(door.context).list(where, asked.after)


async def list_partners(request: web.Request, door: Door, by: Operator) -> Any:
    return await door.partners.list()


async def settle_doubt(request: web.Request, door: Door, by: Operator) -> Any:
    body = await body_of(request, door, "client", "key", "state")
    client, key = body.get("client"), body.get("key")
    if not isinstance(client, str) or not isinstance(key, str):
        raise wrong("/client", "doubt", "须写明 client 和 key", "client and key are texts")
    return await door.restores.settle(by, client, key, body.get("state"))


async def end_doubts(request: web.Request, door: Door, by: Operator) -> Any:
    await body_of(request, door)
    return await door.restores.end_doubts(by)


async def drop_forgotten(request: web.Request, door: Door, by: Operator) -> Any:
    await body_of(request, door)
    return await door.restores.drop(by, request.match_info["number"])


async def take_up_forgotten(request: web.Request, door: Door, by: Operator) -> Any:
    """submission: what the court system signed, base64url."""
    body = await body_of(request, door, "submission", "without_measures", most=2 * door.context.limits.message_bytes)
    text, without = body.get("submission"), body.get("without_measures", False)
    if not isinstance(without, bool):
        raise wrong("/without_measures", "bool", "须为 true 或 false", "true or false")
    try:
        submission = None if text is None else base64url.decode(text)
    except (ValueError, TypeError):
        raise wrong("/submission", "base64url", "须为 base64url", "base64url") from None
    return await door.restores.take_up(by, request.match_info["number"], Beside(submission, without))


async def list_acts(request: web.Request, door: Door, by: Operator) -> Any:
    acts = await door.context.store.operating.acts(
        about=request.query.get("about"), before=before_of(request), limit=limit_of(request)
    )
    return [
        {
            "id": act.id, "at": act.at.isoformat(), "user": act.user, "name": act.name, "role": act.role,
            "act": act.act, "about": act.about, "why": act.why, "result": act.result,
        }
        for act in acts
    ]  # fmt: skip


ROUTES: Mapping[tuple[str, str], Call] = {
    (method, PREFIX + path): call
    for method, path, call in (
        ("GET", "/who", who),
        ("GET", "/quarantine", list_quarantine),
        ("GET", "/quarantine/{id}", show_quarantine),
        ("POST", "/quarantine/{id}/close", close_quarantine),
        ("POST", "/quarantine/{id}/retry", retry_quarantine),
        ("GET", "/dead", list_dead),
        ("GET", "/plans", list_plans),
        ("POST", "/plans", make_plan),
        ("GET", "/plans/{id}", show_plan),
        ("POST", "/plans/{id}/replay", replay),
        ("POST", "/plans/{id}/step", replay_step),
        ("POST", "/plans/{id}/cancel", cancel_plan),
        ("GET", "/pauses", list_pauses),
        ("POST", "/pauses", pause),
        ("POST", "/pauses/end", resume),
        ("GET", "/drain", read_drain),
        ("POST", "/drain", drain),
        ("POST", "/drain/end", undo_drain),
        ("POST", "/requests/{number}/resend", resend),
        ("GET", "/incidents", list_incidents),
        ("GET", "/incidents/{id}", show_incident),
        ("POST", "/incidents/{id}/notes", note_incident),
        ("POST", "/incidents/{id}/owner", own_incident),
        ("GET", "/alerts", list_alerts),
        ("POST", "/alerts/tests", test_alerts),
        ("GET", "/alerts/tests/{number}", tested_alerts),
        ("GET", "/requests", list_requests),
        ("GET", "/partners", list_partners),
        ("POST", "/doubts", settle_doubt),
        ("POST", "/doubts/end", end_doubts),
        ("POST", "/forgotten/{number}/drop", drop_forgotten),
        ("POST", "/forgotten/{number}/take-up", take_up_forgotten),
        ("GET", "/acts", list_acts),
    )
}


def number_of(request: web.Request) -> int:
    """Raises RejectedError not-found: no number that a row could have."""
    text = request.match_info["id"]
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and 1 <= int(text) <= ROW_IDS):
        raise RejectedError("not-found")
    return int(text)


def limit_of(request: web.Request) -> int:
    """Of a list, by default 100. Raises RejectedError invalid-field."""
    return _figure(request, "limit", 100, LONGEST_LIST)


def before_of(request: web.Request) -> int | None:
    """The id below which a list goes on."""
    return _figure(request, "before", 0, ROW_IDS) or None


def _figure(request: web.Request, name: str, default: int, most: int) -> int:
    text = request.query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and 1 <= int(text) <= most):
        raise wrong(f"/{name}", name, f"须为 1 至 {most}", f"1 to {most}")
    return int(text)


def wrong(pointer: str, rule: str, zh: str, en: str) -> RejectedError:
    return RejectedError("invalid-field", [FieldError(pointer=pointer, rule=rule, detail=zh, detail_en=en)])
