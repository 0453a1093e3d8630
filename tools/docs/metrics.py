"""`docs/handbook/metrics.md`: every metric one by one, from the table that is collected by."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.core.signals.metric import Metric
from gateway.core.signals.table import METRICS

_HEAD = """\
# 指标，逐项 Metrics, one by one

由 `gateway/core/signals/table.py` 生成（`make docs`）；测试核对 `/metrics` 给出的与此表相同。抓取、规则、面板：
[monitoring.md](monitoring.md)。 Written from that table; a test holds it against what `/metrics` gives, both ways.
Scraping, rules and dashboards: [monitoring.md](monitoring.md).

- **来处 from**：`store` 数据库、`broker` 代理：各进程给出的相同，取 `max`；`machine` 该机；`process` 该进程，取 `sum`。
  `store`, `broker`: the same from every process of an installation, take `max`; `machine`: of that machine;
  `process`: of that process since it began, take `sum`.
- **标签 labels**：`partner` 是登记的单位代码，`type` 是目录中的事项，`route` 是接口的路由；别的一律 `other`。没有姓名、案号、
  号码。 `partner` is a registered code, `type` a matter type of the catalogue, `route` a pattern of the API; whatever
  else is `other`. Never a name or a number of anybody.
- 数据库和代理每 10 秒至多看一次，不论抓取多频；时长不为负；计数只增，时钟倒退也不变小。 Store and broker are looked at once
  in ten seconds at most, however often one scrapes; no age is negative; counters only grow, also when a clock steps back.
- 数据库、代理不答时，其各项不给出，`lianzhi_store_up`、`lianzhi_broker_asked` 为 0。 What does not answer is told as 0, and
  its figures are absent, never old.
"""
_SECTIONS = {
    "lianzhi_requests": "请求 Requests",
    "lianzhi_partner_open_requests": "单位 Partners",
    "lianzhi_alerts_unacknowledged": "命中预警与呼叫 Hits and pages",
    "lianzhi_outbox": "报文 Messages",
    "lianzhi_broker_connected": "代理 The broker",
    "lianzhi_http_requests_total": "接口 The API",
    "lianzhi_clock_offset_seconds": "时钟 Clocks",
    "lianzhi_store_up": "本机与安装 This machine and the installation",
}
"""First metric of each section."""
_TABLE = "\n| 指标 metric | 标签 labels | 来处 from | 意思 meaning | 怎么办 what to do |\n|---|---|---|---|---|\n"


def metrics_document() -> str:
    return _HEAD + "".join(_lines())


def _lines() -> Iterator[str]:
    number = 0
    for name, metric in METRICS.items():
        if name in _SECTIONS:
            number += 1
            yield f"\n## {number}. {_SECTIONS[name]}\n{_TABLE}"
        yield _row(metric)


def _row(metric: Metric) -> str:
    labels = " ".join(f"`{label}`" for label in metric.labels) or "—"
    does = f"{metric.do_zh}。 {metric.do_en}." if metric.do_zh else "—"
    what = f"{metric.zh}。 {metric.en}."
    return f"| `{metric.name}`<br>{metric.kind}, {metric.unit} | {labels} | {metric.scope} | {what} | {does} |\n"
