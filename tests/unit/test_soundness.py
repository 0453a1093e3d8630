"""What a partner may do lawfully breaks no rule of `core.soundness`; what no statement can do is judged as well."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from gateway.core.records import Request
from gateway.core.soundness import Rows, Said, Waiting, examine

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
