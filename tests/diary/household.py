"""A person of a real household: made in its data folder, then only seen through its port and its socket."""

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.server import ROOT, Server

_MAKE = """
import django, sys
django.setup()
from tests.diary.cast import member
for name in sys.argv[1:]:
    who = member(name)
    entry = who.wrote("Walked to the weir.")
    (cookie, morsel), = who.client.cookies.items()
    print(who.id, entry.id, who.today.isoformat(), cookie, morsel.value)
"""


@dataclass
class Visitor:
    """A browser of one person, with one entry written today."""

    server: Server
    owner: str
    entry: str
    day: str
    cookies: dict[str, str] = field(repr=False)

    @classmethod
    def move_in(cls, server: Server, *names: str) -> "list[Visitor]":
        """Make people in the household of a running server."""
        environment = {**server.environment, "DJANGO_SETTINGS_MODULE": "llamora.settings"}
        command = [sys.executable, "-c", _MAKE, *names]
        made = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
        lines = (line.split() for line in made.stdout.splitlines())
        return [cls(server, owner, entry, day, {name: value}) for owner, entry, day, name, value in lines]

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def ask(self, method: str, path: str, **fields: str) -> str:
        """Send a request as the page's script does; answer the body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        headers = {"Cookie": self.cookie, "HX-Request": "true"}
        headers |= {"X-CSRFToken": self.cookies.get("llamora_csrf", "")}
        headers |= {"Content-Type": "application/x-www-form-urlencoded"}
        body = urlencode({"owner": self.owner, **fields}) if method == "POST" else None
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        text = response.read().decode()
        for line in response.headers.get_all("Set-Cookie") or ():
            name, _, value = line.split(";")[0].partition("=")
            self.cookies[name] = value
        connection.close()
        assert response.status == 200, f"{method} {path} answered {response.status}"
        return text

    def page(self) -> str:
        return self.ask("GET", f"/d/{self.day}/")

    def respond(self) -> str:
        """Press Respond; answer the reply's id."""
        self.page()
        answer = self.ask("POST", f"/entries/{self.entry}/respond/")
        return answer.split('id="reply-')[1].split('"')[0]

    @contextmanager
    def socket(self) -> Iterator[ClientConnection]:
        """The live socket of a tab that shows today."""
        with connect(
            f"ws://127.0.0.1:{self.server.port}/live/",
            origin=Origin(self.server.base_url),
            additional_headers={"Cookie": self.cookie},
        ) as socket:
            socket.send(json.dumps({"type": "watch", "day": self.day, "owner": self.owner}))
            yield socket


def frames_until(socket: ClientConnection, kind: str, *, seconds: float = 20) -> list[dict[str, Any]]:
    """Every frame up to the first of a kind."""
    frames: list[dict[str, Any]] = []
    while not frames or frames[-1]["type"] != kind:
        frames.append(json.loads(socket.recv(timeout=seconds)))
    return frames
