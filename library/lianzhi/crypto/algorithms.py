"""Which algorithm belongs to which key, and nothing else is ever accepted (docs/design.md 3.1, RFC 8725 section 3.1).

The key decides, the header must agree: P-256 → ES256; Ed25519 → `Ed25519` (RFC 9864) or its older name `EdDSA`
(RFC 8037). `none`, HMAC, RSA and other curves do not exist here. Sealing: ECDH-ES+A256KW and A256GCM to P-256
or X25519 (RFC 7518 sections 4.6, 5.3).

An ECDSA signature (r, s) has a twin (r, n−s) that verifies as well: whoever carries a message can alter its bytes so,
though not what it says. That is why deduplication keeps the digest of the bytes beside the id.
"""

from __future__ import annotations

from joserfc.jwk import ECKey, OKPKey
from joserfc.jws import JWSRegistry

JoseKey = ECKey | OKPKey

ES256, ED25519, EDDSA = "ES256", "Ed25519", "EdDSA"
SEAL_ALG, SEAL_ENC = "ECDH-ES+A256KW", "A256GCM"

# curve → the `alg` names that agree with it; the first is what we send unless the key's own `alg` says otherwise
_SIGNING: dict[str, tuple[str, ...]] = {"P-256": (ES256,), "Ed25519": (ED25519, EDDSA)}
_SEALING = frozenset({"P-256", "X25519"})

# joserfc's primitives, taken one by one: its compact reader would parse each header twice and stops at 129 KB.
# EdDSA over Ed25519 is the same function under another name.
_registry = JWSRegistry(algorithms=[ES256, ED25519])
_PRIMITIVES = {ES256: _registry.get_alg(ES256), ED25519: _registry.get_alg(ED25519), EDDSA: _registry.get_alg(ED25519)}


def signing_names(key: JoseKey) -> tuple[str, ...]:
    """The `alg` names that a signature by this key may carry; empty if it cannot sign."""
    return _SIGNING.get(key.curve_name, ())


def can_seal(key: JoseKey) -> bool:
    return key.curve_name in _SEALING


def sign(alg: str, key: JoseKey, signing_input: bytes) -> bytes:
    """The signature as JWS wants it (r‖s for ES256). alg: one of `signing_names(key)`."""
    return _PRIMITIVES[alg].sign(signing_input, key)


def verify(alg: str, key: JoseKey, signing_input: bytes, signature: bytes) -> bool:
    """Whether the signature verifies. alg: one of `signing_names(key)`."""
    return _PRIMITIVES[alg].verify(signing_input, signature, key)
