"""What was handed in after a restore, and may be a retry of what was accepted in the lost hour (docs/adr/0030)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from gateway.core.recovery.marks import Age

State = Literal["waiting", "accepted", "refused"]


@dataclass(frozen=True, slots=True)
class Doubt:
    """One POST, by who handed it in and under which key. path: of the call. state: what a person said of it, or what
    a partner showed: then request_no is what it was given. submissionhash: base64url(SHA-256) of the JWS part of what
    was signed, by which our message of the lost hour names it; None where nothing was signed. receiver (several with
    commas), type, verb, case_no: as it says itself, nothing is verified; None where it does not say so."""

    client: str
    key: str
    participant: str
    path: str
    fingerprint: str
    at: datetime
    state: State = "waiting"
    request_no: str | None = None
    submissionhash: str | None = None
    receiver: str | None = None
    type: str | None = None
    verb: str | None = None
    case_no: str | None = None


def is_new(age: Age, *, now: datetime, term: timedelta, said: str | None, signed_at: datetime | None) -> bool:
    """Whether what comes under an unknown key can be no retry of what was accepted before `age` began.

    term: for how long retries may still come. said: the incarnation that the caller knew when it made it. signed_at:
    the time in a signed submission, which is made once and handed in with the same bytes for good."""
    if age.began_at is None or now >= age.began_at + term:
        return True
    return said == age.incarnation or (signed_at is not None and signed_at > age.began_at)
