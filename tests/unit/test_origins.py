"""Which message a message names, for whoever writes it and whoever reads it (docs/contracts.md 3.1)."""

from __future__ import annotations

import pytest

from lianzhi.errors import RejectedError
from lianzhi.protocol.ordering import check_origin, marked, origin_for
from lianzhi.protocol.verbs import VERBS

MARKS = {
    "open": ("o", "O"), "supplement-request": ("q", "Q"), "supplement": ("s", "S"), "result": ("r", "R"),
}  # fmt: skip


def refused(verb: str, causationid: str | None, originhash: str | None) -> str:
    with pytest.raises(RejectedError, match="origin-mismatch") as caught:
        check_origin(MARKS, verb, "asked", causationid, originhash)
    assert caught.value.pointer is not None
    return caught.value.pointer


def test_the_latest_of_each_verb_is_marked_and_stands_last() -> None:
    again = marked(MARKS, "open", ("p", "P"))
    assert [*again.items()][-1] == ("open", ("p", "P"))
    assert [*again] == ["supplement-request", "supplement", "result", "open"]
    assert MARKS["open"] == ("o", "O")


def test_a_reply_names_the_open_or_the_last_supplement() -> None:
    assert origin_for(MARKS, "progress", "asked") == ("s", "S")
    for origin in (("o", "O"), ("s", "S")):
        check_origin(MARKS, "progress", "asked", *origin)
    assert refused("progress", "r", "R") == refused("progress", None, None) == "/causationid"
    assert refused("progress", "o", "X") == "/originhash"


def test_a_verb_that_answers_a_verb_names_that_one() -> None:
    assert origin_for(MARKS, "confirm", "asker") == ("r", "R")
    assert origin_for(MARKS, "supplement", "asker") == ("q", "Q")
    assert origin_for(MARKS, "withdraw-ack", "asked") is None
    assert refused("withdraw-ack", "o", "O") == "/causationid"


def test_a_receipt_names_any_message_of_the_other_side() -> None:
    check_origin(MARKS, "receipt", "asked", "s", "S")
    assert refused("receipt", "r", "R") == "/causationid"
    assert origin_for(MARKS, "receipt", "asked") == ("s", "S")
    withdrawn = marked(MARKS, "withdraw", ("w", "W"))
    assert origin_for(withdrawn, "receipt", "asked") == ("s", "S"), "the request before anything said about it"
    assert origin_for({"withdraw": ("w", "W")}, "receipt", "asked") == ("w", "W")


def test_the_message_at_hand_is_named_where_the_verb_may_name_it() -> None:
    withdrawn = marked(MARKS, "withdraw", ("w", "W"))
    assert origin_for(withdrawn, "delivered", "asked", "o") == ("o", "O")
    assert origin_for(withdrawn, "receipt", "asked", "w") == ("w", "W")
    assert origin_for(withdrawn, "result", "asked", "w") == ("s", "S")


@pytest.mark.parametrize("verb", [v for v in VERBS.values() if v.name != "open"], ids=lambda v: v.name)
def test_whatever_one_side_names_the_other_takes(verb: object) -> None:
    """Writer and reader go by one table."""
    said = next(v for v in VERBS.values() if v is verb)
    everything = {name: (f"{name}-id", f"{name}-digest") for name in VERBS}
    origin = origin_for(everything, said.name, said.by)
    assert origin is not None
    check_origin(everything, said.name, said.by, *origin)
