"""Cursors: read back as given, refused when they are none of ours, gone when they are too old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.crypto import base64url
from gateway.errors import RejectedError
from gateway.services.cursors import feed_after, feed_cursor, page_after, page_cursor

NOW = datetime(2026, 3, 24, 2, 10, tzinfo=UTC)
DAYS = 90


@given(st.integers(0, 10**18 - 1), st.timedeltas(timedelta(0), timedelta(days=89)))
def test_a_feed_cursor_is_read_back(event_id: int, later: timedelta) -> None:
    assert feed_after(feed_cursor(event_id, NOW), NOW + later, DAYS) == event_id


@given(st.from_regex(r"[a-z0-9-]{1,40}-[0-9]{8}-[0-9]{6,9}", fullmatch=True))
def test_a_page_cursor_is_read_back(number: str) -> None:
    assert page_after(page_cursor(number)) == number


@given(st.text(max_size=200))
def test_any_other_text_is_no_cursor(text: str) -> None:
    for read in (page_after, lambda t: feed_after(t, NOW, DAYS)):
        with pytest.raises(RejectedError, match="bad-cursor"):
            read(text)


@pytest.mark.parametrize(
    "content",
    ["", "f1.", "f1.1", "f1.-1.1", "f1.1.x", "f1.1.1774318200.1", "f2.1.1774318200", "p1.a", "f1.1\n.1774318200"],
)
def test_what_only_looks_like_a_feed_cursor(content: str) -> None:
    with pytest.raises(RejectedError, match="bad-cursor"):
        feed_after(base64url.encode(content.encode()), NOW, DAYS)


def test_one_kind_is_not_the_other() -> None:
    with pytest.raises(RejectedError, match="bad-cursor"):
        page_after(feed_cursor(1, NOW))
    with pytest.raises(RejectedError, match="bad-cursor"):
        feed_after(page_cursor("a"), NOW, DAYS)


def test_a_cursor_from_the_future_is_made_up() -> None:
    with pytest.raises(RejectedError, match="bad-cursor"):
        feed_after(feed_cursor(1, NOW + timedelta(hours=2)), NOW, DAYS)


def test_a_cursor_is_gone_before_what_follows_it_can_be() -> None:
    cursor = feed_cursor(1, NOW)
    assert feed_after(cursor, NOW + timedelta(days=DAYS, hours=-1), DAYS) == 1
    with pytest.raises(RejectedError, match="cursor-gone"):
        feed_after(cursor, NOW + timedelta(days=DAYS, minutes=-59), DAYS)
