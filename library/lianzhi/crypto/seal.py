"""Sealing: a payload that only one receiver can read, and only inside the message it was made for.

Compact JWE (RFC 7516), ECDH-ES+A256KW and A256GCM, to the receiver's `enc` key. The plaintext is
`{request_no, message_id, body}`: whoever opens it compares both ids, so a sealed part lifted into another
message is found out (docs/contracts.md 3.1 Sealing).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lianzhi.crypto import base64url, jwe, strictjson
from lianzhi.crypto.algorithms import SEAL_ALG, SEAL_ENC, JoseKey
from lianzhi.crypto.keyring import Keyring
from lianzhi.crypto.keys import PublicKey
from lianzhi.crypto.limits import DEFAULT_LIMITS, Limits
from lianzhi.errors import MisuseError, RejectedError

_REQUIRED, _ALLOWED = {"alg", "enc", "kid", "epk"}, {"alg", "enc", "kid", "epk", "cty", "typ", "apu", "apv"}
_HEADER_CHARACTERS = 1024
_EPK_MEMBERS = {"P-256": {"kty", "crv", "x", "y"}, "X25519": {"kty", "crv", "x"}}


def seal(body: Mapping[str, Any], *, request_no: str, message_id: str, key: PublicKey) -> str:
    """A compact JWE to `key`. request_no, message_id: those of the envelope it will travel in.

    Raises MisuseError when the key is not for sealing, or nothing can be agreed with it.
    """
    if key.purpose != "enc":
        raise MisuseError(f"{key.kid} is not for sealing")
    plaintext = strictjson.dumps({"request_no": request_no, "message_id": message_id, "body": body})
    header = {"alg": SEAL_ALG, "enc": SEAL_ENC, "kid": key.kid, "cty": "json"}
    try:
        return jwe.encrypt(header, plaintext.encode(), key.key)
    except ValueError:  # X25519 with an all-zero outcome (RFC 7748 section 6.1)
        raise MisuseError(f"{key.kid}: nothing can be sealed to this key") from None


def unseal(
    text: str, *, request_no: str, message_id: str, keyring: Keyring, limits: Limits = DEFAULT_LIMITS
) -> dict[str, Any]:
    """The body. request_no, message_id: those of the envelope it came in.

    Raises RejectedError: cannot-open (form, algorithm, or not to a key of ours), seal-mismatch (made for another
    message), and those of `strictjson.loads` for what was sealed.
    """
    header = _header(text, limits)
    key = keyring.opening_key(header["kid"]).key
    _check_ephemeral(header["epk"], key)
    try:
        opened = jwe.decrypt(text, header, key)
    except jwe.CannotDecryptError:
        raise RejectedError("cannot-open") from None
    content = strictjson.loads(opened, depth=limits.json_depth)
    if not isinstance(content, dict) or content.keys() != {"request_no", "message_id", "body"}:
        raise RejectedError("seal-mismatch", pointer="")
    for name, expected in (("request_no", request_no), ("message_id", message_id)):
        if content[name] != expected:
            raise RejectedError("seal-mismatch", pointer=f"/{name}")
    if not isinstance(content["body"], dict):
        raise RejectedError("seal-mismatch", pointer="/body")
    return content["body"]


def recipient_of(text: str, limits: Limits = DEFAULT_LIMITS) -> str:
    """The kid that a sealed part was made for, for one who cannot open it. Raises RejectedError cannot-open."""
    return str(_header(text, limits)["kid"])


def _header(text: str, limits: Limits) -> dict[str, Any]:
    """Five segments and a header of ours: no `zip`, no `crit`, no other algorithm."""
    segment, *rest = text.split(".", 5)
    if len(rest) != 4 or len(segment) > _HEADER_CHARACTERS:
        raise RejectedError("cannot-open")
    try:
        header = strictjson.loads(base64url.decode(segment), depth=limits.json_depth)
    except (ValueError, RejectedError):
        raise RejectedError("cannot-open") from None
    if not isinstance(header, dict) or not _REQUIRED <= header.keys() <= _ALLOWED:
        raise RejectedError("cannot-open")
    if header["alg"] != SEAL_ALG or header["enc"] != SEAL_ENC:
        raise RejectedError("cannot-open", pointer="/alg")
    if not isinstance(header["kid"], str):
        raise RejectedError("cannot-open", pointer="/kid")
    return header


def _check_ephemeral(epk: Any, key: JoseKey) -> None:
    """The sender's ephemeral key lies on the curve of ours, and nothing else is in it (RFC 7518 section 4.6.1.1)."""
    members = _EPK_MEMBERS[key.curve_name]
    ours = (key.key_type, key.curve_name)
    if not isinstance(epk, dict) or epk.keys() != members or (epk["kty"], epk["crv"]) != ours:
        raise RejectedError("cannot-open", pointer="/epk")
