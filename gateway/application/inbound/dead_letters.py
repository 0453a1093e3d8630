"""Messages of ours that the broker gave up on (dead-lettered from a partner's queue): each is recorded.

The request becomes `undeliverable`, an incident that someone sees; it is not terminal (docs/domain.md section 3). Ours
is what the store holds as sent by us to the owner of that queue, with the same digest; whatever else lies there
decides nothing.
"""

from __future__ import annotations

from gateway.application.context import Context
from gateway.application.conversation.apply_decision import carry_out
from gateway.application.conversation.request_unit import Conversation
from gateway.application.ports.broker import Delivery
from gateway.core.records import Event
from gateway.core.requests.lifecycle import Step, decide
from lianzhi.crypto.sdjwt import Parsed, parse
from lianzhi.errors import RejectedError
from lianzhi.protocol.envelope import is_request_no

OUR_QUEUES = "lianzhi.to."


class Returned:
    def __init__(self, context: Context) -> None:
        self._ctx = context

    def is_ours(self, delivery: Delivery) -> bool:
        """Whether it died in a queue into which only we write."""
        return delivery.dead_from is not None and delivery.dead_from.startswith(OUR_QUEUES)

    def request_no(self, delivery: Delivery) -> str | None:
        """The request that a returned message says it belongs to; `apply` checks that we sent it."""
        parsed = self._parsed(delivery)
        subject = parsed.event.get("subject") if parsed else None
        return subject if isinstance(subject, str) and is_request_no(subject) else None

    def key(self, delivery: Delivery) -> tuple[str, str] | None:
        """(sender, id) that a returned message bears, for the look-up of what we hold."""
        parsed = self._parsed(delivery)
        return _key(parsed) if parsed else None

    def apply(self, talk: Conversation, delivery: Delivery) -> RejectedError | None:
        """An event always; a step of the request where it was the `open`. An error when it is none of ours."""
        parsed = self._parsed(delivery)
        if parsed is None or not self._sent_by_us(talk, delivery, parsed):
            return RejectedError("not-sent")
        if (key := _key(parsed)) is not None:
            talk.changes.outbox_dead.append(key)
        number = self.request_no(delivery)
        request = talk.requests.get(number) if number else None
        if request is None:
            talk.changes.events.append(
                Event(at=talk.now, audience=self._ctx.home.code, kind="dead-lettered", detail=delivery.dead_from)
            )
            return None
        if str(parsed.event.get("type", "")).endswith(".open"):
            decision = decide(request, Step("undeliverable", "gateway", talk.now))
            if decision.state != request.state:
                request.reason = "dead-lettered"
                carry_out(self._ctx, request, decision, talk.changes, talk.now)
                talk.touch(request)
        talk.tell(request, "dead-lettered", detail=delivery.dead_from)
        return None

    def _sent_by_us(self, talk: Conversation, delivery: Delivery, parsed: Parsed) -> bool:
        key = _key(parsed)
        if key is None or key[0] not in self._ctx.directory.local:
            return False
        row = talk.known.get(key)
        return row is not None and (row.digest, row.receiver) == (parsed.digest, delivery.owner)

    def _parsed(self, delivery: Delivery) -> Parsed | None:
        if not self.is_ours(delivery) or delivery.refused is not None:
            return None
        try:
            return parse(delivery.body, self._ctx.limits)
        except RejectedError:
            return None


def _key(parsed: Parsed) -> tuple[str, str] | None:
    source, message_id = parsed.event.get("source"), parsed.event.get("id")
    if not isinstance(source, str) or not isinstance(message_id, str):
        return None
    return source.removeprefix("//"), message_id
