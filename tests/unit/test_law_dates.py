"""Old law and new law: every table is asked for a day, and answers with the row of that day (`schemas.law.force`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from gateway.core.requests import questioning
from gateway.core.time.calendar import Calendar
from gateway.core.time.deadlines import ends_on
from schemas.catalogue import catalogue
from schemas.law.answer_terms import answer_term
from schemas.law.circles import circle
from schemas.law.ending_papers import ending_kinds, ending_paper, papers_to_end
from schemas.law.force import SHIPPED, Table, put_in_force, succession
from schemas.law.handlers import handler_roles
from schemas.law.lookouts import exit_notice_months, longest
from schemas.law.platform_items import platform_duty
from schemas.law.reading import LawFileError, read_law
from schemas.law.signatures import signed_by
from schemas.law.tables import TABLES
from schemas.law.terms import term
from schemas.law.visits import visit
from schemas.validation import parse_open
from tests.faults import changed, example, faults

NEW = date(2026, 6, 1)
OLD = NEW - timedelta(days=1)
ENDED = date(2026, 9, 1)
LIMIT = "sanction.consumption-limit.publish"
GRID = "grid.verify.request"
PERSON_HIT = "police.person-hit.alert"
FROM_OLD, FROM_NEW = "since = 2026-01-01\nuntil = 2026-06-01", "since = 2026-06-01"


@pytest.fixture(autouse=True)
def in_force() -> Iterator[None]:
    yield
    put_in_force(SHIPPED)


def rows(
    *members: str, dates: tuple[str, ...] = ("since = 2026-01-01\nuntil = 2026-06-01", "since = 2026-06-01")
) -> str:
    """One section for each of `members`, with the dates in their order."""
    source = 'source = "本院规定"'
    return "".join(f"[[entry]]\n{one}\n{source}\n{days}\n" for one, days in zip(members, dates, strict=True))


def roles_of(row: Any) -> tuple[str, ...]:
    return tuple(row.roles)


Question = Callable[[date], Any]
ASKED: dict[str, tuple[str, str, Question, Any, Any]] = {
    "terms": (
        'name = "fund-payout"\ndays = 24\nkind = "legal"',
        'name = "fund-payout"\ndays = 7\nkind = "legal"',
        lambda day: term("fund-payout", day).days, 24, 7,
    ),
    "answer-terms": (
        f'type = "{GRID}"\ndays = 2\nkind = "working"',
        f'type = "{GRID}"\ndays = 1\nkind = "working"',
        lambda day: answer_term(catalogue()[GRID], day).amount, 2, 1,
    ),
    "circles": (
        'sanction = "dishonest"\nroles = ["被执行人"]\nminors = false',
        'sanction = "dishonest"\nroles = ["被执行人", "实际控制人"]\nminors = false',
        lambda day: roles_of(circle("dishonest", day.isoformat())), ("被执行人",), ("被执行人", "实际控制人"),
    ),
    "signatures": (
        f'type = "{LIMIT}"\npeople = 2\nroles = ["president"]',
        f'type = "{LIMIT}"\npeople = 3\nroles = ["president"]',
        lambda day: signed_by(LIMIT, day.isoformat()).people, 2, 3,
    ),
    "handlers": (
        'type = "grid.*"\nroles = ["clerk"]',
        'type = "grid.*"\nroles = ["judge"]',
        lambda day: roles_of(handler_roles(GRID, day)), ("clerk",), ("judge",),
    ),
    "lookouts": (
        'name = "hold"\nmost = 12\nunit = "hours"',
        'name = "hold"\nmost = 6\nunit = "hours"',
        lambda day: longest("hold", day), 12, 6,
    ),
    "visits": (
        'type = "grid.*"\nphone_required = false',
        'type = "grid.*"\nphone_required = true',
        lambda day: getattr(visit(GRID, day), "phone_required", None), False, True,
    ),
    "platform-items": (
        'type = "entrust.matter.request"\nduty = "warn"',
        'type = "entrust.matter.request"\nduty = "required"',
        lambda day: platform_duty("entrust.matter.request", day), "warn", "required",
    ),
    "ending-papers": (
        'action = "seal"\npaper = "old-paper"\nzh = "旧"\nen = "old"',
        'action = "seal"\npaper = "new-paper"\nzh = "新"\nen = "new"',
        lambda day: (papers_to_end("seal", day), {"old-paper", "new-paper"} & ending_kinds(day)),
        ({"old-paper": 1}, {"old-paper"}), ({"new-paper": 1}, {"new-paper"}),
    ),
}  # fmt: skip


def test_every_dated_table_is_asked_here() -> None:
    assert ASKED.keys() == {table.name for table in TABLES if table.dated}


@pytest.mark.parametrize("name", ASKED)
def test_the_day_before_goes_by_the_old_row_and_the_day_by_the_new(name: str) -> None:
    earlier, later, asked, old, new = ASKED[name]
    put_in_force(read_law({f"{name}.toml": rows(earlier, later)}))
    assert (asked(OLD), asked(NEW)) == (old, new)
    put_in_force(read_law({f"{name}.toml": rows(later, earlier, dates=(FROM_NEW, FROM_OLD))}))
    assert (asked(OLD), asked(NEW)) == (old, new), "whatever the order in the file"


@pytest.mark.parametrize("name", ASKED)
def test_before_the_first_and_after_the_last_the_shipped_row_counts(name: str) -> None:
    _, later, asked, _, new = ASKED[name]
    shipped = [asked(day) for day in (date(2000, 1, 1), OLD, NEW, ENDED)]
    put_in_force(read_law({f"{name}.toml": rows(later, dates=("since = 2026-06-01\nuntil = 2026-09-01",))}))
    assert [asked(day) for day in (date(2000, 1, 1), OLD)] == shipped[:2]
    assert asked(NEW) == asked(ENDED - timedelta(days=1)) == new != shipped[2]
    assert asked(ENDED) == shipped[3]


def test_what_no_shipped_row_backs_counts_only_while_it_holds() -> None:
    text = rows('type = "police.vehicle-info.query"', dates=("since = 2026-06-01\nuntil = 2026-09-01",))
    put_in_force(read_law({"visits.toml": text}))
    assert [visit("police.vehicle-info.query", day) is not None for day in (OLD, NEW, ENDED)] == [False, True, False]


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize(
    ("dates", "zh", "en"),
    [
        (("since = 2026-01-01", "since = 2026-06-01"), "日期重叠；该行须写 until = 2026-06-01", "Overlaps the row"),
        (("since = 2026-01-01\nuntil = 2026-06-02", "since = 2026-06-01"), "日期重叠", "Overlaps the row"),
        (
            ("since = 2026-01-01\nuntil = 2026-05-31", "since = 2026-06-01"),
            "有空缺；该行须写 until = 2026-06-01",
            "gap",
        ),
    ],
)
def test_overlaps_and_gaps_are_refused_by_file_line_and_word(
    name: str, dates: tuple[str, ...], zh: str, en: str
) -> None:
    earlier, later, *_ = ASKED[name]
    text = rows(earlier, later, dates=dates)
    line = text.splitlines().index("since = 2026-06-01") + 1
    with pytest.raises(LawFileError) as caught:
        read_law({f"{name}.toml": text})
    [told] = caught.value.faults
    assert told.startswith(f"law/{name}.toml:{line} since：与 ") and zh in told and en in told


def test_three_rows_follow_each_other_and_two_keys_have_their_own_dates() -> None:
    hold, detention = 'name = "hold"\nmost = {}\nunit = "hours"', 'name = "detention"\nmost = 10\nunit = "days"'
    dates = ("until = 2026-03-01\nsince = 2026-01-01", "since = 2026-03-01\nuntil = 2026-06-01", "since = 2026-06-01")
    text = rows(*(hold.format(n) for n in (20, 16, 12)), detention, dates=(*dates, "since = 2026-02-01"))
    put_in_force(read_law({"lookouts.toml": text}))
    days = (date(2025, 12, 31), date(2026, 2, 28), date(2026, 3, 1), OLD, NEW)
    assert [longest("hold", day) for day in days] == [24, 20, 16, 16, 12]
    assert [longest("detention", day) for day in days] == [15, 10, 10, 10, 10]


def test_every_row_of_a_key_is_judged_not_the_last_alone() -> None:
    wrong, right = ('name = "hold"\nmost = 6\nunit = "days"', 'name = "hold"\nmost = 6\nunit = "hours"')
    with pytest.raises(LawFileError, match="unit 须为 hours"):
        read_law({"lookouts.toml": rows(wrong, right)})


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_shipped_rows_of_one_key_follow_each_other(table: Table[Any]) -> None:
    by_key: dict[str, list[Any]] = {}
    for row in table.shipped:
        by_key.setdefault(table.key_of(row), []).append(row)
    assert [found for one in by_key.values() for found in succession(one)] == []


# --- the day that each rule takes -------------------------------------------------------------------------------------


def test_a_payment_is_counted_by_the_rule_of_its_first_day() -> None:
    earlier, later, *_ = ASKED["terms"]
    put_in_force(read_law({"terms.toml": rows(earlier, later)}))
    assert ends_on("fund-payout", OLD.isoformat(), Calendar(())) == OLD + timedelta(days=24)
    assert ends_on("fund-payout", NEW.isoformat(), Calendar(())) == NEW + timedelta(days=7)


def test_a_limit_on_consumption_is_judged_by_the_day_of_its_publication() -> None:
    narrow = 'sanction = "consumption-limit"\nroles = ["法定代表人"]\nminors = false'
    put_in_force(read_law({"circles.toml": rows(narrow, dates=(FROM_NEW,))}))
    matter = catalogue()[LIMIT]
    parse_open(matter, changed(example(LIMIT), "/publish_on", OLD.isoformat()))
    late = changed(example(LIMIT), "/publish_on", NEW.isoformat())
    assert faults(lambda: parse_open(matter, late)) == [("/payload/debtor/role", "role-outside")]


def test_who_signs_is_judged_by_the_day_of_the_publication() -> None:
    earlier, later, *_ = ASKED["signatures"]
    put_in_force(read_law({"signatures.toml": rows(earlier, later)}))
    matter = catalogue()[LIMIT]
    payloads = [parse_open(matter, changed(example(LIMIT), "/publish_on", day.isoformat())) for day in (OLD, NEW)]
    assert [matter.approvals(payload).people for payload in payloads] == [2, 3]


def test_a_hold_is_judged_by_the_day_of_the_hit_in_shanghai() -> None:
    put_in_force(read_law({"lookouts.toml": rows('name = "hold"\nmost = 6\nunit = "hours"', dates=(FROM_NEW,))}))
    matter = catalogue()[PERSON_HIT]

    def hit(at: str, until: str) -> dict[str, Any]:
        return {**example(PERSON_HIT), "hit_at": at, "held": True, "hold_until": until}

    parse_open(matter, hit("2026-05-31T23:30:00+08:00", "2026-06-01T09:30:00+08:00"))
    late = hit("2026-05-31T16:00:00+00:00", "2026-06-01T09:30:00+08:00")
    assert faults(lambda: parse_open(matter, late)) == [("/payload/hold_until", "hold-too-long")]


def test_a_questioning_is_judged_by_the_day_of_the_handover_in_shanghai() -> None:
    put_in_force(read_law({"lookouts.toml": rows('name = "questioning"\nmost = 4\nunit = "hours"', dates=(FROM_NEW,))}))
    for at, hours in ((datetime(2026, 5, 31, 15, 59, tzinfo=UTC), 8), (datetime(2026, 5, 31, 16, tzinfo=UTC), 4)):
        fact = questioning.begun("compelled-appearance", at)
        assert fact is not None and datetime.fromisoformat(fact["until"]) == at + timedelta(hours=hours)


def test_a_border_notice_is_judged_by_its_first_day() -> None:
    text = rows('name = "exit-notice-county"\nmost = 6\nunit = "months"', dates=(FROM_NEW,))
    put_in_force(read_law({"lookouts.toml": text}))
    assert [exit_notice_months("county", day) for day in (OLD, NEW)] == [3, 6]


def test_an_ending_is_judged_by_the_day_on_which_it_is_asked_for() -> None:
    earlier, later, *_ = ASKED["ending-papers"]
    limit = [one.replace('"seal"', '"consumption-limit"') for one in (earlier, later)]
    put_in_force(read_law({"ending-papers.toml": rows(*limit)}))
    matter = catalogue()["sanction.consumption-limit.lift"]
    payload = parse_open(matter, dict(matter.example_request))
    assert [matter.papers(payload, day) for day in (OLD, NEW)] == [{"old-paper": 1}, {"new-paper": 1}]
    assert [row.zh for day in (OLD, NEW) if (row := ending_paper("consumption-limit", day))] == ["旧", "新"]
