"""Pages by mail, through the court's own server. The link is left out: mail is read and forwarded by many."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

from gateway.errors import UndeliveredError
from gateway.services.ports import Notification


class MailNotifier:
    """host, port: of the mail server. tls: `none` (a server on this machine), `starttls`, or `implicit`. user,
    password: where the server wants them. seconds: before it is given up; the thread then ends by itself."""

    channel = "mail"

    def __init__(
        self,
        host: str,
        port: int,
        sender: str,
        *,
        tls: str = "starttls",
        user: str | None = None,
        password: str | None = None,
        seconds: float = 10.0,
    ) -> None:
        self._host, self._port, self._sender, self._tls = host, port, sender, tls
        self._user, self._password, self._seconds = user, password, seconds

    async def send(self, notification: Notification, now: datetime) -> None:
        if notification.mail is None:
            raise UndeliveredError("no-address")
        message = self._message(notification, notification.mail, now)
        try:
            await asyncio.to_thread(self._deliver, message)
        except smtplib.SMTPResponseException as error:
            raise UndeliveredError(f"smtp-{error.smtp_code}") from error
        except smtplib.SMTPRecipientsRefused as error:
            raise UndeliveredError("refused-address") from error
        except (smtplib.SMTPException, OSError) as error:
            raise UndeliveredError("unreachable") from error

    async def close(self) -> None:
        """Nothing is kept open between two mails."""

    def _message(self, notification: Notification, address: str, now: datetime) -> EmailMessage:
        message = EmailMessage()
        message["Subject"] = notification.subject
        message["From"] = self._sender
        message["To"] = address
        message["Date"] = format_datetime(now)
        message["Message-ID"] = f"<{notification.page_id}@{self._sender.rpartition('@')[2]}>"
        message["Importance"] = "high"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(notification.text)
        return message

    def _deliver(self, message: EmailMessage) -> None:
        trusted = ssl.create_default_context()
        if self._tls == "implicit":
            server: smtplib.SMTP = smtplib.SMTP_SSL(self._host, self._port, timeout=self._seconds, context=trusted)
        else:
            server = smtplib.SMTP(self._host, self._port, timeout=self._seconds)
        with server:
            if self._tls == "starttls":
                server.starttls(context=trusted)
            if self._user is not None:
                server.login(self._user, self._password or "")
            server.send_message(message)
