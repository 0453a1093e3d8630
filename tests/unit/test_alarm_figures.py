"""What is seen and which conditions it shows, in which words, and when whom it is told (`gateway.core.alarms`)."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.core.alarms.conditions import CONDITIONS, RANK
from gateway.core.alarms.figures import Disk, Figures, Look, look
from gateway.core.alarms.standing import Alarm
from gateway.core.alarms.tellings import causes, note_of, tellings
from gateway.core.alarms.terms import AlarmTerms, Recipient
from gateway.core.signals.load import Load, PartnerLoad
from gateway.core.silence import Silence
from tools.docs.alerts import rules
from tools.docs.conditions import alerts_document

NOW = datetime(2026, 3, 24, 2, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
HOME, POLICE, GRID = "court-sn0114", "police-610114", "grid-610114"
QUIET = Load({}, {}, {}, {})
CALM = Figures(
    "host-a", HOME, QUIET, disks={"store": Disk(50 << 30, 100 << 30)}, certificates={}, backup=(NOW,),
    log_age=MINUTE, wire=(True, False),
)  # fmt: skip
TERMS = AlarmTerms(recipients=(Recipient("mail", "duty"), Recipient("mail", "chief", least="critical")))


def seen(**figures: Any) -> list[tuple[str, str]]:
    """(condition, subject) of what these figures show."""
    return [(one.condition.name, one.subject) for one in look(replace(CALM, **figures), TERMS, NOW).readings]


def silence(cause: Any = "no-consumer") -> Silence:
    return Silence(POLICE, cause, NOW - HOUR, NOW)


def load(**partner: Any) -> Load:
    return Load({POLICE: PartnerLoad(**partner)}, {}, {}, {})


BARE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "partner-no-consumer": ({"silences": [silence()]}, {}),
    "partner-not-delivered": ({"silences": [silence("not-delivered")]}, {}),
    "partner-not-answered": ({"silences": [silence("not-answered")]}, {}),
    "message-old": (
        {"load": load(undelivered=2, oldest_undelivered=NOW - HOUR)},
        {"load": load(undelivered=2, oldest_undelivered=NOW - HOUR + MINUTE)},
    ),
    "deadline-near": ({"load": load(due_soon=1)}, {"load": load(due_soon=0, overdue=9)}),
    "hit-unacknowledged": ({"hits": 1, "oldest_hit": NOW - 5 * MINUTE}, {"hits": 1, "oldest_hit": NOW - 4 * MINUTE}),
    "signature-failures": ({"signatures": {POLICE: 3}}, {"signatures": {POLICE: 2}}),
    "clock-doubted": ({"doubt": HOUR}, {}),
    "clock-apart": ({"clocks": {"broker": -61 * timedelta(seconds=1)}}, {"clocks": {"broker": MINUTE}}),
    "partner-clock": ({"partner_clocks": {POLICE: 2 * MINUTE}}, {"partner_clocks": {POLICE: -MINUTE}}),
    "key-ended": ({"keys": {(POLICE, "sig"): NOW - DAY}}, {}),
    "key-ends": ({"keys": {(POLICE, "sig"): NOW + 8 * DAY}}, {"keys": {(POLICE, "sig"): NOW + 30 * DAY}}),
    "certificate-ended": ({"certificates": {"broker-ca": NOW + 6 * DAY}}, {}),
    "certificate-ends": (
        {"certificates": {"broker-ca": NOW + 29 * DAY}},
        {"certificates": {"broker-ca": NOW + 30 * DAY}},
    ),
    "log-stopped": ({"log_age": 31 * MINUTE}, {"log_age": 30 * MINUTE}),
    "disk-full": ({"disks": {"store": Disk(255 << 20, 100 << 30)}}, {}),
    "disk-low": ({"disks": {"store": Disk(4 << 30, 100 << 30)}}, {"disks": {"store": Disk(5 << 30, 100 << 30)}}),
    "backlog-full": ({"backlog": 90, "backlog_limit": 100}, {}),
    "backlog-high": ({"backlog": 50, "backlog_limit": 100}, {"backlog": 49, "backlog_limit": 100}),
    "backup-stopped": ({"backup": (NOW - 8 * DAY,)}, {}),
    "backup-old": ({"backup": (None,)}, {"backup": (NOW - 2 * DAY + MINUTE,)}),
    "broker-away": ({"wire": (False, False)}, {}),
    "broker-blocked": ({"wire": (True, True)}, {}),
}
"""(figures that show it, figures just short of it)"""


def test_every_condition_is_shown_by_its_trouble() -> None:
    assert BARE.keys() == CONDITIONS.keys()
    assert seen() == []


@pytest.mark.parametrize("name", sorted(CONDITIONS))
def test_a_condition_is_shown_by_its_trouble_and_not_without(name: str) -> None:
    trouble, short = BARE[name]
    (found,) = look(replace(CALM, **trouble), TERMS, NOW).readings
    assert found.condition.name == name
    assert seen(**short) == []
    for text in causes(name, dict(found.facts)):
        assert text and "{" not in text


def test_of_one_partner_there_is_one_trouble_the_one_that_explains_the_others() -> None:
    waits = load(undelivered=100, oldest_undelivered=NOW - DAY)
    assert seen(silences=[silence()], load=waits) == [("partner-no-consumer", POLICE)]
    assert RANK["partner-no-consumer"] < RANK["message-old"]


def test_whom_an_operator_has_paused_may_wait() -> None:
    waits = load(undelivered=100, oldest_undelivered=NOW - DAY)
    assert seen(load=waits, held=frozenset({POLICE})) == []
    assert seen(load=waits, held=frozenset({GRID})) == [("message-old", POLICE)]


def test_our_own_deadlines_are_the_courts() -> None:
    assert seen(load=Load({}, {}, {"us": 2, "approval": 1}, {})) == [("deadline-near", HOME)]


def test_what_was_not_seen_is_not_judged() -> None:
    blind = replace(CALM, disks=None, certificates=None, backup=None, log_age=None, wire=None)
    found = look(blind, TERMS, NOW)
    assert found.readings == [] and {"disk", "backup", "certificate", "log", "broker"} & found.families == set()
    assert (found.scope("disk"), found.scope("partner")) == ("host-a", "")


@pytest.mark.parametrize(
    ("at", "due"),
    [("21:59", "21:59"), ("22:00", "07:00"), ("03:00", "07:00"), ("06:59", "07:00"), ("07:00", "07:00")],
)
def test_warnings_wait_for_the_end_of_quiet_hours(at: str, due: str) -> None:
    """In Shanghai, over midnight."""
    whose = Recipient("mail", "duty", quiet=(time(22), time(7)))
    now = datetime.fromisoformat(f"2026-03-24T{at}:00+08:00")
    found = whose.due("warning", now)
    assert f"{found.astimezone(now.tzinfo):%H:%M}" == due and timedelta(0) <= found - now <= 9 * HOUR
    assert whose.due("critical", now) == now


def test_quiet_hours_within_a_day() -> None:
    whose = Recipient("mail", "duty", quiet=(time(12), time(14)))
    noon = datetime.fromisoformat("2026-03-24T12:30:00+08:00")
    assert whose.due("warning", noon) - noon == timedelta(minutes=90)
    assert whose.due("warning", noon + 2 * HOUR) == noon + 2 * HOUR


def alarm(name: str, found: Look) -> Alarm:
    (reading,) = found.readings
    condition = CONDITIONS[name]
    key = (condition.family, reading.subject, found.scope(condition.family))
    return Alarm(*key, "a-1", name, condition.severity, NOW - HOUR, NOW, dict(reading.facts), opened_at=NOW)


@pytest.mark.parametrize("name", sorted(CONDITIONS))
def test_every_note_says_since_when_why_and_what_to_do(name: str) -> None:
    one = alarm(name, look(replace(CALM, **BARE[name][0]), TERMS, NOW))
    told = list(tellings("opened", one, TERMS, NOW))
    assert [t.recipient for t in told] == (["duty", "chief"] if one.severity == "critical" else ["duty"])
    note, page = note_of(told[0], TERMS), f"alerts.md#{name}"
    condition = CONDITIONS[name]
    for text in (condition.zh, condition.en, condition.do_zh, "2026-03-24 09:00", page, "a-1"):
        assert text in note.text
    assert note.note_id == "a-1-opened" and note.data["link"] == f"docs/handbook/{page}"
    over = note_of(next(tellings("closed", one, TERMS, NOW)), TERMS)
    assert "至 until 2026-03-24 10:00" in over.text and over.note_id == "a-1-closed" and "已恢复" in over.subject


def test_the_handbook_is_linked_where_it_is_published() -> None:
    one = alarm("backup-old", look(replace(CALM, backup=(None,)), TERMS, NOW))
    where = replace(TERMS, handbook="https://wiki.court.example/lianzhi/")
    (told,) = tellings("opened", one, where, NOW)
    assert note_of(told, where).data["link"] == "https://wiki.court.example/lianzhi/alerts.md#backup-old"


def test_the_handbook_has_a_section_for_each_and_links_to_pages_that_are_there() -> None:
    page = alerts_document()
    handbook = Path(__file__).parents[2] / "docs" / "handbook"
    assert re.findall(r"^### (\S+)$", page, re.MULTILINE) == list(CONDITIONS)
    assert all((handbook / one.page).is_file() for one in CONDITIONS.values())


def test_prometheus_tells_of_the_same_by_the_same_names() -> None:
    severities = {rule["labels"]["condition"]: rule["labels"]["severity"] for rule in rules()}
    assert {name: severities.get(name) for name in CONDITIONS} == {n: one.severity for n, one in CONDITIONS.items()}
