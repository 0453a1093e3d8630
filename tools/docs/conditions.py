"""`docs/handbook/alerts.md`: every alert with what it means and what to do, from the table of conditions."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.core.alarms.conditions import CONDITIONS, Condition
from gateway.core.alarms.figures import HERE

_HEAD = """\
# 告警 Alerts

值班人在总线之外收到的消息：邮件，或给值班系统的签名 webhook。开始一条，升为严重再一条，恢复一条；同一处故障不论多少件在等，只有一个告警。
What a duty officer is told outside of the bus, by mail or by signed webhook: one message when it begins, one more when it
becomes critical, one when it is over. One trouble is one alert, however many requests wait behind it.

后半部分由 `gateway.core.alarms.conditions` 生成（`make docs`）。 The tables below are written from the code.

## 1. 告知谁 Who is told
`lianzhi.toml`，改后数秒生效 it holds within seconds of a change:

```toml
[notify.mail]                        # 法院的邮件服务器 the court's mail server
host = "mail.court.example"
sender = "lianzhi@court.example"

[alerts]
handbook = "https://wiki.court.example/lianzhi"   # 本手册发布在何处，可不写 where this handbook is published; may be absent

[alerts.mail.duty]                   # 名称自定 any name
to = "duty@court.example"
quiet = ["22:00", "07:00"]           # 此间只发严重的，一般的到 7 点再发 then only what is critical; warnings wait until 7:00

[alerts.mail.chief]
to = "chief@court.example"
least = "critical"                   # 只要严重的 only what is critical

[alerts.webhook.monitoring]
url = "https://watch.court.example/lianzhi"
secret_file = "alerts.secret"        # 一行 one line: whsec_… (openssl rand -base64 32)
```

```bash
lianzhi alerts list                  # 未消除的：自何时、告知了谁 what stands since when, and who was told
lianzhi alerts test                  # 向每个收件人发一条测试 tells everybody that this is a test
```

- **webhook**：POST，JSON，签名同呼叫平台（standardwebhooks.com 1.0）。`webhook-id` 为 `<告警编号>-opened|raised|closed`，重发不变：收过的请丢弃。答复 2xx 即为收到，
  10 秒内不答则再发。 Signed as pages are. `webhook-id` is the alert's number with its state and stays the same when it is sent again: drop
  what you have had. Any 2xx means taken; without an answer in 10 seconds it comes again.
- 发不出的留在库中，10 秒至 5 分钟后再试，满 24 小时记为异常事件；其间已恢复的只发“已恢复”一条。 What cannot be sent waits in the store and is tried again after
  10 seconds to 5 minutes, for 24 hours, then it is an incident. What is over by then is told in one message.
- 恢复须持续 `clear_minutes`（5 分钟）才告知；时断时续的是一个告警。 An end is told when it has lasted `clear_minutes`: what comes and goes is one alert.
- 数据库连不上时告警发不出：由 Prometheus 规则告知（[metrics.md](metrics.md)）。 While the store is away no alert is sent: Prometheus' rules tell.
- 由人暂停的单位不算失联。 A partner that an operator has paused is not silent.

## 2. 全部告警 All alerts
"""
_THRESHOLDS: dict[str, str] = {
    "partner-no-consumer": "无人取件 10 分钟 10 minutes without a consumer",
    "partner-not-delivered": "30 分钟没有送达回执 30 minutes without `delivered`",
    "partner-not-answered": "超过其惯常 for longer than it ever takes",
    "message-old": "`message_minutes` = 60",
    "deadline-near": "`deadline_minutes` = 120",
    "hit-unacknowledged": "`hit_minutes` = 5",
    "signature-failures": "`signatures` = 3 一小时内同一单位 in an hour, of one partner",
    "clock-doubted": "跳前 5 分钟以上且无佐证 a step ahead of 5 minutes that no clock confirms",
    "clock-apart": "`clock_seconds` = 60",
    "partner-clock": "`clock_seconds` = 60",
    "key-ended": "`key_last_days` = 7",
    "key-ends": "`key_days` = 30",
    "certificate-ended": "`key_last_days` = 7",
    "certificate-ends": "`key_days` = 30",
    "log-stopped": "`log_minutes` = 30",
    "disk-full": "`disk_full_mib` = 256",
    "disk-low": "`disk_low_mib` = 2048，或 or 5 %",
    "backlog-full": "`backlog_full_percent` = 90",
    "backlog-high": "`backlog_percent` = 50",
    "backup-stopped": "`backup_stopped_days` = 8",
    "backup-old": "`backup_days` = 2",
    "broker-away": "2 分钟 2 minutes",
    "broker-blocked": "2 分钟 2 minutes",
}
SEVERITIES = {"warning": "一般 warning", "critical": "严重 critical"}


def alerts_document() -> str:
    """Raises KeyError: a condition whose threshold is not told."""
    return _HEAD + "".join(_overview()) + "".join(_section(one) for one in CONDITIONS.values())


def _overview() -> Iterator[str]:
    yield "\n| 告警 alert | 级别 severity | 何时 when（`[alerts]`） |\n|---|---|---|\n"
    for one in CONDITIONS.values():
        yield (
            f"| [{one.name}](#{one.name}) {one.zh} {one.en} | {SEVERITIES[one.severity]} | {_THRESHOLDS[one.name]} |\n"
        )


def _section(one: Condition) -> str:
    """Under a heading that is the condition's name: the link of each message ends in it."""
    whose = "本机的 of the machine named" if one.family in HERE else "全院的 of the installation"
    minutes = int(one.hold.total_seconds() // 60)
    held = f"，持续 {minutes} 分钟后告知 told after {minutes} minutes" if minutes else ""
    return (
        f"\n### {one.name}\n{one.zh} {one.en}. {SEVERITIES[one.severity]}，{whose}{held}。\n\n"
        f"- 原因 cause：{_blanks(one.why_zh)}。 {_blanks(one.why_en)}.\n"
        f"- 办 do：{one.do_zh}。 {one.do_en}. → [{one.page}]({one.page})\n"
    )


def _blanks(text: str) -> str:
    """Without the braces of what is filled in."""
    return text.replace("{", "‹").replace("}", "›")
