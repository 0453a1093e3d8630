"""Records for store tests, every column filled unless a test says otherwise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.core.alarms.standing import Alarm, State
from gateway.core.alarms.tellings import Telling
from gateway.core.records import (
    Changes,
    DocumentRow,
    EarlyMessage,
    Event,
    Held,
    IdempotencyRow,
    Measure,
    MeasureStep,
    Message,
    OutboxRow,
    Page,
    QuarantineRow,
    Request,
    Submission,
    Timer,
)
from gateway.store import SqlStore

NOW = datetime(2026, 3, 24, 1, 2, 3, 456789, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
COURT, POLICE, GRID = "court-sn0114", "police-610114", "grid-610114"


def number(n: int, opener: str = COURT) -> str:
    return f"{opener}-20260324-{n:06d}"


def request(n: int = 1, **other: Any) -> Request:
    values: dict[str, Any] = {
        "request_no": number(n),
        "type": "police.vehicle-info.query",
        "version": 1,
        "shape": "ask",
        "state": "approved",
        "asker": COURT,
        "asked": POLICE,
        "created_at": NOW,
        "updated_at": NOW,
        "case_no": "（2026）陕0114执123号",
        "lane": "urgent",
        "group_no": "g-1",
        "related": number(900_000),
        "handler": "sn0114-0007",
        "client": "cms",
        "submission_id": f"submission-{n}",
        "reply_key": f"{COURT}.enc.cms",
        "reason": "doc-missing",
        "asker_seq": 3,
        "asked_seq": 2,
        "held": 1,
        "refs": ["k7m2p9qa"],
        "marks": {"open": [f"message-{n}", "digest"]},
        "facts": {"resume": "accepted", "flags": ["late"]},
    }
    return Request(**(values | other))


def message(n: int = 1, **other: Any) -> Message:
    values: dict[str, Any] = {
        "sender": COURT,
        "id": f"message-{n}",
        "request_no": number(n),
        "receiver": POLICE,
        "verb": "open",
        "seqno": 1,
        "digest": f"digest-{n}",
        "jws": f"head.body{n}.signature",
        "disclosure": f"disclosure{n}",
        "disposition": "sent",
        "time": NOW - MINUTE,
        "stored_at": NOW,
        "answer_id": "answer",
    }
    return Message(**(values | other))


def outbox(n: int = 1, **other: Any) -> OutboxRow:
    values: dict[str, Any] = {
        "sender": COURT,
        "message_id": f"message-{n}",
        "receiver": POLICE,
        "request_no": number(n),
        "seqno": 1,
        "verb": "open",
        "routing_key": f"{POLICE}.urgent.police.vehicle-info.query.open",
    }
    return OutboxRow(**(values | other))


def submission(n: int = 1, **other: Any) -> Submission:
    values: dict[str, Any] = {
        "sender": COURT,
        "id": f"submission-{n}",
        "digest": "digest",
        "content_type": "application/sd-jwt",
        "body": b"\x00the court's own bytes\xff",
        "client": "cms",
        "request_no": number(n),
        "at": NOW,
    }
    return Submission(**(values | other))


def event(n: int = 1, **other: Any) -> Event:
    values: dict[str, Any] = {
        "at": NOW,
        "audience": COURT,
        "kind": "state",
        "request_no": number(n),
        "group_no": "g-1",
        "case_no": "（2026）陕0114执123号",
        "type": "police.vehicle-info.query",
        "verb": "result",
        "state": "completed",
        "message_id": f"message-{n}",
        "digest": "digest",
        "head": {"outcome": "done", "refs": ["k7m2p9qa"]},
        "detail": "implied",
    }
    return Event(**(values | other))


def measure(n: int = 1, **other: Any) -> Measure:
    values: dict[str, Any] = {
        "measure_no": f"{number(n)}-1",
        "request_no": number(n),
        "type": "police.vehicle-seal.request",
        "action": "seal",
        "case_no": "（2026）陕0114执123号",
        "object_key": f"object-{n}",
        "ref": "k7m2p9qa",
        "state": "active",
        "asked": POLICE,
        "control_no": f"control-{n}",
        "rank": 1,
        "start_on": "2026-03-24",
        "end_on": "2028-03-23",
        "ended_by": number(900_001),
        "amount": "128000.00",
    }
    return Measure(**(values | other))


def step(n: int = 1, **other: Any) -> MeasureStep:
    values: dict[str, Any] = {
        "measure_no": f"{number(n)}-1",
        "at": NOW,
        "state": "lapsed",
        "end_on": "2028-03-23",
        "by": number(n),
        "cause": "renewal-not-asked",
    }
    return MeasureStep(**(values | other))


def page(n: int = 1, level: str = "A", **other: Any) -> Page:
    values: dict[str, Any] = {
        "page_id": f"page-{n}-{level}",
        "alert": number(n),
        "participant": COURT,
        "level": level,
        "person": "sn0114-0007",
        "channel": "webhook",
        "raised_at": NOW - MINUTE,
        "at": NOW,
        "due_at": NOW,
    }
    return Page(**(values | other))


def early(n: int = 1, **other: Any) -> EarlyMessage:
    values: dict[str, Any] = {
        "owner": POLICE,
        "body_sha256": f"sha256-{n}",
        "queue": f"lianzhi.from.{POLICE}",
        "body": b"x" * 40,
        "user_id": POLICE,
        "content_type": "application/sd-jwt",
        "request_no": number(n),
        "time": NOW + 10 * MINUTE,
        "at": NOW,
        "size": 40,
    }
    return EarlyMessage(**(values | other))


def held(n: int = 2, **other: Any) -> Held:
    values: dict[str, Any] = {
        "sender": POLICE,
        "request_no": number(1),
        "seqno": n,
        "message_id": f"message-{n}",
        "verb": "progress",
        "digest": f"digest-{n}",
        "body_sha256": f"sha256-{n}",
        "size": 33,
    }
    return Held(**(values | other))


def refused(**other: Any) -> QuarantineRow:
    values: dict[str, Any] = {
        "owner": POLICE,
        "queue": f"lianzhi.from.{POLICE}",
        "body": b"\xff\x00not a message",
        "body_sha256": "sha256-1",
        "reason": "bad-signature",
        "at": NOW,
        "pointer": "/data/head",
        "user_id": POLICE,
        "message_id": "message-1",
        "request_no": number(1),
        "size": 1 << 40,
        "rule": "resident-id-checksum",
        "detail_zh": "身份证号校验位不符，请核对",
        "detail_en": "Check digit does not match",
    }
    return QuarantineRow(**(values | other))


def remembered(key: str = "key-1", **other: Any) -> IdempotencyRow:
    values: dict[str, Any] = {
        "client": "cms",
        "key": key,
        "fingerprint": "f" * 64,
        "status": 202,
        "response": {"request_no": number(1), "说明": "已受理"},
        "location": f"/v1/requests/{number(1)}",
        "at": NOW,
        "request_no": number(1),
    }
    return IdempotencyRow(**(values | other))


def document(sha256: str = "sha256-1") -> DocumentRow:
    return DocumentRow(sha256, 12_345_678_901, "application/pdf", COURT, NOW)


def timer(n: int = 1, kind: str = "redeliver", **other: Any) -> Timer:
    values: dict[str, Any] = {"request_no": number(n), "kind": kind, "due_at": NOW, "count": 2}
    return Timer(**(values | other))


async def write(store: SqlStore, changes: Changes) -> None:
    """One unit of work."""
    async with store.begin() as unit:
        await unit.apply(changes)


def sendable(*numbers: int, **row: Any) -> Changes:
    """Requests whose `open` waits in the outbox."""
    return Changes(
        new_requests=[request(n) for n in numbers],
        messages=[message(n) for n in numbers],
        outbox=[outbox(n, **row) for n in numbers],
    )


def alarm(n: int) -> Alarm:
    return Alarm("disk", f"place-{n}", "host-a", f"alarm-{n}", "disk-low", "warning", NOW, NOW, {"mib": n})


def telling(n: int, *, state: State = "opened", recipient: str = "duty", due: datetime = NOW) -> Telling:
    """Of the alarm of that number."""
    known = alarm(n)
    return Telling(
        *(known.alarm_id, state, "mail", recipient, known.condition, known.severity),
        *(known.subject, known.scope, known.facts, NOW, NOW, due),
    )
