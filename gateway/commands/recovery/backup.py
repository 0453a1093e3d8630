"""`lianzhi db backup | restore | check` (docs/handbook/restore.md)."""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.registry.config import DEFAULT_FOLDER, load_config
from gateway.registry.kept import note_backup
from lianzhi.cli.output import (
    FOUND_WRONG,
    MISUSE,
    AsJson,
    Folder,
    as_json,
    console,
    fail,
    own_errors_told,
    problems,
    run,
)
from lianzhi.errors import StoreUnavailableError

SAY_EVERY_S = 5.0
NEXT = """
下一步：网关启动时会要求运行 lianzhi db restored。备份之后发出的编号和报文，本库已不知道，而对方还记得：
不作声明就启动，会把同一编号发给两件事。
Next: the gateway will ask for `lianzhi db restored` when it starts. Numbers given and messages sent after this backup
are unknown to this database and remembered by the others: started without that word, it would give one number to two
matters."""
_WHAT = {
    "verify": "核对备份 verifying the backup",
    "database": "数据库 database",
    "documents": "文书 documents",
    "requests": "请求 requests",
}


class _Telling:
    """A line on stderr now and then, and one at the end of each part."""

    def __init__(self) -> None:
        self._said: dict[str, float] = {}

    def __call__(self, what: str, done: int, of: int) -> None:
        now = time.monotonic()
        if done == of or what not in self._said or now - self._said[what] >= SAY_EVERY_S:
            self._said[what] = now
            amount = f" {done}/{of}" if of else f" {done}" if done else ""
            print(f"… {_WHAT[what]}{amount}", file=sys.stderr, flush=True)


def db_backup(
    out: Annotated[
        Path, typer.Option("--out", help="目录，或以 .tar 结尾的文件 A folder, or a file that ends in .tar")
    ],
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="连同私钥和密码文件 With private keys and password files")
    ] = False,
    keep: Annotated[
        int | None, typer.Option("--keep", min=1, help="目录中只留最新 N 份 Keep only the newest N in the folder")
    ] = None,
    folder: Folder = DEFAULT_FOLDER,
    json_out: AsJson = False,
) -> None:
    """备份：数据库、文书、配置，网关照常运行。 Database, documents and configuration, while the gateway runs."""
    from gateway.archive.writing import SUFFIX, remove_older
    from gateway.keeping import back_up

    if keep is not None and out.suffix == SUFFIX:
        fail("--keep 只用于目录：--out 目录 --keep N。 --keep is for a folder: --out FOLDER --keep N.", MISUSE)
    try:
        path, manifest = run(back_up(load_config(folder), out, keys=with_keys, progress=_Telling()))
        removed = remove_older(out, keep) if keep is not None else []
    except OSError as error:
        fail(f"{out}：写不了备份。 The backup could not be written: {error}")
    _note(folder, manifest.at)
    held, rows = manifest.documents, manifest.rows
    if json_out:
        as_json({"backup": str(path), "removed": list(map(str, removed)), "manifest": manifest.model_dump(mode="json")})
    else:
        at = manifest.at.isoformat(timespec="seconds")
        console.print(f"已备份 Backed up: {path}（{path.stat().st_size} 字节 bytes）")
        console.print(f"  时刻 at {at}，库中请求 requests {rows['requests']}，文书 documents {held.count}")
        console.print(_about_keys(with_keys), style="yellow" if with_keys else None)
        for old in removed:
            console.print(f"  已删除旧备份 removed: {old}")
    if held.missing or held.damaged:
        names = "\n".join(f"  {sha256}" for sha256 in held.named)
        fail(
            f"备份已写成，但数据库所列文书中有 {held.missing} 份不在、{held.damaged} 份已损坏；"
            "请运行 lianzhi db check --documents。"
            f" The backup is written, but of the documents that the database names {held.missing} are missing and"
            f" {held.damaged} damaged: run `lianzhi db check --documents`.\n{names}"
        )


def _note(folder: Path, at: datetime) -> None:
    """For `doctor`. A folder that may not be written spoils no backup."""
    try:
        note_backup(folder, at)
    except OSError as error:
        told = f"备份时刻未记入 {folder}，doctor 不知有此备份：{error.strerror}。"
        problems.paragraph(f"{told} `doctor` will not know of it: nothing can be written there.", style="yellow")


def _about_keys(with_keys: bool) -> str:
    if with_keys:
        return (
            "  含私钥和密码，仅属主可读（600）；请与口令同等保管。"
            " It holds private keys and passwords, is readable by its owner alone (600); keep it as you keep"
            " passwords."
        )
    return (
        "  不含私钥、hash.key 和密码文件，须另行保管。"
        " Without private keys, hash.key and password files: keep those apart."
    )


def db_restore(
    backup: Annotated[Path, typer.Argument(help="备份文件 The backup")],
    over: Annotated[
        bool, typer.Option("--over", help="代替已有的数据库（移到一旁） In place of a database (moved aside)")
    ] = False,
    folder: Folder = DEFAULT_FOLDER,
) -> None:
    """恢复备份：先核对，再代替，最后检查。 Verify a backup, put it in place, then check."""
    from gateway.keeping import look_over, restore

    if not backup.is_file():
        fail(f"{backup}：没有这个文件。 No such file.", MISUSE)
    try:
        done = run(restore(backup, folder, over=over, progress=_Telling()))
    except OSError as error:
        fail(f"{backup}：恢复未完成。 Not restored: {error}")
    manifest = done.manifest
    console.print(f"已恢复 Restored: {backup}（{manifest.at.isoformat(timespec='seconds')}）")
    if done.aside is not None:
        console.print(f"  原有数据库移到 the old database was moved to: {done.aside}")
    if done.installed:
        console.print(f"  配置、单位和公钥取自备份 configuration, participants, public keys: {folder}")
    if done.migrated:
        console.print("  数据库已升级到本版本 the database was brought to this version")
    if done.missing:
        names = "、".join(done.missing)
        console.print(f"  还缺以下密钥文件，请放回再启动 put these back first: {names}", style="yellow")
    checked = run(look_over(done.config, digests=True, progress=_Telling()))
    _tell(checked)
    console.print(NEXT)
    if not checked.clean:
        raise typer.Exit(FOUND_WRONG)


def db_check(
    documents: Annotated[
        bool, typer.Option("--documents", help="逐份核对文书摘要 Read every document and compare its digest")
    ] = False,
    folder: Folder = DEFAULT_FOLDER,
    json_out: AsJson = False,
) -> None:
    """各表是否相符：0 相符，1 有问题，2 无法检查。 Do the rows agree: 0 yes, 1 found wrong, 2 could not look."""
    from gateway.keeping import look_over

    with own_errors_told():
        try:
            checked = asyncio.run(look_over(load_config(folder), digests=documents, progress=_Telling()))
        except (StoreUnavailableError, OSError) as error:
            fail(f"无法检查：存储不可用。 Could not look, the store is not available: {error}", MISUSE)
    if json_out:
        as_json(_json(checked))
    else:
        _tell(checked)
    if not checked.clean:
        raise typer.Exit(FOUND_WRONG)


def _tell(checked: Any) -> None:
    from gateway.core.recovery.soundness_words import RULES

    for finding in checked.findings:
        zh, en = RULES[finding.rule]
        place = f"{finding.table}  {finding.key}"
        problems.print(f"✗ {place}  [{finding.rule}]", style="red")
        problems.print(f"    {zh}；现为 {finding.found}，应为 {finding.wanted}")
        problems.print(f"    {en}; it is {finding.found}, should be {finding.wanted}")
    for rule, count in checked.counts.items():
        console.print(f"  {rule}: {count}")
    if checked.clean:
        console.print(
            f"已检查 {checked.requests} 个编号（请求，另有网关自己的定时任务，故可略多于请求数），各表相符"
            f" {checked.requests} numbers looked at (of requests, and of the gateway's own timers: a few more than"
            " there are requests), everything agrees"
        )
    else:
        console.print(f"已检查 {checked.requests} 个编号，有问题 {sum(checked.counts.values())} 处 found wrong")


def _json(checked: Any) -> dict[str, Any]:
    from gateway.core.recovery.soundness_words import RULES

    return {
        "clean": checked.clean,
        "looked_at": checked.requests,
        "counts": checked.counts,
        "findings": [
            {
                "rule": f.rule, "table": f.table, "key": f.key, "found": f.found, "wanted": f.wanted,
                "zh": RULES[f.rule][0], "en": RULES[f.rule][1],
            }
            for f in checked.findings
        ],
    }  # fmt: skip
