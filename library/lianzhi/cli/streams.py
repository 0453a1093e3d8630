"""Output that no terminal can make fail: what its encoding lacks is said in other words.

A terminal in GBK has no `✓`, one in ASCII no Chinese. Prose stands in two languages, so there a run of characters that
cannot be said becomes one `?`; in the cell of a table each is written as `\\uXXXX`, because somebody may need it.
"""

from __future__ import annotations

import codecs
import io
import sys
from typing import Final

_NAME: Final = "lianzhi-said-otherwise"
OTHERWISE: Final = {
    "✓": "OK", "✗": "WRONG", "–": "-", "—": "-", "…": "...", "→": "->", "×": "x", "·": ".", "≥": ">=", "≤": "<=",
    "“": '"', "”": '"', "‘": "'", "’": "'", "：": ": ", "，": ", ", "。": ". ", "；": "; ", "、": ", ", "（": " (",
    "）": ") ", "？": "?", "！": "!", "「": '"', "」": '"', "│": "|", "─": "-",
}  # fmt: skip
"""Sign → what says the same in ASCII."""


def said_otherwise(text: str) -> str:
    """text: a run of characters that cannot be encoded."""
    out: list[str] = []
    for character in text:
        word = OTHERWISE.get(character, "?")
        if word != "?" or out[-1:] != ["?"]:
            out.append(word)
    return "".join(out)


def fitted(text: str, encoding: str) -> str:
    """Prose as `prepare` would make it, for those who have to know how wide it becomes."""
    return text.encode(encoding, _NAME).decode(encoding)


def cell_for(text: str, encoding: str) -> str:
    """text as a terminal of that encoding can show it, each character told apart."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return "".join(_shown(character, encoding) for character in text)
    return text


def _shown(character: str, encoding: str) -> str:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return OTHERWISE.get(character) or character.encode("ascii", "backslashreplace").decode()
    return character


def is_wide(encoding: str) -> bool:
    """Whether a terminal of that encoding gives two columns to `→`, `…`, `“` (UAX 11: ambiguous)."""
    return encoding.lower().replace("_", "").replace("-", "") in ("gbk", "gb2312", "gb18030", "cp936", "936")


def prepare() -> None:
    """For this process: from now on no character makes its standard output or error fail."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_NAME)


def _handler(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return said_otherwise(error.object[error.start : error.end]), error.end


codecs.register_error(_NAME, _handler)
