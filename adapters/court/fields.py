"""`court/1`: between courts, in the names of the national query-and-control interface (docs/dialects.md)."""

from adapters.court import codes
from adapters.court.letters import LETTERS
from adapters.rows import Rows, answers, code, day, flag, joined, legal, moment, spread, under
from adapters.standard import PINYIN, REASSIGNMENT

DOCUMENTS: Rows = {"documents": "documents", "documents[].number": "documents[].WSBH"}  # [S] 文书编号
PARTY: Rows = {
    "ref": "ref",
    "name": "XM",  # [S]
    "id_kind": spread(("ZJLX", "XZ"), codes.ZJLX),  # [S]
    "id_no": "DSRZJHM",  # [S]
    "id_country": "QFGJ",  # [D] 签发国家或地区, three letters
    "id_issuer": "QFJG",  # [H] 签发机关
    "id_name": "ZJMC",  # [D] 证件名称
    "sex": code("XB", codes.XB),  # [D]
    "birth_date": day("CSRQ"),  # [D]
    "role": code("DSRLX", codes.DSRLX),  # [D]
    "obligor_evidence": "YWRZM",  # [D] 义务人证明
}
COMPANY: Rows = {
    "ref": "ref",
    "name": "MC",  # [D]
    "uscc": "TYSHXYDM",  # [D]
    "legal_representative": "FDDBR",  # [D]
}
ADDRESS: Rows = {"division_code": "XZQHDM", "street": "JD", "detail": "XXDZ", "grid_code": "WGBH"}  # [D]
OBJECT: Rows = {
    "ref": "ref",
    "kind": code("BDLX", codes.BDLX),  # [D]
    **under("party.", PARTY, into="DSR."),  # [D] 当事人: an object of its own, because it has its own ref
    "amount": "JE",  # [S]
    "bank": "KHH",  # [D]
    "account_no": "KHZH",  # [S] full: a commission is sealed
    "institution": "JGMC",  # [D]
    "product": "CPMC",  # [D]
    **under("company.", COMPANY, into="QY."),  # [D] 企业
    "share": "FE",  # [D]
    "unit_no": "BDCDYH",  # [S]
    "certificate_no": "BDCQZH",  # [S]
    "location": "ZL",  # [S]
    "description": "BDSM",  # [D]
    "quantity": "SL",  # [D]
    "questions": "WTQD",  # [D] 问题清单
    **under("address.", ADDRESS, into="DZ."),  # [D] 地址
    "paper": "SDWS",  # [D] 送达文书
    "decision": code("JDYJ", codes.JDYJ),  # [D] 决定依据
    "seen_on": day("QRRQ"),  # [D] 确认日期
    "detention_days": "JLTS",  # [D] 拘留天数
    "starts_at": moment("DCSJ"),  # [D] 到场时间
}
ORIGINAL: Rows = {
    "measure_no": "YCSBH",  # [D] 原措施编号
    "original_request_no": "YDJDH",  # [S]
    "original_case_no": "YDJAH",  # [S]
    "start_on": day("YKSRQ"),  # [D]
    "end_on": day("YJSRQ"),  # [D]
    "rank": "YSW",  # [D] 原顺位
    "mode": code("YCFFS", codes.CFFS),  # [D]
}
ITEM: Rows = {
    "status": code("KZZT", codes.KZZT),  # [S]
    "fail_reason": "WNKZYY",  # [S]
    "amount": "SKJE",  # [L]
    "rank": "SW",  # [D] 顺位
    "start_on": day("KSRQ"),  # [S]
    "end_on": day("JSRQ"),  # [S]
    "registered_on": day("DJRQ"),  # [D] 登记日期
    "registry_no": "DJBH",  # [D]
    "receipt_no": "HZBH",  # [D]
    "appraised": "PGJ",  # [D] 评估价
    "published_at": moment("GSSJ"),  # [D] 公示时间
    "company_told_on": day("TZGSRQ"),  # [D] 通知公司日期
    "service.method": code("SDFS", codes.SDFS),  # [D]
    "service.signed_at": moment("SDSJ"),  # [D]
    "service.signer": "QSR",  # [D]
    "service.relation": "YSDRGX",  # [D] 与受送达人关系
    "service.receipt_image": "HZYX",  # [D]
    "findings[].question": "DCJG[].WT",  # [D] 调查结果
    "findings[].answer": "DCJG[].DF",  # [D]
}
DISPOSAL_ITEM: Rows = {
    "answer": code("YSDF", codes.YSDF),  # [D] 移送答复
    "letter_no": "YSHWH",  # [D] 移送函文号
    "letter": "YSHYX",  # [D] 移送函影像
    "transferred_on": day("YSRQ"),  # [D] 移送日期
    "first_claim": "SFZQSE",  # [D] 首封债权数额
    "reason": "BYYSLY",  # [D] 不予移送理由
}
CLUE_ITEM: Rows = {
    "answer": code("XSDF", codes.XSDF),  # [D] 线索答复
    "own_cases": joined("GLAH"),  # [D] 关联案号
    "reason": "BCYLY",  # [D] 不采用理由
}
NUMBERED: Rows = {"evidence": "evidence", "evidence[].number": "evidence[].WSBH"}  # [S]

# What can be sold: the members of a realty, an equity and a movable.
ASSET = tuple(
    path
    for path in OBJECT
    if path.startswith(("party.", "company."))
    or path in ("ref", "kind", "amount", "share", "unit_no", "certificate_no", "location", "description", "quantity")
)

FIELDS: tuple[tuple[str, Rows], ...] = (
    (
        "* open",
        {
            "request.request_no": "KZQQDH",  # [S]
            "request.case_no": "AH",  # [S]
            "court.court_code": "FYDM",  # [S]
            "court.name": "FYMC",  # [S]
            "handler.name": "CBR",  # [S]
            "handler.permit": "GZZBH",  # [S]
            "handler.phone": "LXFS",  # [S]
        },
    ),
    (
        "entrust.matter.request open",
        {
            "payload.matter_code": spread(("WTSXDM", "KZLX", "KZCS"), codes.WTSXDM),  # [D], [S]
            "payload.entrusting": "WTFYDM",  # [D]
            "payload.entrusted": "STFYDM",  # [D]
            "payload.place": "BLDD",  # [D] 办理地点
            "payload.assisting_unit": "XZDW",  # [D]
            "payload.start_on": day("KSRQ"),  # [S]
            "payload.end_on": day("JSRQ"),  # [S]
            "payload.requested_days": "BLQX",  # [D]
            "payload.urgent": flag("SFJJ"),  # [D]
            **under("payload.original.", ORIGINAL),
            **under("payload.objects[].", OBJECT, into="objects[]."),
        },
    ),
    (
        "entrust.disposal-right.request open",
        {
            "payload.asking_court": "SQFYDM",  # [D] 商请法院
            "payload.first_court": "SFFYDM",  # [D] 首封法院
            "payload.first_case_no": "SFAH",  # [D] 首封案号
            "payload.first_sealed_on": day("SFRQ"),  # [D] 首封日期
            "payload.asked_on": day("SQRQ"),  # [D] 商请日期
            "payload.own_rank": "LHSW",  # [D] 轮候顺位
            "payload.priority": code("YXQZL", codes.YXQZL),  # [D]
            "payload.basis_no": "SXWSAH",  # [D] 生效文书案号
            "payload.creditor": "YXZQR",  # [D] 优先债权人
            "payload.claim": "YXZQSE",  # [D] 优先债权数额
            "payload.reason": "SQLY",  # [D] 商请理由
            **under("payload.objects[].", {path: OBJECT[path] for path in ASSET}, into="objects[]."),
        },
    ),
    (
        "court.clue.share open",
        {
            "payload.kind": code("GXNR", codes.GXNR),  # [D] 共享内容
            **under("payload.debtor.", PARTY, into="DSR."),  # [D] 当事人
            "payload.clues[].ref": "XS[].ref",  # [D] 线索
            "payload.clues[].kind": code("XS[].XSZL", codes.XSZL),  # [D]
            "payload.clues[].description": "XS[].XSNR",  # [D] 线索内容
            "payload.clues[].location": "XS[].SZD",  # [D] 所在地
            "payload.clues[].learned_on": day("XS[].DZRQ"),  # [D] 得知日期
            "payload.clues[].source": "XS[].XSLY",  # [D] 线索来源
            "payload.own_cases": joined("GLAH"),  # [D] 关联案号
            "payload.proposal": "XTJY",  # [D] 协同建议
        },
    ),
    (
        "* open",
        {
            "request.purpose": "YT",  # [D] 用途
            "request.legal_basis": legal("ZFYJ"),  # [D]
            "request.urgency": code("JJCD", codes.JJCD),  # [D]
            **DOCUMENTS,
        },
    ),
    *REASSIGNMENT,
    *PINYIN,
    ("* receipt", {"badge": "QSRGZZBH"}),  # [D]
    ("* accept", {"handler": "CBR"}),  # [D]
    ("* supplement", DOCUMENTS),
    ("* objection", DOCUMENTS),
    ("* result", NUMBERED),
    ("* correct", NUMBERED),
    *answers("entrust.matter.request", under("items[].", ITEM, into="items[].")),
    *answers("entrust.disposal-right.request", under("items[].", DISPOSAL_ITEM, into="items[].")),
    *answers("court.clue.share", under("items[].", CLUE_ITEM, into="items[].")),
    (
        "entrust.supervision.request open",
        {
            "payload.overdue.ref": "ref",
            "payload.overdue.request_no": "YDJDH",  # [S] 原单据号: the request that is overdue
            "payload.overdue.type": "SXLX",  # [D] 事项类型
            "payload.overdue.entrusting": "WTFYDM",  # [D]
            "payload.overdue.entrusted": "STFYDM",  # [D]
            "payload.overdue.opened_on": day("FQRQ"),  # [D] 发起日期
            "payload.overdue.due_on": day("BLQX"),  # [D] 办理期限
            "payload.overdue.state": "DQZT",  # [D] 当前状态
            "payload.reason": "DBLY",  # [D] 督办理由
        },
    ),
    *answers(
        "entrust.supervision.request",
        {
            "items[].decision": code("items[].DBJD", codes.DBJD),  # [D] 督办决定
            "items[].due_on": day("items[].BLQX"),  # [D]
            "items[].document_no": "items[].WSBH",  # [S]
            "items[].note": "items[].DBSM",  # [D]
        },
    ),
    *LETTERS,
)

# The participant code stands in the envelope; a campaign is the asking court's own business, and so is the debt, its
# check against over-seizure.
HIDDEN = (
    ("* open", ("court.code", "request.campaign")),
    ("entrust.matter.request open", ("payload.debt_amount", "payload.debt_reason")),
)
