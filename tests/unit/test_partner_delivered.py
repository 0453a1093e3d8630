"""The library writes `delivered` itself and must not know the adapters: so this holds its table against theirs."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from adapters.contract import Canonical
from adapters.registry import adapter_for, dialects
from adapters.rows import Dialect, code, moment
from adapters.table import TableAdapter
from lianzhi.partner.delivered import delivered_body
from schemas.catalogue import catalogue

NOW = datetime(2026, 3, 24, 2, 6, 37, 120000, tzinfo=UTC)
CANONICAL = {"stored_at": "2026-03-24T10:06:37+08:00", "system": "协查平台"}


@pytest.mark.parametrize("dialect", dialects())
async def test_the_words_of_every_dialect(dialect: str) -> None:
    adapter = adapter_for(dialect)
    for matter in catalogue():
        theirs = await adapter.encode(Canonical(matter, "delivered", CANONICAL))
        assert delivered_body(dialect, matter, "协查平台", NOW) == theirs, matter


@pytest.mark.parametrize("dialect", dialects())
def test_the_contract_says_the_same(dialect: str) -> None:
    """A form for every type, which makes the same body as the library's own table."""
    adapter = adapter_for(dialect)
    for matter in catalogue():
        form = adapter.delivered(matter)
        assert form
        own = delivered_body(dialect, matter, "协查平台", NOW)
        assert delivered_body("forest/3", matter, "协查平台", NOW, form) == own, matter


def test_a_form_that_templates_cannot_write_is_not_told() -> None:
    """Then the library's own table goes on."""
    rows = {"* delivered": {"stored_at": moment("at"), "system": code("by", {"甲": "1"})}}
    table = Dialect(name="small/1", zh="小", en="Small", fields=[*rows.items()])
    assert TableAdapter(table).delivered("grid.verify.request") is None


def test_an_unknown_dialect_speaks_canonical_names() -> None:
    assert delivered_body("forest/3", "x.y", "协查平台", NOW) == CANONICAL


def test_an_own_form() -> None:
    form = {"SJ": "{time:%H:%M}", "XT": "{system}"}
    assert delivered_body("police/1", "x.y", "协查平台", NOW, form) == {"SJ": "10:06", "XT": "协查平台"}
