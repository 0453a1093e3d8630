"""Every condition that a duty officer is told of, one by one: a table of texts. docs/handbook/alerts.md comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

Severity = Literal["warning", "critical"]
AT_ONCE, SHORT, LONG = timedelta(0), timedelta(minutes=2), timedelta(minutes=5)
NEW = timedelta(hours=1)
"""A new installation has so long to make its first backup."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that may be wrong.

    family: conditions of one family and subject are one trouble, so one alarm; the one that explains the others stands
    first in the table. hold: seen for so long before it is told. incident: the alarm writes the incident; else another
    watch has written it already. why_zh, why_en: the cause of one alarm, with `{names}` of what was seen. do_zh, do_en:
    what to do. page: of the handbook, beside docs/handbook/alerts.md.
    """

    name: str
    family: str
    severity: Severity
    hold: timedelta
    incident: bool
    zh: str
    en: str
    why_zh: str
    why_en: str
    do_zh: str
    do_en: str
    page: str


# fmt: off
_ROWS: tuple[Condition, ...] = (
    Condition("partner-no-consumer", "partner", "warning", AT_ONCE, False,
        "单位未连接", "A partner is not connected",
        "自 {since} 起无人取件，未送达 {undelivered} 件", "Nobody has taken from its queue since {since}; {undelivered} requests have not arrived",
        "打电话请其启动接收程序；报文不丢，恢复后依次取走", "Call it: its receiving program has to be started. Nothing is lost", "partner-down.md"),
    Condition("partner-not-delivered", "partner", "warning", AT_ONCE, False,
        "单位收件而无送达回执", "A partner shows no `delivered`",
        "自 {since} 起没有送达回执，未送达 {undelivered} 件", "No `delivered` since {since}; {undelivered} requests have not arrived",
        "请其看台账、日志和 `lianzhi partner doctor`", "Ask for its log and `lianzhi partner doctor`", "partner-down.md"),
    Condition("partner-not-answered", "partner", "warning", AT_ONCE, False,
        "单位收到而久不答复", "A partner answers nothing",
        "自 {since} 起没有任何答复", "It has said nothing since {since}",
        "联系其经办部门；系统正常则按期限催办", "Call the department in charge; where its system works, urge", "partner-down.md"),
    Condition("message-old", "partner", "warning", LONG, True,
        "发往单位的请求久未送达", "A request to a partner has not arrived for long",
        "最早一件已 {minutes} 分钟，未送达 {undelivered} 件", "The oldest for {minutes} minutes; {undelivered} have not arrived",
        "`lianzhi partners` 看队列和暂停；本院一侧 blocked 的看缺什么文书", "`lianzhi partners` shows queue and pauses; what is `blocked` lacks something of ours", "partner-down.md"),
    Condition("deadline-near", "deadline", "warning", AT_ONCE, True,
        "期限将到", "A deadline is about to pass",
        "{count} 件在 {minutes} 分钟内到期", "{count} requests fall due within {minutes} minutes",
        "`lianzhi request list --due-within` 列出；本院的去办，对方的打电话", "`lianzhi request list --due-within` names them; do what is ours, call for what is theirs", "operators.md"),
    Condition("hit-unacknowledged", "hit", "critical", AT_ONCE, True,
        "命中预警无人确认", "A hit that nobody has acknowledged",
        "{count} 件，最早的已 {minutes} 分钟", "{count} of them, the oldest for {minutes} minutes",
        "立即电话通知值班人和承办人", "Call the duty desk and the handler at once", "staff.md"),
    Condition("signature-failures", "signature", "critical", AT_ONCE, True,
        "单位来文签名不符", "Messages whose signature does not hold",
        "近一小时 {count} 件", "{count} in the last hour",
        "先按冒名处理：电话向单位核实，查密钥是否更换；`lianzhi quarantine list`", "Treat them as forged until the partner has explained them; `lianzhi quarantine list`", "quarantine.md"),
    Condition("clock-doubted", "clock", "critical", AT_ONCE, False,
        "本机时钟存疑", "Our own clock is in doubt",
        "可能快 {seconds} 秒；期间不作不可撤回的决定", "It may be {seconds} s ahead; nothing final is decided meanwhile",
        "校时（`chronyc tracking`、`timedatectl`）", "Synchronise it (`chronyc tracking`, `timedatectl`)", "doctor.md"),
    Condition("clock-apart", "clock", "warning", LONG, False,
        "时钟不一致", "Clocks differ",
        "相差 {seconds} 秒", "By {seconds} s",
        "两台机器都校时", "Synchronise both machines", "doctor.md"),
    Condition("partner-clock", "partner-clock", "warning", LONG, True,
        "单位的时钟不一致", "A partner's clock differs",
        "相差 {seconds} 秒", "By {seconds} s",
        "请单位校时；差得多时其报文会被拒", "Ask it to synchronise; far off, its messages are refused", "doctor.md"),
    Condition("key-ended", "key", "critical", AT_ONCE, True,
        "密钥即将到期", "A key is about to end",
        "还有 {days} 天，无接续", "In {days} days, and no other follows",
        "当天更换", "Replace it today", "key-ends.md"),
    Condition("key-ends", "key", "warning", AT_ONCE, True,
        "密钥将到期", "A key ends soon",
        "还有 {days} 天，无接续", "In {days} days, and no other follows",
        "按手册先发公钥、到日启用", "Hand the next public key out and let it begin in time", "key-ends.md"),
    Condition("certificate-ended", "certificate", "critical", AT_ONCE, True,
        "证书即将到期", "A certificate is about to end",
        "还有 {days} 天", "In {days} days",
        "当天更换文件，再 `systemctl reload`", "Replace the file today, then reload", "key-ends.md"),
    Condition("certificate-ends", "certificate", "warning", AT_ONCE, True,
        "证书将到期", "A certificate ends soon",
        "还有 {days} 天", "In {days} days",
        "向签发者申请新证书", "Ask its issuer for a new one", "key-ends.md"),
    Condition("log-stopped", "log", "warning", AT_ONCE, True,
        "日志不再增长", "The log has stopped growing",
        "{minutes} 分钟没有写出一行", "No line could be written for {minutes} minutes",
        "看磁盘和日志服务（`journalctl`）", "See to the disk and the log service (`journalctl`)", "logs.md"),
    Condition("disk-full", "disk", "critical", AT_ONCE, True,
        "磁盘将满", "The disk is nearly full",
        "可用 {mib} MiB（{percent}%），再少就不受理提交", "{mib} MiB free ({percent} %): soon nothing is accepted",
        "马上腾出空间：旧备份、日志", "Make room now: old backups, logs", "doctor.md"),
    Condition("disk-low", "disk", "warning", AT_ONCE, True,
        "磁盘空间不多", "The disk is filling",
        "可用 {mib} MiB（{percent}%）", "{mib} MiB free ({percent} %)",
        "腾出空间或扩容", "Make room or add some", "doctor.md"),
    Condition("backlog-full", "backlog", "critical", AT_ONCE, True,
        "待发报文将达上限", "The backlog is nearly full",
        "{count} 件待发，上限 {limit}；到上限即不受理", "{count} messages wait, the limit is {limit}: then nothing is accepted",
        "看代理和暂停（`lianzhi doctor`、`lianzhi pauses`）", "See to the broker and to pauses (`lianzhi doctor`, `lianzhi pauses`)", "partner-down.md"),
    Condition("backlog-high", "backlog", "warning", LONG, True,
        "待发报文很多", "Many messages wait to be sent",
        "{count} 件待发，上限 {limit}", "{count} messages wait, the limit is {limit}",
        "看代理和暂停（`lianzhi doctor`、`lianzhi pauses`）", "See to the broker and to pauses (`lianzhi doctor`, `lianzhi pauses`)", "partner-down.md"),
    Condition("backup-stopped", "backup", "critical", AT_ONCE, True,
        "定期备份已停", "The regular backups have stopped",
        "最近一次在 {days} 天前", "The last one was made {days} days ago",
        "`lianzhi db backup --out 目录`，再查定时任务", "`lianzhi db backup --out FOLDER`, then see to the timer", "restore.md"),
    Condition("backup-old", "backup", "warning", NEW, True,
        "备份过旧或没有备份", "The backup is old, or there is none",
        "{last}", "{last_en}",
        "`lianzhi db backup --out 目录`", "`lianzhi db backup --out FOLDER`", "restore.md"),
    Condition("broker-away", "broker", "critical", SHORT, True,
        "消息代理连不上", "The broker is away",
        "照常受理，但报文发不出、收不到", "Submissions are accepted, but no message leaves or comes in",
        "`systemctl status rabbitmq-server`；核对 `[broker] url`", "`systemctl status rabbitmq-server`; see to `[broker] url`", "doctor.md"),
    Condition("broker-blocked", "broker", "critical", SHORT, True,
        "消息代理拒收", "The broker takes nothing",
        "内存或磁盘告警：报文待告警解除后发出", "Memory or disk alarm: messages go out when it ends",
        "在代理的机器上腾出内存、磁盘", "Make room on the broker's machine", "doctor.md"),
)
# fmt: on
CONDITIONS: Mapping[str, Condition] = {one.name: one for one in _ROWS}
RANK: Mapping[str, int] = {one.name: place for place, one in enumerate(_ROWS)}
FAMILIES = frozenset(one.family for one in _ROWS)
