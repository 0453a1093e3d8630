"""What changes in an installation's files while the gateway runs is taken over: all of it, or nothing (docs/adr/0046).

Looked for every two seconds, and at once on SIGHUP. What cannot be loaded is refused with file and word, and what held
before goes on. A change that only a restart can take over is told; the rest of the files holds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import structlog

from gateway.application.context import Context, Loaded
from gateway.broker.topology import plan
from gateway.core.routing import Directory
from gateway.registry.config import Config
from gateway.registry.contracts import check_words
from gateway.registry.file_watch import look
from gateway.registry.law_files import load_law
from gateway.registry.participants import PARTICIPANTS, load_registry
from lianzhi.errors import ConfigurationError
from lianzhi.faults import cause_of
from schemas.catalogue import catalogue
from schemas.law.force import Law, put_in_force

log = structlog.get_logger("lianzhi")

LOOK_SECONDS = 2.0
AT_START = ("store", "http", "documents", "tracing")
"""Sections that are read when the gateway starts, and not again."""
BROKER_AT_START = ("url", "management", "prefetch")
LIMITS_AT_START = (
    "message_bytes",
    "quarantine_bytes",
    "consumer_bytes",
    "http_connections",
    "http_connections_per_address",
    "http_header_seconds",
    "http_body_seconds",
)
"""Those of `[limits]` by which connections and buffers were made."""
LIMITS_AT_BROKER = ("queue_messages", "queue_bytes", "user_connections", "user_channels")
"""Those that the broker keeps: `lianzhi broker apply` tells it."""


@dataclass(frozen=True, slots=True)
class Files:
    """An installation's files, read and found right. broker_urls: with the password."""

    config: Config
    law: Law
    loaded: Loaded
    broker_urls: tuple[str, ...]


Follower = Callable[[Files], Awaitable[None]]
"""Whoever has made something of the earlier files is told of those that hold from now on. It raises nothing."""


def read_files(config: Config) -> Files:
    """Everything that `config`'s folder holds. Raises ConfigurationError: file, word, what is allowed."""
    law = load_law(config.folder)
    directory, keyring = load_registry(config.folder)
    check_words(directory, config.folder)
    plan(directory, catalogue(), bounds=config.limits)  # two participants do not log in as one user
    loaded = Loaded(directory, keyring, config.settings(), config.message_limits(), config.limits)
    return Files(config, law, loaded, tuple(config.broker_urls))


class Reloader:
    """`run` looks at the files, `ask` is the signal. files: what `context` was made of."""

    def __init__(self, files: Files, context: Context) -> None:
        self._files = files
        self._started = files.config
        self._ctx = context
        self._seen = look(files.config)
        self._asked = asyncio.Event()
        self._checks: list[Callable[[Files], None]] = []
        self._followers: list[Follower] = []

    def follow(self, follower: Follower, check: Callable[[Files], None] | None = None) -> None:
        """Tell it of every reload. check: may refuse the files (ConfigurationError) before any of them holds."""
        self._followers.append(follower)
        if check is not None:
            self._checks.append(check)

    def ask(self) -> None:
        """Load now, whether anything has changed or not."""
        self._asked.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. What was written between the reading at the start and the first look counts as a change."""
        before = self._seen
        while not stop.is_set():
            if await _first(self._asked, stop, LOOK_SECONDS):
                self._asked.clear()
                await self.once("signal")
            now = await asyncio.to_thread(look, self._files.config)
            # A file that is just being written is taken when it has been left alone for one look.
            if now != self._seen and now == before:
                await self.once("files")
            before = now

    async def once(self, why: str) -> bool:
        """Load everything once more. False: refused, and nothing has changed."""
        self._seen = await asyncio.to_thread(look, self._files.config)
        try:
            files = await asyncio.to_thread(_read_again, self._files.config)
            if files.loaded.directory.home.code != self._ctx.home.code:
                raise ConfigurationError(_OTHER_HOME.format(self._files.config.folder / PARTICIPANTS))
            for check in self._checks:
                check(files)
        except (ConfigurationError, OSError) as error:
            self._ctx.reloads.refused += 1
            self._ctx.reloads.standing = False
            log.error("reload-refused", why=why, error=str(error) or cause_of(error), rule="what held before goes on")
            return False
        await self._take(files, why)
        return True

    async def _take(self, files: Files, why: str) -> None:
        before, was = self._ctx.directory, self._files.config
        gone = [replace(one, enabled=False) for one in before if files.loaded.directory.get(one.code) is None]
        if gone:
            directory = Directory([*files.loaded.directory, *gone])
            files = replace(files, loaded=replace(files.loaded, directory=directory))
        put_in_force(files.law)
        self._ctx.take(files.loaded)
        self._files = files
        for follower in self._followers:
            await follower(files)
        self._ctx.reloads.taken += 1
        self._ctx.reloads.standing = True
        log.info("reloaded", why=why, **dict(differences(before, files.loaded.directory)))
        self._tell_when(was, files.config)
        if gone:
            log.warning("participants-gone", codes=[one.code for one in gone], rule="suspended until the next start")

    def _tell_when(self, was: Config, now: Config) -> None:
        """What of a change does not hold yet, compared with the start: what was put back needs no restart."""
        needed = tuple(restart_needed(self._started, now))
        if needed and needed != self._ctx.reloads.restart:
            log.warning("restart-needed", members=list(needed), rule="these hold from the next start on")
        elif self._ctx.reloads.restart and not needed:
            log.info("restart-not-needed", rule="what had changed is again as it was at the start")
        self._ctx.reloads.restart = needed
        if members := list(_changed("limits", LIMITS_AT_BROKER, was, now)):
            log.warning("broker-apply-needed", members=members, rule="these hold after `lianzhi broker apply`")


_OTHER_HOME = (
    "{}：本院（home = true）不能在运行中改换，请停止网关再改。"
    " The home court cannot become another one while the gateway runs: stop it first."
)


def restart_needed(was: Config, now: Config) -> Iterator[str]:
    """Members, as `[http] port`, that have changed and hold only from the next start on."""
    for section in AT_START:
        old, new = getattr(was, section), getattr(now, section)
        yield from (
            f"[{section}] {name}" for name in type(old).model_fields if getattr(old, name) != getattr(new, name)
        )
    for section, names in (("broker", BROKER_AT_START), ("limits", LIMITS_AT_START)):
        yield from _changed(section, names, was, now)


def _changed(section: str, names: Sequence[str], was: Config, now: Config) -> Iterator[str]:
    old, new = getattr(was, section), getattr(now, section)
    yield from (f"[{section}] {name}" for name in names if getattr(old, name) != getattr(new, name))


def differences(was: Directory, now: Directory) -> Iterator[tuple[str, list[str]]]:
    """What a reader of the log wants to know, by codes: who came, who was suspended or came back, which clients."""
    old, new = {one.code: one for one in was}, {one.code: one for one in now}
    told = {
        "added": sorted(new.keys() - old.keys()),
        "suspended": sorted(code for code, one in new.items() if not one.enabled and code in old and old[code].enabled),
        "resumed": sorted(code for code, one in new.items() if code in old and one.enabled and not old[code].enabled),
        "tokens_ended": sorted({name for name, _ in _tokens(was) - _tokens(now)}),
        "tokens_begun": sorted({name for name, _ in _tokens(now) - _tokens(was)}),
    }
    yield from ((name, codes) for name, codes in told.items() if codes)


def _tokens(directory: Directory) -> set[tuple[str, str]]:
    """(client, digest of its token) that is taken at present."""
    return {
        (client.id, client.token_sha256)
        for one in directory
        if one.enabled and one.local
        for client in one.clients
        if not client.revoked
    }


def _read_again(config: Config) -> Files:
    return read_files(config.again())


async def _first(asked: asyncio.Event, stop: asyncio.Event, seconds: float) -> bool:
    """Whether `asked` was set before the time was over or `stop` was."""
    waits = {asyncio.create_task(asked.wait()), asyncio.create_task(stop.wait())}
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waits:
            task.cancel()
    return asked.is_set() and not stop.is_set()
