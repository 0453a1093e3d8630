"""Parses the body of an HTTP answer as JSON, within limits, because anybody may have written it.

Compressed answers are not asked for and not taken: a few kilobytes of them unfold into gigabytes.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

import aiohttp

from lianzhi.client.problems import UnexpectedAnswerError
from lianzhi.crypto.strictjson import bound_depth, decode
from lianzhi.errors import RejectedError

PLAIN = "identity"
_CHUNK = 1 << 16
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


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
