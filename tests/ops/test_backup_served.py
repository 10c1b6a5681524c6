"""The whole way, with a real server: written, backed up meanwhile, refused, restored, signed in to again."""

import re
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from llamora.ops.benchmarks.household import PASSWORD, BrowserClient
from tests.server import Server, manage, running


def entries(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "data" / "llamora.sqlite3")) as database:
        return int(database.execute("SELECT count(*) FROM diary_entry").fetchone()[0])


def browser(server: Server, name: str) -> BrowserClient:
    found, link = BrowserClient(server.port), server.set_up_link
    assert link
    found.register(name, set_up=link.partition("set-up=")[2])
    return found


def today(of: BrowserClient) -> str:
    found = re.search(r'action="(/d/[\d-]+/)"', of.get("/").body)
    assert found
    return found[1]


class Storm:
    """Somebody who keeps entries as fast as they are confirmed."""

    def __init__(self, writer: BrowserClient, path: str) -> None:
        self.writer, self.path = writer, path
        self.confirmed, self.stop = 0, threading.Event()
        self.thread = threading.Thread(target=self._write)

    def __enter__(self) -> "Storm":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.thread.join()

    def _write(self) -> None:
        while not self.stop.is_set():
            # The composer is fetched again, as a page would have it swapped in after each save.
            self.writer.get(self.path)
            assert self.writer.save(self.path, f"Entry {self.confirmed} in the storm").status == 200
            self.confirmed += 1

    def wait_for(self, count: int) -> None:
        while self.confirmed < count and self.thread.is_alive():
            self.stop.wait(0.01)
        assert self.thread.is_alive()


@pytest.fixture
def password(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text(PASSWORD)
    return file


def test_a_household_comes_back_with_all_that_was_confirmed(tmp_path: Path, password: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    with running(here) as server:
        olive = browser(server, "Olive")
        with Storm(olive, today(olive)) as storm:
            storm.wait_for(15)
            before = storm.confirmed
            taken = manage(here, "backup", "--to", str(tmp_path / "stick"))
            assert taken.returncode == 0, taken.stderr
            assert storm.confirmed > before, "nothing was written meanwhile"

        refused = manage(here, "restore", str(next((tmp_path / "stick").glob("*.tar"))))
        assert refused.returncode == 1
        assert "already running" in refused.stderr
        assert olive.get("/").status == 200
        confirmed = storm.confirmed
    (backup,) = (tmp_path / "stick").glob("*.tar")

    restored = manage(there, "restore", str(backup), "--user", "Olive", "--password-file", str(password))

    assert restored.returncode == 0, restored.stderr
    assert "values of Olive open" in restored.stdout
    assert before <= entries(there) <= confirmed == entries(here)
    with running(there) as server:
        stranger = BrowserClient(server.port, cookies=dict(olive.cookies))
        assert stranger.get("/").status == 302, "a cookie of before let somebody in"
        again = BrowserClient(server.port)
        assert again.sign_in("Olive").status == 302
        assert "Entry 0 in the storm" in again.get("/").body
        looked = manage(there, "doctor", extra={"LLAMORA_RUNTIME_DIR": "/dev/shm"})
        assert looked.returncode == 0, looked.stdout + looked.stderr
        assert "It is running." in looked.stdout
