"""Tests with slow, busy, killed and foreign servers: each store adds one row, each error is the right one."""

import asyncio
import logging
import ssl
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from llamora.client import (
    AddressRefused,
    AsyncLlamora,
    AuthenticationError,
    Conflict,
    Invalid,
    Llamora,
    LlamoraError,
    Locked,
    NetworkError,
    NotFound,
    PermissionDenied,
    RateLimited,
    RetryPolicy,
    ServerError,
    Timeout,
    UnexpectedAnswer,
)
from tests.client.conftest import QUICK
from tests.client.scripted_api import TOKEN, Fault, ScriptedApi, build_error, get_free_port

SECRET = "The tin box under the stairs holds the letters."
DROPPED = Fault(is_dropped=True)
KILLED_AFTER_COMMIT = Fault(is_dropped=True, is_handled=True)
Use = Callable[..., Any]


def use_sync(url: str, name: str, *arguments: Any, client: dict[str, Any] | None = None, **named: Any) -> Any:
    with Llamora(url, **({"token": TOKEN, "retries": QUICK, "timeout": 5} | (client or {}))) as diary:
        return getattr(diary, name)(*arguments, **named)


def use_async(
    url: str, name: str, *arguments: Any, client: dict[str, Any] | None = None, **named: Any
) -> Any:
    async def run() -> Any:
        options: dict[str, Any] = {"token": TOKEN, "retries": QUICK, "timeout": 5} | (client or {})
        async with AsyncLlamora(url, **options) as diary:
            answer: Awaitable[Any] = getattr(diary, name)(*arguments, **named)
            return await answer

    return asyncio.run(run())


@pytest.fixture(params=[use_sync, use_async], ids=["sync", "async"])
def use(request: pytest.FixtureRequest) -> Use:
    found: Use = request.param
    return found


def fail(use: Use, url: str, name: str, *arguments: Any, **named: Any) -> LlamoraError:
    with pytest.raises(LlamoraError) as caught:
        use(url, name, *arguments, **named)
    return caught.value


# --- One row for each store --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        DROPPED,
        KILLED_AFTER_COMMIT,
        Fault(status=429, body=build_error("too_many_calls", "Wait."), headers={"Retry-After": "0"}),
        Fault(status=503, body=build_error("busy", "Wait."), headers={"Retry-After": "0"}),
        Fault(status=502, body=b"<html>Bad gateway</html>"),
        Fault(cut=20),
        Fault(delay=1.5, is_handled=True),
    ],
    ids=["dropped", "killed-after-commit", "429", "503", "gateway", "half-an-answer", "slow"],
)
@pytest.mark.parametrize("times", [1, 3])
def test_a_store_that_is_repeated_is_one_row(api: ScriptedApi, use: Use, fault: Fault, times: int) -> None:
    api.add_faults(*[fault] * times)

    answer = use(api.url, "write", "Rain.", day="2026-01-05", client={"timeout": 1})

    assert answer.action == "created"
    assert api.count("Rain.") == 1
    assert len({request.headers["idempotency-key"] for request in api.requests}) == 1
    assert len(api.requests) == times + 1


def test_each_store_has_its_own_key(api: ScriptedApi, use: Use) -> None:
    use(api.url, "write", "Rain.")
    use(api.url, "write", "Rain.")

    assert api.count("Rain.") == 2


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (KILLED_AFTER_COMMIT, NetworkError),
        (
            Fault(status=429, body=build_error("too_many_calls", "Wait."), headers={"Retry-After": "0"}),
            RateLimited,
        ),
        (Fault(status=503, body=build_error("not_saved", "The disk is full.")), ServerError),
        (Fault(delay=0.8), Timeout),
    ],
)
def test_after_three_repetitions_the_error_is_raised(
    api: ScriptedApi, use: Use, fault: Fault, kind: type[LlamoraError]
) -> None:
    api.add_faults(*[fault] * 4)

    error = fail(use, api.url, "write", "Rain.", client={"timeout": 0.4})

    assert type(error) is kind
    assert len(api.requests) == 4


@pytest.mark.parametrize(
    "fault", [DROPPED, Fault(status=503, body=build_error("busy", "Wait."), headers={"Retry-After": "0"})]
)
@pytest.mark.parametrize(
    ("name", "arguments", "named"),
    [("edit_entry", ("an-id",), {"revision": 1, "text": "Rain."})],
)
def test_what_may_not_be_sent_twice_is_sent_once(
    api: ScriptedApi, use: Use, fault: Fault, name: str, arguments: Any, named: Any
) -> None:
    api.add_faults(fault)

    error = fail(use, api.url, name, *arguments, **named)

    assert isinstance(error, NetworkError | ServerError)
    assert len(api.requests) == 1


def test_a_question_is_repeated_with_the_same_key(api: ScriptedApi, use: Use) -> None:
    api.add_faults(DROPPED)

    assert use(api.url, "chat", "Why?").response == "On 4 January [1]."

    keys = [request.headers.get("idempotency-key") for request in api.requests]
    assert len(keys) == 2
    assert len(set(keys)) == 1
    assert keys[0]


def test_a_refusal_is_not_repeated(api: ScriptedApi, use: Use) -> None:
    api.is_locked = True

    assert isinstance(fail(use, api.url, "get_day", "2026-01-05"), Locked)
    assert len(api.requests) == 1


# --- Waiting -----------------------------------------------------------------------------------------------


def test_a_named_wait_is_waited_for(api: ScriptedApi, use: Use) -> None:
    waits: list[float] = []
    busy = Fault(status=429, body=build_error("too_many_calls", "Wait."), headers={"Retry-After": "1"})
    api.add_faults(busy)

    began = time.monotonic()
    use(api.url, "get_status", client={"on_wait": waits.append})

    assert time.monotonic() - began >= 1
    assert 1 <= waits[0] <= 1 + QUICK.first_wait


def test_a_wait_of_an_hour_is_an_error_at_once(api: ScriptedApi, use: Use) -> None:
    api.add_faults(
        Fault(status=429, body=build_error("too_many_calls", "Wait."), headers={"Retry-After": "3600"})
    )

    error = fail(use, api.url, "get_status")

    assert isinstance(error, RateLimited)
    assert error.retry_after == 3600
    assert len(api.requests) == 1


def test_a_date_is_compared_with_the_servers_own_clock(api: ScriptedApi, use: Use) -> None:
    headers = {"Date": "Mon, 05 Jan 2026 12:00:00 GMT", "Retry-After": "Mon, 05 Jan 2026 13:00:00 GMT"}
    body = b"{}"
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    api.add_faults(Fault(raw=f"HTTP/1.1 503 Busy\r\n{lines}Content-Length: 2\r\n\r\n".encode() + body))

    assert fail(use, api.url, "get_status").retry_after == 3600


def test_waits_grow_and_are_not_all_alike() -> None:
    policy = RetryPolicy(first_wait=1, longest_wait=3)
    error = NetworkError("gone")

    waits = [[policy.get_wait(error, attempt=attempt) for _ in range(50)] for attempt in range(4)]

    for attempt, most in ((0, 1.0), (1, 2.0)):
        found = [wait for wait in waits[attempt] if wait is not None]
        assert all(most / 2 <= wait <= most for wait in found)
        assert len(set(found)) > 1
    assert set(waits[3]) == {None}


# --- The right error ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "kind", "named"),
    [
        (400, build_error("malformed_json", "This is not JSON."), Invalid, {}),
        (401, build_error("invalid_token", "Not valid."), AuthenticationError, {}),
        (
            403,
            build_error("missing_scope", "No.", scope="diary:write"),
            PermissionDenied,
            {"scope": "diary:write"},
        ),
        (404, build_error("not_found", "No."), NotFound, {}),
        (405, build_error("method_not_allowed", "No."), Invalid, {}),
        (409, build_error("revision_conflict", "No.", revision=7), Conflict, {"revision": 7}),
        (413, build_error("too_large", "No."), Invalid, {}),
        (415, build_error("unsupported_media_type", "No."), Invalid, {}),
        (422, build_error("invalid_field", "No.", field="day"), Invalid, {"field": "day"}),
        (423, build_error("locked", "Unlock it."), Locked, {}),
        (500, build_error("failed", "It failed."), ServerError, {}),
    ],
)
def test_each_answer_is_its_own_error(
    api: ScriptedApi,
    use: Use,
    status: int,
    body: dict[str, Any],
    kind: type[LlamoraError],
    named: dict[str, Any],
) -> None:
    api.add_faults(Fault(status=status, body=body))

    error = fail(use, api.url, "get_day", "2026-01-05")

    assert type(error) is kind
    assert (error.code, error.status, str(error)) == (body["error_code"], status, body["message"])
    assert {name: getattr(error, name) for name in named} == named


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=200, body=b"<html>Welcome to nginx!</html>"),
        Fault(status=404, body=b"<html>Not here</html>"),
        Fault(status=200, body=b"[" * 200_000),
        Fault(status=200, body=b"\xff\xfe"),
        Fault(status=200, body={"entries": "of another shape"}),
        Fault(status=200, body={"day": "no day", "entries": []}),
        Fault(status=200, body={"day": "2026-01-05", "entries": [{"id": 7}]}),
        Fault(raw=b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n"),
        Fault(pieces=(b"data: x\n\n",)),
    ],
)
def test_another_program_is_recognized(api: ScriptedApi, use: Use, fault: Fault) -> None:
    api.add_faults(fault)

    assert isinstance(fail(use, api.url, "get_day", "2026-01-05"), UnexpectedAnswer)


def test_no_server_is_a_network_error(use: Use) -> None:
    error = fail(use, f"http://127.0.0.1:{get_free_port()}", "get_status")

    assert type(error) is NetworkError
    assert error.code == "no_connection"


def test_an_answer_that_drips_is_too_late(api: ScriptedApi, use: Use) -> None:
    """Each byte comes in time, and the whole never does."""
    api.add_faults(*[Fault(pieces=(b" ",) * 40, piece_delay=0.05)] * 4)

    began = time.monotonic()
    error = fail(use, api.url, "get_status", client={"timeout": 0.5, "retries": RetryPolicy(count=0)})

    assert isinstance(error, Timeout)
    assert time.monotonic() - began < 1.8


def test_an_endless_answer_is_refused(api: ScriptedApi, use: Use) -> None:
    api.add_faults(Fault(pieces=(b" " * (1 << 20),) * 70))

    error = fail(use, api.url, "get_status", client={"timeout": 30})

    assert (type(error), error.code) == (UnexpectedAnswer, "too_long")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_the_token_does_not_follow_a_redirect(api: ScriptedApi, use: Use, status: int) -> None:
    with ScriptedApi() as elsewhere:
        api.add_faults(Fault(status=status, body=b"", headers={"Location": f"{elsewhere.url}/api/status"}))

        error = fail(use, api.url, "get_status")

        assert elsewhere.requests == []
    assert (type(error), error.code) == (UnexpectedAnswer, "redirected")
    assert elsewhere.url in str(error)


# --- Certificates ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-days", "36500", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run([*command, *files], check=True, capture_output=True)
    both = folder / "both.pem"
    both.write_text((folder / "cert.pem").read_text() + (folder / "key.pem").read_text())
    return both


@pytest.fixture
def tls_api(certificate: Path) -> Iterator[ScriptedApi]:
    with ScriptedApi(certificate=certificate) as server:
        yield server


def test_a_certificate_that_nobody_vouches_for_is_refused(tls_api: ScriptedApi, use: Use) -> None:
    waits: list[float] = []

    error = fail(use, tls_api.url, "write", "Rain.", client={"on_wait": waits.append})

    assert (type(error), error.code) == (NetworkError, "certificate")
    assert waits == []
    assert tls_api.requests == []
    assert tls_api.count("Rain.") == 0


def test_a_certificate_of_another_host_is_refused(tls_api: ScriptedApi, use: Use, certificate: Path) -> None:
    url = tls_api.url.replace("127.0.0.1", "localhost")

    error = fail(use, url, "get_status", client={"ca_file": certificate})

    assert error.code == "certificate"
    assert tls_api.requests == []


def test_a_certificate_of_a_named_authority_is_accepted(
    tls_api: ScriptedApi, use: Use, certificate: Path
) -> None:
    assert use(tls_api.url, "get_status", client={"ca_file": certificate}).unlocked


def test_a_server_without_tls_is_said_to_have_none(api: ScriptedApi, use: Use) -> None:
    error = fail(use, api.url.replace("http:", "https:"), "get_status")

    assert isinstance(error, NetworkError)
    assert error.code == "tls"


def test_a_file_that_is_no_certificate_is_refused(tmp_path: Path, use: Use) -> None:
    (tmp_path / "ca.pem").write_text("nothing")

    for name in ("ca.pem", "absent.pem"):
        error = fail(use, "https://diary.home", "get_status", client={"ca_file": tmp_path / name})
        assert (type(error), error.code) == (AddressRefused, "ca_file")


def test_the_context_verifies_names_and_certificates() -> None:
    from llamora.client.addresses import build_tls_context

    context = build_tls_context(None)

    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)


# --- Nothing is told ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        DROPPED,
        Fault(delay=0.5),
        Fault(status=422, body=build_error("invalid_field", f"Bad text: {SECRET}", field=SECRET)),
        Fault(status=422, body=build_error("invalid_field", f"Bad text: {SECRET[5:35]}…")),
        Fault(status=401, body=build_error("invalid_token", f"{TOKEN} is not valid.")),
        Fault(status=401, body=build_error(TOKEN, "Not valid.", scope=f"the scope of {SECRET}")),
        Fault(status=500, body=f"<pre>{SECRET} {TOKEN}</pre>".encode()),
        Fault(status=302, body=b"", headers={"Location": f"https://elsewhere.example/?{TOKEN}"}),
        Fault(status=302, body=b"", headers={"Location": f"https://{TOKEN}.example/"}),
        Fault(status=200, body={"text": SECRET}),
        Fault(raw=f"{SECRET} {TOKEN}\r\n\r\n".encode()),
    ],
)
def test_no_error_has_the_token_or_the_text(
    api: ScriptedApi, use: Use, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    # Below that, httpcore logs every header of an answer.
    caplog.set_level(logging.INFO)
    api.add_faults(fault)

    error = fail(use, api.url, "write", SECRET, client={"timeout": 0.2, "retries": RetryPolicy(count=0)})

    shown = f"{error} {error!r} {vars(error)} {caplog.text}"
    assert SECRET[5:35] not in shown
    assert "llamora_scripted" not in shown
    assert (error.__cause__, error.__context__) == (None, None)


def test_what_a_terminal_would_obey_is_left_out_of_a_sentence(api: ScriptedApi, use: Use) -> None:
    api.add_faults(Fault(status=422, body=build_error("invalid_field", "Bad \x1b]0;x\x07 \u202efield.\n")))

    assert str(fail(use, api.url, "get_day", "2026-01-05")) == "Bad ]0;x field."


def test_the_token_is_shown_by_no_object(api: ScriptedApi) -> None:
    with Llamora(api.url, token=TOKEN) as diary:
        shown = f"{diary!r} {diary._connection!r} {vars(diary)!r}"

    assert TOKEN not in shown
    assert f"127.0.0.1:{api.port}" in shown


# --- What is refused before it is sent ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "arguments", "named"),
    [
        ("write", ("one half \ud83d",), {}),
        ("write", ("Rain.",), {"day": "yesterday"}),
        ("write", ("Rain.",), {"idempotency_key": "two\nlines"}),
        ("write", ("Rain.",), {"idempotency_key": ""}),
        ("get_day", ("05.01.2026",), {}),
        ("get_entry", ("../days",), {}),
        ("get_entry", ("",), {}),
        ("export", ("diary.pdf",), {"export_format": "pdf"}),
    ],
)
def test_what_can_only_be_wrong_is_refused_at_once(
    api: ScriptedApi, use: Use, name: str, arguments: Any, named: Any
) -> None:
    error = fail(use, api.url, name, *arguments, **named)

    assert isinstance(error, Invalid)
    assert (error.__cause__, error.__context__) == (None, None)
    assert api.requests == []


@pytest.mark.parametrize("token", ["", "  ", "two words", "line\nbreak", "grün", "a" * 600])
def test_what_is_no_token_is_refused_at_once(api: ScriptedApi, token: str) -> None:
    with pytest.raises(AuthenticationError):
        Llamora(api.url, token=token)


def test_blanks_around_a_token_are_left_out(api: ScriptedApi, use: Use) -> None:
    assert use(api.url, "get_status", client={"token": f" {TOKEN}\n"}).unlocked
