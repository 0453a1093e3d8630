"""Keys, a clock and messages to be right or wrong with. Keys are made anew at each run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from lianzhi.crypto import base64url, keys, sdjwt
from lianzhi.crypto.keyring import (
    Keyring,
    PrivateKey,
    PublicKey,
    generate_jwk,
    private_key_from_jwk,
    public_jwk,
    public_key_from_jwk,
)
from lianzhi.crypto.limits import Limits
from lianzhi.crypto.sdjwt import MESSAGE_TYP
from lianzhi.protocol import policy
from lianzhi.protocol.envelope import Envelope, OutsideEnvelope

HERE = Path(__file__).parent
NOW = datetime(2026, 3, 24, 2, 10, tzinfo=UTC)
TIME = "2026-03-24T02:06:37.120Z"
SENT = datetime.fromisoformat(TIME)
POLICE, NEIGHBOUR, COURT = "police-610199", "police-610198", "court-sn0199"
REQUEST_NO = "court-sn0199-20260324-000001"
MESSAGE_ID = "019d1d98-0c00-7b10-9a00-5f1e7a3c8d00"
LIMITS = Limits()
BODY = {"CCSJ": "20260324100637", "CCXT": "云川县公安局协查平台（演示）"}
_EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": MESSAGE_ID,
    "source": f"//{POLICE}",
    "receiver": COURT,
    "type": "lianzhi.police.person-locate.request.delivered",
    "subject": REQUEST_NO,
    "time": TIME,
    "dataschema": "urn:lianzhi:police/1:police.person-locate.request:delivered:1",
    "datacontenttype": "application/json",
    "seqno": 1,
    "causationid": "019d1d97-ab0a-7a31-8c11-0a4b6d2e9f01",
    "originhash": "3iuPVGmxgdPwGmQHYekOcVoAcl96LR2zm5eHdCqET4A",
}


def pair(kid: str, kty: Any = "EC", **registered: Any) -> tuple[PublicKey, PrivateKey]:
    jwk = generate_jwk(kid, kty)
    return public_key_from_jwk(public_jwk(jwk), **registered), private_key_from_jwk(jwk)


_PAIRS = [
    pair("police-610199.sig.1"),
    pair("police-610199.sig.ed", "OKP"),
    pair("police-610199.sig.past", exp=SENT),
    pair("police-610199.sig.next", nbf=SENT + timedelta(milliseconds=1)),
    pair("police-610199.sig.stolen", revoked_at=NOW),
    pair("police-610199.enc.1"),
    pair("police-610198.sig.1"),
    pair("police-610198.enc.1"),
    pair("court-sn0199.sig.1"),
    pair("court-sn0199.enc.1"),
    pair("court-sn0199.enc.x", "OKP", client="cms9"),
    pair("court-sn0199.sub.cms1", client="cms1"),
]
PRIVATE = {private.kid: private for _, private in _PAIRS}
RING = Keyring((public for public, _ in _PAIRS), (own for own in PRIVATE.values() if own.participant == COURT))
SIG = PRIVATE["police-610199.sig.1"]


def event(**changes: Any) -> dict[str, Any]:
    """A `delivered` of the police; a member given as None is left out."""
    return {name: value for name, value in (_EVENT | changes).items() if value is not None}


def submission(**changes: Any) -> dict[str, Any]:
    """What the court system signs when it opens a request."""
    given: dict[str, Any] = {
        "source": f"//{COURT}",
        "receiver": POLICE,
        "gateway": COURT,
        "type": "lianzhi.police.person-locate.request.open",
        "dataschema": "urn:lianzhi:canonical:police.person-locate.request:open:1",
        **dict.fromkeys(("subject", "seqno", "causationid", "originhash")),
    }
    return event(**(given | changes))


def signed(key: PrivateKey = SIG, **changes: Any) -> bytes:
    """A message as it should be, but for the members given."""
    return sdjwt.issue(event(**changes), "body", BODY, key).raw


def forged(
    *,
    header: Mapping[str, Any] | str | None = None,
    payload: str | None = None,
    disclosed: str | None = None,
    key: PrivateKey = SIG,
    alg: str | None = None,
) -> bytes:
    """A message with any text for header, payload or disclosure, and a signature that verifies nevertheless."""
    good = {"alg": key.alg, "kid": key.kid, "typ": MESSAGE_TYP, "cty": sdjwt.CTY}
    head = header if isinstance(header, str) else json.dumps(good | dict(header or {}))
    disclosure = base64url.encode((disclosed or json.dumps(["c2FsdC1zYWx0LXNhbHQtMQ", "body", BODY])).encode())
    text = payload or json.dumps(event(data={"_sd": [sdjwt.digest_of(disclosure)]}))
    signing_input = f"{base64url.encode(head.encode())}.{base64url.encode(text.encode())}"
    signature = base64url.encode(keys.sign(alg or key.alg, key.key, signing_input.encode()))
    return f"{signing_input}.{signature}~{disclosure}~".encode()


def authenticate(raw: bytes, **changes: Any) -> policy.Authentic:
    given: dict[str, Any] = {"sender": POLICE, "keyring": RING, "now": NOW, "limits": LIMITS}
    return policy.authenticate(raw, **(given | changes))


def take(raw: bytes, **changes: Any) -> Envelope | OutsideEnvelope:
    """Everything that intake asks of the trust rules."""
    return policy.examine(authenticate(raw, **changes), receivers={COURT})


def vector(name: str) -> Any:
    return json.loads((HERE / name).read_text(encoding="utf-8"))
