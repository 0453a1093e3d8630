"""The form of `participants/<code>.toml` (docs/examples.md): one organisation, one file, no code."""

from __future__ import annotations

from datetime import date, datetime, time
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from lianzhi.protocol.envelope import Code, Kid
from schemas.values.departments import Dept
from schemas.values.identifiers import Phone

Hex64 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Scope = Literal["submit", "reply", "read", "approve", "documents"]
SCOPES: tuple[Scope, ...] = ("submit", "reply", "read", "approve", "documents")


class Form(BaseModel):
    """Closed, but not strict: TOML has dates, and a code of an enumeration is a string."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class Name(Form):
    """What reports and papers call it: a blank one would be a row without a name."""

    zh: Words
    en: Words


class Duty(Form):
    """weekdays: hours of each working day in which a person is there, `HH:MM-HH:MM`, in order and apart; none: 09:00
    to 17:00. always: types taken at any hour."""

    weekdays: list[Annotated[str, StringConstraints(pattern=r"^\d\d:\d\d-\d\d:\d\d$")]] = []
    always: list[str] = []

    @property
    def hours(self) -> tuple[tuple[time, time], ...]:
        """Raises ValueError for a time that does not exist."""
        pairs = (text.split("-") for text in self.weekdays)
        return tuple((time.fromisoformat(start), time.fromisoformat(end)) for start, end in pairs)

    @model_validator(mode="after")
    def _in_order(self) -> Duty:
        moments = [moment for pair in self.hours for moment in pair]
        if any(one >= other for one, other in pairwise(moments)):
            raise ValueError("值班时段须先后相接、互不重叠 duty hours must be in order and apart")
        return self


class Broker(Form):
    user: Code


class Key(Form):
    """jwk: file of the public key, relative to the installation's folder. until: the last day, Shanghai."""

    kid: Kid
    since: Annotated[date, Field(alias="from")]
    until: date | None = None
    revoked_at: datetime | None = None
    jwk: str
    client: str | None = None


class Contact(Form):
    """mail: where pages reach a person beside the court's SMS and voice platform, which knows telephones itself. phone:
    told to police and grid with what they go out for (docs/domain.md 2.3, 2.7)."""

    mail: (
        Annotated[str, StringConstraints(pattern=r"^[^@\s<>\x00-\x1f\x7f]+@[^@\s<>\x00-\x1f\x7f]+$", max_length=254)]
        | None
    ) = None
    phone: Phone | None = None


class StaffMember(Form):
    no: str
    name: str
    permit: str
    roles: list[str]
    since: Annotated[date, Field(alias="from")]
    until: date | None = None
    revoked: bool = False
    contact: Contact | None = None


class ClientSystem(Form):
    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
    scopes: list[Scope]
    token_sha256: Hex64
    signs_with: Kid | None = None
    opens_with: Kid | None = None
    revoked: bool = False


class ParticipantForm(Form):
    """kind: a folder of `adapters/`. dialect: absent, the kind's default. dept: of kind `department`, which one it is;
    another kind has none. notice_version: of the notices that it is sent (docs/adr/0021); absent: the one that it says
    itself in a ping, else 1."""

    code: Code
    kind: str
    name: Name
    division: str | None = None
    court_code: str | None = None
    dept: Dept | None = None
    parent: str | None = None
    home: bool = False
    enabled: bool = True
    channel: Literal["amqp", "http"]
    dialect: str | None = None
    jws_alg: Literal["ES256", "Ed25519", "EdDSA"] = "ES256"
    accepts: list[str] = []
    opens: list[str] = []
    duty: Duty = Duty()
    broker: Broker | None = None
    notice_version: Literal[1, 2] | None = None
    keys: list[Key] = []
    staff: list[StaffMember] = []
    clients: list[ClientSystem] = []
