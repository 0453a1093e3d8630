"""A kind of partner and its dialect are known words; what a dialect does not say stops the start, by its name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import typer

from adapters.registry import adapter_for, kinds
from adapters.table import TableAdapter
from gateway.bootstrap import running
from gateway.commands.setup.install import participants_check
from gateway.core.routing import Directory, Participant
from gateway.registry import contracts
from gateway.registry.config import load_config
from gateway.registry.contracts import check_words
from gateway.registry.participants import participant, read_form
from gateway.store.upkeep.migrate import migrate
from lianzhi.errors import ConfigurationError
from schemas.catalogue import Kind, catalogue
from simulation.parties import build, partner

HOME = Participant(
    "court-sn0199", Kind.COURT, "法院", "Court", "http", "canonical", home=True, accepts=("*",), opens=("*",)
)
VERIFY = "grid.verify.request"
ASSIST = "grid.service-assist.request"


def read(folder: Path, more: str) -> Participant:
    path = folder / "one-610199.toml"
    head = 'code = "one-610199"\nname = { zh = "演示单位", en = "Demo" }\nchannel = "amqp"\n'
    path.write_text(head + more, encoding="utf-8")
    return participant(read_form(path))


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ('kind = "forest"', ("one-610199.toml：kind：", "forest", "police", "grid", "No such kind")),
        ('kind = "grid"\ndialect = "grid/7"', ("one-610199.toml：dialect：", "grid/7", "grid/1", "No such dialect")),
        ('kind = "grid"\ndialect = "canonical"', ("one-610199.toml：dialect：", "canonical", "grid/1")),
        ('kind = "office"', ("one-610199.toml：dialect：", 'dialect = "plain/1"', "no dialect by default")),
    ],
)
def test_what_is_not_known_is_refused_with_what_is(tmp_path: Path, more: str, told: tuple[str, ...]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, more)
    assert [words for words in told if words not in str(caught.value)] == []


@pytest.mark.parametrize(
    ("more", "dialect"),
    [
        ('kind = "grid"', "grid/1"),
        ('kind = "office"\ndialect = "plain/1"', "plain/1"),
        ('kind = "grid"\ndialect = "plain/1"', "plain/1"),
        ('kind = "court"\nhome = true', "canonical"),
    ],
)
def test_a_kind_speaks_its_own_dialect_unless_it_names_another(tmp_path: Path, more: str, dialect: str) -> None:
    assert read(tmp_path, more).dialect == dialect


GRID = Participant("grid-610199", Kind.GRID, "网格", "Grid", "amqp", "grid/1", accepts=("grid.*",))


def test_every_message_of_the_registered_is_compiled(tmp_path: Path) -> None:
    check_words(Directory([HOME, GRID]), tmp_path)
    adapter = adapter_for("grid/1")
    assert isinstance(adapter, TableAdapter)
    one, other = (adapter.compiled(name, "receipt") for name in (VERIFY, "grid.visit.request"))
    assert one is other, "what is said alike is compiled once"


def test_a_member_without_a_word_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_words(Directory([HOME, replace(GRID, dialect="police/1", accepts=(ASSIST,))]), tmp_path)
    told = str(caught.value)
    for words in ("grid-610199.toml", "police/1", f"{ASSIST} open", "payload.envelopes"):
        assert words in told


def test_a_dialect_that_nobody_needs_is_not_looked_at(tmp_path: Path) -> None:
    """It lacks words of types that its speaker does not take."""
    check_words(Directory([HOME, replace(GRID, dialect="police/1", accepts=())]), tmp_path)


@pytest.mark.parametrize(("kind", "dialect"), [(name, d) for name, kind in kinds().items() for d in kind.dialects])
def test_every_dialect_has_words_for_whatever_its_kind_may_say_and_hear(
    kind: str, dialect: str, tmp_path: Path
) -> None:
    """The first place that names a member for which a kind's folder has no word yet."""
    everything = replace(GRID, code="other-1", kind=Kind(kind), dialect=dialect, accepts=("*",), opens=("*",))
    check_words(Directory([HOME, everything]), tmp_path)


def test_a_type_for_a_kind_without_a_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    misspelt = replace(catalogue()[VERIFY], receivers=frozenset({Kind("grids")}))
    monkeypatch.setattr(contracts, "catalogue", lambda: {VERIFY: misspelt})
    with pytest.raises(ConfigurationError, match=rf"{VERIFY}.*grids"):
        check_words(Directory([HOME]), tmp_path)


async def test_neither_check_nor_start_takes_an_installation_that_lacks_a_word(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    strange = partner("grid-610199", "grid", "网格（演示）", "Grid (demo)", [ASSIST], dialect="police/1")
    nowhere = "amqp://{user}@127.0.0.1:1/none"
    parties = build(tmp_path, amqp=nowhere, management="http://none", gateway_user=("g", "g"), partners=[strange])
    with pytest.raises(typer.Exit):
        participants_check(parties.folder)
    assert "payload.envelopes" in capsys.readouterr().err
    config = load_config(parties.folder)
    await migrate(config.store_url)
    with pytest.raises(ConfigurationError, match=r"payload\.envelopes"):
        async with running(config):
            pass
