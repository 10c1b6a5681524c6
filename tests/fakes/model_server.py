"""A scripted model server on a real socket: a test adds a script for each call.

    with FakeModelServer() as server:
        server.next(Script(tokens=["Good ", "day"]))          # the next call; later calls take the default
        server.next(Script(status=503), Script(drop_after=3))
        ... server.url ...
        server.requests[0].body["messages"]                   # what left the process
        server.wait_for_hang_up()                             # a client closed its connection mid-stream

As a program it prints its port and runs until it is stopped:

    python -m tests.fakes.model_server --port 0 --tokens 400 --rate 0
"""

import argparse
import asyncio
import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from tests.fakes.script import OPENAI_WRITER, DropError, Script, ScriptedStream, make_words
from tests.fakes.waiting import PATIENCE

__all__ = ["FakeModelServer", "Script", "make_words"]


# What is proposed where no test says otherwise.
OFFER = Script(tokens=['{"emoji": "🪁", ', '"traces": ["a kite", ', '"high wind"]}'])


@dataclass(frozen=True)
class Request:
    """A received request."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass(kw_only=True)
class ServerBehavior:
    """The behaviour of the server apart from its scripts."""

    kind: str = "llama.cpp"  # or "Ollama", "LM Studio", "vLLM", "other", "bare" without a list of models
    model: str = "fake-model"
    also: tuple[str, ...] = ()  # models it has but has not loaded
    context: int = 8192
    slots: int = 4
    api_key: str = ""
    loading: bool = False
    redirect: str = ""
    opens: str = ""  # what the template adds behind the turns
    default: Script = field(default_factory=Script)


class FakeModelServer:
    """A model server on a free port of 127.0.0.1, in a thread with its own event loop.

    Subclasses have other wire formats: another URL for replies, and another writer of events.
    """

    reply_path = "/v1/chat/completions"
    schema_field = "response_format"
    wire = OPENAI_WRITER

    def __init__(self, *scripts: Script, port: int = 0, **manners: Any) -> None:
        self.manners = ServerBehavior(**manners)
        self.requests: list[Request] = []
        self.hung_up = 0
        self.streams = 0
        self.connections = 0
        self.port = port
        self._scripts = deque(scripts)
        self._offers: deque[Script] = deque()
        self._changed = threading.Condition()
        self._up = threading.Event()
        # Answers a request itself, or leaves it to the scripts.
        self.answer: Callable[[Any], Script | None] = lambda _: None
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self._serve, name="fake model server", daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def calls(self) -> list[Any]:
        """The bodies of the requests for replies."""
        return [body for body in self._asked() if not self._wants_json(body)]

    @property
    def asked_for_json(self) -> list[Any]:
        """The bodies of the requests with a JSON schema, which a page sends after a reply."""
        return [body for body in self._asked() if self._wants_json(body)]

    def _wants_json(self, body: Any) -> bool:
        return self.schema_field in body

    def _asked(self) -> list[Any]:
        return [request.body for request in self.requests if request.path == self.reply_path]

    def add_scripts(self, *scripts: Script) -> None:
        """Add scripts for the next calls."""
        self._scripts.extend(scripts)

    def add_json_scripts(self, *scripts: Script) -> None:
        """Add scripts for the next requests with a JSON schema; later requests get `OFFER`."""
        self._offers.extend(scripts)

    def forget_scripts(self) -> None:
        """Delete the unused scripts of earlier tests."""
        self._scripts.clear()
        self._offers.clear()

    def wait_for_hang_up(self, *, seconds: float = PATIENCE, count: int = 1) -> bool:
        """Return whether this number of clients closed their connection during a stream."""
        with self._changed:
            return self._changed.wait_for(lambda: self.hung_up >= count, seconds)

    def wait_for_calls(self, count: int, *, seconds: float = PATIENCE) -> bool:
        """Return whether this number of replies was requested in time."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.calls) >= count, seconds)

    def close_idle(self) -> None:
        """Close every open connection, as a server does after its idle timeout."""
        for writer in list(self._writers):
            self._loop.call_soon_threadsafe(writer.transport.abort)

    def start(self) -> Self:
        self._thread.start()
        if not self._up.wait(PATIENCE):
            raise RuntimeError("the fake model server did not start")
        return self

    def stop(self) -> None:
        """End every stream and stop listening."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(PATIENCE)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._accept, "127.0.0.1", self.port))
        self.port = server.sockets[0].getsockname()[1]
        self._up.set()
        self._loop.run_forever()
        server.close()
        # One turn more, so that a connection just accepted has its task.
        self._loop.run_until_complete(asyncio.sleep(0))
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        try:
            while request := await _read_request(reader):
                with self._changed:
                    self.requests.append(request)
                    self._changed.notify_all()
                await self._answer(request, reader, writer)
                await writer.drain()
        except (DropError, ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        refusal = self._get_refusal(request)
        if refusal is None and request.path == self.reply_path:
            is_offer = self._wants_json(request.body)
            script = self.answer(request.body) or self._take_script(
                self._offers if is_offer else self._scripts, is_offer
            )
            await self._stream(script, reader, writer)
            return
        status, body = refusal or self._page(request)
        _write_json(writer, status, body, location=self.manners.redirect if status == 302 else "")

    def _get_refusal(self, request: Request) -> tuple[int, Any] | None:
        manners = self.manners
        if manners.redirect:
            return 302, {}
        if manners.api_key and request.path != "/health" and self._get_key(request) != manners.api_key:
            return 401, self.wire.build_refusal(401, "Invalid API Key")
        if manners.loading:
            return 503, {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}
        return None

    def _get_key(self, request: Request) -> str:
        return request.headers.get("authorization", "").removeprefix("Bearer ")

    def _take_script(self, scripts: deque[Script], is_offer: bool) -> Script:
        return scripts.popleft() if scripts else OFFER if is_offer else self.manners.default

    async def _stream(
        self, script: Script, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if script.status != 200 and script.error_after is None:
            await asyncio.sleep(script.headers_after)
            _write_json(writer, script.status, self.wire.build_refusal(script.status, script.error))
            return
        self.streams += 1
        sending = asyncio.ensure_future(ScriptedStream(script, writer, self.wire).run())
        leaving = asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
            if sending.done() and not isinstance(sending.exception(), ConnectionError):
                sending.result()
                return
            with self._changed:
                self.hung_up += 1
                self._changed.notify_all()
            raise DropError
        finally:
            self.streams -= 1
            sending.cancel()
            leaving.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)

    def _page(self, request: Request) -> tuple[int, Any]:
        manners, path = self.manners, request.path
        pages: dict[str, Any] = {}
        if manners.kind != "bare":
            pages["/v1/models"] = {"object": "list", "data": self._models()}
        if manners.kind == "llama.cpp":
            pages["/health"] = {"status": "ok"}
            pages["/props"] = {
                "default_generation_settings": {"n_ctx": manners.context},
                "total_slots": manners.slots,
            }
            if path == "/tokenize":
                return 200, {"tokens": list(range(len(request.body["content"])))}
            if path == "/apply-template":
                turns = request.body["messages"]
                told = "".join(f"{turn['role']}: {turn['content']}\n" for turn in turns)
                return 200, {"prompt": told + manners.opens}
        if manners.kind == "Ollama":
            loaded = {"name": manners.model, "model": manners.model, "context_length": manners.context}
            pages["/api/ps"] = {"models": [loaded]}
        if manners.kind == "LM Studio":
            loaded = {"id": manners.model, "type": "llm", "state": "loaded"}
            pages["/api/v0/models"] = {"data": [{**loaded, "loaded_context_length": manners.context}]}
        if path in pages:
            return 200, pages[path]
        return 404, {"error": {"code": 404, "message": "File Not Found", "type": "not_found_error"}}

    def _models(self) -> list[dict[str, Any]]:
        manners = self.manners
        extra = {"owned_by": "vllm", "max_model_len": manners.context} if manners.kind == "vLLM" else {}
        return [{"id": name, "object": "model", **extra} for name in (manners.model, *manners.also)]


async def _read_request(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").rstrip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    method, path, _ = first.split(" ")
    return Request(method, path, headers, json.loads(body) if body else None)


def _write_json(writer: asyncio.StreamWriter, status: int, body: Any, *, location: str = "") -> None:
    data = json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Scripted", "Content-Type: application/json", f"Content-Length: {len(data)}"]
    if location:
        lines.append(f"Location: {location}")
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + data)


def main(arguments: Iterable[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="A scripted model server for benches and browser tests.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tokens", type=int, default=400)
    parser.add_argument("--rate", type=float, default=0.0, help="tokens a second; 0 is as fast as possible")
    parser.add_argument("--first-after", type=float, default=0.0, help="seconds before the first token")
    parser.add_argument("--slots", type=int, default=16)
    options = parser.parse_args(list(arguments) if arguments is not None else None)
    script = Script(tokens=make_words(options.tokens), rate=options.rate, first_after=options.first_after)
    with FakeModelServer(port=options.port, slots=options.slots, default=script) as server:
        print(server.port, flush=True)
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    main()
