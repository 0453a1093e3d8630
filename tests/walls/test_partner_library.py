"""A hostile or broken gateway neither stops, fills nor misleads an agency on our library.

The gateway is played by the test: it has the gateway's keys and its broker user, and signs whatever it likes.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from lianzhi.amqp.link import Link
from lianzhi.protocol.envelope import Envelope
from tests.conftest import Vhost
from tests.eventually import eventually
from tests.integration.partner_court import CASE, PASSWORD, POLICE, Answer, Court, Talk, write_partner
from tests.walls.library import Program, environment, program
from tests.walls.product import PRODUCT, command, python

BODY = {"XM": "王演示", "ref": "k7m2q9xa"}
HEAD = {"refs": ["k7m2q9xa"]}
ROOM = 4_096  # messages that may wait for an application, by default


@pytest.fixture
async def court(vhost: Vhost, link: Link) -> AsyncIterator[Court]:
    court = Court()
    await court.connect(vhost, link)
    yield court
    await court.close()


@pytest.fixture
def toml(vhost: Vhost, court: Court, tmp_path: Path) -> Path:
    return write_partner(tmp_path, vhost.url(POLICE, PASSWORD), system="协查平台", prefetch=64)


def configured(toml: Path, to: Path, old: str, new: str) -> Path:
    text = toml.read_text()
    assert old in text
    to.write_text(text.replace(old, new))
    return to


async def asked(court: Court) -> Talk:
    """One request, sent."""
    talk = court.talk()
    await court.send(court.make(talk, "open", BODY, head=HEAD))
    return talk


async def answer(court: Court, talk: Talk, verb: str) -> Answer:
    def found() -> Answer | None:
        return next((a for a in said(court, talk) if a.verb == verb), None)

    return await eventually(found, 20)


def said(court: Court, talk: Talk) -> list[Answer]:
    return [a for a in court.answers if isinstance(a.envelope, Envelope) and a.envelope.subject == talk.request_no]


async def fence(court: Court) -> None:
    """Until a ping of ours is answered: everything before it has been dealt with. Fails when the agency is gone."""
    pongs = len([a for a in court.answers if a.verb == "pong"])
    await court.send(court.outside("ping", {}))
    await eventually(lambda: len([a for a in court.answers if a.verb == "pong"]) > pongs, 20)


def notice(reason: str, about: Answer | None = None, **more: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"reason": reason, "title_zh": "不合约定", "title_en": "Refused"}
    body["body_sha256"] = hashlib.sha256(about.raw).hexdigest() if about else "0" * 64
    if about is not None:
        body["message_id"] = about.envelope.id
    return body | more


def kept(folder: Path, sql: str) -> Any:
    connection = sqlite3.connect(f"file:{folder / 'inbox.sqlite'}?mode=ro", uri=True)
    try:
        return connection.execute(sql).fetchone()[0]
    finally:
        connection.close()


# C4: an exception of a batch is isolated to its own message


async def goes_on(court: Court, agency: Program) -> None:
    """Whatever was sent before, the next request is answered and worked on."""
    talk = await asked(court)
    await answer(court, talk, "delivered")
    await eventually(lambda: [line for line in agency.lines if line.get("request_no") == talk.request_no], 20)
    assert agency.process.returncode is None, agency.log


async def test_c4_a_notice_about_content_that_was_forgotten(court: Court, toml: Path, tmp_path: Path) -> None:
    configured(toml, toml, 'ledger = "inbox.sqlite"', 'ledger = "inbox.sqlite"\nkeep_days = 31')
    talk = await asked(court)
    async with program(tmp_path, "agency.py", toml):
        first = await answer(court, talk, "delivered")
    async with program(tmp_path, "agency.py", toml, "--days", 40):
        await eventually(lambda: kept(tmp_path, "SELECT count(*) FROM lz_outbox WHERE text = ''"))
    told = notice("sequence-reused", first, request_no=talk.request_no, next_seqno=5)
    await court.send(court.outside("notice", told))
    for _ in range(2):
        async with program(tmp_path, "agency.py", toml) as agency:
            await goes_on(court, agency)
    assert kept(tmp_path, "SELECT count(*) FROM lz_notice WHERE reason = 'sequence-reused'") == 1


async def test_c4_a_type_that_is_no_text(court: Court, toml: Path, tmp_path: Path) -> None:
    await court.send(court.make(court.talk(), "open", BODY, head=HEAD, type=["lianzhi"]))
    for _ in range(2):
        async with program(tmp_path, "agency.py", toml) as agency:
            await goes_on(court, agency)
    await eventually(lambda: kept(tmp_path, "SELECT count(*) FROM lz_set_aside"))


async def test_c4_a_key_to_answer_to_that_nobody_has(court: Court, toml: Path, tmp_path: Path) -> None:
    """An application that works on such a request could never say its result."""
    talk = court.talk()
    await court.send(court.make(talk, "open", BODY, head=HEAD, replykey="court-sn0199.enc.nobody"))
    async with program(tmp_path, "agency.py", toml) as agency:
        await goes_on(court, agency)
        refused = [a.body["reason"] for a in court.answers if a.verb == "notice"]
    assert (said(court, talk), refused) == ([], ["unknown-kid"])


# C5: no room, no consumer; waiting is not a delivery


async def at_the_broker(court: Court, vhost: Vhost) -> tuple[int, int]:
    """(consumers, messages that nobody was given), of both queues."""
    async with Link(vhost.url(), name="looks") as link:
        await link.wait_connected(20)
        channel = await link.channel()
        found = [await channel.queue_declare(queue.name, passive=True) for queue in court.inboxes]
    return sum(f.consumer_count or 0 for f in found), sum(f.message_count or 0 for f in found)


def _delivered(court: Court) -> list[str]:
    return [a.envelope.id for a in court.answers if a.verb == "delivered"]


@pytest.mark.slow
async def test_c5_an_application_that_stands_still(court: Court, vhost: Vhost, toml: Path, tmp_path: Path) -> None:
    count, go = ROOM + 600, tmp_path / "go"
    async with program(tmp_path, "agency.py", toml, "--still", go, "--workers", 16) as agency:
        await agency.told("ready")
        for start in range(0, count, 100):
            await asyncio.gather(*(asked(court) for _ in range(start, min(start + 100, count))))

        async def left_alone() -> bool:
            """Nobody consumes, and what the ledger does not have lies untouched in the queue."""
            consumers, untouched = await at_the_broker(court, vhost)
            stored = kept(tmp_path, "SELECT count(*) FROM lz_message WHERE state = 'pending'")
            return consumers == 0 and stored + untouched == count and stored < count

        await eventually(left_alone, 30)
        go.touch()
        await agency.told("handled", count)
        delivered = await eventually(lambda: _delivered(court) if len(_delivered(court)) >= count else None, 60)
    assert (len(delivered), len(set(delivered))) == (count, count)
    assert kept(tmp_path, "SELECT coalesce(max(value), 0) FROM lz_counter WHERE name = 'duplicates'") == 0


# C15: what the gateway chose writes nothing of its own into a log or a terminal

FORGED = "misdirected\nERROR forged by the other side\x1b[2J\u202e\u009b31m"


async def test_c15_a_reason_in_the_log(court: Court, toml: Path, tmp_path: Path) -> None:
    told = notice(FORGED, message_id=FORGED, title_zh=FORGED)
    async with program(tmp_path, "agency.py", toml) as agency:
        await court.send(court.outside("notice", told))
        (heard,) = await agency.told("notice")
        assert not any(line.startswith("ERROR forged") for line in agency.log.splitlines()), agency.log
        assert not set("\x1b\u202e\u009b") & set(agency.log)
        assert heard["reason"] == "unknown"


async def test_c15_a_case_number_on_the_terminal(court: Court, toml: Path, tmp_path: Path) -> None:
    court.case_no = f"{CASE}\x1b[2J\r\u202e\u009b31m"
    await asked(court)
    for arguments in (("--show-body",), ("--json",)):
        process = await asyncio.create_subprocess_exec(
            command(), "partner", "consume", "--once", "1", "--config", str(toml), *arguments, cwd=PRODUCT,
            env=environment(PYTHONIOENCODING="utf-8"), stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, _ = await asyncio.wait_for(process.communicate(), 60)
        shown = out.decode()
        assert CASE in shown
        assert not set("\x1b\r\u202e\u009b") & set(shown)
        await asked(court)


# C16: a notice moves only what it is about, and not for ever


async def test_c16_a_notice_in_another_request(court: Court, toml: Path, tmp_path: Path) -> None:
    async with program(tmp_path, "agency.py", toml):
        one, other = await asked(court), await asked(court)
        await answer(court, one, "delivered")
        about = await answer(court, other, "delivered")
        told = notice("sequence-reused", about, request_no=one.request_no, next_seqno=9)
        await court.send(court.outside("notice", told))
        await fence(court)
    assert [a.verb for a in said(court, other)] == ["delivered"]
    assert [a.verb for a in said(court, one)] == ["delivered"]


async def test_c16_a_notice_about_other_bytes(court: Court, toml: Path, tmp_path: Path) -> None:
    """Its id alone does not make it ours."""
    async with program(tmp_path, "agency.py", toml):
        talk = await asked(court)
        about = await answer(court, talk, "delivered")
        told = notice("sequence-reused", about, body_sha256="0" * 64, request_no=talk.request_no, next_seqno=2)
        await court.send(court.outside("notice", told))
        await fence(court)
    assert [a.verb for a in said(court, talk)] == ["delivered"]


async def test_c16_a_number_beyond_all_sense(court: Court, toml: Path, tmp_path: Path) -> None:
    """With such a number it could never say anything in that request again."""
    async with program(tmp_path, "agency.py", toml, "--answer") as agency:
        talk = await asked(court)
        about = await answer(court, talk, "receipt")
        told = notice("sequence-reused", about, request_no=talk.request_no, next_seqno=2**53 - 1)
        await court.send(court.outside("notice", told))
        await fence(court)
        await court.send(court.make(talk, "supplement", {}))
        await agency.told("handled", 2)
        await fence(court)
    assert max(a.envelope.seqno for a in said(court, talk)) < 2_000  # type: ignore[union-attr]


async def test_c16_the_same_asked_for_again_and_again(court: Court, toml: Path, tmp_path: Path) -> None:
    async with program(tmp_path, "agency.py", toml):
        talk = await asked(court)
        await answer(court, talk, "delivered")
        for _ in range(100):
            told = notice("sequence-gap", body_sha256="", request_no=talk.request_no, next_seqno=1)
            await court.send(court.outside("notice", told))
            await fence(court)
    copies = len(said(court, talk))
    assert 2 <= copies <= 65  # once by itself, and some more because a gateway may really have lost it


# C17: one file is one ledger, and its tables are the library's


async def outcome(act: str, toml: Path, argument: object) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        python(), str(Path(__file__).with_name("scripts") / "ledger.py"), act, str(toml), str(argument), cwd=PRODUCT,
        env=environment(), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, err.decode()
    told: dict[str, Any] = json.loads(out)
    return told


async def test_c17_a_ledger_by_another_name(court: Court, toml: Path, tmp_path: Path) -> None:
    await asked(court)
    await outcome("write", toml, "INSERT INTO work VALUES ('a')")
    os.symlink(tmp_path / "inbox.sqlite", tmp_path / "another.sqlite")
    other = configured(toml, tmp_path / "another.toml", "inbox.sqlite", "another.sqlite")
    assert (await outcome("second", toml, other))["outcome"] == "ConfigurationError"


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM lz_message",
        "/* mine */ UPDATE lz_outbox SET state = 'sent'",
        "INSERT INTO lz_counter VALUES ('number:20260324', 5)",
        "CREATE TRIGGER mine AFTER INSERT ON lz_message BEGIN INSERT INTO work VALUES (new.request_no); END",
        "DROP TABLE lz_notice",
        "/**/ COMMIT",
    ],
)
async def test_c17_a_statement_that_would_write_the_ledger(
    court: Court, toml: Path, tmp_path: Path, statement: str
) -> None:
    await asked(court)
    told = await outcome("write", toml, statement)
    assert told == {"outcome": "MisuseError", "lz_message": 1, "lz_outbox": 1}


async def test_c17_a_query_that_writes(court: Court, toml: Path, tmp_path: Path) -> None:
    await asked(court)
    told = await outcome("query", toml, "WITH a AS (SELECT 1) DELETE FROM lz_outbox")
    assert told == {"outcome": "MisuseError", "lz_message": 1, "lz_outbox": 1}


async def test_an_application_has_its_own_tables(court: Court, toml: Path, tmp_path: Path) -> None:
    await asked(court)
    told = await outcome("write", toml, "INSERT INTO work SELECT request_no FROM lz_message")
    assert told["outcome"] == "done"
    assert kept(tmp_path, "SELECT count(*) FROM work") == 1
