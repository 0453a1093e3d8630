"""Each reason has a name, a case, and a place it points to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import lianzhi.crypto
from lianzhi.errors import RejectedError
from lianzhi.problem import REASONS
from lianzhi.protocol import policy
from tests.vectors import scene
from tests.vectors.negative import NEGATIVES, Negative


@pytest.mark.parametrize("case", NEGATIVES, ids=lambda case: case.name)
def test_refused_for_its_reason(case: Negative) -> None:
    with pytest.raises(RejectedError) as refused:
        case.attempt()
    assert (refused.value.code, refused.value.pointer) == (case.reason, case.pointer)


def test_what_the_cases_spoil_is_good_to_begin_with() -> None:
    assert scene.take(scene.signed()) is not None
    assert scene.take(scene.forged()) is not None


def test_every_reason_that_the_code_can_give_has_a_case() -> None:
    sources = [*Path(lianzhi.crypto.__file__).parent.glob("*.py"), Path(policy.__file__)]
    named = {word for source in sources for word in re.findall(r'"([a-z-]+)"', source.read_text(encoding="utf-8"))}
    assert named & REASONS.keys() == {case.reason for case in NEGATIVES}


def test_names_are_unique() -> None:
    assert len({case.name for case in NEGATIVES}) == len(NEGATIVES)
