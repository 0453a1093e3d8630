"""`department/1`: eight kinds of department, each with its register's own names (docs/dialects.md)."""

from adapters.department import codes
from adapters.department.registers import RECORDS
from adapters.rows import Rows, Scopes, answers, code, day, legal, moment, under
from adapters.rows import codes as coded
from adapters.standard import PINYIN, REASSIGNMENT

PERSON: Rows = {
    "ref": "ref",
    "name": "XM",  # [H]
    "id_kind": code("ZJLX", codes.ZJLX),  # [S]
    "id_no": "ZJHM",  # [S]
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
    "name": "entname",  # [S]
    "uscc": "uniscid",  # [S]
    "legal_representative": "lerep",  # [H]
}
OBJECT: Rows = {
    "ref": "ref",
    "kind": code("CCZL", codes.CCZL),  # [D] 财产种类
    **under("party.", PERSON, into="DSR."),  # [D] 当事人: an object of its own, because it has its own ref
    "amount": "JE",  # [D] 金额
    "unit_no": "BDCDYH",  # [S]
    "certificate_no": "BDCQZH",  # [S]
    "location": "ZL",  # [S]
    **under("company.", COMPANY, into="QY."),  # [D] 企业
    "share": "conprop",  # [L]
    "insurance": code("AAE140", codes.AAE140),  # [H]
    "fund_no": "GRZH",  # [S]
    "taxpayer_no": "NSRSBH",  # [H]
    "machine_plate": "HPHM",  # [L]
    "frame_no": "JJH",  # [D] 机架号
    "ship_name": "CBMC",  # [L]
    "ship_no": "CBDJH",  # [L]
    "ship_id": "CBSBH",  # [L]
}
ORIGINAL: Rows = {
    "measure_no": "CFBH",  # [D] 查封编号
    "original_request_no": "CFQQDH",  # [D]
    "original_case_no": "CFAH",  # [D]
    "start_on": day("CFQSSJ"),  # [S]
    "end_on": day("CFJSSJ"),  # [S]
    "rank": "LHSX",  # [D] 轮候顺序
    "mode": code("CFFS", codes.CFFS),  # [D]
}
FOUND: Rows = {
    "items[].status": code("items[].CXJG", codes.CXJG),  # [D] 查询结果
    "items[].as_of": moment("items[].SJSJ"),  # [D] 数据时间
    "items[].denied_reason": "items[].BTGYY",  # [D] 不提供原因
    **RECORDS,
}
CONTROLLED: Rows = {
    "items[].status": code("items[].KZZT", codes.KZZT),  # [D]
    "items[].rank": "items[].LHSX",  # [D]
    "items[].start_on": day("items[].CFQSSJ"),  # [S]
    "items[].end_on": day("items[].CFJSSJ"),  # [S]
    "items[].registered_on": day("items[].DJRQ"),  # [D] 登记日期
    "items[].registry_no": "items[].CFBH",  # [D]
    "items[].receipt_no": "items[].HZBH",  # [D] 回执编号
    "items[].amount": "items[].SKJE",  # [L]
    "items[].appraised": "items[].PGJ",  # [D] 评估价
    "items[].published_at": moment("items[].GSSJ"),  # [D] 公示时间
    "items[].company_told_on": day("items[].TZGSRQ"),  # [D] 通知公司日期
    "items[].fail_reason": "items[].SBYY",  # [D] 失败原因
}

FIELDS: Scopes = (
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
            "payload.dept": code("CXBM", codes.CXBM),  # [D] 部门
        },
    ),
    (
        "dept.property.query open",
        {
            **under("payload.subject.", PERSON),
            "payload.fields": coded("CXNR", codes.CXNR),  # [D] 查询内容
        },
    ),
    (
        "dept.property-control.request open",
        {
            "payload.action": code("KZCS", codes.KZCS),  # [D] 控制措施
            "payload.start_on": day("CFQSSJ"),  # [S]
            "payload.end_on": day("CFJSSJ"),  # [S]
            **under("payload.original.", ORIGINAL, into="YCF."),  # [D] 原查封
            **under("payload.objects[].", OBJECT, into="CC[]."),  # [D] 财产
            "payload.transferee.name": "SRR.XM",  # [D] 受让人
            "payload.transferee.id_no": "SRR.ZJHM",  # [D]
        },
    ),
    *REASSIGNMENT,
    (
        "* open",
        {
            "request.legal_basis": legal("ZFYJ"),  # [D]
            "request.urgency": code("JJCD", codes.JJCD),  # [D]
            "documents": "documents",
        },
    ),
    *PINYIN,
    *answers("dept.property.query", FOUND),
    *answers("dept.property-control.request", CONTROLLED),
)

# The participant code stands in the envelope; purpose and campaign are the court's own business, and the debt is its
# own check against over-seizure: a register has no use for it.
HIDDEN = (
    ("* open", ("court.code", "request.purpose", "request.campaign")),
    ("dept.property-control.request open", ("payload.debt_amount", "payload.debt_reason")),
)
