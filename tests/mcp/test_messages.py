"""Tests of JSON-RPC messages: valid ones, and errors that do not quote the message."""

import json
from typing import Any

import pytest

from llamora.mcp.messages import (
    INVALID_REQUEST,
    MAX_DEPTH,
    PARSE_ERROR,
    MessageError,
    Notification,
    RequestMessage,
    ResponseMessage,
    build_error,
    decode_body,
    find_id,
    parse_message,
)

SECRET = "pomegranate"
NO_JSON = {
    "nothing": b"",
    "no JSON": b"pomegranate",
    "half of it": b'{"jsonrpc": "2.0", "method": "pomegranate"',
    "two values": b'"pomegranate" 1',
    "UTF-16": '{"pomegranate": 1}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"pomegranate": 1}',
    "bytes that are not UTF-8": b'{"pomegranate": "\xff"}',
    "NaN": b'{"pomegranate": NaN}',
    "infinity": b'{"pomegranate": -Infinity}',
    "a name twice": b'{"pomegranate": 1, "pomegranate": 2}',
    "a name twice inside": b'{"a": [{"pomegranate": 1, "pomegranate": 1}]}',
    "a number of many digits": b'{"pomegranate": ' + b"9" * 5000 + b"}",
    "too deep": b"[" * 100_000 + b"]" * 100_000,
    "too deep, and not closed": b'{"pomegranate":' * 100_000,
    "a level too deep": b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
}
NO_TEXT = {
    "NUL": {"pomegranate": "a\0b"},
    "NUL in a name": {"pome\0granate": 1},
    "half a character": {"pomegranate": ["\ud800"]},
    "half a character in a name": {"pomegranate": {"\udfff": 1}},
}
NO_MESSAGE: dict[str, Any] = {
    "a text": SECRET,
    "a number": 1,
    "null": None,
    "no version": {"id": 1, "method": SECRET},
    "another version": {"jsonrpc": "1.0", "id": 1, "method": SECRET},
    "no method": {"jsonrpc": "2.0", "id": 1},
    "a method that is a number": {"jsonrpc": "2.0", "id": 1, "method": 1},
    "an empty method": {"jsonrpc": "2.0", "id": 1, "method": ""},
    "a long method": {"jsonrpc": "2.0", "id": 1, "method": SECRET * 20},
    "parameters in a list": {"jsonrpc": "2.0", "id": 1, "method": SECRET, "params": [SECRET]},
    "an id that is null": {"jsonrpc": "2.0", "id": None, "method": SECRET},
    "an id that is true": {"jsonrpc": "2.0", "id": True, "method": SECRET},
    "an id that is a fraction": {"jsonrpc": "2.0", "id": 1.5, "method": SECRET},
    "an id that is an object": {"jsonrpc": "2.0", "id": {SECRET: 1}, "method": SECRET},
    "a long id": {"jsonrpc": "2.0", "id": "a" * 257, "method": SECRET},
    "a large id": {"jsonrpc": "2.0", "id": 2**60, "method": SECRET},
    "an answer with an error": {"jsonrpc": "2.0", "id": 1, "result": SECRET, "error": SECRET},
}


@pytest.mark.parametrize("body", NO_JSON.values(), ids=NO_JSON.keys())
def test_a_body_without_json_is_refused_and_not_quoted(body: bytes) -> None:
    with pytest.raises(MessageError) as refused:
        decode_body(body)

    assert refused.value.code == PARSE_ERROR
    assert refused.value.status == 400
    assert SECRET not in refused.value.message


@pytest.mark.parametrize("value", NO_TEXT.values(), ids=NO_TEXT.keys())
def test_a_text_that_cannot_be_stored_is_refused_wherever_it_stands(value: object) -> None:
    with pytest.raises(MessageError) as refused:
        decode_body(json.dumps(value).encode())

    assert refused.value.code == INVALID_REQUEST
    assert SECRET not in refused.value.message


def test_a_body_is_read_to_the_deepest_level() -> None:
    body = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH

    assert json.dumps(decode_body(body)).encode() == body


def test_a_text_of_any_language_is_read_as_it_was_written() -> None:
    text = "Žluťoučký 😀 \u202e \r\n \ufeff"

    assert decode_body(json.dumps([text]).encode()) == [text]
    assert decode_body(json.dumps([text], ensure_ascii=False).encode()) == [text]


@pytest.mark.parametrize("value", NO_MESSAGE.values(), ids=NO_MESSAGE.keys())
def test_json_that_is_no_message_is_refused_and_not_quoted(value: object) -> None:
    with pytest.raises(MessageError) as refused:
        parse_message(value)

    assert refused.value.code == INVALID_REQUEST
    assert SECRET not in json.dumps(build_error(None, refused.value))


@pytest.mark.parametrize("id_", [0, -7, "", "a", "ü" * 256, 2**53])
def test_a_request_is_answered_with_its_id(id_: str | int) -> None:
    message = parse_message({"jsonrpc": "2.0", "id": id_, "method": "ping"})

    assert message == RequestMessage(id=id_, method="ping", params={})
    assert find_id({"id": id_}) == id_


def test_a_message_without_id_is_a_notification() -> None:
    message = parse_message({"jsonrpc": "2.0", "method": "notifications/initialized", "params": None})

    assert message == Notification(method="notifications/initialized")


@pytest.mark.parametrize("kind", ["result", "error"])
def test_an_answer_of_the_client_is_recognized(kind: str) -> None:
    assert parse_message({"jsonrpc": "2.0", "id": 1, kind: {}}) == ResponseMessage()
