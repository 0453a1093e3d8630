"""The library that a court system installs: it submits, signs, follows the feed and unseals. Needs the base package
only.

`client` is the object that a court system holds, with the calls of `verbs`. Out: `signing` writes a submission, `spool`
keeps it, `sending` sends it until it is answered, over `wire`. In: `feed` follows the events, `trust` believes nobody.
`answers` and `problems` are what comes back, `config` and `bounds` what is set, `documents` the papers.
"""

from lianzhi.client.answers import (
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
from lianzhi.client.client import CourtClient
from lianzhi.client.config import ClientConfig
from lianzhi.client.feed import OLDEST
from lianzhi.client.problems import (
    ChangedKeyError,
    CursorGoneError,
    DestroyedError,
    InvalidBodyError,
    ProblemError,
    UnavailableError,
    UnexpectedAnswerError,
)
from lianzhi.client.sending import Resumed
from lianzhi.client.signing import approval_digest
from lianzhi.client.wire import Backoff

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
