"""Tests that no other program of the same user can read the memory of a command, also after a crash."""

import ctypes
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from llamora import process_memory
from llamora.ops.doctor import machine
from tests.conftest import ROOT
from tests.server import Server, run_command, run_server

PR_CAPBSET_DROP, LAST_CAPABILITY = 24, 40
# What shows the memory, and what shows what is in the environment and in open files.
FILES = ("mem", "maps", "environ", "fd/0", "smaps")
# Blocks as long as formatted texts, after one so long that glibc would hold on to shorter ones from then on.
_ALLOCATING = """
from llamora.process_memory import return_freed_memory
def read_mib():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024
if RETURNS:
    return_freed_memory()
before = read_mib()
long = b"a" * (30 << 20)
del long
blocks = [b"a" * (1 << 20) for _ in range(50)]
blocks.clear()
print(round(read_mib() - before))
"""
_READER = """
import os, sys
for name in sys.argv[2:]:
    try:
        os.close(os.open(f"/proc/{sys.argv[1]}/{name}", os.O_RDONLY))
        print(name)
    except PermissionError:
        pass
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux closes the memory of a process")


@pytest.fixture(scope="module")
def unprivileged() -> Iterator[ThreadPoolExecutor]:
    """A thread whose processes have no capabilities, also where the tests run as root, who reads everything.

    The bounding set belongs to a thread, and is inherited by the processes that it starts.
    """

    def drop_capabilities() -> None:
        libc = ctypes.CDLL(None)
        for capability in range(LAST_CAPABILITY + 1):
            libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)

    with ThreadPoolExecutor(1, initializer=drop_capabilities) as thread:
        yield thread


@pytest.fixture(scope="module")
def server(unprivileged: ThreadPoolExecutor, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    run = run_server(tmp_path_factory.mktemp("household"), is_forked=False)
    yield unprivileged.submit(run.__enter__).result()
    run.__exit__(None, None, None)


def list_readable(unprivileged: ThreadPoolExecutor, pid: int) -> list[str]:
    """What another program of the same user can open of a process."""
    command = [sys.executable, "-c", _READER, str(pid), *FILES]
    done = unprivileged.submit(subprocess.run, command, capture_output=True, text=True, check=True).result()
    return str(done.stdout).split()


def test_the_memory_of_the_server_is_closed_to_other_programs_of_its_user(
    unprivileged: ThreadPoolExecutor, server: Server
) -> None:
    asleep: Any = unprivileged.submit(
        subprocess.Popen, [sys.executable, "-c", "print(flush=True); input()"], stdin=-1, stdout=-1
    ).result()
    try:
        asleep.stdout.readline()
        # The reader can read at all; some machines close `mem` to everyone.
        assert {"maps", "environ", "fd/0", "smaps"} <= set(list_readable(unprivileged, asleep.pid))
    finally:
        asleep.communicate(b"\n")

    assert list_readable(unprivileged, server.pid) == []


def test_the_server_can_leave_no_core_dump(server: Server) -> None:
    limits = Path(f"/proc/{server.pid}/limits").read_text()

    line = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
    assert line.split()[4:6] == ["0", "0"]


def test_every_command_is_closed_before_it_imports_anything_of_django(tmp_path: Path) -> None:
    script = "from llamora import process_memory as m; print(m.is_memory_protected())"

    assert run_command(tmp_path, "shell", "--no-imports", "-c", script).stdout.split() == ["True"]

    source = (ROOT / "manage.py").read_text()
    assert source.index("protect_process_memory()") < source.index("from django")


@pytest.mark.parametrize(("protected", "level"), [(True, "ok"), (False, "warn")])
def test_the_doctor_says_whether_other_programs_can_read(
    monkeypatch: pytest.MonkeyPatch, *, protected: bool, level: str
) -> None:
    monkeypatch.setattr(process_memory, "is_memory_protected", lambda: protected)

    (found,) = machine.check_memory()

    assert found.level == level


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="the allocator is not glibc's")
def test_freed_memory_goes_back_to_the_system() -> None:
    more = {
        returns: int(
            subprocess.run(
                [sys.executable, "-c", f"RETURNS = {returns}\n{_ALLOCATING}"],
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        for returns in (False, True)
    }

    assert more[True] < 10 < 40 < more[False]


def test_the_server_gives_freed_memory_back() -> None:
    source = (ROOT / "llamora/ops/management/commands/up.py").read_text()

    assert source.index("return_freed_memory()\n") < source.index("log_uncaught_errors()\n")
