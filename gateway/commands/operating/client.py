"""Asks the gateway that runs, over its operators' socket. Whatever stands in the way is told in words."""

from __future__ import annotations

import getpass
import json
import os
import socket
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from gateway.http.operating.calls import PREFIX
from gateway.http.operating.place import GROUP, below, closed_on_the_way, group_name, group_of, opening, socket_of
from lianzhi.cli.output import fail
from lianzhi.printable import printable

SECONDS = 60.0


class NotRunningError(Exception):
    """No gateway of that installation listens."""


class _OverSocket(HTTPConnection):
    def __init__(self, folder: Path) -> None:
        super().__init__("operate", timeout=SECONDS)
        self._folder = folder

    def connect(self) -> None:
        """Raises OSError."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(SECONDS)
        with below(socket_of(self._folder).parent) as name:
            self.sock.connect(name)


def ask(folder: Path, method: str, path: str, body: Mapping[str, Any] | None = None, **query: Any) -> Any:
    """What the gateway answers. path: below `/operate/v1`. query: None is left out.

    Ends the command with words: it does not run, the socket cannot be reached, the user is not listed, it refused.
    """
    try:
        return asked(folder, method, path, body, **query)
    except NotRunningError:
        fail(
            f"网关没有运行（{socket_of(folder)} 无人监听）。请先启动 lianzhi serve，或用 --dir 指明其目录。"
            f" The gateway does not run: nobody listens there. Start `lianzhi serve`, or name its folder with --dir."
        )


def asked(folder: Path, method: str, path: str, body: Mapping[str, Any] | None = None, **query: Any) -> Any:
    """The same; raises NotRunningError."""
    wanted = urlencode({name: value for name, value in query.items() if value is not None})
    url = f"{PREFIX}{path}" + (f"?{wanted}" if wanted else "")
    content = None if body is None else json.dumps({k: v for k, v in body.items() if v is not None}).encode()
    connection = _OverSocket(folder)
    try:
        connection.request(method, url, content, {"Content-Type": "application/json"} if content is not None else {})
        answer = connection.getresponse()
        raw = answer.read()
    except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
        raise NotRunningError from None
    except PermissionError:
        fail(_closed(folder))
    except (OSError, HTTPException) as error:
        fail(
            f"{socket_of(folder)}：没有回答（{type(error).__name__}），请查网关日志。"
            f" The gateway does not answer there; see its log."
        )
    finally:
        connection.close()
    told = json.loads(raw)
    if answer.status != 200:
        fail(_refusal(told))
    return told


def _closed(folder: Path) -> str:
    """What stands in the way to the socket: the group that this user is not in, or a folder that is closed to it."""
    user, gids = _own_name(), {os.getegid(), *os.getgroups()}
    closed = closed_on_the_way(folder, os.geteuid(), gids) or socket_of(folder)
    zh, en = f"{socket_of(folder)}：系统用户 {user} 无权打开", f"The system user {user} may not open it"
    gid, group = _operators_group(folder)
    if gid is not None and gid not in gids:
        return (
            f"{zh}：不在用户组 {group}。由 root 执行 usermod -aG {group} {user}，然后重新登录。"
            f" {en}: it is not in the group {group}. Let root run that command, then log in anew."
        )
    return (
        f"{zh}：{closed} 不让用户组 {group} 通过。由 root 执行 {opening(closed, group)}。"
        f" {en}: {closed} does not let the group {group} through. Let root run that command."
    )


def _operators_group(folder: Path) -> tuple[int | None, str]:
    """As far as a user can tell who may not be let in. No number: the group is not made, and the folder is hidden."""
    try:
        gid, _ = group_of(folder)
    except OSError:
        return None, GROUP
    return gid, group_name(gid)


def _own_name() -> str:
    try:
        return printable(getpass.getuser(), 40)
    except (KeyError, OSError):
        return f"uid {os.geteuid()}"


def _refusal(problem: Mapping[str, Any]) -> str:
    """A problem document as lines."""
    lines = [f"{problem.get('title', '')}  {problem.get('title_en', '')}"]
    for error in problem.get("errors", ()):
        lines += [f"  {error['detail']}", f"  {error['detail_en']}  [{error['rule']}]"]
    return "\n".join(printable(line, None) for line in lines)
