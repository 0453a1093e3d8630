"""`police/1`: rows about vehicles: register, seals, controls on the road, handover."""

from adapters.police import codes
from adapters.police.parts import PERSON, SEAL, SIGNATURE
from adapters.rows import Rows, Scopes, answers, code, day, flag, joined, moment, several, under
from adapters.rows import codes as coded

SEALED_ITEM: Rows = {
    "items[].status": code("items[].CFZT", codes.CFZT),  # [D]
    "items[].rank": "items[].LHSX",  # [D]
    "items[].start_on": day("items[].CFQSSJ"),  # [S]
    "items[].end_on": day("items[].CFJSSJ"),  # [S]
    "items[].registered_on": day("items[].DJRQ"),  # [D] 登记日期
    "items[].registry_no": "items[].CFXH",  # [D]
    "items[].fail_reason": "items[].SBYY",  # [D]
}
CONTROL_ITEM: Rows = {
    "items[].control_no": "items[].BKXH",  # [S]
    "items[].approved_by": "items[].SPR",  # [D] 审批人
    "items[].effective_at": moment("items[].SXSJ"),  # [D] 生效时间
    "items[].end_on": day("items[].BKJZSJ"),  # [S] of a renewal
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

OPENS: Scopes = (
    ("police.vehicle-info.query open", under("payload.owner.", PERSON, into="SYR.")),  # [D] as in VEHICLE
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
    ("police.vehicle-control.renew open", {"payload.control_no": "BKXH"}),  # [S]
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
)
ANSWERS: Scopes = (
    *answers("police.vehicle-seal.request", SEALED_ITEM),
    *answers("police.vehicle-control.*", CONTROL_ITEM),
    *answers("police.vehicle-info.query", VEHICLE_INFO_ITEM),
    *answers("police.vehicle-handover.record", HANDED_OVER_ITEM),
)
