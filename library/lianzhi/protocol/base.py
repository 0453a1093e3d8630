"""The one model configuration that every schema shares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Model(BaseModel):
    """Strict, frozen, no unknown members: what is not described is refused, never ignored."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", ser_json_bytes="base64")

    def canonical(self) -> dict[str, Any]:
        """The data as given, normalised: what was absent stays absent, so that it can be read again unchanged."""
        return self.model_dump(by_alias=True, exclude_none=True, exclude_unset=True)


def label(zh: str, en: str, codes: Mapping[str, str] | None = None, **constraints: Any) -> Any:
    """What a member is called on a form (`title`) and in English (`description`), for use in `Annotated`.

    codes: the Chinese word for each code that the member can have; it travels in the JSON Schema as `x-labels`.
    """
    extra: dict[str, Any] | None = {"x-labels": dict(codes)} if codes else None
    return Field(title=zh, description=en, json_schema_extra=extra, **constraints)
