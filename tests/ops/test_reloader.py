"""Tests of `up --reload`: it restarts after a change, and loses nothing that was confirmed."""

import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from llamora.ops import reloader
from llamora.ops.daemon.server_record import read_folder_use
from tests import data_folder_template, server
from tests.browser_client import Visitor
from tests.fakes.waiting import wait_for
from tests.server import ROOT, Server, build_environment

LEFT_OUT = shutil.ignore_patterns("__pycache__", ".*")


@pytest.fixture
def copied_program(tmp_path: Path) -> Path:
    """A copy of the program that a test may change, with the settings of served tests."""
    target = tmp_path / "program"
    for name in reloader.FOLDERS:
        shutil.copytree(ROOT / name, target / name, ignore=LEFT_OUT)
    (target / "tests").mkdir()
    for file in ("manage.py", "tests/__init__.py", "tests/served_settings.py"):
        shutil.copy2(ROOT / file, target / file)
    return target


@pytest.fixture
def reloading(tmp_path: Path, copied_program: Path) -> Iterator[Server]:
    """The server of the copy, watched."""
    environment = build_environment(tmp_path, {"LLAMORA_REGISTRATION": "open"})
    data_folder_template.copy_template(tmp_path / "data")
    log_path = tmp_path / "server.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--reload", "--port", "0", "--no-model"],
            cwd=copied_program,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    found = Server(folder=tmp_path, process=process, log_path=log_path, environment=environment)
    try:
        server._wait(found, 120)
        yield found
    finally:
        if process.poll() is None:
            found.stop(timeout=30)


def get_pid(found: Server) -> int:
    running = read_folder_use(found.data_dir).server
    return running.pid if running and running.port else 0


def wait_for_another(found: Server, *, pid: int) -> int:
    """Wait until another process serves, and return its number."""
    wait_for(lambda: get_pid(found) not in (0, pid), seconds=120)
    wait_for(lambda: server._answers(found.url("/healthz")), seconds=60)
    return get_pid(found)


def save_until(ending: threading.Event, olive: Visitor, confirmed: list[str]) -> None:
    """Save one entry after the other, and note those that the server has confirmed."""
    number = 0
    while not ending.is_set():
        text = f"Entry {(number := number + 1)}"
        try:
            if olive.save(text).status == 200:
                confirmed.append(text)
        except OSError:
            # Nobody listens between the two servers.
            olive.close()
        # The server that starts meanwhile needs the processor.
        ending.wait(0.05)


def test_a_change_restarts_the_server_loses_nothing_and_a_signal_ends_both(
    reloading: Server, copied_program: Path
) -> None:
    olive, first = Visitor.join(reloading, "Olive"), get_pid(reloading)
    ending, confirmed = threading.Event(), list[str]()
    writing = threading.Thread(target=save_until, args=(ending, olive, confirmed), daemon=True)
    writing.start()
    wait_for(lambda: len(confirmed) > 3)

    # A file with an error leaves the server alone; corrected, it and the template are one change.
    module, template = copied_program / "llamora" / "urls.py", copied_program / "templates" / "base.html"
    text = module.read_text()
    module.write_text(text + "\ndef broken(:\n")
    wait_for(lambda: "llamora/urls.py, line " in reloading.log(), seconds=60)
    assert get_pid(reloading) == first
    module.write_text(text + "\n# changed\n")
    second = wait_for_another(reloading, pid=first)
    before = len(confirmed)
    wait_for(lambda: len(confirmed) > before + 3)
    template.write_text(template.read_text().replace("<body", '<body data-changed="yes"'))
    wait_for_another(reloading, pid=second)
    ending.set()
    writing.join(30)

    # Unlocked still, and at the same address.
    olive.move_to(reloading)
    page = olive.get(f"/d/{olive.today}/")
    assert "data-changed" in page.body
    assert set(olive.list_texts()) >= set(confirmed)
    third = get_pid(reloading)
    reloading.process.send_signal(signal.SIGTERM)
    assert reloading.process.wait(20) == 0
    assert not Path(f"/proc/{third}").exists()
    log = reloading.log()
    assert "diaries are unlocked after it." in log
    assert "The server is not restarted until that is corrected." in log
    assert "Restarting, because of llamora/urls.py." in log
    assert "Restarting, because of templates/base.html." in log
    assert log.count("Llamora has stopped.") == 3


def test_a_server_that_can_not_start_is_started_after_the_next_change(
    reloading: Server, copied_program: Path
) -> None:
    first = get_pid(reloading)
    module = copied_program / "llamora" / "urls.py"
    text = module.read_text()
    module.write_text(text + "\nraise SystemExit(7)\n")
    wait_for(lambda: "The server ended with status 7." in reloading.log(), seconds=120)

    module.write_text(text)

    second = wait_for_another(reloading, pid=first)
    # Whoever watches is killed, and its server ends too.
    reloading.process.kill()
    reloading.process.wait(10)
    wait_for(lambda: not Path(f"/proc/{second}").exists(), seconds=60)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "diary.home"])
def test_other_machines_are_refused_even_where_plain_http_is_allowed(host: str, settings: Any) -> None:
    settings.ALLOW_PLAIN_HTTP = True

    with pytest.raises(CommandError, match="--reload is for developers, and other machines can reach"):
        call_command("up", "--reload", "--host", host)


# --- What is watched ---------------------------------------------------------------------------------------


@pytest.fixture
def tree(tmp_path: Path, settings: Any) -> Path:
    """A small program."""
    settings.BASE_DIR = tmp_path
    for name in ("llamora/urls.py", "templates/base.html", "static/css/app.css", "manage.py", "README.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    return tmp_path


def list_changed(tree: Path, *names: str) -> set[str]:
    before = reloader.take_snapshot()
    for name in names:
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("changed")
    now = reloader.take_snapshot()
    changed = {path for path in now.keys() | before.keys() if now.get(path) != before.get(path)}
    return {str(path.relative_to(tree)) for path in changed}


def test_changed_new_and_deleted_files_of_the_program_are_seen(tree: Path) -> None:
    names = {
        "llamora/urls.py",
        "templates/base.html",
        "static/css/app.css",
        "manage.py",
        ".env",
        "diary/new.py",
    }

    assert list_changed(tree, *names) == names
    before = reloader.take_snapshot()
    (tree / "llamora/urls.py").unlink()
    assert before.keys() - reloader.take_snapshot().keys() == {tree / "llamora/urls.py"}


def test_what_editors_and_python_write_beside_them_is_not(tree: Path) -> None:
    others = (
        "README.md",
        "llamora/.urls.py.swp",
        "llamora/urls.py~",
        "llamora/urls.py.tmp",
        "data/llamora.sqlite3",
    )
    others += ("llamora/__pycache__/urls.cpython-311.pyc", "templates/.#base.html", "tests/test_urls.py")

    assert list_changed(tree, *others) == set()


def test_an_error_is_said_with_its_place_and_without_the_line(tree: Path) -> None:
    module, other = tree / "llamora" / "urls.py", tree / "templates" / "base.html"
    module.write_text("a = 1\nwords = (\n")
    other.write_text("def (")

    said = reloader.find_syntax_error({module, other})

    assert said == "llamora/urls.py, line 2: '(' was never closed."
    module.write_bytes(b"words = 1\0\n")
    assert reloader.find_syntax_error({module}).startswith("llamora/urls.py")
    module.unlink()
    assert reloader.find_syntax_error({module, other}) == ""


def test_where_nothing_is_in_memory_it_says_that_diaries_lock(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from accounts.sessions import run_secret

    assert "diaries are unlocked" in reloader.describe_reloading()

    settings.RUNTIME_DIR = ""
    monkeypatch.setattr(run_secret, "_get_file_system", lambda _: "ext4")

    assert "diaries are locked, as there is no file system in memory" in reloader.describe_reloading()
