"""A model server, as the rest of the house sees it.

One `ModelServer` is bound to the event loop that first uses it. Proxies of the environment are ignored and
redirects are never followed: what is written goes to the address that was named, or nowhere.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from copy import copy
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import httpx

from llamora.llm import probe as probing
from llamora.llm import tokens
from llamora.llm.deltas import ChatMessages, Delta, StreamEnd
from llamora.llm.errors import (
    ApiKeyRefused,
    ConnectionDropped,
    MalformedResponse,
    ModelError,
    ModelServerFailed,
    ModelSilent,
    RefusedConnection,
    RemoteNotAllowed,
    TimeLimitReached,
    WrongAddress,
    error_for_response,
)
from llamora.llm.probe import ServerCapabilities
from llamora.llm.stream_parser import StreamParser
from llamora.llm.think_filter import opens_thinking
from llamora.llm.transport import QuickTransport

# MERGED llamora.llm.addresses: Where a model server is, and whether that is this machine.
# MERGED llamora.llm.clock: Two limits on a stream: how long nothing may come, and how long all of it may
# take.
#
# Anything that comes counts as life, a server's pings too: a slow machine that reads a long prompt is not
# silent, and what goes on for ever meets the second limit.


def normalize_base_url(base_url: str) -> str:
    """The address without a trailing `/v1`, as people paste it both ways."""
    try:
        parts = urlsplit(base_url.strip())
        named = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        named = False
    if not named:
        raise WrongAddress
    return parts._replace(path=parts.path.rstrip("/").removesuffix("/v1"), query="", fragment="").geturl()


def is_loopback_url(base_url: str) -> bool:
    """True only for names and numbers that cannot leave this machine; nothing is looked up."""
    host = (urlsplit(base_url).hostname or "").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def check_remote_allowed(base_url: str, *, allow_remote: bool) -> None:
    """Raise unless the address is this machine or leaving it was allowed."""
    if not allow_remote and not is_loopback_url(base_url):
        raise RemoteNotAllowed


class StreamTimeout:
    """Starts with the work it times; both limits are in seconds."""

    def __init__(self, *, silence: float, limit: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._silence = silence
        self._deadline = self._loop.time() + limit

    @asynccontextmanager
    async def limit_wait(self) -> AsyncIterator[None]:
        """Around one wait for the server."""
        now = self._loop.time()
        try:
            async with asyncio.timeout_at(min(now + self._silence, self._deadline)):
                yield
        except TimeoutError:
            raise (TimeLimitReached if self._loop.time() >= self._deadline else ModelSilent) from None

    async def next_chunk(self, chunks: AsyncIterator[bytes]) -> bytes | None:
        """The next chunk, or None at the end."""
        async with self.limit_wait():
            chunk = await anext(chunks, None)
        if self._loop.time() >= self._deadline:
            raise TimeLimitReached
        return chunk


CONNECT_SECONDS = 5.0
ASK_SECONDS = 10.0
_MAX_RESPONSE_BYTES = 1 << 22
_JSON_HEADERS = {"Content-Type": "application/json"}


def _model_error_for(error: httpx.HTTPError | httpx.InvalidURL) -> ModelError:
    """Our error for one of httpx, whose own carries the request and with it the prompt."""
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
    """Every failure in here leaves as one of ours, without the other in its context."""
    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        failure = _model_error_for(error)
    else:
        return
    raise failure from None


class ModelServer:
    """Any server with `/v1/chat/completions`."""

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str = "",
        model: str = "",
        allow_remote: bool = False,
        on_failure: Callable[[ModelError], None] | None = None,
    ) -> None:
        self.url = normalize_base_url(base_url)
        check_remote_allowed(self.url, allow_remote=allow_remote)
        self.is_remote = not is_loopback_url(self.url)
        self.model = model
        self.offer: ServerCapabilities | None = None
        self._api_key = api_key.strip()
        if not (self._api_key.isascii() and self._api_key.isprintable()):
            raise ApiKeyRefused
        self._headers = {"Accept-Encoding": "identity", "User-Agent": "Llamora"}
        if self._api_key:
            self._headers["Authorization"] = f"Bearer {self._api_key}"
        self._on_failure = on_failure
        self._client: httpx.AsyncClient | None = None
        self._urls: dict[str, httpx.URL] = {}
        # Models whose template opens their thinking, so that only its end is to be seen.
        self._think_first: set[str] = set()

    def is_at(self, base_url: str, *, api_key: str) -> bool:
        """Whether this is that server, asked with that key."""
        return self.url == normalize_base_url(base_url) and self._api_key == api_key.strip()

    def with_model(self, model: str) -> "ModelServer":
        """Return this server asked for another of its models, over the same connections; or as it is."""
        if not model or self.offer is None or model == self.model or model not in self.offer.models:
            return self
        self._http()  # before the copy, so that both share it and it is closed once
        other = copy(self)
        other.model, other.offer = model, self.offer.for_model(model)
        return other

    async def probe(self) -> ServerCapabilities:
        """Ask what is there; remembered as `offer`."""
        before, self.offer = self.offer, await probing.probe(self._ask)
        if self.offer.counts_tokens and self.offer != before:
            # A server that does not tell is found out by the first reply.
            with suppress(ModelError):
                if opens_thinking(await self._apply_template([{"role": "user", "content": "Hello."}])):
                    self._think_first.add(self._name)
        return self.offer

    async def stream(
        self,
        turns: ChatMessages,
        *,
        max_tokens: int,
        temperature: float | None = None,
        schema: dict[str, Any] | None = None,
        silence: float = 120.0,
        limit: float = 900.0,
    ) -> AsyncGenerator[Delta | StreamEnd, None]:
        """A reply: deltas as they come, then one `Finish`. Cancelling and `aclose()` end the server's work.

        `schema` asks for an answer in JSON; not every server keeps to it, so the answer must be looked at.
        `silence` and `limit` are seconds: how long nothing may come, and how long all of it may take.
        """
        clock, name = StreamTimeout(silence=silence, limit=limit), self._name
        # An answer in JSON begins with it, whatever the template opens.
        reading = StreamParser(thinks_first=schema is None and name in self._think_first)
        body = self._body(turns, max_tokens=max_tokens, temperature=temperature, schema=schema)
        async with (
            self._reporting_failure(),
            self._open_response("/v1/chat/completions", body, clock) as answer,
        ):
            chunks = answer.aiter_raw()
            while not reading.ended and (chunk := await clock.next_chunk(chunks)) is not None:
                if delta := reading.feed(chunk):
                    if delta.withdraw:
                        # Once shown for a moment; its next thoughts are taken for what they are.
                        self._think_first.add(name)
                    yield delta
            last = reading.close()
        if reading.was_wrong:
            self._think_first.discard(name)
        # The connection is free again before the end is told.
        if last:
            yield last
        yield reading.finish()

    async def count_tokens(self, text: str) -> int:
        """Tokens of this text: exact where the server counts, else an estimate on the high side."""
        if not (self.offer and self.offer.counts_tokens):
            return tokens.estimate_tokens(text)
        answer = await self._ask("/tokenize", {"content": text, "add_special": False})
        found = answer.get("tokens") if isinstance(answer, dict) else None
        if not isinstance(found, list):
            raise MalformedResponse
        return len(found)

    async def count_message_tokens(self, turns: ChatMessages) -> int:
        """Tokens of a whole prompt, with what the model's template adds."""
        if not (self.offer and self.offer.counts_tokens):
            return sum(tokens.estimate_tokens(turn["content"]) + tokens.TOKENS_PER_MESSAGE for turn in turns)
        # One more for the token that begins every prompt.
        return await self.count_tokens(await self._apply_template(turns)) + 1

    async def close(self) -> None:
        """Let go of the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    @property
    def _name(self) -> str:
        """The model that is asked."""
        return self.model or (self.offer.name if self.offer else "")

    async def _apply_template(self, turns: ChatMessages) -> str:
        """The prompt that the model's template makes of these turns."""
        answer = await self._ask("/apply-template", {"messages": list(turns)})
        prompt = answer.get("prompt") if isinstance(answer, dict) else None
        if not isinstance(prompt, str):
            raise MalformedResponse
        return prompt

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            # Waiting is timed by the clock of each stream, so httpx has no limits of its own.
            self._client = httpx.AsyncClient(
                transport=QuickTransport(connect_seconds=CONNECT_SECONDS),
                timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
                trust_env=False,
                follow_redirects=False,
            )
        return self._client

    def _body(
        self,
        turns: ChatMessages,
        *,
        max_tokens: int,
        temperature: float | None,
        schema: dict[str, Any] | None,
    ) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self._name,
            "messages": list(turns),
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": max_tokens,
        }
        if schema is not None:
            form = {"name": "answer", "strict": True, "schema": schema}
            body["response_format"] = {"type": "json_schema", "json_schema": form}
        return body if temperature is None else {**body, "temperature": temperature}

    def _request(self, path: str, body: dict[str, Any] | None) -> httpx.Request:
        # Not `build_request`: merging address, headers and cookies anew takes longer than sending them.
        url = self._urls.get(path) or self._urls.setdefault(path, httpx.URL(self.url + path))
        if body is None:
            return httpx.Request("GET", url, headers=self._headers)
        # httpx's own encoder would raise over half a character, with the text in its error.
        content = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        return httpx.Request("POST", url, content=content, headers={**self._headers, **_JSON_HEADERS})

    @asynccontextmanager
    async def _open_response(
        self, path: str, body: dict[str, Any] | None, clock: StreamTimeout
    ) -> AsyncIterator[httpx.Response]:
        """The answer to a GET, or to a POST where there is a body; refusals raise."""
        async with clock.limit_wait():
            answer = await self._http().send(self._request(path, body), stream=True)
        try:
            if answer.status_code != httpx.codes.OK:
                raise error_for_response(answer.status_code, await _read_bounded(answer, clock))
            yield answer
        finally:
            await answer.aclose()

    @asynccontextmanager
    async def _reporting_failure(self) -> AsyncIterator[None]:
        """A reply that fails is told to whoever watches over this server."""
        try:
            with _translate_errors():
                yield
        except ModelError as error:
            if self._on_failure is not None:
                self._on_failure(error)
            raise

    async def _ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """One small question; its answer as JSON."""
        clock = StreamTimeout(silence=ASK_SECONDS, limit=2 * ASK_SECONDS)
        with _translate_errors():
            async with self._open_response(path, body, clock) as answer:
                return _parse_json(await _read_bounded(answer, clock))


async def _read_bounded(answer: httpx.Response, clock: StreamTimeout) -> bytes:
    """The body of a small answer; what is no small answer is no answer of a model server."""
    body, chunks = b"", answer.aiter_raw()
    while (chunk := await clock.next_chunk(chunks)) is not None:
        body += chunk
        if len(body) > _MAX_RESPONSE_BYTES:
            raise MalformedResponse
    return body


def _parse_json(body: bytes) -> Any:
    """Parsed, with an error that does not carry the text."""
    try:
        return json.loads(body)
    except ValueError:
        raise MalformedResponse from None
