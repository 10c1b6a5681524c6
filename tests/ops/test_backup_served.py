"""Tests of backup and restore with a real server that writes meanwhile."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from tests.browser_client import PASSWORD, Visitor, set_up_token
from tests.server import run_command, run_server


def count_entries(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "data" / "llamora.sqlite3")) as database:
        return int(database.execute("SELECT count(*) FROM diary_entry").fetchone()[0])


class BusyWriter:
    """A thread that saves entries as fast as they are confirmed."""

    def __init__(self, writer: Visitor) -> None:
        self.writer = writer
        self.confirmed, self.stop = 0, threading.Event()
        self.thread = threading.Thread(target=self._write)

    def __enter__(self) -> "BusyWriter":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.thread.join()

    def _write(self) -> None:
        while not self.stop.is_set():
            assert self.writer.save(f"Entry {self.confirmed} in the storm").status == 200
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
    with run_server(here) as server:
        olive = Visitor.join(server, "Olive", set_up=set_up_token(server))
        with BusyWriter(olive) as storm:
            storm.wait_for(15)
            before = storm.confirmed
            taken = run_command(here, "backup", "--to", str(tmp_path / "stick"))
            assert taken.returncode == 0, taken.stderr
            assert storm.confirmed > before, "nothing was written meanwhile"
        confirmed = storm.confirmed

        refused = run_command(here, "restore", str(next((tmp_path / "stick").glob("*.tar"))))
        assert refused.returncode == 1
        assert "already running" in refused.stderr
        assert olive.get("/").status == 200
    (backup,) = (tmp_path / "stick").glob("*.tar")

    restored = run_command(there, "restore", str(backup), "--user", "Olive", "--password-file", str(password))

    assert restored.returncode == 0, restored.stderr
    assert "encrypted texts of Olive can be decrypted" in restored.stdout
    assert before <= count_entries(there) <= confirmed == count_entries(here)
    with run_server(there) as server:
        stranger = olive.copy(server)
        assert stranger.get("/").status == 302, "a cookie of before let somebody in"
        again = Visitor(server=server, name="Olive")
        assert again.sign_in().status == 302
        assert "Entry 0 in the storm" in again.get("/").body
        looked = run_command(there, "doctor", extra={"LLAMORA_RUNTIME_DIR": "/dev/shm"})
        assert looked.returncode == 0, looked.stdout + looked.stderr
        assert "It is running." in looked.stdout
