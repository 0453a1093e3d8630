"""`grid/1`: what grid centres call things; all [D] but gridCode [S] (docs/dialects.md)."""

from adapters.grid import codes
from adapters.rows import Rows, Table, code, under
from adapters.rows import codes as coded
from schemas.catalogue import Kind

ADDRESS: Rows = {
    "grid_code": "gridCode",  # [S]
    "division_code": "address.divisionCode",
    "street": "address.street",
    "detail": "address.detail",
}
VERIFIED: Rows = {
    "items[].ref": "items[].ref",
    "items[].lives_here": code("items[].livesHere", codes.YES_NO),
    "items[].last_seen_month": "items[].lastSeenMonth",
    "items[].contactable": code("items[].contactable", codes.YES_NO),
    "items[].premises_state": code("items[].premisesState", codes.PREMISES),
    "items[].worker_no": "items[].workerNo",
    "items[].worker_name": "items[].workerName",
    "items[].visited_at": "items[].visitedAt",
    "items[].remark": "items[].remark",
}
RESULT: Rows = {"reasons": "reasons", "evidence": "evidence"}

FIELDS: tuple[tuple[str, Rows], ...] = (
    (
        "* open",
        {
            "request.request_no": "taskNo",
            "court.name": "courtName",
            "handler.name": "contactName",
            "handler.phone": "contactPhone",
            "payload.person.ref": "ref",
            "payload.person.name": "name",
            "payload.person.id_tail4": "idTail4",
            **under("payload.address.", ADDRESS),
            "payload.questions": coded("questions", codes.QUESTIONS),
            "request.urgency": "urgency",
        },
    ),
    (
        "cross.reassign.notice open",
        {
            "payload.effective_on": "effectiveOn",
            "payload.handler": "newContactName",
            "payload.team": "newTeam",
            "payload.requests": "taskNos",
            "payload.measures": "measureNos",
        },
    ),
    ("* read", {"by": "by"}),
    ("* delivered", {"stored_at": "storedAt", "system": "system"}),
    (
        "* receipt",
        {
            "received_at": "receivedAt",
            "person": "workerName",
            "badge": "workerNo",
            "unit": "gridName",  # [S]
            "unit_code": "gridCode",  # [S]
        },
    ),
    ("* accept", {"handler": "workerName", "promised_at": "promisedAt"}),
    ("* supplement-request", {"missing": "missing"}),
    ("* supplement", {"documents": "documents", "fields": "fields"}),
    ("* refuse", {"explanation": "explanation", "legal_ref": "legalRef"}),
    ("* return", {"explanation": "explanation", "contact_log": "contactLog"}),
    ("* objection", {"grounds": "grounds", "documents": "documents"}),
    ("* objection-answer", {"decision": code("decision", codes.DECISION), "reasons": "reasons", "by": "by"}),
    ("* progress", {"stage": "stage", "note": "note"}),
    ("* result", RESULT),
    ("* correct", {**RESULT, "reason": "reason"}),
    ("grid.verify.request result", VERIFIED),
    ("grid.verify.request correct", VERIFIED),
    ("* withdraw", {"by": "by"}),
    ("* withdraw-ack", {"note": "note"}),
    ("* urge", {"note": "note"}),
    ("* confirm", {"by": "by"}),
    ("* reopen", {"by": "by", "why": "why"}),
    ("* evaluate", {"score": "score", "text": "text"}),
    ("* complain", {"text": "text"}),
)

# Never the case, the debt or the judgment (docs/domain.md 2.7): the case number, what the court wants it for, the
# papers, and the court's own words about why a matter ended, which like to name sums. A paper that a supplement
# hands on goes without its number, which is a case number.
HIDDEN = (
    (
        "* open",
        (
            "request.case_no",
            "request.purpose",
            "request.legal_basis",
            "request.campaign",
            "court.code",
            "court.court_code",
            "handler.permit",
            "documents",
        ),
    ),
    ("* supplement", ("documents[].number",)),
    (
        "cross.reassign.notice open",
        tuple(f"payload.{m}" for m in ("mode", "from_court", "to_court", "old_case_no", "new_case_no")),
    ),
    ("* withdraw", ("reason",)),
    ("* confirm", ("why",)),
)

TABLE = Table(dialect="grid/1", kinds=frozenset({Kind.GRID}), fields=FIELDS, hidden=HIDDEN)
