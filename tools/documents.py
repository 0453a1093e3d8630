"""Writes every page and table that is made from the code: `make docs`. Unit tests compare each with what is written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gateway.core.settings import Terms
from schemas.catalogue import catalogue
from tools.docs.alerts import PAGE as ALERTS_PAGE
from tools.docs.alerts import with_alerts
from tools.docs.cards import cards_document
from tools.docs.conditions import alerts_document
from tools.docs.decisions import FOLDER, INDEX, index
from tools.docs.delivered import delivered_document
from tools.docs.forms import forms_document
from tools.docs.metrics import metrics_document
from tools.docs.problems import problems_document
from tools.docs.rooms import PAGE, contracts, rooms_document, with_rooms
from tools.pages.clocks import clocks_document
from tools.pages.linkages import linkages_document
from tools.pages.states import states_document

ROOT = Path(__file__).parents[1]


def documents() -> Iterator[tuple[Path, str]]:
    """Each file with its content."""
    docs, types = ROOT / "docs", catalogue()
    yield docs / "states.md", states_document()
    yield docs / "clocks.md", clocks_document(Terms())
    yield docs / "linkages.md", linkages_document(types)
    yield docs / "forms.md", forms_document(types)
    yield docs / "handbook" / "alerts.md", alerts_document()
    yield docs / "handbook" / "problems.md", problems_document()
    yield docs / "handbook" / "metrics.md", metrics_document()
    yield ALERTS_PAGE, with_alerts(ALERTS_PAGE.read_text("utf-8"))
    yield PAGE, with_rooms(PAGE.read_text("utf-8"), rooms_document(contracts()))
    yield INDEX, index(FOLDER)
    yield ROOT / "library" / "lianzhi" / "protocol" / "tables" / "cards.json", cards_document(types)
    yield ROOT / "library" / "lianzhi" / "partner" / "delivered.json", delivered_document(types)


if __name__ == "__main__":
    for path, text in documents():
        if path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
            print(path.relative_to(ROOT))
