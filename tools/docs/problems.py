"""`docs/handbook/problems.md`: every problem code and quarantine reason with what to do, from the code's own tables."""

from __future__ import annotations

from collections.abc import Iterator

from lianzhi.problem import REASONS, Reason
from tools.docs.remedies import REMEDIES

_HEAD = """\
# 每个代码怎么办 What to do about each code

由 `lianzhi.problem` 和 `tools/docs/remedies.py` 生成（`make docs`）；测试核对齐全。
Written from these two tables; a test holds it whole.

同一代码：接口的 `type`（`urn:lianzhi:problem:<code>`，HTTP 状态如表）、隔离区的“原因”、通知的 `reason`。
One code, wherever it is met: the API's `type` with its HTTP status, the reason in quarantine, the `reason` of a notice.

接口上由提交的系统改正；隔离区的由右栏所说的一方改正，步骤见 [quarantine.md](quarantine.md)。
At the API whoever submits corrects it; in quarantine whom the right column names, step by step in that page.
"""
_TABLE = "\n| 代码 code | HTTP | 意思 meaning | 怎么办 what to do |\n|---|---|---|---|\n"
SECTIONS = {
    "malformed-json": "读不出 Bytes that cannot be read",
    "not-an-sd-jwt": "签名与加密 Signed and sealed form",
    "sender-mismatch": "谁、何时、走哪里 Who, when, where",
    "unknown-request": "往来 Conversation",
    "invalid-field": "内容与审批 Content and approvals",
    "unknown-ledger": "台账与措施 Ledgers and measures",
    "unauthorized": "接口与网关 The API and the gateway itself",
}
"""First code of each section, in the order of `REASONS`."""


def problems_document() -> str:
    """Raises KeyError: a code has no remedy yet."""
    return _HEAD + "".join(_lines())


def _lines() -> Iterator[str]:
    number = 0
    for code, reason in REASONS.items():
        if code in SECTIONS:
            number += 1
            yield f"\n## {number}. {SECTIONS[code]}\n{_TABLE}"
        yield _row(reason)


def _row(reason: Reason) -> str:
    remedy = REMEDIES[reason.code]
    return f"| `{reason.code}` | {reason.status} | {reason.zh} {reason.en} | {remedy.zh}。 {remedy.en}. |\n"
