"""Two families: the other side sent something bad, or we called it wrongly.

`RejectedError` is recorded and answered. Anything else that is not caught is our own fault and crashes.
"""

from __future__ import annotations

from collections.abc import Sequence

from lianzhi.problem import REASONS, FieldError, Problem


class LianzhiError(Exception):
    """Base of both families."""


class RejectedError(LianzhiError):
    """The other side sent something that a rule refuses.

    code: a key of `lianzhi.problem.REASONS`. errors: what exactly, field by field. cursor: of a feed, where to go on.
    """

    def __init__(
        self,
        code: str,
        errors: Sequence[FieldError] = (),
        *,
        pointer: str | None = None,
        retry_after: int | None = None,
        cursor: str | None = None,
    ) -> None:
        self.reason = REASONS[code]
        self.code = code
        self.errors = list(errors)
        if pointer is not None and not self.errors:
            self.errors = [FieldError(pointer=pointer, rule=code, detail=self.reason.zh, detail_en=self.reason.en)]
        self.retry_after = retry_after
        self.cursor = cursor
        super().__init__(f"{code} {pointer or ''}".rstrip())

    @property
    def pointer(self) -> str | None:
        return self.errors[0].pointer if self.errors else None

    def problem(self) -> Problem:
        return Problem.of(self.code, self.errors, cursor=self.cursor)


class MisuseError(LianzhiError):
    """We called our own code wrongly, or the installation is wrong: never answered, always fatal."""


class ConfigurationError(LianzhiError):
    """A file of the installation is missing or wrong; the text names the file, the rule and the fix."""


STORE_AWAY = (
    "数据库连不上，提交一律不受理；请查数据库与网络，恢复后自动继续",
    "The store cannot be reached: nothing is accepted. See to the database and the network; it goes on by itself",
)
"""What to do about it: the words of `readyz` and of every command."""


class StoreUnavailableError(LianzhiError):
    """The database is down, locked or full; nothing was written."""


class BrokerUnavailableError(LianzhiError):
    """The broker cannot be reached, or does not let us in."""


class MarkUnreadableError(LianzhiError):
    """A place of marks cannot be read or written. answered: it was there, and will say the same next time."""

    def __init__(self, zh: str, en: str, *, answered: bool) -> None:
        self.answered = answered
        super().__init__(f"{zh} {en}")


class ConflictError(LianzhiError):
    """A uniqueness or version rule of the store said no. constraint: its name; the batch is run again one by one."""

    def __init__(self, constraint: str) -> None:
        self.constraint = constraint
        super().__init__(constraint)


class UnroutableError(LianzhiError):
    """The broker returned the message: no queue is bound to its key."""


class OversizeError(LianzhiError):
    """The message is larger than the broker takes: it can never go. limit: bytes, the broker's own."""

    def __init__(self, size: int, limit: int) -> None:
        self.size = size
        self.limit = limit
        super().__init__(f"{size} bytes, the broker takes {limit}")


class UnconfirmedError(LianzhiError):
    """The broker did not confirm (timeout, nack, lost link): the outcome is unknown, publish again."""


class RefusedError(UnconfirmedError):
    """The broker said no (nack): the queue is full, or its leader moved while the channel was young."""


class UnansweredError(UnconfirmedError):
    """The broker said nothing in time."""


class BrokenRowError(LianzhiError):
    """Our own code failed over this message before it was published: nobody else's is concerned."""


class UndeliveredError(LianzhiError):
    """A page could not be handed to its channel; it is tried again. code: why, in one word."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)
