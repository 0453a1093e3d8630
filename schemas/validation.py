"""Validates input: plain JSON data → a normalised model, or every fault with its place and what to do; and warns of
valid input that deserves a second look. Warnings are returned beside what was accepted and refuse nothing.

Nothing here knows the gateway. A fault carries a JSON pointer (RFC 6901) into the data as it was given, the name
of the rule, and a Chinese and an English text (docs/contracts.md 3.3, Errors).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from lianzhi.problem import FieldError
from lianzhi.protocol import rules
from lianzhi.protocol.base import Model
from lianzhi.protocol.rules import RULES, Rule
from lianzhi.protocol.times import Said
from lianzhi.protocol.verbs import VERBS
from schemas.bodies import Opening, content_model
from schemas.catalogue import MatterType
from schemas.legal import basis_of
from schemas.values.identifiers import (
    BANKRUPTCY_TYPES,
    ENFORCEMENT_TYPES,
    OTHER_TYPES,
    carries_coercion,
    case_type,
    vin_check,
)
from schemas.values.identity import NEEDS, missing_details

M = TypeVar("M", bound=BaseModel)

MAX_ERRORS = 100
_WITHOUT_STAGE = ENFORCEMENT_TYPES | BANKRUPTCY_TYPES | OTHER_TYPES


IDENTITY_CHECKS = ("plate_ok", "vin_ok", "id_ok")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class InvalidError(Exception):
    """Data that breaks a rule; `errors` is never empty."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        self.errors = list(errors)
        super().__init__("; ".join(f"{e.rule} at {e.pointer or '/'}" for e in self.errors))


def validate(
    model: type[M],
    data: Any,
    *,
    base_pointer: str = "",
    today: date | None = None,
    said_at: datetime | None = None,
    stored: bool = False,
) -> M:
    """`data` as `model`. base_pointer: where `data` stands in what the caller was given.

    today: the day in Asia/Shanghai; with it, births in the future and ended division codes are refused. said_at: when
    it is said (`protocol.times`); with it, what happened is not later and what is to come is not over. stored: it was
    accepted before, perhaps by an earlier version: rules on single values that came later do not refuse it.
    Raises InvalidError.
    """
    given = {"today": today, "said": Said(said_at) if said_at else None, "stored": stored or None}
    context = {name: value for name, value in given.items() if value is not None}
    try:
        return model.model_validate(data, context=context or None)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)[:MAX_ERRORS]
        raise InvalidError([_field_error(d, data, base_pointer) for d in details]) from None


def parse_open(
    matter: MatterType,
    payload: Any,
    base_pointer: str = "/payload",
    *,
    today: date | None = None,
    said_at: datetime | None = None,
    stored: bool = False,
) -> Model:
    """The request payload of a submission. said_at, stored: as for `validate`. Raises InvalidError."""
    model = validate(matter.request, payload, base_pointer=base_pointer, today=today, said_at=said_at, stored=stored)
    _check_refs(payload, base_pointer)
    if not stored:
        _check_ids(payload, base_pointer)
        _check_objects(matter, model, payload, base_pointer)
    return model


def parse_data(
    matter: MatterType,
    verb: str,
    data: Any,
    *,
    base_pointer: str = "",
    today: date | None = None,
    said_at: datetime | None = None,
    stored: bool = False,
) -> Model:
    """Canonical data of any verb: for `open` an `Opening` whose payload is the matter's own model.

    stored: as for `validate`. Raises InvalidError; KeyError for a verb that does not exist.
    """
    model = VERBS[verb].model or content_model(matter, verb)
    if model is None:
        raise InvalidError([_error(base_pointer, RULES["no-result"], {})])
    parsed = validate(model, data, base_pointer=base_pointer, today=today, said_at=said_at, stored=stored)
    if verb == "open":
        pointer = f"{base_pointer}/payload"
        _check_refs(data["payload"], pointer)
        if isinstance(parsed, Opening) and not stored:
            _check_objects(matter, parsed.payload, data["payload"], pointer)
    elif verb == "identity-check":
        _check_identity(matter, data, base_pointer)
    return parsed


def parse_opening(matter: MatterType, data: Any, *, today: date | None = None) -> Model:
    """Canonical data of `open`. Raises InvalidError."""
    return parse_data(matter, "open", data, today=today)


def check_case(
    matter: MatterType, payload: Any, case_no: str | None, stage: str | None = None, *, pointer: str = "/case_no"
) -> None:
    """Whether this matter may rest on this (normalised) case number (docs/domain.md 2.0).

    A coercive matter needs a case of type 执, 执恢 or 执保; any other may carry a trial's case number with
    `stage: pre-enforcement`. Raises InvalidError.
    """
    coercive = matter.coercive(payload)
    rule = None
    if case_no is None:
        rule = "case-required" if coercive or (matter.case_required and not matter.caseless(payload)) else None
    elif coercive and stage is not None:
        rule = "stage-coercive"
    elif coercive and not carries_coercion(case_no):
        rule = "case-not-enforcement"
    elif stage is None and case_type(case_no) not in _WITHOUT_STAGE:
        rule = "stage-required"
    if rule is not None:
        raise InvalidError([_error(pointer, RULES[rule], {})])


def refs_of(data: Any) -> list[str]:
    """Every `ref` in a payload or a result, in order, each once."""
    return list(dict.fromkeys(node["ref"] for _, node in _objects(data)))


def places_of_refs(data: Any) -> list[tuple[str, str]]:
    """(JSON pointer of it, `ref`) of every one, as often as it stands there."""
    return [(_joined(*steps, "ref"), node["ref"]) for steps, node in _objects(data)]


def documents_of(data: Any) -> list[str]:
    """SHA-256 (hex) of every document and picture that a message names, each once."""
    return list(dict.fromkeys(_digests(data)))


@cache
def names_vehicles(model: type[BaseModel]) -> bool:
    """Whether a payload of this model may hold a VIN."""
    return '"vin"' in json.dumps(_schema(model))


def warnings_of(payload: Any, base_pointer: str = "/payload") -> list[FieldError]:
    """What in a validated payload is lawful but deserves a second look: a VIN whose check digit does not match."""
    return [
        _error(base_pointer + _joined(*steps, "vin"), RULES["vin-check-digit"], {})
        for steps, node in _objects(payload)
        if isinstance(node.get("vin"), str) and vin_check(node["vin"]) == "warning"
    ]


def cautions_of(matter: MatterType, payload: Any, *, at: str = "/payload") -> list[FieldError]:
    """What the type itself says of this payload, a validated model."""
    return [rule_error(rule, at + pointer, **context) for rule, pointer, context in matter.cautions(payload)]


def basis_warnings(codes: Sequence[str], today: date, *, at: str = "/legal_basis") -> Iterable[FieldError]:
    """codes: legal references that hold. A notice that the table does not have may be newer than the table, or a slip
    of the pen; one whose `until` has come is cited for what happened before, or by habit."""
    for position, code in enumerate(codes):
        row = basis_of(code)
        if row is None:
            yield rule_error("unlisted-basis", f"{at}/{position}")
        elif row.until is not None and row.until <= today:
            yield rule_error("ended-basis", f"{at}/{position}", until=row.until.isoformat())


@cache
def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema()


def json_schema(matter: MatterType) -> dict[str, Any]:
    """JSON Schemas (2020-12) by name: `payload`, `open`, and `result`, `correct` where the type has them."""
    verbs = ("open", "result", "correct")
    models = {verb: model for verb in verbs if (model := content_model(matter, verb))}
    return {name: _schema(model) for name, model in {"payload": matter.request, **models}.items()}


def _digests(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        if len(data) == 64 and _SHA256.fullmatch(data):
            yield data
    elif isinstance(data, dict):
        for value in data.values():
            yield from _digests(value)
    elif isinstance(data, list):
        for value in data:
            yield from _digests(value)


# --- refs -------------------------------------------------------------------------------------------------------


def _objects(data: Any, *steps: str | int) -> Iterator[tuple[tuple[str | int, ...], Mapping[str, Any]]]:
    """Every object with a `ref`, outermost first, with the steps to it."""
    if isinstance(data, dict):
        if isinstance(data.get("ref"), str):
            yield steps, data
        children: Iterable[tuple[str | int, Any]] = data.items()
    else:
        children = enumerate(data)
    for step, value in children:
        if isinstance(value, dict | list):
            yield from _objects(value, *steps, step)


def _check_refs(payload: Any, base_pointer: str) -> None:
    """One ref may stand twice only for the very same object (one owner of two things)."""
    named: dict[str, Mapping[str, Any]] = {}
    for steps, node in _objects(payload):
        if named.setdefault(node["ref"], node) != node:
            raise InvalidError([_error(base_pointer + _joined(*steps, "ref"), RULES["duplicate-ref"], {})])


def _check_ids(payload: Any, base_pointer: str) -> None:
    """What a kind of ID needs beside its number. Asked of those who submit: in what a partner says it may be absent,
    since its dialect could not say it until now (docs/adr/0035)."""
    for steps, node in _objects(payload):
        if node.get("id_kind") in NEEDS and (missing := missing_details(node["id_kind"], node)):
            at = base_pointer + _joined(*steps)
            raise InvalidError([_error(f"{at}/{name}", RULES[rule], {}) for name, rule in missing])


def _check_objects(matter: MatterType, model: Any, payload: Any, base_pointer: str) -> None:
    """The same thing twice in one request: one measure on one object is what can be asked for."""
    several = any(isinstance(value, list) and len(value) > 1 for value in payload.values())
    rule = matter.measure(model) if several else None
    if rule is None:
        return
    seen: set[str] = set()
    for ref, words in rule.objects:
        if words in seen:
            where = next(steps for steps, node in reversed([*_objects(payload)]) if node["ref"] == ref)
            raise InvalidError([_error(base_pointer + _joined(*where), RULES["duplicate-object"], {})])
        seen.add(words)


def _check_identity(matter: MatterType, data: Mapping[str, Any], base_pointer: str) -> None:
    """Of the car or of the person, as the alert is about one or the other: all of it and nothing else."""
    stated = {name for name in IDENTITY_CHECKS if data.get(name) is not None}
    wrong = [(name, rules.MISSING) for name in matter.checks if name not in stated]
    wrong += [(name, rules.EXTRA) for name in sorted(stated.difference(matter.checks))]
    if wrong:
        raise InvalidError([_error(f"{base_pointer}/{name}", rule, {}) for name, rule in wrong])


# --- errors -----------------------------------------------------------------------------------------------------


def _escaped(step: object) -> str:
    return str(step)[:80].replace("~", "~0").replace("/", "~1")


def _joined(*steps: str | int) -> str:
    return "".join(f"/{_escaped(step)}" for step in steps)


def _pointer(steps: Sequence[int | str], data: Any, *, missing: bool) -> str:
    """A pydantic location as a JSON pointer: the tags of unions, which are no members, fall away.

    missing: the last step is a member that should stand there.
    """
    pointer, node = "", data
    for position, step in enumerate(steps, start=1):
        known = isinstance(node, Mapping) and step in node
        if isinstance(step, str) and not known and not (missing and position == len(steps)):
            continue
        pointer += f"/{_escaped(step)}"
        if known or (isinstance(node, list) and isinstance(step, int) and step < len(node)):
            node = node[step]
    return pointer


def _field_error(detail: ErrorDetails, data: Any, base_pointer: str) -> FieldError:
    kind, context, steps = detail["type"], detail.get("ctx", {}), detail["loc"]
    at = base_pointer + _pointer(steps, data, missing=kind == "missing")
    if kind in RULES:
        return _error(at + context.get("at", ""), RULES[kind], context)
    if kind.startswith("union_tag"):
        at += f"/{context['discriminator'].strip(chr(39))}"
    if kind == "missing" and steps and steps[-1] in rules.MISSING_MEMBER:
        return _error(at, RULES[rules.MISSING_MEMBER[str(steps[-1])]], {})
    return _error(at, rules.BY_TYPE.get(kind, rules.OTHER), context)


def rule_error(name: str, pointer: str, **context: Any) -> FieldError:
    """What breaks the rule of this name at `pointer`. context: what its texts have between braces."""
    return _error(pointer, RULES[name], context)


def _error(pointer: str, rule: Rule, context: Mapping[str, Any]) -> FieldError:
    return FieldError(
        pointer=pointer,
        rule=rule.name,
        detail=rule.zh.format_map(context),
        detail_en=rule.en.format_map(context),
    )
