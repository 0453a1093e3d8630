"""The rules of trust at their edges. What each refuses by name stands in tests/vectors/negative.py."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lianzhi.crypto import sdjwt
from lianzhi.crypto.keyring import Keyring
from lianzhi.crypto.limits import Limits
from lianzhi.crypto.sdjwt import SUBMISSION_TYP
from lianzhi.errors import RejectedError
from lianzhi.protocol import policy
from lianzhi.protocol.envelope import Envelope, OutsideEnvelope
from tests.vectors import scene
from tests.vectors.scene import BODY, COURT, NOW, POLICE, PRIVATE, SENT, event, pair, signed

SECOND = timedelta(seconds=1)


def refusal(raw: bytes, **how: Any) -> RejectedError:
    with pytest.raises(RejectedError) as refused:
        scene.take(raw, **how)
    return refused.value


def test_what_is_believed_says_who_and_when() -> None:
    proved = scene.authenticate(signed())
    assert (proved.sender, proved.key.kid, proved.time) == (POLICE, "police-610199.sig.1", SENT)
    envelope = policy.examine(proved, receivers={COURT})
    assert isinstance(envelope, Envelope)
    assert (envelope.sender, envelope.verb, envelope.seqno) == (POLICE, "delivered", 1)


@pytest.mark.parametrize(
    ("dates", "code"),
    [
        ({"nbf": SENT}, None),
        ({"nbf": SENT + timedelta(milliseconds=1)}, "key-not-valid-at-time"),
        ({"exp": SENT + timedelta(milliseconds=1)}, None),
        ({"exp": SENT}, "key-not-valid-at-time"),
        ({"exp": SENT + SECOND, "revoked_at": NOW + SECOND}, None),
        ({"revoked_at": NOW}, "key-revoked"),
        ({"revoked_at": SENT + SECOND}, "key-revoked"),
    ],
)
def test_dates_count_at_the_time_of_the_message_and_revocation_on_arrival(dates: Any, code: str | None) -> None:
    public, own = pair("police-610199.sig.7", **dates)
    raw = signed(own)
    ring = Keyring([public])
    if code is None:
        assert scene.take(raw, keyring=ring)
    else:
        assert refusal(raw, keyring=ring).code == code


@pytest.mark.parametrize(
    ("now", "code"),
    [
        (SENT - timedelta(minutes=5), None),
        (SENT - timedelta(minutes=5, milliseconds=1), "clock-ahead"),
        (SENT + timedelta(days=30), None),
        (SENT + timedelta(days=30, milliseconds=1), "stale"),
    ],
)
def test_the_clock_has_edges(now: Any, code: str | None) -> None:
    if code is None:
        assert scene.take(signed(), now=now)
    else:
        assert refusal(signed(), now=now).code == code


def test_the_edges_of_the_clock_are_configuration() -> None:
    tight = Limits(ahead=timedelta(0), behind=SECOND)
    assert refusal(signed(), now=SENT - timedelta(milliseconds=1), limits=tight).code == "clock-ahead"
    assert refusal(signed(), now=SENT + 2 * SECOND, limits=tight).code == "stale"


def test_what_was_in_time_when_it_arrived_stays_in_time() -> None:
    """A submission waits for its approval, or for its papers, as long as it takes."""
    assert scene.authenticate(signed(), now=SENT + timedelta(days=300), arriving=False).sender == POLICE


def test_nothing_is_read_from_an_event_whose_signature_does_not_verify() -> None:
    raw = scene.forged(payload="not json", header={"kid": "police-610199.sig.past"})
    assert refusal(raw).code == "bad-signature"


def test_the_owner_of_the_queue_decides_whose_keys_are_looked_at() -> None:
    assert refusal(signed(), sender="police-610198").code == "foreign-key"


@pytest.mark.parametrize("kind", ["notice", "ping", "pong"])
def test_messages_outside_any_request(kind: str) -> None:
    members = dict.fromkeys(("subject", "seqno", "dataschema", "originhash", "causationid"))
    outside = event(type=f"lianzhi.gateway.{kind}", **members)
    raw = sdjwt.issue(outside, "body", {}, scene.SIG).raw
    assert isinstance(scene.take(raw), OutsideEnvelope)
    with_subject = sdjwt.issue(outside | {"subject": scene.REQUEST_NO}, "body", {}, scene.SIG).raw
    refused = refusal(with_subject)
    assert (refused.code, refused.pointer) == ("bad-envelope", "/subject")


def test_other_types_of_the_gateway_are_not_outside_a_request() -> None:
    raw = signed(type="lianzhi.gateway.reset", subject=None, seqno=None, dataschema=None)
    assert refusal(raw).code == "bad-envelope"


def test_every_fault_of_an_envelope_is_told_up_to_ten() -> None:
    extra: Any = {f"extra{n}": 1 for n in range(20)}
    refused = refusal(signed(seqno=0, receiver="X", **extra))
    assert len(refused.errors) == 10
    assert {"/seqno", "/receiver"} <= {error.pointer for error in refused.errors}
    assert all(error.detail and error.detail_en for error in refused.errors)


@pytest.mark.parametrize(
    ("member", "text"),
    [
        ("subject", "court-sn0199-20260324-" + "1" * 5000),
        ("subject", "court-sn0199-２０２６０３２４-000001"),
        ("related", "court-sn0199-20260324-" + "1" * 13),
        ("type", "lianzhi.police." + "x" * 5000 + ".delivered"),
        ("dataschema", "urn:lianzhi:police/1:police.person-locate.request:delivered:" + "1" * 5000),
        ("dataschema", "urn:lianzhi:" + "x" * 5000 + ":police.person-locate.request:delivered:1"),
        ("caseno", "案" * 61),
    ],
)
def test_no_text_of_an_envelope_is_endless(member: str, text: str) -> None:
    changes: Any = {member: text}
    refused = refusal(signed(**changes))
    assert (refused.code, refused.pointer) == ("bad-envelope", f"/{member}")


def test_what_is_told_never_holds_the_value() -> None:
    refused = refusal(signed(caseno=["王演示"], replykey="610199199003071237"))
    assert {error.pointer for error in refused.errors} == {"/caseno", "/replykey"}
    assert "王演示" not in str(refused.errors)
    assert "610199199003071237" not in str(refused.errors)


def submitted(event: dict[str, Any], **how: Any) -> policy.Authentic:
    raw = sdjwt.issue(event, "body", BODY, PRIVATE["court-sn0199.sub.cms1"], typ=SUBMISSION_TYP).raw
    given: dict[str, Any] = {"sender": COURT, "purpose": "sub", "typ": SUBMISSION_TYP}
    return scene.authenticate(raw, **(given | how))


def test_a_submission_names_its_receiver_and_its_gateway() -> None:
    envelope = policy.examine_submission(submitted(scene.submission()), gateway=COURT)
    assert (envelope.sender, envelope.receiver, envelope.gateway) == (COURT, POLICE, COURT)


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"subject": scene.REQUEST_NO}, "bad-envelope", "/subject"),
        ({"seqno": 1}, "bad-envelope", "/seqno"),
        ({"gateway": None}, "bad-envelope", "/gateway"),
        ({"gateway": "court-sn0198"}, "wrong-receiver", "/gateway"),
        ({"source": "//court-sn0198"}, "sender-mismatch", "/source"),
        ({"type": "lianzhi.police.person-locate.request.withdraw"}, "bad-envelope", "/dataschema"),
        ({"dataschema": "urn:lianzhi:police/1:police.person-locate.request:open:1"}, "bad-envelope", "/dataschema"),
    ],
)
def test_refuses_submissions(changes: dict[str, Any], code: str, pointer: str) -> None:
    with pytest.raises(RejectedError) as refused:
        policy.examine_submission(submitted(scene.submission(**changes)), gateway=COURT)
    assert (refused.value.code, refused.value.pointer) == (code, pointer)


def test_typ_and_purpose_belong_together() -> None:
    with pytest.raises(RejectedError, match="bad-typ"):
        submitted(scene.submission(), typ="lianzhi+sd-jwt")
    with pytest.raises(RejectedError, match="wrong-key-purpose"):
        submitted(scene.submission(), purpose="sig")
