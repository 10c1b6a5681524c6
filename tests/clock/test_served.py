"""Tests of a served household whose wall clock jumps, and of the timers of its server."""

import json
import random
import sqlite3
import struct
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.browser_client import Visitor
from tests.clock.machine import DAY, HOUR
from tests.server import ROOT, Server, run_command, run_server

STEPS = (400 * DAY, -400 * DAY)
MORE_STEPS = tuple(random.Random(13).choice((400, 60, 31, -31, -60, -400)) * DAY + HOUR for _ in range(20))


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
    with closing(sqlite3.connect(server.data_dir / "llamora.sqlite3", timeout=30)) as database, database:
        (text,) = database.execute("SELECT evidence FROM clock_clockrecord").fetchone()
        evidence = json.loads(text)
        evidence["stretches"][0]["is_believed"] = True
        database.execute("UPDATE clock_clockrecord SET evidence = ?", [json.dumps(evidence)])


@pytest.mark.parametrize(
    "steps", [STEPS, pytest.param(MORE_STEPS, marks=pytest.mark.slow, id="twenty jumps")]
)
def test_a_clock_that_jumps_loses_nothing_and_signs_nobody_out(
    tmp_path: Path, steps: tuple[float, ...]
) -> None:
    extra = {"LLAMORA_REGISTRATION": "open", **build_library(tmp_path)}
    with run_server(tmp_path, extra=extra) as server:
        olive = Visitor.join(server, "Olive")
        believe_clock(server)
        deleted = []
        wrong_by = 0.0
        for step in steps:
            entry = olive.write("To the bin", day="2001-01-01")
            assert olive.post(f"/entries/{entry}/delete/").status in (200, 302, 303)
            deleted.append(entry)
            wrong_by += step
            set_clock(tmp_path, wrong_by)

            # Signed in all the same; where the clock jumped ahead the diary is locked.
            assert olive.unlock().status in (200, 302, 303)
            pruned = run_command(tmp_path, "prune", extra=extra)

            assert pruned.returncode == 0, pruned.stderr
            assert "Deleted: 0 expired sessions, 0 entries in the bin, 0 earlier versions" in pruned.stdout
            in_bin = olive.get("/bin/").body
            assert all(f"/entries/{entry}/restore/" in in_bin for entry in deleted)
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
