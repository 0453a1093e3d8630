"""One method for each verb that courts send most (docs/domain.md 2.2); `answer` sends any verb."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from lianzhi.client.answers import AcceptedMessage


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


def _given(**members: str | None) -> dict[str, str]:
    return {name: value for name, value in members.items() if value is not None}
