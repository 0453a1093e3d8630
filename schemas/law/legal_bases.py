"""What may be cited as a legal basis: statutes, interpretations and notices, each with its code and its words.

A code is letters (`CPL`), or letters, year and number of a notice (`FA-2016-373`); an article follows it in a citation
(`CPL-253`, `FAFA-2017-27-3`). `schemas.legal` writes and reads citations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from pydantic import StringConstraints

from lianzhi.protocol.texts import squeeze
from schemas.law.force import Entry, Table

NOTICES: Mapping[str, str] = {"FASHI": "法释", "FAFA": "法发", "FA": "法"}
"""The Supreme People's Court's notices, by what their numbers begin with."""
CODE = r"[A-Z]{2,8}(?:-[0-9]{4}-[1-9][0-9]{0,3})?"


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalBasis(Entry):
    """kind: of a `statute` an article is cited, of a `notice` an article or the whole. text: the words by which it is
    cited (民事诉讼法, 法〔2016〕373号). zh, en: what it is about. since: of a revised one, the text in force now."""

    code: Annotated[str, StringConstraints(pattern=rf"^{CODE}$")]
    kind: Literal["statute", "notice"]
    text: Annotated[str, StringConstraints(min_length=2, max_length=40)]
    zh: str
    en: str


def notice_text(code: str) -> str | None:
    """`FA-2016-373` → 法〔2016〕373号; None for a code that is no notice's of the Supreme People's Court."""
    kind, *rest = code.split("-")
    if kind not in NOTICES or len(rest) != 2:
        return None
    return f"{NOTICES[kind]}〔{rest[0]}〕{rest[1]}号"


def _faults(rows: Mapping[str, LegalBasis]) -> Iterable[str]:
    """Words that could not be read back into one code."""
    texts = Counter(row.text for row in rows.values())
    for code, row in rows.items():
        if texts[row.text] > 1:
            yield f"{code}：text {row.text} 已被另一行使用，须各不相同。 Another row has this text; each needs its own."
        if row.text != squeeze(row.text) or set(row.text) & set("；;第"):
            yield f"{code}：text 不得含空格、全角括号、分号、“第”。 `text` has no blanks, full-width brackets, semicolons, 第."
        if row.text != (notice_text(code) or row.text):
            yield f"{code}：text 须为 {notice_text(code)}。 `text` must be {notice_text(code)}."


def _statute(code: str, text: str, en: str, since: date, source: str) -> LegalBasis:
    return LegalBasis(code=code, kind="statute", text=text, zh=text, en=en, since=since, source=source)


def _notice(
    code: str, zh: str, en: str, since: date, *, reading: bool = False, source: str | None = None
) -> LegalBasis:
    text = notice_text(code)
    assert text is not None
    return LegalBasis(
        code=code, kind="notice", text=text, zh=zh, en=en, since=since, reading=reading, source=source or text
    )


LEGAL_BASES = Table(
    name="legal-bases",
    zh="法律依据",
    en="Legal bases",
    entry=LegalBasis,
    key=("code",),
    dated=False,  # what a citation says does not change with the day on which it is read
    faults=_faults,
    default=(
        _statute("CPL", "民事诉讼法", "Civil Procedure Law", date(2024, 1, 1), "2023年修正"),
        _statute("CRL", "刑法", "Criminal Law", date(1997, 10, 1), "1997年修订，历次修正案"),
        _statute("CRPL", "刑事诉讼法", "Criminal Procedure Law", date(2018, 10, 26), "2018年修正"),
        _statute("EBL", "企业破产法", "Enterprise Bankruptcy Law", date(2007, 6, 1), "2006年通过"),
        _statute("SVL", "监督法", "Law on supervision by standing committees", date(2024, 11, 8), "2024年修正"),
        _statute("INT", "民诉法解释", "Interpretation of the CPL", date(2022, 4, 10), "法释〔2015〕5号，2022年修正"),
        _statute("SFK", "查封扣押冻结规定", "On sealing and freezing", date(2021, 1, 1), "法释〔2004〕15号，2020年修正"),
        _statute("DCH", "财产调查规定", "On property investigation", date(2021, 1, 1), "法释〔2017〕8号，2020年修正"),
        _statute("NET", "网络查询冻结规定", "On inquiry and freezing by network", date(2013, 9, 2), "法释〔2013〕20号"),
        _statute("WT", "委托执行规定", "On entrusted enforcement", date(2021, 1, 1), "法释〔2011〕11号，2020年修正"),
        _statute("PIPL", "个人信息保护法", "Personal Information Protection Law", date(2021, 11, 1), "2021年通过"),
        _statute("DSL", "数据安全法", "Data Security Law", date(2021, 9, 1), "2021年通过"),
        _statute("NDR", "网络数据安全管理条例", "On network data security", date(2025, 1, 1), "国务院令第790号"),
        _notice("FASHI-2010-8", "限制高消费", "limits on consumption, as of 2010", date(2010, 10, 1)),
        _notice("FASHI-2015-17", "限制消费", "limits on consumption", date(2015, 7, 22)),
        _notice("FASHI-2016-6", "首封处分权移送", "who sells what several courts have sealed", date(2016, 4, 14)),
        _notice("FASHI-2017-7", "失信名单", "the list of dishonest debtors", date(2017, 5, 1)),
        _notice("FASHI-2024-13", "拒执", "refusal to execute", date(2024, 12, 1)),
        _notice("FAFA-2016-30", "检察建议", "procuratorate's suggestions", date(2017, 1, 1)),
        _notice("FAFA-2017-2", "执转破", "enforcement to bankruptcy", date(2017, 1, 20)),
        _notice("FAFA-2017-6", "执行款物管理", "money and things of cases", date(2017, 5, 1)),
        _notice("FAFA-2017-27", "事项委托", "commissioned matters", date(2017, 9, 8)),
        _notice("FAFA-2018-9", "立审执协调", "filing, trial and enforcement together", date(2018, 5, 28)),
        _notice("FAFA-2019-35", "善意文明执行", "enforcement in good faith", date(2020, 1, 2)),
        _notice(
            "FAFA-2024-9", "交叉执行指导意见", "guidance on cross enforcement", date(2024, 6, 17), reading=True,
            source="2024年6月17日印发；文号据二手资料 number by a secondary source",
        ),
        _notice("FAFA-2025-8", "拒执", "refusal to execute", date(2025, 7, 1)),
        _notice("FA-2015-137", "案号", "case numbers", date(2016, 1, 1)),
        _notice("FA-2016-373", "终本规定", "terminating a case for want of property", date(2016, 12, 1)),
        _notice("FA-2021-227", "涉执信访", "petitions about enforcement", date(2021, 8, 25), reading=True),
        _notice("FA-2021-322", "执行权监督制约", "bounds on the power to enforce", date(2021, 12, 6), reading=True),
        LegalBasis(
            code="ZBYJ", kind="notice", text="终本指导意见", zh="规范终本指导意见", en="guidance on terminating cases",
            since=date(2024, 12, 30), reading=True,
            source="最高人民法院2024年12月30日发布；文号未查到 published on that day, its number was not found",
        ),
    ),
)  # fmt: skip
