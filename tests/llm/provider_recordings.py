"""Recorded exchanges with Anthropic Messages and Ollama's own format, and the expected result of each.

Each is written from the public documentation of the provider.
"""

import json

from tests.fakes.anthropic_server import (
    dump_delta,
    dump_end,
    dump_error,
    dump_named,
    dump_start,
)
from tests.fakes.ollama_server import HEAD, dump_failure, dump_last, dump_line
from tests.llm.recordings import Recording


def _dump_block(kind: str, *parts: str, index: int = 0) -> bytes:
    first = {"type": kind, kind: ""} | ({"signature": ""} if kind == "thinking" else {})
    return (
        dump_named("content_block_start", index=index, content_block=first)
        + b"".join(dump_delta(kind, part, index=index) for part in parts)
        + (dump_delta("signature", "EqQBCgIYAhIM1gbc", index=index) if kind == "thinking" else b"")
        + dump_named("content_block_stop", index=index)
    )


_PING = dump_named("ping")
_RAINED = dump_start() + _dump_block("text", "It ", "rained.") + dump_end("end_turn")
_WHOLE = {
    "id": "msg_013",
    "type": "message",
    "role": "assistant",
    "model": "claude-3-7-sonnet-20250219",
    "content": [
        {"type": "thinking", "thinking": "Rain, then.", "signature": "EqQB"},
        {"type": "text", "text": "It rained."},
    ],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 2095, "output_tokens": 503},
}

ANTHROPIC = {
    "a reply": Recording(body=_RAINED, text="It rained."),
    "a reply with pings": Recording(body=_RAINED.replace(b"\n\n", b"\n\n" + _PING), text="It rained."),
    "a ping before anything": Recording(body=_PING + _RAINED, text="It rained."),
    "thinking, then a reply": Recording(
        body=dump_start()
        + _dump_block("thinking", "Rain, ", "then.")
        + _dump_block("text", "It rained.", index=1)
        + dump_end("end_turn"),
        text="It rained.",
        thought="Rain, then.",
    ),
    "thinking that is withheld": Recording(
        body=dump_start()
        + dump_named(
            "content_block_start", index=0, content_block={"type": "redacted_thinking", "data": "EmwKAhgB"}
        )
        + dump_named("content_block_stop", index=0)
        + _dump_block("text", "It rained.", index=1)
        + dump_end("end_turn"),
        text="It rained.",
    ),
    "two blocks of text, with a citation": Recording(
        body=dump_start()
        + _dump_block("text", "It ")
        + dump_named("content_block_delta", index=0, delta={"type": "citations_delta", "citation": {}})
        + _dump_block("text", "rained.", index=1)
        + dump_end("end_turn"),
        text="It rained.",
    ),
    "a block that has text from its beginning": Recording(
        body=dump_start()
        + dump_named("content_block_start", index=0, content_block={"type": "text", "text": "It "})
        + dump_delta("text", "rained.")
        + dump_end("stop_sequence"),
        text="It rained.",
    ),
    "a tool, which nobody offered": Recording(
        body=dump_start()
        + _dump_block("text", "It rained.")
        + dump_named(
            "content_block_start",
            index=1,
            content_block={"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {}},
        )
        + dump_named(
            "content_block_delta", index=1, delta={"type": "input_json_delta", "partial_json": '{"a": 1}'}
        )
        + dump_end("tool_use"),
        text="It rained.",
    ),
    "events of types to come": Recording(
        body=dump_start()
        + dump_named("content_block_progress", index=0)
        + _dump_block("text", "It rained.")
        + dump_end("end_turn"),
        text="It rained.",
    ),
    "an emoji and umlauts": Recording(
        body=dump_start() + _dump_block("text", "Es regnete über 🌧") + dump_end("end_turn"),
        text="Es regnete über 🌧",
    ),
    "cut at its limit": Recording(
        body=dump_start() + _dump_block("text", "It rai") + dump_end("max_tokens"),
        text="It rai",
        end="length",
    ),
    "a window that is full": Recording(
        body=dump_start() + _dump_block("text", "It rai") + dump_end("model_context_window_exceeded"),
        text="It rai",
        end="length",
    ),
    "thinking until the limit": Recording(
        body=dump_start() + _dump_block("thinking", "Rain, then") + dump_end("max_tokens"),
        thought="Rain, then",
        end="thought_limit",
    ),
    "refused": Recording(
        body=dump_start() + _dump_block("text", "It rai") + dump_end("refusal"),
        text="It rai",
        end="content_filter",
    ),
    "refused before it began": Recording(body=dump_start() + dump_end("refusal"), end="content_filter"),
    "without its last event": Recording(
        body=_RAINED.removesuffix(dump_named("message_stop")), text="It rained."
    ),
    "more after its end": Recording(body=_RAINED + dump_delta("text", " And more."), text="It rained."),
    "overloaded": Recording(
        body=dump_start() + _dump_block("text", "It rai") + dump_error("overloaded_error", "Overloaded"),
        text="It rai",
        end="busy",
    ),
    "overloaded before it began": Recording(body=dump_error("overloaded_error", "Overloaded"), end="busy"),
    "too many requests": Recording(
        body=dump_error("rate_limit_error", "This request would exceed your rate limit"), end="busy"
    ),
    "an error of the service": Recording(
        body=dump_start() + dump_error("api_error", "Internal server error"), end="server_error"
    ),
    "too slow": Recording(body=dump_error("timeout_error", "Request timed out"), end="too_slow"),
    "an error of a type to come": Recording(body=dump_error("weather_error", "It rains"), end="server_error"),
    "a key that was revoked meanwhile": Recording(
        body=dump_error("authentication_error", "invalid x-api-key"), end="unauthorized"
    ),
    "an error as a whole response": Recording(
        body=json.dumps(
            {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
        ).encode(),
        end="busy",
    ),
    "a whole message": Recording(body=json.dumps(_WHOLE).encode(), text="It rained.", thought="Rain, then."),
    "half of a whole message": Recording(body=json.dumps(_WHOLE).encode()[:-40], end="dropped"),
    "broken off": Recording(body=dump_start() + dump_delta("text", "It rai"), text="It rai", end="dropped"),
    "broken off inside an event": Recording(
        body=dump_start() + dump_delta("text", "It rai") + dump_delta("text", "ned")[:70],
        text="It rai",
        end="dropped",
    ),
    "nothing at all": Recording(body=b"", end="dropped"),
    "lines that end in CR LF": Recording(body=_RAINED.replace(b"\n", b"\r\n"), text="It rained."),
    "lines that end in CR": Recording(body=_RAINED.replace(b"\n", b"\r"), text="It rained."),
    "data without its names": Recording(
        body=b"\n".join(line for line in _RAINED.split(b"\n") if not line.startswith(b"event:")),
        text="It rained.",
    ),
    "a page of another program": Recording(body=b"<html><title>Router</title></html>", end="wrong_address"),
}

_LINES = dump_line("It ") + dump_line("rained.") + dump_last()

OLLAMA = {
    "a reply": Recording(body=_LINES, text="It rained."),
    "a reply that ends with text": Recording(
        body=dump_line("It ") + dump_last("stop", "rained."), text="It rained."
    ),
    "a reply of an older version": Recording(
        body=dump_line("It rained.") + dump_last(None), text="It rained."
    ),
    "a last line without a line end": Recording(body=_LINES.removesuffix(b"\n"), text="It rained."),
    "thinking, then a reply": Recording(
        body=dump_line(thinking="Rain, ")
        + dump_line(thinking="then.")
        + dump_line("It rained.")
        + dump_last(),
        text="It rained.",
        thought="Rain, then.",
    ),
    "thinking between marks, of an older version": Recording(
        body=dump_line("<think>") + dump_line("Rain.") + dump_line("</think>\n\nIt rained.") + dump_last(),
        text="It rained.",
        thought="Rain.",
    ),
    "an emoji and umlauts": Recording(
        body=dump_line("Es regnete ") + dump_line("über 🌧") + dump_last(), text="Es regnete über 🌧"
    ),
    "cut at its limit": Recording(
        body=dump_line("It rai") + dump_last("length"), text="It rai", end="length"
    ),
    "thinking until the limit": Recording(
        body=dump_line(thinking="Rain, then") + dump_last("length"), thought="Rain, then", end="thought_limit"
    ),
    "a model that was only loaded": Recording(body=dump_last("load")),
    "more after its end": Recording(body=_LINES + dump_line("And more."), text="It rained."),
    "an error in the middle": Recording(
        body=dump_line("It rai") + dump_failure("an error was encountered while running the model"),
        text="It rai",
        end="server_error",
    ),
    "out of memory in the middle": Recording(
        body=dump_line("It rai")
        + dump_failure("llama runner process has terminated: CUDA error: out of memory"),
        text="It rai",
        end="out_of_memory",
    ),
    "a prompt that is too long": Recording(
        body=dump_failure("the input length exceeds the context length"), end="too_long"
    ),
    "a queue that is full": Recording(
        body=dump_failure("server busy, please try again. maximum pending requests exceeded"), end="busy"
    ),
    "broken off": Recording(body=dump_line("It rai"), text="It rai", end="dropped"),
    "broken off inside a line": Recording(
        body=dump_line("It rai") + dump_line("ned")[:60], text="It rai", end="dropped"
    ),
    "a line that is no object": Recording(
        body=dump_line("It rai") + b"[1]\n" + dump_last(), text="It rai", end="malformed"
    ),
    "a line that is no JSON": Recording(
        body=dump_line("It rai") + b'{"message": {"content": "ned"\n' + dump_last(),
        text="It rai",
        end="malformed",
    ),
    "a message of another type": Recording(
        body=dump_line("It rai") + json.dumps({**HEAD, "message": ["x"], "done": False}).encode() + b"\n",
        text="It rai",
        end="malformed",
    ),
    "nothing at all": Recording(body=b"", end="dropped"),
    "lines that end in CR LF, some of them empty": Recording(
        body=b"\r\n" + _LINES.replace(b"\n", b"\r\n\r\n"), text="It rained."
    ),
    "a byte order mark": Recording(body=b"\xef\xbb\xbf" + _LINES, text="It rained."),
    "lines that a gateway made into events": Recording(
        body=b"".join(b"data: " + line + b"\n\n" for line in _LINES.splitlines()), text="It rained."
    ),
    "a whole reply": Recording(body=dump_last("stop", "It rained."), text="It rained."),
    "a page of another program": Recording(body=b"<html><title>Router</title></html>", end="wrong_address"),
}
