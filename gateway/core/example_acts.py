"""One example of each verb whose content is the same whatever its type, for contract files and the AsyncAPI document.

Canonical data, codes in clear included. The people, numbers and papers in it do not exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_STAFF, _AT = "sn0199-0007", "2026-03-24T10:31:52+08:00"
EXAMPLE_MESSAGE = "01970000-0000-7000-8000-000000000001"
"""The id of a message that does not exist."""
CORRECTION: Mapping[str, Any] = {"supersedes": EXAMPLE_MESSAGE, "reason": "原结果录入有误（演示）"}
"""What a `correct` says beside the new result (`CorrectMixin`)."""
EXAMPLE_ACTS: Mapping[str, Mapping[str, Any]] = {
    "delivered": {"stored_at": _AT, "system": "云川县协助执行系统（演示）"},
    "receipt": {"received_at": _AT, "person": "赵演示", "badge": "061234", "unit": "云川县某单位（演示）"},
    "accept": {"handler": "赵演示", "promised_at": "2026-03-27T17:30:00+08:00"},
    "supplement-request": {
        "missing": [{"document": "协助执行通知书", "why": "随附文书缺页"}],
        "reply_by": "2026-03-27T17:30:00+08:00",
    },
    "supplement": {"fields": [{"field": "协助执行通知书", "value": "已补传完整文书"}]},
    "refuse": {"reason_code": "object-not-found", "explanation": "经查询无该对象（演示）"},
    "return": {
        "reason_code": "not-in-jurisdiction",
        "explanation": "该地址不在本辖区（演示）",
        "contact_log": [{"at": _AT, "person": "李演示", "note": "已电话说明，同意退回"}],
    },
    "objection": {"grounds": "认为协助事项超出法定职责（演示）"},
    "objection-answer": {"decision": "dismissed", "reasons": "协助事项有法律依据（演示）", "by": _STAFF},
    "progress": {"stage": "已派员核查", "note": "预计明日反馈"},
    "withdraw": {"reason_code": "paid", "reason": "被执行人已履行完毕", "by": _STAFF},
    "withdraw-ack": {"effect": "reversed", "note": "已恢复原状"},
    "urge": {"level": 1, "reply_by": "2026-03-27T17:30:00+08:00", "note": "请尽快反馈"},
    "confirm": {"by": _STAFF, "why": "结果符合要求"},
    "reopen": {"by": _STAFF, "why": "缺少现场照片", "reason_code": "incomplete"},
    "evaluate": {"score": 5, "text": "反馈及时"},
    "complain": {"text": "多次催办未答复（演示）"},
    "acknowledge": {"by": _STAFF, "at": _AT},
    "send-team": {"by": _STAFF, "at": _AT, "team": "执行局快反组（演示）", "eta": "2026-03-24T11:10:00+08:00"},
    "identity-check": {"by": _STAFF, "at": _AT, "plate_ok": True, "vin_ok": True, "photo_ok": True},
    "handover": {
        "by": _STAFF,
        "at": _AT,
        "place": "云川县某收费站（演示）",
        "handed_by": "赵演示",
        "received_by": "李演示",
    },
    "false-hit": {"by": _STAFF, "at": _AT, "why": "号牌识别有误（演示）"},
    "read": {"by": "李演示", "at": _AT},
}
