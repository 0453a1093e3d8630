"""What a partner reads in a notice: version 1, version 2, and whatever a newer or broken gateway writes."""

from __future__ import annotations

from typing import Any

import pytest

from lianzhi.partner.engine.notices import read_notice
from lianzhi.partner.ledger.records import Notice
from lianzhi.protocol.envelope import OutsideEnvelope

ID = "01960000-0000-7000-8000-000000000001"
NUMBER = "court-sn0199-20260324-000001"
ENVELOPE = OutsideEnvelope.model_validate(
    {
        "specversion": "1.0",
        "id": ID,
        "source": "//court-sn0199",
        "receiver": "police-610199",
        "type": "lianzhi.gateway.notice",
        "time": "2026-03-24T02:06:12.234Z",
        "datacontenttype": "application/json",
        "data": {"_sd": ["A" * 43]},
    }
)
V1 = {
    "message_id": ID,
    "body_sha256": "0" * 64,
    "reason": "invalid-field",
    "pointer": "/items/0/ref",
    "title_zh": "字段不合规则",
    "title_en": "Invalid field",
    "next_seqno": 3,
    "request_no": NUMBER,
}
V2 = V1 | {
    "version": 2,
    "rule": "ref-unknown",
    "detail_zh": "没有这个对象",
    "detail_en": "No such object",
    "clock_offset_ms": -1500,
    "incarnation": "a1",
}


def read(**changes: Any) -> Notice:
    notice = read_notice(ENVELOPE, V2 | changes)
    assert notice is not None
    return notice


def test_version_1() -> None:
    notice = read_notice(ENVELOPE, V1)
    assert notice == Notice(
        sender="court-sn0199",
        id=ID,
        at="2026-03-24T02:06:12.234Z",
        reason="invalid-field",
        title_zh="字段不合规则",
        title_en="Invalid field",
        message_id=ID,
        pointer="/items/0/ref",
        request_no=NUMBER,
        next_seqno=3,
        body_sha256="0" * 64,
    )


def test_version_2() -> None:
    notice = read()
    assert (notice.rule, notice.detail_zh, notice.detail_en) == ("ref-unknown", "没有这个对象", "No such object")
    assert (notice.clock_offset_ms, notice.next_seqno, notice.request_no) == (-1500, 3, NUMBER)


def test_what_a_newer_gateway_says_more_is_passed_over() -> None:
    assert read(version=3, severity={"level": 9}, remedy=["x"]) == read()


@pytest.mark.parametrize(
    ("member", "value", "kept"),
    [
        ("reason", "not a code\n", "unknown"),
        ("rule", {"a": 1}, "unknown"),
        ("message_id", "x", None),
        ("request_no", "x\x1b", None),
        ("request_no", [NUMBER], None),
        ("body_sha256", "", None),
        ("next_seqno", 0, None),
        ("next_seqno", True, None),
        ("next_seqno", "3", None),
        ("clock_offset_ms", "soon", None),
        ("title_zh", "a\nb", r"a\nb"),
        ("title_en", 5, ""),
        ("pointer", "/" + "x" * 500, "/" + "x" * 199 + "…"),
    ],
)
def test_a_member_that_is_not_of_its_form_is_left_out(member: str, value: object, kept: object) -> None:
    assert getattr(read(**{member: value}), member) == kept


@pytest.mark.parametrize("reason", [None, 5, ["stale"]])
def test_without_any_reason_it_is_no_notice(reason: object) -> None:
    assert read_notice(ENVELOPE, V1 | {"reason": reason}) is None
