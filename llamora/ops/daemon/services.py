"""Start, stop and status of the daemon.

Start and stop hold another lock (flock(2) on the data folder itself), so that of two simultaneous starts only
one starts a server, and the other finds it running.
"""

import fcntl
import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from llamora.database import disk
from llamora.ops import data_folder, startup
from llamora.ops.daemon import log_file, server_record, start_report
from llamora.ops.daemon.server_record import ServerRecord
from llamora.ops.errors import OperationRefused

# Longer than the server takes for its end: `http_server.DEADLINE_SECONDS`, and a backup that cleans up.
STOP_SECONDS = 15.0
ANSWER_SECONDS = 60.0
_POLL_SECONDS = 0.05
_LAST_LINES = 20
_EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound

SentencePrinter = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class BackgroundStatus:
    """The status of the daemon: its record if it runs, whether it answers, and sentences about it."""

    server: ServerRecord | None
    is_answering: bool
    note: str


def start(arguments: list[str], *, say: SentencePrinter) -> None:
    """Start the server (`manage.py up`) with these arguments in the background; wait until it answers.

    Raise OperationRefused with the reason if it does not start. If a server is already running, report it.
    """
    startup.check_database_file()
    data_folder.prepare(settings.DATA_DIR, key_file=settings.SECRET_KEY_FILE)
    with _hold_starts(say=say):
        use = server_record.read_folder_use(settings.DATA_DIR)
        if use.server:
            say(describe_server(use.server))
            return
        if use.is_locked:
            raise OperationRefused(_describe_other_use())
        _start(arguments, say=say)


def stop(*, say: SentencePrinter) -> None:
    """Stop the daemon and wait for its end; raise OperationRefused if the running server is not a daemon."""
    with _hold_starts(say=say):
        server = server_record.read_folder_use(settings.DATA_DIR).server
        if server is None:
            say("Llamora is not running.")
            return
        if not server.is_in_background:
            raise OperationRefused(
                f"Llamora runs as process {server.pid}, but `daemon start` did not start it. Stop it where "
                "it was started: with Ctrl-C, or with systemctl --user stop llamora."
            )
        _signal_end(server)
        deadline = time.monotonic() + STOP_SECONDS
        while server_record.read_folder_use(settings.DATA_DIR).server == server:
            if time.monotonic() > deadline:
                raise OperationRefused(
                    f"Llamora (process {server.pid}) has not stopped within {STOP_SECONDS:.0f} seconds. The "
                    f"end of {log_file.get_path()} may say why. Run this command again to wait longer."
                )
            time.sleep(_POLL_SECONDS)
        say("Llamora has stopped.")


def get_status() -> BackgroundStatus:
    """Return whether a server runs, and whether it answers."""
    use = server_record.read_folder_use(settings.DATA_DIR)
    note = ""
    if use.is_locked and not use.server:
        note = _describe_other_use()
    elif use.record and not use.is_locked:
        note = (
            f"The last server, since {_format_time(use.record)}, did not stop by itself: it was killed, "
            "or the machine was turned off. Nothing that was confirmed is lost by that."
        )
        if use.record.is_in_background:
            note += f" The end of {log_file.get_path()} may say more."
    answers = bool(use.server and use.server.port and is_answering(use.server.host, use.server.port))
    return BackgroundStatus(server=use.server, is_answering=answers, note=note)


def describe_server(server: ServerRecord) -> str:
    """Return a sentence about a running server."""
    kind = "in the background" if server.is_in_background else "started with `up`"
    place = f" at {server.address}/" if server.address else ", and is starting"
    return f"Llamora is running{place}, since {_format_time(server)} (process {server.pid}, {kind})."


def is_answering(host: str, port: int) -> bool:
    """Return whether a server responds to a request, with any status."""
    bare = host.strip("[]")
    connection = http.client.HTTPConnection(_EVERY_ADDRESS.get(bare, bare), port, timeout=5)
    try:
        connection.request("GET", "/healthz", headers={"Host": "localhost"})
        return bool(connection.getresponse().status)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _format_time(server: ServerRecord) -> str:
    return f"{server.since:%Y-%m-%d %H:%M} UTC"


def _describe_other_use() -> str:
    return (
        f"Another process uses the data folder {settings.DATA_DIR}: a restore, or a server that this machine "
        "does not show. Wait until it has ended."
    )


# --- Starting ----------------------------------------------------------------------------------------------


@contextmanager
def _hold_starts(*, say: SentencePrinter) -> Iterator[None]:
    """Wait for another start or stop, and let none begin during the `with` block."""
    try:
        descriptor = os.open(settings.DATA_DIR, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        # Nothing was ever started here.
        yield
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another command is starting or stopping Llamora at this moment; waiting for it.")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _start(arguments: list[str], *, say: SentencePrinter) -> None:
    path = log_file.get_path()
    size = log_file.get_size(path)
    process = _spawn(arguments, log=path)
    assert process.stdout
    try:
        with process.stdout as lines:
            outcome = start_report.follow(lines, say=say)
        if outcome.port:
            _wait_for_answer(process, host=outcome.host, port=outcome.port)
            say(
                f"It runs in the background, as process {process.pid}, and logs to {path}. To stop it: "
                "manage.py daemon stop"
            )
            return
    except BaseException:
        # Whoever waited has stopped it, with Ctrl-C.
        process.terminate()
        process.wait(STOP_SECONDS)
        raise
    status = process.wait()
    raise OperationRefused(outcome.refusal or _describe_failure(status, path=path, size=size))


def _spawn(arguments: list[str], *, log: Path) -> subprocess.Popen[bytes]:
    """Start the server as a process in its own session, with the same settings as this process."""
    command = [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), "daemon", "run", *arguments]
    # It reads `.env` itself.
    environment = {k: v for k, v in os.environ.items() if k not in settings.NAMES_FROM_FILE}
    try:
        errors = log_file.open_file(log)
    except OSError:
        errors = os.open(os.devnull, os.O_WRONLY)
    try:
        return subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
    finally:
        os.close(errors)


def _wait_for_answer(process: subprocess.Popen[bytes], *, host: str, port: int) -> None:
    deadline = time.monotonic() + ANSWER_SECONDS
    while not is_answering(host, port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise OperationRefused(
                f"Llamora was started, but does not answer on port {port}, so it was stopped again. The end "
                f"of {log_file.get_path()} may say why."
            )
        time.sleep(_POLL_SECONDS)


def _describe_failure(status: int, *, path: Path, size: int) -> str:
    sentence = f"Llamora did not start; it ended with status {status}."
    if lines := log_file.read_last_lines(path, after=size, most=_LAST_LINES):
        return "\n".join([f"{sentence} The last lines of {path}:", *(f"  {line}" for line in lines)])
    return (
        f"{sentence} Its log {path} has no line about it. {disk.describe_problem(settings.DATA_DIR)}".strip()
    )


# --- Stopping ----------------------------------------------------------------------------------------------


def _signal_end(server: ServerRecord) -> None:
    """Send SIGTERM to the server, if the process with its id is still the one that wrote the record."""
    with suppress(ProcessLookupError):
        if not hasattr(os, "pidfd_open"):
            os.kill(server.pid, signal.SIGTERM)
            return
        # From here on, the descriptor means one process, even if its number is given to another.
        descriptor = os.pidfd_open(server.pid)
        try:
            if server_record.is_same_process(server):
                signal.pidfd_send_signal(descriptor, signal.SIGTERM)
        finally:
            os.close(descriptor)
