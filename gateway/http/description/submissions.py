"""Whole example bodies and answers for the OpenAPI document. What they name does not exist."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from adapters.registry import kinds
from gateway.core.example_acts import EXAMPLE_ACTS
from lianzhi.protocol.verbs import VERBS
from schemas.catalogue import Kind, MatterType
from schemas.validation import parse_open

_DAY = date(2026, 3, 24)
_HANDLER, _DRAFTER = "sn0199-0007", "sn0199-0031"
_CASE, _REQUEST, _AT = "（2026）陕0199执900001号", "court-sn0199-20260324-000001", "2026-03-24T09:41:00+08:00"
_BODIES: Mapping[str, tuple[str, dict[str, Any]]] = {
    "approval": (
        "同意 · approve",
        {"by": "sn0199-0003", "role": "bureau-chief", "decision": "approve", "reason": "同意"},
    ),
    "group-act": (
        "向全组催办 · urge every member",
        {"verb": "urge", "by": _HANDLER, "data": dict(EXAMPLE_ACTS["urge"])},
    ),
    "release": ("案件解除 · the debtor has paid", {"case_no": _CASE, "reason": "paid", "by": "sn0199-0003"}),
    "reassign": (
        "院内团队调整 · another handler of our court",
        {
            "case_no": _CASE,
            "mode": "in-court-team",
            "handler": "sn0199-0011",
            "legal_basis": ["CPL-117"],
            "by": "sn0199-0003",
        },
    ),
    "closure": (
        "终本 · terminated",
        {"event": "closed", "case_no": _CASE, "on": "2026-03-24", "by": _HANDLER},
    ),
    "roster": (
        "一个班次 · one shift",
        {"shifts": [{"begins": "2026-03-24T08:00:00+08:00", "ends": "2026-03-25T08:00:00+08:00", "person": _HANDLER}]},
    ),
}
ANSWERS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "submit-request": (
        "已受理 · accepted",
        {"request_no": _REQUEST, "receiver": "grid-610199", "state": "approved", "type": "grid.verify.request"},
    ),
    "say": (
        "已发出 · said",
        {
            "request_no": _REQUEST,
            "state": "completed",
            "message_id": "01970000-0000-7000-8000-000000000001",
            "seqno": 2,
        },
    ),
    "decide": (
        "已同意 · approved",
        {"request_no": _REQUEST, "state": "approved", "missing": [], "requests": []},
    ),
    "read-events": ("没有新事件 · nothing new", {"events": [], "cursor": "0000000000000001"}),
    "list-requests": ("没有请求 · none", {"requests": []}),
    "list-measures": ("没有措施 · none", {"measures": []}),
    "put-document": (
        "已入库 · stored",
        {"sha256": "0" * 64, "size": 20480, "media_type": "application/pdf", "at": "2026-03-24T01:41:00.000Z"},
    ),
    "put-duty-roster": (
        "已登记 · recorded",
        {"shifts": [{"begins": "2026-03-24T08:00:00+08:00", "ends": "2026-03-25T08:00:00+08:00", "person": _HANDLER}]},
    ),
    "live": ("运行中 · alive", {"alive": True}),
    "ready": ("可受理 · ready", {"ready": True, "broker": "connected", "marks": "both"}),
}
"""By operation: what is answered to a 2xx."""


def submissions(catalogue: Mapping[str, MatterType]) -> dict[str, dict[str, Any]]:
    """Example Objects by type: the catalogue's payload with everything around it. Types that courts submit."""
    return {
        name: {"summary": f"{matter.zh} · {matter.en}", "value": _submission(matter)}
        for name, matter in sorted(catalogue.items())
        if matter.example_request
    }


def acts() -> dict[str, dict[str, Any]]:
    """Example Objects by verb, of those whose content is the same whatever its type."""
    return {
        verb: {"summary": f"{VERBS[verb].zh} · {verb}", "value": {"verb": verb, "by": _HANDLER, "data": dict(data)}}
        for verb, data in EXAMPLE_ACTS.items()
    }


def bodies(catalogue: Mapping[str, MatterType]) -> dict[str, dict[str, dict[str, Any]]]:
    """Example Objects for each kind of body (`operations.Body`)."""
    return {"submission": submissions(catalogue), "act": acts()} | {
        kind: {kind: {"summary": words, "value": value}} for kind, (words, value) in _BODIES.items()
    }


def _submission(matter: MatterType) -> dict[str, Any]:
    payload = parse_open(matter, dict(matter.example_request))
    rule = matter.approvals(payload)
    papers = matter.papers(payload, _DAY)
    receiver = min(matter.receivers & kinds().keys())
    return {
        "type": matter.name,
        "schema_version": matter.version,
        "receiver": "court-sn0528" if receiver == Kind.COURT else f"{receiver}-610199",
        **({"case_no": _CASE} if matter.case_required or Kind.COURT in matter.senders else {}),
        "legal_basis": ["CPL-117"],
        "purpose": "example",
        "urgency": "normal",
        "handler": _HANDLER,
        "drafted_by": _DRAFTER,
        **({"approvals": _approvals(rule.people, rule.roles)} if rule.people else {}),
        **({"documents": [_document(str(kind)) for kind in papers]} if papers else {}),
        "payload": dict(matter.example_request),
    }


def _approvals(people: int, roles: Any) -> list[dict[str, Any]]:
    named = [*roles, *["bureau-chief"] * people][: max(people, len(roles))]
    return [
        {
            "by": f"sn0199-{n:04d}",
            "role": role,
            "decision": "approve",
            "at": _AT,
            "reason": "同意",
        }
        for n, role in enumerate(named, 1)
    ]


def _document(kind: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "number": "（2026）陕0199执900001号之一",
        "issued_on": "2026-03-20",
        "sha256": "0" * 64,
        "pages": 2,
        "media_type": "application/pdf",
        "sealed_by": "court-sn0199",
    }
