"""`[alerts]`: what is taken, and each mistake refused by its word."""

from __future__ import annotations

from datetime import time, timedelta
from pathlib import Path

import pytest

from gateway.bootstrap import build_alarm_ways
from gateway.core.alarms.terms import AlarmTerms, Recipient
from gateway.registry.config import Config, load_config
from gateway.registry.file_watch import look
from gateway.registry.kept import secret_names
from lianzhi.errors import ConfigurationError
from tests.receiver import SECRET

MAIL = '[notify.mail]\nhost = "mail.court.example"\nsender = "lianzhi@court.example"\n'
DUTY = '[alerts.mail.duty]\nto = "duty@court.example"\n'
WATCH = '[alerts.webhook.watch]\nurl = "https://watch.court.example/x"\nsecret_file = "alerts.secret"\n'


def loaded(folder: Path, text: str) -> Config:
    (folder / "lianzhi.toml").write_text(text, "utf-8")
    return load_config(folder)


def test_nobody_is_told_by_default(tmp_path: Path) -> None:
    settings = loaded(tmp_path, "").settings()
    assert settings.alarms == AlarmTerms() and settings.digest_people


def test_recipients_and_thresholds(tmp_path: Path) -> None:
    quiet = 'quiet = ["22:00", "07:00"]\nleast = "critical"\n'
    config = loaded(tmp_path, "[alerts]\nmessage_minutes = 5\n" + MAIL + DUTY + quiet + WATCH)
    terms = config.settings().alarms
    assert terms.recipients == (
        Recipient("mail", "duty", "critical", (time(22), time(7))),
        Recipient("webhook", "watch"),
    )
    assert terms.message == timedelta(minutes=5)
    (tmp_path / "alerts.secret").write_text(SECRET, "utf-8")
    assert set(build_alarm_ways(config)) == {("mail", "duty"), ("webhook", "watch")}
    assert str(tmp_path / "alerts.secret") in look(config), "another secret holds without a restart"
    assert "alerts.secret" in secret_names(config), "a backup without secrets says that it is missing"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (DUTY, "[notify.mail]"),
        (MAIL + DUTY.replace("duty@", "duty at "), "alerts.mail.duty.to"),
        (MAIL + DUTY.replace("mail.duty", "mail.DUTY"), "alerts.mail.DUTY"),
        (MAIL + DUTY + 'quiet = ["22:00", "22:00"]\n', "alerts.mail.duty.quiet"),
        (MAIL + DUTY + 'quiet = ["25:00", "07:00"]\n', "alerts.mail.duty.quiet"),
        (MAIL + DUTY + 'least = "all"\n', "alerts.mail.duty.least"),
        (WATCH.replace("https://", "ftp://"), "alerts.webhook.watch.url"),
        ("[alerts]\nkey_days = 3\n", "key_last_days"),
        ("[alerts]\nmessage_minutes = 0\n", "alerts.message_minutes"),
        ("[alerts]\nmesage_minutes = 5\n", "alerts.mesage_minutes"),
        ('[alerts]\nhandbook = "wiki"\n', "alerts.handbook"),
    ],
)
def test_a_mistake_is_refused_by_its_word(tmp_path: Path, text: str, word: str) -> None:
    with pytest.raises(ConfigurationError, match=r"lianzhi\.toml") as refused:
        loaded(tmp_path, text)
    assert word in str(refused.value)


@pytest.mark.parametrize("secret", ["", "whsec_short", "whsec_c2hvcnQ="])
def test_a_secret_that_is_none_is_named(tmp_path: Path, secret: str) -> None:
    config = loaded(tmp_path, WATCH)
    (tmp_path / "alerts.secret").write_text(secret, "utf-8")
    with pytest.raises(ConfigurationError, match=r"alerts(\.webhook\.watch)?\.secret"):
        build_alarm_ways(config)
