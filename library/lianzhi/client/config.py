"""The court system's own `client.toml`: which gateway, who we are, which keys, where the spool lies.

The files that it names (spool, keys, token) are for their owner only, whatever the umask (`close_files`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lianzhi.client.bounds import DEFAULT_BOUNDS, ClientBounds
from lianzhi.configuration_file import ConfigurationFile
from lianzhi.crypto.keyring import PrivateKey, keyring_from_jwks
from lianzhi.errors import MisuseError
from lianzhi.files import Modes, Places, holds_only, put_right, sqlite_files, told
from lianzhi.spans import TracingSettings

_log = logging.getLogger("lianzhi.client")


@dataclass(frozen=True, slots=True)
class ClientConfig:
    """What `CourtClient.from_config` needs.

    gateway: whom submissions name, by default the court itself. open_keys: the first is today's, the others still
    open what was sealed before a rotation. gateway_jwks: without it the gateway's key set is pinned when first seen.
    folder, files: where `client.toml` lies, it and its secrets.
    bounds: the table `[limits]`. contract: the file that the gateway signed for our court. tracing: the table
    `[tracing]`; None: no traces.
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
    tracing: TracingSettings | None = None

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
            bounds=file.bounds(ClientBounds),
            contract=file.contract(court, gateway, gateway_jwks),
            tracing=file.tracing("lianzhi-client"),
        )


class _File(ConfigurationFile):
    required = ("url", "court", "token_file", "spool")
    optional = ("gateway", "sign_key", "open_key", "gateway_keys", "ca_file", "contract", "limits", "tracing")

    def texts(self, member: str) -> list[str]:
        value = self.members.get(member, [])
        values = value if isinstance(value, list) else [value]
        if not all(isinstance(v, str) and v for v in values):
            raise self.wrong(member, "须为文件名或文件名列表", "must be a file name or a list of file names")
        return values

    def url(self) -> str:
        value = self.text("url")
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise self.wrong("url", "须为 https:// 地址", "must be an https:// (or http://) URL")
        return value

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
        raw = self.contract_bytes()
        if raw is not None and jwks is not None:
            self.verified_contract(raw, court, gateway, keyring_from_jwks(jwks))
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


def places(spool: Path, folder: Path | None = None, files: tuple[Path, ...] = ()) -> Places:
    """folder, files: where `client.toml` lies, it and its secrets. Of the host's folders only those where nothing lies
    but what is ours: that one, and the spool's."""
    every = (*sqlite_files(spool), *files)
    folders = {folder or spool.parent, spool.parent}
    ours = sorted(one for one in folders if holds_only(one, {path.name for path in every}))
    return Places(folders=tuple(ours), files=every)


def close_files(where: Places) -> Modes:
    """Puts right what an earlier version or an open umask left, and says so, in counts."""
    modes = put_right(where)
    if modes.open:
        zh, en = told(modes)
        _log.warning("%s，现已收回。 %s; they are closed now.", zh, en)
    return modes
