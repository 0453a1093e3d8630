"""The library that a court system installs: hand in, sign, follow, unseal. Needs the base package only."""

from gateway.client.answers import (
    Accepted,
    AcceptedMessage,
    AcceptedRequest,
    Event,
    Message,
    Opened,
    RequestInfo,
    StoredDocument,
    TimelineEvent,
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
from gateway.client.wire import Backoff

__all__ = [
    "OLDEST",
    "Accepted",
    "AcceptedMessage",
    "AcceptedRequest",
    "Backoff",
    "ChangedKeyError",
    "ClientConfig",
    "CourtClient",
    "CursorGoneError",
    "DestroyedError",
    "Event",
    "InvalidBodyError",
    "Message",
    "Opened",
    "ProblemError",
    "RequestInfo",
    "Resumed",
    "StoredDocument",
    "TimelineEvent",
    "UnavailableError",
    "UnexpectedAnswerError",
]
