"""Telephone numbers as people write them, brought to one form.

Mobile: eleven digits. Landline: area code, hyphen, number, and `-` before an extension (029-86200110-801). Of
companies: 400 and 800 numbers. From abroad, Hong Kong, Macao and Taiwan: `+` and the country code (ITU-T E.164). The
numbering plan is that of the ministry (电信网编号计划); what nobody can be called by, such as 00000000000, is refused.
"""

from __future__ import annotations

import re

from lianzhi.protocol.rules import broken
from lianzhi.protocol.texts import squeeze

_TYPED = str.maketrans(dict.fromkeys("‐‑‒–—−ー", "-") | dict.fromkeys("\u202a\u202c\u202d\u2066\u2068\u2069"))
"""Hyphens that people type; and the marks of direction that address books put around a number."""
_CHINA = re.compile(r"^\(?(?:\+|00)86\)?-?")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_LANDLINE = re.compile(
    r"\(?(?P<zero>0?)(?P<area>10|2[0-9]|[3-9][0-9]{2})\)?-?(?P<first>[2-8][0-9]{2,3})-?(?P<last>[0-9]{4})"
    r"(?:(?:-|转|-?分机|[*#]|(?i:-?ext\.?))(?P<extension>[0-9]{1,6}))?"
)
_COMPANY = re.compile(r"([48]00)-?([0-9]{3})-?([0-9]{4})")
_ABROAD = re.compile(r"(?:\+|00)[1-9][0-9-]{6,18}")


def mobile(text: str) -> str:
    """手机号, 11 digits without the country code. Raises `mobile-form`."""
    value = _CHINA.sub("", _typed(text)).replace("-", "")
    if not _MOBILE.fullmatch(value):
        raise broken("mobile-form")
    return value


def phone(text: str) -> str:
    """Any of them in its one form. Raises `phone-form`."""
    value = _typed(text)
    home = _CHINA.sub("", value)
    if _MOBILE.fullmatch(home.replace("-", "")):
        return home.replace("-", "")
    if found := _COMPANY.fullmatch(home):
        return "".join(found.groups())
    found = _LANDLINE.fullmatch(home)
    if found and (found["zero"] or home != value):  # after +86 the area code has no zero
        extension = f"-{found['extension']}" if found["extension"] else ""
        return f"0{found['area']}-{found['first']}{found['last']}{extension}"
    if home == value and _ABROAD.fullmatch(value):
        digits = value.removeprefix("+").removeprefix("00").replace("-", "")
        if 7 <= len(digits) <= 15:
            return f"+{digits}"
    raise broken("phone-form")


def _typed(text: str) -> str:
    return squeeze(text.translate(_TYPED))
