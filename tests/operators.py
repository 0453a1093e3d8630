"""People who operate a gateway, as users of this system: made for a test, and what they run as themselves."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import subprocess
from asyncio.subprocess import PIPE
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import tomlkit

from gateway.http.operating.place import RUN
from gateway.registry.config import FILE

OWN = pwd.getpwuid(os.geteuid()).pw_name
LI, WANG, HE, ZHAO = (f"lzt{os.getpid()}{name}" for name in ("li", "wang", "he", "zhao"))
LISTED: Mapping[str, tuple[str, str]] = {
    OWN: ("演示操作员", "supervisor"),
    LI: ("李演示", "operator"),
    WANG: ("王演示", "operator"),
    HE: ("何演示", "viewer"),
}
"""User → name and role. ZHAO is a user of the system and no operator."""
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="makes system users")


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


@contextmanager
def system_users() -> Iterator[None]:
    """LI, WANG, HE and ZHAO."""
    made: list[str] = []
    try:
        for user in (LI, WANG, HE, ZHAO):
            add = ["useradd", "--no-create-home", "--no-user-group", "--shell", "/bin/false", user]
            subprocess.run(add, check=True)
            made.append(user)
        yield
    finally:
        for user in made:
            subprocess.run(["userdel", user], check=True)


@contextmanager
def passable_folder() -> Iterator[Path]:
    """A folder that other users may pass through. pytest's own are closed to everybody else, and every run that begins
    closes them again."""
    with TemporaryDirectory(prefix="lianzhi-operators-") as made:
        folder = Path(made)
        folder.chmod(0o711)
        yield folder


def list_operators(folder: Path, roles: Mapping[str, tuple[str, str]] = LISTED) -> None:
    """These and nobody else, from the next act on."""
    path = folder / FILE
    document = tomlkit.parse(path.read_text("utf-8"))
    document["operators"] = {user: {"name": name, "role": role} for user, (name, role) in roles.items()}
    path.write_text(tomlkit.dumps(document), "utf-8")


def as_user(user: str | None, command: Sequence[str], folder: Path) -> list[str]:
    """The command as that user, a member of the group that the socket of the installation is for."""
    if user is None:
        return list(command)
    found = pwd.getpwnam(user)
    group = (folder / RUN).stat().st_gid
    who = (f"--reuid={found.pw_uid}", f"--regid={found.pw_gid}", f"--groups={group}", "--no-new-privs")
    return ["setpriv", *who, "--", *command]


async def run_as(user: str | None, command: Sequence[str], folder: Path, *, columns: int = 80) -> Ended:
    """A command with `--dir folder`, to its end."""
    words = as_user(user, [*command, "--dir", str(folder)], folder)
    environment = {**os.environ, "COLUMNS": str(columns), "HOME": "/"}
    process = await asyncio.create_subprocess_exec(*words, stdout=PIPE, stderr=PIPE, env=environment, cwd="/")
    out, err = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())
