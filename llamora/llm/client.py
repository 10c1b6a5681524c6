"""A model server, as the rest of the house sees it.

One `ModelServer` is bound to the event loop that first uses it. Proxies of the environment are ignored and
redirects are never followed: what is written goes to the address that was named, or nowhere.
"""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from copy import copy
from typing import Any

import httpx

from llamora.llm import probe as probing
from llamora.llm import tokens
from llamora.llm.addresses import is_loopback, refuse_remote, root_of
from llamora.llm.clock import Clock
from llamora.llm.deltas import Delta, Finish, Turns
from llamora.llm.errors import (
    Dropped,
    Malformed,
    ModelError,
    RefusedConnection,
    ServerError,
    Silent,
    Unauthorized,
    WrongAddress,
    from_answer,
)
from llamora.llm.markup import opens_thinking
from llamora.llm.probe import Offer
from llamora.llm.reading import Reading
from llamora.llm.transport import QuickTransport

CONNECT_SECONDS = 5.0
ASK_SECONDS = 10.0
_LONGEST_ANSWER = 1 << 22
_JSON = {"Content-Type": "application/json"}


def _failure(error: httpx.HTTPError | httpx.InvalidURL) -> ModelError:
    """Our error for one of httpx, whose own carries the request and with it the prompt."""
    match error:
        case httpx.ConnectError() | httpx.ConnectTimeout():
            return RefusedConnection()
        case httpx.TimeoutException():
            return Silent()
        case httpx.RemoteProtocolError() | httpx.NetworkError():
            return Dropped()
        case httpx.UnsupportedProtocol() | httpx.InvalidURL():
            return WrongAddress()
    return ServerError()


@contextmanager
def _ours() -> Iterator[None]:
    """Every failure in here leaves as one of ours, without the other in its context."""
    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        failure = _failure(error)
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
        self.url = root_of(base_url)
        refuse_remote(self.url, allow_remote=allow_remote)
        self.is_remote = not is_loopback(self.url)
        self.model = model
        self.offer: Offer | None = None
        self._api_key = api_key.strip()
        if not (self._api_key.isascii() and self._api_key.isprintable()):
            raise Unauthorized
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
        return self.url == root_of(base_url) and self._api_key == api_key.strip()

    def asking(self, model: str) -> "ModelServer":
        """Return this server asked for another of its models, over the same connections; or as it is."""
        if not model or self.offer is None or model == self.model or model not in self.offer.models:
            return self
        self._http()  # before the copy, so that both share it and it is closed once
        other = copy(self)
        other.model, other.offer = model, self.offer.for_model(model)
        return other

    async def probe(self) -> Offer:
        """Ask what is there; remembered as `offer`."""
        before, self.offer = self.offer, await probing.probe(self._ask)
        if self.offer.counts_tokens and self.offer != before:
            # A server that does not tell is found out by the first reply.
            with suppress(ModelError):
                if opens_thinking(await self._applied([{"role": "user", "content": "Hello."}])):
                    self._think_first.add(self._name)
        return self.offer

    async def stream(
        self,
        turns: Turns,
        *,
        max_tokens: int,
        temperature: float | None = None,
        schema: dict[str, Any] | None = None,
        silence: float = 120.0,
        limit: float = 900.0,
    ) -> AsyncGenerator[Delta | Finish, None]:
        """A reply: deltas as they come, then one `Finish`. Cancelling and `aclose()` end the server's work.

        `schema` asks for an answer in JSON; not every server keeps to it, so the answer must be looked at.
        `silence` and `limit` are seconds: how long nothing may come, and how long all of it may take.
        """
        clock, name = Clock(silence=silence, limit=limit), self._name
        # An answer in JSON begins with it, whatever the template opens.
        reading = Reading(thinks_first=schema is None and name in self._think_first)
        body = self._body(turns, max_tokens=max_tokens, temperature=temperature, schema=schema)
        async with self._told(), self._answer("/v1/chat/completions", body, clock) as answer:
            chunks = answer.aiter_raw()
            while not reading.ended and (chunk := await clock.chunk(chunks)) is not None:
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
            return tokens.estimate(text)
        answer = await self._ask("/tokenize", {"content": text, "add_special": False})
        found = answer.get("tokens") if isinstance(answer, dict) else None
        if not isinstance(found, list):
            raise Malformed
        return len(found)

    async def count_turns(self, turns: Turns) -> int:
        """Tokens of a whole prompt, with what the model's template adds."""
        if not (self.offer and self.offer.counts_tokens):
            return sum(tokens.estimate(turn["content"]) + tokens.OF_A_TURN for turn in turns)
        # One more for the token that begins every prompt.
        return await self.count_tokens(await self._applied(turns)) + 1

    async def close(self) -> None:
        """Let go of the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    @property
    def _name(self) -> str:
        """The model that is asked."""
        return self.model or (self.offer.name if self.offer else "")

    async def _applied(self, turns: Turns) -> str:
        """The prompt that the model's template makes of these turns."""
        answer = await self._ask("/apply-template", {"messages": list(turns)})
        prompt = answer.get("prompt") if isinstance(answer, dict) else None
        if not isinstance(prompt, str):
            raise Malformed
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
        self, turns: Turns, *, max_tokens: int, temperature: float | None, schema: dict[str, Any] | None
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
        return httpx.Request("POST", url, content=content, headers={**self._headers, **_JSON})

    @asynccontextmanager
    async def _answer(
        self, path: str, body: dict[str, Any] | None, clock: Clock
    ) -> AsyncIterator[httpx.Response]:
        """The answer to a GET, or to a POST where there is a body; refusals raise."""
        async with clock.waiting():
            answer = await self._http().send(self._request(path, body), stream=True)
        try:
            if answer.status_code != httpx.codes.OK:
                raise from_answer(answer.status_code, await _bounded(answer, clock))
            yield answer
        finally:
            await answer.aclose()

    @asynccontextmanager
    async def _told(self) -> AsyncIterator[None]:
        """A reply that fails is told to whoever watches over this server."""
        try:
            with _ours():
                yield
        except ModelError as error:
            if self._on_failure is not None:
                self._on_failure(error)
            raise

    async def _ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """One small question; its answer as JSON."""
        clock = Clock(silence=ASK_SECONDS, limit=2 * ASK_SECONDS)
        with _ours():
            async with self._answer(path, body, clock) as answer:
                return _json(await _bounded(answer, clock))


async def _bounded(answer: httpx.Response, clock: Clock) -> bytes:
    """The body of a small answer; what is no small answer is no answer of a model server."""
    body, chunks = b"", answer.aiter_raw()
    while (chunk := await clock.chunk(chunks)) is not None:
        body += chunk
        if len(body) > _LONGEST_ANSWER:
            raise Malformed
    return body


def _json(body: bytes) -> Any:
    """Parsed, with an error that does not carry the text."""
    try:
        return json.loads(body)
    except ValueError:
        raise Malformed from None
