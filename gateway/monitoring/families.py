"""Metric families by name, each as the table has it: nothing is collected that is not described there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from gateway.core.signals.metric import OTHER
from gateway.core.signals.table import METRICS
from gateway.core.signals.tallies import Durations

Labels = tuple[str, ...]


def family(name: str, values: Mapping[Any, float]) -> Metric:
    """A gauge or a counter. values: by the values of its labels in their order; a lone text is one label.

    Raises KeyError: the table does not know it."""
    metric = METRICS[name]
    kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    found = kind(name.removesuffix("_total"), metric.en, labels=metric.labels)
    for key, value in values.items():
        labels = (key,) if isinstance(key, str) else key
        if len(labels) != len(metric.labels):
            raise KeyError(f"{name}: {labels}")
        found.add_metric(labels, value)
    return found


def single(name: str, value: float) -> Metric:
    """One without labels."""
    return family(name, {(): value})


def histogram(name: str, values: Mapping[Any, Durations]) -> Metric:
    """By the values of its labels."""
    metric = METRICS[name]
    found = HistogramMetricFamily(name, metric.en, labels=metric.labels)
    for labels, durations in values.items():
        found.add_metric(labels, buckets=durations.buckets(), sum_value=durations.total)
    return found


def summed(values: Iterable[tuple[Labels, float]]) -> dict[Labels, float]:
    """Labels that have become the same are one series."""
    found: dict[Labels, float] = {}
    for labels, value in values:
        found[labels] = found.get(labels, 0) + value
    return found


def known(value: str, among: Collection[str]) -> str:
    """`other` for what is none of ours: nobody outside decides how many series there are."""
    return value if value in among else OTHER
