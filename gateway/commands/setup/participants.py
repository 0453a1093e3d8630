"""For whoever keeps the partners: `participants add | suspend | resume | remove | password | package`."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.application.ports.lists import RequestFilter
from gateway.commands.installed import installed
from gateway.commands.scaffold.new_participant import Patterns, write_participant
from gateway.commands.setup.alone import alone, one_at_a_time
from gateway.commands.setup.broker import Admin, AdminPassword, AdminPasswordFile, ManagementUrl, admin_password
from gateway.core.routing import Participant
from gateway.core.time.calendar import SHANGHAI
from gateway.registry.config import DEFAULT_FOLDER, load_config
from gateway.registry.installation import HANDOVER, Installation, write_secret
from gateway.registry.participants import PARTICIPANTS, load_registry
from gateway.registry.setup.broker_passwords import new_password, partner_password, partner_password_file
from gateway.registry.setup.first_steps import BROKER_APPLY
from gateway.registry.setup.packages import package_of
from lianzhi.cli.output import FOUND_WRONG, MISUSE, Folder, console, fail, problems, run
from lianzhi.errors import ConfigurationError
from lianzhi.files import write_private
from lianzhi.text_files import read_text

if TYPE_CHECKING:
    from gateway.application.queries.open_matters import OpenMatters
    from gateway.broker.management import Management

REMOVED = "removed"
SHOWN = 20
PATIENCE = 30.0
"""Seconds that stopping a partner waits for another administrator's command: it must not fail over that."""

Code = Annotated[str, typer.Argument(help="单位编号，如 police-610114 Its code")]


@one_at_a_time
def add(
    code: Code,
    kind: Annotated[str, typer.Option("--kind", help="哪类单位：adapters/ 里的文件夹名 A folder of adapters/")],
    zh: Annotated[str, typer.Option("--zh", help="中文名称 Its name")],
    en: Annotated[str, typer.Option("--en", help="英文名称 Its name in English")],
    folder: Folder = DEFAULT_FOLDER,
    http: Annotated[bool, typer.Option("--http", help="用接口，不用队列 By the API instead of queues")] = False,
    dialect: Annotated[str | None, typer.Option(help="方言；默认为该类单位的 By default its kind's")] = None,
    division: Annotated[str | None, typer.Option(help="区划代码 Division")] = None,
    court_code: Annotated[str | None, typer.Option(help="法院代字，仅法院 Court code, of courts")] = None,
    dept: Annotated[str | None, typer.Option(help="哪个部门，仅部门 Which one, of departments")] = None,
    accepts: Annotated[
        list[str] | None, typer.Option("--accepts", help="能收的事项，可多次 A type that it is asked; repeat")
    ] = None,
    opens: Annotated[
        list[str] | None, typer.Option("--opens", help="能发起的事项，可多次 A type that it opens; repeat")
    ] = None,
    public_key: Annotated[
        list[Path] | None,
        typer.Option("--public-key", help="对方自制的公钥（JWK），可多次 Its own public key"),
    ] = None,
) -> None:
    """登记一个单位：文件、密钥、密码，一次做好。 Take a partner in: its file, its keys, its password, at once."""
    load_config(folder)
    installation, today = Installation(folder), datetime.now(SHANGHAI).date()
    theirs = [_public_key(path) for path in public_key or ()]
    if left := sorted((folder / "keys").rglob(f"{code}.*.jwk")):
        fail(
            f"{left[0]}：有同名单位留下的密钥，请先移走。 A key of a participant of this name lies there: move it.",
            MISUSE,
        )
    path = write_participant(
        folder, code, kind, zh, en, http=http, patterns=Patterns(accepts or (), opens or ()),
        dialect=dialect, division=division, court_code=court_code, dept=dept,
    )  # fmt: skip
    try:
        kids = _give_keys(installation, code, theirs, today, http=http)
        load_registry(folder)  # beside all others: one key twice, one court twice
    except ConfigurationError:
        _undo(installation, code)
        raise
    console.print(f"已登记 Registered: {path}  {' '.join(kids)}", markup=False)
    if not http:
        partner_password(folder, code)
    _tell_next(folder, code, http=http, handover=not theirs)


def _public_key(path: Path) -> dict[str, Any]:
    try:
        jwk = json.loads(read_text(path))
    except ValueError as error:
        raise ConfigurationError(f"{path}：不是 JSON。 It is not JSON.") from error
    if not isinstance(jwk, dict):
        raise ConfigurationError(f"{path}：须为一个 JWK。 It must be one JWK.")
    return jwk


def _give_keys(
    installation: Installation, code: str, theirs: list[dict[str, Any]], today: date, *, http: bool
) -> list[str]:
    """Registers its own public halves, or makes a pair for each purpose. The kids."""
    if theirs:
        return [installation.register_key(code, jwk, since=today) for jwk in theirs]
    return [
        installation.new_key(code, "sig", "1", since=today, held_by_gateway=http),
        installation.new_key(code, "enc", "1", since=today, held_by_gateway=http),
    ]


def _undo(installation: Installation, code: str) -> None:
    """Nothing of a participant that could not be taken in stays."""
    folder = installation.folder
    installation.participant_file(code).unlink()
    for path in (*(folder / "keys").glob(f"{code}.*.jwk"), *(folder / "keys" / "private").glob(f"{code}.*.jwk")):
        path.unlink()
    shutil.rmtree(folder / HANDOVER / code, ignore_errors=True)


def _tell_next(folder: Path, code: str, *, http: bool, handover: bool) -> None:
    named = folder == DEFAULT_FOLDER or os.environ.get("LIANZHI_FOLDER") == str(folder)
    where = "" if named else f" --dir {shlex.quote(str(folder))}"
    steps = [
        f"核对 accepts、opens check what it may: {folder / PARTICIPANTS / f'{code}.toml'}",
        f"lianzhi participants check{where}",
    ]
    if http:
        steps.append(f"lianzhi clients add {code} <client>{where}")
    else:
        steps.append(f"{BROKER_APPLY}{where}")
        steps.append(f"lianzhi participants package {code} --out {code}.zip{where}")
        made = "私钥和密码 keys and password" if handover else "密码 password"
        steps.append(f"交付后删除 delete after the handover: {folder / HANDOVER / code}/（{made}）")
    steps.append("运行中的网关数秒内读入 a running gateway takes it over within seconds: lianzhi doctor")
    console.print("下一步 Next:")
    for number, step in enumerate(steps, 1):
        console.print(f"  {number} {step}", markup=False)


def suspend(
    code: Code,
    folder: Folder = DEFAULT_FOLDER,
    admin: Admin = "guest",
    password: AdminPassword = None,
    password_file: AdminPasswordFile = None,
    management: ManagementUrl = None,
) -> None:
    """立即停用：不再收发请求，关闭其连接，列出未了结的。 Stop a partner at once; list what waits with it."""
    partner = _registered(folder, code)
    if partner.home:
        fail(f"{code} 是本院，不能停用。 {code} is the home court and cannot be suspended.", MISUSE)
    with alone(folder, patience=PATIENCE):
        Installation(folder).set_enabled(code, enabled=False)
    console.print(f"已停用 Suspended: {code}", markup=False)
    waiting = _waiting(folder, code)
    _tell_waiting(waiting)
    if partner.channel != "amqp":
        return
    if password is None and password_file is None and not sys.stdin.isatty():
        fail(
            "网关已停；它在代理上的用户尚未锁住，还能取走队列里的：再执行一次并给出 --password-file，"
            "或 lianzhi broker apply。"
            " The gateway has stopped; its user at the broker is not locked out yet and can take what lies in its"
            " queues: run this again with --password-file, or `lianzhi broker apply`."
        )
    _at_broker(folder, code, admin, admin_password(admin, password, password_file), management, enabled=False)
    console.print("代理已关闭其连接，收回权限 Its connections at the broker are closed, its rights taken.")


def resume(
    code: Code,
    folder: Folder = DEFAULT_FOLDER,
    admin: Admin = "guest",
    password: AdminPassword = None,
    password_file: AdminPasswordFile = None,
    management: ManagementUrl = None,
) -> None:
    """恢复停用的单位 Take a suspended partner in again."""
    partner = _registered(folder, code)
    with alone(folder, patience=PATIENCE):
        Installation(folder).set_enabled(code, enabled=True)
    if partner.channel == "amqp":
        _at_broker(folder, code, admin, admin_password(admin, password, password_file), management, enabled=True)
    console.print(f"已恢复 Resumed: {code}", markup=False)


@one_at_a_time
def remove(code: Code, folder: Folder = DEFAULT_FOLDER) -> None:
    """移走已停用、从未有过请求的单位；文件留在 removed/。 Take out a suspended partner that no request names."""
    partner = _registered(folder, code)
    if partner.home:
        fail(f"{code} 是本院，不能移走。 {code} is the home court and cannot be removed.", MISUSE)
    if partner.enabled:
        fail(f"{code} 尚未停用：先 lianzhi participants suspend {code}。 Suspend it first.", MISUSE)
    waiting = _waiting(folder, code)
    if waiting:
        _tell_waiting(waiting)
        fail(f"{code} 还有未了结的事项，未移走。 Not removed: the matters above are open.", FOUND_WRONG)
    if _named(folder, code):
        fail(
            f"{code} 有过请求：读取、核验这些请求须有它的文件和公钥，请保持停用，不移走。"
            f" Requests name {code}: its file and keys are needed to read and verify them; leave it suspended.",
            FOUND_WRONG,
        )
    to = _move_away(folder, code)
    console.print(f"已移到 Moved to: {to}", markup=False)
    if partner.channel == "amqp":
        user, vhost = partner.broker_user or code, load_config(folder).vhost
        console.print("代理上的用户和队列由管理员删除 The broker's administrator deletes its user and queues:")
        console.print(f"  rabbitmqctl delete_user {user}", markup=False)
        for way in ("to", "from"):
            for lane in ("", ".urgent"):
                console.print(f"  rabbitmqctl -p {vhost} delete_queue lianzhi.{way}.{code}{lane}", markup=False)
    console.print("运行中的网关数秒内读入 A running gateway takes it over within seconds.")


def _named(folder: Path, code: str) -> bool:
    """Whether any request, also one that is long done, is or was with it."""

    async def work() -> bool:
        async with installed(folder) as context:
            return bool(await context.store.requests(RequestFilter(participant=code, limit=1)))

    return run(work())


def _move_away(folder: Path, code: str) -> Path:
    """File and public keys stay as evidence; what was to be handed over goes."""
    from lianzhi.files import private_folder

    to = folder / REMOVED / f"{code}-{datetime.now(SHANGHAI):%Y%m%d%H%M%S}"
    private_folder(to)
    for path in (folder / "keys").glob(f"{code}.*.jwk"):
        path.rename(to / path.name)
    for path in (folder / "keys" / "private").glob(f"{code}.*.jwk"):
        path.rename(to / f"private.{path.name}")
    (folder / PARTICIPANTS / f"{code}.toml").rename(to / f"{code}.toml")
    shutil.rmtree(folder / HANDOVER / code, ignore_errors=True)
    return to


def password_new(
    code: Code,
    folder: Folder = DEFAULT_FOLDER,
    admin: Admin = "guest",
    password: AdminPassword = None,
    password_file: AdminPasswordFile = None,
    management: ManagementUrl = None,
) -> None:
    """换一个代理密码，旧的立即失效。 A new broker password for a partner; the one before ends at once."""
    partner = _registered(folder, code)
    if partner.channel != "amqp" or not partner.enabled:
        fail(f"{code} 不用队列，或已停用。 {code} uses no queues, or is suspended.", MISUSE)
    word = admin_password(admin, password, password_file)
    with alone(folder):
        new = new_password()
        write_secret(partner_password_file(folder, code), new + "\n")
        _at_broker(folder, code, admin, word, management, enabled=True, secret=new)
    console.print(f"新密码 New password: {partner_password_file(folder, code)}", markup=False)


def package(
    code: Code,
    folder: Folder = DEFAULT_FOLDER,
    out: Annotated[Path | None, typer.Option(help="写入文件，默认 <编号>.zip Write to; <code>.zip by default")] = None,
    amqp: Annotated[
        str | None, typer.Option("--amqp", help="对方所用的队列地址，不含用户 The broker as the partner reaches it")
    ] = None,
) -> None:
    """接入包：配置、密钥、密码、契约、说明、示例，一个 zip。 A partner's starter package, one zip file."""
    from lianzhi.amqp.address import check_broker_url

    config = load_config(folder)
    directory, keyring = load_registry(folder)
    if amqp is not None:
        check_broker_url(amqp)
    made = package_of(config, directory, keyring, code, datetime.now(UTC), address=amqp)
    target = out or Path(f"{code}.zip")
    try:
        write_private(target, made.content)
    except OSError as error:
        fail(f"写不进 Cannot write {target}: {error.strerror}", MISUSE)
    console.print(f"已写 Written: {target}（{len(made.content) // 1024} KiB，权限 mode 600）", markup=False)
    for line in made.lacking:
        problems.print(f"! {line}", style="yellow", markup=False)
    console.print(
        f"经可信渠道交付，对方收到后删除 Hand it over by a channel that both trust, then delete here: {target},"
        f" {folder / HANDOVER / code}/",
        markup=False,
    )


def _registered(folder: Path, code: str) -> Participant:
    directory, _ = load_registry(folder)
    partner = directory.get(code)
    if partner is None:
        known = ", ".join(sorted(p.code for p in directory))
        fail(f"没有登记 {code}，已登记：{known}。 Not registered; there are: {known}.", MISUSE)
    return partner


def _waiting(folder: Path, code: str) -> OpenMatters:
    from gateway.application.queries.open_matters import open_matters

    async def work() -> OpenMatters:
        async with installed(folder) as context:
            return await open_matters(context, code)

    return run(work())


def _tell_waiting(waiting: OpenMatters) -> None:
    if not waiting:
        console.print("没有未了结的事项 Nothing is open with it.")
        return
    console.print(f"未了结 Open: {len(waiting.requests)} 件请求 requests, {len(waiting.measures)} 项措施 measures")
    for number, state in list(waiting.requests.items())[:SHOWN]:
        console.print(f"  {number}  {state}", markup=False)
    for number in waiting.measures[:SHOWN]:
        console.print(f"  {number}", markup=False)
    more = max(0, len(waiting.requests) - SHOWN) + max(0, len(waiting.measures) - SHOWN)
    if more:
        console.print(f"  另有 and {more} more")


def _at_broker(
    folder: Path, code: str, admin: str, word: str, url: str | None, *, enabled: bool, secret: str | None = None
) -> None:
    """The partner's user as its file now has it."""
    from gateway.broker.entry import enter
    from gateway.broker.management import Management
    from gateway.broker.provision import apply_user
    from gateway.broker.topology import partner_user

    config = load_config(folder)
    directory, _ = load_registry(folder)
    partner = directory.get(code)
    assert partner is not None and partner.enabled == enabled
    user = partner_user(partner, config.limits)

    async def work() -> None:
        async with Management(url or config.broker.management, admin, word, ca_file=config.broker_ca) as api:
            await enter(api, admin=admin, broker_url=config.broker.urls[0])
            await apply_user(api, config.vhost, user, secret)
            if not enabled:
                await _tell_queues(api, config.vhost, code)

    run(work())


async def _tell_queues(api: Management, vhost: str, code: str) -> None:
    """What lies there is not lost: it is taken when the partner is resumed. The broker counts every few seconds."""
    from gateway.broker.topology import to_queue

    for name in (to_queue(code), to_queue(code, "urgent")):
        queue = await api.get("queues", vhost, name)
        if queue and queue.get("messages"):
            console.print(f"队列里未取走 Not taken from {name}: {queue['messages']}", markup=False)
