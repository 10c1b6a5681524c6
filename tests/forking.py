"""Processes of our programs, forked from a process that has imported all third-party packages already.

These imports take half the time of a start of `up`, and almost all of that of a client command; a run has
about three hundred starts. The parent process reads no settings, and imports only modules of ours without
settings and state. A forked process does the rest itself, with its own environment, and runs its program from
the first line. Tests that measure or search a start use real ones (`is_forked=False` in `tests/server.py`),
and so does the very first start of a household.

    this process                 the parent                           a forked process
    arguments, descriptors  ->   forks, returns the pid         ->   runs the program
    waits on a descriptor of the forked process; then asks
    for its exit status     ->   returns the exit status
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
OURS = {"llamora", "accounts", "diary", "traces", "search", "tests", "__main__"}
# The grammar of dates takes a tenth of a start. By the contracts in `pyproject.toml` these know no settings.
# Not so the cryptography: each process has its own keys.
STATELESS = ("llamora.dates", "llamora.llm")
# Importing these makes an event loop, which processes must not share.
WITH_LOOP = {"daphne.server", "twisted.internet.reactor"}
# Of the environment, what Python itself does not read when it starts.
READ_LATER = ("LLAMORA_", "DJANGO_")
MANAGE, CLIENT = "manage.py", "llamora.client"
MAX_MESSAGE = 1 << 20


def list_packages() -> list[str]:
    """Return the imported modules of others, and of ours the stateless ones, the first imported first."""
    return [
        name for name in sys.modules if (not is_ours(name) or is_stateless(name)) and name not in WITH_LOOP
    ]


def is_ours(name: str) -> bool:
    return name.partition(".")[0] in OURS


def is_stateless(name: str) -> bool:
    return name.startswith(STATELESS)


class ForkedProcess:
    """A forked process, with the part of `subprocess.Popen` that tests use."""

    def __init__(self, parent: "Parent", pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._parent, self._descriptor = parent, os.pidfd_open(pid)

    def poll(self) -> int | None:
        """Return the exit status, or None while the process runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit status; raise TimeoutExpired if it comes too late."""
        if self.returncode is None:
            if not select.select([self._descriptor], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("the forked process", timeout or 0)
            self.returncode = self._parent.fetch_status(self.pid)
            os.close(self._descriptor)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal unless the process has ended."""
        if self.poll() is None:
            signal.pidfd_send_signal(self._descriptor, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Parent:
    """The parent of forked processes; it ends with this process."""

    def __init__(self, modules: Path) -> None:
        self._lock = threading.Lock()
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                # The name of the program in the lists of processes: it becomes one of these.
                [sys.executable, __file__, "manage.py", str(theirs.fileno()), str(modules)],
                cwd=ROOT,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                # What `llamora.ops.server.http_server` sets before it imports Autobahn.
                env=_get_own_environment() | {"AUTOBAHN_USE_NVX": "0"},
            )
        atexit.register(self.end)

    def end(self) -> None:
        """End the process."""
        self._channel.close()
        self._process.wait(10)

    def fork(
        self,
        arguments: list[str],
        *,
        environment: Mapping[str, str],
        output: Any,
        errors: Any,
        program: str,
        typed: Any,
    ) -> ForkedProcess:
        """Fork a process that runs a program with these arguments."""
        request = {"program": program, "arguments": arguments, "environment": dict(environment)}
        descriptors = [file.fileno() for file in (output, errors, typed) if file is not None]
        with self._lock:
            socket.send_fds(self._channel, [json.dumps(request).encode()], descriptors)
            pid = self._receive()
        return ForkedProcess(self, pid)

    def fetch_status(self, pid: int) -> int:
        """Return the exit status of a process that has ended."""
        with self._lock:
            self._channel.send(json.dumps({"ended": pid}).encode())
            return self._receive()

    def _receive(self) -> int:
        answer = self._channel.recv(MAX_MESSAGE)
        if not answer:
            raise RuntimeError("the process that forks has ended")
        return int(answer)


_parents: dict[int, Parent] = {}


def can_fork(extra: Mapping[str, str] | None) -> bool:
    """Return whether an environment of a household differs in nothing that Python reads at its start."""
    return all(name.startswith(READ_LATER) for name in extra or {})


def fork(
    modules: Path,
    arguments: list[str],
    *,
    environment: Mapping[str, str],
    output: Any,
    errors: Any,
    program: str = MANAGE,
    typed: Any = None,
) -> ForkedProcess:
    """Fork a process from this process's parent, which is started at the first call.

    `program` is `MANAGE` or `CLIENT`, `typed` the file of its standard input, by default an empty one."""
    # A test may itself be forked.
    parent = _parents.get(os.getpid()) or _parents.setdefault(os.getpid(), Parent(modules))
    return parent.fork(
        arguments, environment=environment, output=output, errors=errors, program=program, typed=typed
    )


def run(
    modules: Path,
    arguments: list[str],
    *,
    environment: Mapping[str, str],
    timeout: float,
    program: str = MANAGE,
    typed: bytes = b"",
) -> "subprocess.CompletedProcess[str]":
    """Run a command in a forked process, as `subprocess.run` with input and captured output."""
    with (
        tempfile.TemporaryFile() as output,
        tempfile.TemporaryFile() as errors,
        tempfile.TemporaryFile() as file,
    ):
        file.write(typed)
        file.seek(0)
        process = fork(
            modules,
            arguments,
            environment=environment,
            output=output,
            errors=errors,
            program=program,
            typed=file,
        )
        try:
            status = process.wait(timeout)
        except BaseException:
            process.kill()
            process.wait(10)
            raise
        texts = []
        for said in (output, errors):
            said.seek(0)
            texts.append(said.read().decode())
    return subprocess.CompletedProcess([program, *arguments], status, *texts)


def _get_own_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(READ_LATER)}


# --- The parent -------------------------------------------------------------------------------------------


def _import_packages(names: list[str]) -> None:
    # As at a start of `up`; see `startup.hide_module`.
    sys.modules["OpenSSL"] = None  # type: ignore[assignment]
    for name in names:
        # What needs settings is imported by each forked process.
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    del sys.modules["OpenSSL"]
    if found := WITH_LOOP & sys.modules.keys():
        raise RuntimeError(f"processes would share the loop of {found}")


def _serve(channel: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Fork a process for each request; return its request in a forked process, and never in the parent."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(channel, MAX_MESSAGE, 3)
        if not message:
            os._exit(0)
        request = json.loads(message)
        if "ended" in request:
            answer = os.waitstatus_to_exitcode(os.waitpid(request["ended"], 0)[1])
        else:
            answer = os.fork()
            if not answer:
                channel.close()
                return request, descriptors
            for descriptor in descriptors:
                os.close(descriptor)
        channel.send(str(answer).encode())


def _become(request: dict[str, Any], descriptors: list[int]) -> None:
    # Without one for it, the standard input is the parent's, which is empty.
    for descriptor, place in zip(descriptors, (1, 2, 0), strict=False):
        os.dup2(descriptor, place)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = [request["program"], *request["arguments"]]
    tempfile.tempdir = None
    time.tzset()
    # Background shells ignore it for what they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _run_parent() -> None:
    channel = socket.socket(fileno=int(sys.argv[2]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    gc.disable()
    sys.path[0] = str(ROOT)
    # Not known before, since this file runs as a program.
    from tests import import_work

    modules = Path(sys.argv[3])
    _import_packages(json.loads(modules.read_text()))
    import_work.ImportWork.load(modules.with_name(import_work.NAME)).use()
    # A forked process looks for no garbage among what it shares with the others.
    gc.freeze()
    gc.enable()
    request, descriptors = _serve(channel)
    _become(request, descriptors)
    if request["program"] == MANAGE:
        runpy.run_path(MANAGE, run_name="__main__")
    else:
        runpy.run_module(request["program"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _run_parent()
