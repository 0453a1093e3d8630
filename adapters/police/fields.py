"""`police/1`: the field names of the police (docs/dialects.md, with its marks). `ref` keeps its name everywhere."""

from adapters.police import codes, people, refusal, vehicles
from adapters.police.parts import PERSON, SEAL, VEHICLE
from adapters.police.verbs import VERBS
from adapters.rows import Scopes, code, day, legal, under
from adapters.standard import REASSIGNMENT

FIRST: Scopes = (
    (
        "* open",
        {
            "request.request_no": "QQDH",  # [D]
            "request.case_no": "AH",  # [S]
            "court.court_code": "FYDM",  # [S]
            "court.name": "FYMC",  # [S]
            "handler.name": "CBR",  # [S]
            "handler.permit": "GZZBH",  # [S]
            "handler.phone": "LXDH",  # [H]
            "payload.contact_24h": "LXDH",  # [H]
            **under("payload.person.", PERSON),
            **under("payload.vehicle.", VEHICLE),
            **under("payload.seal.", SEAL),
        },
    ),
    ("police.*-info.query open", {"payload.need": "CXSY"}),  # [D] 查询事由
    *REASSIGNMENT,
    (
        "police.*-control.renew open",
        {
            "payload.current_end_on": day("YBKJZSJ"),  # [D] 原布控截止时间
            "payload.end_on": day("BKJZSJ"),  # [S]
            "payload.reason": "XKLY",  # [D] 续控理由
        },
    ),
)
LAST: Scopes = (
    (
        "* open",
        {
            "request.legal_basis": legal("ZFYJ"),  # [S]
            "request.urgency": code("JJCD", codes.JJCD),  # [D]
            "documents": "documents",
        },
    ),
)
FIELDS: Scopes = (
    *FIRST,
    *people.OPENS,
    *vehicles.OPENS,
    *refusal.OPENS,
    *LAST,
    *VERBS,
    *people.ANSWERS,
    *vehicles.ANSWERS,
    *refusal.ANSWERS,
)

# The participant code stands in the envelope; purpose and campaign are the court's own business. The debt is the
# court's check against over-seizure (docs/domain.md 2.4): the register has no use for it. An alert, a record of
# handing over and a status are told by the police, so there is no court and no handler of ours.
HIDDEN = (
    ("* open", ("court.code", "request.purpose", "request.campaign")),
    # The decision itself goes with it and says for how many days.
    ("police.person-control.request open", ("payload.detention_days",)),
    ("police.*.alert open", ("court", "handler")),
    ("police.*.record open", ("court", "handler")),
    ("refusal.case.status open", ("court", "handler")),
    ("police.vehicle-seal.request open", ("payload.debt_amount", "payload.debt_reason", "payload.value")),
)
