"""`manage.py verify`: checks of the household's database or of a backup."""

import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from llamora.database import condition
from llamora.database.condition import FileState
from llamora.ops import losses, startup
from llamora.ops.backup import archive, create, integrity, restore, verify_secret
from llamora.ops.errors import OperationRefused
from llamora.process_memory import protect_process_memory


class Command(BaseCommand):
    """The command that checks a database file and its envelopes. With a secret, it also decrypts rows."""

    help = (
        "Check a backup for damage, or without FILE the database in use. It checks the file, the links "
        "between its tables, the rules that reject values encrypted with an old key, and that every "
        "encrypted value has a known format and its owner's key. With --user it asks for that person's "
        "password or recovery code and decrypts everything of theirs. Works while the server runs and "
        "changes nothing. Ends with an error if something is damaged. Refuses an unknown name and a wrong "
        "password or code."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments: the file to check, and the person whose secret to ask for."""
        parser.add_argument("file", type=Path, nargs="?", help="a backup; without it, the database in use")
        parser.add_argument("--user", help="decrypt everything of this person")
        parser.add_argument(
            "--password-file",
            type=Path,
            help="read their password or recovery code from the first line of this file",
        )

    def handle(
        self, *args: Any, file: Path | None, user: str | None, password_file: Path | None, **options: Any
    ) -> None:
        """Check the database or the backup, and print the result."""
        protect_process_memory()
        if password_file is not None and user is None:
            raise CommandError("--password-file needs --user, the name of the person whose password it has.")
        try:
            if file is None:
                database = create.get_household_files().database
                losses.refuse_unreported_loss(database)
                self._verify(database, user, password_file, is_copy=False)
                losses.refuse_unacknowledged_reports()
                return
            # Of a database with its logs beside it, such as a copy of damaged files.
            losses.refuse_loss(file)
            with tempfile.TemporaryDirectory(dir=_get_unpack_folder(file), prefix="verifying-") as folder:
                restore.stage_backup(file.absolute(), Path(folder))
                self._verify(Path(folder) / archive.DATABASE, user, password_file, is_copy=True)
        except OperationRefused as refusal:
            raise CommandError(str(refusal)) from None
        except BrokenPipeError:
            raise
        except OSError as error:
            raise CommandError(f"The backup could not be checked: {error.strerror}.") from None

    def _verify(self, database: Path, user: str | None, password_file: Path | None, *, is_copy: bool) -> None:
        file = condition.examine_file(database)
        if file.state is FileState.NEW:
            raise OperationRefused(
                "Llamora is not set up here yet. Name a backup, or run manage.py up first."
            )
        if file.sentence:
            raise OperationRefused(file.sentence)
        found = integrity.check_database(database)
        for column in found.columns:
            formats = ", ".join(f"format {number}" for number in sorted(column.formats)) or "none"
            waiting = (
                f", {column.awaiting_rotation:,} with an old key until the key change is finished"
                if column.awaiting_rotation
                else ""
            )
            kind = "codes of columns" if column.is_code else "encrypted values"
            self.stdout.write(f"{column.label}: {column.envelopes:,} {kind}, {formats}{waiting}")
        if found.problems:
            raise OperationRefused(" ".join([*found.problems, *found.damage]))
        if found.damage and user is None:
            raise OperationRefused(" ".join(found.damage))
        if not found.damage:
            self.stdout.write("No damage was found.")
        if user is not None:
            with verify_secret.using_database_file(database):
                if is_copy:
                    # A backup from before an upgrade has no columns that came later.
                    startup.migrate()
                self._open(user, password_file, is_copy=is_copy)
        if found.damage:
            # Of somebody else: this person's values were opened.
            raise OperationRefused(" ".join(found.damage))

    def _open(self, user: str, password_file: Path | None, *, is_copy: bool) -> None:
        found = verify_secret.verify_with_secret(name=user, password_file=password_file, of_backup=is_copy)
        for value in found.damaged:
            self.stderr.write(f"{value.label} of {value.row} can't be decrypted: {value.code}.")
        if found.damaged:
            raise OperationRefused(
                f"{len(found.damaged):,} of {found.envelopes:,} values can't be decrypted."
            )
        self.stdout.write(f"All {found.envelopes:,} encrypted texts of {user} can be decrypted.")


def _get_unpack_folder(file: Path) -> Path:
    """Return the folder in which to unpack a backup: the data folder if it exists, else the backup's."""
    data_dir: Path = settings.DATA_DIR
    return data_dir if data_dir.is_dir() else file.absolute().parent
