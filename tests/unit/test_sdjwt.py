"""The signed form: what is written is read back, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lianzhi.crypto import base64url, jws, sdjwt
from lianzhi.crypto.limits import Limits
from lianzhi.crypto.sdjwt import SUBMISSION_TYP
from lianzhi.errors import MisuseError, RejectedError
from tests.vectors import scene
from tests.vectors.scene import BODY, PRIVATE, RING, SIG, event

SALT = "c2FsdC1zYWx0LXNhbHQtMQ"


@pytest.mark.parametrize("kid", ["police-610199.sig.1", "police-610199.sig.ed"])
def test_comes_back_as_it_went(kid: str) -> None:
    message = sdjwt.issue(event(data={"head": {"refs": ["k7m2q9xa"]}}), "body", BODY, PRIVATE[kid])
    parsed = sdjwt.parse(message.raw)
    assert parsed.header == {
        "alg": PRIVATE[kid].alg,
        "kid": kid,
        "typ": "lianzhi+sd-jwt",
        "cty": "cloudevents+json",
    }
    assert (parsed.content_kind, parsed.content) == ("body", BODY)
    assert parsed.event == event(data={"head": {"refs": ["k7m2q9xa"]}, "_sd": [sdjwt.digest_of(message.disclosure)]})
    assert (parsed.raw, parsed.jws, parsed.digest) == (message.raw, message.jws, message.digest)
    assert scene.authenticate(message.raw).parsed == parsed


def test_issuing_leaves_the_event_as_it_was() -> None:
    given = event(data={"head": {"refs": []}})
    sdjwt.issue(given, "body", BODY, SIG)
    assert given == event(data={"head": {"refs": []}})


def test_the_payload_does_not_stand_in_the_signed_part() -> None:
    message = sdjwt.issue(event(), "body", {"XM": "王演示"}, SIG)
    signed = b"".join(base64url.decode(part) for part in message.jws.split(".")[:2])
    assert "王演示".encode() not in signed


def test_each_message_has_its_own_salt() -> None:
    assert len({sdjwt.issue(event(), "body", BODY, SIG).disclosure for _ in range(50)}) == 50


def test_the_older_name_of_ed25519_is_accepted() -> None:
    key = PRIVATE["police-610199.sig.ed"]
    assert scene.take(scene.forged(key=key, header={"alg": "EdDSA"}, alg="EdDSA"))
    assert scene.take(scene.forged(key=key, header={"alg": "Ed25519"}))


def test_any_spelling_of_json_is_kept_as_received() -> None:
    disclosure = base64url.encode(f' [ "{SALT}" , "body" , {{"a" :\t"\\u6cd5"}} ] '.encode())
    text = json.dumps(event(data={"_sd": [sdjwt.digest_of(disclosure)]}), indent=2, sort_keys=True)
    raw = scene.forged(payload=text, disclosed=f' [ "{SALT}" , "body" , {{"a" :\t"\\u6cd5"}} ] ')
    parsed = scene.authenticate(raw).parsed
    assert parsed.raw == raw
    assert parsed.content == {"a": "法"}


@pytest.mark.parametrize("kind", ["body", "sealed"])
def test_a_message_near_one_mebibyte_travels(kind: Any) -> None:
    content: Any = {"XSXX": "x" * 700_000} if kind == "body" else "e" * 700_000
    raw = sdjwt.issue(event(), kind, content, SIG).raw
    assert 900_000 < len(raw) <= Limits().message_bytes
    assert scene.authenticate(raw).parsed.content == content


def test_a_large_envelope_meets_no_limit_but_ours() -> None:
    raw = sdjwt.issue(event(data={"head": {"refs": ["k7m2q9xa"] * 50_000}}), "body", BODY, SIG).raw
    assert len(raw) > 700_000
    assert scene.authenticate(raw)


def test_limits_are_configuration() -> None:
    raw = scene.signed()
    assert sdjwt.parse(raw, Limits(message_bytes=len(raw)))
    for tighter, code in (
        (Limits(message_bytes=len(raw) - 1), "too-large"),
        (Limits(header_bytes=100), "bad-header"),
        (Limits(json_depth=1), "too-deep"),
    ):
        with pytest.raises(RejectedError) as refused:
            sdjwt.parse(raw, tighter)
        assert refused.value.code == code


@pytest.mark.parametrize(
    "given",
    [
        {"message_bytes": 0},
        {"message_bytes": 1 << 30},
        {"json_depth": 0},
        {"header_bytes": -1},
        {"ahead": -scene.LIMITS.ahead},
    ],
)
def test_limits_that_make_no_sense_are_misuse(given: dict[str, Any]) -> None:
    with pytest.raises(MisuseError):
        Limits(**given)


@pytest.mark.parametrize(
    ("kid", "kind", "content", "how"),
    [
        ("court-sn0199.sub.cms1", "body", {}, {}),
        ("court-sn0199.enc.1", "body", {}, {}),
        ("court-sn0199.sig.1", "body", {}, {"typ": SUBMISSION_TYP}),
        ("court-sn0199.sig.1", "body", {}, {"typ": "JWT"}),
        ("court-sn0199.sig.1", "body", "text", {}),
        ("court-sn0199.sig.1", "sealed", {}, {}),
        ("court-sn0199.sig.1", "body", {}, {"salt": "short"}),
    ],
)
def test_issuing_wrongly_is_misuse(kid: str, kind: Any, content: Any, how: dict[str, Any]) -> None:
    with pytest.raises(MisuseError):
        sdjwt.issue(event(), kind, content, PRIVATE[kid], **how)


def test_the_signature_verifies_after_the_disclosure_is_destroyed() -> None:
    message = sdjwt.issue(event(), "body", BODY, SIG)
    key = RING.verification_key("police-610199", SIG.kid, "sig")
    jws.verify(jws.split(message.jws), key)


@pytest.mark.parametrize("text", ["QQ==", "QR", "Q", "Q Q", "QQ\n", "Q+Q", "Q/Q", "Qé", "AAAAA"])
def test_base64url_has_one_spelling(text: str) -> None:
    with pytest.raises(ValueError):
        base64url.decode(text)
