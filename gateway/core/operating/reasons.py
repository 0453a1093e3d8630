"""What an operator writes about an act: short, and without the numbers of people and cars.

Events, lists and the feed show it, and nothing personal stands there (docs/architecture.md 6). Names cannot be told
from other words; ID numbers, telephones and plates can, and are refused.
"""

from __future__ import annotations

import re
import unicodedata

from lianzhi.errors import RejectedError
from lianzhi.problem import FieldError

LONGEST = 200
_ID_NUMBER = re.compile(r"(?<![0-9])[0-9]{15}(?:[0-9]{2}[0-9Xx])?(?![0-9])")
_TELEPHONE = re.compile(r"(?<![0-9])1[3-9][0-9](?:[ -]?[0-9]{4}){2}(?![0-9])")
_PLATE = re.compile(r"[\u4e00-\u9fff][A-Z][ ·.-]?[A-HJ-NP-Z0-9]{5,6}(?![A-Z0-9])")
_PERSONAL = (
    (_ID_NUMBER, "身份证号", "an ID number"),
    (_TELEPHONE, "电话号码", "a telephone number"),
    (_PLATE, "车牌号", "a plate"),
)


def reason(text: object, *, pointer: str = "/why") -> str:
    """The text as it is kept. Raises RejectedError invalid-field: no text, empty, too long, unprintable, personal."""
    if not isinstance(text, str) or not text.strip():
        raise _wrong(pointer, "why-missing", "请写明理由", "Say why")
    folded = unicodedata.normalize("NFKC", text).strip()
    kept = text.strip()
    if len(kept) > LONGEST or not kept.isprintable():
        zh, en = f"理由最多 {LONGEST} 个可见字符，写成一行", f"At most {LONGEST} visible characters, in one line"
        raise _wrong(pointer, "why-form", zh, en)
    for pattern, zh, en in _PERSONAL:
        if pattern.search(folded):
            told = (
                f"理由中有{zh}：理由会出现在事件和列表中，请写请求编号",
                f"It holds {en}: it is shown in events and lists",
            )
            raise _wrong(pointer, "why-personal", told[0], f"{told[1]}; write the request's number")
    return kept


def _wrong(pointer: str, rule: str, zh: str, en: str) -> RejectedError:
    return RejectedError("invalid-field", [FieldError(pointer=pointer, rule=rule, detail=zh, detail_en=en)])
