"""The two ways out to people, against a real platform and a real mail server on the loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default

import pytest

from gateway.application.ports.alerts import Notification
from gateway.notify import MailNotifier, WebhookNotifier
from lianzhi.errors import ConfigurationError, UndeliveredError
from tests.platform import SECRET, platform

NOW = datetime(2026, 3, 24, 14, 58, tzinfo=UTC)
PAGE = Notification(
    page_id="01a20d3f-e489-7281-a684-aabc95082151",
    alert="police-610199-20260324-000001",
    level="B",
    to="sn0199-0011",
    mail="b@court.example",
    matter="police.vehicle-hit.alert",
    urgency="urgent",
    raised_at=NOW,
    subject="【联执】车辆命中 police-610199-20260324-000001",
    text="车辆命中，紧急。\nA controlled vehicle was seen.",
    link="/v1/pages/01a20d3f/acknowledge/x",
)


@dataclass
class MailServer:
    """As much of RFC 5321 as a client needs. refuse: verb → what is answered to it instead of 250."""

    port: int = 0
    refuse: dict[bytes, bytes] = field(default_factory=dict)
    mails: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say(line: bytes) -> None:
            writer.write(line + b"\r\n")
            await writer.drain()

        await say(b"220 mail.court.example")
        while line := (await reader.readline()).strip():
            word = line.split()[0].upper()
            if word in self.refuse:
                await say(self.refuse[word])
            elif word == b"DATA":
                await say(b"354 go on")
                self.mails.append((await reader.readuntil(b"\r\n.\r\n"))[:-5])
                await say(b"250 taken")
            elif word == b"QUIT":
                await say(b"221 bye")
                break
            else:
                await say(b"250 well")
        writer.close()


@asynccontextmanager
async def mail_server(**refuse: bytes) -> AsyncIterator[MailServer]:
    server = MailServer(refuse={verb.encode(): answer for verb, answer in refuse.items()})
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield server


def mail(port: int) -> MailNotifier:
    return MailNotifier("127.0.0.1", port, "lianzhi@court.example", tls="none", seconds=5)


async def test_a_mail_has_its_text_and_no_link() -> None:
    async with mail_server() as server:
        await mail(server.port).send(PAGE, NOW)
    (raw,) = server.mails
    message = message_from_bytes(raw, policy=default)
    assert (message["Subject"], message["To"]) == (PAGE.subject, "b@court.example")
    assert message["Message-ID"] == f"<{PAGE.page_id}@court.example>"
    assert message.get_content().split("\r\n") == PAGE.text.splitlines()
    assert b"token" not in raw


@pytest.mark.parametrize(
    ("refuse", "code"),
    [
        ({"RCPT": b"550 nobody"}, "refused-address"),
        ({"DATA": b"554 no"}, "smtp-554"),
        ({"MAIL": b"451 later"}, "smtp-451"),
    ],
)
async def test_a_mail_that_is_refused(refuse: dict[str, bytes], code: str) -> None:
    async with mail_server(**refuse) as server:
        with pytest.raises(UndeliveredError) as caught:
            await mail(server.port).send(PAGE, NOW)
    assert (caught.value.code, server.mails) == (code, [])


async def test_a_mail_server_that_is_away_and_a_person_without_an_address() -> None:
    async with mail_server() as server:
        port = server.port
    with pytest.raises(UndeliveredError, match="unreachable"):
        await mail(port).send(PAGE, NOW)
    with pytest.raises(UndeliveredError, match="no-address"):
        await mail(port).send(replace(PAGE, mail=None), NOW)


async def test_a_webhook_is_signed_and_keeps_its_number_when_it_is_sent_again() -> None:
    async with platform() as receiver:
        notifier = WebhookNotifier(receiver.url, SECRET)
        await notifier.send(PAGE, NOW)
        await notifier.send(PAGE, NOW)
        await notifier.close()
    assert [data["page_id"] for data in receiver.got] == [PAGE.page_id] * 2
    assert receiver.got[0]["acknowledge_url"] == PAGE.link
    assert "b@court.example" not in receiver.raw[0]


@pytest.mark.parametrize("status", [302, 400, 503])
async def test_a_webhook_that_is_not_taken(status: int) -> None:
    async with platform() as receiver:
        receiver.answers = [status]
        notifier = WebhookNotifier(receiver.url, SECRET)
        with pytest.raises(UndeliveredError, match=f"status-{status}"):
            await notifier.send(PAGE, NOW)
        await notifier.close()


async def test_a_platform_that_is_away() -> None:
    async with platform() as receiver:
        url = receiver.url
    notifier = WebhookNotifier(url, SECRET)
    with pytest.raises(UndeliveredError, match="unreachable"):
        await notifier.send(PAGE, NOW)
    await notifier.close()


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_%%%"])
def test_a_secret_that_is_none(secret: str) -> None:
    with pytest.raises(ConfigurationError, match="secret_file"):
        WebhookNotifier("http://127.0.0.1/", secret)
