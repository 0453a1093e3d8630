"""The contract file of a partner: which one is believed, and what it keeps us from saying."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.core.contracts import contract_for
from lianzhi.client import ClientConfig
from lianzhi.crypto import jcs, jws
from lianzhi.crypto.keyring import generate_jwk, private_key_from_jwk, public_jwk
from lianzhi.errors import ConfigurationError, MisuseError
from lianzhi.partner import PartnerConfig
from lianzhi.partner.doctor import contract_checks
from lianzhi.partner.engine.replies import Saying, Writer
from lianzhi.partner.ledger.records import Conversation
from lianzhi.partner.partner import cards_of
from lianzhi.protocol import contract as contracts
from lianzhi.protocol.contract import ContractDocument, sign_contract
from schemas.catalogue import catalogue
from tests.integration.partner_court import COURT, DIRECTORY, JWKS, POLICE, Court, write_partner
from tests.unit.test_partner_desk import living

NOW = datetime.now(UTC)
LOCATE, SEAL, HIT = "police.person-locate.request", "police.vehicle-seal.request", "police.vehicle-hit.alert"
COMMISSION = "entrust.matter.request"
NUMBER = f"{COURT}-20260324-000001"
ORIGIN = ("019d1d97-ab0a-7a31-8c11-0a4b6d2e9f01", "3iuPVGmxgdPwGmQHYekOcVoAcl96LR2zm5eHdCqET4A")
RECEIPT = {"QSSJ": "20260324103152", "QSRXM": "赵演示"}
ALERT = {
    "ref": "v5t9c2hb",
    "YJXH": "YJ6101990000001",
    "BKXH": "BK6101990000001",
    "HPHM": "陕A90001",
    "HPZL": "02",
    "GCSJ": "2026-04-02 22:58:41",
    "KKMC": "演示区西环路卡口",
    "TP1": "a" * 64,
    "HPBF": "0",
    "SFCJLJ": "1",
    "CZDW": "云川县公安局交警大队（演示）",
    "LXDH": "13800138002",
}
TYPES = {name: matter for name, matter in catalogue().items() if name in (LOCATE, SEAL, HIT)}
OTHER = "court-sn0528"
OTHER_KEY = generate_jwk(f"{OTHER}.sig.1")


def document(code: str = POLICE, gateway: str = COURT) -> ContractDocument:
    asked = DIRECTORY.get(code)
    assert asked is not None
    return contract_for(asked, gateway, TYPES, NOW)


def signed(told: ContractDocument, jwk: dict[str, Any] = JWKS[f"{COURT}.sig.1"]) -> bytes:
    return sign_contract(told, private_key_from_jwk(jwk))


def load(folder: Path, raw: bytes, **more: Any) -> PartnerConfig:
    (folder / "contract.json").write_bytes(raw)
    path = write_partner(folder, "amqp://x:y@localhost:5672/lianzhi", contract="contract.json", **more)
    return PartnerConfig.load(path)


def writer(config: PartnerConfig) -> Writer:
    key = config.open_keys[0].kid
    return Writer(POLICE, config.sign_key, config.keyring, cards_of(config), key, config.contract)


def talk(matter: str = LOCATE, dialect: str = "police/1", **more: Any) -> Conversation:
    members: dict[str, Any] = {"marks": {"open": ORIGIN}, "refs": ["k7m2q9xa"], "opened": True, **more}
    members.setdefault("reply_key", f"{COURT}.enc.cms1")
    return Conversation(NUMBER, matter, 1, "asked", COURT, dialect, **members)


def altered(raw: bytes) -> bytes:
    """One character of the Chinese name of a type."""
    return raw.replace("查封".encode(), "查对".encode(), 1)


def longer(raw: bytes) -> bytes:
    return raw + b" " * contracts.BYTES


def newer(raw: bytes) -> bytes:
    return raw.replace(b'"version":1', b'"version":2', 1)


REFUSED: list[tuple[Callable[[], bytes], str, str]] = [
    (lambda: signed(document(COURT)), "另一单位的契约", "contract of another participant"),
    (lambda: altered(signed(document())), "被改动过", "altered since it was signed"),
    (lambda: signed(document(gateway=OTHER), OTHER_KEY), "由另一法院签发", "signed by another court"),
    (lambda: signed(document(), generate_jwk(f"{COURT}.sig.9")), "不在 gateway_keys 中", "not in gateway_keys"),
    (lambda: longer(signed(document())), "文件过大", "too large"),
    (lambda: newer(signed(document())), "请升级", "update this program"),
    (lambda: b"{}", "不是契约文件", "not a contract"),
    (lambda: b"\xff", "不是契约文件", "not a contract"),
]
IDS = ["another's", "altered", "another court", "unknown key", "too large", "newer version", "empty", "no text"]


@pytest.mark.parametrize(("make", "zh", "en"), REFUSED, ids=IDS)
def test_what_is_not_our_contract_is_told_in_words(tmp_path: Path, make: Callable[[], bytes], zh: str, en: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, make())
    assert "partner.toml，contract：contract.json：" in str(caught.value)
    assert zh in str(caught.value) and en in str(caught.value)


def test_another_court_is_not_believed_even_where_its_key_is_held(tmp_path: Path) -> None:
    path = write_partner(tmp_path, "amqp://x:y@localhost:5672/lianzhi", contract="contract.json")
    keys = tmp_path / "court-sn0199.keys.json"
    held = json.loads(keys.read_text())
    keys.write_text(json.dumps({"keys": [*held["keys"], public_jwk(OTHER_KEY)]}))
    (tmp_path / "contract.json").write_bytes(signed(document(gateway=OTHER), OTHER_KEY))
    with pytest.raises(ConfigurationError, match="signed by another court"):
        PartnerConfig.load(path)


@pytest.mark.parametrize(("member", "en"), [("revoked_at", "revoked"), ("exp", "not in force")])
def test_a_key_that_does_not_hold_any_more_signs_no_contract(tmp_path: Path, member: str, en: str) -> None:
    path = write_partner(tmp_path, "amqp://x:y@localhost:5672/lianzhi", contract="contract.json")
    keys = tmp_path / "court-sn0199.keys.json"
    told = json.loads(keys.read_text())
    for key in told["keys"]:
        key[member] = int((NOW - timedelta(days=2)).timestamp())
    keys.write_text(json.dumps(told))
    (tmp_path / "contract.json").write_bytes(signed(document()))
    with pytest.raises(ConfigurationError, match=en):
        PartnerConfig.load(path)


def test_what_a_newer_gateway_tells_beside_is_passed_over(tmp_path: Path) -> None:
    """Its signature holds over everything that stands there."""
    key = private_key_from_jwk(JWKS[f"{COURT}.sig.1"])
    content = document().model_dump(mode="json", by_alias=True, exclude_defaults=True)
    content["colour"] = "red"
    content["types"][0] |= {"colour": "red"}
    content["types"][0]["card"]["colour"] = "red"
    content["types"][0]["verbs"]["open"]["colour"] = {"deep": ["red"]}
    header, _, mark = jws.sign({"typ": contracts.TYP}, jcs.canonical(content), key).split(".")
    raw = json.dumps({"contract": content, "signature": f"{header}..{mark}"}, ensure_ascii=False).encode()
    config = load(tmp_path, raw)
    assert config.contract is not None and config.contract.types.keys() == TYPES.keys()
    with pytest.raises(ConfigurationError, match="altered"):
        load(tmp_path, raw.replace(b'"deep": ["red"]', b'"deep": ["rot"]'))


@pytest.mark.parametrize(
    ("matter", "verb", "body", "head", "pointer", "rule"),
    [
        (LOCATE, "receipt", {"QSSJ": "20260324103152"}, {}, "/QSRXM", "missing-member"),
        (LOCATE, "receipt", {**RECEIPT, "QSRXM": None}, {}, "/QSRXM", "missing-member"),
        (LOCATE, "receipt", {**RECEIPT, "person": "赵演示"}, {}, "/person", "extra-member"),
        (LOCATE, "receipt", {**RECEIPT, "QSSJ": "2026-03-24"}, {}, "/QSSJ", "wrong-form"),
        (LOCATE, "receipt", {**RECEIPT, "QSRXM": "赵" * 121}, {}, "/QSRXM", "too-long"),
        (LOCATE, "refuse", {"JJYY": 7}, {"reason_code": "technical"}, "/JJYY", "wrong-type"),
        (
            LOCATE,
            "result",
            {"items": [{"ref": "k7m2q9xa", "sightings": [{"place": "东街"}]}]},
            {"outcome": "done", "as_of": "2026-03-25T14:50:00+08:00", "ttl_hours": 72},
            "/items/0/sightings/0/seen_at",
            "missing-member",
        ),
        (
            SEAL,
            "result",
            {"items": [{"ref": "k7m2q9xa", "CFZT": "9"}]},
            {"outcome": "done", "as_of": "2026-03-25T14:50:00+08:00"},
            "/items/0/CFZT",
            "unknown-code",
        ),
        (
            SEAL,
            "result",
            {"items": []},
            {"outcome": "done", "as_of": "2026-03-25T14:50:00+08:00"},
            "/items",
            "too-few",
        ),
    ],
)
def test_a_wrong_body_is_refused_before_a_number_is_used(
    tmp_path: Path, matter: str, verb: str, body: dict[str, Any], head: dict[str, Any], pointer: str, rule: str
) -> None:
    """In both languages, with the place and the rule, and without what was written."""
    asking = writer(load(tmp_path, signed(document())))
    conversation = talk(matter)
    with pytest.raises(MisuseError) as caught:
        asking.say(conversation, Saying(verb, body, head), NOW)
    assert conversation.our_seq == 0 and conversation.marks == {"open": ORIGIN}
    told = str(caught.value)
    assert f"{pointer} {rule}: " in told
    assert "赵" not in told and "东街" not in told
    assert re.search(f"{re.escape(pointer)} {rule}: [^（]*[\u4e00-\u9fff][^（]*（[A-Z][ -~]+", told), told


def test_what_keeps_the_contract_is_said_and_a_null_is_as_if_it_were_not_there(tmp_path: Path) -> None:
    asking, conversation = writer(load(tmp_path, signed(document()))), talk()
    asking.say(conversation, Saying("receipt", {**RECEIPT, "QSRJH": None}, {}), NOW)
    assert conversation.our_seq == 1


def test_a_conversation_of_an_earlier_dialect_is_not_held_against_the_new_one(tmp_path: Path) -> None:
    asking, conversation = writer(load(tmp_path, signed(document()))), talk(dialect="plain/1")
    asking.say(conversation, Saying("receipt", {"received_at": "2026-03-24T10:31:52+08:00", "person": "赵"}, {}), NOW)
    assert conversation.our_seq == 1


def test_a_type_that_the_contract_does_not_know_is_as_the_release_knows_it(tmp_path: Path) -> None:
    config = load(tmp_path, signed(document()))
    assert config.contract is not None and COMMISSION not in config.contract.types
    asking, conversation = writer(config), talk(COMMISSION, dialect="court/1")
    row = asking.say(conversation, Saying("receipt", {"anything": 1}, {}), NOW)
    assert row.verb == "receipt"
    with pytest.raises(MisuseError, match=r"no such matter type: x\.y"):
        asking.card("x.y")


def test_what_the_library_says_by_itself_is_not_stopped(tmp_path: Path) -> None:
    """Else an incoming message could not be stored for the sake of a form in partner.toml."""
    asking, conversation = writer(load(tmp_path, signed(document()))), talk()
    asking.say(conversation, Saying("delivered", {"SJ": "x"}, {}), NOW, ours=True)
    assert conversation.our_seq == 1
    assert asking.delivered_form(conversation) == {"CCSJ": "{time:%Y%m%d%H%M%S}", "CCXT": "{system}"}
    assert asking.delivered_form(talk(dialect="plain/1")) is None
    assert asking.delivered_form(talk(COMMISSION)) is None


async def test_a_reply_and_a_request_that_were_refused_used_no_number(tmp_path: Path) -> None:
    """The next one follows the `delivered` that the library said itself, and the first request of the day is the first.
    Each is written as the contract says."""
    config, court = load(tmp_path, signed(document()), system="协查平台"), Court()
    async with living(config, types=cards_of(config)) as site:
        talk = court.talk()
        await site.arrive(court.make(talk, "open", {"ref": "k7m2q9xa"}, head={"refs": ["k7m2q9xa"]}))
        request = await site.next()
        with pytest.raises(MisuseError, match="/QSRXM missing-member"):
            await request.reply("receipt", {"QSSJ": "20260324103152"})
        await request.reply("receipt", RECEIPT)
        how: dict[str, Any] = {"urgency": "immediate", "case_no": None, "related": None, "dialect": None}
        with pytest.raises(MisuseError, match="/HPZL unknown-code"):
            await site.desk.open(HIT, COURT, Saying("open", {**ALERT, "HPZL": "77"}, {}), **how)
        number = await site.desk.open(HIT, COURT, Saying("open", ALERT, {}), **how)
        assert number.endswith("-000001")
        assert await site.published() == ["delivered", "receipt", "open"]
        assert [site.broker.event(index)["seqno"] for index in range(3)] == [1, 2, 1]
        assert site.broker.content(0).keys() == {"CCSJ", "CCXT"}
        assert site.broker.content(0)["CCXT"] == "协查平台"


def test_doctor_tells_of_the_contract(tmp_path: Path) -> None:
    told = document()
    (check,) = contract_checks(load(tmp_path, signed(told)), NOW)
    assert (check.subject, check.level) == ("contract", "ok")
    for word in (COURT, told.issued_at, "3 types", "police/1", f"key {COURT}.sig.1"):
        assert word in check.en
    (absent,) = contract_checks(PartnerConfig.load(write_partner(tmp_path, "amqp://x:y@localhost:5672/lianzhi")), NOW)
    assert (absent.level, "contract.json" in absent.zh) == ("warning", True)
    checks = [*contract_checks(load(tmp_path, signed(told), dialect="police/2", system="长" * 121), NOW)]
    assert [c.level for c in checks] == ["ok", "warning", "wrong"]
    assert "/CCXT too-long" in checks[-1].zh


def client(folder: Path, raw: bytes, *, keys: bool = True) -> ClientConfig:
    (folder / "token").write_text("x\n")
    (folder / "contract.json").write_bytes(raw)
    (folder / "keys.json").write_text(json.dumps({"keys": [public_jwk(JWKS[f"{COURT}.sig.1"])]}))
    members = {"url": "https://a.example", "court": COURT, "token_file": "token", "spool": "s.sqlite"}
    members |= {"contract": "contract.json"} | ({"gateway_keys": "keys.json"} if keys else {})
    path = folder / "client.toml"
    path.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in members.items()))
    return ClientConfig.load(path)


def test_the_court_systems_contract_is_told_likewise(tmp_path: Path) -> None:
    raw = signed(document(COURT))
    assert client(tmp_path, raw).contract == raw
    for wrong, words in ((altered(raw), "altered"), (signed(document()), "another participant"), (b"{", "not a")):
        with pytest.raises(ConfigurationError, match=f"client.toml，contract：contract.json：.*{words}"):
            client(tmp_path, wrong)
    assert client(tmp_path, altered(raw), keys=False).contract == altered(raw)  # judged once the keys are known
