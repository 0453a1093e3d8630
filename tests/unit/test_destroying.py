"""How long a place that was found is kept (docs/domain.md section 4)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from gateway.application.conversation.apply_verb import keep_for_its_time
from gateway.core.records import Changes
from schemas.catalogue import catalogue
from tests.contract.samples import NOW, message
from tests.faults import GRID, PERSON


@pytest.mark.parametrize(
    ("head", "hours"),
    [({"ttl_hours": 24}, 24), ({"ttl_hours": 72}, 72), ({"ttl_hours": 99}, 72), ({"outcome": "done"}, 72), (None, 72)],
)
def test_at_most_72_hours_and_less_where_the_police_say_so(head: Any, hours: int) -> None:
    changes = Changes()
    keep_for_its_time(catalogue()[PERSON], message(verb="result", stored_at=NOW), head, changes)
    (timer,) = changes.timers
    assert timer.due_at == NOW + timedelta(hours=hours)


@pytest.mark.parametrize(("type", "verb"), [(PERSON, "receipt"), (PERSON, "open"), (GRID, "result")])
def test_what_tells_no_place_is_kept(type: str, verb: str) -> None:
    changes = Changes()
    keep_for_its_time(catalogue()[type], message(verb=verb), {"ttl_hours": 24}, changes)
    assert changes.timers == []
