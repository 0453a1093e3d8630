"""Which message a message names (`causationid`, `originhash`): said once, for whoever writes it and whoever reads it.

Source: docs/contracts.md 3.1: a verb that answers a verb names that one; any other names the `open` or the last
`supplement`. The marks of a request are the last message of each verb, of either side, the latest last: verb → (id,
digest of its JWS part).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from lianzhi.errors import RejectedError
from lianzhi.protocol.verbs import VERBS, Side

Mark = TypeVar("Mark", bound=Sequence[str])

_ANY = ("*",)
_DEFAULT = ("open", "supplement")


def marked(marks: Mapping[str, Mark], verb: str, mark: Mark) -> dict[str, Mark]:
    """`marks` with this message as the latest one of its verb."""
    return {**{name: known for name, known in marks.items() if name != verb}, verb: mark}


def _may_name(verb: str, by: Side) -> tuple[str, ...]:
    answers = VERBS[verb].answers
    if answers == _ANY:
        return tuple(v.name for v in VERBS.values() if v.by != by)
    return answers or _DEFAULT


def origin_for(marks: Mapping[str, Mark], verb: str, by: Side, handling: str | None = None) -> Mark | None:
    """The message that our `verb` names; None when there is nothing that it could answer.

    by: our side. handling: id of the message at hand, named where the verb may name it.
    """
    named = _may_name(verb, by)
    fitting = {name: mark for name, mark in marks.items() if name in named}
    for mark in fitting.values():
        if mark[0] == handling:
            return mark
    if VERBS[verb].answers == _ANY:
        fitting = {name: mark for name, mark in fitting.items() if name in _DEFAULT} or fitting
    return [*fitting.values()][-1] if fitting else None


def check_origin(
    marks: Mapping[str, Sequence[str]], verb: str, by: Side, causationid: str | None, originhash: str | None
) -> None:
    """by: the side that said `verb`. Raises RejectedError origin-mismatch unless both name one message that it may
    name."""
    for name in _may_name(verb, by):
        mark = marks.get(name)
        if mark is not None and mark[0] == causationid:
            if mark[1] == originhash:
                return
            raise RejectedError("origin-mismatch", pointer="/originhash")
    raise RejectedError("origin-mismatch", pointer="/causationid")
