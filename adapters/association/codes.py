"""Code tables of the public list of dishonest debtors: its own wordings (法释〔2017〕7号, article 1) [S]."""

PERFORMANCE = {"none": "全部未履行", "partial": "部分未履行", "full": "全部已履行"}
DISRUPTION = {
    "able-but-refuses": "有履行能力而拒不履行生效法律文书确定义务",
    "obstructs": "以伪造证据、暴力、威胁等方法妨碍、抗拒执行",
    "evades": "以虚假诉讼、虚假仲裁或者以隐匿、转移财产等方法规避执行",
    "false-property-report": "违反财产报告制度",
    "breaks-consumption-limit": "违反限制消费令",
    "breaks-settlement": "无正当理由拒不履行执行和解协议",
}
