"""What a mark says about a store, and where numbers go on after a restore (docs/adr/0030)."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.recovery.marks import JUMP, MARGIN, Age, Mark, Standing, Verdict, go_on, highest, judge

ONE, TWO, OTHER = (f"{letter * 8}-0000-4000-8000-000000000000" for letter in "abc")


def mark(sequence: int, event: int = 10, *, token: str = "t", of: str = ONE, **numbers: int) -> Mark:
    named = {f"court-sn0114/{day[1:]}": following for day, following in numbers.items()}
    return Mark(incarnation=of, sequence=sequence, token=token, event_id=event, numbers=named)


def store(sequence: int, event: int = 10, *, token: str = "t") -> Standing:
    return Standing(mark(sequence, event, token=token, of=TWO), (Age(ONE, 0), Age(TWO, 5)), empty=False)


def test_a_store_that_is_at_or_beyond_its_mark_is_sound() -> None:
    assert judge(store(7), mark(7, of=TWO)) is Verdict.SOUND
    assert judge(store(9, 30), mark(7, token="u", of=TWO)) is Verdict.SOUND


def test_a_store_below_its_mark_was_restored() -> None:
    assert judge(store(6, 30), mark(7, 10, of=TWO)) is Verdict.RESTORED
    assert judge(store(7, 10), mark(7, 11, of=TWO)) is Verdict.RESTORED  # within one block


def test_the_same_step_under_another_token_is_a_copy() -> None:
    assert judge(store(7), mark(7, token="u", of=TWO)) is Verdict.COPIED


def test_marks_of_an_earlier_life_say_nothing_and_of_an_unknown_one_are_foreign() -> None:
    assert judge(store(1), mark(99, of=ONE)) is Verdict.SOUND
    assert judge(store(99), mark(1, of=OTHER)) is Verdict.FOREIGN


@given(st.permutations([mark(3, 30, d20260324=101), mark(5, 20, token="u", d20260324=301), mark(4, 10, d20260325=1)]))
def test_marks_out_of_order_count_as_the_furthest_of_each(marks: list[Mark]) -> None:
    found = highest(marks, [ONE])
    assert found is not None
    assert (found.sequence, found.token, found.event_id) == (5, "u", 30)
    assert found.numbers == {"court-sn0114/20260324": 301, "court-sn0114/20260325": 1}


def test_an_unknown_incarnation_is_never_hidden_behind_a_known_one() -> None:
    found = highest([mark(9), mark(1, of=OTHER), mark(3, of=TWO)], [ONE, TWO])
    assert found is not None
    assert found.incarnation == OTHER


def test_numbers_go_on_past_every_one_that_a_mark_tells_of() -> None:
    following = go_on(
        {"court-sn0114/20260324": 101}, [mark(1, d20260324=301)], certain=True, openers=(), day="20260324"
    )
    assert following == {"court-sn0114/20260324": 301 + MARGIN}


def test_without_a_mark_that_tells_all_todays_numbers_jump() -> None:
    args: dict[str, Any] = {"openers": ["court-sn0114"], "day": "20260324"}
    first = go_on({"court-sn0114/20260324": 101}, [], certain=False, **args)
    assert first == {"court-sn0114/20260324": 101 + JUMP}
    told = Mark(incarnation=TWO, sequence=1, token="t", event_id=1, numbers=first)
    again = go_on({"court-sn0114/20260324": 101}, [told], certain=False, **args)
    assert again == {"court-sn0114/20260324": 101 + 2 * JUMP}
