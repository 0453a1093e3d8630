"""Which papers a `blocked` request waits for: every one of them by its kind, as the submission names it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.application.answers import MissingPaper
from gateway.application.context import Context
from gateway.application.submission.retry_blocked import derived_content
from gateway.application.submission.submit import DERIVED
from gateway.core.records import Request, Submission
from lianzhi.crypto.sdjwt import parse
from lianzhi.crypto.strictjson import loads
from lianzhi.protocol.envelope import CONTENT_TYPE
from schemas.validation import documents_of
from schemas.values.labels import document_label

REASON = "document-missing"


async def missing_papers(context: Context, request: Request) -> list[MissingPaper] | None:
    """None: it does not wait for papers. Of a paper that only the payload names without a kind the digest is all.

    Raises StoreUnavailableError.
    """
    if request.state != "blocked" or not (request.reason or "").startswith(REASON):
        return None
    stored = await context.store.submission_of(request.request_no)
    if stored is None:
        return None
    content = _content(stored, context)
    named = documents_of([content.get("documents", []), content.get("payload", {})])
    there = await context.store.documents_readable(request.asker, named)
    kinds = dict(_kinds(content))
    return [_paper(digest, kinds.get(digest)) for digest in named if digest not in there]


def _content(stored: Submission, context: Context) -> Mapping[str, Any]:
    if stored.content_type == CONTENT_TYPE:
        content: Mapping[str, Any] = parse(stored.body, context.limits).content
        return content
    if stored.content_type == DERIVED:
        return derived_content(stored, context.limits.json_depth)[0]
    plain: Mapping[str, Any] = loads(stored.body, depth=context.limits.json_depth)
    return plain


def _kinds(value: Any) -> Iterator[tuple[str, str]]:
    """Digest and kind of every paper that has both, wherever it stands."""
    if isinstance(value, list):
        for one in value:
            yield from _kinds(one)
    elif isinstance(value, dict):
        digest, kind = value.get("sha256"), value.get("kind")
        if isinstance(digest, str) and isinstance(kind, str):
            yield digest, kind
        for one in value.values():
            yield from _kinds(one)


def _paper(digest: str, kind: str | None) -> MissingPaper:
    if kind is None:
        return MissingPaper(sha256=digest)
    zh, en = document_label(kind)
    return MissingPaper(sha256=digest, kind=kind, zh=zh, en=en)
