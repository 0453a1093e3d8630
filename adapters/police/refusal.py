"""`police/1`: refusal to execute. The names are [D] but for those of people."""

from adapters.police import codes
from adapters.police.parts import PERSON
from adapters.rows import Rows, Scopes, answers, code, day, flag, joined, moment, under

LEAD_ITEM: Rows = {
    "items[].decision": code("items[].LAJD", codes.LAJD),  # [D] 立案决定
    "items[].decided_on": day("items[].JDRQ"),  # [D]
    "items[].file_no": "items[].LABH",  # [D] 立案编号
    "items[].complex": flag("items[].SFFZ"),  # [D] 是否复杂
    "items[].reason": "items[].LY",  # [D]
    "items[].legal_ref": "items[].FLYJ",  # [D] 法律依据
    "items[].transferred_to": "items[].YSDW",  # [D] 移送单位
}
ACCOMPLICE: Rows = {
    "ref": "ref",
    "name": "XM",  # [S]
    "id_kind": code("CYZJDM", codes.CYZJDM),  # [S]
    "id_no": "ZJHM",  # [S]
    "conduct": "XZXW",  # [D] 协助行为
}
CONVENE_ITEM: Rows = {
    "items[].answer": code("items[].HSDF", codes.HSDF),  # [D] 会商答复
    "items[].delegates[].name": "items[].CJRY[].XM",  # [D] 参加人员
    "items[].delegates[].post": "items[].CJRY[].ZW",  # [D] 职务
    "items[].delegates[].phone": "items[].CJRY[].LXDH",  # [H]
    "items[].reason": "items[].LY",  # [D]
}
MINUTES_ITEM: Rows = {
    "items[].answer": code("items[].JYQR", codes.JYQR),  # [D] 纪要确认
    "items[].signed_by": "items[].QRR",  # [D] 确认人
    "items[].reason": "items[].LY",  # [D]
}

OPENS: Scopes = (
    (
        "refusal.lead.transfer open",
        {
            **under("payload.suspect.", PERSON),
            "payload.grounds": joined("JZQX", ","),  # 拒执情形, the articles' own numbers
            "payload.judgment.kind": code("SXWSZL", codes.SXWSZL),
            "payload.judgment.case_no": "SXWSAH",
            "payload.judgment.court": "SXWSFY",
            "payload.judgment.effective_on": day("SXRQ"),
            "payload.obligation": "YWNR",  # 义务内容
            "payload.facts": "JZSS",  # 拒执事实
            "payload.transferred_on": day("YSRQ"),
            "payload.prior_penalties[].kind": code("CFQK[].CFZL", codes.CFZL),  # 处罚情况
            "payload.prior_penalties[].decided_on": day("CFQK[].JDRQ"),
            "payload.prior_penalties[].document_no": "CFQK[].JDSWH",
            **under("payload.accomplices[].", ACCOMPLICE, into="AWGF[]."),  # 案外共犯
            "payload.evidence.identity": "ZJCL.ZTSF",  # 证据材料: 主体身份
            "payload.evidence.duty": "ZJCL.ZXYW",  # 执行义务
            "payload.evidence.ability": "ZJCL.LXNL",  # 履行能力
            "payload.evidence.refusal": "ZJCL.JZXW",  # 拒执行为
            "payload.evidence.consequence": "ZJCL.WHHG",  # 危害后果
        },
    ),
    (
        "refusal.consultation.* open",
        {
            "payload.topic": "HSZT",  # 会商主题
        },
    ),
    (
        "refusal.consultation.convene open",
        {
            "payload.ref": "ref",
            "payload.questions": joined("HSWT"),  # 会商问题
            "payload.convened_on": day("ZJRQ"),  # 召集日期
            "payload.starts_at": moment("HSSJ"),
            "payload.mode": code("HSFS", codes.HSFS),
            "payload.place": "HSDD",
            "payload.invited": joined("CJDW"),  # 参加单位
            "payload.contact": "HSLXDH",
        },
    ),
    (
        "refusal.consultation.minutes open",
        {
            "payload.held_on": day("HSRQ"),
            "payload.attended": joined("CJDW"),
            "payload.conclusions[].ref": "HSJL[].ref",
            "payload.conclusions[].view": "HSJL[].HSYJ",  # 会商意见
            "payload.conclusions[].next_step": "HSJL[].XYBGZ",  # 下一步工作
            "payload.conclusions[].owner": "HSJL[].ZRDW",  # 责任单位
            "payload.conclusions[].due_on": day("HSJL[].WCQX"),  # 完成期限
        },
    ),
    (
        "refusal.case.status open",
        {
            "payload.ref": "ref",
            "payload.lead_no": "XSQQDH",  # 线索请求单号
            "payload.stage": code("BAJD", codes.BAJD),  # 办案阶段
            "payload.on": day("JDRQ"),
            "payload.unit": "BADW",  # 办案单位
            "payload.document_no": "WSWH",
            "payload.reason": "LY",
            "payload.sentence": "PJJG",  # 判决结果
            "payload.performed_amount": "YLXJE",  # 已履行金额
            "payload.note": "BZ",
        },
    ),
)
ANSWERS: Scopes = (
    *answers("refusal.lead.transfer", LEAD_ITEM),
    *answers("refusal.consultation.convene", CONVENE_ITEM),
    *answers("refusal.consultation.minutes", MINUTES_ITEM),
)
