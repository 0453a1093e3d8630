"""The starter package of one partner: everything that it needs to begin, in one zip file for a trusted hand.

Unpacked, `lianzhi partner doctor` runs in it. It holds a password and, where the court made them, private keys; it is
written 600, and what it was made from still lies in `handover/` until it has been delivered.
"""

from __future__ import annotations

import io
import json
import posixpath
import re
import shlex
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import tomlkit

from gateway.core.routing import Directory, Participant
from gateway.core.time.calendar import SHANGHAI
from gateway.registry.config import Config
from gateway.registry.contracts import contract_of
from gateway.registry.installation import HANDOVER
from gateway.registry.setup.broker_passwords import PARTNER_PASSWORD, partner_password_file
from lianzhi.crypto.keyring import Keyring
from lianzhi.errors import ConfigurationError

STARTER = Path(__file__).parent / "starter"
CONTRACT, CA = "contract.json", "ca.pem"
_FILE_MODE, _EXAMPLES_SHOWN = 0o600, 40
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_LEFT_OUT = {"node_modules", "classes", "__pycache__"}
# The pages that the package's texts name, beside the one on how a partner is written, which stands at the top.
_PAGES = (
    "contracts.md",
    "dialects.md",
    "domain.md",
    "examples.md",
    "forms.md",
    "glossary.md",
    "handbook/install.md",
    "handbook/key-ends.md",
    "handbook/problems.md",
)
_VECTOR = "docs/thread.json"  # a whole conversation as bytes, with demo keys
_HOUR = "handbook/partner-in-an-hour.md"
_LINK = re.compile(r"\[([^\]]*)\]\(([^)\s#]*)(#[^)\s]*)?\)")
# How a moment of an example is written, and the template that writes another one so.
_MOMENTS = (
    (re.compile(r"\d{14}"), "{time:%Y%m%d%H%M%S}"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"), "{time:%Y-%m-%d %H:%M:%S}"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00"), "{time:%Y-%m-%dT%H:%M:%S}+08:00"),
)


@dataclass(frozen=True, slots=True)
class Package:
    """content: the zip file. lacking: what the partner must still add, in both languages, each a line."""

    content: bytes
    lacking: tuple[str, ...]


def package_of(
    config: Config, directory: Directory, keyring: Keyring, code: str, now: datetime, *, address: str | None = None
) -> Package:
    """The package of one `amqp` participant. address: of the broker as the partner reaches it, without a user; None:
    the gateway's own. Raises ConfigurationError: it is not registered, is suspended, uses the API, or has no key."""
    partner = _partner(directory, code)
    contract = contract_of(directory, keyring, code, now)
    document = json.loads(contract)["contract"]
    own = {purpose: _kid(keyring, partner, purpose) for purpose in ("sig", "enc")}
    made = {path.name: path.read_bytes() for path in sorted((config.folder / HANDOVER / code).glob("*.private.jwk"))}
    needed = {purpose: f"{kid}.private.jwk" for purpose, kid in own.items()}
    password = partner_password_file(config.folder, code)
    home = directory.home
    files: dict[str, bytes] = {
        "partner.toml": _settings(config, partner, home, needed, address).encode(),
        CONTRACT: contract,
        f"{home.code}.keys.json": (json.dumps(keyring.jwks(directory.local), indent=1) + "\n").encode(),
        "partner.py": (STARTER / "partner.py").read_bytes(),
        "receipts.json": (json.dumps(_receipts(document), ensure_ascii=False, indent=1) + "\n").encode(),
        **made,
    }
    if config.broker_ca is not None:
        files[CA] = config.broker_ca.read_bytes()
    if password.is_file():
        files[PARTNER_PASSWORD] = password.read_bytes()
    words = _words(partner, home, document, made, needed, has_ca=config.broker_ca is not None, now=now)
    files["README.md"] = Template((STARTER / "README.md").read_text("utf-8")).substitute(words).encode()
    files[_VECTOR] = _vector().read_bytes()
    files |= _pages() | dict(_examples()) | _commands(tomlkit.parse(files["partner.toml"].decode()).unwrap())
    lacking = [*_lacking(code, made, needed, has_password=password.is_file())]
    if address is None and urlsplit(config.broker.urls[0]).hostname in _LOOPBACK:
        lacking.append(
            "队列地址是本机的，别的机器连不到：以 --amqp 写明对方所用的地址。"
            " The broker's address is this machine's own: name the one that the partner uses with --amqp."
        )
    return Package(_zipped(code, files, now), tuple(lacking))


def _partner(directory: Directory, code: str) -> Participant:
    partner = directory.get(code)
    if partner is None:
        known = ", ".join(sorted(p.code for p in directory))
        raise ConfigurationError(f"没有登记 {code}，已登记：{known}。 Not registered; there are: {known}.")
    if partner.local:
        raise ConfigurationError(
            f"{code} 用接口（http），没有队列，不用接入包：lianzhi clients add {code} <client>。"
            f" {code} uses the API and has no queues: `lianzhi clients add {code} <client>`."
        )
    if not partner.enabled:
        raise ConfigurationError(
            f"{code} 已停用：先 lianzhi participants resume {code}。 {code} is suspended: resume it first."
        )
    return partner


def _kid(keyring: Keyring, partner: Participant, purpose: str) -> str:
    """The newest of its keys for this. Raises ConfigurationError."""
    found = [key.kid for key in keyring.public_keys(partner.code) if key.purpose == purpose and key.revoked_at is None]
    if not found:
        command = f"lianzhi keys new {partner.code} {purpose} 1 --handover"
        raise ConfigurationError(
            f"{partner.code} 没有 {purpose} 密钥：{command}，或登记它的公钥。"
            f" {partner.code} has no {purpose} key: `{command}`, or register its public key."
        )
    return found[-1]


def _settings(
    config: Config, partner: Participant, home: Participant, needed: Mapping[str, str], address: str | None
) -> str:
    """Its `partner.toml`."""
    user = partner.broker_user or partner.code
    urls = []
    for url in config.broker.urls if address is None else (address,):
        parts = urlsplit(url)
        where = parts.netloc.rpartition("@")[2]
        urls.append(urlunsplit((parts.scheme, f"{quote(user, safe='')}@{where}", parts.path, "", "")))
    document = tomlkit.document()
    document.add(tomlkit.comment("联执：单位一侧的配置 settings of the partner; lianzhi partner doctor"))
    document["code"] = partner.code
    document["amqp"] = urls[0] if len(urls) == 1 else urls
    document["password_file"] = PARTNER_PASSWORD
    if config.broker_ca is not None:
        document["ca_file"] = CA
    document["sign_key"] = needed["sig"]
    document["open_key"] = needed["enc"]
    document["gateway_keys"] = f"{home.code}.keys.json"
    document["gateway"] = home.code
    document["ledger"] = "inbox.sqlite"
    document["contract"] = CONTRACT
    document["dialect"] = partner.dialect
    document["system"] = partner.zh
    return tomlkit.dumps(document)


def _receipts(document: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Matter type → the body of its receipt as templates, from the contract's own examples."""
    found = {}
    for one in document["types"]:
        said = one["verbs"].get("receipt", {})
        if said.get("by") == "asked" and one["role"] != "asker" and said.get("example"):
            found[one["card"]["name"]] = {name: _template(str(text)) for name, text in said["example"].items()}
    return found


def _template(text: str) -> str:
    return next((form for moment, form in _MOMENTS if moment.fullmatch(text)), text.replace("{", "{{"))


def _words(
    partner: Participant,
    home: Participant,
    document: Mapping[str, Any],
    made: Mapping[str, bytes],
    needed: Mapping[str, str],
    *,
    has_ca: bool,
    now: datetime,
) -> dict[str, str]:
    """What stands in the two pages in place of `$word`."""
    whole = set(needed.values()) <= made.keys()
    rows = [f"| `{name}` | 本单位的私钥 your private key |\n" for name in made]
    rows += [f"| `{CA}` | 代理证书的签发机构 who issued the broker's certificate |\n"] if has_ca else []
    names = "、".join(f"`{name}`" for name in needed.values())
    return {
        "zh": partner.zh,
        "en": partner.en,
        "code": partner.code,
        "court": home.code,
        "court_zh": home.zh,
        "day": now.astimezone(SHANGHAI).date().isoformat(),
        "dialect": partner.dialect,
        "types": str(len(document["types"])),
        "rows": "".join(rows),
        "with_keys": "和私钥" if made else "",
        "with_keys_en": " and private keys" if made else "",
        "keys_zh": (
            "由法院代制，法院交付后即删除；想用自己的密钥，做好后把公钥交给法院。"
            if whole
            else f"用本单位自己的：把私钥 {names} 放进本文件夹。"
        ),
        "keys_en": (
            "Made by the court, which deletes its copy. Make your own at any time and hand in the public halves."
            if whole
            else f"Your own: put the private halves {names} into this folder."
        ),
        "example": _result_example(document),
        "types_table": _types_table(document),
    }


def _result_example(document: Mapping[str, Any]) -> str:
    """A result as this partner writes it, of the first type that has one."""
    for one in document["types"]:
        example = one["verbs"].get("result", {}).get("example")
        if example and one["role"] != "asker":
            shown = json.dumps(example, ensure_ascii=False, indent=1)
            return f"\n`{one['card']['name']}` {one['zh']}：\n\n```json\n{shown}\n```\n"
    return ""


def _types_table(document: Mapping[str, Any]) -> str:
    rows = [
        f"| `{one['card']['name']}` | {one['zh']} {one['en']} | {'、'.join(sorted(one['verbs']))} |"
        for one in document["types"][:_EXAMPLES_SHOWN]
    ]
    more = len(document["types"]) - len(rows)
    rest = [f"\n其余 {more} 种见 contract.json。 {more} more stand in contract.json."] if more > 0 else []
    return "\n".join(["| 事项 type | | 动作 verbs |", "|---|---|---|", *rows, *rest])


def _lacking(code: str, made: Mapping[str, bytes], needed: Mapping[str, str], *, has_password: bool) -> Iterator[str]:
    for name in needed.values():
        if name not in made:
            yield f"私钥 {name} 由对方放入。 The partner adds its private key {name}."
    if not has_password:
        yield (
            f"没有密码文件：{code} 的密码已交付或另行约定，由对方放入 {PARTNER_PASSWORD}；要换新的："
            f"lianzhi participants password {code}。 No password file: the partner puts the one that it has into"
            f" {PARTNER_PASSWORD}; for a new one run `lianzhi participants password {code}`."
        )


def _commands(settings: Mapping[str, Any]) -> dict[str, bytes]:
    """`run-node.sh` and `run-java.sh`: each example with the settings of `partner.toml`. Further words go to it."""
    urls = settings["amqp"]
    variables = {
        "CODE": settings["code"],
        "AMQP": urls if isinstance(urls, str) else urls[0],
        "PASSWORD_FILE": f"$here/{settings['password_file']}",
        "SIGN_KEY": f"$here/{settings['sign_key']}",
        "OPEN_KEY": f"$here/{settings['open_key']}",
        "GATEWAY_KEYS": f"$here/{settings['gateway_keys']}",
        "CONTRACT": f"$here/{settings['contract']}",
        "LEDGER": "$here/ledger.jsonl",
        "ANSWERS": "$here/answers",
        "SYSTEM": settings["system"],
    }
    if "ca_file" in settings:
        variables["CA"] = f"$here/{settings['ca_file']}"
    set_up = "".join(f"export LIANZHI_{name}={_quoted(value)}\n" for name, value in variables.items())
    names = ("run-node.sh", "run-java.sh")
    return {name: (STARTER / name).read_text("utf-8").replace("@SETTINGS@\n", set_up).encode() for name in names}


def _quoted(value: str) -> str:
    """For bash; the folder `$here` stays a variable."""
    folder, name = ('"$here"', value.removeprefix("$here")) if value.startswith("$here/") else ("", value)
    return folder + shlex.quote(name)


def documents_folder() -> Path:
    """The pages that go along: in the distribution beside this module, in a checkout at its root."""
    installed = STARTER / "docs"
    return installed if installed.is_dir() else Path(__file__).parents[3] / "docs"


def _vector() -> Path:
    installed = STARTER / _VECTOR
    return installed if installed.is_file() else Path(__file__).parents[3] / "tests" / "vectors" / "thread.json"


def _pages() -> dict[str, bytes]:
    """`IN-AN-HOUR.md`, and under `docs/` what it and the examples name. A link out of the package is its words."""
    root, kept = documents_folder(), {f"docs/{name}" for name in _PAGES}

    def page(source: str, target: str) -> bytes:
        def link(found: re.Match[str]) -> str:
            words, path, anchor = found[1], found[2], found[3] or ""
            if not path:
                return found[0]
            whole = posixpath.normpath(posixpath.join("docs", posixpath.dirname(source), path))
            if whole not in kept:
                return found[0] if "://" in path else words
            return f"[{words}]({posixpath.relpath(whole, posixpath.dirname(target) or '.')}{anchor})"

        return _LINK.sub(link, (root / source).read_text("utf-8")).encode()

    return {"IN-AN-HOUR.md": page(_HOUR, "IN-AN-HOUR.md"), **{f"docs/{n}": page(n, f"docs/{n}") for n in _PAGES}}


def examples_folder() -> Path:
    """The whole partners in Node and Java: in the distribution beside this module, in a checkout at its root."""
    installed = STARTER / "examples"
    return installed if installed.is_dir() else Path(__file__).parents[3] / "examples"


def _examples() -> Iterator[tuple[str, bytes]]:
    root = examples_folder()
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        if path.is_file() and not _LEFT_OUT & set(relative.parts):
            yield f"examples/{relative.as_posix()}", path.read_bytes()


def _zipped(code: str, files: Mapping[str, bytes], now: datetime) -> bytes:
    """All of them in one folder named after the partner, readable by their owner alone when unpacked."""
    out = io.BytesIO()
    moment = now.astimezone(SHANGHAI)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            info = zipfile.ZipInfo(f"{code}/{name}", date_time=moment.timetuple()[:6])
            info.external_attr = (0o100000 | _FILE_MODE) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return out.getvalue()
