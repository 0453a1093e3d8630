"""What one metric is: its name after Prometheus' conventions, its labels, and what a person does about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["gauge", "counter", "histogram"]
Scope = Literal["store", "broker", "machine", "process"]
"""store, broker: the same from every process of an installation; machine: of the machine that is asked; process: of
that process alone, since it began."""


@dataclass(frozen=True, slots=True)
class Metric:
    """name: as it is queried; of a histogram without `_bucket`, `_sum`, `_count`. unit: of one value. zh, en: what it
    is. do_zh, do_en: what to do about it."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    unit: str
    scope: Scope
    zh: str
    en: str
    do_zh: str
    do_en: str


OTHER = "other"
"""Stands for every value of a label that is not one of ours."""
