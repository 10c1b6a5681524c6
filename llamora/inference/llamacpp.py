"""The child process that serves a `.gguf` file on loopback; it is restarted whenever it ends.

    loading -> ready -> (exits) -> loading -> ...    with growing pauses if it exits repeatedly
    loading -> failed -> loading -> ...              the file could not be loaded; retried after long pauses

Each child has its own port and key. No environment variable of Llamora or Django is passed to the child.
"""

import asyncio
import json
import os
import secrets
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from llamora.inference.llamacpp_child import KEY_VARIABLE
from llamora.inference.model_choice.machine import choose_threads, count_cores

_ROOT = Path(__file__).resolve().parents[2]
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 60.0
_STEADY_SECONDS = 60.0
_STOP_SECONDS = 0.7


@dataclass(frozen=True, kw_only=True)
class LlamaCppAddress:
    """The address of the child process, and the API key that it requires."""

    address: str
    key: str


def _build_child_environment(key: str) -> dict[str, str]:
    own = ("LLAMORA_", "DJANGO_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    return {**inherited, KEY_VARIABLE: key, "PYTHONDONTWRITEBYTECODE": "1"}


class LlamaCppProcess:
    """A child process that serves one `.gguf` file until it is closed."""

    def __init__(
        self,
        model: Path,
        *,
        context: int,
        parallel: int,
        on_change: Callable[[], None],
        threads: int = 0,
        gpu_layers: int = -1,
    ) -> None:
        self.model = model
        self.state = "loading"
        self.serving: LlamaCppAddress | None = None
        self.process: asyncio.subprocess.Process | None = None
        self.starts = 0
        # Whether the system ended it while it loaded, as it does if there is no memory left.
        self.was_killed = False
        self._options = {
            "model": str(model),
            "context": context,
            "parallel": parallel,
            "threads": threads or choose_threads(count_cores()),
            "gpu_layers": gpu_layers,
        }
        self._on_change = on_change
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the child process in the background."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """End the child process within a second."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        self._set_state("stopped", None)

    async def _run(self) -> None:
        pause = _FIRST_PAUSE
        clock = asyncio.get_running_loop().time
        while True:
            started_at = clock()
            await self._run_once()
            if clock() - started_at > _STEADY_SECONDS:
                pause = _FIRST_PAUSE
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _run_once(self) -> None:
        key = secrets.token_urlsafe(32)
        try:
            process = await self._spawn(key)
        except OSError:
            self._set_state("failed", None)
            return
        self.process = process
        try:
            address = await self._read_address(process)
            if address:
                self._set_state("ready", LlamaCppAddress(address=address, key=key))
                await process.wait()
            else:
                await _stop_process(process)
                self.was_killed = process.returncode == -signal.SIGKILL
                self._set_state("failed", None)
        finally:
            await _stop_process(process)
        if self.state == "ready":
            self._set_state("loading", None)

    async def _spawn(self, key: str) -> asyncio.subprocess.Process:
        self.starts += 1
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "llamora.inference.llamacpp_child",
            cwd=_ROOT,
            env=_build_child_environment(key),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps(self._options).encode() + b"\n")
        return process

    async def _read_address(self, process: asyncio.subprocess.Process) -> str | None:
        """Return the address once the model is loaded, or None if the child ended or failed before that."""
        assert process.stdout is not None
        line = await process.stdout.readline()
        try:
            address = json.loads(line).get("address")
        except ValueError:
            return None
        return address if isinstance(address, str) else None

    def _set_state(self, state: str, serving: LlamaCppAddress | None) -> None:
        self.state, self.serving = state, serving
        self._on_change()


async def _stop_process(process: asyncio.subprocess.Process) -> None:
    """Close the stdin of the child, which makes it end; kill it if it does not."""
    if process.returncode is not None:
        return
    assert process.stdin is not None
    process.stdin.close()
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        pass
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
