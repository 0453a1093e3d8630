"""Rows of `court/1` for messages between courts beside commissions: bankruptcy, petitions, unclear orders.

All names are [D]. What has no row of its own inside a list keeps its canonical names there.
"""

from adapters.court import letter_codes as codes
from adapters.rows import Rows, answers, code, day, under
from adapters.rows import codes as several

ENTERPRISE: Rows = {
    "ref": "ref",
    "name": "QYMC",
    "uscc": "TYSHXYDM",
    "legal_representative": "FDDBR",
}
EXTENSION: Rows = {
    "due_on": day("YQX"),  # 原期限
    "extended_to": day("YCZ"),  # 延长至
    "approved_by": "PZR",  # 批准人
    "approved_on": day("PZRQ"),
    "reason": "YQLY",  # 延期理由
}

_TRANSFER: Rows = {
    **under("payload.enterprise.", ENTERPRISE),
    "payload.domicile.division_code": "ZSD.XZQHDM",  # 住所地
    "payload.domicile.street": "ZSD.JD",
    "payload.domicile.detail": "ZSD.XXDZ",
    "payload.domicile.grid_code": "ZSD.WGBH",
    "payload.consent.by": code("TYR", codes.TYR),  # 同意人
    "payload.consent.party": "TYRMC",
    "payload.consent.given_on": day("TYRQ"),
    "payload.grounds": several("PCYY", codes.PCYY),  # 破产原因
    "payload.insolvency": "ZJCL",  # 证据材料
    "payload.insolvency[].number": "ZJCL[].WSBH",
    "payload.decision_no": "YSJDSWH",  # 移送决定书文号
    "payload.decided_on": day("JDRQ"),
    "payload.transferred_on": day("YSRQ"),
    "payload.property": "CCQD",  # 财产清单
    "payload.seized": "CFQD",  # 查封清单
    "payload.distributed": "FPQD",  # 分配清单
    "payload.debts": "ZWQD",  # 债务清单
    "payload.measures": "CSQD",  # 措施清单
    "payload.other_courts": "QTZXFY",  # 其他执行法院
    "payload.funds_in_hand": "WFPAK",  # 未分配案款
    "payload.employees": "ZGRS",  # 职工人数
    "payload.note": "QTSM",  # 其他说明
}
_DECIDED: Rows = {
    "items[].answer": code("items[].SCJG", codes.SCJG),  # 审查结果
    "items[].case_no": "items[].PCAH",  # 破产案号
    "items[].decided_on": day("items[].JDRQ"),
    "items[].administrator": "items[].GLR",  # 管理人
    "items[].served_on": day("items[].SDRQ"),
    "items[].handover_due_on": day("items[].YJQX"),  # 移交期限
    "items[].reason": "items[].LY",
}
_STAY: Rows = {
    **under("payload.enterprise.", ENTERPRISE),
    "payload.occasion": code("TZSY", codes.TZSY),  # 通知事由
    "payload.document_no": "WSBH",
    "payload.decided_on": day("ZCRQ"),  # 作出日期
    "payload.bankruptcy_case_no": "PCAH",
    "payload.known_cases": "YZAJ",  # 已知案件
    "payload.reason": "LY",
    "payload.contact": "LXDH",
}
_PETITION: Rows = {
    "payload.ref": "ref",
    "payload.petition_no": "XFBH",  # 信访编号
    "payload.channel": code("XFQD", codes.XFQD),  # 信访渠道
    "payload.petitioner": "XFR",
    "payload.phone": "XFRDH",
    "payload.issue": code("SQLB", codes.SQLB),  # 诉求类别
    "payload.claim": "SQNR",
    "payload.received_on": day("SDXFRQ"),
    "payload.assigned_on": day("JBRQ"),  # 交办日期
    "payload.due_on": day("BJQX"),  # 办结期限
    "payload.owner": "ZRR",  # 责任人
    "payload.backup": "XBR",  # 协办人
    "payload.level": code("DBFS", codes.DBFS),  # 督办方式
}
_PETITION_ANSWER: Rows = {
    "items[].answer": code("items[].BLJG", codes.BLJG),  # 办理结果
    "items[].action_taken": "items[].BLQK",
    "items[].answered_on": day("items[].DFRQ"),
    "items[].view": code("items[].XFRYJ", codes.XFRYJ),
    "items[].reason": "items[].LY",
    **under("items[].extension.", EXTENSION, into="items[].YQ."),  # 延期
}
_CLARIFY: Rows = {
    "payload.judgment.case_no": "SXWSAH",  # 生效文书案号
    "payload.judgment.court": "SXWSFY",
    "payload.judgment.division": "SPBM",  # 审判部门
    "payload.judgment.made_on": day("ZCRQ"),
    "payload.doubts[].ref": "ZXSX[].ref",  # 征询事项
    "payload.doubts[].kind": code("ZXSX[].BMZC", codes.BMZC),  # 不明之处
    "payload.doubts[].order": "ZXSX[].PXYW",  # 判项原文
    "payload.doubts[].question": "ZXSX[].WT",
    "payload.doubts[].reading": "ZXSX[].ZXYJ",  # 执行部门意见
    "payload.asked_on": day("ZXRQ"),
}
_CLARIFIED: Rows = {
    "items[].answer": code("items[].DFFS", codes.DFFS),  # 答复方式
    "items[].meaning": "items[].PXHY",  # 判项含义
    "items[].ruling_no": "items[].CDWH",  # 裁定文号
    "items[].answered_by": "items[].DFR",
    "items[].reason": "items[].LY",
}

LETTERS: tuple[tuple[str, Rows], ...] = (
    ("bankruptcy.transfer.submit open", _TRANSFER),
    *answers("bankruptcy.transfer.submit", _DECIDED),
    ("bankruptcy.stay.notify open", _STAY),
    ("petition.supervise.assign open", _PETITION),
    *answers("petition.supervise.assign", _PETITION_ANSWER),
    ("trial.clarify.request open", _CLARIFY),
    *answers("trial.clarify.request", _CLARIFIED),
)
