"""Tests of a flood of wrong sign-ins to a real server: pages and correct sign-ins continue."""

import asyncio
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

import pytest

from llamora.ops.benchmarks import attack_process
from tests.browser.served_household import run_household
from tests.browser_client import PASSWORD, Visitor

ROOT = Path(__file__).resolve().parent.parent.parent
TOKEN = "a" * 32
CROWD = 200
STORMS = {
    "one place, one name": ("Victim", "127.0.9.9"),
    "one place, many names": ("Guess {}", "127.0.9.10"),
    "many places, many names": ("Guess {}", "127.1.0.{}"),
}


@dataclass
class Reader:
    """A person who loads their day continuously; `waits` are the durations in milliseconds."""

    browser: Visitor
    waits: list[float] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)

    def read(self) -> None:
        while not self.done.is_set():
            began = time.perf_counter()
            assert len(self.browser.get("/").body) > 1000
            self.waits.append((time.perf_counter() - began) * 1000)
            time.sleep(0.01)

    def p95(self) -> float:
        return sorted(self.waits)[int(len(self.waits) * 0.95)]


def encode_form(name: str, password: str) -> tuple[str, dict[str, str]]:
    fields = {"csrfmiddlewaretoken": TOKEN, "name": name, "password": password}
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"llamora_csrf={TOKEN}"}
    return urlencode(fields), headers


async def guess(port: int, number: int, *, name: str, address: str) -> int:
    """Sign in with a wrong password; return the status."""
    body, headers = encode_form(name.format(number), f"wrong thing {number}")
    here = (address.format(number % 250 + 1), 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=here)
    lines = [f"{key}: {value}" for key, value in headers.items()]
    lines += ["Host: 127.0.0.1", f"Content-Length: {len(body)}", "Connection: close"]
    writer.write("\r\n".join(["POST /sign-in/ HTTP/1.1", *lines, "", body]).encode())
    status = int((await reader.readline()).split()[1])
    await reader.read()
    writer.close()
    return status


async def run_crowd(port: int, *, name: str, address: str) -> None:
    """Send all wrong sign-ins at once from a separate process, and print the count of each status."""
    statuses = await asyncio.gather(*(guess(port, n, name=name, address=address) for n in range(CROWD)))
    for status, times in Counter(statuses).items():
        sys.stdout.write(f"{status} {times}\n")


# `tests/crypto/test_derivation.py` has what gives each address its turn.
@pytest.mark.slow
def test_addresses_that_guess_names_without_end_keep_nobody_out(tmp_path: Path) -> None:
    """From addresses that nobody knows: what a recognised browser would be given does not help here."""
    with run_household(tmp_path) as house:
        owner = house.new_member("Owner")
        with guessing(house.server.port, addresses=16):
            statuses = [owner.another().sign_in().status for _ in range(3)]

    assert statuses == [302, 302, 302]


@contextmanager
def guessing(port: int, *, addresses: int) -> Iterator[None]:
    """Guess from so many addresses at once during the block, in a process of its own."""
    command = [sys.executable, "-m", attack_process.__name__, "guess", str(port), str(addresses)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "begun\n"
            yield
        finally:
            process.kill()


@pytest.mark.slow
@pytest.mark.parametrize("kind", STORMS)
def test_two_hundred_wrong_sign_ins_keep_nobody_waiting(tmp_path: Path, kind: str) -> None:
    name, address = STORMS[kind]
    with run_household(tmp_path) as house:
        port, victim = house.server.port, house.new_member("Victim")
        reader = Reader(house.new_member("Reader"))
        reading = threading.Thread(target=reader.read)
        reading.start()
        storm = [sys.executable, "-m", __name__, str(port), name, address]
        began = time.perf_counter()
        ended = subprocess.run(storm, cwd=ROOT, capture_output=True, text=True, timeout=300, check=True)
        lasted = time.perf_counter() - began
        reader.done.set()
        reading.join()

        body, headers = encode_form(victim.name, PASSWORD)
        here = HTTPConnection("127.0.0.1", port, timeout=60, source_address=("127.0.8.1", 0))
        began = time.perf_counter()
        here.request("POST", "/sign-in/", body, headers)
        status, took = here.getresponse().status, time.perf_counter() - began

    statuses = {int(line.split()[0]): int(line.split()[1]) for line in ended.stdout.splitlines()}
    assert sum(statuses.values()) == CROWD
    assert set(statuses) <= {422, 429}
    # Pages that waited for the storm would take as long as it; `bench` has the milliseconds.
    assert reader.p95() < 1000 * lasted / 4
    assert (status, took < lasted) == (302, True)


if __name__ == "__main__":
    asyncio.run(run_crowd(int(sys.argv[1]), name=sys.argv[2], address=sys.argv[3]))
