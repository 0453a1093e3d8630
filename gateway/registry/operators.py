"""`[operators]` of `lianzhi.toml`: read with file, line and word, and read anew for every act, so that somebody who is
struck off the list acts no more (docs/adr/0047)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway.core.operating.operators import ROLES, Operator, wrong_name, wrong_user
from lianzhi.errors import ConfigurationError
from lianzhi.printable import printable
from lianzhi.text_files import line_of_member, read_text, read_toml

TABLE = "operators"
MEMBERS = ("name", "role")


def read_operators(path: Path) -> dict[str, Operator]:
    """User → operator. Raises ConfigurationError: file, line, the word that is wrong, what may stand there."""
    text = read_text(path)
    content = read_toml(path)
    listed = content.get(TABLE, {})
    if not isinstance(listed, dict):
        raise _wrong(path, text, (TABLE,), TABLE, "须为 [operators.用户名] 各表", "it is tables [operators.USER]")
    found: dict[str, Operator] = {}
    for user, entry in listed.items():
        found[user] = _operator(path, text, user, entry, found)
    return found


def _operator(path: Path, text: str, user: str, entry: Any, others: Mapping[str, Operator]) -> Operator:
    if told := wrong_user(user):
        raise _wrong(path, text, (TABLE, user), user, *told)
    if not isinstance(entry, dict):
        raise _wrong(path, text, (TABLE, user), user, "须为一个表：name、role", "it is a table of name and role")
    for member in entry:
        if member not in MEMBERS:
            raise _wrong(path, text, (TABLE, user, member), member, "只有 name、role", "members are name and role")
    name, role = entry.get("name"), entry.get("role")
    if told := wrong_name(name, [one.name for one in others.values()]):
        raise _wrong(path, text, (TABLE, user, "name"), _shown(name, user), *told)
    if role not in ROLES:
        allowed = "、".join(ROLES)
        zh, en = f"role 只能是 {allowed}", f"role is one of {', '.join(ROLES)}"
        raise _wrong(path, text, (TABLE, user, "role"), _shown(role, user), zh, en)
    return Operator(user, str(name), role)


def _shown(value: object, user: str) -> str:
    return f"{TABLE}.{user}" if value is None else str(value)


def _wrong(path: Path, text: str, keys: tuple[str, ...], word: str, zh: str, en: str) -> ConfigurationError:
    line = line_of_member(text, keys)
    return ConfigurationError(f"{path}{line}：{printable(word, 60)}：{zh}。 {en[:1].upper()}{en[1:]}.")
