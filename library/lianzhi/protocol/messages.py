"""Pydantic's errors as rules of ours, each with a Chinese and an English text.

The texts never repeat the refused value. `{…}` are limits and alternatives that our own models name.
"""

from __future__ import annotations

from collections.abc import Mapping

from lianzhi.protocol.rules import Rule

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
