"""Tests of `manage.py daemon`: a server in the background is started once, found and stopped."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command, load_command_class

from llamora.ops import data_folder
from llamora.ops.daemon import server_record, services
from llamora.ops.daemon.server_record import RecordWriter, find_start_ticks, read_folder_use
from tests import data_folder_template
from tests.fakes.waiting import wait_for
from tests.ops.small_disk import mount_small_disk
from tests.server import ROOT, build_environment, run_command, run_server

FAULTY = {"DJANGO_SETTINGS_MODULE": "tests.ops.serving.faulty_settings"}
START = ("start", "--port", "0", "--no-model")
NOT_RUNNING = 3
# The message of the error in `faulty_settings`, which would make derivations cheap in this process.
MARKER = "what somebody wrote"


def spawn_daemon_command(
    folder: Path, *arguments: str, extra: Mapping[str, str] | None = None
) -> "subprocess.Popen[str]":
    """Start `daemon` in another folder than that of the program."""
    environment = build_environment(folder, extra)
    data_folder_template.copy_template(folder / "data")
    return subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "daemon", *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run_daemon(folder: Path, *arguments: str, extra: Mapping[str, str] | None = None) -> tuple[int, str, str]:
    """Run `daemon` and return its status, output and errors."""
    build_environment(folder)
    data_folder_template.copy_template(folder / "data")
    ended = run_command(folder, "daemon", *arguments, extra=extra)
    return ended.returncode, ended.stdout, ended.stderr


def read_server(folder: Path) -> server_record.ServerRecord:
    server = read_folder_use(folder / "data").server
    assert server
    return server


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Path]:
    """The folder of a household whose server is killed after the test, if it still runs."""
    yield tmp_path
    if server := read_folder_use(tmp_path / "data").server:
        os.kill(server.pid, signal.SIGKILL)


# --- Starting, finding and stopping ------------------------------------------------------------------------


def test_a_server_is_started_found_and_stopped(house: Path) -> None:
    log = house / "data" / "llamora.log"
    start = spawn_daemon_command(house, *START)

    said, errors = start.communicate(timeout=120)
    server = read_server(house)
    first, second = run_daemon(house, "status"), run_daemon(house, *START)
    logged = log.read_text()
    stopped, after = run_daemon(house, "stop"), run_daemon(house, "status")

    assert (start.returncode, errors) == (0, "")
    assert f"Llamora is at {server.address}/\nTo set up Llamora, open this link: " in said
    assert first[0] == 0
    assert f"at {server.address}/, since {server.since:%Y-%m-%d %H:%M} UTC (process {server.pid}" in first[1]
    assert "Model: The model is turned off." in first[1]
    assert f"Log: {log}" in first[1]
    assert (second[0], second[1]) == (0, first[1].splitlines(keepends=True)[0])
    assert "GET /healthz 200" in logged
    assert "set-up=" not in logged
    assert log.stat().st_mode & 0o777 == 0o600
    assert stopped == (0, "Llamora has stopped.\n", "")
    assert after == (NOT_RUNNING, "Llamora is not running.\n", "")
    assert log.read_text().endswith("Llamora has stopped.\n")
    assert run_daemon(house, "stop") == (0, "Llamora is not running.\n", "")


def test_of_two_starts_at_once_one_wins_and_the_other_says_so(house: Path) -> None:
    starts = [spawn_daemon_command(house, *START) for _ in range(2)]

    said = [start.communicate(timeout=120) for start in starts]

    server = read_server(house)
    assert [start.returncode for start in starts] == [0, 0], said
    (loser,) = (output for output, _ in said if "To set up" not in output)
    assert "Another command is starting or stopping Llamora" in loser
    assert f"Llamora is running at {server.address}/" in loser
    assert run_daemon(house, "stop")[0] == 0


def test_a_refused_start_says_why(house: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, said, errors = run_daemon(house, "start", "--no-model", "--port", str(port))

    assert (status, said) == (1, "")
    assert errors.startswith(f"CommandError: Port {port} is already in use.")
    assert run_daemon(house, "status") == (NOT_RUNNING, "Llamora is not running.\n", "")


def test_a_fault_at_the_start_is_shown_by_the_end_of_the_log_without_what_it_says(house: Path) -> None:
    log = house / "data" / "llamora.log"
    build_environment(house)
    data_folder_template.copy_template(house / "data")
    log.write_text("a line of an earlier start\n")

    status, _, errors = run_daemon(house, *START, extra=FAULTY | {"LLAMORA_TEST_FAULT": "error"})

    assert status == 1
    assert f"Llamora did not start; it ended with status 1. The last lines of {log}:\n" in errors
    assert "ERROR llamora.daemon: The server ended because of a fault.\n" in errors
    assert errors.endswith("ValueError\n")
    assert "earlier" not in errors
    assert MARKER not in errors + log.read_text()


def test_whoever_stops_waiting_stops_the_start(house: Path) -> None:
    process = spawn_daemon_command(house, *START, extra=FAULTY | {"LLAMORA_TEST_FAULT": "wait"})
    wait_for(lambda: read_folder_use(house / "data").server is not None, seconds=30)

    process.send_signal(signal.SIGINT)

    process.communicate(timeout=60)
    assert process.returncode == 1
    assert read_folder_use(house / "data").server is None


def test_after_a_crash_it_says_so_and_starts_again(house: Path) -> None:
    assert run_daemon(house, *START)[0] == 0
    killed = read_server(house)
    os.kill(killed.pid, signal.SIGKILL)
    wait_for(lambda: not data_folder.is_locked(house / "data"))

    status, said, _ = run_daemon(house, "status")
    again = run_daemon(house, *START)

    assert status == NOT_RUNNING
    assert "did not stop by itself: it was killed, or the machine was turned off." in said
    assert again[0] == 0, again
    assert read_server(house).pid != killed.pid
    assert run_daemon(house, "stop")[0] == 0


def test_a_server_in_a_terminal_is_found_and_left_alone(tmp_path: Path) -> None:
    with run_server(tmp_path) as server:
        status, said, _ = run_daemon(tmp_path, "status")
        refused = run_daemon(tmp_path, "stop")
        started = run_daemon(tmp_path, *START)

        assert server.process.poll() is None
    assert status == 0
    assert f"Llamora is running at http://llamora.localhost:{server.port}/" in said
    assert "started with `up`" in said
    assert refused[0] == 1
    assert "`daemon start` did not start it" in refused[2]
    assert (started[0], started[1]) == (0, said.splitlines(keepends=True)[0])


def test_a_full_disk_gives_its_reserve_up_or_is_named(house: Path) -> None:
    with mount_small_disk(house, name="data", mebibytes=32) as disk:
        if not disk.is_real:
            pytest.skip("only root may mount a disk")
        build_environment(house)
        data_folder_template.copy_template(house / "data")
        disk.fill()
        refused = run_daemon(house, *START, extra={"LLAMORA_RESERVE_MIB": "0"})
        disk.empty()
        first = run_daemon(house, *START, extra={"LLAMORA_RESERVE_MIB": "3"})
        stopped = run_daemon(house, "stop")
        disk.fill()
        again = run_daemon(house, *START, extra={"LLAMORA_RESERVE_MIB": "3"})
        found, ended = run_daemon(house, "status"), run_daemon(house, "stop")

    assert refused[0] == 1
    assert "No space left on device" in refused[2]
    assert (first[0], stopped[0]) == (0, 0)
    assert again[0] == 0, again
    assert "had no space left, so its reserve was deleted." in again[1]
    assert (found[0], ended[1]) == (0, "Llamora has stopped.\n")


# --- The record --------------------------------------------------------------------------------------------


@pytest.fixture
def other() -> Iterator["subprocess.Popen[bytes]"]:
    """A process of something else."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


@pytest.fixture
def data_dir(tmp_path: Path, settings: Any) -> Path:
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir(mode=0o700)
    return tmp_path / "data"


def write_record(descriptor: int, **changes: Any) -> None:
    fields = {
        "pid": os.getpid(),
        "started_ticks": find_start_ticks(os.getpid()),
        "since": datetime(2026, 1, 2, tzinfo=UTC).isoformat(),
        "is_in_background": True,
        "host": "127.0.0.1",
        "port": 8765,
        "model": "",
    }
    os.pwrite(descriptor, json.dumps(fields | changes).encode(), 0)


def stop() -> list[str]:
    said: list[str] = []
    services.stop(say=said.append)
    return said


def test_a_number_that_another_process_has_now_is_not_signalled(
    data_dir: Path, other: "subprocess.Popen[bytes]"
) -> None:
    """As after a restart of the machine, while something holds the lock, and while nothing does."""
    with data_folder.lock(data_dir) as descriptor:
        write_record(descriptor, pid=other.pid, started_ticks=1)
        while_locked, status = stop(), services.get_status()
    with (data_dir / "lock").open("r+b") as file:
        write_record(file.fileno(), pid=other.pid, started_ticks=find_start_ticks(other.pid))
    while_free = stop()

    assert while_locked == while_free == ["Llamora is not running."]
    assert status.server is None
    assert "Another process uses the data folder" in status.note
    assert other.poll() is None


def test_the_server_of_the_record_is_signalled(data_dir: Path, other: "subprocess.Popen[bytes]") -> None:
    with data_folder.lock(data_dir) as descriptor:
        write_record(descriptor, pid=other.pid, started_ticks=find_start_ticks(other.pid))
        services._signal_end(read_server(data_dir.parent))

        assert other.wait(10) == -signal.SIGTERM


def test_a_record_is_of_one_holder_of_the_lock(data_dir: Path) -> None:
    with data_folder.lock(data_dir) as descriptor:
        writer = RecordWriter(descriptor, is_in_background=True)
        writer.update(host="::1", port=8765, model="The model is ready: " + "ä" * 900)
        server = read_server(data_dir.parent)
        assert (server.pid, server.address, len(server.model)) == (
            *(os.getpid(), "http://llamora.localhost:8765"),
            300,
        )

    assert read_folder_use(data_dir).record is None
    with (data_dir / "lock").open("r+b") as file:
        write_record(file.fileno())
    assert read_folder_use(data_dir).record
    with data_folder.lock(data_dir):
        assert read_folder_use(data_dir).record is None


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\0" * 90,
        b"[" * 5000,
        b'{"pid": 1}',
        b'{"pid": "1"}',
        b"[]",
        b"\xff",
        b'{"pid": true, "since": 1}',
    ],
)
def test_what_is_no_record_is_none(data_dir: Path, text: bytes) -> None:
    (data_dir / "lock").write_bytes(text)

    assert read_folder_use(data_dir).record is None
    assert services.get_status().note == ""


@pytest.mark.parametrize("change", [{"pid": -1}, {"pid": 0}, {"pid": 1}, {"pid": "7"}, {"port": None}])
def test_a_record_of_another_kind_is_none(data_dir: Path, change: dict[str, Any]) -> None:
    with data_folder.lock(data_dir) as descriptor:
        write_record(descriptor, **change)

        assert read_folder_use(data_dir).record is None


def test_asking_whether_the_folder_is_locked_does_not_keep_a_server_out(data_dir: Path) -> None:
    """A question holds the lock for a moment."""
    (data_dir / "lock").touch()
    asking = "import sys; from pathlib import Path; from llamora.ops import data_folder\n" + (
        "print(flush=True)\nwhile True: data_folder.is_locked(Path(sys.argv[1]))"
    )
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.served_settings"}
    with subprocess.Popen(
        [sys.executable, "-c", asking, str(data_dir)], cwd=ROOT, stdout=subprocess.PIPE, env=environment
    ) as process:
        try:
            assert process.stdout
            process.stdout.readline()
            for _ in range(200):
                with data_folder.lock(data_dir):
                    pass
        finally:
            process.kill()


# --- Words -------------------------------------------------------------------------------------------------


def test_help_names_the_unit_of_systemd() -> None:
    assert "`up --print-unit`" in load_command_class("llamora.ops", "daemon").help


def test_an_unknown_action_is_refused() -> None:
    with pytest.raises(CommandError, match="invalid choice"):
        call_command("daemon", "restart")
