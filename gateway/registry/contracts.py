"""What a registered participant may send and receive: checked in its dialect at the start, and written as its contract
file, signed with the home court's key."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from adapters.registry import adapter_for, kinds, strangers
from gateway.core.contracts import contract_for, types_of, verbs_in_dialect
from gateway.core.routing import Directory
from gateway.registry.participants import PARTICIPANTS
from lianzhi.crypto.keyring import Keyring
from lianzhi.errors import ConfigurationError
from lianzhi.protocol.contract import sign_contract
from lianzhi.protocol.envelope import CANONICAL
from schemas.catalogue import catalogue


def contract_of(directory: Directory, keyring: Keyring, code: str, now: datetime) -> bytes:
    """Raises ConfigurationError: nobody of that code is registered; MisuseError: the home court has no key in force."""
    participant = directory.get(code)
    if participant is None:
        known = ", ".join(sorted(p.code for p in directory))
        raise ConfigurationError(f"没有登记 {code}，已登记：{known}。 Not registered; there are: {known}.")
    home = directory.home.code
    document = contract_for(participant, home, catalogue(), now)
    return sign_contract(document, keyring.signing_key(home, at=now))


def check_words(directory: Directory, folder: Path) -> None:
    """Compiles each dialect for what its participants may say and hear, so that a word that it lacks stops the start,
    not the first message.

    folder: of the installation. Raises ConfigurationError: a type names an unknown kind, or a dialect has no word for a
    member.
    """
    types = catalogue()
    for name, kind in strangers(types):
        raise ConfigurationError(
            f"schemas/matters：{name}：没有这类单位 {kind}，已知：{', '.join(kinds())}。"
            f" It names a kind of partner that has no folder in adapters/; there are: {', '.join(kinds())}."
        )
    checked: set[tuple[str, str]] = set()
    for one in directory:
        needed = {(one.dialect, matter.name) for matter, _ in types_of(one, types) if one.dialect != CANONICAL}
        file = folder / PARTICIPANTS / f"{one.code}.toml"
        for dialect, name in sorted(needed - checked):
            for verb in verbs_in_dialect(types[name]):
                _check_message(file, dialect, name, verb)
        checked |= needed


def _check_message(path: Path, dialect: str, matter: str, verb: str) -> None:
    try:
        missing = adapter_for(dialect).missing(matter, verb)
    except ValueError as error:
        raise ConfigurationError(f"{path}：dialect：{error}。 The dialect contradicts itself.") from error
    if missing:
        raise ConfigurationError(
            f"{path}：dialect：{dialect} 没有 {matter} {verb} 中 {', '.join(missing)} 的名称，也未写明隐去；"
            "请补在该类单位的文件夹里，或从 accepts、opens 去掉该事项。"
            f" {dialect} neither says nor hides these members of {matter} {verb}: add them in the kind's folder, or"
            " take the type out of accepts and opens."
        )
