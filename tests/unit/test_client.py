"""The court system's library without a gateway: what it signs, keeps, believes and refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.core.contracts import contract_for
from gateway.core.routing import Participant
from lianzhi.client import DestroyedError, InvalidBodyError, Message, ProblemError
from lianzhi.client.problems import ChangedKeyError, CursorGoneError, UnexpectedAnswerError, problem_from
from lianzhi.client.signing import Act, Author, plain_act, signed_act, submission
from lianzhi.client.spool import Spool, fingerprint
from lianzhi.client.trust import PINNED, KeyBook, merged, open_message
from lianzhi.client.wire import Backoff, Reply
from lianzhi.crypto import sdjwt
from lianzhi.crypto.keyring import Keyring, generate_jwk, private_key_from_jwk, public_jwk, public_key_from_jwk
from lianzhi.crypto.limits import Limits
from lianzhi.crypto.sdjwt import SUBMISSION_TYP
from lianzhi.crypto.seal import seal
from lianzhi.errors import MisuseError, RejectedError
from lianzhi.problem import REASONS, Problem
from lianzhi.protocol import policy
from lianzhi.protocol.cards import cards
from lianzhi.protocol.contract import Contract
from lianzhi.protocol.envelope import CANONICAL, CONTENT_TYPE
from schemas.catalogue import Kind, catalogue
from tests.vectors.scene import vector

NOW = datetime(2026, 3, 24, 2, 10, tzinfo=UTC)
COURT, POLICE, GRID = "court-sn0199", "police-610199", "grid-610199"
LOCATE, VERIFY = "police.person-locate.request", "grid.verify.request"
ID = "019d1d97-0000-7a31-8c11-0a4b6d2e9f00"
THREAD = vector("thread.json")
MESSAGES = {m["name"]: m for m in THREAD["messages"]}
SIGN = private_key_from_jwk(THREAD["keys"][f"{COURT}.sub.cms1"])
OPENS = private_key_from_jwk(THREAD["keys"][f"{COURT}.enc.cms1"])
RING = Keyring([public_key_from_jwk(public_jwk(jwk)) for jwk in THREAD["keys"].values()], [OPENS])
AUTHOR = Author(COURT, COURT, SIGN)
NOBODY = Author(COURT, COURT, None)
CONTRACT = Contract(
    contract_for(
        Participant(COURT, Kind.COURT, "x", "x", "http", CANONICAL, accepts=("*",), opens=("*",), home=True),
        COURT,
        {LOCATE: catalogue()[LOCATE]},
        NOW,
    )
)


def body(name: str, **changes: Any) -> dict[str, Any]:
    given = {
        "type": name,
        "schema_version": 1,
        "case_no": "（2026）陕0199执900001号",
        "legal_basis": ["INT-482"],
        "purpose": "locate-for-questioning",
        "handler": "sn0199-0007",
        "drafted_by": "sn0199-0031",
        "payload": dict(catalogue()[name].example_request),
    }
    return given | changes


def handed(content: Mapping[str, Any], author: Author = AUTHOR, **how: Any) -> Any:
    given: dict[str, Any] = {"receivers": (), "sign": None, "message_id": ID, "now": NOW, "cards": cards()}
    return submission(author, content, **(given | how))


class TestSubmission:
    def test_a_coercive_one_is_signed_and_passes_the_gateways_own_rules(self) -> None:
        made = handed(body(LOCATE), receivers=(POLICE,))
        assert (made.path, made.content_type) == ("/v1/requests", CONTENT_TYPE)
        proved = policy.authenticate(
            made.body, sender=COURT, keyring=RING, now=NOW, limits=Limits(), purpose="sub", typ=SUBMISSION_TYP
        )
        envelope = policy.examine_submission(proved, gateway=COURT)
        assert (envelope.receiver, envelope.matter_type, envelope.verb) == (POLICE, LOCATE, "open")
        assert proved.parsed.content == body(LOCATE)

    def test_it_is_what_the_published_conversation_shows(self) -> None:
        shown = MESSAGES["submission"]
        made = handed(shown["body_after_opening"], receivers=(POLICE,), now=datetime(2026, 3, 24, 2, 5, 50, tzinfo=UTC))
        ours = sdjwt.parse(made.body)
        assert ours.content == shown["body_after_opening"]
        assert {k: v for k, v in ours.event.items() if k != "data"} == {
            k: v for k, v in shown["event"].items() if k != "data"
        }

    def test_to_several_of_a_type_for_one_it_is_plain_and_names_them(self) -> None:
        many = handed(body(VERIFY), receivers=(GRID, "grid-610198"))
        assert many.content_type == "application/json"
        assert json.loads(many.body) == body(VERIFY, receivers=[GRID, "grid-610198"])

    def test_what_we_have_a_key_for_is_signed_unless_the_caller_says_not(self) -> None:
        for content in (body(VERIFY), body(LOCATE), body(LOCATE, type="police.something-new.request")):
            assert handed(content, receivers=(POLICE,)).content_type == CONTENT_TYPE
            assert handed(content, receivers=(POLICE,), sign=False).content_type == "application/json"
            assert handed(content, NOBODY, receivers=(POLICE,)).content_type == "application/json"

    def test_the_receiver_may_stand_in_the_body(self) -> None:
        made = handed(body(LOCATE, receiver=POLICE))
        parsed = sdjwt.parse(made.body)
        assert parsed.event["receiver"] == POLICE
        assert "receiver" not in parsed.content
        assert sdjwt.parse(handed(body(VERIFY, receivers=[GRID])).body).event["receiver"] == GRID

    def test_a_signed_one_of_a_type_for_several_names_them_all_and_the_first_in_its_envelope(self) -> None:
        listed = body("sanction.dishonest.publish")
        made = handed(listed, receivers=("pub-a", "pub-b"))
        parsed = sdjwt.parse(made.body)
        assert made.content_type == CONTENT_TYPE
        assert parsed.event["receiver"] == "pub-a"
        assert parsed.content["receivers"] == ["pub-a", "pub-b"]
        assert "receivers" not in sdjwt.parse(handed(listed, receivers=("pub-a",)).body).content

    @pytest.mark.parametrize("receivers", [(), (POLICE, "police-610198")])
    def test_a_signed_one_goes_to_exactly_one(self, receivers: tuple[str, ...]) -> None:
        with pytest.raises(MisuseError):
            handed(body(LOCATE), receivers=receivers, sign=True)

    def test_without_a_key_nothing_can_be_signed(self) -> None:
        with pytest.raises(MisuseError, match="sign_key"):
            handed(body(LOCATE), NOBODY, receivers=(POLICE,), sign=True)

    def test_the_same_content_is_the_same_intention_whatever_its_salt(self) -> None:
        once, again = (handed(body(LOCATE), receivers=(POLICE,), message_id=i) for i in (ID, ID[:-1] + "1"))
        other = handed(body(LOCATE, purpose="other"), receivers=(POLICE,))
        assert once.body != again.body
        marks = [fingerprint(made.path, made.content) for made in (once, again, other)]
        assert marks[0] == marks[1] != marks[2]


class TestActs:
    ACT = Act(f"{COURT}-20260324-000001", "supplement", "sn0199-0007", {"documents": [], "fields": []})

    def test_plain(self) -> None:
        made = plain_act(self.ACT)
        assert made.path == f"/v1/requests/{self.ACT.request_no}/messages"
        assert json.loads(made.body) == self.ACT.members()

    def test_signed_names_the_request_inside_and_the_other_party_outside(self) -> None:
        made = signed_act(AUTHOR, self.ACT, matter=LOCATE, version=1, receiver=POLICE, message_id=ID, now=NOW)
        proved = policy.authenticate(
            made.body, sender=COURT, keyring=RING, now=NOW, limits=Limits(), purpose="sub", typ=SUBMISSION_TYP
        )
        envelope = policy.examine_submission(proved, gateway=COURT)
        assert (envelope.verb, envelope.matter_type, envelope.receiver) == ("supplement", LOCATE, POLICE)
        assert proved.parsed.content["request_no"] == self.ACT.request_no


@pytest.fixture
async def spool(tmp_path: Path) -> AsyncIterator[Spool]:
    spool = Spool(tmp_path / "spool.sqlite", "a@b", lambda: NOW)
    await spool.open()
    yield spool
    await spool.close()


def listed(name: str, raw: str | None = None, **changes: Any) -> Message:
    shown = MESSAGES[name]
    event = shown["event"]
    given = {
        "request_no": event["subject"],
        "message_id": event["id"],
        "sender": event["source"][2:],
        "receiver": event["receiver"],
        "verb": name,
        "seqno": event["seqno"],
        "time": event["time"],
        "stored_at": event["time"],
        "disposition": "applied",
        "digest": "x" * 43,
        "bytes": raw or shown["bytes"],
    }
    return Message(**(given | changes))


def read(message: Message, refs: tuple[str, ...] = ("k7m2q9xa",)) -> Any:
    return open_message(message, court=COURT, keyring=RING, own={OPENS.kid}, refs=refs, contract=CONTRACT)


def resealed(change: Mapping[str, Any], *, head: Mapping[str, Any] | None = None, **ids: str) -> Message:
    """The published result with another body, sealed and signed by the police as before."""
    shown = MESSAGES["result"]
    event = dict(shown["event"])
    event["data"] = {"head": event["data"]["head"] if head is None else dict(head)}
    key = public_key_from_jwk(public_jwk(THREAD["keys"][OPENS.kid]))
    inside = {"request_no": event["subject"], "message_id": event["id"]} | ids
    jwe = seal(dict(change), key=key, request_no=inside["request_no"], message_id=inside["message_id"])
    police = private_key_from_jwk(THREAD["keys"][f"{POLICE}.sig.1"])
    return listed("result", sdjwt.issue(event, "sealed", jwe, police).raw.decode())


class TestReading:
    def test_a_place_is_opened_joined_and_validated(self) -> None:
        found = read(listed("result"))
        assert found.own
        assert found.data["outcome"] == "done"
        assert found.data["items"] == MESSAGES["result"]["body_after_opening"]["items"]
        assert found.envelope.verb == "result"

    def test_what_is_not_sealed_to_us_is_verified_and_taken_in_translation(self) -> None:
        data = {"stored_at": "2026-03-24T10:06:37+08:00", "system": "x"}
        found = read(listed("delivered", data=data))
        assert (found.own, found.data) == (False, data)

    def test_a_key_revoked_since_does_not_unsay_it(self) -> None:
        revoked = NOW + timedelta(days=2)
        keys = [public_key_from_jwk(public_jwk(jwk), revoked_at=revoked) for jwk in THREAD["keys"].values()]
        message = listed("result")
        ring = Keyring(keys, [OPENS])
        how: dict[str, Any] = {
            "court": COURT,
            "own": {OPENS.kid},
            "refs": ["k7m2q9xa"],
            "keyring": ring,
            "contract": CONTRACT,
        }
        assert open_message(message, **how).own
        late = listed("result", stored_at="2026-03-27T00:00:00.000Z")
        with pytest.raises(RejectedError, match="key-revoked"):
            open_message(late, **how)

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"sender": "police-610198"}, "foreign-key"),
            ({"request_no": f"{COURT}-20260324-000002"}, "misdirected"),
            ({"message_id": ID}, "misdirected"),
            ({"bytes": MESSAGES["open"]["bytes"], "sender": COURT}, "wrong-receiver"),
            ({"bytes": MESSAGES["result"]["bytes"].replace("~", "A~", 1)}, "bad-signature"),
        ],
    )
    def test_what_is_not_what_it_was_listed_as_is_an_alarm(self, changes: dict[str, Any], reason: str) -> None:
        with pytest.raises(RejectedError) as caught:
            read(listed("result", **changes))
        assert caught.value.code in (reason, "not-an-sd-jwt")

    def test_a_destroyed_payload_says_so(self) -> None:
        with pytest.raises(DestroyedError):
            read(listed("result", destroyed=True))

    def test_without_translation_and_without_our_key_there_is_nothing_to_read(self) -> None:
        with pytest.raises(RejectedError, match="cannot-open"):
            open_message(listed("result"), court=COURT, keyring=RING, own=(), refs=(), contract=None)

    @pytest.mark.parametrize(
        ("message", "rule"),
        [
            (resealed({"items": [{"ref": "k7m2q9xa", "sightings": [{"place": "东街"}]}]}), "missing-member"),
            (resealed({"items": []}), "too-few"),
            (resealed({"items": [{"ref": "aaaaaaaa", "sightings": []}]}), "unknown-ref"),
            (resealed({"items": [], "outcome": "none"}), "duplicate-member"),
            (resealed({"items": []}, message_id=ID), "seal-mismatch"),
            (resealed({"items": []}, request_no=f"{COURT}-20260324-000002"), "seal-mismatch"),
        ],
    )
    def test_a_signed_answer_that_cannot_be_used_names_what_is_wrong_and_not_what_it_says(
        self, message: Message, rule: str
    ) -> None:
        with pytest.raises(InvalidBodyError) as caught:
            read(message)
        assert rule in [e.rule for e in caught.value.errors]
        assert "东街" not in str(caught.value)

    def test_a_result_for_another_object_of_ours_is_no_result_of_this_request(self) -> None:
        with pytest.raises(InvalidBodyError, match="unknown-ref"):
            read(listed("result"), refs=("m3x8d2va",))


class TestKeys:
    SHOWN = {"keys": [public_jwk(THREAD["keys"][f"{POLICE}.sig.1"])]}

    async def test_the_set_is_pinned_when_first_seen(self, spool: Spool) -> None:
        asked = []

        async def fetch() -> Any:
            asked.append(1)
            return self.SHOWN

        for _ in range(2):
            ring = await KeyBook(spool, [OPENS], None, fetch).ring()
            assert ring.verification_key(POLICE, f"{POLICE}.sig.1", "sig")
        assert len(asked) == 1
        assert json.loads(await spool.note(PINNED) or "") == self.SHOWN

    async def test_a_given_set_is_believed_alone(self, spool: Spool) -> None:
        async def fetch() -> Any:
            raise AssertionError("not to be asked")

        book = KeyBook(spool, [OPENS], self.SHOWN, fetch)
        assert await book.ring() is await book.renewed()

    async def test_a_new_key_is_added_and_an_old_one_stays(self, spool: Spool) -> None:
        second = public_jwk(generate_jwk(f"{POLICE}.sig.2"))
        shown = [self.SHOWN, {"keys": [second]}]

        async def fetch() -> Any:
            return shown.pop(0)

        book = KeyBook(spool, [], None, fetch)
        await book.ring()
        ring = await book.renewed()
        assert [k.kid for k in ring.public_keys(POLICE)] == [f"{POLICE}.sig.1", f"{POLICE}.sig.2"]

    def test_a_revocation_arrives_and_another_key_under_a_known_kid_does_not(self) -> None:
        (key,) = self.SHOWN["keys"]
        revoked = merged(self.SHOWN, {"keys": [{**key, "revoked_at": 1}]})
        assert revoked["keys"][0]["revoked_at"] == 1
        with pytest.raises(ChangedKeyError):
            merged(self.SHOWN, {"keys": [public_jwk(generate_jwk(f"{POLICE}.sig.1"))]})

    @pytest.mark.parametrize("shown", [[], {}, {"keys": {}}, {"keys": [{"kty": "EC"}]}])
    def test_what_is_no_key_set_is_not_the_gateways(self, shown: Any) -> None:
        with pytest.raises(UnexpectedAnswerError):
            merged(self.SHOWN, shown)


class TestWire:
    def test_pauses_grow_to_a_bound_and_respect_what_was_asked(self) -> None:
        backoff = Backoff(first=1.0, most=8.0)
        for attempt, longest in enumerate((1, 2, 4, 8, 8, 8)):
            assert longest / 2 <= backoff.pause(attempt) <= longest
        assert backoff.pause(10_000) <= 8
        assert backoff.pause(0, 20.0) == 20.0
        assert backoff.pause(0, 1e9) == 300.0

    @pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
    def test_these_are_no_answers_yet(self, status: int) -> None:
        assert Reply(status, "application/json", b"{}", None).later

    @pytest.mark.parametrize("status", [200, 202, 400, 404, 409, 422])
    def test_and_these_are(self, status: int) -> None:
        assert not Reply(status, "application/json", b"{}", None).later

    def test_a_problem_has_its_code_its_fields_and_both_languages(self) -> None:
        error = RejectedError("invalid-field", pointer="/payload/person/id_no")
        reply = Reply(422, "application/problem+json", json.dumps(error.problem().document()).encode(), None)
        with pytest.raises(ProblemError) as caught:
            reply.document()
        assert (caught.value.code, caught.value.status) == ("invalid-field", 422)
        assert caught.value.errors[0].pointer == "/payload/person/id_no"
        assert REASONS["invalid-field"].zh in str(caught.value) and "Invalid field" in str(caught.value)

    def test_a_gone_cursor_is_an_error_of_its_own(self) -> None:
        assert isinstance(problem_from(Problem.of("cursor-gone").document()), CursorGoneError)

    @pytest.mark.parametrize(
        "reply",
        [
            Reply(200, "text/html", b"<html>", None),
            Reply(200, "application/json", b"<html>", None),
            Reply(302, "text/html", b"", None),
            Reply(404, "text/html", b"<html>", None),
            Reply(404, "application/problem+json", b"nonsense", None),
            Reply(404, "application/problem+json", b'{"type":"about:blank","title":"Not found"}', None),
        ],
    )
    def test_a_proxys_page_is_not_the_gateways_answer(self, reply: Reply) -> None:
        with pytest.raises(UnexpectedAnswerError):
            reply.document()


BASE_ONLY = """
import sys
REFUSED = {"sqlalchemy", "alembic", "aiosqlite", "asyncpg", "obstore", "prometheus_client", "structlog",
           "pydantic_settings", "aio_pika"}

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in REFUSED:
            raise ImportError(f"{name} is not installed here")

sys.meta_path.insert(0, Refuse())
import lianzhi.client
OTHERS = ("adapters", "gateway.core", "gateway.store", "gateway.application", "gateway.broker", "lianzhi.partner")
foreign = sorted(name for name in sys.modules if name.startswith(OTHERS))
assert not foreign, foreign
"""


def test_the_library_needs_the_base_dependencies_only() -> None:
    done = subprocess.run([sys.executable, "-c", BASE_ONLY], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
