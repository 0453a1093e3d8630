"""One named case for each reason that the trust rules can give, each wrong in exactly one way."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lianzhi.crypto import sdjwt, seal
from lianzhi.crypto.sdjwt import SUBMISSION_TYP
from lianzhi.protocol import policy
from tests.vectors import scene
from tests.vectors.scene import BODY, COURT, LIMITS, MESSAGE_ID, NOW, PRIVATE, REQUEST_NO, RING


@dataclass(frozen=True)
class Negative:
    """attempt: what must be refused. pointer: where the refusal points."""

    name: str
    reason: str
    attempt: Callable[[], object]
    pointer: str | None = None


def message(
    name: str, reason: str, make: Callable[[], bytes | str], pointer: str | None = None, **how: Any
) -> Negative:
    def attempt() -> object:
        raw = make()
        return scene.take(raw.encode() if isinstance(raw, str) else raw, **how)

    return Negative(name, reason, attempt, pointer)


def _good() -> str:
    return scene.signed().decode()


def _jws() -> str:
    return _good().split("~", maxsplit=1)[0]


def _altered_signature() -> bytes:
    message = _good()
    start = message.rindex(".") + 1
    return (message[:start] + ("A" if message[start] != "A" else "B") + message[start + 1 :]).encode()


def _sealed(**changes: str) -> str:
    ids = {"request_no": REQUEST_NO, "message_id": MESSAGE_ID} | changes
    return seal.seal(BODY, key=RING.sealing_key(COURT, at=NOW), **ids)


def _unseal(text: str) -> object:
    return seal.unseal(text, request_no=REQUEST_NO, message_id=MESSAGE_ID, keyring=RING)


def _submission(gateway: str) -> object:
    key = PRIVATE["court-sn0199.sub.cms1"]
    raw = sdjwt.issue(scene.submission(gateway=gateway), "body", BODY, key, typ=SUBMISSION_TYP).raw
    proved = scene.authenticate(raw, sender=COURT, purpose="sub", typ=SUBMISSION_TYP)
    return policy.examine_submission(proved, gateway=COURT)


def _disclosed(text: str) -> Callable[[], bytes]:
    return lambda: scene.forged(disclosed=text)


_SALT = "c2FsdC1zYWx0LXNhbHQtMQ"

NEGATIVES = [
    # rule 1
    message("larger-than-the-limit", "too-large", lambda: b"a" * (LIMITS.message_bytes + 1)),
    message("byte-order-mark", "bad-encoding", lambda: b"\xef\xbb\xbf" + scene.signed()),
    message("utf-16", "bad-encoding", lambda: _good().encode("utf-16")),
    message("unsigned-json", "not-an-sd-jwt", lambda: json.dumps(scene.event(), ensure_ascii=False)),
    message("unsigned-chinese-json", "not-an-sd-jwt", lambda: '{"姓名":"王演示"}'),
    message("plain-jws", "not-an-sd-jwt", _jws),
    message("chinese-in-the-disclosure", "not-an-sd-jwt", lambda: _jws() + "~案~"),
    message("empty-signature", "not-an-sd-jwt", lambda: _jws().rsplit(".", 1)[0] + ".~x~"),
    message("empty", "not-an-sd-jwt", lambda: b""),
    message("two-segments", "not-an-sd-jwt", lambda: _jws().rsplit(".", 1)[0] + "~x~"),
    message("four-segments", "not-an-sd-jwt", lambda: _jws() + ".x~x~"),
    message("padded-base64", "not-an-sd-jwt", lambda: _good().replace("~", "==~", 1)),
    message("line-break-at-the-end", "bad-disclosure", lambda: scene.signed() + b"\n"),
    message("no-disclosure", "bad-disclosure", lambda: _jws() + "~"),
    message("two-disclosures", "bad-disclosure", lambda: scene.signed() + b"WyJ4Il0~"),
    message("key-binding", "bad-disclosure", lambda: _good() + _jws()),
    # rule 2
    message("crit-in-the-header", "bad-header", lambda: scene.forged(header={"crit": ["b64"], "b64": False}), "/crit"),
    message("key-in-the-header", "bad-header", lambda: scene.forged(header={"jwk": {}}), "/jwk"),
    message("kid-missing", "bad-header", lambda: scene.forged(header='{"alg":"ES256"}'), "/kid"),
    message("kid-not-text", "bad-header", lambda: scene.forged(header={"kid": 1}), "/kid"),
    message("cty-of-a-jwt", "bad-header", lambda: scene.forged(header={"cty": "JWT"}), "/cty"),
    message("header-not-an-object", "bad-header", lambda: scene.forged(header='["ES256"]'), ""),
    message("header-too-long", "bad-header", lambda: scene.forged(header={"x": "x" * 600})),
    message(
        "kid-twice-in-the-header",
        "duplicate-member",
        lambda: scene.forged(header='{"alg":"ES256","kid":"police-610199.sig.1","kid":"police-610199.sig.ed"}'),
        "/kid",
    ),
    message("plain-jwt", "bad-typ", lambda: scene.forged(header={"typ": "JWT"}), "/typ"),
    message("submission-as-message", "bad-typ", lambda: scene.forged(header={"typ": SUBMISSION_TYP}), "/typ"),
    # rule 3
    message("nobody-has-this-key", "unknown-kid", lambda: scene.forged(header={"kid": "police-610199.sig.9"}), "/kid"),
    message("key-of-a-neighbour", "foreign-key", lambda: scene.signed(PRIVATE["police-610198.sig.1"]), "/kid"),
    message(
        "encryption-key-signs",
        "wrong-key-purpose",
        lambda: scene.forged(header={"kid": "police-610199.enc.1"}, key=PRIVATE["police-610199.enc.1"], alg="ES256"),
        "/kid",
    ),
    # rule 4
    message("alg-none", "bad-alg", lambda: scene.forged(header={"alg": "none"}), "/alg"),
    message("alg-hmac", "bad-alg", lambda: scene.forged(header={"alg": "HS256"}), "/alg"),
    message("alg-rsa", "bad-alg", lambda: scene.forged(header={"alg": "RS256"}), "/alg"),
    message("alg-of-another-curve", "bad-alg", lambda: scene.forged(header={"alg": "ES384"}), "/alg"),
    message("alg-of-another-key-type", "bad-alg", lambda: scene.forged(header={"alg": "EdDSA"}), "/alg"),
    message("signature-altered", "bad-signature", _altered_signature),
    message("signed-by-another", "bad-signature", lambda: scene.forged(header={"kid": "police-610199.sig.past"})),
    # rule 5
    message("event-not-json", "malformed-json", lambda: scene.forged(payload='{"id":'), ""),
    message("event-not-an-object", "bad-envelope", lambda: scene.forged(payload="[]"), ""),
    message("member-twice", "duplicate-member", lambda: scene.forged(payload='{"seqno":1,"seqno":2}'), "/seqno"),
    message("nested-too-deep", "too-deep", lambda: scene.forged(payload="[" * 33 + "]" * 33)),
    message("number-not-whole", "bad-number", lambda: scene.forged(payload='{"seqno":1.0}'), "/seqno"),
    message("lone-surrogate", "bad-encoding", lambda: scene.forged(payload=r'{"id":"\ud800"}'), "/id"),
    message("time-missing", "bad-envelope", lambda: scene.signed(time=None), "/time"),
    message("time-without-milliseconds", "bad-envelope", lambda: scene.signed(time="2026-03-24T02:06:37Z"), "/time"),
    message("time-that-never-was", "bad-envelope", lambda: scene.signed(time="2026-02-30T02:06:37.120Z"), "/time"),
    # rule 6
    message("key-expired", "key-not-valid-at-time", lambda: scene.signed(PRIVATE["police-610199.sig.past"]), "/time"),
    message(
        "key-not-yet-valid", "key-not-valid-at-time", lambda: scene.signed(PRIVATE["police-610199.sig.next"]), "/time"
    ),
    message("key-revoked", "key-revoked", lambda: scene.signed(PRIVATE["police-610199.sig.stolen"]), "/kid"),
    # rule 7
    message("from-the-future", "clock-ahead", scene.signed, "/time", now=scene.SENT - timedelta(minutes=5, seconds=1)),
    message("from-long-ago", "stale", scene.signed, "/time", now=scene.SENT + timedelta(days=30, seconds=1)),
    # rule 8
    message(
        "disclosure-exchanged",
        "bad-disclosure",
        lambda: _jws() + "~" + _good().split("~")[1] + "~",  # of a twin with another salt
        "/data/_sd",
    ),
    message("two-digests", "bad-disclosure", lambda: scene.forged(payload=_two_digests()), "/data/_sd"),
    message("salt-short", "bad-disclosure", _disclosed('["c2FsdA","body",{}]'), "/0"),
    message("salt-missing", "bad-disclosure", _disclosed('["body",{}]')),
    message("another-name", "bad-disclosure", _disclosed(f'["{_SALT}","payload",{{}}]'), "/1"),
    message("body-not-an-object", "bad-disclosure", _disclosed(f'["{_SALT}","body",[]]'), "/2"),
    message("sealed-not-text", "bad-disclosure", _disclosed(f'["{_SALT}","sealed",{{}}]'), "/2"),
    # rule 9
    message("extra-member", "bad-envelope", lambda: scene.signed(priority=1), "/priority"),
    message("member-missing", "bad-envelope", lambda: scene.signed(seqno=None), "/seqno"),
    message("seqno-as-text", "bad-envelope", lambda: scene.signed(seqno="1"), "/seqno"),
    message(
        "extra-code-in-head", "bad-envelope", lambda: scene.signed(data={"head": {"note": "x"}}), "/data/head/note"
    ),
    message("expires-never", "bad-envelope", lambda: scene.signed(expires="2026-13-01T00:00:00.000Z"), "/expires"),
    message("origin-missing", "bad-envelope", lambda: scene.signed(originhash=None), ""),
    # rule 10
    message("source-of-another", "sender-mismatch", lambda: scene.signed(source="//police-610198"), "/source"),
    # rule 11
    message("to-another", "wrong-receiver", lambda: scene.signed(receiver="court-sn0198"), "/receiver"),
    Negative("submission-for-another", "wrong-receiver", lambda: _submission("court-sn0198"), "/gateway"),
    # sealing
    Negative(
        "sealed-to-another",
        "cannot-open",
        lambda: _unseal(
            seal.seal(BODY, request_no=REQUEST_NO, message_id=MESSAGE_ID, key=RING.sealing_key(scene.POLICE, at=NOW))
        ),
        "/kid",
    ),
    Negative(
        "sealed-part-lifted", "seal-mismatch", lambda: _unseal(_sealed(message_id=MESSAGE_ID[:-1] + "1")), "/message_id"
    ),
    Negative("sealed-for-another-request", "seal-mismatch", lambda: _unseal(_sealed(request_no="x")), "/request_no"),
]


def _two_digests() -> str:
    return json.dumps(scene.event(data={"_sd": ["x" * 43, "y" * 43]}))
