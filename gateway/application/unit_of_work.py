"""The unit of work: the transaction, the changes to write, the time and the context that its decisions share.

Code that needs the transaction takes the whole unit. Code that runs without one (a submission is prepared before its
unit begins) takes only what it needs: context, changes, time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.application.context import Context
from gateway.application.events import request_events
from gateway.application.ports.store import Transaction
from gateway.core.records import Changes, Held, Message, Request


@dataclass(slots=True, eq=False)
class UnitOfWork:
    """tx: the open transaction; rows are locked in it. changes: what `tx.apply` writes at its end. now: one time for
    everything in it."""

    context: Context
    tx: Transaction
    changes: Changes
    now: datetime

    def tell(
        self,
        request: Request,
        kind: str,
        message: Message | Held | None = None,
        detail: str | None = None,
        *,
        head: Mapping[str, Any] | None = None,
    ) -> None:
        """An event of this request."""
        self.changes.events += request_events(
            self.context, request, kind, self.now, message=message, head=head, detail=detail
        )
