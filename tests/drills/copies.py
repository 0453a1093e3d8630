"""Copies of what a gateway lives on, taken while it works, and put back while it does not run."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

import asyncpg

from tests import postgres
from tests.walls.product import Installation

STORE = "lianzhi.sqlite"


class Copy(Protocol):
    """What was copied; `put_back` makes it so again."""

    async def put_back(self) -> None: ...


class SqliteFile:
    """The database alone, by SQLite's own backup."""

    def __init__(self, file: Path, kept: Path) -> None:
        self._file, self._kept = file, kept

    @classmethod
    def of(cls, file: Path, folder: Path) -> SqliteFile:
        kept = folder / "copy.sqlite"
        with closing(sqlite3.connect(file)) as live, closing(sqlite3.connect(kept)) as copy:
            live.backup(copy)
        return cls(file, kept)

    async def put_back(self) -> None:
        for path in self._file.parent.glob(f"{self._file.name}*"):
            path.unlink()
        shutil.copy(self._kept, self._file)


class Folder:
    """The installation's folder: configuration, keys, documents, marks. store: with the database in it, or without."""

    def __init__(self, folder: Path, kept: Path, store: SqliteFile | None) -> None:
        self._folder, self._kept, self._store = folder, kept, store

    @classmethod
    def of(cls, folder: Path, to: Path, *, store: bool) -> Folder:
        kept = to / "folder"
        file = SqliteFile.of(folder / STORE, to) if store else None
        shutil.copytree(folder, kept, ignore=shutil.ignore_patterns(f"{STORE}*", "operate.sock"))
        return cls(folder, kept, file)

    async def put_back(self) -> None:
        for path in self._folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif not path.name.startswith(STORE):
                path.unlink()
        shutil.copytree(self._kept, self._folder, dirs_exist_ok=True)
        if self._store is not None:
            await self._store.put_back()


class ProductsBackup:
    """`lianzhi db backup`, beside the serving gateway; put back by `lianzhi db restore --over`."""

    def __init__(self, site: Installation, file: Path) -> None:
        self._site, self._file = site, file

    @classmethod
    async def of(cls, site: Installation, folder: Path) -> ProductsBackup:
        backup = cls(site, folder / "backup.tar")
        done = await site.run("db", "backup", "--out", str(backup._file))
        assert done.code == 0, done.out + done.err
        return backup

    async def put_back(self) -> None:
        done = await self._site.run("db", "restore", str(self._file), "--over")
        assert done.code == 0, done.out + done.err


class PostgresDump:
    """A dump of one moment (`pg_dump`); put back into an empty database of the same name."""

    def __init__(self, url: str, file: Path) -> None:
        self._url, self._file = url, file

    @classmethod
    async def of(cls, url: str, folder: Path) -> PostgresDump:
        copy = cls(url, folder / "copy.dump")
        await copy._run("pg_dump", "--format=custom", f"--file={copy._file}", copy._name)
        return copy

    async def put_back(self) -> None:
        connection = await asyncpg.connect(self._url.replace(f"/{self._name}?", "/postgres?"))
        try:
            await connection.execute(f"DROP DATABASE {self._name} WITH (FORCE)")
            await connection.execute(f"CREATE DATABASE {self._name} TEMPLATE template0")
        finally:
            await connection.close()
        await self._run("pg_restore", f"--dbname={self._name}", "--exit-on-error", str(self._file))

    @property
    def _name(self) -> str:
        return urlsplit(self._url).path.removeprefix("/")

    async def _run(self, program: str, *arguments: str) -> None:
        found = postgres.binaries()
        assert found is not None
        where = parse_qs(urlsplit(self._url).query)
        environment = {"PATH": os.environ["PATH"], "PGHOST": where["host"][0], "PGUSER": postgres.SUPERUSER}
        process = await asyncio.create_subprocess_exec(
            str(found / program), *arguments, env=environment, stderr=asyncio.subprocess.PIPE
        )
        _, said = await process.communicate()
        assert process.returncode == 0, said.decode(errors="replace")
