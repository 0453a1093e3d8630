"""Our own messages that a partner gives back: it publishes the bytes that it received as they are (docs/adr/0041).

They are believed by our own signature and by nothing that the partner adds: whoever could choose them would have to
hold our key. A partner gives back only what was addressed to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.application.context import Context
from gateway.application.ports.broker import Delivery
from lianzhi.crypto.sdjwt import Parsed, read_event, take_apart
from lianzhi.errors import RejectedError
from lianzhi.protocol import policy
from lianzhi.protocol.envelope import Envelope, is_request_no


@dataclass(frozen=True, slots=True)
class GivenBack:
    """A message of a request, signed by one that we sign for, that came from its receiver."""

    envelope: Envelope
    parsed: Parsed


def given_back(context: Context, delivery: Delivery, now: datetime) -> GivenBack | None:
    """None where it is nothing of the kind; never raises for what the bytes hold.

    Whether it came in time was judged by its receiver; key and its dates, revocation included, are judged as ever."""
    try:
        event = read_event(take_apart(delivery.body, context.limits), context.limits)
        source, subject = event.get("source"), event.get("subject")
        if not isinstance(source, str) or not isinstance(subject, str) or not is_request_no(subject):
            return None
        sender = source.removeprefix("//")
        if sender not in context.directory.local:
            return None
        authentic = policy.authenticate(
            delivery.body, sender=sender, keyring=context.keyring, now=now, limits=context.limits, arriving=False
        )
        envelope = policy.examine(authentic, receivers=(delivery.owner,))
    except RejectedError:
        return None
    return GivenBack(envelope, authentic.parsed) if isinstance(envelope, Envelope) else None
