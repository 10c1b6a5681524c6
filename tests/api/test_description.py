"""Tests of the API description: it is true of every call, and requests that contradict it are refused."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from html import unescape
from typing import Any

import pytest
import requests
import schemathesis
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from accounts.tokens.call_limits import call_limits
from llamora.api.endpoints import Endpoint, endpoints
from llamora.api.openapi import build_description
from llamora.api.urls import urlpatterns
from llamora.crypto import SCOPES
from search.embedder.holder import embedders
from search.index.registry import indexes
from tests.api.program import Program
from tests.people import Resident

ALL_SCOPES = tuple(sorted(SCOPES.keys() - {"drop"}))
EXAMPLES = 8
# A shorter text may be a part of our own words.
LEAST_ECHO = 8
# `test_roles` tries tokens. No schema says that a day has begun, or that a cursor is one of ours.
UNCHECKED = [ignored_auth, positive_data_acceptance]
CALLS = endpoints.list_all()
# Read by a thread of its own, which sees nothing of a test's transaction: `test_export` looks at its answers.
STREAMED = {"/api/v1/export", "/api/v1/memory/export"}
assert urlpatterns  # whose module registers every call


@lru_cache(maxsize=2)
def load_schema(mode: GenerationMode) -> Any:
    schema = schemathesis.openapi.from_dict(json.loads(json.dumps(build_description())))
    schema.config.generation.modes = [mode]
    return schema


def send(case: Any, *, token: str) -> Response:
    """Send a generated request with the test client, and return its answer as schemathesis reads one."""
    sent = requests.Request(**case.as_transport_kwargs(base_url="http://localhost")).prepare()
    sent.headers.pop("X-API-Key", None)
    sent.headers["Authorization"] = f"Bearer {token}"
    body = sent.body or b""
    answer = Client().generic(
        sent.method or "",
        sent.path_url,
        body.encode() if isinstance(body, str) else body,
        content_type=sent.headers.get("Content-Type", ""),
        headers={name: value for name, value in sent.headers.items() if name.isascii()},
    )
    return Response(
        status_code=answer.status_code,
        headers={name.lower(): [value] for name, value in answer.headers.items()},
        content=read_content(answer),
        request=sent,
        elapsed=0.0,
        verify=False,
    )


def read_content(answer: Any) -> bytes:
    """Return the whole content of an answer, also of one that streams."""
    if not getattr(answer, "is_async", False):
        return bytes(answer.getvalue())

    async def collect() -> bytes:
        return b"".join([part async for part in answer.streaming_content])

    return asyncio.run(collect())


def iter_texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for pair in value.items() for part in pair for text in iter_texts(part))
    elif isinstance(value, list):
        yield from (text for part in value for text in iter_texts(part))


def list_cases(*, of_questions: bool) -> list[Any]:
    """Return each call with valid input, and with invalid input those that take any."""
    modes = {"valid": GenerationMode.POSITIVE, "invalid": GenerationMode.NEGATIVE}
    return [
        pytest.param(call, mode, id=f"{call.method} {call.path}, {name}")
        for call in CALLS
        if call.path.startswith("/api/chat") is of_questions
        if call.path not in STREAMED
        for name, mode in modes.items()
        if name == "valid" or call.body or call.query or call.path_types
    ]


@lru_cache(maxsize=1)
def build_words() -> str:
    """Return all words of the description, which a refusal may say."""
    return json.dumps(build_description())


@pytest.mark.parametrize(("call", "mode"), list_cases(of_questions=False))
def test_every_answer_is_as_described(olive: Resident, call: Endpoint, mode: GenerationMode) -> None:
    olive.write("An entry")
    check_answers(olive, call, mode)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("call", "mode"), list_cases(of_questions=True))
def test_every_answer_to_a_question_is_as_described(
    transactional_db: None, olive: Resident, call: Endpoint, mode: GenerationMode
) -> None:
    # It is found in the index, whose threads see only what is committed.
    olive.write("An entry")
    embedders.set_embedder(None)
    assert indexes.for_owner(olive.open_keyring()).words_ready.wait(30)
    check_answers(olive, call, mode)
    indexes.close_all()


def check_answers(olive: Resident, call: Endpoint, mode: GenerationMode) -> None:
    """Send what the description says a call takes, or what it does not take, and check each answer."""
    token = Program.create(olive, *ALL_SCOPES, writes_own_text=True).token
    operation = load_schema(mode)[call.path][call.method]
    statuses: Counter[int] = Counter()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Any) -> None:
        call_limits.clear()
        answer = send(case, token=token)
        statuses[answer.status_code] += 1
        assert answer.status_code < 500
        if answer.status_code >= 400:
            sent = [*iter_texts(case.body), *iter_texts(dict(case.query or {}))]
            said = build_words()
            assert not [
                text for text in sent if len(text) >= LEAST_ECHO and text in answer.text and text not in said
            ]
        case.validate_response(answer, excluded_checks=UNCHECKED)

    check()
    is_known = "id" not in call.path_types
    assert not is_known or mode.is_negative or statuses[call.status] > 0, statuses
    assert statuses.keys().isdisjoint({401, 403, 423})


# --- The page ----------------------------------------------------------------------------------------------


def test_the_description_is_there_for_everybody(client: Client) -> None:
    answer = client.get("/api/openapi.json")

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert answer.json()["openapi"] == "3.1.0"
    assert answer.json()["paths"].keys() == {call.path for call in CALLS}


def test_the_page_names_every_call_and_runs_no_script(client: Client) -> None:
    page = client.get("/api/docs")
    text = page.content.decode()

    assert page.status_code == 200
    assert "<script" not in text
    for call in CALLS:
        assert f"{call.method} {call.path}" in text
        assert call.summary in unescape(text)


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_other_places_lead_to_it(client: Client, path: str) -> None:
    assert client.get(path).headers["Location"] == "/api/docs"


def test_every_refusal_of_a_call_is_described() -> None:
    for by_method in build_description()["paths"].values():
        for described in by_method.values():
            if described.get("security") != []:
                assert {"401", "403", "404", "413", "422", "423", "429"} <= described["responses"].keys()
