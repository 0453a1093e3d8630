"""One connection to a mail server that cannot keep its thread: it is cut from outside, and reads so much at most.

`smtplib` sets a time for each read, not for the whole: a server that sends one byte every few seconds holds it for
ever. The socket is therefore known outside (`Line.cut`), before it is connected and under whatever TLS there is later.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
import threading
import time
from contextlib import suppress
from email.message import EmailMessage
from typing import BinaryIO, cast

REPLY_BYTES = 64 << 10
"""One reply, over all its lines (RFC 5321 section 4.5.3.1.5: 512 bytes a line)."""


class Line:
    """seconds: for everything, from now. `cut` may be called from any thread, at any time, any number of times."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._held: socket.socket | None = None
        self._cut = False

    def left(self) -> float:
        """Seconds. Raises TimeoutError when there are none, or the line was cut."""
        seconds = self._until - time.monotonic()
        if self._cut or seconds <= 0:
            raise TimeoutError
        return seconds

    @property
    def over(self) -> bool:
        """Whether its time has run out: whatever error that looks like to who reads on it."""
        return time.monotonic() >= self._until

    def connect(self, host: str, port: int) -> socket.socket:
        """To the first address that answers. Raises OSError, UnicodeError (a name that is none)."""
        error: OSError = OSError("no address")
        for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            connection = socket.socket(family, kind, protocol)
            try:
                connection.settimeout(self.left())
                self._hold(connection)
                connection.connect(address)
                return connection
            except OSError as failed:
                connection.close()
                self.left()
                error = failed
        raise error

    def cut(self) -> None:
        """Whoever reads, writes, connects or shakes hands on it stops at once."""
        with self._lock:
            self._cut = True
            held, self._held = self._held, None
        if held is not None:
            with suppress(OSError):
                held.shutdown(socket.SHUT_RDWR)
            held.close()

    def _hold(self, connection: socket.socket) -> None:
        """A descriptor of our own: TLS takes the other one over, and closing this one closes nothing."""
        with self._lock:
            before, self._held = self._held, None
            if not self._cut:
                self._held = connection.dup()
        if before is not None:
            before.close()
        self.left()


class Smtp(smtplib.SMTP):
    """tls: wrapped at once (`implicit`), or None."""

    def __init__(self, line: Line, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        self._line, self._tls = line, tls
        super().__init__(host, port, timeout=line.left())

    def getreply(self) -> tuple[int, bytes]:
        """Raises SMTPServerDisconnected for a reply without end."""
        self._line.left()
        if self.file is None:
            self.file = _Bounded(cast("BinaryIO", self.sock.makefile("rb"))) if self.sock is not None else None
        if isinstance(self.file, _Bounded):
            self.file.left = REPLY_BYTES
        return super().getreply()

    def _get_socket(self, host: str, port: int, _timeout: float) -> socket.socket:
        """In place of smtplib's, which is what SMTP_SSL replaces too."""
        plain = self._line.connect(host, port)
        return plain if self._tls is None else self._tls.wrap_socket(plain, server_hostname=host)


class _Bounded:
    """A file of replies, read by the line."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.left = REPLY_BYTES

    def readline(self, limit: int = -1) -> bytes:
        line = self._file.readline(min(limit, self.left) if limit >= 0 else self.left)
        self.left -= len(line)
        if self.left <= 0:
            raise OSError("a reply without end")
        return line

    def close(self) -> None:
        self._file.close()


def deliver(
    line: Line, message: EmailMessage, *, host: str, port: int, tls: str, user: str | None, password: str | None
) -> None:
    """Hands one mail over, on the calling thread. tls: `none`, `starttls`, `implicit`.

    Raises smtplib.SMTPException, OSError, and ValueError for what the server says and nobody can read.
    """
    trusted = None if tls == "none" else ssl.create_default_context()
    try:
        server = Smtp(line, host, port, trusted if tls == "implicit" else None)
        try:
            if tls == "starttls":
                server.starttls(context=trusted)
            if user is not None:
                server.login(user, password or "")
            server.send_message(message)
            with suppress(OSError, smtplib.SMTPException):  # it has taken the mail, whatever it says to that
                server.putcmd("QUIT")
        finally:
            server.close()
    finally:
        line.cut()
