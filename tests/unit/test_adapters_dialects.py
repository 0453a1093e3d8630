"""The shipped dialects: the conversation in tests/vectors word for word, and what partners send us."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.contract import AdapterError, Canonical
from adapters.registry import adapter_for
from schemas.bodies import Opening
from schemas.catalogue import catalogue

LOCATE = "police.person-locate.request"
SEAL = "police.vehicle-seal.request"
HIT = "police.vehicle-hit.alert"
ENTRUST = "entrust.matter.request"
VERIFY = "grid.verify.request"
NOTICE = "assoc.member-notice.publish"

THREAD = json.loads((Path(__file__).parents[1] / "vectors" / "thread.json").read_text("utf-8"))
SAID = {message["name"]: message.get("body_after_opening") for message in THREAD["messages"]}
COURT = {"code": "court-sn0199", "court_code": "陕0199", "name": "云川县人民法院（演示）"}
HANDLER = {"name": "李演示", "permit": "陕0199-0007"}


def opening(type_: str, payload: dict[str, Any] | None = None, **request: Any) -> Canonical:
    """As the gateway puts it for the home court; payload: the catalogue's example unless given."""
    data = {
        "request": {
            "request_no": "court-sn0199-20260324-000001",
            "case_no": "（2026）陕0199执900001号",
            "purpose": "locate-for-questioning",
            "urgency": "normal",
            "legal_basis": ["INT-482", "DCH-15"],
            "campaign": "陕亮执行·2025",
            **request,
        },
        "court": COURT,
        "handler": HANDLER,
        "documents": SAID["submission"]["documents"],
        "payload": payload or dict(catalogue()[type_].example_request),
    }
    return Canonical(type_, "open", data)


def check(type_: str, data: dict[str, Any]) -> None:
    """What was decoded is canonical."""
    Opening.model_validate(data)
    catalogue()[type_].request.model_validate(data["payload"])


async def test_the_open_of_the_thread_word_for_word() -> None:
    police = adapter_for("police/1")
    m = opening(LOCATE, SAID["submission"]["payload"])
    body = await police.encode(m)
    assert body == SAID["open"]
    assert list(body) == list(SAID["open"])
    back = await police.decode(LOCATE, "open", body)
    assert back == police.visible(m)
    assert "campaign" not in back["request"]
    check(LOCATE, back)


async def test_the_answers_of_the_thread_word_for_word() -> None:
    police = adapter_for("police/1")
    delivered = {"stored_at": "2026-03-24T10:06:37+08:00", "system": "云川县公安局协查平台（演示）"}
    receipt = {
        "received_at": "2026-03-24T10:31:52+08:00",
        "person": "赵演示",
        "badge": "061234",
        "unit": "云川县公安局（演示）",
        "unit_code": "610199000000",
    }
    said = {"QSSJ": "20260324103152", "QSRXM": "赵演示", "QSRJH": "061234", "QSDW": "云川县公安局（演示）"}
    assert await police.decode(LOCATE, "delivered", SAID["delivered"]) == delivered
    assert await police.encode(Canonical(LOCATE, "delivered", delivered)) == SAID["delivered"]
    assert await police.encode(Canonical(LOCATE, "receipt", receipt)) == {**said, "QSDWJGDM": "610199000000"}
    assert await police.decode(LOCATE, "receipt", {**said, "QSDWJGDM": "610199000000"}) == receipt


async def test_vehicles_have_another_clock_and_no_debt() -> None:
    police = adapter_for("police/1")
    body = await police.encode(opening(SEAL))
    assert {
        "HPHM": "陕A90001",
        "HPZL": "02",
        "CFLX": "1",
        "CFQSSJ": "20260324",
        "CLSYR": "王演示",
    }.items() <= body.items()
    assert body["SYR"] == {
        "ref": "k7m2q9xa",
        "CYZJDM": "111",
        "ZJHM": "610199199003071237",
        "RYSF": "01",
    }
    assert "128000" not in json.dumps(body)
    stored = await police.encode(Canonical(SEAL, "delivered", {"stored_at": "2026-03-24T02:06:37Z", "system": "甲"}))
    assert stored["CCSJ"] == "2026-03-24 10:06:37"


async def test_an_alert_of_the_police_is_an_opening() -> None:
    police = adapter_for("police/1")
    body = {
        "QQDH": "police-610199-20260402-000001",
        "ref": "v5t9c2hb",
        "YJXH": "YJ6101990000001",
        "BKXH": "BK6101990000001",
        "HPHM": "陕A90001",
        "HPZL": "02",
        "GCSJ": "2026-04-02 22:58:41",
        "KKMC": "演示区西环路卡口",
        "KKBH": "610199000001",
        "FXMC": "由南向北",
        "TP1": "a" * 64,
        "TP2": "b" * 64,
        "TP3": None,
        "HPBF": "0",
        "SFCJLJ": "1",
        "CZDW": "云川县公安局交警大队（演示）",
        "LXDH": "13800138002",
        "JJCD": "3",
    }
    data = await police.decode(HIT, "open", body)
    check(HIT, data)
    assert data["request"] == {"request_no": "police-610199-20260402-000001", "urgency": "immediate"}
    assert data["payload"]["passed_at"] == "2026-04-02T22:58:41+08:00"
    assert data["payload"]["images"] == ["a" * 64, "b" * 64]
    assert data["payload"]["intercepted"] is True
    del body["TP3"]
    assert await police.encode(Canonical(HIT, "open", data)) == body


async def test_too_many_pictures_are_not_dropped_in_silence() -> None:
    payload = {**catalogue()[HIT].example_request, "images": ["a" * 64] * 4}
    with pytest.raises(AdapterError) as caught:
        await adapter_for("police/1").encode(Canonical(HIT, "open", {"request": {}, "payload": payload}))
    assert (caught.value.pointer, caught.value.rule) == ("/payload/images", "too-many")


async def test_a_commission_of_a_neighbour_is_an_opening() -> None:
    court = adapter_for("court/1")
    body = {
        "KZQQDH": "court-sn0528-20260324-000001",
        "AH": "（2026）陕0528执900002号",
        "FYDM": "陕0528",
        "FYMC": "富平县人民法院",
        "CBR": "周演示",
        "GZZBH": "陕0528-0011",
        "LXFS": "13800138003",
        "WTSXDM": "freeze-deposit",
        "KZLX": "1",
        "KZCS": "01",
        "WTFYDM": "陕0528",
        "STFYDM": "陕0199",
        "BLDD": "云川县",
        "XZDW": "演示银行云川支行",
        "KSRQ": "20260324",
        "JSRQ": "20270323",
        "BLQX": 15,
        "SFJJ": "0",
        "objects": [
            {
                "ref": "d2f6h8jk",
                "BDLX": "01",
                "DSR": {
                    "ref": "k7m2q9xa",
                    "XM": "王演示",
                    "ZJLX": "01",
                    "XZ": "1",
                    "DSRZJHM": "610199199003071237",
                    "DSRLX": "01",
                },
                "JE": "86000.00",
                "KHH": "演示银行云川支行",
                "KHZH": "6100000000900001",
            }
        ],
        "YT": "seize-asset",
        "ZFYJ": "民事诉讼法第二百五十三条",
        "JJCD": "1",
        "documents": [
            {
                "kind": "entrust-letter",
                "WSBH": "（2026）陕0528执900002号之一",
                "issued_on": "2026-03-20",
                "sha256": "b" * 64,
                "pages": 1,
                "media_type": "application/pdf",
            }
        ],
    }
    data = await court.decode(ENTRUST, "open", body)
    check(ENTRUST, data)
    assert data["payload"]["matter_code"] == "freeze-deposit"
    assert data["payload"]["objects"][0]["party"]["id_kind"] == "resident-id"
    assert await court.encode(Canonical(ENTRUST, "open", data)) == body


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"KZLX": "1", "KZCS": "06"}, "deduct-deposit"),
        ({"KZLX": "2", "KZCS": "04"}, "unfreeze-wealth"),
        ({"WTSXDM": "seal-realty"}, "seal-realty"),
        ({"WTSXDM": "freeze-deposit"}, "freeze-deposit"),
    ],
)
async def test_a_commission_may_be_said_by_either_code(said: dict[str, str], code: str) -> None:
    data = await adapter_for("court/1").decode(ENTRUST, "open", said)
    assert data["payload"]["matter_code"] == code


@pytest.mark.parametrize(
    "said",
    [{"KZCS": "01"}, {"KZLX": "1", "KZCS": "03"}, {"WTSXDM": "seal-realty", "KZCS": "01"}, {"WTSXDM": "seize-all"}],
)
async def test_contradicting_or_unknown_commission_codes_are_refused(said: dict[str, str]) -> None:
    with pytest.raises(AdapterError) as caught:
        await adapter_for("court/1").decode(ENTRUST, "open", said)
    assert caught.value.rule == "unknown-code"
    assert caught.value.pointer == f"/{next(iter(said))}"


async def test_the_grid_gets_a_name_four_characters_and_an_address() -> None:
    body = await adapter_for("grid/1").encode(opening(VERIFY))
    assert body == {
        "taskNo": "court-sn0199-20260324-000001",
        "courtName": "云川县人民法院（演示）",
        "contactName": "李演示",
        "ref": "m3x8d2va",
        "name": "李示例",
        "idTail4": "462X",
        "address": {"divisionCode": "610199", "street": "东街", "detail": "1号"},
        "questions": ["livesHere", "contactable"],
        "urgency": "normal",
    }


async def test_what_the_grid_found() -> None:
    said = {
        "items": [
            {
                "ref": "m3x8d2va",
                "livesHere": "1",
                "lastSeenMonth": "2026-03",
                "contactable": "9",
                "premisesState": "3",
                "workerNo": "yc-0003",
                "workerName": "孙示例",
                "visitedAt": "2026-03-26T10:05:00+08:00",
            }
        ]
    }
    (found,) = (await adapter_for("grid/1").decode(VERIFY, "result", said))["items"]
    assert (found["lives_here"], found["contactable"], found["premises_state"]) == ("yes", "unknown", "vacant")
    said["items"][0]["premisesState"] = "4"
    with pytest.raises(AdapterError) as caught:
        await adapter_for("grid/1").decode(VERIFY, "result", said)
    assert (caught.value.pointer, caught.value.rule) == ("/items/0/premisesState", "unknown-code")
    assert "1, 2, 3, 9" in caught.value.en


async def test_an_association_gets_the_public_list() -> None:
    association = adapter_for("association/1")
    m = opening(NOTICE)
    body = await association.encode(m)
    assert body == {
        "noticeNo": "court-sn0199-20260324-000001",
        "ref": "q4w8n3zt",
        "iname": "周样例",
        "cardNum": "6101991985****1234",
        "courtName": "云川县人民法院（演示）",
        "areaName": "陕西",
        "gistId": "（2025）陕0199民初900007号",
        "regDate": "20260112",
        "publishDate": "20260302",
        "performance": "全部未履行",
        "disruptTypeName": "有履行能力而拒不履行生效法律文书确定义务",
    }
    check(NOTICE, await association.decode(NOTICE, "open", body))


@pytest.mark.parametrize(
    ("dialect", "type_", "verb", "canonical", "said"),
    [
        ("police/1", LOCATE, "open", "/payload/person/id_no", "/ZJHM"),
        ("police/1", SEAL, "open", "/payload/vehicle/owner/id_no", "/SYR/ZJHM"),
        ("police/1", SEAL, "result", "/items/1/fail_reason", "/items/1/SBYY"),
        ("police/1", LOCATE, "return", "/contact_log/0/person", "/LXJL/0/LXR"),
        ("court/1", ENTRUST, "open", "/payload/objects/2/account_no", "/objects/2/KHZH"),
        ("court/1", ENTRUST, "open", "/payload/objects/2/party/id_no", "/objects/2/DSR/DSRZJHM"),
        ("court/1", ENTRUST, "result", "/items/0/findings/3/answer", "/items/0/DCJG/3/DF"),
        ("court/1", ENTRUST, "open", "/payload/matter_code", "/WTSXDM"),
        ("grid/1", VERIFY, "result", "/items/0/lives_here", "/items/0/livesHere"),
    ],
)
def test_a_partner_is_told_its_own_field(dialect: str, type_: str, verb: str, canonical: str, said: str) -> None:
    assert adapter_for(dialect).pointer(type_, verb, canonical) == said
