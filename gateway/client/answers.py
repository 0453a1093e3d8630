"""What the gateway answers, as frozen models. Members that we do not know are passed over: it may be newer than we.

Source: docs/design.md 3.3; the gateway's own models stand in gateway/services/views.py and are published as OpenAPI.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from schemas.envelope import Envelope


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class AcceptedRequest(_Answer):
    """One request of a group."""

    request_no: str
    receiver: str
    state: str


class Accepted(_Answer):
    """Committed: it will be sent, or stands visibly `blocked`. Never lost from here on.

    request_no: of a single request, else None and `group_no` with all of `requests`. state and type are absent when
    the same signed bytes had been handed in before under another key.
    """

    request_no: str | None = None
    group_no: str | None = None
    type: str | None = None
    receiver: str | None = None
    state: str | None = None
    requests: tuple[AcceptedRequest, ...] = ()

    @property
    def request_nos(self) -> list[str]:
        """Of every request that was accepted."""
        return [r.request_no for r in self.requests] if self.request_no is None else [self.request_no]


class AcceptedMessage(_Answer):
    """A verb was said. message_id is None when a withdrawal stopped the request before anything had been sent."""

    request_no: str
    state: str | None = None
    message_id: str | None = None
    seqno: int | None = None


class RequestInfo(_Answer):
    """One request as it stands."""

    request_no: str
    type: str
    version: int
    shape: str
    state: str
    done: bool
    asker: str
    asked: str
    lane: str
    case_no: str | None = None
    group_no: str | None = None
    related: str | None = None
    handler: str | None = None
    reason: str | None = None
    too_late: bool | None = None
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


class Event(_Answer):
    """One line of the feed: codes only, never a payload. `message_id` is to be looked up with `messages`."""

    cursor: str
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
    cursor: str


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
