"""Credit repair 信用修复 (docs/domain.md 2.9): the certificate for a debtor who has performed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, model_validator

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import ComingDay, PastDay
from lianzhi.protocol.values import Line, Name, Prose
from schemas.catalogue import Deadline, DeadlineKind, Kind
from schemas.declare import notice
from schemas.linkages import SANCTIONS, WHOLE_GROUP, Linkage
from schemas.matters.sanction.dishonest import DEBTOR_EXAMPLE, RECIPIENTS
from schemas.matters.sanction.listing import check_public_number, check_representative
from schemas.parts.items import distinct
from schemas.values.objects import Person
from schemas.values.terms import check_order

Repaired = Vocabulary[
    Annotated[Literal["dishonest"], "失信信息已撤销"] | Annotated[Literal["consumption-limit"], "限制消费已解除"]
]


class CreditRepairCertificate(Model):
    debtor: Annotated[Person, label("证明对象", "About whom")]
    card_no: Annotated[Line, label("证件号码（隐去部分）", "ID as the public copy shows it")]
    business_entity: Annotated[Name | None, label("法定代表人或负责人", "Legal representative")] = None
    certificate_no: Annotated[Line, label("证明编号", "Number of the certificate")]
    repaired: Annotated[
        list[Repaired],
        label("修复事项", "What was lifted", min_length=1, max_length=2),
        AfterValidator(distinct),
    ]
    performed_on: Annotated[PastDay, label("履行日期", "Performed on")]
    issued_on: Annotated[PastDay, label("出具日期", "Issued on")]
    valid_until: Annotated[ComingDay | None, label("有效期至", "Valid until; absent: without end")] = None
    statement: Annotated[Prose, label("证明内容", "What is certified")]

    @model_validator(mode="after")
    def _in_order(self) -> CreditRepairCertificate:
        check_public_number(self.debtor, self.card_no)
        check_representative(self.debtor, self.business_entity)
        if self.issued_on < self.performed_on:
            raise broken("issued-before-performed", at="/issued_on")
        if self.valid_until is not None:
            check_order(self.issued_on, self.valid_until, at="/valid_until")
        return self


CREDIT_REPAIR = notice(
    name="sanction.credit-repair.certify",
    zh="信用修复证明",
    en="Certificate of credit repair",
    help_zh="被执行人已履行、惩戒已撤销后，向各单位发送信用修复证明，供其恢复授信、投标等资格。附证明文件；身份证号隐去中间部分。",
    help_en="After performance, and when the sanctions are lifted, tells the recipients so, that credit and tenders "
    "open again. With the certificate; the ID is masked.",
    linkages=(Linkage(group=SANCTIONS, row=6, zh="信用修复证明", en="Repair of credit", note=WHOLE_GROUP),),
    senders=frozenset({Kind.COURT}),
    receivers=RECIPIENTS,
    request=CreditRepairCertificate,
    request_class=Classification.INTERNAL,
    fan_out=True,
    documents=lambda _: {"credit-repair-certificate": 1},
    deadline=Deadline(DeadlineKind.WORKING_DAYS, 5),
    example_request={
        "debtor": DEBTOR_EXAMPLE,
        "card_no": "6101991985****1232",
        "certificate_no": "（2026）陕0199执修900001号",
        "repaired": ["dishonest", "consumption-limit"],
        "performed_on": "2026-06-01",
        "issued_on": "2026-06-05",
        "statement": "该被执行人已全部履行，失信信息已撤销，限制消费已解除",
    },
)
