"""The court system's own `client.toml`: which gateway, who we are, which keys, where the spool lies.

Paths are relative to the file. Every error names the file, the member and what to do, in Chinese and English.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from lianzhi.client.bounds import DEFAULT_BOUNDS, ClientBounds
from lianzhi.crypto.keyring import PrivateKey, keyring_from_jwks, private_key_from_jwk
from lianzhi.crypto.keys import CODE
from lianzhi.errors import ConfigurationError, MisuseError, RejectedError
from lianzhi.protocol.contract import read_contract, refusal_words

_REQUIRED = ("url", "court", "token_file", "spool")
_OPTIONAL = ("gateway", "sign_key", "open_key", "gateway_keys", "ca_file", "contract", "limits")


@dataclass(frozen=True, slots=True)
class ClientConfig:
    """What `CourtClient.from_config` needs.

    gateway: whom submissions name, by default the court itself. open_keys: the first is today's, the others still
    open what was sealed before a rotation. gateway_jwks: without it the gateway's key set is pinned when first seen.
    folder, files: where `client.toml` lies, it and its secrets.
    bounds: the table `[limits]`. contract: the file that the gateway signed for our court.
    """

    url: str
    token: str = field(repr=False)
    court: str
    gateway: str
    spool: Path
    sign_key: PrivateKey | None = None
    open_keys: tuple[PrivateKey, ...] = ()
    gateway_jwks: Mapping[str, Any] | None = field(default=None, repr=False)
    ca_file: Path | None = None
    folder: Path | None = None
    files: tuple[Path, ...] = ()
    bounds: ClientBounds = DEFAULT_BOUNDS
    contract: bytes | None = field(default=None, repr=False)

    @classmethod
    def load(cls, path: str | Path) -> ClientConfig:
        """Read and check the file and everything it names. Raises ConfigurationError."""
        file = _File(Path(path))
        court = file.code("court")
        gateway = file.code("gateway") if "gateway" in file.members else court
        gateway_jwks = file.key_set()
        return cls(
            url=file.url(),
            token=file.read("token_file", file.text("token_file")).strip(),
            court=court,
            gateway=gateway,
            spool=file.folder / file.text("spool"),
            sign_key=file.sign_key(court),
            open_keys=tuple(file.private_key("open_key", name, court, "enc") for name in file.texts("open_key")),
            gateway_jwks=gateway_jwks,
            ca_file=file.folder / file.text("ca_file") if "ca_file" in file.members else None,
            folder=file.folder,
            files=file.files(),
            bounds=file.bounds(),
            contract=file.contract(court, gateway, gateway_jwks),
        )


class _File:
    """client.toml while it is read: each accessor checks one kind of member."""

    def __init__(self, path: Path) -> None:
        self.path, self.folder = path, path.parent
        try:
            self.members = tomllib.loads(path.read_text("utf-8"))
        except OSError as error:
            raise ConfigurationError(f"{path}：读不到配置文件。 The file cannot be read: {error.strerror}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{path}：不是合法的 TOML。 Not well-formed TOML: {error}") from error
        for name in self.members.keys() - {*_REQUIRED, *_OPTIONAL}:
            raise self.wrong(name, "没有这个配置项", f"no such member; known: {', '.join((*_REQUIRED, *_OPTIONAL))}")
        for name in _REQUIRED:
            if name not in self.members:
                raise self.wrong(name, "缺少此项", "this member is missing")

    def wrong(self, member: str, zh: str, en: str) -> ConfigurationError:
        return ConfigurationError(f"{self.path}，{member}：{zh}。 {en}.")

    def text(self, member: str) -> str:
        value = self.members[member]
        if not isinstance(value, str) or not value:
            raise self.wrong(member, "须为非空文字", "must be a non-empty string")
        return value

    def bounds(self) -> ClientBounds:
        given = self.members.get("limits", {})
        known = [f.name for f in fields(ClientBounds)]
        if not isinstance(given, dict):
            raise self.wrong("limits", "须为表", "must be a table")
        for name, value in given.items():
            if name not in known:
                raise self.wrong(f"limits.{name}", "没有这个上限", f"no such limit; known: {', '.join(known)}")
            if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value < 2**53:
                raise self.wrong(f"limits.{name}", "须为正整数", "must be a positive integer")
        return ClientBounds(**given)

    def texts(self, member: str) -> list[str]:
        value = self.members.get(member, [])
        values = value if isinstance(value, list) else [value]
        if not all(isinstance(v, str) and v for v in values):
            raise self.wrong(member, "须为文件名或文件名列表", "must be a file name or a list of file names")
        return values

    def code(self, member: str) -> str:
        value = self.text(member)
        if not re.fullmatch(CODE, value):
            raise self.wrong(member, "单位代码须为小写英文、数字和连字符", "a code is lower-case letters, digits and -")
        return value

    def url(self) -> str:
        value = self.text("url")
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise self.wrong("url", "须为 https:// 地址", "must be an https:// (or http://) URL")
        return value

    def read(self, member: str, name: str) -> str:
        path = self.folder / name
        try:
            return path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise self.wrong(member, f"读不到文件 {path}", f"the file {path} cannot be read") from error

    def json(self, member: str, name: str) -> dict[str, Any]:
        try:
            value = json.loads(self.read(member, name))
        except ValueError as error:
            raise self.wrong(member, f"{name} 不是合法的 JSON", f"{name} is not well-formed JSON") from error
        if not isinstance(value, dict):
            raise self.wrong(member, f"{name} 须为 JSON 对象", f"{name} must hold a JSON object")
        return value

    def private_key(self, member: str, name: str, court: str, purpose: Literal["sub", "enc"]) -> PrivateKey:
        try:
            key = private_key_from_jwk(self.json(member, name))
        except MisuseError as error:
            raise self.wrong(
                member, f"{name} 不是可用的私钥（JWK）", f"{name} is not a private JWK: {error}"
            ) from error
        if (key.participant, key.purpose) != (court, purpose):
            raise self.wrong(
                member,
                f"密钥 {key.kid} 应以 {court}.{purpose}. 开头",
                f"the kid {key.kid} must begin {court}.{purpose}.",
            )
        return key

    def sign_key(self, court: str) -> PrivateKey | None:
        names = self.texts("sign_key")
        if len(names) > 1:
            raise self.wrong("sign_key", "只能有一个签名私钥", "there is one key to sign with")
        return self.private_key("sign_key", names[0], court, "sub") if names else None

    def files(self) -> tuple[Path, ...]:
        secret = [self.text("token_file"), *self.texts("sign_key"), *self.texts("open_key")]
        public = [*self.texts("gateway_keys"), *self.texts("ca_file"), *self.texts("contract")]
        beside = (self.folder / name for name in public)
        return (self.path, *(self.folder / n for n in secret), *(p for p in beside if p.parent == self.folder))

    def contract(self, court: str, gateway: str, jwks: Mapping[str, Any] | None) -> bytes | None:
        """Verified here where `gateway_keys` are given; else once the gateway's keys are known."""
        if "contract" not in self.members:
            return None
        path = self.folder / self.text("contract")
        try:
            raw = path.read_bytes()
        except OSError as error:
            raise self.wrong("contract", f"读不到文件 {path}", f"the file {path} cannot be read") from error
        if jwks is not None:
            how: dict[str, Any] = {"participant": court, "gateway": gateway, "now": datetime.now(UTC)}
            try:
                read_contract(raw, keyring=keyring_from_jwks(jwks), **how)
            except RejectedError as error:
                zh, en = refusal_words(error)
                raise self.wrong("contract", f"{path.name}：{zh}", f"{path.name}: {en}") from error
        return raw

    def key_set(self) -> dict[str, Any] | None:
        if "gateway_keys" not in self.members:
            return None
        document = self.json("gateway_keys", self.text("gateway_keys"))
        try:
            keyring_from_jwks(document)
        except MisuseError as error:
            raise self.wrong("gateway_keys", "公钥文件有误，请重新索取", f"ask for a new file: {error}") from error
        return document
