"""What this process cannot do, in words: from what was seen of store and broker to what `/readyz` answers.

A finding blocks where nothing can be accepted durably: then nobody should send submissions here (docs/adr/0033).
Anything else is told beside a ready process, which goes on accepting.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lianzhi.errors import STORE_AWAY

FindingName = Literal[
    "store-away",
    "store-not-written",
    "backlog-full",
    "marks-unreadable",
    "set-back",
    "broker-away",
    "broker-blocked",
    "queues-missing",
    "queues-not-consumed",
]
MarksRefuse = Literal["marks-unreadable", "set-back"]
BLOCKING: frozenset[FindingName] = frozenset(
    {"store-away", "store-not-written", "backlog-full", "marks-unreadable", "set-back"}
)

WORDS: dict[FindingName, tuple[str, str]] = {
    "store-away": STORE_AWAY,
    "store-not-written": (
        "数据库写不进（磁盘满、只读或被锁住），提交一律不受理；请腾出空间或恢复可写",
        "The store cannot be written (disk full, read-only or locked): nothing is accepted. Make room, or make it"
        " writable",
    ),
    "backlog-full": (
        "待发报文已达上限，暂不受理新的提交；请查消息代理与收方队列",
        "As many messages as may wait to be sent: no new submissions for now. See to the broker and full queues",
    ),
    "marks-unreadable": (
        "标记都读写不到，无法断定数据库是否为较早的副本，不给出编号；请查 mark.json 与消息代理，恢复后自动继续",
        "No mark can be read or written, so nobody can tell whether the store is an older copy: no number is given."
        " See to mark.json and the broker; it goes on by itself",
    ),
    "set-back": (
        "数据库是较早的副本、另一份副本或另一个库，一律不受理；请停止并运行 lianzhi db restored",
        "The store is an older copy of itself, a second copy, or another one: nothing is accepted. Stop, and run"
        " `lianzhi db restored`",
    ),
    "broker-away": (
        "消息代理连不上：照常受理，但报文发不出、收不到",
        "The broker is away: submissions are accepted, but no message leaves or comes in",
    ),
    "broker-blocked": (
        "消息代理拒收（内存或磁盘告警）：照常受理，报文待告警解除后发出",
        "The broker takes nothing (memory or disk alarm): submissions are accepted and go out when the alarm ends",
    ),
    "queues-missing": (
        "代理上缺少收方的队列或交换机，发往那里的报文发不出；请运行 lianzhi broker apply，lianzhi doctor 列出名称",
        "Queues of receivers, or the exchange, are not there: nothing can be sent to them. Run `lianzhi broker apply`;"
        " `lianzhi doctor` names them",
    ),
    "queues-not-consumed": (
        "有来文队列未被接收（队列缺失或无权读取），那里的来文收不到；lianzhi doctor 列出名称",
        "Queues are not consumed (missing, or we may not read them): what lies there does not come in;"
        " `lianzhi doctor` names them",
    ),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that cannot be done. count: of how many queues."""

    name: FindingName
    count: int | None = None

    @property
    def blocks(self) -> bool:
        return self.name in BLOCKING

    @property
    def words(self) -> tuple[str, str]:
        """Chinese, English."""
        return WORDS[self.name]


@dataclass(frozen=True, slots=True)
class Wire:
    """The broker as this process sees it. missing: queues that it publishes to; silent: that it should consume."""

    connected: bool
    blocked: bool
    missing: int
    silent: int


def findings(
    store: Literal["ok", "away", "not-written"],
    *,
    backlog_full: bool,
    marks: MarksRefuse | None = None,
    wire: Wire | None = None,
) -> list[Finding]:
    """marks: why they let no number be given. wire: None where it is not this process's role. Of a broker that is away
    nothing else can be said."""
    found = []
    if store != "ok":
        found.append(Finding("store-away" if store == "away" else "store-not-written"))
    elif backlog_full:
        found.append(Finding("backlog-full"))
    if marks is not None:
        found.append(Finding(marks))
    if wire is None:
        return found
    if not wire.connected:
        return [*found, Finding("broker-away")]
    if wire.blocked:
        found.append(Finding("broker-blocked"))
    if wire.missing:
        found.append(Finding("queues-missing", wire.missing))
    if wire.silent:
        found.append(Finding("queues-not-consumed", wire.silent))
    return found
