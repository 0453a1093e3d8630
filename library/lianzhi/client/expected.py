"""Which answer to a POST means that it was accepted: its status, its model, and the number that it must name.

Only such an answer, or a refusal by name, ends what the spool holds. Everything else under a 2xx (an empty object, a
page, another request's answer) decides nothing: the signed bytes stay in the spool, and the same bytes are sent again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lianzhi.client.answers import (
    Accepted,
    AcceptedMessage,
    Decided,
    Reassigned,
    Released,
    SaidToGroup,
    read_answer,
)
from lianzhi.client.problems import UnexpectedAnswerError
from lianzhi.client.wire import Reply
from lianzhi.errors import MisuseError
from lianzhi.protocol.envelope import is_request_no

COMMITTED = 202
"""The status of every POST that the gateway has committed (docs/contracts.md 3.3)."""

_Names = Callable[[Any, str], bool]


def committed(path: str, reply: Reply) -> Any:
    """The JSON of an answer that says: committed. path: of the POST.

    Raises ProblemError, UnexpectedAnswerError; MisuseError for a path that no call of ours has.
    """
    names, number = _expected(path)
    document = reply.document()
    if reply.status != COMMITTED:
        raise reply.unexpected()
    if not isinstance(document, dict) or not names(document, number):
        raise UnexpectedAnswerError(
            f"{reply.status} 的回答没有写明所受理的编号，不予采信；所提交的内容仍在发件台账中。"
            f" The {reply.status} does not name what was accepted, so nothing is concluded: what was said stays in the"
            " spool."
        )
    return document


def _expected(path: str) -> tuple[_Names, str]:
    """How its answer is read, and the number that stands in the address."""
    match path.strip("/").split("/"):
        case ["v1", "requests"]:
            return _accepted, ""
        case ["v1", "requests", number, "messages"]:
            return _message, number
        case ["v1", "requests", number, "approvals"]:
            return _decided, number
        case ["v1", "groups", number, "messages"]:
            return _group, number
        case ["v1", "cases", "release"]:
            return _released, ""
        case ["v1", "cases", "reassign"]:
            return _reassigned, ""
    raise MisuseError(f"{path}: no call of this library")


def _accepted(document: Any, _: str) -> bool:
    accepted = read_answer(Accepted, document)
    if accepted.request_no is None and accepted.group_no is None:
        return False
    numbers = accepted.request_nos
    return bool(numbers) and all(map(is_request_no, numbers))


def _message(document: Any, number: str) -> bool:
    return read_answer(AcceptedMessage, document).request_no == number


def _decided(document: Any, number: str) -> bool:
    return read_answer(Decided, document).request_no == number


def _group(document: Any, number: str) -> bool:
    """The same signed bytes again: `request_no` holds the group's number."""
    said = read_answer(SaidToGroup, document)
    return (said.group_no == number and bool(said.requests)) or _before(document) == number


def _released(document: Any, _: str) -> bool:
    return is_request_no(read_answer(Released, {"release_no": _before(document), **document}).release_no)


def _reassigned(document: Any, _: str) -> bool:
    reassigned = read_answer(Reassigned, document)
    return bool(reassigned.case_no) or is_request_no(_before(document) or "")


def _before(document: Any) -> str | None:
    """The number given at first, where the same signed bytes were handed in before under another key."""
    number = document.get("request_no")
    return number if isinstance(number, str) else None
