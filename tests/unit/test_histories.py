"""What the events of a request say about it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.core.figures.histories import Ask, alert, ask
from gateway.core.records import Event, Request

START = datetime(2026, 3, 24, 2, tzinfo=UTC)
HOME, POLICE = "court-sn0199", "police-610199"


def request(**other: Any) -> Request:
    values: dict[str, Any] = {
        "request_no": f"{HOME}-20260324-000001",
        "type": "grid.verify.request",
        "version": 1,
        "shape": "ask",
        "state": "accepted",
        "asker": HOME,
        "asked": POLICE,
        "created_at": START,
        "updated_at": START,
    }
    return Request(**(values | other))


def said(verb: str | None, hours: float, **other: Any) -> Event:
    return Event(START + timedelta(hours=hours), HOME, "message", verb=verb, **other)


def told(*events: Event, as_of: float = 1000, **other: Any) -> Ask:
    return ask(request(**other), events, HOME, START + timedelta(hours=as_of))


def after(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def test_each_step_has_its_time() -> None:
    found = told(
        said("open", 0),
        said("delivered", 1),
        said("receipt", 2),
        said("accept", 3),
        said("result", 5, head={"outcome": "partial"}),
        said("result", 8, head={"outcome": "done"}),
        facts={"team": "执行一团队"},
    )
    assert (found.partner, found.team, found.incoming) == (POLICE, "执行一团队", False)
    assert found.delivered_at == after(1)
    assert found.received_at == after(2)
    assert (found.decided_at, found.decision, found.reason) == (after(3), "accepted", None)
    assert found.first_result_at == after(5)
    assert found.final_at == found.waiting_since == after(8)


def test_a_skipped_step_took_place_with_the_word_that_came_instead() -> None:
    found = told(said("result", 4, head={"outcome": "none"}))
    assert found.delivered_at == found.received_at == found.decided_at == found.final_at == after(4)
    assert found.decision == "accepted"


def test_a_refusal_is_final_and_has_its_reason() -> None:
    found = told(said("delivered", 1), said("refuse", 2, head={"reason_code": "homonym"}))
    assert (found.decision, found.reason, found.final_at) == ("refused", "homonym", after(2))
    assert found.first_result_at is None
    returned = told(said("return", 2, head={"reason_code": "doc-missing"}))
    assert (returned.decision, returned.reason) == ("returned", "doc-missing")


def test_what_was_sent_back_is_no_answer() -> None:
    events = (said("result", 2, head={"outcome": "done"}), said("reopen", 3))
    assert told(*events).final_at is None
    assert told(*events).waiting_since is None
    assert told(*events, said("result", 9, head={"outcome": "done"})).final_at == after(9)


def test_what_waits_is_what_waited_then() -> None:
    events = (said("result", 2, head={"outcome": "done"}), said("confirm", 10))
    assert told(*events, as_of=5).waiting_since == after(2)
    assert told(*events, as_of=11).waiting_since is None


def test_a_deadline_is_not_known_while_the_clock_stands() -> None:
    due = {"at": after(48).isoformat()}
    assert told(facts={"due": due}).due == after(48)
    assert told().due is None
    paused = {"due": {**due, "paused": after(3).isoformat()}}
    assert told(facts=paused).due is None
    answered = told(said("result", 3, head={"outcome": "done"}), facts=paused)
    assert answered.due == after(48)


def test_what_was_withdrawn_before_it_was_due_is_not_owed() -> None:
    due = {"due": {"at": after(48).isoformat()}}
    assert told(said("withdraw-ack", 5, state="withdrawn"), facts=due).due is None
    assert told(said("withdraw-ack", 50, state="withdrawn"), facts=due).due == after(48)


def test_a_request_of_theirs_is_counted_by_who_asks() -> None:
    found = told(asker="court-sn0528", asked=HOME)
    assert (found.partner, found.incoming) == ("court-sn0528", True)


def test_the_first_word_on_a_hit_acknowledges_it() -> None:
    hit = request(shape="alert", asker=POLICE, asked=HOME)
    assert alert(hit, [said("open", 0)], HOME).acknowledged_at is None
    found = alert(hit, [said("delivered", 0), said("send-team", 0.1), said("acknowledge", 0.2)], HOME)
    assert (found.raised_at, found.acknowledged_at, found.partner) == (START, after(0.1), POLICE)


# --- what the first page tells of it


def test_what_others_ask_of_us_arrives_when_it_stands_in_our_feed() -> None:
    """Its asker's own approval comes before that, and an asker who uses the API is never told `delivered`."""
    waits = Event(START, HOME, "state", state="awaiting-approval")
    sent = Event(after(3), HOME, "state", state="dispatched")
    received = said("receipt", 5, state="received")
    found = told(waits, sent, received, asker="court-sn0191", asked=HOME, handler="sn0191-0007")
    assert (found.incoming, found.delivered_at, found.received_at) == (True, after(3), after(5))
    assert found.handler is None, "its own people"
    assert told(waits, asker="court-sn0191", asked=HOME).delivered_at is None


def test_whose_it_is() -> None:
    facts = {"team": "执行一团队", "campaign": "春雷行动", "lead": "sn0199-0001"}
    found = told(facts=facts, handler="sn0199-0007", case_no="（2026）陕0199执900001号")
    assert (found.type, found.team, found.campaign) == ("grid.verify.request", "执行一团队", "春雷行动")
    assert (found.lead, found.handler, found.case_no) == ("sn0199-0001", "sn0199-0007", "（2026）陕0199执900001号")
    assert told(facts={"team": "　"}).team is None, "blanks name nobody"


def test_what_was_done_about_it() -> None:
    urged = (said("delivered", 1), said("urge", 30), said("urge", 60))
    supervised = Event(after(80), HOME, "supervised", detail="court-sn0199-20260327-000009")
    escalated = Event(after(90), HOME, "escalate")
    assert told(*urged).done.urged_at == (after(30), after(60))
    assert not told(*urged).done.answered
    assert not told(said("receipt", 40), *urged).done.answered, "that was before the last"
    done = told(*urged, said("receipt", 70), supervised, escalated).done
    assert (done.answered, done.supervised, done.escalated) == (True, "court-sn0199-20260327-000009", True)


def test_the_outcome_is_that_of_the_answer_that_stood() -> None:
    answers = (said("result", 3, head={"outcome": "impossible"}), said("reopen", 4))
    assert told(*answers).outcome is None
    assert told(*answers, said("result", 5, head={"outcome": "done"})).outcome == "done"
    assert told(said("refuse", 3, head={"reason_code": "homonym"})).outcome == "refuse"
    assert told(facts={"measure": "end"}).releases
    assert not told(facts={"measure": "open"}).releases
