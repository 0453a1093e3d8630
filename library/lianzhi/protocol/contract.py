"""The contract file: what one participant may say and hear, in its own dialect, signed by the gateway.

`lianzhi participants contract P` writes it; a new matter type reaches an agency or a court system by a new file, not by
a new library (docs/contracts.md). The file is JSON that people can read:

    {"contract": {version, gateway, participant, dialect, issued_at, types: [{card, role, verbs, definitions}]},
     "signature": "<protected header>..<signature>"}

`signature` is a detached JWS (RFC 7515 appendix F) over the canonical form (RFC 8785) of `contract`. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, Literal

from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from pydantic import Field, StringConstraints
from pydantic import ValidationError as ModelError

from lianzhi.crypto import base64url, jcs, jws, strictjson
from lianzhi.crypto.keyring import Keyring
from lianzhi.crypto.keys import PrivateKey
from lianzhi.errors import RejectedError
from lianzhi.problem import FieldError
from lianzhi.protocol import rules
from lianzhi.protocol.cards import Told, TypeCard
from lianzhi.protocol.envelope import CANONICAL, Code, Timestamp, parse_timestamp
from lianzhi.protocol.rules import Rule

TYP = "lianzhi-contract+jws"
BYTES, DEPTH, FAULTS = 16 << 20, 64, 50
"""How large and deep a file may be, and how many faults of one body are told."""

Template = Annotated[
    str, StringConstraints(pattern=r"^(?:[^{}]|\{time:[^{}.!\[\]]{1,40}\}|\{system\})*$", max_length=200)
]
"""Text with `{time:%Y…}` and `{system}` in it."""


class VerbContract(Told):
    """by: who says it. head: the codes in clear beside the body, of which `head_required` must be there. schema: JSON
    Schema of both together, its `$ref`s into `#/definitions`; None: not described. example: a body. form: of
    `delivered`, its body as templates (`lianzhi.partner.delivered`)."""

    by: Literal["asker", "asked"]
    head: list[str] = []
    head_required: list[str] = []
    body: Annotated[dict[str, Any] | None, Field(alias="schema")] = None
    example: dict[str, Any] | None = None
    form: dict[str, Template] | None = None


class TypeContract(Told):
    """zh, en: as people call it. role: what the participant is in it. definitions: what several schemas share."""

    card: TypeCard
    zh: str
    en: str
    help_zh: str = ""
    help_en: str = ""
    role: Literal["asker", "asked", "both"]
    verbs: dict[str, VerbContract]
    definitions: dict[str, Any] = {}


class ContractDocument(Told):
    """What is signed."""

    version: Literal[1]
    gateway: Code
    participant: Code
    dialect: str
    issued_at: Timestamp
    types: list[TypeContract]


@dataclass(frozen=True)
class Contract:
    """A contract whose signature was verified. kid: of the key that signed it."""

    document: ContractDocument
    kid: str = ""

    @cached_property
    def types(self) -> Mapping[str, TypeContract]:
        return {one.card.name: one for one in self.document.types}

    @cached_property
    def cards(self) -> Mapping[str, TypeCard]:
        return {name: one.card for name, one in self.types.items()}

    @cached_property
    def _validators(self) -> dict[tuple[str, str], Draft202012Validator]:
        return {}

    def covers(self, matter: str, verb: str, dialect: str) -> bool:
        """Whether it says what a message of a conversation in `dialect` looks like: the dialect may have changed since
        the conversation began."""
        known = self.types.get(matter)
        return known is not None and (dialect == self.document.dialect or self._canonical(known.card, verb))

    def delivered(self, matter: str, dialect: str) -> Mapping[str, str] | None:
        """The form of `delivered` in this dialect; None: not told."""
        if not self.covers(matter, "delivered", dialect):
            return None
        known = self.types[matter].verbs.get("delivered")
        return known.form if known else None

    def _canonical(self, card: TypeCard, verb: str) -> bool:
        return self.document.dialect == CANONICAL or card.is_place(verb)

    def faults(self, matter: str, verb: str, body: Any, head: Mapping[str, Any]) -> list[FieldError]:
        """What is wrong with a message, at most `FAULTS`; empty: nothing that a schema can see.

        head: its codes in clear, without `refs`. A null in a dialect is as if it were not there (docs/dialects.md)."""
        known = self.types.get(matter)
        if known is None or verb not in known.verbs:
            return [_told("", rules.OTHER)]
        if not isinstance(body, Mapping):
            return [_told("", rules.OBJECT)]
        if twice := sorted(head.keys() & body.keys()):
            return [_told(f"/{_escaped(name)}", rules.EXTRA) for name in twice]
        schema = known.verbs[verb].body
        if schema is None:
            missing = (name for name in known.verbs[verb].head_required if name not in head)
            return [_told(f"/{name}", rules.MISSING) for name in missing]
        found: list[FieldError] = []
        validator = self._validators.get((matter, verb))
        if validator is None:
            whole = {**schema, "definitions": known.definitions}
            validator = Draft202012Validator(whole, format_checker=FormatChecker())
            self._validators[matter, verb] = validator
        said = body if self._canonical(known.card, verb) else _without_null(body)
        for error in validator.iter_errors({**head, **said}):
            for leaf in _leaves(error):
                found.append(_field_error(leaf))
                if len(found) == FAULTS:
                    return found
        return found


def sign_contract(document: ContractDocument, key: PrivateKey) -> bytes:
    """The file. key: a `sig` key of the gateway."""
    content = document.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    header, _, signature = jws.sign({"typ": TYP}, jcs.canonical(content), key).split(".")
    return strictjson.dumps({"contract": content, "signature": f"{header}..{signature}"}).encode() + b"\n"


def read_contract(
    raw: bytes, *, participant: str, keyring: Keyring, now: datetime, gateway: str | None = None
) -> Contract:
    """gateway: who must have signed it; None: any court that we have a key of.

    Raises RejectedError: too-large and those of `strictjson.loads`, bad-envelope (not of this form), misdirected (for
    another), foreign-key (by another court), bad-header, bad-alg, bad-signature, unknown-kid and the like,
    key-revoked, key-not-valid-at-time. `refusal_words` says what to do."""
    if len(raw) > BYTES:
        raise RejectedError("too-large")
    file = strictjson.loads(raw, depth=DEPTH)
    content, signature = _parts(file)
    header, _, mark = signature.partition("..")
    compact = jws.split(f"{header}.{base64url.encode(jcs.canonical(content))}.{mark}")
    if compact.header.get("typ") != TYP:
        raise RejectedError("bad-header", pointer="/signature")
    try:
        document = ContractDocument.model_validate(content)
    except ModelError as error:
        where = "".join(f"/{step}" for step in error.errors()[0]["loc"])
        raise RejectedError("bad-envelope", pointer=f"/contract{where}") from None
    if document.participant != participant:
        raise RejectedError("misdirected", pointer="/contract/participant")
    if gateway is not None and document.gateway != gateway:
        raise RejectedError("foreign-key", pointer="/contract/gateway")
    key = keyring.verification_key(document.gateway, str(compact.header.get("kid")), "sig")
    if key.revoked_by(now):
        raise RejectedError("key-revoked", pointer="/signature")
    if not key.valid_at(parse_timestamp(document.issued_at)):
        raise RejectedError("key-not-valid-at-time", pointer="/signature")
    jws.verify(compact, key)
    return Contract(document, key.kid)


def refusal_words(error: RejectedError) -> tuple[str, str]:
    """Why a contract is not believed and what to do: in Chinese and in English."""
    pointer = error.errors[0].pointer if error.errors else ""
    if pointer == "/contract/version":
        return "契约由更新的版本写成，请升级本程序", "written by a newer version: update this program"
    told = _REFUSED.get(error.code)
    if told is not None:
        return told
    return f"不是契约文件（{pointer} {error.code}）", f"not a contract ({pointer} {error.code})"


_REFUSED: Mapping[str, tuple[str, str]] = {
    "too-large": ("文件过大，不是契约", "too large for a contract"),
    "misdirected": ("这是另一单位的契约，请索取本方的", "the contract of another participant: ask for ours"),
    "foreign-key": ("由另一法院签发，不是 gateway 所指的法院", "signed by another court than our gateway"),
    "unknown-kid": (
        "签名密钥不在 gateway_keys 中，请一并索取新的公钥文件",
        "signed with a key that is not in gateway_keys: ask for a new key file, too",
    ),
    "bad-signature": ("内容与签名不符，文件被改动过，请重新索取", "altered since it was signed: ask for it again"),
    "key-revoked": ("签名密钥已吊销，请重新索取契约", "signed with a key that is revoked: ask for a new one"),
    "key-not-valid-at-time": (
        "签发时间不在签名密钥的有效期内，请重新索取",
        "signed at a time at which the key was not in force: ask for it again",
    ),
}


def _parts(file: Any) -> tuple[dict[str, Any], str]:
    if not isinstance(file, dict) or file.keys() != {"contract", "signature"}:
        raise RejectedError("bad-envelope", pointer="")
    content, signature = file["contract"], file["signature"]
    if not isinstance(content, dict) or not isinstance(signature, str):
        raise RejectedError("bad-envelope", pointer="")
    return content, signature


_RULES: Mapping[str, Rule] = {
    "required": rules.MISSING,
    "dependentRequired": rules.MISSING,
    "additionalProperties": rules.EXTRA,
    "enum": rules.CODE,
    "const": rules.CODE,
    "pattern": rules.FORM,
    "format": rules.FORM,
    "minLength": rules.BY_TYPE["string_too_short"],
    "maxLength": rules.BY_TYPE["string_too_long"],
    "minimum": rules.BY_TYPE["greater_than_equal"],
    "maximum": rules.BY_TYPE["less_than_equal"],
    "minItems": rules.BY_TYPE["too_short"],
    "maxItems": rules.BY_TYPE["too_long"],
}
_TYPES = {
    "string": rules.TEXT,
    "integer": rules.INTEGER,
    "boolean": rules.BOOLEAN,
    "array": rules.LIST,
    "object": rules.OBJECT,
}
_NAMED = re.compile(r"'((?:[^'\\]|\\.)*)'")


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    """Of a union that nothing fits, the faults in the branch that is meant: the one whose code in the object itself is
    right, and of several the one that went deepest. Where no branch has the code, the codes of all of them."""
    if error.validator not in ("anyOf", "oneOf") or not error.context:
        yield error
        return
    if isinstance(error.schema, Mapping) and "x-lines" in error.schema:
        yield _no_line(error, error.schema)
        return
    branches: dict[Any, list[ValidationError]] = {}
    for one in error.context:
        branches.setdefault(one.schema_path[0], []).append(one)
    meant = [*filter(None, ([e for e in b if not _other_type(e)] for b in branches.values()))] or [*branches.values()]
    kinds = [[e for e in branch if e.validator in ("const", "enum") and len(e.path) == 1] for branch in meant]
    right = [branch for branch, wrong in zip(meant, kinds, strict=True) if not wrong]
    if not right and len({wrong[0].path[0] for wrong in kinds}) == 1 and len(meant) > 1:
        told = kinds[0][0]
        told.validator, told.validator_value = "enum", [code for wrong in kinds for code in _codes(wrong[0])]
        yield told
        return
    for one in max(right or meant, key=_depth):
        yield from _leaves(one)


def _no_line(error: ValidationError, schema: Mapping[str, Any]) -> ValidationError:
    """Members that say one value together (`x-members`) and fit no line of their code table (`x-lines`)."""
    error.validator, error.validator_value = "enum", schema["x-lines"]
    given = error.instance if isinstance(error.instance, Mapping) else {}
    error.path.append(next((name for name in schema["x-members"] if name in given), ""))
    return error


def _other_type(error: ValidationError) -> bool:
    """The value is not of the branch's type at all."""
    return error.validator == "type" and not error.path


def _depth(branch: list[ValidationError]) -> int:
    return max(len(error.absolute_path) for error in branch)


def _codes(error: ValidationError) -> list[Any]:
    limit = error.validator_value
    return list(limit) if isinstance(limit, list) else [limit]


def _without_null(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_null(inner) for name, inner in value.items() if inner is not None}
    return [_without_null(inner) for inner in value] if isinstance(value, list) else value


def _field_error(error: ValidationError) -> FieldError:
    keyword, limit = str(error.validator), error.validator_value
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    at = "".join(f"/{_escaped(step)}" for step in error.absolute_path)
    if keyword in ("required", "dependentRequired"):
        at += f"/{_escaped(_named(error.message))}"
    elif keyword == "additionalProperties" and isinstance(error.instance, Mapping):
        known = schema.get("properties", {})
        at += f"/{_escaped(next((name for name in error.instance if name not in known), ''))}"
    rule = _TYPES.get(str(limit), rules.OTHER) if keyword == "type" else _RULES.get(keyword, rules.OTHER)
    words = ", ".join(map(str, limit)) if isinstance(limit, list) else str(limit)
    if keyword == "pattern":
        words = str(schema.get("x-form", words))
    context = dict.fromkeys(("expected", "pattern", "min_length", "max_length", "ge", "le"), words)
    return _told(at, rule, **context)


def _named(message: str) -> str:
    """The member that is missing: jsonschema says it in its text alone."""
    found = _NAMED.match(message)
    return found.group(1) if found else ""


def _escaped(step: object) -> str:
    return str(step)[:80].replace("~", "~0").replace("/", "~1")


def _told(pointer: str, rule: Rule, **context: str) -> FieldError:
    return FieldError(
        pointer=pointer, rule=rule.name, detail=rule.zh.format_map(context), detail_en=rule.en.format_map(context)
    )
