"""Groups, one submission to several receivers: sends a verb to every member, and tells who has answered (docs/domain.md
2.9).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from pydantic import StringConstraints

from gateway.application.answers import GroupMember, GroupView
from gateway.application.context import Context
from gateway.application.conversation.posted_acts import JSON, SIGNED_WHEN_OPENED_SIGNED, Heard, Said, hear, read_as
from gateway.application.conversation.send_verb import Voice
from gateway.application.idempotency import Before, Idempotency, remembered
from gateway.application.posts import Answer, Handed
from gateway.application.unit_of_work import UnitOfWork
from gateway.core.records import Changes, Request
from gateway.core.requests.cases import acknowledged
from gateway.core.requests.lifecycle import is_done
from gateway.core.requests.turns import waits_for
from gateway.core.routing import Participant
from lianzhi.errors import RejectedError
from lianzhi.protocol.base import Model, label
from lianzhi.protocol.envelope import RequestNo, is_request_no
from lianzhi.protocol.verbs import StaffNo


class GroupAct(Model):
    """A verb said to every member. group_no: required when signed, where it binds the signature to the group."""

    group_no: Annotated[RequestNo | None, label("组编号", "The group; required when signed")] = None
    verb: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]{1,40}$"), label("动作", "What is said")]
    by: Annotated[StaffNo | None, label("经办人", "Staff number of the person who says it")] = None
    data: Annotated[dict[str, Any], label("内容", "Canonical data of the verb")] = {}


class Groups:
    def __init__(self, context: Context, wake: Callable[[], None]) -> None:
        self._ctx = context
        self._voice = Voice(context)
        self._once = Idempotency(context)
        self._wake = wake

    async def view(self, who: Participant, group_no: str) -> GroupView:
        """Complete only when each member has acknowledged. Raises RejectedError unknown-group."""
        members = await self._members(who, group_no)
        views = [
            GroupMember(
                request_no=m.request_no,
                receiver=m.asked,
                state=m.state,
                done=is_done(m),
                acknowledged=acknowledged(m),
                waits_for=waits_for(m, self._ctx.home.code),
            )
            for m in members
        ]
        return GroupView(
            group_no=group_no,
            type=members[0].type,
            members=views,
            complete=all(m.acknowledged for m in views),
            waiting_for=list(dict.fromkeys(m.waits_for for m in views if not m.acknowledged and m.waits_for)),
        )

    async def say(self, handed: Handed, group_no: str) -> Answer:
        """One unit of work. A member that cannot be told so now is listed with the reason; when none can, it is
        refused. Raises RejectedError, StoreUnavailableError."""
        return await self._once.run_once(handed, partial(self._say, handed, group_no), "/v1/groups")

    async def _say(self, handed: Handed, group_no: str, before: Before) -> Answer:
        now = self._ctx.clock.now()
        members = await self._members(handed.participant, group_no)
        heard = hear(self._ctx, handed, group_no, now)
        act = read_as(GroupAct, heard.content)
        if act.group_no not in (None, group_no):
            raise RejectedError("misdirected", pointer="/group_no")
        await self._check_form(heard, act, members)
        return before.answer(heard.kept.digest) or await self._commit(handed, heard, act, group_no, now)

    async def _members(self, who: Participant, group_no: str) -> list[Request]:
        found: list[Request] = []
        if is_request_no(group_no):
            found = await self._ctx.store.requests_of_group(who.code, group_no)
        if not found:
            raise RejectedError("unknown-group", pointer="/group_no")
        return found

    async def _check_form(self, heard: Heard, act: GroupAct, members: list[Request]) -> None:
        envelope = heard.envelope
        if envelope is None:
            opened = await self._ctx.store.submission_of(members[0].request_no)
            signed = opened is not None and opened.content_type != JSON
            if signed and act.verb in SIGNED_WHEN_OPENED_SIGNED:
                raise RejectedError("signature-required", pointer="/verb")
            return
        if envelope.matter_type != members[0].type or envelope.verb != act.verb:
            raise RejectedError("misdirected", pointer="/type")
        if envelope.receiver not in {m.asked for m in members}:
            raise RejectedError("misdirected", pointer="/receiver")
        if act.group_no is None:
            raise RejectedError("misdirected", pointer="/group_no")

    async def _commit(self, handed: Handed, heard: Heard, act: GroupAct, group_no: str, now: datetime) -> Answer:
        changes = Changes()
        async with self._ctx.store.begin() as tx:
            lines = await self._each(UnitOfWork(self._ctx, tx, changes, now), handed, heard, act, group_no)
            answer = Answer(202, {"group_no": group_no, "requests": lines}, f"/v1/groups/{group_no}")
            if heard.act is not None:
                changes.submissions.append(heard.act)
            changes.idempotency.append(remembered(handed, answer, now, group_no))
            await tx.apply(changes)
        if changes.outbox:
            self._wake()
        return answer

    async def _each(
        self, unit: UnitOfWork, handed: Handed, heard: Heard, act: GroupAct, group_no: str
    ) -> list[dict[str, Any]]:
        """Raises the first member's RejectedError when it concerns them all."""
        lines: list[dict[str, Any]] = []
        refused: list[RejectedError] = []
        members = await unit.tx.lock_group(group_no, handed.participant.code)
        for member in members:
            said = Said(
                participant=handed.participant,
                request_no=member.request_no,
                verb=act.verb,
                by=act.by,
                data=act.data,
                act=heard.act,
                trace=handed.trace,
            )
            line: dict[str, Any] = {"request_no": member.request_no, "receiver": member.asked, "state": member.state}
            try:
                told = await self._voice.say(unit, said, member)
                unit.changes.requests.append(member)
                line |= {"state": told["state"], "message_id": told["message_id"]}
            except RejectedError as error:
                refused.append(error)
                line["problem"] = error.code
            lines.append({name: value for name, value in line.items() if value is not None})
        if len(refused) == len(members):
            raise refused[0]
        return lines
