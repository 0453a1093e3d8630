"""The broker's management HTTP API: virtual hosts, users and permissions, which AMQP itself cannot set."""

from __future__ import annotations

import json
import ssl
from pathlib import Path
from types import TracebackType
from typing import Any, Literal
from urllib.parse import quote

import aiohttp
from yarl import URL

from lianzhi.errors import BrokerUnavailableError, ConfigurationError


class ManagementError(BrokerUnavailableError):
    """The management API cannot be reached, refuses us, or refuses the request. status: of HTTP; None: no answer."""

    def __init__(self, text: str, status: int | None = None) -> None:
        super().__init__(text)
        self.status = status


class Management:
    """`async with Management(url, user, password) as api: await api.put("vhosts", "lianzhi")`.

    Paths are given as parts, each quoted here. ca_file: who issued an https server's certificate, in PEM. Every method
    raises ManagementError.
    """

    def __init__(
        self, url: str, user: str, password: str, *, timeout: float = 15.0, ca_file: Path | None = None
    ) -> None:
        self.url = url.rstrip("/")
        self._headers = {"Authorization": aiohttp.encode_basic_auth(user, password)}
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._ssl = trusting(ca_file)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Management:
        self._session = aiohttp.ClientSession(headers=self._headers, timeout=self._timeout)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def get(self, *path: str) -> Any:
        """The JSON there; None where there is nothing."""
        return await self._call("GET", path, None)

    async def put(self, *path: str, body: dict[str, Any] | None = None) -> None:
        await self._call("PUT", path, body or {})

    async def delete(self, *path: str) -> None:
        """Gone afterwards, whether it was there or not."""
        await self._call("DELETE", path, None)

    async def _call(self, method: str, path: tuple[str, ...], body: dict[str, Any] | None) -> Any:
        assert self._session is not None
        url = "/".join((self.url, "api", *(quote(part, safe="") for part in path)))
        try:
            async with self._session.request(method, URL(url, encoded=True), json=body, ssl=self._ssl) as answer:
                if answer.status == 404 and method != "PUT":
                    return None
                if answer.status >= 400:
                    text = f"{method} {url}: {answer.status} {(await answer.text())[:300]}"
                    raise ManagementError(text, answer.status)
                return _json(url, await answer.read(), answer.status) if method == "GET" else None
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ManagementError(f"{method} {url}: {type(error).__name__} {error}") from error


def trusting(ca_file: Path | None) -> ssl.SSLContext | Literal[True]:
    """Who is believed to have issued a server's certificate; without a file, whom this machine believes. Raises
    ConfigurationError."""
    if ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"{ca_file}：[broker] ca_file：读不到，或不是 PEM 证书。 It cannot be read, or holds no certificate in PEM."
        ) from error


def _json(url: str, body: bytes, status: int) -> Any:
    try:
        return json.loads(body)
    except ValueError as error:  # some other program's page
        raise ManagementError(f"GET {url}: {status}, not JSON", status) from error
