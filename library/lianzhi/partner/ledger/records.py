"""What the ledger holds, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Role = Literal["asker", "asked"]
MessageState = Literal["held", "pending", "done", "overtaken", "set-aside"]
OutboxState = Literal["ready", "sent", "refused"]
Mark = tuple[str, str]  # (message id, base64url(SHA-256(JWS part)))


@dataclass(slots=True)
class Conversation:
    """One request as the partner sees it.

    role: ours. peer: the participant at the other end. peer_next: the seqno of the peer that is applied next.
    our_seq: the last seqno that we used. opened: the `open` has been applied. started: the application has
    finished handling the `open`, so a later `withdraw` is for it to answer. withdrawn: seqno of the peer's last
    `withdraw`, 0 when there is none; what comes later with a lower seqno is kept and never acted on.
    marks: the latest message of each verb, of either side, latest last: what replies name (docs/contracts.md 3.1).
    """

    request_no: str
    type: str
    version: int
    role: Role
    peer: str
    dialect: str
    lane: str = "normal"
    case_no: str | None = None
    reply_key: str | None = None
    peer_next: int = 1
    our_seq: int = 0
    opened: bool = False
    started: bool = False
    withdrawn: int = 0
    marks: dict[str, Mark] = field(default_factory=dict)
    refs: list[str] = field(default_factory=list)


@dataclass(slots=True)
class StoredMessage:
    """A verified message as it came. text: the SD-JWT, ASCII. state: `held` until its turn, `pending` until the
    application has handled it, `overtaken` by a withdrawal, `set-aside` when its content could not be used."""

    sender: str
    id: str
    digest: str
    request_no: str | None
    verb: str
    seqno: int | None
    state: MessageState
    lane: str
    text: str
    arrived_at: str
    answer_id: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.sender, self.id


@dataclass(frozen=True, slots=True)
class Slot:
    """A seqno of the peer that is taken, and by what."""

    id: str
    digest: str
    verb: str
    state: MessageState


@dataclass(slots=True)
class OutboxRow:
    """A signed message of ours. cause: the id of the message it answers. Sent again until the broker confirms."""

    id: str
    request_no: str | None
    seqno: int | None
    verb: str
    routing_key: str
    text: str
    made_at: str
    cause: str | None = None
    state: OutboxState = "ready"


@dataclass(slots=True)
class SetAside:
    """Bytes that could not be used, as they came; the same bytes again only count up."""

    sha256: str
    body: bytes
    queue: str
    reason: str
    at: str
    pointer: str | None = None
    sender: str | None = None
    message_id: str | None = None
    request_no: str | None = None
    lane: str = "normal"


@dataclass(frozen=True, slots=True)
class Notice:
    """`lianzhi.gateway.notice`: the gateway tells us why it refused bytes of ours, or which number it waits for.

    reason, rule: codes (`unknown` where it was none). clock_offset_ms: how far our `time` was ahead of its clock. What
    only version 2 says is None in version 1.
    """

    sender: str
    id: str
    at: str
    reason: str
    title_zh: str
    title_en: str
    message_id: str | None = None
    pointer: str | None = None
    request_no: str | None = None
    next_seqno: int | None = None
    body_sha256: str | None = None
    rule: str | None = None
    detail_zh: str | None = None
    detail_en: str | None = None
    clock_offset_ms: int | None = None


@dataclass(frozen=True, slots=True)
class KeptNotice:
    """A notice as it stands in the ledger. arrived_at: by our clock. sent_again: messages that went out for it."""

    notice: Notice
    arrived_at: str
    sent_again: int = 0
