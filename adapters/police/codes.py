"""Code tables of the police: canonical value → code. Marks as in docs/dialects.md: [S] seen in a public product or
standard, [H] well known, [L] uncertain, [D] ours."""

from schemas.values.plates import PLATE_KINDS

CYZJDM = {
    "resident-id": "111",  # [H] 居民身份证
    "officer-id": "114",  # [H] 军官证
    "passport": "414",  # [H] 护照
    "taiwan-travel-permit": "511",  # [H] 台胞证
    "hm-travel-permit": "516",  # [H] 回乡证
    "permanent-residence": "553",  # [L] 外国人永久居留身份证
    "residence-permit": "554",  # [D] 港澳台居民居住证: no code is known to us
    "uscc": "810",  # [D] 统一社会信用代码
    "other": "990",  # [L] 其他
}
XBDM = {"unknown": "0", "male": "1", "female": "2", "unstated": "9"}  # [H] GB/T 2261.1
RYSF = {
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
JJCD = {"normal": "1", "urgent": "2", "immediate": "3"}  # [D]
XZSY = {
    "missing-after-summons": "01",
    "detention-order": "02",
    "compelled-appearance": "03",
    "enforce-act": "04",
}  # [D]

HPZL = {code: code for code in PLATE_KINDS}  # [H] GA/T 16.7, the canonical codes too (schemas.values.plates)
CFLX = {"seal": "1", "renew": "2", "release": "3", "queue": "4"}  # [D] 查封 续封 解封 轮候
CFFS = {"strict": "1", "live": "2"}  # [D] 死封 活封
CFZT = {"done": "1", "queued": "2", "failed": "3"}  # [D] 已办 轮候 失败
CXFW = {"identity": "01", "exit-entry": "02", "hotel": "03", "vehicle": "04"}  # [D] 户籍身份 出入境 旅馆 车辆
CXJG = {"found": "1", "none": "0", "denied": "9"}  # [D] 有 无 不予提供
JDCZT = {
    "normal": "A",  # [H] 正常
    "sealed": "G",  # [H] 查封
    "mortgaged": "O",  # [L] 抵押
    "overdue-inspection": "Q",  # [H] 逾期未检验
    "scrapped": "M",  # [H] 达到报废标准
    "cancelled": "E",  # [H] 注销
    "stolen": "C",  # [L] 被盗抢
    "other": "Z",  # [H] 其他
}
YJDS = {"detention-order": "01", "compelled-appearance": "02"}  # [D] 依据的决定: 拘留决定 拘传
CZCSYQ = {"notify-only": "1", "hold-for-court": "2"}  # [D] of a name that is [S]: 通报 控制
HDLX = {
    "hotel": "01",
    "border": "02",
    "transport": "03",
    "checkpoint": "04",
    "service": "05",
    "other": "99",
}  # [D] 活动类型
YJWP = {"car": "1", "licence": "2", "keys": "3"}  # [D] 移交物品: 车辆 行驶证 钥匙
JSZT = {"taken": "1", "not-taken": "0"}  # [D] 接收状态
SXWSZL = {"judgment": "1", "ruling": "2"}  # [D] 生效文书种类: 判决 裁定
CFZL = {"fine": "1", "detention": "2", "other": "9"}  # [D] 处罚种类: 罚款 拘留 其他
LAJD = {"filed": "1", "not-filed": "2", "noted": "3", "transferred": "4"}  # [D] 立案 不予立案 存查 移送
HSFS = {"on-site": "1", "video": "2"}  # [D] 会商方式: 现场 视频
HSDF = {"attend": "1", "decline": "2"}  # [D] 会商答复: 参加 不参加
JYQR = {"agreed": "1", "objects": "2"}  # [D] 纪要确认: 确认 有异议
BAJD = {
    "investigating": "1",
    "prosecuted": "2",
    "not-prosecuted": "3",
    "judged": "4",
    "case-revoked": "5",
}  # [D] 办案阶段: 侦查 起诉 不起诉 判决 撤销案件
XZFS = {"refuse-papers": "1", "stop-at-border": "2", "watch-border": "3"}  # [D] 限制方式: 通报备案 边控 掌握动态
CRJZJ = {"passport": "14", "hm-permit": "20", "taiwan-permit": "25", "other": "99"}  # [L] 出入境证件种类
JCYY = {
    "performed": "01",
    "guaranteed": "02",
    "applicant-agrees": "03",
    "ended": "04",
    "wrong": "05",
    "other": "99",
}  # [D] 解除原因
BKFWLX = {"local": "1", "linked": "2"}  # [S] 本地 联动
CKYYDM = {
    "expired": "01",  # [S] 过期
    "done": "02",  # [S] 已处理
    "invalid": "03",  # [S] 无效
    "wrong": "04",  # [S] 错误; 05 未审核 is theirs alone
    "performed": "06",  # [D] 已履行
    "other": "99",  # [S] 其他
}
