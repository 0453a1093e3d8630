"""`lianzhi init`: a new installation, by questions at a terminal or by options, and what it still lacks."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from gateway.core.time.calendar import SHANGHAI
from gateway.http.operating.place import let_through
from gateway.registry.config import DEFAULT_FOLDER, FILE, load_config
from gateway.registry.installation import HANDOVER, TOKEN, FirstSettings, create_home
from gateway.registry.participants import PARTICIPANTS
from gateway.registry.places import places
from gateway.registry.setup.first_steps import BROKER_APPLY, Step, missing
from lianzhi.cli.output import MISUSE, Folder, console, fail, problems, said
from lianzhi.errors import LianzhiError, StoreUnavailableError
from lianzhi.files import put_right
from schemas.values.courts import COURTS

MIGRATE = Step("建立数据库的表", "make the database's tables", "lianzhi db migrate")
BROKER = Step(
    "建好消息代理的虚拟主机、用户、队列；须有其管理员的密码",
    "make the broker's virtual host, users and queues; its administrator's password is needed",
    BROKER_APPLY,
)
RUN = Step("检查，运行", "check, and run", "lianzhi doctor && lianzhi serve")


def init(
    court: Annotated[
        str | None, typer.Option("--court", help="法院代字，如 陕0114；不写则逐项询问 Court code; else all is asked")
    ] = None,
    folder: Folder = DEFAULT_FOLDER,
    code: Annotated[str, typer.Option(help="参与单位编号 Participant code; court-sn0114 by default")] = "",
    client: Annotated[str, typer.Option(help="第一个客户端 The first client")] = "cms1",
    store: Annotated[str | None, typer.Option(help="数据库地址 Database URL; SQLite in the folder by default")] = None,
    broker: Annotated[str | None, typer.Option(help="代理地址，不含密码 The broker's URL, without a password")] = None,
    management: Annotated[str | None, typer.Option(help="代理的管理接口 The broker's management API")] = None,
) -> None:
    """新建安装：配置、密钥、法院、一个客户端。 A new installation: configuration, keys, the court, one client."""
    if (folder / FILE).exists():
        problems.print(f"{folder / FILE}：已存在，不覆盖。 Exists already; nothing was overwritten.", style="red")
        _tell_missing(folder)
        raise typer.Exit(MISUSE)
    default = FirstSettings()
    given = FirstSettings(store or default.store, broker or default.broker, management or default.management)
    if court is None:
        court, given = _asked(given)
    _check_court(court)
    _check(given)
    code = code or "court-sn" + "".join(ch for ch in court if ch.isdigit())
    today = datetime.now(SHANGHAI).date()
    token = create_home(folder, court, code=code, client=client, today=today, settings=given)
    put_right(places(load_config(folder)))  # the folder may have been there before
    let_through(folder)  # under whatever umask: operators reach the gateway's socket through it
    console.print(f"已建立 Created: {folder}  ({code})", markup=False)
    _tell_court(folder, court, code)
    _tell_token(folder, client, token)
    before = [] if _migrated(folder) else [MIGRATE]
    _tell_missing(folder, before)


def _tell_court(folder: Path, court: str, code: str) -> None:
    """The name came out of the court table; partners see it."""
    file = folder / PARTICIPANTS / f"{code}.toml"
    console.paragraph(
        f"本院 Our court: {COURTS[court].name}（不对则改 if wrong, mend `name` in {file}）",
        later="  ",
    )


def _tell_token(folder: Path, client: str, token: str) -> None:
    console.print(
        f"\n客户端 {client} 的令牌（只显示这一次） Token of client {client}, shown this once:\n\n  {token}\n\n"
        f"也在 Also in: {folder / HANDOVER / client / TOKEN}（交给法院系统后删除 delete after handover）\n",
        markup=False,
    )


def _migrated(folder: Path) -> bool:
    """Whether the database has its tables now; why not is told."""
    import asyncio

    from gateway.store.upkeep.migrate import migrate

    try:
        asyncio.run(migrate(load_config(folder).store_url))
    except LianzhiError as error:
        told = said(error) if isinstance(error, StoreUnavailableError) else str(error)
        problems.print(f"! 数据库 store：{told}", style="yellow", markup=False)
        return False
    return True


def _tell_missing(folder: Path, before: list[Step] | None = None) -> None:
    steps = [*(before or ()), *missing(folder), BROKER, RUN]
    named = folder == DEFAULT_FOLDER or os.environ.get("LIANZHI_FOLDER")
    where = "" if named else f" --dir {shlex.quote(str(folder))}"
    console.print("还缺 Still missing:")
    for number, step in enumerate(steps, 1):
        console.print(f"  {number} {step.zh} {step.en}", markup=False)
        if step.command is not None:
            console.print(f"      {_in(step.command, where)}", markup=False)
    following = next(step.command for step in steps if step.command is not None)
    console.print(f"下一条命令 The next command: {_in(following, where)}", markup=False)


def _in(command: str, where: str) -> str:
    """Each of its commands with the folder."""
    return " && ".join(part + where for part in command.split(" && "))


def _asked(given: FirstSettings) -> tuple[str, FirstSettings]:
    """Court code and addresses, each asked for until it holds."""
    if not sys.stdin.isatty():
        fail("缺 --court 法院代字，例如 --court 陕0114。 --court is missing, such as --court 陕0114.", MISUSE)
    court = _answer("法院代字 Court code", None, _court_fault)
    store = _answer("数据库 Database", given.store, lambda text: _fault(FirstSettings(store=text)))
    broker = _answer(
        "消息代理，不含密码 Broker, without a password", given.broker, lambda text: _fault(FirstSettings(broker=text))
    )
    management = _answer(
        "代理的管理接口 Its management API", given.management, lambda text: _fault(FirstSettings(management=text))
    )
    return court, FirstSettings(store, broker, management)


def _answer(question: str, default: str | None, fault: Callable[[str], str | None]) -> str:
    while True:
        text = str(typer.prompt(question, default=default)).strip()
        wrong = fault(text)
        if wrong is None:
            return text
        problems.print(f"✗ {wrong}", style="red", markup=False)


def _court_fault(code: str) -> str | None:
    if code in COURTS:
        return None
    near = [known for known in COURTS if known[0] == code[:1] or known[1:] == code[-4:]][:5] or list(COURTS)[:5]
    return f"{code}：不在法院表中，如 {'、'.join(near)}。 Not in the court table (schemas/values/courts.py)."


def _check_court(code: str) -> None:
    if (wrong := _court_fault(code)) is not None:
        fail(wrong, MISUSE)


def _check(given: FirstSettings) -> None:
    """Each address by its own rule, before anything is written."""
    for name, one in (
        ("--store", FirstSettings(store=given.store)),
        ("--broker", FirstSettings(broker=given.broker)),
        ("--management", FirstSettings(management=given.management)),
    ):
        if (wrong := _fault(one)) is not None:
            fail(f"{name}：{wrong}", MISUSE)


def _fault(settings: FirstSettings) -> str | None:
    from pydantic import ValidationError

    from gateway.store.engine.database import database_url
    from lianzhi.protocol.rules import told

    try:
        settings.toml()
        database_url(settings.store)
    except ValidationError as error:
        return "；".join(map(told, error.errors()))
    except LianzhiError as error:
        return str(error)
    return None
