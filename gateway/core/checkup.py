"""What `lianzhi doctor` says of an installation: facts go in, lines come out. Pure; the looking is elsewhere
(`gateway.commands.examine`).

A line is `wrong` where work has stopped or will within days, `warning` where somebody should see to it in time, and
says each time why and what mends it. Nothing here judges what could not be looked at: that is `unseen`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from gateway.core.operating.records import Hold
from gateway.core.routing import Staff
from gateway.core.silence import Silence
from gateway.core.time.calendar import SHANGHAI
from gateway.core.time.clock_watch import SAME

Level = Literal["ok", "warning", "wrong"]

SHOWN = 20
"""Names in one line."""
MIB = 1 << 20
DISK_WRONG, DISK_WARNING = 256 * MIB, 2048 * MIB
DISK_SHARE = 0.05
BACKUP_WARNING, BACKUP_WRONG = timedelta(days=2), timedelta(days=8)
NOTICE_MONTH, NOTICE_LATE = 11, (12, 15)
"""The State Council's notice about a year comes in the November before; in 2022 it came on 8 December."""
_ENGLISH = re.compile(r"(?<=[。；！])\s+(?=[A-Za-z`\[(\d])")


@dataclass(frozen=True, slots=True)
class Check:
    """One line. name: for programs. zh, en: what was found, and why. fix: what mends it, a command where there is one;
    empty only where nothing has to be mended."""

    name: str
    title: str
    level: Level
    zh: str
    en: str
    fix: str = ""


def exit_code(checks: Iterable[Check]) -> int:
    """0: nothing is wrong; 1: something is."""
    return int(any(check.level == "wrong" for check in checks))


def halves(text: str) -> tuple[str, str]:
    """The Chinese and the English of a text in which one follows the other; no English where there is none."""
    zh, *en = _ENGLISH.split(text.strip(), maxsplit=1)
    return zh, en[0] if en else ""


def failed(name: str, title: str, error: BaseException, fix: str = "") -> Check:
    """A look that raised: never without a reason."""
    reason = str(error).strip() or f"{type(error).__name__}（未说明原因 no reason was given）"
    zh, en = halves(reason)
    return Check(name, title, "wrong", zh, en, fix)


def unseen(name: str, title: str, zh: str, en: str) -> Check:
    """Not looked at, because of what another line says."""
    return Check(name, title, "warning", f"未核对：{zh}", f"Not looked at: {en}")


def listed(names: Collection[str]) -> str:
    """At most `SHOWN` of them."""
    return ", ".join(list(names)[:SHOWN]) + (" …" if len(names) > SHOWN else "")


# --- this machine ----------------------------------------------------------------------------------------------------


def disk(where: str, free: int, total: int) -> Check:
    """free, total: bytes of the file system of `where`."""
    title = "磁盘 disk"
    share = free / total if total else 0.0
    zh, en = f"{where} 可用 {free // MIB} MiB（{share:.0%}）", f"{where} has {free // MIB} MiB free ({share:.0%})"
    if free < DISK_WRONG:
        return Check(
            "disk", title, "wrong", f"{zh}，将不再受理提交", f"{en}: soon nothing is accepted", "腾出空间 make room"
        )
    if free < DISK_WARNING or share < DISK_SHARE:
        return Check("disk", title, "warning", zh, en, "腾出空间 make room")
    return Check("disk", title, "ok", zh, en)


def wal(size: int, most: int) -> Check:
    """size: bytes of SQLite's write-ahead log; most: what it is cut back to."""
    title = "预写日志 write-ahead log"
    zh, en = f"{size / MIB:.1f} MiB", f"{size / MIB:.1f} MiB"
    if size > 4 * most:
        zh = f"{zh}，远大于 {most // MIB} MiB：有进程一直在读，或没有网关在运行"
        en = f"{en}, far more than {most // MIB} MiB: a program reads all the time, or no gateway runs"
        return Check("wal", title, "warning", zh, en, "结束长时间的读取后重启 end what reads, restart lianzhi serve")
    return Check("wal", title, "ok", zh, en)


def backup(last: datetime | None, now: datetime) -> Check:
    """last: when `lianzhi db backup` last ended well here."""
    title, fix = "备份 backup", "lianzhi db backup --out FOLDER（docs/handbook/restore.md）"
    if last is None:
        zh, en = "这里没有做过备份", "No backup was made by `lianzhi db backup` here"
        return Check("backup", title, "warning", zh, en, fix)
    age = max(now - last, timedelta())
    zh = f"最近一次 {last.astimezone(SHANGHAI):%Y-%m-%d %H:%M}，{age.days} 天前"
    en = f"the last one {age.days} days ago"
    if age > BACKUP_WRONG:
        return Check("backup", title, "wrong", f"{zh}：定期备份已停", f"{en}: the regular ones have stopped", fix)
    return Check(
        "backup", title, "warning" if age > BACKUP_WARNING else "ok", zh, en, fix if age > BACKUP_WARNING else ""
    )


# --- the court -------------------------------------------------------------------------------------------------------


def calendar(published: Collection[int], today: date) -> Check:
    """published: years whose working days are known."""
    title, this, following = "日历 calendar", today.year, today.year + 1
    fix = "lianzhi calendar import FILE（docs/calendar.md）"
    if this not in published:
        zh, en = f"{this} 年没有工作日历，期限都是暂定的", f"{this} is not published: every deadline is provisional"
        return Check("calendar", title, "wrong", zh, en, fix)
    if following in published:
        return Check("calendar", title, "ok", f"已有 {this}、{following} 年", f"{this} and {following} are known")
    if today.month < NOTICE_MONTH:
        return Check("calendar", title, "ok", f"已有 {this} 年", f"{this} is known")
    zh = f"{following} 年的安排尚未导入，跨年的期限是暂定的"
    en = f"{following} is not imported: deadlines that reach into it are provisional"
    if (today.month, today.day) < NOTICE_LATE:
        zh, en = f"{zh}；12 月 15 日起为 ✗", f"{en}; from 15 December this line is a ✗"
        return Check("calendar", title, "warning", zh, en, fix)
    return Check("calendar", title, "wrong", zh, en, fix)


def staff(people: Collection[Staff], today: date, file: str) -> list[Check]:
    """people: of the home court. file: where they are registered."""
    title = "人员 staff"
    fix = f"在 {file} 登记 [[staff]] register them there"
    valid = [person for person in people if person.valid_on(today)]
    if not valid:
        zh, en = (
            "没有在册人员，任何提交都会被拒绝（unknown-staff）",
            "Nobody is registered: every submission is refused",
        )
        return [Check("staff", title, "wrong", zh, en, fix)]
    found = [Check("staff", title, "ok", f"{len(valid)} 人在册", f"{len(valid)} people registered")]
    soon = today + timedelta(days=30)
    leaving = [person.no for person in valid if person.until is not None and person.until <= soon]
    if leaving:
        zh, en = f"30 日内到期：{listed(leaving)}", f"Valid for less than 30 days: {listed(leaving)}"
        found.append(Check("staff", title, "warning", zh, en, f"核对 until see to `until` in {file}"))
    return found


def roster(empty_from: datetime | None, *, pages: bool) -> Check:
    """empty_from: when, within the next day, nobody is on duty. pages: whether a hit pages people at all."""
    title = "值班 roster"
    if empty_from is None:
        return Check("roster", title, "ok", "未来 24 小时有人值班", "Somebody is on duty for the next 24 hours")
    at = f"{empty_from.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    zh = f"{at} 起无人值班" + ("，命中预警时只呼叫承办人" if pages else "")
    en = f"From {at} nobody is on duty" + (": a hit pages the handler alone" if pages else "")
    return Check("roster", title, "warning", zh, en, "lianzhi staff roster FILE（docs/handbook/staff.md）")


# --- what waits ------------------------------------------------------------------------------------------------------


def quarantine(counts: Mapping[str, int]) -> Check:
    """counts: rows by reason."""
    title, total = "隔离区 quarantine", sum(counts.values())
    if not total:
        return Check("quarantine", title, "ok", "空", "empty")
    by = ", ".join(f"{reason} {count}" for reason, count in sorted(counts.items(), key=lambda one: -one[1])[:SHOWN])
    return Check("quarantine", title, "warning", f"{total} 条：{by}", f"{total} rows", "lianzhi quarantine list")


def holds(held: Sequence[Hold]) -> Check:
    """What operators have stopped by hand: nothing is wrong with it, and it must not be forgotten."""
    title = "由人暂停 paused by hand"
    if not held:
        return Check("holds", title, "ok", "无", "none")
    at = ((one, f"({one.user} {one.since.astimezone(SHANGHAI):%m-%d %H:%M})") for one in held)
    told = listed([" ".join(filter(None, (one.scope, one.name, who))) for one, who in at])
    mend = "lianzhi resume (--partner|--type|--all)"
    return Check("holds", title, "warning", f"不再发出：{told}", f"Not sent: {told}", mend)


def silences(found: Sequence[Silence]) -> Check:
    """Partners that the gateway has found silent."""
    title = "失联的单位 silent participants"
    if not found:
        return Check("silences", title, "ok", "无", "none")
    told = listed([f"{one.participant} {one.cause} ({one.since.astimezone(SHANGHAI):%m-%d %H:%M})" for one in found])
    return Check("silences", title, "warning", told, told, "请联系单位 call them; lianzhi partners")


def paused(routes: Collection[str]) -> Check:
    """routes: `<participant>[.urgent]|<reason>` of those to which nothing is sent at present."""
    title = "暂停的去向 paused routes"
    if not routes:
        return Check("paused", title, "ok", "无", "none")
    zh = f"暂不发送：{listed(sorted(routes))}"
    en = f"Nothing is sent to {len(routes)} for now; each is tried again by itself"
    return Check("paused", title, "warning", zh, en, "请单位取走队列中的报文 ask them to consume; lianzhi broker apply")


def silent(queues: Mapping[str, tuple[int, int]]) -> Check:
    """queues: of each participant, messages that wait for it and consumers that it has."""
    title = "单位 partners"
    behind = {code: waiting for code, (waiting, consumers) in queues.items() if waiting and not consumers}
    absent = [code for code, (waiting, consumers) in queues.items() if not waiting and not consumers]
    if behind:
        who = listed([f"{code} {waiting}" for code, waiting in behind.items()])
        return Check(
            "partners", title, "warning",
            f"未连接而有报文待取：{who}" + (f"；另有未连接：{listed(absent)}" if absent else ""),
            f"Not connected, with messages waiting: {len(behind)}; not connected: {len(absent)}",
            "请其启动接收程序 ask them to start their system (lianzhi partner consume)",
        )  # fmt: skip
    if absent:
        zh, en = f"未连接：{listed(absent)}", f"{len(absent)} are not connected"
        return Check("partners", title, "warning", zh, en, "请其启动接收程序 ask them to start their system")
    return Check("partners", title, "ok", f"{len(queues)} 个单位均已连接", f"all {len(queues)} are connected")


def versions(told: Mapping[str, int | None], newest: int) -> Check:
    """told: of each participant, the version of notices that it takes; None: it has not said."""
    title = "单位的版本 versions of partners"
    older = [f"{code} {version}" for code, version in told.items() if version is not None and version < newest]
    unknown = [code for code, version in told.items() if version is None]
    if older:
        zh, en = f"通知版本较旧：{listed(older)}", f"{len(older)} take older notices than version {newest}"
        fix = "请其升级并取新契约 ask them to upgrade; lianzhi participants contract CODE --out contract.json"
        return Check("versions", title, "warning", zh, en, fix)
    known = len(told) - len(unknown)
    zh = f"{known} 个单位通知版本 {newest}" + (f"，{len(unknown)} 个尚未说明" if unknown else "")
    en = f"{known} take notices of version {newest}" + (f", {len(unknown)} have not said" if unknown else "")
    return Check("versions", title, "ok", zh, en)


def clock(whose: tuple[str, str], offset: timedelta) -> Check:
    """whose: in both languages. offset: theirs minus ours."""
    title, seconds, (zh, en) = "时钟 clocks", f"{offset.total_seconds():+.1f} s", whose
    if abs(offset) > SAME:
        zh, en = f"本机时钟与{zh}相差 {seconds}", f"This clock and that of the {en} differ by {seconds}"
        return Check("clocks", title, "wrong", zh, en, "校时 synchronise them (timedatectl, chronyc)")
    return Check("clocks", title, "ok", f"{zh} {seconds}", f"{en} {seconds}")


def partner_clocks(offsets: Mapping[str, timedelta]) -> list[Check]:
    """offsets: of each partner that was heard of late, theirs minus ours. Nothing of those that agree."""
    apart = [f"{code} {offset.total_seconds():+.0f} s" for code, offset in offsets.items() if abs(offset) > SAME]
    if not apart:
        return []
    zh, en = f"与单位的时钟不一致：{listed(apart)}", f"{len(apart)} partners have another time"
    return [Check("clocks", "时钟 clocks", "warning", zh, en, "请对方校时 ask them to synchronise their clock")]


# --- the broker ------------------------------------------------------------------------------------------------------


def topology(absent: Sequence[str], count: int) -> Check:
    """absent: queues and exchanges that are not there; count: queues that should be."""
    title = "队列 queues"
    if absent:
        zh = f"缺少 {len(absent)} 个队列或交换机：{listed(absent)}"
        en = f"{len(absent)} queues or exchanges are not there"
        return Check("queues", title, "wrong", zh, en, "lianzhi broker apply")
    return Check("queues", title, "ok", f"{count} 个都在", f"all {count} are there")


def consumers(idle: Sequence[str], count: int) -> Check:
    """idle: queues of answers that nobody consumes. count: of all."""
    title = "接收 intake"
    if not idle:
        return Check("intake", title, "ok", f"{count} 个来文队列都有接收", f"all {count} queues are consumed")
    if len(idle) == count:
        zh, en = "没有网关在接收来文", "No gateway consumes: nothing that partners send comes in"
        return Check("intake", title, "warning", zh, en, "lianzhi serve（systemctl start lianzhi）")
    zh, en = f"无人接收：{listed(idle)}", f"{len(idle)} of {count} queues are not consumed"
    return Check("intake", title, "wrong", zh, en, "看 serve 的日志 see the log of serve; lianzhi broker apply")


def provisioning(differences: Sequence[str] | None, left_alone: Sequence[str] = ()) -> Check:
    """differences: what `lianzhi broker apply` would change; left_alone: what it would only tell of. None: nobody could
    look, for it takes an administrator."""
    title = "策略与权限 policies and rights"
    if differences is None:
        return unseen(
            "policies", title,
            "须有代理管理员，请设环境变量 LIANZHI_BROKER_ADMIN、LIANZHI_BROKER_ADMIN_PASSWORD",
            "it takes the broker's administrator: LIANZHI_BROKER_ADMIN and LIANZHI_BROKER_ADMIN_PASSWORD",
        )  # fmt: skip
    if differences:
        zh, en = f"与登记不符：{listed(differences)}", f"{len(differences)} differ from what is registered"
        return Check("policies", title, "wrong", zh, en, "lianzhi broker apply")
    if left_alone:
        zh, en = f"请处理：{listed(left_alone)}", f"{len(left_alone)} things are left to the administrator"
        return Check("policies", title, "warning", zh, en, "lianzhi broker apply --dry-run")
    return Check("policies", title, "ok", "与登记相符", "as registered")


def refused_login(reason: str, *, user: str, vhost: str, where: str) -> Check:
    """reason: as the broker or the network gave it."""
    title, low = "代理 broker", reason.lower()
    why = reason.strip() or "没有说明原因 no reason was given"
    if "vhost" in low and "not found" in low:
        zh, en = f"没有虚拟主机 {vhost}", f"there is no virtual host {vhost}"
        fix = "lianzhi broker apply"
    elif "access_refused" in low or "access to vhost" in low or "refused for user" in low:
        zh, en = (
            f"拒绝用户 {user} 登录：密码不对，或无权进入 {vhost}",
            f"the broker refuses {user}: password, or rights",
        )
        fix = "核对 [broker] password_file see to it; lianzhi broker apply"
    elif "certificate" in low:
        zh, en = f" {where} 的证书不可信", f"the certificate at {where} is not believed"
        fix = "核对签发机构、期限、主机名 see to issuer, dates, host name; [broker] ca_file"
    else:
        zh, en = f" {where} 连不上", f"cannot be reached at {where}"
        fix = "启动代理或核对 [broker] url（systemctl status rabbitmq-server）start it, or see to the address"
    return Check("broker", title, "wrong", f"消息代理{zh}：{why}", f"The broker is away or refuses us: {en}", fix)
