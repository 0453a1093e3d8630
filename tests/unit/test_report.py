"""The report on paper and in a workbook: what was written is read again."""

from __future__ import annotations

import io
import json
import re
import zipfile
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from pypdf import PdfReader

from gateway.core.figures.histories import Ask
from gateway.core.figures.indicators import Report, report
from gateway.core.figures.ledgers import LedgerItem
from gateway.core.figures.periods import period_named
from gateway.core.figures.rows import Rows, Working
from gateway.core.time.calendar import Calendar
from gateway.report import Content, FontMissingError, Names, content, write_pdf, write_xlsx
from gateway.report.fonts import font_folder
from gateway.report.pdf import document, pdf_bytes, png_pages
from gateway.report.terminal import show
from gateway.report.words import DEFINITIONS, footnote, period_words
from gateway.report.workbook import SHEETS
from lianzhi.cli.layout import columns_of
from lianzhi.errors import ConfigurationError

COURT = "云川县人民法院（演示）"
NAMES = {"police-610199": "云川县公安局（演示）", "grid-610199": "云川县网格中心（演示）"}
WEEK = period_named("2026-W13")
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def at(day: int, hour: int) -> datetime:
    return WEEK.start + timedelta(days=day, hours=hour)


def counted(*asks: Ask, **imported: str) -> Report:
    items = [LedgerItem("petition", "p", "opened", overdue_days=3)] if asks else []
    given = {name.replace("_", "-"): value for name, value in imported.items()}
    return report(WEEK, Rows(asks=asks, items=items), WEEK.end, Working(Calendar(())), given)


def full() -> Content:
    row = Ask("r", "police-610199", "执行一团队", delivered_at=at(0, 9), received_at=at(0, 10))
    answered = replace(row, decided_at=at(0, 11), decision="accepted", first_result_at=at(1, 9), final_at=at(1, 9))
    refused = replace(row, decided_at=at(1, 11), decision="refused", reason="doc-missing", final_at=at(1, 11))
    late = replace(answered, partner="grid-610199", team='=HYPERLINK("http://x")', due=at(1, 0))
    earlier = [
        replace(answered, delivered_at=at(day, 9), received_at=at(day, 10), decided_at=None, first_result_at=None)
        for day in (-7, -14)
    ]
    rows = (replace(answered, due=at(2, 0)), refused, late, *earlier)
    return content(counted(*rows, money_in_place_rate="61.20"), COURT, Names(NAMES))


def test_who_has_nothing_to_show_has_no_line() -> None:
    petition = LedgerItem("petition", "p", "opened", overdue_days=3, partner="office-610199")
    found = content(report(WEEK, Rows(items=[petition]), WEEK.end, Working(Calendar(())), {}), COURT, Names(NAMES))
    assert found.tables[0].rows == []
    [overdue] = [key for key in found.keys if key.zh == "信访逾期"]
    assert (overdue.value, overdue.alarm) == (1, True)


def empty() -> Content:
    return content(counted(), COURT, Names(NAMES))


# --- paper --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def paper() -> PdfReader:
    return PdfReader(io.BytesIO(pdf_bytes(full())))


def said(reader: PdfReader) -> str:
    return re.sub(r"\s", "", "".join(page.extract_text() for page in reader.pages))


def test_the_paper_says_what_was_counted(paper: PdfReader) -> None:
    text = said(paper)
    for words in (
        *(COURT, "执行外部协作周报", "2026年第13周（3月23日至3月29日）", "统计截至2026年3月29日23:59"),
        *("云川县公安局（演示）", "云川县网格中心（演示）", "执行一团队", "文书不全", "合计", "61.20%", "未导入"),
        *("第1页共3页", "第3页共3页", '=HYPERLINK("http://x")'),
        *("分析与工作意见", "编制：", "审核：", "签发："),
    ):
        assert words in text, words
    for name, definition in DEFINITIONS:
        assert name + "：" + definition in text


def test_the_fonts_are_in_the_paper_and_no_sign_is_missing(paper: PdfReader) -> None:
    fonts = {}
    pages: Any = paper.pages
    for page in pages:
        for font in page["/Resources"]["/Font"].values():
            [descendant] = font.get_object()["/DescendantFonts"]
            descriptor = descendant.get_object()["/FontDescriptor"].get_object()
            fonts[str(font.get_object()["/BaseFont"])] = descriptor
    assert fonts
    for name, descriptor in fonts.items():
        assert re.search(r"Noto(Sans|Serif)CJK", name), name
        assert "/FontFile3" in descriptor or "/FontFile2" in descriptor, name
    assert "\ufffd" not in said(paper)


def test_the_paper_is_a4(paper: PdfReader) -> None:
    for page in paper.pages:
        assert [round(float(x)) for x in page.mediabox] == [0, 0, 595, 842]


def test_the_same_figures_make_the_same_paper() -> None:
    assert pdf_bytes(empty()) == pdf_bytes(empty())


def test_an_empty_week_is_two_pages_that_read_well() -> None:
    reader = PdfReader(io.BytesIO(pdf_bytes(empty())))
    text = said(reader)
    assert len(reader.pages) == 2
    assert "本周没有需要关注的事项。" in text
    assert "本周没有发往协作单位的事项。" in text
    assert "近期没有可统计的请求。" in text
    assert "None" not in text
    assert "nan" not in text


def test_long_lists_run_over_pages_with_their_heads() -> None:
    names = {f"dept-{n}": f"云川县第{n}号不动产登记服务协作中心（演示）" for n in range(60)}
    rows = [Ask("r", code, delivered_at=at(0, 9), received_at=at(0, 10), due=at(2, 0)) for code in names]
    reader = PdfReader(io.BytesIO(pdf_bytes(content(counted(*rows), COURT, Names(names)))))
    pages = [re.sub(r"\s", "", page.extract_text()) for page in reader.pages]
    assert len(pages) >= 4
    with_lines = [page for page in pages if "100.0%1/1" in page]
    assert len(with_lines) >= 2
    assert all("签收率" in page for page in with_lines)
    assert all(name in "".join(pages) for name in names.values())


def test_pages_can_be_looked_at() -> None:
    pages = png_pages(empty(), ppi=30)
    assert {page[:4] for page in pages} == {b"\x89PNG"}


def test_without_the_fonts_it_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(FontMissingError, match="fonts-noto-cjk") as caught:
        write_pdf(full(), tmp_path / "r.pdf", tmp_path)
    assert isinstance(caught.value, ConfigurationError)
    assert str(tmp_path) in str(caught.value)
    assert not (tmp_path / "r.pdf").exists()
    assert font_folder().is_dir()


def test_every_footnote_leads_to_a_definition() -> None:
    marked = [key["footnote"] for key in document(full())["keys"]]
    marked += [column["footnote"] for table in document(full())["tables"] for column in table["columns"]]
    numbers = {number for number in marked if number is not None}
    assert numbers == set(range(1, len(DEFINITIONS) + 1))
    assert footnote("签收率") == 1


def test_the_template_gets_nothing_but_data() -> None:
    assert json.loads(json.dumps(document(full()), ensure_ascii=False))["court"] == COURT


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("2026-W13", "2026年第13周（3月23日至3月29日）"),
        ("2026-W53", "2026年第53周（12月28日至2027年1月3日）"),
        ("2026-W01", "2026年第1周（2025年12月29日至2026年1月4日）"),
        ("2026-03", "2026年3月"),
    ],
)
def test_a_period_in_words(name: str, words: str) -> None:
    assert period_words(period_named(name)) == words


# --- workbook -----------------------------------------------------------------------------------------------------


class Book:
    """A workbook's cells and charts, from its XML."""

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path)
        shared = self._tree("xl/sharedStrings.xml")
        self._strings = ["".join(t.text or "" for t in si.iter(f"{MAIN}t")) for si in shared.iter(f"{MAIN}si")]
        self.names = [sheet.get("name") for sheet in self._tree("xl/workbook.xml").iter(f"{MAIN}sheet")]
        self.charts = [name for name in self._zip.namelist() if re.fullmatch(r"xl/charts/chart\d+\.xml", name)]

    def _tree(self, name: str) -> ElementTree.Element:
        return ElementTree.fromstring(self._zip.read(name))

    def cells(self, sheet: str) -> dict[str, str | float]:
        """Address → text or number."""
        tree = self._sheet(sheet)
        found: dict[str, str | float] = {}
        for cell in tree.iter(f"{MAIN}c"):
            value = cell.find(f"{MAIN}v")
            if value is not None and value.text is not None:
                text = cell.get("t") == "s"
                found[str(cell.get("r"))] = self._strings[int(value.text)] if text else float(value.text)
        return found

    def formulas(self, sheet: str) -> dict[str, str]:
        """Address → formula."""
        cells = {str(cell.get("r")): cell.find(f"{MAIN}f") for cell in self._sheet(sheet).iter(f"{MAIN}c")}
        return {address: found.text or "" for address, found in cells.items() if found is not None}

    def _sheet(self, name: str) -> ElementTree.Element:
        return self._tree(f"xl/worksheets/sheet{self.names.index(name) + 1}.xml")

    def text(self, part: str) -> str:
        return self._zip.read(part).decode()


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    path = tmp_path_factory.mktemp("book") / "w.xlsx"
    write_xlsx(full(), path)
    return Book(path)


def test_numbers_are_numbers(book: Book) -> None:
    assert book.names == ["总览", *SHEETS.values(), "图表数据", "指标说明"]
    partners = book.cells("按单位")
    heads = {partners[key]: key[:-1] for key in partners if key.endswith("2") and not key[:-1].isdigit()}
    assert partners["A3"] == "云川县公安局（演示）"
    assert (partners["B3"], partners["A5"], partners["B5"]) == (2.0, "合计", 3.0)
    on_time = heads["按期率"]
    assert partners[f"{on_time}3"] == 1.0
    assert partners[f"{on_time}4"] == 0.0
    assert [partners[f"{heads[name]}5"] for name in ("按期率", "按期率·分子", "按期率·分母")] == [0.5, 1.0, 2.0]


def test_totals_and_rates_are_formulas(book: Book) -> None:
    formulas = book.formulas("按单位")
    assert formulas["B5"] == "SUM(B3:B4)"
    assert formulas["C3"] == 'IF(E3=0,"",ROUND(D3/E3,3))'
    assert formulas["D5"] == "SUM(D3:D4)"
    overview = book.formulas("总览")
    assert "'按单位'!B5" in overview.values()
    assert "IF('按单位'!E5=0,\"\",ROUND('按单位'!D5/'按单位'!E5,3))" in overview.values()
    assert "COUNTA('对方逾期'!A3:A3)" not in overview.values(), "a list without rows has nothing to count"


def test_no_text_becomes_a_formula(book: Book) -> None:
    assert '\'=HYPERLINK("http://x")' in book.cells("按团队").values()
    for sheet in book.names:
        assert not [f for f in book.formulas(str(sheet)).values() if "HYPERLINK" in f]


def test_its_charts_are_drawn_from_the_data(book: Book) -> None:
    assert len(book.charts) == 3
    drawn = "".join(book.text(name) for name in book.charts)
    assert "签收率与按期率走势" in drawn
    ranges = re.findall(r"<c:val><c:numRef><c:f>图表数据!\$([A-Z]+)\$(\d+)(?::\$\1\$(\d+))?</c:f>", drawn)
    data = book.cells("图表数据")
    assert len(ranges) == 4, "two lines, the bars of the partners, the bars of the reasons"
    for column, first, last in ranges:
        values = [data.get(f"{column}{row}") for row in range(int(first), int(last or first) + 1)]
        assert any(isinstance(value, float) for value in values)


def test_an_empty_week_makes_a_workbook_without_charts(tmp_path: Path) -> None:
    write_xlsx(empty(), tmp_path / "e.xlsx")
    book = Book(tmp_path / "e.xlsx")
    assert book.charts == []
    assert "本周没有发往协作单位的事项。" in book.cells("按单位").values()
    overview = book.cells("总览")
    assert overview["B5"] == 0.0
    assert "B7" not in overview, "a share of nothing is no number"


# --- terminal -----------------------------------------------------------------------------------------------------


def test_the_terminal_shows_the_same(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    show(full())
    text = capsys.readouterr().out
    assert {line for line in text.splitlines() if columns_of(line) > 80} == set()
    for words in (COURT, "执行外部协作周报", "签收率", "云川县公安局（演示）", "文书不全", "未导入", "61.20%"):
        assert words in text
    assert "本周没有其他单位委托本院的事项" in text
