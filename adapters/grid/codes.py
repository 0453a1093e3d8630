"""Code tables of grid centres, all [D] (docs/dialects.md)."""

YES_NO = {"yes": "1", "no": "2", "unknown": "9"}  # 是 否 不详
PREMISES = {"open": "1", "closed": "2", "vacant": "3", "unknown": "9"}  # 营业 停业 空置 不详
QUESTIONS = {
    "lives-here": "livesHere",
    "last-seen-month": "lastSeenMonth",
    "contactable": "contactable",
    "premises-state": "premisesState",
}  # a question is named like the member that answers it
TOPICS = {
    "contact-court": "contactCourt",
    "settlement": "settlement",
    "hardship": "hardship",
    "come-to-court": "comeToCourt",
}
ATTITUDE = {"cooperative": "1", "hesitant": "2", "refuses": "3", "unknown": "9"}  # 配合 犹豫 拒绝 不详
MODES = {
    "accompanied": "1",
    "retained-witness": "2",
    "posted-photo": "3",
    "adult-family": "4",
}  # 陪同 留置见证 张贴拍照 成年家属签收
ACTS = {
    "seal": "1",
    "detain": "2",
    "inventory": "3",
    "vacate": "4",
    "deliver": "5",
    "service": "6",
}  # 查封 扣押 清点 腾退 交付 送达
OPINION = {"no-objection": "1", "objection": "2"}  # 无异议 有异议
DISPUTES = {
    "loan": "01",
    "sale": "02",
    "wages": "03",
    "construction": "04",
    "lease": "05",
    "family": "06",
    "injury": "07",
    "neighbours": "08",
    "other": "99",
}
OFFERS = {
    "instalments": "instalments",
    "delay": "delay",
    "reduction": "reduction",
    "in-kind": "inKind",
    "security": "security",
    "labour": "labour",
    "apology": "apology",
}
MEDIATED = {"settled": "1", "promised": "2", "no-agreement": "3", "unreachable": "4"}  # 和解 承诺 未达成 联系不上
DECISION = {"upheld": "1", "dismissed": "2", "partly-upheld": "3"}
