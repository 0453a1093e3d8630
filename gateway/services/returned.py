"""Messages of ours that the broker gave up on (dead-lettered from a partner's queue): never silent.

The request becomes `undeliverable`, an incident that someone sees; it is not terminal (docs/domain.md section 3).
"""

from __future__ import annotations

from gateway.core.lifecycle import Step, decide
from gateway.core.records import Event
from gateway.crypto.sdjwt import Parsed, parse
from gateway.errors import RejectedError
from gateway.services.carry import carry_out
from gateway.services.context import Context
from gateway.services.conversation import Conversation
from gateway.services.ports import Delivery
from schemas.envelope import is_request_no

OUR_QUEUES = "lianzhi.to."


class Returned:
    def __init__(self, context: Context) -> None:
        self._ctx = context

    def is_ours(self, delivery: Delivery) -> bool:
        return delivery.dead_from is not None and delivery.dead_from.startswith(OUR_QUEUES)

    def request_no(self, delivery: Delivery) -> str | None:
        """The request that a returned message belongs to."""
        parsed = self._parsed(delivery) if self.is_ours(delivery) else None
        subject = parsed.event.get("subject") if parsed else None
        return subject if isinstance(subject, str) and is_request_no(subject) else None

    def apply(self, talk: Conversation, delivery: Delivery) -> None:
        """An event always; a step of the request where it was the `open`."""
        parsed = self._parsed(delivery)
        number = self.request_no(delivery)
        request = talk.requests.get(number) if number else None
        if request is not None and parsed is not None:
            if str(parsed.event.get("type", "")).endswith(".open"):
                decision = decide(request, Step("undeliverable", "gateway", talk.now))
                if decision.state != request.state:
                    request.reason = "dead-lettered"
                    carry_out(self._ctx, request, decision, talk.changes, talk.now)
                    talk.touch(request)
            talk.tell(request, "dead-lettered", detail=delivery.dead_from)
            return
        talk.changes.events.append(
            Event(at=talk.now, audience=self._ctx.home.code, kind="dead-lettered", detail=delivery.dead_from)
        )

    def _parsed(self, delivery: Delivery) -> Parsed | None:
        try:
            return parse(delivery.body, self._ctx.limits)
        except RejectedError:
            return None
