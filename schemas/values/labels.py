"""Chinese and English names of the codes that several models share.

The words for a member's own codes stand beside the member (`protocol.base.label`, `x-labels` in the JSON Schema).
"""

from __future__ import annotations

from collections.abc import Mapping

DOCUMENTS: Mapping[str, tuple[str, str]] = {
    "enforcement-ruling": ("执行裁定书", "enforcement ruling"),
    "release-ruling": ("解除查封、扣押、冻结裁定书", "ruling that releases a seal, seizure or freeze"),
    "assistance-notice": ("协助执行通知书", "notice of assistance in enforcement"),
    "entrust-letter": ("委托执行函", "letter of entrustment"),
    "service-receipt": ("送达回证", "receipt of service"),
    "work-permit-copy": ("执行公务证复印件", "copy of the work permits"),
    "document-to-serve": ("待送达文书", "document to be served"),
    "detention-decision": ("拘留决定书", "decision on detention"),
    "compelled-appearance-writ": ("拘传票", "writ of compelled appearance"),
    "summons-proof": ("传唤送达证明", "proof that the summons was served"),
    "superior-approval": ("上级法院批准文件", "approval of the superior court"),
    "obligor-evidence": ("义务人身份证据", "evidence of the obligor's role"),
    "handover-list": ("移交清单", "list of what is handed over"),
    "disposal-letter": ("商请移送执行函", "letter that asks for the right to sell"),
    "effective-judgment": ("生效法律文书", "effective judgment or award"),
    "priority-proof": ("优先受偿权证明", "proof of the priority"),
    "inquiry-notice": ("协助查询通知书", "notice of inquiry"),
    "lead-transfer-letter": ("拒执线索移送函", "letter of transfer of a lead on refusal"),
    "enforcement-statement": ("执行情况说明", "statement of how the enforcement went"),
    "consultation-minutes": ("会商纪要", "minutes of the consultation"),
    "supervision-letter": ("提请检察监督函", "letter that asks for supervision"),
    "no-filing-notice": ("不予立案通知书", "notice that no case is filed"),
    "pre-notice": ("预惩戒告知书", "notice before sanctions"),
    "grace-decision": ("宽限期决定书", "decision on a grace"),
    "dishonesty-decision": ("失信决定书", "decision to list as dishonest"),
    "consumption-order": ("限制消费令", "order that limits consumption"),
    "consumption-lift-order": ("解除限制消费令", "order that lifts a limit on consumption"),
    "exemption-decision": ("暂时解除限制消费决定书", "decision on a temporary exemption"),
    "exit-restriction-decision": ("限制出境决定书", "decision to restrict leaving the country"),
    "exit-lift-decision": ("解除限制出境决定书", "decision that lifts a restriction of leaving the country"),
    "detention-release-decision": ("提前解除拘留决定书", "decision that ends a detention"),
    "bankruptcy-transfer-decision": ("移送破产审查决定书", "decision to transfer for bankruptcy review"),
    "bankruptcy-consent": ("移送破产审查同意书", "consent to the transfer for bankruptcy review"),
    "bankruptcy-acceptance-ruling": ("受理破产申请裁定书", "ruling that accepts the bankruptcy"),
    "bankruptcy-rejection-ruling": ("不予受理或驳回申请裁定书", "ruling that rejects the bankruptcy"),
    "release-approval": ("案款发放审批表", "approval form of a payment"),
    "delay-approval": ("延缓发放审批表", "approval form of a delay"),
    "procuratorate-suggestion": ("检察建议书", "procuratorate's suggestion"),
    "judgment-copy": ("生效法律文书", "the judgment in force"),
    "review-mandate": ("评查（督查、审计）通知书", "mandate of the review"),
    "credit-repair-certificate": ("信用修复证明", "certificate of credit repair"),
}


def document_label(kind: str) -> tuple[str, str]:
    """(Chinese, English) name of a kind of document; a kind of a deployment's own keeps its code."""
    return DOCUMENTS.get(kind, (kind, kind))
