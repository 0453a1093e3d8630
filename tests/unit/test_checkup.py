"""What `doctor` says of facts: every level, and never a line without its reason or its cure."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from gateway.core import checkup
from gateway.core.checkup import Check
from gateway.core.key_checkup import key_checks
from gateway.core.routing import Client, Directory, Participant, Staff
from gateway.core.time.calendar import SHANGHAI
from lianzhi.crypto.jwk import generate_jwk, private_key_from_jwk, public_jwk, public_key_from_jwk
from lianzhi.crypto.keyring import Keyring, lasts_until
from lianzhi.crypto.keys import PrivateKey, PublicKey
from lianzhi.errors import ConfigurationError
from schemas.catalogue import Kind, catalogue

NOW = datetime(2026, 3, 24, 2, tzinfo=UTC)
DAY = timedelta(days=1)
MIB = 1 << 20
TODAY = date(2026, 3, 24)
WANG = Staff("sn0199-0001", "王某", "permit", frozenset({"handler"}), date(2026, 1, 1))
MATTERS = list(catalogue().values())
_numbers = count(1)


def judged(check: Check) -> tuple[str, bool, bool]:
    """Its level; whether it says why in both languages, and what to do."""
    return check.level, bool(check.zh and check.en), bool(check.fix)


@pytest.mark.parametrize(
    ("check", "level"),
    [
        (checkup.disk("/x", 100 * MIB, 1000 * MIB), "wrong"),
        (checkup.disk("/x", 1000 * MIB, 2000 * MIB), "warning"),
        (checkup.disk("/x", 9000 * MIB, 1_000_000 * MIB), "warning"),
        (checkup.disk("/x", 9000 * MIB, 20_000 * MIB), "ok"),
        (checkup.wal(100 * MIB, 20 * MIB), "warning"),
        (checkup.wal(MIB, 20 * MIB), "ok"),
        (checkup.backup(None, NOW), "warning"),
        (checkup.backup(NOW - DAY, NOW), "ok"),
        (checkup.backup(NOW + DAY, NOW), "ok"),
        (checkup.backup(NOW - 3 * DAY, NOW), "warning"),
        (checkup.backup(NOW - 9 * DAY, NOW), "wrong"),
        (checkup.calendar([2026, 2027], date(2026, 12, 31)), "ok"),
        (checkup.calendar([2026], date(2026, 10, 31)), "ok"),
        (checkup.calendar([2026], date(2026, 11, 1)), "warning"),
        (checkup.calendar([2026], date(2026, 12, 14)), "warning"),
        (checkup.calendar([2026], date(2026, 12, 15)), "wrong"),
        (checkup.calendar([2025], date(2026, 1, 1)), "wrong"),
        (checkup.roster(None, pages=True), "ok"),
        (checkup.roster(NOW, pages=True), "warning"),
        (checkup.quarantine({}), "ok"),
        (checkup.quarantine({"bad-envelope": 3}), "warning"),
        (checkup.paused({}), "ok"),
        (checkup.paused({"police-610199|queue-full": 1}), "warning"),
        (checkup.silent({"a": (0, 1)}), "ok"),
        (checkup.silent({"a": (0, 0)}), "warning"),
        (checkup.silent({"a": (5, 0), "b": (0, 1)}), "warning"),
        (checkup.versions({"a": 2, "b": None}, 2), "ok"),
        (checkup.versions({"a": 1}, 2), "warning"),
        (checkup.clock(("数据库", "database"), timedelta(seconds=1)), "ok"),
        (checkup.clock(("数据库", "database"), timedelta(minutes=2)), "wrong"),
        (checkup.topology([], 4), "ok"),
        (checkup.topology(["lianzhi.to.a"], 4), "wrong"),
        (checkup.consumers([], 4), "ok"),
        (checkup.consumers(["lianzhi.from.a"], 4), "wrong"),
        (checkup.consumers(["a", "b"], 2), "warning"),
        (checkup.provisioning([]), "ok"),
        (checkup.provisioning(["permissions of a"]), "wrong"),
        (checkup.provisioning([], ["untouched user"]), "warning"),
    ],
)
def test_levels(check: Check, level: str) -> None:
    assert judged(check) == (level, True, level != "ok")


def test_who_waits_is_named_with_how_much() -> None:
    check = checkup.silent({"police-610199": (5, 0), "grid-610199": (0, 0)})
    assert "police-610199 5" in check.zh and "grid-610199" in check.zh


@pytest.mark.parametrize(
    ("reason", "said", "fix"),
    [
        ("NOT_ALLOWED - vhost court not found", "没有虚拟主机 court", "broker apply"),
        ("403 ACCESS_REFUSED - Login was refused", "密码不对", "password_file"),
        ("AMQPConnectionError: [Errno 111] Connect call failed", "h:5672 连不上", "rabbitmq-server"),
        ("[SSL] certificate verify failed: certificate has expired", "h:5672 的证书不可信", "ca_file"),
        ("", "连不上", "rabbitmq-server"),
    ],
)
def test_why_the_broker_does_not_let_us_in(reason: str, said: str, fix: str) -> None:
    check = checkup.refused_login(reason, user="lianzhi-gateway", vhost="court", where="h:5672")
    assert check.level == "wrong" and said in check.zh and fix in check.fix
    assert not check.zh.rstrip().endswith("："), "a reason is never empty"


def test_a_look_that_raised_says_why_even_where_the_error_says_nothing() -> None:
    assert "TimeoutError" in checkup.failed("store", "数据库 store", TimeoutError()).zh
    both = checkup.failed("law", "法律表 law", ConfigurationError("第三行有误。 Line 3 is wrong; see there."))
    assert (both.zh, both.en) == ("第三行有误。", "Line 3 is wrong; see there.")


def test_staff() -> None:
    assert [c.level for c in checkup.staff([], TODAY, "f")] == ["wrong"]
    assert [c.level for c in checkup.staff([WANG], TODAY, "f")] == ["ok"]
    leaving = Staff("sn0199-0002", "李某", "p", frozenset(), date(2026, 1, 1), TODAY + 5 * DAY)
    assert [c.level for c in checkup.staff([WANG, leaving], TODAY, "f")] == ["ok", "warning"]
    gone = Staff("sn0199-0003", "赵某", "p", frozenset(), date(2025, 1, 1), TODAY - DAY)
    assert [c.level for c in checkup.staff([gone], TODAY, "f")] == ["wrong"]


# --- keys ------------------------------------------------------------------------------------------------------------


def key(code: str, purpose: str, days: float | None, client: str | None = None) -> tuple[PublicKey, PrivateKey]:
    """One in force until so many days from now, and its private half."""
    jwk = generate_jwk(f"{code}.{purpose}.k{next(_numbers)}", "EC")
    end = None if days is None else NOW + timedelta(days=days)
    return (
        public_key_from_jwk(public_jwk(jwk), nbf=NOW - 100 * DAY, exp=end, client=client),
        private_key_from_jwk(jwk),
    )


def court(*clients: Client) -> Participant:
    return Participant(
        "court-sn0199", Kind.COURT, "法院", "Court", "http", "canonical",
        court_code="陕0199", home=True, accepts=("*",), opens=("*",), clients=clients,
    )  # fmt: skip


POLICE = Participant(
    "police-610199", Kind.POLICE, "公安", "Police", "amqp", "police/1", accepts=("police.*",), opens=("police.*",)
)


def told(
    *, court_sig: float = 400, court_enc: float = 400, police_sig: float = 400, police_enc: float = 400,
    lacking: str = "",
) -> list[Check]:  # fmt: skip
    """lacking: the purpose of which the court's private half is not here."""
    keys = {
        ("court-sn0199", "sig"): court_sig, ("court-sn0199", "enc"): court_enc,
        ("police-610199", "sig"): police_sig, ("police-610199", "enc"): police_enc,
    }  # fmt: skip
    made = {name: key(*name, days) for name, days in keys.items()}
    private = [own for (code, purpose), (_, own) in made.items() if code == "court-sn0199" and purpose != lacking]
    ring = Keyring([public for public, _ in made.values()], private)
    return key_checks(Directory([court(), POLICE]), ring, MATTERS, NOW)


def test_all_keys_are_there() -> None:
    assert [judged(check) for check in told()] == [("ok", True, False)]


@pytest.mark.parametrize("days", [400, 59, 29, 6, -1])
@pytest.mark.parametrize("which", ["court_sig", "court_enc", "police_sig", "police_enc"])
def test_c10_every_key_is_told_sixty_thirty_and_seven_days_ahead(which: str, days: float) -> None:
    ages: Any = {which: days}
    checks = told(**ages)
    level = "ok" if days > 60 else "warning" if days > 7 else "wrong"
    assert [check.level for check in checks] == [level]
    if level == "ok":
        return
    [check] = checks
    code = {"court": "court-sn0199", "police": "police-610199"}[which.partition("_")[0]]
    assert code in check.zh and code in check.en and check.fix
    if days > 0:
        last = (NOW + timedelta(days=days) - timedelta.resolution).astimezone(SHANGHAI).date()
        assert str(last) in check.zh and str(last) in check.en


@pytest.mark.parametrize("purpose", ["sig", "enc"])
def test_c10_a_private_half_that_is_gone(purpose: str) -> None:
    [check] = told(lacking=purpose)
    assert judged(check) == ("wrong", True, True)
    assert f"court-sn0199.{purpose}." in check.zh and f"court-sn0199.{purpose}." in check.en


def test_a_key_that_is_followed_is_nobodys_concern() -> None:
    first, second = key("gas-610199", "sig", 5)[0], key("gas-610199", "sig", 300)[0]
    assert lasts_until([first, second], NOW) == second.exp
    assert lasts_until([first], NOW) == first.exp
    assert lasts_until([], NOW) == NOW
    assert lasts_until([key("gas-610199", "sig", None)[0], first], NOW) is None


def test_who_is_sent_nothing_sealed_needs_no_key_for_it() -> None:
    press = Participant("press-610199", Kind.PUBLICATION, "报社", "Press", "amqp", "plain/1", accepts=("publish.*",))
    sig, own = key("court-sn0199", "sig", 400), key("court-sn0199", "enc", 400)
    theirs = key("press-610199", "sig", 400)
    ring = Keyring([sig[0], own[0], theirs[0]], [sig[1], own[1]])
    assert [c.level for c in key_checks(Directory([court(), press]), ring, MATTERS, NOW)] == ["ok"]


def test_a_clients_keys_are_looked_at_until_it_is_revoked() -> None:
    sig, own = key("court-sn0199", "sig", 400), key("court-sn0199", "enc", 400)
    sub = key("court-sn0199", "sub", 3, client="cms1")
    ring = Keyring([sig[0], own[0], sub[0]], [sig[1], own[1]])

    def levels(*, revoked: bool) -> list[str]:
        client = Client("cms1", frozenset(), "0" * 64, signs_with=sub[0].kid, revoked=revoked)
        return [check.level for check in key_checks(Directory([court(client)]), ring, MATTERS, NOW)]

    assert (levels(revoked=False), levels(revoked=True)) == (["wrong"], ["ok"])


def test_exit_codes() -> None:
    def one(level: checkup.Level) -> Check:
        return Check("n", "t", level, "因", "why", "fix")

    codes: list[tuple[list[checkup.Level], int]] = [([], 0), (["ok", "warning"], 0), (["ok", "wrong"], 1)]
    assert [checkup.exit_code(map(one, levels)) for levels, _ in codes] == [code for _, code in codes]


def test_last_day_of_a_key() -> None:
    midnight = datetime(2026, 3, 31, 16, tzinfo=UTC)  # 1 April in Shanghai
    public = public_key_from_jwk(public_jwk(generate_jwk("gas-610199.sig.z", "EC")), exp=midnight)
    assert public.last_day(SHANGHAI) == date(2026, 3, 31)
    assert key("gas-610199", "sig", None)[0].last_day(SHANGHAI) is None
