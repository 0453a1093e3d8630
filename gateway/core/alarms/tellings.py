"""What is told of an alarm, to whom, in which words. Pure; codes, counts and times only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from gateway.core.alarms.conditions import CONDITIONS, Severity
from gateway.core.alarms.standing import Alarm, State
from gateway.core.alarms.terms import AlarmTerms, Way
from gateway.core.time.calendar import SHANGHAI

PAGE = "alerts.md"
GIVEN_UP = timedelta(hours=24)
"""What did not go out for so long is not sent any more."""
WORDS: dict[State, tuple[str, str]] = {
    "opened": ("告警", "ALERT"),
    "raised": ("告警升级", "ALERT, NOW CRITICAL"),
    "closed": ("已恢复", "ALL CLEAR"),
    "test": ("测试", "TEST"),
}
SEVERITIES: dict[Severity, tuple[str, str]] = {"warning": ("一般", "warning"), "critical": ("严重", "critical")}
SCHEMA = "lianzhi.alert"


@dataclass(slots=True)
class Telling:
    """One alarm's state, to be told to one recipient; unique (alarm_id, state, way, recipient).

    due_at: nobody sends it before: quiet hours, a back-off, another's lease. outcome: waiting; sent; superseded (what
    came later says it too); dropped (the configuration does not name the recipient any more); failed (given up).
    closed_at: of the alarm, None while it stands. error: of the last attempt.
    """

    alarm_id: str
    state: State
    way: Way
    recipient: str
    condition: str
    severity: Severity
    subject: str
    scope: str
    facts: dict[str, int | str]
    seen_at: datetime
    at: datetime
    due_at: datetime
    closed_at: datetime | None = None
    attempts: int = 0
    outcome: Literal["waiting", "sent", "superseded", "dropped", "failed"] = "waiting"
    error: str | None = None
    ended_at: datetime | None = None
    id: int | None = None

    @property
    def note_id(self) -> str:
        """The same at each attempt and for each recipient, so that whoever has had it can drop it."""
        return f"{self.alarm_id}-{self.state}"


@dataclass(frozen=True, slots=True)
class Note:
    """A telling in words. data: for a program."""

    note_id: str
    severity: Severity
    subject: str
    text: str
    data: dict[str, object]


def tellings(state: State, alarm: Alarm, terms: AlarmTerms, now: datetime) -> Iterator[Telling]:
    """To everybody whom it is severe enough for."""
    for recipient in terms.recipients:
        if recipient.wants(alarm.severity) or state == "test":
            due = now if state == "test" else recipient.due(alarm.severity, now)
            yield Telling(
                *(alarm.alarm_id, state, recipient.way, recipient.name, alarm.condition, alarm.severity),
                *(alarm.subject, alarm.scope, alarm.facts, alarm.seen_at, now, due),
                closed_at=now if state == "closed" else None,
            )


def note_of(telling: Telling, terms: AlarmTerms) -> Note:
    """Chinese first."""
    state_zh, state_en = WORDS[telling.state]
    if telling.state == "test":
        zh, en = "联执告警测试，请勿处置", "A test of Lianzhi's alerts: nothing is wrong"
        lines: Sequence[str] = (f"{zh}。", f"{en}.", "")
    else:
        condition = CONDITIONS[telling.condition]
        zh, en = condition.zh, condition.en
        lines = list(_lines(telling, terms))
    whose = " ".join(filter(None, (telling.subject, telling.scope and f"@{telling.scope}")))
    return Note(
        telling.note_id,
        telling.severity,
        f"【联执{state_zh}】{' '.join(filter(None, (zh, whose)))} {state_en}: {en}",
        "\n".join(lines),
        {
            "alert_id": telling.alarm_id,
            "state": telling.state,
            "condition": telling.condition,
            "severity": telling.severity,
            "subject": telling.subject,
            "host": telling.scope,
            "since": _moment(telling.seen_at),
            "ended": None if telling.closed_at is None else _moment(telling.closed_at),
            "facts": dict(telling.facts),
            "title": zh,
            "title_en": en,
            "link": link(telling.condition, terms),
        },
    )


def causes(condition: str, facts: dict[str, int | str]) -> tuple[str, str]:
    """Why, in Chinese and English."""
    one = CONDITIONS[condition]
    return one.why_zh.format_map(facts), one.why_en.format_map(facts)


def link(condition: str, terms: AlarmTerms) -> str:
    """Where the handbook says what to do."""
    return f"{terms.handbook.rstrip('/') or 'docs/handbook'}/{PAGE}#{condition}"


def _lines(telling: Telling, terms: AlarmTerms) -> Iterator[str]:
    condition = CONDITIONS[telling.condition]
    zh, en = causes(telling.condition, telling.facts)
    severity = SEVERITIES[telling.severity]
    yield f"{condition.zh}（{severity[0]}）：{' '.join(filter(None, (telling.subject, telling.scope)))}"
    yield f"{condition.en} ({severity[1]})"
    yield f"自 since {_local(telling.seen_at)}"
    if telling.closed_at is not None:
        yield f"至 until {_local(telling.closed_at)}"
        yield f"当时 then: {zh}。 {en}."
    else:
        yield f"原因 cause: {zh}。 {en}."
        yield f"办 do: {condition.do_zh}。 {condition.do_en}."
    yield f"手册 handbook: {link(telling.condition, terms)}"
    yield f"编号 alert: {telling.alarm_id}"
    yield ""
    yield "lianzhi alerts list · lianzhi incident list"
    yield ""


def _local(at: datetime) -> str:
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
