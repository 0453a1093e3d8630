"""One POST as it arrived, and its answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gateway.core.routing import Client, Participant
from lianzhi.protocol.tracing import TraceContext


@dataclass(frozen=True, slots=True)
class Handed:
    """One POST as it came: whose client, under which key, which bytes. trace: of the call, where calls are traced."""

    participant: Participant
    client: Client
    key: str
    fingerprint: str
    content_type: str
    body: bytes
    trace: TraceContext | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller is told. replayed: the same was handed in before and nothing happened again."""

    status: int
    body: dict[str, Any]
    location: str | None = None
    replayed: bool = False
