"""What the demo asks is valid, unreal, mixed as promised, and the same for the same seed."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, datetime

import pytest

from lianzhi.errors import ConfigurationError
from schemas.bodies import Submission
from schemas.catalogue import catalogue
from schemas.validation import check_case, parse_open, refs_of, validate, warnings_of
from simulation.court.docket import FEWEST, Item, docket

NOW = datetime(2026, 3, 24, 2, 0, tzinfo=UTC)
ALL_WAYS = {
    "duplicate-same-key",
    "duplicate-other-key",
    "wrong-subject",
    "wrong-case-no",
    "tampered-signature",
    "tampered-disclosure",
}
LARGE = docket(300, 7, NOW)


def test_every_submission_is_valid() -> None:
    for item in LARGE:
        _check_valid(item)


def _check_valid(item: Item) -> None:
    matter = catalogue()[item.matter]
    submission = validate(Submission, item.draft.body, today=NOW.date())
    payload = parse_open(matter, submission.payload, today=NOW.date())
    check_case(matter, payload, submission.case_no)
    have = Counter(document.kind for document in submission.documents)
    assert all(have[kind] >= count for kind, count in matter.papers(payload, NOW.date()).items())
    assert len(submission.approvals) >= matter.approvals(payload).people
    assert matter.coercive(payload) == item.draft.signed
    assert warnings_of(submission.payload) == []


def test_nothing_can_be_taken_for_real() -> None:
    for item in LARGE:
        _check_unreal(item)


def _check_unreal(item: Item) -> None:
    text = json.dumps(item.draft.body, ensure_ascii=False)
    assert all(int(number) >= 900_000 for number in re.findall(r"）陕\d{4}(?:执|民初)(\d+)号", text))
    assert all(number.startswith("610199") for number in re.findall(r'"id_no": "(\d{6})', text))
    assert all(plate.startswith("陕Z") for plate in re.findall(r'"plate": "([^"]+)"', text))
    assert re.search("演示|示例|样例|虚构|模拟|假设", text)


def test_the_mix() -> None:
    counts = Counter(item.matter.split(".")[0] for item in LARGE)
    assert counts == {"entrust": 150, "grid": 75, "police": 36 + 24, "assoc": 15}


@pytest.mark.parametrize("count", [FEWEST, 9, 12, 20, 60])
def test_one_of_each_kind_however_few(count: int) -> None:
    items = docket(count, 1, NOW)
    assert len({item.key for item in items}) == len(items) == count
    assert {way for item in items for way in item.injections} == ALL_WAYS
    assert any(item.matter == "police.vehicle-control.request" for item in items)
    assert len([item for item in items if item.pair == 1]) == 2


def test_shares_of_what_goes_wrong() -> None:
    ways = Counter(way.split("-")[0] for item in LARGE for way in item.injections)
    assert ways == {"duplicate": 9, "wrong": 6, "tampered": 3}


def test_what_rests_on_a_seal_comes_after_it() -> None:
    place = {item.key: index for index, item in enumerate(LARGE)}
    resting = [item for item in LARGE if item.rests_on]
    assert resting
    assert all(place[item.rests_on or ""] < place[item.key] for item in resting)


def test_namesakes_are_two_people() -> None:
    first, second = (item for item in LARGE if item.pair == 1)
    one, other = (item.draft.body["payload"]["person"] for item in (first, second))
    assert one["name"] == other["name"]
    assert one["id_tail4"] != other["id_tail4"]
    assert refs_of({"a": one}) != refs_of({"a": other})


def test_one_seed_one_docket() -> None:
    assert docket(30, 7, NOW) == docket(30, 7, NOW)
    assert docket(30, 7, NOW) != docket(30, 8, NOW)


def test_too_few_are_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match="--requests"):
        docket(FEWEST - 1, 1, NOW)
