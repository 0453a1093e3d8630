"""What the machine tells: configuration, law, participants, keys, staff, file modes, disk, log, backup, channels."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from gateway.commands.examine.operators import operators_of
from gateway.core import checkup
from gateway.core.checkup import Check
from gateway.core.key_checkup import key_checks
from gateway.core.routing import Directory
from gateway.core.time.calendar import SHANGHAI
from gateway.registry.config import FILE, Config, load_config
from gateway.registry.contracts import check_words
from gateway.registry.installation import HANDOVER, TOKEN
from gateway.registry.kept import last_backup
from gateway.registry.law_files import load_law
from gateway.registry.participants import PARTICIPANTS, load_registry
from gateway.registry.places import places
from gateway.store.engine.database import database_url, sqlite_path
from gateway.store.engine.watch import MOST_BYTES, wal_bytes
from lianzhi.crypto.keyring import Keyring
from lianzhi.errors import ConfigurationError
from lianzhi.files import open_to_others, told
from schemas.catalogue import catalogue

T = TypeVar("T")


@dataclass(slots=True)
class Files:
    """checks: in the order of looking. config, directory: None where they cannot be read. sound: whether law and
    participants are as a gateway needs them to start."""

    checks: list[Check] = field(default_factory=list)
    config: Config | None = None
    directory: Directory | None = None
    sound: bool = False

    def load(self, name: str, title: str, work: Callable[[], T], said: Callable[[T], tuple[str, str]]) -> T | None:
        """One line for it, whether it can be read or not."""
        try:
            found = work()
        except ConfigurationError as error:
            self.checks.append(checkup.failed(name, title, error, "改正所指之处 mend what it names"))
            return None
        self.checks.append(Check(name, title, "ok", *said(found)))
        return found


def look_at_files(folder: Path, now: datetime) -> Files:
    """Never raises for what is wrong with the installation."""
    files = Files()
    place = str(folder / FILE)
    files.config = files.load("configuration", "配置 configuration", lambda: load_config(folder), lambda _: (place, ""))
    law = files.load("law", "法律表 law", lambda: load_law(folder), lambda _: ("可用", "can be used"))
    registry = files.load("participants", "参与单位 participants", lambda: load_registry(folder), _counted)
    if registry is not None:
        files.directory, keyring = registry
        files.sound = law is not None and _words(files, files.directory, folder)
        files.checks += key_checks(files.directory, keyring, list(catalogue().values()), now)
        files.checks += _handed_over(folder)
        home = files.directory.home
        today = now.astimezone(SHANGHAI).date()
        files.checks += checkup.staff(list(home.staff.values()), today, f"{PARTICIPANTS}/{home.code}.toml")
    if files.config is not None:
        files.checks += _machine(files.config, now)
    return files


def _counted(registry: tuple[Directory, Keyring]) -> tuple[str, str]:
    directory, keyring = registry
    participants = list(directory)
    keys = sum(len(keyring.public_keys(p.code)) for p in participants)
    return (
        f"{len(participants)} 个单位，{keys} 把公钥，本院 {directory.home.code}",
        f"{len(participants)} participants, {keys} public keys, home {directory.home.code}",
    )


def _words(files: Files, directory: Directory, folder: Path) -> bool:
    """Whether what the participants' files name of the catalogue exists."""
    try:
        check_words(directory, folder)
    except ConfigurationError as error:
        files.checks.append(
            checkup.failed("participants", "参与单位 participants", error, "lianzhi participants check")
        )
        return False
    return True


def _handed_over(folder: Path) -> Iterable[Check]:
    """Private keys and tokens that were made for somebody else and have not been moved to him."""
    there = folder / HANDOVER
    kept = sorted(path.parent.name for name in ("*.private.jwk", TOKEN) for path in there.glob(f"*/{name}"))
    if kept:
        who = checkup.listed(sorted(set(kept)))
        yield Check(
            "handover", "待移交的私钥、令牌 secrets of others", "warning",
            f"handover/ 中还有 {len(kept)} 个：{who}", f"{len(kept)} are still in handover/",
            "移交后在此删除 move them to their owners, then delete them here",
        )  # fmt: skip


def _machine(config: Config, now: datetime) -> Iterable[Check]:
    path = sqlite_path(database_url(config.store_url))
    yield _modes(config)
    volumes = {_existing(place): place for place in (config.folder, config.documents_folder, path or config.folder)}
    seen = set()
    for place in volumes:
        try:
            device, usage = place.stat().st_dev, shutil.disk_usage(place)
        except OSError as error:
            yield checkup.failed("disk", "磁盘 disk", error, "核对目录 see to the folder")
            continue
        if device not in seen:
            seen.add(device)
            yield checkup.disk(str(place), usage.free, usage.total)
    if path is not None and path.exists():
        yield checkup.wal(wal_bytes(path), MOST_BYTES)
    yield checkup.backup(last_backup(config.folder), now)
    yield _channels(config)
    yield from operators_of(config)


def _existing(place: Path) -> Path:
    """The nearest folder that is there already."""
    place = place.absolute()
    while not place.is_dir():
        place = place.parent
    return place


def _modes(config: Config) -> Check:
    """Nobody else on this machine can read what lies in the installation."""
    title, modes = "文件权限 files", open_to_others(places(config))
    close = f"chmod -R go= {config.folder}; systemctl restart lianzhi（重新放行操作人 lets operators in again）"
    if modes.home_shared:
        zh, en = f"{config.folder} 是共用文件夹", f"Others use {config.folder} too"
        return Check("files", title, "wrong", zh, en, "移到专用文件夹 move it to a folder of its own")
    if modes.open:
        zh, en = told(modes)
        return Check("files", title, "wrong", zh, f"{en}; serve closes them when it starts", close)
    return Check("files", title, "ok", "仅本用户可读", "readable by this user alone")


def _channels(config: Config) -> Check:
    """The channels by which a hit pages people can be built."""
    from gateway.bootstrap import build_alarm_ways, build_notifiers

    title = "呼叫 paging"
    try:
        names = [notifier.channel for notifier in build_notifiers(config)]
        build_alarm_ways(config)
    except (ConfigurationError, OSError) as error:
        return checkup.failed("paging", title, error, "核对 [notify]、[alerts] see to it (docs/examples.md)")
    if not names:
        zh, en = "未配置，命中时无人被呼叫", "none configured: nobody is paged on a hit"
        return Check("paging", title, "warning", zh, en, "写入 [notify] write it (docs/examples.md)")
    return Check("paging", title, "ok", f"渠道 {', '.join(names)}", f"channels {', '.join(names)}")
