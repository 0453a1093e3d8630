"""A PostgreSQL that archives its write-ahead log, and goes back to a point in time with base backup and archive."""

from __future__ import annotations

import asyncio
import shutil

import asyncpg

from tests import postgres
from tests.eventually import eventually

POINT = "drill"


class ArchivingCluster(postgres.Cluster):
    """A server of its own. `begin` takes the base backup, `mark` names a point, `put_back` goes back to it."""

    def __init__(self) -> None:
        super().__init__()
        self._archive = self.folder / "archive"
        self._base = self.folder / "base"
        self._settings += ["archive_mode=on", f"archive_command=cp %p {self._archive}/%f"]
        self._run("/bin/mkdir", str(self._archive))

    async def begin(self) -> None:
        await asyncio.to_thread(
            self._run, "pg_basebackup", f"--host={self.folder}", f"--username={postgres.SUPERUSER}",
            f"--pgdata={self._base}", "--checkpoint=fast",
        )  # fmt: skip

    async def mark(self) -> ArchivingCluster:
        """The point to go back to is now."""
        connection = await asyncpg.connect(self.url("postgres"))
        try:
            await connection.execute(f"SELECT pg_create_restore_point('{POINT}')")
            await connection.execute("SELECT pg_switch_wal()")
        finally:
            await connection.close()
        return self

    async def put_back(self) -> None:
        """Stopped, replaced by the base backup, recovered up to the point, and a primary again."""
        await asyncio.to_thread(self._recover)
        await eventually(self._promoted)

    async def _promoted(self) -> bool:
        connection = await asyncpg.connect(self.url("postgres"))
        try:
            return not await connection.fetchval("SELECT pg_is_in_recovery()")
        finally:
            await connection.close()

    def _recover(self) -> None:
        self.stop()
        shutil.rmtree(self._data)
        self._base.rename(self._data)
        self._run("/bin/touch", str(self._data / "recovery.signal"))
        self._settings += [
            f"restore_command=cp {self._archive}/%f %p",
            f"recovery_target_name={POINT}",
            "recovery_target_action=promote",
        ]
        self.start()
