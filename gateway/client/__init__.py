"""The library that a court system installs: hand in, sign, follow, unseal. Needs the base package only."""

from gateway.client.answers import (
    Accepted,
    AcceptedMessage,
    AcceptedRequest,
    CaseInfo,
    Decided,
    Event,
    GroupInfo,
    Message,
    Opened,
    Reassigned,
    Released,
    ReleaseInfo,
    RequestInfo,
    SaidToGroup,
    StoredDocument,
    TimelineEvent,
    Warned,
)
from gateway.client.client import CourtClient
from gateway.client.config import ClientConfig
from gateway.client.feed import OLDEST
from gateway.client.problems import (
    ChangedKeyError,
    CursorGoneError,
    DestroyedError,
    InvalidBodyError,
    ProblemError,
    UnavailableError,
    UnexpectedAnswerError,
)
from gateway.client.sending import Resumed
from gateway.client.signing import approval_digest
from gateway.client.wire import Backoff

__all__ = [
    "OLDEST",
    "Accepted",
    "AcceptedMessage",
    "AcceptedRequest",
    "Backoff",
    "CaseInfo",
    "ChangedKeyError",
    "ClientConfig",
    "CourtClient",
    "CursorGoneError",
    "Decided",
    "DestroyedError",
    "Event",
    "GroupInfo",
    "InvalidBodyError",
    "Message",
    "Opened",
    "ProblemError",
    "Reassigned",
    "ReleaseInfo",
    "Released",
    "RequestInfo",
    "Resumed",
    "SaidToGroup",
    "StoredDocument",
    "TimelineEvent",
    "UnavailableError",
    "UnexpectedAnswerError",
    "Warned",
    "approval_digest",
]
