"""Tests of the log file of a server in the background: bounded, private, and never a cause of errors."""

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from llamora.ops.daemon.log_file import OLD_FILES, RotatingOutput, read_last_lines
from tests.ops.small_disk import mount_small_disk
from tests.server import ROOT

LINE = "2026-11-29 16:37:27,978 INFO llamora.access: GET /healthz 200 100 B 19 ms\n"


def read_all(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(folder.iterdir())}


def test_a_full_file_becomes_an_older_one_and_the_oldest_is_deleted(tmp_path: Path) -> None:
    output = RotatingOutput(tmp_path / "llamora.log", max_bytes=20)

    for number in range(12):
        output.write(f"line {number:04}\n")

    assert read_all(tmp_path) == {
        "llamora.log": "line 0010\nline 0011\n",
        "llamora.log.1": "line 0008\nline 0009\n",
        "llamora.log.2": "line 0006\nline 0007\n",
        "llamora.log.3": "line 0004\nline 0005\n",
    }
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_a_long_line_stays_whole(tmp_path: Path) -> None:
    output = RotatingOutput(tmp_path / "llamora.log", max_bytes=20)

    output.write("x" * 50 + "\n")
    output.write("y\n")

    assert read_all(tmp_path) == {"llamora.log": "y\n", "llamora.log.1": "x" * 50 + "\n"}


def test_a_file_of_before_is_continued_and_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / "llamora.log"
    path.write_text("before\n")
    path.chmod(0o644)

    RotatingOutput(path).write("after\n")

    assert path.read_text() == "before\nafter\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_lines_of_several_threads_stay_whole(tmp_path: Path) -> None:
    output = RotatingOutput(tmp_path / "llamora.log", max_bytes=40 * len(LINE))
    threads = [
        threading.Thread(target=lambda: [output.write(LINE) for _ in range(30)], daemon=True)
        for _ in range(4)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    found = read_all(tmp_path)
    assert len(found) == 3
    assert "".join(found.values()) == LINE * 120


def test_an_old_file_that_someone_deleted_is_no_fault(tmp_path: Path) -> None:
    output = RotatingOutput(tmp_path / "llamora.log", max_bytes=4)
    for number in range(OLD_FILES + 1):
        output.write(f"{number}  \n")
        for path in tmp_path.iterdir():
            path.unlink()

    output.write("end\n")

    assert read_all(tmp_path) == {"llamora.log": "end\n"}


def test_broken_characters_are_written_as_escapes(tmp_path: Path) -> None:
    RotatingOutput(tmp_path / "llamora.log").write("\ud800ä\n")

    assert (tmp_path / "llamora.log").read_bytes() == b"\\ud800\xc3\xa4\n"


def test_a_folder_that_is_not_there_yet_is_used_once_it_is(tmp_path: Path) -> None:
    output = RotatingOutput(tmp_path / "later" / "llamora.log")
    output.write("lost\n")
    (tmp_path / "later").mkdir()

    output.write("written\n")

    assert read_all(tmp_path / "later") == {"llamora.log": "written\n"}


def test_a_full_disk_is_no_error_and_the_log_goes_on_once_there_is_space(tmp_path: Path) -> None:
    with mount_small_disk(tmp_path, mebibytes=2) as disk:
        if not disk.is_real:
            pytest.skip("only root may mount a disk")
        output = RotatingOutput(disk.folder / "llamora.log", max_bytes=3000)
        output.write("before\n")
        disk.fill()
        for _ in range(200):
            assert output.write(LINE) == len(LINE)
        disk.empty()

        output.write("after\n")

        texts = [text for name, text in read_all(disk.folder).items()]
        assert any(text.endswith("after\n") for text in texts)
        assert sum(map(len, texts)) <= 3000 * (OLD_FILES + 2)


def test_what_is_no_python_writes_there_too(tmp_path: Path) -> None:
    script = (
        "import logging, os, sys; from pathlib import Path; import django; django.setup()\n"
        "from llamora.ops.daemon import log_file\n"
        "log_file.redirect_output(Path(sys.argv[1]))\n"
        "print('printed'); os.write(1, b'one\\n'); os.write(2, b'two\\n')\n"
        "logging.getLogger('llamora').info('logged')\n"
    )
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.served_settings"}

    ended = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "llamora.log")],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )

    assert (ended.stdout, ended.stderr) == ("", "")
    first, *_, last = (tmp_path / "llamora.log").read_text().splitlines()
    assert (tmp_path / "llamora.log").read_text().startswith("printed\none\ntwo\n")
    assert first == "printed"
    assert last.endswith(" INFO llamora: logged")


def test_the_end_of_a_log_is_that_since_a_size(tmp_path: Path) -> None:
    path = tmp_path / "llamora.log"
    assert read_last_lines(path, after=0, most=3) == []
    path.write_text("0\n1\n2\n3\n4\n")

    assert read_last_lines(path, after=2, most=9) == ["1", "2", "3", "4"]
    assert read_last_lines(path, after=2, most=2) == ["3", "4"]
    assert read_last_lines(path, after=10, most=2) == []
    # Another file has its place since then.
    assert read_last_lines(path, after=900, most=2) == ["3", "4"]
