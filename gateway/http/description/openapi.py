"""The OpenAPI 3.1 document, from the table of operations, the catalogue and the models; no server is needed.

What a client may send is described per matter type and per verb, so that a form or a generator sees every member
with its Chinese label (`title`) and its English one (`description`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any, cast

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from gateway.application.cases.approve import ApprovalAct
from gateway.application.cases.reassign import ReassignOrder
from gateway.application.cases.release import ReleaseOrder
from gateway.application.conversation.groups import GroupAct
from gateway.application.conversation.posted_acts import Act
from gateway.application.submission.documents import MEDIA_TYPES
from gateway.http.description.operations import OPERATIONS, Operation
from gateway.http.description.submissions import ANSWERS, bodies
from gateway.http.inputs import IDEMPOTENCY_KEY
from lianzhi.errors import RejectedError
from lianzhi.problem import REASONS, Problem
from lianzhi.protocol.envelope import CONTENT_TYPE, REQUEST_NO
from lianzhi.protocol.verbs import VERBS
from schemas.bodies import Submission, content_model
from schemas.catalogue import MatterType
from schemas.closures import ClosureEvent
from schemas.duty import Roster

REF = "#/components/schemas/{model}"
_NAMES: Mapping[str, str] = {
    "schemas__bodies__": "schemas__results__",
    "schemas__parts__items__": "schemas__items__",
    "schemas__matters__dept__property_query__": "schemas__matters__dept_query__",
}
"""A module's path as pydantic writes it into some components' names → as it was published. A court system names its
generated classes by it, so the name stays where the module moves."""
PATH_PARAMETERS: Mapping[str, dict[str, Any]] = {
    "group_no": {"type": "string", "pattern": f"^{REQUEST_NO}$", "title": "组编号", "description": "Group"},
    "release_no": {"type": "string", "pattern": f"^{REQUEST_NO}$", "title": "解除编号", "description": "Release"},
    "no": {"type": "string", "pattern": f"^{REQUEST_NO}$", "title": "请求编号", "description": "Request number"},
    "ledger": {"type": "string", "maxLength": 40, "title": "台账", "description": "Name of a ledger"},
    "type": {"type": "string", "maxLength": 100, "title": "事项", "description": "Matter type"},
    "measure_no": {
        "type": "string",
        "pattern": f"^{REQUEST_NO}-[1-9][0-9]{{0,4}}$",
        "title": "措施编号",
        "description": "Number of the measure",
    },
    "page_id": {"type": "string", "maxLength": 64, "title": "呼叫编号", "description": "Number of the page"},
    "token": {
        "type": "string",
        "pattern": "^[A-Za-z0-9_-]{43}$",
        "title": "令牌",
        "description": "From the link in the page: it acknowledges that page's alert, once, and nothing else",
    },
    "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$", "title": "摘要", "description": "SHA-256, hexadecimal"},
}
HOME_ALONE = "For clients of the home court alone."
KEY_PARAMETER = {
    "name": IDEMPOTENCY_KEY,
    "in": "header",
    "required": True,
    "description": "Same key and bytes: the same answer, and nothing happens twice. Kept as long as the request.",
    "schema": {
        "type": "string",
        "pattern": "^[!-~]{1,200}$",
        "title": "幂等键",
        "description": "Chosen by the client, once for each thing that is said",
    },
}
SIGNED = {
    "type": "string",
    "title": "签名提交",
    "description": "`<JWS>~<disclosure>~`, typ lianzhi-submission+sd-jwt; the disclosed body is the JSON form",
    "pattern": "^[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+~[A-Za-z0-9_-]+~$",
}
Schema = dict[str, Any]
BODIES: Mapping[str, str] = {
    "submission": "AnySubmission",
    "act": "AnyAct",
    "approval": ApprovalAct.__name__,
    "group-act": GroupAct.__name__,
    "release": ReleaseOrder.__name__,
    "reassign": ReassignOrder.__name__,
    "closure": ClosureEvent.__name__,
    "roster": Roster.__name__,
}
_SUCCESS = {
    200: "成功 · OK",
    201: "已创建 · Created",
    202: "已提交入库 · Committed",
    304: "未改变（If-None-Match） · Not modified",
}
_NEVER_SIGNED = ("closure", "roster")


def openapi_document(catalogue: Mapping[str, MatterType]) -> Schema:
    """A document of its own at each call: the caller may change it."""
    refs, schemas = _schemas(catalogue)
    examples = bodies(catalogue)
    paths: dict[str, Schema] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, refs, examples)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "联执 Lianzhi",
            "version": version("lianzhi-gateway"),
            "summary": "法院与协助执行单位之间的签名交换 · Signed exchange between courts and agencies",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "examples": _problem_examples(),
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "lz_<client>_<43 characters>, or a partner's JWT",
                    "description": "A court system's token; or, to read only, a JWT signed with the participant's "
                    "`sig` key: header exactly alg, kid, typ `JWT`; iss = sub = participant; aud = the home "
                    "court; at most five minutes; to write, a `jti` of its own for each call.",
                },
            },
        },
    }


def _operation(operation: Operation, refs: Mapping[type[BaseModel], Schema], examples: Mapping[str, Schema]) -> Schema:
    document: Schema = {
        "operationId": operation.id,
        "summary": f"{operation.zh} · {operation.en}",
        "parameters": _parameters(operation),
        "responses": {str(s): _answer(operation.id, s, content, refs) for s, content in operation.answers.items()}
        | _problems(operation.all_problems, refs[Problem]),
        "security": _security(operation),
    }
    if operation.help or operation.home:
        document["description"] = f"{operation.help} {HOME_ALONE if operation.home else ''}".strip()
    if operation.body is not None:
        document["requestBody"] = {"required": True, "content": _body(operation.body, examples.get(operation.body, {}))}
    return document


def _security(operation: Operation) -> list[Schema]:
    return [{"bearer": [operation.scope]}] if operation.scope else []


def _parameters(operation: Operation) -> list[Schema]:
    names = [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]
    found: list[Schema] = [
        {"name": name, "in": "path", "required": True, "schema": PATH_PARAMETERS[name]} for name in names
    ]
    query = operation.query.model_json_schema()
    for name, schema in query.get("properties", {}).items():
        plain = {key: value for key, value in schema.items() if key not in ("anyOf", "default") or value is not None}
        choices = [s for s in plain.pop("anyOf", ()) if s != {"type": "null"}]
        required = {"required": True} if name in query.get("required", ()) else {}
        found.append({"name": name, "in": "query", **required, "schema": {**plain, **(choices[0] if choices else {})}})
    return [*found, KEY_PARAMETER] if operation.keyed else found


def _body(kind: str, examples: Schema) -> Schema:
    """examples: of its JSON form. The signed form is text that only its signer can make."""
    if kind == "document":
        return {media_type: {"schema": {}} for media_type in MEDIA_TYPES}
    json_form: Schema = {"schema": {"$ref": REF.format(model=BODIES[kind])}, "examples": examples}
    return (
        {"application/json": json_form}
        if kind in _NEVER_SIGNED
        else {
            "application/json": json_form,
            CONTENT_TYPE: {"schema": SIGNED},
        }
    )


def _answer(
    operation: str, status: int, content: Iterable[type[BaseModel] | str], refs: Mapping[type[BaseModel], Schema]
) -> Schema:
    models = [refs[item] for item in content if not isinstance(item, str)]
    described: Schema = {item: {"schema": {}} for item in content if isinstance(item, str)}
    if models:
        described["application/json"] = {"schema": models[0] if len(models) == 1 else {"anyOf": models}}
        if operation in ANSWERS:
            summary, value = ANSWERS[operation]
            described["application/json"]["examples"] = {operation: {"summary": summary, "value": value}}
    answer: Schema = {"description": _SUCCESS[status]}
    if status in (201, 202):
        answer["headers"] = {"Location": {"schema": {"type": "string"}}}
    return answer | {"content": described}


def _problem_examples() -> Schema:
    """One of each reason that some call may answer, by its code."""
    codes = {code for operation in OPERATIONS for code in operation.all_problems}
    return {
        code: {"summary": f"{REASONS[code].zh} · {code}", "value": RejectedError(code).problem().document()}
        for code in sorted(codes)
    }


def _problems(codes: Iterable[str], problem: Schema) -> Schema:
    """One response for each status, which names its codes."""
    by_status: dict[int, list[str]] = {}
    for code in dict.fromkeys(codes):
        by_status.setdefault(REASONS[code].status, []).append(code)
    return {
        str(status): {
            "description": "\n".join(f"- `{c}`: {REASONS[c].zh} · {REASONS[c].en}" for c in named),
            "content": {
                "application/problem+json": {
                    "schema": problem,
                    "examples": {c: {"$ref": f"#/components/examples/{c}"} for c in named},
                }
            },
            **({"headers": {"Retry-After": {"schema": {"type": "integer"}}}} if status in (429, 503) else {}),
        }
        for status, named in sorted(by_status.items())
    }


def _schemas(catalogue: Mapping[str, MatterType]) -> tuple[dict[type[BaseModel], Schema], Schema]:
    """(model → reference, every schema by name)."""
    sent: list[type[BaseModel]] = [
        Submission,
        Act,
        ApprovalAct,
        GroupAct,
        ReleaseOrder,
        ReassignOrder,
        ClosureEvent,
        Roster,
    ]
    sent += [m.request for m in catalogue.values()]
    sent += [verb.model for verb in VERBS.values() if verb.model is not None]
    contents = {
        (verb, m.name): model
        for verb in ("result", "correct")
        for m in catalogue.values()
        if (model := content_model(m, verb)) is not None
    }
    got: list[type[BaseModel]] = [Problem]
    for operation in OPERATIONS:
        got += [item for content in operation.answers.values() for item in content if not isinstance(item, str)]
    modes: list[tuple[type[BaseModel], JsonSchemaMode]] = []
    modes += [(model, "validation") for model in dict.fromkeys([*sent, *contents.values()])]
    modes += [(model, "serialization") for model in dict.fromkeys(got)]
    found, document = models_json_schema(modes, ref_template=REF)
    refs = {cast("type[BaseModel]", model): _published(ref) for (model, _), ref in found.items()}
    schemas: Schema = dict(sorted(_published(document["$defs"]).items()))
    schemas |= _variants(
        "AnySubmission", "type", refs[Submission], "payload", {m.name: [refs[m.request]] for m in catalogue.values()}
    )
    said = {v.name: [refs[v.model]] for v in VERBS.values() if v.model is not None}
    for (verb_name, _), model in contents.items():
        said.setdefault(verb_name, []).append(refs[model])
    schemas |= _variants("AnyAct", "verb", refs[Act], "data", said)
    return refs, schemas


def _published(schema: Mapping[str, Any]) -> Schema:
    """The same with the names of `_NAMES`."""
    text = json.dumps(schema, ensure_ascii=False)
    for now, published in _NAMES.items():
        text = text.replace(now, published)
    return cast("Schema", json.loads(text))


def _variants(
    name: str, tag: str, base: Schema, member: str, contents: Mapping[str, list[Schema]]
) -> dict[str, Schema]:
    """`name`: one of the variants of `base`, told apart by `tag`, each with its own `member`."""
    variants: dict[str, Schema] = {}
    for value, models in sorted(contents.items()):
        content = models[0] if len(models) == 1 else {"anyOf": models}
        own = {"type": "object", "properties": {tag: {"const": value}, member: content}}
        variants[f"{name}.{value}"] = {"allOf": [base, own]}
    mapping = {key.removeprefix(f"{name}."): REF.format(model=key) for key in variants}
    return variants | {
        name: {
            "oneOf": [{"$ref": ref} for ref in mapping.values()],
            "discriminator": {"propertyName": tag, "mapping": mapping},
        }
    }
