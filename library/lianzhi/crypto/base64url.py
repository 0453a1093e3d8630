"""base64url without padding (RFC 7515 section 2), and only in its one canonical spelling.

`QQ` and `QR` decode to the same byte. If both were taken, a third party could alter the bytes of a message
and its signature would still verify; so what is not spelt as we would spell it is refused.
"""

from __future__ import annotations

import base64
import binascii

# What the last character may be, by the length modulo 4: those whose unused low bits are zero.
_LAST = {2: "AQgw", 3: "AEIMQUYcgkosw048"}
_TO_PLAIN_ALPHABET = bytes.maketrans(b"-_+/=", b"+/!!!")  # `!` is refused by strict mode


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """The bytes. Raises ValueError for padding, white space, other alphabets and stray trailing bits."""
    rest = len(text) % 4
    if rest and text[-1] not in _LAST.get(rest, ""):
        raise ValueError("not canonical base64url")
    plain = text.encode("ascii").translate(_TO_PLAIN_ALPHABET)
    return binascii.a2b_base64(plain + b"=" * (-rest % 4), strict_mode=True)
