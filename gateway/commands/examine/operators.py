"""Operators as `lianzhi doctor` sees them: who is listed, and whether each of them gets to the socket."""

from __future__ import annotations

import os
import pwd
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from gateway.core import checkup
from gateway.core.checkup import Check
from gateway.core.operating.operators import ROLE_WORDS
from gateway.http.operating.place import closed_on_the_way, group_name, group_of, opening
from gateway.registry.config import FILE, Config
from gateway.registry.operators import read_operators
from lianzhi.errors import ConfigurationError

TITLE = "操作人 operators"


def operators_of(config: Config) -> Iterator[Check]:
    """Who may act through the gateway that runs (docs/adr/0047), and who of them cannot reach it."""
    file = config.folder / FILE
    try:
        listed = read_operators(file)
    except (ConfigurationError, OSError) as error:
        yield checkup.failed("operators", TITLE, error, f"核对 [operators] see to it: {file}")
        return
    if not listed:
        zh, en = "未列入任何人，无人能操作", "Nobody is listed, so nobody can act"
        yield Check("operators", TITLE, "warning", zh, en, f"写入 add to {file}: {_example()}")
        return
    roles = Counter(operator.role for operator in listed.values())
    told = ", ".join(f"{role}（{ROLE_WORDS[role][0]}） {count}" for role, count in sorted(roles.items()))
    yield Check("operators", TITLE, "ok", told, "")
    yield from filter(None, (_obstacle(config.folder, user) for user in listed))


def _example() -> str:
    roles = "、".join(f"{role} {zh}" for role, (zh, _) in ROLE_WORDS.items())
    return f'[operators.USER] name = "姓名 name"  role = "operator"（USER 系统账号 system account；role: {roles}）'


def _obstacle(folder: Path, user: str) -> Check | None:
    """What keeps that user from the socket, by accounts, groups and modes; None: nothing."""
    gid, _ = group_of(folder)
    group = group_name(gid)
    try:
        found = pwd.getpwnam(user)
    except KeyError:
        zh, en = f"{user} 不是本机的系统用户", f"{user} is no user of this system"
        return Check("operators-way", TITLE, "warning", zh, en, f"useradd -m -G {group} {user}; passwd {user}")
    if found.pw_uid in (0, os.geteuid()):
        return None
    gids = os.getgrouplist(user, found.pw_gid)
    if gid not in gids:
        zh, en = (
            f"{user} 不在用户组 {group}，连不上网关",
            f"{user} is not in the group {group} and cannot reach the gateway",
        )
        fix = f"usermod -aG {group} {user}，重新登录 and log in anew"
        return Check("operators-way", TITLE, "warning", zh, en, fix)
    closed = closed_on_the_way(folder, found.pw_uid, gids)
    if closed is None:
        return None
    zh, en = f"{closed} 不让用户组 {group} 通过，{user} 连不上网关", f"{closed} does not let the group {group} through"
    return Check(
        "operators-way", TITLE, "warning", zh, f"{en}: {user} cannot reach the gateway", opening(closed, group)
    )
