"""The JSON Canonicalization Scheme (RFC 8785) for JSON as the contract allows it, and the digest of what is approved.

No number but integers within ±(2^53−1) (`strictjson`), so the one hard part of the scheme, how a double is written,
does not arise. Two programs that hold the same values, in whatever order and spacing, make the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from lianzhi.crypto import base64url
from lianzhi.crypto.strictjson import MAX_INTEGER

_TEXT = json.JSONEncoder(ensure_ascii=False)
"""Section 3.2.2.2: the quotation mark, the backslash and what is below U+0020 are escaped, the latter by their letters
(b, t, n, f, r) or in four lower case hexadecimal digits; everything else stands as it is."""


def canonical(value: Any) -> bytes:
    """UTF-8 bytes. Raises ValueError: a number that is no such integer, a name that is no text, a lone surrogate, or
    something that is no JSON."""
    return _written(value).encode("utf-8")


def over(submission: Mapping[str, Any], receivers: Sequence[str]) -> str:
    """`approvals[].over`: base64url(SHA-256) of the canonical form of what an approver agrees to (docs/adr/0024).

    submission: as it is handed in. receivers: whom it goes to, wherever that stands. Approvals, id and time are no part
    of it. Raises ValueError as `canonical`.
    """
    act = {
        "type": submission.get("type"),
        "receivers": sorted(receivers),
        "case_no": submission.get("case_no"),
        "handler": submission.get("handler"),
        "payload": submission.get("payload"),
        "documents": submission.get("documents") or [],
    }
    return base64url.encode(hashlib.sha256(canonical(act)).digest())


def _written(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return _TEXT.encode(value)
    if isinstance(value, int) and abs(value) <= MAX_INTEGER:
        return str(value)
    if isinstance(value, Mapping):
        members = sorted(value.items(), key=lambda member: _utf16(member[0]))
        return "{" + ",".join(f"{_TEXT.encode(name)}:{_written(one)}" for name, one in members) + "}"
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return "[" + ",".join(map(_written, value)) + "]"
    raise ValueError(f"no canonical form: {type(value).__name__}")


def _utf16(name: Any) -> bytes:
    """Section 3.2.3: members are sorted by their names as arrays of UTF-16 code units."""
    if not isinstance(name, str):
        raise ValueError("a member's name is text")
    return name.encode("utf-16-be")
