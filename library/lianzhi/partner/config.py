"""The partner's own `partner.toml`: who we are, where the broker is, which keys, where the ledger lies.

The files that it names (ledger, keys, password) are for their owner only, whatever the umask (`close_files`).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, quote, urlencode, urlsplit, urlunsplit

from lianzhi.amqp.address import wrong_addresses
from lianzhi.configuration_file import ConfigurationFile
from lianzhi.crypto.keyring import Keyring, PrivateKey, keyring_from_jwks
from lianzhi.crypto.keys import CODE
from lianzhi.crypto.limits import DEFAULT_LIMITS
from lianzhi.errors import MisuseError
from lianzhi.files import Modes, Places, holds_only, put_right, sqlite_files, told
from lianzhi.partner.bounds import DEFAULT_BOUNDS, PartnerBounds
from lianzhi.partner.delivered import delivered_body
from lianzhi.protocol.contract import Contract
from lianzhi.spans import TracingSettings

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PartnerConfig:
    """Everything the library needs to know.

    amqp_url: with the password and TLS files already in it; more_urls: of other nodes of the same cluster, tried in
    turn. user: at the broker, where the court gave us another name
    than our code (it stands in the URL). open_keys: the first is ours today, the others still
    open what was sealed before a rotation. gateway: the court at the other end, by default the first
    participant of `gateway_keys`. system: how `delivered` names us. dialect: how our own `open` is written.
    prefetch: unacknowledged messages at most, over both queues. keep_days: how long the ledger keeps the content of
    what is finished, None = for ever; longer than a message may be late, so that every duplicate finds its answer.
    delivered: the body of `delivered` where the
    dialect's own form does not fit, with `{time}` and `{system}` to be filled in. secret_files: private keys and
    the password, which nobody else should read. folder, files: where `partner.toml` lies, it and all that it names.
    bounds: the table `[limits]`. contract: what we may say and hear, as the gateway signed it; None: the types that
    this release knows, and nothing is validated before it is sent. tracing: the table `[tracing]`; None: no traces.
    """

    code: str
    amqp_url: str = field(repr=False)
    sign_key: PrivateKey
    open_keys: tuple[PrivateKey, ...]
    keyring: Keyring = field(repr=False)
    gateway: str
    ledger: Path
    system: str
    dialect: str | None = None
    prefetch: int = 512
    keep_days: int | None = None
    delivered: Mapping[str, str] = field(default_factory=dict)
    secret_files: tuple[Path, ...] = ()
    folder: Path | None = None
    files: tuple[Path, ...] = ()
    bounds: PartnerBounds = DEFAULT_BOUNDS
    user: str = ""
    more_urls: tuple[str, ...] = field(default=(), repr=False)
    contract: Contract | None = field(default=None, repr=False)
    tracing: TracingSettings | None = None

    @property
    def amqp_urls(self) -> tuple[str, ...]:
        return self.amqp_url, *self.more_urls

    @property
    def broker_user(self) -> str:
        """Whom the broker knows us as: what every message of ours must name as its `user_id`."""
        return self.user or self.code

    @classmethod
    def load(cls, path: str | Path) -> PartnerConfig:
        """Read and check the file and everything it names. Raises ConfigurationError."""
        file = _File(Path(path))
        code = file.code("code")
        sign_key = file.private_key("sign_key", file.text("sign_key"), code, "sig")
        open_keys = tuple(file.private_key("open_key", name, code, "enc") for name in file.texts("open_key"))
        document = file.json("gateway_keys")
        first, *others = file.amqp_urls(code)
        keyring = file.keyring(document, [sign_key, *open_keys])
        gateway = file.text("gateway", "") or file.first_participant(document)
        return cls(
            code=code,
            amqp_url=first,
            more_urls=tuple(others),
            sign_key=sign_key,
            open_keys=open_keys,
            keyring=keyring,
            contract=file.contract(code, gateway, keyring),
            gateway=gateway,
            ledger=file.folder / file.text("ledger"),
            system=file.text("system", code),
            user=file.user(code),
            dialect=file.text("dialect", "") or None,
            prefetch=file.number("prefetch", 512),
            keep_days=file.keep_days(),
            delivered=file.delivered(),
            secret_files=file.secrets(),
            folder=file.folder,
            files=file.files(),
            bounds=file.bounds(PartnerBounds),
            tracing=file.tracing("lianzhi-partner"),
        )


class _File(ConfigurationFile):
    required = ("code", "amqp", "sign_key", "open_key", "gateway_keys", "ledger")
    optional = (
        "password_file",
        "system",
        "dialect",
        "gateway",
        "prefetch",
        "keep_days",
        "ca_file",
        "cert_file",
        "cert_key_file",
        "delivered",
        "limits",
        "contract",
        "tracing",
    )
    code_form = "a participant code is"
    no_key = "is not a private JWK of ours"
    kid_form = "must begin with"

    def texts(self, member: str, zh: str = "文件名", en: str = "a file name") -> list[str]:
        value = self.members[member]
        values = value if isinstance(value, list) else [value]
        if not values or not all(isinstance(v, str) and v for v in values):
            raise self.wrong(member, f"须为{zh}或其列表", f"must be {en} or a list of them")
        return values

    def number(self, member: str, default: int) -> int:
        value = self.members.get(member, default)
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 10_000:
            raise self.wrong(member, "须为 1 至 10000 的整数", "must be an integer from 1 to 10000")
        return value

    def keep_days(self) -> int | None:
        if "keep_days" not in self.members:
            return None
        days, late = self.number("keep_days", 0), DEFAULT_LIMITS.behind.days
        if days <= late:
            raise self.wrong("keep_days", f"须大于 {late}，重复报文才找得到原答复", f"must be more than {late}")
        return days

    def contract(self, code: str, gateway: str, keyring: Keyring) -> Contract | None:
        """`contract`: the file that the gateway signed for us; without it, the types of this release."""
        raw = self.contract_bytes()
        return None if raw is None else self.verified_contract(raw, code, gateway, keyring)

    def secrets(self) -> tuple[Path, ...]:
        named = [self.text("sign_key"), *self.texts("open_key"), self.text("password_file", "")]
        return tuple(self.folder / name for name in named if name)

    def files(self) -> tuple[Path, ...]:
        named = [self.text(m, "") for m in ("gateway_keys", "ca_file", "cert_file", "cert_key_file", "contract")]
        return (self.path, *self.secrets(), *(self.folder / name for name in named if name))

    def delivered(self) -> dict[str, str]:
        form = self.members.get("delivered", {})
        if not isinstance(form, dict) or not all(isinstance(v, str) for v in form.values()):
            raise self.wrong("delivered", "须为字段名到文字的表", "must be a table of strings")
        try:
            delivered_body("", "", "", datetime.now(UTC), form)
        except (ValueError, LookupError, AttributeError) as error:
            zh, en = "模板只可用 {time:%Y%m%d} 与 {system}", "templates know {time:%Y%m%d} and {system} only"
            raise self.wrong("delivered", zh, en) from error
        return form

    def keyring(self, document: Mapping[str, Any], private: list[PrivateKey]) -> Keyring:
        try:
            return keyring_from_jwks(document, private)
        except MisuseError as error:
            raise self.wrong(
                "gateway_keys", "公钥文件有误，请向法院重新索取", f"ask the court for a new file: {error}"
            ) from error

    def first_participant(self, document: Mapping[str, Any]) -> str:
        kids = [str(key.get("kid", "")) for key in document["keys"] if ".sig." in str(key.get("kid", ""))]
        if not kids:
            raise self.wrong("gateway_keys", "文件中没有签名公钥", "no signature key in the file")
        return kids[0].partition(".")[0]

    def user(self, code: str) -> str:
        name = urlsplit(self._addresses()[0]).username or code
        if not re.fullmatch(CODE, name):
            zh, en = "登录用户须为小写英文、数字和连字符", "the broker user is lower-case letters, digits and -"
            raise self.wrong("amqp", zh, en)
        return name

    def _addresses(self) -> list[str]:
        urls = self.texts("amqp", "代理地址", "a broker's address")
        if wrong := wrong_addresses(urls):
            raise self.wrong("amqp", *wrong)
        return urls

    def amqp_urls(self, code: str) -> list[str]:
        user = self.user(code)
        return [self._amqp_url(urlsplit(url), user) for url in self._addresses()]

    def _amqp_url(self, url: SplitResult, user: str) -> str:
        netloc = url.netloc.rpartition("@")[2]
        if "password_file" in self.members:
            password = self.secret("password_file")
            netloc = f"{user}:{quote(password, safe='')}@{netloc}"
        else:
            netloc = f"{user}{':' + url.password if url.password else ''}@{netloc}"
        return urlunsplit((url.scheme, netloc, url.path, self._tls_query(url.query), ""))

    def _tls_query(self, query: str) -> str:
        files = {"ca_file": "cafile", "cert_file": "certfile", "cert_key_file": "keyfile"}
        added = {q: str((self.folder / self.text(m)).resolve()) for m, q in files.items() if m in self.members}
        return "&".join(part for part in (query, urlencode(added)) if part)


def places(config: PartnerConfig) -> Places:
    """Of the host's folders only those where nothing lies but what is ours: that of `partner.toml`, the ledger's."""
    ledger = sqlite_files(config.ledger)
    named = tuple(path for path in config.files if path.parent == config.folder)
    files = (*ledger, *config.secret_files, *named)
    folders = {config.folder or config.ledger.parent, config.ledger.parent}
    ours = sorted(folder for folder in folders if holds_only(folder, {path.name for path in files}))
    return Places(folders=tuple(ours), files=files)


def close_files(config: PartnerConfig) -> Modes:
    """Puts right what an earlier version or an open umask left, and says so, in counts."""
    modes = put_right(places(config))
    if modes.open:
        zh, en = told(modes)
        _log.warning("%s，现已收回。 %s; they are closed now.", zh, en)
    return modes
