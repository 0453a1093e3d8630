"""What an installation still lacks before it can serve, in the order in which it is done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.registry.installation import HANDOVER
from gateway.registry.participants import PARTICIPANTS, load_registry
from gateway.registry.setup.broker_passwords import PARTNER_PASSWORD

BROKER_APPLY = "lianzhi broker apply --admin 管理员ADMIN --password-file 密码文件FILE"
"""A broker that is in use has no `guest` any more, so its administrator is named."""


@dataclass(frozen=True, slots=True)
class Step:
    """command: what does it; None: done by hand, as the words say."""

    zh: str
    en: str
    command: str | None = None


def missing(folder: Path) -> Iterator[Step]:
    """Looks at the files alone, not at database and broker. Raises ConfigurationError: a file is wrong."""
    directory, _ = load_registry(folder)
    home = directory.home
    partners = [p for p in directory if p is not home]
    clients = {client.id for client in home.clients}
    for owner in _handed_over(folder):
        if owner in clients:
            yield Step(
                f"把 {folder}/{HANDOVER}/{owner}/ 的私钥和令牌交给法院系统，并在此删除",
                f"hand keys and token in {folder}/{HANDOVER}/{owner}/ to the court system and delete them here",
            )
    if not home.staff:
        file = folder / PARTICIPANTS / f"{home.code}.toml"
        yield Step(
            "登记人员 [[staff]]",
            f"register the staff: 写入 in {file}，或导入名单 or import a list",
            "lianzhi staff import staff.csv",
        )
    if not partners:
        yield Step(
            "登记合作单位，每个一次",
            "register the partners, each once",
            "lianzhi participants add police-610114 --kind police --zh 阎良分局"
            ' --en "Yanliang Branch" --division 610114',
        )
    for partner in partners:
        ready = folder / HANDOVER / partner.code
        if partner.enabled and ((ready / PARTNER_PASSWORD).is_file() or any(ready.glob("*.private.jwk"))):
            yield Step(
                f"把 {partner.code} 的接入包交给对方，并删除 {ready}/",
                f"hand {partner.code} its starter package and delete {ready}/",
                f"lianzhi participants package {partner.code} --out {partner.code}.zip",
            )


def _handed_over(folder: Path) -> list[str]:
    """Whose private keys or password still lie here."""
    there = folder / HANDOVER
    return sorted(p.name for p in there.iterdir() if p.is_dir() and any(p.iterdir())) if there.is_dir() else []
