"""What a doubtful POST says of itself: codes and a case number, and nothing else, whatever it holds."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.application.recovery.doubts import about
from gateway.core.recovery.doubts import Doubt
from lianzhi.crypto.keyring import generate_jwk, private_key_from_jwk
from lianzhi.crypto.limits import DEFAULT_LIMITS
from lianzhi.crypto.sdjwt import SUBMISSION_TYP, issue
from lianzhi.protocol.envelope import CONTENT_TYPE

COURT, GRID, CASE = "court-sn0199", "grid-610199", "（2026）陕0199执900001号"
DOUBT = Doubt("cms1", "k", COURT, "/v1/requests", "f", datetime(2026, 3, 24, tzinfo=UTC))
OPEN = {"type": "grid.verify.request", "receiver": GRID, "case_no": CASE, "payload": {"name": "赵演示"}}


def told(body: Any, content_type: str = "application/json") -> tuple[str | None, ...]:
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    doubt = about(DOUBT, content_type, raw, DEFAULT_LIMITS)
    return doubt.receiver, doubt.type, doubt.verb, doubt.case_no


def signed(body: dict[str, Any]) -> bytes:
    event = {
        "specversion": "1.0",
        "id": "01957f3e-7a00-7000-8000-000000000001",
        "source": f"//{COURT}",
        "receiver": GRID,
        "gateway": COURT,
        "type": "lianzhi.grid.verify.request.urge",
        "time": "2026-03-24T02:10:00.000Z",
        "dataschema": "urn:lianzhi:canonical:grid.verify.request:urge:1",
        "datacontenttype": "application/json",
    }
    key = private_key_from_jwk(generate_jwk(f"{COURT}.sub.cms1"))
    return issue(event, "body", body, key, typ=SUBMISSION_TYP).raw


def test_a_plain_one_names_its_receiver_type_and_case() -> None:
    assert told(OPEN) == (GRID, "grid.verify.request", "open", CASE)
    several = {**OPEN, "receiver": None, "receivers": [GRID, "police-610199", "Not A Code"]}
    assert told(several)[0] == f"{GRID},police-610199"
    assert told({"verb": "urge", "by": "sn0199-0007", "data": {}}) == (None, None, "urge", None)


def test_a_signed_one_names_them_in_its_envelope() -> None:
    assert told(signed({"case_no": CASE}), CONTENT_TYPE) == (GRID, "grid.verify.request", "urge", CASE)


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"[]", b"7", b"{", b'{"a": 1, "a": 2}', b"[" * 100], ids=lambda body: repr(body[:8])
)
def test_what_cannot_be_read_says_nothing(body: bytes) -> None:
    assert told(body) == told(body, CONTENT_TYPE) == (None, None, None, None)


TEXT = st.text(max_size=40) | st.integers() | st.none() | st.lists(st.text(max_size=5), max_size=3)


@given(st.fixed_dictionaries(dict.fromkeys(("type", "verb", "receiver", "receivers", "case_no"), TEXT)))
def test_no_other_words_come_into_the_list(body: dict[str, Any]) -> None:
    receiver, type_, verb, case_no = told(body)
    assert all(word is None or word.isascii() for word in (type_, verb)), "a name in the place of a code"
    assert receiver is None or set(receiver) <= set("abcdefghijklmnopqrstuvwxyz0123456789-,…")
    assert case_no is None or "号" in case_no
