"""Code tables of the public list of dishonest debtors: its own wordings (法释〔2017〕7号, article 1) [S]."""

PERFORMANCE = {"none": "全部未履行", "partial": "部分未履行", "full": "全部已履行"}
STEPS = {
    "contract-refused": "拒绝签约",
    "deposit-asked": "要求预付或担保",
    "credit-cut": "压减授信、账期",
    "delisted": "取消评优或会员资格",
    "reported": "提供财产线索",
    "none": "未采取措施",
}  # [D]
REACTION = {
    "wants-to-perform": "表示愿意履行",
    "contacted-court": "已联系法院",
    "objects": "提出异议",
    "none": "无反应",
}  # [D]
DISPUTE = {
    "loan": "借款",
    "sale": "买卖",
    "wages": "劳动报酬",
    "construction": "建设工程",
    "lease": "租赁",
    "family": "婚姻家庭、抚养赡养",
    "injury": "人身损害、交通事故",
    "neighbours": "相邻关系",
    "other": "其他",
}  # [D]
OFFERS = {
    "instalments": "分期履行",
    "delay": "延期履行",
    "reduction": "部分减免",
    "in-kind": "以物抵债",
    "security": "提供担保",
    "labour": "劳务抵偿",
    "apology": "赔礼道歉",
}  # [D]
WILLING = {"yes": "是", "no": "否", "unknown": "不详"}  # [D]
MEDIATED = {
    "settled": "达成和解",
    "promised": "承诺履行",
    "no-agreement": "未达成",
    "unreachable": "联系不上",
}  # [D]
DECISION = {"upheld": "成立", "dismissed": "不成立", "partly-upheld": "部分成立"}  # [D]
DISRUPTION = {
    "able-but-refuses": "有履行能力而拒不履行生效法律文书确定义务",
    "obstructs": "以伪造证据、暴力、威胁等方法妨碍、抗拒执行",
    "evades": "以虚假诉讼、虚假仲裁或者以隐匿、转移财产等方法规避执行",
    "false-property-report": "违反财产报告制度",
    "breaks-consumption-limit": "违反限制消费令",
    "breaks-settlement": "无正当理由拒不履行执行和解协议",
}
