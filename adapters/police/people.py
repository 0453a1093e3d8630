"""`police/1`: rows about persons: queries, locating, lookouts (临控), restriction of leaving."""

from adapters.police import codes
from adapters.police.parts import CONTROLLED
from adapters.rows import Rows, Scopes, answers, code, day, flag, joined, legal, moment, under
from adapters.rows import codes as coded

PERSON_CONTROL_ITEM: Rows = {
    "items[].control_no": "items[].LKZLBH",  # [S]
    "items[].effective_at": moment("items[].SXSJ"),  # [D]
    "items[].unit": "items[].BKDW",  # [D] 布控单位
    "items[].end_on": day("items[].BKJZSJ"),  # [S]
}
EXIT_ITEM: Rows = {
    "items[].control_no": "items[].BABH",  # [D] 备案编号
    "items[].effective_at": moment("items[].SXSJ"),  # [D]
    "items[].unit": "items[].BLDW",  # [D] 办理单位
    "items[].end_on": day("items[].XZJZSJ"),  # [D]
}

OPENS: Scopes = (
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
    ("police.person-control.* open", under("payload.person.", CONTROLLED)),
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
    (
        "sanction.exit-restrict.* open",
        {
            "payload.mode": code("XZFS", codes.XZFS),  # [D] 限制方式
            "payload.control_no": "BABH",  # [D] 备案编号
            "payload.note": "JCSM",  # [D] 解除说明
            "payload.current_end_on": day("YXZJZSJ"),  # [D] 原限制截止时间
            "payload.start_on": day("XZQSSJ"),  # [D] 限制起始时间
            "payload.end_on": day("XZJZSJ"),  # [D] 限制截止时间
            "payload.travel_papers[].kind": code("CRJZJ[].ZJZL", codes.CRJZJ),  # [L]
            "payload.travel_papers[].number": "CRJZJ[].ZJHM",  # [S]
            "payload.reason": "XZLY",  # [D] 限制理由
        },
    ),
    ("sanction.exit-restrict.request open", {"handler.phone": "CBRLXDH"}),  # [D] as in a search
    ("sanction.exit-restrict.lift open", {"payload.reason": code("JCYY", codes.JCYY)}),  # [D] 解除原因
)
ANSWERS: Scopes = (
    *answers("police.person-control.*", PERSON_CONTROL_ITEM),
    *answers("sanction.exit-restrict.*", EXIT_ITEM),
)
