"""After a restore: how far the store had come, what partners speak of that is not there, what may be a retry."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from gateway.core.recovery.doubts import Doubt, State
from gateway.core.recovery.forgotten import Forgotten, ForgottenRequest
from gateway.core.recovery.marks import Mark, Standing


class MarkPlace(Protocol):
    """One of the places outside of the store that remember how far it had come (docs/adr/0030)."""

    @property
    def name(self) -> str:
        """`file` or `broker`."""
        ...

    async def read(self, incarnations: Sequence[str], *, patient: bool = False) -> Mark | None:
        """The highest mark there; None: there is none. incarnations: those of the store, oldest first. patient: what
        looks empty is asked again, for another process may have it in hand. Raises MarkUnreadableError."""
        ...

    async def write(self, mark: Mark) -> None:
        """Lasting when it returns. Raises MarkUnreadableError."""
        ...


class Remnants(Protocol):
    """Read in a unit of work and outside of one."""

    async def forgotten_of(self, request_no: str) -> list[Forgotten]: ...


class RecoveryReads(Remnants, Protocol):
    """Outside of a unit of work."""

    async def standing(self, since: str) -> Standing:
        """How far the store has come. since: the first day (YYYYMMDD, Shanghai) whose numbers are told."""
        ...

    async def forgotten(self, limit: int) -> list[ForgottenRequest]:
        """Numbers of ours that partners speak of and that are not there, oldest first."""
        ...

    async def submitted_as(self, submissionhash: str) -> list[str]:
        """The numbers under which our own messages, which partners gave back, name a submission with this digest."""
        ...

    async def doubt(self, client: str, key: str) -> Doubt | None: ...

    async def doubts(self, limit: int) -> list[Doubt]:
        """Oldest first."""
        ...

    async def doubts_ended(self, incarnation: str) -> bool:
        """Whether an operator has said so."""
        ...


class RecoveryUnit(Remnants, Protocol):
    """Inside a unit of work."""

    async def raise_sequence(self, token: str) -> None:
        """One more step of the store, known by `token`; before anything else that the unit takes (docs/adr/0030)."""
        ...

    async def begin_age(self, mark: Mark, shared_event: int, at: datetime) -> None:
        """The store goes on as the incarnation, with the sequence and past the numbers of `mark`. shared_event: the
        last event that it has in common with what it was."""
        ...

    async def skip_numbers(self, opener: str, day: str, following: int) -> None:
        """No number of that opener and day (YYYYMMDD) below `following` is given any more."""
        ...

    async def forgotten_totals(self, owner: str) -> tuple[int, int]:
        """(messages, bytes) that are kept of that owner about requests that are not there."""
        ...

    async def is_forgotten_kept(self, owner: str, body_sha256: str) -> bool:
        """Whether these bytes are among them."""
        ...

    async def end_forgotten(self, messages: Sequence[Forgotten], now: datetime | None) -> int:
        """They wait no more: of ours it stays that they were taken up `now`, without their bytes; None: nothing of
        them stays. How many there were."""
        ...

    async def done_before(self, submissionhash: str, request_no: str) -> int:
        """Doubts that wait about what was signed so are settled: it was done, under that number. How many."""
        ...

    async def note_doubt(self, doubt: Doubt, most: int) -> bool:
        """Kept for a person, once; False when so many are kept already."""
        ...

    async def settle_doubt(self, client: str, key: str, state: State) -> bool:
        """What a person said of it; False: there is none."""
        ...

    async def end_doubts(self, incarnation: str, now: datetime) -> None:
        """Nothing of before that incarnation comes any more."""
        ...
