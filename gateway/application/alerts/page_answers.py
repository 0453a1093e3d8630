"""A page is answered by the link in it: the gateway sends `acknowledge` in the name of the person who was paged."""

from __future__ import annotations

import hmac
from dataclasses import replace

from gateway.application.answers import PageAnswer
from gateway.application.context import Context
from gateway.application.conversation.posted_acts import JSON, Said
from gateway.application.conversation.send_verb import Actor
from gateway.application.page_links import page_token
from gateway.application.posts import Answer, Handed
from gateway.application.submission.submit import fingerprint
from gateway.core.records import Page, Request
from gateway.core.requests.paging import UNANSWERED
from gateway.core.routing import Client
from gateway.core.time.calendar import SHANGHAI
from lianzhi.errors import RejectedError
from lianzhi.problem import FieldError

LINK = Client(id="/page-link", scopes=frozenset(), token_sha256="")
"""Under this name the answers are remembered. No registered client's name has a stroke, so none shares them."""


class PageAnswers:
    def __init__(self, context: Context, actor: Actor) -> None:
        self._ctx = context
        self._actor = actor

    async def acknowledge(self, page_id: str, token: str) -> PageAnswer:
        """Raises RejectedError: not-found (no such link), link-gone, unknown-staff (revoked since)."""
        right = hmac.compare_digest(token.encode(), page_token(self._ctx.hash_key, page_id).encode())
        page = await self._ctx.store.page(page_id) if right else None
        request = None if page is None else await self._ctx.store.request(page.alert)
        if page is None or request is None:
            raise RejectedError("not-found", pointer="/token")
        if page.state == "acknowledged":
            raise link_used()
        if request.state not in UNANSWERED:
            raise _alert_answered()
        answer = await self._say(page, request)
        if answer.replayed:
            raise link_used()
        async with self._ctx.store.begin() as tx:
            await tx.mark_page(replace(page, state="acknowledged"))
        return PageAnswer(page_id=page_id, alert=page.alert, state=str(answer.body["state"]))

    async def _say(self, page: Page, request: Request) -> Answer:
        at = self._ctx.clock.now().astimezone(SHANGHAI).isoformat(timespec="seconds")
        who, path = self._ctx.participant(page.participant), f"/v1/pages/{page.page_id}/acknowledge"
        said = Said(
            participant=who,
            request_no=request.request_no,
            verb="acknowledge",
            by=page.person,
            data={"by": page.person, "at": at},
        )
        return await self._actor.say_for(
            Handed(who, LINK, page.page_id, fingerprint("POST", path, b""), JSON, b""), said
        )


def old_link() -> RejectedError:
    """The token stood in the query, where every proxy on the way wrote it down."""
    return _gone(
        "link-form",
        "这是旧式链接，不再受理；请用新的呼叫链接，或在系统内确认该预警",
        "A link of the old form is not taken any more; use the one of a newer page, or acknowledge the alert in the "
        "court's own system",
    )


def link_used() -> RejectedError:
    return _gone("link-used", "该链接已用过，预警已确认", "The link was used: its alert is acknowledged")


def _alert_answered() -> RejectedError:
    return _gone(
        "alert-answered", "该预警已有人处理，链接随之失效", "Its alert was answered, and the link ended with it"
    )


def _gone(rule: str, zh: str, en: str) -> RejectedError:
    return RejectedError("link-gone", [FieldError(pointer="/token", rule=rule, detail=zh, detail_en=en)])
