"""Makes and edits an installation's files: `init`, `clients`, `keys`. Each secret is written or shown once.

Layout of the folder: `lianzhi.toml`, `hash.key` (secret of the keyed hashes), `broker.password`,
`participants/<code>.toml`, `keys/<kid>.jwk` (public), `keys/private/<kid>.jwk` (those that the gateway signs or opens
with), and `handover/<owner>/` (private keys and the token made for somebody else, to be moved there and deleted here).
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal

import tomlkit
from tomlkit import TOMLDocument
from tomlkit.items import AoT, Array

from gateway.registry.config import FILE, BrokerSection, StoreSection
from gateway.registry.forms import SCOPES, StaffMember
from gateway.registry.participants import PARTICIPANTS, PRIVATE_KEYS
from lianzhi.crypto.jwk import generate_jwk, public_jwk, public_key_from_jwk
from lianzhi.errors import ConfigurationError, MisuseError
from lianzhi.files import private_folder, write_private
from lianzhi.text_files import read_text, read_toml
from schemas.catalogue import catalogue
from schemas.values.courts import COURTS

HASH_KEY = "hash.key"
HANDOVER = "handover"
TOKEN = "token"  # noqa: S105 (the name of its file)
BROKER_PASSWORD = "broker.password"  # noqa: S105 (the name of its file)
PASSWORD_BYTES = 24  # 32 characters that need no quoting in an address
TOKEN_BYTES = 32  # 43 characters of base64url

_CONFIG = """\
# 联执网关配置 Lianzhi gateway. 相对路径从本文件所在目录算起 Relative paths start from this folder.
[store]
url = {store}        # 或 or postgresql://user@host/db

[broker]
url = {broker}
management = {management}
{password}     # 一行，仅网关可读 one line, readable by the gateway alone
# ca_file = "ca.pem"                    # amqps 和 https 的签发机构 who issued the broker's certificate

[http]
host = "127.0.0.1"                      # 对外监听前请先加 TLS put TLS in front before you listen elsewhere
port = 8080

[documents]
folder = "documents"

# [terms]                               # 各时钟的时长，见 docs/clocks.md the clocks' lengths
# confirm_days = 3

# 命中预警呼叫承办人、B岗、值班室、局长 Whom a hit pages. 短信语音平台按人员编号知道电话 the platform knows telephones.
# [notify]
# public_url = "https://lianzhi.court.example"
# [notify.webhook]
# url = "https://sms.court.example/pages"
# secret_file = "platform.secret"       # whsec_…，与平台共有 shared with the platform
# [notify.mail]
# host = "mail.court.example"
# sender = "lianzhi@court.example"

# [tracing]                             # 跟踪，OTLP/HTTP traces (docs/handbook/traces.md)
# endpoint = "http://127.0.0.1:4318"
"""


@dataclass(frozen=True, slots=True)
class FirstSettings:
    """What a new `lianzhi.toml` says. store, broker, management: URLs, as `gateway.registry.config` has them."""

    store: str = StoreSection().url
    broker: str = str(BrokerSection().url)
    management: str = BrokerSection().management

    def toml(self) -> str:
        """Raises ValueError (pydantic's) for an address that breaks its rule."""
        section = BrokerSection(url=self.broker, management=self.management)
        named = f'password_file = "{BROKER_PASSWORD}"' if section.has_password else "# password_file"
        words = {n: json.dumps(v) for n, v in (("store", self.store), ("broker", self.broker))}
        return _CONFIG.format(**words, management=json.dumps(self.management), password=named)


class Installation:
    """The folder of one gateway. Methods raise ConfigurationError (what is wrong, and what to do)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def create(self, settings: FirstSettings | None = None) -> None:
        """Empty installation: configuration, hash key and the password of the gateway's broker user. Refuses to touch
        an existing one."""
        text = (settings or FirstSettings()).toml()
        if (self.folder / FILE).exists():
            raise ConfigurationError(f"{self.folder / FILE}：已存在，不覆盖。 Exists already; nothing was overwritten.")
        for part in (PARTICIPANTS, PRIVATE_KEYS):
            private_folder(self.folder / part)
        write_text(self.folder / FILE, text)
        write_secret(self.folder / BROKER_PASSWORD, secrets.token_urlsafe(PASSWORD_BYTES) + "\n")
        write_secret(self.folder / HASH_KEY, secrets.token_hex(32) + "\n")

    def add_participant(self, form: Mapping[str, Any]) -> None:
        """A new `participants/<code>.toml` from its members in TOML's own types."""
        path = self.participant_file(form["code"])
        if path.exists():
            raise ConfigurationError(f"{path}：已存在。 Exists already.")
        document = tomlkit.item(dict(form))
        for name in ("accepts", "opens"):
            if form.get(name):
                document[name] = _one_a_line(form[name])
        write_text(path, tomlkit.dumps(document))

    def participant_file(self, code: str) -> Path:
        return self.folder / PARTICIPANTS / f"{code}.toml"

    def new_key(
        self,
        code: str,
        purpose: Literal["sig", "sub", "enc"],
        label: str,
        *,
        since: date,
        years: int = 2,
        kty: Literal["EC", "OKP"] = "EC",
        held_by_gateway: bool,
        client: str | None = None,
    ) -> str:
        """Makes a key pair, registers its public half in the participant's file, and keeps the private half here
        (`held_by_gateway`) or puts it into `handover/<client or code>/`. The new kid."""
        self._read(code)  # whoever is not registered gets no key, and leaves none behind
        kid = f"{code}.{purpose}.{label}"
        jwk = generate_jwk(kid, kty)
        public_key_from_jwk(public_jwk(jwk))  # the same gate as for everybody's
        public = self.folder / "keys" / f"{kid}.jwk"
        if public.exists():
            raise ConfigurationError(f"{public}：已存在。 A key of this name exists already.")
        private = PRIVATE_KEYS if held_by_gateway else Path(HANDOVER) / (client or code)
        suffix = "jwk" if held_by_gateway else "private.jwk"
        write_secret(self.folder / private / f"{kid}.{suffix}", json.dumps(jwk) + "\n")
        write_text(public, json.dumps(public_jwk(jwk)) + "\n")
        entry: dict[str, Any] = {
            "kid": kid,
            "from": since,
            "until": since + timedelta(days=365 * years),
            "jwk": f"keys/{kid}.jwk",
        }
        if client is not None:
            entry["client"] = client
        self._append(code, "keys", entry)
        return kid

    def add_client(
        self,
        code: str,
        client: str,
        *,
        scopes: Sequence[str] = SCOPES,
        signs_with: str | None = None,
        opens_with: str | None = None,
    ) -> str:
        """Registers a system that speaks for `code`; its token, of which the gateway keeps the digest alone."""
        token = f"lz_{client}_{secrets.token_urlsafe(TOKEN_BYTES)}"
        entry: dict[str, Any] = {
            "id": client,
            "scopes": list(scopes),
            "token_sha256": hashlib.sha256(token.encode()).hexdigest(),
        }
        entry |= {k: v for k, v in (("signs_with", signs_with), ("opens_with", opens_with)) if v is not None}
        document = self._read(code)
        if any(c["id"] == client for c in document.get("clients", ())):
            raise ConfigurationError(f"{client}：客户端已存在。 A client with this id exists already.")
        self._append(code, "clients", entry)
        return token

    def hand_over_token(self, client: str, token: str) -> Path:
        """The file, beside the client's private keys, from which the token is taken to its owner."""
        path = self.folder / HANDOVER / client / TOKEN
        write_secret(path, token + "\n")
        return path

    def put_staff(self, code: str, people: Sequence[StaffMember]) -> tuple[list[str], list[str]]:
        """Registers new ones and writes over those of the same number; the numbers of both. Others stay."""
        document = self._read(code)
        if "staff" not in document:
            document["staff"] = tomlkit.aot()
        table = document["staff"]
        assert isinstance(table, AoT)
        places = {str(entry["no"]): at for at, entry in enumerate(table)}
        new, changed = [], []
        for person in people:
            entry = tomlkit.item(person.model_dump(by_alias=True, exclude_none=True, exclude_defaults=True))
            at = places.get(person.no)
            if at is None:
                table.append(entry)
                new.append(person.no)
            elif table[at].unwrap() != entry.unwrap():
                table[at] = entry
                changed.append(person.no)
        if new or changed:
            write_text(self.participant_file(code), tomlkit.dumps(document))
        return new, changed

    def end_staff(self, code: str, no: str, *, until: date, revoked: bool) -> None:
        """The last day of one person, or none from now on. Raises ConfigurationError: nobody of that number."""
        document = self._read(code)
        for entry in document.get("staff", ()):
            if entry["no"] == no:
                entry["until"] = until
                if revoked:
                    entry["revoked"] = True
                write_text(self.participant_file(code), tomlkit.dumps(document))
                return
        raise ConfigurationError(f"{no}：{code} 没有这个人员编号。 {code} has nobody of this number.")

    def set_enabled(self, code: str, *, enabled: bool) -> bool:
        """Whether it was otherwise before. A running gateway takes it up within seconds."""
        document = self._read(code)
        if bool(document.get("enabled", True)) == enabled:
            return False
        if enabled:
            del document["enabled"]
        else:
            document["enabled"] = False
        write_text(self.participant_file(code), tomlkit.dumps(document))
        return True

    def register_key(self, code: str, jwk: Mapping[str, Any], *, since: date, years: int = 2) -> str:
        """The public half of a key that its owner made; its kid. Refuses a private one."""
        kid = str(jwk.get("kid", ""))
        if "d" in jwk:
            raise ConfigurationError(
                f"{kid}：这是私钥，只收公钥；私钥已经外传，请对方另制一把。"
                " This is a private key, only public halves are taken; it has left its owner: make another."
            )
        purpose = kid.removeprefix(f"{code}.").partition(".")[0]
        if not kid.startswith(f"{code}.") or purpose not in ("sig", "enc"):
            raise ConfigurationError(
                f"{kid or '（无 kid）'}：kid 须为 {code}.sig.<编号> 或 {code}.enc.<编号>。"
                f" The kid must be {code}.sig.<label> or {code}.enc.<label>."
            )
        try:
            public_key_from_jwk(jwk)
        except MisuseError as error:
            raise ConfigurationError(f"{kid}：密钥不可用。 The key cannot be used: {error}") from error
        path = self.folder / "keys" / f"{kid}.jwk"
        if path.exists():
            raise ConfigurationError(f"{path}：已存在。 A key of this name exists already.")
        write_text(path, json.dumps(dict(jwk)) + "\n")
        until = since + timedelta(days=365 * years)
        self._append(code, "keys", {"kid": kid, "from": since, "until": until, "jwk": f"keys/{kid}.jwk"})
        return kid

    def revoke_client(self, code: str, client: str) -> None:
        """Its token is refused from the next start or reload on."""
        document = self._read(code)
        for entry in document.get("clients", ()):
            if entry["id"] == client:
                entry["revoked"] = True
                write_text(self.participant_file(code), tomlkit.dumps(document))
                return
        raise ConfigurationError(f"{client}：没有这个客户端。 No such client.")

    def hash_key(self) -> bytes:
        """The secret of the keyed hashes."""
        path = self.folder / HASH_KEY
        try:
            return bytes.fromhex(path.read_text(encoding="ascii").strip())
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"{path}：缺失或损坏。 Missing or damaged.") from error

    def _read(self, code: str) -> TOMLDocument:
        path = self.participant_file(code)
        if not path.is_file():
            raise ConfigurationError(f"{path}：没有这个参与单位。 No such participant.")
        read_toml(path)  # refused by file and line before anything is written into it
        return tomlkit.parse(read_text(path))

    def _append(self, code: str, table: str, entry: Mapping[str, Any]) -> None:
        document = self._read(code)
        if table not in document:
            document[table] = tomlkit.aot()
        document[table].append(tomlkit.item(dict(entry)))
        write_text(self.participant_file(code), tomlkit.dumps(document))


def create_home(
    folder: Path, court_code: str, *, code: str, client: str, today: date, settings: FirstSettings | None = None
) -> str:
    """A whole new installation for one court: configuration, its own participant file, four keys, one client.

    The client's token, which lies in `handover/` as well. Raises ConfigurationError.
    """
    court = COURTS.get(court_code)
    if court is None:
        raise ConfigurationError(f"{court_code}：不在法院表中。 Not in the court table (schemas/values/courts.py).")
    installation = Installation(folder)
    installation.create(settings)
    installation.add_participant(
        {
            "code": code,
            "kind": "court",
            "name": {"zh": court.name, "en": f"Court {court_code}"},
            "court_code": court_code,
            "home": True,
            "channel": "http",
            "accepts": ["*"],
            "opens": ["*"],
        }
    )
    installation.new_key(code, "sig", "1", since=today, held_by_gateway=True)
    installation.new_key(code, "enc", "1", since=today, held_by_gateway=True)
    signs = installation.new_key(code, "sub", client, since=today, held_by_gateway=False, client=client)
    opens = installation.new_key(code, "enc", client, since=today, held_by_gateway=False, client=client)
    token = installation.add_client(code, client, signs_with=signs, opens_with=opens)
    installation.hand_over_token(client, token)
    return token


def _one_a_line(patterns: Sequence[str]) -> Array:
    """With the Chinese name of each type beside it, so that a line can be judged and taken out."""
    listed, known = tomlkit.array(), catalogue()
    for pattern in patterns:
        name = known[pattern].zh if pattern in known else None
        listed.add_line(pattern, comment=name)
    listed.add_line(indent="")
    return listed


def write_text(path: Path, text: str) -> None:
    """Whole or not at all, readable by its owner alone, as everything in an installation."""
    private_folder(path.parent)
    write_private(path, text.encode())


def write_secret(path: Path, text: str) -> None:
    """The same; the name says that it must never be anything else."""
    write_text(path, text)
