"""The unreal world of the demo: one court with its staff, and the agencies around it, each in a folder of its own.

Everything is made with the same functions that a real installation uses. Division 610199, codes that do not exist.
"""

from __future__ import annotations

import getpass
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal

import tomlkit

from gateway.registry.config import FILE
from gateway.registry.contracts import contract_of
from gateway.registry.installation import HANDOVER, Installation, write_secret, write_text
from gateway.registry.participants import load_registry
from lianzhi.files import private_folder

HOME = "court-sn0199"
POLICE = "police-610199"
GAOLING = "court-sn0191"
LINTONG = "court-sn0192"
FUPING = "court-sn0591"
GRID = "grid-610199"
ASSOCIATION = "assoc-610199"
PROCURATORATE = "proc-610199"
REALTY = "realty-610199"
OFFICE = "office-sn0199"
CREDIT = "credit-610199"
PRESS = "press-610199"
WITNESSES = "congress-610199"
COURTS = (FUPING, GAOLING, LINTONG)
CLIENT = "cms1"
CONTRACT = "contract.json"
SINCE = date(2026, 1, 1)
PURPOSES: tuple[Literal["sig", "enc"], ...] = ("sig", "enc")

PRESIDENT, CHIEF, DEPUTY, HANDLER, BACKUP, CLERK = (
    f"sn0199-{n}" for n in ("0001", "0003", "0005", "0007", "0011", "0031")
)


TELEPHONES = {HANDLER: "13800138007", BACKUP: "13800138011"}


def _staff(no: str, name: str, permit: str, *roles: str) -> dict[str, Any]:
    return {"no": no, "name": name, "permit": permit, "roles": list(roles), "from": SINCE}


_HOME: dict[str, Any] = {
    "code": HOME,
    "kind": "court",
    "name": {"zh": "云川县人民法院（演示）", "en": "Yunchuan County Court (demo)"},
    "division": "610199",
    "court_code": "陕0199",
    "home": True,
    "channel": "http",
    "accepts": ["*"],
    "opens": ["*"],
    "staff": [
        _staff(PRESIDENT, "院演示", "陕0199-0001", "president"),
        _staff(CHIEF, "局演示", "陕0199-0003", "bureau-chief"),
        _staff(DEPUTY, "副演示", "陕0199-0005", "bureau-chief"),
        _staff(HANDLER, "李演示", "陕0199-0007", "handler"),
        _staff(BACKUP, "备演示", "陕0199-0011", "handler"),
        _staff(CLERK, "书演示", "陕0199-0031", "clerk"),
    ],
}


def with_telephones(form: Mapping[str, Any]) -> dict[str, Any]:
    """The court's file with a number for whoever goes out for one of its handlers. Of nobody."""
    staff = [
        {**person, "contact": {"phone": TELEPHONES[person["no"]]}} if person["no"] in TELEPHONES else person
        for person in form["staff"]
    ]
    return {**form, "staff": staff}


def partner(code: str, kind: str, zh: str, en: str, accepts: list[str], **more: Any) -> dict[str, Any]:
    """The content of an agency's participant file; its keys are added when it is built."""
    return {
        "code": code,
        "kind": kind,
        "name": {"zh": zh, "en": en},
        "division": "610199",
        "channel": "amqp",
        "accepts": accepts,
        **more,
        "broker": {"user": code},
    }


def _court(code: str, court_code: str, zh: str, en: str) -> dict[str, Any]:
    return partner(code, "court", zh, en, ["*"], court_code=court_code, opens=["*"], dialect="court/1")


PARTNERS: tuple[Mapping[str, Any], ...] = (
    partner(
        POLICE,
        "police",
        "云川县公安局（演示）",
        "Yunchuan Public Security Bureau (demo)",
        ["police.*", "refusal.*", "sanction.exit-restrict.*", "cross.*"],
        opens=["police.*.alert", "police.vehicle-handover.record", "refusal.case.status"],
        dialect="police/1",
    ),
    _court(FUPING, "陕0591", "富平县人民法院（演示）", "Fuping County Court (demo)"),
    _court(GAOLING, "陕0191", "高陵区人民法院（演示）", "Gaoling District Court (demo)"),
    _court(LINTONG, "陕0192", "临潼区人民法院（演示）", "Lintong District Court (demo)"),
    partner(
        GRID,
        "grid",
        "云川县网格中心（演示）",
        "Yunchuan Grid Centre (demo)",
        ["grid.*", "mediation.*", "cross.*"],
        dialect="grid/1",
    ),
    partner(
        ASSOCIATION,
        "association",
        "云川县行业协会（演示）",
        "Yunchuan Trade Association (demo)",
        ["assoc.*", "mediation.*", "cross.*"],
        opens=["assoc.*"],
        dialect="association/1",
    ),
    partner(
        REALTY,
        "department",
        "云川县不动产登记中心（演示）",
        "Yunchuan Real Estate Registry (demo)",
        ["dept.*"],
        dept="realty",
        dialect="department/1",
    ),
    partner(
        PROCURATORATE,
        "procuratorate",
        "云川县人民检察院（演示）",
        "Yunchuan Procuratorate (demo)",
        ["*"],
        opens=["*"],
        dialect="plain/1",
    ),
    partner(
        OFFICE,
        "office",
        "云川县人民法院综合办公室（演示）",
        "General office of the court (demo)",
        ["*"],
        opens=["*"],
        dialect="plain/1",
    ),
    partner(CREDIT, "publication", "信用云川（演示）", "Credit Yunchuan (demo)", ["sanction.*"], dialect="plain/1"),
    partner(PRESS, "publication", "云川融媒体（演示）", "Yunchuan press (demo)", ["sanction.*"], dialect="plain/1"),
    partner(WITNESSES, "witness", "云川县人大代表联络站（演示）", "Deputies (demo)", ["witness.*"], dialect="plain/1"),
)


@dataclass(frozen=True, slots=True)
class Parties:
    """Where everything lies. folder: the gateway's installation; partners: code → folder with `partner.toml`;
    passwords: broker user → password; token: of the court system; handover: the court system's private keys."""

    folder: Path
    partners: dict[str, Path]
    passwords: dict[str, str] = field(repr=False)
    token: str = field(repr=False)
    handover: Path

    @property
    def gateway_keys(self) -> Path:
        """The JWKS that every partner was given."""
        return self.folder / "gateway.jwks.json"

    def write_client(self, folder: Path, url: str) -> Path:
        """The court system's own folder: `client.toml` for the gateway at `url`, its token and keys, and everybody's
        public keys, so that it need not take the gateway's word for what a partner signed."""
        private_folder(folder)
        for key in self.handover.glob("*.private.jwk"):
            write_secret(folder / key.name, key.read_text(encoding="utf-8"))
        write_secret(folder / "token", self.token + "\n")
        directory, keyring = load_registry(self.folder)
        write_text(folder / CONTRACT, contract_of(directory, keyring, HOME, datetime.now(UTC)).decode())
        write_text(folder / "everybody.jwks.json", json.dumps(keyring.jwks(), ensure_ascii=False))
        settings = {
            "url": url,
            "court": HOME,
            "token_file": "token",
            "spool": "spool.sqlite",
            "sign_key": f"{HOME}.sub.{CLIENT}.private.jwk",
            "open_key": f"{HOME}.enc.{CLIENT}.private.jwk",
            "gateway_keys": "everybody.jwks.json",
            "contract": CONTRACT,
        }
        write_text(folder / "client.toml", tomlkit.dumps(settings))
        return folder / "client.toml"


NOBODY: Mapping[str, Mapping[str, str]] = {}


def own_user() -> dict[str, dict[str, str]]:
    """Whoever runs this, as an operator who may do everything."""
    return {getpass.getuser(): {"name": "演示操作员", "role": "supervisor"}}


def build(
    root: Path,
    *,
    amqp: str,
    management: str,
    gateway_user: tuple[str, str],
    partners: Sequence[Mapping[str, Any]] = PARTNERS,
    telephones: bool = False,
    operators: Mapping[str, Mapping[str, str]] = NOBODY,
) -> Parties:
    """Writes the installation and every partner's folder under `root`. partners: their participant files' content.
    telephones: whether those of the court's handlers are registered; operators: user → name and role (a version that
    does not know either refuses it).

    amqp: `amqp://{user}@host:port/vhost` with `{user}` to be filled in. management: URL of the broker's API.
    gateway_user: broker user and password of the gateway.
    """
    installation = Installation(root / "gateway")
    installation.create()
    user, password = gateway_user
    write_secret(installation.folder / "broker.password", password + "\n")
    document = tomlkit.parse((installation.folder / FILE).read_text(encoding="utf-8"))
    document["broker"] = {
        "url": amqp.format(user=user),
        "management": management,
        "password_file": "broker.password",
    }
    document["http"] = {"host": "127.0.0.1", "port": 0}
    document["limits"] = {"sensitive_per_day": 100_000}  # one handler asks what a whole bureau would
    if operators:
        document["operators"] = {user: dict(entry) for user, entry in operators.items()}
    write_text(installation.folder / FILE, tomlkit.dumps(document))
    installation.add_participant(with_telephones(_HOME) if telephones else _HOME)
    for purpose in PURPOSES:
        installation.new_key(HOME, purpose, "1", since=SINCE, held_by_gateway=True)
    signs = installation.new_key(HOME, "sub", CLIENT, since=SINCE, held_by_gateway=False, client=CLIENT)
    opens = installation.new_key(HOME, "enc", CLIENT, since=SINCE, held_by_gateway=False, client=CLIENT)
    token = installation.add_client(HOME, CLIENT, signs_with=signs, opens_with=opens)
    passwords = {user: password}
    for form in partners:
        code = form["code"]
        installation.add_participant(form)
        for purpose in PURPOSES:
            installation.new_key(code, purpose, "1", since=SINCE, held_by_gateway=False)
        passwords[_broker_user(form)] = secrets.token_urlsafe(18)
    directory, keyring = load_registry(installation.folder)
    jwks = json.dumps(keyring.jwks(directory.local), ensure_ascii=False)
    write_text(installation.folder / "gateway.jwks.json", jwks)
    folders = {
        form["code"]: _partner_folder(
            root,
            installation,
            form,
            jwks,
            amqp,
            passwords[_broker_user(form)],
            contract_of(directory, keyring, form["code"], datetime.now(UTC)),
        )
        for form in partners
    }
    return Parties(
        folder=installation.folder,
        partners=folders,
        passwords=passwords,
        token=token,
        handover=installation.folder / HANDOVER / CLIENT,
    )


def _broker_user(form: Mapping[str, Any]) -> str:
    user: str = form["broker"]["user"]
    return user


def _partner_folder(
    root: Path,
    installation: Installation,
    form: Mapping[str, Any],
    jwks: str,
    amqp: str,
    password: str,
    contract: bytes,
) -> Path:
    """What a partner is handed: its private keys move out of the installation into its own folder."""
    code: str = form["code"]
    folder = root / "partners" / code
    private_folder(folder)
    for key in (installation.folder / HANDOVER / code).glob("*.private.jwk"):
        key.rename(folder / key.name)
    write_secret(folder / "amqp.password", password + "\n")
    write_text(folder / "gateway.jwks.json", jwks)
    settings = {
        "code": code,
        "amqp": amqp.format(user=_broker_user(form)),
        "password_file": "amqp.password",
        "sign_key": f"{code}.sig.1.private.jwk",
        "open_key": f"{code}.enc.1.private.jwk",
        "gateway_keys": "gateway.jwks.json",
        "ledger": "inbox.sqlite",
        "system": form["name"]["zh"],
        "dialect": form["dialect"],
        "contract": CONTRACT,
    }
    write_text(folder / CONTRACT, contract.decode())
    write_text(folder / "partner.toml", tomlkit.dumps(settings))
    return folder
