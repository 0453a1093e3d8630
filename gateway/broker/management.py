"""The broker's management HTTP API: virtual hosts, users and permissions, which AMQP itself cannot set."""

from __future__ import annotations

from types import TracebackType
from typing import Any
from urllib.parse import quote

import aiohttp
from yarl import URL

from lianzhi.errors import BrokerUnavailableError


class ManagementError(BrokerUnavailableError):
    """The management API cannot be reached, refuses us, or refuses the request."""


class Management:
    """`async with Management(url, user, password) as api: await api.put("vhosts", "lianzhi")`.

    Paths are given as parts, each quoted here. Every method raises ManagementError.
    """

    def __init__(self, url: str, user: str, password: str, *, timeout: float = 15.0) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": aiohttp.encode_basic_auth(user, password)}
        self._timeout = aiohttp.ClientTimeout(total=timeout)
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
        url = "/".join((self._url, "api", *(quote(part, safe="") for part in path)))
        try:
            async with self._session.request(method, URL(url, encoded=True), json=body) as answer:
                if answer.status == 404 and method != "PUT":
                    return None
                if answer.status >= 400:
                    raise ManagementError(f"{method} {url}: {answer.status} {(await answer.text())[:300]}")
                return await answer.json(content_type=None) if method == "GET" else None
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ManagementError(f"{method} {url}: {type(error).__name__} {error}") from error
