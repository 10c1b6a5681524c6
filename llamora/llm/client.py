"""Client of a model server: its address, streamed replies with time limits, token counts.

A `ModelServer` is bound to the event loop that first uses it. It ignores proxies in the
environment and follows no redirects, so it sends a prompt only to the configured address.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from copy import copy
from ipaddress import ip_address
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import httpx

from llamora.llm import probe, tokens
from llamora.llm.content_coding import decode_body
from llamora.llm.deltas import ChatMessages, Delta, StreamEnd
from llamora.llm.errors import (
    ApiKeyRefused,
    ConnectionDropped,
    MalformedResponse,
    ModelError,
    ModelServerFailed,
    ModelSilent,
    ModelTooSlow,
    RefusedConnection,
    RemoteNotAllowed,
    ThoughtUntilLimit,
    TimeLimitReached,
    WrongAddress,
    error_for_response,
)
from llamora.llm.formats.registry import find_format
from llamora.llm.formats.wire_format import ANTHROPIC, AUTO, RequestShape, WireFormat
from llamora.llm.probe import ProbeOptions, ServerCapabilities
from llamora.llm.requests.reply_request import ReplyRequest
from llamora.llm.requests.sampling import Sampling
from llamora.llm.stream_parser import StreamParser
from llamora.llm.think_filter import opens_thinking
from llamora.llm.transport import QuickTransport

CONNECT_SECONDS = 5.0
ASK_SECONDS = 10.0
# Room for thinking beside the reply, in tokens and as a share of the context window: of a model that was seen
# to think, and of one whose thinking has used up all the room it had.
THINKING_ROOM, MORE_THINKING_ROOM = (2048, 1 / 4), (8192, 1 / 2)
_MAX_RESPONSE_BYTES = 1 << 22
_HEADERS = {"Accept-Encoding": "identity", "User-Agent": "Llamora"}
_JSON_HEADERS = {"Content-Type": "application/json"}
_PORTS = {"http": 80, "https": 443}
_ANTHROPIC_HOST = "api.anthropic.com"


def normalize_base_url(base_url: str) -> str:
    """Return the address without a trailing `/v1`, which people may type, or raise WrongAddress."""
    try:
        parts = urlsplit(base_url.strip())
        is_valid = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        is_valid = False
    if not is_valid:
        raise WrongAddress
    return parts._replace(path=parts.path.rstrip("/").removesuffix("/v1"), query="", fragment="").geturl()


def is_loopback_url(base_url: str) -> bool:
    """Return whether a URL is certainly on this machine; host names are not looked up."""
    host = (urlsplit(base_url).hostname or "").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def check_remote_allowed(base_url: str, *, allow_remote: bool) -> None:
    """Raise RemoteNotAllowed if the address is not on this machine and remote servers are not allowed."""
    if not allow_remote and not is_loopback_url(base_url):
        raise RemoteNotAllowed


class StreamTimeout:
    """Two time limits of a stream, in seconds: for each wait without bytes, and for the whole stream.

    The first limit starts again at each wait. So any received bytes restart it, even pings that a server
    sends while it reads a long prompt. If it passes before the reply has begun, the error is ModelTooSlow.
    The second limit starts when this object is created, and ends an endless reply.
    """

    def __init__(self, *, silence: float, limit: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._silence = silence
        self.has_begun = False
        self._deadline = self._loop.time() + limit

    @asynccontextmanager
    async def limit_wait(self) -> AsyncIterator[None]:
        """Limit the time of the `with` block, which contains one wait for the server."""
        now = self._loop.time()
        try:
            async with asyncio.timeout_at(min(now + self._silence, self._deadline)):
                yield
        except TimeoutError:
            if self._loop.time() >= self._deadline:
                raise TimeLimitReached from None
            raise (ModelSilent if self.has_begun else ModelTooSlow) from None

    async def next_chunk(self, chunks: AsyncIterator[bytes]) -> bytes | None:
        """Return the next chunk of a response, or None at its end."""
        async with self.limit_wait():
            chunk = await anext(chunks, None)
        if self._loop.time() >= self._deadline:
            raise TimeLimitReached
        return chunk


def _get_model_error(error: httpx.HTTPError | httpx.InvalidURL) -> ModelError:
    """Return the ModelError that replaces an error of httpx: httpx attaches the request, with its prompt."""
    match error:
        case httpx.ConnectError() | httpx.ConnectTimeout():
            return RefusedConnection()
        case httpx.TimeoutException():
            return ModelSilent()
        case httpx.RemoteProtocolError() | httpx.NetworkError():
            return ConnectionDropped()
        case httpx.UnsupportedProtocol() | httpx.InvalidURL():
            return WrongAddress()
    return ModelServerFailed()


@contextmanager
def _translate_errors() -> Iterator[None]:
    """Replace errors of httpx in the `with` block by a ModelError, without the original error as context."""
    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        failure = _get_model_error(error)
    else:
        return
    raise failure from None


class UseCount:
    """Count of the replies that a server is writing now. `wait` returns when there are none."""

    def __init__(self) -> None:
        self.count = 0
        self._unused = asyncio.Event()
        self._unused.set()

    @contextmanager
    def count_reply(self) -> Iterator[None]:
        """Count one more reply that is being written, until the end of the `with` block."""
        self.count += 1
        self._unused.clear()
        try:
            yield
        finally:
            self.count -= 1
            if not self.count:
                self._unused.set()

    async def wait(self) -> None:
        """Wait until no reply is being written."""
        await self._unused.wait()


class ModelServer:
    """Client of one model server, in one of the wire formats.

    wire_format   the name of the format, or `AUTO` to detect it
    context       the context window in tokens with which Ollama loads its models
    unload_after  the idle time after which Ollama unloads a model; Ollama's default if empty
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str = "",
        model: str = "",
        allow_remote: bool = False,
        wire_format: str = AUTO,
        context: int = probe.UNKNOWN_WINDOW,
        unload_after: str = "",
        on_failure: Callable[[ModelError], None] | None = None,
    ) -> None:
        self.url = normalize_base_url(base_url)
        check_remote_allowed(self.url, allow_remote=allow_remote)
        self.is_remote = not is_loopback_url(self.url)
        self.model = model
        self.offer: ServerCapabilities | None = None
        self._api_key = _clean_key(api_key)
        self._named_format = wire_format
        self._context, self._unload_after = context, unload_after
        # Shared with the copies for other models: the server is closed after the last use of all of them.
        self.uses = UseCount()
        self._on_failure = on_failure
        self._client: httpx.AsyncClient | None = None
        self._urls: dict[str, httpx.URL] = {}
        # Models whose template opens their thinking, so that only its closing tag is in the reply.
        self._think_first: set[str] = set()
        # By model, as long as this process runs: the room that its thinking needs, and the shape of request
        # that it accepts.
        self._thinking_rooms: dict[str, tuple[int, float]] = {}
        self._shapes: dict[tuple[str, str], RequestShape] = {}

    def is_at(self, base_url: str, *, api_key: str, wire_format: str = AUTO) -> bool:
        """Return whether this client has this address, this API key and this configured wire format."""
        is_same_key = self._api_key == api_key.strip() and self._named_format == wire_format
        return is_same_key and self.url == normalize_base_url(base_url)

    def with_model(self, model: str) -> "ModelServer":
        """Return a client for another model of this server; both clients share the HTTP connections.

        If the server is not known to offer that model, return this client.
        """
        if not model or self.offer is None or model == self.model or model not in self.offer.models:
            return self
        self._get_http_client()  # before the copy, so that both share it and it is closed once
        other = copy(self)
        other.model, other.offer = model, self.offer.for_model(model)
        return other

    def with_key(self, api_key: str) -> "ModelServer":
        """Return a client with a person's own API key, which shares the connections.

        Raise ApiKeyRefused if the key can't be sent.
        """
        self._get_http_client()  # as above
        other = copy(self)
        other._api_key = _clean_key(api_key)
        return other

    @property
    def wire_format(self) -> WireFormat:
        """The format in which replies are requested."""
        if self.offer is not None:
            return find_format(self.offer.wire_format)
        return find_format(self._guess_format())

    def _guess_format(self) -> str:
        """Return the name of the configured format; for `AUTO`, Anthropic's if the host is Anthropic's."""
        if self._named_format == AUTO and (urlsplit(self.url).hostname or "") == _ANTHROPIC_HOST:
            return ANTHROPIC
        return self._named_format

    async def probe(self, *, named: str = "") -> ServerCapabilities:
        """Return the capabilities of the server, and store them in the attribute `offer`.

        `named` is the model to use if the server does not list its models.
        """
        options = ProbeOptions(
            named=named,
            wire_format=self._guess_format(),
            has_key=bool(self._api_key),
            context=self._context,
        )
        before, self.offer = self.offer, await probe.probe_server(self._fetch_json, options)
        if self.offer.counts_tokens and self.offer != before:
            # For a server that does not apply templates, the first reply will tell.
            with suppress(ModelError):
                if opens_thinking(await self._apply_template([{"role": "user", "content": "Hello."}])):
                    self._think_first.add(self.model_name)
                    self._thinking_rooms.setdefault(self.model_name, THINKING_ROOM)
        return self.offer

    @property
    def thinking_tokens(self) -> int:
        """The number of tokens to allow for the model's thinking; 0 if it has never been seen to think."""
        tokens_needed, share = self._thinking_rooms.get(self.model_name, (0, 0.0))
        window = self.offer.context_window if self.offer else probe.UNKNOWN_WINDOW
        return min(tokens_needed, int(window * share))

    async def stream(
        self,
        messages: ChatMessages,
        *,
        max_tokens: int,
        sampling: Sampling = MappingProxyType({}),
        schema: dict[str, Any] | None = None,
        silence: float = 120.0,
        limit: float = 900.0,
    ) -> AsyncGenerator[Delta | StreamEnd, None]:
        """Yield a reply: deltas as they arrive, then a `StreamEnd`. Cancelling and `aclose()` stop it.

        `schema` requests JSON output; some servers ignore it, so the output must be checked. `silence` and
        `limit` are seconds: the longest time without any bytes, and the longest time for the whole reply.
        """
        stream_timeout, name = StreamTimeout(silence=silence, limit=limit), self.model_name
        # An answer in JSON begins with JSON, whatever the template opens.
        thinks_first = schema is None and name in self._think_first
        parser = StreamParser(wire_format=self.wire_format, thinks_first=thinks_first)
        thinks = name in self._thinking_rooms
        request = ReplyRequest(
            model=name,
            messages=messages,
            max_tokens=max_tokens,
            sampling=sampling,
            schema=schema,
            window=self.offer.context_window if self.offer else self._context,
            unload_after=self._unload_after,
        )
        async with self._reporting_failure(), self._open_reply(request, stream_timeout) as response:
            chunks = _iter_content(response)
            while not parser.ended and (chunk := await stream_timeout.next_chunk(chunks)) is not None:
                if delta := parser.feed(chunk):
                    stream_timeout.has_begun = True
                    if delta.withdraw:
                        # From now on the beginning of this model's replies is treated as thinking.
                        self._think_first.add(name)
                    if delta.thought and not thinks:
                        thinks = True
                        self._thinking_rooms.setdefault(name, THINKING_ROOM)
                    yield delta
            last = parser.close()
        if parser.thinks_first_was_wrong:
            self._think_first.discard(name)
        # The connection is free again before the end is reported.
        if last:
            yield last
        try:
            end = parser.finish()
        except ThoughtUntilLimit:
            self._thinking_rooms[name] = MORE_THINKING_ROOM
            raise
        yield end

    async def count_tokens(self, text: str) -> int:
        """Return the number of tokens of a text: exact if the server can count, else an estimate."""
        if not (self.offer and self.offer.counts_tokens):
            return tokens.estimate_tokens(text)
        response = await self._fetch_json("/tokenize", {"content": text, "add_special": False})
        found = response.get("tokens") if isinstance(response, dict) else None
        if not isinstance(found, list):
            raise MalformedResponse
        return len(found)

    async def count_message_tokens(self, messages: ChatMessages) -> int:
        """Return the number of tokens of a whole prompt, with those of the model's template.

        It is an estimate if the server cannot count.
        """
        if not (self.offer and self.offer.counts_tokens):
            return sum(
                tokens.estimate_tokens(message["content"]) + tokens.TOKENS_PER_MESSAGE for message in messages
            )
        # One more for the token at the beginning of every prompt.
        return await self.count_tokens(await self._apply_template(messages)) + 1

    async def close(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    @property
    def model_name(self) -> str:
        """The model's name in requests."""
        return self.model or (self.offer.name if self.offer else "")

    @property
    def remote_host(self) -> str:
        """The host to which prompts are sent, or "" if it is this machine."""
        return (urlsplit(self.url).hostname or "") if self.is_remote else ""

    @property
    def origin(self) -> str:
        """The web origin of the server: scheme, host and port, such as `https://models.example:443`."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.hostname}:{parts.port or _PORTS[parts.scheme]}"

    async def _apply_template(self, messages: ChatMessages) -> str:
        """Return the messages as one prompt, formatted with the model's template."""
        shape = self._get_shape(self.model_name)
        response = await self._fetch_json("/apply-template", {"messages": shape.build_messages(messages)})
        prompt = response.get("prompt") if isinstance(response, dict) else None
        if not isinstance(prompt, str):
            raise MalformedResponse
        return prompt

    def _get_shape(self, model: str) -> RequestShape:
        """Return the shape of request that a model has accepted before, or else the usual one."""
        return self._shapes.get((self.wire_format.name, model), self.wire_format.usual_shape)

    def _get_http_client(self) -> httpx.AsyncClient:
        if self._client is None:
            # Each stream has its own timeout, so httpx has none except for connecting.
            self._client = httpx.AsyncClient(
                transport=QuickTransport(connect_seconds=CONNECT_SECONDS),
                timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
                trust_env=False,
                follow_redirects=False,
            )
        return self._client

    def _request(self, path: str, body: dict[str, Any] | None) -> httpx.Request:
        # Not `build_request`: it merges address, headers and cookies, which takes longer than sending them.
        url = self._urls.get(path) or self._urls.setdefault(path, httpx.URL(self.url + path))
        headers = {**_HEADERS, **self.wire_format.build_headers(self._api_key)}
        if body is None:
            return httpx.Request("GET", url, headers=headers)
        # httpx's own encoder raises for half a surrogate pair, with the text in its error.
        content = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        return httpx.Request("POST", url, content=content, headers={**headers, **_JSON_HEADERS})

    @asynccontextmanager
    async def _open_reply(
        self, request: ReplyRequest, stream_timeout: StreamTimeout
    ) -> AsyncIterator[httpx.Response]:
        """Request a reply and yield the response; if a part of the request is refused, try without it."""
        wire_format = self.wire_format
        shape = self._get_shape(request.model)
        while True:
            response = await self._send(wire_format.path, shape.build_body(request), stream_timeout)
            if response.status_code == httpx.codes.OK:
                break
            body = await _read_refusal(response, stream_timeout)
            # Each refusal takes a part of the shape away, so that the last is soon reached.
            other = shape.adapt_to_refusal(response.status_code, body, request=request)
            if other is None:
                raise error_for_response(response.status_code, body)
            shape = other
        # Only now is it known that this shape was what the server wanted.
        self._shapes[wire_format.name, request.model] = shape
        try:
            yield response
        finally:
            await response.aclose()

    @asynccontextmanager
    async def _open_response(
        self, path: str, body: dict[str, Any] | None, stream_timeout: StreamTimeout
    ) -> AsyncIterator[httpx.Response]:
        """Send a GET, or a POST if there is a body; yield the response, or raise a ModelError if refused."""
        response = await self._send(path, body, stream_timeout)
        if response.status_code != httpx.codes.OK:
            raise error_for_response(response.status_code, await _read_refusal(response, stream_timeout))
        try:
            yield response
        finally:
            await response.aclose()

    async def _send(
        self, path: str, body: dict[str, Any] | None, stream_timeout: StreamTimeout
    ) -> httpx.Response:
        async with stream_timeout.limit_wait():
            return await self._get_http_client().send(self._request(path, body), stream=True)

    @asynccontextmanager
    async def _reporting_failure(self) -> AsyncIterator[None]:
        """If the `with` block raises an error, call `on_failure` with its ModelError, then raise that."""
        try:
            with _translate_errors():
                yield
        except ModelError as error:
            if self._on_failure is not None:
                self._on_failure(error)
            raise

    async def _fetch_json(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Send a small request and return its response as JSON."""
        stream_timeout = StreamTimeout(silence=ASK_SECONDS, limit=2 * ASK_SECONDS)
        stream_timeout.has_begun = True
        with _translate_errors():
            async with self._open_response(path, body, stream_timeout) as response:
                return _parse_json(await _read_bounded(response, stream_timeout))


def _clean_key(api_key: str) -> str:
    """Return an API key without blanks around it; raise ApiKeyRefused if it can't be sent in a header."""
    key = api_key.strip()
    if not (key.isascii() and key.isprintable()):
        raise ApiKeyRefused
    return key


def _iter_content(response: httpx.Response) -> AsyncIterator[bytes]:
    """Return the chunks of a response's body, decoded if the server compressed it."""
    return decode_body(response.aiter_raw(), response.headers.get("Content-Encoding", ""))


async def _read_refusal(response: httpx.Response, stream_timeout: StreamTimeout) -> bytes:
    """Return the body of a refusal, and close its response."""
    try:
        return await _read_bounded(response, stream_timeout)
    finally:
        await response.aclose()


async def _read_bounded(response: httpx.Response, stream_timeout: StreamTimeout) -> bytes:
    """Return the body of a response; raise MalformedResponse if it is too long."""
    body, chunks = b"", _iter_content(response)
    while (chunk := await stream_timeout.next_chunk(chunks)) is not None:
        body += chunk
        if len(body) > _MAX_RESPONSE_BYTES:
            raise MalformedResponse
    return body


def _parse_json(body: bytes) -> Any:
    """Return the parsed JSON; if it is invalid, raise MalformedResponse, which does not contain the text."""
    try:
        return json.loads(body)
    except ValueError:
        raise MalformedResponse from None
