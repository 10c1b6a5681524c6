"""Discovery of the household's model server, in the background.

    LLAMORA_MODEL_URL is set     only the server at this URL
    LLAMORA_MODEL_FILE is set    this .gguf file, run in a child process
    <data>/models/ has a .gguf   this file, run in a child process
    otherwise                    llama.cpp, Ollama, LM Studio or vLLM on its default loopback port

A model file takes precedence over a server that happens to listen on a default port, because a file runs in
a process of our own. A discovery belongs to the event loop that started it; `status()` may be called from
any thread and never waits.
"""

import asyncio
import importlib
import time
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from llamora.inference.config import ModelConfig
from llamora.inference.llamacpp import LlamaCppProcess
from llamora.inference.messages import ready_message
from llamora.inference.status import ModelStatus, ModelUnavailable, status_for_code
from llamora.llm.errors import ModelError, ModelNotFound
from llamora.llm.model_files.size import is_too_small
from llamora.llm.probe import ServerCapabilities

if TYPE_CHECKING:
    from llamora.llm.client import ModelServer

_PAUSE_READY = 30.0
_PAUSE_LOADING = 0.5
# A server that was ready so recently is not checked again before a reply.
_FRESH_SECONDS = 1.0
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
# Errors that may pass: a server that is only busy, or slow to answer a probe, is not away.
_TRANSIENT_CODES = ("silent", "too_slow", "dropped", "server_error", "busy", "malformed")
# Errors that a person can do something about.
_FIXABLE_CODES = ("loading", "unauthorized", "no_such_model")


class ModelDiscovery:
    """Discovery that finds the model server, checks it again at intervals, and provides it to jobs."""

    def __init__(self, config: ModelConfig) -> None:
        self._config = config
        self._reset()

    def _reset(self) -> None:
        """Set the initial state; called again if the event loop was replaced."""
        self._status = status_for_code("off" if self._config.off else "looking")
        self._checked_at = 0.0
        self._server: ModelServer | None = None
        self.child: LlamaCppProcess | None = None
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._check_done = asyncio.Condition()

    def status(self) -> ModelStatus:
        """Return the current status. May be called from any thread."""
        return self._status

    def start(self) -> None:
        """Start the discovery on the running event loop and return at once."""
        loop = asyncio.get_running_loop()
        if self._task is not None and self._task.get_loop() is not loop:
            self._reset()
        if self._task is None and not self._config.off:
            self._task = loop.create_task(self._run())

    async def get_server(self, *, patience: float = 15.0) -> "ModelServer":
        """Return the server, after waiting at most `patience` seconds until it is ready.

        Check again if the server was away. Raise ModelUnavailable if it does not become ready.
        """
        self.start()
        if self._get_ready_server() is None:
            await self.wait_until_known(patience=patience)
        if (server := self._get_ready_server()) is not None:
            return server
        raise ModelUnavailable(self._status.code)

    async def wait_until_known(self, *, patience: float) -> None:
        """Check once more and wait for the result, at most `patience` seconds."""
        self.start()
        if self._task is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._wait_for_next_check()

    def check_from_thread(self, *, patience: float) -> None:
        """Check once more and wait, unless that was done just now; for threads other than the loop's.

        A server that was ready a moment ago is waited for only briefly: it may just be busy.
        """
        loop = self._task.get_loop() if self._task is not None else None
        is_ready = self._get_ready_server() is not None
        is_fresh = time.monotonic() - self._checked_at < _FRESH_SECONDS
        if loop is None or loop.is_closed() or (is_ready and is_fresh):
            return
        patience = min(patience, _FRESH_SECONDS) if is_ready else patience
        check = asyncio.run_coroutine_threadsafe(self.wait_until_known(patience=patience), loop)
        with suppress(TimeoutError):
            check.result(patience + 1)

    def refresh(self) -> None:
        """Check the server now, without waiting for the next interval."""
        self._wake.set()

    async def close(self) -> None:
        """Stop the discovery and end the child process, within a second."""
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

    def _get_ready_server(self) -> "ModelServer | None":
        child_is_gone = self.child is not None and self.child.serving is None
        return None if child_is_gone or not self._status.is_ready else self._server

    async def _wait_for_next_check(self) -> None:
        """Check now, and repeat until the model is no longer loading; return after the last check."""
        async with self._check_done:
            while True:
                self.refresh()
                await self._check_done.wait()
                if self._status.state not in ("looking", "loading"):
                    return

    async def _run(self) -> None:
        # Importing httpx takes a tenth of a second: not before the first page, and not on the loop.
        await asyncio.to_thread(importlib.import_module, "llamora.llm.client")
        pause = _FIRST_PAUSE
        while True:
            self._wake.clear()
            self._status = await self._check_once()
            self._checked_at = time.monotonic()
            async with self._check_done:
                self._check_done.notify_all()
            state = self._status.state
            pause = min(pause * 2, _LONGEST_PAUSE) if state == "away" else _FIRST_PAUSE
            wait = {"ready": _PAUSE_READY, "loading": _PAUSE_LOADING}.get(state, pause)
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._wake.wait()

    async def _check_once(self) -> ModelStatus:
        try:
            if self._config.url:
                return await self._probe(self._get_or_open_server(self._config.url, self._config.api_key))
            if self.child is not None or (file := self._config.find_model_file()) is None:
                return await (self._check_child() if self.child else self._check_usual_addresses())
            self.child = LlamaCppProcess(
                file, context=self._config.context, parallel=self._config.parallel, on_change=self.refresh
            )
            self.child.start()
            return status_for_code("loading")
        except ModelError as error:
            return self._get_status_after(error)

    def _get_status_after(self, error: ModelError) -> ModelStatus:
        """Return the status after an error; a ready server remains ready if the error may be temporary."""
        if self._status.is_ready and error.code in _TRANSIENT_CODES:
            return self._status
        return status_for_code(error.code)

    async def _check_child(self) -> ModelStatus:
        """Return the status of the child process."""
        assert self.child is not None
        serving = self.child.serving
        if serving is None:
            return status_for_code("file_refused" if self.child.state == "failed" else "loading")
        return await self._probe(self._get_or_open_server(serving.address, serving.key))

    async def _check_usual_addresses(self) -> ModelStatus:
        """Return the status of the server in use, or of the first default address that answers."""
        servers = [
            self._get_or_open_server(url, self._config.api_key) for url in self._config.usual_addresses
        ]
        failures = dict(zip(servers, await asyncio.gather(*map(self._get_failure, servers)), strict=True))
        by_preference = sorted(servers, key=lambda server: server is not self._server)
        chosen = next((server for server in by_preference if failures[server] is None), None)
        for server in servers:
            if server not in (chosen, self._server):
                await server.close()
        if chosen is not None:
            return self._set_ready_server(chosen)
        codes = [failure.code for failure in failures.values() if failure is not None]
        return status_for_code(next((code for code in codes if code in _FIXABLE_CODES), "none_found"))

    async def _get_failure(self, server: "ModelServer") -> ModelError | None:
        """Return the reason why a server cannot be used, or None."""
        try:
            self._pick_model(await server.probe())
        except ModelError as error:
            is_transient = error.code in _TRANSIENT_CODES
            return None if server is self._server and self._status.is_ready and is_transient else error
        return None

    async def _probe(self, server: "ModelServer") -> ModelStatus:
        await server.probe(named=self._config.name if self._config.url else "")
        return self._set_ready_server(server)

    def _set_ready_server(self, server: "ModelServer") -> ModelStatus:
        assert server.offer is not None
        offer, model = server.offer, self._pick_model(server.offer)
        self._server, server.model, server.offer = server, model, offer.for_model(model)
        sizes = {name: offer.find_parameters(name) for name in {model, *offer.models}}
        parameters = {name: size for name, size in sizes.items() if size is not None}
        message = ready_message(
            model=model,
            kind=offer.kind,
            netloc=urlsplit(server.url).netloc,
            is_own=self.child is not None,
            remote=server.is_remote,
            is_too_small=is_too_small(parameters.get(model)),
        )
        return ModelStatus(
            state="ready",
            code="ready",
            message=message,
            model=model,
            models=_list_selectable_models(offer),
            remote=server.is_remote,
            parameters=parameters,
        )

    def _pick_model(self, offer: ServerCapabilities) -> str:
        """Return the name of the model to request; llama.cpp serves one model under any name."""
        name, offered = self._config.name, _list_chat_models(offer)
        if offer.kind == "llama.cpp":
            return offer.name
        if not name and offered:
            return offered[0]
        for known in (name, f"{name}:latest"):
            if name and known in offer.models:
                return known
        raise ModelNotFound

    def _get_or_open_server(self, url: str, key: str) -> "ModelServer":
        """Return the current server, with open connections, if it has that URL and key; else a new one."""
        server = self._server
        if server is not None and server.is_at(url, api_key=key):
            return server
        from llamora.llm.client import ModelServer  # noqa: PLC0415 - see _run

        return ModelServer(
            url, api_key=key, allow_remote=self._config.allow_remote, on_failure=lambda _: self.refresh()
        )


def _list_chat_models(offer: ServerCapabilities) -> tuple[str, ...]:
    return tuple(model for model in offer.models if "embed" not in model.lower())


def _list_selectable_models(offer: ServerCapabilities) -> tuple[str, ...]:
    """Return the models a person may choose from; none for llama.cpp, which serves only one."""
    return () if offer.kind == "llama.cpp" else _list_chat_models(offer)
