"""The pages at /docs: OpenAPI and AsyncAPI for people, Chinese first, without a script and without anything foreign.

Written here and not by a browser's component: those load a document of megabytes as a whole, want inline styles that
the policy forbids, and know neither the codes' words (`x-labels`) nor what is sealed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

from adapters.registry import kinds, speakers
from gateway.http.description.markup import Content, both, code, el, link, page, shown, table
from gateway.http.description.members import members_table
from lianzhi.protocol.verbs import VERBS

STYLE = Path(__file__).with_name("docs.css")
_HOME = {"/docs": "说明"}
_CALLS = {**_HOME, "/docs/openapi": "接口"}
_MESSAGES = {**_HOME, "/docs/asyncapi": "消息"}
_BY = {
    "partner": ("单位 → 法院", "partner to court"),
    "court": ("法院 → 单位", "court to partner"),
    "both": ("双方", "both"),
}
Document = Mapping[str, Any]


def index_page(dialects: Iterable[str]) -> bytes:
    """Where everything is."""
    return page(
        "说明 Documentation",
        {},
        el("h1", *both("联执接口与消息", "Lianzhi: calls and messages")),
        el(
            "p",
            *both(
                "本页由运行中的网关写出，与其版本一致。", "Written by the gateway that runs, so always of its version."
            ),
        ),
        el("h2", link("/docs/openapi", *both("接口", "The API")), id="openapi"),
        el(
            "p",
            *both("法院系统用 HTTP 提交请求、读取结果。", "Court systems submit requests and read results by HTTP."),
        ),
        el("p", link("/openapi.json", "OpenAPI 3.1 · JSON")),
        el("h2", link("/docs/asyncapi", *both("消息", "The messages")), id="asyncapi"),
        el(
            "p",
            *both(
                "各单位经队列收发的报文，按方言、事项、动作列出。",
                "What agencies say and hear by queues, by dialect, type and verb.",
            ),
        ),
        _dialect_table(dialects),
        el("p", link("/asyncapi.json", "AsyncAPI 3.0 · JSON"), "（全部方言 all dialects）"),
    )


def dialects_page(dialects: Iterable[str]) -> bytes:
    return page(
        "消息 Messages",
        _HOME,
        el("h1", *both("各方言的消息", "Messages of each dialect")),
        el(
            "p",
            *both(
                "方言是一类单位所用的字段名和代码。选择贵单位的方言。",
                "A dialect is the names and codes that a kind of partner uses.",
            ),
        ),
        _dialect_table(dialects),
    )


def _dialect_table(dialects: Iterable[str]) -> ET.Element:
    heads = (("方言", "Dialect"), ("单位", "Partners"), ("机读", "For programs"))
    return table(
        heads,
        ([link(_of(d), code(d)), _speakers(d), link(f"/asyncapi.json?dialect={quote(d)}", "JSON")] for d in dialects),
    )


def _speakers(dialect: str) -> str:
    named = [kinds()[kind] for kind in sorted(speakers(dialect))]
    return "、".join(f"{one.zh} {one.en}" for one in named)


def _of(dialect: str, type_: str = "") -> str:
    more = f"&type={quote(type_)}" if type_ else ""
    return f"/docs/asyncapi?dialect={quote(dialect)}{more}"


def types_in(asyncapi: Document) -> dict[str, list[Document]]:
    """The messages of each type, in the document's order."""
    found: dict[str, list[Document]] = {}
    for message in asyncapi["components"]["messages"].values():
        found.setdefault(message["x-type"], []).append(message)
    return found


def dialect_page(asyncapi: Document, dialect: str) -> bytes:
    """The types of one dialect with their verbs, its channels, and the forms that all messages share."""
    rows: list[list[Content]] = []
    for type_, messages in types_in(asyncapi).items():
        verbs: list[Content] = []
        for message in messages:
            verbs += [link(f"{_of(dialect, type_)}#{message['x-verb']}", _verb_zh(message)), "、"]
        rows.append(
            [el("span", _type_zh(messages), " ", link(_of(dialect, type_), code(type_))), el("span", *verbs[:-1])]
        )
    channels: list[list[Content]] = [
        [code(c["address"]), _channel_zh(name)] for name, c in asyncapi["channels"].items()
    ]
    return page(
        dialect,
        _MESSAGES,
        el("h1", *both(f"{dialect}：{_speakers(dialect)}", "messages")),
        el("p", link(f"/asyncapi.json?dialect={quote(dialect)}", "AsyncAPI 3.0 · JSON")),
        el("h2", *both("事项与动作", "Types and verbs")),
        table((("事项", "Type"), ("动作", "Verbs")), rows),
        el("h2", *both("队列", "Queues")),
        table((("地址", "Address"), ("用途", "Use")), channels),
        *_shared(asyncapi),
    )


def _shared(asyncapi: Document) -> Iterable[Content]:
    schemas = asyncapi["components"]["schemas"]
    yield el("h2", *both("线上形式", "The wire"), id="wire")
    yield el("p", schemas["Wire"]["description"], lang="en")
    for name, zh, en in (
        ("WireHeader", "受保护头", "Protected header"),
        ("Envelope", "请求内报文的信封", "Envelope of a message in a request"),
        ("OutsideEnvelope", "请求外报文的信封", "Envelope of a message outside any request"),
    ):
        yield el("h3", *both(zh, en), id=name)
        yield from members_table(schemas[name], asyncapi)


def _channel_zh(name: str) -> str:
    return {
        "toPartner": "单位接收 taken by the partner",
        "toPartnerUrgent": "单位接收，紧急 taken by the partner, urgent",
        "fromPartner": "单位发出的路由键 routing key of what the partner publishes",
    }[name]


def _verb_zh(message: Document) -> str:
    verb = VERBS.get(message["x-verb"])
    return verb.zh if verb else str(message["title"])


def _type_zh(messages: list[Document]) -> str:
    return "请求之外" if messages[0]["x-type"] == "lianzhi.gateway" else str(messages[0]["title"]).split(" · ", 1)[0]


def type_page(asyncapi: Document, dialect: str, type_: str) -> bytes:
    """Every message of one type in one dialect."""
    messages = types_in(asyncapi)[type_]
    contents = [el("li", link(f"#{m['x-verb']}", *both(_verb_zh(m), m["x-verb"]))) for m in messages]
    sections = [part for message in messages for part in _message(asyncapi, dialect, message)]
    return page(
        type_,
        {**_MESSAGES, _of(dialect): dialect},
        el("h1", *both(_type_zh(messages), f"{type_} · {dialect}")),
        el("ul", *contents, class_="verbs"),
        el(
            "p",
            *both(
                "“明文”成员在信封的 data.head，其余在披露的正文。",
                "Members marked clear stand in data.head, the rest in the disclosed body.",
            ),
        ),
        *sections,
    )


def _message(asyncapi: Document, dialect: str, message: Document) -> Iterable[Content]:
    yield el("h2", *both(_verb_zh(message), message["x-verb"]), id=message["x-verb"])
    way = _BY[message["x-by"]]
    facts: list[Content] = [
        *both(*way),
        " · ",
        *(both("密封", "sealed") if message["x-sealed"] else both("不密封", "not sealed")),
    ]
    yield el("p", *facts, " · ", code(message["name"]), class_="facts")
    must = ", ".join(message["x-head-required"])
    if must:
        yield el("p", *both("必有的明文代码：", "Codes in clear that must be there: "), code(must))
    yield from members_table(message["x-body"], asyncapi, tuple(message["x-head"]))
    if "x-example" in message:
        yield shown("完整示例（未签名）", "Whole example (signed by nobody)", message["x-example"])
    if "x-form" in message:
        yield shown("自动送达的模板", "Template of the automatic answer", message["x-form"])
    if named := _named(asyncapi, message):
        yield shown("规范名称对照", "Canonical names", named)


def _named(asyncapi: Document, message: Document) -> Any:
    name = message["x-body"]["$ref"].rsplit("/", 1)[-1]
    return asyncapi["components"]["schemas"][name].get("x-canonical")


def openapi_page(openapi: Document) -> bytes:
    """Every call."""
    calls = [(path, method, call) for path, item in openapi["paths"].items() for method, call in item.items()]
    rows = [
        [link(f"#{c['operationId']}", c["summary"]), code(f"{method.upper()} {path}"), _scope(c)]
        for path, method, c in calls
    ]
    sections = [part for path, method, call in calls for part in _call(openapi, path, method, call)]
    return page(
        "接口 API",
        _HOME,
        el("h1", *both("接口", "The API")),
        el(
            "p",
            openapi["info"]["summary"],
            " · ",
            openapi["info"]["version"],
            " · ",
            link("/openapi.json", "OpenAPI 3.1 · JSON"),
        ),
        table((("说明", "What"), ("调用", "Call"), ("权限", "Scope")), rows),
        *sections,
    )


def _scope(call: Document) -> Content:
    return code(call["security"][0]["bearer"][0]) if call["security"] else "无需凭证 open"


def _call(openapi: Document, path: str, method: str, call: Document) -> Iterable[Content]:
    yield el("h2", call["summary"], id=call["operationId"])
    yield el("p", code(f"{method.upper()} {path}"), " · ", _scope(call), class_="facts")
    if "description" in call:
        yield el("p", call["description"], lang="en")
    if call["parameters"]:
        heads = (("参数", "Parameter"), ("位置", "In"), ("必填", "Required"), ("含义", "Meaning"))
        yield table(heads, (_parameter(p) for p in call["parameters"]))
    for media_type, content in call.get("requestBody", {}).get("content", {}).items():
        yield el("h3", *both("请求正文", "Body"), " ", code(media_type), *_linked(content.get("schema", {})))
        for name, example in content.get("examples", {}).items():
            yield shown(str(example["summary"]), name, example["value"])
    yield el("h3", *both("答复", "Answers"))
    yield table((("状态", "Status"), ("含义", "Meaning")), (_answer(s, a) for s, a in call["responses"].items()))
    for status, answer in call["responses"].items():
        yield from _example_answers(openapi, status, answer)


def _parameter(parameter: Document) -> list[Content]:
    schema = parameter["schema"]
    english = schema.get("description") or parameter.get("description", "")
    meaning = el("span", *both(str(schema.get("title", "")), str(english)))
    return [code(parameter["name"]), parameter["in"], "是 yes" if parameter.get("required") else "否 no", meaning]


def _answer(status: str, answer: Document) -> list[Content]:
    schemas = [part for content in answer["content"].values() for part in _linked(content.get("schema", {}))]
    lines = [line.removeprefix("- ").replace("`", "") for line in answer["description"].splitlines()]
    return [code(status), el("span", *(el("span", line, class_="line") for line in lines), *schemas)]


def _example_answers(openapi: Document, status: str, answer: Document) -> Iterable[Content]:
    for content in answer["content"].values():
        for name, example in content.get("examples", {}).items():
            if "$ref" not in example:  # problems: one form, shown at `Problem`
                yield shown(f"{status} {example['summary']}", name, example["value"])


def _linked(schema: Document) -> list[Content]:
    """Links to the schemas that stand there."""
    found = [schema["$ref"]] if "$ref" in schema else [one["$ref"] for one in schema.get("anyOf", ()) if "$ref" in one]
    parts: list[Content] = []
    for ref in found:
        name = ref.rsplit("/", 1)[-1]
        parts += [" ", link(f"/docs/openapi?schema={quote(name)}", name)]
    return parts


def schema_page(openapi: Document, name: str) -> bytes:
    """One schema with its members."""
    schema = openapi["components"]["schemas"][name]
    variants = schema.get("discriminator", {}).get("mapping", {})
    parts: list[Content] = []
    for value, ref in variants.items():
        parts.append(el("li", link(f"/docs/openapi?schema={quote(ref.rsplit('/', 1)[-1])}", value)))
    pieces = schema.get("allOf", [schema])
    tables = [part for piece in pieces for part in members_table(piece, openapi, named="/docs/openapi?schema=")]
    return page(
        name,
        _CALLS,
        el("h1", code(name)),
        el("p", str(schema.get("title", "")), " ", str(schema.get("description", ""))),
        el("ul", *parts) if parts else None,
        *(tables if not variants else []),
        shown("机读", "JSON Schema", schema),
    )
