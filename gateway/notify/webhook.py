"""Pages to the court's SMS and voice platform: a signed POST (standardwebhooks.com 1.0), one for each page.

The platform knows telephones by staff number. `webhook-id` is the page's number and stays the same when it is sent
again, so the platform can drop what it has had. Any 2xx means that it has taken the page over; of its answer only the
status is read, the rest is not waited for.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import UTC, datetime

import aiohttp
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from gateway.application.ports.alerts import Notification
from lianzhi.errors import ConfigurationError, UndeliveredError

SECRET_BYTES = 24
"""Of a secret at least (standardwebhooks.com 1.0: 24 to 64)."""
READ_BYTES = 4096
"""Of an answer's body at most twice so much is taken from the wire before the connection is closed; its head has
aiohttp's bounds (128 lines of 8,190 bytes)."""


class SignedPost:
    """Signed POSTs to one address. url, secret (`whsec_…`): of whoever takes them. where: the member of the
    configuration that names the secret. seconds: for one sending in all. fresh: a connection for each, so that whatever
    a receiver says too much is never taken for its next answer. Raises ConfigurationError for a secret that is none."""

    def __init__(self, url: str, secret: str, where: str, *, seconds: float, fresh: bool = False) -> None:
        self._url, self._seconds, self._fresh = url, seconds, fresh
        try:
            self._signer = Webhook(secret)
            weak = len(base64.b64decode(secret.removeprefix("whsec_"))) < SECRET_BYTES
        except (EmptyWebhookSecretError, binascii.Error) as error:
            raise ConfigurationError(
                f"{where}：须为 whsec_ 开头的 base64。 Must be base64 that begins with whsec_."
            ) from error
        if weak:
            raise ConfigurationError(
                f"{where}：密钥不足 {SECRET_BYTES} 字节，易被猜出，请取 24 至 64 字节的随机数。"
                f" The secret has fewer than {SECRET_BYTES} bytes and could be guessed: take 24 to 64 random ones."
                " openssl rand -base64 32"
            )
        self._session: aiohttp.ClientSession | None = None

    async def send(self, number: str, content: Mapping[str, object], now: datetime) -> None:
        """number: the same when the same is sent again. Raises UndeliveredError."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(force_close=self._fresh),
                timeout=aiohttp.ClientTimeout(total=self._seconds),
                cookie_jar=aiohttp.DummyCookieJar(),  # nothing that the platform says is kept
                read_bufsize=READ_BYTES,
                auto_decompress=False,
            )
        body = json.dumps(content, ensure_ascii=False)
        moment = now.astimezone(UTC)
        headers = {
            "content-type": "application/json",
            "webhook-id": number,
            "webhook-timestamp": str(int(moment.timestamp())),
            "webhook-signature": self._signer.sign(number, moment, body),
        }
        try:
            async with self._session.post(
                self._url, data=body.encode(), headers=headers, allow_redirects=False
            ) as answer:
                status = answer.status
        except TimeoutError as error:
            raise UndeliveredError("timeout") from error
        except (aiohttp.InvalidURL, UnicodeError) as error:
            raise UndeliveredError("bad-url") from error
        except aiohttp.ClientSSLError as error:
            raise UndeliveredError("tls") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise UndeliveredError("unreachable") from error
        if not 200 <= status < 300:
            raise UndeliveredError(f"status-{status}")

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


class WebhookNotifier:
    """url: of the platform. secret: `whsec_…`, shared with it. public_url: where the platform reaches this gateway's
    API; "" leaves it to the platform to know. seconds: for one sending in all. Raises ConfigurationError for a secret
    that is none."""

    channel = "webhook"

    def __init__(self, url: str, secret: str, public_url: str = "", *, seconds: float = 10.0) -> None:
        self._public_url = public_url.rstrip("/")
        self._post = SignedPost(url, secret, "notify.webhook.secret_file", seconds=seconds)

    async def send(self, notification: Notification, now: datetime) -> None:
        await self._post.send(notification.page_id, self._body(notification, now), now)

    async def close(self) -> None:
        await self._post.close()

    def _body(self, notification: Notification, now: datetime) -> dict[str, object]:
        return {
            "type": "lianzhi.page",
            "timestamp": _moment(now),
            "data": {
                "page_id": notification.page_id,
                "alert": notification.alert,
                "level": notification.level,
                "to": notification.to,
                "matter": notification.matter,
                "urgency": notification.urgency,
                "raised_at": _moment(notification.raised_at),
                "text": notification.text,
                "acknowledge_url": f"{self._public_url}{notification.link}",
            },
        }


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
