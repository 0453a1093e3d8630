# ruff: noqa: E501 (a table)
"""Commissioned matters between courts 委托事项: one row for each matter code (docs/domain.md 2.6, 法发〔2017〕27号).

Terms: INT-485 (deposits one year, movables two, other property three). Days and papers: [H], [D] in docs/domain.md.
A movable that is detained is sealed too: `renew-seal-movable` and `unseal-movable` are how it goes on and ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from schemas.answers import AMOUNT, NUMBER, PUBLISHED

COMMON_PAPERS: Mapping[str, int] = {
    "enforcement-ruling": 1,
    "assistance-notice": 1,
    "entrust-letter": 1,
    "service-receipt": 1,
    "work-permit-copy": 1,
}

ObjectKind = Literal[
    "deposit", "wealth", "equity", "realty", "movable", "subject", "addressee", "whereabouts", "site", "other"
]
Effect = Literal["open", "renew", "end"]


@dataclass(frozen=True, slots=True)
class Commission:
    """One matter code.

    object: the kind of every object of the request. effect, action: what it does to a control measure, if anything.
    years: the longest term of a measure that it opens or renews. days: least and most days that may be asked for.
    papers: documents beside the common ones. money: each object states an amount.
    """

    code: str
    zh: str
    en: str
    object: ObjectKind
    effect: Effect | None = None
    action: str = ""
    years: int = 0
    coercive: bool = True
    days: tuple[int, int] = (10, 20)
    papers: tuple[str, ...] = ()
    money: bool = False

    @property
    def documents(self) -> Mapping[str, int]:
        """What ends a measure comes with the paper that ends it, not with the one that began it (SFK 28)."""
        common = dict(COMMON_PAPERS)
        if self.ends is not None:
            del common["enforcement-ruling"]
        return {**common, **dict.fromkeys(self.papers, 1)}

    @property
    def ends(self) -> str | None:
        """The action whose ending paper comes beside `documents`."""
        return self.action if self.effect == "end" else None

    @property
    def done_states(self) -> tuple[str, ...]:
        """What a result states of each object that is done: of a measure, and of money, its number; of money the sum;
        of a share when its freeze was published."""
        numbered = self.effect in ("open", "renew") or self.money
        published = self.effect == "open" and self.object == "equity"
        said = ((NUMBER, numbered), (AMOUNT, self.money), (PUBLISHED, published))
        return tuple(state for state, wanted in said if wanted)


COMMISSIONS: Mapping[str, Commission] = {
    c.code: c
    for c in (
        Commission("freeze-deposit", "冻结存款", "Freeze a deposit", "deposit", "open", "freeze", 1, money=True),
        Commission("renew-freeze-deposit", "续行冻结存款", "Renew the freezing of a deposit", "deposit", "renew", "freeze", 1),
        Commission("unfreeze-deposit", "解除冻结存款", "Unfreeze a deposit", "deposit", "end", "freeze"),
        Commission("deduct-deposit", "扣划存款", "Deduct from a deposit", "deposit", money=True),
        Commission("freeze-wealth", "冻结理财", "Freeze a wealth product", "wealth", "open", "freeze", 3, money=True),
        Commission("renew-freeze-wealth", "续行冻结理财", "Renew the freezing of a wealth product", "wealth", "renew", "freeze", 3),
        Commission("unfreeze-wealth", "解除冻结理财", "Unfreeze a wealth product", "wealth", "end", "freeze"),
        Commission("deduct-wealth", "扣划理财", "Deduct from a wealth product", "wealth", money=True),
        Commission("freeze-equity", "冻结股权", "Freeze a share in a company", "equity", "open", "freeze", 3),
        Commission("renew-freeze-equity", "续行冻结股权", "Renew the freezing of a share", "equity", "renew", "freeze", 3),
        Commission("unfreeze-equity", "解除冻结股权", "Unfreeze a share", "equity", "end", "freeze"),
        Commission("transfer-equity", "股权过户", "Transfer a share", "equity"),
        Commission("seal-realty", "查封不动产", "Seal real property", "realty", "open", "seal", 3),
        Commission("renew-seal-realty", "续行查封不动产", "Renew the seal on real property", "realty", "renew", "seal", 3),
        Commission("unseal-realty", "解除查封不动产", "Unseal real property", "realty", "end", "seal"),
        Commission("transfer-realty", "不动产过户", "Transfer real property", "realty"),
        Commission("seal-movable", "查封动产", "Seal a movable", "movable", "open", "seal", 2),
        Commission("renew-seal-movable", "续行查封动产", "Renew the seal on a movable", "movable", "renew", "seal", 2),
        Commission("unseal-movable", "解除查封动产", "Unseal a movable", "movable", "end", "seal"),
        Commission("transfer-movable", "动产交付过户", "Hand over or transfer a movable", "movable"),
        Commission("detain-movable", "扣押动产", "Detain a movable", "movable", "open", "seal", 2),
        Commission("investigate-property", "调查财产", "Investigate property", "subject", coercive=False, days=(10, 30)),
        Commission(
            "serve-document", "送达文书", "Serve a document", "addressee", coercive=False, days=(1, 10), papers=("document-to-serve",)
        ),
        Commission("control-person", "协助控制人员", "Help to control a person", "whereabouts"),
        Commission("assist-on-site", "协助现场执行", "Assist on site", "site"),
        Commission("other", "其他委托事项", "Another matter", "other", papers=("superior-approval",)),
    )
}  # fmt: skip
ENDS: dict[str, str] = {"detain-movable": "unseal-movable"} | {
    opening: ending
    for opening in COMMISSIONS
    for ending in (opening.replace("freeze-", "unfreeze-", 1), opening.replace("seal-", "unseal-", 1))
    if COMMISSIONS[opening].effect == "open" and ending in COMMISSIONS and ending != opening
}
ENDS |= {f"renew-{opening}": ending for opening, ending in ENDS.items() if f"renew-{opening}" in COMMISSIONS}
"""What opens a measure, or renews it (a renewal that came too late opens one) → what undoes it."""
CODE_LABELS = {code: row.zh for code, row in COMMISSIONS.items()}

if TYPE_CHECKING:
    MatterCode = str
else:
    MatterCode = Literal[tuple(COMMISSIONS)]  # the table is the only list of the codes
