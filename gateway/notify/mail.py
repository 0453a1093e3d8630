"""Pages by mail, through the court's own server. The link is left out: mail is read and forwarded by many.

The server is believed nothing and waited for only so long: its threads are few and serve nothing else, each sending has
one deadline over all of it, and a reply has a bound (`notify.smtp`).
"""

from __future__ import annotations

import asyncio
import smtplib
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

from gateway.application.ports.alerts import Notification
from gateway.notify.smtp import Line, deliver
from lianzhi.errors import ConfigurationError, UndeliveredError

THREADS = 4
"""Sendings at once. Whoever waits for one until his time is over is tried again later; documents, the store and the
API have threads of their own."""


class MailNotifier:
    """host, port: of the mail server. tls: `none` (a server on this machine), `starttls`, or `implicit`. user,
    password: where the server wants them. seconds: for one sending in all, waiting for a thread included.

    Raises ConfigurationError for a password that smtplib cannot say.
    """

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
        if not (password or "").isascii():
            raise ConfigurationError(
                "notify.mail.password_file：口令须为 ASCII 字符。 The password must be ASCII (RFC 4954, smtplib)."
            )
        self._host, self._port, self._sender, self._tls = host, port, sender, tls
        self._user, self._password, self._seconds = user, password, seconds
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="lianzhi-mail")

    async def send(self, notification: Notification, now: datetime) -> None:
        if notification.mail is None:
            raise UndeliveredError("no-address")
        try:
            message = self._message(notification, notification.mail, now)
        except ValueError as error:  # a control character, an address that cannot be parsed
            raise UndeliveredError("bad-address") from error
        line = Line(self._seconds)
        try:
            async with asyncio.timeout(self._seconds):
                await asyncio.get_running_loop().run_in_executor(self._threads, self._deliver, line, message)
        except TimeoutError as error:
            raise UndeliveredError("timeout") from error
        finally:
            line.cut()

    async def close(self) -> None:
        """Nothing is kept open between two mails; what is under way has been cut by whoever waited for it."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _deliver(self, line: Line, message: EmailMessage) -> None:
        """On a thread of ours. Raises UndeliveredError, whatever the server says or leaves unsaid."""
        try:
            deliver(
                *(line, message),
                host=self._host,
                port=self._port,
                tls=self._tls,
                user=self._user,
                password=self._password,
            )
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise UndeliveredError("timeout" if line.over else _code(error)) from error

    def _message(self, notification: Notification, address: str, now: datetime) -> EmailMessage:
        """Raises ValueError for an address that no header takes."""
        if not address.isprintable():
            raise ValueError("a control character")
        message = EmailMessage()
        message["Subject"] = notification.subject
        message["From"] = self._sender
        message["To"] = address
        message["Date"] = format_datetime(now)
        message["Message-ID"] = f"<{notification.page_id}@{parseaddr(self._sender)[1].rpartition('@')[2]}>"
        message["Importance"] = "high"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(notification.text)
        return message


def _code(error: Exception) -> str:
    """Why, in one word; never a word of the server's."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            return "refused-address"
        case smtplib.SMTPResponseException():
            return f"smtp-{error.smtp_code}" if error.smtp_code > 0 else "protocol"
        case smtplib.SMTPNotSupportedError():
            return "not-supported"
        case socket.gaierror():
            return "unknown-host"
        case ssl.SSLError():
            return "tls"
        case TimeoutError():
            return "timeout"
        case smtplib.SMTPException() | OSError():
            return "unreachable"
        case _:
            return "protocol"
