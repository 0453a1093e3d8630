"""Who owes the next word, in every state, and never against the clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from gateway.core.records import Request
from gateway.core.requests.facts import Facts
from gateway.core.requests.lifecycle import STATES, TABLE, is_done
from gateway.core.requests.turns import turn_of, waits_for
from gateway.core.time.clocks import APPROVAL, BLOCKED, CONFIRM, DUE, OBJECTION, RULES, SUPPLEMENT, UNSENT, WITHDRAWAL

NOW = datetime(2026, 3, 24, 2, 0, tzinfo=UTC)
EVERY = [(shape, state) for shape, states in sorted(STATES.items()) for state in sorted(states)]


def request(shape: str, state: str, **facts: object) -> Request:
    return Request(
        request_no="court-sn0199-20260324-000001",
        type="police.person-locate.request",
        version=1,
        shape=shape,
        state=state,
        asker="court-sn0199",
        asked="police-610199",
        created_at=NOW,
        updated_at=NOW + timedelta(hours=1),
        facts=cast(Facts, facts),
    )


@pytest.mark.parametrize(("shape", "state"), EVERY)
def test_c11_every_open_state_waits_for_somebody_who_can_move_it(shape: str, state: str) -> None:
    one = request(shape, state)
    turn = turn_of(one)
    assert (turn is None) == is_done(one)
    movers = {row.by for row in TABLE if row.shape == shape and state in row.states and row.to != "="}
    assert turn is None or turn in movers


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.shape}-{rule.kind}")
def test_c11_a_clock_of_ones_own_runs_only_while_it_is_ones_turn(rule: object) -> None:
    kind, shape, states = rule.kind, rule.shape, rule.states  # type: ignore[attr-defined]
    owed = {
        APPROVAL: "asker", BLOCKED: "asker", SUPPLEMENT: "asker", CONFIRM: "asker", OBJECTION: "asker",
        UNSENT: "gateway", DUE: "asked", WITHDRAWAL: "asked",
    }  # fmt: skip
    facts = {"objection": True} if kind == OBJECTION else {}
    for state in states:
        if kind in owed and state != "undeliverable":
            assert turn_of(request(shape, state, **facts)) == owed[kind], state


def test_c11_it_is_named_by_its_code() -> None:
    assert waits_for(request("ask", "completed"), "court-sn0591") == "court-sn0199"
    assert waits_for(request("ask", "accepted"), "court-sn0591") == "police-610199"
    assert waits_for(request("ask", "approved"), "court-sn0591") == "court-sn0591"
    assert waits_for(request("ask", "closed"), "court-sn0591") is None
