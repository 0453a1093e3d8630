"""`department/1`: what is said about a request of any type. The names of the verbs are [D]."""

from adapters.department import codes
from adapters.rows import Rows, Scopes, code, joined, moment

RESULT: Rows = {
    "items[].ref": "items[].ref",
    "reasons": joined("YYSM"),  # 原因说明
    "evidence": "evidence",
}

VERBS: Scopes = (
    ("* delivered", {"stored_at": moment("CCSJ"), "system": "CCXT"}),
    (
        "* receipt",
        {"received_at": moment("QSSJ"), "person": "QSRXM", "badge": "QSRGH", "unit": "QSDW", "unit_code": "QSDWDM"},
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
    ("* objection-answer", {"decision": code("DFJL", codes.DFJL), "reasons": "DFLY", "by": "DFR"}),
    ("* progress", {"stage": "JZJD", "note": "JZSM"}),
    ("* result", RESULT),
    ("* correct", {**RESULT, "reason": "GZYY"}),
    ("* withdraw", {"reason": "CHYY", "by": "CHR"}),
    ("* withdraw-ack", {"note": "CHSM"}),
    ("* urge", {"note": "CBSM"}),
    ("* confirm", {"by": "QRR", "why": "QRSM"}),
    ("* reopen", {"by": "TBR", "why": "TBYY"}),
    ("* evaluate", {"score": "PJFS", "text": "PJNR"}),
    ("* complain", {"text": "TSNR"}),
    ("* read", {"by": "YDR"}),
)
