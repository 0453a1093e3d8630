"""The context of a validation: what the caller of `schemas.validation` states about the data."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from pydantic import ValidationInfo
from pydantic_core import PydanticCustomError


def today_of(info: ValidationInfo) -> date | None:
    """The day (Asia/Shanghai) that the caller gave, if any."""
    return info.context.get("today") if isinstance(info.context, dict) else None


def accepted_before(info: ValidationInfo) -> bool:
    """Whether the data is read from where an earlier version may have put it: what it took then stays taken."""
    return isinstance(info.context, dict) and info.context.get("stored", False)


def unless_accepted(check: Callable[[str], str]) -> Callable[[str, ValidationInfo], str]:
    """`check` for what comes in; of what was accepted before, a value that breaks it is left as it is."""

    def checked(text: str, info: ValidationInfo) -> str:
        try:
            return check(text)
        except PydanticCustomError:
            if accepted_before(info):
                return text.strip()
            raise

    return checked
