"""Tests of eight broken households: what `doctor`, `verify`, `prune`, `up` and `/healthz` report about each.

Each report says what is wrong and what to do. Nothing ends in a traceback, and nothing lost is replaced by
something new.
"""

import io
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from llamora.database import reserve
from llamora.ops.backup.verify_secret import using_database_file
from llamora.ops.errors import describe_error
from tests.browser_client import Visitor
from tests.losses import crashed
from tests.losses.crashed import CrashedHousehold
from tests.ops.small_disk import mount_small_disk
from tests.ops.test_sick_households import BACKUP, as_another_user, damage_header
from tests.people import new_resident
from tests.server import run_command, run_server

AWAY = (503, '"database": "away"')
SERVED = (200, '"database": "ok"')


@dataclass
class House:
    """A stopped household on a small disk, with six entries, a backup and a secret key."""

    crashed: CrashedHousehold
    folder: Path
    stack: ExitStack
    disk: Any = None

    @property
    def secret_key(self) -> Path:
        return self.folder / "secrets" / "secret_key"


@dataclass(kw_only=True)
class Sick:
    """A fault of a household, and what each command must say about it."""

    make: Callable[[House], Any]
    doctor: str
    verify: str
    prune: str
    up: str
    healthz: tuple[int, str] = AWAY
    # Then `up` says it and serves.
    is_served: bool = False
    # As a process, which looks at the logs before it opens the database.
    prune_is_process: bool = False
    needs_disk: bool = False
    has_damaged_log: bool = False


def damage_log(house: House) -> None:
    def flip(content: bytearray) -> None:
        content[len(content) // 2] ^= 1

    house.crashed.change(flip)


EMPTY = "is empty, but other files of a household are there"
MISSING = "is missing, but other files of a household are there"
HEADER = "is damaged: its header is not one of SQLite"
FULL = "Free some space, or nothing can be saved there."
READ_ONLY = "is read-only, so nothing can be saved there."
HOUSEHOLDS = {
    "empty database": Sick(
        make=lambda house: os.truncate(house.crashed.database, 0),
        **dict.fromkeys(("doctor", "verify", "prune", "up"), EMPTY),
    ),
    "damaged header": Sick(
        make=lambda house: damage_header(house.crashed.database),
        **dict.fromkeys(("doctor", "verify", "prune", "up"), HEADER),
    ),
    "missing database": Sick(
        make=lambda house: house.crashed.database.unlink(),
        **dict.fromkeys(("doctor", "verify", "prune", "up"), MISSING),
    ),
    "damaged log": Sick(
        make=damage_log,
        has_damaged_log=True,
        doctor="confirmed changes are not in the database",
        verify="The database was not opened, so that nothing is overwritten. Run manage.py up",
        prune="The database was not opened, so that nothing is overwritten. Run manage.py up",
        prune_is_process=True,
        up="A copy of the damaged files is in",
        healthz=(200, '"losses": "reported"'),
        is_served=True,
    ),
    "empty secret": Sick(
        make=lambda house: house.secret_key.write_text(""),
        doctor="secret_key is empty. The next start of `up` writes a new key into it.",
        verify="No damage was found.",
        # The one sign-in was registered beside another database.
        prune="Deleted: 1 expired sessions",
        up="was empty, so it has a new key. Forms that were open must be reloaded.",
        healthz=SERVED,
        is_served=True,
    ),
    "another user's": Sick(
        make=lambda house: house.stack.enter_context(as_another_user(house.folder)),
        doctor="can't be read: ",
        verify="can't be read: ",
        prune="can't be read: ",
        up="belongs to the user root. Start Llamora as that user" if os.geteuid() == 0 else "can't be read",
    ),
    "full disk": Sick(
        make=lambda house: house.disk.fill(),
        needs_disk=True,
        doctor=f"0 KiB are free. {FULL}",
        verify=FULL,
        prune=f"Not everything was deleted. The disk of {{}} is full: 0 KiB are free. {FULL}",
        up="is full",
    ),
    "read-only disk": Sick(
        make=lambda house: house.disk.set_read_only(),
        needs_disk=True,
        doctor=READ_ONLY,
        verify="No damage was found.",
        prune=f"Not everything was deleted. The disk of {{}} {READ_ONLY}",
        up=READ_ONLY,
    ),
}


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened
    reserve._ready.clear()


def build_house(sick: Sick, folder: Path, stack: ExitStack, settings: Any) -> House:
    data, disk = folder / "data", None
    if sick.needs_disk:
        disk = stack.enter_context(mount_small_disk(folder, name="data", mebibytes=32))
        if not disk.is_real:
            pytest.skip("only root may mount a disk")
    settings.DATA_DIR, settings.BACKUP_DIR = data, data / "backups"
    settings.SECRET_KEY_FILE = data / "secrets" / "secret_key"
    house = House(crashed.crash(new_resident("Olive"), data, entries=6), data, stack, disk)
    for file in (house.secret_key, settings.BACKUP_DIR / BACKUP):
        file.parent.mkdir(mode=0o700)
        file.write_text("abcdefghijklmnopqrstuvwxyz0123456789" * 2)
        file.chmod(0o600)
    if not sick.has_damaged_log:
        # SQLite merges the log into the file, as at the end of a server.
        assert house.crashed.count_entries() == 6
    return house


def run(*command: str) -> str:
    """Run a command; return what it says, as `manage.py` says it."""
    out = io.StringIO()
    try:
        call_command(*command, stdout=out, stderr=out)
    except Exception as error:
        sentence = str(error) if isinstance(error, CommandError) else describe_error(error)
        if sentence is None:
            raise
        out.write(sentence)
    connection.close()
    return out.getvalue()


@pytest.mark.parametrize("name", HOUSEHOLDS)
def test_everything_says_what_a_sick_household_suffers_from(
    tmp_path: Path, stack: ExitStack, settings: Any, transactional_db: None, name: str
) -> None:
    sick = HOUSEHOLDS[name]
    house = build_house(sick, tmp_path, stack, settings)
    sick.make(house)
    said = {}
    with using_database_file(house.crashed.database):
        said["doctor"], said["verify"] = run("doctor"), run("verify")
        if sick.prune_is_process:
            said["prune"] = run_command(tmp_path, "prune").stderr
        else:
            said["prune"] = run("prune")
        if not sick.is_served:
            answer = Client().get("/healthz")
            health = (answer.status_code, answer.content.decode())
            said["up"] = run("up", "--no-model", "--port", "0")
    if sick.is_served:
        with run_server(tmp_path) as server:
            served = Visitor(server=server).get("/healthz")
            health = (served.status, served.body)
        said["up"] = server.log()
    stack.close()

    for command, sentence in said.items():
        assert getattr(sick, command).format(house.folder) in sentence, command
        assert "Traceback" not in sentence
        if getattr(sick, command) in (EMPTY, MISSING, HEADER):
            assert f"manage.py restore '{house.folder / 'backups' / BACKUP}'" in sentence
    assert health[0] == sick.healthz[0]
    assert sick.healthz[1] in health[1]
    if sick.doctor == MISSING:
        assert not house.crashed.database.exists()
