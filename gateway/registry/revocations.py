"""What must stop at once stops in a running gateway: a participant that was suspended, a client that was revoked,
somebody of the staff who has left.

`lianzhi participants suspend`, `clients revoke` and `staff leave` write files; this sees them within a second. Anything
else in those files (a new participant, a key, a right) is taken up by the next start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import structlog

from gateway.core.routing import Directory, Participant
from gateway.registry.forms import ParticipantForm
from gateway.registry.participants import PARTICIPANTS, read_form
from lianzhi.errors import ConfigurationError

LOOK_SECONDS = 1.0
log = structlog.get_logger("participants")

Stamp = tuple[int, int, int]
"""Of a file: when it was written, its size, its inode: an editor may write twice within one tick of the clock."""


class Revocations:
    """`run` until it is told to stop."""

    def __init__(self, folder: Path, directory: Directory) -> None:
        self._folder = folder / PARTICIPANTS
        self._directory = directory
        self._seen = self._stamps()

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)
            except TimeoutError:
                self.look()

    def look(self) -> None:
        """Once. A file that cannot be read now is being edited, or is wrong: what it said before holds, and the log
        tells."""
        now = self._stamps()
        for path in [path for path, stamp in now.items() if self._seen.get(path) != stamp]:
            held = self._directory.get(path.stem)
            if held is None:
                continue
            try:
                changed = stopped(held, read_form(path))
            except ConfigurationError as error:
                log.warning("participant-file", participant=held.code, error=type(error).__name__)
                continue
            if changed != held:
                self._directory.put(changed)
                log.info("participant", participant=held.code, enabled=changed.enabled)
        self._seen = now

    def _stamps(self) -> Mapping[Path, Stamp]:
        found = {}
        for path in self._folder.glob("*.toml"):
            try:
                stat = path.stat()
            except OSError:  # gone since it was listed
                continue
            found[path] = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        return found


def stopped(held: Participant, form: ParticipantForm) -> Participant:
    """With what the file now says about who may act; a client or a person that the file no longer has is
    revoked."""
    known = {client.id: client for client in form.clients}
    clients = tuple(
        replace(client, revoked=known[client.id].revoked if client.id in known else True) for client in held.clients
    )
    people = {person.no: person for person in form.staff}
    staff = {
        no: replace(one, until=people[no].until, revoked=people[no].revoked)
        if no in people
        else replace(one, revoked=True)
        for no, one in held.staff.items()
    }
    return replace(held, enabled=form.enabled, clients=clients, staff=staff)
