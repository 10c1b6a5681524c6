"""Tests that a forked process of `manage.py` is like a started one."""

import json
import signal
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

from tests import data_folder_template, forking, import_work
from tests.server import ROOT, build_environment, run_command, start

STATE = """
import gc, json, os, sys, tempfile
modules = [name for name in ("OpenSSL", "twisted.internet.reactor", "tests.forking") if name in sys.modules]
garbage = {"collects": gc.isenabled(), "leaves out imports": gc.get_freeze_count() > 100_000}
folders = [sys.path[0], os.getcwd(), tempfile.gettempdir()]
print(json.dumps([garbage, sys.argv, folders, dict(os.environ), modules]))
print("said aside", file=sys.stderr)
"""

WORKED_OUT = """
import dataclasses, importlib.machinery, json
used = [importlib.machinery.SourceFileLoader.get_code, vars(dataclasses)["exec"]]
print(json.dumps([function.__module__ for function in used]))
"""


def test_a_forked_command_finds_what_a_started_one_finds(tmp_path: Path) -> None:
    command = ["shell", "--no-imports", "-c", STATE]
    environment = build_environment(tmp_path)

    forked = run_command(tmp_path, *command)
    started = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert started.returncode == forked.returncode == 0, forked.stderr
    assert json.loads(forked.stdout) == json.loads(started.stdout)
    assert json.loads(started.stdout)[0] == {"collects": True, "leaves out imports": True}
    assert forked.stderr == started.stderr == "said aside\n"


def test_a_refused_command_has_its_exit_status(tmp_path: Path) -> None:
    answer = run_command(tmp_path, "up", "--port", "none")

    assert answer.returncode == 2
    assert "invalid int value" in answer.stderr


def test_a_killed_server_has_the_status_of_its_signal(tmp_path: Path) -> None:
    server = start(tmp_path)

    server.kill()

    assert isinstance(server.process, forking.ForkedProcess)
    assert server.process.poll() == -signal.SIGKILL


def test_one_that_does_not_end_in_time_is_an_error_and_is_killed(tmp_path: Path) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        run_command(
            tmp_path,
            "shell",
            "--no-imports",
            "-c",
            "import time; time.sleep(60)",
            timeout=0.5,
        )


def test_what_python_reads_at_its_start_is_not_given_to_a_forked_process() -> None:
    assert forking.can_fork({"LLAMORA_PORT": "1", "DJANGO_SETTINGS_MODULE": "tests.served_settings"})
    assert not forking.can_fork({"LLAMORA_PORT": "1", "PYTHONUTF8": "1"})


def test_the_packages_are_those_of_others_and_our_stateless_ones() -> None:
    file = data_folder_template.get_packages_file()

    assert file
    names = json.loads(file.read_text())
    assert {"numpy", "daphne.http_protocol", "django.contrib.admin"} <= set(names)
    ours = {name for name in names if forking.is_ours(name)}
    assert "llamora.dates.grammar" in ours
    assert {".".join(name.split(".")[:2]) for name in ours} == set(forking.STATELESS)


def test_what_imports_work_out_is_what_python_works_out() -> None:
    file = data_folder_template.get_packages_file()
    assert file

    work = import_work.ImportWork.load(file.with_name(import_work.NAME))

    assert {str(ROOT / name) for name in ("accounts/models.py", "llamora/urls.py")} < set(work.modules)
    for path, code in work.modules.items():
        assert SourceFileLoader("any", path).get_code("any") == code, path
    some = list(work.methods)[:50]
    assert [work.methods[text] for text in some] == [compile(text, "<string>", "exec") for text in some]


def test_a_forked_process_has_what_imports_work_out(tmp_path: Path) -> None:
    answer = run_command(tmp_path, "shell", "--no-imports", "-c", WORKED_OUT)

    assert json.loads(answer.stdout) == ["tests.import_work", "tests.import_work"]
