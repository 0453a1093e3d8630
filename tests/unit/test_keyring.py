"""Keys in and out of JWK, and who finds which."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lianzhi.crypto.keyring import (
    Keyring,
    generate_jwk,
    keyring_from_jwks,
    private_key_from_jwk,
    public_jwk,
    public_key_from_jwk,
)
from lianzhi.errors import MisuseError, RejectedError
from tests.vectors.scene import COURT, NOW, POLICE, pair

DAY = timedelta(days=1)


def fresh(kid: str = "police-610199.sig.1", kty: Any = "EC", **members: Any) -> dict[str, Any]:
    return generate_jwk(kid, kty) | members


@pytest.mark.parametrize(
    ("kid", "kty", "curve", "use"),
    [
        ("police-610199.sig.1", "EC", "P-256", "sig"),
        ("police-610199.sub.a", "OKP", "Ed25519", "sig"),
        ("police-610199.enc.1", "EC", "P-256", "enc"),
        ("police-610199.enc.1", "OKP", "X25519", "enc"),
    ],
)
def test_generates_the_curve_that_the_purpose_needs(kid: str, kty: Any, curve: str, use: str) -> None:
    jwk = generate_jwk(kid, kty)
    assert (jwk["crv"], jwk["use"], jwk["kid"], "d" in jwk) == (curve, use, kid, True)
    assert "d" not in public_jwk(jwk)


@pytest.mark.parametrize(
    ("members", "alg"),
    [({"kty": "EC"}, "ES256"), ({"kty": "OKP"}, "Ed25519"), ({"kty": "OKP", "alg": "EdDSA"}, "EdDSA")],
)
def test_the_jwk_may_choose_the_name_that_is_sent(members: dict[str, Any], alg: str) -> None:
    kty = members.pop("kty")
    assert private_key_from_jwk(fresh(kty=kty) | members).alg == alg


@pytest.mark.parametrize(
    "kid", ["police-610199", "police-610199.sig", "police-610199.mac.1", "Police.sig.1", "p.sig.1", "", None, 7]
)
def test_a_kid_has_three_parts(kid: Any) -> None:
    with pytest.raises(MisuseError):
        public_key_from_jwk(public_jwk(fresh()) | {"kid": kid})


@pytest.mark.parametrize(
    "spoil",
    [
        {"kty": "RSA"},
        {"crv": "P-384"},
        {"crv": "secp256k1"},
        {"crv": None},
        {"x": "AAAA"},
        {"y": "0" * 43},
        {"use": "enc"},
        {"key_ops": ["encrypt"]},
        {"alg": "ES384"},
        {"alg": "none"},
        {"alg": 5},
        {"nbf": "2026-01-01"},
        {"exp": True},
        {"exp": 10**18},
        {"client": 5},
    ],
)
def test_refuses_keys_that_are_not_what_the_kid_says(spoil: dict[str, Any]) -> None:
    with pytest.raises(MisuseError, match="police-610199"):
        public_key_from_jwk(public_jwk(fresh()) | spoil)


def test_refuses_an_x25519_key_to_sign_and_an_ed25519_key_to_seal() -> None:
    for kid, other in (("police-610199.sig.1", "police-610199.enc.1"), ("police-610199.enc.1", "police-610199.sig.1")):
        jwk = public_jwk(generate_jwk(other, "OKP")) | {"kid": kid}
        del jwk["use"]
        with pytest.raises(MisuseError, match="key is P-256 or"):
            public_key_from_jwk(jwk)


def test_an_enc_key_is_not_for_another_algorithm() -> None:
    jwk = public_jwk(fresh("police-610199.enc.1"))
    assert public_key_from_jwk(jwk | {"alg": "ECDH-ES+A256KW"}).alg == "ECDH-ES+A256KW"
    for alg in ("RSA-OAEP", "ES256", "ECDH-ES"):
        with pytest.raises(MisuseError, match="alg does not fit"):
            public_key_from_jwk(jwk | {"alg": alg})


def test_a_private_key_is_never_taken_for_a_public_one_nor_the_reverse() -> None:
    jwk = fresh()
    with pytest.raises(MisuseError, match="a private key stands") as refused:
        public_key_from_jwk(jwk)
    assert jwk["d"] not in str(refused.value)
    with pytest.raises(MisuseError, match="member d is missing"):
        private_key_from_jwk(public_jwk(jwk))


@pytest.mark.parametrize("kty", ["EC", "OKP"])
def test_refuses_halves_of_two_keys_in_one_jwk(kty: Any) -> None:
    with pytest.raises(MisuseError, match="not a valid key"):
        private_key_from_jwk(fresh(kty=kty) | {"d": fresh(kty=kty)["d"]})


def test_no_representation_shows_key_material() -> None:
    public, private = pair("police-610199.sig.1")
    assert "key=" not in repr(public)
    assert "key=" not in repr(private)


def test_looks_only_among_the_keys_of_the_participant() -> None:
    ring = Keyring(pair(kid)[0] for kid in ("police-610199.sig.1", "police-610199.enc.1", "police-610198.sig.1"))
    assert ring.verification_key(POLICE, "police-610199.sig.1", "sig").kid == "police-610199.sig.1"
    for kid, purpose, code in (
        ("police-610198.sig.1", "sig", "foreign-key"),
        ("police-610198.sig.9", "sig", "foreign-key"),
        ("police-610199x.sig.1", "sig", "foreign-key"),
        ("nonsense", "sig", "foreign-key"),
        ("police-610199", "sig", "unknown-kid"),
        ("police-610199.sig.2", "sig", "unknown-kid"),
        ("police-610199.enc.1", "sig", "wrong-key-purpose"),
        ("police-610199.sig.1", "sub", "wrong-key-purpose"),
        ("police-610199.sig.1", "enc", "wrong-key-purpose"),
    ):
        with pytest.raises(RejectedError) as refused:
            ring.verification_key(POLICE, kid, purpose)  # type: ignore[arg-type]
        assert refused.value.code == code, kid


def test_on_rotation_the_key_in_force_last_signs() -> None:
    pairs = [
        pair("court-sn0199.sig.1", exp=NOW + DAY),
        pair("court-sn0199.sig.2", nbf=NOW),
        pair("court-sn0199.sig.3", nbf=NOW + DAY),
        pair("court-sn0199.sub.1"),
    ]
    ring = Keyring((p for p, _ in pairs), (own for _, own in pairs))
    assert ring.signing_key(COURT, at=NOW - DAY).kid == "court-sn0199.sig.1"
    assert ring.signing_key(COURT, at=NOW).kid == "court-sn0199.sig.2"
    assert ring.signing_key(COURT, at=NOW + DAY).kid == "court-sn0199.sig.3"
    assert ring.signing_key(COURT, "sub", at=NOW).kid == "court-sn0199.sub.1"


def test_does_not_sign_with_a_key_that_nobody_would_believe() -> None:
    for registered in ({"exp": NOW}, {"nbf": NOW + DAY}, {"revoked_at": NOW}):
        public, own = pair("court-sn0199.sig.1", **registered)
        with pytest.raises(MisuseError, match="no sig key of court-sn0199"):
            Keyring([public], [own]).signing_key(COURT, at=NOW)
    with pytest.raises(MisuseError):
        Keyring([public], [own]).signing_key(POLICE, at=NOW)


def test_a_partner_signs_without_its_own_public_key_in_the_ring() -> None:
    _, own = pair("police-610199.sig.1")
    assert Keyring([], [own]).signing_key(POLICE, at=NOW) is own


def test_signs_by_the_name_that_the_receiver_understands() -> None:
    pairs = [pair("court-sn0199.sig.1"), pair("court-sn0199.sig.ed", "OKP")]
    ring = Keyring((p for p, _ in pairs), (own for _, own in pairs))
    for alg, kid in (
        ("ES256", "court-sn0199.sig.1"),
        ("EdDSA", "court-sn0199.sig.ed"),
        ("Ed25519", "court-sn0199.sig.ed"),
    ):
        key = ring.signing_key(COURT, at=NOW, alg=alg)
        assert (key.kid, key.alg) == (kid, alg)
    with pytest.raises(MisuseError, match="ES384"):
        ring.signing_key(COURT, at=NOW, alg="ES384")


def test_seals_to_the_receiver_itself_or_to_the_client_that_is_named() -> None:
    ring = Keyring(
        pair(kid, **registered)[0]
        for kid, registered in (
            ("court-sn0199.enc.cms1", {"client": "cms1", "nbf": NOW - DAY}),
            ("court-sn0199.enc.1", {"exp": NOW}),
            ("court-sn0199.enc.2", {"nbf": NOW - DAY}),
            ("court-sn0199.sig.1", {}),
        )
    )
    assert ring.sealing_key(COURT, at=NOW - 2 * DAY).kid == "court-sn0199.enc.1"
    assert ring.sealing_key(COURT, at=NOW).kid == "court-sn0199.enc.2"
    assert ring.sealing_key(COURT, at=NOW, kid="court-sn0199.enc.cms1").client == "cms1"
    for kid in ("court-sn0199.enc.1", "court-sn0199.enc.9", "court-sn0199.sig.1"):
        with pytest.raises(MisuseError, match=kid):
            ring.sealing_key(COURT, at=NOW, kid=kid)
    with pytest.raises(MisuseError):
        ring.sealing_key(POLICE, at=NOW, kid="court-sn0199.enc.2")


def test_opens_only_with_a_private_enc_key_of_ours() -> None:
    public, own = pair("court-sn0199.enc.1", exp=NOW)
    _, signing = pair("court-sn0199.sig.1")
    ring = Keyring([public, pair("police-610199.enc.1")[0]], [own, signing])
    assert ring.opening_key("court-sn0199.enc.1") is own
    for kid in ("police-610199.enc.1", "court-sn0199.sig.1", "court-sn0199.enc.9"):
        with pytest.raises(RejectedError) as refused:
            ring.opening_key(kid)
        assert refused.value.code == "cannot-open"


def test_a_kid_stands_once_and_its_halves_belong_together() -> None:
    public, own = pair("court-sn0199.sig.1")
    other, _ = pair("court-sn0199.sig.1")
    with pytest.raises(MisuseError, match="registered twice"):
        Keyring([public, other])
    with pytest.raises(MisuseError, match="given twice"):
        Keyring([public], [own, private_key_from_jwk(fresh("court-sn0199.sig.1"))])
    with pytest.raises(MisuseError, match="not that of the registered"):
        Keyring([other], [own])


def test_a_jwks_document_comes_back_as_it_went() -> None:
    until = datetime(2027, 12, 31, tzinfo=UTC)
    keys = [
        pair("court-sn0199.sig.1", nbf=NOW, exp=until)[0],
        pair("court-sn0199.sig.ed", "OKP", revoked_at=NOW)[0],
        pair("court-sn0199.enc.cms1", "OKP", client="cms1")[0],
        pair("police-610199.sig.1")[0],
    ]
    document = Keyring(keys).jwks()
    assert keyring_from_jwks(document).jwks() == document
    assert [key.nbf for key in keyring_from_jwks(document).public_keys(COURT)] == [NOW, None, None]
    first, second, third, _ = document["keys"]
    assert (first["nbf"], first["exp"], first["use"]) == (int(NOW.timestamp()), int(until.timestamp()), "sig")
    assert (second["revoked_at"], third["client"], third["use"]) == (int(NOW.timestamp()), "cms1", "enc")
    assert all("d" not in jwk for jwk in document["keys"])
    assert [jwk["kid"] for jwk in Keyring(keys).jwks({POLICE})["keys"]] == ["police-610199.sig.1"]


def test_a_jwks_document_may_hold_kinds_of_keys_that_we_do_not_know() -> None:
    document = {"keys": [{"kty": "AKP", "alg": "ML-DSA-65", "pub": "x"}, public_jwk(fresh())]}
    assert len(keyring_from_jwks(document).public_keys(POLICE)) == 1
    wrongs: list[dict[str, Any]] = [{}, {"keys": {}}, {"keys": ["x"]}]
    for wrong in wrongs:
        with pytest.raises(MisuseError, match="array keys"):
            keyring_from_jwks(wrong)
