"""Every linkage of the court's plan, and what carries it (docs/domain.md sections 1 and 2).

A linkage is carried by matter types, by members of every request, by a ledger, or not at all, and then why. Labels,
clocks, shapes and directions are the catalogue's own; `gateway.core.linkages` writes `docs/linkages.md` from both.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Linkage:
    """types: full names. ledger: its name (`gateway.core.ledgers`). members: of every request. excluded: why it is not
    carried. note: what the clock or the catalogue does not say by itself. Texts are (Chinese, English)."""

    zh: str
    en: str
    types: tuple[str, ...] = ()
    ledger: str | None = None
    members: tuple[str, ...] = ()
    note: tuple[str, str] | None = None
    excluded: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Group:
    zh: str
    en: str
    linkages: tuple[Linkage, ...]


_PAGED = (
    "逐级呼叫：A 岗，5 分钟 B 岗，10 分钟值班室，15 分钟局长",
    "pages A, after 5 minutes B, after 10 the duty desk, after 15 the bureau chief",
)
_REMINDED = ("到期前 30、15、7、3、1 天提醒", "reminders 30, 15, 7, 3 and 1 days before the end")
_GROUP = ("撤销、更正发给同组每一家，全部确认方为完成", "a withdrawal goes to every member of the group")

GROUPS: tuple[Group, ...] = (
    Group(
        "查人控车",
        "Find people, stop vehicles",
        (
            Linkage(zh="人员信息查询", en="Information on a person", types=("police.person-info.query",)),
            Linkage(
                zh="查找下落",
                en="Find a person",
                types=("police.person-locate.request",),
                note=("结果最长保存 72 小时", "results are kept for 72 hours at most"),
            ),
            Linkage(
                zh="临控",
                en="Keep a lookout for a person",
                types=(
                    "police.person-control.request",
                    "police.person-control.renew",
                    "police.person-control.cancel",
                ),
                ledger="measure-ending",
                note=_REMINDED,
            ),
            Linkage(zh="命中（人）", en="A person is found", types=("police.person-hit.alert",), note=_PAGED),
            Linkage(zh="车辆信息查询", en="Information on a vehicle", types=("police.vehicle-info.query",)),
            Linkage(
                zh="车辆查找",
                en="Find a vehicle",
                types=("police.vehicle-locate.request",),
                note=("结果最长保存 72 小时", "results are kept for 72 hours at most"),
            ),
            Linkage(
                zh="车籍查封、续封、解封、轮候",
                en="Seal a vehicle's registration",
                types=("police.vehicle-seal.request",),
                ledger="measure-ending",
                note=_REMINDED,
            ),
            Linkage(
                zh="实车布控",
                en="Stop a vehicle on the road",
                types=(
                    "police.vehicle-control.request",
                    "police.vehicle-control.renew",
                    "police.vehicle-control.cancel",
                ),
                ledger="measure-ending",
                note=_REMINDED,
            ),
            Linkage(zh="命中（车）", en="A vehicle is seen", types=("police.vehicle-hit.alert",), note=_PAGED),
            Linkage(zh="车辆移交", en="A vehicle is handed over", types=("police.vehicle-handover.record",)),
        ),
    ),
    Group(
        "拒执",
        "Refusal to execute",
        (
            Linkage(
                zh="线索移送",
                en="Transfer of a lead",
                types=("refusal.lead.transfer",),
                ledger="refusal",
                note=("重大疑难复杂的 30 日", "30 days when it is complex"),
            ),
            Linkage(
                zh="公检法会商",
                en="Consultation",
                types=("refusal.consultation.convene", "refusal.consultation.minutes"),
                ledger="refusal",
            ),
            Linkage(
                zh="提请检察监督",
                en="Supervision by the procuratorate",
                types=("refusal.supervision.request",),
                ledger="refusal",
                note=("公安说明理由 7 日，立案 15 日", "the police explain in 7 days, file in 15"),
            ),
            Linkage(zh="案件进展", en="How the case goes on", types=("refusal.case.status",), ledger="refusal"),
        ),
    ),
    Group(
        "委托事项与法院之间",
        "Commissions, and between courts",
        (
            Linkage(
                zh="委托事项（富平、高陵、临潼等，双向）",
                en="Commissioned matters, both directions",
                types=("entrust.matter.request",),
                ledger="measure-ending",
                note=("请求可要求 10 至 20 天；加急 24 小时", "10 to 20 days as requested; urgent, 24 hours"),
            ),
            Linkage(zh="商请移送处置权", en="Ask for the right to dispose", types=("entrust.disposal-right.request",)),
            Linkage(
                zh="报共同上级法院督办",
                en="Supervision by the lowest common superior",
                types=("entrust.supervision.request",),
            ),
            Linkage(zh="交叉执行", en="Reassignment", types=("cross.reassign.notice",)),
            Linkage(zh="财产线索、共同被执行人", en="Clues, common debtors", types=("court.clue.share",)),
        ),
    ),
    Group(
        "“法院+”",
        "The court and others",
        (
            Linkage(
                zh="法院+网格：核实、走访、协助送达、现场见证",
                en="Grid: verify, visit, help to serve, witness",
                types=(
                    "grid.verify.request",
                    "grid.visit.request",
                    "grid.service-assist.request",
                    "grid.witness.request",
                ),
            ),
            Linkage(
                zh="法院+政府查询：不动产、市场监管、社保、公积金、税务、民政、农机、水运八部门",
                en="Government: eight departments asked",
                types=("dept.property.query",),
            ),
            Linkage(
                zh="法院+政府控制：登记部门查封、续封、解封、轮候、过户",
                en="Government: seized in their registers",
                types=("dept.property-control.request",),
                ledger="measure-ending",
                note=_REMINDED,
            ),
            Linkage(
                zh="法院+行业协会：会员通报、信用反馈",
                en="Associations: members told, credit reported",
                types=("assoc.member-notice.publish", "assoc.credit-feedback.report"),
            ),
            Linkage(
                zh="法院+调解：网格、协会、司法所、人民调解、综治中心促和解",
                en="Mediation, wherever it is done",
                types=("mediation.assist.request",),
            ),
            Linkage(
                zh="执前督促、执前和解、执前答疑",
                en="Before enforcement",
                types=("grid.visit.request", "mediation.assist.request"),
                members=("stage",),
                note=("用审判案号，只限非强制事项", "with the trial's case number; nothing coercive"),
            ),
        ),
    ),
    Group(
        "组合惩戒与信用修复",
        "Sanctions together, and repair",
        (
            Linkage(zh="预惩戒告知", en="Warning", types=("sanction.pre-notice.issue",)),
            Linkage(
                zh="履行宽限期",
                en="Grace",
                types=("sanction.grace.set",),
                ledger="measure-ending",
                note=("期内不得公布", "nothing is published meanwhile"),
            ),
            Linkage(
                zh="失信名单",
                en="The list of dishonest debtors",
                types=("sanction.dishonest.publish", "sanction.dishonest.withdraw", "sanction.dishonest.correct"),
                ledger="measure-ending",
                note=_GROUP,
            ),
            Linkage(
                zh="限制消费",
                en="Limits on consumption",
                types=(
                    "sanction.consumption-limit.publish",
                    "sanction.consumption-limit.lift",
                    "sanction.consumption-limit.exempt",
                ),
                ledger="measure-ending",
                note=_GROUP,
            ),
            Linkage(
                zh="限制出境",
                en="Not to leave the country",
                types=("sanction.exit-restrict.request", "sanction.exit-restrict.renew", "sanction.exit-restrict.lift"),
                ledger="measure-ending",
                note=_REMINDED,
            ),
            Linkage(zh="信用修复证明", en="Repair of credit", types=("sanction.credit-repair.certify",), note=_GROUP),
        ),
    ),
    Group(
        "执转破",
        "Enforcement to bankruptcy",
        (
            Linkage(zh="筛选", en="Candidates", types=("bankruptcy.candidate.propose",), ledger="bankruptcy"),
            Linkage(
                zh="移送",
                en="Transfer",
                types=("bankruptcy.transfer.submit",),
                ledger="bankruptcy",
                note=("受理后 7 日内移交案款和财产", "money and property handed over in 7 days of acceptance"),
            ),
            Linkage(
                zh="通知其他执行法院中止或恢复",
                en="Other courts stay, or go on",
                types=("bankruptcy.stay.notify",),
                ledger="bankruptcy",
            ),
        ),
    ),
    Group(
        "案款动态清零",
        "Money of cases, cleared as it comes",
        (
            Linkage(
                zh="到账",
                en="Received",
                types=("fund.receipt.event",),
                ledger="fund",
                note=(
                    "自到账通知起 30 日内发放；不明款待认领",
                    "paid out within 30 days of the notice, or claim",
                ),
            ),
            Linkage(
                zh="发放审批",
                en="Approved",
                types=("fund.release.approve",),
                ledger="fund",
                note=("超过 30 日须有经批准的延缓", "beyond 30 days, an approved delay"),
            ),
            Linkage(
                zh="发放、提存",
                en="Paid out, deposited",
                types=("fund.release.event", "fund.escrow.event"),
                ledger="fund",
            ),
        ),
    ),
    Group(
        "监督与配合",
        "Supervision and cooperation",
        (
            Linkage(
                zh="涉执信访（专人负责、跟踪督办）",
                en="Petitions about enforcement",
                types=("petition.supervise.assign",),
                ledger="petition",
                note=("收到后 5 个工作日内交办；延期须经批准", "assigned in 5 working days; more time is approved"),
            ),
            Linkage(
                zh="检察建议",
                en="Procuratorate's suggestions",
                types=("procuratorate.suggestion.issue",),
                note=("3 个月；经院长批准延长 1 个月，一次", "3 months; 1 more, once, with the president's approval"),
            ),
            Linkage(
                zh="见证邀请（人大代表、政协委员、检察院）",
                en="Witnesses: deputies, members, the procuratorate",
                types=("witness.invite.send",),
                note=("先答复是否参加，见证后补充意见", "first whether they come, afterwards what they saw"),
            ),
            Linkage(zh="执审联动：判项不明征询", en="Trial: what an order means", types=("trial.clarify.request",)),
            Linkage(
                zh="专项评查、督查、审计",
                en="Reviews, inspections, audits",
                types=("review.package.request",),
            ),
            Linkage(
                zh="终本案件管理",
                en="Cases ended for want of property",
                ledger="closure",
                note=(
                    "每 6 个月复查，为期 5 年；发现财产即提示恢复执行（执恢）",
                    "looked at every 6 months for 5 years; property that is found proposes to resume",
                ),
            ),
        ),
    ),
    Group(
        "随每件请求的内容",
        "What every request carries",
        (
            Linkage(
                zh="专项行动：陕亮执行、护企亮剑、涉农民工工资、小标的",
                en="Campaigns: a member, not a type",
                members=("campaign",),
            ),
            Linkage(zh="AB 岗", en="The AB pair", members=("handler", "backup_handler")),
            Linkage(zh="办案团队", en="Team", members=("team",)),
            Linkage(zh="分管院领导包案", en="The leader in charge", members=("lead",)),
            Linkage(
                zh="全国平台编号",
                en="Number on the national platform",
                members=("platform", "platform_exempt", "external_ref"),
                ledger="platform",
            ),
        ),
    ),
    Group(
        "不纳入",
        "Left to others",
        (
            Linkage(
                zh="立案",
                en="Case filing",
                excluded=("案件系统办理，网关只引用案号", "the case system's; the gateway names the case"),
            ),
            Linkage(
                zh="拍卖变卖",
                en="Auctions",
                excluded=("网拍平台办理，成交款作为案款到账", "the platforms'; the price comes as money of the case"),
            ),
            Linkage(
                zh="付款",
                en="Payments",
                excluded=(
                    "财务系统付款，网关只传审批和结果",
                    "the finance system's; only approval and result are carried",
                ),
            ),
            Linkage(
                zh="宣传",
                en="Publicity",
                excluded=(
                    "无对外办理事项；可导出去标识统计",
                    "nothing is asked of anybody; de-identified figures exist",
                ),
            ),
            Linkage(
                zh="培训、党建、内部演练",
                en="Training, party work, internal drills",
                excluded=("法院内部事务，无对方", "the court's own; there is no other side"),
            ),
            Linkage(
                zh="“8个一”“四化”清单",
                en="The court's checklists",
                excluded=("内部考核；每周指标可供填报", "internal assessment; the weekly indicators can be used"),
            ),
            Linkage(
                zh="AB 岗值班编排",
                en="Lists of AB posts",
                excluded=("只使用 AB 岗，不管理岗位", "the pair is used, posts are not managed"),
            ),
        ),
    ),
)


def named_types() -> frozenset[str]:
    """Every matter type that some linkage is carried by."""
    return frozenset(name for group in GROUPS for linkage in group.linkages for name in linkage.types)
