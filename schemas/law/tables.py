"""All tables of the law, in the order in which `lianzhi law list` shows them. A new one is added here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.law.answer_terms import ANSWER_TERMS
from schemas.law.circles import CIRCLES
from schemas.law.ending_papers import ENDING_PAPERS
from schemas.law.force import Table
from schemas.law.handlers import HANDLERS
from schemas.law.legal_bases import LEGAL_BASES
from schemas.law.lookouts import LOOKOUTS
from schemas.law.platform_items import PLATFORM_ITEMS
from schemas.law.signatures import SIGNATURES
from schemas.law.terms import TERMS
from schemas.law.visits import VISITS

TABLES: tuple[Table[Any], ...] = (
    LEGAL_BASES,
    TERMS,
    ANSWER_TERMS,
    CIRCLES,
    SIGNATURES,
    HANDLERS,
    LOOKOUTS,
    VISITS,
    PLATFORM_ITEMS,
    ENDING_PAPERS,
)
BY_NAME: Mapping[str, Table[Any]] = {table.name: table for table in TABLES}
