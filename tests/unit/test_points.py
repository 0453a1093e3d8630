"""Keys that no key generation makes: every known encoding of small order is refused, every fresh key taken."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from lianzhi.crypto import base64url
from lianzhi.crypto.jwk import generate_jwk, private_key_from_jwk, public_jwk, public_key_from_jwk, thumbprint
from lianzhi.crypto.keyring import keyring_from_jwks
from lianzhi.crypto.points import P, ed25519_fault, x25519_fault
from lianzhi.errors import MisuseError

# The points of order 1, 2, 4, 8 of edwards25519, canonical and not: the lists of H. de Valence (hdevalence.ca/blog/
# 2020-10-04-its-25519am) and of Chalkias, Garillot, Nikolaenko, "Taming the many EdDSAs" (ePrint 2020/1244, table 1);
# libsodium's blocklist (ge25519_has_small_order) is the same set.
ED25519_SMALL = [
    "0100000000000000000000000000000000000000000000000000000000000000",  # 1: the identity
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  # 2
    "0000000000000000000000000000000000000000000000000000000000000000",  # 4
    "0000000000000000000000000000000000000000000000000000000000000080",  # 4
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",  # 8
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",  # 8
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",  # 8
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",  # 8
    # not canonical: the sign of x = 0, and y + p
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
]
# cr.yp.to/ecdh.html#validate, little endian; and with the bit that RFC 7748 section 5 masks.
X25519_SMALL = [
    0,
    1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
    P - 1,
    P,
    P + 1,
]


def okp(kid: str, curve: str, x: bytes) -> dict[str, Any]:
    return {"kty": "OKP", "crv": curve, "kid": kid, "x": base64url.encode(x)}


@pytest.mark.parametrize("encoded", ED25519_SMALL)
def test_an_ed25519_key_of_small_order(encoded: str) -> None:
    raw = bytes.fromhex(encoded)
    assert ed25519_fault(raw) == "low-order"
    with pytest.raises(MisuseError, match=r"police-610199\.sig\.1: 低阶点.*small order"):
        public_key_from_jwk(okp("police-610199.sig.1", "Ed25519", raw))


def test_with_the_identity_one_signature_verifies_anything() -> None:
    """Why: the library itself takes the key, and R = identity, s = 0 is then right for every message."""
    identity = bytes.fromhex(ED25519_SMALL[0])
    key = Ed25519PublicKey.from_public_bytes(identity)
    for message in (b"one", b"another"):
        key.verify(identity + bytes(32), message)
    with pytest.raises(InvalidSignature):
        key.verify(bytes(64), b"one")


@pytest.mark.parametrize("u", X25519_SMALL)
@pytest.mark.parametrize("masked", [0, 1 << 255])
def test_an_x25519_key_of_small_order(u: int, masked: int) -> None:
    raw = (u | masked).to_bytes(32, "little")
    assert x25519_fault(raw) == "low-order"
    with pytest.raises(MisuseError, match="低阶点"):
        public_key_from_jwk(okp("grid-610114.enc.1", "X25519", raw))


@pytest.mark.parametrize(
    ("fault", "y"),
    [("not-a-point", 2), ("non-canonical", P + 3), ("non-canonical", P + 4), ("not-a-point", P + 2)],
)
def test_an_ed25519_encoding_that_is_none(fault: str, y: int) -> None:
    """RFC 8032 section 5.1.3: y at least p is no point, though some libraries reduce it."""
    assert ed25519_fault(y.to_bytes(32, "little")) == fault
    with pytest.raises(MisuseError):
        public_key_from_jwk(okp("police-610199.sig.1", "Ed25519", y.to_bytes(32, "little")))


@pytest.mark.parametrize("u", [P + 9, 9 | 1 << 255])
def test_an_x25519_encoding_that_is_not_canonical(u: int) -> None:
    """Else one key could stand under two kids with two thumbprints."""
    assert x25519_fault(u.to_bytes(32, "little")) == "non-canonical"


def test_a_p256_point_off_the_curve() -> None:
    jwk = public_jwk(generate_jwk("police-610199.sig.1"))
    with pytest.raises(MisuseError, match="not a valid key"):
        public_key_from_jwk(jwk | {"y": jwk["x"]})
    with pytest.raises(MisuseError, match="not a valid key"):
        public_key_from_jwk(jwk | {"x": base64url.encode(bytes(32)), "y": base64url.encode(bytes(32))})


@pytest.mark.parametrize("kid", ["police-610199.sig.1", "police-610199.enc.1"])
@pytest.mark.parametrize("kty", ["EC", "OKP"])
def test_a_fresh_key_is_taken(kid: str, kty: Any) -> None:
    for _ in range(20):
        jwk = generate_jwk(kid, kty)
        assert thumbprint(public_key_from_jwk(public_jwk(jwk))) == thumbprint(private_key_from_jwk(jwk))


def test_a_thumbprint_is_that_of_rfc_8037_appendix_a3() -> None:
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    key = public_key_from_jwk(jwk | {"kid": "police-610199.sig.1"})
    assert thumbprint(key) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@pytest.mark.parametrize("other", ["grid-610114.sig.1", "police-610199.sig.2", "police-610199.enc.1"])
def test_one_key_under_two_kids(other: str) -> None:
    """Of two participants, of one, or for two purposes."""
    jwk = public_jwk(generate_jwk("police-610199.sig.1"))
    del jwk["use"]
    with pytest.raises(MisuseError, match=rf"police-610199\.sig\.1, {other}: 两个编号是同一把密钥"):
        keyring_from_jwks({"keys": [jwk, jwk | {"kid": other}]})


def test_the_gateways_key_is_not_also_ours() -> None:
    private = generate_jwk("police-610199.sig.1")
    theirs = public_jwk(private) | {"kid": "court-sn0199.sig.1"}
    with pytest.raises(MisuseError, match="两个编号是同一把密钥"):
        keyring_from_jwks({"keys": [theirs]}, [private_key_from_jwk(private)])
