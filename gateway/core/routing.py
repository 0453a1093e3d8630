"""The participants and their staff: who may send what to whom, and who may handle a matter. Pure.

The files are read by `gateway.registry.participants`. A matter's 承办人 is a judge or an enforcement officer; which one
a matter asks for stands in `schemas.law.handlers`.
from datetime import date

"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase
from typing import Any, Literal

from gateway.core.time.deadlines import Duty
from lianzhi.errors import RejectedError
from lianzhi.problem import FieldError
from schemas.catalogue import Kind, MatterType
from schemas.law.handlers import handler_roles
from schemas.law.lookouts import LEVEL_WORDS, exit_notice_months, level_of
from schemas.law.visits import visit
from schemas.validation import rule_error
from schemas.values.departments import DEPARTMENTS
from schemas.values.terms import within_months

Channel = Literal["amqp", "http"]
_HANDLER = "/handler"


@dataclass(frozen=True, slots=True)
class Staff:
    """A named person, registered before use with the work permit. Valid from `since` until `until`/`revoked`.
    mail: where pages go. phone: for those who go out for a request of this person's (`schemas.law.visits`)."""

    no: str
    name: str
    permit: str
    roles: frozenset[str]
    since: date
    until: date | None = None
    revoked: bool = False
    mail: str | None = None
    phone: str | None = None

    def valid_on(self, day: date) -> bool:
        return not self.revoked and self.since <= day and (self.until is None or day <= self.until)


@dataclass(frozen=True, slots=True)
class Client:
    """A system that speaks for an `http` participant. token_sha256: hex; `signs_with`, `opens_with`: kids."""

    id: str
    scopes: frozenset[str]
    token_sha256: str
    signs_with: str | None = None
    opens_with: str | None = None
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Participant:
    """notice_version: of the notices that it is sent; None: the one that it asks for."""

    code: str
    kind: Kind
    zh: str
    en: str
    channel: Channel
    dialect: str
    division: str | None = None
    court_code: str | None = None
    dept: str | None = None
    parent: str | None = None
    home: bool = False
    enabled: bool = True
    jws_alg: str = "ES256"
    accepts: tuple[str, ...] = ()
    opens: tuple[str, ...] = ()
    broker_user: str | None = None
    notice_version: int | None = None
    clients: tuple[Client, ...] = ()
    staff: Mapping[str, Staff] = field(default_factory=dict)
    duty: Duty = field(default_factory=Duty)

    @property
    def local(self) -> bool:
        """Whether the gateway signs for it (channel `http`)."""
        return self.channel == "http"

    def takes(self, matter: str) -> bool:
        return any(fnmatchcase(matter, pattern) for pattern in self.accepts)

    def may_open(self, matter: str) -> bool:
        return any(fnmatchcase(matter, pattern) for pattern in self.opens)


class Directory:
    """Every registered participant. Exactly one is `home`; local: codes of those that are served here;
    suspended: of those that say and hear nothing.

    Raises ValueError: no home or two, or two participants with a client of one name: idempotency keys are the client's.
    """

    def __init__(self, participants: Iterable[Participant]) -> None:
        self._by_code = {p.code: p for p in participants}
        homes = [p for p in self._by_code.values() if p.home]
        if len(homes) != 1:
            raise ValueError("exactly one participant must be `home`")
        self.home = homes[0]
        self.local = tuple(p.code for p in self._by_code.values() if p.local)
        self.suspended = frozenset(p.code for p in self._by_code.values() if not p.enabled)
        self._clients: dict[str, tuple[Participant, Client]] = {}
        for participant in self._by_code.values():
            for client in participant.clients if participant.local else ():
                if client.id in self._clients:
                    raise ValueError(f"client {client.id} is registered twice")
                self._clients[client.id] = (participant, client)

    def __iter__(self) -> Iterator[Participant]:
        return iter(self._by_code.values())

    def get(self, code: str) -> Participant | None:
        return self._by_code.get(code)

    def client(self, name: str) -> tuple[Participant, Client] | None:
        """The client of that name, and for whom it speaks."""
        return self._clients.get(name)

    def court(self, court_code: str) -> Participant | None:
        """The registered participant that is this court."""
        found = (p for p in self if p.kind == Kind.COURT and p.court_code == court_code and p.enabled)
        return next(found, None)

    def amqp(self) -> list[Participant]:
        return [p for p in self._by_code.values() if p.channel == "amqp" and p.enabled]


def admit(matter: MatterType, sender: Participant, receiver: Participant) -> None:
    """Fail closed: the catalogue must allow both kinds, the sender's file the opening, the receiver's the taking.

    Raises RejectedError: not-allowed, receiver-does-not-take.
    """
    if sender.kind not in matter.senders or not sender.may_open(matter.name) or not sender.enabled:
        raise RejectedError("not-allowed", pointer="/source")
    if receiver.kind not in matter.receivers or not receiver.enabled or receiver.code == sender.code:
        raise RejectedError("receiver-does-not-take", pointer="/receiver")
    if not receiver.takes(matter.name):
        raise RejectedError("receiver-does-not-take", pointer="/receiver")


def check_dept(matter: MatterType, payload: Any, receiver: Participant) -> None:
    """What is meant for one department goes to no other (docs/domain.md 2.8): a realty query asked of the tax office
    would tell it whom the court looks for.

    payload: the validated request payload. Raises RejectedError invalid-field with the rule `dept-mismatch`.
    """
    meant = matter.dept(payload)
    if meant is None or meant == receiver.dept:
        return
    own = DEPARTMENTS.get(receiver.dept or "")
    context = {"expected": own.zh if own else receiver.zh, "expected_en": own.en if own else receiver.en}
    raise RejectedError("invalid-field", [rule_error("dept-mismatch", "/payload/dept", **context)])


def check_level(matter: MatterType, payload: Any, receiver: Participant) -> None:
    """A border notice lasts no longer than police of the receiver's level may keep it (docs/domain.md 2.9).

    payload: the validated request payload. Raises RejectedError invalid-field with the rule `exit-notice-too-long`.
    """
    term = matter.border_notice(payload)
    if term is None:
        return
    level = level_of(receiver.division)
    months = exit_notice_months(level, date.fromisoformat(term[0]))
    if within_months(*term, months):
        return
    zh, en = LEVEL_WORDS[level]
    context = {"keeper": f"{zh}（{receiver.zh}）", "keeper_en": f"{en} ({receiver.en})", "months": months}
    raise RejectedError("invalid-field", [rule_error("exit-notice-too-long", "/payload/end_on", **context)])


def routing_key(participant: str, lane: str, matter: str, verb: str) -> str:
    """`<participant>.<lane>.<matter type>.<verb>` (docs/contracts.md 3.2)."""
    return f"{participant}.{lane}.{matter}.{verb}"


def route_of(key: str) -> str:
    """`<participant>.<lane>`: what of a routing key decides the queue that it leads to."""
    participant, lane, *_ = key.split(".", 2)
    return f"{participant}.{lane}"


def is_urgent(route: str) -> bool:
    """Whether a route of `route_of` is its participant's urgent one."""
    return route.endswith(".urgent")


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
        raise RejectedError("invalid-field", [rule_error("handler-role", _HANDLER, **context)])
    row_of_visit = visit(matter, day)
    if person.phone is None and row_of_visit is not None and row_of_visit.phone_required:
        raise RejectedError("invalid-field", [rule_error("handler-phone-required", _HANDLER, no=person.no)])


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
    return [rule_error("handler-phone-missing", _HANDLER, no=person.no)]
