"""Operators: system users that `[operators]` of `lianzhi.toml` lists, and what their role lets them do (docs/adr/0047).

A user is who the kernel says it is; nothing that a caller sends decides it. Who is not listed does not act, root
neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from lianzhi.errors import RejectedError
from lianzhi.printable import printable
from lianzhi.problem import FieldError

Role = Literal["viewer", "operator", "supervisor"]
ROLES: tuple[Role, ...] = ("viewer", "operator", "supervisor")
Right = Literal["look", "act", "stop"]
"""look: lists and states. act: what concerns one message, one partner, one type. stop: what stops everything."""
RIGHTS: dict[Role, frozenset[Right]] = {
    "viewer": frozenset({"look"}),
    "operator": frozenset({"look", "act"}),
    "supervisor": frozenset({"look", "act", "stop"}),
}
ROLE_WORDS: dict[Role, tuple[str, str]] = {
    "viewer": ("查看", "viewer"),
    "operator": ("操作", "operator"),
    "supervisor": ("主管", "supervisor"),
}
USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}")
LONGEST_NAME = 40
NOT_PERSONS = frozenset({"nobody", "nfsnobody"})
"""The kernel names them where it does not know who somebody is (user_namespaces(7))."""


@dataclass(frozen=True, slots=True)
class Operator:
    """user: of the system. name: as events show it."""

    user: str
    name: str
    role: Role

    def require(self, right: Right) -> None:
        """Raises RejectedError operator-forbidden."""
        if right in RIGHTS[self.role]:
            return
        able = [role for role in ROLES if right in RIGHTS[role]]
        zh = "、".join(f"{role}（{ROLE_WORDS[role][0]}）" for role in able)
        raise RejectedError(
            "operator-forbidden",
            [
                FieldError(
                    pointer="/operator",
                    rule=f"operator-right-{right}",
                    detail=f"{self.user} 的角色是 {self.role}（{ROLE_WORDS[self.role][0]}），此操作须由 {zh} 进行",
                    detail_en=f"{self.user} is {self.role}; this is for: {', '.join(able)}",
                )
            ],
        )


def unlisted(user: str | None, uid: int) -> RejectedError:
    """The refusal of somebody who is not listed, with the lines that list him. user: None where the system has none."""
    known = user is not None and USER.fullmatch(user) is not None and user not in NOT_PERSONS
    name = printable(user, 40) if user is not None else f"uid {uid}"
    lines = f'[operators.{user}] name = "…"  role = "viewer|operator|supervisor"'
    zh = f"请在 lianzhi.toml 中加上：{lines}" if known else "该系统用户不能列为操作人，请换用有名字的用户"
    en = f"Add to lianzhi.toml: {lines}" if known else "This system user cannot be listed; use one that has a name"
    return RejectedError(
        "operator-forbidden",
        [
            FieldError(
                pointer="/operator",
                rule="operator-not-listed",
                detail=f"系统用户 {name} 未列入操作人。{zh}",
                detail_en=f"The system user {name} is not a listed operator. {en}",
            )
        ],
    )


def wrong_user(user: str) -> tuple[str, str] | None:
    """Why no operator may have this user name; None: he may."""
    if USER.fullmatch(user) is None:
        return (
            "系统用户名须为字母或下划线开头的 1 至 32 个字母、数字、点、下划线、连字符",
            "a user name is 1 to 32 letters, digits, dots, underscores, hyphens, a letter or underscore first",
        )
    if user in NOT_PERSONS:
        return "该用户不代表任何人", "this user stands for nobody"
    return None


def wrong_name(name: object, others: Iterable[str]) -> tuple[str, str] | None:
    """Why nobody may be called so. others: names of those listed before: a second account of one person could approve
    what the first one planned."""
    if not isinstance(name, str) or not name.strip() or name != name.strip():
        return "姓名不得为空，首尾不得有空白", "a name is not empty and has no blanks at its ends"
    if len(name) > LONGEST_NAME or not name.isprintable():
        return f"姓名最多 {LONGEST_NAME} 个可见字符", f"a name has at most {LONGEST_NAME} visible characters"
    if name in others:
        return (
            "姓名重复：一人两个账号可自己批准自己的计划；同名者请注明，如“王某（一庭）”",
            "the name stands twice: one person with two accounts could approve his own plan; tell namesakes apart",
        )
    return None
