"""What becomes of a message by its number (docs/contracts.md 3.2 Order), case by case."""

from __future__ import annotations

import pytest

from lianzhi.protocol.ordering import Order, decide, refusal, repeated


def order(seqno: int, expected: int, **more: object) -> Order:
    usual = {"withdrawn": 0, "taken": False, "withdraws": False, "distance": 10, "closed": False}
    return decide(seqno, expected, **{**usual, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seqno", "more", "becomes"),
    [
        (5, {}, Order.ACCEPT),
        (6, {}, Order.HOLD),
        (15, {}, Order.HOLD),
        (16, {}, Order.TOO_FAR),
        (4, {}, Order.NUMBER_REUSED),
        (4, {"taken": True}, Order.NUMBER_REUSED),
        (5, {"taken": True}, Order.NUMBER_REUSED),
        (6, {"taken": True}, Order.NUMBER_REUSED),
        (5, {"withdraws": True}, Order.ACCEPT),
        (6, {"withdraws": True}, Order.OVERTAKE),
        (16, {"withdraws": True}, Order.TOO_FAR),
        (6, {"withdraws": True, "taken": True}, Order.NUMBER_REUSED),
        (3, {"withdrawn": 4}, Order.KEEP),
        (3, {"withdrawn": 4, "taken": True}, Order.NUMBER_REUSED),
        (4, {"withdrawn": 4, "taken": True}, Order.NUMBER_REUSED),
        (3, {"withdrawn": 4, "withdraws": True}, Order.KEEP),
        (5, {"withdrawn": 4}, Order.ACCEPT),
        (7, {"withdrawn": 9}, Order.KEEP),
        (10, {"withdrawn": 9}, Order.HOLD),
        (10, {"withdrawn": 9, "withdraws": True}, Order.OVERTAKE),
        (5, {"withdrawn": 4, "closed": True}, Order.KEEP),
        (6, {"withdrawn": 4, "closed": True}, Order.KEEP),
        (5, {"withdrawn": 4, "closed": True, "withdraws": True}, Order.OVERTAKE),
    ],
)
def test_number_five_is_expected(seqno: int, more: dict[str, object], becomes: Order) -> None:
    assert order(seqno, 5, **more) is becomes


def test_the_same_message_again_is_a_duplicate_and_other_bytes_are_an_alarm() -> None:
    assert repeated("digest", "digest") is Order.DUPLICATE
    assert repeated("digest", "other") is Order.ID_REUSED


def test_what_a_refusal_says() -> None:
    told = {order: (refusal(order).code, refusal(order).pointer) for order in (Order.ID_REUSED, Order.NUMBER_REUSED)}
    assert told == {
        Order.ID_REUSED: ("id-reused", "/id"),
        Order.NUMBER_REUSED: ("sequence-reused", "/seqno"),
    }
