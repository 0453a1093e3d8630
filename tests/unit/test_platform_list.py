"""A spreadsheet of platform numbers, read as Excel saves it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.application.submission.numbers import requests_of
from gateway.registry.platform_list import read_platform_list
from lianzhi.errors import ConfigurationError, RejectedError

ONE, TWO = "court-sn0199-20260324-000001", "court-sn0199-20260324-000002"
HEADER = "请求编号,平台编号,填报日期"


def written(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "numbers.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_each_encoding_that_excel_saves(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path, f"{HEADER}\r\n{ONE},ZX-1,2026-03-24\r\n,,\r\n{TWO}, ZX-2 ,2026-03-25\r\n", encoding)
    assert [(no, f.no, f.filed_on) for no, f in read_platform_list(path)] == [
        (ONE, "ZX-1", "2026-03-24"),
        (TWO, "ZX-2", "2026-03-25"),
    ]


def test_english_headings_in_any_order(tmp_path: Path) -> None:
    path = written(tmp_path, f"filed_on,request_no,no\n2026-03-24,{ONE},ZX-1\n")
    assert [(no, f.no) for no, f in read_platform_list(path)] == [(ONE, "ZX-1")]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ":1：首行须为 请求编号,平台编号,填报日期"),
        ("a,b,c\n", ":1：首行须为"),
        (f"{HEADER}\n{ONE},ZX-1\n", ":2 须为 3 列"),
        (f"{HEADER}\nX,ZX-1,2026-03-24\n", ":2 request_no：不是请求编号"),
        (f"{HEADER}\n{ONE},ZX-1,2026/3/24\n", ":2 filed_on：日期须为真实日期"),
        (f"{HEADER}\n{ONE},,2026-03-24\n", ":2 no：文字不能为空"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_platform_list(written(tmp_path, text))
    assert told in str(caught.value)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "numbers.csv"
    path.write_bytes(b"\x80\xff\xff")
    with pytest.raises(ConfigurationError, match="不是 CSV"):
        read_platform_list(path)


def test_one_request_twice_only_with_the_same_number(tmp_path: Path) -> None:
    same = read_platform_list(written(tmp_path, f"{HEADER}\n{ONE},ZX-1,2026-03-24\n{ONE},ZX-1,2026-03-24\n"))
    assert list(requests_of(same)) == [ONE]
    with pytest.raises(RejectedError) as caught:
        requests_of(read_platform_list(written(tmp_path, f"{HEADER}\n{ONE},ZX-1,2026-03-24\n{ONE},ZX-2,2026-03-24\n")))
    assert [e.rule for e in caught.value.errors] == ["platform-other-number"]
