"""Code tables of grid centres, all [D] (docs/dialects.md)."""

YES_NO = {"yes": "1", "no": "2", "unknown": "9"}  # 是 否 不详
PREMISES = {"open": "1", "closed": "2", "vacant": "3", "unknown": "9"}  # 营业 停业 空置 不详
QUESTIONS = {
    "lives-here": "livesHere",
    "last-seen-month": "lastSeenMonth",
    "contactable": "contactable",
    "premises-state": "premisesState",
}  # a question is named like the member that answers it
DECISION = {"upheld": "1", "dismissed": "2", "partly-upheld": "3"}
