"""Which paper ends which measure: the one that began it never does.

Seals, seizures and freezes are released by a ruling that releases (查封扣押冻结规定 28), a limit on consumption by its
own lifting order (限制消费规定 9), a restriction of leaving by a decision (执行程序解释 25), a detention by a decision
(民诉法 118). A listing ends by deletion (失信规定 10), a lookout and a grace by the request that cancels them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import StringConstraints

from schemas.law.force import Entry, Table, law

RELEASE_RULING = "release-ruling"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndingPaper(Entry):
    """What ends a measure of this `action`.

    paper: the kind of document that must come with the request, issued not before the measure began; None: the request
    itself ends it. zh, en: what it is called.
    """

    action: str
    paper: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,40}$")] | None = None
    zh: Annotated[str, StringConstraints(min_length=1, max_length=120)]
    en: Annotated[str, StringConstraints(min_length=1, max_length=120)]


def _known(rows: Mapping[str, EndingPaper]) -> Iterable[str]:
    known = [row.action for row in ENDING_PAPERS.default]
    for name in sorted(rows.keys() - set(known)):
        yield f"{name}：没有这种措施，可用：{'、'.join(known)}。 No such measure; there are: {', '.join(known)}."


ENDING_PAPERS = Table(
    name="ending-papers",
    zh="解除措施的文书",
    en="Which paper ends a measure",
    entry=EndingPaper,
    key=("action",),
    default=(
        EndingPaper(
            action="seal",
            paper=RELEASE_RULING,
            zh="解除查封、扣押裁定书",
            en="ruling that releases the seal",
            source="查封扣押冻结规定第二十八条 (SFK-28)",
            since=date(2021, 1, 1),
        ),
        EndingPaper(
            action="freeze",
            paper=RELEASE_RULING,
            zh="解除冻结裁定书",
            en="ruling that releases the freeze",
            source="查封扣押冻结规定第二十八条 (SFK-28)",
            since=date(2021, 1, 1),
        ),
        EndingPaper(
            action="consumption-limit",
            paper="consumption-lift-order",
            zh="解除限制消费令",
            en="order that lifts the limit on consumption",
            source="法释〔2015〕17号第九条 (FASHI-2015-17-9)",
            since=date(2015, 7, 22),
        ),
        EndingPaper(
            action="dishonest",
            zh="删除失信信息",
            en="deletion of the entry",
            source="法释〔2017〕7号第十条 (FASHI-2017-7-10)",
            since=date(2017, 5, 1),
        ),
        EndingPaper(
            action="exit-restrict",
            paper="exit-lift-decision",
            zh="解除限制出境决定书",
            en="decision that lifts the restriction of leaving",
            source="法释〔2008〕13号第二十五条 (FASHI-2008-13-25)",
            since=date(2021, 1, 1),
            reading=True,
        ),
        EndingPaper(
            action="detention",
            paper="detention-release-decision",
            zh="提前解除拘留决定书",
            en="decision that ends the detention",
            source="民事诉讼法第一百一十八条 (CPL-118)",
            since=date(2024, 1, 1),
        ),
        EndingPaper(
            action="control",
            zh="撤销临控、布控",
            en="cancellation of the lookout",
            source="工作约定：撤销请求即解除 (working practice)",
            since=date(2026, 1, 1),
            reading=True,
        ),
        EndingPaper(
            action="grace",
            zh="终止宽限期",
            en="end of the grace",
            source="工作约定：终止请求即结束 (working practice)",
            since=date(2026, 1, 1),
            reading=True,
        ),
    ),
    faults=_known,
)


def ending_paper(action: str, day: date) -> EndingPaper | None:
    """Of a measure of this action that is ended on `day`, when its ending is asked for: the paper is issued then, not
    when the measure began. None: the product knows no rule for it."""
    return law().row(ENDING_PAPERS, action, day)


def papers_to_end(action: str, day: date) -> dict[str, int]:
    """The document by which such a measure is ended on `day`; none: the request itself ends it. Raises KeyError."""
    row = law().on(ENDING_PAPERS, day)[action]
    return {} if row.paper is None else {row.paper: 1}


def ending_kinds(day: date) -> frozenset[str]:
    """The kinds of document that end a measure of any kind on `day`."""
    return frozenset(row.paper for row in law().on(ENDING_PAPERS, day).values() if row.paper is not None)


def is_too_early(issued_on: str, began_on: str) -> bool:
    """Whether the paper is older than the measure that it is to end (days written YYYY-MM-DD)."""
    return issued_on < began_on
