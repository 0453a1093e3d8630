"""`police/1`: what the police call things (docs/dialects.md, with its marks). `ref` keeps its name everywhere."""

from adapters.codecs import COMPACT, DASHED
from adapters.police import codes
from adapters.rows import Rows, Table, code, day, flag, joined, legal, moment, several, under
from adapters.rows import codes as coded
from schemas.catalogue import Kind

PERSON: Rows = {
    "ref": "ref",
    "name": "XM",  # [S]
    "id_kind": code("CYZJDM", codes.CYZJDM),  # [S]
    "id_no": "ZJHM",  # [S] of every kind of ID: CYZJDM says which, so GMSFHM is not needed
    "sex": code("XBDM", codes.XBDM),  # [S]
    "birth_date": day("CSRQ"),  # [S]
    "role": code("RYSF", codes.RYSF),  # [D]
    "obligor_evidence": "YWRZM",  # [D] 义务人证明
}
VEHICLE: Rows = {
    "ref": "ref",
    "plate": "HPHM",  # [S]
    "plate_kind": code("HPZL", codes.HPZL),  # [S]
    "vin": "CLSBDH",  # [S]
    "engine_no": "FDJH",  # [S]
    "brand": "CLPP",  # [S]
    "color": "CSYS",  # [S]
    **under("owner.", PERSON, into="SYR."),  # [D] 所有人: an object of its own, because it has its own ref
    "owner.name": "CLSYR",  # [S]
}
# The seal that a control or a search rests on; the original that a renewal, a release or a queue names.
SEAL: Rows = {
    "measure_no": "CFXH",  # [D]
    "original_request_no": "CFQQDH",  # [D]
    "original_case_no": "CFAH",  # [D]
    "start_on": day("CFQSSJ"),  # [S]
    "end_on": day("CFJSSJ"),  # [S]
    "rank": "LHSX",  # [D] 轮候顺序
    "mode": code("CFFS", codes.CFFS),  # [D]
}
SIGNATURE: Rows = {
    "name": "XM",  # [S]
    "unit": "DW",  # [D] 单位
    "badge": "JH",  # [H] 警号, or the court's work permit
    "signed_at": moment("QZSJ"),  # [D] 签字时间
}
RESULT: Rows = {
    "items[].ref": "items[].ref",
    "reasons": joined("YYSM"),  # [D] 原因说明
    "evidence": "evidence",
}
CORRECT: Rows = {**RESULT, "reason": "GZYY"}  # [D] 更正原因
SEALED_ITEM: Rows = {
    "items[].status": code("items[].CFZT", codes.CFZT),  # [D]
    "items[].rank": "items[].LHSX",  # [D]
    "items[].start_on": day("items[].CFQSSJ"),  # [S]
    "items[].end_on": day("items[].CFJSSJ"),  # [S]
    "items[].registry_no": "items[].CFXH",  # [D]
    "items[].fail_reason": "items[].SBYY",  # [D]
}
CONTROL_ITEM: Rows = {
    "items[].control_no": "items[].BKXH",  # [S]
    "items[].approved_by": "items[].SPR",  # [D] 审批人
    "items[].effective_at": moment("items[].SXSJ"),  # [D] 生效时间
    "items[].end_on": day("items[].BKJZSJ"),  # [S] of a renewal
}
PERSON_CONTROL_ITEM: Rows = {
    "items[].control_no": "items[].LKZLBH",  # [S]
    "items[].effective_at": moment("items[].SXSJ"),  # [D]
    "items[].unit": "items[].BKDW",  # [D] 布控单位
    "items[].end_on": day("items[].BKJZSJ"),  # [S]
}
VEHICLE_INFO_ITEM: Rows = {
    "items[].status": code("items[].CXJG", codes.CXJG),  # [D]
    "items[].denied_reason": "items[].BTGYY",  # [D] 不提供原因
    "items[].vehicles[].plate": "items[].JDC[].HPHM",  # [S]
    "items[].vehicles[].plate_kind": code("items[].JDC[].HPZL", codes.HPZL),  # [S]
    "items[].vehicles[].vin": "items[].JDC[].CLSBDH",  # [S]
    "items[].vehicles[].engine_no": "items[].JDC[].FDJH",  # [S]
    "items[].vehicles[].brand": "items[].JDC[].CLPP",  # [S]
    "items[].vehicles[].color": "items[].JDC[].CSYS",  # [S]
    "items[].vehicles[].owner_name": "items[].JDC[].CLSYR",  # [S]
    "items[].vehicles[].owner_id_no": "items[].JDC[].ZJHM",  # [S]
    "items[].vehicles[].registered_on": day("items[].JDC[].CCDJRQ"),  # [H] 初次登记日期
    "items[].vehicles[].states": coded("items[].JDC[].ZT", codes.JDCZT),  # [H]
    "items[].vehicles[].mortgagee": "items[].JDC[].DYQR",  # [D] 抵押权人
    "items[].vehicles[].seals[].court": "items[].JDC[].CF[].CFJG",  # [S]
    "items[].vehicles[].seals[].case_no": "items[].JDC[].CF[].CFAH",  # [D]
    "items[].vehicles[].seals[].rank": "items[].JDC[].CF[].LHSX",  # [D]
    "items[].vehicles[].seals[].start_on": day("items[].JDC[].CF[].CFQSSJ"),  # [S]
    "items[].vehicles[].seals[].end_on": day("items[].JDC[].CF[].CFJSSJ"),  # [S]
}
HANDED_OVER_ITEM: Rows = {
    "items[].status": code("items[].JSZT", codes.JSZT),  # [D] 接收状态
    "items[].custodian": "items[].BGR",  # [D] 保管人
    "items[].place": "items[].CFDD",  # [D] 存放地点
    "items[].differences": "items[].CYSM",  # [D] 差异说明
    "items[].fail_reason": "items[].SBYY",  # [D]
}

FIELDS: tuple[tuple[str, Rows], ...] = (
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
    (
        "police.person-locate.request open",
        {
            "handler.phone": "CBRLXDH",  # [D] LXDH is the telephone that answers at night
            "payload.reason": code("XZSY", codes.XZSY),  # [D]
            "request.legal_basis": legal("ZFYJ"),
            "payload.hints": joined("XSXX"),  # [D]
            "payload.validity_days": "YXTS",  # [D]
        },
    ),
    (
        "police.person-info.query open",
        {
            "payload.scopes": coded("CXFW", codes.CXFW),  # [D] 查询范围
            "payload.start_on": day("CXQSSJ"),  # [D] 查询起始
            "payload.end_on": day("CXJZSJ"),  # [D] 查询截止
        },
    ),
    ("police.*-info.query open", {"payload.need": "CXSY"}),  # [D] 查询事由
    (
        "police.person-control.request open",
        {
            "payload.decision": code("YJDS", codes.YJDS),  # [D] 依据的决定
            "payload.mode": code("CZCSYQ", codes.CZCSYQ),  # [S]
            "payload.start_on": day("BKQSSJ"),  # [S]
            "payload.end_on": day("BKJZSJ"),  # [S]
            "payload.duty_phones": joined("LADWLXDH", ","),  # [S]
            "payload.handover_place": "YJDD",  # [D] 移交地点
            "payload.summary": "JYAQ",  # [S]
        },
    ),
    (
        "police.*-control.renew open",
        {
            "payload.current_end_on": day("YBKJZSJ"),  # [D] 原布控截止时间
            "payload.end_on": day("BKJZSJ"),  # [S]
            "payload.reason": "XKLY",  # [D] 续控理由
        },
    ),
    ("police.person-control.renew open", {"payload.control_no": "LKZLBH"}),  # [S]
    (
        "police.person-control.cancel open",
        {
            "payload.control_no": "LKZLBH",  # [S]
            "payload.reason": code("CKYYDM", codes.CKYYDM),  # [S]
            "payload.note": "CKYYMS",  # [S]
        },
    ),
    (
        "police.person-hit.alert open",
        {
            "payload.ref": "ref",
            "payload.hit_no": "YJXH",  # [S]
            "payload.control_no": "LKZLBH",  # [S]
            "payload.hit_at": moment("HDFSSJ"),  # [S]
            "payload.division_code": "HDFSDDQH",  # [S]
            "payload.place": "HDFSDDXZ",  # [S]
            "payload.unit": "CZDW",  # [S]
            "payload.officer": "CZR",  # [S]
            "payload.officer_phone": "LXDH",  # [H]
            "payload.activity": code("HDLX", codes.HDLX),  # [D] 活动类型
            "payload.seen_name": "DJXM",  # [S]
            "payload.seen_id_no": "DJZJHM",  # [S]
            "payload.held": flag("SFKZ"),  # [D] 是否控制
            "payload.hold_until": moment("LZJZSJ"),  # [D] 留置截止时间
        },
    ),
    ("police.vehicle-info.query open", under("payload.owner.", PERSON, into="SYR.")),  # [D] as in VEHICLE
    ("police.vehicle-control.renew open", {"payload.control_no": "BKXH"}),  # [S]
    (
        "police.vehicle-handover.record open",
        {
            "payload.ref": "ref",
            "payload.alert_no": "YJXH",  # [S]
            "payload.control_no": "BKXH",  # [S]
            "payload.handed": coded("YJWP", codes.YJWP),  # [D] 移交物品
            "payload.odometer_km": "LCBDS",  # [D] 里程表读数
            "payload.damage": "CSQK",  # [D] 车损情况
            "payload.contents": "CNWP",  # [D] 车内物品
            "payload.photos": "ZP",  # [D] 照片, here their digests
            "payload.place": "YJDD",  # [D]
            **under("payload.handed_by.", SIGNATURE, into="YJR."),  # [D] 移交人
            **under("payload.received_by.", SIGNATURE, into="JSR."),  # [D] 接收人
            "payload.signed_list": "YJQD",  # [D] 移交清单
        },
    ),
    (
        "police.vehicle-locate.request open",
        {
            "payload.start_on": day("CZQSSJ"),  # [D] 查找起始
            "payload.end_on": day("CZJZSJ"),  # [D]
            "payload.area": joined("CZFW", ","),  # [D]
        },
    ),
    (
        "police.vehicle-seal.request open",
        {
            "payload.action": code("CFLX", codes.CFLX),  # [D]
            "payload.start_on": day("CFQSSJ"),  # [S]
            "payload.end_on": day("CFJSSJ"),  # [S]
            **under("payload.original.", SEAL, into="YCF."),  # [D] 原查封
        },
    ),
    (
        "police.vehicle-control.request open",
        {
            "payload.start_on": day("BKQSSJ"),  # [S]
            "payload.end_on": day("BKJZSJ"),  # [S]
            "payload.range": code("BKFWLX", codes.BKFWLX),  # [S]
            "payload.intercept": flag("BJYA"),  # [S] 0 不拦截 1 拦截
            "payload.receive_commitment": flag("CNJC"),  # [D] 承诺接车
            "payload.parking": "TFFA",  # [D] 停放方案
            "payload.duty_phones": joined("LADWLXDH", ","),  # [S]
            "payload.summary": "JYAQ",  # [S]
        },
    ),
    (
        "police.vehicle-control.cancel open",
        {
            "payload.control_no": "BKXH",  # [S]
            "payload.reason": code("CKYYDM", codes.CKYYDM),  # [S]
            "payload.note": "CKYYMS",  # [S]
        },
    ),
    (
        "police.vehicle-hit.alert open",
        {
            "payload.ref": "ref",
            "payload.alert_no": "YJXH",  # [S]
            "payload.control_no": "BKXH",  # [S]
            "payload.plate": "HPHM",  # [S]
            "payload.plate_kind": code("HPZL", codes.HPZL),  # [S]
            "payload.passed_at": moment("GCSJ"),  # [S]
            "payload.checkpoint": "KKMC",  # [S]
            "payload.checkpoint_no": "KKBH",  # [H]
            "payload.direction": "FXMC",  # [H]
            "payload.images": several("TP1", "TP2", "TP3"),  # [H] here the digests of the pictures
            "payload.observed_plate_differs": flag("HPBF"),  # [D] 号牌不符
            "payload.intercepted": flag("SFCJLJ"),  # [S]
            "payload.holding_unit": "CZDW",  # [S]
            "payload.phone": "LXDH",  # [H]
        },
    ),
    (
        "* open",
        {
            "request.legal_basis": legal("ZFYJ"),  # [S]
            "request.urgency": code("JJCD", codes.JJCD),  # [D]
            "documents": "documents",
        },
    ),
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
    ("police.vehicle-seal.request result", SEALED_ITEM),
    ("police.vehicle-seal.request correct", SEALED_ITEM),
    ("police.vehicle-control.* result", CONTROL_ITEM),
    ("police.vehicle-control.* correct", CONTROL_ITEM),
    ("police.person-control.* result", PERSON_CONTROL_ITEM),
    ("police.person-control.* correct", PERSON_CONTROL_ITEM),
    ("police.vehicle-info.query result", VEHICLE_INFO_ITEM),
    ("police.vehicle-info.query correct", VEHICLE_INFO_ITEM),
    ("police.vehicle-handover.record result", HANDED_OVER_ITEM),
    ("police.vehicle-handover.record correct", HANDED_OVER_ITEM),
    ("* withdraw", {"reason": "CHYY", "by": "CHR"}),
    ("* withdraw-ack", {"note": "CHSM"}),
    ("* urge", {"note": "CBSM"}),
    ("* confirm", {"by": "QRR", "why": "QRSM"}),
    ("* reopen", {"by": "TBR", "why": "TBYY"}),
    ("* evaluate", {"score": "PJFS", "text": "PJNR"}),
    ("* complain", {"text": "TSNR"}),
    ("* acknowledge", {"by": "CZR"}),
    ("* send-team", {"by": "CZR", "team": "CZDW", "eta": moment("YJDDSJ")}),
    ("* identity-check", {"by": "CZR", "plate_ok": flag("HPXF"), "vin_ok": flag("CJHXF"), "photo_ok": flag("ZPXF")}),
    ("* handover", {"by": "CZR", "place": "YJDD", "handed_by": "YJR", "received_by": "JSR"}),
    ("* false-hit", {"by": "CZR", "why": "WBYY"}),
)

# The participant code stands in the envelope; purpose and campaign are the court's own business. The debt is the
# court's check against over-seizure (docs/domain.md 2.4): the register has no use for it. In an alert the police
# ask, so there is no court and no handler of ours.
HIDDEN = (
    ("* open", ("court.code", "request.purpose", "request.campaign")),
    ("police.*.alert open", ("court", "handler")),
    ("police.*.record open", ("court", "handler")),
    ("police.vehicle-seal.request open", ("payload.debt_amount",)),
)

TABLE = Table(
    dialect="police/1",
    kinds=frozenset({Kind.POLICE}),
    fields=FIELDS,
    hidden=HIDDEN,
    clocks=(("*", COMPACT), ("police.vehicle-*", DASHED)),
)
