"""How an exception is logged: by its type and its place, never by its text.

The text of an exception may repeat what somebody sent (`KeyError: '<a name>'`, a driver's `DETAIL`), and a log is read
by people who may not see that (docs/architecture.md 6). Type and place are enough to find the fault in the source.
"""

from __future__ import annotations

import traceback
from typing import Any

FRAMES = 12
_CODES = ("sqlstate", "sqlite_errorname", "errno")


def fault_of(error: BaseException) -> dict[str, Any]:
    """For a log line: `fault`, the type, `at`, the innermost frames, outermost first, and `caused_by`, the type and
    code of what it was raised from, where there is one."""
    told: dict[str, Any] = {"fault": kind_of(error), "at": places_of(error)}
    if error.__cause__ is not None:
        told["caused_by"] = kind_of(error.__cause__)
    return told


def places_of(error: BaseException) -> list[str]:
    """`folder/file.py:line function` of the innermost frames, outermost first."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    return ["/".join(f.filename.rsplit("/", 2)[-2:]) + f":{f.lineno} {f.name}" for f in frames]


def kind_of(error: BaseException) -> str:
    """The type, and where a driver or the system gives one its code: `OperationalError SQLITE_FULL`."""
    codes = (getattr(error, name, None) for name in _CODES)
    return " ".join([type(error).__name__, *(str(c) for c in codes if isinstance(c, (str, int)))])


def cause_of(error: BaseException) -> str:
    """`kind_of` what it was raised from, else of itself: why a store or a broker is away."""
    return kind_of(error.__cause__ or error)
