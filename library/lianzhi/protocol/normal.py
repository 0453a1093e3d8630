"""How text is brought to one form before any rule looks at it (docs/domain.md section 5)."""

from __future__ import annotations

import unicodedata
from string import ascii_lowercase, ascii_uppercase

_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))
_UPPER = str.maketrans(ascii_lowercase, ascii_uppercase)


def squeeze(text: str) -> str:
    """NFKC without any white space or zero-width character. Idempotent.

    NFKC runs twice because taking out a space can bring a letter and its accent together.
    """
    bare = "".join(text.split())
    if bare.isascii():
        return bare
    folded = "".join(unicodedata.normalize("NFKC", bare).split()).translate(_INVISIBLE)
    return unicodedata.normalize("NFKC", folded)


def upper(text: str) -> str:
    """`squeeze`, and ASCII letters in upper case (others stay: ß must not become SS)."""
    return squeeze(text).translate(_UPPER)
