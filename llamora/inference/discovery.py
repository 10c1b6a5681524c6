"""Discovery of the household's model server, in the background.

    a setting or the choice names a server   only this server
    a setting or the choice names a file     this .gguf file, run in a child process
    <data>/models/ has a .gguf               this file, run in a child process
    otherwise                                llama.cpp, Ollama, LM Studio or vLLM on its default loopback port

`model_choice.selection` defines the precedence. A model file takes precedence over a server that happens to
listen on a default port, because a file runs in a process of our own.

A new choice, and a file that is put into the folder, are noticed while Llamora runs. New replies are then
written by the new model. The old model finishes the replies that it is writing, and is then closed.

A discovery belongs to the event loop that started it; `status()` may be called from any thread and never
waits.
"""

import asyncio
import importlib
import time
from collections.abc import Awaitable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from llamora.inference.config import ModelConfig
from llamora.inference.llamacpp import LlamaCppProcess
from llamora.inference.messages import describe_server, ready_message
from llamora.inference.model_choice.machine import estimate_memory, read_machine
from llamora.inference.model_choice.model_files import ModelFile
from llamora.inference.model_choice.watching import FolderWatch, Target, find_target
from llamora.inference.status import ModelStatus, ModelUnavailable, status_for_code
from llamora.llm.errors import ModelError, ModelNotFound
from llamora.llm.formats.wire_format import AUTO
from llamora.llm.model_files.size import is_too_small
from llamora.llm.probe import ServerCapabilities

if TYPE_CHECKING:
    from llamora.llm.client import ModelServer

_PAUSE_READY = 30.0
_PAUSE_LOADING = 0.5
# A server that was ready so recently is not checked again before a reply.
_FRESH_SECONDS = 1.0
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
# Between two looks at the folder of models, which are cheap; and at a file that has only just appeared.
_PAUSE_FOLDER, _PAUSE_NEW_FILE = 5.0, 2.0
# Errors that may pass: a server that is only busy, or slow to answer a probe, is not away.
_TRANSIENT_CODES = ("silent", "too_slow", "dropped", "server_error", "busy", "malformed")
# Errors that a person can do something about.
_FIXABLE_CODES = ("loading", "unauthorized", "no_such_model")


class ModelDiscovery:
    """Finder of the model server, which also checks it periodically and gives jobs access to it."""

    def __init__(self, config: ModelConfig) -> None:
        self.config = self._config = config
        self._reset()

    def _reset(self) -> None:
        """Set the initial state; called again if the event loop was replaced."""
        self._status = status_for_code("off" if self._config.off else "looking")
        self._checked_at = 0.0
        self._server: ModelServer | None = None
        self.child: LlamaCppProcess | None = None
        self._task: asyncio.Task[None] | None = None
        self._target: Target | None = None
        self._watch = FolderWatch(self._config.models_folder)
        self._retiring: dict[asyncio.Task[None], tuple[LlamaCppProcess | None, ModelServer]] = {}
        # Changes by other threads, all and seen: what is ready may not be what was chosen a moment ago.
        self._changes = self._changes_seen = 0
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

        If it was away, check it again. Raise ModelUnavailable if it does not become ready.
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
        """Check the server and wait for the result; for threads other than that of the event loop.

        Do nothing if the server is ready and was just checked. If it was ready at the last check, wait only
        briefly, because it may just be busy.
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

    def notice_change(self) -> None:
        """Check the model server at once, after the chosen model or a model file has changed.

        May be called from any thread.
        """
        self._changes += 1
        task = self._task
        if task is not None and not task.get_loop().is_closed():
            task.get_loop().call_soon_threadsafe(self.refresh)

    def get_file_in_use(self) -> Path | None:
        """Return the file that the child process runs, or None. May be called from any thread."""
        child = self.child
        return child.model if child else None

    async def close(self) -> None:
        """Stop the discovery and end the child process, within a second."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        for task, old in list(self._retiring.items()):
            task.cancel()
            await _close_all(*old)
        self._target = None
        child, self.child = self.child, None
        if child is not None:
            await child.close()
        server, self._server = self._server, None
        if server is not None:
            await server.close()

    def _get_ready_server(self) -> "ModelServer | None":
        child_is_gone = self.child is not None and self.child.serving is None
        is_outdated = self._changes != self._changes_seen
        return None if child_is_gone or is_outdated or not self._status.is_ready else self._server

    async def _wait_for_next_check(self) -> None:
        """Check now, and repeat until the model is no longer loading; return after the last check."""
        async with self._check_done:
            self.refresh()
            while True:
                await self._check_done.wait()
                if self._status.state not in ("looking", "loading"):
                    return

    async def _run(self) -> None:
        # Importing httpx takes a tenth of a second: not before the first page, and not on the loop.
        await asyncio.to_thread(importlib.import_module, "llamora.llm.client")
        pause = _FIRST_PAUSE
        while True:
            self._wake.clear()
            changes = self._changes
            self._status = await self._check_once()
            self._checked_at = time.monotonic()
            self._changes_seen = changes
            async with self._check_done:
                self._check_done.notify_all()
            state = self._status.state
            pause = min(pause * 2, _LONGEST_PAUSE) if state == "away" else _FIRST_PAUSE
            await self._wait({"ready": _PAUSE_READY, "loading": _PAUSE_LOADING}.get(state, pause))

    async def _wait(self, seconds: float) -> None:
        """Wait for some seconds, for `refresh`, or for a change of the choice or of the files."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + min(seconds, _PAUSE_NEW_FILE if self._watch.has_new_file else seconds)
        while (left := deadline - loop.time()) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, _PAUSE_FOLDER)):
                    await self._wake.wait()
                    return
            if left > _PAUSE_FOLDER and await asyncio.to_thread(self._watch.has_changed):
                return

    async def _check_once(self) -> ModelStatus:
        try:
            target = await asyncio.to_thread(find_target, self._config, self._watch, self.get_file_in_use())
            await self._switch_to(target)
            if target.problem and not target.may_look_elsewhere:
                return status_for_code(target.problem)
            if target.url:
                key, wire_format = self._config.api_key, target.wire_format or self._config.wire_format
                return await self._probe(self._get_or_open_server(target.url, key, wire_format))
            if target.file is not None:
                return await (self._check_child() if self.child else self._start_child(target.file))
            return await self._check_usual_addresses(otherwise=target.problem or "none_found")
        except ModelError as error:
            return self._get_status_after(error)

    # --- another model ---------------------------------------------------------------------------------

    async def _switch_to(self, target: Target) -> None:
        """Use another target from now on; close the previous server once it is writing no reply."""
        if self._target is not None and self._target.identity == target.identity:
            return
        self._target = target
        child, server, self.child, self._server = self.child, self._server, None, None
        if server is not None and server.uses.count:
            task = asyncio.get_running_loop().create_task(self._retire(child, server))
            self._retiring[task] = (child, server)
            task.add_done_callback(self._retiring.pop)
        else:
            await _close_all(child, server)

    async def _retire(self, child: LlamaCppProcess | None, server: "ModelServer") -> None:
        await server.uses.wait()
        await _close_all(child, server)
        # There may be memory for the next one now.
        self.refresh()

    async def _start_child(self, file: ModelFile) -> ModelStatus:
        if self._retiring and not await asyncio.to_thread(self._has_memory_for, file):
            return status_for_code("switching")
        self.child = LlamaCppProcess(
            file.path,
            context=self._config.context,
            parallel=self._config.parallel,
            threads=self._config.threads,
            gpu_layers=self._config.gpu_layers,
            on_change=self.refresh,
        )
        self.child.start()
        return status_for_code("loading")

    def _has_memory_for(self, file: ModelFile) -> bool:
        """Return whether a model fits into the memory that is free now; True if that is unknown."""
        available = read_machine().available
        needed = estimate_memory(
            size=file.size,
            cache_bytes=file.facts.cache_bytes if file.facts else 0,
            context=self._config.context,
            parallel=self._config.parallel,
        )
        return not available or needed <= available

    # --- checks ------------------------------------------------------------------------------------------

    def _get_status_after(self, error: ModelError) -> ModelStatus:
        """Return the status after an error; a ready server remains ready if the error may be temporary."""
        if self._status.is_ready and error.code in _TRANSIENT_CODES:
            return self._status
        return status_for_code(error.code)

    async def _check_child(self) -> ModelStatus:
        """Return the status of the child process."""
        child = self.child
        assert child is not None
        serving = child.serving
        if serving is None:
            has_failed = child.state == "failed"
            return status_for_code(await self._explain_failed_load() if has_failed else "loading")
        return await self._probe(self._get_or_open_server(serving.address, serving.key))

    async def _explain_failed_load(self) -> str:
        """Return a code for the reason why the child could not load its model."""
        if self.child is not None and self.child.was_killed:
            return "out_of_memory"
        file = self._target.file if self._target is not None else None
        fits = file is None or await asyncio.to_thread(self._has_memory_for, file)
        return "file_refused" if fits else "out_of_memory"

    async def _check_usual_addresses(self, *, otherwise: str) -> ModelStatus:
        """Return the status of the server in use, or of the first default address that answers."""
        servers = [
            # Never on another machine: nobody chose these.
            self._get_or_open_server(url, self._config.api_key, self._config.wire_format, allow_remote=False)
            for url in self._config.usual_addresses
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
        return status_for_code(next((code for code in codes if code in _FIXABLE_CODES), otherwise))

    async def _get_failure(self, server: "ModelServer") -> ModelError | None:
        """Return the error because of which a server cannot be used, or None.

        A server that is in use and ready stays usable after an error that may be temporary.
        """
        try:
            self._pick_model(await server.probe())
        except ModelError as error:
            is_transient = error.code in _TRANSIENT_CODES
            return None if server is self._server and self._status.is_ready and is_transient else error
        return None

    async def _probe(self, server: "ModelServer") -> ModelStatus:
        await server.probe(named=self._target.model if self._target and self._target.url else "")
        return self._set_ready_server(server)

    def _set_ready_server(self, server: "ModelServer") -> ModelStatus:
        assert server.offer is not None
        offer, model = server.offer, self._pick_model(server.offer)
        self._server, server.model, server.offer = server, model, offer.for_model(model)
        sizes = {name: offer.find_parameters(name) for name in {model, *offer.models}}
        parameters = {name: size for name, size in sizes.items() if size is not None}
        where = describe_server(
            kind=offer.kind, netloc=urlsplit(server.url).netloc, is_own=self.child is not None
        )
        is_small = is_too_small(parameters.get(model))
        message = ready_message(model=model, server=where, host=server.remote_host, is_too_small=is_small)
        return ModelStatus(
            state="ready",
            code="ready",
            message=message,
            model=model,
            models=_list_selectable_models(offer),
            server=where,
            remote=server.is_remote,
            host=server.remote_host,
            origin=server.origin if server.is_remote else "",
            wire_format=server.wire_format.name,
            parameters=parameters,
        )

    def _pick_model(self, offer: ServerCapabilities) -> str:
        """Return the name of the model to request; llama.cpp serves one model under any name."""
        name, offered = self._target.model if self._target else "", _list_chat_models(offer)
        if offer.kind == "llama.cpp":
            return offer.name
        if not name and offered:
            return offered[0]
        for known in (name, f"{name}:latest"):
            if name and known in offer.models:
                return known
        raise ModelNotFound

    def _get_or_open_server(
        self, url: str, key: str, wire_format: str = AUTO, *, allow_remote: bool | None = None
    ) -> "ModelServer":
        """Return the current client if it has this address, key and wire format; else a new one."""
        server = self._server
        if server is not None and server.is_at(url, api_key=key, wire_format=wire_format):
            return server
        from llamora.llm.client import ModelServer  # noqa: PLC0415 - see _run

        return ModelServer(
            url,
            api_key=key,
            allow_remote=self._config.allow_remote if allow_remote is None else allow_remote,
            wire_format=wire_format,
            context=self._config.context,
            unload_after=self._config.unload_after,
            on_failure=lambda _: self.refresh(),
        )


async def _close_all(child: LlamaCppProcess | None, server: "ModelServer | None") -> None:
    closing: list[Awaitable[None]] = [found.close() for found in (child, server) if found is not None]
    await asyncio.gather(*closing)


def _list_chat_models(offer: ServerCapabilities) -> tuple[str, ...]:
    return tuple(model for model in offer.models if "embed" not in model.lower())


def _list_selectable_models(offer: ServerCapabilities) -> tuple[str, ...]:
    """Return the models a person may choose from; none for llama.cpp, which serves only one."""
    return () if offer.kind == "llama.cpp" else _list_chat_models(offer)
