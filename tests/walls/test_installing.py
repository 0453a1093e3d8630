"""Installing: what an administrator types on the first day, and the files that were written with another editor."""

from __future__ import annotations

import json
import os
import socket
import stat
from collections.abc import Awaitable, Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
import tomlkit

from lianzhi.crypto.jwk import generate_jwk, public_jwk
from simulation.parties import HOME
from tests.conftest import Vhost
from tests.walls.product import Finished, clean_environment, command, finish

pytestmark = pytest.mark.slow  # a process for each command

POLICE = "police-610114"
COURT = "陕0199"
_names = count(1)
Command = Callable[..., Awaitable[Finished]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "court"


@pytest.fixture
def lianzhi(folder: Path) -> Iterator[Command]:
    """The command on that folder. No terminal, no settings of another installation.

    That none of them ended in a traceback is looked at afterwards: what a test is about is said by its own assertion,
    also against an older version (`tools/regress.sh`)."""
    tracebacks: list[str] = []

    async def run(*words: str, **environment: str) -> Finished:
        whole = [command(), *words, "--dir", str(folder)]
        done = await finish(whole, clean_environment() | environment, timeout=120)
        if "Traceback" in done.err:
            tracebacks.append(f"lianzhi {' '.join(words)}\n{done.err[-3000:]}")
        return done

    yield run
    assert tracebacks == []


@pytest.fixture
def participants(folder: Path) -> Path:
    return folder / "participants"


def set_broker(folder: Path, **members: str) -> None:
    """By its file: an older version has no options for it."""
    path = folder / "lianzhi.toml"
    document = tomlkit.parse(path.read_text("utf-8"))
    document["broker"].update(members)
    closed(path, tomlkit.dumps(document))


def closed(path: Path, text: str) -> None:
    """Written as its owner should, closed to others."""
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)


def police(**more: object) -> str:
    """A participant's file, complete but for its keys."""
    form = {
        "code": POLICE,
        "kind": "police",
        "name": {"zh": "公安", "en": "Police"},
        "channel": "amqp",
        "accepts": ["police.*"],
        "broker": {"user": POLICE},
    }
    return tomlkit.dumps(form | more)


def with_keys(folder: Path) -> str:
    """The same with its public keys beside it."""
    keys = []
    for purpose in ("sig", "enc"):
        kid = f"{POLICE}.{purpose}.1"
        closed(folder / "keys" / f"{kid}.jwk", json.dumps(public_jwk(generate_jwk(kid, "EC"))))
        keys.append({"kid": kid, "from": "2026-01-01", "jwk": f"keys/{kid}.jwk"})
    return police(keys=keys)


# O1, O2: the broker


async def fresh(lianzhi: Command, folder: Path, vhost: Vhost, path: str) -> dict[str, str]:
    """An installation that names a virtual host that is not there, with users of its own; an administrator's login."""
    assert (await lianzhi("init", "--court", COURT)).code == 0
    user = f"gateway-o1-{next(_names)}"
    at = f"amqp://{user}@127.0.0.1:{vhost.broker.ports.amqp}/{path}"
    set_broker(folder, url=at, management=vhost.broker.management_url)
    return {"LIANZHI_BROKER_ADMIN": vhost.broker.admin, "LIANZHI_BROKER_ADMIN_PASSWORD": vhost.broker.password}


async def test_o1_apply_makes_what_a_fresh_broker_lacks(lianzhi: Command, folder: Path, vhost: Vhost) -> None:
    """Virtual host, users, their passwords: then the gateway can log in, and a second run changes nothing."""
    admin = await fresh(lianzhi, folder, vhost, "%2Fo1-fresh")
    closed(folder / "participants" / f"{POLICE}.toml", with_keys(folder))
    done = await lianzhi("broker", "apply", **admin)
    assert "/o1-fresh" in [one["name"] for one in await vhost.management.get("vhosts")], done.out + done.err
    try:
        assert done.code == 0, done.out + done.err
        again = await lianzhi("broker", "apply", **admin)
        assert (again.code, "Nothing to change" in again.out) == (0, True), again.out + again.err
        doctor = await lianzhi("doctor")
        wrong = [line for line in doctor.err.splitlines() if line.startswith("✗")]
        assert [line for line in wrong if "人员" not in line] == [], doctor.err  # nobody is registered yet
    finally:
        await vhost.management.delete("vhosts", "/o1-fresh")
        await vhost.management.delete("users", POLICE)


def passwords_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*.password")}


async def test_o2_passwords_lie_in_files_that_nobody_else_reads(lianzhi: Command, folder: Path, vhost: Vhost) -> None:
    admin = await fresh(lianzhi, folder, vhost, "o2-fresh")
    closed(folder / "participants" / f"{POLICE}.toml", with_keys(folder))
    applied = await lianzhi("broker", "apply", **admin)
    assert passwords_in(folder) == {"broker.password", f"handover/{POLICE}/amqp.password"}
    assert applied.code == 0, applied.err
    try:
        for path in (folder / "broker.password", folder / "handover" / POLICE / "amqp.password"):
            assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
            assert len(path.read_text().strip()) >= 24
    finally:
        await vhost.management.delete("vhosts", "o2-fresh")
        await vhost.management.delete("users", POLICE)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"LIANZHI_BROKER_ADMIN_PASSWORD": "no"}, "refuses user"),
        ({"LIANZHI_BROKER_ADMIN": "nobody-of-this-name"}, "refuses user"),
        ({"management": "http://127.0.0.1:9"}, "rabbitmq-plugins enable rabbitmq_management"),
        ({"management": "http://127.0.0.1:9", "amqp": "9"}, "cannot be reached"),
    ],
)
async def test_o1_what_the_broker_lacks_is_one_line(
    lianzhi: Command, folder: Path, vhost: Vhost, wrong: dict[str, str], told: str
) -> None:
    admin = await fresh(lianzhi, folder, vhost, "o1-never")
    if "management" in wrong:
        set_broker(folder, management=wrong["management"])
    if "amqp" in wrong:
        set_broker(folder, url=f"amqp://lianzhi-gateway@127.0.0.1:{wrong['amqp']}/o1-never")
    done = await lianzhi("broker", "apply", **(admin | {n: v for n, v in wrong.items() if n.startswith("LIANZHI")}))
    assert done.code != 0 and told in done.err, done.out + done.err
    assert len(done.err.strip().splitlines()) == 1, done.err


async def test_o1_an_administrator_without_the_tag_is_told_the_command(
    lianzhi: Command, folder: Path, vhost: Vhost
) -> None:
    admin = await fresh(lianzhi, folder, vhost, "o1-never")
    await vhost.management.put("users", "o1-clerk", body={"password": "clerk", "tags": "monitoring"})
    try:
        clerk = {"LIANZHI_BROKER_ADMIN": "o1-clerk", "LIANZHI_BROKER_ADMIN_PASSWORD": "clerk"}
        done = await lianzhi("broker", "apply", **(admin | clerk))
    finally:
        await vhost.management.delete("users", "o1-clerk")
    assert done.code != 0 and "set_user_tags o1-clerk administrator" in done.err, done.out + done.err


# O4: words that name nothing


@pytest.mark.parametrize(
    ("name", "written", "told"),
    [
        (f"{POLICE}.toml", {"accepts": ["police.*", "gird.*"]}, "gird.*"),
        (f"{POLICE}.toml", {"opens": ["police.person-hit.alarm"]}, "police.person-hit.alarm"),
        (f"{POLICE}.toml", {"dialect": "police/9"}, "police/9"),
        (f"{POLICE}.TOML", {}, f"{POLICE}.TOML"),
        (f"{POLICE}.toml", {}, "keys"),
    ],
)
async def test_o4_check_names_the_word_that_is_wrong(
    lianzhi: Command, participants: Path, name: str, written: dict[str, object], told: str
) -> None:
    assert (await lianzhi("init", "--court", COURT)).code == 0
    (participants / name).write_text(police(**written), encoding="utf-8")
    done = await lianzhi("participants", "check")
    assert told in done.err and name in done.err, done.out + done.err
    assert done.code != 0


async def test_o4_a_slip_is_told_with_its_line(lianzhi: Command, participants: Path) -> None:
    assert (await lianzhi("init", "--court", COURT)).code == 0
    path = participants / f"{POLICE}.toml"
    path.write_text(police(accepts=["police.*", "gird.*"]), encoding="utf-8")
    line = next(n for n, text in enumerate(path.read_text("utf-8").splitlines(), 1) if "gird" in text)
    done = await lianzhi("participants", "check")
    assert f"{path.name}:{line}" in done.err.replace("\n", "")


# O10: other editors


async def test_o10_a_byte_order_mark_changes_nothing(lianzhi: Command, folder: Path, participants: Path) -> None:
    assert (await lianzhi("init", "--court", COURT)).code == 0
    for path in (folder / "lianzhi.toml", participants / f"{HOME}.toml"):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    done = await lianzhi("participants", "list", "--json")
    assert HOME in done.out, done.err
    assert (done.code, [row["code"] for row in done.json()]) == (0, [HOME])


@pytest.mark.parametrize(
    ("file", "words"),
    [("lianzhi.toml", ("db", "migrate")), (f"participants/{HOME}.toml", ("participants", "list"))],
)
async def test_o10_another_encoding_is_told_by_file_and_line(
    lianzhi: Command, folder: Path, file: str, words: tuple[str, ...]
) -> None:
    assert (await lianzhi("init", "--court", COURT)).code == 0
    path = folder / file
    text = path.read_text("utf-8")
    line = next(number for number, one in enumerate(text.splitlines(), 1) if not one.isascii())
    path.write_bytes(text.encode("gb18030"))
    done = await lianzhi(*words)
    said = done.err.replace("\n", "")
    assert done.code != 0 and "GB18030" in said and f"{path.name}:{line}" in said, done.err


# C19: passwords


async def test_c19_blanks_at_the_edges_belong_to_a_password(lianzhi: Command, folder: Path, vhost: Vhost) -> None:
    """A user whose password begins and ends with a blank logs in; one line end, as editors add it, is taken off."""
    await fresh(lianzhi, folder, vhost, vhost.name)
    user = f"blank-{next(_names)}"
    await vhost.management.put("users", user, body={"password": " two blanks ", "tags": ""})
    rights = {"configure": "", "write": ".*", "read": ".*"}
    await vhost.management.put("permissions", vhost.name, user, body=rights)
    (folder / "blank.password").write_text(" two blanks \r\n")
    at = f"amqp://{user}@127.0.0.1:{vhost.broker.ports.amqp}/{vhost.name}"
    set_broker(folder, url=at, password_file="blank.password")
    try:
        done = await lianzhi("doctor")
        assert "ACCESS_REFUSED" not in done.err, done.err
    finally:
        await vhost.management.delete("users", user)


# O12: the database's address


@pytest.mark.parametrize(
    ("query", "told"),
    [("sslmode=maybe", "sslmode"), ("no_such=1", "no_such"), ("connect_timeout=soon", "connect_timeout")],
)
async def test_o12_a_parameter_that_is_wrong_is_named(lianzhi: Command, query: str, told: str) -> None:
    assert (await lianzhi("init", "--court", COURT)).code == 0
    done = await lianzhi("db", "migrate", LIANZHI_STORE__URL=f"postgresql://u@127.0.0.1:9/d?{query}")
    said = done.out + done.err
    assert done.code != 0 and told in said and "TypeError" not in said, said


async def test_o12_what_libpq_knows_is_taken(lianzhi: Command) -> None:
    """Nobody listens there, so that is what is told, and nothing of the parameters."""
    assert (await lianzhi("init", "--court", COURT)).code == 0
    query = "sslmode=prefer&connect_timeout=3&application_name=court"
    done = await lianzhi("db", "migrate", LIANZHI_STORE__URL=f"postgresql://u@127.0.0.1:9/d?{query}")
    assert done.code != 0 and "cannot be reached" in done.err, done.out + done.err


# C6, C21: the calendar

YEAR = {
    "year": 2023,
    "notice": "国办发明电〔2022〕16号",
    "issued_on": "2022-12-08",
    "rest": ["2023-01-02", *(f"2023-01-{day}" for day in range(23, 28)), "2023-04-05", "2023-05-01"],
    "work": ["2023-01-28", "2023-04-23"],
}


def calendar(folder: Path, **changed: object) -> str:
    """A year's file; days stand there without quotes."""
    path = folder / "year.toml"
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in (YEAR | changed).items()]
    text = "\n".join(lines)
    for day in {word for word in text.replace('"', " ").replace(",", " ").split() if word.count("-") == 2}:
        text = text.replace(f'"{day}"', day)
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    "changed",
    [{"rest": ["2023-01-02"]}, {"rest": [], "work": []}, {"year": 2099, "issued_on": "2098-12-01"}],
    ids=["one day", "empty", "from the future"],
)
async def test_c6_what_no_notice_ever_said_is_refused(
    lianzhi: Command, tmp_path: Path, changed: dict[str, object]
) -> None:
    assert (await lianzhi("init", "--court", COURT)).code == 0
    if changed.get("year") == 2099:
        changed |= {"rest": [f"2099-01-{d:02}" for d in (1, 5, 6, 7, 8, 9, 12)], "work": ["2099-01-10"]}
    done = await lianzhi("calendar", "import", calendar(tmp_path, **changed))
    assert "published calendar" in done.err, done.out
    assert done.code != 0


async def test_c6_a_known_year_is_replaced_only_by_word_and_can_be_taken_back(lianzhi: Command, tmp_path: Path) -> None:
    assert (await lianzhi("init", "--court", COURT)).code == 0
    assert (await lianzhi("calendar", "import", calendar(tmp_path))).code == 0
    other = calendar(tmp_path, work=["2023-01-28", "2023-05-06"])
    kept = await lianzhi("calendar", "import", other)
    assert "2023-05-06" not in (await lianzhi("calendar", "show", "--year", "2023")).out
    assert "- work 2023-04-23" in kept.out and "+ work 2023-05-06" in kept.out, kept.out + kept.err
    assert kept.code != 0
    assert (await lianzhi("calendar", "import", other, "--replace")).code == 0
    assert "2023-05-06" in (await lianzhi("calendar", "show", "--year", "2023")).out
    assert (await lianzhi("calendar", "remove", "2023")).code == 0
    assert (await lianzhi("calendar", "show", "--year", "2023")).code == 1


async def test_c21_square_brackets_in_a_notice(lianzhi: Command, tmp_path: Path) -> None:
    assert (await lianzhi("init", "--court", COURT)).code == 0
    done = await lianzhi("calendar", "import", calendar(tmp_path, notice="国办 [/x] 号"))
    assert "[/x]" in done.out, done.err
    assert done.code == 0
    assert "[/x]" in (await lianzhi("calendar", "show", "--year", "2023")).out
    assert "[/x]" in (await lianzhi("calendar", "show")).out.replace("\n", "")


# C18, C20, C22


async def test_c20_periods_at_the_ends_of_the_calendar(lianzhi: Command) -> None:
    assert (await lianzhi("init", "--court", COURT)).code == 0
    for words in (("--week", "9999-W52"), ("--month", "0001-01"), ("--month", "9999-12")):
        done = await lianzhi("report", "weekly", *words)
        assert done.err[: len(words[1])] == words[1], done.err
        assert done.code == 2


async def test_c20_a_blank_name_is_refused(lianzhi: Command, folder: Path, participants: Path) -> None:
    assert (await lianzhi("init", "--court", COURT)).code == 0
    (participants / f"{POLICE}.toml").write_text(police(name={"zh": " ", "en": "Police"}), encoding="utf-8")
    done = await lianzhi("participants", "check")
    assert "name.zh" in done.err, done.out + done.err
    assert done.code != 0


async def test_c22_a_secret_of_two_bytes_is_refused(lianzhi: Command, folder: Path) -> None:
    assert (await lianzhi("init", "--court", COURT)).code == 0
    (folder / "platform.secret").write_text("whsec_YWI=\n")
    path = folder / "lianzhi.toml"
    hook = '\n[notify.webhook]\nurl = "http://127.0.0.1:9/pages"\nsecret_file = "platform.secret"\n'
    path.write_text(path.read_text("utf-8") + hook, encoding="utf-8")
    done = await lianzhi("doctor")
    assert "secret_file" in done.out + done.err, done.out + done.err


async def test_c22_a_key_file_nested_without_end_is_named(lianzhi: Command, folder: Path) -> None:
    assert (await lianzhi("init", "--court", COURT)).code == 0
    path = folder / "keys" / "private" / "deep.jwk"
    path.write_text("[" * 100_000)
    done = await lianzhi("participants", "check")
    assert done.code != 0 and "deep.jwk" in done.err.replace("\n", ""), done.err[-500:]


async def test_c18_a_port_that_is_taken_is_one_line(lianzhi: Command) -> None:
    assert (await lianzhi("init", "--court", COURT)).code == 0
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = await lianzhi("serve", LIANZHI_HTTP__PORT=str(port))
    last = done.err.strip().splitlines()[-1]
    assert str(port) in last and not last.startswith(("{", "OSError")), done.err[-1500:]
    assert done.code == 2
