"""Text that somebody else chose, made harmless for a log line, a terminal or the text of an error.

A newline in it would begin a second log line, ESC moves the cursor, U+202E turns what follows around. Such characters
are shown as JSON would write them (`\\u001b`), and what is long is cut. Letters of every script stay as they are.
"""

from __future__ import annotations

import json
import re
import unicodedata

MOST = 300
_CODE = re.compile(r"[a-z0-9-]{1,64}")
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # control, format, surrogate, line and paragraph separators


def printable(text: object, most: int | None = MOST) -> str:
    """most: characters kept, None for all. The result is valid inside a JSON string if `text` was."""
    shown = str(text)
    if most is not None and len(shown) > most:
        shown = shown[:most] + "…"
    if shown.isprintable():
        return shown
    return "".join(_escaped(c) if unicodedata.category(c) in _UNSEEN else c for c in shown)


def code_or_unknown(value: object) -> str:
    """A reason or rule as our tables write them (`bad-envelope`); anything else is `unknown`."""
    return value if isinstance(value, str) and _CODE.fullmatch(value) else "unknown"


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1]
