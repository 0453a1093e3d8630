"""The tables of the law: shipped rows, a deployment's files, what is in force (docs/adr/0039)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from datetime import date
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from gateway.commands.law import law_app
from gateway.registry.config import load_config
from gateway.registry.kept import kept_files
from gateway.registry.law_files import load_law
from gateway.registry.places import places
from lianzhi.errors import ConfigurationError
from schemas.catalogue import catalogue
from schemas.law import force
from schemas.law.ending_papers import ENDING_PAPERS, ending_paper, papers_to_end
from schemas.law.force import SHIPPED, Law, law, put_in_force
from schemas.law.legal_bases import LEGAL_BASES
from schemas.law.reading import LawFileError, read_law
from schemas.law.tables import BY_NAME, TABLES
from schemas.law.terms import PAYOUT, TERMS, term
from schemas.legal import legal_code, legal_text
from schemas.validation import parse_open

DAY = date(2026, 3, 24)
HANDBOOK = Path("docs/handbook/law.md")
LOCAL = """\
[[entry]]
code = "SGF-2023-5"
kind = "notice"
text = "陕高法发〔2023〕5号"
zh = "陕西高院执行款规定"
en = "of the provincial court, on money of cases"
source = "陕高法发〔2023〕5号"
since = 2023-05-01
"""
SHORTER = """\
[[entry]]
name = "fund-payout"
days = 7
kind = "working"
source = "本院执行案款管理规定第七条"
since = 2026-01-01
"""


@pytest.fixture
def in_force() -> Iterator[None]:
    yield
    put_in_force(SHIPPED)


def faults(files: dict[str, str]) -> list[str]:
    with pytest.raises(LawFileError) as caught:
        read_law(files)
    return caught.value.faults


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_shipped_row_is_sound(table: force.Table[force.Entry]) -> None:
    assert list(table.faults(table.rows())) == []
    begun = [(table.key_of(row), row.since) for row in table.shipped]
    assert len(begun) == len(set(begun)), f"两行同键同日 two rows of one key that begin on one day: {table.name}"
    assert all(row.source.strip() and isinstance(row.since, date) for row in table.shipped)
    assert {field.name for field in fields(table.entry)} >= {*table.key, "source", "since", "until", "reading"}


def test_names_are_distinct() -> None:
    assert len(BY_NAME) == len(TABLES)


def test_without_files_the_shipped_rows_hold(tmp_path: Path) -> None:
    tables = load_law(tmp_path)
    assert tables.of(TERMS) == TERMS.rows()
    assert not any(own for _, own in tables.all(TERMS))


def test_a_row_of_a_file_takes_the_place_of_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "law").mkdir()
    (tmp_path / "law" / "terms.toml").write_text("\ufeff" + SHORTER, encoding="utf-8")
    tables = load_law(tmp_path)
    assert (tables.of(TERMS)[PAYOUT].days, tables.of(TERMS)[PAYOUT].kind) == (7, "working")
    assert [row.days for row, own in tables.all(TERMS) if own] == [7]
    assert tables.of(TERMS).keys() == TERMS.rows().keys()
    assert tables.of(LEGAL_BASES) == LEGAL_BASES.rows()


def test_what_is_put_in_force_is_what_is_asked(in_force: None) -> None:
    assert term(PAYOUT, DAY).days == 30
    put_in_force(read_law({"terms.toml": SHORTER}))
    assert term(PAYOUT, DAY).days == 7


def test_a_local_basis_is_read_both_ways_once_it_is_in_force(in_force: None) -> None:
    put_in_force(read_law({"legal-bases.toml": LOCAL}))
    assert legal_text("SGF-2023-5-12") == "陕高法发〔2023〕5号第十二条"
    assert legal_code("陕高法发〔2023〕5号第十二条") == "SGF-2023-5-12"
    put_in_force(SHIPPED)
    with pytest.raises(Exception, match="法律依据"):
        legal_text("SGF-2023-5-12")


OWN_PAPERS = [row.action for row in ENDING_PAPERS.default]


@pytest.mark.parametrize("action", OWN_PAPERS)
def test_a_court_says_which_paper_ends_a_measure(in_force: None, action: str) -> None:
    """Whatever type ends such a measure asks for the paper of the row, or for none where the row names none."""
    endings = [
        (matter, payload)
        for matter in catalogue().values()
        if (rule := matter.measure(payload := parse_open(matter, matter.example_request))) is not None
        and (rule.action, rule.effect) == (action, "end")
    ]
    for paper in ("paper-of-ours", None):
        put_in_force(read_law({"ending-papers.toml": own_paper(action, paper)}))
        row = ending_paper(action, DAY)
        assert row is not None and (row.paper, row.zh, papers_to_end(action, DAY)) == (
            paper,
            "本院文书",
            {} if paper is None else {paper: 1},
        )
        for matter, payload in endings:
            assert ("paper-of-ours" in matter.papers(payload, DAY)) is (paper is not None), matter.name


def own_paper(action: str, paper: str | None) -> str:
    named = "" if paper is None else f'paper = "{paper}"\n'
    return (
        f'[[entry]]\naction = "{action}"\n{named}zh = "本院文书"\nen = "our paper"\n'
        'source = "本院规定"\nsince = 2026-01-01\n'
    )


def test_the_handbooks_examples_are_taken() -> None:
    """Of each file that it shows; all tables are among them."""
    blocks = re.findall(r"```toml\n# law/([a-z-]+)\.toml.*?\n(\[\[entry\]\].*?)```", HANDBOOK.read_text("utf-8"), re.S)
    for name, text in blocks:
        assert len(read_law({f"{name}.toml": text}).given[name]) == text.count("[[entry]]")
    assert {name for name, _ in blocks} == BY_NAME.keys()


def test_law_is_remembered_by_identity() -> None:
    assert Law({}) != Law({})
    assert law() is SHIPPED


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("term.toml", "", "law/term.toml：没有这张表，可用：legal-bases.toml, terms.toml"),
        ("terms.toml", SHORTER.replace("days", "dais"), "law/terms.toml:3 dais：没有这一项，可用：source"),
        ("terms.toml", SHORTER.replace("days = 7\n", ""), "law/terms.toml:1 days：缺少必填项"),
        ("terms.toml", SHORTER.replace('"working"', '"weekly"'), "law/terms.toml:4 kind：不是可选的值，可选：'legal'"),
        ("terms.toml", SHORTER.replace("days = 7", "days = 0"), "law/terms.toml:3 days：不小于 1。 Not less than 1."),
        ("terms.toml", SHORTER.replace("fund-payout", "fund-out"), "fund-out：没有这个期限，可用：fund-payout,"),
        ("terms.toml", SHORTER.replace("本院执行案款管理规定第七条", " "), "law/terms.toml:5 source：须写明依据"),
        ("terms.toml", SHORTER + "until = 2025-12-31\n", "law/terms.toml:7 until：须晚于 since。 Must be after"),
        ("terms.toml", SHORTER + SHORTER, "law/terms.toml:8 fund-payout：同一行写了两次"),
        ("terms.toml", "[terms]\ndays = 3\n", "law/terms.toml:1 terms：只收 [[entry]]"),
        ("terms.toml", "[[entry]\n", "law/terms.toml：不是合法的 TOML。 Not well-formed TOML"),
        ("ending-papers.toml", own_paper("seizure", None), "seizure：没有这种措施，可用：seal、freeze"),
        ("ending-papers.toml", own_paper("seal", "Release"), "law/ending-papers.toml:3 paper：形式不对"),
        ("legal-bases.toml", LOCAL.replace("5号", "5 号"), "SGF-2023-5：text 不得含空格"),
        ("legal-bases.toml", LOCAL.replace("陕高法发〔2023〕5号\"\nz", "民事诉讼法\"\nz"), "已被另一行使用"),
        ("legal-bases.toml", LOCAL.replace("SGF-2023-5", "FA-2023-5"), "FA-2023-5：text 须为 法〔2023〕5号"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(name: str, text: str, told: str) -> None:
    found = faults({name: text})
    assert any(told in fault for fault in found), found


def test_every_fault_of_every_file_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "law").mkdir()
    (tmp_path / "law" / "term.toml").write_text("", encoding="utf-8")
    (tmp_path / "law" / "terms.toml").write_text("[[entry]]\nname = 1\n", encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_law(tmp_path)
    assert {"law/term.toml", "name", "days", "kind", "source", "since"} <= set(
        str(caught.value).replace("：", " ").split()
    )


def test_a_file_of_another_ending_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "law").mkdir()
    (tmp_path / "law" / ".terms.toml.swp").write_bytes(b"\x00")
    assert load_law(tmp_path).given == {}
    (tmp_path / "law" / "terms.TOML").write_text(SHORTER, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"terms\.TOML：没有这张表"):
        load_law(tmp_path)


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / "law").mkdir()
    (tmp_path / "law" / "terms.toml").write_bytes(SHORTER.encode("gb18030"))
    with pytest.raises(ConfigurationError, match=r"terms\.toml.*UTF-8"):
        load_law(tmp_path)


def test_a_backup_holds_the_courts_tables(tmp_path: Path) -> None:
    (tmp_path / "lianzhi.toml").write_text("", encoding="utf-8")
    (tmp_path / "law").mkdir()
    (tmp_path / "law" / "terms.toml").write_text(SHORTER, encoding="utf-8")
    config = load_config(tmp_path)
    assert "law/terms.toml" in [name for name, _ in kept_files(config, keys=False)]
    assert "law" in places(config).inside


def lianzhi(*arguments: str) -> Result:
    app = typer.Typer()
    app.add_typer(law_app, name="law")
    return CliRunner().invoke(app, ["law", *arguments])


def test_every_row_is_shown_with_whose_it_is(tmp_path: Path) -> None:
    (tmp_path / "law").mkdir()
    (tmp_path / "law" / "terms.toml").write_text(SHORTER, encoding="utf-8")
    rows = json.loads(lianzhi("list", "--json", "--dir", str(tmp_path)).stdout)
    assert len(rows) == 1 + sum(len(table.shipped) for table in TABLES)
    [payout] = [row for row in rows if row["key"] == PAYOUT and row["from"] != "default"]
    [shipped, *_] = [row for row in rows if row["key"] == PAYOUT and row["from"] == "default"]
    assert shipped["entry"]["days"] == 30, "it counts before 2026-01-01"
    assert (payout["from"], payout["entry"], payout["source"]) == (
        "law/terms.toml",
        {"days": 7, "kind": "working"},
        "本院执行案款管理规定第七条",
    )
    assert {row["key"] for row in rows if row["reading"]} >= {"ZBYJ", "FAFA-2024-9", "entrust.matter.request"}
    shown = lianzhi("list", "terms", "--dir", str(tmp_path)).stdout
    assert "fund-payout  2026-01-01  law/terms.toml" in shown and "fund-payout-after-delay" in shown
    assert "CPL" not in shown


def test_a_table_that_is_not_there_and_a_file_that_is_wrong(tmp_path: Path) -> None:
    unknown = lianzhi("list", "term", "--dir", str(tmp_path))
    assert (unknown.exit_code, unknown.stdout) == (2, "") and "legal-bases" in unknown.stderr
    (tmp_path / "law").mkdir()
    (tmp_path / "law" / "terms.toml").write_text(SHORTER.replace("days", "dais"), encoding="utf-8")
    wrong = lianzhi("list", "--dir", str(tmp_path))
    assert wrong.exit_code == 2 and "law/terms.toml:3 dais" in wrong.stderr
