"""For whoever installs: `participants`, `clients`, `keys`, `db`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from gateway.commands.setup.alone import one_at_a_time
from gateway.core.time.calendar import SHANGHAI
from gateway.registry.config import DEFAULT_FOLDER, load_config
from gateway.registry.contracts import check_words, contract_of
from gateway.registry.forms import SCOPES
from gateway.registry.installation import Installation, write_text
from gateway.registry.participants import PARTICIPANTS, load_registry, read_form
from gateway.registry.setup.participant_rules import unbelieved, unsealed
from lianzhi.cli.output import FOUND_WRONG, AsJson, Folder, as_json, console, fail, listing, problems, run
from lianzhi.errors import ConfigurationError

participants_app = typer.Typer(help="参与单位 Participants", no_args_is_help=True)
clients_app = typer.Typer(help="法院系统客户端 Clients that speak for an http participant", no_args_is_help=True)
keys_app = typer.Typer(help="密钥 Keys", no_args_is_help=True)
db_app = typer.Typer(help="数据库 Database", no_args_is_help=True)


@participants_app.command("list")
def participants_list(folder: Folder = DEFAULT_FOLDER, json_out: AsJson = False) -> None:
    """登记的单位 Registered participants."""
    directory, keyring = load_registry(folder)
    rows = [
        {
            "code": p.code,
            "kind": p.kind,
            "name": p.zh,
            "channel": p.channel,
            "dialect": p.dialect,
            "home": p.home,
            "enabled": p.enabled,
            "keys": len(keyring.public_keys(p.code)),
            "staff": len(p.staff),
        }
        for p in directory
    ]
    listing(rows, "参与单位 Participants", json_out=json_out)


@participants_app.command("check")
def participants_check(folder: Folder = DEFAULT_FOLDER) -> None:
    """逐个检查文件与密钥 Check every file and key; exit 1 when something is wrong."""
    wrong: list[str] = []
    lacking: list[str] = []
    sound: list[Path] = []
    for path in sorted((folder / PARTICIPANTS).glob("*.toml")):
        try:
            read_form(path)
            sound.append(path)
        except ConfigurationError as error:
            wrong.append(str(error))
    try:
        directory, keyring = load_registry(folder)
        check_words(directory, folder)
    except ConfigurationError as error:
        wrong += [] if str(error) in wrong else [str(error)]  # the first of those above
    else:
        for path in sound:
            if (partner := directory.get(path.stem)) is None:
                continue
            if lack := unbelieved(partner, keyring):
                wrong.append(f"{path}：{lack}")
            elif lack := unsealed(partner, keyring):
                lacking.append(f"{path}：{lack}")
    for path in sound:
        if not any(str(path) in line for line in (*wrong, *lacking)):
            console.print(f"✓ {PARTICIPANTS}/{path.name}")
    for line in lacking:
        console.paragraph(f"! {line}", later="    ", style="yellow")
    for line in wrong:
        problems.paragraph(f"✗ {line}", later="    ", style="red")
    if wrong:
        raise typer.Exit(FOUND_WRONG)


@participants_app.command("contract")
def participants_contract(
    code: Annotated[str, typer.Argument(help="参与单位编号 Participant code")],
    folder: Folder = DEFAULT_FOLDER,
    out: Annotated[Path | None, typer.Option(help="写入文件 Write to a file")] = None,
) -> None:
    """契约文件：该单位能说、能听的全部报文，由本院签名。 The contract file: what it may say and hear, signed by us."""
    directory, keyring = load_registry(folder)
    check_words(directory, folder)
    raw = contract_of(directory, keyring, code, datetime.now(UTC))
    if out is None:
        console.print(raw.decode(), end="", markup=False, highlight=False, soft_wrap=True)
        return
    out.write_bytes(raw)
    console.print(f"已写入 Written: {out}", markup=False)


@clients_app.command("list")
def clients_list(folder: Folder = DEFAULT_FOLDER, json_out: AsJson = False) -> None:
    """已登记的客户端（不含令牌） Registered clients, without tokens."""
    directory, _ = load_registry(folder)
    rows = [
        {
            "participant": p.code,
            "client": c.id,
            "scopes": " ".join(sorted(c.scopes)),
            "signs_with": c.signs_with,
            "opens_with": c.opens_with,
            "revoked": c.revoked,
        }
        for p in directory
        for c in p.clients
    ]
    listing(rows, "客户端 Clients", json_out=json_out)


@clients_app.command("add")
@one_at_a_time
def clients_add(
    participant: str,
    client: str,
    folder: Folder = DEFAULT_FOLDER,
    scope: Annotated[list[str] | None, typer.Option(help=f"权限 One or more of {', '.join(SCOPES)}")] = None,
    keys: Annotated[bool, typer.Option(help="同时制作签名与解密密钥 Make its sub and enc keys too")] = True,
) -> None:
    """新增客户端；令牌显示一次，并写入 handover/。 Add a client; its token is shown once, and lies in handover/."""
    installation, today = Installation(folder), datetime.now(SHANGHAI).date()
    if unknown := set(scope or ()) - set(SCOPES):
        fail(f"没有这种权限 No such scope: {', '.join(sorted(unknown))}", 2)
    signs = opens = None
    if keys:
        signs = installation.new_key(participant, "sub", client, since=today, held_by_gateway=False, client=client)
        opens = installation.new_key(participant, "enc", client, since=today, held_by_gateway=False, client=client)
    token = installation.add_client(participant, client, scopes=scope or SCOPES, signs_with=signs, opens_with=opens)
    path = installation.hand_over_token(client, token)
    console.print(f"令牌（只显示这一次） Token, shown this once:\n\n  {token}\n")
    what = "令牌和私钥 Token and private keys" if keys else "令牌 Token"
    console.print(f"{what}: {path.parent}/（交给法院系统后删除 delete once the court system has them）")
    console.print("运行中的网关数秒内读入 A running gateway takes it over within seconds.")


@clients_app.command("revoke")
@one_at_a_time
def clients_revoke(participant: str, client: str, folder: Folder = DEFAULT_FOLDER) -> None:
    """吊销客户端的令牌 Revoke a client's token."""
    Installation(folder).revoke_client(participant, client)
    console.print(f"已吊销 Revoked: {client}。运行中的网关随即不再接受 A running gateway refuses it within seconds.")


@keys_app.command("new")
@one_at_a_time
def keys_new(
    participant: str,
    purpose: Annotated[str, typer.Argument(help="sig | sub | enc")],
    label: str,
    folder: Folder = DEFAULT_FOLDER,
    kty: Annotated[str, typer.Option(help="EC（P-256，默认）或 OKP")] = "EC",
    handover: Annotated[
        bool, typer.Option(help="私钥交给对方，不由网关持有 The private half is for its owner")
    ] = False,
    since: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="自哪日起用，默认今日 In force from; today by default"),
    ] = None,
) -> None:
    """制作密钥对并登记公钥 Make a key pair and register its public half."""
    if purpose not in ("sig", "sub", "enc") or kty not in ("EC", "OKP"):
        fail("用途须为 sig、sub、enc；类型须为 EC、OKP Purpose is sig, sub or enc; type EC or OKP", 2)
    which: Literal["sig", "sub", "enc"] = "sig" if purpose == "sig" else "sub" if purpose == "sub" else "enc"
    kid = Installation(folder).new_key(
        participant,
        which,
        label,
        since=(since or datetime.now(SHANGHAI)).date(),
        kty="EC" if kty == "EC" else "OKP",
        held_by_gateway=not handover,
    )
    console.print(kid)


@keys_app.command("list")
def keys_list(folder: Folder = DEFAULT_FOLDER, json_out: AsJson = False) -> None:
    """已登记的公钥及有效期 Registered public keys and their dates."""
    directory, keyring = load_registry(folder)
    rows = [
        {
            "kid": key.kid,
            "purpose": key.purpose,
            "from": key.nbf.astimezone(SHANGHAI).date() if key.nbf else None,
            "until": key.last_day(SHANGHAI),
            "revoked_at": key.revoked_at,
            "client": key.client,
        }
        for p in directory
        for key in keyring.public_keys(p.code)
    ]
    listing(rows, "密钥 Keys", json_out=json_out)


@keys_app.command("export")
def keys_export(
    recipient: Annotated[str, typer.Option("--for", help="给哪个单位 For which participant")],
    folder: Folder = DEFAULT_FOLDER,
    out: Annotated[Path | None, typer.Option(help="写入文件 Write to a file")] = None,
) -> None:
    """导出公钥（JWKS）：给合作单位的是网关一侧的，给法院系统的是全部。 Ours for a partner; all for a court system."""
    directory, keyring = load_registry(folder)
    party = directory.get(recipient)
    if party is None:
        fail(f"{recipient}：没有登记 Not registered.", 2)
    jwks = keyring.jwks(None if party.local else directory.local)
    if out is None:
        as_json(jwks)
        return
    write_text(out, json.dumps(jwks, ensure_ascii=False, indent=1) + "\n")
    console.print(f"已写入 Written: {out}")


@db_app.command("migrate")
def db_migrate(folder: Folder = DEFAULT_FOLDER) -> None:
    """把数据库升级到本版本 Bring the database to this version."""
    from gateway.store.upkeep.migrate import migrate

    run(migrate(load_config(folder).store_url))
    console.print("数据库已是本版本 The database is at this version.")
