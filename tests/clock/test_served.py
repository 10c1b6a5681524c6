"""Tests of a served household whose wall clock jumps, and of the timers of its server."""

import json
import random
import sqlite3
import struct
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.browser_client import Visitor
from tests.clock.machine import DAY, HOUR
from tests.fakes.waiting import wait_for
from tests.server import ROOT, Server, run_command, run_server

STEPS = (400 * DAY, -400 * DAY)
MORE_STEPS = tuple(random.Random(13).choice((400, 60, 31, -31, -60, -400)) * DAY + HOUR for _ in range(20))

DONE = (200, 302, 303)
DAILY_ROUND = """
import threading
from django.core.management import call_command
from llamora.ops import background
call_command("prune")
background.run_daily_round(threading.Event())
"""


def build_library(folder: Path) -> dict[str, str]:
    """Compile the library that adds to the wall clock; return the environment that loads it."""
    library, file = folder / "set_clock.so", folder / "clock"
    source = Path(__file__).with_name("set_clock.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", library, source], check=True)
    set_clock(folder, 0)
    return {"LD_PRELOAD": str(library), "CLOCK_FILE": str(file)}


def set_clock(folder: Path, seconds: float) -> None:
    with (folder / "clock").open("r+b" if (folder / "clock").exists() else "wb") as file:
        file.write(struct.pack("q", int(seconds)))


def believe_clock(server: Server) -> None:
    """Make the household one whose clock was observed for long enough."""
    record = server.data_dir / "register" / "clock.json"
    evidence = json.loads(record.read_bytes())
    evidence["stretches"][0]["is_believed"] = True
    record.write_text(json.dumps(evidence))


@dataclass
class Household:
    """A served household whose clock is set, and what Olive did there."""

    folder: Path
    server: Server
    olive: Visitor
    extra: dict[str, str]
    deleted: list[str] = field(default_factory=list)
    edited: dict[str, str] = field(default_factory=dict)
    keys: int = 1
    backups: list[str] = field(default_factory=list)

    def read_number(self, statement: str) -> int:
        with closing(sqlite3.connect(self.server.data_dir / "llamora.sqlite3", timeout=30)) as database:
            return int(database.execute(statement).fetchone()[0])

    def run(self, *command: str) -> str:
        ran = run_command(self.folder, *command, extra=self.extra)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def delete_and_edit(self, number: int) -> None:
        """Let an entry into the bin, and an earlier text into the versions of another."""
        thrown, changed = (self.olive.write(f"Before {number}", day="2001-01-01") for _ in range(2))
        assert self.olive.post(f"/entries/{thrown}/delete/").status in DONE
        self.edited[changed] = f"After {number}"
        edit = {"text": self.edited[changed], "revision": "1"}
        assert self.olive.post(f"/entries/{changed}/edit/", **edit).status in DONE
        self.deleted.append(thrown)

    def begin_rotation(self) -> None:
        """Replace Olive's key; the new one encrypts everything again in the background."""
        assert self.olive.post("/settings/key/", current=self.olive.password).status == 302
        self.keys += 1

    def check_rotation(self) -> None:
        """Check that the key change comes to its end, and destroys the former key."""
        files = self.server.data_dir / "former_keys"
        wait_for(lambda: not self.read_number("SELECT count(*) FROM accounts_formerkey"), seconds=30)
        wait_for(lambda: not list(files.glob("*")), seconds=30)
        assert self.read_number("SELECT epoch FROM accounts_vault") == self.keys

    def check_texts(self) -> None:
        """Check that the bin, the entries and their earlier versions are all there and can be read."""
        in_bin = self.olive.get("/bin/").body
        assert all(f"/entries/{entry}/restore/" in in_bin for entry in self.deleted)
        for entry, text in self.edited.items():
            assert self.olive.get_text(entry) == text
            assert text.replace("After", "Before") in self.olive.get(f"/entries/{entry}/versions/").body

    def verify(self) -> None:
        """Check that everything of Olive's opens with her present key."""
        verified = self.run("verify", "--user", "Olive", "--password-file", str(self.folder / "password"))
        assert "can be decrypted." in verified

    def check_daily_round(self) -> None:
        """Prune and run what the server runs every ten minutes: no backup is missed, nothing ends early."""
        pruned = self.run("shell", "-c", DAILY_ROUND)
        assert "Deleted: 0 expired sessions, 0 entries in the bin, 0 earlier versions" in pruned
        there = sorted(path.name for path in (self.server.data_dir / "backups").glob("*.tar"))
        (made,) = set(there) - {*self.backups}
        self.backups.append(made)
        # Of more than one for each of seven days, the earlier ones are outdated.
        assert len(there) >= min(len(self.backups), 7)
        assert '"backup": "fresh"' in self.olive.get("/healthz").body


@pytest.mark.parametrize(
    "steps", [STEPS, pytest.param(MORE_STEPS, marks=pytest.mark.slow, id="twenty jumps")]
)
def test_a_clock_that_jumps_loses_nothing_and_signs_nobody_out(
    tmp_path: Path, steps: tuple[float, ...]
) -> None:
    extra = {"LLAMORA_REGISTRATION": "open", **build_library(tmp_path)}
    with run_server(tmp_path, extra=extra) as server:
        house = Household(tmp_path, server, Visitor.join(server, "Olive"), extra)
        (tmp_path / "password").write_text(house.olive.password)
        believe_clock(server)
        wrong_by = 0.0
        for number, step in enumerate(steps):
            house.delete_and_edit(number)
            house.begin_rotation()
            wrong_by += step
            set_clock(tmp_path, wrong_by)

            # Signed in all the same; where the clock jumped ahead the diary is locked.
            assert house.olive.unlock().status in DONE
            house.check_rotation()
            house.check_daily_round()
            house.check_texts()
        house.verify()
        assert "clock was set" in server.log()


def test_timers_of_the_server_do_not_follow_the_wall_clock() -> None:
    program = (
        "import django, time; django.setup()\n"
        "from llamora.ops.server import http_server as server\n"
        "server.measure_by_monotonic_clock()\n"
        "import daphne.server, daphne.ws_protocol, daphne.http_protocol\n"
        "timer = server.reactor.callLater(5, print)\n"
        "later = time.monotonic() + 5\n"
        "assert abs(timer.getTime() - later) < 4, timer.getTime() - later\n"
        "for module in (daphne.server, daphne.ws_protocol, daphne.http_protocol):\n"
        "    assert abs(module.time.time() - time.monotonic()) < 60\n"
    )
    subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        check=True,
        env={"PATH": "/usr/bin", "DJANGO_SETTINGS_MODULE": "tests.settings"},
    )
