"""Finds public keys that are points of small order or not canonically encoded; none is ever accepted. Pure.

With a public key of small order one fixed signature verifies over many messages (Ed25519), and a sealed message is
either refused by the library or sealed to a secret that everybody knows (X25519). Key generation never makes such a
point, so a registered one is an attack or a mistake. Sources: RFC 7748 sections 5 and 6.1 (small-order inputs, all-zero
output); RFC 8032 section 5.1.3 (decoding; y at least p is no point); D. J. Bernstein,
https://cr.yp.to/ecdh.html#validate (the u coordinates of order 1, 2, 4, 8); H. de Valence, "It's 255:19AM. Do you know
what your validation criteria are?" (the encodings of the eight points of order 1, 2, 4, 8). P-256 has cofactor 1: a
point on the curve is enough, and `cryptography` sees to that (SP 800-56A section 5.6.2.3.3).
"""

from __future__ import annotations

P = 2**255 - 19
_D = -121665 * pow(121666, -1, P) % P
_ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
_SIGN = 1 << 255

# u of order 2 (0), 4 (1 and, on the twist, −1) and 8; what is larger than p is reduced before it is looked for.
_SMALL_U = frozenset(
    {
        0,
        1,
        P - 1,
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
    }
)


def x25519_fault(encoded: bytes) -> str | None:
    """Why these 32 bytes are no key to seal to; None when nothing is wrong."""
    u = int.from_bytes(encoded, "little")
    if (u & (_SIGN - 1)) % P in _SMALL_U:  # RFC 7748 section 5: the highest bit is masked
        return "low-order"
    return "non-canonical" if u >= P else None


def ed25519_fault(encoded: bytes) -> str | None:
    """Why these 32 bytes are no key to verify with; None when nothing is wrong."""
    number = int.from_bytes(encoded, "little")
    y, sign = (number & (_SIGN - 1)), number >> 255
    x = _x_of(y % P, sign)
    if x is None:
        return "not-a-point"
    if _eight_times_is_neutral(x, y % P):
        return "low-order"
    return "non-canonical" if y >= P else None


def _x_of(y: int, sign: int) -> int | None:
    """The x with this parity such that (x, y) lies on the curve; 0 has one parity only, whatever was written."""
    above, below = (y * y - 1) % P, (_D * y * y + 1) % P
    x = above * pow(below, 3, P) * pow(above * pow(below, 7, P), (P - 5) // 8, P) % P
    if (below * x * x - above) % P:
        x = x * _ROOT_OF_MINUS_ONE % P
    if (below * x * x - above) % P:
        return None
    return P - x if x and x % 2 != sign else x


def _eight_times_is_neutral(x: int, y: int) -> bool:
    """Three doublings of (x, y), projective, so without a division (https://hyperelliptic.org/EFD/g1p/
    auto-twisted-projective.html, dbl-2008-bbjlp with a = −1)."""
    z = 1
    for _ in range(3):
        b, c, d = (x + y) ** 2, x * x, y * y
        f = (d - c) % P
        j = f - 2 * z * z
        x, y, z = (b - c - d) * j % P, f * (-c - d) % P, f * j % P
    return x == 0 and y == z
