"""The drawing of the rooms in docs/architecture.md is what the import contracts say."""

from __future__ import annotations

from tools.rooms import PAGE, contracts, rooms_document, with_rooms


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
