"""`police/1`: people, vehicles, seals and signatures, wherever they stand."""

from adapters.police import codes
from adapters.rows import Rows, code, day, moment, under

PERSON: Rows = {
    "ref": "ref",
    "name": "XM",  # [S]
    "id_kind": code("CYZJDM", codes.CYZJDM),  # [S]
    "id_no": "ZJHM",  # [S] of every kind of ID: CYZJDM says which, so GMSFHM is not needed
    "id_country": "QFGJ",  # [D] 签发国家或地区, three letters
    "id_issuer": "QFJG",  # [H] 签发机关
    "id_name": "ZJMC",  # [D] 证件名称
    "sex": code("XBDM", codes.XBDM),  # [S]
    "birth_date": day("CSRQ"),  # [S]
    "role": code("RYSF", codes.RYSF),  # [D]
    "obligor_evidence": "YWRZM",  # [D] 义务人证明
}
# 被布控人: whom a lookout is kept for has names of its own.
CONTROLLED: Rows = {
    "name": "BBKRXM",  # [S]
    "id_kind": code("BBKRZJLX", codes.CYZJDM),  # [S]
    "id_no": "BBKRZJHM",  # [S]
    "id_country": "BBKRQFGJ",  # [D]
    "id_issuer": "BBKRQFJG",  # [D]
    "id_name": "BBKRZJMC",  # [D]
    "sex": code("BBKRXB", codes.XBDM),  # [S]
    "birth_date": day("BBKRCSRQ"),  # [S]
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
