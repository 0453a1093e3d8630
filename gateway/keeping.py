"""Backup, restore and check of an installation: puts the store, the documents and the files together.

The order of a backup makes it whole: first the database at one moment, then the documents that it names. A document is
written before the row that names it and never changed, so whatever the database names is there to be copied.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from gateway.archive.manifest import DATABASES, INSTALLATION, MOST, Manifest
from gateway.archive.reading import Member, members, verified
from gateway.archive.writing import SUFFIX, BackupWriter, place, writing
from gateway.core.recovery.soundness import Finding
from gateway.papers.local import LocalDocuments, place_of, wrong_with
from gateway.registry.config import FILE, Config, load_config
from gateway.registry.kept import kept_files, missing_secrets
from gateway.registry.participants import load_registry
from gateway.store.upkeep.check import Parties, check, counts, damaged, revision
from gateway.store.upkeep.check_sql import DOCUMENTS
from gateway.store.upkeep.copying import copy_to, kind_of, nobody_serves, restore_from, something_there
from gateway.store.upkeep.migrate import migrate
from gateway.store.upkeep.snapshot import DamagedStoreError, Snapshot, snapshot
from gateway.store.upkeep.version import newest
from lianzhi.errors import ConfigurationError
from lianzhi.files import private_file, private_folder, write_private

SHOWN = 20
"""Findings of one rule that are told; all of them are counted."""
Progress = Callable[[str, int, int], None]
"""Hears (what is done, how much of it, of how much; 0: unknown)."""


# --- backup


async def back_up(config: Config, out: Path, *, keys: bool, progress: Progress) -> tuple[Path, Manifest]:
    """One file: `out` where that ends in `.tar`, else a new one in the folder `out`. Runs beside serving processes.

    Raises ConfigurationError, StoreUnavailableError, OSError; then nothing is left behind.
    """
    url, documents = config.store_url, config.documents_folder
    kind = kind_of(url)
    folder = out.parent if out.suffix == SUFFIX else out
    with writing(folder) as backup:
        database, listed = backup.work / DATABASES[kind], backup.work / "documents"
        async with snapshot(url) as moment:
            at = datetime.now(UTC)
            schema = await revision(moment)
            if schema is None:
                raise ConfigurationError(
                    "数据库是空的，没有可备份的内容；请先运行 lianzhi db migrate。"
                    " The database is empty, there is nothing to back up: run `lianzhi db migrate` first."
                )
            rows = await counts(moment)
            await _list_documents(moment, listed)
            await copy_to(moment, url, database, lambda done, of: progress("database", done, of))
        backup.add(DATABASES[kind], database)
        database.unlink()
        with listed.open(encoding="ascii") as lines:
            for done, line in enumerate(lines, start=1):
                backup.add_document(line.strip(), place_of(documents, line.strip()))
                progress("documents", done, rows["documents"])
        for name, path in kept_files(config, keys=keys):
            backup.add(INSTALLATION + name, path)
        manifest = _manifest(backup, schema, kind, at, keys, rows)
        return place(backup.finish(manifest), out, at), manifest


async def _list_documents(moment: Snapshot, listed: Path) -> None:
    private_file(listed)
    with listed.open("w", encoding="ascii") as lines:
        async for sha256, _ in moment.rows(DOCUMENTS):
            lines.write(f"{sha256}\n")


def _manifest(backup: BackupWriter, schema: str, kind: str, at: datetime, keys: bool, rows: dict[str, int]) -> Manifest:
    return Manifest.model_validate(
        {
            "product": version("lianzhi-gateway"),
            "revision": schema,
            "database": kind,
            "at": at,
            "ended_at": datetime.now(UTC),
            "keys": keys,
            "rows": rows,
            "documents": backup.documents(),
            "files": backup.files(),
        }
    )


# --- restore


@dataclass(frozen=True, slots=True)
class Restored:
    """aside: where the database that was there is now. installed: whether the installation's files came from the
    backup; missing: secrets that it lacks. migrated: whether the schema was brought to this version."""

    manifest: Manifest
    config: Config
    aside: str | None
    installed: bool
    missing: list[str]
    migrated: bool


async def restore(backup: Path, folder: Path, *, over: bool, progress: Progress) -> Restored:
    """Database and documents, and, where `folder` holds no installation, its files.

    Nothing is touched before every byte of the backup has been compared with its manifest. Raises ConfigurationError
    (a wrong backup, a gateway that runs, a store that is there already), StoreUnavailableError, OSError.
    """
    progress("verify", 0, 0)
    manifest = verified(backup)
    if manifest.revision > newest():
        raise ConfigurationError(
            f"{backup}：由更新的版本（结构 {manifest.revision}）写成，请用该版本恢复。"
            f" Written by a newer version (schema {manifest.revision}): restore it with that one."
        )
    installed = not (folder / FILE).exists()
    if installed:
        _unpack_installation(backup, folder)
    config = load_config(folder)
    url = config.store_url
    if kind_of(url) != manifest.database:
        raise ConfigurationError(
            f"{backup}：备份的是 {manifest.database}，本安装用的是 {kind_of(url)}，不能互相恢复。"
            f" It holds {manifest.database}, this installation uses {kind_of(url)}: one is not restored into the other."
        )
    async with nobody_serves(url):
        if not over and await something_there(url):
            raise ConfigurationError(
                "已有数据库，不覆盖；确要以备份代替，请加 --over（原有的移到一旁，不删除）。"
                " There is a database already; to put the backup in its place add --over (the old one is moved aside,"
                " never deleted)."
            )
        aside = await _unpack_store(backup, manifest, config, progress)
        if migrated := manifest.revision < newest():
            await migrate(url)
    return Restored(manifest, config, aside, installed, missing_secrets(config), migrated)


def _unpack_installation(backup: Path, folder: Path) -> None:
    """The configuration last: it is what makes an installation of a folder."""
    last: tuple[Path, bytes] | None = None
    for member in members(backup):
        if not member.name.startswith(INSTALLATION):
            continue
        if member.size > MOST:
            raise ConfigurationError(f"{backup}：{member.name} 过大。 {member.name} is too large.")
        target, content = folder / member.name.removeprefix(INSTALLATION), b"".join(member.pieces)
        if target.exists() and target.read_bytes() != content:
            raise ConfigurationError(
                f"{target}：已存在且内容不同，不覆盖。 Exists with other content; not overwritten."
            )
        if target == folder / FILE:
            last = target, content
        else:
            private_folder(target.parent)
            write_private(target, content)
    if last is None:
        raise ConfigurationError(f"{backup}：备份中没有 {FILE}。 The backup holds no {FILE}.")
    private_folder(folder)
    write_private(*last)


async def _unpack_store(backup: Path, manifest: Manifest, config: Config, progress: Progress) -> str | None:
    """The documents first: what the database names is there when it comes."""
    documents, done = LocalDocuments(config.documents_folder), 0
    name = DATABASES[manifest.database]
    beside = (
        Path(config.store_url.removeprefix("sqlite:///")).parent if manifest.database == "sqlite" else config.folder
    )
    staged = beside / f".restore-{secrets.token_hex(8)}.{name}"
    try:
        for member in members(backup):
            if member.name == name:
                _unpack(member, staged)
            elif member.sha256 is not None:
                await documents.put(member.sha256, _async(member.pieces), member.size)
                done += 1
                progress("documents", done, manifest.documents.count)
        progress("database", 0, 0)
        return await restore_from(config.store_url, staged, datetime.now(UTC))
    finally:
        staged.unlink(missing_ok=True)


def _unpack(member: Member, target: Path) -> None:
    private_file(target)
    with target.open("wb") as file:
        for piece in member.pieces:
            file.write(piece)


async def _async(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


# --- check


@dataclass(slots=True)
class Checked:
    """requests: how many were looked at. findings: the first `SHOWN` of each rule. counts: rule → how many."""

    requests: int = 0
    findings: list[Finding] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        return not self.counts


async def look_over(config: Config, *, digests: bool, progress: Progress = lambda *_: None) -> Checked:
    """Every rule of `core.recovery.soundness_words`, on the database as it is now; nothing is written. digests: read
    every document too. Raises ConfigurationError, StoreUnavailableError: it could not be looked."""
    directory, _ = load_registry(config.folder)
    parties = Parties(frozenset(directory.local), frozenset(p.code for p in directory if not p.local))
    checked, documents = Checked(), config.documents_folder

    def look(sha256: str, size: int) -> tuple[str, str, str] | None:
        return wrong_with(documents, sha256, size, digest=digests)

    def went_on(done: int) -> None:
        checked.requests = done
        progress("requests", done, 0)

    try:
        async with snapshot(config.store_url) as moment:
            async for finding in check(moment, parties, look, went_on):
                _count(checked, finding)
    except DamagedStoreError as error:
        _count(checked, damaged(error))
    return checked


def _count(checked: Checked, finding: Finding) -> None:
    count = checked.counts[finding.rule] = checked.counts.get(finding.rule, 0) + 1
    if count <= SHOWN:
        checked.findings.append(finding)
