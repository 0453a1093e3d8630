"""Any member of a signed event replaced by any JSON value: refused at its place, and nothing breaks over it."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.application.inbound.notices import named_in, said_version
from lianzhi.crypto import base64url, sdjwt
from lianzhi.crypto.keys import PrivateKey
from lianzhi.crypto.sdjwt import SUBMISSION_TYP
from lianzhi.errors import RejectedError
from lianzhi.partner.engine.reception import Outside, Raw, Reader, Received
from lianzhi.partner.ledger.records import SetAside
from lianzhi.protocol import policy
from lianzhi.protocol.cards import cards
from lianzhi.protocol.envelope import CONTENT_TYPE, GATEWAY_NOTICE, GATEWAY_PING
from tests.property.test_sdjwt import values
from tests.vectors import scene
from tests.vectors.scene import COURT, NOW, POLICE, PRIVATE, RING

HEAD = {
    "outcome": "done",
    "as_of": "2026-03-24T10:06:37+08:00",
    "ttl_hours": 24,
    "refs": ["k7m2q9xa"],
    "reason_code": "homonym",
    "effect": "reversed",
    "level": 1,
    "reply_by": "2026-03-24T10:06:37+08:00",
    "supersedes": scene.MESSAGE_ID,
    "at": "2026-03-24T10:06:37+08:00",
}
OPTIONAL = {
    "expires": "2026-04-24T02:06:37.120Z",
    "caseno": "（2026）陕0199执123号",
    "related": scene.REQUEST_NO,
    "groupno": scene.REQUEST_NO,
    "submissionhash": "A" * 43,
    "replykey": "court-sn0199.enc.1",
    "traceparent": "0" * 55,
}
OUTSIDE = dict.fromkeys(("subject", "seqno", "dataschema", "originhash"))
EVENTS: dict[str, tuple[dict[str, Any], str]] = {
    "message": (scene.event(**OPTIONAL), "police-610199.sig.1"),
    "ping": (scene.event(type=GATEWAY_PING, **OUTSIDE), "police-610199.sig.1"),
    "notice": (scene.event(type=GATEWAY_NOTICE, **OUTSIDE), "police-610199.sig.1"),
    "submission": (scene.submission(), "court-sn0199.sub.cms1"),
}
NASTY = [GATEWAY_PING, [GATEWAY_PING], {"a": None}, 2**53 - 1, "2026-13-01T00:00:00.000Z"]
PLACES = [
    (name, path)
    for name, (event, _) in EVENTS.items()
    for path in [*((member,) for member in event), ("data",), ("data", "_sd"), ("data", "head")]
] + [("message", ("data", "head", member)) for member in HEAD]


def signed(event: dict[str, Any], path: tuple[str, ...], value: Any, key: PrivateKey, typ: str) -> bytes:
    """The event with everything that it may have, one member replaced, and a signature that verifies."""
    good = sdjwt.parse(sdjwt.issue({**event, "data": {"head": HEAD}}, "body", scene.BODY, key, typ=typ).raw)
    whole = copy.deepcopy(good.event)
    place = whole
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    disclosed = json.dumps(["c2FsdC1zYWx0LXNhbHQtMQ", "body", scene.BODY])
    if path not in (("data",), ("data", "_sd")):
        whole["data"]["_sd"] = [sdjwt.digest_of(base64url.encode(disclosed.encode()))]
    return scene.forged(header={"typ": typ}, payload=json.dumps(whole), disclosed=disclosed, key=key)


def kind_of(value: Any) -> str:
    """The JSON type."""
    names = {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}
    return names.get(type(value), "number")


def original(name: str, path: tuple[str, ...]) -> Any:
    found: Any = {**EVENTS[name][0], "data": {"head": HEAD, "_sd": []}}
    for step in path:
        found = found[step]
    return found


def judged(name: str, raw: bytes) -> RejectedError | None:
    """As the gateway reads it. Whatever else is raised is a fault of ours."""
    try:
        if name == "submission":
            proved = scene.authenticate(raw, sender=COURT, purpose="sub", typ=SUBMISSION_TYP)
            policy.examine_submission(proved, gateway=COURT)
        else:
            policy.examine(scene.authenticate(raw), receivers={COURT})
    except RejectedError as error:
        return error
    return None


@pytest.mark.parametrize(("name", "path"), PLACES, ids=lambda p: p if isinstance(p, str) else "/".join(p))
@settings(max_examples=25)
@given(value=values | st.sampled_from(NASTY))
def test_any_value_in_any_place_is_refused_there_or_right(name: str, path: tuple[str, ...], value: Any) -> None:
    event, kid = EVENTS[name]
    typ = SUBMISSION_TYP if name == "submission" else "lianzhi+sd-jwt"
    raw = signed(event, path, value, PRIVATE[kid], typ)
    error = judged(name, raw)
    if kind_of(value) == kind_of(original(name, path)):
        return
    assert error is not None
    if path == ("data", "_sd"):
        assert (error.code, error.pointer) == ("bad-disclosure", "/data/_sd")
        return
    assert error.code == "bad-envelope"
    assert error.pointer == "/" + "/".join(path)


@pytest.mark.parametrize(("name", "path"), [p for p in PLACES if p[0] != "submission"], ids=str)
@settings(max_examples=10)
@given(value=values)
def test_a_partner_reads_it_or_sets_it_aside(name: str, path: tuple[str, ...], value: Any) -> None:
    """The partner library: the same rules, from the other side of the wire."""
    event, kid = EVENTS[name]
    raw = signed(event, path, value, PRIVATE[kid], "lianzhi+sd-jwt")
    reader = Reader(COURT, RING, cards())
    read = reader.read(Raw(raw, f"lianzhi.to.{COURT}", "normal", CONTENT_TYPE), NOW)
    assert isinstance(read, Received | Outside | SetAside)


@given(value=values)
def test_whatever_a_ping_says_of_versions_is_a_version_or_nothing(value: Any) -> None:
    assert said_version(value) in (None, 1, 2)
    assert said_version({"notice_version": value}) in (None, 1, 2)


def test_a_version_is_a_number_and_none_is_newer_than_ours() -> None:
    said = [said_version({"notice_version": v}) for v in (1, 2, 3, 2**53 - 1, 0, -1, True, "2", None, [2])]
    assert said == [1, 2, 2, 2, None, None, None, None, None, None]


class _Limits:
    limits = scene.LIMITS


@pytest.mark.parametrize("path", [("subject",), ("time",), ("type",), ("data",)])
@settings(max_examples=15)
@given(value=values)
def test_what_bytes_name_is_read_from_anything(path: tuple[str, ...], value: Any) -> None:
    raw = signed(EVENTS["message"][0], path, value, PRIVATE["police-610199.sig.1"], "lianzhi+sd-jwt")
    named = named_in(_Limits(), raw)  # type: ignore[arg-type]  # it asks for the limits alone
    if path not in (("subject",), ("data",)):
        assert named.request_no == scene.REQUEST_NO
    assert named_in(_Limits(), raw[:40]) == named_in(_Limits(), b"\xff")  # type: ignore[arg-type]
    assert POLICE not in repr(named) or named.request_no is not None
