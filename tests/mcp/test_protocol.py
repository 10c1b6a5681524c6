"""Tests of the protocol: both handshakes, versions, headers, methods, errors and their statuses."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamora.mcp import messages
from llamora.mcp.versions import HANDSHAKE_VERSIONS, KNOWN_VERSIONS
from tests.mcp.exchange import (
    NEW,
    OLD,
    EchoProvider,
    answer,
    answer_legacy,
    answer_stateless,
    build_headers,
    build_locked,
    build_request,
    build_stateless,
    get_error,
    get_result,
)

CALL = {"name": "echo", "arguments": {"text": "a"}}


# --- Stateless -------------------------------------------------------------------------------------------


def test_a_server_is_discovered() -> None:
    result = get_result(answer_stateless("server/discover"))

    assert result["supportedVersions"] == [NEW]
    assert result["capabilities"] == {"tools": {}, "resources": {}}
    assert result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "llamora"
    assert (result["resultType"], result["ttlMs"], result["cacheScope"]) == ("complete", 0, "private")


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("tools/list", {}),
        ("resources/list", {}),
        ("resources/templates/list", {}),
        ("resources/read", {"uri": "test://day/1"}),
    ],
)
def test_a_list_and_a_read_resource_are_complete_and_stored_by_no_cache(
    method: str, params: dict[str, Any]
) -> None:
    result = get_result(answer_stateless(method, **params))

    assert (result["resultType"], result["ttlMs"], result["cacheScope"]) == ("complete", 0, "private")


def test_a_tool_returns_an_object_and_the_same_as_text() -> None:
    result = get_result(answer_stateless("tools/call", **CALL))

    assert result["structuredContent"] == {"text": "a"}
    assert [json.loads(block["text"]) for block in result["content"]] == [{"text": "a"}]
    assert not result["isError"]
    assert result["resultType"] == "complete"
    assert "ttlMs" not in result


@pytest.mark.parametrize("missing", ["protocolVersion", "clientCapabilities"])
def test_a_request_that_does_not_say_enough_is_refused(missing: str) -> None:
    message = build_stateless("tools/list")
    del message["params"]["_meta"][f"io.modelcontextprotocol/{missing}"]

    assert get_error(answer(message, build_headers(message))) == (400, messages.INVALID_PARAMS)


@pytest.mark.parametrize("meta", [None, [], "a", {}])
def test_a_request_without_an_envelope_is_refused(meta: object) -> None:
    message = build_request("tools/list", _meta=meta)

    assert get_error(answer(message, build_headers(message))) == (400, messages.INVALID_PARAMS)


@pytest.mark.parametrize(
    "changed",
    [
        {"MCP_Protocol_Version": None},
        {"MCP_Protocol_Version": OLD},
        {"MCP_Protocol_Version": "2031-01-01"},
        {"Mcp_Method": None},
        {"Mcp_Method": "tools/list"},
        {"Mcp_Method": "TOOLS/CALL"},
        {"Mcp_Name": None},
        {"Mcp_Name": "read_day"},
        {"Mcp_Name": "=?base64?" + base64.b64encode(b"read_day").decode() + "?="},
        {"Mcp_Name": "=?base64?ZWNobx==?="},
    ],
)
def test_headers_that_say_something_else_than_the_body_are_refused(changed: dict[str, str | None]) -> None:
    message, provider = build_stateless("tools/call", **CALL), EchoProvider()

    found = answer(message, build_headers(message, **changed), provider=provider)

    assert get_error(found) == (400, messages.HEADER_MISMATCH)
    assert provider.calls == []


@pytest.mark.parametrize("name", ["MCP-Protocol-Version", "mcp-method", "Mcp-Name"])
def test_a_header_that_comes_twice_is_refused_even_if_both_say_the_same(name: str) -> None:
    message, provider = build_stateless("tools/call", **CALL), EchoProvider()
    headers = list(build_headers(message).items())
    again = next((name, value) for other, value in headers if other.lower() == name.lower())

    found = answer(message, [*headers, again], provider=provider)

    assert get_error(found) == (400, messages.HEADER_MISMATCH)
    assert provider.calls == []


def test_a_name_may_come_encoded() -> None:
    message = build_stateless("tools/call", **CALL)
    encoded = "=?base64?" + base64.b64encode(b"echo").decode() + "?="

    found = answer(message, build_headers(message, Mcp_Name=encoded))

    assert get_result(found)["structuredContent"] == {"text": "a"}


@pytest.mark.parametrize(
    ("asked", "said"), [("2031-01-01", ""), ("pomegranate", ""), (OLD, OLD), ("2025-06-18", "2025-06-18")]
)
def test_a_version_that_is_not_stateless_is_refused_with_those_that_are_known(asked: str, said: str) -> None:
    message = build_stateless("server/discover", version=asked)

    found = answer(message, build_headers(message, version=asked))

    assert get_error(found) == (400, messages.UNSUPPORTED_VERSION)
    assert isinstance(found.body, dict)
    assert found.body["error"]["data"] == {"supported": list(KNOWN_VERSIONS), "requested": said}
    assert "pomegranate" not in json.dumps(found.body)


@pytest.mark.parametrize("version", [None, 1, ["2026-07-28"], {}])
def test_a_version_that_is_no_text_is_refused(version: object) -> None:
    message = build_stateless("tools/list")
    message["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = version

    assert get_error(answer(message, build_headers(message))) == (400, messages.HEADER_MISMATCH)


@pytest.mark.parametrize(
    "method", ["initialize", "ping", "prompts/list", "subscriptions/listen", "pomegranate"]
)
def test_a_method_that_does_not_exist_is_not_found(method: str) -> None:
    found = answer_stateless(method)

    assert get_error(found) == (404, messages.METHOD_NOT_FOUND)
    assert "pomegranate" not in json.dumps(found.body)


def test_a_notification_is_accepted_in_a_version_that_is_known_and_refused_in_another() -> None:
    message = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}

    assert answer(message, {"MCP-Protocol-Version": NEW}).status == 202
    assert answer(message, {"MCP-Protocol-Version": NEW}).body is None
    refused = answer(message, {"MCP-Protocol-Version": "2031-01-01"})
    assert get_error(refused) == (400, messages.UNSUPPORTED_VERSION)


def test_an_answer_of_the_client_is_refused() -> None:
    found = answer({"jsonrpc": "2.0", "id": 1, "result": {}}, {"MCP-Protocol-Version": NEW})

    assert get_error(found) == (400, messages.INVALID_REQUEST)


def test_several_messages_in_one_body_are_refused() -> None:
    message = build_stateless("tools/list")

    assert get_error(answer([message], build_headers(message))) == (400, messages.INVALID_REQUEST)


# --- With a handshake ------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", HANDSHAKE_VERSIONS)
def test_a_client_of_each_older_version_gets_its_own(version: str) -> None:
    result = get_result(answer_legacy("initialize", version=None, protocolVersion=version))

    assert result["protocolVersion"] == version
    assert result["serverInfo"] == {"name": "llamora", "title": "Llamora", "version": "0.1.0"}
    assert result["instructions"]
    assert "resultType" not in result


@pytest.mark.parametrize("version", ["2031-01-01", "2024-10-07", "pomegranate", NEW])
def test_a_client_of_an_unknown_version_is_offered_our_newest(version: str) -> None:
    found = answer_legacy("initialize", version=None, protocolVersion=version)

    assert get_result(found)["protocolVersion"] == OLD
    assert "pomegranate" not in json.dumps(found.body)


@pytest.mark.parametrize("version", [None, 1, {}])
def test_a_client_that_offers_no_version_is_refused(version: object) -> None:
    found = answer_legacy("initialize", protocolVersion=version)

    assert get_error(found) == (200, messages.INVALID_PARAMS)


@pytest.mark.parametrize("version", [None, *HANDSHAKE_VERSIONS])
def test_a_ping_is_answered_and_a_notification_accepted(version: str | None) -> None:
    headers = {"MCP-Protocol-Version": version} if version else {}

    assert get_result(answer(build_request("ping"), headers)) == {}
    assert answer({"jsonrpc": "2.0", "method": "notifications/initialized"}, headers).status == 202
    assert answer({"jsonrpc": "2.0", "id": 1, "result": {}}, headers).status == 202


@pytest.mark.parametrize(
    ("version", "has_annotations", "has_schema"),
    [
        ("2024-11-05", False, False),
        ("2025-03-26", True, False),
        (None, True, False),
        ("2025-06-18", True, True),
        (OLD, True, True),
    ],
)
def test_a_tool_is_described_with_what_a_version_knows(
    version: str | None, *, has_annotations: bool, has_schema: bool
) -> None:
    (tool,) = get_result(answer_legacy("tools/list", version=version))["tools"]
    called = get_result(answer_legacy("tools/call", version=version, **CALL))

    assert tool["inputSchema"]["type"] == "object"
    assert ("annotations" in tool) == has_annotations
    assert ("outputSchema" in tool) == ("title" in tool) == has_schema
    assert ("structuredContent" in called) == has_schema
    assert json.loads(called["content"][0]["text"]) == {"text": "a"}
    assert "resultType" not in called


@pytest.mark.parametrize("method", ["server/discover", "prompts/list", "logging/setLevel", "pomegranate"])
def test_an_older_client_reads_an_error_although_it_reads_no_body_of_404(method: str) -> None:
    assert get_error(answer_legacy(method)) == (200, messages.METHOD_NOT_FOUND)


def test_a_header_with_an_older_version_does_not_take_the_envelope_away() -> None:
    message = build_stateless("tools/list")

    found = answer(message, {"MCP-Protocol-Version": OLD})

    assert get_error(found) == (400, messages.HEADER_MISMATCH)


@pytest.mark.parametrize("version", [None, "2025-03-26"])
def test_several_messages_in_one_body_are_answered_in_the_version_that_has_that(version: str | None) -> None:
    headers = {"MCP-Protocol-Version": version} if version else {}
    body = [
        build_request("ping", 1),
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        build_request("tools/call", "b", **CALL),
        build_request("initialize", 3, protocolVersion=OLD),
        {"jsonrpc": "2.0", "id": 4},
        "pomegranate",
    ]

    found = answer(body, headers)

    assert found.status == 200
    assert isinstance(found.body, list)
    assert [one["id"] for one in found.body] == [1, "b", 3, 4, None]
    assert [one.get("error", {}).get("code") for one in found.body] == [
        None,
        None,
        *[messages.INVALID_REQUEST] * 3,
    ]
    assert "pomegranate" not in json.dumps(found.body)


def test_notifications_in_one_body_are_accepted() -> None:
    assert answer([{"jsonrpc": "2.0", "method": "notifications/initialized"}] * 3).status == 202


@pytest.mark.parametrize("version", ["2024-11-05", "2025-06-18", OLD])
def test_several_messages_are_refused_in_other_versions(version: str) -> None:
    found = answer([build_request("ping")], {"MCP-Protocol-Version": version})

    assert get_error(found) == (400, messages.INVALID_REQUEST)


@pytest.mark.parametrize("number", [0, 21])
def test_too_many_messages_and_none_are_refused(number: int) -> None:
    assert get_error(answer([build_request("ping")] * number)) == (400, messages.INVALID_REQUEST)


# --- Tools and resources ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["pomegranate", "", None, 1, ["echo"]])
def test_a_tool_that_does_not_exist_is_not_called(name: object) -> None:
    provider = EchoProvider()

    found = answer(build_request("tools/call", name=name), {"MCP-Protocol-Version": OLD}, provider=provider)

    assert get_error(found) == (200, messages.INVALID_PARAMS)
    assert provider.calls == []
    assert "pomegranate" not in json.dumps(found.body)


@pytest.mark.parametrize("arguments", ["pomegranate", [], 1])
def test_arguments_that_are_no_object_are_refused(arguments: object) -> None:
    found = answer_stateless("tools/call", name="echo", arguments=arguments)

    assert get_error(found) == (400, messages.INVALID_PARAMS)
    assert "pomegranate" not in json.dumps(found.body)


def test_a_tool_may_be_called_without_arguments() -> None:
    assert get_result(answer_stateless("tools/call", name="echo"))["structuredContent"] == {}


@pytest.mark.parametrize(("version", "code"), [(NEW, -32602), (OLD, -32002), (None, -32002)])
def test_a_resource_that_does_not_exist_is_not_found(version: str | None, code: int) -> None:
    uri = "test://day/pomegranate"
    stateless = answer_stateless("resources/read", uri=uri)
    found = stateless if version == NEW else answer_legacy("resources/read", version=version, uri=uri)

    assert get_error(found) == (400 if version == NEW else 200, code)
    assert "pomegranate" not in json.dumps(found.body)


def test_resources_are_listed_and_read() -> None:
    listed = get_result(answer_stateless("resources/list"))["resources"]
    templates = get_result(answer_stateless("resources/templates/list"))["resourceTemplates"]
    (content,) = get_result(answer_stateless("resources/read", uri=listed[0]["uri"]))["contents"]

    assert [one["uri"] for one in listed] == ["test://day/1"]
    assert [one["uriTemplate"] for one in templates] == ["test://day/{day}"]
    assert content == {"uri": "test://day/1", "mimeType": "application/json", "text": "{}"}


@pytest.mark.parametrize("method", ["tools/list", "resources/list", "resources/templates/list"])
def test_a_list_has_one_page(method: str) -> None:
    found = answer_legacy(method, cursor="pomegranate")

    assert get_error(found) == (200, messages.INVALID_PARAMS)
    assert "pomegranate" not in json.dumps(found.body)


def test_an_error_of_a_tool_has_its_status_only_where_clients_read_its_body() -> None:
    message = build_stateless("tools/call", **CALL)
    provider = EchoProvider(error=build_locked())

    stateless = answer(message, build_headers(message), provider=provider)
    legacy = answer(build_request("tools/call", **CALL), provider=provider)

    assert get_error(stateless) == (423, messages.LOCKED)
    assert get_error(legacy) == (200, messages.LOCKED)


@pytest.mark.parametrize("body", [b"pomegranate", b'{"pomegranate": 1}', b'{"jsonrpc": "2.0", "id": 5}'])
def test_a_body_that_is_no_message_is_answered_with_an_error_and_its_id_if_it_has_one(body: bytes) -> None:
    found = answer(body)

    assert found.status == 400
    assert isinstance(found.body, dict)
    assert found.body["id"] == (5 if b"5" in body else None)
    assert "pomegranate" not in json.dumps(found.body)


MARK = "pomegranate"
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(MARK),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.just(MARK), inner, max_size=4),
    max_leaves=12,
)
FIELDS = {
    "jsonrpc": st.just("2.0") | VALUES,
    "id": st.integers(0, 9) | VALUES,
    "method": st.sampled_from(["initialize", "tools/call", "resources/read", "server/discover"]) | VALUES,
    "params": st.fixed_dictionaries({}, optional={"name": VALUES, "uri": VALUES, "_meta": VALUES}) | VALUES,
}


@given(
    body=st.fixed_dictionaries({}, optional=FIELDS) | st.lists(st.fixed_dictionaries(FIELDS), max_size=3),
    version=st.sampled_from([None, MARK, *KNOWN_VERSIONS]),
)
def test_no_message_ends_in_a_failure_or_is_quoted(body: Any, version: str | None) -> None:
    found = answer(json.dumps(body).encode(), {"MCP-Protocol-Version": version} if version else {})

    assert found.status in {200, 202, 400, 404}
    assert MARK not in json.dumps([one.get("error") for one in list_messages(found.body)])


@given(st.binary())
def test_no_body_ends_in_a_failure(body: bytes) -> None:
    assert answer(body).status in {200, 202, 400}


def list_messages(body: object) -> list[dict[str, Any]]:
    if body is None:
        return []
    return body if isinstance(body, list) else [body]
