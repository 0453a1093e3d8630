"""Control measures, and the debt of a case that bounds them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gateway.core.records import CaseDebt, Measure, MeasureStep


class Debts(Protocol):
    """Read in a unit of work and outside of one."""

    async def debts_of_case(self, court: str, case_no: str) -> list[CaseDebt]:
        """What `court` has said of its case's debt, the last figure last."""
        ...


class MeasureReads(Debts, Protocol):
    """Outside of a unit of work."""

    async def measure(self, measure_no: str) -> Measure | None: ...

    async def measure_steps(self, measure_no: str) -> list[MeasureStep]: ...

    async def measures_of_case(self, opener: str, case_no: str, states: Sequence[str]) -> list[Measure]:
        """Every measure in one of `states` that `opener` asked for in its case, by number."""
        ...

    async def measures_ending(self, states: Sequence[str], first: str, last: str) -> list[Measure]:
        """With their last day from `first` to `last` (YYYY-MM-DD)."""
        ...


class MeasureUnit(Debts, Protocol):
    """Inside a unit of work."""

    async def open_measures(self, keys: Sequence[tuple[str, str, str]]) -> list[Measure]:
        """Measures with (object_key, action, case_no) that are requested or live."""
        ...

    async def live_measures(self, object_keys: Sequence[str], action: str) -> list[Measure]:
        """Live measures of that action on these objects."""
        ...

    async def measures_on(self, object_keys: Sequence[str]) -> list[Measure]:
        """Every measure on these objects, whatever became of it."""
        ...

    async def measures_of(self, request_no: str) -> list[Measure]:
        """Locked: requests of several parties change one measure."""
        ...

    async def measure_by_control(self, control_no: str, asked: str, opener: str) -> Measure | None:
        """The live measure of `opener` that `asked` answered with this control number, locked."""
        ...

    async def case_measures(self, case_no: str, court: str) -> list[Measure]:
        """Every measure that `court` asked for in that case, whatever its state."""
        ...

    async def lock_objects(self, object_keys: Sequence[str]) -> None:
        """Until the commit nobody else decides by what is in force on these objects."""
        ...
