"""The drawing of the rooms in docs/architecture.md is what the import contracts say."""

from __future__ import annotations

from collections import Counter

import pytest

from tools.docs.rooms import PAGE, ROOT, contracts, rooms_document, with_rooms


def test_the_page_is_what_the_contracts_say() -> None:
    """After a change: `make docs`."""
    page = PAGE.read_text(encoding="utf-8")
    assert with_rooms(page, rooms_document(contracts())) == page


def test_a_contract_that_changes_changes_the_page() -> None:
    found = contracts()
    rooms = next(c for c in found if c.get("containers") == ["gateway.application"])
    fewer = [layer for layer in rooms["layers"] if not layer.startswith("queries")]
    other = [c if c is not rooms else {**rooms, "layers": fewer} for c in found]
    drawn, redrawn = rooms_document(found), rooms_document(other)
    assert '"queries : cases' in drawn
    assert '"queries : cases' not in redrawn
    assert "`gateway.application.queries`" not in redrawn


def test_rooms_inside_a_room_are_listed() -> None:
    assert "| `gateway.core.control` | Control measures" in rooms_document(contracts())


@pytest.mark.parametrize("root", ["library", "schemas", "adapters", "gateway", "simulation", "tools"])
def test_no_room_holds_more_than_a_reader_takes_in(root: str) -> None:
    held = Counter(str(path.parent.relative_to(ROOT)) for path in (ROOT / root).rglob("*.py"))
    held.pop("gateway/store/migrations/versions", None)  # a history, which only grows
    assert held and {room: count for room, count in held.items() if count > 15} == {}
