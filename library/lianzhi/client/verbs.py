"""What a court says after it has submitted.

One method for each verb that courts send most (docs/domain.md 2.2; `answer` sends any verb), approvals, verbs to a
group, release and reassignment of a case.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from uuid_utils.compat import uuid7

from lianzhi.client import signing
from lianzhi.client.answers import (
    AcceptedMessage,
    CaseInfo,
    Decided,
    GroupInfo,
    Reassigned,
    Released,
    ReleaseInfo,
    RequestInfo,
    SaidToGroup,
    read_answer,
)
from lianzhi.client.signing import Author, Handed

CASES, GROUPS = "/v1/cases", "/v1/groups"


class Verbs(ABC):
    """by: the registered staff number of the person who says it. key and errors: as `CourtClient.submit`."""

    @abstractmethod
    async def answer(
        self,
        request_no: str,
        verb: str,
        data: Mapping[str, Any] | None = None,
        *,
        by: str | None = None,
        sign: bool | None = None,
        key: str | None = None,
    ) -> AcceptedMessage:
        """Any verb."""

    async def confirm(
        self, request_no: str, *, by: str, why: str | None = None, key: str | None = None
    ) -> AcceptedMessage:
        """确认办结: the result is accepted."""
        return await self.answer(request_no, "confirm", _given(why=why), by=by, key=key)

    async def reopen(
        self, request_no: str, *, by: str, why: str, reason_code: str = "other", key: str | None = None
    ) -> AcceptedMessage:
        """退回重办: the result is not accepted. reason_code: incomplete, wrong-object, invalid-body, other."""
        return await self.answer(request_no, "reopen", {"why": why, "reason_code": reason_code}, by=by, key=key)

    async def withdraw(
        self, request_no: str, *, by: str, reason_code: str, reason: str | None = None, key: str | None = None
    ) -> AcceptedMessage:
        """撤回. reason_code: paid, settled, ended, revoked, wrong, duplicate, other."""
        data = {"reason_code": reason_code, **_given(reason=reason)}
        return await self.answer(request_no, "withdraw", data, by=by, key=key)

    async def urge(
        self,
        request_no: str,
        *,
        by: str,
        level: int = 1,
        reply_by: str | None = None,
        note: str | None = None,
        key: str | None = None,
    ) -> AcceptedMessage:
        """催办. level: 1 to 9; reply_by: RFC 3339 with offset."""
        data = {"level": level, **_given(reply_by=reply_by, note=note)}
        return await self.answer(request_no, "urge", data, by=by, key=key)

    async def supplement(
        self,
        request_no: str,
        *,
        by: str,
        documents: Sequence[Mapping[str, Any]] = (),
        fields: Sequence[Mapping[str, str]] = (),
        key: str | None = None,
    ) -> AcceptedMessage:
        """补正: the papers and fields that were asked for."""
        data = {"documents": [dict(d) for d in documents], "fields": [dict(f) for f in fields]}
        return await self.answer(request_no, "supplement", data, by=by, key=key)


class Decisions(ABC):
    """Approvals, groups, whole cases. by: registered staff number. key and errors: as `CourtClient.submit`."""

    @abstractmethod
    async def request(self, request_no: str) -> RequestInfo:
        """One request as it stands."""

    @abstractmethod
    async def _get(self, path: str, params: Mapping[str, str] | None = None) -> Any: ...

    @abstractmethod
    async def _say(self, handed: Handed, key: str) -> Any: ...

    @abstractmethod
    def _speaks(self) -> tuple[Author, str, datetime]:
        """(who signs, the gateway's own court, now)."""

    async def approve(
        self,
        request_no: str,
        *,
        by: str,
        role: str,
        decision: str = "approve",
        reason: str | None = None,
        at: str | None = None,
        kind: str = "approval",
        submission: Mapping[str, Any] | None = None,
        receivers: Sequence[str] = (),
        over: str | None = None,
        sign: bool | None = None,
        key: str | None = None,
    ) -> Decided:
        """审批. decision: approve, reject; kind: approval, or review of what was sent first; at: RFC 3339, absent: now.

        submission, receivers: what the approver was shown, as it was given to `submit`; or over, its `approval_digest`.

        sign: None = signed when we have a key: what was submitted signed is approved signed."""
        author, _, now = self._speaks()
        request = await self.request(request_no)
        content = {
            "request_no": request_no,
            "by": by,
            "role": role,
            "decision": decision,
            "reason": reason,
            "at": at,
            "over": signing.approval_digest(submission, receivers) if over is None and submission else over,
            "kind": None if kind == "approval" else kind,
        }
        handed = signing.statement(
            author,
            f"{signing.REQUESTS}/{quote(request_no)}/approvals",
            content,
            matter=request.type,
            verb="approve",
            version=request.version,
            receiver=request.asked,
            sign=author.signs(sign, author.key is not None),
            message_id=str(uuid7()),
            now=now,
        )
        return read_answer(Decided, await self._say(handed, key or str(uuid7())))

    async def group(self, group_no: str) -> GroupInfo:
        """Who has acknowledged."""
        return read_answer(GroupInfo, await self._get(f"{GROUPS}/{quote(group_no)}"))

    async def say_to_group(
        self,
        group_no: str,
        verb: str,
        data: Mapping[str, Any] | None = None,
        *,
        by: str | None = None,
        sign: bool | None = None,
        key: str | None = None,
    ) -> SaidToGroup:
        """A verb to every member. sign: None = only a `supplement`, when we have a key."""
        author, _, now = self._speaks()
        wants = author.signs(sign, verb == "supplement" and author.key is not None)
        matter, version, receiver = "", 1, ""
        if wants:
            group = await self.group(group_no)
            first = await self.request(group.members[0].request_no)
            matter, version, receiver = first.type, first.version, first.asked
        handed = signing.statement(
            author,
            f"{GROUPS}/{quote(group_no)}/messages",
            {"group_no": group_no, "verb": verb, "by": by, "data": dict(data or {})},
            matter=matter,
            verb=verb,
            version=version,
            receiver=receiver,
            sign=wants,
            message_id=str(uuid7()),
            now=now,
        )
        return read_answer(SaidToGroup, await self._say(handed, key or str(uuid7())))

    async def case(self, case_no: str) -> CaseInfo:
        """Open requests, live measures, releases."""
        return read_answer(CaseInfo, await self._get(CASES, {"case_no": case_no}))

    async def release(
        self,
        case_no: str,
        *,
        by: str,
        reason: str,
        exceptions: Mapping[str, str] | None = None,
        documents: Sequence[Mapping[str, Any]] = (),
        key: str | None = None,
    ) -> Released:
        """案件解除: withdraws and ends everything of the case. Always signed.

        reason: paid, settled, ended, revoked; exceptions: number of a request or measure → why it stays; documents:
        papers that the endings want."""
        content = {
            "case_no": case_no,
            "reason": reason,
            "by": by,
            "exceptions": [{"no": number, "why": why} for number, why in (exceptions or {}).items()],
            "documents": [dict(paper) for paper in documents],
        }
        answer = await self._about_case("release", content, key)
        return read_answer(Released, {"release_no": answer.get("request_no"), **answer})

    async def released(self, release_no: str) -> ReleaseInfo:
        """Who has acknowledged."""
        return read_answer(ReleaseInfo, await self._get(f"{CASES}/release/{quote(release_no)}"))

    async def reassign(self, case_no: str, *, by: str, mode: str, key: str | None = None, **members: Any) -> Reassigned:
        """交叉执行. mode: order, raise, concentrate (with new_case_no, to_court), in-court-team; members: handler,
        handler_name, team, legal_basis. Always signed."""
        content = {"case_no": case_no, "mode": mode, "by": by, **members}
        return read_answer(Reassigned, await self._about_case("reassign", content, key))

    async def _about_case(self, act: str, content: Mapping[str, Any], key: str | None) -> Any:
        author, gateway, now = self._speaks()
        handed = signing.statement(
            author,
            f"{CASES}/{act}",
            content,
            matter=f"case.{act}",
            receiver=gateway,
            sign=author.signs(True, True),
            message_id=str(uuid7()),
            now=now,
        )
        return await self._say(handed, key or str(uuid7()))


def _given(**members: str | None) -> dict[str, str]:
    return {name: value for name, value in members.items() if value is not None}
