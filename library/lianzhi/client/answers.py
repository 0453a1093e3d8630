"""The gateway's answers as frozen models. Unknown members are ignored: the gateway may be newer than this library.

Source: docs/contracts.md 3.3; its models (gateway/application/answers.py) are published as OpenAPI.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lianzhi.client.bounds import CURSOR_LENGTH
from lianzhi.client.problems import UnexpectedAnswerError
from lianzhi.printable import printable
from lianzhi.protocol.envelope import Envelope

M = TypeVar("M", bound=BaseModel)
Cursor = Annotated[str, Field(max_length=CURSOR_LENGTH)]

_ERRORS_TOLD = 10


def read_answer(model: type[M], document: Any) -> M:
    """Raises UnexpectedAnswerError."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        told = error.errors(include_input=False)[:_ERRORS_TOLD]
        names = printable(", ".join("/".join(map(str, e["loc"])) for e in told))
        raise UnexpectedAnswerError(f"回答看不懂（{names}） the answer cannot be read ({names})") from None


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Warned(_Answer):
    """Something that was accepted and deserves a second look. rule: a code; detail: Chinese."""

    pointer: str = ""
    rule: str = ""
    detail: str = ""
    detail_en: str = ""


class AcceptedRequest(_Answer):
    """One request of a group. reason: why it is `blocked`."""

    request_no: str
    receiver: str
    state: str
    reason: str | None = None


class Accepted(_Answer):
    """Committed: it will be sent, or stands visibly `blocked`. Never lost from here on.

    request_no: of a single request, else None and `group_no` with all of `requests`. state and type are absent when
    the same signed bytes had been handed in before under another key. reason: why it is `blocked`.
    """

    request_no: str | None = None
    group_no: str | None = None
    type: str | None = None
    receiver: str | None = None
    state: str | None = None
    reason: str | None = None
    requests: tuple[AcceptedRequest, ...] = ()
    warnings: tuple[Warned, ...] = ()

    @property
    def request_nos(self) -> list[str]:
        """Of every request that was accepted."""
        return [r.request_no for r in self.requests] if self.request_no is None else [self.request_no]

    @property
    def blocked(self) -> list[tuple[str, str]]:
        """Number and reason of those that wait for something before they can be sent."""
        if self.request_no is not None:
            return [] if self.reason is None else [(self.request_no, self.reason)]
        return [(one.request_no, one.reason) for one in self.requests if one.reason is not None]


class AcceptedMessage(_Answer):
    """A verb was said. message_id is None when a withdrawal stopped the request before anything had been sent."""

    request_no: str
    state: str | None = None
    message_id: str | None = None
    seqno: int | None = None


class Decided(_Answer):
    """An approval, rejection or review was recorded. missing: rules that are not fulfilled yet; empty: complete.

    state is absent when the same signed bytes had been handed in before under another key."""

    request_no: str
    state: str | None = None
    missing: tuple[str, ...] = ()
    requests: tuple[AcceptedRequest, ...] = ()


class GroupLine(_Answer):
    """problem: why the verb was not said to this member: a code."""

    request_no: str
    receiver: str
    state: str
    message_id: str | None = None
    problem: str | None = None


class SaidToGroup(_Answer):
    """requests are absent when the same signed bytes had been handed in before under another key."""

    group_no: str | None = None
    requests: tuple[GroupLine, ...] = ()


class GroupMember(_Answer):
    request_no: str
    receiver: str
    state: str
    done: bool
    acknowledged: bool
    waits_for: str | None = None


class GroupInfo(_Answer):
    """complete: each member has acknowledged; waiting_for: whose turn it is where one has not."""

    group_no: str
    type: str
    members: tuple[GroupMember, ...]
    complete: bool
    waiting_for: tuple[str, ...] = ()


class EndingPaper(_Answer):
    """What ends a measure: the paper of that kind; None: the request itself."""

    paper: str | None = None
    zh: str
    en: str
    source: str


class ReleaseLine(_Answer):
    """kind: withdraw, ending, already, alert (closed), exception, needs-hand (then `reason`: a code)."""

    kind: str
    request_no: str | None = None
    measure_no: str | None = None
    receiver: str | None = None
    state: str | None = None
    acknowledged: bool | None = None
    waits_for: str | None = None
    reason: str | None = None
    ended_with: EndingPaper | None = None


class Released(_Answer):
    """The case is being let go. case_no and items are absent when the same signed bytes had been handed in before
    under another key; `release_no` is then the number given at first."""

    release_no: str
    case_no: str | None = None
    items: tuple[ReleaseLine, ...] = ()

    @property
    def by_hand(self) -> list[ReleaseLine]:
        """What the gateway could not do."""
        return [line for line in self.items if line.kind == "needs-hand"]


class ReleaseInfo(_Answer):
    """done: every partner has acknowledged, nothing waits for a hand. waiting_for: who owes a word, maybe we."""

    release_no: str
    case_no: str
    reason: str
    by: str
    at: str
    done: bool
    waiting_for: tuple[str, ...] = ()
    items: tuple[ReleaseLine, ...] = ()


class EndingInfo(_Answer):
    """The request by which a measure is being ended."""

    request_no: str
    state: str


class MeasureInfo(_Answer):
    """amount: what was asked for; seized, appraised: what was answered, CNY."""

    measure_no: str
    request_no: str
    type: str
    action: str
    ref: str
    state: str
    asked: str
    control_no: str | None = None
    rank: int | None = None
    start_on: str | None = None
    end_on: str | None = None
    amount: str | None = None
    receipt_no: str | None = None
    seized: str | None = None
    appraised: str | None = None
    published_at: str | None = None
    ending: EndingInfo | None = None
    ended_with: EndingPaper | None = None


class DebtFigure(_Answer):
    amount: str
    at: str
    by: str
    request_no: str
    reason: str | None = None


class DebtInfo(_Answer):
    """The debt beside what is secured, CNY. history: every figure, the first one first."""

    debt: str | None = None
    in_fact: str
    asked: str
    history: tuple[DebtFigure, ...] = ()


class Reassigned(_Answer):
    """What was re-pointed; `group_no`: of the notices in which each partner acknowledges it."""

    case_no: str | None = None
    group_no: str | None = None
    requests: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    notices: tuple[AcceptedRequest, ...] = ()
    warnings: tuple[Warned, ...] = ()


class RequestInfo(_Answer):
    """One request as it stands. waits_for: whose turn it is; None: nobody's any more."""

    request_no: str
    type: str
    version: int
    shape: str
    state: str
    done: bool
    waits_for: str | None = None
    asker: str
    asked: str
    lane: str
    case_no: str | None = None
    case_claimed: bool | None = None
    group_no: str | None = None
    related: str | None = None
    handler: str | None = None
    reason: str | None = None
    too_late: bool | None = None
    break_glass: str | None = None
    backup_handler: str | None = None
    due_at: str | None = None
    due_on: str | None = None
    provisional: bool | None = None
    paused: bool | None = None
    created_at: str
    updated_at: str

    def other(self, participant: str) -> str:
        """The party at the other end."""
        return self.asked if participant == self.asker else self.asker


class CaseInfo(_Answer):
    """A case of ours: what is still open, what is in force, what was let go. debt: absent from older gateways."""

    case_no: str
    debt: DebtInfo | None = None
    open_requests: tuple[RequestInfo, ...]
    measures: tuple[MeasureInfo, ...]
    releases: tuple[ReleaseInfo, ...]


class Event(_Answer):
    """One line of the feed: codes only, never a payload. `message_id` is to be looked up with `messages`."""

    cursor: Cursor
    at: str
    kind: str
    request_no: str | None = None
    group_no: str | None = None
    case_no: str | None = None
    type: str | None = None
    verb: str | None = None
    state: str | None = None
    message_id: str | None = None
    head: dict[str, Any] | None = None


class FeedPage(_Answer):
    events: tuple[Event, ...]
    cursor: Cursor


class TimelineEvent(_Answer):
    at: str
    kind: str
    state: str | None = None
    verb: str | None = None
    message_id: str | None = None
    digest: str | None = None
    head: dict[str, Any] | None = None
    detail: str | None = None


class Message(_Answer):
    """A signed message of a request. bytes: `<JWS>~<disclosure>~` as sent or received.

    data: the gateway's translation; None when the content is sealed to a court system. request_no is put in by us.
    """

    request_no: str
    message_id: str
    sender: str
    receiver: str
    verb: str
    seqno: int | None = None
    time: str
    stored_at: str
    disposition: str
    digest: str
    bytes: str
    head: dict[str, Any] | None = None
    data: dict[str, Any] | None = None
    sealed_to: str | None = None
    destroyed: bool = False


class StoredDocument(_Answer):
    sha256: str
    size: int
    media_type: str
    at: str


class Opened(BaseModel):
    """A message whose signature verified, and what it says.

    data: canonical, members of `head` included, validated. own: unsealed here with our own key; otherwise the
    translation is the gateway's word, the signature the partner's.
    """

    model_config = ConfigDict(frozen=True)

    envelope: Envelope
    data: dict[str, Any]
    own: bool
