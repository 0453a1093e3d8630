"""A mail server or a platform may say anything, slowly, for ever, or nothing: that page has failed, no thread and no
memory stays with it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tomlkit

from gateway.notify import MailNotifier, WebhookNotifier
from gateway.notify.mail import THREADS
from gateway.notify.smtp import REPLY_BYTES, Line
from gateway.registry.config import Config, load_config
from gateway.registry.installation import Installation
from lianzhi.errors import ConfigurationError, UndeliveredError
from tests.eventually import eventually
from tests.platform import SECRET
from tests.unit.test_notify import NOW, PAGE
from tests.walls.mail_server import mail_server

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(serve: Serve) -> AsyncIterator[int]:
    async def quietly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await serve(reader, writer)
        writer.close()

    server = await asyncio.start_server(quietly, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


def mail(port: int, *, seconds: float = 5, **more: str) -> MailNotifier:
    return MailNotifier("127.0.0.1", port, "lianzhi@court.example", seconds=seconds, **{"tls": "none", **more})


async def code_of(sending: Awaitable[None]) -> str:
    with pytest.raises(UndeliveredError) as caught:
        await sending
    return caught.value.code


def mail_threads() -> int:
    return sum(t.name.startswith("lianzhi-mail") for t in threading.enumerate())


@pytest.mark.parametrize("tls", ["none", "starttls", "implicit"])
async def test_a_server_that_drips_is_left_at_the_deadline(tls: str) -> None:
    """Its connection is closed, so its thread has ended: also in the middle of a handshake."""
    async with mail_server("drip") as server:
        notifier = mail(server.port, seconds=0.3, tls=tls)
        assert await code_of(notifier.send(PAGE, NOW)) in ("timeout", "tls")
        await eventually(lambda: server.open == 0)
        await notifier.close()


async def test_a_server_that_is_silent_in_the_handshake() -> None:
    async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with listening(silent) as port:
        notifier = mail(port, seconds=0.3, tls="implicit")
        assert await code_of(notifier.send(PAGE, NOW)) == "timeout"
        await notifier.close()


async def test_more_mails_than_threads_wait_for_no_other_thread() -> None:
    """The shared threads are free, and so are ours when the time is over."""
    others = mail_threads()  # of a notifier that another test left to the collector
    async with mail_server("drip") as server:
        notifier = mail(server.port, seconds=2)
        sendings = [asyncio.create_task(notifier.send(PAGE, NOW)) for _ in range(4 * THREADS)]
        await eventually(lambda: server.seen == THREADS)
        assert await asyncio.to_thread(lambda: 1) == 1
        assert server.open == THREADS and not any(task.done() for task in sendings)
        codes = [await code_of(task) for task in sendings]
        assert set(codes) == {"timeout"}
        await eventually(lambda: server.open == 0)
        await notifier.close()
        await eventually(lambda: mail_threads() <= others)


async def test_a_reply_without_end_is_cut_at_its_bound() -> None:
    async with mail_server("endless") as server:
        notifier = mail(server.port)
        assert await code_of(notifier.send(PAGE, NOW)) == "unreachable"
        await eventually(lambda: server.open == 0)
        assert server.said < REPLY_BYTES + (8 << 20), "what the system's buffers hold, no more"
        await notifier.close()


async def test_a_challenge_that_cannot_be_decoded() -> None:
    async with mail_server("challenge") as server:
        notifier = mail(server.port, user="lianzhi", password="secret")
        assert await code_of(notifier.send(PAGE, NOW)) == "protocol"
        await notifier.close()


async def test_what_a_server_says_to_quit_changes_nothing() -> None:
    async with mail_server("take") as server:
        notifier = mail(server.port)
        await notifier.send(PAGE, NOW)
        assert len(server.mails) == 1
        await notifier.close()


@pytest.mark.parametrize(
    ("banner", "code"),
    [
        (b"", "unreachable"),
        (b"\xff\xfe\x00\r\n", "protocol"),
        (b"999 \xe4\xbd\xa0\xe5\xa5\xbd\r\n", "smtp-999"),
        (b"-1 x\r\n", "protocol"),
        (b"220" + b"x" * 9000 + b"\r\n", "smtp-500"),
        (b"554 no service\r\n", "smtp-554"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "protocol"),
    ],
)
async def test_a_banner_that_is_none(banner: bytes, code: str) -> None:
    async def say(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(banner)
        await writer.drain()

    async with listening(say) as port:
        notifier = mail(port)
        assert await code_of(notifier.send(PAGE, NOW)) == code
        await notifier.close()


@pytest.mark.parametrize(
    ("host", "code"),
    [("mail..court.example", "protocol"), ("a" * 64 + ".example", "protocol"), ("name.invalid", "unknown-host")],
)
async def test_a_host_that_cannot_be(host: str, code: str) -> None:
    """It never comes so far with a checked configuration; if it does, it is this page's failure."""
    notifier = MailNotifier(host, 25, "lianzhi@court.example", tls="none", seconds=20)
    assert await code_of(notifier.send(PAGE, NOW)) == code
    await notifier.close()


@pytest.mark.parametrize("address", ["a@b.example\r\nRCPT TO:<c@d.example>", "a@b.example\x00", "\ud800@b.example"])
async def test_an_address_with_a_line_break_reaches_no_server(address: str) -> None:
    async with mail_server("take") as server:
        notifier = mail(server.port)
        await code_of(notifier.send(replace(PAGE, mail=address), NOW))
        assert server.mails == []
        await notifier.close()


def test_a_line_that_was_cut_connects_no_more() -> None:
    line = Line(10)
    line.cut()
    line.cut()
    with pytest.raises(TimeoutError):
        line.connect("127.0.0.1", 9)


def test_a_password_that_cannot_be_said() -> None:
    with pytest.raises(ConfigurationError, match=r"password_file.*ASCII"):
        mail(25, user="lianzhi", password="密码")


# --- the platform


async def test_an_answer_of_a_gigabyte_is_not_read() -> None:
    sent = 0

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n")
        for _ in range(1 << 14):
            writer.write(bytes(1 << 16))
            await writer.drain()
            sent += 1 << 16

    async with listening(pour) as port:
        notifier = WebhookNotifier(f"http://127.0.0.1:{port}/", SECRET)
        await notifier.send(PAGE, NOW)
        assert sent < 16 << 20, "what the system's buffers hold, no more"
        await notifier.close()


@pytest.mark.parametrize("answer", [b"HTTP/1.1 200 OK\r\nx: ", b"HTTP/1.1 "], ids=["header", "status"])
async def test_a_platform_that_drips_is_left_at_the_deadline(answer: bytes) -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        while not reader.at_eof():
            writer.write(b"2")
            await writer.drain()
            await asyncio.sleep(0.05)

    async with listening(drip) as port:
        notifier = WebhookNotifier(f"http://127.0.0.1:{port}/", SECRET, seconds=0.5)
        assert await code_of(notifier.send(PAGE, NOW)) in ("timeout", "unreachable")
        await notifier.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 10_000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 100_000 + b"\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"",
    ],
    ids=["lines", "line", "other", "nothing"],
)
async def test_an_answer_that_is_none(answer: bytes) -> None:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    async with listening(say) as port:
        notifier = WebhookNotifier(f"http://127.0.0.1:{port}/", SECRET)
        assert await code_of(notifier.send(PAGE, NOW)) == "unreachable"
        await notifier.close()


@pytest.mark.parametrize("url", ["http://sms..court.example/", "http://" + "a" * 64 + ".example/", "nonsense"])
async def test_a_url_that_cannot_be(url: str) -> None:
    notifier = WebhookNotifier(url, SECRET)
    assert await code_of(notifier.send(PAGE, NOW)) in ("bad-url", "unreachable")
    await notifier.close()


# --- the configuration


def configured(folder: Path, notify: dict[str, object]) -> Config:
    if not (folder / "lianzhi.toml").exists():
        Installation(folder).create()
    document = tomlkit.parse((folder / "lianzhi.toml").read_text(encoding="utf-8"))
    document["notify"] = notify
    (folder / "lianzhi.toml").write_text(tomlkit.dumps(document), encoding="utf-8")
    return load_config(folder)


@pytest.mark.parametrize(
    "host", ["mail.court.example", "127.0.0.1", "::1", "邮件.court.example", "localhost", "mail_1.court.example."]
)
@pytest.mark.parametrize("sender", ["lianzhi@court.example", "联执 <lianzhi@court.example>"])
def test_a_mail_server_that_can_be(tmp_path: Path, host: str, sender: str) -> None:
    mail = configured(tmp_path, {"mail": {"host": host, "sender": sender}}).notify.mail
    assert mail is not None and (mail.host, mail.sender) == (host, sender)


@pytest.mark.parametrize(
    "host",
    ["mail..court.example", "", "a b", "-a.example", "a" * 64 + ".x", "x." * 130, "h:25", "http://x", "a\nb", "."],
)
def test_a_host_that_is_none(tmp_path: Path, host: str) -> None:
    with pytest.raises(ConfigurationError, match=r"notify\.mail\.host: 须为主机名.* must be a host name"):
        configured(tmp_path, {"mail": {"host": host, "sender": "lianzhi@court.example"}})


@pytest.mark.parametrize(
    "sender",
    ["lianzhi@court..example", "a@b.example\nBcc: x@y.example", "x", "张三@court.example", "@b.example", "a b@c"],
)
def test_a_sender_that_is_none(tmp_path: Path, sender: str) -> None:
    with pytest.raises(ConfigurationError, match=r"notify\.mail\.sender: 须为"):
        configured(tmp_path, {"mail": {"host": "127.0.0.1", "sender": sender}})


@pytest.mark.parametrize(
    "url",
    ["https://sms..court.example", "ftp://x", "//x", "https://", "http://x:99999/", "http://x/a b", "http://x/\n", "x"],
)
def test_a_url_that_is_none(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"notify\.webhook\.url: 须为"):
        configured(tmp_path, {"webhook": {"url": url, "secret_file": "platform.secret"}})
    with pytest.raises(ConfigurationError, match=r"notify\.public_url: 须为"):
        configured(tmp_path, {"public_url": url})


def test_a_platform_that_can_be(tmp_path: Path) -> None:
    for url in ("https://sms.court.example/pages", "http://[::1]:80/", "https://短信.court.example:8443/x?y=1"):
        told: dict[str, Any] = {"webhook": {"url": url, "secret_file": "platform.secret"}, "public_url": ""}
        webhook = configured(tmp_path, told).notify.webhook
        assert webhook is not None and webhook.url == url
