"""Reads files that a person wrote: settings, lists, passwords. What is wrong is told in words, by file and line.

All of them are UTF-8. The byte order mark that Windows editors put in front is passed over. A file in another encoding
is refused in words and never guessed at: half of a name read wrongly would be a wrong name.
"""

from __future__ import annotations

import codecs
import os
import re
import tomllib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from lianzhi.errors import ConfigurationError

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]")
_MEMBER = re.compile(r"\s*([A-Za-z0-9_\"'.-]+)\s*=")
_TOML_PLACE = re.compile(r" \(at line (\d+), column \d+\)$|\(at end of document\)$")


def read_text(path: Path) -> str:
    """The whole file. Raises ConfigurationError: it cannot be read, or is not UTF-8."""
    try:
        content = path.read_bytes()
    except PermissionError as error:
        raise _forbidden(path) from error
    except OSError as error:
        raise ConfigurationError(
            f"{path}：读不到（{error.strerror}）。 It cannot be read ({error.strerror})."
        ) from error
    return decoded(content, path)


def look_into(folder: Path) -> None:
    """Before what is in it is asked for by name: a folder that may not be read looks empty. One that is not there is
    left to whoever needs it. Raises ConfigurationError."""
    try:
        with os.scandir(folder):
            pass
    except PermissionError as error:
        raise _forbidden(folder) from error
    except OSError:
        return


def _forbidden(path: Path) -> ConfigurationError:
    who = _owner(path)
    zh, en = (f"，属用户 {who}，请用它执行", f", it is {who}'s: run this as that user") if who else ("", "")
    return ConfigurationError(f"{path}：无权读取{zh}。 This user may not read it{en}.")


def _owner(path: Path) -> str | None:
    """Whose the file is, or the nearest folder above it that can be looked at."""
    for place in (path, *path.parents):
        with suppress(OSError, KeyError):
            return place.owner()
    return None


def decoded(content: bytes, path: Path) -> str:
    """Its bytes as text, without the mark in front. Raises ConfigurationError that names line and encoding."""
    if content.startswith(_UTF16):
        raise ConfigurationError(f"{path}：是 UTF-16，请另存为 UTF-8。 It is UTF-16: save it as UTF-8.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        zh, en = _perhaps(content)
        raise ConfigurationError(
            f"{path}:{line}：不是 UTF-8{zh}，请另存为 UTF-8。 Not UTF-8{en}: save it as UTF-8."
        ) from error


def _perhaps(content: bytes) -> tuple[str, str]:
    try:
        content.decode("gb18030")
    except UnicodeDecodeError:
        return "", ""
    return "（应是 GB18030，即 ANSI 或 GBK）", " (it reads as GB18030, which editors call ANSI or GBK)"


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file. Raises ConfigurationError that names file and line."""
    text = read_text(path)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _TOML_PLACE.search(str(error))
        line = f":{place[1]}" if place and place[1] else ""
        raise ConfigurationError(f"{path}{line}：不是合法的 TOML。 Not well-formed TOML: {error}") from error


def read_secret(path: Path) -> str:
    """The one line of a password file: its line end is taken off and nothing else, for a password may begin or end with
    a blank. Raises ConfigurationError, which never repeats what stands in the file."""
    text = read_text(path)
    secret = text.removesuffix("\n").removesuffix("\r")
    if not secret or not secret.isprintable():
        raise ConfigurationError(
            f"{path}：须为一行，不得为空，不含换行或控制字符。"
            " It must be one line, not empty, without line breaks or control characters."
        )
    return secret


def line_of(text: str, word: str) -> str:
    """`:<number>` of the first line in which `word` stands outside a comment; empty where none is."""
    for number, line in enumerate(text.splitlines(), start=1):
        if word in line.partition("#")[0]:
            return f":{number}"
    return ""


def line_of_member(text: str, place: Sequence[str | int]) -> str:
    """`:<number>` of the line of TOML where the member at `place` (`("staff", 2, "roles")`) stands, or else what it
    would stand in; empty where neither is written as a table of its own."""
    best, found = 0, ""
    table: tuple[str | int, ...] = ()
    counts: dict[tuple[str | int, ...], int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _opened(header[2], counts, array=header[1] == "[[")
            here = table
        elif member := _MEMBER.match(line):
            here = (*table, *_names(member[1]))
        else:
            continue
        if len(here) > best and here == tuple(place[: len(here)]):
            best, found = len(here), f":{number}"
    return found


def _opened(name: str, counts: dict[tuple[str | int, ...], int], *, array: bool) -> tuple[str | int, ...]:
    """The path of a table that a header opens; of an array, with the number of its entry."""
    path: tuple[str | int, ...] = ()
    for part in _names(name):
        path = (*path, part)
        if path in counts:
            path = (*path, counts[path])
    if array:
        whole = path[:-1] if path and isinstance(path[-1], int) else path
        counts[whole] = counts.get(whole, -1) + 1
        path = (*whole, counts[whole])
    return path


def _names(dotted: str) -> list[str]:
    return [part.strip().strip("\"'") for part in dotted.split(".")]
