"""A household for measuring: a real `up` in a temporary folder, and a client that behaves like a browser."""

import http.client
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from django.conf import settings

PASSWORD = "seven slow herons over the weir"  # noqa: S105 - of a household that lives for a minute
_ADDRESS = re.compile(r"http://llamora\.localhost:(\d+)/")
_SET_UP_TOKEN = re.compile(r"set-up=(\w+)")
_HIDDEN_FIELD = re.compile(r'<input[^>]*name="(\w+)"[^>]*value="([^"]*)"')


@dataclass(kw_only=True)
class BenchmarkHousehold:
    """A server under way."""

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

    def manage(self, *arguments: str) -> str:
        """Run a management command in this household; return what it printed."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=settings.BASE_DIR, env=self.environment, capture_output=True, text=True, check=True
        )
        return done.stdout


def build_environment(folder: Path, **extra: str) -> dict[str, str]:
    """Return the environment of a household in `folder`, without this one's settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LLAMORA_", "DJANGO_"))}
    for name in ("data", "run"):
        (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    own = {"LLAMORA_DATA_DIR": str(folder / "data"), "LLAMORA_RUNTIME_DIR": str(folder / "run")}
    return {**kept, **own, "LLAMORA_REGISTRATION": "open", "PYTHONUNBUFFERED": "1", **extra}


@contextmanager
def serve_household(folder: Path, *arguments: str, **extra: str) -> Iterator[BenchmarkHousehold]:
    """Start `up` in `folder` and wait for its first answer; end it with the block."""
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


@dataclass
class BrowserResponse:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: str


@dataclass
class BrowserClient:
    """A client with cookies, one lasting connection and the hidden fields of the page it saw last."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    hidden: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)

    def get(self, path: str, **headers: str) -> BrowserResponse:
        """Ask for a page and remember its hidden fields."""
        answer = self._request("GET", path, None, headers)
        self.hidden = dict(_HIDDEN_FIELD.findall(answer.body))
        return answer

    def post(self, path: str, data: Mapping[str, str], *, by_script: bool = False) -> BrowserResponse:
        """Send a form with the hidden fields of the page it came from."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if by_script:
            headers |= {"HX-Request": "true", "X-CSRFToken": self.cookies.get(settings.CSRF_COOKIE_NAME, "")}
        return self._request("POST", path, urlencode({**self.hidden, **data}), headers)

    def _request(
        self, method: str, path: str, body: str | None, headers: Mapping[str, str]
    ) -> BrowserResponse:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        self.connection.request(method, path, body, {"Cookie": cookie, **headers})
        response = self.connection.getresponse()
        text = response.read().decode("utf-8", "replace")
        for line in response.headers.get_all("Set-Cookie") or ():
            name, _, value = line.split(";", 1)[0].partition("=")
            self.cookies[name] = value
        return BrowserResponse(response.status, dict(response.headers.items()), text)

    def register(self, name: str, *, set_up: str = "") -> None:
        """Make a person and stay signed in as them."""
        self.get(f"/register/?set-up={set_up}" if set_up else "/register/")
        answer = self.post(
            "/register/",
            {"name": name, "password": PASSWORD, "password_again": PASSWORD, "time_zone": "UTC"},
        )
        if "data-recovery-code" not in answer.body:
            raise RuntimeError(f"Registration answered {answer.status}.")

    def sign_in(self, name: str, *, password: str = PASSWORD) -> BrowserResponse:
        """Sign in afresh."""
        self.get("/sign-in/")
        return self.post("/sign-in/", {"name": name, "password": password})

    def save(self, path: str, text: str) -> BrowserResponse:
        """Keep an entry the way the page's script does; the page must have been asked for before."""
        return self.post(path, {"text": text}, by_script=True)

    def close(self) -> None:
        """Hang up."""
        self.connection.close()
