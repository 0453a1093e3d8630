"""What goes wrong on purpose and must do no harm: the same handed in twice, answers to the wrong case, altered bytes.

Each injection is written into a book of its own, with what has to come of it; the report compares.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, closing
from datetime import UTC, datetime
from typing import Any

import aiohttp
from uuid_utils.compat import uuid7

from lianzhi.amqp.link import Link
from lianzhi.amqp.publisher import ConfirmedPublisher
from lianzhi.client import ClientConfig
from lianzhi.client.signing import Author, Handed, submission
from lianzhi.crypto.sdjwt import issue, parse
from lianzhi.crypto.seal import seal
from lianzhi.partner import PartnerConfig
from lianzhi.protocol.cards import cards
from lianzhi.protocol.envelope import timestamp
from simulation.court.docket import Item
from simulation.parties import HOME
from simulation.reconciliation.journal import Journal

EXCHANGE = "lianzhi.in"
CONFIRM_SECONDS = 10.0


class Insistent:
    """A court system whose answers get lost: it hands the very same bytes in again."""

    def __init__(self, config: ClientConfig, journal: Journal) -> None:
        self._config = config
        self._author = Author(config.court, config.gateway, config.sign_key)
        self._journal = journal
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Insistent:
        self._session = aiohttp.ClientSession(self._config.url, raise_for_status=True)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def hand_in(self, item: Item) -> tuple[str, str | None]:
        """Twice or three times; the number and state that the first one was answered with."""
        draft = item.draft
        handed = submission(
            self._author,
            draft.body,
            receivers=(draft.receiver,),
            sign=draft.signed,
            message_id=str(uuid7()),
            now=datetime.now(UTC),
            cards=cards(),
        )
        first = await self._post(handed, item.key)
        for way in item.injections:
            if way.startswith("duplicate"):
                key = item.key if way == "duplicate-same-key" else f"{item.key}-again"
                again = await self._post(handed, key)
                self._journal.write(way, request_no=first["request_no"], answered=again["request_no"])
        return first["request_no"], first.get("state")

    async def _post(self, handed: Handed, key: str) -> dict[str, Any]:
        assert self._session is not None
        headers = {
            "Authorization": f"Bearer {self._config.token}",
            "Content-Type": handed.content_type,
            "Idempotency-Key": key,
        }
        async with self._session.post(handed.path, data=handed.body, headers=headers) as answer:
            document: dict[str, Any] = await answer.json()
            return document


class Interference:
    """Publishes spoiled answers into agencies' own queues, as their own broker users.

    others: a (request_no, case_no) of another agency or case than the one given.
    """

    def __init__(
        self,
        configs: Mapping[str, PartnerConfig],
        journal: Journal,
        others: Callable[[str, str], tuple[str, str] | None],
    ) -> None:
        self._configs = configs
        self._journal = journal
        self._others = others
        self._stack = AsyncExitStack()
        self._publishers: dict[str, ConfirmedPublisher] = {}

    async def __aenter__(self) -> Interference:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def strike(self, item: Item, request_no: str) -> None:
        """After the genuine answer has been confirmed, so that nothing of the agency's comes after it."""
        ways = [way for way in item.injections if not way.startswith("duplicate")]
        if not ways:
            return
        code = item.draft.receiver
        config = self._configs[code]
        key, genuine, our_seq = _answer(config, request_no)
        for way in ways:
            expected, raw = self._spoiled(way, genuine, config, our_seq, request_no)
            await self._publish(config, key, raw)
            digest = hashlib.sha256(raw).hexdigest()
            self._journal.write(way, request_no=request_no, owner=code, sha256=digest, expect=expected)

    def _spoiled(
        self, way: str, genuine: bytes, config: PartnerConfig, our_seq: int, request_no: str
    ) -> tuple[str, bytes]:
        """The reason under which it must be found in quarantine, and the bytes."""
        if way == "tampered-signature":
            return "bad-signature", tampered_signature(genuine)
        if way == "tampered-disclosure":
            return "bad-disclosure", tampered_disclosure(genuine)
        other = self._others(config.code, request_no)
        assert other is not None, "there are several agencies and cases"
        changed = {"subject": other[0]} if way == "wrong-subject" else {"caseno": other[1]}
        return "misdirected", misfiled(genuine, config, seqno=our_seq + 1, **changed)

    async def _publish(self, config: PartnerConfig, routing_key: str, raw: bytes) -> None:
        publisher = self._publishers.get(config.code)
        if publisher is None:
            link = await self._stack.enter_async_context(Link(config.amqp_url, name=f"interference {config.code}"))
            publisher = ConfirmedPublisher(link, EXCHANGE, user_id=config.broker_user)
            self._stack.push_async_callback(publisher.close)
            self._publishers[config.code] = publisher
        await publisher.publish(routing_key, raw, timeout=CONFIRM_SECONDS)


def _answer(config: PartnerConfig, request_no: str) -> tuple[str, bytes, int]:
    """Routing key and bytes of the agency's result, and its last number, from its ledger's file."""
    with closing(sqlite3.connect(f"file:{config.ledger}?mode=ro", uri=True, timeout=30)) as db:
        routing_key, text = db.execute(
            "SELECT routing_key, text FROM lz_outbox WHERE request_no = ? AND verb = 'result' ORDER BY no DESC",
            (request_no,),
        ).fetchone()
        (our_seq,) = db.execute("SELECT our_seq FROM lz_conversation WHERE request_no = ?", (request_no,)).fetchone()
    return routing_key, text.encode("ascii"), our_seq


def tampered_signature(raw: bytes) -> bytes:
    """One byte altered in the middle of the signature."""
    start, end = raw.rindex(b".", 0, raw.index(b"~")), raw.index(b"~")
    return _flipped(raw, (start + end) // 2)


def tampered_disclosure(raw: bytes) -> bytes:
    """One byte altered in the middle of the payload."""
    start, end = raw.index(b"~"), len(raw) - 1
    return _flipped(raw, (start + end) // 2)


def _flipped(raw: bytes, at: int) -> bytes:
    other = b"A" if raw[at : at + 1] != b"A" else b"B"
    return raw[:at] + other + raw[at + 1 :]


def misfiled(genuine: bytes, config: PartnerConfig, *, seqno: int, **changed: str) -> bytes:
    """The agency's own answer, really signed by it, but about another case. changed: `subject` or `caseno`."""
    parsed = parse(genuine)
    event = parsed.event | {"id": str(uuid7()), "seqno": seqno, "time": timestamp(datetime.now(UTC)), **changed}
    refs = event["data"]["head"]["refs"]
    body = {"items": [{"ref": refs[0], "KZZT": "1", "HZBH": "HZ-000000"}]}
    if parsed.content_kind == "body":
        return issue(event, "body", body, config.sign_key).raw
    key = config.keyring.sealing_key(HOME, at=datetime.now(UTC))
    sealed = seal(body, request_no=event["subject"], message_id=event["id"], key=key)
    return issue(event, "sealed", sealed, config.sign_key).raw
