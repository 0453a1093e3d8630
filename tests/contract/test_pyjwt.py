"""A second JOSE library, PyJWT, reads what we sign, and we read what it signs."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest
from jwt.api_jws import PyJWS

from lianzhi.crypto import base64url, sdjwt
from lianzhi.crypto.keyring import Keyring, generate_jwk, private_key_from_jwk, public_jwk, public_key_from_jwk
from lianzhi.crypto.sdjwt import MESSAGE_TYP
from tests.vectors import scene
from tests.vectors.scene import BODY, event

# PyJWT knows Ed25519 by its older name only: that is what `alg` in the JWK is for
KEYS = [
    generate_jwk("police-610199.sig.1", "EC"),
    generate_jwk("police-610199.sig.1", "OKP") | {"alg": "EdDSA"},
]


@pytest.mark.parametrize("jwk", KEYS, ids=["ES256", "EdDSA"])
def test_pyjwt_reads_ours(jwk: dict[str, Any]) -> None:
    own = private_key_from_jwk(jwk)
    message = sdjwt.issue(event(data={"head": {"refs": ["k7m2q9xa"]}}), "body", BODY, own)
    key = jwt.PyJWK.from_dict(public_jwk(jwk), algorithm=own.alg)
    read = PyJWS().decode_complete(message.jws, key.key, algorithms=[own.alg])
    assert read["header"] == {"alg": own.alg, "kid": own.kid, "typ": MESSAGE_TYP, "cty": "cloudevents+json"}
    assert json.loads(read["payload"])["data"]["_sd"] == [sdjwt.digest_of(message.disclosure)]
    with pytest.raises(jwt.InvalidSignatureError):
        PyJWS().decode(
            message.jws, jwt.PyJWK.from_dict(public_jwk(generate_jwk(own.kid, jwk["kty"])), own.alg).key, [own.alg]
        )


@pytest.mark.parametrize("jwk", KEYS, ids=["ES256", "EdDSA"])
def test_we_read_pyjwt(jwk: dict[str, Any]) -> None:
    own = private_key_from_jwk(jwk)
    disclosure = base64url.encode(json.dumps(["c2FsdC1zYWx0LXNhbHQtMQ", "body", BODY]).encode())
    text = json.dumps(event(data={"_sd": [sdjwt.digest_of(disclosure)]}), indent=1)
    headers = {"typ": MESSAGE_TYP, "cty": "cloudevents+json", "kid": own.kid}
    key = jwt.PyJWK.from_dict(jwk, algorithm=own.alg)
    signed = PyJWS().encode(text.encode(), key.key, algorithm=own.alg, headers=headers)
    ring = Keyring([public_key_from_jwk(public_jwk(jwk))])
    assert scene.take(f"{signed}~{disclosure}~".encode(), keyring=ring)
