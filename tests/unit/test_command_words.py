"""What commands print in red: word for word, and what it advises first."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from gateway.application.marks import told
from gateway.commands.doctor import tell
from gateway.core.checkup import failed
from gateway.core.recovery.marks import Age, Mark, Standing, Verdict
from gateway.registry.config import load_config
from gateway.registry.participants import load_registry
from lianzhi.cli.output import own_errors_told
from lianzhi.errors import ConfigurationError, RejectedError

ROOT = Path(__file__).resolve().parents[2]
LIFE = "aaaaaaaa-0000-4000-8000-000000000000"
MARK = Mark(incarnation=LIFE, sequence=7, token="t", event_id=3, numbers={})
FOREIGN = told(Verdict.FOREIGN, "broker", MARK, Standing(MARK, (Age(LIFE, 0),), empty=False))


def test_a_table_of_the_configuration_is_not_taken_for_markup(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit), own_errors_told():
        raise ConfigurationError(FOREIGN)
    assert FOREIGN in capsys.readouterr().err
    assert FOREIGN.count("[store] url") == 2


def test_doctor_prints_it_too(capsys: pytest.CaptureFixture[str]) -> None:
    tell([failed("marks", "标记 marks", ConfigurationError(FOREIGN), "docs/handbook/restore.md")])
    assert capsys.readouterr().err.count("[store] url") == 2


def test_no_command_writes_markup_that_nobody_reads() -> None:
    """`console` prints brackets as they are: a colour is `style=`."""
    places = ("gateway/commands", "gateway/report", "library/lianzhi/cli")
    files = [path for place in places for path in (ROOT / place).rglob("*.py")]
    assert len(files) > 20
    markup = re.compile(r"\[/?(bold|red|green|yellow|dim)\]|rich\.markup")
    assert [path.name for path in files if markup.search(path.read_text(encoding="utf-8"))] == []


def test_another_installation_is_thought_of_before_restored_is_advised() -> None:
    assert FOREIGN.index("接管") < FOREIGN.index("lianzhi db restored")
    assert FOREIGN.index("leave this one stopped") < FOREIGN.rindex("lianzhi db restored")


@pytest.mark.parametrize("load", [load_config, load_registry])
def test_the_folder_that_is_there_is_named_before_init(load: object, tmp_path: Path) -> None:
    assert callable(load)
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path)
    text = str(caught.value)
    assert text.index("LIANZHI_FOLDER") < text.index("lianzhi init")
    assert text.rindex("--dir FOLDER") < text.rindex("`lianzhi init`")


def test_o15_what_is_wrong_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    """A fault of which no more is known than its code: the place stands below, not the text again."""
    with pytest.raises(typer.Exit), own_errors_told():
        raise RejectedError("unknown-staff", pointer="/handler")
    said = capsys.readouterr().err
    reason = RejectedError("unknown-staff").reason
    assert (said.count(reason.zh), said.count(reason.en), said.count("/handler")) == (1, 1, 1)
