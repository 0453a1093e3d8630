"""The Chinese word for each state of a request, beside its code in lists for people."""

from __future__ import annotations

from collections.abc import Mapping

STATE_WORDS: Mapping[str, str] = {
    "awaiting-approval": "待审批",
    "approved": "待发出",
    "rejected": "审批不同意",
    "blocked": "暂未送出",
    "dispatched": "已发出",
    "raised": "已发出预警",
    "sent": "已发出",
    "undeliverable": "无法送达",
    "delivered": "已送达",
    "received": "已签收",
    "accepted": "已受理",
    "supplement-wanted": "待补正",
    "in-progress": "办理中",
    "partial": "部分办结",
    "completed": "已办结",
    "impossible": "无法办理",
    "refused": "不予办理",
    "returned": "已退回",
    "closed": "已结束",
    "withdrawing": "撤回中",
    "withdrawn": "已撤回",
    "acknowledged": "已确认",
    "team-sent": "已派警",
    "identity-checked": "已核验身份",
    "handed-over": "已移交",
    "false-hit": "误报",
    "read": "已阅",
    "lapsed": "已失效",
}


def with_word(state: str | None) -> str | None:
    """`delivered（已送达）`; a state without a word is its code."""
    word = STATE_WORDS.get(state) if state is not None else None
    return state if word is None else f"{state}（{word}）"
