"""What may be cited, what is filed on the national platform, until when money is paid out: tables, not constants."""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from uuid_utils.compat import uuid7

from gateway.broker.management import Management
from lianzhi.client.signing import Author, submission
from lianzhi.crypto.keyring import private_key_from_jwk
from lianzhi.protocol.cards import cards
from schemas.catalogue import catalogue
from simulation.parties import CHIEF, CLERK, CLIENT, FUPING, GRID, HANDLER, HOME, OFFICE, PRESIDENT
from simulation.private_broker import PrivateBroker
from tests.conftest import Vhost
from tests.eventually import eventually
from tests.fault.court import ENTRUST, PAPER, PAPER_SHA256, VERIFY, draft
from tests.walls.product import PRODUCT, Finished, Installation, installed
from tests.words import SHANGHAI

RECEIPT, APPROVE = "fund.receipt.event", "fund.release.approve"
CITED = ["CPL-253", "FA-2016-373-1", "FA-2021-322", "CRL-313", "CRPL-110", "EBL-2", "SVL-5", "FAFA-2024-9", "ZBYJ-3"]
WORDS = [
    "民事诉讼法第二百五十三条",
    "法〔2016〕373号第一条",
    "法〔2021〕322号",
    "刑法第三百一十三条",
    "刑事诉讼法第一百一十条",
    "企业破产法第二条",
    "监督法第五条",
    "法发〔2024〕9号",
    "终本指导意见第三条",
]
UNLISTED = "FA-2031-12"
TABLES = {
    "legal-bases.toml": """\
[[entry]]
code = "SGF-2023-5"
kind = "notice"
text = "陕高法发〔2023〕5号"
zh = "执行款管理"
en = "money of cases"
source = "陕高法发〔2023〕5号"
since = 2023-05-01
""",
    "platform-items.toml": """\
[[entry]]
type = "entrust.matter.request"
duty = "required"
source = "本院委托执行管理规定第三条"
since = 2026-01-01
""",
    "terms.toml": """\
[[entry]]
name = "fund-payout"
days = 7
kind = "working"
source = "本院执行案款管理规定第七条"
since = 2026-01-01
""",
    "answer-terms.toml": """\
[[entry]]
type = "grid.verify.request"
days = 1
kind = "working"
source = "网格联动协议第六条"
since = 2026-01-01
""",
}
LONGER = """\
[[entry]]
type = "refusal.lead.transfer"
days = 10
kind = "working"
source = "联动协议第八条"
since = 2026-01-01
"""


def day(days: int) -> str:
    """So many days from today, Shanghai."""
    return (datetime.now(SHANGHAI).date() + timedelta(days=days)).isoformat()


async def posted(site: Installation, body: Mapping[str, Any], receiver: str) -> tuple[int, dict[str, Any]]:
    """A submission, signed where its type wants it: status and document."""
    jwk = json.loads((site.parties.handover / f"{HOME}.sub.{CLIENT}.private.jwk").read_text())
    author, now = Author(HOME, HOME, private_key_from_jwk(jwk)), datetime.now(UTC)
    handed = submission(author, body, receivers=[receiver], sign=None, message_id=str(uuid7()), now=now, cards=cards())
    headers = {"Idempotency-Key": str(uuid7()), "Content-Type": handed.content_type}
    async with site.court.session.post(handed.path, data=handed.body, headers=headers) as answer:
        return answer.status, await answer.json(content_type=None)


def rules(document: Mapping[str, Any], member: str = "warnings") -> list[tuple[str, str]]:
    """Of warnings, or of a problem's errors: where, and which rule."""
    return [(line["pointer"], line["rule"]) for line in document.get(member, ())]


def verify(number: int, **changes: Any) -> dict[str, Any]:
    return draft(number, VERIFY)[0] | changes


def commission(number: int, **changes: Any) -> dict[str, Any]:
    """Each freezes an account of its own."""
    body = draft(number, ENTRUST)[0]
    body["payload"]["objects"][0]["account_no"] = f"6100000000{number:06d}"
    return body | changes


def payment(number: int, **payload: Any) -> dict[str, Any]:
    """An approval to pay out what came forty days ago."""
    body = verify(number)
    agreed = (datetime.now(UTC) - timedelta(hours=1)).isoformat(timespec="seconds")
    paper = {"kind": "release-approval", "issued_on": day(-1), "sha256": PAPER_SHA256, "pages": 1}
    given = copy.deepcopy(dict(catalogue()[APPROVE].example_request)) | {
        "receipt_no": f"DZ-{number}",
        "received_on": day(-40),
        "approved_on": day(-1),
        "day_count": 39,
    }
    given.pop("notified_on", None)
    return body | {
        "type": APPROVE,
        "schema_version": catalogue()[APPROVE].version,
        "urgency": "normal",
        "approvals": [
            {"by": by, "role": role, "decision": "approve", "at": agreed}
            for by, role in ((CHIEF, "bureau-chief"), (PRESIDENT, "president"))
        ],
        "documents": [{**paper, "media_type": "application/pdf"}],
        "handler": HANDLER,
        "drafted_by": CLERK,
        "payload": given | payload,
    }


async def ledger(site: Installation, name: str) -> dict[str, dict[str, Any]]:
    """As `lianzhi ledger show` has it, by the items' numbers; empty where there is no such ledger."""
    shown = await site.run("ledger", "show", name, "--json")
    return {item["item_no"]: item for item in shown.json()} if shown.code == 0 else {}


async def view(site: Installation, number: str) -> dict[str, Any]:
    async with site.court.session.get(f"/v1/requests/{number}") as answer:
        return dict(await answer.json())


async def with_file(site: Installation, folder: Path, name: str, text: str, *arguments: str) -> Finished:
    """A command in `folder`, which is that of `site` but for this file of `law`."""
    (folder / "law").mkdir(parents=True, exist_ok=True)
    for part in ("lianzhi.toml", "hash.key", "participants", "keys"):
        if not (folder / part).is_symlink():
            (folder / part).symlink_to(site.folder / part)
    (folder / "law" / name).write_text(text, encoding="utf-8")
    site.environment["LIANZHI_STORE__URL"] = f"sqlite:///{site.folder / 'lianzhi.sqlite'}"
    try:
        return await site.run(*arguments, "--dir", str(folder), folder=False)
    finally:
        del site.environment["LIANZHI_STORE__URL"]


@pytest_asyncio.fixture
async def papers(running: Installation) -> Installation:
    """With the paper that signed submissions name."""
    headers = {"Content-Type": "application/pdf"}
    async with running.court.session.put(f"/v1/documents/{PAPER_SHA256}", data=PAPER, headers=headers) as answer:
        assert answer.status in (200, 201)
    return running


@pytest_asyncio.fixture(scope="module")
async def ruled(
    broker: PrivateBroker, management: Management, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Installation]:
    """A court with tables of its own."""
    await management.put("vhosts", "ruled")
    async with installed(tmp_path_factory.mktemp("ruled"), Vhost("ruled", broker, management)) as site:
        (site.folder / "law").mkdir()
        for name, text in TABLES.items():
            (site.folder / "law" / name).write_text(text, encoding="utf-8")
        await site.serve()
        await site.court.hand_in_paper()
        yield site
    await management.delete("vhosts", "ruled")


async def test_l17_what_may_be_cited(papers: Installation) -> None:
    """Statutes and notices of the table; a notice that it lacks, with a warning. A partner reads them in words."""
    running = papers
    status, accepted = await posted(running, verify(1700, legal_basis=[*CITED, UNLISTED]), GRID)
    assert status == 202, accepted
    assert rules(accepted) == [(f"/legal_basis/{len(CITED)}", "unlisted-basis")]
    commissioned = commission(1701, legal_basis=[*CITED, UNLISTED])
    commissioned["approvals"] = []
    status, accepted = await posted(running, commissioned, FUPING)
    assert status == 202, accepted
    neighbour = await running.agency(FUPING)
    taken = await neighbour.next(accepted["request_no"], "open")
    said = json.dumps(taken.body, ensure_ascii=False)
    assert [words for words in (*WORDS, "法〔2031〕12号") if words not in said] == []
    status, refused = await posted(running, verify(1702, legal_basis=["GAO-2031-12"]), GRID)
    assert (status, rules(refused, "errors")) == (422, [("/legal_basis/0", "unknown-legal-basis")])


@pytest.mark.slow
async def test_l17_a_court_adds_its_own(ruled: Installation) -> None:
    status, accepted = await posted(ruled, verify(1710, legal_basis=["SGF-2023-5-12"]), GRID)
    assert (status, rules(accepted)) == (202, []), accepted
    shown = {(row["table"], row["key"]): row for row in (await ruled.run("law", "list", "--json")).json()}
    assert shown["legal-bases", "SGF-2023-5"]["from"] == "law/legal-bases.toml"
    assert shown["legal-bases", "CPL"]["from"] == "default"
    assert shown["legal-bases", "ZBYJ"]["reading"] is True


async def test_l17_a_wrong_file_is_refused_by_name(tmp_path: Path, running: Installation) -> None:
    """Nothing runs on a table that was meant otherwise."""
    wrong = TABLES["terms.toml"].replace("kind", "kimd")
    done = await with_file(running, tmp_path / "copy", "terms.toml", wrong, "calendar", "show")
    assert done.code == 2, done.out
    assert "law/terms.toml:4 kimd：没有这一项" in done.err
    assert "No such member" in done.err


def test_l18_publicity_is_article_266() -> None:
    """Since 2024-01-01; article 262 is about handing over licences."""
    cited = [
        str(path.relative_to(PRODUCT))
        for part in ("gateway", "schemas", "adapters", "examples")
        for path in sorted((PRODUCT / part).rglob("*"))
        if path.suffix in (".py", ".mjs", ".json") and "CPL-262" in path.read_text(encoding="utf-8")
    ]
    assert cited == []


@pytest.mark.slow
async def test_l19_a_commission_without_its_number(papers: Installation, tmp_path: Path) -> None:
    """A warning and a line in the ledger; a list of numbers settles it, all of its lines or none."""
    site = papers
    status, bare = await posted(site, commission(1900), FUPING)
    assert (status, rules(bare)) == (202, [("/platform", "platform-missing")])
    number = bare["request_no"]
    assert (await ledger(site, "platform"))[number]["state"] == "opened"
    filed = {"no": "ZX-2026-001901", "filed_on": day(-1)}
    status, numbered = await posted(site, commission(1901, platform=filed), FUPING)
    assert (status, rules(numbered)) == (202, [])
    assert (await view(site, numbered["request_no"]))["platform_no"] == filed["no"]
    status, exempt = await posted(site, commission(1902, platform_exempt="上级法院批准线下办理"), FUPING)
    assert (status, rules(exempt)) == (202, [])
    assert (await view(site, exempt["request_no"]))["platform"] == "exempt"
    assert not {numbered["request_no"], exempt["request_no"]} & (await ledger(site, "platform")).keys()
    numbers = tmp_path / "numbers.csv"
    numbers.write_bytes(
        f"请求编号,平台编号,填报日期\r\n{number},ZX-1,{day(0)}\r\nX,ZX-2,{day(0)}\r\n".encode("gb18030")
    )
    wrong = await site.run("platform", "import", str(numbers))
    assert wrong.code == 2 and f"{numbers}:3 request_no" in wrong.err
    numbers.write_bytes(f"请求编号,平台编号,填报日期\r\n{number},ZX-1,{day(0)}\r\n".encode("gb18030"))
    done = await site.run("platform", "import", str(numbers), "--json")
    assert done.json() == {"lines": 1, "entered": 1}, done.err
    assert (await ledger(site, "platform"))[number]["settled_on"] == day(0)
    assert (await view(site, number))["platform_no"] == "ZX-1"


@pytest.mark.slow
async def test_l19_a_court_may_require_it(ruled: Installation) -> None:
    status, refused = await posted(ruled, commission(1910), FUPING)
    assert (status, rules(refused, "errors")) == (422, [("/platform", "platform-required")])
    filed = {"no": "ZX-2026-001911", "filed_on": day(-1)}
    status, accepted = await posted(ruled, commission(1911, platform=filed), FUPING)
    assert (status, rules(accepted)) == (202, []), accepted


async def test_l20_the_notice_begins_the_thirty_days(papers: Installation) -> None:
    """Money that came forty days ago and was told ten days ago is not late; ten days after a delay's reason ended."""
    status, accepted = await posted(papers, payment(2000, notified_on=day(-10), pay_by=day(19)), OFFICE)
    assert status == 202, accepted
    status, late = await posted(papers, payment(2001, pay_by=day(19)), OFFICE)
    assert (status, rules(late, "errors")) == (422, [("/payload/pay_by", "payout-late")])
    assert "法发〔2017〕6号第十条" in late["errors"][0]["detail"]
    delay = {"reason": "attached", "approved_by": "局演示", "approved_on": day(-20), "ended_on": day(-5)}
    delayed = payment(2002, pay_by=day(60), delay=delay)
    delayed["documents"].append({**delayed["documents"][0], "kind": "delay-approval"})
    status, late = await posted(papers, delayed, OFFICE)
    assert (status, rules(late, "errors")) == (422, [("/payload/pay_by", "payout-late-after-delay")])
    delayed["payload"]["pay_by"] = day(4)
    status, accepted = await posted(papers, delayed, OFFICE)
    assert status == 202, accepted


@pytest.mark.slow
async def test_l20_unidentified_money_waits_for_its_claim(running: Installation) -> None:
    """不明款: it is owed to nobody yet; 认领 begins its term."""
    office, item = await running.agency(OFFICE), f"DZ-{uuid7().hex[-12:]}"
    payload = dict(catalogue()[RECEIPT].example_request) | {"receipt_no": item, "received_on": day(-90)}
    payload.pop("notified_on", None)
    names = {"court": {"name": "综合办公室（演示）"}}
    await office.say(office.begin(RECEIPT), "open", {**names, "payload": {**payload, "unidentified": True}})
    await office.fence()
    unknown = (await ledger(running, "fund")).get(item, {})
    assert (unknown.get("state"), unknown.get("due_on"), unknown.get("overdue_days")) == ("unidentified", None, 0)
    claim = {"request": {"case_no": "（2026）陕0199执902010号"}, "payload": {**payload, "claimed_on": day(-1)}, **names}
    await office.say(office.begin(RECEIPT, case_no="（2026）陕0199执902010号"), "open", claim)
    await office.fence()

    async def claimed() -> bool:
        return bool((await ledger(running, "fund"))[item]["state"] == "claimed")

    await eventually(claimed)
    known = (await ledger(running, "fund"))[item]
    assert known["overdue_days"] == 0 and known["due_on"] >= day(29)


@pytest.mark.slow
async def test_l20_a_court_counts_working_days_of_its_own(ruled: Installation) -> None:
    status, late = await posted(ruled, payment(2020, notified_on=day(-2), pay_by=day(25)), OFFICE)
    assert (status, rules(late, "errors")) == (422, [("/payload/pay_by", "payout-late")])
    assert "7 个工作日" in late["errors"][0]["detail"] and "本院执行案款管理规定第七条" in late["errors"][0]["detail"]
    status, accepted = await posted(ruled, payment(2021, notified_on=day(-2), pay_by=day(1)), OFFICE)
    assert status == 202, accepted


@pytest.mark.slow
async def test_l20_a_court_answers_sooner_by_its_own_rule(ruled: Installation, running: Installation) -> None:
    """One working day by the agreement with the grid, where the catalogue has three: in the API and in the commands."""
    due: dict[str, str] = {}
    for site in (ruled, running):
        status, accepted = await posted(site, verify(2030), GRID)
        assert status == 202, accepted
        due[site.url] = (await view(site, accepted["request_no"]))["due_on"]
        shown = (await site.run("request", "show", accepted["request_no"], "--json")).json()
        assert shown["due_on"] == due[site.url]
        own = ("1 working_days", "网格联动协议第六条") if site is ruled else (None, None)
        assert (shown.get("term"), shown.get("term_source")) == own
        async with site.court.session.get("/v1/types/grid.verify.request") as answer:
            told = (await answer.json())["deadline"]
        listed = {row["type"]: row["deadline"] for row in (await site.run("types", "--json")).json()}
        assert f"{told['amount']} {told['kind']}" == listed["grid.verify.request"]
        assert told["amount"] == (1 if site is ruled else 3)
    assert day(0) < due[ruled.url] < due[running.url]


@pytest.mark.slow
async def test_l20_what_a_text_fixes_is_not_made_longer(tmp_path: Path, running: Installation) -> None:
    """Whoever looks is told file, line, word, article and what is allowed; what needs no table goes on."""
    status, accepted = await posted(running, verify(2031), GRID)
    assert status == 202, accepted
    for code, *arguments in ((2, "law", "list"), (2, "types"), (2, "calendar", "show"), (1, "doctor")):
        done = await with_file(running, tmp_path / "copy", "answer-terms.toml", LONGER, *map(str, arguments))
        assert done.code == code, done
        assert done.out == "" or arguments == ["doctor"], "only doctor looks at the rest as well"
        for words in (
            "law/answer-terms.toml:3 days：10 个工作日；法发〔2025〕8号第五条规定 7 日，本院规定只可缩短",
            "days (kind legal) 不超过 7",
            "10 working days; FAFA-2025-8-5 says 7 legal days, which a court's own rule may only shorten",
        ):
            assert words in done.err, (arguments, done.err)
    asked = ("request", "show", accepted["request_no"], "--json")
    done = await with_file(running, tmp_path / "copy", "answer-terms.toml", LONGER, *asked)
    assert done.json()["request_no"] == accepted["request_no"]
