"""A plan to send dead messages again: one person makes it, another one carries it out, and nothing changed in between.

A plan's digest is SHA-256 over the RFC 8785 form of its items. An item says of a message what decides whether sending
it again is still right: which bytes, why it is dead, and what its request has become.

A plan is `open` until the second person begins it (`running`), one message after the other; it is `done` after the last
one, `cancelled` when somebody stopped it between two, `void` when it no longer said what is before the first went.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from gateway.core.operating.operators import Operator
from gateway.core.operating.records import DeadMessage, Outcome, Plan
from gateway.core.requests.lifecycle import TERMINAL
from lianzhi.crypto.jcs import canonical
from lianzhi.errors import RejectedError
from lianzhi.problem import FieldError

Item = dict[str, str | int | None]
MOST = 500
"""Messages in one plan."""


def item_of(message: DeadMessage) -> Item:
    """What a plan holds of one message."""
    return {
        "sender": message.sender,
        "message_id": message.message_id,
        "receiver": message.receiver,
        "request_no": message.request_no,
        "verb": message.verb,
        "seqno": message.seqno,
        "state": message.state,
        "reason": message.reason,
        "digest": message.digest,
        "request_state": message.request_state,
    }


def digest_of(items: Sequence[Item]) -> str:
    """Hex; the order of the items counts."""
    return hashlib.sha256(canonical(list(items))).hexdigest()


def may_replay(plan: Plan, by: Operator, digest: str | None) -> None:
    """Whether this person may carry it out. digest: what he was shown, or its first 12 characters or more.

    Raises RejectedError: operator-forbidden (he planned it), not-now (it is void or was stopped), invalid-field
    (another digest).
    """
    if plan.state == "void":
        raise changed(plan)
    if plan.state == "cancelled":
        raise stopped(plan)
    if by.user == plan.user or by.name == plan.person:
        raise RejectedError(
            "operator-forbidden",
            [
                FieldError(
                    pointer="/plan",
                    rule="two-persons",
                    detail=f"计划由 {plan.person}（{plan.user}）拟定，须由另一名操作人批准并执行",
                    detail_en=f"{plan.user} made this plan; another listed person has to approve it and carry it out",
                )
            ],
        )
    if digest is not None and not (len(digest) >= SHORTEST and plan.digest.startswith(digest.lower())):
        detail = FieldError(
            pointer="/digest",
            rule="plan-digest",
            detail="摘要与该计划的不符，请重新查看计划",
            detail_en="The digest is not that of this plan; look at the plan again",
        )
        raise RejectedError("invalid-field", [detail])


SHORTEST = 12


def is_unchanged(plan: Plan, present: Iterable[DeadMessage]) -> bool:
    """present: what its messages are now; those that are not dead any more are absent."""
    now = {(one.sender, one.message_id): item_of(one) for one in present}
    return all(now.get((str(item["sender"]), str(item["message_id"]))) == item for item in plan.items)


def outcome_of(plan: Plan, present: DeadMessage | None) -> Outcome:
    """What becomes of the plan's next message. present: what it is now; None: it is not dead any more.

    A message of the plan that went before may have moved its request on; that does not stop the others of the same
    request, unless the request is over.
    """
    done = plan.outcomes or []
    item = plan.items[len(done)]
    if present is None:
        return "changed"
    now = item_of(present)
    pairs = zip(plan.items, done, strict=False)
    went = {other["request_no"] for other, outcome in pairs if outcome == "sent"} - {None}
    if item["request_no"] in went and now["request_state"] not in _OVER:
        now["request_state"] = item["request_state"]
    return "sent" if now == item else "changed"


_OVER = frozenset[str]().union(*TERMINAL.values())


def changed(plan: Plan) -> RejectedError:
    """The refusal of a plan that no longer says what is."""
    detail = FieldError(
        pointer="/plan",
        rule="plan-changed",
        detail=f"计划 {plan.plan_no} 拟定后，其中的报文或请求已有变化，计划作废，请重新拟定",
        detail_en=f"Messages or requests of plan {plan.plan_no} have changed since; it is void: make a new plan",
    )
    return RejectedError("not-now", [detail])


def stopped(plan: Plan) -> RejectedError:
    """The refusal of a plan that somebody stopped: what is left of it is planned anew, and approved anew."""
    detail = FieldError(
        pointer="/plan",
        rule="plan-cancelled",
        detail=f"计划 {plan.plan_no} 已由 {plan.ended_person} 停止，余下 {plan.left} 件须重新拟定",
        detail_en=f"Plan {plan.plan_no} was stopped by {plan.ended_by}; plan the {plan.left} that are left anew",
    )
    return RejectedError("not-now", [detail])
