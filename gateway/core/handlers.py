"""Who may handle a matter: a court's 承办人 is a judge or an enforcement officer (`schemas.law.handlers`). Pure."""

from __future__ import annotations

from datetime import date

from gateway.core.routing import Staff
from lianzhi.errors import RejectedError
from lianzhi.problem import FieldError
from schemas.law.handlers import handler_roles
from schemas.law.visits import visit
from schemas.validation import rule_error

POINTER = "/handler"


def check_handler(person: Staff, matter: str, day: date) -> None:
    """day: on which the person is named. Raises RejectedError invalid-field: `handler-role`,
    or `handler-phone-required` where the court demands one."""
    row = handler_roles(matter, day)
    if not person.roles.intersection(row.roles):
        context = {
            "no": person.no,
            "held": "、".join(sorted(person.roles)),
            "held_en": ", ".join(sorted(person.roles)),
            "roles": "、".join(row.roles),
            "roles_en": ", ".join(row.roles),
            "source": row.source,
        }
        raise RejectedError("invalid-field", [rule_error("handler-role", POINTER, **context)])
    row_of_visit = visit(matter, day)
    if person.phone is None and row_of_visit is not None and row_of_visit.phone_required:
        raise RejectedError("invalid-field", [rule_error("handler-phone-required", POINTER, no=person.no)])


def introduced(person: Staff, matter: str, day: date) -> dict[str, str]:
    """What a receiver is told of the handler. The telephone goes where somebody goes out for the request, and nowhere
    else."""
    told = {"name": person.name, "permit": person.permit}
    if person.phone is not None and visit(matter, day) is not None:
        told["phone"] = person.phone
    return told


def phone_warnings(person: Staff, matter: str, day: date) -> list[FieldError]:
    """Those who go out will have nobody to call."""
    if person.phone is not None or visit(matter, day) is None:
        return []
    return [rule_error("handler-phone-missing", POINTER, no=person.no)]
