"""A page is answered by the link in it: the gateway says `acknowledge` in the name of the person that was paged."""

from __future__ import annotations

import hmac
from dataclasses import replace

from gateway.core.approvals import SHANGHAI
from gateway.core.paging import UNANSWERED
from gateway.core.records import Page, Request
from gateway.core.routing import Client
from gateway.errors import RejectedError
from gateway.services.act import Actor
from gateway.services.context import Context
from gateway.services.page_links import page_token
from gateway.services.saying import Said
from gateway.services.submit import fingerprint
from gateway.services.views import PageAnswer

LINK = Client(id="page-link", scopes=frozenset(), token_sha256="")
"""Under this name the answers are remembered: a link that is followed twice acknowledges once."""


class PageAnswers:
    def __init__(self, context: Context, actor: Actor) -> None:
        self._ctx = context
        self._actor = actor

    async def acknowledge(self, page_id: str, token: str) -> PageAnswer:
        """Raises RejectedError: unauthorized (not the token of that page), unknown-staff (revoked since)."""
        right = hmac.compare_digest(token, page_token(self._ctx.hash_key, page_id))
        page = await self._ctx.store.page(page_id) if right else None
        request = None if page is None else await self._ctx.store.request(page.alert)
        if page is None or request is None:
            raise RejectedError("unauthorized", pointer="/token")
        state = request.state
        if state in UNANSWERED:
            state = await self._say(page, request)
            async with self._ctx.store.begin() as tx:
                await tx.mark_page(replace(page, state="acknowledged"))
        return PageAnswer(page_id=page_id, alert=page.alert, state=state)

    async def _say(self, page: Page, request: Request) -> str:
        at = self._ctx.clock.now().astimezone(SHANGHAI).isoformat(timespec="seconds")
        answer = await self._actor.say(
            Said(
                participant=self._ctx.participant(page.participant),
                client=LINK,
                key=page.page_id,
                fingerprint=fingerprint("POST", f"/v1/pages/{page.page_id}/acknowledge", b""),
                request_no=request.request_no,
                verb="acknowledge",
                by=page.person,
                data={"by": page.person, "at": at},
            )
        )
        return str(answer.body["state"])
