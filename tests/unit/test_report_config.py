"""What an installation may say of its ledgers and its report."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest

from gateway.core.time.calendar import OfficeHours
from gateway.registry.config import FILE, load_config
from lianzhi.errors import ConfigurationError


def configured(folder: Path, text: str) -> Path:
    (folder / FILE).write_text(text, encoding="utf-8")
    return folder


def test_terms_and_hours_are_the_courts(tmp_path: Path) -> None:
    hours = '[["09:00", "12:00"], ["14:00", "18:00"]]'
    text = f"[ledgers]\npetition_days = 15\nrecheck_months = 3\n[report]\noffice_hours = {hours}"
    settings = load_config(configured(tmp_path, text)).settings()
    assert (settings.ledgers.days["petition"], settings.ledgers.days["refusal"]) == (15, 7)
    assert (settings.ledgers.recheck_months, settings.ledgers.recheck_years) == (3, 5)
    assert settings.office_hours == OfficeHours(((time(9), time(12)), (time(14), time(18))))


@pytest.mark.parametrize("hours", ['[["12:00", "09:00"]]', '[["09:00", "12:00"], ["11:00", "18:00"]]', "[]"])
def test_hours_out_of_order_are_refused(tmp_path: Path, hours: str) -> None:
    with pytest.raises(ConfigurationError, match="office_hours"):
        load_config(configured(tmp_path, f"[report]\noffice_hours = {hours}"))
