"""Tests that a job ends in the right state whatever a server with Anthropic's or Ollama's format sends.

The next job, of another person, then gets its own reply and nothing of the previous one.
"""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from pytest_django.fixtures import Settings

from llamora.inference.job import JobState
from tests.fakes.anthropic_server import (
    FakeAnthropicServer,
    dump_delta,
    dump_end,
    dump_error,
    dump_named,
    dump_start,
)
from tests.fakes.model_server import FakeModelServer
from tests.fakes.ollama_server import HEAD, FakeOllamaServer, dump_failure, dump_last, dump_line
from tests.fakes.script import Script
from tests.inference.test_jobs_faults import LATER, PATIENCE, SILENCE, WORDS, Case, chunk_body, run_jobs

pytestmark = pytest.mark.django_db(transaction=True)

TIMES = settings(deadline=None, suppress_health_check=list(HealthCheck))
THOUGHTS = ("SECRET rain ", "SECRET wind ", "SECRET\n")


@dataclass(frozen=True)
class Vocabulary:
    """The pieces of a stream in one format, and its possible ends with the expected codes."""

    name: str
    beginning: bytes
    ends: tuple[tuple[bytes, str], ...]
    odd: tuple[bytes, ...]
    refusals: tuple[tuple[int, object, str], ...]

    def write_text(self, text: str) -> bytes:
        return dump_delta("text", text) if self.name == "anthropic" else dump_line(text)

    def write_thought(self, text: str) -> bytes:
        if self.name == "anthropic":
            return dump_delta("thinking", text, index=1)
        return dump_line(thinking=text)


def _refuse(kind: str, message: str) -> object:
    return {"type": "error", "error": {"type": kind, "message": message}}


ANTHROPIC = Vocabulary(
    name="anthropic",
    beginning=dump_start(),
    ends=(
        (dump_end("end_turn"), ""),
        (dump_end("stop_sequence") + dump_delta("text", "SECRET"), ""),
        (dump_named("message_delta", delta={"stop_reason": "end_turn"}), ""),
        (dump_named("message_stop"), ""),
        (dump_end("a_reason_to_come"), ""),
        (dump_end("max_tokens"), "length"),
        (dump_end("model_context_window_exceeded"), "length"),
        (dump_end("refusal"), "content_filter"),
        (dump_error("overloaded_error", "Overloaded"), "busy"),
        (dump_error("rate_limit_error", "Too many"), "busy"),
        (dump_error("api_error", "Internal"), "server_error"),
        (dump_error("timeout_error", "Timed out"), "too_slow"),
        (dump_error("authentication_error", "invalid x-api-key"), "unauthorized"),
        (dump_error("invalid_request_error", "prompt is too long: 9 tokens > 8 maximum"), "too_long"),
        (dump_named("error", error="Overloaded"), "busy"),
        (dump_named("content_block_delta", index=0, delta=["x"]), "malformed"),
        (b'data: {"type":"content_block_delta","delta":{"text":"hal\n\n', "malformed"),
        (b"data: 42\n\n", "malformed"),
        (b"", "dropped"),
        (b'event: message_stop\ndata: {"type":"mess', "dropped"),
    ),
    odd=(
        dump_named("ping"),
        dump_named("content_block_stop", index=0),
        dump_named(
            "content_block_start", index=0, content_block={"type": "redacted_thinking", "data": "SECRET"}
        ),
        dump_delta("signature", "SECRET"),
        dump_named(
            "content_block_delta", index=0, delta={"type": "input_json_delta", "partial_json": "SECRET"}
        ),
        dump_named("content_block_delta", index=0, delta={"type": "text_delta", "text": 7}),
        dump_named("message_delta", delta=None, usage={"output_tokens": "many"}),
        dump_named("message_start", message="none"),
        dump_named("weather_report", text="SECRET"),
        b": a comment\n\n",
    ),
    refusals=(
        (529, _refuse("overloaded_error", "Overloaded"), "busy"),
        (429, _refuse("rate_limit_error", "Too many"), "busy"),
        (401, _refuse("authentication_error", "invalid x-api-key"), "unauthorized"),
        (404, _refuse("not_found_error", "model: heron"), "no_such_model"),
        (400, _refuse("invalid_request_error", "messages: at least one message is required"), "server_error"),
        (400, _refuse("invalid_request_error", "prompt is too long: 9 tokens > 8 maximum"), "too_long"),
        (413, _refuse("request_too_large", "Request exceeds the maximum size"), "too_long"),
        (500, _refuse("api_error", "Internal"), "server_error"),
    ),
)
OLLAMA = Vocabulary(
    name="ollama",
    beginning=b"",
    ends=(
        (dump_last(), ""),
        (dump_last(None), ""),
        (dump_last().removesuffix(b"\n"), ""),
        (dump_last() + dump_line("SECRET"), ""),
        (dump_last("a_reason_to_come"), ""),
        (dump_last("length"), "length"),
        (dump_failure("an error was encountered while running the model"), "server_error"),
        (dump_failure("CUDA error: out of memory"), "out_of_memory"),
        (dump_failure("server busy, please try again"), "busy"),
        (dump_failure("the input length exceeds the context length"), "too_long"),
        (json.dumps({**HEAD, "message": ["x"]}).encode() + b"\n", "malformed"),
        (b'{"message":{"content":"hal\n', "malformed"),
        (b"[42]\n", "malformed"),
        (b"", "dropped"),
        (b'{"model":"llama3.2","done":tr', "dropped"),
    ),
    odd=(
        b"\n",
        b"{}\n",
        json.dumps({**HEAD, "done": False}).encode() + b"\n",
        json.dumps({**HEAD, "message": {"content": 7, "thinking": ["SECRET"]}}).encode() + b"\n",
        json.dumps({**HEAD, "response": "SECRET", "done": False}).encode() + b"\n",
        dump_line(tool_calls=[{"function": {"name": "SECRET", "arguments": {}}}]),
    ),
    refusals=(
        (404, {"error": "model 'heron' not found"}, "no_such_model"),
        (400, {"error": "invalid model name"}, "no_such_model"),
        (400, {"error": "the input length exceeds the context length"}, "too_long"),
        (500, {"error": "model requires more system memory (9 GiB) than is available"}, "out_of_memory"),
        (503, {"error": "server busy, please try again"}, "busy"),
        (500, {"error": "llama runner process has terminated"}, "server_error"),
    ),
)


@st.composite
def draw_case(draw: DrawFn, words: Vocabulary) -> Case:
    """Return a stream that ends in one of many ways, cut and framed in one of many ways."""
    if draw(st.integers(0, 5)) == 0:
        return draw(draw_refusal(words))
    body, text, thinks = words.beginning, "", False
    for kind in draw(st.lists(st.sampled_from(["text", "text", "thought", "odd"]), max_size=8)):
        if kind == "text":
            word = draw(st.sampled_from(WORDS))
            text, body = text + word, body + words.write_text(word)
        elif kind == "thought":
            thinks, body = True, body + words.write_thought(draw(st.sampled_from(THOUGHTS)))
        else:
            body += draw(st.sampled_from(words.odd))
    end, code = draw(st.sampled_from(words.ends))
    is_cut = code == "dropped" and draw(st.booleans())
    body = body[: draw(st.integers(0, len(body)))] if is_cut else body + end
    is_silent = code == "dropped" and not is_cut and not end and draw(st.booleans())
    state, reason = JobState.FAILED, code
    if code in ("", "length"):
        state = JobState.DONE
        if not text.strip():
            state, reason = JobState.FAILED, "empty"
            if code == "length" and thinks:
                state, reason, text = JobState.DONE, "", LATER
    elif code == "too_long":
        state, reason, text = JobState.DONE, "", LATER
    if is_silent:
        reason = "silent" if text or thinks else "too_slow"
    if draw(st.booleans()):
        body = body.replace(b"\n", b"\r\n")
    script = Script(
        response=draw(frame(body, has_length=not is_silent)),
        chunk_size=draw(st.sampled_from([0, 3, 50, 1000])),
        silent_after=0 if is_silent else None,
    )
    return Case(script, text, state, reason, is_cut=is_cut)


@st.composite
def frame(draw: DrawFn, body: bytes, *, has_length: bool) -> bytes:
    head = b"HTTP/1.1 200 OK\r\n"
    if not has_length or draw(st.booleans()):
        return head + b"\r\n" + body
    if draw(st.booleans()):
        return head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    return head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk_body(body, size=draw(st.integers(1, 400)))


@st.composite
def draw_refusal(draw: DrawFn, words: Vocabulary) -> Case:
    status, body, code = draw(st.sampled_from(words.refusals))
    content = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} Refused\r\nContent-Length: {len(content)}\r\n\r\n".encode()
    script = Script(response=head + content)
    if code == "too_long":
        return Case(script, LATER, JobState.DONE, "")
    return Case(script, "", JobState.FAILED, code)


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, FakeModelServer]]:
    later = Script(tokens=[LATER])
    with FakeAnthropicServer(default=later) as anthropic, FakeOllamaServer(default=later) as ollama:
        yield {"anthropic": anthropic, "ollama": ollama}


def check_case(
    servers: dict[str, FakeModelServer], drawn: tuple[Vocabulary, Case], changed: Settings
) -> None:
    words, case = drawn
    changed.MODEL_SILENCE_SECONDS = PATIENCE if case.script.silent_after is None else SILENCE
    scripts = (case.script, Script(tokens=[LATER]))
    task, next_task = asyncio.run(run_jobs(servers[words.name], *scripts, wire_format=words.name))

    assert [(one.text, one.state, one.reason) for one in next_task.kept[-1:]] == [(LATER, JobState.DONE, "")]
    last = task.kept[-1]
    assert (last.state, last.reason) == (case.state, case.reason)
    assert case.text.startswith(last.text) if case.is_cut else last.text == case.text
    assert not any("SECRET" in outcome.text for outcome in (*task.kept, *next_task.kept))


CASES = st.sampled_from([ANTHROPIC, OLLAMA]).flatmap(
    lambda words: st.tuples(st.just(words), draw_case(words))
)


@given(drawn=CASES)
@settings(TIMES, max_examples=15)
def test_a_job_ends_rightly_whatever_the_server_does(
    servers: dict[str, FakeModelServer], settings: Settings, drawn: tuple[Vocabulary, Case]
) -> None:
    check_case(servers, drawn, settings)


@pytest.mark.slow
@given(drawn=CASES)
@settings(TIMES, max_examples=400)
def test_a_job_ends_rightly_after_two_hundred_faults_of_each_format(
    servers: dict[str, FakeModelServer], settings: Settings, drawn: tuple[Vocabulary, Case]
) -> None:
    check_case(servers, drawn, settings)
