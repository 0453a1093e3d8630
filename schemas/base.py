"""The one model configuration that every schema shares."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """Strict, frozen, no unknown members: what is not described is refused, never ignored."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", ser_json_bytes="base64")
