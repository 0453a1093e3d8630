"""`CourtClient`: what a court system does at the gateway, in one object.

    async with CourtClient.from_config(ClientConfig.load("client.toml")) as client:
        async for done in client.resume(): ...              # what a crash left without an answer
        accepted = await client.submit(body, receiver="police-610199", key="case-900001-step-4")
        async for event in client.events(): ...             # at least once, across restarts

What is submitted is committed to the spool before the first attempt and sent until the gateway answers, the same bytes
under the same key; so it is accepted once or refused by name, never lost and never doubled (docs/contracts.md 3.3,
docs/architecture.md 4).
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import time_ns
from types import TracebackType
from typing import Any
from urllib.parse import quote

from uuid_utils.compat import uuid7

from lianzhi.client import signing
from lianzhi.client.answers import (
    Accepted,
    AcceptedMessage,
    Event,
    Message,
    Opened,
    RequestInfo,
    StoredDocument,
    TimelineEvent,
    read_answer,
)
from lianzhi.client.bounds import CURSOR_LENGTH, DEFAULT_BOUNDS, ClientBounds
from lianzhi.client.config import ClientConfig, close_files, places
from lianzhi.client.documents import Papers
from lianzhi.client.feed import Feed
from lianzhi.client.problems import InvalidBodyError, UnexpectedAnswerError
from lianzhi.client.sending import Resumed, Sender
from lianzhi.client.signing import Act, Author, Handed
from lianzhi.client.spool import Spool, answer_of
from lianzhi.client.traces import read
from lianzhi.client.trust import ADDRESS, KeyBook, open_message
from lianzhi.client.verbs import Decisions, Verbs
from lianzhi.client.wire import Backoff, Reply, Wire, until_answered
from lianzhi.crypto.keyring import Keyring, PrivateKey
from lianzhi.crypto.seal import seal
from lianzhi.errors import ConfigurationError, RejectedError
from lianzhi.printable import printable
from lianzhi.protocol.cards import TypeCard, cards
from lianzhi.protocol.contract import Contract, read_contract
from lianzhi.protocol.verbs import split
from lianzhi.spans import TracingSettings, open_tracer

REQUESTS = signing.REQUESTS


def _now() -> datetime:
    return datetime.now(UTC)


class CourtClient(Verbs, Decisions):
    """One court system at one gateway. Use it with `async with`; it belongs to the event loop that entered it.

    token: `lz_<client>_…`. court, gateway: codes; the gateway is the home court of the installation. spool: a file
    of this client's own. sign_key: our `sub` key. open_keys: our `enc` keys. gateway_jwks: a JWK Set handed over
    at registration; without it the gateway's is pinned when first seen. timeout: seconds for one attempt.
    patience: seconds after which a call that only reads gives up (UnavailableError). wait: seconds that the gateway
    may hold an empty feed back. folder, files: of the configuration, closed to other users on entering. bounds: how
    much of an answer is read. tracing: where traces go; None: nowhere.

    Whatever the gateway answers, every call ends with its result or with an error of this library (`LianzhiError`);
    StoreUnavailableError when the spool cannot be read or written.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        court: str,
        gateway: str,
        spool: Path,
        sign_key: PrivateKey | None = None,
        open_keys: Sequence[PrivateKey] = (),
        gateway_jwks: Mapping[str, Any] | None = None,
        ca_file: Path | None = None,
        folder: Path | None = None,
        files: tuple[Path, ...] = (),
        timeout: float = 30.0,
        patience: float = 60.0,
        wait: int = 30,
        backoff: Backoff | None = None,
        now: Callable[[], datetime] = _now,
        bounds: ClientBounds = DEFAULT_BOUNDS,
        contract: bytes | None = None,
        tracing: TracingSettings | None = None,
    ) -> None:
        self.court, self.gateway = court, gateway
        self._now = now
        self._patience = patience
        self._backoff = backoff or Backoff()
        self._author = Author(court, gateway, sign_key)
        context = None if ca_file is None else ssl.create_default_context(cafile=ca_file)
        self._wire = Wire(base_url, token, timeout=timeout, ssl_context=context, bounds=bounds)
        self._places = partial(places, spool, folder, files)
        self._spool = Spool(spool, f"{court}@{gateway}", now)
        self._tracer = None if tracing is None else open_tracer(tracing, court)
        self._sender = Sender(self._wire, self._spool, self._backoff, self._tracer)
        self._feed = Feed(self._wire, self._spool, self._backoff, wait=wait)
        self._papers = Papers(self._wire, self._backoff, patience)
        self._keys = KeyBook(self._spool, open_keys, gateway_jwks, partial(self._get, ADDRESS), bounds.keys)
        self._raw_contract = contract
        self._agreed: Contract | None = None
        self._cards: Mapping[str, TypeCard] = cards()
        self._stack = AsyncExitStack()

    @classmethod
    def from_config(cls, config: ClientConfig, **how: Any) -> CourtClient:
        """how: timeout, patience, wait, backoff, now, bounds."""
        return cls(
            config.url,
            config.token,
            court=config.court,
            gateway=config.gateway,
            spool=config.spool,
            sign_key=config.sign_key,
            open_keys=config.open_keys,
            gateway_jwks=config.gateway_jwks,
            ca_file=config.ca_file,
            folder=config.folder,
            files=config.files,
            contract=config.contract,
            tracing=config.tracing,
            **{"bounds": config.bounds, **how},
        )

    async def __aenter__(self) -> CourtClient:
        """Raises ConfigurationError: the spool cannot be used."""
        close_files(self._places())
        if self._tracer is not None:
            self._stack.push_async_callback(self._tracer.close)
        await self._spool.open()
        self._stack.push_async_callback(self._spool.close)
        await self._wire.open()
        self._stack.push_async_callback(self._wire.close)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    # saying

    async def submit(
        self,
        body: Mapping[str, Any],
        *,
        receiver: str | None = None,
        receivers: Sequence[str] = (),
        sign: bool | None = None,
        key: str | None = None,
    ) -> Accepted:
        """Open a request. body: flat, as in docs/examples.md; receivers: one request each, one group. Approvals in it
        that do not say what they are over are said to be over it (`approval_digest`).

        sign: None = signed when we have a key. key: the Idempotency-Key; give one that your own
        record determines, and the same call after a crash is the same submission. It returns when the gateway has
        answered, however long that takes; cancelled, the submission stays in the spool for `resume`.
        After the spool was lost, the same call under the same key does nothing twice: plain, it gets the first answer;
        signed anew, ProblemError `idempotency-key-reused`, whose text names the request that the key stands for.
        Raises ProblemError (its code and fields), UnexpectedAnswerError (it stays in the spool), MisuseError.
        """
        named = (receiver,) if receiver is not None else tuple(receivers)
        handed = signing.submission(
            self._author,
            body,
            receivers=named,
            sign=sign,
            message_id=str(uuid7()),
            now=self._now(),
            cards=self._cards,
            bind=True,
        )
        return read_answer(Accepted, await self._sender.say(handed, key or str(uuid7())))

    async def submitted_before(self, key: str) -> Accepted | None:
        """What was accepted for the same content under another key, as far back as the spool reaches (90 days)."""
        before = await self._spool.said_before(key)
        return None if before is None else read_answer(Accepted, answer_of(before))

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
        """Say any verb that is ours in a request. by: the registered person who says it; data: canonical.

        sign: None = a `supplement` is signed when we have a key, because it changes what is asked; the rest is not.
        A place that we were asked for is sealed to the asking court system first. key and errors: as `submit`.
        """
        act = Act(request_no, verb, by, data or {})
        sign = self._author.signs(sign, verb == "supplement" and self._author.key is not None)
        needs_request = sign or verb in ("result", "correct")
        request = await self.request(request_no) if needs_request else None
        if request is not None and (card := self._cards.get(request.type)) is not None and card.is_place(verb):
            act = await self._sealed(act)
        handed = signing.plain_act(act)
        if sign and request is not None:
            handed = signing.signed_act(
                self._author,
                act,
                matter=request.type,
                version=request.version,
                receiver=request.other(self.court),
                message_id=str(uuid7()),
                now=self._now(),
            )
        return read_answer(AcceptedMessage, await self._sender.say(handed, key or str(uuid7())))

    def resume(self) -> AsyncIterator[Resumed]:
        """Send again whatever a crash or a cancelled call left without an answer, oldest first; what came of each."""
        return self._sender.resume()

    # following and reading

    def events(self, after: str | None = None) -> AsyncIterator[Event]:
        """The feed, from where this client stopped; `after`: a cursor, or `feed.OLDEST`.

        At least once: the place is kept when the next event is asked for. After a restore of the gateway's database it
        reads on by itself, at the latest from the oldest event that is kept: an event may come again, with the same
        `message_id`. Raises CursorGoneError, ProblemError.
        """
        return self._feed.follow(after)

    async def request(self, request_no: str) -> RequestInfo:
        found = read_answer(RequestInfo, await self._get(f"{REQUESTS}/{quote(request_no)}"))
        if found.request_no != request_no:
            raise UnexpectedAnswerError("回答所述的不是这件请求 the answer is about another request")
        return found

    async def requests(self, **where: str) -> AsyncIterator[RequestInfo]:
        """Every request of ours in order of its number; where: case_no, type, state, receiver, group_no."""
        async for one in self._pages(REQUESTS, "requests", where):
            yield read_answer(RequestInfo, one)

    async def messages(self, request_no: str) -> list[Message]:
        """Every message of the request, signed bytes and translation; what is sealed to us is for `unseal`."""
        found = await self._whole(f"{REQUESTS}/{quote(request_no)}/messages", "messages")
        return [read_answer(Message, {"request_no": request_no, **_object(one)}) for one in found]

    async def timeline(self, request_no: str) -> list[TimelineEvent]:
        found = await self._whole(f"{REQUESTS}/{quote(request_no)}/timeline", "events")
        return [read_answer(TimelineEvent, one) for one in found]

    async def types(self) -> list[dict[str, Any]]:
        """The catalogue as this gateway has it."""
        return [_object(one) for one in _member(await self._get("/v1/types"), "types")]

    async def type(self, name: str) -> dict[str, Any]:
        """One matter type: JSON Schemas, examples, deadline, approvals, documents."""
        return _object(await self._get(f"/v1/types/{quote(name)}"))

    async def unseal(self, message: Message, *, reopen_by: str | None = None) -> Opened:
        """Verify a message addressed to us, open what is sealed to us, and validate it. What it says is then proved.

        reopen_by: staff number; what cannot be used is then answered with `reopen`, reason `invalid-body`, before
        InvalidBodyError is raised: the gateway never saw inside and leaves that to us (docs/contracts.md 3.1).
        Raises RejectedError (not believed: an alarm), InvalidBodyError, DestroyedError, ChangedKeyError.
        """
        started = 0 if self._tracer is None else time_ns()
        try:
            opened = await self._opened(message)
            if self._tracer is not None:
                read(self._tracer, opened.envelope, started)
            return opened
        except InvalidBodyError as error:
            if reopen_by is not None:
                key = f"invalid-body:{message.message_id}"
                why = error.told()
                await self.reopen(message.request_no, by=reopen_by, why=why, reason_code="invalid-body", key=key)
            raise

    # documents

    async def put_document(self, source: Path | bytes, *, media_type: str | None = None) -> StoredDocument:
        """Hand in a paper under the SHA-256 of its bytes. media_type: needed where the file's name does not tell it."""
        return await self._papers.put(source, media_type)

    async def get_document(self, sha256: str, target: Path) -> None:
        """Write the paper to `target`, which appears only when its digest has been found right."""
        await self._papers.save(sha256, target)

    # inside

    async def _say(self, handed: Handed, key: str) -> Any:
        return await self._sender.say(handed, key)

    def _speaks(self) -> tuple[Author, str, datetime]:
        return self._author, self._author.gateway, self._now()

    async def _get(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        return (await self._reply(path, params)).document()

    async def _reply(self, path: str, params: Mapping[str, str] | None) -> Reply:
        attempt = partial(self._wire.exchange, "GET", path, params=params)
        return await until_answered(attempt, self._backoff, name=f"GET {path}", patience=self._patience)

    async def _whole(self, path: str, name: str) -> list[Any]:
        """All pages of a list, which is no longer than `list_bytes`. Raises UnexpectedAnswerError."""
        return [one async for one in self._pages(path, name, {}, self._wire.bounds.list_bytes)]

    async def _pages(
        self, path: str, name: str, where: Mapping[str, str], most: int | None = None
    ) -> AsyncIterator[Any]:
        """Each entry of a list. most: bytes of all pages. Raises UnexpectedAnswerError when the cursor does not lead on
        or there is more than that."""
        after: dict[str, str] = {}
        seen: set[str] = set()
        read = 0
        while True:
            reply = await self._reply(path, {**where, **after})
            read += len(reply.body)
            if most is not None and read > most:
                raise UnexpectedAnswerError(f"清单超过 {most} 字节 the list is longer than {most} bytes (list_bytes)")
            page = reply.document()
            for one in _member(page, name):
                yield one
            if not (following := page.get("next")):
                return
            if not isinstance(following, str) or len(following) > CURSOR_LENGTH or following in seen:
                raise UnexpectedAnswerError("翻页没有前进 the cursor of the next page does not lead on")
            seen.add(following)
            after = {"after": following}

    async def _opened(self, message: Message) -> Opened:
        how: dict[str, Any] = {"court": self.court, "own": self._keys.own, "refs": ()}
        if message.sealed_to in self._keys.own:
            how["refs"] = await self._refs(message.request_no)
        try:
            how["contract"] = self._contract(await self._keys.ring())
            return open_message(message, keyring=await self._keys.ring(), **how)
        except RejectedError as error:
            if error.code != "unknown-kid":
                raise
        ring = await self._keys.renewed()
        how["contract"] = self._contract(ring)
        try:
            return open_message(message, keyring=ring, **how)
        except RejectedError as error:
            if error.code == "unknown-kid" and not self._keys.handed_over and not ring.public_keys(message.sender):
                raise _keys_needed(message.sender, self.court) from error
            raise

    def _contract(self, ring: Keyring) -> Contract | None:
        """What the gateway signed for our court, verified once. Raises RejectedError."""
        if self._agreed is None and self._raw_contract is not None:
            self._agreed = read_contract(
                self._raw_contract, participant=self.court, gateway=self.gateway, keyring=ring, now=self._now()
            )
            self._cards = {**cards(), **self._agreed.cards}
        return self._agreed

    async def _refs(self, request_no: str) -> list[str]:
        """The objects of a request: what its `open` named."""
        heads = [m.head for m in await self.messages(request_no) if m.verb == "open"]
        refs = heads[0].get("refs") if heads and heads[0] else None
        return [ref for ref in refs if isinstance(ref, str)] if isinstance(refs, list) else []

    async def _sealed(self, act: Act) -> Act:
        """A place, sealed to the key that the `open` named; its codes stay outside."""
        opened = next((m for m in await self.messages(act.request_no) if m.verb == "open"), None)
        if opened is None:
            raise UnexpectedAnswerError(f"{act.request_no} 中没有 open the request has no open")
        envelope = (await self._opened(opened)).envelope
        head, body = split(act.verb, act.data)
        message_id = str(uuid7())
        ring = await self._keys.ring()
        key = ring.sealing_key(envelope.sender, at=self._now(), kid=envelope.replykey)
        jwe = seal(body, request_no=act.request_no, message_id=message_id, key=key)
        return Act(act.request_no, act.verb, act.by, head, sealed=jwe, message_id=message_id)


def _object(document: Any) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise UnexpectedAnswerError("回答中应为对象之处不是对象 something else stands where an object should")
    return document


def _member(document: Any, name: str) -> list[Any]:
    found = document.get(name) if isinstance(document, dict) else None
    if not isinstance(found, list):
        raise UnexpectedAnswerError(f"回答中没有 {name} the answer has no {name}")
    return found


def _keys_needed(sender: str, court: str) -> ConfigurationError:
    """Nobody forged anything: we were never told the sender's keys."""
    who = printable(sender, 80)
    export = f"lianzhi keys export --for {court} --out gateway.keys.json"
    return ConfigurationError(
        f"没有 {who} 的公钥：网关只公布自己一侧的，请向其管理员索取（{export}），写入 client.toml 的 gateway_keys。"
        f" No keys of {who}: the gateway shows those of its own parties alone. Ask its administrator for the file"
        f" ({export}) and name it as gateway_keys in client.toml."
    )
