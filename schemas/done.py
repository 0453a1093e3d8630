"""What the result of an object must state when it is `done`: the number that the register or the assisting unit gave
it, and the sum in fact.

Without them nobody can find a seal again, and a freeze of nothing looks like one of the whole debt (查封扣押冻结规定
1, 7: the property is registered, the result is told; 法释〔2021〕20号 6: a share is frozen from its publication).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lianzhi.problem import FieldError
from lianzhi.protocol.rules import RULES

NUMBER, AMOUNT, PUBLISHED = "number", "amount", "published"
_MEMBERS: Mapping[str, tuple[str, ...]] = {
    NUMBER: ("registry_no", "receipt_no"),
    AMOUNT: ("amount",),
    PUBLISHED: ("published_at",),
}
"""What must be stated → the members of which one states it; a fault points at the first."""
_RULES: Mapping[str, str] = {
    NUMBER: "done-number-required",
    AMOUNT: "done-amount-required",
    PUBLISHED: "publication-required",
}


def undone(states: Sequence[str], result: Mapping[str, Any]) -> list[FieldError]:
    """What a result lacks. states: of NUMBER, AMOUNT, PUBLISHED, those that its request wants of each object that is
    done. result: canonical data of a `result` or `correct`; of any other verb nothing is lacking."""
    if not states or result.get("outcome") not in ("done", "partial"):
        return []
    return [fault for index, item in enumerate(result.get("items", ())) for fault in _of_item(states, index, item)]


def _of_item(states: Sequence[str], index: int, item: Mapping[str, Any]) -> Iterator[FieldError]:
    if item.get("status") != "done":
        return
    for state in states:
        if all(item.get(member) is None for member in _MEMBERS[state]):
            rule = RULES[_RULES[state]]
            pointer = f"/items/{index}/{_MEMBERS[state][0]}"
            yield FieldError(pointer=pointer, rule=rule.name, detail=rule.zh, detail_en=rule.en)
