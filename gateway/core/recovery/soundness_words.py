"""What each rule of `lianzhi db check` demands, Chinese and English. A table of texts."""

from __future__ import annotations

from collections.abc import Mapping

RULES: Mapping[str, tuple[str, str]] = {
    # one conversation (gateway.core.recovery.soundness)
    "state": ("请求的状态须是该形态所有的状态", "A request is in a state of its shape"),
    "number-block": (
        "本方编号须小于当日号段的下一号，否则会再次发出同一编号",
        "A number of ours is below the next one of its day, or it will be given again",
    ),
    "message-request": ("报文所属的请求须在库中", "The request that a message belongs to exists"),
    "message-party": ("报文的发送方须是请求的一方", "A message's sender is a party of its request"),
    "outbox-request": ("待发报文所属的请求须在库中", "The request that an outbox row belongs to exists"),
    "timer-request": ("计时所属的请求须在库中", "The request that a timer belongs to exists"),
    "event-request": ("事件所述的请求须在库中", "The request that an event speaks of exists"),
    "seqno-gap": ("同一请求同一方的序号须连续", "The numbers of one side of a request have no gap"),
    "seqno-double": ("同一请求同一方的序号不得重复", "A number of one side of a request is used once"),
    "seqno-counter": (
        "请求所记的最后序号须等于已用的最大序号",
        "The counter in the request is the highest number used",
    ),
    "mark": (
        "请求所记、答复所指的报文须在库中且摘要一致",
        "The message that replies must name is stored, with this digest",
    ),
    "held-count": (
        "请求所记的等待件数须等于实际件数",
        "The count of waiting messages in the request is the number there is",
    ),
    "held-message": ("等待记录须有其报文，且该报文在等待", "A row of what waits has its message, and that one waits"),
    "held-row": ("等待中的报文须有其等待记录", "A message that waits has its row in `held`"),
    "held-turn": ("等待的序号须大于已用的最后序号", "What waits is ahead of the last number used"),
    "outbox-state": ("待发报文的状态须是已知的", "An outbox row is in a known state"),
    "outbox-stuck": (
        "未发报文中最前一件不得处于等待，否则永远不会发出",
        "The first unsent message does not wait, or nothing will ever send it",
    ),
    "clock": (
        "请求所处状态要求的时钟须有计时，或已到期告知",
        "A clock that runs in the request's state has a timer, or has said its last word",
    ),
    "clock-idle": ("不走的时钟不得有计时", "A clock that does not run has no timer"),
    "redeliver-timer": (
        "未获送达答复的报文须有重发计时，或已告知",
        "What awaits its `delivered` has a timer to be sent again, or it was told",
    ),
    "mend-timer": ("受阻的请求须有复查计时，或已告知", "A blocked request is looked at again, or it was told"),
    "gap-timer": (
        "有报文等待时须有缺号计时，或已告知",
        "Where messages wait for a missing number a timer runs, or it was told",
    ),
    "measure-timer": ("有期限的有效措施须有到期计时", "A live measure with a last day has the timer of its end"),
    "timer-measure": ("措施计时须有其措施", "The measure that a timer belongs to exists"),
    # between tables (gateway.store.upkeep.check)
    "outbox-message": (
        "待发记录须有其报文，请求与序号一致",
        "An outbox row has its message, with the same request and number",
    ),
    "outbox-missing": ("发往队列的报文须有待发记录", "A message of ours for a queue has its outbox row"),
    "outbox-route": ("待发记录的路由须是其路由键的开头", "An outbox row's route is the beginning of its routing key"),
    "answer": ("报文所记的答复须在库中", "The stored answer of a message exists"),
    "accepted": ("答复过 2xx 的请求须在库中", "A request that was answered 2xx exists"),
    "submission-request": (
        "提交所属的请求、案件决定或组须在库中",
        "The request, decision or group of a submission exists",
    ),
    "request-submission": ("请求所依据的提交须在库中", "The submission that a request rests on exists"),
    "approval-submission": ("审批所依据的提交须在库中", "The submission that an approval rests on exists"),
    "ledger-request": ("台账行所依据的请求须在库中", "The request that a ledger line rests on exists"),
    "release-number": ("案件决定的编号须小于当日号段的下一号", "A decision's number is below the next one of its day"),
    "step-measure": ("措施的历史须有其措施", "The measure that a step belongs to exists"),
    "document-row": ("被引用、存入或可读的文书须有登记", "A document that is named, put or readable is registered"),
    "document-file": ("登记的文书须在文书目录中", "A registered document lies in the folder of documents"),
    "document-size": ("文书文件的字节数须与登记一致", "A document's file has the size that is registered"),
    "document-digest": ("文书文件的摘要须与其名称一致", "A document's file has the digest that is its name"),
    "paused-route": (
        "暂停的路由须属其单位，且可试发至少一件",
        "A paused route is its participant's and lets one message be tried",
    ),
    "parent": ("外键所指的行须在", "The row that a foreign key names exists"),
    "json": ("该列须是完好的 JSON", "The column holds well-formed JSON"),
    "integrity": ("数据库文件须通过自检", "The database file passes its own integrity check"),
}
