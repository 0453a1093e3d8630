"""LibreOffice computes the report's workbook from its formulas alone: every result is the figure that was counted."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from gateway.core.figures.rows import Rows
from gateway.report import Content, write_xlsx
from gateway.report.workbook import SHEETS
from tests.unit.test_monday_paper import SILENT, asked, at, faults, page
from tests.unit.test_report import Book, full

OFFICE = shutil.which("soffice")
# Cells as they are, all sheets, UTF-8.
FILTER = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,-1"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(OFFICE is None, reason="apt-get install libreoffice-calc"),
]


def without_results(book: Path, bare: Path) -> int:
    """How many formulas lost the result that we wrote beside them."""
    lost = 0
    with zipfile.ZipFile(book) as given, zipfile.ZipFile(bare, "w", zipfile.ZIP_DEFLATED) as written:
        for name in given.namelist():
            part = given.read(name)
            if name.startswith("xl/worksheets/sheet"):
                part, count = re.subn(rb"(</f>)<v>[^<]*</v>", rb"\1", part)
                lost += count
            written.writestr(name, part)
    return lost


def computed(bare: Path, folder: Path) -> dict[str, list[list[str]]]:
    """Sheet → its rows, as LibreOffice has computed them."""
    profile = f"-env:UserInstallation=file://{folder}/profile"
    command = [str(OFFICE), "--headless", profile, "--convert-to", FILTER, "--outdir", str(folder), str(bare)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return {
        file.stem.removeprefix(f"{bare.stem}-"): list(csv.reader(file.open(encoding="utf-8")))
        for file in folder.glob("*.csv")
    }


def as_number(text: str) -> float:
    return float(text.removesuffix("%")) / 100 if text.endswith("%") else float(text)


def many() -> Content:
    """5,000 requests that are late, of 60 partners."""
    return page(Rows(asks=[asked(f"late-{n:04d}", f"dept-{n % 60}", due=at(1, n % 24)) for n in range(5000)]))


@pytest.mark.parametrize("content", [full(), page(faults(), SILENT), many()], ids=["ordinary", "faults", "many"])
def test_every_formula_gives_the_figure(content: Content, tmp_path: Path) -> None:
    write_xlsx(content, tmp_path / "w.xlsx")
    formulas = without_results(tmp_path / "w.xlsx", tmp_path / "bare.xlsx")
    sheets = computed(tmp_path / "bare.xlsx", tmp_path)
    book = Book(tmp_path / "w.xlsx")
    compared = 0
    for name in ("总览", *SHEETS.values()):
        ours = book.cells(name)
        for address in book.formulas(name):
            letters, digits = re.fullmatch(r"([A-Z]+)(\d+)", address).groups()  # type: ignore[union-attr]
            column = sum((ord(c) - 64) * 26**n for n, c in enumerate(reversed(letters))) - 1
            said = sheets[name][int(digits) - 1][column]
            if address in ours:
                assert as_number(said) == pytest.approx(ours[address], abs=0.0005), (name, address)
            else:
                assert said == "", (name, address, "a rate of nothing")
            compared += 1
    assert compared >= formulas > 50
