"""Which message a reply must name (`causationid`, `originhash`), and which one ours names.

Source: docs/contracts.md 3.1: a verb that answers a verb names that one; any other names the `open` or the last
`supplement`. A request's `marks` hold the last message of each verb, latest last.
"""

from __future__ import annotations

from gateway.core.records import Request, Side
from lianzhi.errors import RejectedError
from lianzhi.protocol.verbs import VERBS

_DEFAULT = ("open", "supplement")


def marked(marks: dict[str, list[str]], verb: str, message_id: str, digest: str) -> dict[str, list[str]]:
    """`marks` with this message as the latest one of its verb."""
    return {**{k: v for k, v in marks.items() if k != verb}, verb: [message_id, digest]}


def _targets(verb: str, by: Side) -> tuple[str, ...]:
    answers = VERBS[verb].answers
    if answers == ("*",):
        return tuple(v.name for v in VERBS.values() if v.by != by)
    return answers or _DEFAULT


def origin_for(request: Request, verb: str, by: Side) -> tuple[str, str]:
    """(id, digest) that our `verb` names. Raises RejectedError not-now when there is nothing to answer."""
    targets = _DEFAULT if VERBS[verb].answers == ("*",) else _targets(verb, by)
    for name in reversed(request.marks):
        if name in targets:
            return request.marks[name][0], request.marks[name][1]
    raise RejectedError("not-now", pointer="/verb")


def check_origin(request: Request, verb: str, by: Side, causationid: str | None, originhash: str | None) -> None:
    """Raises RejectedError origin-mismatch unless both name one message that this verb may answer."""
    for name in _targets(verb, by):
        mark = request.marks.get(name)
        if mark is not None and mark[0] == causationid:
            if mark[1] == originhash:
                return
            raise RejectedError("origin-mismatch", pointer="/originhash")
    raise RejectedError("origin-mismatch", pointer="/causationid")
