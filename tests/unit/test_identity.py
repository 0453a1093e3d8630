"""Who is one person: what an ID needs beside its number, and how a person was told by earlier versions."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from gateway.core.control.measures import kept_by, keys_to_find, object_key
from gateway.core.records import Measure
from schemas.catalogue import catalogue, earlier_of
from schemas.validation import InvalidError, parse_data, parse_open, validate
from schemas.values.objects import Person
from schemas.values.people import identity_of

CONTROL, ENTRUST, PROPERTY = "police.person-control.request", "entrust.matter.request", "dept.property-control.request"
SECRET = b"k" * 32
HONG_KONG = {"id_issuer": "香港特别行政区入境事务处", "id_name": "香港永久性居民身份证"}


def person(kind: str, number: str, **members: str) -> Person:
    return validate(
        Person,
        {"ref": "k7m2q9xa", "name": "王演示", "id_kind": kind, "id_no": number, "role": "被执行人", **members},
        stored=True,
    )


def control(kind: str, number: str, **members: str) -> dict[str, Any]:
    payload = copy.deepcopy(dict(catalogue()[CONTROL].example_request))
    payload["person"] |= {"id_kind": kind, "id_no": number, "birth_date": "1985-03-12", **members}
    return payload


def faults(type: str, payload: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(InvalidError) as caught:
        parse_open(catalogue()[type], payload)
    return [(error.pointer, error.rule) for error in caught.value.errors]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (person("resident-id", "610199199003071237"), person("resident-id", "610199199003071237"), True),
        (person("passport", "E12345678", id_country="CHN"), person("passport", "E12345678", id_country="USA"), False),
        (person("passport", "K1234567", id_country="HKG"), person("passport", "K1234567", id_country="CHN"), True),
        (person("hm-travel-permit", "H12345678"), person("hm-travel-permit", "H1234567802"), True),
        (person("hm-travel-permit", "H12345678"), person("hm-travel-permit", "H12345679"), False),
        (person("hm-travel-permit", "H12345678"), person("hm-travel-permit", "M12345678"), False),
        (person("taiwan-travel-permit", "12345678"), person("taiwan-travel-permit", "1234567801"), True),
        (person("other", "A123456(7)", **HONG_KONG), person("other", "A123456(7)", **HONG_KONG), True),
        (
            person("other", "12345", id_issuer="海事局", id_name="海员证"),
            person("other", "12345", id_issuer="海事局 ", id_name="海员 证"),
            True,
        ),
        (
            person("other", "12345", id_issuer="海事局", id_name="海员证"),
            person("other", "12345", id_issuer="渔政局", id_name="海员证"),
            False,
        ),
    ],
)
def test_who_is_the_same_person(one: Person, other: Person, same: bool) -> None:
    assert (identity_of(one) == identity_of(other)) is same


def test_resident_ids_keep_the_words_that_they_had() -> None:
    """The keys of measures on nearly everybody: unchanged."""
    rule = catalogue()[CONTROL].measure(parse_open(catalogue()[CONTROL], catalogue()[CONTROL].example_request))
    assert rule is not None
    ((_, words),) = rule.objects
    assert (words, earlier_of(words)) == ("id:resident-id:610199199003071237", ())


@pytest.mark.parametrize(
    ("payload", "before"),
    [
        (control("passport", "E12345678", id_country="USA"), "id:passport:E12345678"),
        (control("other", "A123456(7)", **HONG_KONG), "id:other:A123456(7)"),
        (control("hm-travel-permit", "H1234567802"), "id:hm-travel-permit:H1234567801"),
        (control("hm-travel-permit", "H1234567802"), "id:hm-travel-permit:H12345678"),
        (control("taiwan-travel-permit", "12345678"), "id:taiwan-travel-permit:1234567801"),
    ],
)
def test_measures_of_earlier_versions_are_found(payload: dict[str, Any], before: str) -> None:
    matter = catalogue()[CONTROL]
    rule = matter.measure(parse_open(matter, payload))
    assert rule is not None
    old, other = (
        Measure(no, "r-1", CONTROL, rule.action, "c", object_key(SECRET, words), "k7m2q9xa", "active", "police-610199")
        for no, words in (("m-1", before), ("m-2", "id:passport:E1"))
    )
    assert old.object_key in keys_to_find(rule, "police-610199", SECRET)[0]
    assert kept_by(rule, [old, other], SECRET) == [old]


@pytest.mark.parametrize(
    ("kind", "number"), [("other", "无"), ("officer-id", "0000"), ("passport", "00000"), ("passport", "E12345678")]
)
def test_what_was_accepted_before_stays_accepted(kind: str, number: str) -> None:
    """Its measure must be ended; nobody can ask for it anew."""
    matter, payload = catalogue()[CONTROL], control(kind, number)
    kept = parse_open(matter, payload, stored=True)
    rule = matter.measure(kept)
    assert rule is not None and rule.objects[0][1] == f"id:{kind}:{number}"
    assert faults(CONTROL, payload)


def test_what_was_said_before_can_be_read() -> None:
    matter = catalogue()["grid.verify.request"]
    signed = {"received_at": "9999-12-31T23:59:59-08:00", "person": " ", "badge": "-"}
    assert parse_data(matter, "receipt", signed, stored=True)
    with pytest.raises(InvalidError) as caught:
        parse_data(matter, "receipt", signed)
    assert [(e.pointer, e.rule) for e in caught.value.errors] == [
        ("/received_at", "day-range"),
        ("/person", "text-form"),
        ("/badge", "text-says-nothing"),
    ]


@pytest.mark.parametrize(
    ("kind", "number", "members", "fault"),
    [
        ("passport", "E12345678", {}, ("/payload/person/id_country", "id-country-required")),
        ("passport", "E12345678", {"id_country": "XYZ"}, ("/payload/person/id_country", "id-country-form")),
        ("other", "A123456(7)", {"id_name": "海员证"}, ("/payload/person/id_issuer", "id-issuer-required")),
        ("other", "A123456(7)", {"id_issuer": "海事局"}, ("/payload/person/id_name", "id-name-required")),
        ("officer-id", "061234", {"id_country": "CHN"}, ("/payload/person/id_country", "id-detail-not-needed")),
        ("passport", "E1234567", {"id_name": "护照"}, ("/payload/person/id_name", "id-detail-not-needed")),
    ],
)
def test_what_a_kind_needs(kind: str, number: str, members: dict[str, str], fault: tuple[str, str]) -> None:
    assert faults(CONTROL, control(kind, number, **members)) == [fault]


@pytest.mark.parametrize("type", [ENTRUST, PROPERTY])
def test_an_object_stands_once(type: str) -> None:
    payload = copy.deepcopy(dict(catalogue()[type].example_request))
    first = payload["objects"][0]
    payload["objects"].append({**first, "ref": "zzzzzzz2", "party": {**first["party"], "ref": "zzzzzzz3"}})
    assert faults(type, payload) == [("/payload/objects/1", "duplicate-object")]
    name = "account_no" if type == ENTRUST else "unit_no"
    payload["objects"][1][name] = first[name][:-1] + "9"
    assert parse_open(catalogue()[type], payload)


@pytest.mark.parametrize("number", ["000000", "000-000"])
def test_accounts_are_not_all_zeros(number: str) -> None:
    payload = copy.deepcopy(dict(catalogue()[ENTRUST].example_request))
    payload["objects"][0]["account_no"] = number
    assert faults(ENTRUST, payload) == [("/payload/objects/0/account_no", "register-number-form")]
