"""Code tables of the departments. Marks as in docs/dialects.md: [S] seen, [H] well known, [L] uncertain, [D] ours."""

CXBM = {
    "realty": "01",
    "market": "02",
    "social-security": "03",
    "housing-fund": "04",
    "tax": "05",
    "civil-affairs": "06",
    "agri-machine": "07",
    "water-transport": "08",
}  # [D] 部门
CXNR = {
    "rights": "01",
    "mortgage": "02",
    "seals": "03",
    "registration": "11",
    "investment": "12",
    "insurance": "21",
    "employer": "22",
    "benefit": "23",
    "account": "31",
    "loan": "32",
    "refund": "41",
    "marriage": "51",
}  # [D] 查询内容
CXJG = {"found": "1", "none": "0", "denied": "9"}  # [D] 有 无 不予提供
ZJLX = {
    "resident-id": "01",
    "officer-id": "02",
    "passport": "03",
    "permanent-residence": "04",
    "hm-travel-permit": "05",
    "taiwan-travel-permit": "06",
    "residence-permit": "07",
    "uscc": "51",
    "other": "99",
}  # [L] 01–04, 99 as in the housing fund's standard; [D] the rest
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
JJCD = {"normal": "1", "urgent": "2", "immediate": "3"}  # [D]
KZCS = {"seal": "1", "renew": "2", "release": "3", "queue": "4", "transfer": "5"}  # [D] 查封 续封 解封 轮候 过户
CCZL = {
    "realty": "01",
    "equity": "02",
    "benefit": "03",
    "fund": "04",
    "refund": "05",
    "machine": "06",
    "ship": "07",
}  # [D] 财产种类
KZZT = {"done": "1", "queued": "2", "failed": "3"}  # [D] 已办 轮候 失败
CFFS = {"strict": "1", "live": "2"}  # [D] 死封 活封
CFLX = {"seal": "1", "queued": "2", "advance": "3", "queued-advance": "4"}  # [H] 查封 轮候查封 预查封 轮候预查封
AAE140 = {
    "employee-pension": "110",
    "public-pension": "120",
    "resident-pension": "170",
    "unemployment": "210",
    "medical": "310",
    "work-injury": "410",
    "maternity": "510",
}  # [H] 险种, but 170 [L]
AAC031 = {"paying": "1", "paused": "2", "ended": "3"}  # [H] 参保缴费 暂停缴费 终止缴费
GRZHZT = {
    "normal": "01",
    "sealed": "02",
    "merged": "03",
    "moved": "04",
    "withdrawn": "05",
    "frozen": "06",
    "other": "99",
}  # [H] 正常 封存 合并销户 外部转出销户 提取销户 冻结 其他
HYZK = {
    "single": "10",
    "married": "20",
    "widowed": "30",
    "divorced": "40",
    "unstated": "90",
}  # [H] GB/T 2261.2
