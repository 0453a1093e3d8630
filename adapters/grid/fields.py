"""`grid/1`: the field names of grid centres; all [D] but gridCode [S] (docs/dialects.md)."""

from adapters.grid import codes
from adapters.rows import Rows, Scopes, answers, code, flag, under
from adapters.rows import codes as coded
from adapters.standard import ENGLISH

ADDRESS: Rows = {
    "grid_code": "gridCode",  # [S]
    "division_code": "address.divisionCode",
    "street": "address.street",
    "detail": "address.detail",
}
PARTY: Rows = {"ref": "ref", "name": "name", "phone": "phone", "division_code": "divisionCode"}
WORKER: Rows = {
    "items[].worker_no": "items[].workerNo",
    "items[].worker_name": "items[].workerName",
    "items[].visited_at": "items[].visitedAt",
    "items[].remark": "items[].remark",
}
VERIFIED: Rows = {
    "items[].lives_here": code("items[].livesHere", codes.YES_NO),
    "items[].last_seen_month": "items[].lastSeenMonth",
    "items[].contactable": code("items[].contactable", codes.YES_NO),
    "items[].premises_state": code("items[].premisesState", codes.PREMISES),
    **WORKER,
}
VISITED: Rows = {
    "items[].met": flag("items[].met", "1", "2"),
    "items[].attitude": code("items[].attitude", codes.ATTITUDE),
    "items[].wants_settlement": code("items[].wantsSettlement", codes.YES_NO),
    **WORKER,
}
SERVED: Rows = {
    "items[].served": flag("items[].served", "1", "2"),
    "items[].mode": code("items[].mode", codes.MODES),
    "items[].signed_at": "items[].signedAt",
    "items[].signer": "items[].signer",
    "items[].relation": "items[].relation",
    "items[].receipt_image": "items[].receiptImage",
    "items[].fail_reason": "items[].failReason",
    **WORKER,
}
WITNESSED: Rows = {
    "items[].attended": flag("items[].attended", "1", "2"),
    "items[].attendees[].worker_no": "items[].attendees[].workerNo",
    "items[].attendees[].worker_name": "items[].attendees[].workerName",
    "items[].signed_at": "items[].signedAt",
    "items[].opinion": code("items[].opinion", codes.OPINION),
    "items[].note": "items[].remark",
}
MEDIATED: Rows = {
    "items[].status": code("items[].status", codes.MEDIATED),
    "items[].met_at": "items[].metAt",
    "items[].mediator": "items[].mediator",
    "items[].agreement": "items[].agreementImage",
    "items[].perform_by": "items[].performBy",
    "items[].reason": "items[].reason",
}

FIELDS: Scopes = (
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
            "request.urgency": "urgency",
        },
    ),
    ("grid.verify.request open", {"payload.questions": coded("questions", codes.QUESTIONS)}),
    ("grid.visit.request open", {"payload.topics": coded("topics", codes.TOPICS)}),
    (
        "grid.service-assist.request open",
        {
            "payload.mode": code("mode", codes.MODES),
            "payload.envelopes": "envelopes",
            "payload.meet_at": "meetAt",
        },
    ),
    (
        "grid.witness.request open",
        {
            "payload.ref": "ref",
            "payload.act": code("act", codes.ACTS),
            "payload.starts_at": "startsAt",
            "payload.people": "people",
        },
    ),
    (
        "mediation.assist.request open",
        {
            **under("payload.debtor.", PARTY, into="debtor."),
            **under("payload.creditor.", PARTY, into="creditor."),
            "payload.dispute": code("dispute", codes.DISPUTES),
            "payload.offers": coded("offers", codes.OFFERS),
            "payload.both_willing": code("bothWilling", codes.YES_NO),
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
    *ENGLISH,
    (
        "* receipt",
        {
            "person": "workerName",
            "badge": "workerNo",
            "unit": "gridName",  # [S]
            "unit_code": "gridCode",  # [S]
        },
    ),
    ("* accept", {"handler": "workerName"}),
    ("* objection-answer", {"decision": code("decision", codes.DECISION)}),
    *answers("grid.verify.request", VERIFIED),
    *answers("grid.visit.request", VISITED),
    *answers("grid.service-assist.request", SERVED),
    *answers("grid.witness.request", WITNESSED),
    *answers("mediation.assist.request", MEDIATED),
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
    ("mediation.assist.request open", ("payload.claim",)),
    ("* supplement", ("documents[].number",)),
    (
        "cross.reassign.notice open",
        tuple(f"payload.{m}" for m in ("mode", "from_court", "to_court", "old_case_no", "new_case_no")),
    ),
    ("* withdraw", ("reason",)),
    ("* confirm", ("why",)),
)
