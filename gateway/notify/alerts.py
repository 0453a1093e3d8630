"""Alarms to their recipients: by the court's mail server, or by a signed POST to whoever watches.

`webhook-id` and `Message-ID` are the alarm's number with its state: the same at each attempt, so that a receiver that
answered too late drops what it has had.
"""

from __future__ import annotations

from datetime import datetime

from gateway.application.ports.alerts import Notification
from gateway.core.alarms.tellings import SCHEMA, Note
from gateway.notify.mail import MailNotifier
from gateway.notify.webhook import SignedPost


class MailAlerts:
    """mail: the court's server. to: one address."""

    def __init__(self, mail: MailNotifier, to: str) -> None:
        self._mail, self._to = mail, to

    async def tell(self, note: Note, now: datetime) -> None:
        await self._mail.send(
            Notification(
                page_id=note.note_id,
                alert="",
                level=note.severity,
                to="",
                mail=self._to,
                matter="",
                urgency="urgent" if note.severity == "critical" else "normal",
                raised_at=now,
                subject=note.subject,
                text=note.text,
                link="",
            ),
            now,
        )

    async def close(self) -> None:
        await self._mail.close()


class WebhookAlerts:
    """url, secret: of the receiver. where: the member of the configuration that names the secret."""

    def __init__(self, url: str, secret: str, where: str, *, seconds: float = 10.0) -> None:
        self._post = SignedPost(url, secret, where, seconds=seconds, fresh=True)

    async def tell(self, note: Note, now: datetime) -> None:
        content = {
            "type": SCHEMA,
            "timestamp": now.isoformat(timespec="milliseconds"),
            "data": {**note.data, "text": note.text},
        }
        await self._post.send(note.note_id, content, now)

    async def close(self) -> None:
        await self._post.close()
