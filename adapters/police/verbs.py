"""`police/1`: what is said about a request of any type."""

from adapters.police import codes
from adapters.rows import Rows, Scopes, code, flag, joined, moment

RESULT: Rows = {
    "items[].ref": "items[].ref",
    "reasons": joined("YYSM"),  # [D] 原因说明
    "evidence": "evidence",
}
CORRECT: Rows = {**RESULT, "reason": "GZYY"}  # [D] 更正原因

VERBS: Scopes = (
    ("* delivered", {"stored_at": moment("CCSJ"), "system": "CCXT"}),  # [D]
    (
        "* receipt",
        {
            "received_at": moment("QSSJ"),  # [S]
            "person": "QSRXM",  # [S]
            "badge": "QSRJH",  # [H]
            "unit": "QSDW",  # [S]
            "unit_code": "QSDWJGDM",  # [S]
        },
    ),
    # The names of the verbs below are [D] but for CZR and CZDW [S].
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
    ("* correct", CORRECT),
    ("* withdraw", {"reason": "CHYY", "by": "CHR"}),
    ("* withdraw-ack", {"note": "CHSM"}),
    ("* urge", {"note": "CBSM"}),
    ("* confirm", {"by": "QRR", "why": "QRSM"}),
    ("* reopen", {"by": "TBR", "why": "TBYY"}),
    ("* evaluate", {"score": "PJFS", "text": "PJNR"}),
    ("* complain", {"text": "TSNR"}),
    ("* acknowledge", {"by": "CZR"}),
    ("* send-team", {"by": "CZR", "team": "CZDW", "eta": moment("YJDDSJ")}),
    (
        "* identity-check",
        {
            "by": "CZR",
            "plate_ok": flag("HPXF"),
            "vin_ok": flag("CJHXF"),
            "id_ok": flag("ZJXF"),
            "photo_ok": flag("ZPXF"),
        },
    ),
    ("* handover", {"by": "CZR", "place": "YJDD", "handed_by": "YJR", "received_by": "JSR"}),
    ("* false-hit", {"by": "CZR", "why": "WBYY"}),
    ("* read", {"by": "YYR"}),
)
