"""The app as a subprocess with its own data folder, runtime folder and port.

with running(tmp_path) as server:
    server.url("/sign-in/"), server.set_up_link, server.log(), server.pid
"""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests import data_folder_template, forking
from tests.fakes.waiting import PATIENCE

ROOT = Path(__file__).resolve().parent.parent
ADDRESS = re.compile(r"http://llamora\.localhost:(\d+)/")
# Seconds. On a machine that is shared with many, a start takes a minute.
START_PATIENCE = 3 * PATIENCE
SET_UP = re.compile(r"https?://\S+/register/\?set-up=\S+")


@dataclass(kw_only=True)
class Server:
    """A running `manage.py up`; `log_path` has its output and log."""

    folder: Path
    process: subprocess.Popen[bytes] | forking.ForkedProcess
    log_path: Path
    environment: Mapping[str, str]
    port: int = 0
    set_up_link: str | None = None
    ended: bool = field(default=False)

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def base_url(self) -> str:
        """The URL with the IP address, since not every machine resolves names under localhost."""
        return f"http://127.0.0.1:{self.port}"

    def url(self, path: str) -> str:
        return self.base_url + path

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def stop(self, *, signal_number: int = signal.SIGTERM, timeout: float = PATIENCE) -> float:
        """Stop the server; return the duration in seconds, without what it waited for a processor."""
        began, queued = time.monotonic(), self._read_queued_seconds()
        latest = queued
        if self.process.poll() is None:
            self.process.send_signal(signal_number)
        while True:
            try:
                self.process.wait(0.05)
                break
            except subprocess.TimeoutExpired:
                if time.monotonic() - began > timeout:
                    raise
            latest = max(latest, self._read_queued_seconds())
        self.ended = True
        return time.monotonic() - began - (latest - queued)

    def _read_queued_seconds(self) -> float:
        """Return how long the server could have run while other programs did."""
        try:
            return int(Path(f"/proc/{self.pid}/schedstat").read_text().split()[1]) / 1e9
        except (OSError, IndexError):
            return 0.0

    def kill(self) -> None:
        """Kill the server."""
        self.process.kill()
        self.process.wait(10)


def build_environment(folder: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an environment without outer settings, with its own temporary folder and cheap derivations."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LLAMORA_", "DJANGO_"))}
    for name in ("data", "run", "tmp"):
        (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    return kept | {
        "DJANGO_SETTINGS_MODULE": "tests.served_settings",
        "LLAMORA_DATA_DIR": str(folder / "data"),
        "LLAMORA_RUNTIME_DIR": str(folder / "run"),
        "TMPDIR": str(folder / "tmp"),
        # Loading the embedder takes a second of each server; who tests it sets this.
        "LLAMORA_SEARCH_MODEL": "off",
        "PYTHONUNBUFFERED": "1",
        **(extra or {}),
    }


def start(
    folder: Path,
    *arguments: str,
    extra: Mapping[str, str] | None = None,
    timeout: float = START_PATIENCE,
    is_first: bool = False,
    is_forked: bool = True,
) -> Server:
    """Start `up` and wait until it answers; without `--port` it takes a free one, and without a model's
    address or file in `extra` it looks for none. Tables and static files are there already, unless this is
    to be the very first start, which is that of a real household: derivations at their real cost, too.

    The process is forked from one that has imported packages, unless it is to be a real start."""
    if is_first:
        extra = {"DJANGO_SETTINGS_MODULE": "llamora.settings", "LLAMORA_SEARCH_MODEL": "", **(extra or {})}
    environment = build_environment(folder, extra)
    if not is_first:
        data_folder_template.copy_template(folder / "data")
    log_path = folder / "server.log"
    if "--port" not in arguments:
        arguments = (*arguments, "--port", "0")
    if not any(name.startswith("LLAMORA_MODEL") for name in environment):
        arguments = (*arguments, "--no-model")
    packages = data_folder_template.get_packages_file() if is_forked and not is_first else None
    process: subprocess.Popen[bytes] | forking.ForkedProcess
    with log_path.open("wb") as log:
        if packages and forking.can_fork(extra):
            process = forking.fork(
                packages, ["up", *arguments], environment=environment, output=log, errors=log
            )
        else:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "up", *arguments],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                preexec_fn=_hear_interrupts,  # noqa: PLW1509 - one call that takes no lock
            )
    server = Server(folder=folder, process=process, log_path=log_path, environment=environment)
    try:
        _wait(server, timeout)
    except BaseException:
        server.kill()
        raise
    return server


def _hear_interrupts() -> None:
    """Restore the handling of SIGINT, which background shells disable in child processes."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _wait(server: Server, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            raise RuntimeError(f"the server ended with {server.process.returncode}:\n{server.log()}")
        if found := ADDRESS.search(server.log()):
            server.port = int(found[1])
            if _answers(server.url("/healthz/")):
                link = SET_UP.search(server.log())
                server.set_up_link = link and link[0].replace(
                    f"llamora.localhost:{server.port}", f"127.0.0.1:{server.port}"
                )
                return
        time.sleep(0.02)
    raise TimeoutError(f"the server did not answer in {timeout} s:\n{server.log()}")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except urllib.error.HTTPError as error:
        if error.code == 503:
            # It serves, on a disk that takes nothing.
            return True
        raise RuntimeError(f"the server answers {error.code}") from None
    except (urllib.error.URLError, OSError):
        return False


@contextmanager
def run_server(
    folder: Path,
    *arguments: str,
    extra: Mapping[str, str] | None = None,
    timeout: float = START_PATIENCE,
    is_first: bool = False,
    is_forked: bool = True,
) -> Iterator[Server]:
    """Run a server until the block ends."""
    server = start(folder, *arguments, extra=extra, timeout=timeout, is_first=is_first, is_forked=is_forked)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            try:
                server.stop()
            except subprocess.TimeoutExpired:
                server.kill()


def run_command(
    folder: Path, *arguments: str, extra: Mapping[str, str] | None = None, timeout: float = START_PATIENCE
) -> subprocess.CompletedProcess[str]:
    """Run a management command in the household of `folder`."""
    packages = data_folder_template.get_packages_file()
    if packages and forking.can_fork(extra):
        return forking.run(
            packages, list(arguments), environment=build_environment(folder, extra), timeout=timeout
        )
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=build_environment(folder, extra),
        capture_output=True,
        text=True,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
        check=False,
    )
