"""`association/1`: the names of the public list of dishonest debtors [S]; those of the verbs are [D]."""

from adapters.association import codes
from adapters.rows import Rows, Table, code, day, texts
from schemas.catalogue import Kind

LISTED: Rows = {
    "payload.debtor.ref": "ref",
    "payload.debtor.name": "iname",
    "payload.debtor.card_no": "cardNum",
    "payload.debtor.business_entity": "businessEntity",
    "payload.court_name": "courtName",
    "payload.area_name": "areaName",
    "payload.case_code": "caseCode",
    "payload.basis_no": "gistId",
    "payload.filed_on": day("regDate"),
    "payload.published_on": day("publishDate"),
    "payload.performance": code("performance", codes.PERFORMANCE),
    "payload.disruption": texts("disruptTypeName", codes.DISRUPTION),
}

FIELDS: tuple[tuple[str, Rows], ...] = (
    ("* open", {"request.request_no": "noticeNo"}),  # [D]
    ("assoc.member-notice.publish open", LISTED),
    (
        "cross.reassign.notice open",
        {
            "payload.effective_on": day("effectiveDate"),
            "payload.handler": "contactName",
            "payload.team": "team",
            "payload.requests": "noticeNos",
            "payload.measures": "measureNos",
        },
    ),
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
    ("* withdraw", {"by": "by"}),
    ("* withdraw-ack", {"note": "note"}),
    ("* read", {"by": "by"}),
)

# Public-list data only (docs/design.md section 4 rule 5). The case number has no row here: where the public list
# shows it, the notice itself carries it (caseCode). Our own words about why a notice is
# withdrawn like to name sums.
HIDDEN = (
    (
        "* open",
        (
            "request.case_no",
            "request.purpose",
            "request.legal_basis",
            "request.urgency",
            "request.campaign",
            "court",
            "handler",
            "documents",
        ),
    ),
    ("* withdraw", ("reason",)),
    (
        "cross.reassign.notice open",
        tuple(f"payload.{m}" for m in ("mode", "from_court", "to_court", "old_case_no", "new_case_no")),
    ),
)

TABLE = Table(dialect="association/1", kinds=frozenset({Kind.ASSOCIATION}), fields=FIELDS, hidden=HIDDEN)
