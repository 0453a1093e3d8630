"""One HTTP exchange with the gateway: its answer read within limits, and whether and when it is tried again.

A fault of the network is a `LineError`, an answer a `Reply`. Its body is JSON within limits, because anybody may have
written it; compressed answers are not asked for and not taken: a few kilobytes of them unfold into gigabytes.
`until_answered` repeats an exchange with growing pauses.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from itertools import count
from ssl import SSLContext
from typing import Any, NoReturn

import aiohttp

from lianzhi.client.bounds import DEFAULT_BOUNDS, ClientBounds
from lianzhi.client.problems import ProblemError, UnavailableError, UnexpectedAnswerError, problem_from
from lianzhi.crypto.strictjson import bound_depth, decode
from lianzhi.errors import LianzhiError, MisuseError, RejectedError
from lianzhi.printable import printable

log = logging.getLogger("lianzhi.client")

JSON = "application/json"
PROBLEM = "application/problem+json"
LONGEST_RETRY_AFTER = 300.0
# Answers that promise another one later; 5xx are all of that kind, because the outcome is unknown.
_LATER = frozenset({408, 425, 429})
INCARNATION = "Lianzhi-Incarnation"
_INCARNATION = re.compile(r"[0-9a-f-]{36}")
PLAIN = "identity"
_CHUNK = 1 << 16
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class LineError(LianzhiError):
    """The line failed, or the time ran out: whether the gateway acted is unknown."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses in seconds: `first`, doubled each time up to `most`, less up to half by chance."""

    first: float = 0.2
    most: float = 30.0

    def pause(self, attempt: int, wanted: float | None = None) -> float:
        """attempt: 0, 1, …; wanted: the gateway's `Retry-After`, in seconds."""
        longest = min(self.most, self.first * 2.0 ** min(attempt, 30))
        pause = longest * random.uniform(0.5, 1.0)  # noqa: S311 (no secret)
        return pause if wanted is None else max(pause, min(wanted, LONGEST_RETRY_AFTER))


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    content_type: str
    body: bytes
    retry_after: float | None
    depth: int = DEFAULT_BOUNDS.json_depth

    @property
    def later(self) -> bool:
        """Whether to try again: no answer yet."""
        return self.status >= 500 or self.status in _LATER

    def problem(self) -> ProblemError | None:
        """What the gateway refuses; None when this is not its refusal: it also names the status that it came with."""
        if not 400 <= self.status < 600 or self.content_type != PROBLEM:
            return None
        try:
            problem = problem_from(json_of(self.body, self.depth))
        except ValueError:
            return None
        return problem if problem is not None and problem.status == self.status else None

    def document(self) -> Any:
        """The JSON of a positive answer. Raises ProblemError, UnexpectedAnswerError."""
        if problem := self.problem():
            raise problem
        if not 200 <= self.status < 300 or self.content_type != JSON:
            raise self.unexpected()
        try:
            return json_of(self.body, self.depth)
        except ValueError:
            raise self.unexpected() from None

    def unexpected(self) -> UnexpectedAnswerError:
        what = f"{self.status} {printable(self.content_type, 80)}"
        return UnexpectedAnswerError(
            f"回答不是网关给出的（{what}）：请检查地址与代理。 "
            f"Not an answer of the gateway ({what}): check the address and any proxy."
        )


class Wire:
    """timeout: seconds for one exchange, beside what a call asks for itself. incarnation: of the gateway's store, as
    the last answer said."""

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        timeout: float,
        ssl_context: SSLContext | None,
        bounds: ClientBounds = DEFAULT_BOUNDS,
    ) -> None:
        self.bounds = bounds
        self._base = base_url.rstrip("/")
        self._token = token
        self._timeout = timeout
        self._ssl = ssl_context
        self._session: aiohttp.ClientSession | None = None
        self.incarnation: str | None = None

    async def open(self) -> None:
        connector = aiohttp.TCPConnector(ssl=self._ssl if self._ssl is not None else True, limit=0)
        self._session = aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
        )

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        wait: float = 0.0,
    ) -> Any:
        """aiohttp's context manager of one exchange; `exchange` is what most callers want."""
        if self._session is None:
            raise MisuseError("use `async with` the client")
        return self._session.request(
            method,
            self._base + path,
            params=params,
            headers={"Authorization": f"Bearer {self._token}", "Accept-Encoding": PLAIN, **(headers or {})},
            data=body,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=self._timeout + wait, sock_connect=min(10.0, self._timeout)),
        )

    async def exchange(self, method: str, path: str, **how: Any) -> Reply:
        """One attempt. Raises LineError, UnexpectedAnswerError (too large)."""
        try:
            async with self.request(method, path, **how) as answer:
                return await self.reply_of(answer)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise line_error(method, path, error) from error

    async def reply_of(self, answer: aiohttp.ClientResponse) -> Reply:
        """The whole answer, read. Raises aiohttp's errors, UnexpectedAnswerError."""
        body = await read_bounded(answer, self.bounds.answer_bytes)
        again = _seconds(answer.headers.get("Retry-After"))
        said = answer.headers.get(INCARNATION, "")
        if _INCARNATION.fullmatch(said):
            self.incarnation = said
        return Reply(answer.status, answer.content_type, body, again, self.bounds.json_depth)


def line_error(method: str, path: str, error: BaseException) -> LineError:
    return LineError(f"{method} {path}: {type(error).__name__} {printable(error)}")


def _seconds(text: str | None) -> float | None:
    return float(text[:9]) if text is not None and text.isascii() and text.isdigit() else None


# the body of an answer


async def read_bounded(answer: aiohttp.ClientResponse, most: int) -> bytes:
    """The whole body. Raises UnexpectedAnswerError when it is larger or compressed, and aiohttp's errors."""
    check_plain(answer)
    parts, size = [], 0
    async for chunk in answer.content.iter_chunked(_CHUNK):
        size += len(chunk)
        if size > most:
            answer.close()
            raise UnexpectedAnswerError(
                f"回答超过 {most} 字节（上限 answer_bytes），未读完。"
                f" The answer is larger than {most} bytes (answer_bytes); the rest was not read."
            )
        parts.append(chunk)
    return b"".join(parts)


def check_plain(answer: aiohttp.ClientResponse) -> None:
    """Raises UnexpectedAnswerError."""
    if answer.headers.get("Content-Encoding", PLAIN).lower() != PLAIN:
        raise UnexpectedAnswerError("回答是压缩的，并未要求 the answer is compressed, which was not asked for")


def json_of(body: bytes, depth: int) -> Any:
    """UTF-8 without a byte order mark, so deep at most, no NaN, no half of a surrogate pair. Raises ValueError."""
    try:
        text = decode(body)
        bound_depth(text, depth)
    except RejectedError as error:
        raise ValueError(error.code) from None
    value = json.loads(text, parse_constant=_no_number)
    if _SURROGATE.search(text):
        json.dumps(value, ensure_ascii=False).encode()  # UnicodeEncodeError is a ValueError
    return value


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


# until there is one


async def until_answered(
    attempt: Callable[[], Awaitable[Reply]], backoff: Backoff, *, name: str, patience: float | None = None
) -> Reply:
    """The first reply that is an answer, of whatever status. name: for the log, without personal data.

    patience: seconds after which no further attempt is made; None: for ever. Raises UnavailableError.
    """
    loop = asyncio.get_running_loop()
    end = None if patience is None else loop.time() + patience
    for number in count():
        wanted = None
        try:
            reply = await attempt()
            if not reply.later:
                return reply
            wanted, why = reply.retry_after, f"HTTP {reply.status}"
        except LineError as error:
            why = type(error.__cause__).__name__
        pause = backoff.pause(number, wanted)
        if end is not None and loop.time() + pause > end:
            raise UnavailableError(f"{name}：网关没有回答（{why}）。 No answer of the gateway ({why}).")
        log.warning("%s: no answer (%s), again in %.1f s", name, why, pause)
        await asyncio.sleep(pause)
    raise AssertionError("count() has no end")
