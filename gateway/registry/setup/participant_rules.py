"""What a participant's file may say beyond its form: words that name nothing, files that are none, keys that are not
there. A slip of the pen there would stop nobody and forbid everything: `gird.*` fits no type.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from gateway.core.routing import Participant
from gateway.registry.forms import ParticipantForm
from lianzhi.crypto.keyring import Keyring
from lianzhi.errors import ConfigurationError
from lianzhi.printable import printable
from lianzhi.text_files import line_of, read_text
from schemas.catalogue import catalogue


def check_files(folder: Path) -> None:
    """Everything in `participants/` is a participant, but for what an editor leaves (`.x`, `x~`, `x.bak`).

    Raises ConfigurationError: a file would be passed over in silence.
    """
    strange = [path for path in sorted(folder.glob("*")) if path.suffix != ".toml" and not _is_left_over(path)]
    if strange:
        raise ConfigurationError(
            f"{strange[0]}：不是参与单位文件，会被略过：文件名须以小写 .toml 结尾，其余请移出。"
            " It is no participant's file and would be passed over: the name ends in .toml, in small letters; move"
            " anything else away."
        )


def _is_left_over(path: Path) -> bool:
    return path.name.startswith((".", "#")) or path.name.endswith(("~", ".bak", ".swp", ".orig"))


def check_patterns(path: Path, form: ParticipantForm) -> None:
    """Every entry of `accepts`, `opens`, `[duty] always` fits a type. Raises ConfigurationError: file, line, word."""
    for member, patterns in (("accepts", form.accepts), ("opens", form.opens), ("always", form.duty.always)):
        if wrong := _unknown(patterns):
            line = line_of(read_text(path), f'"{wrong}"')
            raise ConfigurationError(f"{path}{line}：{member}：{_told(wrong)}")


def unknown_patterns(*lists: Iterable[str]) -> str | None:
    """What is wrong with the first that fits no type, in both languages."""
    for patterns in lists:
        if wrong := _unknown(patterns):
            return _told(wrong)
    return None


def _unknown(patterns: Iterable[str]) -> str | None:
    known = catalogue()
    return next((p for p in patterns if not any(fnmatchcase(name, p) for name in known)), None)


def _told(pattern: str) -> str:
    families = sorted({name.partition(".")[0] for name in catalogue()})
    near = get_close_matches(pattern, [*catalogue(), *(f"{family}.*" for family in families)], n=3)
    zh = "、".join(near) or "、".join(f"{family}.*" for family in families)
    en = ", ".join(near) or ", ".join(f"{family}.*" for family in families)
    shown = printable(pattern, 80)
    return f"{shown} 不符合任何事项，例如 {zh}（lianzhi types）。 It fits no type; such as {en} (lianzhi types)."


def unbelieved(participant: Participant, keyring: Keyring) -> str | None:
    """Why nothing of it can be believed, for want of a key, in both languages. One by the API has its keys here too."""
    return _lacks(participant, keyring, "sig")


def unsealed(participant: Participant, keyring: Keyring) -> str | None:
    """Why nothing sealed can be sent to it: work without sealed content goes on."""
    return _lacks(participant, keyring, "enc")


def _lacks(participant: Participant, keyring: Keyring, purpose: Literal["sig", "enc"]) -> str | None:
    purposes = {key.purpose for key in keyring.public_keys(participant.code)}
    if not participant.enabled or purpose in purposes:
        return None
    command = f"lianzhi keys new {participant.code}"
    handover = "" if participant.local else " --handover"
    if purpose == "sig":
        return (
            f"没有签名公钥 [[keys]]，它的话一句也不能信：登记对方的公钥，或 {command} sig 1{handover}。"
            f" No key to sign with, so nothing of it can be believed: register its public key, or {command} sig 1"
            f"{handover}."
        )
    return (
        f"没有加密公钥 [[keys]]，不能向它发密封的内容：登记对方的公钥，或 {command} enc 1{handover}。"
        f" No key to seal to, so nothing sealed can be sent to it: register its public key, or {command} enc 1"
        f"{handover}."
    )
