"""The state diagrams of the documentation, drawn from the table (Mermaid `stateDiagram-v2`)."""

from __future__ import annotations

from gateway.core.control import moves
from gateway.core.requests.lifecycle import (
    BEFORE,
    BY_CHECK,
    BY_EFFECT,
    BY_OUTCOME,
    OUTCOMES,
    SAME,
    STATES,
    TABLE,
    TERMINAL,
)

_TARGETS = {
    BY_OUTCOME: sorted(set(OUTCOMES.values())),
    BY_EFFECT: ["withdrawn"],
    BY_CHECK: ["identity-checked"],
}
_TITLES = {"ask": "请求 ask", "alert": "预警 alert", "notice": "通报 notice"}


def states_document() -> str:
    """`docs/states.md`, whole."""
    parts = [
        "# 状态图 State diagrams\n",
        "由 `gateway/core/requests/lifecycle.py` 的表生成；测试比对两者。 "
        "Drawn from the table; a test compares them.\n",
    ]
    for shape, title in _TITLES.items():
        parts.append(f"## {title}\n\n```mermaid\n{mermaid(shape)}```\n")
        parts.append(_same(shape))
    parts.append(_measures())
    return "\n".join(parts)


def mermaid(shape: str) -> str:
    """One shape."""
    first = [state for state in BEFORE if state in STATES[shape]]
    lines = ["stateDiagram-v2", *(f"    [*] --> {_id(state)}" for state in first)]
    edges: dict[tuple[str, str], list[str]] = {}
    for row in TABLE:
        if row.shape != shape or row.to == SAME:
            continue
        for state in row.states:
            for to in _TARGETS.get(row.to, [row.to]):
                if to != state:
                    edges.setdefault((state, to), []).append(row.verb)
    lines += [f"    {_id(a)} --> {_id(b)}: {', '.join(verbs)}" for (a, b), verbs in edges.items()]
    lines += [f"    {_id(s)} --> [*]" for s in sorted(TERMINAL[shape])]
    return "\n".join(lines) + "\n"


def _measures() -> str:
    """Control measures, from `gateway/core/control/moves.py`."""
    edges: dict[tuple[str, str], list[str]] = {}
    for row in moves.MOVES:
        for state in row.states if row.to != SAME else ():
            edges.setdefault((state, row.to), []).append(row.move)
    lines = ["stateDiagram-v2", "    [*] --> requested"]
    lines += [f"    {_id(a)} --> {_id(b)}: {', '.join(names)}" for (a, b), names in edges.items()]
    lines += [f"    {_id(state)} --> [*]" for state in sorted(moves.TERMINAL)]
    same = "".join(f"| `{r.move}` | {r.by} | {', '.join(r.states)} |\n" for r in moves.MOVES if r.to == SAME)
    return (
        "## 控制措施 control measure\n\n"
        "由 `gateway/core/control/moves.py` 的表生成。 Drawn from the table. "
        "`ended` → `done`: 仅限此前未办成的 only what had come to nothing.\n\n"
        "```mermaid\n" + "\n".join(lines) + "\n```\n\n"
        "不改变状态的事件 What changes no state:\n\n| 事件 move | 由 by | 可用于 allowed in |\n|---|---|---|\n" + same
    )


def _same(shape: str) -> str:
    rows = [r for r in TABLE if r.shape == shape and r.to == SAME]
    head = "不改变状态的动作 Verbs that change no state:\n\n| 动作 verb | 由 by | 可用于 allowed in |\n|---|---|---|\n"
    return head + "".join(f"| `{r.verb}` | {r.by} | {', '.join(r.states)} |\n" for r in rows)


def _id(state: str) -> str:
    return state.replace("-", "_")
