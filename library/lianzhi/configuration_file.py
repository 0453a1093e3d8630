"""Reads a settings file in TOML (`partner.toml`, `client.toml`) member by member.

Paths in it are relative to the file. Every error names the file, the member and what to do, in Chinese and English.
"""

from __future__ import annotations

import json
import re
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from lianzhi.crypto.keyring import Keyring, PrivateKey, private_key_from_jwk
from lianzhi.crypto.keys import CODE
from lianzhi.errors import ConfigurationError, MisuseError, RejectedError
from lianzhi.protocol.contract import Contract, read_contract, refusal_words
from lianzhi.spans import TracingSettings, wrong_endpoint, wrong_ratio, wrong_service
from lianzhi.text_files import read_secret, read_toml

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

B = TypeVar("B", bound="DataclassInstance")


class ConfigurationFile:
    """Each accessor checks one kind of member, and raises ConfigurationError.

    required, optional: the members that it may have. code_form, no_key, kid_form: English words of three errors.
    """

    required: ClassVar[tuple[str, ...]]
    optional: ClassVar[tuple[str, ...]]
    code_form: ClassVar[str] = "a code is"
    no_key: ClassVar[str] = "is not a private JWK"
    kid_form: ClassVar[str] = "must begin"

    def __init__(self, path: Path) -> None:
        self.path, self.folder = path, path.parent
        self.members = read_toml(path)
        known = (*self.required, *self.optional)
        for name in self.members.keys() - set(known):
            raise self.wrong(name, "没有这个配置项", f"no such member; known: {', '.join(known)}")
        for name in self.required:
            if name not in self.members:
                raise self.wrong(name, "缺少此项", "this member is missing")

    def wrong(self, member: str, zh: str, en: str) -> ConfigurationError:
        return ConfigurationError(f"{self.path}，{member}：{zh}。 {en}.")

    def text(self, member: str, default: str | None = None) -> str:
        value = self.members.get(member, default)
        if not isinstance(value, str) or (not value and default is None):
            raise self.wrong(member, "须为非空文字", "must be a non-empty string")
        return value

    def code(self, member: str) -> str:
        value = self.text(member)
        if not re.fullmatch(CODE, value):
            en = f"{self.code_form} lower-case letters, digits and -"
            raise self.wrong(member, "单位代码须为小写英文、数字和连字符", en)
        return value

    def bounds(self, kind: type[B]) -> B:
        """The table `[limits]`: a positive integer for each field of `kind` that is given."""
        given = self.members.get("limits", {})
        known = [f.name for f in fields(kind)]
        if not isinstance(given, dict):
            raise self.wrong("limits", "须为表", "must be a table")
        for name, value in given.items():
            if name not in known:
                raise self.wrong(f"limits.{name}", "没有这个上限", f"no such limit; known: {', '.join(known)}")
            if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value < 2**53:
                raise self.wrong(f"limits.{name}", "须为正整数", "must be a positive integer")
        return kind(**given)

    def tracing(self, service: str) -> TracingSettings | None:
        """The table `[tracing]`; None: nothing is traced. service: our name where it gives none."""
        given = self.members.get("tracing")
        if given is None:
            return None
        known = {"endpoint": "", "service": service, "ratio": 1.0}
        if not isinstance(given, dict):
            raise self.wrong("tracing", "须为表", "must be a table")
        for name in given.keys() - known.keys():
            raise self.wrong(f"tracing.{name}", "没有这个配置项", f"no such member; known: {', '.join(known)}")
        endpoint, name, ratio = (given.get(member, default) for member, default in known.items())
        if not isinstance(endpoint, str) or not isinstance(name, str):
            member = "service" if isinstance(endpoint, str) else "endpoint"
            raise self.wrong(f"tracing.{member}", "须为文字", "must be a string")
        if not isinstance(ratio, (int, float)) or isinstance(ratio, bool):
            raise self.wrong("tracing.ratio", "须为 0 至 1 的数", "must be a number from 0 to 1")
        checks = {"endpoint": wrong_endpoint(endpoint), "service": wrong_service(name), "ratio": wrong_ratio(ratio)}
        for member, wrong in checks.items():
            if wrong is not None:
                raise self.wrong(f"tracing.{member}", *wrong)
        return TracingSettings(endpoint, name, float(ratio))

    def read(self, member: str, name: str) -> str:
        """The text of the file `name`, which `member` names."""
        path = self.folder / name
        try:
            return path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise self.wrong(member, f"读不到文件 {path}", f"the file {path} cannot be read") from error

    def secret(self, member: str) -> str:
        """The one line of the password file that the member names."""
        try:
            return read_secret(self.folder / self.text(member))
        except ConfigurationError as error:
            raise ConfigurationError(f"{self.path}，{member}：{error}") from error

    def json(self, member: str, name: str | None = None) -> dict[str, Any]:
        name = name or self.text(member)
        try:
            value = json.loads(self.read(member, name))
        except ValueError as error:
            raise self.wrong(member, f"{name} 不是合法的 JSON", f"{name} is not well-formed JSON") from error
        if not isinstance(value, dict):
            raise self.wrong(member, f"{name} 须为 JSON 对象", f"{name} must hold a JSON object")
        return value

    def private_key(self, member: str, name: str, owner: str, purpose: str) -> PrivateKey:
        try:
            key = private_key_from_jwk(self.json(member, name))
        except MisuseError as error:
            raise self.wrong(member, f"{name} 不是可用的私钥（JWK）", f"{name} {self.no_key}: {error}") from error
        if (key.participant, key.purpose) != (owner, purpose):
            begin = f"{owner}.{purpose}."
            raise self.wrong(member, f"密钥 {key.kid} 应以 {begin} 开头", f"the kid {key.kid} {self.kid_form} {begin}")
        return key

    def contract_bytes(self) -> bytes | None:
        """Of the file that the gateway signed for us, unverified; None where none is named."""
        if "contract" not in self.members:
            return None
        path = self.folder / self.text("contract")
        try:
            return path.read_bytes()
        except OSError as error:
            raise self.wrong("contract", f"读不到文件 {path}", f"the file {path} cannot be read") from error

    def verified_contract(self, raw: bytes, participant: str, gateway: str, keyring: Keyring) -> Contract:
        try:
            return read_contract(raw, participant=participant, gateway=gateway, keyring=keyring, now=datetime.now(UTC))
        except RejectedError as error:
            name, (zh, en) = Path(self.text("contract")).name, refusal_words(error)
            raise self.wrong("contract", f"{name}：{zh}", f"{name}: {en}") from error
