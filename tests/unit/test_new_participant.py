"""`lianzhi new participant` writes what `participants check` takes, or nothing at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.commands.scaffold.new_participant import new_participant
from gateway.commands.setup.install import clients_add
from gateway.registry.installation import Installation
from gateway.registry.participants import read_form
from lianzhi.errors import ConfigurationError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Installation(tmp_path / "gateway").create()
    return tmp_path / "gateway"


def test_what_its_kind_may_get_and_open_is_listed(folder: Path) -> None:
    new_participant("police-610114", "police", "公安", "Police", folder, division="610114")
    form = read_form(folder / "participants" / "police-610114.toml")
    assert "police.person-locate.request" in form.accepts and "grid.verify.request" not in form.accepts
    assert "police.vehicle-hit.alert" in form.opens and "police.vehicle-hit.alert" not in form.accepts
    assert (form.channel, form.broker and form.broker.user) == ("amqp", "police-610114")


def test_one_that_uses_the_api_has_no_user_at_the_broker(folder: Path) -> None:
    new_participant("office-610114", "office", "综合办", "Office", folder, http=True, dialect="plain/1")
    form = read_form(folder / "participants" / "office-610114.toml")
    assert (form.channel, form.broker, form.dialect) == ("http", None, "plain/1")


@pytest.mark.parametrize(
    ("code", "kind", "told"),
    [
        ("forest-1", "forest", "police"),
        ("office-1", "office", "plain/1"),
        ("dept-1", "department", "realty"),
        ("../escaped", "police", "code"),
    ],
)
def test_a_file_that_would_not_be_taken_is_not_written(folder: Path, code: str, kind: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        new_participant(code, kind, "甲", "A", folder)
    assert not [*folder.parent.rglob("*.toml")][1:], "beside lianzhi.toml"


def test_one_that_is_there_is_not_written_over(folder: Path) -> None:
    new_participant("police-610114", "police", "公安", "Police", folder)
    before = (folder / "participants" / "police-610114.toml").read_bytes()
    with pytest.raises(ConfigurationError, match=r"exists|Exists"):
        new_participant("police-610114", "police", "别的", "Other", folder)
    assert (folder / "participants" / "police-610114.toml").read_bytes() == before


def test_an_installation_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        new_participant("police-610114", "police", "公安", "Police", tmp_path)
    assert not [*tmp_path.iterdir()]


def test_a_client_of_nobody_leaves_nothing_behind(folder: Path) -> None:
    before = sorted(folder.rglob("*"))
    with pytest.raises(ConfigurationError, match="没有这个参与单位"):
        clients_add("fin-610114", "fin1", folder)
    assert sorted(folder.rglob("*")) == before
