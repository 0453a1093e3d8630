"""The linkages of the court's plan: its groups, and what no matter type carries (docs/domain.md sections 1 and 2).

A linkage that matter types carry stands beside them (`MatterType.linkages`); the others are carried by members of every
request or by a ledger, or not at all, and then why. `tools.pages.linkages` writes `docs/linkages.md` from all of them.
"""

from __future__ import annotations

from dataclasses import dataclass

LAST = 1000


@dataclass(frozen=True, slots=True)
class Group:
    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Linkage:
    """row: where it stands in the table of its group; the last say none. ledger: its name, from
    `gateway.core.figures.ledgers`. members: of every request. excluded: why it is not carried. note: what the clock or
    the catalogue does not say by itself. Texts are (Chinese, English)."""

    group: Group
    row: int = LAST
    zh: str
    en: str
    ledger: str | None = None
    members: tuple[str, ...] = ()
    note: tuple[str, str] | None = None
    excluded: tuple[str, str] | None = None


PEOPLE_AND_VEHICLES = Group("查人控车", "Find people, stop vehicles")
REFUSAL = Group("拒执", "Refusal to execute")
BETWEEN_COURTS = Group("委托事项与法院之间", "Commissions, and between courts")
COURT_AND_OTHERS = Group("“法院+”", "The court and others")
SANCTIONS = Group("组合惩戒与信用修复", "Sanctions together, and repair")
BANKRUPTCY = Group("执转破", "Enforcement to bankruptcy")
MONEY = Group("案款动态清零", "Money of cases, cleared as it comes")
SUPERVISION = Group("监督与配合", "Supervision and cooperation")
EVERY_REQUEST = Group("随每件请求的内容", "What every request carries")
EXCLUDED = Group("不纳入", "Left to others")
GROUPS = (
    PEOPLE_AND_VEHICLES,
    REFUSAL,
    BETWEEN_COURTS,
    COURT_AND_OTHERS,
    SANCTIONS,
    BANKRUPTCY,
    MONEY,
    SUPERVISION,
    EVERY_REQUEST,
    EXCLUDED,
)
"""In the order of the plan."""

PAGED = (
    "逐级呼叫：A 岗，5 分钟 B 岗，10 分钟值班室，15 分钟局长",
    "pages A, after 5 minutes B, after 10 the duty desk, after 15 the bureau chief",
)
REMINDED = ("到期前 30、15、7、3、1 天提醒", "reminders 30, 15, 7, 3 and 1 days before the end")
WHOLE_GROUP = ("撤销、更正发给同组每一家，全部确认方为完成", "a withdrawal goes to every member of the group")

WITHOUT_TYPES = (
    Linkage(
        group=SUPERVISION,
        row=6,
        zh="终本案件管理",
        en="Cases ended for want of property",
        ledger="closure",
        note=(
            "每 6 个月复查，为期 5 年；发现财产即提示恢复执行（执恢）",
            "looked at every 6 months for 5 years; property that is found proposes to resume",
        ),
    ),
    Linkage(
        group=EVERY_REQUEST,
        row=1,
        zh="专项行动：陕亮执行、护企亮剑、涉农民工工资、小标的",
        en="Campaigns: a member, not a type",
        members=("campaign",),
    ),
    Linkage(group=EVERY_REQUEST, row=2, zh="AB 岗", en="The AB pair", members=("handler", "backup_handler")),
    Linkage(group=EVERY_REQUEST, row=3, zh="办案团队", en="Team", members=("team",)),
    Linkage(group=EVERY_REQUEST, row=4, zh="分管院领导包案", en="The leader in charge", members=("lead",)),
    Linkage(
        group=EVERY_REQUEST,
        row=5,
        zh="全国平台编号",
        en="Number on the national platform",
        ledger="platform",
        members=("platform", "platform_exempt", "external_ref"),
    ),
    Linkage(
        group=EXCLUDED,
        row=1,
        zh="立案",
        en="Case filing",
        excluded=("案件系统办理，网关只引用案号", "the case system's; the gateway names the case"),
    ),
    Linkage(
        group=EXCLUDED,
        row=2,
        zh="拍卖变卖",
        en="Auctions",
        excluded=("网拍平台办理，成交款作为案款到账", "the platforms'; the price comes as money of the case"),
    ),
    Linkage(
        group=EXCLUDED,
        row=3,
        zh="付款",
        en="Payments",
        excluded=("财务系统付款，网关只传审批和结果", "the finance system's; only approval and result are carried"),
    ),
    Linkage(
        group=EXCLUDED,
        row=4,
        zh="宣传",
        en="Publicity",
        excluded=("无对外办理事项；可导出去标识统计", "nothing is asked of anybody; de-identified figures exist"),
    ),
    Linkage(
        group=EXCLUDED,
        row=5,
        zh="培训、党建、内部演练",
        en="Training, party work, internal drills",
        excluded=("法院内部事务，无对方", "the court's own; there is no other side"),
    ),
    Linkage(
        group=EXCLUDED,
        row=6,
        zh="“8个一”“四化”清单",
        en="The court's checklists",
        excluded=("内部考核；每周指标可供填报", "internal assessment; the weekly indicators can be used"),
    ),
    Linkage(
        group=EXCLUDED,
        row=7,
        zh="AB 岗值班编排",
        en="Lists of AB posts",
        excluded=("只使用 AB 岗，不管理岗位", "the pair is used, posts are not managed"),
    ),
)
"""What no matter type carries."""
