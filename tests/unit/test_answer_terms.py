"""Terms of a court's own (`law/answer-terms.toml`): what is taken, what is refused, and what only may be shortened."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from gateway.commands.law import law_app
from gateway.commands.watch import types
from gateway.core.settings import Terms
from gateway.core.time.calendar import Calendar, Year
from gateway.core.time.deadlines import due
from gateway.registry.calendars import shipped as published
from schemas.catalogue import Deadline, DeadlineKind, catalogue
from schemas.law.answer_terms import ANSWER_TERMS, CONVENTION, STATED, answer_term, longest, own_term, shipped
from schemas.law.force import SHIPPED, put_in_force
from schemas.law.reading import LawFileError, read_law
from schemas.legal import legal_text
from tools.docs.forms import forms_document
from tools.pages.clocks import clocks_document

TYPES = sorted(catalogue())
FIXED = {
    "bankruptcy.transfer.submit": "FAFA-2017-2-13",
    "entrust.disposal-right.request": "FASHI-2016-6-2",
    "petition.supervise.assign": "FA-2021-227",
    "procuratorate.suggestion.issue": "FAFA-2016-30-13",
    "refusal.lead.transfer": "FAFA-2025-8-5",
    "sanction.consumption-limit.lift": "FAFA-2019-35",
    "sanction.dishonest.correct": "FASHI-2017-7-12",
    "sanction.dishonest.withdraw": "FASHI-2017-7-10",
    "trial.clarify.request": "FAFA-2018-9-15",
}
"""What a text fixes (docs/domain.md, [S] and [H])."""
STATES_ITS_OWN = {"entrust.matter.request"}
LOCATE, LEAD, GRID = "police.vehicle-locate.request", "refusal.lead.transfer", "grid.verify.request"
FORMS = {
    DeadlineKind.WORKING_DAYS: ("working", "days"),
    DeadlineKind.LEGAL_DAYS: ("legal", "days"),
    DeadlineKind.LEGAL_MONTHS: ("legal", "months"),
    DeadlineKind.CLOCK_HOURS: ("clock-hours", "hours"),
}
FILE = "answer-terms.toml"
SOURCE = "省高院、公安厅联动协议第八条"


def row(matter: str, term: str = "days = 3", kind: str = "working", since: str = "2026-01-01", more: str = "") -> str:
    return (
        f'[[entry]]\ntype = "{matter}"\n{term}\nkind = "{kind}"\nsource = "{SOURCE}"\nsince = {since}\n{more}'
    )  # fmt: skip


def rule(matter: str, deadline: Deadline) -> str:
    kind, unit = FORMS[deadline.kind]
    return row(matter, f"{unit} = {deadline.amount}", kind)


def faults(text: str) -> list[str]:
    with pytest.raises(LawFileError) as caught:
        read_law({FILE: text})
    return caught.value.faults


@pytest.fixture
def in_force() -> Iterator[None]:
    yield
    put_in_force(SHIPPED)


def test_which_terms_a_text_fixes() -> None:
    fixed = {name: matter.fixed_by.basis for name, matter in catalogue().items() if matter.fixed_by}
    assert fixed == FIXED
    assert {name for name, matter in catalogue().items() if matter.states_term} == STATES_ITS_OWN


@pytest.mark.parametrize("name", TYPES)
def test_the_shipped_row_is_the_catalogues_term_with_its_source(name: str) -> None:
    found = SHIPPED.of(ANSWER_TERMS)[name]
    assert (found.deadline, found) == (catalogue()[name].deadline, shipped(catalogue()[name]))
    basis = FIXED.get(name)
    assert found.source == (
        STATED if name in STATES_ITS_OWN else f"{legal_text(basis)} ({basis})" if basis else CONVENTION
    )


@pytest.mark.parametrize("name", TYPES)
def test_shorter_and_longer(in_force: None, name: str) -> None:
    """Shorter or as long is taken for every type; longer only where no text fixes the term."""
    of = catalogue()[name].deadline
    day = date(2026, 3, 24)
    for amount in {max(1, of.amount - 1), of.amount, of.amount + 1}:
        own = Deadline(of.kind, amount)
        if name in STATES_ITS_OWN:
            [fault] = faults(rule(name, own))
            assert f"law/{FILE}:2 type：{name} 的期限由每件请求写明" in fault and "states its own term" in fault
        elif name in FIXED and amount > of.amount:
            [fault] = faults(rule(name, own))
            unit = FORMS[of.kind][1]
            for told in (f"law/{FILE}:3 {unit}：", legal_text(FIXED[name]), FIXED[name], of.zh, of.en, "只可缩短"):
                assert told in fault
            assert f"{unit} (kind {FORMS[of.kind][0]}) 不超过 {of.amount}" in fault and "may only shorten" in fault
        else:
            put_in_force(read_law({FILE: rule(name, own)}))
            assert answer_term(catalogue()[name], day) == own


@pytest.mark.parametrize("name", sorted(FIXED))
@pytest.mark.parametrize("kind", DeadlineKind)
def test_in_each_kind_what_may_be_later_is_refused(name: str, kind: DeadlineKind) -> None:
    most = longest(catalogue()[name].deadline).get(kind, 0)
    if most:
        [taken] = read_law({FILE: rule(name, Deadline(kind, most))}).own(ANSWER_TERMS)
        assert taken.deadline == Deadline(kind, most)
    [fault] = faults(rule(name, Deadline(kind, most + 1)))
    assert FIXED[name] in fault


def break_from(first: date, days: int, worked: set[int]) -> Calendar:
    """One year with a break of its own; worked: how many days before it a weekend is worked."""
    off = (first + timedelta(days=n) for n in range(days))
    on = (first - timedelta(days=n) for n in worked)
    rest = frozenset(day for day in off if day.weekday() < 5 and day.year == first.year)
    work = frozenset(day for day in on if day.weekday() >= 5 and day.year == first.year)
    return Calendar([Year(first.year, "x", first, rest, work)])


@settings(max_examples=300)
@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)),
    st.builds(
        Deadline,
        st.sampled_from([DeadlineKind.LEGAL_DAYS, DeadlineKind.WORKING_DAYS, DeadlineKind.CLOCK_HOURS]),
        st.integers(1, 45),
    )
    | st.builds(Deadline, st.just(DeadlineKind.LEGAL_MONTHS), st.integers(1, 6)),
    st.none() | st.tuples(st.integers(0, 20), st.integers(0, 20), st.sets(st.integers(1, 15), max_size=3)),
)
def test_what_may_be_set_instead_never_ends_later(
    start: datetime, fixed: Deadline, off: tuple[int, int, set[int]] | None
) -> None:
    """On the published calendars, and whatever break comes soon after the beginning."""
    calendar = published()
    if off is not None:
        days_before, days, worked = off
        calendar = break_from(start.date() + timedelta(days=days_before), days, worked)
    for kind, most in longest(fixed).items():
        assert due(Deadline(kind, most), start, calendar).at <= due(fixed, start, calendar).at, kind


def test_working_days_across_a_long_holiday_outlast_a_legal_term() -> None:
    """Why none of them may take its place: 5 working days from the eve of the Spring Festival of 2026."""
    eve = datetime(2026, 2, 13, 2, tzinfo=UTC)
    working, legal = (Deadline(kind, 5) for kind in (DeadlineKind.WORKING_DAYS, DeadlineKind.LEGAL_DAYS))
    assert due(working, eve, published()).on > due(legal, eve, published()).on


@pytest.mark.parametrize(
    ("day", "days"),
    [("2026-03-31", 5), ("2026-04-01", 3), ("2026-06-30", 3), ("2026-07-01", 5)],
)
def test_a_rule_counts_for_what_begins_while_it_holds(in_force: None, day: str, days: int) -> None:
    put_in_force(read_law({FILE: row(LOCATE, since="2026-04-01", more="until = 2026-07-01\n")}))
    found = answer_term(catalogue()[LOCATE], date.fromisoformat(day))
    assert found == Deadline(DeadlineKind.WORKING_DAYS, days)
    assert (own_term(LOCATE, date.fromisoformat(day)) is not None) is (days == 3)
    assert own_term(GRID, date.fromisoformat(day)) is None


@pytest.mark.parametrize(
    ("text", "zh", "en"),
    [
        (row(LOCATE[:-1]), f"2 type：没有事项 {LOCATE[:-1]}，相近的有 {LOCATE}", f"near: {LOCATE}"),
        (row("x"), "2 type：没有事项 x；全部见 lianzhi types", "No matter type x; all of them"),
        (row("grid.*"), "2 type：没有事项 grid.*", "No matter type grid.*"),
        (row(LOCATE, kind="calendar"), "4 kind：不是可选的值，可选：'working', 'legal' or 'clock-hours'", "Not one of"),
        (row(LOCATE, "days = 0"), "3 days：不小于 1", "Not less than 1"),
        (row(LOCATE, "days = true"), "3 days：应为整数", "Must be an integer"),
        (row(LOCATE, "days = 3.0"), "3 days：应为整数", "Must be an integer"),
        (row(LOCATE, "days = 367"), "3 days：不大于 366", "Not more than 366"),
        (row(LOCATE, "hours = 9000", "clock-hours"), "3 hours：不大于 8784", "Not more than 8784"),
        (row(LOCATE, "months = 13", "legal"), "3 months：不大于 12", "Not more than 12"),
        (row(LOCATE, "hours = 24"), "3 hours：kind = working 的只写 days", "Of kind working only `days`"),
        (row(LOCATE, kind="clock-hours"), "3 days：kind = clock-hours 的只写 hours", "only `hours`"),
        (row(LOCATE, "days = 3\nmonths = 1", "legal"), "4 months：kind = legal 的只写 days 或 months", "`days` or"),
        (row(LOCATE, ""), "4 kind：working 须写 days", "working needs `days`"),
        (row(LOCATE, "day = 3"), "3 day：没有这一项，可用：source, since", "No such member"),
        (row(LOCATE) + row(LOCATE), f"8 {LOCATE}：同一行写了两次", "This row stands twice"),
        (row(LOCATE).replace(SOURCE, " "), "5 source：须写明依据", "Must name the text"),
        (row(LOCATE).replace("since = 2026-01-01\n", ""), "1 since：缺少必填项", "This member is required"),
        (row(LEAD, "days = 5"), "3 days：5 个工作日；法发〔2025〕8号第五条规定 7 日", "days (kind legal) at most 7"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_in_both_languages(text: str, zh: str, en: str) -> None:
    found = faults(text)
    assert any(f"law/{FILE}:{zh}" in fault and en in fault for fault in found), found


def test_every_fault_is_told_at_once() -> None:
    found = faults(row(LEAD, "days = 8", "legal") + row("x") + row("entrust.matter.request"))
    assert [fault.split("：")[0] for fault in found] == [f"law/{FILE}:{n}" for n in ("3 days", "8 type", "14 type")]


def command(name: str, *arguments: str) -> tuple[int, str, str]:
    app = typer.Typer()
    app.add_typer(law_app, name="law")
    app.command("types")(types)
    done = CliRunner().invoke(app, [*name.split(), *arguments])
    return done.exit_code, done.stdout, done.stderr


def test_the_commands_tell_the_term_in_force(tmp_path: Path, in_force: None) -> None:
    (tmp_path / "law").mkdir()
    (tmp_path / "law" / FILE).write_text(row(LOCATE) + row(GRID, since="2999-01-01"), encoding="utf-8")
    _, out, _ = command("types", "--json", "--dir", str(tmp_path))
    told = {one["type"]: one["deadline"] for one in json.loads(out)}
    assert (told[LOCATE], told[GRID], told[LEAD]) == ("3 working_days", "3 working_days", "7 legal_days")
    _, out, _ = command("law list", "answer-terms", "--json", "--dir", str(tmp_path))
    rows = {one["key"]: one for one in reversed(json.loads(out))}  # of a key the court's own stands first
    assert rows.keys() == catalogue().keys()
    assert (rows[LOCATE]["from"], rows[LOCATE]["source"], rows[LOCATE]["entry"]["days"]) == (f"law/{FILE}", SOURCE, 3)
    assert (rows[LEAD]["from"], rows[LEAD]["source"]) == ("default", "法发〔2025〕8号第五条 (FAFA-2025-8-5)")
    _, out, _ = command("law list", "answer-terms", "--dir", str(tmp_path))
    assert f"{LOCATE}  2026-01-01  law/{FILE}" in out and "kind=working  days=3" in out


def test_a_wrong_file_is_told_by_the_commands(tmp_path: Path) -> None:
    (tmp_path / "law").mkdir()
    (tmp_path / "law" / FILE).write_text(row(LEAD, "days = 8", "legal"), encoding="utf-8")
    for name in ("types", "law list"):
        code, out, err = command(name, "--dir", str(tmp_path))
        assert (code, out) == (2, "") and f"law/{FILE}:3 days：8 日；法发〔2025〕8号第五条规定 7 日" in err


def test_the_documents_tell_the_term_in_force(in_force: None) -> None:
    before = (clocks_document(Terms()), forms_document(catalogue()))
    for document in before:
        assert SOURCE not in document and "法发〔2025〕8号第五条 (FAFA-2025-8-5)" in document
    put_in_force(read_law({FILE: row(LOCATE)}))
    assert f"`{LOCATE}` | 3 个工作日 3 working days | {SOURCE} | 任意 any |" in clocks_document(Terms())
    assert (
        f"`{LEAD}` | 7 日 7 legal days | 法发〔2025〕8号第五条 (FAFA-2025-8-5) | 只可缩短 shorter only |" in before[0]
    )
    assert f"办理期限 answer term：3 个工作日 3 working days，{SOURCE}\n" in forms_document(catalogue())
