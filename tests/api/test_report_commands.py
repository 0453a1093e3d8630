"""`lianzhi ledger` and `lianzhi report`, as the one who writes the report on Monday runs them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from gateway.commands.ledger import ledger_app
from gateway.commands.report import report_app
from gateway.commands.setup.init import init

app = typer.Typer()
app.command()(init)
app.add_typer(ledger_app, name="ledger")
app.add_typer(report_app, name="report")


def lianzhi(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--dir", str(folder)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("court") / "installation"
    made = lianzhi(folder, "init", "--court", "陕0199")
    assert made.exit_code == 0, made.output
    return folder


def test_the_report_in_every_form(folder: Path, tmp_path: Path) -> None:
    figures = tmp_path / "figures.csv"
    figures.write_text("期间,指标,数值\n2026-W13,执行到位率,61.20\n", encoding="utf-8")
    assert lianzhi(folder, "report", "figures", "import", str(figures)).exit_code == 0
    pdf, xlsx = tmp_path / "w.pdf", tmp_path / "w.xlsx"
    done = lianzhi(folder, "report", "weekly", "--week", "2026-W13", "--pdf", str(pdf), "--xlsx", str(xlsx), "--json")
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["period"], found["imported"]) == ("2026-W13", {"money-in-place-rate": "61.20"})
    assert pdf.read_bytes().startswith(b"%PDF-")
    assert xlsx.read_bytes().startswith(b"PK")


def test_aggregates_as_csv_and_json(folder: Path, tmp_path: Path) -> None:
    done = lianzhi(folder, "report", "aggregate", "--week", "2026-W13")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.splitlines()[:2] == ["period,by,key,figure,value,hidden", "2026-W13,total,,delivered,0,0"]
    found = json.loads(lianzhi(folder, "report", "aggregate", "--month", "2026-03", "--json").stdout)
    assert found["period"] == "2026-03"
    out = tmp_path / "a.csv"
    assert lianzhi(folder, "report", "aggregate", "--out", str(out)).exit_code == 0
    assert out.read_bytes().startswith(b"\xef\xbb\xbfperiod,")
    refused = lianzhi(folder, "report", "aggregate", "--out", str(tmp_path / "missing" / "a.csv"))
    assert (refused.exit_code, refused.stdout) == (2, "")


def test_what_is_wrong_is_said(folder: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("期间,指标,数值\n2026-W13,执行到位率,161\n", encoding="utf-8")
    refused = lianzhi(folder, "report", "figures", "import", str(wrong))
    assert refused.exit_code == 1
    assert "/2/value" in refused.stderr
    fonts = lianzhi(folder, "report", "weekly", "--pdf", str(tmp_path / "x.pdf"), "--fonts", str(tmp_path))
    assert fonts.exit_code == 2
    assert "fonts-noto-cjk" in fonts.stderr
    for arguments in (("report", "weekly", "--week", "2026-W60"), ("ledger", "show", "nothing")):
        misused = lianzhi(folder, *arguments)
        assert (misused.exit_code, misused.stdout) == (2, "")
        assert misused.stderr


def test_ledgers_are_listed_and_shown(folder: Path) -> None:
    listed = lianzhi(folder, "ledger", "list", "--json")
    names = [row["ledger"] for row in json.loads(listed.stdout)]
    assert names == ["closure", "petition", "fund", "refusal", "bankruptcy", "platform", "measure-ending"]
    assert json.loads(lianzhi(folder, "ledger", "show", "fund", "--json").stdout) == []
    assert "终本案件" in lianzhi(folder, "ledger", "show", "closure").stdout
