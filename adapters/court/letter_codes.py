"""Code tables of the letters between courts (`adapters.court.letters`). All are [D]."""

from __future__ import annotations

TYR = {"creditor": "1", "debtor": "2"}  # 同意移送破产的人
PCYY = {"cannot-pay-due": "01", "assets-insufficient": "02", "clearly-insolvent": "03", "nothing-found": "04"}
SCJG = {"under-review": "1", "accepted": "2", "rejected": "3"}  # 破产审查结果
TZSY = {"transfer-decided": "1", "accepted": "2", "rejected": "3"}  # 中止（恢复）通知事由
XFQD = {"visit": "01", "letter": "02", "online": "03", "hotline": "04", "superior": "05"}  # 信访渠道
SQLB = {
    "inaction": "01",
    "wrong-act": "02",
    "wrong-object": "03",
    "money-not-paid": "04",
    "ended": "05",
    "not-listed": "06",
    "conduct": "07",
    "other": "99",
}  # 诉求类别
DBFS = {"assigned": "1", "followed": "2"}  # 督办方式
BLJG = {"resolved": "1", "explained": "2", "not-resolved": "3", "extended": "4"}  # 信访办理结果
XFRYJ = {"content": "1", "not-content": "2", "not-reached": "3"}  # 信访人意见
BMZC = {"subject": "01", "amount": "02", "object": "03", "conduct": "04", "term": "05", "conflict": "06"}
DFFS = {"clarified": "1", "corrected": "2", "cannot": "3"}  # 征询答复方式
