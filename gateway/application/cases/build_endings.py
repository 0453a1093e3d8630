"""The endings of the measures of a case: built from what was asked, proved like any submission (docs/adr/0014)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gateway.application.context import Context, new_id
from gateway.application.conversation.posted_acts import JSON
from gateway.application.posts import Handed
from gateway.application.submission.retry_blocked import derived_content
from gateway.application.submission.submit import DERIVED, Prepared, Submitter
from gateway.application.submission.validate import Prover
from gateway.core.records import Measure, Request, Submission
from gateway.core.time.calendar import SHANGHAI, local_day
from lianzhi.crypto.sdjwt import parse
from lianzhi.crypto.strictjson import dumps, loads
from lianzhi.errors import MisuseError, RejectedError
from schemas.catalogue import LiveMeasure, MatterType
from schemas.validation import InvalidError, parse_open


@dataclass(frozen=True, slots=True)
class Ordered:
    """Who lets the case go, why, and what the court system signed. documents: for the endings that want papers."""

    handed: Handed
    signed: Submission
    case_no: str
    reason: str
    by: str
    documents: Sequence[Mapping[str, Any]]
    now: datetime


@dataclass(slots=True)
class Ending:
    """measures: that end together (one entry with several recipients). prepared: the requests that end them, or
    problem: why somebody must do it by hand."""

    measures: list[Measure]
    prepared: Prepared | None = None
    submission: Submission | None = None
    problem: str | None = None

    def request_for(self, measure: Measure) -> str | None:
        requests = self.prepared.requests if self.prepared is not None else []
        return next((r.request_no for r in requests if r.asked == measure.asked), None)


@dataclass(slots=True)
class _Asked:
    """What opened some measures, read again."""

    matter: MatterType
    content: Mapping[str, Any]
    payload: Any
    per_receiver: bool
    measures: list[tuple[Measure, Request]] = field(default_factory=list)


class Endings:
    def __init__(self, context: Context, submitter: Submitter) -> None:
        self._ctx = context
        self._submitter = submitter
        self._prover = Prover(context)

    async def build(self, order: Ordered, measures: Sequence[Measure], requests: Mapping[str, Request]) -> list[Ending]:
        """One ending for each measure, or for each entry that several recipients keep. requests: that opened them."""
        found: list[Ending] = []
        asked: dict[tuple[str, str], _Asked] = {}
        for measure in measures:
            request = requests[measure.request_no]
            try:
                opened = await self._opened(request)
            except ValueError as error:
                found.append(Ending([measure], problem=str(error)))
                continue
            key = (request.submission_id or "", measure.ref) if opened.per_receiver else (measure.measure_no, "")
            asked.setdefault(key, opened).measures.append((measure, request))
        return found + [await self._ending(order, one) for one in asked.values()]

    async def _opened(self, request: Request) -> _Asked:
        """Raises ValueError: a code."""
        matter = self._ctx.catalogue[request.type]
        if matter.ending is None or matter.ended_by is None:
            raise ValueError("no-ending-type")
        stored = await self._ctx.store.submission_of(request.request_no)
        if stored is None:
            raise ValueError("submission-missing")
        try:
            content = self._content(stored)
            payload = parse_open(matter, content["payload"], stored=True)
        except (RejectedError, InvalidError) as error:
            raise ValueError("submission-unreadable") from error
        rule = matter.measure(payload)
        return _Asked(matter, content, payload, rule is not None and rule.per_receiver)

    def _content(self, stored: Submission) -> Mapping[str, Any]:
        depth = self._ctx.limits.json_depth
        if stored.content_type == JSON:
            content: Mapping[str, Any] = loads(stored.body, depth=depth)
            return content
        if stored.content_type == DERIVED:
            return derived_content(stored, depth)[0]
        signed: Mapping[str, Any] = parse(stored.body, self._ctx.limits).content
        return signed

    async def _ending(self, order: Ordered, asked: _Asked) -> Ending:
        ending = Ending([m for m, _ in asked.measures])
        try:
            content = self._submission(order, asked)
            body = dumps({"from": order.signed.id, "digest": order.signed.digest, "content": content}).encode()
            identity = (new_id(), order.signed.digest)
            client, who = order.handed.client, order.handed.participant
            proof = self._prover.derived(who, client, content, identity, order.now)
            ending.prepared = await self._submitter.prepare(order.handed, proof, order.now)
        except ValueError as error:
            ending.problem = str(error)
            return ending
        except RejectedError as error:
            ending.problem = error.code
            return ending
        ending.prepared.derived = True
        ending.submission = Submission(
            sender=who.code,
            id=identity[0],
            digest=hashlib.sha256(body).hexdigest(),
            content_type=DERIVED,
            body=body,
            client=client.id,
            request_no=ending.prepared.requests[0].request_no,
            at=order.now,
        )
        return ending

    def _submission(self, order: Ordered, asked: _Asked) -> dict[str, Any]:
        """As the court system would have handed it in. Raises ValueError: a code."""
        measure, request = asked.measures[0]
        matter = asked.matter
        if matter.ending is None or matter.ended_by is None:
            raise MisuseError(f"{matter.name} has no ending")
        ended = self._ctx.catalogue[matter.ended_by]
        payload = matter.ending(asked.payload, self._live(order, measure, request), order.reason)
        receivers = [m.asked for m, _ in asked.measures]
        return {
            "type": ended.name,
            "schema_version": ended.version,
            **({"receiver": receivers[0]} if len(receivers) == 1 else {"receivers": receivers}),
            "case_no": order.case_no,
            "legal_basis": list(asked.content["legal_basis"]),
            "purpose": "release",
            "urgency": "immediate",
            "handler": order.by,
            "drafted_by": order.by,
            "await_approval": True,
            "documents": self._papers(order, ended, payload),
            "payload": dict(payload),
        }

    def _papers(self, order: Ordered, ended: MatterType, payload: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Of those that the release brought, the kinds that this ending wants."""
        try:
            wanted = ended.papers(parse_open(ended, dict(payload), stored=True), local_day(order.now))
        except InvalidError as error:
            raise ValueError("ending-invalid") from error
        return [dict(paper) for paper in order.documents if paper["kind"] in wanted]

    def _live(self, order: Ordered, measure: Measure, request: Request) -> LiveMeasure:
        return LiveMeasure(
            measure_no=measure.measure_no,
            ref=measure.ref,
            request_no=measure.request_no,
            case_no=request.facts.get("opened_case_no", measure.case_no),
            number=measure.control_no,
            published_no=request.group_no or request.request_no,
            start_on=measure.start_on,
            end_on=measure.end_on,
            on=order.now.astimezone(SHANGHAI).date().isoformat(),
        )
