"""Writes our messages, signed and where needed sealed, for the outbox.

A reply is numbered, names what it answers, repeats the case number, and is written in the conversation's dialect;
the result of a `location` type is canonical and sealed to the key that the `open` named (docs/contracts.md 3.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import ValidationError
from uuid_utils.compat import uuid7

from lianzhi.crypto.keyring import Keyring
from lianzhi.crypto.keys import PrivateKey
from lianzhi.crypto.sdjwt import SignedMessage, issue, parse
from lianzhi.crypto.seal import seal
from lianzhi.errors import MisuseError
from lianzhi.partner.ledger.records import Conversation, OutboxRow
from lianzhi.protocol.cards import TypeCard
from lianzhi.protocol.contract import Contract
from lianzhi.protocol.envelope import CANONICAL, Head, dataschema, envelope_members, timestamp
from lianzhi.protocol.ordering import marked, origin_for
from lianzhi.protocol.tracing import TRACEPARENT, Attributes, Making, Tracer, about, parse_traceparent
from lianzhi.protocol.verbs import VERBS, CorrectMixin, ResultBase, refs_in

Content = Literal["body", "sealed"]
_BEARS_REFS = ("open", "result", "correct")


@dataclass(frozen=True, slots=True)
class Saying:
    """What the application says: checked when it is made, so that a mistake shows where it was made.

    body: in the dialect. head: the codes in clear. id: given now, so that a retried transaction says the same. trace:
    `traceparent` of what it is an answer to, or of the work that says it.
    Raises MisuseError: unknown verb, a head member that the verb does not carry, lacks, or writes wrongly.
    """

    verb: str
    body: Mapping[str, Any]
    head: dict[str, Any]
    handling: str | None = None
    id: str = field(default_factory=lambda: str(uuid7()))
    trace: str | None = None

    def __post_init__(self) -> None:
        verb = VERBS.get(self.verb)
        if verb is None:
            raise MisuseError(f"没有“{self.verb}”这种动作 no such verb: {self.verb}")
        allowed = {*verb.head, *(("refs",) if self.verb in _BEARS_REFS else ())}
        if extra := self.head.keys() - allowed:
            raise MisuseError(f"{self.verb} 的 head 只能有 {sorted(allowed)} the head may not carry {sorted(extra)}")
        if missing := _required(self.verb) - self.head.keys():
            raise MisuseError(f"{self.verb} 的 head 缺少 {sorted(missing)} the head lacks {sorted(missing)}")
        try:
            Head.model_validate(self.head)
        except ValidationError as error:
            where = ", ".join(str(e["loc"][0]) for e in error.errors())
            raise MisuseError(f"{self.verb} 的 head 不合规则 wrong head members: {where}") from error


class Writer:
    """Writes for one participant. contract: what it may say; None: nothing is validated before it is sent. tracer: None
    where nothing is traced."""

    def __init__(
        self,
        code: str,
        key: PrivateKey,
        keyring: Keyring,
        cards: Mapping[str, TypeCard],
        reply_key: str,
        contract: Contract | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        self.code = code
        self.tracer = tracer
        self._key = key
        self._keyring = keyring
        self._cards = cards
        self._reply_key = reply_key
        self._contract = contract

    def card(self, name: str) -> TypeCard:
        """Raises MisuseError when there is no such type."""
        if (found := self._cards.get(name)) is None:
            raise MisuseError(f"没有“{name}”这种事项 no such matter type: {name}")
        return found

    def delivered_form(self, conversation: Conversation) -> Mapping[str, str] | None:
        """How the contract writes `delivered` in this conversation; None: it does not tell."""
        if self._contract is None:
            return None
        return self._contract.delivered(conversation.type, conversation.dialect)

    def say(
        self,
        conversation: Conversation,
        saying: Saying,
        now: datetime,
        *,
        related: str | None = None,
        ours: bool = False,
    ) -> OutboxRow:
        """Our next message in this conversation, which is changed: number used, verb marked.

        ours: what the library says by itself is not held against the contract: what came in is kept whatever
        `partner.toml` calls `delivered`.

        Raises MisuseError: not our side's verb, nothing to answer, a ref that the request does not have, a body that
        the contract does not allow, or no key of the receiver in force.
        """
        verb = VERBS[saying.verb]
        if verb.by != conversation.role:
            raise MisuseError(f"{saying.verb} 由对方说 is not ours to say in {conversation.request_no}")
        opens = saying.verb == "open"
        origin = None if opens else origin_for(conversation.marks, saying.verb, verb.by, saying.handling)
        if origin is None and not opens:
            raise MisuseError(
                f"{conversation.request_no} 中没有可供 {saying.verb} 回复的报文 nothing to answer with {saying.verb}"
            )
        card = self.card(conversation.type)
        if told := card.unlawful.get(saying.verb):
            raise MisuseError(f"{told.zh} {told.en}")
        if not ours:
            self._check(conversation, saying)
        made = None if self.tracer is None else Making(self.tracer, parse_traceparent(saying.trace))
        conversation.our_seq += 1
        event = self._event(conversation, saying, card, now) | {
            "seqno": conversation.our_seq,
            "causationid": origin and origin[0],
            "originhash": origin and origin[1],
            "caseno": conversation.case_no,
            "related": related,
            "data": {"head": self._head(conversation, saying)},
        }
        if not event["data"]["head"]:
            event["data"] = {}
        if saying.verb == "open" and card.result_class.sealed:
            event["replykey"] = self._reply_key
        content_kind, content = self._content(conversation, saying, card, now)
        if made is not None:
            event[TRACEPARENT] = str(made.context)
        signed = issue(envelope_members(event), content_kind, content, self._key)
        if made is not None:
            made.made(conversation.type, saying.verb, _told(conversation, saying))
        conversation.marks = marked(conversation.marks, saying.verb, (saying.id, signed.digest))
        lane = "urgent" if card.urgent(saying.verb, conversation.lane) else "normal"
        key = f"{self.code}.{lane}.{conversation.type}.{saying.verb}"
        return _row(signed, event, key, saying.verb, now)

    def _event(self, c: Conversation, saying: Saying, card: TypeCard, now: datetime) -> dict[str, Any]:
        dialect = CANONICAL if card.is_place(saying.verb) else c.dialect
        return {
            "specversion": "1.0",
            "id": saying.id,
            "source": f"//{self.code}",
            "receiver": c.peer,
            "type": f"lianzhi.{c.type}.{saying.verb}",
            "subject": c.request_no,
            "time": timestamp(now),
            "dataschema": dataschema(dialect, c.type, saying.verb, c.version),
            "datacontenttype": "application/json",
        }

    def _head(self, conversation: Conversation, saying: Saying) -> dict[str, Any]:
        head = {name: value for name, value in saying.head.items() if value is not None}
        if saying.verb in _BEARS_REFS and "refs" not in head and (refs := list(dict.fromkeys(refs_in(saying.body)))):
            head["refs"] = refs
        foreign = set(head.get("refs", ())) - set(conversation.refs)
        if saying.verb != "open" and foreign:
            raise MisuseError(f"{conversation.request_no} 中没有 {sorted(foreign)} these refs are not the request's")
        return head

    def _check(self, conversation: Conversation, saying: Saying) -> None:
        """By the contract, before a number is used. Raises MisuseError with each fault: pointer, rule, what to do."""
        matter = conversation.type
        if self._contract is None or not self._contract.covers(matter, saying.verb, conversation.dialect):
            return
        codes = {name: value for name, value in saying.head.items() if value is not None and name != "refs"}
        if faults := self._contract.faults(matter, saying.verb, saying.body, codes):
            told = "; ".join(f"{f.pointer or '/'} {f.rule}: {f.detail}（{f.detail_en}）" for f in faults)
            raise MisuseError(f"{matter} {saying.verb} 不合契约 does not keep the contract: {told}")

    def _content(self, c: Conversation, saying: Saying, card: TypeCard, now: datetime) -> tuple[Content, Any]:
        if not card.classification(saying.verb).sealed:
            return "body", saying.body
        kid = c.reply_key if saying.verb in ("result", "correct") else None
        key = self._keyring.sealing_key(c.peer, at=now, kid=kid)
        return "sealed", seal(saying.body, request_no=c.request_no, message_id=saying.id, key=key)

    def outside(
        self, kind: str, receiver: str, body: Mapping[str, Any], now: datetime, cause: str | None = None
    ) -> OutboxRow:
        """A message outside any request. kind: `lianzhi.gateway.ping` or `.pong`; cause: the id it answers."""
        event = {
            "specversion": "1.0",
            "id": str(uuid7()),
            "source": f"//{self.code}",
            "receiver": receiver,
            "type": kind,
            "time": timestamp(now),
            "datacontenttype": "application/json",
            "causationid": cause,
        }
        verb = kind.rpartition(".")[2]
        signed = issue(envelope_members(event), "body", body, self._key)
        return _row(signed, event, f"{self.code}.normal.gateway.{verb}", verb, now)

    def renumbered(self, row: OutboxRow, seqno: int, now: datetime) -> OutboxRow | None:
        """The same words under another id and number, signed anew; None for a sealed one, whose ids are inside."""
        parsed = parse(row.text.encode("ascii"))
        if parsed.content_kind == "sealed":
            return None
        event = parsed.event | {"id": str(uuid7()), "seqno": seqno, "time": timestamp(now)}
        signed = issue(event, "body", parsed.content, self._key)
        return _row(signed, event, row.routing_key, row.verb, now)


def _told(c: Conversation, saying: Saying) -> Attributes:
    """What a span says of our message."""
    return about(request_no=c.request_no, matter_type=c.type, verb=saying.verb, partner=c.peer, message_id=saying.id)


def _required(verb: str) -> set[str]:
    models = {"result": (ResultBase,), "correct": (ResultBase, CorrectMixin)}.get(verb) or (VERBS[verb].model,)
    fields = {name: f for model in models if model for name, f in model.model_fields.items()}
    return {name for name in VERBS[verb].head if name in fields and fields[name].is_required()}


def _row(signed: SignedMessage, event: Mapping[str, Any], routing_key: str, verb: str, now: datetime) -> OutboxRow:
    return OutboxRow(
        id=event["id"],
        request_no=event.get("subject"),
        seqno=event.get("seqno"),
        verb=verb,
        routing_key=routing_key,
        text=signed.raw.decode("ascii"),
        made_at=now.astimezone(UTC).isoformat(timespec="milliseconds"),
        cause=event.get("causationid"),
    )
