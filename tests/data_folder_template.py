"""A template of a data folder with tables and static files, copied for each server of a test.

Creating the tables and static files takes two seconds of CPU time, and a run starts about a hundred servers.
The template contains no secret, no person and no set-up link. The first process that needs it creates it.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests import import_work

ROOT = Path(__file__).resolve().parent.parent
NAME = "LLAMORA_TEST_MADE_READY"
_MAKE = """
import json, os, pathlib, sys
os.umask(0o077)
from tests import import_work
work = import_work.ImportWork()
work.use()
import django
from django.core.management import execute_from_command_line, load_command_class
django.setup()
from llamora.ops import startup
startup.migrate()
startup.collect_static()
for command in ("up", "doctor"):
    load_command_class("llamora.ops", command)
import llamora.asgi
with startup.hide_module("OpenSSL"):
    import llamora.ops.server.http_server
from tests import forking
with open(sys.argv[1], "w") as file:
    json.dump(forking.list_packages(), file)
work.save(pathlib.Path(sys.argv[2]), names=list(filter(forking.is_ours, sys.modules)))
"""


def choose_folder() -> Path | None:
    """Choose the folder of the template for this process and its children; return it at the first call."""
    if NAME in os.environ:
        return None
    folder = Path(tempfile.mkdtemp(prefix="llamora-made-"))
    os.environ[NAME] = str(folder)
    return folder


def copy_template(data: Path) -> None:
    """Copy the template into an empty data folder; do nothing for other folders."""
    offered = os.environ.get(NAME)
    if offered and not any(data.iterdir()):
        template = _build_template(Path(offered))
        shutil.copytree(template, data, dirs_exist_ok=True, ignore=shutil.ignore_patterns("static"))
        # Nine hundred files, which a server only reads: links take less than copies.
        shutil.copytree(template / "static", data / "static", copy_function=_link)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        # On another disk.
        shutil.copy(source, target)


def copy_database(target: Path) -> None:
    """Copy only the database of the template, to a file or, by its name of there, to a folder."""
    shutil.copy(_build_template(Path(os.environ[NAME])) / "llamora.sqlite3", target)


def get_packages_file() -> Path | None:
    """Return the file with the modules that a server imports, of which processes are forked."""
    offered = os.environ.get(NAME)
    return _build_template(Path(offered)).with_name("packages") if offered else None


def _build_template(folder: Path) -> Path:
    ready = folder / "ready"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.is_dir():
            under_way, run = folder / "data", folder / "run"
            for started in (under_way, run):
                # An attempt before may have been stopped.
                shutil.rmtree(started, ignore_errors=True)
                started.mkdir(mode=0o700)
            kept = {name: value for name, value in os.environ.items() if not name.startswith("LLAMORA_")}
            own = {"LLAMORA_DATA_DIR": str(under_way), "LLAMORA_RUNTIME_DIR": str(run)}
            environment = kept | own | {"DJANGO_SETTINGS_MODULE": "llamora.settings"}
            command = [sys.executable, "-c", _MAKE, str(folder / "packages"), str(folder / import_work.NAME)]
            subprocess.run(command, cwd=ROOT, env=environment, check=True)
            under_way.rename(ready)
    return ready
