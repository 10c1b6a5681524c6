"""Automatic restart for developers: `up --reload` restarts the server when a source file has changed.

This process only watches the files. The server is a child process, which is stopped with a normal shutdown,
so that requests finish and texts are saved. If a Python file cannot be compiled, the running server is not
restarted.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings

from accounts.sessions import run_secret
from llamora.ops import startup
from llamora.ops.daemon.server_record import read_folder_use
from llamora.ops.errors import OperationRefused

FOLDERS = ("llamora", "accounts", "diary", "traces", "search", "templates", "static")
FILES = ("manage.py", ".env")
# What editors write beside a file, and Python.
_OTHER_SUFFIXES = frozenset({".swp", ".swx", ".tmp", ".pyc", ".orig", ".rej", ".bak"})
_POLL_SECONDS, _SETTLE_SECONDS = 0.3, 0.15
_STOP_SECONDS = 15.0
_PR_SET_PDEATHSIG = 1

# Of each file its time of change in nanoseconds, and its size.
Snapshot = dict[Path, tuple[int, int]]


class Reloader:
    """Process that runs `manage.py up` in a child process, and restarts the child after each change."""

    def __init__(self, arguments: list[str], *, say: Callable[[str], None]) -> None:
        self._arguments, self._say = arguments, say
        self._child: subprocess.Popen[bytes]
        self._is_ending = False

    def run(self) -> None:
        """Run the server until a signal ends this process, or the server ends without an error."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._end)
        self._say(describe_reloading())
        before, pending, is_reported = take_snapshot(), set[Path](), False
        self._start()
        while not self._is_ending:
            time.sleep(_POLL_SECONDS)
            status = self._child.poll()
            if status == 0:
                break
            if status is not None and not is_reported:
                is_reported = True
                self._say(f"The server ended with status {status}. It starts again when a file changes.")
            now = _wait_for_quiet(before)
            pending |= {path for path in now.keys() | before.keys() if now.get(path) != before.get(path)}
            if now != before and not self._is_ending:
                before = now
                if problem := find_syntax_error(pending):
                    self._say(f"{problem} The server is not restarted until that is corrected.")
                    continue
                self._restart(pending)
                pending, is_reported = set(), False
        self._stop()

    def _start(self) -> None:
        command = [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), "up", *self._arguments]
        # It reads `.env` itself, as it is then.
        environment = {k: v for k, v in os.environ.items() if k not in settings.NAMES_FROM_FILE}
        self._child = subprocess.Popen(
            command,
            env=environment,
            preexec_fn=_end_with_parent,  # noqa: PLW1509 - this process has one thread
        )

    def _restart(self, changed: set[Path]) -> None:
        names = sorted(str(path.relative_to(settings.BASE_DIR)) for path in changed)
        others = f" and {len(names) - 1} more" if len(names) > 1 else ""
        self._say(f"Restarting, because of {names[0]}{others}.")
        server = read_folder_use(settings.DATA_DIR).server
        if server and server.pid == self._child.pid and server.port:
            # At the same address, also if the port was chosen freely. The last one counts.
            self._arguments = [*self._arguments, "--port", str(server.port)]
        self._stop()
        if not self._is_ending:
            self._start()

    def _stop(self) -> None:
        if self._child.poll() is None:
            self._child.terminate()
        try:
            self._child.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._say("The server did not end, so it was killed. Everything that was confirmed is saved.")
            self._child.kill()
            self._child.wait()

    def _end(self, *_: Any) -> None:
        self._is_ending = True


def check_host(host: str) -> None:
    """Raise OperationRefused if other machines can reach this address."""
    if not startup.is_loopback_host(host):
        raise OperationRefused(
            f"--reload is for developers, and other machines can reach {host}. Use it with --host 127.0.0.1, "
            "or leave it out."
        )


def describe_reloading() -> str:
    """Return a sentence about the effects of a restart on people who use the diary."""
    locks = "unlocked" if run_secret.get_runtime_folder() else "locked, as there is no file system in memory"
    return (
        "The server restarts when a file of the program changes. A restart stops replies that are being "
        f"written; diaries are {locks} after it."
    )


def take_snapshot() -> Snapshot:
    """Return the modification state of every file whose change requires a restart."""
    found = {}
    for path in _list_files():
        try:
            state = path.stat()
        except OSError:
            # Deleted meanwhile.
            continue
        found[path] = state.st_mtime_ns, state.st_size
    return found


def _list_files() -> Iterator[Path]:
    root = Path(settings.BASE_DIR)
    yield from (root / name for name in FILES)
    for folder, folders, names in (entry for name in FOLDERS for entry in os.walk(root / name)):
        folders[:] = [name for name in folders if name != "__pycache__" and not name.startswith(".")]
        for name in names:
            path = Path(folder, name)
            if not name.startswith(".") and not name.endswith("~") and path.suffix not in _OTHER_SUFFIXES:
                yield path


def _wait_for_quiet(before: Snapshot) -> Snapshot:
    """Return the state of the files once they no longer change; an editor or Git may write several files."""
    now = take_snapshot()
    while now != before:
        time.sleep(_SETTLE_SECONDS)
        before, now = now, take_snapshot()
    return now


def find_syntax_error(paths: set[Path]) -> str:
    """Return a sentence about the first Python file that cannot be compiled, or ""."""
    for path in sorted(path for path in paths if path.suffix == ".py" and path.is_file()):
        try:
            compile(path.read_bytes(), str(path), "exec")
        except SyntaxError as error:
            return f"{path.relative_to(settings.BASE_DIR)}, line {error.lineno}: {error.msg}."
        except (ValueError, OSError) as error:
            return f"{path.relative_to(settings.BASE_DIR)} can't be read ({type(error).__name__})."
    return ""


def _end_with_parent() -> None:
    """Let the kernel end this process if the one that watches is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
