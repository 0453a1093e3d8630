"""What a partner may do lawfully breaks no rule of `core.recovery.soundness`; what no statement can do is judged as
well."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from gateway.core.control.expiry import LAPSE, timer_kind
from gateway.core.records import Request
from gateway.core.recovery.soundness import Controlled, Leaving, Rows, Said, Waiting, examine

COURT, POLICE = "court-sn0199", "police-610199"
NUMBER = f"{POLICE}-20260324-900001"
AT = datetime(2026, 3, 24, tzinfo=UTC)


def request(**other: Any) -> Request:
    given: dict[str, Any] = {"state": "withdrawn", "asker": POLICE, "asked": COURT}
    return Request(
        NUMBER, "police.vehicle-hit.alert", 1, "alert", created_at=AT, updated_at=AT, **(given | other)
    )  # fmt: skip


def said(seqno: int, disposition: str = "applied", sender: str = POLICE) -> Said:
    return Said(sender, f"{sender}-{seqno}", seqno, "digest", disposition)


def rules(rows: Rows) -> list[str]:
    return [finding.rule for finding in examine(rows, {COURT}, None)]


def test_numbers_that_a_withdrawal_overtook_are_no_gap() -> None:
    withdrawn = request(asker_seq=9, facts={"withdraw_seq": 9})
    rows = Rows(NUMBER, withdrawn, [said(4, "overtaken"), said(9)])
    assert rules(rows) == []
    rows.messages.append(said(11))
    assert "seqno-gap" in rules(rows)


def test_a_number_that_is_used_twice_is_found() -> None:
    rows = Rows(NUMBER, request(asker_seq=2), [said(1), said(2), Said(POLICE, "other", 2, "digest", "applied")])
    assert rules(rows) == ["seqno-double"]


def test_a_counter_may_be_of_any_size() -> None:
    assert rules(Rows(NUMBER, request(asker_seq=2**53 - 1), [said(1)])) == ["seqno-counter"]


def test_an_open_that_was_refused_leaves_no_request() -> None:
    assert rules(Rows(NUMBER, None, [said(1, "quarantined")], told={("quarantined", "not-allowed")})) == []
    assert rules(Rows(NUMBER, None, [said(1)])) == ["message-request"]
    assert rules(Rows(NUMBER, None, [said(1, "quarantined", COURT)])) == ["message-request"]


def test_what_waits_for_its_open_has_its_clock() -> None:
    early, waits = [said(2, "held")], [Waiting(POLICE, 2, f"{POLICE}-2")]
    assert rules(Rows(NUMBER, None, early, held=waits, timers=["gap:asker"])) == []
    assert rules(Rows(NUMBER, None, early, held=waits, told={("gap", "asker")})) == []
    assert rules(Rows(NUMBER, None, early, held=waits)) == ["gap-timer"]
    assert rules(Rows(NUMBER, None, timers=["gap:asker"])) == ["timer-request"]


# --- a request of ours, and one row that is wrong --------------------------------------------------------------------

ASKED = f"{COURT}-20260324-000007"


def asked(state: str = "accepted", **other: Any) -> Request:
    given: dict[str, Any] = {"state": state, "asker": COURT, "asked": POLICE, "asker_seq": 1, "asked_seq": 2}
    return Request(ASKED, "grid.verify.request", 1, "ask", created_at=AT, updated_at=AT, **(given | other))


def sound(state: str = "accepted", **other: Any) -> Rows:
    opened = Said(COURT, "open", 1, "digest", "sent")
    return Rows(
        ASKED, asked(state, **other), [opened, said(1), said(2)], outbox=[Leaving(COURT, "open", 1, "sent")]
    )  # fmt: skip


def found(rows: Rows, block: int | None = 8) -> list[str]:
    return [finding.rule for finding in examine(rows, {COURT}, block)]


def test_a_sound_request_is_clean_whatever_its_state() -> None:
    clocks = {"approved": "unsent", "delivered": "receipt", "completed": "confirm", "withdrawing": "withdrawal"}
    for state in ("accepted", "dispatched", *clocks):
        rows = sound(state)
        rows.timers = [clocks[state]] if state in clocks else []
        assert found(rows) == [], state


def test_a_number_beyond_its_block_is_found() -> None:
    assert found(sound(), 7) == found(sound(), None) == ["number-block"]


def test_a_state_that_its_shape_does_not_have_is_found() -> None:
    assert found(sound("identity-checked")) == ["state"]


def test_a_message_of_somebody_else_is_found() -> None:
    rows = sound()
    rows.messages.append(Said("grid-610199", "x", 1, "digest", "applied"))
    assert found(rows) == ["message-party"]


def test_a_mark_that_names_other_bytes_or_nothing_is_found() -> None:
    assert found(sound(marks={"open": ["open", "digest"]})) == []
    assert found(sound(marks={"open": ["open", "other"]})) == ["mark"]
    assert found(sound(marks={"open": ["lost", "digest"]})) == ["mark"]


def test_what_waits_and_what_is_noted_of_it_agree() -> None:
    early, waits = said(4, "held"), Waiting(POLICE, 4, f"{POLICE}-4")
    rows = sound(held=1)
    rows.messages.append(early)
    rows.timers, rows.held = ["gap:asked"], [waits]
    assert found(rows) == []
    rows.held = []
    assert found(rows) == ["held-row", "held-count"]
    rows = sound(held=1)
    rows.timers, rows.held = ["gap:asked"], [waits]
    assert found(rows) == ["held-message"]
    rows.timers = []
    assert found(rows) == ["held-message", "gap-timer"]
    rows.told = {("gap", "asked:3")}
    assert found(rows) == ["held-message"]
    rows = sound(held=1)
    rows.messages.append(Said(POLICE, "late", 5, "digest", "held"))
    rows.timers, rows.held = ["gap:asked"], [Waiting(POLICE, 2, "late")]
    assert found(rows) == ["held-turn"]


def test_of_what_has_not_gone_the_first_is_ready() -> None:
    rows = sound()
    rows.outbox = [Leaving(COURT, "open", 1, "waiting"), Leaving(COURT, "urge", 2, "waiting")]
    assert found(rows) == ["outbox-stuck"]
    rows.outbox[0] = Leaving(COURT, "open", 1, "ready")
    assert found(rows) == []
    rows.outbox[0] = Leaving(COURT, "open", 1, "lost")
    assert found(rows) == ["outbox-state", "outbox-stuck"]


def test_a_clock_runs_or_has_said_its_last_word() -> None:
    rows = sound("delivered")
    assert found(rows) == ["clock"]
    rows.told = {("overdue", "receipt")}
    assert found(rows) == []
    rows = sound()
    rows.timers = ["receipt", "redeliver:open", "roster"]
    assert found(rows) == ["clock-idle"]


def test_what_is_watched_or_blocked_is_looked_at_again() -> None:
    rows = sound(facts={"watching": ["open"]})
    assert found(rows) == ["redeliver-timer"]
    rows.told = {("incident", "delivery-overdue:open")}
    assert found(rows) == []
    rows.told, rows.timers = set(), ["redeliver:open"]
    assert found(rows) == []
    rows = sound("blocked", reason="document-missing")
    rows.timers = ["blocked"]
    assert found(rows) == ["mend-timer"]
    rows.told = {("incident", "document-missing")}
    assert found(rows) == []


def test_a_measure_and_its_timer_belong_together() -> None:
    rows = sound()
    rows.measures = [
        Controlled(f"{ASKED}-1", "active", "seal", "2027-03-24"),
        Controlled(f"{ASKED}-2", "active", "seal", None),
        Controlled(f"{ASKED}-3", "ended", "seal", "2027-03-24"),
        Controlled(f"{ASKED}-4", "hit", "grace", "2027-03-24"),
    ]
    rows.timers = [timer_kind(f"{ASKED}-1", LAPSE)]
    assert found(rows) == []
    rows.timers = []
    assert found(rows) == ["measure-timer"]
    rows.timers = [timer_kind(f"{ASKED}-1", LAPSE), timer_kind(f"{ASKED}-9", LAPSE)]
    assert found(rows) == ["timer-measure"]


def test_without_its_request_nothing_may_stand() -> None:
    rows = Rows(NUMBER, None, outbox=[Leaving(COURT, "open", 1, "sent")], timers=["due", "roster"], loose=True)
    assert rules(rows) == ["outbox-request", "timer-request", "event-request"]
