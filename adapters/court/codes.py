"""Code tables between courts. Marks as in docs/dialects.md: [S] seen, [H] well known, [L] uncertain, [D] ours."""

from __future__ import annotations

_KZCS = {"freeze": "01", "renew-freeze": "02", "unfreeze": "04", "deduct": "06"}  # [S] 冻结 续冻 解冻 划拨
_KZLX = {"deposit": "1", "wealth": "2"}  # [S] 存款 非存款类
_OTHERS = (
    *(f"{what}-equity" for what in ("freeze", "renew-freeze", "unfreeze", "transfer")),
    *(f"{what}-realty" for what in ("seal", "renew-seal", "unseal", "transfer")),
    *(f"{what}-movable" for what in ("seal", "renew-seal", "unseal", "transfer", "detain")),
    *("investigate-property", "serve-document", "control-person", "assist-on-site", "other"),
)

WTSXDM: dict[str, tuple[str | None, ...]] = {
    **{f"{w}-{o}": (f"{w}-{o}", kzlx, kzcs) for o, kzlx in _KZLX.items() for w, kzcs in _KZCS.items()},
    **{code: (code, None, None) for code in _OTHERS},
}
"""matter_code → (WTSXDM, KZLX, KZCS): deposits and wealth are said both ways, the rest by WTSXDM alone."""

ZJLX: dict[str, tuple[str | None, ...]] = {
    "resident-id": ("01", "1"),
    "officer-id": ("02", "1"),
    "passport": ("03", "1"),
    "hm-travel-permit": ("04", "1"),
    "taiwan-travel-permit": ("05", "1"),
    "permanent-residence": ("06", "1"),
    "residence-permit": ("07", "1"),
    "uscc": ("51", "2"),
    "other": ("99", None),
}
"""id_kind → (ZJLX [D], XZ [L] 1 自然人 2 单位): the number's kind says which of the two it is, `other` does not."""

XB = {"unknown": "0", "male": "1", "female": "2", "unstated": "9"}  # [H] GB/T 2261.1
DSRLX = {
    "被执行人": "01",
    "法定代表人": "02",
    "负责人": "03",
    "实际控制人": "04",
    "协助义务人": "05",
    "担保人": "06",
    "直接责任人员": "07",
    "影响债务履行的直接责任人员": "08",
    "法定代理人": "09",
}  # [D]
BDLX = {
    "deposit": "01",
    "wealth": "02",
    "equity": "03",
    "realty": "04",
    "movable": "05",
    "subject": "06",
    "addressee": "07",
    "whereabouts": "08",
    "site": "09",
    "other": "99",
}  # [D] 标的种类
JJCD = {"normal": "1", "urgent": "2", "immediate": "3"}  # [D]
CFFS = {"strict": "1", "live": "2"}  # [D] 死封 活封
KZZT = {"done": "1", "failed": "2", "queued": "3"}  # [S] 已控 未控, [D] 轮候
SDFS = {"direct": "1", "retained": "2", "forwarded": "3", "failed": "4"}  # [D] 直接 留置 转交 未成
JDYJ = {"detention-order": "01", "compelled-appearance": "02"}  # [D] 决定依据: 拘留决定 拘传
YXQZL = {
    "mortgage": "01",
    "pledge": "02",
    "lien": "03",
    "construction-price": "04",
    "other": "99",
}  # [D] 优先权种类
YSDF = {"transferred": "1", "declined": "2"}  # [D] 移送答复: 同意移送 不予移送
GXNR = {"property-clue": "1", "co-debtor": "2"}  # [D] 共享内容: 财产线索 共同被执行人
XSZL = {
    "deposit": "01",
    "wealth": "02",
    "equity": "03",
    "realty": "04",
    "movable": "05",
    "whereabouts": "08",
    "vehicle": "11",
    "claim": "12",
    "income": "13",
    "other": "99",
}  # [D] 线索种类: as BDLX where it has the kind
XSDF = {"taken": "1", "known": "2", "unusable": "3"}  # [D] 线索答复: 已采用 已掌握 不能采用
DBJD = {"instructed": "1", "extended": "2", "reassigned": "3", "unfounded": "4"}  # [D] 责令限期 准予延期 改派 不成立
