"""Tests of HTTP requests to MCP: tokens, other origins, methods, bodies, and rate limits."""

import json
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import AsyncRequestFactory, Client

from accounts.models import AccessToken
from accounts.tokens import call_limits
from accounts.tokens.verification import OpenedToken
from llamora.api.authentication import open_token
from llamora.crypto import TokenKind
from llamora.mcp import messages, views
from llamora.mcp.tools import TOOLS
from llamora.mcp.views import MAX_BODY, serve_mcp
from tests.mcp.assistant import ADDRESS, Assistant
from tests.mcp.conftest import MakeAssistant
from tests.mcp.exchange import NEW, OLD, build_headers, build_request, build_stateless
from tests.people import Resident

DISCOVER = build_stateless("server/discover")


@pytest.fixture
def assistant(make_assistant: MakeAssistant) -> Assistant:
    return make_assistant("diary:read", "diary:write")


def read_error(answer: Any) -> tuple[int, str]:
    """Return the status and the code of a refusal."""
    body = json.loads(answer.content)
    assert (body["jsonrpc"], body["id"]) == ("2.0", None)
    assert body["error"]["message"]
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.status_code, body["error"]["data"]["error_code"]


# --- Who is answered -------------------------------------------------------------------------------------


def test_a_token_comes_in_either_header(assistant: Assistant) -> None:
    assert assistant.ask("server/discover")["result"]["supportedVersions"] == [NEW]
    answer = Client().generic(
        "POST",
        ADDRESS,
        json.dumps(DISCOVER),
        content_type="application/json",
        headers={"X-API-Key": assistant.token, **build_headers(DISCOVER)},
    )
    assert answer.status_code == 200


@pytest.mark.parametrize("change", [lambda token: "", lambda token: token[:-1], lambda token: "pomegranate"])
@pytest.mark.parametrize("body", [DISCOVER, build_request("ping"), b"pomegranate"])
def test_without_a_valid_token_nothing_is_answered(assistant: Assistant, change: Any, body: object) -> None:
    assistant.token = change(assistant.token)

    answer = assistant.post(body)

    assert read_error(answer) == (401, "invalid_token")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert b"pomegranate" not in answer.content


def test_a_revoked_token_is_answered_no_more(olive: Resident, assistant: Assistant) -> None:
    olive.post(f"/settings/programs/{AccessToken.objects.get().id}/revoke/")

    assert read_error(assistant.post(DISCOVER)) == (401, "invalid_token")


def test_the_cookie_of_a_person_counts_for_nothing(olive: Resident) -> None:
    answer = olive.client.generic("POST", ADDRESS, json.dumps(DISCOVER), content_type="application/json")

    assert read_error(answer) == (401, "invalid_token")


def test_a_token_in_the_address_is_refused(assistant: Assistant) -> None:
    answer = Client().generic("POST", f"{ADDRESS}?token={assistant.token}", b"{}")

    assert read_error(answer) == (403, "token_in_url")
    assert assistant.token.encode() not in answer.content


@pytest.mark.parametrize(
    "origin",
    ["https://elsewhere.example", "null", "http://testserver.elsewhere.example", "https://testserver"],
)
def test_a_page_of_another_site_is_refused_before_its_token_is_looked_at(
    assistant: Assistant, origin: str
) -> None:
    answer = assistant.post(DISCOVER, Origin=origin)
    assert read_error(answer) == (403, "foreign_origin")
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert Client().options(ADDRESS, headers={"Origin": origin}).status_code == 403
    assistant.token = "wrong"
    assert read_error(assistant.post(DISCOVER, Origin=origin)) == (403, "foreign_origin")


def test_a_page_of_our_own_address_and_of_one_that_the_household_names_may_ask(
    assistant: Assistant, settings: Any
) -> None:
    settings.API_ORIGINS = ["https://tools.example"]

    for origin, readers in (("http://testserver", None), ("https://tools.example", "https://tools.example")):
        asked = Client().options(ADDRESS, headers={"Origin": origin})
        answer = assistant.post(DISCOVER, Origin=origin, **build_headers(DISCOVER))

        assert (asked.status_code, answer.status_code) == (204, 200)
        assert asked.headers.get("Access-Control-Allow-Origin") == readers
        assert answer.headers.get("Access-Control-Allow-Origin") == readers
    sent = {name.strip() for name in asked.headers["Access-Control-Allow-Headers"].split(",")}
    assert {"Authorization", "Content-Type", *build_headers(DISCOVER, Mcp_Name="a")} <= sent


def test_another_host_is_refused_in_json_and_a_person_with_a_page(assistant: Assistant) -> None:
    answer = assistant.post(DISCOVER, Host="elsewhere.example")
    page = Client().get("/sign-in/", headers={"Host": "elsewhere.example"})

    assert answer.status_code == 403
    assert json.loads(answer.content)["error_code"] == "foreign_origin"
    assert page.status_code == 400
    assert b"<html" in page.content


# --- What is answered ------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "PATCH", "HEAD"])
def test_nothing_but_post_is_allowed(assistant: Assistant, method: str) -> None:
    answer = Client().generic(method, ADDRESS, headers={"Authorization": f"Bearer {assistant.token}"})

    assert answer.status_code == 405
    assert answer.headers["Allow"] == "OPTIONS, POST"


@pytest.mark.parametrize("type_", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_of_another_type_is_refused(assistant: Assistant, type_: str) -> None:
    answer = Client().generic(
        "POST", ADDRESS, b"{}", content_type=type_, headers={"Authorization": f"Bearer {assistant.token}"}
    )

    assert read_error(answer) == (415, "unsupported_media_type")


def test_a_body_that_is_too_large_is_refused(assistant: Assistant) -> None:
    assert read_error(assistant.post(b" " * (MAX_BODY + 1))) == (413, "too_large")
    assert assistant.post(b" " * MAX_BODY).status_code == 400


def test_no_session_begins(assistant: Assistant) -> None:
    answer = assistant.post(build_request("initialize", protocolVersion=OLD))

    assert json.loads(answer.content)["result"]["protocolVersion"] == OLD
    assert "Mcp-Session-Id" not in answer.headers
    assert not answer.cookies
    assert assistant.post({"jsonrpc": "2.0", "method": "notifications/initialized"}).status_code == 202


def test_a_header_that_comes_twice_is_seen_though_django_joins_them(assistant: Assistant) -> None:
    headers = {"Authorization": f"Bearer {assistant.token}", **build_headers(DISCOVER)}
    request = AsyncRequestFactory().generic(
        "POST", ADDRESS, json.dumps(DISCOVER), content_type="application/json", headers=headers
    )
    once = serve_mcp(request)
    request.scope["headers"].append((b"mcp-method", b"server/discover"))
    twice = serve_mcp(request)

    assert once.status_code == 200
    assert json.loads(twice.content)["error"]["code"] == messages.HEADER_MISMATCH


def test_no_key_outlasts_a_request(assistant: Assistant, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[OpenedToken] = []

    def open_and_note(request: HttpRequest) -> OpenedToken:
        opened.append(open_token(request))
        return opened[-1]

    monkeypatch.setattr(views, "open_token", open_and_note)

    assert "result" in assistant.ask("tools/list")
    assert assistant.post(b" " * (MAX_BODY + 1)).status_code == 413

    assert [one.keyring is not None and one.keyring.is_closed for one in opened] == [True, True]


# --- While the diary is locked ---------------------------------------------------------------------------


@pytest.mark.parametrize("tool", ["search_diary", "read_day", "write_entry", "resolve_date"])
def test_an_assistant_starts_while_the_diary_is_locked_and_is_told_what_to_do(
    olive: Resident, assistant: Assistant, tool: str
) -> None:
    tools = assistant.list_tools()
    olive.lock()

    assert assistant.ask_as_of_old("initialize", protocolVersion=OLD)["result"]["protocolVersion"] == OLD
    # Nobody knows which of them the token may call.
    assert assistant.list_tools().keys() == {tool.name for tool in TOOLS} >= tools.keys()
    assert "Its owner unlocks it in a browser" in assistant.fail(tool)
    refused = assistant.ask("resources/read", uri="llamora://day/2026-01-05")
    assert refused["error"]["code"] == messages.LOCKED
    assert refused["error"]["data"] == {"error_code": "locked"}
    assert assistant.ask("resources/list")["result"]["resources"] == []


def test_a_token_for_absence_reads_while_the_diary_is_locked(
    olive: Resident, make_assistant: MakeAssistant
) -> None:
    assistant = make_assistant("diary:read", kind=TokenKind.AWAY)
    entry = olive.write("Geese over the marsh")
    olive.lock()

    (read,) = assistant.call("read_day", day=entry.day.isoformat())["entries"]

    assert read["text"] == "Geese over the marsh"


# --- How often -------------------------------------------------------------------------------------------


@pytest.fixture
def few_calls(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(call_limits, "PER_MINUTE", 5)
    return 5


def test_a_client_that_calls_too_often_is_told_to_wait(assistant: Assistant, few_calls: int) -> None:
    for _ in range(few_calls):
        assert "result" in assistant.ask("tools/list")

    stateless = assistant.post(build_stateless("tools/list"), **build_headers(build_stateless("tools/list")))
    legacy = assistant.post(build_request("tools/list"))

    for answer, status in ((stateless, 429), (legacy, 200)):
        assert answer.status_code == status
        assert json.loads(answer.content)["error"]["code"] == messages.TRY_LATER
        assert int(answer.headers["Retry-After"]) > 0


def test_each_call_in_one_body_counts(assistant: Assistant, few_calls: int) -> None:
    call = build_request("tools/call", name="resolve_date", arguments={"text": "5 May 2024"})

    answers = json.loads(assistant.post([call] * (few_calls + 2)).content)

    assert [one["result"]["isError"] for one in answers] == [False] * few_calls + [True] * 2
    assert json.loads(assistant.post(call).content)["error"]["code"] == messages.TRY_LATER
