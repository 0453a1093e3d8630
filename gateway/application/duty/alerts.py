"""`lianzhi alerts`: what stands since when, who was told of it; and a test that is told to everybody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway.application.context import Context, new_id
from gateway.application.operating.acts import Act, record, refused
from gateway.application.unit_of_work import UnitOfWork
from gateway.core.alarms.conditions import CONDITIONS
from gateway.core.alarms.standing import Alarm
from gateway.core.alarms.tellings import Telling, causes, link, tellings
from gateway.core.alarms.terms import AlarmTerms
from gateway.core.operating.operators import Operator
from gateway.core.records import Changes

TEST = "alerts-test"


class Alerts:
    """For operators; nothing here begins or ends an alarm."""

    def __init__(self, context: Context) -> None:
        self._ctx = context

    async def list(self) -> list[dict[str, Any]]:
        """What was told and is not over, the worst and oldest first. told: to whom, and whether it has arrived."""
        standing = [alarm for alarm in await self._ctx.store.alarms.standing() if alarm.opened_at is not None]
        told = await self._ctx.store.alarms.told([alarm.alarm_id for alarm in standing])
        standing.sort(key=lambda alarm: (alarm.severity != "critical", alarm.seen_at))
        return [
            _shown(alarm, [one for one in told if one.alarm_id == alarm.alarm_id], self._ctx.settings.alarms)
            for alarm in standing
        ]

    async def test(self, by: Operator) -> dict[str, Any]:
        """Tells everybody that this is a test. Raises RejectedError: nobody is configured, or may not."""
        by.require("act")
        terms, now, number = self._ctx.settings.alarms, self._ctx.clock.now(), new_id()
        if not terms.recipients:
            raise refused(
                "not-found", "no-recipients",
                "没有收件人：在 lianzhi.toml 写入 [alerts.mail.名称] 或 [alerts.webhook.名称]",
                "Nobody is told: write [alerts.mail.NAME] or [alerts.webhook.NAME] into lianzhi.toml",
            )  # fmt: skip
        alarm = Alarm("test", "", "", number, "test", "warning", now, now, {})
        async with self._ctx.store.begin() as tx:
            unit = UnitOfWork(self._ctx, tx, Changes(), now)
            await tx.alarms.tell(list(tellings("test", alarm, terms, now)))
            await record(unit, Act(by, TEST, f"alert:{number}"), "asked")
            await tx.apply(unit.changes)
        return await self.tested(number)

    async def tested(self, number: str) -> dict[str, Any]:
        """What became of a test. Raises RejectedError not-found."""
        told = [one for one in await self._ctx.store.alarms.told([number]) if one.state == "test"]
        if not told:
            raise refused("not-found", "no-such-test", "没有这次测试", "There is no such test")
        return {"alert": number, "told": [_told(one) for one in told]}


def _shown(alarm: Alarm, told: Sequence[Telling], terms: AlarmTerms) -> dict[str, Any]:
    condition = CONDITIONS[alarm.condition]
    zh, en = causes(alarm.condition, alarm.facts)
    return {
        "alert": alarm.alarm_id,
        "condition": alarm.condition,
        "severity": alarm.severity,
        "subject": alarm.subject or None,
        "host": alarm.scope or None,
        "title": condition.zh,
        "title_en": condition.en,
        "cause": zh,
        "cause_en": en,
        "since": alarm.seen_at.isoformat(),
        "opened": None if alarm.opened_at is None else alarm.opened_at.isoformat(),
        "fading": None if alarm.clear_at is None else alarm.clear_at.isoformat(),
        "link": link(alarm.condition, terms),
        "told": [_told(one) for one in told],
    }


def _told(one: Telling) -> dict[str, Any]:
    return {
        "way": one.way,
        "recipient": one.recipient,
        "state": one.state,
        "outcome": one.outcome,
        "attempts": one.attempts,
        "error": one.error,
        "due": one.due_at.isoformat(),
        "ended": None if one.ended_at is None else one.ended_at.isoformat(),
    }
