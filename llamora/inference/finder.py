"""The model server this household uses, found in the background and remembered.

    LLAMORA_MODEL_URL    that server and no other
    LLAMORA_MODEL_FILE   that .gguf, run in a child process; else one lying in <data>/models/
    else                 llama.cpp, Ollama, LM Studio or vLLM on its usual loopback port

A file somebody put there on purpose goes before whatever happens to listen on a port: what is written
then goes to a process of our own. A finder belongs to the event loop that began it; its `status()` may be
asked from any thread and never waits.
"""

import asyncio
import importlib
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from llamora.inference.llamacpp import LlamaChild
from llamora.inference.sentences import ready
from llamora.inference.status import Away, Status, not_ready
from llamora.inference.wish import Wish
from llamora.llm.errors import ModelError, NoSuchModel
from llamora.llm.probe import Offer

if TYPE_CHECKING:
    from llamora.llm.client import ModelServer

_PAUSE_READY = 30.0
_PAUSE_LOADING = 0.5
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
# A server that is merely busy or slow to answer a probe is not away.
_PASSING = ("silent", "dropped", "server_error", "busy", "malformed")

# Something is there, and a person can do something about it.
_HALF_FOUND = ("loading", "unauthorized", "no_such_model")
_KINDS = {"other": "a model server"}


class Finder:
    """Finds the model server, keeps looking while it is away, and hands it to whoever wants a reply."""

    def __init__(self, wish: Wish) -> None:
        self._wish = wish
        self._forget()

    def _forget(self) -> None:
        """As at first; also when the loop that this belonged to is gone, and with it all connections."""
        self._status = not_ready("off" if self._wish.off else "looking")
        self._server: ModelServer | None = None
        self.child: LlamaChild | None = None
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._looked = asyncio.Condition()

    def status(self) -> Status:
        """What is known now; from any thread."""
        return self._status

    def begin(self) -> None:
        """Start looking in the running loop; returns at once."""
        loop = asyncio.get_running_loop()
        if self._task is not None and self._task.get_loop() is not loop:
            self._forget()
        if self._task is None and not self._wish.off:
            self._task = loop.create_task(self._keep_looking())

    async def current(self, *, patience: float = 15.0) -> "ModelServer":
        """The server, ready to be asked. Looks again when it is away; waits for one that is loading."""
        self.begin()
        if self._ready() is None:
            await self.settled(patience=patience)
        if (server := self._ready()) is not None:
            return server
        raise Away(self._status.code)

    async def settled(self, *, patience: float) -> None:
        """Look once more and wait, so many seconds at most, until that has led somewhere."""
        self.begin()
        if self._task is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._one_more_look()

    def look_again(self) -> None:
        """Somebody saw the server fail: look now rather than at the next turn."""
        self._wake.set()

    async def close(self) -> None:
        """Stop looking and end the child; within a second."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        child, self.child = self.child, None
        if child is not None:
            await child.close()
        server, self._server = self._server, None
        if server is not None:
            await server.close()

    def _ready(self) -> "ModelServer | None":
        child_is_gone = self.child is not None and self.child.serving is None
        return None if child_is_gone or not self._status.is_ready else self._server

    async def _one_more_look(self) -> None:
        """Wait for a look that begins now, and then for as long as the model is loading."""
        async with self._looked:
            while True:
                self.look_again()
                await self._looked.wait()
                if self._status.state not in ("looking", "loading"):
                    return

    async def _keep_looking(self) -> None:
        # httpx takes a tenth of a second to import: not before the first page, and not on the loop.
        await asyncio.to_thread(importlib.import_module, "llamora.llm.client")
        pause = _FIRST_PAUSE
        while True:
            self._wake.clear()
            self._status = await self._look()
            async with self._looked:
                self._looked.notify_all()
            state = self._status.state
            pause = min(pause * 2, _LONGEST_PAUSE) if state == "away" else _FIRST_PAUSE
            wait = {"ready": _PAUSE_READY, "loading": _PAUSE_LOADING}.get(state, pause)
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._wake.wait()

    async def _look(self) -> Status:
        try:
            if self._wish.url:
                return await self._try(self._server_at(self._wish.url, self._wish.api_key))
            if self.child is not None or (file := self._wish.model_file()) is None:
                return await (self._look_inside() if self.child else self._look_around())
            self.child = LlamaChild(
                file, context=self._wish.context, parallel=self._wish.parallel, on_change=self.look_again
            )
            self.child.start()
            return not_ready("loading")
        except ModelError as error:
            return self._after(error)

    def _after(self, error: ModelError) -> Status:
        """A server that was ready stays so while its trouble may pass."""
        if self._status.is_ready and error.code in _PASSING:
            return self._status
        return not_ready(error.code)

    async def _look_inside(self) -> Status:
        """The child's state as ours."""
        assert self.child is not None
        serving = self.child.serving
        if serving is None:
            return not_ready("file_refused" if self.child.state == "failed" else "loading")
        return await self._try(self._server_at(serving.address, serving.key))

    async def _look_around(self) -> Status:
        """The server in use while it answers, else the first of the usual addresses that does."""
        servers = [self._server_at(url, self._wish.api_key) for url in self._wish.usual]
        failures = dict(zip(servers, await asyncio.gather(*map(self._failure_of, servers)), strict=True))
        able = sorted(servers, key=lambda server: server is not self._server)
        chosen = next((server for server in able if failures[server] is None), None)
        for server in servers:
            if server not in (chosen, self._server):
                await server.close()
        if chosen is not None:
            return self._take(chosen)
        codes = [failure.code for failure in failures.values() if failure is not None]
        return not_ready(next((code for code in codes if code in _HALF_FOUND), "none_found"))

    async def _failure_of(self, server: "ModelServer") -> ModelError | None:
        """Why this server would not do, or None."""
        try:
            self._model(await server.probe())
        except ModelError as error:
            stays = server is self._server and self._status.is_ready and error.code in _PASSING
            return None if stays else error
        return None

    async def _try(self, server: "ModelServer") -> Status:
        await server.probe()
        return self._take(server)

    def _take(self, server: "ModelServer") -> Status:
        assert server.offer is not None
        offer, model = server.offer, self._model(server.offer)
        self._server, server.model, server.offer = server, model, offer.for_model(model)
        place = f"served by {_KINDS.get(offer.kind, offer.kind)} at {urlsplit(server.url).netloc}"
        origin = "run by Llamora itself" if self.child else place
        words = ready(model=model, origin=origin, remote=server.is_remote)
        return Status(
            state="ready",
            code="ready",
            sentence=words,
            model=model,
            models=_choices(offer),
            remote=server.is_remote,
        )

    def _model(self, offer: Offer) -> str:
        """The name to ask for. llama.cpp serves one model under any name."""
        name, offered = self._wish.name, _talking(offer)
        if offer.kind == "llama.cpp":
            return offer.name
        if not name and offered:
            return offered[0]
        for known in (name, f"{name}:latest"):
            if name and known in offer.models:
                return known
        raise NoSuchModel

    def _server_at(self, url: str, key: str) -> "ModelServer":
        """The server in use when it is that one, so that its connections live on."""
        server = self._server
        if server is not None and server.is_at(url, api_key=key):
            return server
        from llamora.llm.client import ModelServer  # noqa: PLC0415 - see _keep_looking

        return ModelServer(
            url, api_key=key, allow_remote=self._wish.allow_remote, on_failure=lambda _: self.look_again()
        )


def _talking(offer: Offer) -> tuple[str, ...]:
    return tuple(model for model in offer.models if "embed" not in model.lower())


def _choices(offer: Offer) -> tuple[str, ...]:
    """Return what a person may choose from; llama.cpp serves one model under any name."""
    return () if offer.kind == "llama.cpp" else _talking(offer)
