"""Tests of `manage.py up` as a subprocess with its own folder."""

import http.client
import json
import math
import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.request import urlopen

import pytest
from websockets.sync.client import connect

from tests import data_folder_template
from tests.browser_client import Visitor, set_up_token
from tests.fakes.waiting import wait_for
from tests.server import Server, build_environment, run_command, run_server, start

# What `llamora.ops.server.http_server` gives to pages that are being made; importing it installs a reactor.
GRACE_SECONDS = 1.8

SERVING = {"DJANGO_SETTINGS_MODULE": "tests.ops.serving.settings"}

# A start takes at most so many times as long as the imports of packages alone.
MAX_IMPORTS = 2.2
IMPORTS = """
import contextlib, importlib, json, sys
sys.modules["OpenSSL"] = None
for name in json.load(open(sys.argv[1])):
    with contextlib.suppress(Exception):
        importlib.import_module(name)
"""


def run_up(folder: Path, *arguments: str, **extra: str) -> "subprocess.CompletedProcess[str]":
    """Run `up`, which is expected to fail."""
    return run_command(folder, "up", "--no-model", *arguments, extra=extra, timeout=60)


def make_household(folder: Path) -> Path:
    """Make a household with tables that was never started; return its data folder."""
    build_environment(folder)
    data_folder_template.copy_template(folder / "data")
    return folder / "data"


def list_modes(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}


def list_files(folder: Path) -> dict[str, tuple[int, int]]:
    """Return every file with its size and modification time."""
    files = {path: path.stat() for path in folder.rglob("*") if path.is_file()}
    return {
        str(path.relative_to(folder)): (about.st_size, about.st_mtime_ns) for path, about in files.items()
    }


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A new household, for tests that change nothing but who has registered."""
    with run_server(tmp_path_factory.mktemp("household"), is_first=True) as server:
        yield server


def test_up_makes_a_household_that_nobody_else_on_the_machine_can_read(server: Server) -> None:
    found = list_modes(server.data_dir)

    assert stat.S_IMODE(server.data_dir.stat().st_mode) == 0o700
    assert found["secrets"] == 0o700
    assert found["secrets/secret_key"] == 0o600
    assert found["llamora.sqlite3"] == 0o600
    assert [name for name, mode in found.items() if mode & 0o077] == []


def test_the_first_start_prints_the_address_and_the_set_up_link(server: Server) -> None:
    log = server.log()

    assert f"http://llamora.localhost:{server.port}/\n" in log
    assert server.set_up_link
    assert server.set_up_link.startswith(f"http://127.0.0.1:{server.port}/register/?set-up=")


def use_diary(olive: Visitor) -> None:
    """Leave rows of many kinds: entries, versions, the bin, drafts, a trace, a search, a key change."""
    changed, deleted = olive.write("The weir at dusk"), olive.write("Rain")
    for path, fields in (
        (f"/entries/{changed}/edit/", {"text": "The weir at dawn", "revision": "1"}),
        (f"/entries/{deleted}/delete/", {}),
        (f"/entries/{changed}/traces/keep/", {"name": "weir"}),
        ("/search/", {"q": "weir"}),
        ("/settings/key/", {"current": olive.password}),
    ):
        assert olive.post(path, **fields).status in (200, 302), path
    assert olive.save_draft("Not yet said", day="2026-01-02").status == 200
    # A person locked in one browser has rows of another kind.
    locked = olive.another()
    assert locked.sign_in().status == locked.post("/lock/").status == 302


def dump(folder: Path) -> list[str]:
    """Return everything in a household's database as statements."""
    with closing(sqlite3.connect(folder / "llamora.sqlite3")) as database:
        return list(database.iterdump())


def test_a_second_start_changes_nothing_and_is_quick_and_modest(tmp_path: Path) -> None:
    with run_server(tmp_path, extra={"LLAMORA_REGISTRATION": "open"}) as server:
        link = server.set_up_link
        use_diary(Visitor.join(server, "Olive"))
        # On a busy machine it takes longer than `run_server` waits before it kills a server.
        server.stop(timeout=120)
    before, rows = list_files(server.data_dir), dump(server.data_dir)
    imports = measure_imports()

    with run_server(tmp_path, is_forked=False) as again:
        fields = Path(f"/proc/{again.pid}/stat").read_text().rpartition(")")[2].split()
        status = Path(f"/proc/{again.pid}/status").read_text()

    after = list_files(again.data_dir)
    # Each start begins these files anew.
    for name in ("llamora.sqlite3-commits", "lock"):
        assert after.pop(name)
        assert before.pop(name)
    assert after == before
    assert dump(again.data_dir) == rows
    assert again.set_up_link
    assert again.set_up_link.rpartition("/")[2] == str(link).rpartition("/")[2]
    # In processor time, and beside that of the same imports at the same time: what shares the processor with
    # others takes twice as long. Alone: 0.9 s and 95 MiB; the best peer takes 1.35 s and 280 MiB.
    seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    mebibytes = int(status.partition("VmRSS:")[2].split()[0]) / 1024
    assert seconds < MAX_IMPORTS * imports, f"{seconds:.2f} s, and {imports:.2f} s for imports"
    assert mebibytes < 160, f"{mebibytes:.0f} MiB"


def measure_imports() -> float:
    """Return the processor time, in seconds, of a Python that imports what a server has of packages."""
    before = os.times()
    subprocess.run([sys.executable, "-c", IMPORTS, str(data_folder_template.get_packages_file())], check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def test_triggers_that_were_dropped_are_back_after_a_start_that_says_so(tmp_path: Path) -> None:
    path = make_household(tmp_path) / "llamora.sqlite3"
    dropped = ("fence_diary_entry_text_insert", "fence_diary_entry_mac_update")
    with closing(sqlite3.connect(path)) as database, database:
        for name in dropped:
            database.execute(f"DROP TRIGGER {name}")

    with run_server(tmp_path) as server:
        log = server.log()

    assert "The database lacked 2 triggers against old keys. Created again." in log
    with closing(sqlite3.connect(path)) as database:
        standing = {
            name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        }
    assert standing.issuperset(dropped)


def test_a_port_in_use_is_said_in_a_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answer = run_up(tmp_path, "--port", str(port))

    assert answer.returncode == 1
    assert f"Port {port} is already in use." in answer.stderr
    assert "Traceback" not in answer.stderr


def test_two_servers_cannot_share_a_data_folder(server: Server) -> None:
    answer = run_up(server.folder, "--port", "0")

    assert answer.returncode == 1
    assert "already running with" in answer.stderr


def test_the_folder_is_free_again_after_a_kill(tmp_path: Path) -> None:
    server = start(tmp_path)
    server.kill()

    with run_server(tmp_path) as again:
        assert again.port


def test_plain_http_beyond_this_machine_is_refused_unless_said_otherwise(tmp_path: Path) -> None:
    answer = run_up(tmp_path, "--host", "0.0.0.0", "--port", "0")

    assert answer.returncode == 1
    assert "LLAMORA_ALLOW_PLAIN_HTTP" in answer.stderr
    with run_server(tmp_path, "--host", "0.0.0.0", extra={"LLAMORA_ALLOW_PLAIN_HTTP": "true"}) as server:
        assert "Other machines reach it" in server.log()


@pytest.mark.parametrize("key", ["change-me", "x" * 60, "django-insecure-" + "abcdefghij" * 5])
def test_a_default_secret_key_is_refused(tmp_path: Path, key: str) -> None:
    answer = run_up(tmp_path, "--port", "0", LLAMORA_SECRET_KEY=key)

    assert answer.returncode == 1
    assert "secret key" in answer.stderr
    assert key not in answer.stderr


def test_a_data_folder_that_others_can_read_is_refused_with_what_to_do(tmp_path: Path) -> None:
    data = make_household(tmp_path)
    data.chmod(0o755)

    answer = run_up(tmp_path, "--port", "0")

    assert answer.returncode == 1
    assert f"chmod 700 '{data}'" in answer.stderr


def test_a_database_of_a_newer_llamora_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(make_household(tmp_path) / "llamora.sqlite3")) as database, database:
        database.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('diary', '9999_later', 0)"
        )

    answer = run_up(tmp_path, "--port", "0")

    assert answer.returncode == 1
    assert "newer Llamora" in answer.stderr


def test_a_database_whose_list_of_updates_has_a_gap_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(make_household(tmp_path) / "llamora.sqlite3")) as database, database:
        database.execute("DELETE FROM django_migrations WHERE app = 'contenttypes'")

    answer = run_up(tmp_path, "--port", "0")

    assert answer.returncode == 1
    assert "does not say correctly which updates it has had" in answer.stderr
    assert "restore" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_database_that_is_none_is_said_in_a_sentence(tmp_path: Path) -> None:
    (make_household(tmp_path) / "llamora.sqlite3").write_bytes(b"not a database, by any means" * 200)

    answer = run_up(tmp_path, "--port", "0")

    assert answer.returncode == 1
    assert "is not a database, or its beginning is damaged" in answer.stderr
    assert "Traceback" not in answer.stderr


def open_connections(server: Server, stack: ExitStack) -> None:
    """Open a stream, a page, a socket, half a request and a silent connection."""
    streaming = http.client.HTTPConnection("127.0.0.1", server.port)
    stack.callback(streaming.close)
    streaming.request("GET", "/stream/")
    assert streaming.getresponse().read(5) == b"part\n"
    socket_ = stack.enter_context(
        connect(f"ws://127.0.0.1:{server.port}/held/", origin=f"http://127.0.0.1:{server.port}")  # type: ignore[arg-type]
    )
    socket_.send("still here")
    assert socket_.recv(timeout=5) == "still here"
    for words in (b"", b"GET / HT", b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900\r\n\r\nhalf"):
        connection = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
        connection.sendall(words)
    busy = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
    busy.sendall(b"POST /sign-in/slowly/?seconds=30 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
    time.sleep(0.2)


@pytest.mark.slow
def test_no_time_limit_cuts_a_stream_or_a_socket(tmp_path: Path) -> None:
    with run_server(tmp_path, extra=SERVING) as server, ExitStack() as stack:
        streaming = http.client.HTTPConnection("127.0.0.1", server.port)
        stack.callback(streaming.close)
        streaming.request("GET", "/stream/?parts=75&pause=5")
        held = stack.enter_context(
            connect(f"ws://127.0.0.1:{server.port}/held/", origin=server.base_url)  # type: ignore[arg-type]
        )

        parts = streaming.getresponse().read()

        held.send("still here")
        assert held.recv(timeout=5) == "still here"
        assert parts == b"part\n" * 75  # six minutes and a quarter


@pytest.mark.parametrize(
    "number",
    [signal.SIGTERM, *(pytest.param(n, marks=pytest.mark.slow) for n in (signal.SIGINT, signal.SIGHUP))],
)
def test_the_server_ends_within_three_seconds_whatever_clients_hold(tmp_path: Path, number: int) -> None:
    server = start(tmp_path, extra=SERVING)
    with ExitStack() as stack:
        stack.callback(server.process.kill)
        open_connections(server, stack)

        took = server.stop(signal_number=number)

    assert took < 3, f"{took:.2f} s"
    assert server.process.returncode == 0


def test_an_idle_server_ends_at_once(tmp_path: Path) -> None:
    server = start(tmp_path)

    took = server.stop()

    # 0.35 s of the processor; less than the grace of a page, so nothing was waited for.
    assert took < GRACE_SECONDS, f"{took:.2f} s"
    assert "Llamora has stopped." in server.log()
    assert sorted(os.listdir(server.data_dir)) == [
        *("llamora.sqlite3", "llamora.sqlite3-commits", "lock", "models", "register", "secrets", "static"),
    ]


@pytest.mark.parametrize("at_once", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_a_second_signal_changes_nothing_of_the_end(tmp_path: Path, at_once: bool) -> None:
    with run_server(tmp_path) as server:
        if at_once:  # held back, all reach it in the same moment
            server.process.send_signal(signal.SIGSTOP)
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            server.process.send_signal(number)
            time.sleep(0.02)
        server.process.send_signal(signal.SIGCONT)
        server.process.wait(10)

    assert server.process.returncode == 0
    assert "ReactorNotRunning" not in server.log()


def test_a_page_under_way_is_still_sent_when_the_server_ends(tmp_path: Path) -> None:
    server = start(tmp_path, extra=SERVING)
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    begun = tmp_path / "begun"
    connection.request("GET", f"/slowly/?seconds=0.6&begun={begun}")
    wait_for(begun.exists)

    server.process.send_signal(signal.SIGTERM)

    assert connection.getresponse().read() == b"done"
    server.stop()


def test_healthz_says_states_and_needs_nobody(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("GET", "/healthz")
    response = connection.getresponse()

    assert response.status == 200
    assert response.headers["Server"] == "llamora"
    assert "Set-Cookie" not in response.headers
    assert b'"status": "ok"' in response.read()
    connection.close()


def test_a_registration_and_a_sign_in_derive_at_the_real_cost(server: Server) -> None:
    """Other servers of tests derive cheaply (`tests/served_settings.py`)."""
    olive = Visitor.join(server, "Olive", set_up=set_up_token(server))

    olive.another().sign_in()

    with closing(sqlite3.connect(server.data_dir / "llamora.sqlite3")) as database:
        costs = database.execute("SELECT memory_kib, time, lanes FROM accounts_keyslot").fetchall()
    assert costs == [(65536, 3, 4)] * 2


def test_a_request_whose_client_left_before_its_response_has_a_line(tmp_path: Path) -> None:
    begun, end = tmp_path / "begun", tmp_path / "end"
    with run_server(tmp_path, extra=SERVING) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        connection.request("GET", f"/slowly/?until={end}&begun={begun}")
        wait_for(begun.exists)
        connection.close()
        wait_for(lambda: " GET /slowly/ 499 0 B " in server.log())
        end.touch()


def test_a_start_looks_for_no_garbage_and_loads_no_openssl(tmp_path: Path) -> None:
    with run_server(tmp_path, extra=SERVING, is_forked=False) as server:
        process = json.loads(urlopen(server.url("/process/")).read())

    assert process["collects"]
    # A look at all objects is a stop of 50 ms.
    assert math.prod(process["thresholds"]) >= 700_000
    assert process["frozen"] > 100_000
    assert "twisted.internet" in process["modules"]
    assert "OpenSSL" not in process["modules"]
