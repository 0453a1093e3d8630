"""The errors that a call of the client raises (docs/contracts.md 3.3, Errors)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lianzhi.client.bounds import CURSOR_LENGTH
from lianzhi.errors import LianzhiError
from lianzhi.printable import code_or_unknown, printable
from lianzhi.problem import FieldError, Problem

_URN = "urn:lianzhi:problem:"
# These say nothing about what was handed in, only about the credential: it stays in the spool.
_ERRORS_TOLD, _TEXT_LENGTH = 20, 4_000
CREDENTIAL = frozenset({"unauthorized", "forbidden"})
# And this only about two clocks: the same bytes are right when the wrong one has been set.
CLOCK = "clock-ahead"


class ProblemError(LianzhiError):
    """The gateway refused, and said why (RFC 9457).

    code: a key of `lianzhi.problem.REASONS`; a newer gateway may know more, and what is no code at all is `unknown`.
    errors: what exactly, field by field, in Chinese and English. status: of HTTP. The error's own text is safe to
    print and to log.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.code = code_or_unknown(problem.type.removeprefix(_URN))
        self.status = problem.status
        self.errors = problem.errors
        told = "; ".join(f"{e.pointer or '/'} {e.detail}（{e.detail_en}）" for e in problem.errors[:_ERRORS_TOLD])
        text = f"{self.code}: {problem.title}（{problem.title_en}）{' ' + told if told else ''}"
        super().__init__(printable(text, _TEXT_LENGTH))

    @property
    def about_credential(self) -> bool:
        """Whether the token was refused, and not what was said with it."""
        return self.code in CREDENTIAL

    @property
    def about_clock(self) -> bool:
        """Whether a clock, ours or the gateway's, is wrong, and not what was said: `errors` tell by how much. It stays
        in the spool, and `resume` says the same bytes again."""
        return self.code == CLOCK


class CursorGoneError(ProblemError):
    """The feed's cursor is older than what the gateway keeps: events were missed.

    Compare your own records with `CourtClient.requests`, then go on with `events(after=OLDEST)`.
    """


class OtherIncarnationError(CursorGoneError):
    """The gateway's database was restored, and the cursor is of before. cursor: of the last event that is common to
    both, to go on with; None: the gateway does not know the life of the database that the cursor is of.

    `CourtClient.events` goes on by itself in both cases, and raises this only where the gateway refuses what it named.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.cursor = None if problem.cursor is None or len(problem.cursor) > CURSOR_LENGTH else problem.cursor


class UnexpectedAnswerError(LianzhiError):
    """Something answered that is not the gateway, or not one that we understand (a proxy's page, a wrong address).

    Nothing is concluded from it: a submission stays in the spool.
    """


class UnavailableError(LianzhiError):
    """No answer within the client's patience; only calls that read give up."""


class ChangedKeyError(LianzhiError):
    """The gateway's key set shows another key under a kid that we know: an alarm, nothing is believed."""


class DestroyedError(LianzhiError):
    """The payload no longer exists (its time is over); the signature and the digest still do."""


class InvalidBodyError(LianzhiError):
    """A signed answer whose sealed content cannot be used; to be answered with `reopen`, reason `invalid-body`.

    errors: which fields, never what stood in them.
    """

    def __init__(self, request_no: str, message_id: str, errors: Sequence[FieldError]) -> None:
        self.request_no = request_no
        self.message_id = message_id
        self.errors = list(errors)
        super().__init__(f"{request_no} {message_id}: " + self.told())

    def told(self) -> str:
        """Pointer and rule of each error, for the `why` of a `reopen`."""
        return "; ".join(f"{e.pointer or '/'} {e.rule}" for e in self.errors)[:1900]


def problem_from(document: Any) -> ProblemError | None:
    """A problem document → its error; None when it is none."""
    if not isinstance(document, dict) or not str(document.get("type", "")).startswith(_URN):
        return None
    try:
        problem = Problem.model_validate(document)
    except ValueError:
        return None
    error = ProblemError(problem)
    if error.code == "other-incarnation":
        return OtherIncarnationError(problem)
    return CursorGoneError(problem) if error.code == "cursor-gone" else error
