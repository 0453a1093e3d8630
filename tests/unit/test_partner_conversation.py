"""What a verified message does to its conversation, rule by rule (`lianzhi.partner.engine.conversation`)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianzhi.partner.engine.conversation import Arrival, Decision, decide
from lianzhi.partner.ledger.records import Conversation, Slot
from lianzhi.protocol.envelope import opener_of

COURT, OWN = "court-sn0199", "police-610199"
NUMBER = f"{COURT}-20260324-000001"
TYPE = "police.person-locate.request"


def arrival(verb: str, seqno: int, **more: object) -> Arrival:
    message = Arrival(COURT, f"{verb}-{seqno}", f"digest-{verb}-{seqno}", NUMBER, TYPE, 1, verb, seqno, "police/1")
    return replace(message, **more)  # type: ignore[arg-type]


class Book:
    """The ledger's part: keeps what `decide` says and shows it again."""

    def __init__(self) -> None:
        self.conversation: Conversation | None = None
        self.slots: dict[int, Slot] = {}
        self.applied: list[str] = []
        self.never: set[str] = set()

    def take(self, message: Arrival) -> Decision:
        known = next((s for s in self.slots.values() if s.id == message.id), None)
        decision = decide(self.conversation, message, known, self.slots, own_code=OWN)
        if decision.conversation is not None:
            self.conversation = decision.conversation
        if decision.verdict in ("duplicate", "refused"):
            return decision
        state = {"apply": "pending", "held": "held", "overtaken": "overtaken", "set-aside": "set-aside"}[
            decision.verdict
        ]
        self.slots[message.seqno] = Slot(message.id, message.digest, message.verb, state)  # type: ignore[arg-type]
        for number, slot in self.slots.items():
            if slot.id in decision.applied:
                self.slots[number] = replace(slot, state="pending")
            if slot.id in decision.overtaken:
                self.slots[number] = replace(slot, state="overtaken")
        self.applied += decision.applied
        self.never |= {*decision.overtaken, *((message.id,) if decision.verdict == "overtaken" else ())}
        return decision

    def started(self) -> None:
        assert self.conversation is not None
        self.conversation = replace(self.conversation, started=True)


def begun() -> Book:
    book = Book()
    book.take(arrival("open", 1, case_no="（2026）陕0199执900001号", refs=("k7m2q9xa",), reply_key=f"{COURT}.enc.cms1"))
    return book


def test_an_open_begins_the_conversation() -> None:
    book = begun()
    talk = book.conversation
    assert talk is not None
    assert (talk.role, talk.peer, talk.peer_next, talk.opened, talk.started) == ("asked", COURT, 2, True, False)
    assert (talk.refs, talk.reply_key) == (["k7m2q9xa"], f"{COURT}.enc.cms1")
    assert book.applied == ["open-1"]


def test_a_known_message_changes_nothing() -> None:
    book = begun()
    assert book.take(arrival("open", 1)).verdict == "duplicate"
    assert book.applied == ["open-1"]


def test_a_known_id_with_other_bytes_is_refused() -> None:
    decision = begun().take(arrival("open", 1, digest="other"))
    assert (decision.verdict, decision.reason) == ("refused", "id-reused")


def test_a_taken_number_with_another_id_is_refused() -> None:
    book = begun()
    book.take(arrival("urge", 3))
    for seqno, verb in ((1, "open"), (3, "urge")):
        decision = book.take(arrival(verb, seqno, id="another"))
        assert (decision.verdict, decision.reason) == ("refused", "sequence-reused"), seqno


@pytest.mark.parametrize(
    ("message", "reason", "pointer"),
    [
        (arrival("urge", 2, sender="court-sn0198"), "misdirected", "/source"),
        (arrival("urge", 2, type="police.vehicle-seal.request"), "misdirected", "/type"),
        (arrival("receipt", 2), "not-allowed", "/type"),
        (arrival("open", 2), "bad-envelope", "/seqno"),
    ],
)
def test_what_does_not_belong_is_refused(message: Arrival, reason: str, pointer: str) -> None:
    decision = begun().take(message)
    assert (decision.verdict, decision.reason, decision.pointer) == ("refused", reason, pointer)


def test_a_request_numbered_by_a_third_party_is_refused() -> None:
    decision = Book().take(arrival("open", 1, request_no="court-sn0198-20260324-000001"))
    assert (decision.verdict, decision.reason, decision.pointer) == ("refused", "misdirected", "/subject")


def test_an_answer_to_a_request_that_we_never_opened_is_refused() -> None:
    decision = Book().take(arrival("receipt", 1, request_no=f"{OWN}-20260324-000001"))
    assert (decision.verdict, decision.reason) == ("refused", "unknown-request")


def test_an_answer_to_our_own_request_is_applied() -> None:
    ours = Conversation(f"{OWN}-20260324-000001", TYPE, 1, "asker", COURT, "police/1", opened=True, started=True)
    ours.marks = {"open": ("our-open", "our-digest")}
    decision = decide(ours, arrival("acknowledge", 1, request_no=ours.request_no), None, {}, own_code=OWN)
    assert (decision.verdict, decision.applied) == ("apply", ("acknowledge-1",))


def test_an_early_message_is_held_until_the_gap_is_filled() -> None:
    book = begun()
    assert book.take(arrival("urge", 3)).verdict == "held"
    assert book.take(arrival("supplement", 2)).applied == ("supplement-2", "urge-3")


def test_a_message_before_the_open_is_held() -> None:
    book = Book()
    assert book.take(arrival("urge", 2)).verdict == "held"
    assert book.take(arrival("open", 1, case_no="案")).applied == ("open-1", "urge-2")
    assert book.conversation is not None
    assert book.conversation.case_no == "案"


def test_unusable_content_takes_its_number() -> None:
    book = begun()
    decision = book.take(arrival("supplement", 2, fault="cannot-open"))
    assert (decision.verdict, decision.reason, decision.applied) == ("set-aside", "cannot-open", ())
    assert book.take(arrival("urge", 3)).verdict == "apply"


def test_unusable_content_that_can_be_used_later_is_applied_after_all() -> None:
    book = begun()
    book.take(arrival("supplement", 2, fault="cannot-open"))
    assert book.take(arrival("supplement", 2, fault="cannot-open")).verdict == "duplicate"
    decision = book.take(arrival("supplement", 2))
    assert (decision.verdict, decision.applied) == ("apply", ("supplement-2",))
    assert decision.conversation is not None
    assert decision.conversation.peer_next == 3


def test_an_open_that_cannot_be_opened_begins_nothing() -> None:
    book = Book()
    decision = book.take(arrival("open", 1, fault="cannot-open"))
    assert (decision.verdict, decision.reason, book.conversation) == ("refused", "cannot-open", None)
    assert book.take(arrival("open", 1)).verdict == "apply"


def test_a_verb_that_we_do_not_know_is_set_aside() -> None:
    assert begun().take(arrival("teleport", 2, fault="unknown-verb")).verdict == "set-aside"


def test_a_withdrawal_overtakes_what_was_not_started() -> None:
    book = begun()
    book.take(arrival("urge", 3))
    decision = book.take(arrival("withdraw", 5))
    assert (decision.verdict, decision.not_started) == ("apply", True)
    assert set(decision.overtaken) == {"open-1", "urge-3"}
    assert book.take(arrival("supplement", 2)).verdict == "overtaken"
    assert book.take(arrival("objection-answer", 4)).verdict == "overtaken"
    assert book.applied == ["open-1", "withdraw-5"]
    assert book.conversation is not None
    assert book.conversation.peer_next == 6


def test_a_withdrawal_may_come_before_the_open() -> None:
    book = Book()
    assert book.take(arrival("withdraw", 2)).not_started
    assert book.take(arrival("open", 1)).verdict == "overtaken"
    assert book.take(arrival("evaluate", 3)).verdict == "overtaken"
    assert book.applied == ["withdraw-2"]


def test_the_application_answers_a_withdrawal_of_what_it_started() -> None:
    book = begun()
    book.started()
    decision = book.take(arrival("withdraw", 3))
    assert (decision.not_started, decision.overtaken) == (False, ())
    assert book.take(arrival("urge", 2)).verdict == "overtaken"
    assert book.take(arrival("urge", 4)).verdict == "apply"  # too late to withdraw: the request goes on


def test_what_comes_behind_a_withdrawal_waits_for_nothing_that_it_overtook() -> None:
    """Numbers 2 and 3 are lost: they would never be acted on."""
    book = begun()
    book.started()
    assert book.take(arrival("urge", 5)).verdict == "held"
    assert book.take(arrival("withdraw", 4)).applied == ("withdraw-4", "urge-5")
    assert book.take(arrival("urge", 6)).applied == ("urge-6",)
    assert book.take(arrival("supplement", 2)).verdict == "overtaken"
    assert book.take(arrival("supplement", 2, id="another")).reason == "sequence-reused"


def test_a_second_withdrawal_is_applied_and_an_older_one_overtaken() -> None:
    book = begun()
    book.started()
    book.take(arrival("withdraw", 3))
    assert book.take(arrival("withdraw", 2)).verdict == "overtaken"
    assert book.take(arrival("withdraw", 4)).verdict == "apply"


@given(st.permutations(range(1, 7)), st.data())
def test_any_order_of_arrival_is_applied_in_the_order_of_the_numbers(order: list[int], data: st.DataObject) -> None:
    messages = [arrival("open", 1), *(arrival("urge", n) for n in range(2, 7))]
    book = Book()
    for seqno in order:
        book.take(messages[seqno - 1])
        book.take(messages[data.draw(st.sampled_from(order[: order.index(seqno) + 1])) - 1])
    assert book.applied == [m.id for m in messages]


@given(st.permutations(range(1, 7)), st.integers(2, 6))
def test_nothing_that_a_withdrawal_overtakes_is_applied_after_it(order: list[int], withdrawn: int) -> None:
    verbs = {1: "open", withdrawn: "withdraw"}
    messages = {n: arrival(verbs.get(n, "urge"), n) for n in range(1, 7)}
    book = Book()
    for seqno in order:
        book.take(messages[seqno])
    after = book.applied[book.applied.index(f"withdraw-{withdrawn}") + 1 :]
    assert after == []
    assert book.conversation is not None
    assert book.conversation.peer_next == 7


def test_a_request_number_names_its_opener() -> None:
    assert opener_of("court-sn0199-20260324-000001") == "court-sn0199"
    assert opener_of("police-610199-x-20260324-1234567") == "police-610199-x"
