"""`department/1`: what each register calls its own records (docs/dialects.md): one table for each department."""

from adapters.department import codes
from adapters.rows import Rows, code, day, under

SEALS: Rows = {
    "seals[].court": "CF[].CFJG",  # [S]
    "seals[].kind": code("CF[].CFLX", codes.CFLX),  # [S], [H]
    "seals[].letter_no": "CF[].CFWH",  # [S]
    "seals[].start_on": day("CF[].CFQSSJ"),  # [S]
    "seals[].end_on": day("CF[].CFJSSJ"),  # [S]
    "seals[].release_no": "CF[].JFWH",  # [S]
}
REALTY: Rows = {
    "unit_no": "BDCDYH",  # [S]
    "certificate_no": "BDCQZH",  # [S]
    "holder": "QLR",  # [S]
    "share": "GYQK",  # [H] 共有情况
    "location": "ZL",  # [S]
    "mortgagee": "DYQR",  # [D] 抵押权人
    **SEALS,
}
COMPANY: Rows = {
    "uscc": "uniscid",  # [S]
    "reg_no": "regno",  # [S]
    "name": "entname",  # [S]
    "capital": "regcap",  # [S]
    "state": "regstate",  # [S]
    "scope": "opscope",  # [S]
    "domicile": "dom",  # [S]
    "legal_representative": "lerep",  # [H]
    "established_on": day("estdate"),  # [H]
    "share": "conprop",  # [L] 出资比例
    **SEALS,
}
INSURANCE: Rows = {
    "person_no": "AAC001",  # [S]
    "id_no": "AAC002",  # [S]
    "name": "AAC003",  # [S]
    "employer_no": "AAB001",  # [S]
    "employer": "AAB004",  # [H]
    "insurance": code("AAE140", codes.AAE140),  # [H]
    "state": code("AAC031", codes.AAC031),  # [H]
    "benefit": "DYJE",  # [D] 待遇金额
}
FUND: Rows = {
    "fund_no": "GRZH",  # [S]
    "balance": "GRZHYE",  # [S]
    "state": code("GRZHZT", codes.GRZHZT),  # [S]
    "base": "GRJCJS",  # [S]
    "employer": "DWMC",  # [S]
    "name": "XINGMING",  # [S]
    "id_kind": code("ZJLX", codes.ZJLX),  # [S]
    "id_no": "ZJHM",  # [S]
    "loan_balance": "DKYE",  # [L] 贷款余额
}
TAXPAYER: Rows = {
    "taxpayer_no": "NSRSBH",  # [H]
    "name": "NSRMC",  # [H]
    "state": "NSRZT",  # [L] 纳税人状态
    "refund": "YTSE",  # [D] 应退税额
}
MARRIAGE: Rows = {
    "marital_state": code("HYZK", codes.HYZK),  # [L]
    "registered_on": day("DJRQ"),  # [L]
    "spouse": "POXM",  # [D] 配偶姓名
    "spouse_id_no": "POZJHM",  # [D]
}
MACHINE: Rows = {
    "machine_plate": "HPHM",  # [L]
    "frame_no": "JJH",  # [D] 机架号
    "brand": "PPXH",  # [D] 品牌型号
    "owner": "SYR",  # [D] 所有人
    "mortgagee": "DYQR",  # [D]
    **SEALS,
}
SHIP: Rows = {
    "ship_name": "CBMC",  # [L]
    "ship_no": "CBDJH",  # [L]
    "ship_id": "CBSBH",  # [L]
    "owner": "SYR",  # [D] 所有人
    "share": "GYQK",  # [D]
    "mortgagee": "DYQR",  # [D]
    **SEALS,
}

RECORDS: Rows = {
    **under("items[].realty[].", REALTY, into="items[].BDC[]."),  # the names of the lists are [D]
    **under("items[].companies[].", COMPANY, into="items[].QYDJ[]."),
    **under("items[].insurances[].", INSURANCE, into="items[].SHBX[]."),
    **under("items[].funds[].", FUND, into="items[].GJJ[]."),
    **under("items[].taxpayers[].", TAXPAYER, into="items[].SWDJ[]."),
    **under("items[].marriages[].", MARRIAGE, into="items[].HYDJ[]."),
    **under("items[].machines[].", MACHINE, into="items[].NJ[]."),
    **under("items[].ships[].", SHIP, into="items[].CB[]."),
}
