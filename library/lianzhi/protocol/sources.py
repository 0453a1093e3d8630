"""Where each rule comes from, and how strict it is: the article of law, the standard of a form, or our own decision.

A rule without a line here fails a test. What no text demands says so: `FORM` is the shape of a value, `LOGIC` what
follows from the meaning of the members, `PRODUCT` a decision of this product (docs/domain.md, marked [D] or [H] there).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Strictness = Literal["refuse", "warn", "configurable"]
STRICTNESS: Mapping[Strictness, tuple[str, str]] = {
    "refuse": ("拒收", "refuse"),
    "warn": ("提示", "warn"),
    "configurable": ("可配置", "configurable"),
}


@dataclass(frozen=True, slots=True)
class Source:
    """zh, en: as it is cited. law: whether it is a text of law, which an error then names."""

    zh: str
    en: str
    law: bool = False


FORM = Source("形式", "form")
LOGIC = Source("内容相符", "consistency")
PRODUCT = Source("产品规则", "product rule")


def _standard(zh: str, en: str) -> Source:
    return Source(zh, en)


def _law(zh: str, en: str) -> Source:
    return Source(zh, en, law=True)


_LINES: tuple[tuple[Source, str], ...] = (
    # forms
    (_standard("RFC 3339", "RFC 3339"),
     "moment-form"),
    (_standard("GB/T 7408 (ISO 8601)", "GB/T 7408 (ISO 8601)"),
     "day-form month-form day-range"),
    (_standard("GB 11643", "GB 11643"),
     "resident-id-form resident-id-15 resident-id-province resident-id-date resident-id-checksum "
     "birth-date-mismatch sex-mismatch"),
    (_standard("GB 32100", "GB 32100"),
     "uscc-form uscc-checksum"),
    (_standard("GB 16735", "GB 16735"),
     "vin-form vin-check-digit"),
    (_standard("GA 36", "GA 36"),
     "plate-form"),
    (_standard("GA/T 16.7", "GA/T 16.7"),
     "plate-kind-mismatch"),
    (_standard("GB/T 2260", "GB/T 2260"),
     "division-form division-ended"),
    (_standard("GB/T 2659", "GB/T 2659"),
     "id-country-form"),
    (_law("法〔2015〕137号", "FA-2015-137"),
     "case-number-form unknown-court"),
    (FORM,
     "money-form text-form text-character text-says-nothing name-of-nobody id-form id-kind-mismatch "
     "id-tail-form id-detail-not-needed account-tail-form mobile-form phone-form amount-positive "
     "unknown-legal-basis "
     "register-number-form"),
    # people and cars
    (PRODUCT,
     "id-required id-of-nobody id-country-required id-issuer-required id-name-required vin-required "
     "protected-plate natural-person birth-date-required holding-unit-required receive-commitment "
     "vehicle-or-owner hold-before-hit hold-not-needed photos-too-few custodian-required not-handed-over"),
    (_law("法释〔2017〕7号", "FASHI-2017-7"),
     "representative-required already-performed"),
    (_law("法释〔2017〕7号第四条", "FASHI-2017-7-4"),
     "minor"),
    (_law("法释〔2017〕7号第三条", "FASHI-2017-7-3"),
     "listing-warning"),
    (_law("法释〔2017〕7号第二条", "FASHI-2017-7-2"),
     "list-term-required list-term-advised"),
    # the whole request
    (LOGIC,
     "receiver-and-receivers duplicate-receiver duplicate-ref duplicate-value duplicate-object "
     "end-before-start renewal-not-longer original-required original-not-needed term-not-needed same-court "
     "object-kind-mismatch one-object same-party clues-missing cases-missing not-served attitude-required "
     "not-met "
     "attendees-required not-attended opinion-required nothing-done nobody-acted dept-mismatch "
     "field-of-other-dept object-of-other-dept one-register transferee-required transferee-not-needed "
     "records-missing "
     "records-not-needed denied-reason-required penalty-after-lead judgment-not-effective due-before-meeting "
     "done-at-required issued-before-performed asset-unlisted measure-unlisted day-count-mismatch "
     "payment-details decline-by-late attendance-required meaning-required package-required "
     "extension-not-needed "
     "extension-not-longer more-to-follow recheck-result-required closure-member day-in-future before-closure "
     "shift-order reassign-same-court reassign-same-case reassign-stays no-result items-missing "
     "fail-reason-required moment-in-future day-over moment-over before-request term-required "
     "reason-required due-required "
     "status-detail-required bankruptcy-case-required extension-required extension-late document-no-required "
     "file-no-required delegates-required signer-required relation-required amount-required "
     "platform-and-exempt platform-no-request platform-other-number debt-reason-not-needed measure-no-mismatch "
     "detention-days-not-needed transferred-to unidentified-or-claimed"),
    (PRODUCT,
     "case-required stage-required stage-coercive requested-days agreement-required shift-too-long "
     "owner-is-backup reply-too-soon notice-too-short service-proof-required closure-case-type "
     "resumed-case-required "
     "case-not-enforcement id-not-masked public-number-mismatch platform-not-concerned unlisted-basis ended-basis "
     "role-paper-required minor-kept handler-phone-required handler-phone-missing"),
    (_law("委托执行规定第四条", "WT-4"),
     "platform-required platform-missing"),
    (_law("民事诉讼法第二百三十九条", "CPL-239"),
     "handler-role"),
    (_standard("各事项的办理依据", "the basis of each matter"),
     "answer-not-lawful"),
    # measures: what several kinds of measure share names the text of those that a law binds, and no error cites it
    (_standard("各事项的最长期限；财产控制：民诉法解释第四百八十五条", "each matter's longest term; property: INT-485"),
     "term-too-long"),
    (_standard("财产控制：查封扣押冻结规定第二十七条；其余：产品规则", "property: SFK-27; else a product rule"),
     "renewal-gap renewal-late beyond-seal"),
    (_law("查封扣押冻结规定第二十六条", "SFK-26"),
     "rank-required seal-not-live"),
    (_law("查封扣押冻结规定第一条、第七条", "SFK-1, SFK-7"),
     "done-number-required"),
    (_law("查封扣押冻结规定第十九条", "SFK-19"),
     "debt-required done-amount-required over-seizure-warning"),
    (_law("查封扣押冻结规定第二十八条", "SFK-28"),
     "ending-paper-early"),
    (_law("法释〔2021〕20号第六条", "FASHI-2021-20-6"),
     "publication-required"),
    (_law("民诉法解释第四百八十二条", "INT-482"),
     "hold-too-long"),
    (_law("民事诉讼法第一百一十八条", "CPL-118"),
     "detention-days-missing detention-too-long"),
    (PRODUCT,
     "third-party-property third-party-owner"),
    (_law("法释〔2016〕6号", "FASHI-2016-6"),
     "disposal-not-due letter-required"),
    # refusal to execute
    (_law("法发〔2025〕8号", "FAFA-2025-8"),
     "evidence-missing decision-not-due decision-no-required"),
    (_law("法释〔2024〕13号", "FASHI-2024-13"),
     "penalty-required"),
    (_law("法发〔2025〕8号第七条", "FAFA-2025-8-7"),
     "legal-ref-required"),
    (_law("法释〔2024〕13号第八条", "FASHI-2024-13-8"),
     "accomplice-with-ground"),
    (_law("法〔2016〕373号第一条", "FA-2016-373-1"),
     "preconditions-required"),
    # sanctions, bankruptcy, money
    (_law("法发〔2019〕35号", "FAFA-2019-35"),
     "grace-too-short breach-required minor-limited"),
    (_standard("各措施的对象范围（law/circles.toml）", "whom each measure reaches (law/circles.toml)"),
     "role-outside"),
    (_standard("公安机关通报备案分级（二手来源）", "levels of border notices (by a secondary source)"),
     "exit-notice-too-long"),
    (_law("民诉法解释第五百一十一条", "INT-511"),
     "assets-cover-debt consent-after-decision"),
    (_law("法发〔2017〕2号", "FAFA-2017-2"),
     "insolvency-evidence decision-after-transfer distributed-after-decision handover-due-required served-required"),
    (_law("法发〔2017〕6号第十条", "FAFA-2017-6-10"),
     "payout-late payout-late-after-delay"),
)  # fmt: skip

SOURCES: Mapping[str, Source] = {name: source for source, names in _LINES for name in names.split()}

_LESS: Mapping[Strictness, frozenset[str]] = {
    "warn": frozenset(
        [
            "vin-check-digit",
            "over-seizure-warning",
            "listing-warning",
            "platform-missing",
            "unlisted-basis",
            "ended-basis",
            "list-term-advised",
            "detention-days-missing",
            "handler-phone-missing",
        ]
    ),
    "configurable": frozenset(
        [
            "platform-required",
            "handler-role",
            "handler-phone-required",
            "hold-too-long",
            "detention-too-long",
            "minor-limited",
            "minor-kept",
            "role-outside",
            "exit-notice-too-long",
            "payout-late",
            "payout-late-after-delay",
        ]
    ),
}


def strictness(rule: str) -> Strictness:
    """`refuse` unless the table says less. `configurable` is a rule that a court sets for itself."""
    return next((kind for kind, names in _LESS.items() if rule in names), "refuse")
