"""Cursors: read back as given, refused when they are none of ours, gone when they are too old."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.application.cursors import feed_after, feed_cursor, page_after, page_cursor
from gateway.core.recovery.marks import Age
from lianzhi.crypto import base64url
from lianzhi.errors import RejectedError

NOW = datetime(2026, 3, 24, 2, 10, tzinfo=UTC)
FIRST = Age("aaaaaaaa-0000-4000-8000-000000000000", 0)
SECOND = Age("bbbbbbbb-0000-4000-8000-000000000000", 70)
THIRD = Age("cccccccc-0000-4000-8000-000000000000", 50)
AGES = (FIRST,)


@given(st.integers(0, 10**18 - 1), st.datetimes(datetime(1971, 1, 1), datetime(2999, 1, 1)))
def test_a_feed_cursor_is_read_back_whatever_time_it_names(event_id: int, at: datetime) -> None:
    assert feed_after(feed_cursor(event_id, at.replace(tzinfo=UTC), AGES), 1 if event_id else None, AGES) == event_id


@given(st.from_regex(r"[a-z0-9-]{1,40}-[0-9]{8}-[0-9]{6,9}", fullmatch=True))
def test_a_page_cursor_is_read_back(number: str) -> None:
    assert page_after(page_cursor(number)) == number


@given(st.text(max_size=200))
def test_any_other_text_is_no_cursor(text: str) -> None:
    for read in (page_after, lambda t: feed_after(t, 1, AGES)):
        with pytest.raises(RejectedError, match="bad-cursor"):
            read(text)


@pytest.mark.parametrize(
    "content",
    ["", "f1.", "f1.1", "f1.-1.1", "f1.1.x", "f1.1.1774318200.1", "f2.1.1774318200", "p1.a", "f1.1\n.1774318200"],
)
def test_what_only_looks_like_a_feed_cursor(content: str) -> None:
    with pytest.raises(RejectedError, match="bad-cursor"):
        feed_after(base64url.encode(content.encode()), 1, AGES)


def test_one_kind_is_not_the_other() -> None:
    with pytest.raises(RejectedError, match="bad-cursor"):
        page_after(feed_cursor(1, NOW, AGES))
    with pytest.raises(RejectedError, match="bad-cursor"):
        feed_after(page_cursor("a"), 1, AGES)


def test_a_cursor_is_gone_when_an_event_behind_it_may_be() -> None:
    assert feed_after(feed_cursor(7, NOW, AGES), 8, AGES) == 7
    assert feed_after(feed_cursor(7, NOW, AGES), None, AGES) == 7
    with pytest.raises(RejectedError, match="cursor-gone"):
        feed_after(feed_cursor(7, NOW, AGES), 9, AGES)


def go_on(cursor: str, ages: tuple[Age, ...]) -> str | None:
    """What a cursor of another incarnation is told."""
    with pytest.raises(RejectedError, match="other-incarnation") as told:
        feed_after(cursor, 1, ages)
    return told.value.cursor


def test_a_cursor_of_before_a_restore_leads_to_the_last_common_event() -> None:
    lost, kept = (feed_cursor(event, NOW, (FIRST,)) for event in (90, 60))
    for cursor, event in ((lost, 70), (kept, 60)):
        named = go_on(cursor, (FIRST, SECOND))
        assert named is not None
        assert feed_after(named, 1, (FIRST, SECOND)) == event


def test_what_two_restores_leave_in_common() -> None:
    assert go_on(feed_cursor(90, NOW, (FIRST,)), (FIRST, SECOND, THIRD)) == feed_cursor(50, NOW, (THIRD,))
    assert go_on(feed_cursor(40, NOW, (FIRST, SECOND)), (FIRST, SECOND, THIRD)) == feed_cursor(40, NOW, (THIRD,))


def test_a_cursor_of_an_incarnation_that_this_store_never_was_names_nothing() -> None:
    assert go_on(feed_cursor(90, NOW, (THIRD,)), (FIRST, SECOND)) is None


def test_the_old_form_is_of_the_first_incarnation() -> None:
    old = base64url.encode(f"f1.60.{int(NOW.timestamp())}".encode())
    assert feed_after(old, 1, (FIRST,)) == 60
    assert go_on(old, (FIRST, SECOND)) == feed_cursor(60, NOW, (SECOND,))
