"""Random calls, made from the published document, never meet a fault of ours nor an answer that it does not describe.

The served API, its real store and a real token; every operation with a bounded number of examples.
"""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from gateway.application.submission.documents import MEDIA_TYPES
from gateway.http.description.openapi import openapi_document
from gateway.store import open_store
from gateway.store.upkeep.migrate import migrate
from schemas.catalogue import catalogue
from tests.api.world import PDF, PDF_SHA, Keys, grid_request, serving, token_for

EXAMPLES = 6
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]

for media_type in (*MEDIA_TYPES, "application/sd-jwt"):

    @schemathesis.serializer(media_type)
    def as_bytes(context: object, value: object) -> bytes:
        return value if isinstance(value, bytes) else str(value).encode()


class Served(threading.Thread):
    """The API in a loop of its own: schemathesis calls it from the test's thread."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self.folder = folder
        self.url = ""
        self.ready = threading.Event()
        self.loop = asyncio.new_event_loop()
        self.done = asyncio.Event()

    def run(self) -> None:
        self.loop.run_until_complete(self._serve())
        self.loop.close()

    async def _serve(self) -> None:
        database = f"sqlite:///{self.folder / 'lianzhi.db'}"
        await migrate(database)
        store = await open_store(database)
        async with serving(store, self.folder / "papers", Keys.fresh()) as world:
            self.url = world.url
            self.ready.set()
            await self.done.wait()
        await store.close()

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.done.set)
        self.join(20)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("schemathesis")
    thread = Served(folder)
    thread.start()
    assert thread.ready.wait(30), "the API did not start"
    yield thread
    thread.stop()
    shutil.rmtree(folder)


# One type and three verbs stand for all: making strategies for every one takes a minute, and `test_openapi` looks at
# each of them.
FEW = {name: catalogue()[name] for name in ("police.person-locate.request",)}
VERBS = ("confirm", "result", "withdraw")


@pytest.fixture(scope="module")
def schema() -> Any:
    """Made where it is used: its cases take seconds, and every worker collects every test."""
    document = openapi_document(FEW)
    acts = document["components"]["schemas"]["AnyAct"]
    mapping = {verb: acts["discriminator"]["mapping"][verb] for verb in VERBS}
    acts["discriminator"]["mapping"] = mapping
    acts["oneOf"] = [{"$ref": ref} for ref in mapping.values()]
    return schemathesis.openapi.from_dict(document)


described = schemathesis.pytest.from_fixture("schema")


@pytest.mark.slow
@described.parametrize()
@settings(
    max_examples=EXAMPLES,
    phases=[Phase.explicit, Phase.generate],
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_as_described(case: schemathesis.Case[Any], served: Served) -> None:
    if case.query and "wait" in case.query:
        case.query["wait"] = 0
    checked(case, served)


def checked(case: schemathesis.Case[Any], served: Served) -> Any:
    token = {"Authorization": f"Bearer {token_for('cms1')}"}
    return case.call_and_validate(base_url=served.url, headers=token, checks=CHECKS)


def test_real_answers_are_as_described(served: Served, schema: Any) -> None:
    """What chance does not find: answers about things that exist."""

    def call(method: str, path: str, **how: Any) -> Any:
        return checked(schema[path][method].Case(**how), served)

    body = {"media_type": "application/json", "headers": {"Idempotency-Key": "real"}}
    accepted = call("POST", "/v1/requests", body=grid_request(), **body)
    assert accepted.status_code == 202
    which = {"path_parameters": {"no": accepted.json()["request_no"]}}
    withdraw = {"verb": "withdraw", "by": "sn0199-0007", "data": {"reason_code": "paid"}}
    assert call("POST", "/v1/requests/{no}/messages", body=withdraw, **which, **body).status_code == 422
    body["headers"] = {"Idempotency-Key": "another"}
    assert call("POST", "/v1/requests/{no}/messages", body=withdraw, **which, **body).status_code == 202
    paper = {"path_parameters": {"sha256": PDF_SHA}}
    assert call("PUT", "/v1/documents/{sha256}", body=PDF, media_type="application/pdf", **paper).status_code == 201
    for path in ("/v1/requests/{no}", "/v1/requests/{no}/messages", "/v1/requests/{no}/timeline"):
        assert call("GET", path, **which).status_code == 200
    assert call("GET", "/v1/documents/{sha256}", **paper).status_code == 200
    for path in ("/v1/requests", "/v1/events", "/v1/measures", "/v1/types"):
        assert call("GET", path, query={}).status_code == 200
    assert call("GET", "/v1/types/{type}", path_parameters={"type": "grid.verify.request"}).status_code == 200
