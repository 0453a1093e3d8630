"""Rows of the verbs that several kinds of partner share; a kind lists them before its own rows, which win. All [D] but
what docs/dialects.md marks otherwise for a kind.
"""

from adapters.rows import Rows, Scopes, code, day, joined, moment

_RESULT: Rows = {"items[].ref": "items[].ref", "reasons": "reasons", "evidence": "evidence"}

ENGLISH: Scopes = (
    ("* delivered", {"stored_at": "storedAt", "system": "system"}),
    (
        "* receipt",
        {
            "received_at": "receivedAt",
            "person": "receiver",
            "badge": "receiverNo",
            "unit": "unitName",
            "unit_code": "unitCode",
        },
    ),
    ("* accept", {"handler": "handler", "promised_at": "promisedAt"}),
    ("* supplement-request", {"missing": "missing"}),
    ("* supplement", {"documents": "documents", "fields": "fields"}),
    ("* refuse", {"explanation": "explanation", "legal_ref": "legalRef"}),
    ("* return", {"explanation": "explanation", "contact_log": "contactLog"}),
    ("* objection", {"grounds": "grounds", "documents": "documents"}),
    ("* objection-answer", {"decision": "decision", "reasons": "reasons", "by": "by"}),
    ("* progress", {"stage": "stage", "note": "note"}),
    ("* result", _RESULT),
    ("* correct", {**_RESULT, "reason": "reason"}),
    ("* withdraw", {"by": "by"}),
    ("* withdraw-ack", {"note": "note"}),
    ("* urge", {"note": "note"}),
    ("* confirm", {"by": "by"}),
    ("* reopen", {"by": "by", "why": "why"}),
    ("* evaluate", {"score": "score", "text": "text"}),
    ("* complain", {"text": "text"}),
    ("* read", {"by": "by"}),
)
"""Canonical names, written as one word (`receivedAt`): for a kind whose own words are not known. Why a matter was
withdrawn or ended is not among them: the court's own words there like to name sums."""

_DFJL = {"upheld": "1", "dismissed": "2", "partly-upheld": "3"}  # 成立 不成立 部分成立
_JG: Rows = {
    "items[].ref": "items[].ref",
    "reasons": joined("YYSM"),  # 原因说明
    "evidence": "evidence",
}
PINYIN: Scopes = (
    ("* delivered", {"stored_at": moment("CCSJ"), "system": "CCXT"}),
    (
        "* receipt",
        {
            "received_at": moment("QSSJ"),  # [S] of the police
            "person": "QSRXM",  # [S] of the police
            "badge": "QSRGH",
            "unit": "QSDW",  # [S] of the police
            "unit_code": "QSDWDM",
        },
    ),
    ("* accept", {"handler": "SLR", "promised_at": moment("CNSJ")}),
    (
        "* supplement-request",
        {"missing[].document": "BZQD[].WSLX", "missing[].field": "BZQD[].ZDM", "missing[].why": "BZQD[].BZYY"},
    ),
    ("* supplement", {"documents": "documents", "fields[].field": "BZNR[].ZDM", "fields[].value": "BZNR[].ZDZ"}),
    ("* refuse", {"explanation": "JJYY", "legal_ref": "JJYJ"}),
    (
        "* return",
        {
            "explanation": "THYY",
            "contact_log[].at": moment("LXJL[].LXSJ"),
            "contact_log[].person": "LXJL[].LXR",
            "contact_log[].note": "LXJL[].LXNR",
        },
    ),
    ("* objection", {"grounds": "YYLY", "documents": "documents"}),
    ("* objection-answer", {"decision": code("DFJL", _DFJL), "reasons": "DFLY", "by": "DFR"}),
    ("* progress", {"stage": "JZJD", "note": "JZSM"}),
    ("* result", _JG),
    ("* correct", {**_JG, "reason": "GZYY"}),  # 更正原因
    ("* withdraw", {"reason": "CHYY", "by": "CHR"}),
    ("* withdraw-ack", {"note": "CHSM"}),
    ("* urge", {"note": "CBSM"}),
    ("* confirm", {"by": "QRR", "why": "QRSM"}),
    ("* reopen", {"by": "TBR", "why": "TBYY"}),
    ("* evaluate", {"score": "PJFS", "text": "PJNR"}),
    ("* complain", {"text": "TSNR"}),
    ("* read", {"by": "YDR"}),
)
"""Initials of the Chinese words: police, departments, courts."""

_JCZXFS = {
    "supervise": "1",
    "order": "2",
    "raise": "3",
    "concentrate": "4",
    "cooperate": "5",
    "in-court-team": "6",
}  # 督促 指令 提级 集中 协同 院内团队
REASSIGNMENT: Scopes = (
    (
        "cross.reassign.notice open",
        {
            "payload.mode": code("JCZXFS", _JCZXFS),  # 交叉执行方式
            "payload.from_court": "YZXFYDM",  # 原执行法院
            "payload.to_court": "XZXFYDM",  # 现执行法院
            "payload.old_case_no": "YAH",  # 原案号
            "payload.new_case_no": "XAH",  # 现案号
            "payload.effective_on": day("SXRQ"),  # 生效日期
            "payload.handler": "XCBR",  # 现承办人
            "payload.team": "XBATD",  # 现办案团队
            "payload.requests": "BGQQDH",  # 变更的请求
            "payload.measures": "BGCSBH",  # 变更的措施
        },
    ),
)
