"""What is done has its number, money its amount, a share the time of its publication; what ends has its own paper."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from gateway.core.control.seizures import ranked
from schemas.answers import AMOUNT, NUMBER, PUBLISHED, undone
from schemas.catalogue import catalogue
from schemas.law.ending_papers import ending_kinds, ending_paper, is_too_early, papers_to_end
from schemas.matters.entrust.commissions import COMMISSIONS
from schemas.validation import parse_open
from schemas.values.labels import DOCUMENTS
from tests.unit.test_sums import measure

TODAY = date(2026, 3, 24)
WANTED = {
    "freeze-deposit": (NUMBER, AMOUNT),
    "freeze-wealth": (NUMBER, AMOUNT),
    "deduct-deposit": (NUMBER, AMOUNT),
    "freeze-equity": (NUMBER, PUBLISHED),
    "seal-realty": (NUMBER,),
    "renew-seal-realty": (NUMBER,),
    "detain-movable": (NUMBER,),
    "unseal-realty": (),
    "serve-document": (),
}


def item(**members: Any) -> dict[str, Any]:
    return {"outcome": "done", "items": [{"ref": "v5t9c2hb", "status": "done", **members}]}


@pytest.mark.parametrize(("code", "states"), WANTED.items())
def test_by_matter_code(code: str, states: tuple[str, ...]) -> None:
    assert COMMISSIONS[code].done_states == states


@pytest.mark.parametrize(
    ("states", "members", "faults"),
    [
        ((NUMBER,), {}, [("/items/0/registry_no", "done-number-required")]),
        ((NUMBER,), {"receipt_no": "HZ-1"}, []),
        ((NUMBER, AMOUNT), {"registry_no": "DJ-1"}, [("/items/0/amount", "done-amount-required")]),
        ((NUMBER, AMOUNT), {"registry_no": "DJ-1", "amount": "0.00"}, []),
        ((PUBLISHED,), {}, [("/items/0/published_at", "publication-required")]),
        ((NUMBER, AMOUNT), {"status": "queued", "rank": 2}, []),
        ((NUMBER, AMOUNT), {"status": "failed"}, []),
    ],
)
def test_what_is_lacking(states: tuple[str, ...], members: dict[str, Any], faults: list[tuple[str, str]]) -> None:
    assert [(f.pointer, f.rule) for f in undone(states, item(**members))] == faults


def test_nothing_is_wanted_of_another_word() -> None:
    assert undone((NUMBER,), {"outcome": "none", "items": []}) == undone((), item()) == undone((NUMBER,), {}) == []


def test_each_measure_of_the_catalogue_has_a_paper_that_ends_it_and_it_is_asked_for() -> None:
    for matter in catalogue().values():
        rule = matter.measure(payload := parse_open(matter, matter.example_request))
        if rule is None:
            continue
        row = ending_paper(rule.action, TODAY)
        assert row is not None or rule.effect == "require", rule.action
        if row is not None and rule.effect == "end":
            assert set(papers_to_end(rule.action, TODAY)) <= set(matter.papers(payload, TODAY)), matter.name
            assert "enforcement-ruling" not in matter.papers(payload, TODAY)
    assert ending_kinds(TODAY) <= set(DOCUMENTS)


def test_the_ruling_that_sealed_is_too_early() -> None:
    assert is_too_early("2026-03-20", "2026-03-24")
    assert not is_too_early("2026-03-24", "2026-03-24")


def test_the_first_that_was_published_is_the_first() -> None:
    def share(number: int, hour: int | None, rank: int | None, state: str = "active") -> Any:
        at = None if hour is None else datetime(2026, 4, 1, hour, tzinfo=UTC)
        return measure(measure_no=f"m-{number}", published_at=at, rank=rank, state=state)

    answered_first, published_first = share(1, 9, 1), share(2, 8, 1)
    (moved,) = ranked([answered_first, published_first])
    assert (moved.measure_no, moved.rank) == ("m-1", 2)
    assert ranked([share(1, 8, 3), share(2, 9, 4)]) == []  # the register knows of others
    assert ranked([share(1, 8, 1, "ended"), share(2, 9, 1), share(3, None, 1)]) == []
