"""Tests that a job ends in the right state whatever a server sends, without thoughts or markers in its text.

The next job, of another person, then gets its own reply and nothing of the previous one.
"""

import asyncio
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from pytest_django.fixtures import Settings

from llamora.crypto import Keyring
from llamora.inference.job import JobState
from llamora.inference.registry import JobRegistry
from llamora.llm import thinking_marks
from llamora.llm.client import ModelServer
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script, make_words
from tests.fakes.waiting import until
from tests.inference.recording_task import RecordingTask
from tests.llm.recordings import DONE, dump_choice, dump_event
from tests.llm.test_errors import REFUSALS

pytestmark = pytest.mark.django_db(transaction=True)

LATER = "It rained later."
# Seconds; the longer one is never waited for.
SILENCE, PATIENCE = 1.0, 60.0
TIMES = settings(deadline=None, suppress_health_check=list(HealthCheck))
WORDS = ("It ", "rained ", "and ", "tea\n", "was ", "warm; ", "`so` ", "雨が ", "a < b ", "[no ", "🌧 ")
THOUGHTS = ("SECRET rain ", "SECRET wind ", "SECRET\n")


@dataclass(frozen=True)
class Case:
    """A script of a server, and the expected end of the job."""

    script: Script
    text: str
    state: JobState
    reason: str
    is_cut: bool = False


@dataclass(frozen=True)
class Ending:
    """The last part of a stream, and the expected error code or reason of the end."""

    body: bytes
    code: str = ""


FAILURES = {
    "in a field": Ending(dump_event({"error": {"code": 500, "message": "slot"}}), "server_error"),
    "without its field": Ending(
        dump_event({"object": "error", "message": "x", "code": 503}) + DONE, "loading"
    ),
    "as a word": Ending(dump_event({"error": "CUDA out of memory"}), "out_of_memory"),
    "of llama.cpp": Ending(b'error: {"code":500,"message":"slot"}\n\n', "server_error"),
    "as a reason": Ending(dump_choice("error") + DONE, "server_error"),
    "filtered": Ending(dump_choice("content_filter") + DONE, "content_filter"),
    "too long": Ending(
        dump_event({"error": "Trying to keep the first 9 tokens when context overflows."}), "too_long"
    ),
    "half an object": Ending(b'data: {"choices":[{"delta":{"content":"hal\n\n', "malformed"),
    "no object": Ending(b"data: 42\n\n", "malformed"),
    "no choice": Ending(b'data: {"choices":[7]}\n\n', "malformed"),
    "choices of another type": Ending(dump_event({"choices": "It rained"}), "malformed"),
    "a delta of another type": Ending(dump_event({"choices": [{"delta": ["It"]}]}), "malformed"),
    "an error of another type": Ending(dump_event({"error": 7}) + DONE, "server_error"),
    "no end": Ending(b"", "dropped"),
    "half an end": Ending(b"data: [DON", "dropped"),
}
ENDINGS = {
    "all of it": Ending(dump_choice("stop") + dump_event({"choices": [], "usage": {}}) + DONE),
    "a reason": Ending(dump_choice("stop")),
    "only the last line": Ending(b"data: [DONE]"),
    "a mark and more": Ending(dump_choice(content="<|eot|>\nSECRET<|im_start|>user") + DONE),
    "a header and more": Ending(
        dump_choice(content="<|start_header_id|>user") + dump_choice(content="SECRET") + DONE
    ),
    "an end and more": Ending(dump_choice("stop") + DONE + DONE + dump_choice(content="SECRET") + DONE),
    "a reason of another type": Ending(dump_event({"choices": [{"delta": {}, "finish_reason": 7}]}) + DONE),
    "cut": Ending(dump_choice("length") + DONE, "length"),
}


# Events in which nothing is of the type that it should be.
ODD = tuple(
    dump_event(event)
    for event in (
        {},
        {"choices": None, "usage": "none"},
        {"choices": [{"delta": {"content": 7}}], "usage": [1]},
        {"choices": [{"delta": {"content": {"text": "SECRET"}, "reasoning": 7}}]},
        {"choices": [{"delta": {"content": None, "role": ["assistant"], "tool_calls": "none"}}]},
        {"choices": [{"index": "1", "delta": {"content": "SECRET"}}]},
    )
)
SURPLUS = b"HTTP/1.1 200 OK\r\n\r\n" + dump_choice(content="SECRET of the one before") + DONE


@st.composite
def draw_parts(draw: DrawFn) -> tuple[bytes, str, bool]:
    """Return events with text and thinking, the text in them, and whether there is thinking."""
    body, text, thinks = b"", "", False
    for kind in draw(
        st.lists(st.sampled_from(["text", "text", "field", "marks", "ping", "odd", "other"]), max_size=8)
    ):
        if kind == "text":
            words = draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=4))
            text += "".join(words)
            body += b"".join(dump_choice(content=word) for word in words)
        elif kind == "field":
            thinks = True
            name = draw(st.sampled_from(["reasoning_content", "reasoning", "thinking"]))
            body += dump_choice(**{name: draw(st.sampled_from(THOUGHTS))})
        elif kind == "marks":
            thinks = True
            opening, closing = draw(st.sampled_from(sorted(thinking_marks.THINKING.items())))
            size = draw(st.integers(1, 40))
            sent = f"{opening}{draw(st.sampled_from(THOUGHTS))}{closing}"
            pieces = (sent[start : start + size] for start in range(0, len(sent), size))
            body += b"".join(dump_choice(content=piece) for piece in pieces)
        elif kind == "ping":
            body += b": ping\n\n"
        elif kind == "odd":
            body += draw(st.sampled_from(ODD))
        else:
            body += dump_choice(index=1, content="SECRET of another choice")
    return body, text, thinks


@st.composite
def draw_stream(draw: DrawFn) -> Case:
    """Return a stream that ends in one of many ways, framed in one of many ways."""
    body, text, thinks = draw(draw_parts())
    ending = draw(st.sampled_from([*FAILURES.values(), *ENDINGS.values()]))
    is_cut = ending.code == "dropped" and bool(body) and draw(st.booleans())
    body = body[: draw(st.integers(0, len(body)))] if is_cut else body + ending.body
    is_silent = ending.code == "dropped" and not is_cut and draw(st.booleans())
    state, reason = JobState.FAILED, ending.code
    if ending.code in ("", "length"):
        state = JobState.DONE
        if not text.strip():
            state, reason = JobState.FAILED, "empty"
            if ending.code == "length" and thinks:
                # It is asked again, with more room.
                state, reason, text = JobState.DONE, "", LATER
    elif ending.code == "too_long":
        # A shorter prompt is sent, and what came before is given up.
        state, reason, text = JobState.DONE, "", LATER
    response, has_length = draw(frame_body(body, may_compress=not is_silent))
    if is_silent:
        reason = "silent" if text or thinks else "too_slow"
        if has_length:
            response, _ = draw(frame_body(body, may_compress=False, has_length=False))
    script = Script(
        response=response,
        chunk_size=draw(st.sampled_from([0, 3, 50, 1000])),
        headers_after=draw(st.sampled_from([0.0, 0.0, 0.02])),
        silent_after=0 if is_silent else None,
    )
    return Case(script, text, state, reason, is_cut=is_cut)


@st.composite
def frame_body(
    draw: DrawFn, body: bytes, *, may_compress: bool, has_length: bool | None = None
) -> tuple[bytes, bool]:
    """Return a response with this body, and whether it says its length."""
    if draw(st.booleans()):
        body = body.replace(b"\n", draw(st.sampled_from([b"\r", b"\r\n"])))
    if draw(st.booleans()):
        body = b"\xef\xbb\xbf" + body
    lines = [b"HTTP/1.1 200 OK"]
    if may_compress and draw(st.booleans()):
        body = gzip.compress(body)
        lines.append(b"Content-Encoding: gzip")
    is_sized = draw(st.booleans()) if has_length is None else has_length
    if is_sized and draw(st.booleans()):
        lines.append(b"Transfer-Encoding: chunked")
        body = chunk_body(body, size=draw(st.integers(1, 400)))
    elif is_sized:
        lines.append(b"Content-Length: %d" % len(body))
    surplus = draw(st.sampled_from([b"", b"", SURPLUS, b"\r\n", SURPLUS * 50])) if is_sized else b""
    return b"\r\n".join(lines) + b"\r\n\r\n" + body + surplus, is_sized


def chunk_body(body: bytes, *, size: int) -> bytes:
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (*parts, b""))


@st.composite
def draw_wrong_length(draw: DrawFn) -> Case:
    """Return a stream without its end, whose length or chunks are not what they are said to be."""
    body, text, _ = draw(draw_parts())
    wrong = draw(st.sampled_from(["long", "short", "chunk", "size"]))
    head = b"Content-Length: %d" % (len(body) + draw(st.integers(1, 999)))
    if wrong == "short":
        head, body = b"Content-Length: %d" % draw(st.integers(0, len(body))), body + SURPLUS
    elif wrong == "chunk":
        head, body = b"Transfer-Encoding: chunked", b"%x\r\n%b" % (len(body) + 9, body)
    elif wrong == "size":
        head, body = b"Transfer-Encoding: chunked", b"%x\r\n%b\r\nzz\r\n" % (len(body) or 1, body or b" ")
    response = b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n" + body
    script = Script(response=response, chunk_size=draw(st.sampled_from([0, 3, 1000])))
    return Case(script, text, JobState.FAILED, "dropped", is_cut=True)


@st.composite
def draw_refusal(draw: DrawFn) -> Case:
    """Return a refusal before the stream; the caller shortens a prompt that is too long, and asks again."""
    status, body, code = draw(st.sampled_from(list(REFUSALS.values())))
    content = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} Refused\r\nContent-Length: {len(content)}\r\n\r\n".encode()
    script = Script(response=head + content, chunk_size=draw(st.sampled_from([0, 7])))
    if code == "too_long":
        return Case(script, LATER, JobState.DONE, "")
    return Case(script, "", JobState.FAILED, code)


@st.composite
def draw_noise(draw: DrawFn) -> Case:
    """Return bytes that are no response."""
    noise = draw(
        st.sampled_from([b"", b"\x16\x03\x01", b"HTTP/1.1 ", b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 x y\r\n\r\n"])
    )
    return Case(Script(response=noise), "", JobState.FAILED, "dropped")


CASES = st.one_of(*[draw_stream()] * 4, draw_wrong_length(), draw_refusal(), draw_noise())


@pytest.fixture(scope="module")
def model() -> Iterator[FakeModelServer]:
    with FakeModelServer(default=Script(tokens=[LATER])) as server:
        yield server


async def run_jobs(
    model: FakeModelServer, *scripts: Script, wire_format: str = "auto"
) -> list[RecordingTask]:
    """Run a job for each script, each of another person, with one client of the server."""
    server = ModelServer(model.url, wire_format=wire_format)

    async def find() -> ModelServer:
        return server

    registry = JobRegistry(find_server=find)
    registry.bind_loop()
    tasks = [RecordingTask(owner_id=UUID(int=number)) for number, _ in enumerate(scripts, start=1)]
    for task, script in zip(tasks, scripts, strict=True):
        model.forget_scripts()
        model.add_scripts(script)
        keyring = Keyring(owner=task.owner_id, epoch=1, keys={1: bytes(32)})
        job = registry.start(task, keyring=keyring)
        async with asyncio.timeout(60):
            await until(lambda job=job: job.is_over)  # type: ignore[misc]
    await registry.close(timeout=2)
    await server.close()
    return tasks


async def run_job(model: FakeModelServer, *scripts: Script) -> RecordingTask:
    """Run a job for each script, with a server that remembers nothing of earlier tests; return the last."""
    return (await run_jobs(model, *scripts))[-1]


def check_case(model: FakeModelServer, case: Case, changed: Settings) -> None:
    changed.MODEL_SILENCE_SECONDS = PATIENCE if case.script.silent_after is None else SILENCE
    task, next_task = asyncio.run(run_jobs(model, case.script, Script(tokens=[LATER])))

    assert [(one.text, one.state, one.reason) for one in next_task.kept[-1:]] == [(LATER, JobState.DONE, "")]
    assert all("SECRET" not in outcome.text for outcome in next_task.kept)
    last = task.kept[-1]
    assert (last.state, last.reason) == (case.state, case.reason)
    if case.is_cut:
        assert case.text.startswith(last.text)
    else:
        assert last.text == case.text
    for outcome in task.kept:
        assert "SECRET" not in outcome.text
        assert not thinking_marks.MARK.search(outcome.text)


@given(case=CASES)
@settings(TIMES, max_examples=15)
def test_a_job_ends_rightly_whatever_the_server_does(
    model: FakeModelServer, settings: Settings, case: Case
) -> None:
    check_case(model, case, settings)


@pytest.mark.slow
@given(case=CASES)
@settings(TIMES, max_examples=200)
def test_a_job_ends_rightly_after_two_hundred_faults(
    model: FakeModelServer, settings: Settings, case: Case
) -> None:
    check_case(model, case, settings)


THOUGHT_ONLY = Script(thoughts=["SECRET "] * 3, tokens=[], finish_reason="length")


async def test_a_job_whose_model_thought_until_its_limit_is_asked_once_more_with_room(
    model: FakeModelServer,
) -> None:
    before = len(model.calls)

    task = await run_job(model, THOUGHT_ONLY)

    assert (task.kept[-1].text, task.kept[-1].state) == (LATER, JobState.DONE)
    # Half of an unknown window.
    assert [body["max_tokens"] for body in model.calls[before:]] == [100, 100 + 2048]


async def test_a_job_whose_model_thinks_without_end_fails_and_says_so(model: FakeModelServer) -> None:
    before = len(model.calls)
    model.manners.default = THOUGHT_ONLY

    task = await run_job(model, THOUGHT_ONLY)

    model.manners.default = Script(tokens=[LATER])
    assert (task.kept[-1].text, task.kept[-1].state) == ("", JobState.FAILED)
    assert task.kept[-1].reason == "thought_limit"
    assert len(model.calls) - before == 2


async def test_a_model_that_was_seen_to_think_has_room_from_then_on(model: FakeModelServer) -> None:
    before = len(model.calls)
    thinking = Script(thoughts=["SECRET"], tokens=[LATER])

    await run_job(model, thinking, thinking)

    assert [body["max_tokens"] for body in model.calls[before:]] == [100, 100 + 1024]


async def test_room_for_thinking_is_no_room_for_a_longer_reply(model: FakeModelServer) -> None:
    words = make_words(40_000)

    task = await run_job(model, Script(thoughts=["SECRET"], tokens=[LATER]), Script(tokens=words))

    last = task.kept[-1]
    assert (last.state, last.reason) == (JobState.DONE, "length")
    assert len(last.text) < len("".join(words))


async def test_a_window_that_is_full_only_while_it_writes_makes_the_reply_begin_again(
    model: FakeModelServer,
) -> None:
    body = dump_choice(content="It ") + FAILURES["too long"].body
    before = len(model.calls)

    task = await run_job(model, Script(response=b"HTTP/1.1 200 OK\r\n\r\n" + body))

    assert (task.kept[-1].text, task.kept[-1].state) == (LATER, JobState.DONE)
    assert len(model.calls) - before == 2
