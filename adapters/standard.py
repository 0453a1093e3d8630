"""The verbs as every kind of partner may say them whose own words for them are not known: canonical names, written as
one word (`receivedAt`); all [D]. A kind lists them before its own rows, which win.

Why a matter was withdrawn or ended is not among them: the court's own words there like to name sums.
"""

from adapters.rows import Rows, Scopes

RESULT: Rows = {"items[].ref": "items[].ref", "reasons": "reasons", "evidence": "evidence"}

VERBS: Scopes = (
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
    ("* result", RESULT),
    ("* correct", {**RESULT, "reason": "reason"}),
    ("* withdraw", {"by": "by"}),
    ("* withdraw-ack", {"note": "note"}),
    ("* urge", {"note": "note"}),
    ("* confirm", {"by": "by"}),
    ("* reopen", {"by": "by", "why": "why"}),
    ("* evaluate", {"score": "score", "text": "text"}),
    ("* complain", {"text": "text"}),
    ("* read", {"by": "by"}),
)
