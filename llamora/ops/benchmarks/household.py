"""A household for measurements: a real server (`manage.py up`) in a temporary folder."""

import http.client
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

_ADDRESS = re.compile(r"http://llamora\.localhost:(\d+)/")
SETTLE_SECONDS, SETTLE_AT_MOST = 5.0, 30.0
_SET_UP_TOKEN = re.compile(r"set-up=(\w+)")


@dataclass(kw_only=True)
class BenchmarkHousehold:
    """A running server and its folder."""

    folder: Path
    process: subprocess.Popen[bytes]
    environment: Mapping[str, str]
    port: int = 0
    set_up: str = ""
    seconds_to_answer: float = 0.0

    def memory_mib(self) -> float:
        """Return the server's resident memory in MiB (Linux only; 0 elsewhere)."""
        try:
            status = Path(f"/proc/{self.process.pid}/status").read_text()
        except OSError:
            return 0.0
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        return int(found[1]) / 1024 if found else 0.0

    def settled_memory_mib(self) -> float:
        """Return the server's memory in MiB after it has settled, at most half a minute later.

        It has settled when it fell by less than 1 MiB in 5 s. The memory of key derivations, request bodies
        and replies has then been freed.
        """
        lowest, since = self.memory_mib(), time.monotonic()
        deadline = since + SETTLE_AT_MOST
        while time.monotonic() < min(since + SETTLE_SECONDS, deadline):
            time.sleep(0.5)
            if (now := self.memory_mib()) < lowest - 1:
                lowest, since = now, time.monotonic()
        return self.memory_mib()

    def processor_seconds(self) -> float:
        """Return the server's CPU time (Linux only; 0 elsewhere)."""
        try:
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        # User and system time; fields 14 and 15 of proc(5).
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def manage(self, *arguments: str) -> str:
        """Run a management command in this household; return its output."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=settings.BASE_DIR, env=self.environment, capture_output=True, text=True, check=True
        )
        return done.stdout


def build_environment(folder: Path, **extra: str) -> dict[str, str]:
    """Return the environment for a household in `folder`, without the settings of this process."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("LLAMORA_", "DJANGO_"))
    }
    for name in ("data", "run"):
        (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    # What is not given here may come from the real household's `.env`: its backups, which a server prunes, or
    # an address that other machines reach.
    own = {
        "LLAMORA_DATA_DIR": str(folder / "data"),
        "LLAMORA_RUNTIME_DIR": str(folder / "run"),
        "LLAMORA_BACKUP_DIR": str(folder / "data" / "backups"),
        "LLAMORA_HOST": "127.0.0.1",
    }
    return {**inherited, **own, "LLAMORA_REGISTRATION": "open", "PYTHONUNBUFFERED": "1", **extra}


@contextmanager
def serve_household(folder: Path, *arguments: str, **extra: str) -> Iterator[BenchmarkHousehold]:
    """Run `manage.py up` in `folder`, yield after its first response, and stop it after the `with` block."""
    variables = build_environment(folder, **extra)
    log = folder / "server.log"
    began = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--port", "0", *arguments],
            cwd=settings.BASE_DIR,
            env=variables,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
    served = BenchmarkHousehold(folder=folder, process=process, environment=variables)
    try:
        _wait_until_served(served, log)
        served.seconds_to_answer = time.perf_counter() - began
        yield served
    finally:
        process.terminate()
        process.wait(10)


def _wait_until_served(served: BenchmarkHousehold, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        text = log.read_text(errors="replace")
        if found := _ADDRESS.search(text):
            served.port = int(found[1])
            if link := _SET_UP_TOKEN.search(text):
                served.set_up = link[1]
            if _is_answering(served.port):
                return
        if served.process.poll() is not None:
            raise RuntimeError(f"The household did not start; see {log}.")
        time.sleep(0.005)
    raise TimeoutError(f"The household did not answer within a minute; see {log}.")


def _is_answering(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/sign-in/")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
