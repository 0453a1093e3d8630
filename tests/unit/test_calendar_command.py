"""`lianzhi calendar`: what an operator types when the year's notice has appeared; duty hours and terms in the files."""

from __future__ import annotations

import json
from datetime import date, time, timedelta
from pathlib import Path

import pytest
import tomlkit
from pydantic import ValidationError
from typer.testing import CliRunner

from gateway.commands.calendars import calendar_app
from gateway.core.settings import Settings, Terms
from gateway.registry.config import FILE, load_config
from gateway.registry.forms import Duty
from gateway.registry.installation import create_home
from gateway.registry.participants import load_registry
from gateway.store.upkeep.migrate import migrate
from lianzhi.errors import ConfigurationError
from schemas.catalogue import Deadline, DeadlineKind

EARLIER = """\
year = 2023
notice = "国办发明电〔2022〕演示号"
issued_on = 2022-12-08
rest = [2023-01-02, 2023-01-23, 2023-01-24, 2023-01-25, 2023-01-26, 2023-01-27, 2023-04-05]
work = [2023-01-28]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "gateway"
    create_home(folder, "陕0199", code="court-sn0199", client="cms1", today=date(2026, 3, 24))
    return folder


async def test_import_and_show(folder: Path, tmp_path: Path) -> None:
    import asyncio

    await migrate(load_config(folder).store_url)
    file = tmp_path / "2023.toml"
    file.write_text(EARLIER, encoding="utf-8")

    def call(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(calendar_app, [*arguments, "--dir", str(folder)])
        return done.exit_code, done.output

    missing = await asyncio.to_thread(call, "show", "--year", "2023")
    assert missing[0] == 1
    code, output = await asyncio.to_thread(call, "import", str(file))
    assert (code, "国办发明电〔2022〕演示号" in output) == (0, True)
    code, output = await asyncio.to_thread(call, "show", "--json")
    assert [line["year"] for line in json.loads(output)] == [2023, 2024, 2025, 2026]
    code, output = await asyncio.to_thread(call, "show", "--year", "2023", "--json")
    assert json.loads(output) == {
        "year": 2023,
        "notice": "国办发明电〔2022〕演示号",
        "issued_on": "2022-12-08",
        "rest": ["2023-01-02", *(f"2023-01-{day}" for day in range(23, 28)), "2023-04-05"],
        "work": ["2023-01-28"],
    }


def test_a_wrong_file_is_refused_before_anything_is_opened(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "2023.toml"
    file.write_text(EARLIER.replace("2023-01-28", "2023-01-30"), encoding="utf-8")
    done = CliRunner().invoke(calendar_app, ["import", str(file), "--dir", str(folder)])
    assert isinstance(done.exception, ConfigurationError)
    assert "2023-01-30" in str(done.exception)


def test_duty_hours_come_from_the_participants_file(folder: Path) -> None:
    file = folder / "participants" / "court-sn0199.toml"
    assert load_registry(folder)[0].home.duty.hours == ((time(9), time(17)),)
    document = tomlkit.parse(file.read_text(encoding="utf-8"))
    document["duty"] = {"weekdays": ["08:30-12:00", "14:00-18:00"], "always": ["police.*.alert"]}
    file.write_text(tomlkit.dumps(document), encoding="utf-8")
    duty = load_registry(folder)[0].home.duty
    assert duty.hours == ((time(8, 30), time(12)), (time(14), time(18)))
    assert duty.takes_always("police.person-hit.alert")


@pytest.mark.parametrize("hours", [["12:00-09:00"], ["09:00-12:00", "11:00-17:00"], ["09:00-25:00"], ["09:00-09:00"]])
def test_duty_hours_must_be_in_order(hours: list[str]) -> None:
    with pytest.raises(ValidationError):
        Duty(weekdays=hours)


def test_the_terms_are_configuration_and_default_to_the_domains(folder: Path) -> None:
    assert load_config(folder).settings() == Settings()
    document = tomlkit.parse((folder / FILE).read_text(encoding="utf-8"))
    document["terms"] = {"confirm_days": 7, "unsent_minutes": 5, "withdrawal_fast_hours": 2}
    (folder / FILE).write_text(tomlkit.dumps(document), encoding="utf-8")
    terms = load_config(folder).settings().terms
    assert terms.confirm == Deadline(DeadlineKind.WORKING_DAYS, 7)
    assert terms.unsent == timedelta(minutes=5)
    assert terms.withdrawal_fast == Deadline(DeadlineKind.CLOCK_HOURS, 2)
    assert terms.objection == Terms().objection


def test_terms_out_of_order_are_refused(folder: Path) -> None:
    document = tomlkit.parse((folder / FILE).read_text(encoding="utf-8"))
    document["terms"] = {"urge_again_days": 4}
    (folder / FILE).write_text(tomlkit.dumps(document), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="urge again"):
        load_config(folder)
