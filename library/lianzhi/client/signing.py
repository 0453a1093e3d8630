"""Writes a submission as bytes: plain JSON, or signed with the court system's own `sub` key. Pure.

A signed submission is the same SD-JWT as a message, with `typ: lianzhi-submission+sd-jwt`, canonical, with the member
`gateway` and without `subject` and `seqno` (docs/contracts.md 3.1). The spool keeps it; it is not made again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lianzhi.client.wire import JSON
from lianzhi.crypto.jcs import over
from lianzhi.crypto.keyring import PrivateKey
from lianzhi.crypto.sdjwt import SUBMISSION_TYP, issue
from lianzhi.crypto.strictjson import dumps
from lianzhi.errors import MisuseError
from lianzhi.protocol.cards import TypeCard
from lianzhi.protocol.envelope import CANONICAL, CONTENT_TYPE, dataschema, timestamp

REQUESTS = "/v1/requests"


@dataclass(frozen=True, slots=True)
class Handed:
    """One POST body. content: what was meant, without salt, id and signature; for the spool's fingerprint."""

    path: str
    content_type: str
    body: bytes
    content: Any


@dataclass(frozen=True, slots=True)
class Author:
    """Who says it: our court, by which gateway, and the key of this court system if it has one."""

    court: str
    gateway: str
    key: PrivateKey | None

    def signs(self, wanted: bool | None, otherwise: bool) -> bool:
        """wanted: what the caller asked for; None: `otherwise`. Raises MisuseError without a key."""
        sign = otherwise if wanted is None else wanted
        if sign and self.key is None:
            raise MisuseError("须签名提交，但没有配置签名私钥（sign_key） must be signed, but there is no sign_key")
        return sign


def submission(
    author: Author,
    body: Mapping[str, Any],
    *,
    receivers: Sequence[str],
    sign: bool | None,
    message_id: str,
    now: datetime,
    cards: Mapping[str, TypeCard],
    bind: bool = False,
) -> Handed:
    """The POST that opens a request. sign: None = signed whenever we have a key and one signature covers it.
    body: flat, as in docs/examples.md; receivers: may be empty when it names them.
    bind: its approvals are said to be over this very submission, where they do not say so themselves.

    Raises MisuseError: no type, a signed one without exactly one receiver where its type does not go to several
    (docs/adr/0011), no key to sign with.
    """
    matter_name, version = body.get("type"), body.get("schema_version")
    if not isinstance(matter_name, str) or not isinstance(version, int):
        raise MisuseError("提交内容须有 type 和 schema_version the body needs type and schema_version")
    named = (
        list(receivers) or [body["receiver"]] if "receiver" in body or receivers else list(body.get("receivers", ()))
    )
    card = cards.get(matter_name)
    together = bool(named) and (len(named) == 1 or (card is not None and card.fan_out))
    if not author.signs(sign, together and author.key is not None):
        plain = {**body, **_addressed(receivers)}
        return Handed(REQUESTS, JSON, dumps(_bound(plain, _named(plain)) if bind else plain).encode(), plain)
    if not together:
        raise MisuseError(
            "该事项的签名提交每次只发一个单位 a signed submission of this type goes to exactly one receiver"
        )
    content = {name: value for name, value in body.items() if name not in ("receiver", "receivers")}
    if len(named) > 1:  # the envelope names the first
        content["receivers"] = named
    sent = _bound(content, named) if bind else content
    raw = _signed(author, matter_name, "open", version, named[0], sent, message_id, now)
    return Handed(REQUESTS, CONTENT_TYPE, raw, {"receiver": named[0], "signed": content})


def approval_digest(body: Mapping[str, Any], receivers: Sequence[str] = ()) -> str:
    """What an approver of this submission agrees to: `over` of an approval (docs/adr/0024).

    body: as it is given to `CourtClient.submit`; receivers: where it does not name them. Show the approver the
    submission, then keep the digest with the approval; if the submission changes, it is another digest.
    """
    return over(body, list(receivers) or _named(body))


def _bound(content: Mapping[str, Any], receivers: Sequence[str]) -> dict[str, Any]:
    """With the digest in each approval that has none."""
    given = content.get("approvals")
    if not given:
        return dict(content)
    digest = over(content, receivers)
    return {**content, "approvals": [{**one, "over": one.get("over") or digest} for one in given]}


@dataclass(frozen=True, slots=True)
class Act:
    """A verb said in a request. sealed, message_id: a location result that its author sealed."""

    request_no: str
    verb: str
    by: str | None
    data: Mapping[str, Any]
    sealed: str | None = None
    message_id: str | None = None

    def members(self) -> dict[str, Any]:
        said = {
            "request_no": self.request_no,
            "verb": self.verb,
            "by": self.by,
            "data": dict(self.data),
            "sealed": self.sealed,
            "message_id": self.message_id,
        }
        return {name: value for name, value in said.items() if value is not None}

    @property
    def path(self) -> str:
        return f"{REQUESTS}/{self.request_no}/messages"


def plain_act(act: Act) -> Handed:
    """As plain JSON."""
    members = act.members()
    return Handed(act.path, JSON, dumps(members).encode(), _meant(act))


def signed_act(
    author: Author, act: Act, *, matter: str, version: int, receiver: str, message_id: str, now: datetime
) -> Handed:
    """As a signed submission of the type `lianzhi.<matter>.<verb>`; receiver: the other party."""
    raw = _signed(author, matter, act.verb, version, receiver, act.members(), message_id, now)
    return Handed(act.path, CONTENT_TYPE, raw, {"signed": _meant(act)})


def statement(
    author: Author,
    path: str,
    content: Mapping[str, Any],
    *,
    matter: str,
    verb: str = "open",
    version: int = 1,
    receiver: str,
    sign: bool,
    message_id: str,
    now: datetime,
) -> Handed:
    """A word about a request, a group or a case: plain JSON, or signed as `lianzhi.<matter>.<verb>`."""
    said = {name: value for name, value in content.items() if value is not None}
    if not sign:
        return Handed(path, JSON, dumps(said).encode(), said)
    raw = _signed(author, matter, verb, version, receiver, said, message_id, now)
    return Handed(path, CONTENT_TYPE, raw, {"signed": said})


def _meant(act: Act) -> dict[str, Any]:
    """Without what differs each time that the same thing is sealed."""
    return {name: value for name, value in act.members().items() if name not in ("sealed", "message_id")}


def _named(body: Mapping[str, Any]) -> list[str]:
    return [body["receiver"]] if body.get("receiver") else list(body.get("receivers") or ())


def _addressed(receivers: Sequence[str]) -> dict[str, Any]:
    if not receivers:
        return {}
    return {"receiver": receivers[0]} if len(receivers) == 1 else {"receivers": list(receivers)}


def _signed(
    author: Author,
    matter: str,
    verb: str,
    version: int,
    receiver: str,
    content: Mapping[str, Any],
    message_id: str,
    now: datetime,
) -> bytes:
    if author.key is None:
        raise MisuseError("没有配置签名私钥（sign_key） there is no sign_key")
    event = {
        "specversion": "1.0",
        "id": message_id,
        "source": f"//{author.court}",
        "receiver": receiver,
        "gateway": author.gateway,
        "type": f"lianzhi.{matter}.{verb}",
        "time": timestamp(now),
        "dataschema": dataschema(CANONICAL, matter, verb, version),
        "datacontenttype": "application/json",
    }
    return issue(event, "body", content, author.key, typ=SUBMISSION_TYP).raw
