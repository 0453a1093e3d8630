"""The audit of the demo finds each kind of damage, and only that, in books written by hand."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey

from lianzhi.crypto.sdjwt import digest_of
from simulation.reconciliation.audit import Audit, Findings
from simulation.reconciliation.ledgers import (
    AgencyBook,
    CourtBook,
    Quarantined,
    Sent,
    StoreBook,
    StoredMessage,
    StoredRequest,
)

HOME, GRID = "court-sn0199", "grid-610199"
NUMBER = f"{HOME}-20260324-000001"
OPEN, RESULT, CONFIRM = "m-open", "m-result", "m-confirm"
OUR_KEY, GRID_KEY = ECKey.generate_key("P-256"), ECKey.generate_key("P-256")
CLEAN = Findings((), (), ())


def message(sender: str, message_id: str, verb: str, key: ECKey, *, outcome: str = "done") -> StoredMessage:
    receiver = GRID if sender == HOME else HOME
    event = {
        "id": message_id,
        "source": f"//{sender}",
        "receiver": receiver,
        "type": f"lianzhi.grid.verify.request.{verb}",
        "subject": NUMBER,
        "data": {"head": {"outcome": outcome}},
    }
    header = {"alg": "ES256", "kid": f"{sender}.sig.1"}
    text = jws.serialize_compact(header, json.dumps(event).encode(), key, algorithms=["ES256"])
    return StoredMessage(NUMBER, receiver, verb, "sent" if sender == HOME else "applied", text)


MESSAGES = {
    (HOME, OPEN): message(HOME, OPEN, "open", OUR_KEY),
    (GRID, RESULT): message(GRID, RESULT, "result", GRID_KEY),
    (HOME, CONFIRM): message(HOME, CONFIRM, "confirm", OUR_KEY),
}
COURT = CourtBook({NUMBER: {"request_no": NUMBER}}, {CONFIRM: (NUMBER, "confirm")})
BOOK = AgencyBook(
    received={mid: digest_of(MESSAGES[HOME, mid].jws) for mid in (OPEN, CONFIRM)},
    effects=Counter({NUMBER: 1}),
    sent={RESULT: Sent(NUMBER, "result", digest_of(MESSAGES[GRID, RESULT].jws))},
)
STORE = StoreBook(
    requests={NUMBER: StoredRequest("closed", None, "grid.verify.request", HOME, GRID)},
    messages=MESSAGES,
    unsent=frozenset(),
    quarantine=(),
)


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    for code, key in ((HOME, OUR_KEY), (GRID, GRID_KEY)):
        public = key.as_dict(private=False) | {"kid": f"{code}.sig.1"}
        (tmp_path / f"{code}.sig.1.jwk").write_text(json.dumps(public))
    return Audit(HOME, tmp_path)


def in_state(state: str, reason: str | None = None) -> dict[str, StoredRequest]:
    return {NUMBER: replace(STORE.requests[NUMBER], state=state, reason=reason)}


def without(*keys: tuple[str, str]) -> dict[tuple[str, str], StoredMessage]:
    return {key: kept for key, kept in MESSAGES.items() if key not in keys}


def with_result(**changed: Any) -> Mapping[tuple[str, str], StoredMessage]:
    return {**MESSAGES, (GRID, RESULT): replace(MESSAGES[GRID, RESULT], **changed)}


def examine(audit: Audit, *, book: AgencyBook = BOOK, store: StoreBook = STORE, court: CourtBook = COURT) -> Findings:
    return audit.examine(court, {GRID: book}, store)


def test_books_that_agree(audit: Audit) -> None:
    assert examine(audit) == CLEAN


@pytest.mark.parametrize("received", [{}, {OPEN: "other-bytes", CONFIRM: BOOK.received[CONFIRM]}])
def test_a_202_that_did_not_reach_its_agency_is_lost(audit: Audit, received: dict[str, str]) -> None:
    store = replace(STORE, requests=in_state("approved"))
    assert examine(audit, book=replace(BOOK, received=received), store=store) == Findings((NUMBER,), (), ())


def test_a_202_that_the_store_never_heard_of_is_lost(audit: Audit) -> None:
    nothing = AgencyBook({}, Counter(), {})
    store = StoreBook({}, {}, frozenset(), ())
    assert examine(audit, book=nothing, store=store).lost == (NUMBER,)


@pytest.mark.parametrize("state", ["blocked", "undeliverable", "withdrawn"])
def test_what_is_parked_where_anybody_sees_it_is_not_lost(audit: Audit, state: str) -> None:
    court = CourtBook(COURT.accepted, {})
    store = replace(STORE, requests=in_state(state, "why"), messages={})
    assert examine(audit, book=AgencyBook({}, Counter(), {}), store=store, court=court) == CLEAN


def test_what_waits_to_be_sent_is_not_lost(audit: Audit) -> None:
    waiting = replace(STORE, requests=in_state("approved"), unsent=frozenset({(HOME, OPEN), (HOME, CONFIRM)}))
    assert examine(audit, book=replace(BOOK, received={}), store=waiting) == CLEAN


def test_a_later_word_of_the_court_is_lost_too(audit: Audit) -> None:
    book = replace(BOOK, received={OPEN: BOOK.received[OPEN]})
    assert examine(audit, book=book).lost == (NUMBER,)


@pytest.mark.parametrize("messages", [without((GRID, RESULT)), with_result(disposition="held")])
def test_an_answer_that_is_not_applied_is_lost(audit: Audit, messages: Mapping[tuple[str, str], StoredMessage]) -> None:
    store = replace(STORE, messages=messages)
    assert examine(audit, store=store) == Findings((NUMBER,), (), ())


def test_an_answer_in_quarantine_is_not_lost(audit: Audit) -> None:
    row = Quarantined(GRID, "misdirected", "0" * 64, RESULT, NUMBER)
    store = replace(STORE, messages=without((GRID, RESULT)), quarantine=(row,))
    assert examine(audit, store=store) == CLEAN


def test_each_effect_beyond_the_first_counts(audit: Audit) -> None:
    book = replace(BOOK, effects=Counter({NUMBER: 3}))
    assert examine(audit, book=book) == Findings((), (NUMBER, NUMBER), ())


def test_an_applied_message_that_the_agency_did_not_send_is_forged(audit: Audit) -> None:
    book = replace(BOOK, sent={})
    assert examine(audit, book=book) == Findings((), (), ((GRID, RESULT),))


def test_other_bytes_than_those_sent_are_forged_though_signed(audit: Audit) -> None:
    other = message(GRID, RESULT, "result", GRID_KEY, outcome="none")
    assert examine(audit, store=replace(STORE, messages=with_result(jws=other.jws))).forged == ((GRID, RESULT),)


@pytest.mark.parametrize(
    "text",
    [
        message(GRID, RESULT, "result", OUR_KEY).jws,  # signed by another
        message(HOME, RESULT, "result", OUR_KEY).jws,  # under the court's own kid
        message(GRID, CONFIRM, "result", GRID_KEY).jws,  # filed under another id than it says
        message(GRID, RESULT, "refuse", GRID_KEY).jws,  # or as another verb
        "no.jws.atall",
    ],
    ids=["by another", "court's kid", "other id", "other verb", "no JWS"],
)
def test_what_does_not_verify_or_says_to_be_another_is_forged(audit: Audit, text: str) -> None:
    book = replace(BOOK, sent={RESULT: Sent(NUMBER, "result", digest_of(text))})
    store = replace(STORE, messages=with_result(jws=text))
    assert examine(audit, book=book, store=store) == Findings((), (), ((GRID, RESULT),))


def test_a_quarantined_message_is_not_believed_and_not_forged(audit: Audit) -> None:
    stranger = message(GRID, RESULT, "result", ECKey.generate_key("P-256")).jws
    store = replace(STORE, messages=with_result(jws=stranger, disposition="quarantined"))
    assert examine(audit, book=replace(BOOK, sent={}), store=store) == CLEAN
