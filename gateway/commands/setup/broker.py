"""`broker apply`: brings a RabbitMQ, also an empty one, to what participants and catalogue ask for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import TypeAdapter, ValidationError

from gateway.commands.recovery.lost_queues import ask_for_what_was_in_them
from gateway.commands.setup.alone import alone
from gateway.core.routing import Directory
from gateway.registry.config import DEFAULT_FOLDER, Config, load_config
from gateway.registry.setup.broker_passwords import gateway_password, partner_password, partner_password_file
from lianzhi.cli.output import FOUND_WRONG, MISUSE, Folder, console, fail, problems, run
from lianzhi.errors import BrokerUnavailableError, ConfigurationError
from lianzhi.text_files import decoded, read_secret
from schemas.catalogue import catalogue

if TYPE_CHECKING:
    from gateway.broker.management import Management
    from gateway.broker.topology import Topology
    from lianzhi.amqp.link import Link

CONNECT_SECONDS = 10.0
broker_app = typer.Typer(help="消息代理 Broker", no_args_is_help=True)

Admin = Annotated[str, typer.Option(help="管理员用户 Administrator", envvar="LIANZHI_BROKER_ADMIN")]
AdminPassword = Annotated[
    str | None,
    typer.Option(help="管理员密码，不写则询问 Its password, else asked for", envvar="LIANZHI_BROKER_ADMIN_PASSWORD"),
]
AdminPasswordFile = Annotated[
    Path | None, typer.Option("--password-file", help="管理员密码的文件（一行） A file with its password, one line")
]
ManagementUrl = Annotated[
    str | None, typer.Option("--management", help="管理接口地址，不写则取自配置 Its API; else [broker] management")
]


@broker_app.command("apply")
def broker_apply(
    folder: Folder = DEFAULT_FOLDER,
    admin: Admin = "guest",
    password: AdminPassword = None,
    password_file: AdminPasswordFile = None,
    management: ManagementUrl = None,
    passwords: Annotated[
        Path | None, typer.Option(help='JSON：{"用户": "密码"} {"user": "password"}, chosen by you instead of by us')
    ] = None,
    certificates: Annotated[
        bool,
        typer.Option("--certificates", help="新用户用证书，不设密码 New users have certificates, no password"),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只显示差别 Only show the differences")] = False,
) -> None:
    """建好代理：虚拟主机、用户、密码、权限、策略、队列。 Bring the broker to what the installation asks for."""
    from gateway.broker.provision import UNTOUCHED
    from gateway.registry.participants import load_registry

    load_config(folder)  # what is wrong with it is told before a password is asked for
    given = _passwords(passwords) if passwords is not None else {}
    word = admin_password(admin, password, password_file)
    with nullcontext() if dry_run else alone(folder):
        config, (directory, _) = load_config(folder), load_registry(folder)
        work = _Apply(config, directory, admin, word, management or config.broker.management, given, certificates)
        outcome = run(work.differences() if dry_run else work.apply())
        _tell(outcome, folder, dry_run=dry_run)
        if not dry_run and (wrong := run(work.own_login())) is not None:
            fail(wrong)
    if any(line.startswith(UNTOUCHED) for line in outcome.alone):
        raise typer.Exit(FOUND_WRONG)


def admin_password(admin: str, password: str | None, file: Path | None) -> str:
    """As given, from a file, or asked for at a terminal."""
    if file is not None:
        return read_secret(file)
    if password is not None:
        return password
    if not sys.stdin.isatty():
        fail(
            f"缺少管理员 {admin} 的密码：--password-file 文件，或环境变量 LIANZHI_BROKER_ADMIN_PASSWORD。"
            f" The password of administrator {admin} is missing: --password-file FILE, or the variable"
            " LIANZHI_BROKER_ADMIN_PASSWORD.",
            MISUSE,
        )
    asked: str = typer.prompt(f"管理员 {admin} 的密码 Password of administrator {admin}", hide_input=True)
    return asked


@dataclass(frozen=True, slots=True)
class Outcome:
    """changed, alone: lines of `provision`. doubts: about the broker. handed: participants whose password was made."""

    changed: list[str]
    alone: list[str]
    doubts: tuple[str, ...]
    handed: list[str]


@dataclass(frozen=True, slots=True)
class _Apply:
    """given: user → password, chosen by the administrator. certificates: a new user of a partner gets no password."""

    config: Config
    directory: Directory
    admin: str
    word: str
    management_url: str
    given: Mapping[str, str]
    certificates: bool

    async def differences(self) -> Outcome:
        """What `apply` would do; makes no file either."""
        from gateway.broker.provision import differences

        async def look(management: Management, topology: Topology) -> list[str]:
            lines = [] if await management.get("vhosts", self.config.vhost) else [f"virtual host {self.config.vhost}"]
            return lines + await differences(
                topology, management=management, vhost=self.config.vhost, passwords=self.given
            )

        return await self._with_broker(look, handed=[])

    async def apply(self) -> Outcome:
        """Raises ConfigurationError, ManagementError, BrokerUnavailableError."""
        handed: list[str] = []

        async def provide(management: Management, topology: Topology) -> list[str]:
            return await self._provide(management, topology, handed)

        return await self._with_broker(provide, handed)

    async def _with_broker(
        self, work: Callable[[Management, Topology], Coroutine[Any, Any, list[str]]], handed: list[str]
    ) -> Outcome:
        from gateway.broker.entry import enter
        from gateway.broker.management import Management
        from gateway.broker.provision import cluster_size, left_alone
        from gateway.broker.topology import plan, replicas_for

        config = self.config
        async with Management(self.management_url, self.admin, self.word, ca_file=config.broker_ca) as management:
            entered = await enter(management, admin=self.admin, broker_url=config.broker.urls[0])
            replicas = config.broker.replicas or replicas_for(await cluster_size(management))
            user, bounds = config.broker_user, config.limits
            topology = plan(self.directory, catalogue(), replicas=replicas, gateway_user=user, bounds=bounds)
            lines = await work(management, topology)
        alone = [line for line in lines if left_alone(line)]
        return Outcome([line for line in lines if line not in alone], alone, entered.doubts, handed)

    async def _provide(self, management: Management, topology: Topology, handed: list[str]) -> list[str]:
        from gateway.broker.entry import let_in, make_virtual_host
        from gateway.broker.provision import provision
        from lianzhi.amqp.link import Link

        vhost, lines = self.config.vhost, []
        if await make_virtual_host(management, vhost):
            lines.append(f"virtual host {vhost}")
        if await let_in(management, vhost, self.admin):
            lines.append(f"rights of {self.admin} in {vhost}")
        passwords = await self._passwords(management, handed)
        async with Link(self.config.broker_urls_of(self.admin, self.word), name="broker apply") as link:
            await _connected(link, self.admin)
            lines += await provision(topology, management=management, link=link, vhost=vhost, passwords=passwords)
        return lines

    async def own_login(self) -> str | None:
        """Why the gateway itself cannot log in now; None where it can, or does so by a certificate."""
        from lianzhi.amqp.link import Link

        config = load_config(self.config.folder)  # the password may just have been named there
        if not config.broker.has_password:
            return None
        try:
            async with Link(config.broker_urls, name="broker apply") as link:
                await _connected(link, config.broker_user)
        except BrokerUnavailableError as error:
            return str(error)
        return None

    async def _passwords(self, management: Management, handed: list[str]) -> dict[str, str]:
        """The given ones, the gateway's own, and one for each partner whose user the broker does not know yet.

        Files are written before the broker is told: whoever is interrupted finds the same password again."""
        found: dict[str, str] = {}
        own = gateway_password(self.config)
        if own is not None:
            found[self.config.broker_user] = own
        for participant in self.directory.amqp():
            user = participant.broker_user or participant.code
            if user in self.given or self.certificates or await management.get("users", user) is not None:
                continue
            found[user] = partner_password(self.config.folder, participant.code)
            handed.append(participant.code)
        return found | dict(self.given)


async def _connected(link: Link, user: str) -> None:
    """Raises BrokerUnavailableError with what the last try met."""
    try:
        await link.wait_connected(CONNECT_SECONDS)
    except TimeoutError:
        why = link.last_error or "timeout"
        raise BrokerUnavailableError(f"{user}：AMQP 登录不成 cannot log in by AMQP: {why}") from None


def _tell(outcome: Outcome, folder: Path, *, dry_run: bool) -> None:
    from gateway.broker.provision import ADVICE, UNTOUCHED, worded

    for doubt in outcome.doubts:
        problems.print(f"! {doubt}", style="yellow", markup=False)
    for line in outcome.changed:
        console.print(("将变更 would change: " if dry_run else "已变更 changed: ") + worded(line), markup=False)
    for line in outcome.alone:
        problems.print(f"请处理 left alone: {worded(line)}", style="yellow", markup=False)
    if not outcome.changed and not outcome.alone:
        console.print("已是最新 Nothing to change.")
    for code in outcome.handed:
        console.print(
            f"密码 password: {partner_password_file(folder, code)}；交给对方后删除 hand it over, then delete it here:"
            f" lianzhi participants package {code}",
            markup=False,
        )
    made = {line.removeprefix("queue ") for line in outcome.changed if line.startswith("queue ")}
    if not dry_run and made:
        ask_for_what_was_in_them(load_config(folder), folder, made)
    if any(line.startswith(UNTOUCHED) for line in outcome.alone):
        problems.print(ADVICE, style="yellow", markup=False)


def _passwords(file: Path) -> dict[str, str]:
    """User → password. Raises ConfigurationError."""
    try:
        return TypeAdapter(dict[str, str]).validate_json(decoded(file.read_bytes(), file), strict=True)
    except OSError as error:
        zh, en = f"读不出（{error.strerror}）", f"cannot be read ({error.strerror})"
    except ValidationError:  # what it says is not repeated: it may be a password
        zh, en = "不是“用户→密码”的 JSON", "is no JSON of user → password"
    raise ConfigurationError(
        f'{file} {zh}，应为 {{"用户": "密码"}}，权限 600。 It {en}; write {{"user": "password"}}, mode 600.'
    )
