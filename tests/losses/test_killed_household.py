"""Tests of `kill -9` while a household does everything at once: nothing confirmed is lost, nothing left over.

Two people write, edit, delete, restore, change their keys and passwords, and use two browsers each, while the
server makes backups and prunes. After each restart, everything is compared, and the findings are counted.
"""

import re
import sqlite3
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.browser_client import Visitor
from tests.fakes.waiting import wait_for
from tests.losses.busy_people import BusyPerson
from tests.losses.savers import run_together
from tests.losses.test_kill import check_file
from tests.server import Server, run_command, start

PEOPLE = ("Olive", "Humphrey")
SEED = 13
FIRST_ENTRIES = 40
HASTY = {"DJANGO_SETTINGS_MODULE": "tests.losses.hasty_settings"}
EXPIRED = re.compile(r"Deleted because they had expired: (.*)")


class KilledHousehold:
    """A household whose server is killed repeatedly."""

    def __init__(self, folder: Path, extra: dict[str, str]) -> None:
        self.folder, self.extra = folder, extra | HASTY
        self.chance, self.counts = Random(SEED), Counter[str]()
        self.server: Server = start(folder, extra=self.extra)
        self.people = [self._join(name) for name in PEOPLE]

    @property
    def backups(self) -> Path:
        return self.server.data_dir / "backups"

    def _join(self, name: str) -> BusyPerson:
        first = Visitor.join(self.server, name)
        person = BusyPerson(
            first=first,
            second=first.another(),
            chance=Random(f"{SEED} {name}"),
            counts=self.counts,
            passwords=[first.password],
        )
        for _ in range(FIRST_ENTRIES):
            person.write()
        return person

    def run_round(self) -> None:
        """Let everybody do everything, kill the server amid it, start it again, and check everything."""
        for person in self.people:
            person.begin_round(self.chance.choices(("", "key", "password"), (5, 3, 2))[0])
        self._kill_amid_everything()
        parts = list(self.backups.glob(".*.part"))
        self.counts["backups that were killed"] += len(parts)
        named = sorted(self.backups.glob("*.tar"))

        self.server = start(self.folder, "--port", str(self.server.port), extra=self.extra)

        self._check_start(parts)
        unfinished = [person for person in self.people if self.count_former_keys(person.first.owner)]
        for person in self.people:
            person.move_to(self.server)
        for person in unfinished:
            person.finish_rotation(self.count_former_keys)
        wait_for(lambda: not self._list_former_files())
        for person in self.people:
            person.check_diary()
        for backup in named:
            self._check_backup(backup)
        self.counts["rounds"] += 1

    def _kill_amid_everything(self) -> None:
        self._let_backup_be_due()
        calls = [call for person in self.people for call in (person.act_until, person.visit_until)]
        with run_together(calls):
            wait_for(lambda: min(person.confirmed for person in self.people) >= 4, seconds=30)
            self._wait_for_moment()
            self.server.kill()

    def _let_backup_be_due(self) -> None:
        for backup in self.backups.glob("*.tar"):
            backup.unlink()

    def _wait_for_moment(self) -> None:
        """Wait for a key change or for a backup, which take a tenth of a second, or for any moment."""
        changing = [person for person in self.people if person.key_change]
        if changing:
            person = changing[0]
            wait_for(self.chance.choice((person.changing, person.changed)).is_set, seconds=30)
        elif self.chance.random() < 0.7:
            self._let_backup_be_due()
            wait_for(lambda: any(self.backups.glob(".*.part")), seconds=30)
        else:
            time.sleep(self.chance.uniform(0.0, 0.5))
        time.sleep(self.chance.uniform(0.0, 0.12))

    def _check_start(self, parts: list[Path]) -> None:
        log = self.server.log()
        assert "Traceback" not in log
        assert "may be missing" not in log
        assert not (self.server.data_dir / "losses").exists()
        wait_for(lambda: not any(part.exists() for part in parts))
        wait_for(lambda: EXPIRED.search(self.server.log()) is not None)
        for deleted in EXPIRED.findall(self.server.log()):
            assert "0 entries in the bin, 0 earlier versions" in deleted

    def count_former_keys(self, owner: str) -> int:
        rows = self._fetch("SELECT owner_id FROM accounts_formerkey")
        return sum(row == (owner.replace("-", ""),) for row in rows)

    def _list_former_files(self) -> list[str]:
        """Return the files of former keys; that of a change that was killed before its commit is not one."""
        epochs = dict(self._fetch("SELECT owner_id, epoch FROM accounts_vault"))
        names = [path.name for path in (self.server.data_dir / "former_keys").glob("*")]
        return [name for name in names if int(name.split("-")[1]) < epochs[name.split("-")[0]]]

    def _fetch(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.server.data_dir / "llamora.sqlite3", timeout=30)) as database:
            return database.execute(statement).fetchall()

    def _check_backup(self, backup: Path) -> None:
        """Check a backup whose name says that it is finished, and open all of one person in it."""
        person = self.chance.choice(self.people)
        said = []
        for password in reversed(person.passwords):
            (self.folder / "password").write_text(password)
            secret = ("--user", person.name, "--password-file", str(self.folder / "password"))
            verified = run_command(self.folder, "verify", str(backup), *secret, extra=self.extra)
            if verified.returncode == 0:
                assert "can be decrypted" in verified.stdout
                self.counts["backups verified"] += 1
                return
            said.append(verified.stderr)
        raise AssertionError(said)


def run_rounds(folder: Path, settings: dict[str, str], *, rounds: int) -> Counter[str]:
    """Kill a household this number of times, and return what was done and found."""
    house = KilledHousehold(folder, settings)
    try:
        for _ in range(rounds):
            house.run_round()
        check_file(house.server)
    finally:
        house.server.kill()
    print("\n" + "\n".join(f"{count:6} {kind}" for kind, count in sorted(house.counts.items())))
    return house.counts


def test_a_kill_amid_everything_loses_nothing(tmp_path: Path, household_settings: dict[str, str]) -> None:
    assert run_rounds(tmp_path, household_settings, rounds=2)["rounds"] == 2


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_sixty_kills_amid_everything_lose_nothing(tmp_path: Path, household_settings: dict[str, str]) -> None:
    counts = run_rounds(tmp_path, household_settings, rounds=60)

    for kind in (
        *("edits", "deletions", "restored", "drafts", "sent again", "steps of sessions"),
        *("changes of the key", "changes of the password", "key changes finished after a kill"),
        *("first browsers that went on", "first browsers signed in anew"),
        *("second browsers found unlocked", "second browsers found locked", "second browsers found out"),
        *("backups that were killed", "backups verified"),
    ):
        assert counts[kind], kind
