"""Addresses in a configuration: what can never be reached is refused when it is read, not when somebody must be paged.

Each check returns its text or raises ValueError, the rule in both languages.
"""

from __future__ import annotations

import re
from email.utils import parseaddr
from ipaddress import ip_address
from urllib.parse import urlsplit

# RFC 1123 section 2.1, and the underscore that many internal names have; after IDNA, so letters are ASCII.
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_HOST_CHARACTERS = 253
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_LOCAL_PART = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}")


def host(text: str) -> str:
    """A name (also an international one) or an IP address, without port."""
    try:
        ip_address(text.strip("[]"))
        return text
    except ValueError:
        pass
    try:
        name = text.encode("idna").decode("ascii").removesuffix(".")
    except UnicodeError:
        name = ""
    if not 0 < len(name) <= _HOST_CHARACTERS or not all(map(_LABEL.fullmatch, name.split("."))):
        raise ValueError(
            "须为主机名或 IP 地址：各段非空，由字母、数字、连字符组成"
            " must be a host name or an IP address: no empty part, letters, digits and hyphens"
        )
    return text


def mail_address(text: str) -> str:
    """`name@host`, or `somebody <name@host>` on one line."""
    found = parseaddr(text)[1]
    local, _, domain = found.rpartition("@")
    if _CONTROL.search(text) or not _LOCAL_PART.fullmatch(local):
        raise ValueError(
            "须为一个邮件地址，不含换行或控制字符 must be one mail address, without line breaks or control characters"
        )
    host(domain)
    return text


def web_address(text: str) -> str:
    """http or https, with a host that can exist and a port below 65,536."""
    rule = "须为 http:// 或 https:// 地址 must be an http:// or https:// URL"
    try:
        parts = urlsplit(text)
        name, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError(rule) from None
    if parts.scheme not in ("http", "https") or not name or _CONTROL.search(text) or any(c.isspace() for c in text):
        raise ValueError(rule)
    host(name)
    return text


def web_address_or_none(text: str) -> str:
    """The same, or nothing at all."""
    return web_address(text) if text else text


def ascii_word(text: str) -> str:
    """What goes to a server as it stands, on one line."""
    if not text or not text.isascii() or not text.isprintable():
        raise ValueError("须为可打印的 ASCII 字符 must be printable ASCII")
    return text
