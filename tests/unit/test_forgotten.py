"""In which order what is kept of a forgotten request is judged."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.recovery.forgotten import Forgotten, in_order, opening

COURT, GRID = "court-sn0199", "grid-610199"
NINE = datetime(2026, 3, 24, 9, tzinfo=UTC)


def message(name: str, sender: str, verb: str, seqno: int, answers: str | None, minute: int) -> Forgotten:
    time = NINE + timedelta(minutes=minute)
    return Forgotten(
        GRID, name, "court-sn0199-20260324-000007", sender, name, verb, seqno, answers, None, b"x", 1, time, time
    )


OPEN = message("o", COURT, "open", 1, None, 0)
DELIVERED = message("d", GRID, "delivered", 1, "o", -30)  # by a clock that is half an hour behind
RESULT = message("r", GRID, "result", 2, "o", -20)
CONFIRM = message("c", COURT, "confirm", 2, "r", 5)
REOPENED = message("a", GRID, "result", 3, "o", -10)
SAID = [OPEN, DELIVERED, RESULT, CONFIRM, REOPENED]


def test_an_answer_comes_after_what_it_answers_whatever_the_clocks_say() -> None:
    for some in permutations(SAID):
        ordered = [m.message_id for m in in_order(some)]
        assert ordered.index("o") == 0
        assert ordered.index("r") < ordered.index("c")
        assert [m for m in ordered if m in "dra"] == ["d", "r", "a"]


@given(st.permutations(SAID), st.sets(st.sampled_from("odrca")))
def test_nothing_is_left_out_or_twice_and_each_side_keeps_its_numbers(said: list[Forgotten], gone: set[str]) -> None:
    left = [m for m in said if m.message_id not in gone]
    ordered = in_order(left)
    assert sorted(m.message_id for m in ordered) == sorted(m.message_id for m in left)
    for sender in (COURT, GRID):
        numbers = [m.seqno for m in ordered if m.sender == sender]
        assert numbers == sorted(numbers)


def test_two_that_answer_each_other_end_all_the_same() -> None:
    one, other = replace(CONFIRM, causationid="r"), replace(RESULT, causationid="c", seqno=1)
    assert len(in_order([one, other])) == 2


def test_only_our_own_whole_open_proves_a_request() -> None:
    assert opening([DELIVERED, OPEN]) is OPEN
    assert opening([DELIVERED, replace(OPEN, body=b"")]) is None
    assert opening([replace(OPEN, sender=GRID)]) is None
    assert opening([CONFIRM]) is None
