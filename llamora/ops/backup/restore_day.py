"""Restoration of one person's day, or of one entry of it, from a backup; everything else stays as it is.

The server may run meanwhile. The backup is unpacked beside the database in use, checked, and opened with the
secret that the person had when it was made. Restored entries are sealed under the current data key.
"""

import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from django.core.management.base import CommandError

from accounts import error_messages
from accounts.errors import AccountsError, WrongCredentials
from accounts.keys.key_slots import OpenedSlot
from accounts.management import secret_prompt
from accounts.models import Person
from diary.transfer import day_restoration
from diary.transfer.day_restoration import ComparedEntry
from diary.transfer.row_parser import ParsedEntry
from llamora.database import NotWritten
from llamora.ops import startup
from llamora.ops.backup import archive, integrity, restore
from llamora.ops.backup.verify_secret import using_database_file
from llamora.ops.errors import OperationRefused


@dataclass(frozen=True, kw_only=True)
class DayRequest:
    """Request to restore a person's day from a backup, or only one entry of this day.

    `number` is the number of this entry in the list that `--dry-run` prints.
    """

    backup: Path
    data_dir: Path
    name: str
    day: date
    number: int | None
    password_file: Path | None


@dataclass(frozen=True, kw_only=True)
class DayReport:
    """Result of restoring a day from a backup: the readable entries, and the number of unreadable ones.

    `entries` are the entries of the backup, each with its state in the diary before the restoration.
    `unreadable` is the number of entries of the backup that cannot be decrypted.
    """

    person: Person
    entries: Sequence[ComparedEntry]
    unreadable: int


def restore_day(request: DayRequest, *, now: datetime, is_preview: bool) -> DayReport:
    """Restore the requested entries, or if `is_preview`, only compare them; raise OperationRefused."""
    try:
        return _restore_day(request, now=now, is_preview=is_preview)
    except AccountsError as error:
        raise OperationRefused(error_messages.get_error_message(error)) from None
    except NotWritten as error:
        raise OperationRefused(error_messages.get_not_written_message(error)) from None
    except CommandError as error:
        raise OperationRefused(str(error)) from None


def _restore_day(request: DayRequest, *, now: datetime, is_preview: bool) -> DayReport:
    with tempfile.TemporaryDirectory(dir=request.data_dir, prefix="restoring-") as folder:
        staged = Path(folder) / archive.DATABASE
        restore.stage_backup(request.backup, Path(folder))
        found = integrity.check_database(staged, with_triggers=False)
        if found.problems:
            raise OperationRefused(f"This backup is damaged. {' '.join(found.problems)}")
        with using_database_file(staged):
            startup.migrate()
            opened = secret_prompt.open_slot_with_prompt(
                name=request.name, password_file=request.password_file, of_backup=True
            )
            with closing(opened.keyring) as keyring:
                day = day_restoration.read_backed_up_entries(keyring=keyring, day=request.day, now=now)
    entries = _select(day.entries, request)
    now_open = _open_diary_in_use(request)
    if now_open.person.id != opened.person.id:
        raise OperationRefused(f"{request.name} in this backup is another person, so nothing was restored.")
    act = day_restoration.compare_entries if is_preview else day_restoration.restore_entries
    with closing(now_open.keyring) as keyring:
        compared = act(person=now_open.person, keyring=keyring, entries=entries, now=now)
    return DayReport(person=now_open.person, entries=compared, unreadable=day.unreadable)


def _select(entries: Sequence[ParsedEntry], request: DayRequest) -> Sequence[ParsedEntry]:
    if not entries:
        raise OperationRefused(f"{request.name} has no entry of {request.day} in this backup.")
    if request.number is None:
        return entries
    if not 1 <= request.number <= len(entries):
        raise OperationRefused(
            f"{request.name} has {len(entries)} entries of {request.day} in this backup, so --entry is a "
            f"number from 1 to {len(entries)}. --dry-run lists them."
        )
    return [entries[request.number - 1]]


def _open_diary_in_use(request: DayRequest) -> OpenedSlot:
    """Open the diary in use with a prompt for its present secret, or with the secret in the file.

    Raise OperationRefused if the secret in the file opened the backup but was changed since.
    """
    try:
        return secret_prompt.open_diary_with_prompt(name=request.name, password_file=request.password_file)
    except WrongCredentials:
        if request.password_file is None:
            raise
        raise OperationRefused(
            "The backup was opened with the secret in the file of --password-file, but the diary in use has "
            "another one since. Leave --password-file out; then both are asked for."
        ) from None
