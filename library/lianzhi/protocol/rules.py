# ruff: noqa: E501 (a table of texts)
"""Every rule that a value can break, by name, with a text for the person who has to correct it: ours, and pydantic's errors
as rules of ours (`BY_TYPE`).

A rule's name is part of the API (`errors[].rule`, docs/contracts.md 3.3) and never changes its meaning. Texts never
repeat the refused value: it may be somebody's number. `{…}` are limits and alternatives that our own models name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import PydanticCustomError, ValidationError

from lianzhi.protocol.sources import SOURCES, Source, Strictness, strictness


@dataclass(frozen=True, slots=True)
class Rule:
    """zh, en: what is wrong and what to do. source: the text that it comes from, None while nobody has said."""

    name: str
    zh: str
    en: str
    source: Source | None = None

    @property
    def strictness(self) -> Strictness:
        return strictness(self.name)


def _table(*rows: tuple[str, str, str]) -> dict[str, Rule]:
    return {name: _rule(name, zh, en) for name, zh, en in rows}


def _rule(name: str, zh: str, en: str) -> Rule:
    """A text that names no article yet gets that of its rule at the end."""
    source = SOURCES.get(name)
    if source is not None and source.law and not any(mark in zh for mark in ("条", "〔", "{source}")):
        zh, en = f"{zh}（{source.zh}）", f"{en} ({source.en})"
    return Rule(name, zh, en, source)


RULES: dict[str, Rule] = _table(
    # times and sums
    ("moment-form", "时间须带时区，形如 2026-03-24T09:41:00+08:00", "A time is RFC 3339 with its offset, like 2026-03-24T09:41:00+08:00"),
    ("day-form", "日期须为真实日期，形如 2026-03-24", "A date is a real day written 2026-03-24"),
    ("day-range", "日期须在 {first} 与 {last} 之间；没有期限的不填该项", "A date lies between {first} and {last}; leave the member out when there is no end"),
    ("month-form", "月份须形如 2026-03", "A month is written 2026-03"),
    ("moment-in-future", "时间晚于报文时间：已发生的事项不得填将来的时间，请核对", "What has happened is not later than the message that tells it; check the time"),
    ("day-over", "日期已过：须为当日或以后，请改期", "The day is over; give today or a later one"),
    ("moment-over", "时间已过：须晚于报文时间，请改期", "The time is over; give one that is still to come"),
    ("before-request", "日期早于所答复请求的日期 {asked_on}，请核对", "It is before the day of the request that it answers ({asked_on})"),
    ("money-form", "金额须为字符串，两位小数，形如 1234.50，不超过 12 位整数", "Money is a string with two decimals, like 1234.50, at most 12 digits before the point"),
    ("text-form", "文字不能为空，也不能含控制字符", "Text is not blank and has no control characters"),
    ("text-character", "第 {place} 个字符（{point}）不能使用：它改变文字方向、属造字区、已损坏或未编码；请改用正式编码的字", "Character {place} ({point}) cannot be used: it turns the direction of writing, is of private use, damaged or unassigned; use the encoded character"),
    ("text-says-nothing", "至少须有一个文字或数字；没有内容的不填该项", "At least one letter or digit; leave the member out when there is nothing to say"),
    ("name-of-nobody", "姓名或名称不能写“无”“不详”之类，也不能只写数字；确不知道的不填该项", "A name is not 'none' or 'unknown', nor digits alone; leave an optional member out when it is not known"),
    # numbers of cases, people, vehicles, places
    ("case-number-form", "案号形式不对，应形如（2026）陕0114执123号（法〔2015〕137号）；2016 年前的旧案号只能用于引用的案号", "Not a case number; it looks like （2026）陕0114执123号. Numbers given before 2016 are taken only where another case is quoted"),
    ("resident-id-form", "身份证号应为 18 位，末位为数字或 X", "A resident ID has 18 characters, the last a digit or X"),
    ("resident-id-15", "请填写 18 位身份证号，不收 15 位旧号", "Give the 18-digit number; 15-digit numbers are not taken"),
    ("resident-id-province", "身份证号的地区代码不存在，请核对前几位", "The ID begins with an area code that does not exist"),
    ("resident-id-date", "身份证号中的出生日期不是真实日期，请核对", "The date of birth in the ID is no real date"),
    ("resident-id-checksum", "身份证号校验位不符，请核对", "Check digit does not match"),
    ("id-required", "须填写证件号码：仅凭姓名会错及同名的人", "The ID number is required: a name alone can hit a namesake"),
    ("id-kind-mismatch", "证件号码与证件种类不符", "The number does not fit the kind of ID"),
    ("id-form", "证件号码形式不对，请核对", "Not a number of this kind of ID"),
    ("id-of-nobody", "证件号码全是零或只是文字，不是真实号码；没有证件号码的不能采取措施", "Only zeros or words are no number of an ID; nothing is done to a person without a real one"),
    ("id-country-form", "签发国家或地区须为三位字母代码（GB/T 2659），如 CHN、USA", "The country of issue is a code of three letters (ISO 3166-1), like CHN or USA"),
    ("id-country-required", "护照须写明签发国家或地区 id_country：各国护照号会重复", "A passport needs its country of issue, id_country: two countries give the same numbers"),
    ("id-issuer-required", "其他证件须写明签发机关 id_issuer", "Any other ID needs who issued it, id_issuer"),
    ("id-name-required", "其他证件须写明证件名称 id_name", "Any other ID needs what it is called, id_name"),
    ("id-detail-not-needed", "该证件种类不填此项", "This kind of ID has no such member"),
    ("register-number-form", "登记号码须有四位以上字母或数字，且不全是零；不能写“无”“不详”", "A register's number has four letters or digits and is not all zeros; 'none' is no number"),
    ("id-tail-form", "须为证件号码后四位", "The last four characters of the ID"),
    ("id-not-masked", "公开名单中的身份证号须隐去出生月日，形如 6101991990****1237", "A public list masks the ID, like 6101991990****1237"),
    ("birth-date-mismatch", "出生日期与身份证号不一致", "The date of birth is not that of the ID"),
    ("sex-mismatch", "性别与身份证号不一致", "The sex is not that of the ID"),
    ("uscc-form", "统一社会信用代码应为 18 位数字和大写字母（不含 I、O、S、V、Z）", "A USCC has 18 digits and capitals without I, O, S, V, Z"),
    ("uscc-checksum", "统一社会信用代码校验位不符，请核对", "The USCC's check character does not match"),
    ("vin-form", "车架号应为 17 位，不含 I、O、Q", "A VIN has 17 characters without I, O, Q"),
    ("vin-required", "须填写车架号：强制类事项不能只凭车牌", "The VIN is required: a plate alone does not do"),
    ("vin-check-digit", "车架号校验位不符；进口车可能如此，请核对", "The VIN's check digit does not match; imports may lack one, please compare"),
    ("mobile-form", "手机号应为 11 位", "A mobile number has 11 digits"),
    ("phone-form", "电话应为 11 位手机号、带区号的固定电话或 400 号码；境外号码以 + 和国家代码开头", "A mobile number, a landline with its area code, a 400 number, or + and the country code"),
    ("plate-form", "车牌号形式不对，请核对", "Not a licence plate"),
    ("plate-kind-mismatch", "号牌种类与车牌号不符", "The kind of plate does not fit the plate"),
    ("protected-plate", "使领馆、军警车牌不得采取强制措施", "Embassy, consular, military and armed-police plates block coercive matters"),
    ("division-form", "行政区划代码应为 6 位，且省级代码存在", "A division code has 6 digits and begins with a province that exists"),
    ("division-ended", "该行政区划代码已停用，现为 {successor}", "This division code has ended; it is {successor} now"),
    ("unknown-court", "法院代字不在法院表中", "Not in the table of courts"),
    ("unknown-legal-basis", "法律依据代号未登记，形如 CPL-253、FA-2016-373；本院可在 law/legal-bases.toml 中增加", "Not a legal reference of ours; they look like CPL-253, FA-2016-373, and a court adds its own in law/legal-bases.toml"),
    # the national command platform
    ("platform-and-exempt", "已填全国平台编号的，不填免办理由", "What has a number on the national platform has no reason to lack one"),
    ("platform-required", "委托事项须经全国执行指挥平台办理（委托执行规定第四条），本院要求先填：platform 写明 no 和 filed_on，不经平台的用 platform_exempt 写明理由", "Commissions go through the national command platform (WT-4), and this court asks for it first: give `platform` with no and filed_on, or the reason in `platform_exempt`"),
    ("platform-no-request", "本院没有发出这件请求，请核对编号", "This court has sent no such request; please check its number"),
    ("platform-not-concerned", "该事项不经全国平台办理，不登记编号", "This matter does not go through the national platform"),
    ("platform-other-number", "该请求已登记另一平台编号或填报日期", "This request has another number or day on the platform already"),
    # warnings: accepted all the same
    ("over-seizure-warning", "已实际控制 {in_fact} 元、已申请 {asked} 元，债务 {debt} 元：若申请的都办成将明显超标的（查封扣押冻结规定第十九条），请留意", "Secured in fact {in_fact}, asked for {asked}, the debt is {debt}: if all of it is done, it is clearly too much (SFK-19)"),
    ("listing-warning", "本案已实际控制 {in_fact} 元，债务 {debt} 元：已足以清偿的不得纳入失信名单（失信名单规定第三条），请核对", "Secured in fact {in_fact}, the debt is {debt}: who has secured enough is not listed (FASHI-2017-7-3); please check"),
    ("platform-missing", "委托事项须经全国执行指挥平台办理（委托执行规定第四条，本产品的理解）：请用 platform 补填编号，或以 lianzhi platform import 批量补录", "Commissions go through the national command platform (WT-4, a reading of ours): give `platform`, or enter the numbers later with `lianzhi platform import`"),
    ("unlisted-basis", "法律依据表中没有该文号，请核对；确有此文的，可在 law/legal-bases.toml 中登记", "The table of legal bases does not have this notice: please check the number; if it exists, register it in law/legal-bases.toml"),
    ("ended-basis", "该文件自 {until} 起已不再适用，请核对", "This text has not been in force since {until}; please check"),
    # the whole request
    ("receiver-and-receivers", "接收方只填 receiver 或 receivers 之一", "Give either receiver or receivers"),
    ("duplicate-receiver", "同一接收方出现了两次", "A receiver stands twice"),
    ("duplicate-ref", "同一 ref 指了两个不同的对象", "One ref names two different objects"),
    ("duplicate-object", "同一财产（或人、车）列了两次，请合并为一项", "The same object stands twice; name it once"),
    ("duplicate-value", "同一项出现了两次", "The same value stands twice"),
    ("case-required", "该事项须填写案号", "This matter needs a case number"),
    ("case-not-enforcement", "强制类事项只能用执、执恢、执保案号", "A coercive matter needs a case number of type 执, 执恢 or 执保"),
    ("stage-required", "用审判案号时须注明 stage: pre-enforcement（执前）", "A trial's case number needs stage: pre-enforcement"),
    ("stage-coercive", "执前阶段不能提出强制类事项", "No coercive matter before enforcement"),
    # terms
    ("end-before-start", "结束日期早于开始日期", "It ends before it starts"),
    ("term-too-long", "期限超过法定最长 {longest}", "Longer than the law allows ({longest_en})"),
    ("term-required", "该事项须填写起止日期", "This matter needs its first and last day"),
    ("term-not-needed", "该事项不填起止日期", "This matter has no term"),
    ("beyond-seal", "结束日期晚于车籍查封的到期日", "It ends after the seal that it rests on"),
    ("seal-not-live", "所依据的查封是轮候查封，尚未生效", "The seal it rests on is queued and not in force"),
    ("renewal-gap", "续期须在原措施到期前衔接", "A renewal starts before the measure that it renews has ended"),
    ("renewal-not-longer", "续期后的到期日须晚于原到期日", "A renewal ends later than the measure that it renews"),
    ("original-required", "续办、解除和轮候须写明原措施", "A renewal, release or queueing names the original measure"),
    ("original-not-needed", "首次办理不填原措施", "A first measure has no original"),
    ("debt-required", "须填写债务数额，以防超标的查封", "The debt is required, against over-seizure"),
    ("debt-reason-not-needed", "未填写债务数额的，不填变更原因", "Without a debt there is no reason for another figure"),
    ("measure-no-mismatch", "所写措施编号不是该对象在用的措施，请按登记的编号更正", "Not the number of the measure in force on this object; give the registered one"),
    ("ending-paper-early", "解除文书的出具日期早于措施起始日期：作出查封、冻结的裁定不能用来解除（查封扣押冻结规定第 28 条）", "The paper that ends the measure is older than the measure: the ruling that seals does not release (SFK 28)"),
    ("receive-commitment", "法院须承诺接车", "The court must commit itself to take over the car"),
    ("holding-unit-required", "已拦截的车辆须写明扣押单位", "A car that was stopped needs the unit that holds it"),
    # entrusted matters
    ("same-court", "委托法院与受托法院不能相同", "The entrusting and the entrusted court are the same"),
    ("object-kind-mismatch", "标的种类与委托事项不符，应为 {expected}", "The kind of object does not fit the matter; it is {expected}"),
    ("one-object", "续办和解除每次只办一项措施、一个标的", "A renewal or release takes one measure and one object at a time"),
    ("amount-required", "该事项须填写金额", "This matter needs the amount"),
    ("not-served", "未送达的不能报已办，也不填签收时间", "What was not served is not done, and nobody signed for it"),
    ("signer-required", "直接、转交送达须写明签收人", "Who was handed the paper must be named"),
    ("relation-required", "非本人签收须写明与受送达人的关系", "Who signs for somebody else states the relation"),
    ("disposal-not-due", "首封未满 {days} 日，尚不能商请移送处分权", "The first seal is not older than {days} days"),
    ("letter-required", "同意移送须附移送执行函并写明文号和日期", "A transfer comes with its letter, the number and the day"),
    ("clues-missing", "财产线索须至少列一条", "A clue about property lists at least one"),
    ("cases-missing", "共同被执行人须列明本院关联案件", "A shared debtor comes with the cases of this court"),
    ("requested-days", "要求办理天数应在 {least} 至 {most} 天之间", "The requested days are between {least} and {most}"),
    # grid centres and mediators
    ("attitude-required", "见到本人须填写态度", "Who was met showed some attitude; state it"),
    ("not-met", "未见到本人的不填态度和和解意愿", "Who was not met showed no attitude and no wish to settle"),
    ("attendees-required", "到场见证须写明见证人", "Who attended must be named"),
    ("not-attended", "未到场的不填见证人和意见", "Who did not attend has no name and no opinion here"),
    ("opinion-required", "到场见证须填写意见", "Who attended has an opinion, be it none against"),
    ("agreement-required", "达成和解须附和解协议", "A settlement comes with its agreement"),
    ("same-party", "双方当事人不能相同", "The two parties are the same"),
    ("nothing-done", "选了“未采取措施”，就不能再选其他措施或填会员数", "`none` stands alone, and with no members"),
    ("nobody-acted", "采取了措施须填写会员数", "Steps were taken by at least one member"),
    # departments
    ("dept-mismatch", "接收单位是{expected}，与内容所填部门不符", "The receiver is the {expected_en}, not the department that the content names"),
    ("field-of-other-dept", "该部门不提供此项，可选：{expected}", "This department does not tell that; it tells: {expected}"),
    ("object-of-other-dept", "该部门不登记此类财产，可选：{expected}", "This department keeps no register of such property; it has: {expected}"),
    ("third-party-property", "财产不在被执行人名下的，须附其为义务人的证据", "Property that is not the debtor's needs the evidence that its owner is liable"),
    ("one-register", "一次答复只列一种登记", "One answer lists records of one register"),
    ("transferee-required", "过户须写明受让人", "A transfer names who gets it"),
    ("transferee-not-needed", "只有过户才填受让人", "Only a transfer has somebody who gets it"),
    # people under inquiry and control
    ("natural-person", "该事项只能针对自然人", "This matter is about a human being, not an organisation"),
    ("records-missing", "“有”须列出至少一条记录", "`found` lists at least one record"),
    ("records-not-needed", "“无”和“不予提供”不列记录", "`none` and `denied` list no records"),
    ("denied-reason-required", "不予提供须说明原因", "A denial states its reason"),
    ("vehicle-or-owner", "按车或按人查询，只填其一", "Ask by vehicle or by owner: give exactly one"),
    ("renewal-late", "原期限已届满，不能续期，请重新申请", "It has ended already and cannot be renewed; make a new request"),
    ("hold-before-hit", "留置截止时间早于命中时间", "The hold ends before the hit"),
    ("hold-not-needed", "未控制人员的不填留置截止时间", "Nobody is held, so no hold can end"),
    ("hold-too-long", "留置不得超过命中后 {hours} 小时（类推民诉法解释第四百八十二条），请改为法院接人的最迟时间", "Nobody is held for longer than {hours} hours after the hit (by analogy with INT-482): give the latest time at which the court takes over"),
    ("list-term-advised", "有能力拒不履行与其他情形并列：其他情形有二年期限，本产品理解为须写明截止日期（法释〔2017〕7号第二条）；未写的将一直公布到撤销", "Ability without will stands beside acts that are listed for two years: an end should be given (FASHI-2017-7-2, a reading of ours); without one the entry stays until it is withdrawn"),
    ("detention-days-missing", "未写明拘留天数：拘留决定书载明的天数宜填入，不超过 {most} 日（民事诉讼法第一百一十八条）", "The days of the detention are missing: give those of the decision, at most {most} (CPL-118)"),
    ("detention-too-long", "拘留不得超过 {most} 日（民事诉讼法第一百一十八条）", "A detention lasts at most {most} days (CPL-118)"),
    ("detention-days-not-needed", "不是依拘留决定的，不填拘留天数", "Not a detention: it has no days"),
    ("photos-too-few", "移交照片不得少于 {least} 张", "At least {least} photographs of the handover"),
    ("custodian-required", "接收车辆须写明保管人和存放地点", "A car that was taken over has a keeper and a place"),
    ("not-handed-over", "移交清单中须勾选车辆", "The car itself must be among what is handed over"),
    # refusal to execute
    ("evidence-missing", "五组证据每组至少一份：身份、义务、能力、拒执行为、后果", "Each of the five groups of evidence has a document: identity, duty, ability, refusal, consequence"),
    ("penalty-required", "该情形须先经罚款、拘留等强制措施，请列明", "These grounds need an earlier fine or detention; list it"),
    ("penalty-after-lead", "处罚决定日期晚于移送日期", "The penalty was decided after the transfer"),
    ("judgment-not-effective", "生效日期晚于移送日期", "The judgment takes effect after the transfer"),
    ("reason-required", "须说明理由", "The reason is required"),
    ("file-no-required", "立案须写明案件编号和日期", "A filing states its number and its day"),
    ("legal-ref-required", "不予立案须写明所依据的法律条款（法发〔2025〕8号第七条：说明理由）", "A refusal to file names the article of law that it rests on"),
    ("transferred-to", "移送有管辖权的机关须写明移送单位；其他决定不填", "A transfer names the unit that it went to; no other decision does"),
    ("accomplice-with-ground", "选 JZ8（法释〔2024〕13号第八条）须列明案外共犯，未选的不列", "Outsiders who helped are listed with ground JZ8, and only then"),
    ("answer-not-lawful", "该事项不得以此作答（{basis}），请改用：{instead}", "This matter is not answered so ({basis}); instead: {instead_en}"),
    ("delegates-required", "参加会商须写明参加人员", "Who attends names the people that come"),
    ("decision-no-required", "须写明不予立案的文号", "Give the number of the refusal to file"),
    ("decision-not-due", "移送未满 {days} 日，尚不能以逾期提请监督", "The police have {days} days to decide; they are not over"),
    ("notice-too-short", "会商须提前至少 {least} 天召集", "A consultation is convened at least {least} days ahead"),
    ("due-before-meeting", "完成期限早于会商日期", "It is due before the meeting was held"),
    ("due-required", "须写明答复或立案的期限", "The day by which to answer or to file is required"),
    ("status-detail-required", "该进展须写明{expected}", "This stage needs {expected_en}"),
    # sanctions
    ("minor", "未成年人不得纳入失信被执行人名单（法释〔2017〕7号第四条）", "A person under 18 on the day of publication may not be listed (FASHI-2017-7-4)"),
    ("minor-limited", "发布之日未满十八周岁的，不得限制消费（法发〔2019〕35号；本产品的理解，可在 law/circles.toml 中调整）", "A person under 18 on the day of publication is not limited in consumption (our reading of FAFA-2019-35; law/circles.toml may say otherwise)"),
    ("minor-kept", "限制出境起始之日未满十八周岁的，本院已设置为不适用（law/circles.toml）", "This court does not keep a person under 18 in the country (law/circles.toml)"),
    ("role-outside", "以这一身份不得成为本措施的对象；可以是：{roles}（{source}）", "This measure does not reach anybody in this role; it reaches: {roles} ({source})"),
    ("role-paper-required", "身份为“{role}”的，须在 obligor_evidence 附{paper}", "The role {role} needs its document in obligor_evidence: {paper_en}"),
    ("exit-notice-too-long", "{keeper}的通报备案最长 {months} 个月：请缩短期限，或请有权的上一级公安机关办理（分级为二手来源，可在 law/lookouts.toml 中调整）", "A border notice that {keeper_en} keep lasts at most {months} months: shorten it, or ask the level above (the levels are from a secondary source; law/lookouts.toml may say otherwise)"),
    ("birth-date-required", "该证件看不出年龄，须填写出生日期", "The ID does not tell the age; give the date of birth"),
    ("public-number-mismatch", "公开的证件号码须由证件号码隐去中间部分得出，形如 6101991990****1237", "The public number is the ID with its middle hidden, like 6101991990****1237"),
    ("representative-required", "单位须写明法定代表人或负责人", "An organisation names its legal representative"),
    ("reply-too-soon", "答复期限距告知日期不足 {least} 天，请推后", "Leave at least {least} days to reply"),
    ("grace-too-short", "履行宽限期不少于 {shortest} 个月", "A grace lasts at least {shortest} months"),
    ("breach-required", "因违反而终止宽限须写明违反日期和事实", "A grace that ends by a breach states its day and what happened"),
    ("list-term-required", "该失信情形有期限，须填写截止日期", "These acts are listed for a term; give its last day"),
    ("already-performed", "已全部履行的不得发布，已发布的应撤销", "Who has performed is not listed; an entry that is there is withdrawn"),
    ("done-at-required", "已办须写明办理时间", "`done` states when"),
    ("service-proof-required", "已送达须写明送达时间并附凭证", "A service states when, with its proof"),
    ("issued-before-performed", "证明出具日期早于履行日期", "The certificate is older than the performance"),
    # offices inside the court, bankruptcy, money, petitions, supervision
    ("assets-cover-debt", "已知资产不少于债务，与资不抵债的事由不符", "The known assets cover the debts, which contradicts these grounds"),
    ("insolvency-evidence", "须附被执行人不能清偿的证据", "Evidence of the insolvency is required"),
    ("consent-after-decision", "同意日期晚于移送决定日期：须先取得书面同意", "The consent is later than the decision; it comes first"),
    ("decision-after-transfer", "移送决定日期晚于移送日期", "The decision is later than the transfer"),
    ("asset-unlisted", "所指财产不在财产清单中", "The property is not in the list of property"),
    ("measure-unlisted", "所指措施不在查封措施清单中", "The measure is not in the list of measures"),
    ("distributed-after-decision", "移送决定后不得再分配案款", "Nothing is distributed after the decision to transfer"),
    ("bankruptcy-case-required", "须写明破产案号，类型为破申、破等", "Give the number of the bankruptcy case, of type 破申, 破 or the like"),
    ("handover-due-required", "受理的须写明裁定送达日期和财产移交期限", "An acceptance states when its ruling was served and until when the property is handed over"),
    ("owner-is-backup", "主办人和协办人须为不同的人", "The owner and the backup are two people"),
    ("account-tail-form", "只填账号后四位，不得填完整账号", "Only the last four characters of the account, never the whole"),
    ("amount-positive", "金额须大于零", "The amount is more than nothing"),
    ("day-count-mismatch", "在账天数应为到账日至审批日的天数", "The count of days is that from the receipt to the approval"),
    ("payout-late", "案款须自收到到账通知之日起 {longest} 内发放（{source}）；超过的须填写经批准的延缓", "Money is paid out within {longest_en} of the notice that it came ({source}); beyond them an approved delay is required"),
    ("payout-late-after-delay", "延缓发放的事由消失后，须在 {longest} 内发放（{source}）", "Once the reason for a delay has ended, money is paid out within {longest_en} ({source})"),
    ("unidentified-or-claimed", "不明款尚未认领的，不填认领日期", "What is unidentified has not been claimed"),
    ("served-required", "移交管理人须写明受理裁定的送达日期", "A handover to the administrator states when the ruling of acceptance was served"),
    ("payment-details", "已付须写明付款日期、金额和凭证号", "A payment states its day, amount and voucher"),
    ("decline-by-late", "答复截止时间须早于开始时间", "The last moment to decline is before it begins"),
    ("attendance-required", "到场见证须写明到场人员和意见", "An attendance states who came and the opinion"),
    ("meaning-required", "须写明判项的含义", "State what the order means"),
    ("document-no-required", "须写明文书文号", "Give the number of the paper"),
    ("package-required", "已提供的须写明案卷包摘要和提供时间", "A package that was provided states its digest and when"),
    ("extension-required", "延期须写明原期限、新期限、批准人和理由", "An extension states the old day, the new day, who approved it and why"),
    ("extension-not-needed", "未延期的不填延期信息", "There is no extension to state"),
    ("extension-not-longer", "延长后的期限须晚于原期限", "The new last day is later than the old one"),
    ("extension-late", "延期须在原期限届满前批准", "An extension is approved before the old term is over"),
    ("more-to-follow", "尚有事项待办，结果应为部分办结", "More must follow; the outcome is partial, not done"),
    # ledgers
    ("recheck-result-required", "核查须写明是否发现财产", "A recheck states whether property was found"),
    ("preconditions-required", "补登终本条件须列明已满足的项（法〔2016〕373号第一条）和日期", "Name the preconditions that are met (法〔2016〕373号 article 1), each with its day"),
    ("resumed-case-required", "恢复执行须填写执恢案号", "A resumption gives its case number of type 执恢"),
    ("closure-case-type", "终本只用执、执恢案号", "Only cases of type 执 or 执恢 are terminated in this way"),
    ("closure-member", "该项与登记的事件不符，不填", "This member does not belong to the event"),
    ("day-in-future", "日期在今天之后：已发生的事项不得填将来的日期，请核对", "The day is after today; what has happened has a day that has come"),
    ("before-closure", "日期早于终本日期", "The day is before the case was terminated"),
    ("third-party-owner", "登记所有人不是被执行人，须附其为义务人的证据", "The registered owner is not the debtor: give the document that makes the owner liable"),
    # handlers
    ("handler-role", "承办人须为法官或执行员：{no} 登记的职务是 {held}，该事项的承办人须有以下职务之一：{roles}（{source}；可在 law/handlers.toml 中调整）", "The handler is a judge or enforcement officer: {no} is registered as {held}; this type needs one of {roles_en} ({source}; law/handlers.toml may say otherwise)"),
    ("handler-phone-required", "{no} 没有登记联系电话：请在单位文件的 contact 中填写 phone", "{no} has no telephone registered: give `phone` in `contact` of the participant's file"),
    ("handler-phone-missing", "{no} 没有登记联系电话，上门、上路的人员无法联系承办人：请在单位文件的 contact 中填写 phone", "{no} has no telephone registered: who goes out cannot call the handler; give `phone` in `contact` of the participant's file"),
    # duty roster
    ("shift-order", "班次的结束须晚于开始", "A shift ends after it begins"),
    ("shift-too-long", "一个班次不得超过 {longest} 天", "A shift lasts at most {longest} days"),
    # reassignment
    ("reassign-same-court", "指令、提级、集中执行须由另一法院执行", "In this mode another court goes on with the case"),
    ("reassign-same-case", "由另一法院执行的须有新案号", "Another court has a case number of its own"),
    ("reassign-stays", "该方式不改变案号", "In this mode the case keeps its number"),
    # results
    ("no-result", "该事项没有结果报文", "This matter type has no result"),
    ("items-missing", "办结或部分办结须逐项列明结果", "A done or partial result lists its items"),
    ("fail-reason-required", "未办成须写明原因", "A failure states its reason"),
    ("done-number-required", "已查封、冻结、扣划的须写明登记编号或回执编号（查封扣押冻结规定第 1、7 条）", "What is sealed, frozen or deducted has a registry number or a receipt number (SFK 1, 7)"),
    ("done-amount-required", "款项已冻结、扣划的须写明实际金额（查封扣押冻结规定第 19 条）", "Money that is frozen or deducted states the amount in fact (SFK 19)"),
    ("publication-required", "股权冻结自公示时生效，须写明公示时间（法释〔2021〕20号第 6 条）", "A share is frozen from its publication; state when it was published (Fashi 2021 No. 20, article 6)"),
    ("rank-required", "轮候须写明轮候顺位（不小于 2）", "A queued measure states its rank, 2 or more"),
)  # fmt: skip


def broken(rule: str, *, at: str = "", **context: Any) -> PydanticCustomError:
    """The error to raise from a validator. at: JSON pointer below the validated value, for cross-field rules."""
    return PydanticCustomError(rule, RULES[rule].zh, {**context, "at": at})


# what pydantic refuses

_WRONG_TYPE = "wrong-type"

TEXT = Rule(_WRONG_TYPE, "应为字符串", "Must be a string")
INTEGER = Rule(_WRONG_TYPE, "应为整数", "Must be an integer")
BOOLEAN = Rule(_WRONG_TYPE, "应为 true 或 false", "Must be true or false")
LIST = Rule(_WRONG_TYPE, "应为数组", "Must be an array")
OBJECT = Rule(_WRONG_TYPE, "应为对象", "Must be an object")
MISSING = Rule("missing-member", "缺少必填项", "This member is required")
EXTRA = Rule("extra-member", "没有这一项，请删除或核对名称", "There is no such member; remove it or check its name")
CODE = Rule("unknown-code", "不是可选的值，可选：{expected}", "Not one of: {expected}")
FORM = Rule("wrong-form", "形式不对，应符合 {pattern}", "Does not have the form {pattern}")
OTHER = Rule("wrong-value", "不合规则", "Not an acceptable value")

BY_TYPE: Mapping[str, Rule] = {
    "missing": MISSING,
    "extra_forbidden": EXTRA,
    "literal_error": CODE,
    "union_tag_invalid": Rule("unknown-code", "不是可选的种类，可选：{expected_tags}", "Not one of: {expected_tags}"),
    "union_tag_not_found": MISSING,
    "string_type": TEXT,
    "string_unicode": Rule("wrong-form", "含有无法编码的字符", "Has characters that cannot be encoded"),
    "string_too_short": Rule("too-short", "至少 {min_length} 个字符", "At least {min_length} characters"),
    "string_too_long": Rule("too-long", "最多 {max_length} 个字符", "At most {max_length} characters"),
    "string_pattern_mismatch": FORM,
    "int_type": INTEGER,
    "int_from_float": INTEGER,
    "int_parsing_size": Rule("number-range", "整数过大", "The integer is too large"),
    "greater_than_equal": Rule("number-range", "不小于 {ge}", "Not less than {ge}"),
    "less_than_equal": Rule("number-range", "不大于 {le}", "Not more than {le}"),
    "bool_type": BOOLEAN,
    "list_type": LIST,
    "too_short": Rule("too-few", "至少 {min_length} 项", "At least {min_length} of them"),
    "too_long": Rule("too-many", "最多 {max_length} 项", "At most {max_length} of them"),
    "dict_type": OBJECT,
    "model_type": OBJECT,
    "model_attributes_type": OBJECT,
}

# Members whose absence has a reason that is worth telling.
MISSING_MEMBER: Mapping[str, str] = {"id_no": "id-required", "vin": "vin-required"}

_IN_FILES: Mapping[str, tuple[str, str]] = {
    "unexpected_keyword_argument": (EXTRA.zh, EXTRA.en),
    "date_type": ("应为日期，形如 2026-03-24", "Must be a date like 2026-03-24"),
    "date_parsing": ("须为真实日期，形如 2026-03-24", "Must be a real date like 2026-03-24"),
    "date_from_datetime_parsing": ("须为真实日期，形如 2026-03-24", "Must be a real date like 2026-03-24"),
    "date_from_datetime_inexact": ("只写日期，不写时间", "A date without a time"),
    "datetime_type": ("应为时间", "Must be a time"),
    "datetime_parsing": ("不是时间", "Not a time"),
    "datetime_from_date_parsing": ("不是时间", "Not a time"),
    "int_parsing": (INTEGER.zh, INTEGER.en),
    "bool_parsing": (BOOLEAN.zh, BOOLEAN.en),
    "float_type": ("应为数", "Must be a number"),
    "float_parsing": ("应为数", "Must be a number"),
    "finite_number": ("应为有限的数", "Must be a finite number"),
    "greater_than": ("须大于 {gt}", "Must be more than {gt}"),
    "less_than": ("须小于 {lt}", "Must be less than {lt}"),
    "none_required": ("不填该项", "Must be left out"),
    "path_type": ("应为文件名", "Must be the name of a file"),
    "tuple_type": (LIST.zh, LIST.en),
    "set_type": (LIST.zh, LIST.en),
    "frozen_set_type": (LIST.zh, LIST.en),
    "url_parsing": ("不是网址", "Not a URL"),
    "url_type": ("应为网址", "Must be a URL"),
    "json_invalid": ("不是 JSON", "Not JSON"),
}
"""What only files of ours meet: no message has members of these types."""


def told(error: Mapping[str, Any]) -> str:
    """One of pydantic's errors in a file or an answer, for the person who has to mend it: in Chinese, then in English.

    error: as `ValidationError.errors()` has it. What one of our validators raised as ValueError has both already. The
    refused value is not repeated: it may be a secret."""
    kind, context = str(error["type"]), error.get("ctx", {})
    if kind == "value_error":
        return str(error["msg"]).removeprefix("Value error, ")
    rule = RULES.get(kind) or BY_TYPE.get(kind)
    zh, en = (rule.zh, rule.en) if rule is not None else _IN_FILES.get(kind, (OTHER.zh, ""))
    return f"{zh} {en}".format_map(context) if en else f"{zh} {error['msg']}"


def all_told(error: ValidationError, most: int | None = None) -> str:
    """Everything wrong, each with its member, in one line. most: so many of them."""
    return "；".join(f"{'.'.join(map(str, one['loc']))}: {told(one)}" for one in error.errors()[:most])
