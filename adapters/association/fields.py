"""`association/1`: the names of the public list of dishonest debtors [S]; those of the verbs are [D]."""

from adapters.association import codes
from adapters.rows import Rows, Scopes, answers, code, day, texts, under
from adapters.standard import ENGLISH

DEBTOR: Rows = {
    "payload.debtor.ref": "ref",
    "payload.debtor.name": "iname",
    "payload.debtor.card_no": "cardNum",
    "payload.debtor.business_entity": "businessEntity",
}
LISTED: Rows = {
    **DEBTOR,
    "payload.court_name": "courtName",
    "payload.area_name": "areaName",
    "payload.case_code": "caseCode",
    "payload.basis_no": "gistId",
    "payload.filed_on": day("regDate"),
    "payload.published_on": day("publishDate"),
    "payload.performance": code("performance", codes.PERFORMANCE),
    "payload.disruption": texts("disruptTypeName", codes.DISRUPTION),
}
# What members did; the names of the list for the debtor, ours for the rest [D].
FEEDBACK: Rows = {
    **DEBTOR,
    "payload.notice_no": "answeredNoticeNo",
    "payload.reported_on": day("reportDate"),
    "payload.members": "memberCount",
    "payload.steps": texts("measures", codes.STEPS),
    "payload.reaction": code("reaction", codes.REACTION),
    "payload.note": "note",
}
PARTY: Rows = {"ref": "ref", "name": "iname", "division_code": "areaCode"}
MEDIATION: Rows = {
    "court.name": "courtName",
    "handler.name": "contactName",
    "handler.phone": "contactPhone",
    **under("payload.debtor.", PARTY, into="debtor."),
    **under("payload.creditor.", PARTY, into="creditor."),
    "payload.dispute": code("dispute", codes.DISPUTE),
    "payload.offers": texts("offers", codes.OFFERS),
    "payload.both_willing": code("bothWilling", codes.WILLING),
}
MEDIATED: Rows = {
    "items[].status": code("items[].status", codes.MEDIATED),
    "items[].met_at": "items[].metAt",
    "items[].mediator": "items[].mediator",
    "items[].agreement": "items[].agreement",
    "items[].perform_by": "items[].performBy",
    "items[].reason": "items[].reason",
}

FIELDS: Scopes = (
    ("* open", {"request.request_no": "noticeNo"}),  # [D]
    ("assoc.member-notice.publish open", LISTED),
    ("assoc.credit-feedback.report open", FEEDBACK),
    ("mediation.assist.request open", MEDIATION),
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
    *ENGLISH,
    ("* objection-answer", {"decision": code("decision", codes.DECISION)}),
    *answers("mediation.assist.request", MEDIATED),
)

# Public-list data only (docs/architecture.md 4 rule 5). The case number has no row here: where the public list
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
            "documents",
        ),
    ),
    ("assoc.* open", ("court", "handler")),
    # Members know each other: who, about what, and whom to call at the court will do.
    (
        "mediation.assist.request open",
        (
            "court.code",
            "court.court_code",
            "handler.permit",
            "payload.debtor.phone",
            "payload.creditor.phone",
            "payload.claim",
        ),
    ),
    ("* supplement", ("documents[].number",)),
    ("* withdraw", ("reason",)),
    ("* confirm", ("why",)),
    ("cross.* open", ("court", "handler")),
    (
        "cross.reassign.notice open",
        tuple(f"payload.{m}" for m in ("mode", "from_court", "to_court", "old_case_no", "new_case_no")),
    ),
)
