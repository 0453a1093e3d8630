"""Lists of people by CSV, and who leaves."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from pytest import MonkeyPatch
from typer.testing import CliRunner

from gateway.commands.setup.staff import staff_app
from gateway.core.time.calendar import SHANGHAI
from gateway.registry.config import load_config
from gateway.registry.installation import create_home
from gateway.registry.participants import load_registry
from gateway.registry.setup.people_list import read_roster, read_staff
from gateway.store.upkeep.migrate import migrate
from lianzhi.errors import ConfigurationError

HEAD = "编号,姓名,执行证号,职务,自,至,电话,邮箱\n"
LI = "sn0199-0007,李某,陕0199-0007,handler、judge,2026-01-01,,13800138007,li@court.example\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "staff.csv"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create_home(tmp_path / "court", "陕0199", code="court-sn0199", client="cms1", today=date(2026, 3, 24))
    return tmp_path / "court"


def test_a_line_is_a_person(file: Path) -> None:
    file.write_text("\ufeff" + HEAD + LI + "\n", encoding="utf-8")
    (person,) = read_staff(file)
    assert (person.no, person.roles, person.since) == ("sn0199-0007", ["handler", "judge"], date(2026, 1, 1))
    assert person.contact is not None and person.contact.phone == "13800138007" and person.until is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("编号,姓名\n", "staff.csv:1："),
        (HEAD + LI.replace("2026-01-01", "2026-13-01"), "staff.csv:2 from：2026-13-01"),
        (HEAD + LI + LI, "staff.csv:3 no：sn0199-0007 出现了 2 次"),
        (HEAD + LI.replace("13800138007", "none"), "staff.csv:2 phone：none"),
        (HEAD + "a,b\n", "staff.csv:2："),
        (HEAD + LI.replace("sn0199-0007", ""), "staff.csv:2 no： 不合规则 breaks its rule: 缺少必填项 This member is"),
    ],
)
def test_a_fault_is_told_by_line_and_column(file: Path, text: str, told: str) -> None:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as error:
        read_staff(file)
    assert told in str(error.value)


def test_another_encoding_is_told_by_line(file: Path) -> None:
    file.write_bytes((HEAD + LI).encode("gb18030"))
    with pytest.raises(ConfigurationError, match=r"staff\.csv:1：.*GB18030"):
        read_staff(file)


def test_a_roster_in_local_time(file: Path) -> None:
    file.write_text("人员,自,至\nsn0199-0007,2026-03-25 08:00,2026-03-26 08:00\n", encoding="utf-8")
    (shift,) = read_roster(file)
    assert (shift.begins, shift.ends) == ("2026-03-25T08:00:00+08:00", "2026-03-26T08:00:00+08:00")


def test_a_shift_that_ends_before_it_begins(file: Path) -> None:
    file.write_text("人员,自,至\nsn0199-0007,2026-03-25 08:00,2026-03-24 08:00\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"staff\.csv:2 ends："):
        read_roster(file)


def test_an_import_adds_and_writes_over_and_leaves_the_others(file: Path, folder: Path) -> None:
    def imported(text: str) -> str:
        file.write_text(HEAD + text, encoding="utf-8")
        done = CliRunner().invoke(staff_app, ["import", str(file), "--dir", str(folder)], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    assert "New: 1" in imported(LI)
    assert "New: 0" in imported(LI) and "Changed: 0" in imported(LI)
    other = LI.replace("0007", "0011")
    told = imported(LI.replace("handler、judge", "clerk").replace("李某", "李某某") + other)
    assert "New: 1" in told and "Changed: 1" in told
    staff = load_registry(folder)[0].home.staff
    assert staff["sn0199-0007"].roles == {"clerk"} and staff["sn0199-0007"].name == "李某某"
    assert "Not in the list, still registered: sn0199-0007" in imported(other)


def test_a_wrong_list_changes_nothing(file: Path, folder: Path) -> None:
    before = (folder / "participants" / "court-sn0199.toml").read_bytes()
    file.write_text(HEAD + LI + LI.replace("0007", "0011").replace("2026-01-01", "soon"), encoding="utf-8")
    done = CliRunner().invoke(staff_app, ["import", str(file), "--dir", str(folder)])
    assert isinstance(done.exception, ConfigurationError)
    assert (folder / "participants" / "court-sn0199.toml").read_bytes() == before


def test_a_gap_in_the_roster_is_told_in_the_courts_time(file: Path, folder: Path, monkeypatch: MonkeyPatch) -> None:
    """It stands in the store as UTC, eight hours earlier."""
    monkeypatch.delenv("TZ", raising=False)
    asyncio.run(migrate(load_config(folder).store_url))
    file.write_text(HEAD + LI, encoding="utf-8")
    CliRunner().invoke(staff_app, ["import", str(file), "--dir", str(folder)], catch_exceptions=False)
    now = datetime.now(SHANGHAI)
    begins, ends = now - timedelta(hours=1), now + timedelta(hours=6)
    file.write_text(f"人员,自,至\nsn0199-0007,{begins:%Y-%m-%d %H:%M},{ends:%Y-%m-%d %H:%M}\n", encoding="utf-8")
    done = CliRunner().invoke(staff_app, ["roster", str(file), "--dir", str(folder)], catch_exceptions=False)
    assert f"Nobody is on duty within a day, from: {ends:%Y-%m-%d %H:%M}:00" in done.output
