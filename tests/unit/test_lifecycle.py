"""The state machine: what the table promises, and the three rules beside it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from gateway.core.records import Request
from gateway.core.requests.facts import Facts
from gateway.core.requests.lifecycle import FIRST, STATES, TABLE, TERMINAL, Decision, Step, decide, is_done
from gateway.core.requests.state_words import STATE_WORDS, with_word
from lianzhi.errors import RejectedError
from lianzhi.protocol.verbs import VERBS
from tools.pages.states import states_document

NOW = datetime(2026, 3, 24, 2, 0, tzinfo=UTC)


def request(state: str, shape: str = "ask", **facts: Any) -> Request:
    return Request(
        request_no="court-sn0199-20260324-000001",
        type="grid.verify.request",
        version=1,
        shape=shape,
        state=state,
        asker="court-sn0199",
        asked="grid-610199",
        created_at=NOW,
        updated_at=NOW,
        facts=cast(Facts, facts),
    )


def say(state: str, verb: str, shape: str = "ask", facts: Facts | None = None, **data: Any) -> Decision:
    by = VERBS[verb].by if verb in VERBS else "gateway"
    step = Step(verb, by, NOW, message_id=f"id-{verb}", digest="d", origin="open-1", data=data, attempted=True)
    return decide(request(state, shape, **(facts or {})), step)


def test_the_documented_diagrams_are_the_table() -> None:
    assert Path("docs/states.md").read_text(encoding="utf-8") == states_document()


def test_no_pair_of_rows_disagrees() -> None:
    keys = [(r.shape, s, r.verb, r.by) for r in TABLE for s in r.states]
    assert len(keys) == len(set(keys))


def test_every_verb_of_the_table_is_said_by_its_own_side() -> None:
    for row in TABLE:
        if row.verb in VERBS:
            assert row.by == VERBS[row.verb].by, row


@pytest.mark.parametrize("shape", sorted(FIRST))
def test_every_state_that_is_not_terminal_has_an_exit(shape: str) -> None:
    leaving = {s for r in TABLE if r.shape == shape and r.to != "=" for s in r.states}
    assert STATES[shape] - TERMINAL[shape] - {"awaiting-approval"} <= leaving


@pytest.mark.parametrize("shape", sorted(FIRST))
def test_terminal_states_absorb(shape: str) -> None:
    for row in TABLE:
        if row.shape == shape:
            assert row.to == "=" or not set(row.states) & TERMINAL[shape], row


def test_a_result_may_come_before_the_confirm_and_the_steps_between_are_implied() -> None:
    decision = say("approved", "result", outcome="done")
    assert decision.state == "completed"
    assert decision.implied == ("dispatched", "delivered", "received", "accepted")


@pytest.mark.parametrize(
    ("outcome", "state"), [("done", "completed"), ("none", "completed"), ("partial", "partial"), ("impossible",) * 2]
)
def test_the_outcome_decides(outcome: str, state: str) -> None:
    assert say("in-progress", "result", outcome=outcome).state == state


def test_a_confirm_of_the_broker_that_comes_late_changes_nothing() -> None:
    assert say("received", "dispatched").state == "received"


def test_a_second_result_contradicts_but_a_correction_does_not() -> None:
    with pytest.raises(RejectedError, match="contradicts"):
        say("completed", "result", outcome="none")
    assert say("completed", "correct", outcome="none").state == "completed"


def test_more_may_follow_a_partial_result() -> None:
    assert say("partial", "result", outcome="done").state == "completed"


def test_two_receipts_that_disagree() -> None:
    first = say("delivered", "receipt", received_at="2026-03-24T10:31:52+08:00")
    assert first.state == "received"
    again = say("received", "receipt", facts=first.facts, received_at="2026-03-24T10:31:52+08:00")
    assert again.state == "received"
    with pytest.raises(RejectedError, match="contradicts"):
        say("received", "receipt", facts=first.facts, received_at="2026-03-24T11:00:00+08:00")


def test_refuse_after_receipt_is_normal() -> None:
    assert say("received", "refuse", reason_code="homonym").state == "refused"


def test_the_wrong_side_is_told_so() -> None:
    with pytest.raises(RejectedError, match="not-allowed"):
        decide(request("completed"), Step("confirm", "asked", NOW))


def test_a_verb_out_of_place() -> None:
    with pytest.raises(RejectedError, match="not-now"):
        say("dispatched", "confirm")


def test_withdrawn_before_dispatch_is_never_sent() -> None:
    decision = decide(request("approved"), Step("withdraw", "asker", NOW, attempted=False))
    assert (decision.state, decision.cancel) == ("withdrawn", True)


def test_withdrawn_while_a_dispatcher_has_it_in_hand_must_be_acknowledged() -> None:
    decision = decide(request("approved"), Step("withdraw", "asker", NOW, attempted=True))
    assert (decision.state, decision.cancel, decision.watch) == ("withdrawing", False, ("withdraw",))


def test_too_late_comes_back_to_where_it_was_and_is_flagged() -> None:
    withdrawing = say("accepted", "withdraw")
    assert withdrawing.state == "withdrawing"
    decision = say("withdrawing", "withdraw-ack", facts=withdrawing.facts, effect="too-late")
    assert decision.state == "accepted"
    assert decision.facts["too_late"] is True
    assert ("too-late", "withdraw") in decision.notes


def test_a_result_that_crosses_a_withdrawal_is_where_it_comes_back_to() -> None:
    withdrawing = say("accepted", "withdraw")
    crossed = say("withdrawing", "result", facts=withdrawing.facts, outcome="done")
    assert crossed.state == "withdrawing"
    decision = say("withdrawing", "withdraw-ack", facts=crossed.facts, effect="too-late")
    assert decision.state == "completed"


def test_what_has_given_a_result_was_started() -> None:
    crossed = say("withdrawing", "result", facts=say("accepted", "withdraw").facts, outcome="done")
    with pytest.raises(RejectedError, match="contradicts"):
        say("withdrawing", "withdraw-ack", facts=crossed.facts, effect="not-started")


def test_a_reversed_withdrawal_is_withdrawn() -> None:
    withdrawing = say("accepted", "withdraw")
    assert say("withdrawing", "withdraw-ack", facts=withdrawing.facts, effect="reversed").state == "withdrawn"


def test_an_identity_check_that_fails_leads_nowhere() -> None:
    good: dict[str, Any] = {"plate_ok": True, "vin_ok": True, "photo_ok": True}
    assert say("team-sent", "identity-check", "alert", **good).state == "identity-checked"
    assert say("team-sent", "identity-check", "alert", **{**good, "vin_ok": False}).state == "team-sent"
    assert say("team-sent", "identity-check", "alert", id_ok=True, photo_ok=True).state == "identity-checked"
    assert say("team-sent", "identity-check", "alert", id_ok=False, photo_ok=True).state == "team-sent"


def test_seizure_needs_the_identity_check() -> None:
    with pytest.raises(RejectedError, match="not-now"):
        say("team-sent", "handover", "alert")


def test_a_notice_that_was_read_owes_nothing_and_can_still_be_withdrawn() -> None:
    assert is_done(request("read", "notice"))
    assert say("read", "withdraw", "notice").state == "withdrawing"


def test_marks_keep_the_last_message_of_each_verb_latest_last() -> None:
    one = request("delivered")
    one.marks = {"open": ["a", "x"], "receipt": ["b", "y"]}
    step = Step("receipt", "asked", NOW, message_id="c", digest="z", origin="a", data={"received_at": "t"})
    assert list(decide(one, step).marks.items()) == [("open", ["a", "x"]), ("receipt", ["c", "z"])]


def test_every_state_has_a_chinese_word_and_no_other_has() -> None:
    assert STATE_WORDS.keys() == frozenset().union(*STATES.values())
    assert with_word("received") == "received（已签收）" and with_word(None) is None
