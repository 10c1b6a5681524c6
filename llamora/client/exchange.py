"""Building of requests and reading of responses, for the synchronous and the asynchronous client.

Redirects are never followed, because the token would be sent to the new address. A response is read up to 64
MiB; a file is streamed.
"""

import json
import random
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import httpx

from llamora.client.addresses import ServerAddress, build_tls_context, parse_address, parse_token
from llamora.client.answers import ChatEnd, ChatEvent, ChatRestart, ChatStart, ChatText, parse_answer
from llamora.client.calls import ApiCall
from llamora.client.errors import (
    LlamoraError,
    NetworkError,
    ServerError,
    Timeout,
    UnexpectedAnswer,
    build_error,
    read_retry_after,
)
from llamora.client.server_events import EventTooLong, ServerEventParser

T = TypeVar("T")
MAX_ANSWER_BYTES: Final = 64 << 20
MAX_CONNECT_SECONDS: Final = 10.0
NOT_LLAMORA: Final = (
    "What answers at this address is not Llamora, or a version without this call. Check the address."
)


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """The number of retries of an idempotent call, and the waits between them.

    `count` is the largest number of retries. The waits begin at `first_wait` seconds and double; half of each
    is random, so that programs do not retry at the same moment. If the server names a wait of more than
    `longest_wait` seconds, the error is raised instead.

    >>> with Llamora(url, token=token, retries=RetryPolicy(count=0)) as diary:
    ...     diary.get_health().status
    'ok'
    """

    count: int = 3
    first_wait: float = 0.5
    longest_wait: float = 60.0

    def get_wait(self, error: LlamoraError, *, attempt: int) -> float | None:
        """Return the seconds to wait after attempt number `attempt` (from 0), or None to give up."""
        if attempt >= self.count or not error.is_temporary:
            return None
        if error.retry_after is not None:
            # A little later than named: not with everybody else who was told the same.
            wait = error.retry_after + random.uniform(0, self.first_wait)  # noqa: S311 - no secret
            return wait if error.retry_after <= self.longest_wait else None
        full = min(self.first_wait * float(2**attempt), self.longest_wait)
        return full * random.uniform(0.5, 1)  # noqa: S311 - no secret


@dataclass(frozen=True, kw_only=True)
class ApiConnection:
    """The address, token and limits with which requests are built; `repr` hides the token."""

    address: ServerAddress
    token: str | None = field(repr=False)
    timeout: float
    chat_timeout: float
    retries: RetryPolicy
    tls: ssl.SSLContext = field(repr=False)

    def build_options(self) -> dict[str, Any]:
        """Return the arguments of httpx's clients."""
        return {"verify": self.tls, "trust_env": False, "follow_redirects": False}

    def build_request(self, call: ApiCall[Any]) -> httpx.Request:
        """Return the HTTP request of a call; raise Invalid for a text that cannot be encoded."""
        body = call.encode_body()
        headers = {
            "Host": self.address.host,
            "Accept": "application/json",
            # Long answers are texts of a diary: compressed beside a secret, their length would tell about it.
            "Accept-Encoding": "identity",
            "User-Agent": "llamora-client",
            **call.headers,
        }
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        seconds = self.get_timeout(call)
        timeout = httpx.Timeout(seconds, connect=min(seconds, MAX_CONNECT_SECONDS))
        return httpx.Request(
            call.method,
            self.address.build_url(call.path),
            params=call.query or None,
            headers=headers,
            content=body,
            extensions={"timeout": timeout.as_dict()},
        )

    def get_timeout(self, call: ApiCall[Any]) -> float:
        """Return the timeout of a call in seconds."""
        return self.chat_timeout if call.is_slow else self.timeout

    def list_secrets(self, call: ApiCall[Any]) -> list[str]:
        """Return the texts that no error may contain: the token, and the texts of a call."""
        return [*([self.token] if self.token else []), *call.list_secrets()]

    def read_error(
        self, call: ApiCall[Any], status: int, headers: Mapping[str, str], body: bytes
    ) -> LlamoraError:
        """Return the error for a response whose status is not 2xx."""
        if 300 <= status < 400:
            return self._build_redirect(headers.get("location", ""), status)
        decoded = decode_json(body)
        if not isinstance(decoded, dict) or "error_code" not in decoded:
            # Of a proxy, or of another program.
            if status == 404 or status < 400:
                return UnexpectedAnswer(NOT_LLAMORA, status=status)
            decoded = {}
        return build_error(
            status, decoded, secrets=self.list_secrets(call), retry_after=read_retry_after(headers)
        )

    def read_raw(
        self, call: ApiCall[Any], status: int, headers: Mapping[str, str], body: bytes
    ) -> "RawAnswer":
        """Return the unparsed response, with its error if the status is not 2xx."""
        error = None if 200 <= status < 300 else self.read_error(call, status, headers, body)
        return RawAnswer(status=status, headers=headers, body=body, error=error)

    @staticmethod
    def parse(call: ApiCall[T], answer: "RawAnswer | LlamoraError") -> T | LlamoraError:
        """Return the parsed response, or its error."""
        if isinstance(answer, LlamoraError):
            return answer
        if answer.error is not None:
            return answer.error
        decoded = decode_json(answer.body)
        if decoded is None:
            return UnexpectedAnswer(NOT_LLAMORA, status=answer.status)
        try:
            return call.parse(decoded)
        except ServerError as error:
            return error

    def _build_redirect(self, location: str, status: int) -> LlamoraError:
        try:
            parts = urlsplit(location)
            target = parse_address(f"{parts.scheme}://{parts.netloc}", allow_plain_http=True)
            shown = f"{parts.scheme}://{target.host}"
        except (LlamoraError, ValueError):
            shown = ""
        if not shown.isascii() or len(shown) > 200 or (self.token and self.token.lower() in shown.lower()):
            shown = ""
        return UnexpectedAnswer(
            "The server sends this call elsewhere, where the token does not go. If you trust "
            f"{shown or 'that address'}, make it the server's address.",
            code="redirected",
            status=status,
        )


@dataclass(frozen=True, kw_only=True)
class RawAnswer:
    """An unparsed response; `error` is set if its status is not 2xx."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    error: LlamoraError | None = None


def build_connection(
    url: str,
    token: str | None,
    *,
    timeout: float,
    chat_timeout: float,
    retries: RetryPolicy | None,
    ca_file: Any,
    allow_plain_http: bool,
) -> ApiConnection:
    """Return a connection; raise AddressRefused, or AuthenticationError for an invalid token."""
    address = parse_address(url, allow_plain_http=allow_plain_http)
    return ApiConnection(
        address=address,
        token=None if token is None else parse_token(token),
        timeout=timeout,
        chat_timeout=chat_timeout,
        retries=retries or RetryPolicy(),
        # Loading the authorities takes a while. Over http no certificate is asked for; this context trusts
        # none.
        tls=build_tls_context(ca_file) if address.is_encrypted else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
    )


def decode_json(body: bytes) -> Any:
    """Return decoded JSON, or None if it is invalid."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


class AnswerBuffer:
    """The bytes of a response while it is received, with a limit on size and time."""

    def __init__(self, *, seconds: float) -> None:
        self._chunks: list[bytes] = []
        self._size = 0
        self._deadline = time.monotonic() + seconds

    def add(self, chunk: bytes) -> LlamoraError | None:
        """Add bytes; return an error if a limit is exceeded."""
        self._chunks.append(chunk)
        self._size += len(chunk)
        if self._size > MAX_ANSWER_BYTES:
            return UnexpectedAnswer(
                "The server's answer is longer than any that this client expects.", code="too_long"
            )
        if time.monotonic() > self._deadline:
            return build_timeout_error()
        return None

    def join(self) -> bytes:
        """Return all bytes received."""
        return b"".join(self._chunks)


def build_timeout_error() -> Timeout:
    """Return the error for a response that did not arrive in time."""
    return Timeout("The server did not answer in time. Try again, or wait longer.")


def build_early_end_error() -> NetworkError:
    """Return the error for a connection that ended before the response was complete."""
    return NetworkError("The connection ended before the server had answered.", code="connection_lost")


def translate_failure(error: Exception, address: ServerAddress) -> LlamoraError:
    """Return our error for an httpx error; it does not refer to the httpx error, which contains the token."""
    if isinstance(error, httpx.ConnectTimeout):
        return Timeout(
            f"No connection to {address.host} in time. Check the address, and that Llamora runs there."
        )
    if isinstance(error, httpx.TimeoutException):
        return build_timeout_error()
    if (failure := _find_tls_error(error)) is not None:
        return _build_tls_error(failure, address)
    if isinstance(error, httpx.ConnectError):
        return NetworkError(
            f"No server answers at {address.host}. Check the address, and that Llamora runs there."
        )
    if isinstance(error, httpx.RemoteProtocolError | httpx.DecodingError) and not _is_early_end(error):
        return UnexpectedAnswer(NOT_LLAMORA)
    return build_early_end_error()


def _is_early_end(error: Exception) -> bool:
    """Return whether the connection closed, by h11's two sentences for that."""
    text = str(error)
    return "disconnected" in text or "closed connection" in text


def _find_tls_error(error: BaseException | None) -> ssl.SSLError | None:
    seen = 0
    while error is not None and seen < 10:
        if isinstance(error, ssl.SSLError):
            return error
        error, seen = error.__cause__ or error.__context__, seen + 1
    return None


def _build_tls_error(failure: ssl.SSLError, address: ServerAddress) -> NetworkError:
    if isinstance(failure, ssl.SSLCertVerificationError):
        message = (
            f"The certificate of {address.host} can't be trusted ({failure.verify_message.rstrip('.')}), so "
            "the token was not sent. If your own authority issued it, name that authority's file."
        )
        found = NetworkError(message, code="certificate")
    else:
        found = NetworkError(
            f"{address.host} does not speak TLS as it should. Check the address.", code="tls"
        )
    found.is_temporary = False
    return found


class ChatReader:
    """Parser of a streamed answer, from bytes to events."""

    def __init__(self, secrets: list[str]) -> None:
        self._parser = ServerEventParser()
        self._secrets = secrets
        self.is_complete = False
        self._is_begun = False

    def feed(self, chunk: bytes) -> list[ChatEvent | LlamoraError]:
        """Return the events that this chunk completes; only the last one can be an error."""
        found: list[ChatEvent | LlamoraError] = []
        self._is_begun = True
        try:
            for name, data in self._parser.feed(chunk):
                event = self._parse(name, data)
                if event is not None and not self.is_complete:
                    found.append(event)
                    self.is_complete = isinstance(event, ChatEnd | LlamoraError)
        except (EventTooLong, UnexpectedAnswer):
            self.is_complete = True
            found.append(UnexpectedAnswer("The server's stream has another shape than this client knows."))
        return found

    def _parse(self, name: str, data: str) -> ChatEvent | LlamoraError | None:
        kinds: dict[str, type[ChatEvent]] = {
            "start": ChatStart,
            "token": ChatText,
            "restart": ChatRestart,
            "done": ChatEnd,
        }
        if name == "error":
            return build_error(None, decode_json(data.encode()), secrets=self._secrets)
        if name not in kinds:
            return None
        return parse_answer(kinds[name], decode_json(data.encode()))

    def translate_failure(self, error: Exception, address: ServerAddress) -> LlamoraError:
        """Return the client's error for an httpx error, depending on whether any text has arrived."""
        failure = translate_failure(error, address)
        return self.build_early_end_error() if self._is_begun and type(failure) is NetworkError else failure

    @staticmethod
    def build_early_end_error() -> NetworkError:
        """Return the error for a stream that ended before the answer was complete."""
        return NetworkError(
            "The connection ended before the answer did. What arrived is not complete.",
            code="connection_lost",
        )


def is_event_stream(headers: Mapping[str, str]) -> bool:
    """Return whether a response is a stream of server-sent events."""
    return headers.get("content-type", "").partition(";")[0].strip().lower() == "text/event-stream"


def find_incomplete_framing(headers: Mapping[str, str]) -> UnexpectedAnswer | None:
    """If the headers do not show where the response ends, return an error. Otherwise return None.

    Without that, the client would not notice that the end of a file is missing.
    """
    if "content-length" in headers or "chunked" in headers.get("transfer-encoding", "").lower():
        return None
    return UnexpectedAnswer("The server does not say how long the file is, so a part of it might be missing.")
