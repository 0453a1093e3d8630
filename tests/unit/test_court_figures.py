"""The figures that the court hands in."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateway.core.figures.court_figures import read_figures
from gateway.core.records import CourtFigure
from lianzhi.errors import RejectedError

NOW = datetime(2026, 3, 30, 1, tzinfo=UTC)


def test_chinese_or_english_with_or_without_bom() -> None:
    zh = "\ufeff期间,指标,数值\r\n2026-W13,执行完毕率,87.50%\r\n\r\n2026-03, 执行到位率 ,61\r\n"
    assert read_figures(zh, NOW) == [
        CourtFigure("2026-W13", "execution-completed-rate", "87.50", NOW),
        CourtFigure("2026-03", "money-in-place-rate", "61", NOW),
    ]
    assert read_figures("period,name,value\n2026-03,money-in-place-rate,100.00\n", NOW)[0].value == "100.00"
    assert read_figures("period,name,value\n", NOW) == []


@pytest.mark.parametrize(
    ("line", "pointer", "rule"),
    [
        ("2026-W60,执行完毕率,1", "/2/period", "no-such-period"),
        ("2026-03,结案率,1", "/2/name", "unknown-figure"),
        ("2026-03,执行完毕率,100.01", "/2/value", "percent-form"),
        ("2026-03,执行完毕率,-1", "/2/value", "percent-form"),
        ("2026-03,执行完毕率,=1+1", "/2/value", "percent-form"),
        ("2026-03,执行完毕率", "/2", "figures-row"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_taken(line: str, pointer: str, rule: str) -> None:
    text = f"期间,指标,数值\n{line}\n2026-03,执行完毕率,1\n2026-99,执行完毕率,1\n"
    with pytest.raises(RejectedError) as caught:
        read_figures(text, NOW)
    assert [(e.pointer, e.rule) for e in caught.value.errors] == [(pointer, rule), ("/4/period", "no-such-period")]


@pytest.mark.parametrize("text", ["", "指标,期间,数值\n", "2026-03,执行完毕率,1\n"])
def test_a_file_without_its_header_is_refused(text: str) -> None:
    with pytest.raises(RejectedError) as caught:
        read_figures(text, NOW)
    assert [(e.pointer, e.rule) for e in caught.value.errors] == [("/1", "figures-header")]
