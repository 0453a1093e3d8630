"""Project Wycheproof's attacks on JWS and Ed25519, through our own entry points.

Of its 401 JWS the 17 groups with algorithms that we do not have must be refused for their algorithm, or before
that for their form; the P-256 groups must be judged exactly as Wycheproof judges them.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from lianzhi.crypto import base64url, jws, keys
from lianzhi.crypto.keyring import PublicKey, public_key_from_jwk
from lianzhi.errors import MisuseError, RejectedError
from tests.vectors.scene import RING, vector

JWS = vector("wycheproof/json_web_signature_test.json")["testGroups"]
ED25519 = vector("wycheproof/ed25519_test.json")["testGroups"]
OURS = [group for group in JWS if group.get("public", {}).get("crv") == "P-256"]
THEIRS = [group for group in JWS if group not in OURS]
SOME_KEY = RING.verification_key("police-610199", "police-610199.sig.1", "sig")


def cases(groups: list[Any]) -> list[Any]:
    return [
        pytest.param(group, test, id=f"{test['tcId']}-{test['comment'].split('.')[0][:40]}")
        for group in groups
        for test in group["tests"]
    ]


def key_of(jwk: dict[str, Any]) -> PublicKey:
    return public_key_from_jwk(jwk | {"kid": "wycheproof.sig.1"})


def judge(jwk: dict[str, Any], text: str) -> str:
    try:
        jws.verify(jws.split(text), key_of(jwk))
    except (RejectedError, MisuseError):
        return "invalid"
    return "valid"


def test_all_401_are_used() -> None:
    assert len(cases(OURS)) + len(cases(THEIRS)) == 401
    assert len(cases(OURS)) == 41


@pytest.mark.parametrize(("group", "test"), cases(OURS))
def test_es256(group: dict[str, Any], test: dict[str, Any]) -> None:
    assert judge(group["public"], test["jws"]) == test["result"]


def test_other_algorithms_are_refused() -> None:
    for test in (test for group in THEIRS for test in group["tests"]):
        with pytest.raises(RejectedError) as refused:
            jws.verify(jws.split(test["jws"]), SOME_KEY)
        assert refused.value.code == ("bad-alg" if readable(test["jws"]) else "not-an-sd-jwt"), test["tcId"]


def test_314_of_them_are_refused_for_their_algorithm() -> None:
    assert sum(readable(test["jws"]) for group in THEIRS for test in group["tests"]) == 314


def readable(text: str) -> bool:
    """Three segments that decode, the first one an object: judged here by plain means."""
    segments = text.split(".")
    try:
        decoded = [base64url.decode(segment) for segment in segments]
        return len(segments) == 3 and all(segments) and isinstance(json.loads(decoded[0]), dict)
    except ValueError:
        return False


@pytest.mark.parametrize("name", ["Ed25519", "EdDSA"])
@pytest.mark.parametrize(("group", "test"), cases(ED25519))
def test_ed25519(group: dict[str, Any], test: dict[str, Any], name: str) -> None:
    key = key_of(group["publicKeyJwk"])
    message, signature = bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"])
    assert keys.verify(name, key.key, message, signature) == (test["result"] == "valid")
