"""The first page of the report and what it is split by: named cases, bounded lists, times that nobody misreads."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from gateway.core.figures.attention import SHOWN
from gateway.core.figures.histories import Alert, Ask, Done
from gateway.core.figures.indicators import Report, report
from gateway.core.figures.ledgers import LedgerItem
from gateway.core.figures.periods import period_named
from gateway.core.figures.rows import MOST, OTHERS, UNNAMED, Rows, Working
from gateway.core.silence import Silence
from gateway.core.time.calendar import Calendar
from gateway.report import Content, Names, content, write_xlsx
from gateway.report.pdf import pdf_bytes
from gateway.report.shapes import Hours, Minutes, text
from gateway.report.terminal import show
from gateway.report.words import CAPTIONS
from lianzhi.cli.layout import columns_of
from tests.unit.test_report import Book

COURT = "云川县人民法院（演示）"
WEEK = period_named("2026-W13")
GRID, POLICE, NEIGHBOUR = "grid-610199", "police-610199", "court-sn0528"
NAMES = Names(
    {GRID: "云川县网格中心（演示）", POLICE: "云川县公安局（演示）", NEIGHBOUR: "富平县人民法院（演示）"},
    {"grid.verify.request": "网格核实"},
    {"sn0199-0007": "李演示", "sn0199-0001": "院长演示"},
)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return WEEK.start + timedelta(days=day, hours=hour, minutes=minute)


def asked(number: str = "r-1", partner: str = GRID, **more: Any) -> Ask:
    whose = {"type": "grid.verify.request", "handler": "sn0199-0007", "lead": "sn0199-0001", "team": "执行一团队"}
    return Ask(number, partner, **{"created_at": at(0, 9), "case_no": "（2026）陕0199执900001号", **whose, **more})


def counted(rows: Rows, *silences: Silence, now: datetime | None = None) -> Report:
    return report(WEEK, rows, now or WEEK.end, Working(Calendar(())), {}, silences)


def faults() -> Rows:
    """One of each."""
    done = Done((at(2, 9), at(3, 9)), answered=True, supervised="court-sn0199-20260327-000009", escalated=True)
    return Rows(
        asks=[
            asked("late-1", due=at(2, 0), delivered_at=at(0, 10), done=done),
            asked("late-2", due=at(3, 0), final_at=at(7, 10)),
            asked("ours-1", NEIGHBOUR, incoming=True, handler=None, delivered_at=at(0, 9), due=at(4, 0)),
            asked("waiting-1", delivered_at=at(0, 9), waiting_since=at(0, 12)),
            asked("good-1", delivered_at=at(0, 9), due=at(2, 0), final_at=at(1, 0)),
        ],
        alerts=[
            Alert("hit-1", POLICE, raised_at=at(2, 23), acknowledged_at=at(2, 23, 11)),
            Alert("hit-2", POLICE, raised_at=at(2, 23), lapsed_at=at(3, 23)),
            Alert("hit-3", POLICE, raised_at=at(2, 23), acknowledged_at=at(2, 23, 10)),
        ],
        measures=[LedgerItem("measure-ending", "m-1", "lapsed", due_on=date(2026, 3, 25), partner=POLICE)],
    )


def page(rows: Rows, *silences: Silence, names: Names = NAMES) -> Content:
    return content(counted(rows, *silences), COURT, names)


def listed(found: Content, name: str) -> list[list[str]]:
    (table,) = [one for one in found.lists if one.name == name]
    return [[text(value) for value in row] for row in table.rows]


SILENT = Silence(GRID, "no-consumer", at(1, 9), at(1, 9))


# --- the first page -----------------------------------------------------------------------------------------------


def test_each_fault_is_named() -> None:
    found = page(faults(), SILENT)
    late, later = listed(found, "late")
    assert late == [
        *(
            "late-1",
            "（2026）陕0199执900001号",
            "网格核实",
            "云川县网格中心（演示）",
            "李演示",
            "执行一团队",
            "院长演示",
        ),
        *("2026-03-25 00:00", "24.0"),
        "催办2次（最近3月26日，对方有回应）；已提请督办 court-sn0199-20260327-000009；已提示报告院领导",
        "已送达，未签收",
    ]
    assert later[0] == "late-2" and later[-2:] == ["尚未催办", "3月30日已答复"]
    assert [row[0] for row in listed(found, "ours-late")] == ["ours-1"]
    assert [row[0] for row in listed(found, "unconfirmed")] == ["waiting-1"]
    assert [(row[0], row[-1]) for row in listed(found, "hits")] == [("hit-1", "11.0"), ("hit-2", "已失效，无人处置")]
    assert [row[-2:] for row in listed(found, "lapsed")] == [["m-1", "2026-03-25"]]
    assert listed(found, "undelivered") == [["云川县网格中心（演示）", "1", "2026-03-23 09:00"]]
    assert listed(found, "silent") == [["云川县网格中心（演示）", "无人取件", "2026-03-24 09:00"]]
    assert found.summary == (
        "2 件对方逾期，1 件本院逾期，1 项措施失效，1 件结果超期未确认，2 次预警未及时处置，1 件未送达，1 家单位失联。"
    )


def test_the_lists_are_what_the_figures_count() -> None:
    found = counted(faults())
    total, listed = found.total, found.attention
    assert len(listed.late) == total.overdue == 2
    assert len(listed.ours_late) == found.received.overdue == 1
    assert len(listed.lapsed) == total.lapsed == 1
    assert len(listed.unconfirmed) == total.unconfirmed == 1
    assert len(listed.hits) == total.hits_missed == total.alerts - total.alerts_in_time.part == 2
    assert sum(one.count for one in listed.undelivered) == total.undelivered == 1


def test_the_longest_overdue_stands_first_and_thirty_are_printed() -> None:
    many = [asked(f"late-{n:04d}", due=at(1, 0) - timedelta(hours=n)) for n in range(100)]
    found = page(Rows(asks=many))
    rows = listed(found, "late")
    assert (len(rows), rows[0][0]) == (100, "late-0099")
    reader = PdfReader(io.BytesIO(pdf_bytes(found)))
    paper = re.sub(r"[\s\u200b]", "", "".join(page.extract_text() for page in reader.pages))
    assert len(set(re.findall(r"late-\d{4}", paper))) == SHOWN
    assert f"另有{100 - SHOWN}项，见工作簿" in paper


@pytest.mark.parametrize("name", ["2026-W53", "2026-12"])
def test_one_request_at_the_years_end_with_long_names(name: str, tmp_path: Path) -> None:
    long = ("云川县不动产登记与自然资源综合服务协作中心（演示）" * 3)[:60]
    period = period_named(name)
    due = period.end - timedelta(days=2)
    row = asked("late-1", "p-long", created_at=due - timedelta(days=9), due=due, team=long, campaign=long)
    names = Names({"p-long": long}, {"grid.verify.request": long}, {"sn0199-0007": long})
    found = content(report(period, Rows(asks=[row]), period.end, Working(Calendar(())), {}), COURT, names)
    reader = PdfReader(io.BytesIO(pdf_bytes(found)))
    paper = re.sub(r"[\s\u200b]", "", "".join(page.extract_text() for page in reader.pages))
    assert paper.count(long) >= 5, "nothing is cut: partner, type, handler, team, campaign"
    write_xlsx(found, tmp_path / "w.xlsx")
    assert long in Book(tmp_path / "w.xlsx").cells("按单位").values()


def test_a_workbook_has_every_late_request(tmp_path: Path) -> None:
    many = [asked(f"late-{n:04d}", due=at(1, 0)) for n in range(40)]
    write_xlsx(page(Rows(asks=many)), tmp_path / "w.xlsx")
    book = Book(tmp_path / "w.xlsx")
    assert len([v for v in book.cells("对方逾期").values() if str(v).startswith("late-")]) == 40
    assert "COUNTA('对方逾期'!A3:A42)" in book.formulas("总览").values()


def test_what_the_terminal_shows_names_no_person(capsys: pytest.CaptureFixture[str]) -> None:
    show(page(faults(), SILENT, names=replace(NAMES, people={})))
    said = re.sub(r"\s", "", capsys.readouterr().out)
    assert "李演示" not in said and "院长演示" not in said
    assert "sn0199-0007" in said
    for words in ("本周需院领导关注", "2件对方逾期", "late-1"):
        assert words in said, words


def test_the_terminals_lists_keep_to_its_width(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    show(page(faults(), SILENT, names=replace(NAMES, people={})))
    too_long = [line for line in capsys.readouterr().out.splitlines() if columns_of(line) > 80]
    assert [line[:8] for line in too_long] == ["本周需院领导关注"], "prose, which a window folds"


def test_nothing_to_look_at_is_said() -> None:
    found = page(Rows(asks=[asked(delivered_at=at(0, 9))]))
    assert found.summary == "本周没有需要关注的事项。"
    assert [one.name for one in found.lists if one.rows] == []


def test_a_name_that_begins_a_formula_stays_text(tmp_path: Path) -> None:
    """Wherever a person chose the words."""
    bad = ("=1+1", "+1", "-1", "@SUM(A1)")
    rows = [asked(f"late-{n}", due=at(1, 0), team=name, campaign=name, lead=name) for n, name in enumerate(bad)]
    names = Names({GRID: "=HYPERLINK(1)"}, {}, {name: name for name in bad})
    write_xlsx(page(Rows(asks=rows), names=names), tmp_path / "w.xlsx")
    book = Book(tmp_path / "w.xlsx")
    for sheet in map(str, book.names):
        assert not [v for v in book.cells(sheet).values() if str(v).startswith(("=", "+", "-", "@"))], sheet
        assert not [f for f in book.formulas(sheet).values() if not re.match(r"IF\(|SUM\(|COUNTA\(|'", f)], sheet


# --- splits -------------------------------------------------------------------------------------------------------


def test_a_split_shows_twenty_and_the_rest_and_adds_up() -> None:
    rows = [asked(f"r-{n}-{k}", handler=f"h-{n:02d}", delivered_at=at(0, 9)) for n in range(25) for k in range(25 - n)]
    rows.append(asked("r-nobody", handler=None, delivered_at=at(0, 9)))
    found = counted(Rows(asks=rows))
    lines = {line.key: line.values.delivered for line in found.splits["handler"]}
    assert len(lines) == MOST + 2
    assert (lines["h-00"], lines[OTHERS], lines[UNNAMED]) == (25, 5 + 4 + 3 + 2 + 1, 1)
    assert sum(lines.values()) == found.total.delivered == 326
    (table,) = [one for one in content(found, COURT, NAMES).tables if one.name == "handler"]
    assert [row[0] for row in table.rows][-3:] == ["其他", "未注明", "合计"]


def test_a_split_says_the_names_of_what_it_is_split_by() -> None:
    found = page(faults())
    first = {one.name: [row[0] for row in one.rows] for one in found.tables}
    assert first["type"] == ["网格核实", "未注明", "合计"]
    assert first["handler"] == ["李演示", "未注明", "合计"]
    assert first["lead"] == ["院长演示", "未注明", "合计"]
    assert first["campaign"] == [], "nobody named a campaign"


# --- figures that are easily misread ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (Hours(7.5), "7.5"),
        (Hours(0.04), "2.4分"),
        (Hours(0.05), "0.1"),
        (Hours(0.0001), "<0.1分"),
        (Hours(0), "0"),
        (Minutes(10.0, 10), "10.0"),
        (Minutes(10.04, 10), "10.0+"),
        (Minutes(10.06, 10), "10.1"),
        (Minutes(9.96, 10), "10.0"),
    ],
)
def test_how_a_time_is_said(value: Hours | Minutes, said: str) -> None:
    assert text(value) == said


def test_a_release_takes_nights_and_days_of_rest_too() -> None:
    ended = asked(releases=True, created_at=at(4, 18), final_at=at(6, 6), outcome="done", decision="accepted")
    in_vain = replace(ended, request_no="r-2", outcome="impossible")
    still_open = replace(ended, request_no="r-3", final_at=None, outcome=None)
    total = counted(Rows(asks=[ended, in_vain, still_open])).total
    assert (total.releases, total.release_hours, total.release_longest) == (1, 36.0, 36.0)


def test_a_decision_not_to_file_is_no_refusal() -> None:
    day = WEEK.first
    lead = LedgerItem("refusal", "l", "not-filed", outcome="not-filed", settled_on=day, opened_on=day)
    answered = asked("lead", POLICE, decided_at=at(1, 9), decision="accepted", final_at=at(1, 9), outcome="done")
    refused = asked("other", decided_at=at(1, 9), decision="refused", reason="homonym", final_at=at(1, 9))
    found = page(Rows(asks=[answered, refused], items=[lead]))
    said = {key.zh: text(key.value) for key in found.keys}
    assert (said["不予立案"], said["拒绝、退回"], said["受理率"]) == ("1", "1", "50.0%")
    (reasons,) = [one for one in found.tables if one.name == "reasons"]
    assert [row[1] for row in reasons.rows] == [1]


@pytest.mark.parametrize(("weeks", "drawn"), [(0, False), (1, False), (2, False), (3, True), (8, True)])
def test_a_trend_is_drawn_from_three_weeks_on(weeks: int, drawn: bool) -> None:
    rows = [asked(f"r-{n}", delivered_at=at(-7 * n, 9), received_at=at(-7 * n, 10)) for n in range(weeks)]
    trend = page(Rows(asks=rows)).charts[0]
    assert trend.empty is not drawn
    assert len(trend.categories) == weeks
    if not drawn and weeks:
        assert f"目前有 {weeks} 周" in trend.nothing


def test_every_figure_has_a_caption() -> None:
    found = page(faults(), SILENT)
    assert {key.zh for key in found.keys} == CAPTIONS.keys()
    captions = {one.name: one.caption for one in (*found.lists, *found.tables)}
    captions |= {one.name: one.caption for one in found.charts}
    assert [name for name, caption in captions.items() if not caption] == []


def test_a_figure_and_its_cell_agree() -> None:
    """Where the workbook takes a figure from a table, the table says the same."""
    found = page(faults())
    tables = {one.name: one for one in (*found.lists, *found.tables)}
    for key in found.keys:
        if key.source is None or not tables[key.source.table].rows:
            continue
        table = tables[key.source.table]
        if key.source.column is None:
            assert len(table.rows) == key.value, key.zh
        else:
            column = [head.zh for head in table.columns].index(key.source.column)
            assert table.rows[-1][column] == key.value, key.zh
