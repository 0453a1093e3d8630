"""The address of a PostgreSQL database as libpq writes it, for a driver that is not libpq.

`postgresql://user@host:5432/name?sslmode=verify-full&sslrootcert=ca.pem&connect_timeout=5` (postgresql.org, 34.1.2).
What is not known here is refused by name: half of an address would connect without what the other half asked for.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import URL

from lianzhi.errors import ConfigurationError
from lianzhi.printable import printable

MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
ENVIRONMENT: Mapping[str, str] = {
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "passfile": "PGPASSFILE",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}
"""The same for a program of PostgreSQL's own (`pg_dump`)."""
_OURS = ("application_name",)
_PLACES = ("host", "port", "user", "password", "dbname")
_OLD = "ssl"  # what the driver calls sslmode, and addresses said until now
KNOWN = (*ENVIRONMENT, *_OURS, *_PLACES)
_LEAST_SECONDS = 2.0  # libpq's, too


def parameters(url: URL) -> dict[str, str]:
    """Those behind the `?`. Raises ConfigurationError: one that is not known, or stands twice."""
    found = {}
    for name, value in url.query.items():
        if name not in (*KNOWN, _OLD):
            shown = printable(name, 40)
            raise ConfigurationError(
                f"[store] url：不接受参数 {shown}，可用：{'、'.join(KNOWN)}。"
                f" The parameter {shown} is not taken; there are: {', '.join(KNOWN)}."
            )
        if not isinstance(value, str):
            raise ConfigurationError(f"[store] url：参数 {name} 出现了两次。 The parameter {name} stands twice.")
        found["sslmode" if name == _OLD else name] = value
    if (mode := found.get("sslmode")) is not None and mode not in MODES:
        raise ConfigurationError(
            f"[store] url：sslmode 须为 {'、'.join(MODES)} 之一。 sslmode must be one of {', '.join(MODES)}."
        )
    if not found.get("connect_timeout", "0").isdecimal():
        raise ConfigurationError(
            "[store] url：connect_timeout 须为整数秒。 connect_timeout must be a whole number of seconds."
        )
    return found


def placed(url: URL) -> URL:
    """With user, host, port, password and database where the driver looks for them, and nothing behind the `?`.

    Raises ConfigurationError. A folder as host is that of a unix socket.
    """
    given = parameters(url)
    port = given.get("port")
    if port is not None and not port.isdecimal():
        raise ConfigurationError("[store] url：port 须为数字。 port must be a number.")
    places: dict[str, Any] = {
        "host": given.get("host", url.host),
        "port": url.port if port is None else int(port),
        "username": given.get("user", url.username),
        "password": given.get("password", url.password),
        "database": given.get("dbname", url.database),
    }
    return url.set(query={}, **{name: value for name, value in places.items() if value is not None})


def arguments(url: URL, settings: Mapping[str, str], timeout: float) -> dict[str, Any]:
    """What asyncpg is called with beside the address. settings: of the session, with its `application_name`.
    timeout: seconds to connect, unless the URL says another. Raises ConfigurationError: a file is missing or wrong."""
    given = parameters(url)
    wait = float(given.get("connect_timeout", 0))
    found: dict[str, Any] = {
        "server_settings": {**settings, "application_name": _named(given, settings["application_name"])},
        "timeout": max(wait, _LEAST_SECONDS) if wait else timeout,
    }
    for name in ("passfile", "target_session_attrs"):
        if name in given:
            found[name] = given[name]
    if "sslmode" in given or "sslrootcert" in given:
        found["ssl"] = _tls(given)
    return found


def _named(given: Mapping[str, str], ours: str) -> str:
    """Sessions that serve, copy and restore stay apart, whatever the first is called: `lianzhi-restore`."""
    return ours.replace("lianzhi", given.get("application_name", "lianzhi"), 1)


def environment(url: URL) -> dict[str, str]:
    """For `pg_dump` and its like: what `arguments` says to the driver."""
    return {ENVIRONMENT[name]: value for name, value in parameters(url).items() if name in ENVIRONMENT}


def _tls(given: Mapping[str, str]) -> ssl.SSLContext | str | bool:
    """As libpq understands it: `require` with a root certificate means `verify-ca`."""
    mode, root = given.get("sslmode", "prefer"), given.get("sslrootcert")
    if mode in ("disable", "allow", "prefer"):
        return False if mode == "disable" else mode
    if mode == "require" and root is None:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    else:
        context = _verifying(None if root in (None, "system") else root)
        context.check_hostname = mode == "verify-full"
    if "sslcert" in given:
        _load(lambda: context.load_cert_chain(given["sslcert"], given.get("sslkey")), "sslcert", given["sslcert"])
    return context


def _verifying(root: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if root is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        _load(lambda: context.load_verify_locations(root), "sslrootcert", root)
    return context


def _load(load: Callable[[], None], name: str, file: str) -> None:
    try:
        load()
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"[store] url：{name}：{Path(file)} 读不到，或不是 PEM。 It cannot be read, or is not PEM."
        ) from error
