"""What duty officers and people are told, by a real mail server and a real receiver of webhooks; time is the test's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest

from gateway.application.deadlines.silence import SilenceWatch
from gateway.application.duty.alerts import Alerts
from gateway.application.duty.people import PeopleMail
from gateway.application.duty.telling import Teller, Ways
from gateway.application.duty.watch import AlarmWatch
from gateway.application.operating.digest import DigestMail
from gateway.application.ports.alerts import AlarmWay
from gateway.application.ports.broker import QueueState
from gateway.core.alarms.figures import Disk, Figures
from gateway.core.alarms.terms import Recipient, Way
from gateway.core.operating.operators import Operator
from gateway.core.operating.records import Hold, Scope
from gateway.core.records import Changes, Request
from gateway.core.signals.load import Load, PartnerLoad
from gateway.core.silence import Silence
from gateway.notify import MailAlerts, MailNotifier, WebhookAlerts
from lianzhi.errors import RejectedError
from tests.api.world import COURT, GRID, POLICE, World
from tests.receiver import SECRET, Receiver, receiver
from tests.walls.mail_server import MailServer, mail_server

DUTY, CHIEF = "duty@court.example", "chief@court.example"
GIB = 1 << 30
SUBJECT = "【联执告警】"


@dataclass
class Watched:
    """One process that watches and tells. ways: of its recipients. sees: what it sees of the world at the next look."""

    world: World
    ways: Ways
    watch: AlarmWatch
    teller: Teller
    sees: Figures

    async def look(self, **sees: Any) -> None:
        """Sees that, and tells what is due."""
        self.sees = replace(self.sees, **sees)
        await self.watch.once()
        await self.teller.once()

    async def after(self, **by: float) -> None:
        self.world.clock.advance(**by)
        await self.look()


NOTHING = Load({}, {}, {}, {})


def configure(world: World, *recipients: Recipient, people: bool = True) -> None:
    alarms = replace(world.context.settings.alarms, recipients=recipients)
    world.context.settings = replace(
        world.context.settings, alarms=alarms, digest_to=("ops@court.example",), digest_people=people, page_timeout=0.5
    )


def mailer(port: int) -> MailNotifier:
    return MailNotifier("127.0.0.1", port, "lianzhi@court.example", tls="none", seconds=2)


def watched(world: World, ways: Ways) -> Watched:
    figures = Figures("host-a", COURT, NOTHING)

    async def seen(now: datetime) -> Figures:
        return one.sees

    one = Watched(world, ways, AlarmWatch(world.context, seen), Teller(world.context, ways), figures)
    return one


def by_mail(port: int, **addresses: str) -> dict[tuple[Way, str], AlarmWay]:
    return {("mail", name): MailAlerts(mailer(port), to) for name, to in addresses.items()}


def read(server: MailServer) -> list[EmailMessage]:
    return [message_from_bytes(raw, policy=default) for raw in server.mails]


def subjects(server: MailServer) -> list[str]:
    return [mail["Subject"] for mail in read(server)]


def down(world: World, *, waiting: int = 3) -> dict[str, Any]:
    """The police are not connected, and so many requests wait for them."""
    at = world.clock.now() - timedelta(hours=2)
    load = Load({POLICE: PartnerLoad(undelivered=waiting, oldest_undelivered=at)}, {}, {}, {})
    return {"silences": [Silence(POLICE, "no-consumer", at, at)], "load": load}


@asynccontextmanager
async def _stand(world: World) -> AsyncIterator[tuple[Watched, MailServer, Receiver]]:
    configure(world, Recipient("mail", "duty"), Recipient("webhook", "watch"))
    async with mail_server("take") as server, receiver() as taken:
        ways = by_mail(server.port, duty=DUTY)
        ways["webhook", "watch"] = WebhookAlerts(taken.url, SECRET, "alerts.webhook.watch.secret_file", seconds=0.3)
        yield watched(world, ways), server, taken
        for way in ways.values():
            await way.close()


async def test_a_partner_that_is_down_is_one_alert_and_one_all_clear(world: World) -> None:
    """However many requests wait behind it."""
    async with _stand(world) as (duty, server, taken):
        await duty.look(**down(world))
        for count in range(10, 101, 10):
            world.clock.advance(minutes=10)
            await duty.look(**down(world, waiting=count))
        assert len(server.mails) == 1
        (listed,) = await Alerts(world.context).list()
        assert (listed["condition"], listed["subject"]) == ("partner-no-consumer", POLICE)
        assert {(one["recipient"], one["outcome"]) for one in listed["told"]} == {("duty", "sent"), ("watch", "sent")}
        await duty.look(silences=[], load=NOTHING)
        await duty.after(minutes=4)
        assert len(server.mails) == 1, "an end has to last"
        await duty.after(minutes=1)
        opened, closed = read(server)
        assert opened["Subject"].startswith(SUBJECT) and POLICE in opened["Subject"]
        assert "3 requests have not arrived" in opened.get_content()
        assert "docs/handbook/alerts.md#partner-no-consumer" in opened.get_content()
        assert closed["Subject"].startswith("【联执已恢复】") and POLICE in closed["Subject"]
        assert taken.told == [("partner-no-consumer", "opened"), ("partner-no-consumer", "closed")]
        assert await Alerts(world.context).list() == []
        await duty.after(hours=1)
        assert (len(server.mails), len(taken.came)) == (2, 2)


async def test_a_partner_that_comes_and_goes_is_one_alert(world: World) -> None:
    async with _stand(world) as (duty, server, _):
        for _ in range(5):
            await duty.look(**down(world))
            world.clock.advance(minutes=4)
            await duty.look(silences=[], load=NOTHING)
            world.clock.advance(minutes=4)
        assert len(server.mails) == 1


async def test_its_incident_is_written_once_by_one_of_two(world: World) -> None:
    async with _stand(world) as (duty, server, _):
        other = watched(world, duty.ways)
        full = {"disks": {"store": Disk(GIB, 100 * GIB)}, "certificates": {}, "backup": (world.clock.now(),)}
        for one in (duty, other, duty):
            await one.look(**full)
        assert len(server.mails) == 1
        full["disks"] = {"store": Disk(1 << 20, 100 * GIB)}
        for one in (other, duty):
            await one.look(**full)
        full["disks"] = {"store": Disk(50 * GIB, 100 * GIB)}
        for _ in range(2):
            for one in (duty, other):
                await one.look(**full)
            world.clock.advance(minutes=5)
        assert [" ".join(s.split()[-1:]) for s in subjects(server)] == ["filling", "full", "full"]
        events = [e for e in await world.store.events(COURT, 0, 100) if e.kind in ("incident", "recovered")]
        assert [(e.kind, e.detail) for e in events] == [
            ("incident", "alert:disk:store:host-a"),
            ("recovered", "alert:disk:store:host-a"),
        ]


async def test_a_mail_server_that_is_down_for_an_hour_makes_no_flood(world: World) -> None:
    """Two troubles begin, one ends meanwhile: two mails in all when the server is back."""
    configure(world, Recipient("mail", "duty"))
    async with mail_server("take") as closed:
        pass
    duty = watched(world, by_mail(closed.port, duty=DUTY))
    await duty.look(**down(world), backlog=9, backlog_limit=10)
    for _ in range(10):
        await duty.after(minutes=3)
    await duty.look(backlog=0)
    for _ in range(10):
        await duty.after(minutes=3)
    told = await Alerts(world.context).list()
    assert [one["condition"] for one in told] == ["partner-no-consumer"]
    assert told[0]["told"][0]["outcome"] == "waiting" and told[0]["told"][0]["attempts"] > 5
    async with mail_server("take") as server:
        again = watched(world, by_mail(server.port, duty=DUTY))  # as after a restart
        again.sees = duty.sees
        await again.after(minutes=6)
        await again.after(minutes=6)
        assert sorted(s.partition("】")[0] for s in subjects(server)) == ["【联执告警", "【联执已恢复"]
        assert "backlog" in next(subject for subject in subjects(server) if "已恢复" in subject)


async def test_a_receiver_that_answers_late_gets_the_same_id_again(world: World) -> None:
    async with mail_server("take"), receiver(late=2) as taken:
        configure(world, Recipient("webhook", "watch"))
        way = WebhookAlerts(taken.url, SECRET, "alerts.webhook.watch.secret_file", seconds=0.2)
        duty = watched(world, {("webhook", "watch"): way})
        await duty.look(**down(world))
        for _ in range(4):
            await duty.after(minutes=6)
        assert len(taken.came) == 3
        assert len({number for number, _ in taken.came}) == 1
        assert taken.told == [("partner-no-consumer", "opened")]
        (shown,) = (await Alerts(world.context).list())[0]["told"]
        assert (shown["outcome"], shown["attempts"]) == ("sent", 3)
        await way.close()


async def test_a_receiver_that_answers_twice_is_told_each_thing_once(world: World) -> None:
    """Its second answer is never taken for that to the next."""
    async with receiver(twice=True) as taken:
        configure(world, Recipient("webhook", "watch"))
        way = WebhookAlerts(taken.url, SECRET, "alerts.webhook.watch.secret_file", seconds=2)
        duty = watched(world, {("webhook", "watch"): way})
        await duty.look(**down(world))
        await duty.look(backlog=9, backlog_limit=10)
        await duty.look(silences=[], load=NOTHING)
        await duty.after(minutes=6)
        assert [data["state"] for _, data in taken.came] == ["opened", "opened", "closed"]
        await way.close()


async def test_warnings_wait_until_the_night_is_over_and_what_is_critical_does_not(world: World) -> None:
    configure(
        world,
        Recipient("mail", "duty", quiet=(time(22), time(7))),
        Recipient("mail", "chief", least="critical"),
    )
    world.clock.moment = datetime(2026, 3, 24, 15, 0, tzinfo=UTC)  # 23:00 in Shanghai
    async with mail_server("take") as server:
        duty = watched(world, by_mail(server.port, duty=DUTY, chief=CHIEF))
        await duty.look(**down(world))
        assert server.mails == []
        await duty.look(backlog=9, backlog_limit=10)
        assert sorted(mail["To"] for mail in read(server)) == [CHIEF, DUTY]
        await duty.after(hours=7, minutes=59)
        assert len(server.mails) == 2
        await duty.after(minutes=2)
        assert [(mail["To"], POLICE in mail["Subject"]) for mail in read(server)[2:]] == [(DUTY, True)]


async def test_who_is_configured_no_more_is_not_told(world: World) -> None:
    async with _stand(world) as (duty, server, taken):
        duty.teller.follow({})
        await duty.look(**down(world))
        assert (server.mails, taken.came) == ([], [])
        (shown,) = await Alerts(world.context).list()
        assert {one["outcome"] for one in shown["told"]} == {"dropped"}


async def test_what_does_not_go_out_in_a_day_is_an_incident(world: World) -> None:
    configure(world, Recipient("mail", "duty"))
    async with mail_server("take") as closed:
        pass
    duty = watched(world, by_mail(closed.port, duty=DUTY))
    await duty.look(**down(world))
    for _ in range(3):
        await duty.after(hours=8)
    details = [e.detail for e in await world.store.events(COURT, 0, 100) if e.kind == "incident"]
    assert details == ["alert-not-told:mail:duty:unreachable"]


async def test_a_test_is_told_to_everybody_and_is_no_alert(world: World) -> None:
    async with _stand(world) as (duty, server, taken):
        told = await Alerts(world.context).test(Operator("ops", "操作员", "operator"))
        assert {one["outcome"] for one in told["told"]} == {"waiting"}
        await duty.teller.once()
        told = await Alerts(world.context).tested(told["alert"])
        assert [one["outcome"] for one in told["told"]] == ["sent", "sent"]
        assert subjects(server)[0].startswith("【联执测试】") and taken.told == [("test", "test")]
        assert await Alerts(world.context).list() == []
        (act,) = await world.store.operating.acts()
        assert (act.act, act.about) == ("alerts-test", f"alert:{told['alert']}")


async def test_a_test_without_recipients_says_so(world: World) -> None:
    with pytest.raises(RejectedError) as refused:
        await Alerts(world.context).test(Operator("ops", "操作员", "operator"))
    assert [error.rule for error in refused.value.errors] == ["no-recipients"]


# --- a pause is no silence


@pytest.mark.parametrize("hold", [("partner", GRID), ("all", "")])
async def test_a_partner_that_an_operator_has_paused_is_not_silent(world: World, hold: tuple[Scope, str]) -> None:
    async def nobody(partners: object) -> dict[str, QueueState]:
        return {code: QueueState(5, 0) for code in (GRID, POLICE)}

    async with world.store.begin() as tx:
        await tx.operating.begin_hold(Hold(hold[0], hold[1], world.clock.now(), "ops", "操作员", "停电"))
    watch = SilenceWatch(world.context, nobody)
    await watch.once()
    world.clock.advance(minutes=11)
    await watch.once()
    silent = {one.participant for one in await world.store.operating.silences()}
    assert silent == ({POLICE} if hold[0] == "partner" else set())
    async with world.store.begin() as tx:
        await tx.operating.end_hold(hold[0], hold[1])
    await watch.once()
    assert {one.participant for one in await world.store.operating.silences()} == {GRID, POLICE}


# --- people


HANDLER, LEAD, OTHER = "sn0199-0007", "sn0199-0001", "sn0199-0011"


def late(n: int, now: datetime, *, handler: str | None = HANDLER, lead: str | None = None, hours: int = 5) -> Request:
    due = {"at": (now - timedelta(hours=hours)).isoformat()}
    request = Request(
        f"{COURT}-20260301-{n:06d}", "police.vehicle-seal.request", 1, "ask", "accepted", COURT, POLICE,
        now - timedelta(days=9), now, handler=handler, lane="normal",
    )  # fmt: skip
    request.facts["due"] = due  # type: ignore[typeddict-item]
    if lead is not None:
        request.facts["lead"] = lead
    return request


def staffed(world: World, **mails: str) -> None:
    """Addresses by the end of a staff number."""
    staff = world.context.home.staff
    for no, person in list(staff.items()):
        staff[no] = replace(person, mail=mails.get(f"p{no[-2:]}"))  # type: ignore[index]


@pytest.fixture
def morning(world: World) -> Iterator[World]:
    """7:59 in Shanghai; the roster as it was afterwards."""
    before = dict(world.context.home.staff)
    world.clock.moment = datetime(2026, 3, 24, 23, 59, tzinfo=UTC)
    yield world
    world.context.home.staff.update(before)  # type: ignore[attr-defined]


async def test_at_eight_each_is_told_what_is_late_and_theirs_once_a_day(morning: World) -> None:
    world = morning
    configure(world)
    staffed(world, p07="handler@court.example", p01="lead@court.example", p11="other@court.example")
    now = world.clock.now()
    rows = [late(1, now, lead=LEAD, hours=30), late(2, now), late(3, now, handler=OTHER, hours=-20)]
    rows.append(late(4, now, handler="sn0199-0099"))
    async with world.store.begin() as tx:
        await tx.apply(Changes(new_requests=rows))
    async with mail_server("take") as server:
        both = [PeopleMail(world.context, [mailer(server.port)]) for _ in range(2)]
        assert [await one.once() for one in both] == [0, 0]
        world.clock.advance(minutes=1)
        assert sum([await one.once() for one in both]) == 2
        mails = {mail["To"]: mail.get_content() for mail in read(server)}
        assert mails.keys() == {"handler@court.example", "lead@court.example"}, "nothing when nothing is late"
        mine = mails["handler@court.example"]
        assert "as handler: 2" in mine and "as leader" not in mine and POLICE in mine
        assert "late by 1 d 6 h" in mine and rows[1].request_no in mine
        assert "as leader in charge: 1" in mails["lead@court.example"]
        again = PeopleMail(world.context, [mailer(server.port)])  # as after a restart
        world.clock.advance(hours=3)
        assert await again.once() == 0
        world.clock.advance(days=1)
        assert await again.once() == 3, "the third is late by now"


async def test_a_mail_server_that_is_down_at_eight_costs_nobody_the_mail(morning: World) -> None:
    world = morning
    configure(world)
    staffed(world, p07="handler@court.example", p11="other@court.example")
    now = world.clock.now()
    async with world.store.begin() as tx:
        await tx.apply(Changes(new_requests=[late(1, now), late(2, now, handler=OTHER)]))
    async with mail_server("take") as closed:
        pass
    world.clock.advance(minutes=1)
    senders = PeopleMail(world.context, [mailer(closed.port)]), DigestMail(world.context, [mailer(closed.port)])
    for _ in range(61):
        for sender in senders:
            assert await sender.once() == 0
        world.clock.advance(minutes=1)
    async with mail_server("take") as server:
        for _ in range(12):
            for kind in (PeopleMail, DigestMail):
                await kind(world.context, [mailer(server.port)]).once()
            world.clock.advance(minutes=1)
        to = sorted(mail["To"] for mail in read(server))
        assert to == ["handler@court.example", "ops@court.example", "other@court.example"]
    assert [e for e in await world.store.events(COURT, 0, 100) if e.kind == "incident"] == []


async def test_one_address_that_is_refused_is_one_persons(morning: World) -> None:
    world = morning
    configure(world)
    staffed(world, p07="bad\x01@court.example", p11="other@court.example")
    now = world.clock.now()
    async with world.store.begin() as tx:
        await tx.apply(Changes(new_requests=[late(1, now), late(2, now, handler=OTHER)]))
    world.clock.advance(minutes=1)
    async with mail_server("take") as server:
        assert await PeopleMail(world.context, [mailer(server.port)]).once() == 1
        world.clock.advance(minutes=30)
        assert await PeopleMail(world.context, [mailer(server.port)]).once() == 0
    (incident,) = [e for e in await world.store.events(COURT, 0, 100) if e.kind == "incident"]
    assert (incident.detail, (incident.head or {})["person"]) == ("people-digest-not-sent:bad-address", HANDLER)


async def test_whoever_turns_it_off_mails_nobody(morning: World) -> None:
    configure(morning, people=False)
    staffed(morning, p07="handler@court.example")
    now = morning.clock.now()
    async with morning.store.begin() as tx:
        await tx.apply(Changes(new_requests=[late(1, now)]))
    morning.clock.advance(hours=1)
    async with mail_server("take") as server:
        assert await PeopleMail(morning.context, [mailer(server.port)]).once() == 0


async def test_the_digest_names_the_alerts_that_stand(world: World) -> None:
    async with _stand(world) as (duty, server, _):
        await duty.look(**down(world))
        await DigestMail(world.context, [mailer(server.port)]).once()
        digest = next(mail for mail in read(server) if mail["To"] == "ops@court.example").get_content()
        assert f"alerts that stand: 1\n  {POLICE}  " in digest.replace("\r\n", "\n")
