"""Tables in a window: nothing is cut, nothing that is copied is broken."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianzhi.cli.cells import cell, local
from lianzhi.cli.layout import columns_of, record_lines, table_lines, wrapped
from lianzhi.cli.streams import cell_for, fitted

NUMBER = "court-sn0199-20260324-000001"
DIGEST = "a1" * 32
WORDS = st.text(alphabet="ab1-中文（，。", min_size=1, max_size=12)


def test_a_character_of_the_east_takes_two_columns() -> None:
    assert [columns_of(text) for text in ("abc", "法院", "é", "→", "")] == [3, 4, 1, 1, 0]
    assert columns_of("→", ambiguous=2) == 2


@given(st.lists(WORDS, max_size=40).map(" ".join), st.integers(40, 100))
def test_a_paragraph_loses_nothing_and_keeps_its_words(text: str, width: int) -> None:
    lines = wrapped(text, width, later="  ")
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert [line for line in lines if columns_of(line) > width] == []


@given(st.lists(st.lists(WORDS, min_size=5, max_size=5), min_size=1, max_size=5))
def test_a_table_keeps_to_its_window_and_shows_every_cell(rows: list[list[str]]) -> None:
    names = ["one", "two", "three", "四", "five"]
    lines = table_lines(names, rows, 40)
    assert [line for line in lines if columns_of(line) > 40] == []
    shown = "\n".join(lines)
    assert [value for row in rows for value in row if value not in shown] == []


def test_what_has_no_room_goes_below_its_row_with_its_name() -> None:
    lines = table_lines(["id", "request", "digest", "empty"], [["1", NUMBER, DIGEST, "–"]], 80)
    assert lines[0].split() == ["id", "request"]
    assert lines[2:] == [f"1   {NUMBER}", f"    digest {DIGEST}"]


def test_a_value_that_has_no_room_beside_its_name_stands_below_it() -> None:
    assert record_lines({"a_rather_long_name_of_it": DIGEST}, 80) == ["a_rather_long_name_of_it", f"    {DIGEST}"]
    assert record_lines({"no": NUMBER, "state": "done"}, 80) == [f"no     {NUMBER}", "state  done"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        ("", "–"),
        (0, "0"),
        (True, "yes"),
        (["a", "b"], "a b"),
        ({}, "{}"),
        ("2026-03-24T02:00:00.123Z", "2026-03-24 10:00:00"),
        (datetime(2026, 3, 24, 16, 0, 59, 999999, UTC), "2026-03-25 00:00:59"),
        ("2026-03-24", "2026-03-24"),
        ("x\x1b[2J\u202ey", "x\\u001b[2J\\u202ey"),
    ],
)
def test_cells(value: object, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TZ", raising=False)
    assert cell(value) == shown


def test_the_hour_is_that_of_tz_where_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    moment = datetime(2026, 3, 24, 2, tzinfo=UTC)
    assert local(moment) == f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"


@pytest.mark.parametrize(
    ("encoding", "text", "prose", "in_a_cell"),
    [
        ("utf-8", "✓ 案号", "✓ 案号", "✓ 案号"),
        ("gbk", "✓ 案号", "OK 案号", "OK 案号"),
        ("ascii", "✗ 案号 Case", "WRONG ? Case", "WRONG \\u6848\\u53f7 Case"),
        ("gbk", "𰀀", "?", "\\U00030000"),
    ],
)
def test_an_encoding_that_lacks_a_sign(encoding: str, text: str, prose: str, in_a_cell: str) -> None:
    assert (fitted(text, encoding), cell_for(text, encoding)) == (prose, in_a_cell)
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="lianzhi-said-otherwise")
    out.write(text)
    out.flush()
